// Package engine runs a notebook's cells. The kernel process holds an Engine: it
// checks each cell (package source), hands it to a session process, and takes
// the output. The session process (package interp) is the only one that runs
// user code; when it dies, the Engine reports why and starts another with the
// notebook's declarations in place.
package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/session"
	"github.com/paragopher/paragopher/kernel/engine/source"
)

// Cell is one piece of code to run.
type Cell struct {
	ID         string // the execute_request's msg_id: output is routed by it
	Count      int    // shown in errors as cell[Count]
	Code       string
	AllowStdin bool
}

// Sink takes what cells put out. Its calls come in order, from one goroutine at
// a time.
type Sink interface {
	Stream(cellID, name, text string) // name: stdout or stderr
	Display(cellID string, b display.Bundle)
	ClearOutput(cellID string, wait bool)
	Input(ctx context.Context, cellID, prompt string, password bool) (string, error)
}

// Result is how a cell ended.
type Result struct {
	Value *display.Bundle // of the bare last expression, nil for none
	Err   *Error          // nil if it went well
}

// Error is a cell's error as Jupyter shows it.
type Error = session.Error

// Options configure an Engine. The zero value is what a kernel wants.
type Options struct {
	Engine  string   // what runs the cells: "interp" or "native". Default: what PARAGOPHER_ENGINE says, or "interp"
	Command []string // starts a session process: a program that calls Main. Default: this binary
	Dir     string   // the session's working directory. Default: this process's
	Env     []string // added to this process's environment
}

// stopTime is how long an interrupted cell has to stop before its session is
// replaced.
const stopTime = 2 * time.Second

// An Engine runs the cells of one notebook. Its methods may be called from any
// goroutine; cells run one after the other.
type Engine struct {
	options Options
	sink    Sink
	spawner *spawner

	running sync.Mutex // held while a cell runs
	image   *source.Image
	session *process // nil or dead: to be started
	backend backend
	want    string // the engine that the next cell is to run on
	closed  bool
	lastID  string // of the newest cell
}

// New starts the notebook's first session process. sink takes the output of all
// cells. The error says why the process did not start.
func New(o Options, sink Sink) (*Engine, error) {
	want, err := chosen(o)
	if err != nil {
		return nil, err
	}
	e := &Engine{options: o, sink: sink, image: source.New(), spawner: newSpawner(), want: want}
	e.backend = interpBackend{e.image} // until the first cell: another may take a while to be ready
	if err := e.start(); err != nil {
		e.spawner.close()
		return nil, err
	}
	return e, nil
}

// IsComplete says whether code can be run as it is, in Jupyter's words.
func (e *Engine) IsComplete(code string) (status, indent string) { return source.IsComplete(code) }

// Close ends the session process and all that it started, and waits until they
// are gone or ctx ends. It stops a running cell. A closed Engine fails every cell.
func (e *Engine) Close(ctx context.Context) error {
	e.spawner.stop()
	e.running.Lock()
	defer e.running.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	defer e.spawner.close()
	defer e.backend.close()
	select {
	case <-e.session.dead:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for session process %d to end: %w", e.session.pid(), ctx.Err())
	}
}

// start makes a session process and gives it the notebook's declarations.
func (e *Engine) start() error {
	o := e.options
	if command := e.backend.command(); command != nil {
		o.Command = command
	}
	units, err := e.backend.replay()
	if err != nil {
		return err
	}
	s, err := e.spawner.start(o, e.sink)
	if err != nil {
		return err
	}
	e.session = s
	for _, data := range units {
		if err := s.send(session.Order{Load: data}); err != nil {
			break // it is dead; the wait below says how
		}
	}
	select {
	case ev := <-s.events:
		if ev.Ready {
			return nil
		}
		s.kill()
		return fmt.Errorf("the session process answered out of turn")
	case <-s.dead:
		return fmt.Errorf("the session process did not start: %s", s.cause())
	}
}

// Run runs one cell. When ctx ends the cell is interrupted and the notebook's
// state kept; a cell that has not stopped 2 s later loses its session, with its
// variables. All output that the cell made has reached the Sink when Run returns.
func (e *Engine) Run(ctx context.Context, c Cell) Result {
	e.running.Lock()
	defer e.running.Unlock()
	return e.run(ctx, c)
}

