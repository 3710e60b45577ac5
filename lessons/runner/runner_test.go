package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/lessons/notebook"
)

// The kernels of these tests, and their sessions, are this binary.
func TestMain(m *testing.M) {
	engine.Main()
	if len(os.Args) == 3 && os.Args[1] == "kernel" {
		err := kernel.Serve(context.Background(), os.Args[2], func(sink engine.Sink) (kernel.Engine, error) {
			return engine.New(engine.Options{}, sink)
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// file writes a notebook of code cells; one that begins with # is Markdown.
func file(t *testing.T, dir, name string, sources ...string) string {
	t.Helper()
	n := &notebook.Notebook{Minor: 5, Metadata: map[string]any{"kernelspec": map[string]any{"name": "x", "language": "go"}}}
	for i, s := range sources {
		c := &notebook.Cell{ID: fmt.Sprintf("id-%d", i+1), Type: "code", Source: s, Metadata: map[string]any{}}
		if strings.HasPrefix(s, "#") {
			c.Type = "markdown"
		}
		n.Cells = append(n.Cells, c)
	}
	file := filepath.Join(dir, name+".ipynb")
	if err := n.Write(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out", "deep")
	var progress bytes.Buffer
	nb := file(t, dir, "a", "# Title & more\n\n*text*, `code`", "x := 20\nfmt.Println(\"<b>\", x)", "", "x + 1", `Display(display.HTML("<i id=mine>rich</i>"))`,
		`import ("parallel/timing"; "plots")
r := timing.Compare(timing.Case{Name: "one", Run: func() {}}, timing.Case{Name: "two", Run: func() {}})
plots.Compare(r, plots.Title("A plot"))`)
	if err := Run(context.Background(), Options{Files: []string{nb}, Out: out, Progress: &progress}); err != nil {
		t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`(?m)^a +cell +\d/6  ok `).FindAllString(progress.String(), -1)); n != 4 {
		t.Errorf("progress:\n%s", &progress)
	}
	n, err := notebook.Read(filepath.Join(out, "a.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if c := n.Cells[3]; c.Count == nil || *c.Count != 2 || len(c.Outputs) != 1 || fmt.Sprint(c.Outputs[0]["data"]) != "map[text/plain:21]" {
		t.Errorf("%+v", c)
	}
	plot := n.Cells[5].Outputs[0]["data"].(map[string]any)
	for _, mime := range []string{"image/svg+xml", "image/png", "text/plain"} {
		if plot[mime] == nil {
			t.Errorf("the plot has no %s", mime)
		}
	}
	page := read(t, filepath.Join(out, "a.html"))
	for _, want := range []string{"<title>Title &amp; more</title>", "<em>text</em>", "&lt;b&gt; 20", "21", "<i id=mine>rich</i>", "A plot", "data:image/svg+xml"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if m := regexp.MustCompile(`(src|href)="https?:|<script|@import|url\(http`).FindString(page); m != "" {
		t.Errorf("the page needs something from elsewhere: %s", m)
	}
}

func TestFailedCell(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	bad := file(t, dir, "bad", "fmt.Println(\"first\")", "a :=", "fmt.Println(\"never\")")
	wrong := file(t, dir, "wrong", "import \"parallel\"\nfunc f(a int) {}\np := parallel.NewProcess(f, \"a\")")
	good := file(t, dir, "good", "1")
	err := Run(context.Background(), Options{Files: []string{bad, wrong, good}, Out: out})
	var cell *CellError
	if !errors.As(err, &cell) || cell.Notebook != "bad" || cell.Cell != 2 || cell.ID != "id-2" {
		t.Fatalf("%v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "bad, cell 2 of 3 (id-2): CompileError: ") || !strings.HasPrefix(lines[1], "wrong, cell 1 of 1 (id-1): ") {
		t.Errorf("%s", err)
	}
	page := read(t, filepath.Join(out, "bad.html"))
	if !strings.Contains(page, "first") || !strings.Contains(page, "unexpected EOF, expected expression") || strings.Contains(page, "\x1b") {
		t.Errorf("the page of the failed notebook:\n%s", page[strings.Index(page, "<body>"):])
	}
	read(t, filepath.Join(out, "good.html"))
}

func TestExpectedErrors(t *testing.T) {
	dir := t.TempDir()
	nb := file(t, dir, "a", `panic("on purpose")`, `panic("not run")`, "2")
	n, _ := notebook.Read(nb)
	n.Cells[0].Metadata["tags"] = []any{"raises-exception"}
	n.Cells[1].Metadata["tags"] = []any{"skip-execution"}
	if err := n.Write(nb); err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), Options{Files: []string{nb}, Out: dir + "/out"}); err != nil {
		t.Fatal(err)
	}
}

// A kernel that dies is the error of the cell that it ran.
func TestKernelDies(t *testing.T) {
	dir := t.TempDir()
	nb := file(t, dir, "a", "1", "p, _ := os.FindProcess(os.Getppid())\np.Kill()\ntime.Sleep(time.Minute)")
	err := Run(context.Background(), Options{Files: []string{nb}, Out: dir + "/out"})
	if err == nil || !strings.Contains(err.Error(), "a, cell 2 of 2: ") || !strings.Contains(err.Error(), "died") {
		t.Fatal(err)
	}
	read(t, filepath.Join(dir, "out", "a.html"))
}

// A writer that calls back at a word.
type listener struct {
	word string
	call func()
}

func (l listener) Write(p []byte) (int, error) {
	if strings.Contains(string(p), l.word) {
		l.call()
	}
	return len(p), nil
}

func TestCancel(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	nb := file(t, dir, "a", "1", "for {}")
	other := file(t, dir, "b", "1")
	err := Run(ctx, Options{Files: []string{nb, other}, Out: dir + "/out", Progress: listener{"cell  1/2", cancel}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/out/b.html"); err == nil {
		t.Error("the other notebook ran")
	}
}

func TestCellTimeout(t *testing.T) {
	dir := t.TempDir()
	nb := file(t, dir, "a", "for {}")
	err := Run(context.Background(), Options{Files: []string{nb}, Out: dir + "/out", CellTimeout: 100 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "a, cell 1 of 1: the cell took longer than 100ms") {
		t.Fatal(err)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	text := filepath.Join(dir, "text.ipynb")
	python := filepath.Join(dir, "python.ipynb")
	for name, content := range map[string]string{blocked: "", text: "package main", python: `{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "language": "python"}}, "cells": []}`} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good := file(t, dir, "good", "1")
	twin := filepath.Join(dir, "twin")
	if err := os.Mkdir(twin, 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for want, o := range map[string]Options{
		"not JSON":                         {Files: []string{text}, Out: out},
		"no such file":                     {Files: []string{filepath.Join(dir, "none.ipynb")}, Out: out},
		"is a notebook in python":          {Files: []string{python}, Out: out},
		`kernel "nobody" is not installed`: {Files: []string{good}, Out: out, Kernel: "nobody"},
		"cannot be written":                {Files: []string{good}, Out: filepath.Join(blocked, "out")},
		"would have the same":              {Files: []string{good, file(t, twin, "good", "1")}, Out: out},
		"there are no lessons in \"fr\"":   {Lang: "fr", Out: out},
	} {
		err := Run(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one line with %s", err, want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("results were written")
	}
}
