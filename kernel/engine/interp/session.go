// Package interp runs a notebook's code on the yaegi interpreter. It evaluates
// Units that package source has checked and lowered; it never sees a cell's own
// text.
package interp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
	"github.com/traefik/yaegi/stdlib/syscall"
	"github.com/traefik/yaegi/stdlib/unrestricted"
	"github.com/traefik/yaegi/stdlib/unsafe"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/session"
	"github.com/paragopher/paragopher/kernel/engine/source"
)

// Options are what a session's code reaches of the notebook. Nil functions are
// left out.
type Options struct {
	Show     func(display.Bundle) // display in the running cell
	Clear    func(wait bool)      // clear the running cell's output
	Panicked func(*Panic)         // a goroutine of a cell panicked; it has been recovered
	Worker   bool                 // a worker process: os.Exit and log.Fatal end it, as in any program
}

// A Session holds the live values of a notebook. Run and Load must not be called
// at the same time.
type Session struct {
	i       *interp.Interpreter
	options Options
	trace   *traceWriter
	current atomic.Pointer[run]

	mu       sync.Mutex
	line     int // lines evaluated so far; each line of code has a number of its own, and 1 is the calls'
	segments []segment
	units    []*source.Unit // what workers must load, in order
	uses     map[string]source.Use
	vars     map[string]reflect.Value // pointers to the session's variables, by emitted name
}

// A segment says which cell's lines a run of evaluated lines is.
type segment struct{ first, last, cell, line int }

// What ends a cell is the session's to word.
type (
	Panic = session.Panic
	Frame = session.Frame
	Exit  = session.Exit
)

// An Unsupported error is Go that the interpreter cannot run.
type Unsupported struct {
	Msg        string
	Cell, Line int // 0 where unknown
}

func (u *Unsupported) Error() string {
	at := ""
	if u.Cell > 0 {
		at = fmt.Sprintf(" (cell[%d]:%d)", u.Cell, u.Line)
	}
	return "the interpreter cannot run this: " + u.Msg + at
}

// New gives an empty session. It costs about 5 ms.
func New(o Options) (*Session, error) {
	s := &Session{options: o, line: 1, uses: map[string]source.Use{}, vars: map[string]reflect.Value{}}
	s.trace = &traceWriter{to: os.Stderr}
	s.i = interp.New(interp.Options{Stderr: s.trace, Unrestricted: true})
	exports := []interp.Exports{stdlib.Symbols, syscall.Symbols, unrestricted.Symbols, unsafe.Symbols}
	if !o.Worker {
		exports = append(exports, exitSymbols())
	}
	exports = append(exports, ownSymbols(), s.displaySymbols(), s.cellSymbols())
	for _, e := range exports {
		for path, syms := range e {
			if len(syms) == 0 {
				continue // an empty table would hide the package's source
			}
			if err := s.i.Use(interp.Exports{path: syms}); err != nil {
				return nil, fmt.Errorf("giving the interpreter package %s: %w", path, err)
			}
		}
	}
	for _, code := range []string{
		"import cell__ \"" + source.CellPackage + "\"",
		"func recovered__(v interface{}) interface{} { if v == nil { return nil }; return cell__.Recover(v) }",
		"func boxed__(v interface{}) interface{} { return v }",
	} {
		if _, err := s.i.Eval(code); err != nil {
			return nil, fmt.Errorf("preparing the interpreter: %w", err)
		}
	}
	return s, nil
}

// Load evaluates u's declarations and leaves its statements alone.
func (s *Session) Load(u *source.Unit) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Unsupported{Msg: fmt.Sprint(r)}
		}
	}()
	var b strings.Builder
	for _, im := range u.Imports {
		fmt.Fprintf(&b, "import %s %q\n", im.Name, im.Path)
	}
	if b.Len() > 0 {
		if _, err := s.eval(context.Background(), b.String(), nil); err != nil {
			return err
		}
	}
	if len(u.Decls) > 0 {
		if _, err := s.eval(context.Background(), "", u.Decls); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range u.Decls {
		if name, _, ok := strings.Cut(strings.TrimPrefix(d.Code, "var "), " "); ok && strings.HasPrefix(d.Code, "var ") {
			// Once and now: later, a cell is running and must not be interfered with.
			p, err := s.i.EvalWithContext(context.Background(), "&"+name)
			if err == nil && p.IsValid() && p.Kind() == reflect.Pointer {
				s.vars[name] = p
			}
		}
	}
	for name, use := range u.Uses {
		s.uses[name] = use
	}
	decls := *u
	decls.Body = nil
	s.units = append(s.units, &decls)
	return nil
}

// windDown is how long an interrupted cell is waited for.
const windDown = 200 * time.Millisecond

// Run runs the statements of u, which has been loaded, and gives the values of the
// cell's bare last expression. The error is a *Panic,
// an *Exit, an *Unsupported, or the context's when it ended first: then
// the interpreter has stopped at the next loop or channel operation, or goes on
// in the background until the compiled call that it is in returns.
func (s *Session) Run(ctx context.Context, u *source.Unit) (values []any, err error) {
	if u.Body == nil {
		return nil, nil
	}
	if _, err := s.eval(context.Background(), "", []source.Block{*u.Body}); err != nil {
		return nil, err
	}
	s.trace.reset()
	r := &run{ctx: ctx, ended: make(chan struct{})}
	s.current.Store(r)
	if _, err := s.i.EvalWithContext(ctx, "cell__.Enter("+u.Entry+")"); err != nil {
		if ctx.Err() != nil {
			timer := time.NewTimer(windDown)
			defer timer.Stop()
			select {
			case <-r.ended:
			case <-timer.C:
			}
			return nil, ctx.Err()
		}
		return nil, s.failure(err)
	}
	for i := range r.values {
		r.values[i] = plain(r.values[i])
	}
	return r.values, nil
}

