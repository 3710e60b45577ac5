package lessons_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/paragopher/paragopher/lessons/notebook"
)

// These tests run the program as its users do. It stands here because lessons are
// its main job, and because the top level holds nothing but main.

// requireClients makes what needs Jupyter fail, not skip, where that is not installed.
const requireClients = "PARAGOPHER_REQUIRE_CLIENTS"

// build makes the program and gives its path.
func build(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "paragopher")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", exe, "github.com/paragopher/paragopher").CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return exe
}

// run runs a command and gives what it wrote and its exit code.
func run(t *testing.T, dir string, env []string, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// The main job: all lessons, executed.
func TestRunsTheLessons(t *testing.T) {
	exe, dir := build(t), t.TempDir()
	stdout, stderr, code := run(t, dir, nil, exe, "run")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, lang := range []string{"en", "ko"} {
		var cells []*notebook.Cell
		files, _ := filepath.Glob(filepath.Join(dir, "out", lang, "*.ipynb"))
		for _, file := range files {
			n, err := notebook.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			cells = append(cells, n.Cells...)
		}
		outputs := map[string]string{}
		var plot map[string]any
		for _, c := range cells {
			if c.Type == "code" && c.Count == nil {
				t.Errorf("%s: %s was not run", lang, c.ID)
			}
			for _, o := range c.Outputs {
				if text, ok := o["text"].(string); ok {
					outputs[c.ID] += text
				}
				if data, ok := o["data"].(map[string]any); ok && data["image/png"] != nil {
					plot = data
				}
			}
		}
		// What must come out, whatever the words are.
		if lines := strings.Split(strings.TrimSpace(outputs["process-first-process"]), "\n"); len(lines) != 2 || lines[0] == lines[1] {
			t.Errorf("%s: two processes greet with %q", lang, lines)
		}
		late := strings.Split(strings.TrimSpace(outputs["process-finished-first"]), "\n")
		right := strings.Split(strings.TrimSpace(outputs["join-right-order"]), "\n")
		if len(right) != 2 || late[0] != right[1] {
			t.Errorf("%s: %q, then %q", lang, late, right)
		}
		if plot == nil {
			t.Fatalf("%s: there is no plot", lang)
		}
		if png, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(plot["image/png"].(string)), "")); err != nil || !bytes.HasPrefix(png, []byte("\x89PNG")) {
			t.Errorf("%s: the plot is no PNG: %v", lang, err)
		}
		if svg, ok := plot["image/svg+xml"].(string); !ok || !strings.Contains(svg, "</svg>") {
			t.Errorf("%s: the plot is no SVG", lang)
		}
		page, err := os.ReadFile(filepath.Join(dir, "out", lang, "02-process.html"))
		if err != nil || !bytes.Contains(page, []byte(`lang="`+lang+`"`)) {
			t.Errorf("%s: the page: %v", lang, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "index.html")); err != nil {
		t.Error(err)
	}
}

