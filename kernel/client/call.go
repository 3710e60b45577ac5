package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/wire"
)

// call is a request and what comes back for it.
type call struct {
	id    string
	queue queue
}

type incoming struct {
	*wire.Message
	from wire.Channel
}

// queue holds messages for one call; it takes any number, so that a slow
// callback of one call does not hold up the others.
type queue struct {
	mu    sync.Mutex
	items []incoming
	ended bool
	more  chan struct{} // holds a token when items or ended have changed
}

var (
	errLate  = errors.New("too late")
	errEnded = errors.New("the kernel has hung up")
)

func (q *queue) put(m incoming) {
	q.mu.Lock()
	q.items = append(q.items, m)
	q.mu.Unlock()
	q.signal()
}

// end makes next fail once the queue is empty.
func (q *queue) end() {
	q.mu.Lock()
	q.ended = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// next waits for a message. It fails with the context's error, errLate, or
// errEnded when there will be none.
func (q *queue) next(ctx context.Context, late <-chan time.Time) (incoming, error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			m := q.items[0]
			q.items = q.items[1:]
			q.mu.Unlock()
			return m, nil
		}
		ended := q.ended
		q.mu.Unlock()
		if ended {
			return incoming{}, errEnded
		}
		select {
		case <-q.more:
		case <-late:
			return incoming{}, errLate
		case <-ctx.Done():
			return incoming{}, ctx.Err()
		}
	}
}

// send sends a request and prepares for what it brings about.
func (k *Kernel) send(ch wire.Channel, msgType string, content any) (*call, error) {
	m, err := k.session.New(msgType, wire.Header{}, content)
	if err != nil {
		return nil, err
	}
	c := &call{id: m.Header.ID, queue: queue{more: make(chan struct{}, 1)}}
	k.mu.Lock()
	if k.calls == nil {
		k.mu.Unlock()
		return nil, errEnded
	}
	k.calls[c.id] = c
	k.mu.Unlock()
	if err := k.wire.Send(ch, m); err != nil {
		k.forget(c)
		return nil, err
	}
	return c, nil
}

func (k *Kernel) forget(c *call) {
	k.mu.Lock()
	delete(k.calls, c.id)
	k.mu.Unlock()
}

// endCalls ends all calls, and those to come, after what they have received.
func (k *Kernel) endCalls() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.calls {
		c.queue.end()
	}
	k.calls = nil
}

// receive hands what comes on a channel to the calls that it belongs to. By which channel
// an answer comes does not matter: some kernels answer control requests on shell.
func (k *Kernel) receive(ch wire.Channel) {
	defer k.read.Done()
	for {
		m, err := k.wire.Receive(context.Background(), ch)
		if err != nil {
			select {
			case <-k.exited:
			case <-time.After(drainTime):
				k.endCalls() // a kernel that lives but does not want to talk
			}
			return
		}
		k.mu.Lock()
		c := k.calls[m.Parent.ID]
		k.mu.Unlock()
		switch {
		case m.Header.Type == "input_request":
			// Not in this goroutine: the answer may take as long as a person takes.
			go k.answer(m)
		case c != nil:
			c.queue.put(incoming{m, ch})
		}
	}
}

// answer replies to a cell that asks for input.
func (k *Kernel) answer(ask *wire.Message) {
	var question struct {
		Prompt   string `json:"prompt"`
		Password bool   `json:"password"`
	}
	if k.options.input == nil || ask.Decode(&question) != nil {
		return
	}
	value, err := k.options.input(question.Prompt, question.Password)
	if err != nil {
		return // the cell waits on until it is interrupted
	}
	if m, err := k.session.New("input_reply", ask.Header, map[string]string{"value": value}); err == nil {
		k.wire.Send(wire.Stdin, m)
	}
}

// ask sends a request and waits for its answer alone.
func (k *Kernel) ask(ctx context.Context, ch wire.Channel, msgType string, content any) (*wire.Message, error) {
	c, err := k.send(ch, msgType, content)
	if err != nil {
		return nil, k.failed(msgType, err)
	}
	defer k.forget(c)
	for {
		m, err := c.queue.next(ctx, nil)
		if err != nil {
			return nil, k.failed(msgType, err)
		}
		if m.from != wire.IOPub {
			return m.Message, nil
		}
	}
}

func (k *Kernel) failed(msgType string, err error) error {
	err = k.explain(err)
	var died *DiedError
	if errors.As(err, &died) {
		return err
	}
	return fmt.Errorf("%s to kernel %q: %w", msgType, k.spec.Name, err)
}

// Request sends a request of any kind and waits for its answer and for the
// kernel to be idle again, giving what the kernel publishes in between to on
// (nil for nobody), in order. It is what Execute is made of.
func (k *Kernel) Request(ctx context.Context, ch wire.Channel, msgType string, content any, on func(Output)) (*wire.Message, error) {
	c, err := k.send(ch, msgType, content)
	if err != nil {
		return nil, k.failed(msgType, err)
	}
	defer k.forget(c)
	var reply *wire.Message
	idle := false
	for reply == nil || !idle {
		m, err := c.queue.next(ctx, nil)
		switch {
		case err != nil:
			return nil, k.failed(msgType, err)
		case m.from != wire.IOPub:
			reply = m.Message
		case m.Header.Type == "status":
			var status struct {
				State string `json:"execution_state"`
			}
			idle = m.Decode(&status) == nil && status.State == "idle" || idle
		case on != nil:
			if o, ok := output(m.Message); ok {
				on(o)
			}
		}
	}
	return reply, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
	also io.Writer
}

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.also != nil {
		t.also.Write(p)
	}
	t.text = append(t.text, p...)
	if len(t.text) > 2*tailSize {
		t.text = append([]byte(nil), t.text[len(t.text)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text[max(0, len(t.text)-tailSize):])
}

func (t *tail) quoted() string { return quote(t.String()) }

// quote gives the last lines of a kernel's log for the end of an error.
func quote(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "; its log ends:\n  " + strings.Join(lines[max(0, len(lines)-12):], "\n  ")
}
