package eval

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"time"
)

// A Refused error says that a program cannot be run here. Nothing of it has run,
// so it is safe to have the cell compiled instead.
type Refused struct {
	Cell, Line int
	Reason     string
}

// Error says where and why.
func (e *Refused) Error() string {
	return fmt.Sprintf("cell[%d]:%d cannot be evaluated without the compiler: %s", e.Cell, e.Line, e.Reason)
}

// A Panic is a panic of the cell, or of what it calls.
type Panic struct {
	Value      any       // what was given to panic; a runtime.Error of Go's own where the runtime panicked
	Cell, Line int       // where in the cell
	Callers    []uintptr // the panicking goroutine's stack, for runtime.CallersFrames
}

// Error gives the panic's value.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap gives the panic's value where it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// An Interrupted error says that the cell's context ended. The statements before
// Line were done.
type Interrupted struct {
	Cell, Line int
	Left       bool // a call of compiled code goes on in a goroutine; nothing after it will run
	Cause      error
}

// Error says where the cell was.
func (e *Interrupted) Error() string {
	s := fmt.Sprintf("interrupted at cell[%d]:%d", e.Cell, e.Line)
	if e.Left {
		s += "; the call that was running there goes on in the background"
	}
	return s
}

// Unwrap gives the context's error.
func (e *Interrupted) Unwrap() error { return e.Cause }

// ErrGoexit is the error of a cell that called runtime.Goexit.
var ErrGoexit = errors.New("the cell ended its own goroutine (runtime.Goexit)")

// grace is how long an interrupted call may wind down before it is left behind.
const grace = 50 * time.Millisecond

// Run prepares and runs p. The results are copies of the values of its last
// statement, if that is an expression. The error is a *Refused if nothing has run, a
// *Panic, an *Interrupted, or ErrGoexit.
//
// The cell runs on a goroutine of its own, so that Run returns soon after ctx
// ends even if a call of compiled code does not.
func Run(ctx context.Context, p *Program, t Table) ([]reflect.Value, error) {
	c, err := Link(p, t)
	if err != nil {
		return nil, err
	}
	return c.Run(ctx)
}

// A Cell is a program that fits its session and is ready to run, once.
type Cell struct {
	cell    int
	stmts   []stmt
	table   Table
	vars    []reflect.Value
	results func(*frame) []reflect.Value
}

// A frame is a running cell.
type frame struct {
	ctx   context.Context
	done  <-chan struct{}
	line  atomic.Int64 // read by Run when it leaves a call behind
	vars  []reflect.Value
	table Table
}

// stopped is the panic by which a running cell ends after its context.
type stopped struct{}

// check ends the cell if its context has ended.
func (f *frame) check() {
	select {
	case <-f.done:
		panic(stopped{})
	default:
	}
}

type outcome struct {
	results []reflect.Value
	err     error
}

// Run runs the cell, which must not have run before.
func (c *Cell) Run(ctx context.Context) ([]reflect.Value, error) {
	f := &frame{ctx: ctx, done: ctx.Done(), vars: c.vars, table: c.table}
	ended := make(chan outcome, 1)
	go c.run(f, ended)
	select {
	case o := <-ended:
		return o.results, o.err
	case <-ctx.Done():
	}
	wait := time.NewTimer(grace)
	defer wait.Stop()
	select {
	case o := <-ended:
		return o.results, o.err
	case <-wait.C:
		return nil, &Interrupted{Cell: c.cell, Line: int(f.line.Load()), Left: true, Cause: context.Cause(ctx)}
	}
}

func (c *Cell) run(f *frame, ended chan<- outcome) {
	o := outcome{err: ErrGoexit}
	defer func() {
		if o.err == ErrGoexit {
			switch v := recover().(type) {
			case nil: // Goexit: panic(nil) has a value, too
			case stopped:
				o.err = &Interrupted{Cell: c.cell, Line: int(f.line.Load()), Cause: context.Cause(f.ctx)}
			default:
				pcs := make([]uintptr, 128)
				o.err = &Panic{Value: v, Cell: c.cell, Line: int(f.line.Load()), Callers: pcs[:runtime.Callers(2, pcs)]}
			}
		}
		ended <- o
	}()
	for _, s := range c.stmts {
		s(f)
	}
	if c.results != nil {
		o.results = c.results(f)
	}
	o.err = nil
}
