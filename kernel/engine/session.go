package engine

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/interp"
	"github.com/paragopher/paragopher/kernel/engine/source"
	"github.com/paragopher/paragopher/parallel"
)

// Main takes over in a session process and in the worker processes that a
// session starts: there it does not return. Everywhere else it returns at once.
// It stands first in the main function of every program that holds an Engine.
func Main() {
	switch {
	case os.Getenv(roleVariable) == "session":
		os.Exit(sessionMain())
	case os.Getenv(workerVariable) != "":
		workerMain()
	}
}

// workerMain makes a parallel worker of this process whose functions are the
// notebook's.
func workerMain() {
	settings()
	s, err := interp.New(interp.Options{Worker: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "paragopher worker:", err)
		os.Exit(1)
	}
	parallel.Main(parallel.WithFunctions(s.Functions()))
	// Not a worker after all: a program that a cell started and that is this one.
	os.Unsetenv(workerVariable)
}

// settings are those of processes that interpret. Interpreted calls allocate
// much, so the collector runs less often; runaway recursion ends at 256 MB of
// stack, in a second, not at 1 GB.
func settings() {
	debug.SetGCPercent(400)
	debug.SetMaxStack(256 << 20)
}

// A sitting is the session process's side of a session.
type sitting struct {
	session *interp.Session
	events  *sender
	out     [2]*os.File // private copies of standard output and error
	token   string

	mu     sync.Mutex
	marks  uint64
	cancel context.CancelFunc // of the running cell
}

func sessionMain() int {
	st := &sitting{token: os.Getenv(tokenVariable)}
	os.Unsetenv(roleVariable)
	os.Unsetenv(tokenVariable)
	os.Setenv(workerVariable, fmt.Sprint(os.Getpid()))
	settings()
	orders, events, err := st.takeFiles()
	if err != nil {
		fmt.Fprintln(os.Stderr, "paragopher session:", err)
		return 1
	}
	st.events = newSender(events)
	st.session, err = interp.New(interp.Options{
		Show:     func(b display.Bundle) { st.send(event{Display: &b, Mark: st.mark()}) },
		Clear:    func(wait bool) { st.send(event{Clear: &clearing{wait}, Mark: st.mark()}) },
		Panicked: st.panicked,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "paragopher session:", err)
		return 1
	}
	parallel.Main(parallel.WithFunctions(st.session.Functions()))
	st.send(event{Ready: true})
	return st.serve(gob.NewDecoder(orders))
}

// takeFiles finds the control pipes and makes private copies of the output
// streams, which a cell may close.
func (st *sitting) takeFiles() (orders, events *os.File, err error) {
	for i, f := range []*os.File{os.Stdout, os.Stderr} {
		if st.out[i], err = privateCopy(f); err != nil {
			return nil, nil, fmt.Errorf("copying %s: %w", f.Name(), err)
		}
	}
	keep(3)
	keep(4)
	return os.NewFile(3, "orders"), os.NewFile(4, "events"), nil
}

// send tells the kernel process something. If that is impossible, the kernel
// process is gone, and so must this one be.
func (st *sitting) send(ev event) {
	if err := st.events.send(ev); err != nil {
		os.Exit(1)
	}
}

// mark writes a mark to both output streams.
func (st *sitting) mark() uint64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.marks++
	text := fmt.Sprintf("%s%d%s", markPrefix(st.token), st.marks, markEnd)
	for _, f := range st.out {
		// A stream that cannot be written has no reader, and then nobody waits for the mark.
		_, _ = f.WriteString(text)
	}
	return st.marks
}

// serve obeys orders until there are no more.
func (st *sitting) serve(orders *gob.Decoder) int {
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			return 0 // the kernel process is gone or is done with this one
		}
		switch {
		case o.Load != nil:
			if err := st.session.Load(o.Load); err != nil {
				fmt.Fprintln(os.Stderr, "paragopher: some of the notebook's declarations are lost:", err)
			}
		case o.Run != nil:
			ctx, cancel := context.WithCancel(context.Background())
			st.mu.Lock()
			st.cancel = cancel
			st.mu.Unlock()
			go func() {
				defer cancel()
				st.run(ctx, o.Run)
			}()
		case o.Interrupt:
			st.mu.Lock()
			if st.cancel != nil {
				st.cancel()
			}
			st.mu.Unlock()
			parallel.Interrupt()
		}
	}
}

// run runs a cell and tells how it ended.
func (st *sitting) run(ctx context.Context, u *source.Unit) {
	var d done
	defer func() {
		if r := recover(); r != nil { // from a value's own methods, or past the interpreter's guard
			d = done{Err: &Error{Name: "Panic", Value: fmt.Sprint(r), Traceback: []string{red("panic") + ": " + fmt.Sprint(r)}}}
		}
		st.send(event{Done: &d, Mark: st.mark()})
	}()
	if err := st.session.Load(u); err != nil {
		d.Err = wordError(err)
		return
	}
	st.send(event{Taken: true})
	values, err := st.session.Run(ctx, u)
	if err != nil {
		d.Err = wordError(err)
		return
	}
	d.Value = display.Of(values...)
}

// wordError gives a cell's error as Jupyter shows it.
func wordError(err error) *Error {
	var p *interp.Panic
	var exit *interp.Exit
	switch {
	case errors.As(err, &exit):
		text := fmt.Sprintf("the cell called os.Exit(%d); the session goes on", exit.Code)
		return &Error{Name: "Exit", Value: text, Traceback: []string{red("Exit") + ": " + text}}
	case errors.Is(err, context.Canceled):
		return &Error{Name: "Interrupted", Value: "the cell was interrupted", Traceback: []string{red("Interrupted") + ": the cell was interrupted; its variables keep the values they had"}}
	case errors.As(err, &p):
		return &Error{Name: "Panic", Value: p.Value, Traceback: p.Traceback()}
	}
	return &Error{Name: "InterpreterError", Value: err.Error(), Traceback: []string{red("InterpreterError") + ": " + err.Error()}}
}

// panicked reports the panic of a goroutine, which the cell's end does not wait for.
func (st *sitting) panicked(p *interp.Panic) {
	fmt.Fprintln(st.out[1], "a goroutine of this cell ended with a panic:\n"+strings.Join(p.Traceback(), "\n"))
}
