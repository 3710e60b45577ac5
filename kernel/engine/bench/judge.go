package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine"
)

// A verdict is how an engine did with a program.
type verdict string

const (
	pass    verdict = "pass"
	refused verdict = "refused" // said before anything ran that it cannot
	wrong   verdict = "wrong"   // other output, or an error where there should be none, or none where there should be one
	crash   verdict = "crash"   // the session process or the engine itself died
	hang    verdict = "hang"    // not done in time
)

// The verdicts, in the order of the table.
var verdicts = []verdict{pass, refused, wrong, crash, hang}

type result struct {
	program, engine string
	verdict         verdict
	reason          string // one line
	detail          string
	took            time.Duration
}

type judge struct {
	command *goCommand
	engines []string
	timeout time.Duration
	verbose bool
}

// all judges the programs, some at a time. Programs that nothing can be compared
// with are left out, and told.
func (j *judge) all(ctx context.Context, programs []program, at int) results {
	per := make([]results, len(programs))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, skipped := 0, map[string]int{}
	for range at {
		wg.Go(func() {
			for i := range next {
				p := programs[i]
				want, err := j.command.run(ctx, p)
				if err != nil {
					want.Skip = err.Error()
				}
				if want.Skip == "" {
					for _, e := range j.engines {
						per[i] = append(per[i], j.one(ctx, p, want, e))
					}
				}
				mu.Lock()
				done++
				if want.Skip != "" {
					reason, _, _ := strings.Cut(want.Skip, ":")
					skipped[reason]++
				}
				if done%50 == 0 {
					fmt.Fprintf(os.Stderr, "%d of %d programs\n", done, len(programs))
				}
				for _, r := range per[i] {
					if j.verbose && r.verdict != pass {
						fmt.Printf("%s\t%s\t%s\t%s\n%s\n", r.engine, r.program, r.verdict, r.reason, r.detail)
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range programs {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	for reason, n := range skipped {
		fmt.Printf("left out: %d programs (%s)\n", n, reason)
	}
	var all results
	for _, rs := range per {
		all = append(all, rs...)
	}
	return all
}

// one runs a program in a session of its own.
func (j *judge) one(ctx context.Context, p program, want outcome, name string) result {
	r := result{program: p.name, engine: name}
	begin := time.Now()
	ended := make(chan struct{})
	var mu sync.Mutex
	go func() {
		defer close(ended)
		defer func() {
			if x := recover(); x != nil {
				mu.Lock()
				r.verdict, r.reason = crash, fmt.Sprintf("the kernel process would have died: %v", x)
				mu.Unlock()
			}
		}()
		got := j.run(ctx, p, want, name)
		mu.Lock()
		r.verdict, r.reason, r.detail = got.verdict, got.reason, got.detail
		mu.Unlock()
	}()
	select {
	case <-ended:
	case <-time.After(j.timeout + 15*time.Second): // its own end of time was passed over
		mu.Lock()
		defer mu.Unlock()
		r.verdict, r.reason = hang, "the kernel process hangs"
	}
	r.took = time.Since(begin)
	return r
}

func (j *judge) run(ctx context.Context, p program, want outcome, name string) (r result) {
	dir, err := os.MkdirTemp("", "paragopher-bench-")
	if err != nil {
		return result{verdict: crash, reason: err.Error()}
	}
	defer os.RemoveAll(dir)
	out := &printed{}
	e, err := engine.New(engine.Options{Engine: name, Dir: dir, Command: sessionCommand()}, out)
	if err != nil {
		return result{verdict: crash, reason: err.Error()}
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Close(ctx) // what does not end was killed
	}()
	ctx, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	var last engine.Result
	for i, code := range []string{p.cell(), "main()"} {
		last = e.Run(ctx, engine.Cell{ID: p.name, Count: i + 1, Code: code})
		if last.Err != nil {
			break
		}
	}
	got := outcome{Stdout: out.text(), Failed: last.Err != nil}
	if ctx.Err() != nil {
		return result{verdict: hang, reason: fmt.Sprintf("not done after %v", j.timeout)}
	}
	if got.Failed {
		switch {
		case last.Err.Name == "Exit" && strings.Contains(last.Err.Value, "os.Exit(0)"):
			got.Failed = false
		case last.Err.Name == "SessionDied" && !want.Failed:
			return result{verdict: crash, reason: firstLine(last.Err.Value), detail: out.errors()}
		case last.Err.Name == "CompileError" || last.Err.Name == "InterpreterError":
			return result{verdict: refused, reason: firstLine(last.Err.Value), detail: strings.Join(last.Err.Traceback, "\n")}
		}
	}
	switch {
	case got.Failed && !want.Failed:
		return result{verdict: wrong, reason: firstLine(last.Err.Name + ": " + last.Err.Value), detail: strings.Join(last.Err.Traceback, "\n")}
	case got.Stdout != want.Stdout:
		return result{verdict: wrong, reason: "other output", detail: fmt.Sprintf("--- go run\n%s--- here\n%s%s", want.Stdout, got.Stdout, out.errors())}
	case !got.Failed && want.Failed:
		return result{verdict: wrong, reason: "no error, although go run has one"}
	}
	return result{verdict: pass}
}

// sessionCommand starts session processes with a bound on their memory, where a
// shell can set one: some of the programs grow without end when they are run
// wrongly.
func sessionCommand() []string {
	exe, err := os.Executable()
	if err != nil || runtime.GOOS != "linux" {
		return nil
	}
	return []string{"/bin/sh", "-c", `ulimit -v 8388608; exec "$0"`, exe}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// printed is the Sink that keeps what cells print.
type printed struct {
	mu       sync.Mutex
	out, err strings.Builder
}

// Output beyond this is not kept: a program that prints so much prints without end.
const keptOutput = 32 << 20

func (p *printed) Stream(_, name, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to := &p.err
	if name == "stdout" {
		to = &p.out
	}
	if to.Len() < keptOutput {
		to.WriteString(text)
	}
}

func (p *printed) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func (p *printed) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err.Len() == 0 {
		return ""
	}
	return "--- on standard error\n" + p.err.String()
}

func (p *printed) Display(string, display.Bundle) {}
func (p *printed) ClearOutput(string, bool)       {}
func (p *printed) Input(context.Context, string, string, bool) (string, error) {
	return "", fmt.Errorf("nobody to ask")
}
