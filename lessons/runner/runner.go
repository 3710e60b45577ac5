// Package runner executes notebooks on a kernel, through its messages and nothing
// else, and writes them with their outputs as notebook files and as pages.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/paragopher/paragopher/kernel/client"
	"github.com/paragopher/paragopher/lessons"
	"github.com/paragopher/paragopher/lessons/coach"
	"github.com/paragopher/paragopher/lessons/notebook"
)

// Options say what to run, where, and what to make of it.
type Options struct {
	Files       []string      // notebook files; none: the lessons
	Lang        string        // of the lessons; "": all
	Solved      bool          // the lessons with the exercises' solutions
	Out         string        // folder for the results, made if need be
	Kernel      string        // name of an installed kernel; "": this binary
	CellTimeout time.Duration // 0: none
	Progress    io.Writer     // a line for each cell; nil: none
}

// startTime is how long a kernel may take to answer first.
const startTime = time.Minute

// stopTime is how long it may take to end.
const stopTime = 5 * time.Second

// An item is one notebook to run.
type item struct {
	name string // of its results below Out, without extension
	lang string // of the page
	n    *notebook.Notebook
	nav  *nav // of lessons
}

// A CellError is a cell that failed.
type CellError struct {
	Notebook      string
	Cell, Of      int // from 1, of all cells
	ID            string
	EName, EValue string
}

func (e *CellError) Error() string {
	id := ""
	if e.ID != "" {
		id = " (" + e.ID + ")"
	}
	return fmt.Sprintf("%s, cell %d of %d%s: %s: %s", e.Notebook, e.Cell, e.Of, id, e.EName, e.EValue)
}

// Run executes the notebooks one after the other, each on a kernel of its own, and
// writes for each an executed notebook and a page, and an index of the pages. A
// cell that fails ends its notebook, whose results so far are written all the
// same; the others still run, and the error joins all failures. It checks the
// files and the folder before it runs anything. When ctx ends, the running cell is
// interrupted and the rest left out.
func Run(ctx context.Context, o Options) error {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	items, err := collect(o)
	if err != nil {
		return err
	}
	spec, err := find(o.Kernel, items)
	if err != nil {
		return err
	}
	if err := writable(o.Out, items); err != nil {
		return err
	}
	began := time.Now()
	var errs []error
	for _, it := range items {
		err := runItem(ctx, o, spec, it)
		if err != nil {
			errs = append(errs, err)
		}
		if err := write(o.Out, it); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stopped in %s: %w", it.name, ctx.Err())
		}
	}
	if err := writeIndex(o.Out, items); err != nil {
		return errors.Join(append(errs, err)...)
	}
	fmt.Fprintf(o.Progress, "%d notebooks in %.1f s; open %s\n", len(items), time.Since(began).Seconds(), filepath.Join(o.Out, "index.html"))
	return errors.Join(errs...)
}