func (e *Engine) run(ctx context.Context, c Cell) Result {
	if e.closed {
		return failed("EngineClosed", "the kernel is shutting down")
	}
	e.lastID = c.ID
	if err := e.takeMagic(&c); err != nil {
		return failed("MagicError", err.Error())
	}
	if e.want != e.backend.name() {
		if err := e.change(ctx, c.ID); err != nil {
			return refused(err)
		}
	}
	checked, err := e.image.Check(c.Count, c.Code)
	if err != nil {
		return rejected(err)
	}
	if e.session.isDead() {
		lost := e.image.Variables()
		cause := e.session.cause()
		e.image.DropVariables()
		if err := e.start(); err != nil {
			return failed("SessionError", err.Error())
		}
		e.sink.Stream(c.ID, "stderr", "The session process ended between cells ("+cause+"). A new one is ready"+lostText(lost)+"\n")
		if checked, err = e.image.Check(c.Count, c.Code); err != nil {
			return rejected(err)
		}
	}
	cell, err := e.backend.prepare(ctx, checked)
	if err != nil {
		return refused(err)
	}
	if cell.data == nil {
		cell.adopt()
		return Result{}
	}
	return e.perform(ctx, c, cell)
}

// perform has the session run a cell.
func (e *Engine) perform(ctx context.Context, c Cell, cell *prepared) Result {
	s := e.session
	s.output.begin(c.ID)
	if err := s.send(session.Order{Run: cell.data}); err != nil {
		return e.died()
	}
	interrupted := ctx.Done()
	var overdue <-chan time.Time
	for {
		select {
		case ev := <-s.events:
			switch {
			case ev.Taken:
				cell.adopt()
			case ev.Done != nil:
				return Result{Value: ev.Done.Value, Err: ev.Done.Err}
			}
		case <-interrupted:
			interrupted = nil
			// An error means that it is dead, which the next turn sees.
			_ = s.send(session.Order{Interrupt: true})
			timer := time.NewTimer(stopTime)
			defer timer.Stop()
			overdue = timer.C
		case <-overdue:
			s.kill()
			<-s.dead
			lost := e.image.Variables()
			e.image.DropVariables()
			r := failed("Interrupted", fmt.Sprintf("the cell did not stop within %v, so its session was replaced%s", stopTime, lostText(lost)))
			if err := e.start(); err != nil {
				r.Err.Traceback = append(r.Err.Traceback, err.Error())
			}
			return r
		case <-s.dead:
			return e.died()
		}
	}
}

// died reports the end of the session in a cell and starts another.
func (e *Engine) died() Result {
	<-e.session.dead
	if e.spawner.isStopped() {
		return failed("EngineClosed", "the kernel is shutting down")
	}
	cause := e.session.cause()
	lost := e.image.Variables()
	e.image.DropVariables()
	r := failed("SessionDied", cause+lostText(lost))
	if err := e.start(); err != nil {
		r.Err.Traceback = append(r.Err.Traceback, err.Error())
	}
	return r
}

func lostText(names []string) string {
	switch len(names) {
	case 0:
		return "; functions and types are kept"
	case 1:
		return "; functions and types are kept, the variable " + names[0] + " is lost"
	}
	return "; functions and types are kept, these variables are lost: " + strings.Join(names, ", ")
}

func failed(name, value string) Result {
	return Result{Err: &Error{Name: name, Value: value, Traceback: []string{red(name) + ": " + value}}}
}

// rejected words the errors of a cell that was not run: position, text, and the
// line with a caret under the place.
func rejected(err error) Result {
	var list source.Errors
	if !errors.As(err, &list) || len(list) == 0 {
		return failed("CompileError", err.Error())
	}
	r := &Error{Name: "CompileError", Value: list[0].Error()}
	for i, e := range list {
		if i == 10 {
			r.Traceback = append(r.Traceback, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		r.Traceback = append(r.Traceback, red(e.Error()))
		if e.Source != "" {
			before := []rune(e.Source)
			indent := strings.Map(func(c rune) rune {
				if c == '\t' {
					return c
				}
				return ' '
			}, string(before[:min(e.Col-1, len(before))]))
			r.Traceback = append(r.Traceback, "    "+e.Source, "    "+indent+red("^"))
		}
	}
	return Result{Err: r}
}

func red(s string) string { return "\x1b[31m" + s + "\x1b[0m" }
