// Package session is the process that runs a notebook's code, seen from inside:
// it takes orders from the kernel process and gives them to a Runner, the
// interpreter or the host of compiled cells. It needs the standard library
// only, since it is built on users' machines as a part of that host.
package session

import (
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/parallel"
)

// The environment of a session process. Main removes the first two before user
// code runs; the third stays, for workers.
const (
	RoleVariable   = "PARAGOPHER_ROLE"  // "session"
	TokenVariable  = "PARAGOPHER_TOKEN" // of the marks in its output
	WorkerVariable = "PARAGOPHER_WORKER_OF"
)

// A Runner holds the live values of a notebook and runs its code. Load and Run are
// not called at the same time.
type Runner interface {
	// Load takes a unit's declarations.
	Load(unit []byte) error
	// Run runs the statements of a unit that has been loaded and gives the values of
	// the cell's bare last expression. The error is a *Panic, an *Exit, the
	// context's, or says what else went wrong.
	Run(ctx context.Context, unit []byte) ([]any, error)
	// Functions is how its functions travel to workers.
	Functions() parallel.Functions
}

// Notebook is what a Runner's code reaches of the notebook. Nil functions are left
// out.
type Notebook struct {
	Show     func(display.Bundle) // display in the running cell
	Clear    func(wait bool)      // clear the running cell's output
	Panicked func(*Panic)         // a goroutine of a cell panicked; it has been recovered
	Worker   bool                 // a worker process: os.Exit and log.Fatal end it, as in any program
}

// Main takes over in a session process and in the worker processes that a session
// starts: there it does not return. Everywhere else it returns at once.
func Main(open func(Notebook) (Runner, error)) {
	switch {
	case os.Getenv(RoleVariable) == "session":
		os.Exit(sessionMain(open))
	case os.Getenv(WorkerVariable) != "":
		workerMain(open)
	}
}

// workerMain makes a parallel worker of this process whose functions are the
// notebook's.
func workerMain(open func(Notebook) (Runner, error)) {
	r, err := open(Notebook{Worker: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "paragopher worker:", err)
		os.Exit(1)
	}
	parallel.Main(parallel.WithFunctions(r.Functions()))
	// Not a worker after all: a program that a cell started and that is this one.
	os.Unsetenv(WorkerVariable)
}

// A sitting is the session process's side of a session.
type sitting struct {
	runner Runner
	events *Sender
	out    [2]*os.File // private copies of standard output and error
	token  string

	mu     sync.Mutex
	marks  uint64
	cancel context.CancelFunc // of the running cell
}

func sessionMain(open func(Notebook) (Runner, error)) int {
	st := &sitting{token: os.Getenv(TokenVariable)}
	os.Unsetenv(RoleVariable)
	os.Unsetenv(TokenVariable)
	os.Setenv(WorkerVariable, fmt.Sprint(os.Getpid()))
	orders, events, err := st.takeFiles()
	if err != nil {
		fmt.Fprintln(os.Stderr, "paragopher session:", err)
		return 1
	}
	st.events = NewSender(events)
	st.runner, err = open(Notebook{
		Show:     func(b display.Bundle) { st.send(Event{Display: &b, Mark: st.mark()}) },
		Clear:    func(wait bool) { st.send(Event{Clear: &Clearing{wait}, Mark: st.mark()}) },
		Panicked: st.panicked,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "paragopher session:", err)
		return 1
	}
	parallel.Main(parallel.WithFunctions(st.runner.Functions()))
	st.send(Event{Ready: true})
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
func (st *sitting) send(ev Event) {
	if err := st.events.Send(ev); err != nil {
		os.Exit(1)
	}
}

// mark writes a mark to both output streams.
func (st *sitting) mark() uint64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.marks++
	text := fmt.Sprintf("%s%d%s", MarkPrefix(st.token), st.marks, MarkEnd)
	for _, f := range st.out {
		// A stream that cannot be written has no reader, and then nobody waits for the mark.
		_, _ = f.WriteString(text)
	}
	return st.marks
}

// serve obeys orders until there are no more.
func (st *sitting) serve(orders *gob.Decoder) int {
	for {
		var o Order
		if err := orders.Decode(&o); err != nil {
			return 0 // the kernel process is gone or is done with this one
		}
		switch {
		case o.Load != nil:
			if err := st.runner.Load(o.Load); err != nil {
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
func (st *sitting) run(ctx context.Context, unit []byte) {
	var d Done
	defer func() {
		if r := recover(); r != nil { // from a value's own methods, or past the runner's guard
			d = Done{Err: &Error{Name: "Panic", Value: fmt.Sprint(r), Traceback: []string{red("panic") + ": " + fmt.Sprint(r)}}}
		}
		st.send(Event{Done: &d, Mark: st.mark()})
	}()
	if err := st.runner.Load(unit); err != nil {
		d.Err = wordError(err)
		return
	}
	st.send(Event{Taken: true})
	values, err := st.runner.Run(ctx, unit)
	if err != nil {
		d.Err = wordError(err)
		return
	}
	d.Value = display.Of(values...)
}

// panicked reports the panic of a goroutine, which the cell's end does not wait for.
func (st *sitting) panicked(p *Panic) {
	fmt.Fprintln(st.out[1], "a goroutine of this cell ended with a panic:\n"+strings.Join(p.Traceback(), "\n"))
}
