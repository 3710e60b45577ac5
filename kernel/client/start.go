// Package client starts Jupyter kernels, of any language, and talks to them as
// a notebook does.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/kernelspec"
	"github.com/paragopher/paragopher/kernel/wire"
)

// Spec describes a kernel that can be started.
type Spec = kernelspec.Spec

// Find gives the installed kernel with that name. Its error names the folders
// that were looked in and the kernels that there are.
func Find(name string) (Spec, error) { return kernelspec.Find(name) }

const (
	// A kernel that has answered and is then not heard on the publishing channel
	// is asked again, since what it published before we were subscribed is lost:
	// after askAgainTime, then after twice as long, up to askAgainLimit.
	askAgainTime  = 4 * time.Millisecond
	askAgainLimit = 200 * time.Millisecond
	// drainTime is how long what a dead kernel has sent may take to be read.
	drainTime = time.Second
	// shutdownTime is how long Shutdown waits when its context has no deadline.
	shutdownTime = 10 * time.Second
	// portTries is how often a kernel is started anew because a port was taken
	// between being chosen and being listened on.
	portTries = 3
)

// Kernel is a kernel process that this program started. Its methods may be
// called by several goroutines.
type Kernel struct {
	spec    Spec
	options options
	session wire.Session
	info    KernelInfo

	process *os.Process
	dir     string // holds the connection file
	stderr  *tail
	exited  chan struct{} // closed when the process has ended; how is then set
	how     *os.ProcessState
	gone    chan struct{} // closed when nothing of it is left

	wire  *wire.Client
	read  sync.WaitGroup // the goroutines that read the channels
	mu    sync.Mutex
	calls map[string]*call // by the ID of the request
}

type options struct {
	dir       string
	env       []string
	transport string
	output    io.Writer
	input     func(prompt string, password bool) (string, error)
}

// Option changes how a kernel is started.
type Option func(*options)

// WithDir makes dir the kernel's working folder; without it the kernel has ours.
func WithDir(dir string) Option { return func(o *options) { o.dir = dir } }

// WithEnv adds variables, each NAME=value, to the kernel's environment, which is ours and
// the spec's.
func WithEnv(env ...string) Option { return func(o *options) { o.env = append(o.env, env...) } }

// WithTransport chooses tcp (loopback, the default) or ipc (Unix sockets).
func WithTransport(name string) Option { return func(o *options) { o.transport = name } }

// WithOutput also copies what the kernel process itself writes to its standard
// output and error, its log, to w. Cells do not write there.
func WithOutput(w io.Writer) Option { return func(o *options) { o.output = w } }

// WithInput lets cells ask for input, and answers them by f, one question at a
// time. Without it cells that ask get an error.
func WithInput(f func(prompt string, password bool) (string, error)) Option {
	return func(o *options) { o.input = f }
}

// Start starts a kernel and waits until it answers. ctx bounds the start, not
// the life of the kernel: that ends by Shutdown, Kill, or when this program
// ends. Nothing is left behind when it fails; the error carries what the kernel
// last wrote to its standard error.
func Start(ctx context.Context, spec Spec, opts ...Option) (*Kernel, error) {
	o := options{transport: "tcp"}
	for _, opt := range opts {
		opt(&o)
	}
	for try := 1; ; try++ {
		k, err := start(ctx, spec, o)
		var died *DiedError
		if try < portTries && errors.As(err, &died) && strings.Contains(died.Stderr, "address already in use") {
			continue
		}
		return k, err
	}
}

func start(ctx context.Context, spec Spec, o options) (*Kernel, error) {
	if len(spec.Argv) == 0 {
		return nil, fmt.Errorf("start kernel %q: its description has no argv", spec.Name)
	}
	k := &Kernel{
		spec: spec, options: o, session: wire.NewSession("client"), stderr: &tail{also: o.output},
		exited: make(chan struct{}), gone: make(chan struct{}), calls: map[string]*call{},
	}
	dir, err := os.MkdirTemp("", "paragopher-")
	if err != nil {
		return nil, fmt.Errorf("start kernel %q: %w", spec.Name, err)
	}
	k.dir = dir
	where, err := wire.NewConnection(o.transport, dir)
	if err == nil {
		where.KernelName = spec.Name
		err = where.Write(k.connectionFile())
	}
	if err == nil {
		err = k.launch()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("start kernel %q: %w", spec.Name, err)
	}
	if err := k.connect(ctx, where); err != nil {
		k.Kill()
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("start kernel %q: no answer: %w%s", spec.Name, ctx.Err(), k.stderr.quoted())
		default:
			return nil, fmt.Errorf("start kernel %q: %w", spec.Name, err)
		}
	}
	return k, nil
}

func (k *Kernel) connectionFile() string { return filepath.Join(k.dir, "kernel.json") }

// launch starts the process and the goroutine that watches it.
func (k *Kernel) launch() error {
	fill := strings.NewReplacer("{connection_file}", k.connectionFile(), "{resource_dir}", k.spec.Dir)
	argv := make([]string, len(k.spec.Argv))
	for i, a := range k.spec.Argv {
		argv[i] = fill.Replace(a)
	}
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = k.options.dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("JPY_PARENT_PID=%d", os.Getpid()))
	for name, value := range k.spec.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, k.options.env...)
	cmd.Stdout, cmd.Stderr = in, in
	setProcess(cmd)
	// In a goroutine of its own: on Linux the kernel is tied to the thread that
	// starts it, and the caller's may be locked and end before this program.
	started := make(chan error)
	go func() { started <- cmd.Start() }()
	err = <-started
	in.Close()
	if err != nil {
		out.Close()
		return err
	}
	k.process = cmd.Process
	go k.watch(out)
	return nil
}