func TestOneClearLine(t *testing.T) {
	exe, dir := build(t), t.TempDir()
	for name, text := range map[string]string{
		"text.ipynb": "package main",
		"file":       "",
		"bad.ipynb":  `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"id": "a", "cell_type": "code", "source": "x := )", "metadata": {}, "outputs": [], "execution_count": null}]}`,
		"args.ipynb": `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"id": "a", "cell_type": "code", "source": "import \"parallel\"\nfunc f(a, b int) {}\np := parallel.NewProcess(f, 1)\np.Start()", "metadata": {}, "outputs": [], "execution_count": null}]}`,
		"good.ipynb": `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args, want string
	}{
		{"run text.ipynb", "text.ipynb"},
		{"run none.ipynb", "none.ipynb"},
		{"run --kernel nobody good.ipynb", `kernel "nobody" is not installed`},
		{"run --out file good.ipynb", "cannot be written"},
		{"run bad.ipynb", "bad, cell 1 of 1 (a): CompileError: cell[1]:1:6: syntax error"},
		{"run args.ipynb", "args, cell 1 of 1 (a): CompileError: cell[1]:3:"},
		{"run --colour", "-colour"},
		{"dance", `no command "dance"`},
		{"kernel", "connection file"},
		{"kernel none.json", "none.json"},
		{"install --name a/b", `"a/b"`},
		{"install --user --prefix x", "--user"},
		{"uninstall --prefix x", "x"},
		{"lessons sing", "lessons sing"},
	} {
		stdout, stderr, code := run(t, dir, nil, exe, strings.Fields(test.args)...)
		lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		if code != 1 || len(lines) != 1 || !strings.HasPrefix(lines[0], "paragopher: ") || !strings.Contains(lines[0], test.want) {
			t.Errorf("%s: exit code %d, want 1 and a line with %s\n%s", test.args, code, test.want, stderr)
		}
		if strings.Contains(stdout+stderr, "goroutine ") {
			t.Errorf("%s: a stack trace", test.args)
		}
	}
}

func TestHelp(t *testing.T) {
	exe := build(t)
	for _, args := range []string{"", "help", "run -h", "install -h"} {
		if stdout, stderr, code := run(t, t.TempDir(), nil, exe, strings.Fields(args)...); code != 0 || stderr != "" || len(stdout) < 100 {
			t.Errorf("%q: exit code %d\n%s%s", args, code, stdout, stderr)
		}
	}
}

var block = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// Every command and program of the README works as it says.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(string(readme), -1) {
		if !strings.HasPrefix(link[1], "https://") {
			if _, err := os.Stat(filepath.Join(root, link[1])); err != nil {
				t.Errorf("a link leads nowhere: %v", err)
			}
		}
	}
	blocks := block.FindAllStringSubmatch(string(readme), -1)
	dir := t.TempDir()
	// What the commands write must not be in the tree; what they read is there.
	for _, name := range []string{"notebooks", "lessons"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(root, name))); err != nil {
			t.Fatal(err)
		}
	}
	exe := build(t)
	home := t.TempDir()
	env := []string{"HOME=" + home, "XDG_DATA_HOME=", "JUPYTER_DATA_DIR=" + filepath.Join(home, "jupyter"), "JUPYTER_PATH=", "JUPYTER_RUNTIME_DIR=" + filepath.Join(home, "runtime"),
		"PATH=" + filepath.Dir(exe) + string(os.PathListSeparator) + os.Getenv("PATH")}
	for i, b := range blocks {
		switch language, text := b[1], b[2]; language {
		case "sh":
			for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
				command(t, dir, env, exe, line)
			}
		case "go":
			if i+1 == len(blocks) || blocks[i+1][1] != "text" {
				t.Fatalf("the program does not say what it prints:\n%s", text)
			}
			program(t, root, text, blocks[i+1][2])
		case "text":
		default:
			t.Errorf("a block in %s, which no test runs", language)
		}
	}
}

func command(t *testing.T, dir string, env []string, exe, line string) {
	t.Helper()
	args := strings.Fields(line)
	switch {
	case line == "go test ./...":
		return // that is what runs
	case line == "go install .":
		return // exe is on the path, as it would be now
	case strings.HasPrefix(line, "go run . "):
		args = append([]string{exe}, args[3:]...)
	case args[0] == "jupyter":
		if _, err := exec.LookPath("jupyter-" + args[1]); err != nil {
			if os.Getenv(requireClients) == "1" {
				t.Errorf("%s=1, and there is no jupyter-%s", requireClients, args[1])
			}
			return
		}
	}
	if name, err := exec.LookPath(args[0]); err == nil {
		args[0] = name
	} else if args[0] == "paragopher" {
		args[0] = exe
	}
	stdout, stderr, code := run(t, dir, env, args[0], args[1:]...)
	if code != 0 {
		t.Errorf("%s: exit code %d\n%s%s", line, code, stdout, stderr)
	}
	if strings.Contains(line, "nbconvert") {
		page, err := os.ReadFile(filepath.Join(dir, "out", "02-process.html"))
		if err != nil || !bytes.Contains(page, []byte("<svg")) && !bytes.Contains(page, []byte("data:image/")) {
			t.Errorf("%s: its page has no plot (%v)", line, err)
		}
	}
}

// program runs a main package in a module that uses this one.
func program(t *testing.T, root, code, want string) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"main.go": code,
		"go.mod":  "module example.com/program\n\ngo 1.26\n\nrequire github.com/paragopher/paragopher v0.0.0\n\nreplace github.com/paragopher/paragopher => " + root + "\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code2 := run(t, dir, []string{"GOFLAGS=-mod=mod"}, "go", "run", ".")
	if code2 != 0 || stdout != want {
		t.Errorf("the README's program: exit code %d, %s\ngot  %s\nwant %s", code2, stderr, stdout, want)
	}
}
