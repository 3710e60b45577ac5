// Package check judges answers to exercises. An answer runs in a session of its
// own, after the code that the exercise uses, and then the exercise's check, which
// puts probes in the place of what the answer starts. It sees what ran where, what
// overlapped and what came out; how long anything took does not count.
package check

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/lessons"
)

//go:embed probes.go.txt
var probes string

// Kinds of failure that every exercise knows. Exercises add their own.
const (
	Compile = "compile" // the answer is not Go, or not in this notebook
	Shape   = "shape"   // the check cannot call what the answer declares
	Panic   = "panic"   // the answer panics
	Died    = "died"    // the answer ends its process
	Endless = "endless" // the answer does not end
	Flood   = "flood"   // the answer prints without end
	Broken  = "broken"  // the check itself could not run: no fault of the answer
)

// Limits of one check.
const (
	patience  = 30 * time.Second // with the answer, and with its check
	maxOutput = 256 << 10        // bytes printed
	keep      = 2000             // characters of the output that a Verdict keeps
)

// A Verdict is what a check found.
type Verdict struct {
	Passed bool
	Kind   string // of the failure
	Says   string // the same in the learner's language
	Output string // what the answer printed, at most some lines
}

// An Option changes how a check is made.
type Option func(*sink)

// Patience sets how long an answer and its check may run each, 30 s if it is not
// set. It is there to stop what does not end, not to judge speed.
func Patience(d time.Duration) Option { return func(s *sink) { s.patience = d } }

// Run checks an answer. It always gives a verdict; answers that loop, die or flood
// are stopped, and nothing of them is left. When ctx ends, the verdict is Broken.
// It costs a session's start, some 50 ms, and what the answer costs.
func Run(ctx context.Context, e *lessons.Exercise, answer, lang string, opts ...Option) Verdict {
	s := &sink{token: "\x01" + rand.Text() + " ", patience: patience}
	for _, o := range opts {
		o(s)
	}
	v := func(kind string, args ...string) Verdict {
		return Verdict{Passed: kind == "", Kind: kind, Says: words(e, kind, lang, args), Output: s.output()}
	}
	session, err := engine.New(engine.Options{}, s)
	if err != nil {
		return v(Broken, err.Error())
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = session.Close(closing) // what does not end is killed
	}()
	for _, code := range e.Uses() {
		if r := s.run(ctx, session, code); r.err != nil {
			return v(Broken, r.err.Value)
		}
	}
	if r := s.run(ctx, session, answer); r.kind != "" {
		return v(r.kind, r.text())
	}
	if r := s.run(ctx, session, fmt.Sprintf("const checkToken = %q\n%s", s.token, probes)); r.kind != "" {
		return v(Broken, r.text())
	}
	r := s.run(ctx, session, e.Check())
	switch {
	case s.kind != "":
		return v(s.kind, s.args...)
	case r.kind == Compile:
		return v(Shape, r.text())
	}
	return v(r.kind, r.text())
}

// outcome is how a cell ended.
type outcome struct {
	kind string // of the failure, "" for none
	err  *engine.Error
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

func (o outcome) text() string {
	if o.err == nil {
		return ""
	}
	if o.kind == Compile || o.kind == Shape {
		return colour.ReplaceAllString(strings.Join(o.err.Traceback, "\n"), "")
	}
	return o.err.Value
}

// run runs a cell within the limits.
func (s *sink) run(ctx context.Context, session *engine.Engine, code string) outcome {
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	s.begin(cancel)
	r := session.Run(limited, engine.Cell{ID: "check", Count: 1, Code: code})
	o := outcome{err: r.Err}
	switch {
	case s.flooded():
		o.kind = Flood
	case r.Err == nil || s.reported():
		return o
	case ctx.Err() != nil:
		o.kind = Broken
	case limited.Err() != nil:
		o.kind = Endless
	case r.Err.Name == "CompileError" || r.Err.Name == "InterpreterError":
		o.kind = Compile
	case r.Err.Name == "SessionDied" || r.Err.Name == "SessionError" || strings.Contains(r.Err.Value, "os.Exit"):
		o.kind = Died
	default:
		o.kind = Panic
	}
	return o
}

// sink takes what the answer prints, and what the check reports in between.
type sink struct {
	token    string
	patience time.Duration

	mu      sync.Mutex
	stop    context.CancelFunc // ends the running cell
	printed int
	kept    strings.Builder
	line    strings.Builder // of standard output, so far
	kind    string          // the first report
	args    []string
}

func (s *sink) begin(stop context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = stop
}

func (s *sink) flooded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.printed > maxOutput
}

func (s *sink) reported() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kind != ""
}

func (s *sink) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.String()
}

// Stream implements engine.Sink.
func (s *sink) Stream(_, name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.printed += len(text); s.printed > maxOutput {
		s.stop()
		return
	}
	for text != "" {
		part, rest, whole := strings.Cut(text, "\n")
		text = rest
		s.line.WriteString(part)
		if !whole {
			return
		}
		s.take(s.line.String())
		s.line.Reset()
	}
}

// take is given each line.
func (s *sink) take(line string) {
	i := strings.Index(line, s.token)
	if i < 0 {
		if s.kept.Len() < keep {
			s.kept.WriteString(line + "\n")
		}
		return
	}
	kind, args, _ := strings.Cut(line[i+len(s.token):], " ")
	if s.kind == "" {
		s.kind = kind
		_ = json.Unmarshal([]byte(args), &s.args) // our own words: without them the message still stands
		s.stop()                                  // the rest would find nothing better
	}
}

// Display implements engine.Sink: pictures do not matter here.
func (s *sink) Display(string, display.Bundle) {}

// ClearOutput implements engine.Sink.
func (s *sink) ClearOutput(string, bool) {}

// Input implements engine.Sink: nobody answers.
func (s *sink) Input(context.Context, string, string, bool) (string, error) {
	return "", fmt.Errorf("a check cannot ask for input")
}
