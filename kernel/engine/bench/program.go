package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A program is one of the Go distribution's tests: a single file that is run.
type program struct {
	name string // path below the test directory
	file string
	code string
}

// inTenth says whether the program is in the fixed tenth.
func (p program) inTenth() bool {
	h := fnv.New32a()
	h.Write([]byte(p.name))
	return h.Sum32()%10 == 0
}

// cell is the program's declarations: all but the package clause, with a blank for each of its letters.
func (p program) cell() string {
	f, err := parser.ParseFile(token.NewFileSet(), "", p.code, parser.PackageClauseOnly)
	if err != nil {
		return p.code
	}
	start, end := int(f.Package)-1, int(f.Name.End())-1
	return p.code[:start] + strings.Repeat(" ", end-start) + p.code[end:]
}

// outcome is what a program does under the go command.
type outcome struct {
	Stdout string
	Failed bool   // exit status other than 0
	Skip   string // why nothing can be compared with it: not built, or not the same twice
}

// A goCommand runs programs and remembers what they did.
type goCommand struct {
	root    string // the test directory
	version string
	cache   string
}

func newGoCommand(ctx context.Context, root string) (*goCommand, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return nil, fmt.Errorf("go env printed %q", out)
	}
	g := &goCommand{root: root, version: fields[1]}
	if g.root == "" {
		g.root = filepath.Join(fields[0], "test")
	}
	if _, err := os.Stat(filepath.Join(g.root, "helloworld.go")); err != nil {
		return nil, fmt.Errorf("%s is not the test directory of a Go distribution (some leave it out; name another with -root): %w", g.root, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	g.cache = filepath.Join(cache, "paragopher", "bench", g.version)
	return g, os.MkdirAll(g.cache, 0o755)
}

// programs finds the files whose first line is "// run" and that go build takes here.
func (g *goCommand) programs() (found []program, err error) {
	err = filepath.WalkDir(g.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		first, _, _ := bytes.Cut(code, []byte("\n"))
		name, err := filepath.Rel(g.root, path)
		if err != nil {
			return err
		}
		if string(bytes.TrimSpace(first)) == "// run" {
			found = append(found, program{filepath.ToSlash(name), path, string(code)})
		}
		return nil
	})
	return found, err
}

// run gives what the program does, from the cache if it is there.
func (g *goCommand) run(ctx context.Context, p program) (outcome, error) {
	file := filepath.Join(g.cache, fmt.Sprintf("%x.json", sha256.Sum256([]byte(p.code))))
	var o outcome
	if data, err := os.ReadFile(file); err == nil && json.Unmarshal(data, &o) == nil {
		return o, nil
	}
	dir, err := os.MkdirTemp("", "paragopher-bench-")
	if err != nil {
		return o, err
	}
	defer os.RemoveAll(dir)
	if o, err = g.twice(ctx, dir, p); err != nil {
		return o, err
	}
	data, err := json.Marshal(o)
	if err != nil {
		return o, err
	}
	// Renamed into place, so that nobody reads half of it.
	part := filepath.Join(dir, "outcome")
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return o, err
	}
	if err := os.Rename(part, file); err != nil {
		return o, os.WriteFile(file, data, 0o644) // another file system
	}
	return o, nil
}

// twice builds the program and runs it two times, to see whether it always does the same.
func (g *goCommand) twice(ctx context.Context, dir string, p program) (outcome, error) {
	exe := filepath.Join(dir, "program")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", exe, p.file)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return outcome{}, ctx.Err()
		}
		return outcome{Skip: "go build: " + strings.TrimSpace(string(out))}, nil
	}
	var first outcome
	for i := range 2 {
		o, err := once(ctx, exe)
		if err != nil {
			return o, err
		}
		if i == 1 && o != first {
			first.Skip = "not the same twice"
		}
		if i == 0 {
			first = o
		}
	}
	return first, nil
}

func once(ctx context.Context, exe string) (o outcome, err error) {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(limited, exe)
	cmd.Dir = filepath.Dir(exe)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return o, ctx.Err()
	case limited.Err() != nil:
		return outcome{Skip: "takes more than a minute"}, nil
	case err != nil && !errors.As(err, &exit):
		return o, fmt.Errorf("running %s: %w", exe, err)
	}
	return outcome{Stdout: string(out), Failed: err != nil}, nil
}
