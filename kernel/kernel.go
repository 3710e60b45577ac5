// Package kernel speaks Jupyter's messaging protocol for an engine that runs
// Go cells. It never runs user code itself, so nothing that a cell does can keep it from
// answering.
//
// The kernel stands on four small interfaces: a [Transport] that carries
// messages, an [Engine] that runs cells, a [History] of what was run and
// [Comms] for the widgets of a front end. Section names in comments are those
// of "Messaging in Jupyter".
package kernel

import (
	"context"
	"errors"
	"fmt"
	"log"
	"runtime/debug"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/kernel/engine/source"
	"github.com/paragopher/paragopher/kernel/wire"
)

// Transport carries messages between the kernel and its clients. wire.Server is
// the one for ZeroMQ.
type Transport interface {
	// Receive waits for a message on Shell, Control or Stdin. It fails when ctx
	// ends and when the transport is closed.
	Receive(ctx context.Context, from wire.Channel) (*wire.Message, error)
	// Send sends m on Shell, Control or Stdin to the client that its identities
	// name, on IOPub to all.
	Send(to wire.Channel, m *wire.Message) error
}

// Engine runs cells, one at a time. engine.Engine is the one for Go.
type Engine interface {
	// Run runs a cell; the end of ctx is an interrupt. All that the cell put out
	// has reached the sink when Run returns.
	Run(ctx context.Context, c engine.Cell) engine.Result
	// IsComplete tells whether code is a whole cell: complete, incomplete (then
	// with the indent of the next line), invalid or unknown.
	IsComplete(code string) (status, indent string)
	// Complete proposes what the name at the cursor may become. Cursors count code
	// points. Neither this nor Inspect waits for a running cell.
	Complete(code string, cursor int) source.Completion
	// Inspect tells what the name at the cursor is, nil for nothing.
	Inspect(code string, cursor, detail int) *source.Inspection
	// Close ends the session and everything that it started. A cell that runs
	// then ends with an error.
	Close(ctx context.Context) error
}

const (
	// closeTime is how long the engine may take to end its session.
	closeTime = 5 * time.Second
	// abortTime is how long requests that were on their way when a cell failed
	// have to arrive in order to be aborted with it.
	abortTime = 10 * time.Millisecond
	// stdinTime is how long a client may take to connect its stdin channel after
	// it has sent a cell.
	stdinTime = 2 * time.Second
)

// Kernel answers requests until it is shut down.
type Kernel struct {
	transport Transport
	newEngine func(engine.Sink) (Engine, error)
	history   History
	comms     Comms
	log       *log.Logger
	session   wire.Session
	handlers  map[string]handler

	engine    Engine // set when started is closed, nil if engineErr is not
	engineErr error
	started   chan struct{}

	quit     chan struct{} // closed by a shutdown request
	quitOnce sync.Once

	mu        sync.Mutex
	interrupt context.CancelFunc // of the shell request that is being served, nil for none
	cells     cellLog

	// Of the goroutine that serves the shell channel.
	count   int        // the execution count
	pending []*request // received, but not served yet
}

// New gives a kernel. newEngine is called once, when the kernel runs, and its
// engine is closed when it ends. The logger gets a line for each message that
// is ignored.
func New(t Transport, newEngine func(engine.Sink) (Engine, error), h History, c Comms, logger *log.Logger) *Kernel {
	k := &Kernel{
		transport: t, newEngine: newEngine, history: h, comms: c, log: logger,
		session: wire.NewSession("kernel"), started: make(chan struct{}), quit: make(chan struct{}),
	}
	k.handlers = map[string]handler{
		"kernel_info_request": {reply: "kernel_info_reply", serve: k.kernelInfo, control: true},
		"execute_request":     {reply: "execute_reply", serve: k.execute},
		"is_complete_request": {reply: "is_complete_reply", serve: k.isComplete},
		"complete_request":    {reply: "complete_reply", serve: k.complete},
		"inspect_request":     {reply: "inspect_reply", serve: k.inspect},
		"history_request":     {reply: "history_reply", serve: k.searchHistory},
		"comm_info_request":   {reply: "comm_info_reply", serve: k.commInfo},
		"comm_open":           {serve: k.comm},
		"comm_msg":            {serve: k.comm},
		"comm_close":          {serve: k.comm},
		"interrupt_request":   {reply: "interrupt_reply", serve: k.interruptRequest, control: true},
		"shutdown_request":    {reply: "shutdown_reply", serve: k.shutdown, control: true},
	}
	return k
}

// handler answers one kind of message.
type handler struct {
	reply   string // the type of the answer, "" for none
	serve   func(ctx context.Context, r *request) (content any, err error)
	control bool // may come on the control channel, and so while a cell runs
}

// request is a message that is being served.
type request struct {
	*wire.Message
	from    wire.Channel
	aborted bool   // a cell before it failed
	after   func() // called when the answer is sent and the kernel is idle
}

// Interrupt cancels the cell that runs, if one does.
func (k *Kernel) Interrupt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.interrupt != nil {
		k.interrupt()
	}
}

