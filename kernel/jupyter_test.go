package kernel_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/kernelspec"
)

// requireClients makes the tests with Jupyter's own clients fail, not skip, where those are
// not installed.
const requireClients = "PARAGOPHER_REQUIRE_CLIENTS"

// TestJupyterClients runs Jupyter's conformance suite, and its client library,
// on the real program.
func TestJupyterClients(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and starts many kernels")
	}
	if runtime.GOOS != "linux" {
		t.Skip("looks for left processes in /proc")
	}
	python := python(t, "jupyter_client", "jupyter_kernel_test")
	// Not t.TempDir(): the conformance suite leaves it to the clients' exit to end
	// their kernels, and what they write then must not fail the clearing up.
	dir, err := os.MkdirTemp("", "paragopher-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "paragopher")
	if out, err := exec.Command("go", "build", "-o", exe, "github.com/paragopher/paragopher").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	const name = "paragopher-test"
	if _, err := kernelspec.Install(kernelspec.Target{Name: name, Prefix: dir, Executable: exe}); err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"conformance.py", "lifecycle.py"} {
		t.Run(script, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, python, filepath.Join("testdata", script))
			cmd.WaitDelay = 5 * time.Second
			cmd.Env = append(os.Environ(),
				"JUPYTER_PATH="+filepath.Join(dir, "share", "jupyter"),
				"JUPYTER_DATA_DIR="+filepath.Join(dir, "data"),
				"JUPYTER_RUNTIME_DIR="+filepath.Join(dir, "runtime"),
				"JUPYTER_CONFIG_DIR="+filepath.Join(dir, "config"),
				"PARAGOPHER_KERNEL="+name, "PARAGOPHER_BINARY="+exe,
				"PYTHONDONTWRITEBYTECODE=1",
			)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
			if left, _ := filepath.Glob(filepath.Join(dir, "runtime", "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// python gives a Python that has the modules.
func python(t *testing.T, modules ...string) string {
	t.Helper()
	imports := "import sys"
	for _, m := range modules {
		imports += ", " + m
	}
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(p, "-c", imports).Run() == nil {
			return p
		}
	}
	if os.Getenv(requireClients) == "1" {
		t.Fatalf("no Python with %v, and %s=1 asks for it", modules, requireClients)
	}
	t.Skipf("no Python with %v", modules)
	return ""
}
