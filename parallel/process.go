package parallel

import (
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Process runs one function in an operating-system process of its own. It is
// made by NewProcess; its methods may be called from any goroutine.
type Process struct {
	name string
	call *call
	bad  error // why it cannot start

	mu      sync.Mutex
	child   *child
	panic   *TaskPanic
	failure string
	done    chan struct{} // closed when it has ended; nil before Start
}

// NewProcess makes a process that will call f with args. Nothing runs before
// Start, which also reports an f or args that do not fit: f must be a function
// that captures nothing, args must be assignable to its parameters and
// encodable. Results of f are dropped; use an executor to get them.
func NewProcess(f any, args ...any) *Process {
	p := &Process{name: funcName(f)}
	p.call, p.bad = newCall("NewProcess", f, args)
	return p
}

// Start starts the process. It returns when the process has been created and the
// function and its arguments are on their way, without waiting for the function.
// A second Start is an error, as is an unfit function or argument.
func (p *Process) Start() error {
	if p.bad != nil {
		return p.bad
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done != nil {
		return fmt.Errorf("parallel: %s has been started before; make a new Process for each run", p.name)
	}
	t, err := p.call.task(0)
	if err != nil {
		return fmt.Errorf("parallel: %w", err)
	}
	t.Last = true
	c, err := startChild()
	if err != nil {
		return fmt.Errorf("parallel: starting a process for %s: %w", p.name, err)
	}
	p.child = c
	p.done = make(chan struct{})
	if err := c.enc.Encode(t); err != nil {
		// It died at once; its end says more than the broken pipe.
		c.kill()
	}
	active.add(p)
	go p.wait()
	return nil
}

// wait takes the process's last word and its end.
func (p *Process) wait() {
	var r reply
	err := p.child.dec.Decode(&r)
	p.child.wait()
	active.remove(p)
	p.mu.Lock()
	if err == nil {
		p.panic, p.failure = r.Panic, r.Err
	}
	p.mu.Unlock()
	close(p.done)
}

// Join waits until the process has ended. The error is nil if it ended well, an
// *ExitError if it did not, and says so if the process was not started.
func (p *Process) Join() error {
	if p.bad != nil {
		return p.bad
	}
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	if done == nil {
		return fmt.Errorf("parallel: Join of %s, which has not been started: call Start first", p.name)
	}
	<-done
	code, _ := p.ExitCode()
	if code == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &ExitError{Name: p.name, PID: p.child.pid(), Code: code, Panic: p.panic, Reason: p.failure}
}

// An ExitError is the end of a process that did not end well.
type ExitError struct {
	Name   string
	PID    int
	Code   int        // as ExitCode gives it
	Panic  *TaskPanic // that of the function, if it panicked
	Reason string     // why the function could not be called, if it could not
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("exited with code %d", e.Code)
	switch {
	case e.Panic != nil:
		how = "ended with a " + e.Panic.Error()
	case e.Reason != "":
		how = "could not call its function: " + e.Reason
	case e.Code < 0:
		how = fmt.Sprintf("was ended by signal %d (%s)", -e.Code, syscall.Signal(-e.Code))
	}
	return fmt.Sprintf("parallel: process %d (%s) %s", e.PID, e.Name, how)
}

// ExitCode is what Python's exitcode is: 0 if the function returned, the code of
// os.Exit, 1 after a panic, -N if signal N ended the process. ended is false, and
// code 0, while there is none: before Start and while the process runs.
func (p *Process) ExitCode() (code int, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		return 0, false
	}
	select {
	case <-p.done:
		return p.child.exitCode(), true
	default:
		return 0, false
	}
}

// Alive tells whether the process has been started and has not ended.
func (p *Process) Alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// PID is the process's number in the system, 0 before Start.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil {
		return 0
	}
	return p.child.pid()
}

// Name is the function's name.
func (p *Process) Name() string { return p.name }

// Terminate asks the process to end, by SIGTERM, which ends a function that does
// not handle it. Use Join to wait for the end. To terminate a process that has
// ended does nothing; one that was not started is an error.
func (p *Process) Terminate() error { return p.signal(syscall.SIGTERM) }

// Kill ends the process at once, by SIGKILL.
func (p *Process) Kill() error { return p.signal(syscall.SIGKILL) }

func (p *Process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil {
		return fmt.Errorf("parallel: %s has not been started", p.name)
	}
	if err := p.child.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("parallel: sending %v to process %d: %w", s, p.child.pid(), err)
	}
	return nil
}

// active are the processes and pools of this process that Active and Interrupt
// are about.
var active registry

type registry struct {
	mu        sync.Mutex
	processes []*Process
	pools     map[*ProcessPool]bool
}

func (r *registry) add(p *Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.processes = append(r.processes, p)
}

func (r *registry) remove(p *Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, q := range r.processes {
		if q == p {
			r.processes = append(r.processes[:i:i], r.processes[i+1:]...)
			return
		}
	}
}

// Active lists the processes that this process has started and that have not
// ended, in the order of their start.
func Active() []*Process {
	active.mu.Lock()
	defer active.mu.Unlock()
	return append([]*Process(nil), active.processes...)
}

// Interrupt kills the processes that this process has started and the tasks that
// run in its process pools, whose futures then fail; the pools stay usable. It is
// what a notebook's interrupt does. It returns when they are gone.
func Interrupt() {
	active.mu.Lock()
	pools := make([]*ProcessPool, 0, len(active.pools))
	for p := range active.pools {
		pools = append(pools, p)
	}
	active.mu.Unlock()
	for _, p := range pools {
		p.interrupt()
	}
	for _, p := range Active() {
		// It may have ended just now.
		_ = p.Kill()
		select {
		case <-p.done:
		case <-time.After(time.Second):
		}
	}
}

// A child is a worker process, seen from its parent.
type child struct {
	cmd   childCommand
	enc   *gob.Encoder // tasks
	dec   *gob.Decoder // replies
	files []*os.File
	once  sync.Once
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// kill ends the child at once; wait takes note.
func (c *child) kill() {
	// The error means that it has ended.
	_ = c.cmd.Process.Kill()
}

// wait waits for the child's end and lets go of its files.
func (c *child) wait() {
	c.once.Do(func() {
		// The error is in ProcessState.
		_ = c.cmd.Wait()
		for _, f := range c.files {
			f.Close()
		}
	})
}

func (c *child) exitCode() int { return exitCode(c.cmd.ProcessState) }
