package kernelspec

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// data makes a fresh user data folder the only one that matters.
func data(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("JUPYTER_DATA_DIR", dir)
	t.Setenv("JUPYTER_PATH", "")
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("CONDA_PREFIX", "")
	return dir
}

func program(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "paragopher")
	if err := os.WriteFile(exe, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return exe
}

func TestInstallFindUninstall(t *testing.T) {
	user := data(t)
	prefix, env := t.TempDir(), t.TempDir()
	exe := program(t)
	t.Setenv("VIRTUAL_ENV", env)
	t.Setenv("JUPYTER_PATH", filepath.Join(prefix, "share", "jupyter"))
	for _, c := range []struct {
		target Target
		dir    string
	}{
		{Target{}, filepath.Join(user, "kernels", "paragopher")},
		{Target{Name: "other"}, filepath.Join(user, "kernels", "other")},
		{Target{Name: "p", Prefix: prefix}, filepath.Join(prefix, "share", "jupyter", "kernels", "p")},
		{Target{Name: "s", SysPrefix: true}, filepath.Join(env, "share", "jupyter", "kernels", "s")},
	} {
		c.target.Executable = exe
		for range 2 { // the second replaces the first
			dir, err := Install(c.target)
			if err != nil || dir != c.dir {
				t.Fatalf("%+v: %s %v, want %s", c.target, dir, err, c.dir)
			}
		}
		s, err := Find(strings.ToUpper(filepath.Base(c.dir)))
		if err != nil || s.Dir != c.dir || s.Language != "go" || s.InterruptMode != "message" ||
			!reflect.DeepEqual(s.Argv, []string{exe, "kernel", "{connection_file}"}) {
			t.Fatalf("found %+v %v", s, err)
		}
		left, err := os.ReadDir(c.dir)
		if err != nil || len(left) != 3 {
			t.Errorf("%v %v, want kernel.json and two logos", left, err)
		}
		if around, _ := filepath.Glob(filepath.Join(filepath.Dir(c.dir), ".install-*")); len(around) > 0 {
			t.Errorf("left behind: %v", around)
		}
		if _, err := Uninstall(c.target); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
			t.Errorf("still there: %v", err)
		}
		if _, err := Uninstall(c.target); err == nil {
			t.Error("a kernel that is not there was removed")
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	user := data(t)
	exe := program(t)
	blocked := filepath.Join(t.TempDir(), "file")
	os.WriteFile(blocked, nil, 0o600)
	hash := strings.Repeat("0a", 32)
	for _, c := range []struct {
		name   string
		target Target
		want   string
	}{
		{"go run", Target{Executable: "/tmp/go-build123/b001/exe/paragopher"}, "go install"},
		{"go run, cached", Target{Executable: "/home/u/.cache/go-build/0a/" + hash + "-d/paragopher"}, "go install"},
		{"missing program", Target{Executable: exe + "-missing"}, "paragopher-missing"},
		{"folder", Target{Executable: filepath.Dir(exe)}, "is a folder"},
		{"name", Target{Executable: exe, Name: "a/b"}, `"a/b" cannot be the name`},
		{"dots", Target{Executable: exe, Name: ".."}, `cannot be the name`},
		{"two places", Target{Executable: exe, Prefix: "/x", SysPrefix: true}, "choose one"},
		{"no environment", Target{Executable: exe, SysPrefix: true}, "VIRTUAL_ENV"},
		{"unwritable", Target{Executable: exe, Prefix: blocked}, blocked},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Install(c.target)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, c.want)
			}
		})
	}
	if left, _ := os.ReadDir(filepath.Join(user, "kernels")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFindSaysWhatThereIs(t *testing.T) {
	user := data(t)
	if _, err := Install(Target{Name: "mine", Executable: program(t)}); err != nil {
		t.Fatal(err)
	}
	_, err := Find("nope")
	if err == nil || !strings.Contains(err.Error(), user) || !strings.Contains(err.Error(), "mine") || !strings.Contains(err.Error(), `"nope"`) {
		t.Errorf("error %v", err)
	}
	broken := filepath.Join(user, "kernels", "broken")
	os.MkdirAll(broken, 0o755)
	for content, want := range map[string]string{"not JSON": "kernel.json", "{}": "argv"} {
		os.WriteFile(filepath.Join(broken, "kernel.json"), []byte(content), 0o600)
		if _, err := Find("broken"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", content, err, want)
		}
	}
	if _, err := Find("../x"); err == nil {
		t.Error("a path was taken for a name")
	}
	for _, s := range List() {
		if s.Name == "broken" {
			t.Error("a broken kernel is listed")
		}
	}
}
