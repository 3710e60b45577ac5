package parallel

import (
	"context"
	"errors"
	"io"
	"runtime"
	"time"

	"github.com/paragopher/paragopher/parallel/internal/robust"
)

// ErrPeerDied is what Pipe.Recv returns when there is nothing left and the
// process that used the other end last has died.
var ErrPeerDied = errors.New("parallel: the process at the other end of the pipe has died")

// pipeCapacity is how many messages wait on their way before Send does.
const pipeCapacity = 1024

// A Pipe is one end of a connection both ways. It travels as a Mutex does: keep
// one end, give the other to a process. What can be sent is what a Queue takes.
type Pipe[T any] struct {
	out, in *Queue[T]
	end     int // 0 or 1
}

// NewPipe makes a connection and gives its two ends.
func NewPipe[T any]() (a, b *Pipe[T]) { return newPipe[T](pipeCapacity) }

func newPipe[T any](capacity int) (a, b *Pipe[T]) {
	x, y := NewQueue[T](capacity), NewQueue[T](capacity)
	return &Pipe[T]{out: x, in: y, end: 0}, &Pipe[T]{out: y, in: x, end: 1}
}

// use gives the ring of a direction, and notes who uses this end.
func (p *Pipe[T]) use(q func(*Pipe[T]) *Queue[T]) (*ring, error) {
	if p == nil || q(p) == nil {
		return nil, errNoMemory
	}
	r, err := q(p).ring()
	if err == nil && uint64(r.head.Users[p.end].Load()) != r.me {
		r.head.Users[p.end].Store(uint32(r.me))
		if o := p.in.q; o != nil && r != o {
			o.head.Users[p.end].Store(uint32(r.me))
		}
	}
	return r, err
}

func outward[T any](p *Pipe[T]) *Queue[T] { return p.out }
func inward[T any](p *Pipe[T]) *Queue[T]  { return p.in }

// Send sends v to the other end. It waits if 1024 messages are on their way. The
// error is io.ErrClosedPipe if either end has been closed, or says why v cannot
// travel.
func (p *Pipe[T]) Send(v T) error { return p.SendContext(context.Background(), v) }

// SendTimeout is Send for at most d; then the error is ErrTimeout.
func (p *Pipe[T]) SendTimeout(v T, d time.Duration) error {
	return within(d, func(ctx context.Context) error { return p.SendContext(ctx, v) })
}

// SendContext is Send until ctx is done; then the error is that of ctx.
func (p *Pipe[T]) SendContext(ctx context.Context, v T) error {
	r, err := p.use(outward)
	if err != nil {
		return err
	}
	err = putItem(r, ctx, false, &v)
	runtime.KeepAlive(p)
	if err == ErrQueueClosed {
		return io.ErrClosedPipe
	}
	return err
}

// Recv waits for the next message from the other end. When there are no more, the
// error is io.EOF after Close, or ErrPeerDied, some 10 ms after the process that
// used the other end last has died.
func (p *Pipe[T]) Recv() (T, error) { return p.RecvContext(context.Background()) }

// RecvTimeout is Recv for at most d; then the error is ErrTimeout.
func (p *Pipe[T]) RecvTimeout(d time.Duration) (v T, err error) {
	err = within(d, func(ctx context.Context) (err error) {
		v, err = p.RecvContext(ctx)
		return err
	})
	return v, err
}

// RecvContext is Recv until ctx is done; then the error is that of ctx.
func (p *Pipe[T]) RecvContext(ctx context.Context) (v T, err error) {
	r, err := p.use(inward)
	if err != nil {
		return v, err
	}
	v, err = getItem[T](r, ctx, false, func() error {
		if peer := r.head.Users[1-p.end].Load(); peer != 0 && !robust.Alive(peer) && r.length() == 0 {
			return ErrPeerDied
		}
		return nil
	})
	runtime.KeepAlive(p)
	if err == ErrQueueClosed {
		err = io.EOF
	}
	return v, err
}

// Poll tells whether there is a message to receive.
func (p *Pipe[T]) Poll() bool { return p != nil && p.in.Len() > 0 }

// Close closes the connection, both ways and for both ends. What has been sent
// can still be received.
func (p *Pipe[T]) Close() error {
	if p == nil {
		return errNoMemory
	}
	return errors.Join(p.out.Close(), p.in.Close())
}

// GobEncode makes a Pipe's end travel as a handle.
func (p *Pipe[T]) GobEncode() ([]byte, error) {
	if p.out == nil || p.in == nil {
		return nil, errNoMemory
	}
	out, err := p.out.GobEncode()
	if err != nil {
		return nil, err
	}
	in, err := p.in.GobEncode()
	return append(append([]byte{byte(p.end)}, out...), in...), err
}

// GobDecode is GobEncode's inverse, in the other process.
func (p *Pipe[T]) GobDecode(data []byte) error {
	if len(data) != 17 || data[0] > 1 {
		return errForeign
	}
	p.end, p.out, p.in = int(data[0]), new(Queue[T]), new(Queue[T])
	if err := p.out.GobDecode(data[1:9]); err != nil {
		return err
	}
	return p.in.GobDecode(data[9:])
}