// A run is one execution of a cell's statements.
type run struct {
	ctx    context.Context
	values []any
	ended  chan struct{} // closed when the interpreter's goroutine has left the cell
}

// enter calls a cell's entry, for the interpreter. When the cell has been
// interrupted the goroutine ends here: what the interpreter does after a call
// would race with the next cell.
func (s *Session) enter(entry func() []any) {
	r := s.current.Load()
	defer func() {
		close(r.ended)
		if r.ctx.Err() != nil {
			runtime.Goexit()
		}
	}()
	r.values = entry()
}

// plain takes a value out of the interpreter's own form of an interface value.
func plain(v any) any {
	for range 8 { // an interface in an interface in ...
		rv := reflect.ValueOf(v)
		if !rv.IsValid() || rv.Type().String() != "interp.valueInterface" {
			return v
		}
		field := rv.FieldByName("value")
		if !field.IsValid() || field.Type() != reflect.TypeFor[reflect.Value]() {
			return v
		}
		// The field is unexported, so its bytes are copied out.
		box := reflect.New(rv.Type()).Elem()
		box.Set(rv)
		inner := *(*reflect.Value)(box.FieldByName("value").Addr().UnsafePointer())
		if !inner.IsValid() || !inner.CanInterface() {
			return nil
		}
		v = inner.Interface()
	}
	return v
}

// eval evaluates a header, or blocks together, so that they may name one another.
func (s *Session) eval(ctx context.Context, header string, blocks []source.Block) (reflect.Value, error) {
	var b strings.Builder
	s.mu.Lock()
	// The interpreter reports positions without a file. Blank lines in front make
	// the line numbers unique, and segments say what they are.
	b.WriteString(strings.Repeat("\n", s.line))
	b.WriteString(header)
	at := s.line + 1 + strings.Count(header, "\n")
	for _, block := range blocks {
		n := strings.Count(block.Code, "\n")
		s.segments = append(s.segments, segment{at, at + n, block.Cell, block.Line})
		b.WriteString(block.Code)
		b.WriteString("\n")
		at += n + 1
	}
	s.line = at
	s.mu.Unlock()
	v, err := s.i.EvalWithContext(ctx, b.String())
	if err != nil {
		return v, s.unsupported(err)
	}
	return v, nil
}

var position = regexp.MustCompile(`^(\d+):(\d+): `)

func (s *Session) unsupported(err error) error {
	msg := err.Error()
	u := &Unsupported{Msg: msg}
	if m := position.FindStringSubmatch(msg); m != nil {
		line, _ := strconv.Atoi(m[1])
		u.Msg = strings.TrimPrefix(msg, m[0])
		u.Cell, u.Line = s.locate(line)
	}
	return u
}

// locate gives the cell and its line for a line number of the interpreter, or 0, 0.
func (s *Session) locate(line int) (cell, cellLine int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		if line >= g.first && line <= g.last {
			return g.cell, g.line + line - g.first
		}
	}
	return 0, 0
}

// failure turns what running code ended with into a *Panic.
func (s *Session) failure(err error) error {
	var p interp.Panic
	if errors.As(err, &p) {
		if exit, ok := p.Value.(*Exit); ok {
			return exit
		}
		return &Panic{Value: panicText(p.Value), Frames: s.frames(s.trace.take())}
	}
	return s.unsupported(err)
}

// frames makes the interpreter's trace the notebook's.
func (s *Session) frames(lines []traceLine) (frames []Frame) {
	for _, l := range lines {
		if cell, line := s.locate(l.line); cell > 0 {
			frames = append(frames, Frame{Func: plainName(l.fun), Cell: cell, Line: line, Col: l.col})
		}
	}
	return frames
}

var version = regexp.MustCompile(`__\d+(_\d+)?$`)

// plainName is the name that the user gave to a function.
func plainName(fun string) string {
	fun = strings.TrimPrefix(fun, "main.")
	parts := strings.Split(fun, ".")
	for i, p := range parts {
		parts[i] = version.ReplaceAllString(p, "")
	}
	if parts[0] == "cell" && strings.HasPrefix(fun, "cell__") {
		parts = parts[1:]
	}
	return strings.Join(parts, ".")
}

// A traceLine is a frame in the interpreter's words.
type traceLine struct {
	line, col int
	fun       string
}

// A traceWriter is the interpreter's standard error: it keeps the traces that the
// interpreter prints of panics and passes on all else.
type traceWriter struct {
	to    io.Writer
	mu    sync.Mutex
	lines []traceLine
}

var tracePattern = regexp.MustCompile(`^(\d+):(\d+): panic: (.*?)(?:\(\.\.\.\))?\n?$`)

// Write implements io.Writer. The interpreter writes a trace's lines one by one.
func (w *traceWriter) Write(p []byte) (int, error) {
	m := tracePattern.FindStringSubmatch(string(p))
	if m == nil {
		return w.to.Write(p)
	}
	line, _ := strconv.Atoi(m[1])
	col, _ := strconv.Atoi(m[2])
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines) < 1000 {
		w.lines = append(w.lines, traceLine{line, col, m[3]})
	}
	return len(p), nil
}

func (w *traceWriter) reset() { w.take() }

func (w *traceWriter) take() []traceLine {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := w.lines
	w.lines = nil
	return lines
}
