package parallel

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
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

	stdout, stderr io.Writer // nil for this process's own

	mu      sync.Mutex
	child   *child
	panic   *TaskPanic
	failure string
	code    int           // once done is closed
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
	// Whether it can travel is known before a process is there for it.
	t, err := p.call.task(spares.version())
	if err != nil {
		return fmt.Errorf("parallel: %w", err)
	}
	c, err := p.startChild()
	if err != nil {
		return fmt.Errorf("parallel: starting a process for %s: %w", p.name, err)
	}
	if c.version != t.from {
		if t, err = p.call.task(c.version); err != nil {
			c.kill()
			c.wait()
			return fmt.Errorf("parallel: %w", err)
		}
	}
	t.Last = true
	spares.seen(t.Ref.Version)
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

func (p *Process) startChild() (*child, error) {
	if p.stdout == nil && p.stderr == nil {
		return startChild()
	}
	stdout, stderr := p.stdout, p.stderr
	if stdout == nil {
		stdout = os.Stdout
	}
	if stderr == nil {
		stderr = os.Stderr
	}
	return startCold(stdout, stderr)
}

// SetName gives the process a name for errors and lists; its function's name is
// what it has otherwise. It must be called before Start.
func (p *Process) SetName(name string) { p.name = name }

// SetOutput sends what the process writes to its standard output and error to w,
// line by line, each with a tag if that is not empty; they are this process's
// otherwise. It must be called before Start. All is in w when Join returns. A
// process with an output of its own is not taken from the spares.
func (p *Process) SetOutput(w io.Writer, tag string) {
	l := &lineWriter{w: w, tag: tag, mu: new(sync.Mutex)}
	p.stdout, p.stderr = l, &lineWriter{w: w, tag: tag, mu: l.mu}
}

// wait takes the process's last word and its end.
func (p *Process) wait() {
	first, err := p.child.replies.Peek(1)
	if err == nil && first[0] == doneWell && p.stdout == nil && p.stderr == nil {
		// All that is left is for the system to take the process away.
		p.end(0)
		p.child.wait()
		return
	}
	var r reply
	if err == nil && first[0] != doneWell {
		err = p.child.dec.Decode(&r)
	}
	p.child.wait()
	for _, w := range []io.Writer{p.stdout, p.stderr} {
		if l, ok := w.(*lineWriter); ok {
			l.flush()
		}
	}
	if err == nil {
		p.mu.Lock()
		p.panic, p.failure = r.Panic, r.Err
		p.mu.Unlock()
	}
	p.end(p.child.exitCode())
}

func (p *Process) end(code int) {
	active.remove(p)
	p.code = code // before done is closed, after which it is read
	close(p.done)
	spares.fill()
}

// Join waits until the process has ended. The error is nil if it ended well, an
// *ExitError if it did not, and says so if the process was not started. It is
// enough that the function has returned and the process has nothing left to do
// but to go; the system may take a moment longer to take it away.
func (p *Process) Join() error { return p.JoinContext(context.Background()) }

// JoinTimeout is Join for at most d; then the error is ErrTimeout, and the process
// runs on.
func (p *Process) JoinTimeout(d time.Duration) error { return within(d, p.JoinContext) }

// JoinContext is Join until ctx is done; then the error is that of ctx, and the
// process runs on.
func (p *Process) JoinContext(ctx context.Context) error {
	if p.bad != nil {
		return p.bad
	}
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	if done == nil {
		return fmt.Errorf("parallel: Join of %s, which has not been started: call Start first", p.name)
	}
	select {
	case <-done:
	default:
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	code, _ := p.ExitCode()
	if code == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &ExitError{Name: p.name, PID: p.child.pid(), Code: code, Panic: p.panic, Reason: p.failure, Crash: p.child.lastOutput()}
}

// An ExitError is the end of a process that did not end well.
type ExitError struct {
	Name   string
	PID    int
	Code   int        // as ExitCode gives it
	Panic  *TaskPanic // that of the function, if it panicked
	Reason string     // why the function could not be called, if it could not
	Crash  string     // what Go's runtime said at the end, 4 kB of it, as of a panic in another goroutine
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
	switch line, _, _ := strings.Cut(e.Crash, "\n"); line {
	case "":
	case "runtime stack:":
		// The runtime has named it before it began to write what Crash has.
		how += ": a fatal error of Go's runtime, which is named on its standard error"
	default:
		how += ": " + line
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
		return p.code, true
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
	cmd     childCommand
	enc     *gob.Encoder  // tasks
	dec     *gob.Decoder  // replies
	replies *bufio.Reader // what dec reads
	files   []*os.File
	once    sync.Once

	version int      // of the host's code that it has
	crash   *os.File // nil for none
	last    string
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
		if c.crash != nil {
			buf := make([]byte, 4096)
			n, _ := c.crash.ReadAt(buf, 0) // at the end of the file that is an error
			c.last = strings.TrimLeft(string(buf[:n]), "\n")
			c.crash.Close()
		}
	})
}

// lastOutput is how Go's runtime said why the child crashed, if it did. It is
// known after wait.
func (c *child) lastOutput() string { return c.last }

func (c *child) exitCode() int { return exitCode(c.cmd.ProcessState) }
