// Package native runs a notebook's cells at full speed: it writes each cell as a Go
// package, compiles it with the user's Go compiler, and has a host process load it
// as a plugin. The host is built on the user's machine, once, into a cache folder.
package native

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// hostSource is what the host is built from, written by sources.
//
//go:embed host.zip
var hostSource []byte

// A Toolchain is the user's Go with the host that it has built.
type Toolchain struct {
	Host string // the program to start

	source  string   // folder of the host's module
	env     []string // of go, compile and link
	tools   string   // folder of compile and link
	version string   // as compile -goversion wants it
	linker  []string // says what stands in for gcc; nil for gcc itself

	mu    sync.Mutex
	cfg   map[string]string // import path -> export file
	asked map[string]bool
}

// common are packages whose export data is made along with the host: what cells
// import most.
var common = []string{
	"bufio", "bytes", "cmp", "context", "encoding/json", "errors", "fmt", "io", "iter", "log", "maps", "math", "math/rand", "math/rand/v2",
	"os", "os/exec", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "sync", "sync/atomic", "syscall", "time", "unicode", "unsafe",
	rtPath, parallelPath, parallelPath + "/timing", "github.com/paragopher/paragopher/kernel/display",
}

// Both sides of a plugin must be built alike. Without the last flag the linker drops
// initialisers of package-level maps that the first of two plugins does not reach,
// and the second finds them nil.
var buildFlags = []string{"-trimpath", "-buildvcs=false", "-gcflags=all=-d=wrapglobalmapctl=1"}

// Open finds the user's Go and its host, which it builds if there is none yet:
// tell is called before that, since it takes a while the first time. The error says
// what is missing.
func Open(ctx context.Context, tell func(string)) (*Toolchain, error) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		return nil, fmt.Errorf("compiled cells need Go's plugins, which %s does not have", runtime.GOOS)
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("there is no go command in PATH")
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		if gcc, err = exec.LookPath("cc"); err != nil {
			return nil, errors.New("there is no C compiler (gcc), whose linker plugins need")
		}
	}
	t := &Toolchain{cfg: map[string]string{}, asked: map[string]bool{}}
	t.env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GOFLAGS=") }),
		"CGO_ENABLED=1", "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "GOTOOLCHAIN=local", "GOGC=400")
	out, err := t.run(ctx, "", goTool, "env", "GOVERSION", "GOTOOLDIR", "GOARCH", "GOAMD64", "GOROOT")
	if err != nil {
		return nil, err
	}
	about := strings.Split(strings.TrimSpace(out), "\n")
	if len(about) < 3 {
		return nil, fmt.Errorf("go env answered %q", out)
	}
	t.version, t.tools = strings.TrimPrefix(about[0], "go"), about[1]
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("finding the cache folder: %w", err)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, out, buildFlags)
	sum.Write(hostSource)
	dir := filepath.Join(cache, "paragopher", "host", hex.EncodeToString(sum.Sum(nil))[:16])
	t.source, t.Host = filepath.Join(dir, "src"), filepath.Join(dir, "host")
	if _, err := os.Stat(t.Host); err != nil {
		tell("Preparing compiled cells: building the process they run in, with your Go. This happens once.")
		if err := t.build(ctx, dir, goTool); err != nil {
			return nil, err
		}
	}
	if err := t.list(ctx, common); err != nil {
		return nil, err
	}
	t.standIn(gcc) // only now: go itself wants the real one
	return t, nil
}

// run runs a tool and gives its output.
func (t *Toolchain) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, t.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(args[0]), args[1], err, out.String(), errs.String())
	}
	return out.String(), nil
}

// build unpacks the host's source and builds it. Kernels that do so at the same time
// do not disturb each other: the finished folder is moved into place.
func (t *Toolchain) build(ctx context.Context, dir, goTool string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("making the cache folder: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return fmt.Errorf("making the cache folder: %w", err)
	}
	defer os.RemoveAll(temp)
	src := filepath.Join(temp, "src")
	if err := unpack(src); err != nil {
		return err
	}
	args := append([]string{goTool, "build", "-o", filepath.Join(temp, "host")}, buildFlags...)
	if _, err := t.run(ctx, src, append(args, "./kernel/engine/native/host")...); err != nil {
		return fmt.Errorf("building the host of compiled cells: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		if _, there := os.Stat(t.Host); there != nil {
			return fmt.Errorf("putting the host in place: %w", err)
		}
	}
	return nil
}

func unpack(dir string) error {
	zr, err := zip.NewReader(bytes.NewReader(hostSource), int64(len(hostSource)))
	if err != nil {
		return fmt.Errorf("opening the embedded source of the host: %w", err)
	}
	for _, f := range zr.File {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err == nil {
			err = os.WriteFile(name, data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("unpacking the source of the host: %w", err)
		}
	}
	return nil
}

// list asks go for the compiled form of packages and what they import, which it makes
// where there is none.
func (t *Toolchain) list(ctx context.Context, paths []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var missing []string
	for _, p := range paths {
		if t.cfg[p] == "" && p != "unsafe" {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	args := append([]string{"go", "list", "-export", "-deps", "-buildmode=plugin", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}"}, buildFlags...)
	out, err := t.run(ctx, t.source, append(args, missing...)...)
	if err != nil {
		return fmt.Errorf("compiling %s: %w", strings.Join(missing, ", "), err)
	}
	for line := range strings.Lines(out) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			t.cfg[path] = file
		}
	}
	return nil
}

// packageFiles writes an importcfg of all that is known and the given archives.
func (t *Toolchain) packageFiles(file string, archives map[string]string) error {
	var b strings.Builder
	t.mu.Lock()
	all := maps.Clone(t.cfg)
	t.mu.Unlock()
	maps.Copy(all, archives)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "packagefile %s=%s\n", path, all[path])
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