// collect reads the notebooks that are to be run.
func collect(o Options) (items []item, err error) {
	if len(o.Files) == 0 {
		ls, err := lessons.All()
		if err != nil {
			return nil, err
		}
		for _, lang := range lessons.Languages {
			for i, l := range ls {
				if o.Lang != "" && o.Lang != lang {
					continue
				}
				n := l.Notebook(lang)
				if o.Solved {
					n = l.Solved(lang)
				}
				at := &nav{Label: phrases[lang].index}
				if i > 0 {
					at.Before = &link{ls[i-1].Name + ".html", ls[i-1].Title(lang)}
				}
				if i+1 < len(ls) {
					at.After = &link{ls[i+1].Name + ".html", ls[i+1].Title(lang)}
				}
				items = append(items, item{filepath.Join(lang, l.Name), lang, n, at})
			}
		}
		if len(items) == 0 {
			return nil, fmt.Errorf("there are no lessons in %q; they are in %s", o.Lang, strings.Join(lessons.Languages, ", "))
		}
		return items, nil
	}
	names := map[string]string{}
	for _, file := range o.Files {
		n, err := notebook.Read(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		if other := names[name]; other != "" {
			return nil, fmt.Errorf("%s and %s would have the same results; run them with different --out", other, file)
		}
		names[name] = file
		lang := "en"
		if meta, ok := n.Metadata["paragopher"].(map[string]any); ok {
			if s, ok := meta["lang"].(string); ok {
				lang = s
			}
		}
		items = append(items, item{name, lang, n, nil})
	}
	return items, nil
}

// find decides which kernel runs the notebooks.
func find(name string, items []item) (client.Spec, error) {
	if name != "" {
		return client.Find(name)
	}
	for _, it := range items {
		kernel, language := it.n.Kernel()
		if language != "" && !strings.EqualFold(language, "go") {
			return client.Spec{}, fmt.Errorf("%s is a notebook in %s, for the kernel %q: run it with --kernel %s", it.name, language, kernel, kernel)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return client.Spec{}, fmt.Errorf("finding this program to start it as a kernel: %w", err)
	}
	return client.Spec{Name: "paragopher", Language: "go", Argv: []string{self, "kernel", "{connection_file}"}, InterruptMode: "message"}, nil
}

// writable makes the folders for the results and checks that they can be written.
func writable(out string, items []item) error {
	for _, it := range items {
		dir := filepath.Dir(filepath.Join(out, it.name))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("the results cannot be written to %s: %w", out, err)
		}
		probe, err := os.CreateTemp(dir, ".writing-*")
		if err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
		if err != nil {
			return fmt.Errorf("the results cannot be written to %s: %w", out, err)
		}
	}
	return nil
}

// runItem runs a notebook's cells on a new kernel.
func runItem(ctx context.Context, o Options, spec client.Spec, it item) error {
	// What the notebook's checks note is not the progress of whoever runs this.
	scratch, err := os.MkdirTemp("", "paragopher-progress-")
	if err != nil {
		return fmt.Errorf("%s: making a folder for progress: %w", it.name, err)
	}
	defer os.RemoveAll(scratch)
	starting, cancel := context.WithTimeout(ctx, startTime)
	k, err := client.Start(starting, spec, client.WithEnv(coach.FileVariable+"="+filepath.Join(scratch, "progress.json")))
	cancel()
	if err != nil {
		return fmt.Errorf("%s: %w", it.name, err)
	}
	defer func() {
		// Not ctx, which may have ended. What does not end by itself is killed by Shutdown.
		stopping, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		_ = k.Shutdown(stopping)
	}()
	for _, c := range it.n.Cells {
		if c.Type == "code" {
			c.Outputs, c.Count = nil, nil
		}
	}
	for i, c := range it.n.Cells {
		if c.Type != "code" || strings.TrimSpace(c.Source) == "" || c.Tagged("skip-execution") {
			continue
		}
		began := time.Now()
		reply, err := execute(ctx, k, o.CellTimeout, c)
		state := "ok"
		if err != nil || reply.Status != "ok" {
			state = "failed"
		}
		fmt.Fprintf(o.Progress, "%-20s cell %2d/%d  %-6s  %.2f s\n", filepath.ToSlash(it.name), i+1, len(it.n.Cells), state, time.Since(began).Seconds())
		if err != nil {
			return fmt.Errorf("%s, cell %d of %d: %w", it.name, i+1, len(it.n.Cells), err)
		}
		if reply.Count > 0 {
			count := reply.Count
			c.Count = &count
		}
		if reply.Status != "ok" && !c.Tagged("raises-exception") {
			return &CellError{it.name, i + 1, len(it.n.Cells), c.ID, reply.EName, reply.EValue}
		}
	}
	return nil
}

// execute runs one cell, gathers its outputs, and interrupts it when its time is up
// or ctx ends.
func execute(ctx context.Context, k *client.Kernel, timeout time.Duration, c *notebook.Cell) (client.Reply, error) {
	type answer struct {
		reply client.Reply
		err   error
	}
	outputs := &outputs{cell: c}
	done := make(chan answer, 1)
	// The cell outlives ctx for as long as it takes to interrupt it.
	running, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		reply, err := k.Execute(running, c.Source, outputs.add)
		done <- answer{reply, err}
	}()
	var late <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		late = timer.C
	}
	var cause error
	select {
	case a := <-done:
		return a.reply, a.err
	case <-late:
		cause = fmt.Errorf("the cell took longer than %v", timeout)
	case <-ctx.Done():
		cause = ctx.Err()
	}
	interrupting, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := k.Interrupt(interrupting)
	select {
	case <-done:
	case <-interrupting.Done():
		stop()
		<-done
	}
	return client.Reply{}, errors.Join(cause, err)
}
