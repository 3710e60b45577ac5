// Command bench starts Jupyter kernels for Go side by side and compares them in
// one run: this one, gophernotes (which stands in go.mod as a tool and is
// built for the purpose) and, as a yardstick from outside, ipykernel if it is
// installed.
//
//	go run ./kernel/bench [-rounds 3] [-cells 50] [-lines 20000] [-kernels paragopher,gophernotes,ipykernel]
//
// The kernels take turns within each round, so that what else the machine does
// falls on all of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/paragopher/paragopher/kernel/client"
)

// A subject is a kernel with the code to measure it by.
type subject struct {
	name    string
	spec    client.Spec
	trivial string // a cell with a result
	print   string // a cell that prints %d lines
	samples map[string][]float64
	err     error
}

// The rows of the table, with their units.
var rows = []struct{ name, unit string }{
	{"start to kernel_info", "ms"},
	{"start to first result", "ms"},
	{"trivial cell", "ms"},
	{"printing", "ms"},
	{"printing: messages", ""},
	{"shutdown", "ms"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	rounds := flag.Int("rounds", 3, "how often each kernel is started")
	cells := flag.Int("cells", 50, "trivial cells for each start")
	lines := flag.Int("lines", 20_000, "lines to print")
	kernels := flag.String("kernels", "paragopher,gophernotes,ipykernel", "which kernels to compare")
	flag.Parse()
	dir, err := os.MkdirTemp("", "paragopher-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	subjects, err := prepare(ctx, dir, strings.Split(*kernels, ","))
	if err != nil {
		return err
	}
	for round := range *rounds {
		for i := range subjects {
			s := subjects[(round+i)%len(subjects)]
			if s.err == nil {
				s.err = s.measure(ctx, *cells, *lines)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("%d starts each, %d trivial cells and %d lines a start, kernels taking turns. Medians; ratio: how many times the first kernel's.\n\n", *rounds, *cells, *lines)
	report(subjects)
	for _, s := range subjects {
		if s.err != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", s.name, s.err))
		}
	}
	return err
}

// prepare builds the kernels into dir.
func prepare(ctx context.Context, dir string, names []string) ([]*subject, error) {
	const goPrint = `import "fmt"` + "\nfor i := 0; i < %d; i++ { fmt.Println(\"line\", i) }"
	var subjects []*subject
	for _, name := range names {
		s := &subject{name: name, trivial: "1+2", print: goPrint, samples: map[string][]float64{}}
		s.spec = client.Spec{Name: name, InterruptMode: "message"}
		switch name {
		case "paragopher":
			exe := filepath.Join(dir, name)
			if _, err := goTool(ctx, "build", "-o", exe, "github.com/paragopher/paragopher"); err != nil {
				return nil, err
			}
			s.spec.Argv = []string{exe, "kernel", "{connection_file}"}
		case "gophernotes":
			exe, err := buildGophernotes(ctx, dir)
			if err != nil {
				return nil, err
			}
			s.spec.Argv = []string{exe, "{connection_file}"}
			// Its interpreter knows no alias types, which go/types gives to programs
			// of modules that ask for Go 1.23 or newer, as ours does.
			s.spec.Env = map[string]string{"GODEBUG": "gotypesalias=0"}
		case "ipykernel":
			python := "/usr/bin/python3"
			if _, err := os.Stat(python); err != nil {
				python = "python3"
			}
			if exec.CommandContext(ctx, python, "-c", "import ipykernel").Run() != nil {
				fmt.Println("ipykernel is not installed: left out")
				continue
			}
			s.spec.Argv = []string{python, "-m", "ipykernel_launcher", "-f", "{connection_file}"}
			s.print = "for i in range(%d): print('line', i)"
		default:
			return nil, fmt.Errorf("kernel %q is not known", name)
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}

// measure takes the samples of one life of the kernel.
func (s *subject) measure(ctx context.Context, cells, lines int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	begin := time.Now()
	k, err := client.Start(ctx, s.spec)
	if err != nil {
		return err
	}
	defer k.Kill()
	s.add("start to kernel_info", begin)
	if err := s.run(ctx, k, s.trivial, "3"); err != nil {
		return err
	}
	s.add("start to first result", begin)
	for range cells {
		cell := time.Now()
		if err := s.run(ctx, k, s.trivial, "3"); err != nil {
			return err
		}
		s.add("trivial cell", cell)
	}
	// Once to have imported and warmed up what printing needs.
	if err := s.run(ctx, k, fmt.Sprintf(s.print, 1), ""); err != nil {
		return err
	}
	messages, got := 0, 0
	printing := time.Now()
	_, err = k.Execute(ctx, fmt.Sprintf(s.print, lines), func(o client.Output) {
		if o.Type == "stream" {
			messages++
			got += strings.Count(o.Text, "\n")
		}
	})
	if err != nil {
		return err
	}
	s.add("printing", printing)
	s.samples["printing: messages"] = append(s.samples["printing: messages"], float64(messages))
	if got != lines {
		return fmt.Errorf("printed %d lines, %d arrived", lines, got)
	}
	end := time.Now()
	if err := k.Shutdown(ctx); err != nil {
		return err
	}
	s.add("shutdown", end)
	return nil
}

func (s *subject) add(row string, since time.Time) {
	s.samples[row] = append(s.samples[row], float64(time.Since(since))/float64(time.Millisecond))
}

// run runs a cell that must go well and, if result is given, show it.
func (s *subject) run(ctx context.Context, k *client.Kernel, code, result string) error {
	shown := ""
	reply, err := k.Execute(ctx, code, func(o client.Output) {
		if text, ok := o.Data["text/plain"].(string); ok {
			shown = text
		}
	})
	switch {
	case err != nil:
		return err
	case reply.Status != "ok":
		return fmt.Errorf("cell %q: %s: %s", code, reply.EName, reply.EValue)
	case result != "" && shown != result:
		return fmt.Errorf("cell %q shows %q, want %q", code, shown, result)
	}
	return nil
}

// report prints medians, the 95th percentile where there are enough samples
// for one, and how many times as much each needs as the first.
func report(subjects []*subject) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	for _, s := range subjects {
		fmt.Fprint(w, "\t", s.name)
		if s != subjects[0] {
			fmt.Fprint(w, "\tratio")
		}
	}
	fmt.Fprintln(w)
	for _, row := range rows {
		fmt.Fprint(w, row.name)
		first := median(subjects[0].samples[row.name])
		for _, s := range subjects {
			samples := s.samples[row.name]
			if len(samples) == 0 {
				fmt.Fprint(w, "\t-")
			} else {
				fmt.Fprintf(w, "\t%.4g %s", median(samples), row.unit)
			}
			if len(samples) >= 20 {
				fmt.Fprintf(w, " (p95 %.4g)", quantile(samples, 0.95))
			}
			if s == subjects[0] {
				continue
			}
			if len(samples) == 0 || first == 0 {
				fmt.Fprint(w, "\t-")
			} else {
				fmt.Fprintf(w, "\t%.3gx", median(samples)/first)
			}
		}
		fmt.Fprintln(w)
	}
}