// Run serves requests until a shutdown request or the end of ctx, and then
// closes the engine. Requests on the control channel are served while a cell
// runs, those on the shell channel in their order.
func (k *Kernel) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.status(wire.Header{}, "starting")
	go k.start()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var channels sync.WaitGroup
		channels.Go(func() { k.serve(ctx, wire.Control) })
		channels.Go(func() { k.serve(ctx, wire.Shell) })
		channels.Wait()
	}()
	select {
	case <-ctx.Done():
	case <-k.quit:
	}
	cancel()
	k.Interrupt()
	limit, stop := context.WithTimeout(context.Background(), closeTime)
	defer stop()
	var err error
	select {
	case <-k.started:
		if k.engine != nil {
			if err = k.engine.Close(limit); err != nil {
				err = fmt.Errorf("close the engine: %w", err)
			}
		}
	case <-limit.Done():
		err = errors.New("close the engine: it is still starting")
	}
	select {
	case <-ended:
	case <-limit.Done():
		err = errors.Join(err, errors.New("the cell that was running does not end"))
	}
	return err
}

func (k *Kernel) start() {
	defer close(k.started)
	k.engine, k.engineErr = k.newEngine(sink{k})
	if k.engineErr != nil {
		k.engine = nil
		k.log.Printf("start the engine: %v", k.engineErr)
	}
}

// running gives the engine when it has started. Requests that need none, like
// kernel_info, are answered before that.
func (k *Kernel) running(ctx context.Context) (Engine, error) {
	select {
	case <-k.started:
	default:
		select {
		case <-k.started:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return k.engine, k.engineErr
}

// serve answers the requests of one channel in turn.
func (k *Kernel) serve(ctx context.Context, ch wire.Channel) {
	for ctx.Err() == nil {
		r := k.next(ctx, ch)
		if r == nil {
			return
		}
		h, ok := k.handlers[r.Header.Type]
		if !ok || ch == wire.Control && !h.control {
			k.log.Printf("%v: %q messages are not supported: ignored", ch, r.Header.Type)
			continue
		}
		k.answer(ctx, h, r)
	}
}

// next gives the request to serve next on a channel, nil when there will be none.
func (k *Kernel) next(ctx context.Context, ch wire.Channel) *request {
	if ch == wire.Shell && len(k.pending) > 0 {
		r := k.pending[0]
		k.pending = k.pending[1:]
		return r
	}
	m, err := k.transport.Receive(ctx, ch)
	if err != nil {
		return nil
	}
	return &request{Message: m, from: ch}
}

// answer serves one request: busy, the answer, idle.
func (k *Kernel) answer(ctx context.Context, h handler, r *request) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if r.from == wire.Shell {
		// Before anyone can see that the request is being served, and so interrupt it.
		k.setInterrupt(cancel)
		defer k.setInterrupt(nil)
	}
	k.status(r.Header, "busy")
	content := k.call(ctx, h, r)
	if h.reply != "" {
		k.reply(r, h.reply, content)
	}
	k.status(r.Header, "idle")
	if r.after != nil {
		r.after()
	}
}

func (k *Kernel) setInterrupt(f context.CancelFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.interrupt = f
}

// failure is the content of an answer to a request that could not be served
// ("Request-Reply", status error).
type failure struct {
	Status    string   `json:"status"`
	EName     string   `json:"ename"`
	EValue    string   `json:"evalue"`
	Traceback []string `json:"traceback"`
	// ExecutionCount is for execute_reply, where clients expect it always.
	ExecutionCount int `json:"execution_count"`
}

// call runs a handler. What goes wrong in it becomes the answer, and never
// stops the kernel.
func (k *Kernel) call(ctx context.Context, h handler, r *request) (content any) {
	fail := func(name, value string) failure {
		k.log.Printf("%v: %s: %s", r.from, r.Header.Type, value)
		f := failure{Status: "error", EName: name, EValue: value, Traceback: []string{}}
		if r.from == wire.Shell {
			f.ExecutionCount = k.count
		}
		return f
	}
	defer func() {
		if p := recover(); p != nil {
			content = fail("KernelError", fmt.Sprintf("%v\n%s", p, debug.Stack()))
		}
	}()
	content, err := h.serve(ctx, r)
	if err != nil {
		return fail("RequestError", err.Error())
	}
	return content
}

func (k *Kernel) reply(r *request, msgType string, content any) {
	m, err := k.session.New(msgType, r.Header, content)
	if err == nil {
		m.Identities = r.Identities
		err = k.transport.Send(r.from, m)
	}
	if err != nil {
		k.log.Printf("%v: answer to %s: %v", r.from, r.Header.Type, err)
	}
}

// publish sends a message to all clients. There is nobody to tell when that fails
// but the log.
func (k *Kernel) publish(parent wire.Header, msgType string, content any) {
	m, err := k.session.New(msgType, parent, content)
	if err == nil {
		m.Identities = [][]byte{[]byte(msgType)}
		err = k.transport.Send(wire.IOPub, m)
	}
	if err != nil && !errors.Is(err, wire.ErrClosed) {
		k.log.Printf("publish %s: %v", msgType, err)
	}
}

// status publishes the kernel's state ("Kernel status").
func (k *Kernel) status(parent wire.Header, state string) {
	k.publish(parent, "status", map[string]string{"execution_state": state})
}