// watch waits for the end of the process and then clears up.
func (k *Kernel) watch(out *os.File) {
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		io.Copy(k.stderr, out)
	}()
	k.how, _ = k.process.Wait()
	// What it started may still hold the pipe: the end of that is not waited for.
	select {
	case <-logged:
	case <-time.After(100 * time.Millisecond):
	}
	out.Close()
	<-logged
	close(k.exited)

	k.mu.Lock()
	w := k.wire
	k.mu.Unlock()
	if w != nil {
		read := make(chan struct{})
		go func() {
			defer close(read)
			k.read.Wait()
		}()
		select {
		case <-read:
		case <-time.After(drainTime):
		}
		w.Close()
		<-read
	}
	k.endCalls()
	os.RemoveAll(k.dir)
	close(k.gone)
}

// connect dials the kernel and asks it who it is, until its answer is seen on
// both the shell and the publishing channel.
func (k *Kernel) connect(ctx context.Context, where wire.Connection) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-k.exited:
			cancel()
		case <-stop:
		}
	}()
	w, err := wire.Dial(ctx, where, k.session.ID)
	if err != nil {
		return k.explain(err)
	}
	k.mu.Lock()
	select {
	case <-k.exited:
		k.mu.Unlock()
		w.Close()
		return k.died()
	default:
	}
	k.wire = w
	for _, ch := range []wire.Channel{wire.Shell, wire.Control, wire.Stdin, wire.IOPub} {
		k.read.Add(1)
		go k.receive(ch)
	}
	k.mu.Unlock()
	for wait := askAgainTime; ; wait = min(2*wait, askAgainLimit) {
		heard, err := k.hello(ctx, wait)
		if err != nil {
			return k.explain(err)
		}
		if heard {
			return nil
		}
	}
}

// hello asks for the kernel's information and tells whether the kernel was
// heard on the publishing channel, too, not later than wait after its answer.
func (k *Kernel) hello(ctx context.Context, wait time.Duration) (heard bool, err error) {
	c, err := k.send(wire.Shell, "kernel_info_request", nil)
	if err != nil {
		return false, err
	}
	defer k.forget(c)
	answered := false
	var late <-chan time.Time
	for !answered || !heard {
		m, err := c.queue.next(ctx, late)
		switch {
		case errors.Is(err, errLate):
			return false, nil
		case err != nil:
			return false, err
		case m.from == wire.IOPub:
			heard = true
		case m.Header.Type == "kernel_info_reply":
			if err := m.Decode(&k.info); err != nil {
				return false, err
			}
			answered = true
			late = time.After(wait)
		}
	}
	return true, nil
}

// explain replaces an error that only follows from the kernel's death.
func (k *Kernel) explain(err error) error {
	select {
	case <-k.exited:
		return k.died()
	default:
	}
	if errors.Is(err, wire.ErrClosed) || errors.Is(err, errEnded) {
		// It has hung up: it is about to end.
		select {
		case <-k.exited:
			return k.died()
		case <-time.After(drainTime):
		}
	}
	return err
}

// DiedError says that a kernel process ended without being asked to.
type DiedError struct {
	Kernel string // its name
	How    string // exit status or signal
	Stderr string // the end of what it wrote to its standard error
}

func (e *DiedError) Error() string {
	return fmt.Sprintf("kernel %q died (%s)%s", e.Kernel, e.How, quote(e.Stderr))
}

func (k *Kernel) died() error {
	return &DiedError{Kernel: k.spec.Name, How: k.how.String(), Stderr: k.stderr.String()}
}

// Kill ends the kernel at once and waits until nothing of it is left.
func (k *Kernel) Kill() error {
	err := killProcess(k.process)
	<-k.gone
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("kill kernel %q: %w", k.spec.Name, err)
	}
	return nil
}

// Shutdown asks the kernel to end and waits until nothing of it is left, for as
// long as ctx allows (ten seconds if it has no deadline). A kernel that does
// not end is killed, which is an error.
func (k *Kernel) Shutdown(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, shutdownTime)
		defer cancel()
	}
	if c, err := k.send(wire.Control, "shutdown_request", map[string]any{"restart": false}); err == nil {
		defer k.forget(c)
	}
	select {
	case <-k.gone:
		return nil
	case <-ctx.Done():
		k.Kill()
		return fmt.Errorf("shut down kernel %q: it did not end and was killed: %w", k.spec.Name, ctx.Err())
	}
}

// Interrupt stops the cell that runs, in the way that the kernel's description asks for.
func (k *Kernel) Interrupt(ctx context.Context) error {
	if k.spec.InterruptMode != "message" {
		if err := interruptProcess(k.process); err != nil {
			return fmt.Errorf("interrupt kernel %q: %w", k.spec.Name, err)
		}
		return nil
	}
	_, err := k.ask(ctx, wire.Control, "interrupt_request", nil)
	return err
}

// Ping waits for an echo of the kernel's heartbeat.
func (k *Kernel) Ping(ctx context.Context) error {
	if err := k.wire.Ping(ctx); err != nil {
		return k.explain(err)
	}
	return nil
}

// PID is the kernel's process.
func (k *Kernel) PID() int { return k.process.Pid }

// Done is closed when the kernel has ended and nothing of it is left.
func (k *Kernel) Done() <-chan struct{} { return k.gone }

// Info is what the kernel says about itself.
func (k *Kernel) Info() KernelInfo { return k.info }
