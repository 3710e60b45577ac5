package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// Why not zmq4's sockets (v0.17.0, by reading and trying them):
//
//   - Accepting and handshaking share one goroutine: a peer that connects and
//     says nothing keeps everybody else out. Listen's goroutine panics, and so
//     ends the process, on a READY command that is cut short or names an
//     unknown socket type, and any peer can make it allocate 2^63 bytes.
//   - PUB has one unbounded queue and writes to its subscribers in turn: one
//     that stops reading stops the others and fills the memory. Close throws
//     away what is queued and leaves a goroutine behind.
//   - ROUTER holds its lock while it writes, with the same effect for replies;
//     its readers stay blocked after Close once ten messages are waiting.
//   - Every frame is two system calls.
//
// So a peer is one zmq4.Conn with its own reader, writer and bounded queue.

const (
	// handshakeTime is how long a connection may take to say who it is.
	handshakeTime = 10 * time.Second
	// maxQueued is how many bytes may wait for one peer before senders wait too.
	maxQueued = 16 << 20
	// stallTime is how long a peer with a full queue may take nothing before it
	// is dropped: what keeps a client that hangs from stopping the kernel.
	stallTime = 10 * time.Second
	// lingerTime is how long a peer may take to hang up after we did.
	lingerTime = 250 * time.Millisecond
	// writeChunk is how much is written between two looks at the clock.
	writeChunk = 256 << 10
)

// ErrGone is what Send gives when the peer that a message is for is not connected.
var ErrGone = errors.New("the peer is not connected")

// peer is one end of a ZMTP connection.
type peer struct {
	conn  *zmq4.Conn
	guard *guard
	id    string // the routing identity that the peer announced, "" for none

	mu      sync.Mutex
	changed sync.Cond // the queue, closing or dead changed
	queue   []outgoing
	queued  int // bytes in queue, and in the batch that is being written
	closing bool
	dead    bool
	cause   error         // why it is dead, nil for a proper end
	ended   chan struct{} // reader and writer have returned
	running sync.WaitGroup
}

type outgoing struct {
	frames [][]byte
	pong   bool // a PONG command whose context is frames[0]
	size   int
}

// open does the handshake on c as a socket of the given type and identity. It
// closes c when it fails.
func open(ctx context.Context, c net.Conn, typ zmq4.SocketType, id string, server bool) (p *peer, err error) {
	g := newGuard(c)
	p = &peer{guard: g, ended: make(chan struct{})}
	p.changed.L = &p.mu
	g.ping = func(context []byte) {
		p.push(outgoing{frames: [][]byte{context}, pong: true, size: len(context) + 64})
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if r := recover(); r != nil { // see above: READY commands that zmq4 cannot parse
			err = fmt.Errorf("ZMTP handshake: %v", r)
		}
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			c.Close()
			p = nil
		}
	}()
	c.SetDeadline(time.Now().Add(handshakeTime))
	p.conn, err = zmq4.Open(g, null.Security(), typ, zmq4.SocketIdentity(id), server, nil)
	if err != nil {
		return p, fmt.Errorf("ZMTP handshake: %w", err)
	}
	if err = g.out.Flush(); err != nil {
		return p, fmt.Errorf("ZMTP handshake: %w", err)
	}
	c.SetDeadline(time.Time{})
	g.ready = true
	p.id = p.conn.Peer.Meta["Identity"]
	return p, nil
}

// run starts the writer, reads until the connection ends, handing each message
// to receive, and returns when nothing of the peer is left running.
func (p *peer) run(receive func(frames [][]byte)) error {
	p.running.Add(1)
	go p.write()
	for {
		msg, err := p.conn.RecvMsg()
		if err != nil {
			p.fail(err)
			break
		}
		receive(msg.Frames)
	}
	p.running.Wait()
	close(p.ended)
	return p.cause
}

// send queues a message. It waits while the queue is full, and fails when the
// peer is gone or does not take anything for stallTime.
func (p *peer) send(frames [][]byte) error {
	size := 0
	for _, f := range frames {
		size += len(f) + 9
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.queued > maxQueued && !p.dead && !p.closing {
		// The deadline cuts the write short in which the writer hangs.
		p.guard.SetWriteDeadline(time.Now().Add(stallTime))
		p.changed.Wait()
	}
	if p.dead || p.closing {
		return ErrGone
	}
	p.pushLocked(outgoing{frames: frames, size: size})
	return nil
}

// push queues without waiting; a peer whose queue is full goes without.
func (p *peer) push(o outgoing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queued <= maxQueued {
		p.pushLocked(o)
	}
}

func (p *peer) pushLocked(o outgoing) {
	p.queue = append(p.queue, o)
	p.queued += o.size
	p.changed.Broadcast()
}

// write writes the queue until the peer is closed.
func (p *peer) write() {
	defer p.running.Done()
	p.guard.out.Reset(progressWriter{p})
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.closing && !p.dead {
			p.changed.Wait()
		}
		batch := p.queue
		p.queue = nil
		last := p.closing
		dead := p.dead
		p.mu.Unlock()
		if dead {
			return
		}
		for _, o := range batch {
			var err error
			if o.pong {
				err = p.conn.SendCmd(zmq4.CmdPong, o.frames[0])
			} else {
				err = p.conn.SendMsg(zmq4.NewMsgFrom(o.frames...))
			}
			if err != nil {
				p.fail(err)
				return
			}
			p.written(o.size)
		}
		if err := p.guard.out.Flush(); err != nil {
			p.fail(err)
			return
		}
		if last && len(batch) == 0 {
			// Everything is sent. Say so, and let the reader wait for the other end
			// to hang up: closing with unread input would make the system throw away
			// what the peer has not read yet.
			p.guard.SetReadDeadline(time.Now().Add(lingerTime))
			if c, ok := p.guard.Conn.(interface{ CloseWrite() error }); ok {
				c.CloseWrite()
			}
			return
		}
	}
}

// progressWriter writes to the peer's network connection in pieces, so that a
// slow peer can be told from one that has stopped.
type progressWriter struct{ p *peer }

func (w progressWriter) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := w.p.guard.Conn.Write(b[done:min(len(b), done+writeChunk)])
		done += n
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = fmt.Errorf("it has read nothing for %v while %d bytes wait for it", stallTime, w.p.waiting())
			}
			return done, err
		}
		w.p.mu.Lock()
		if w.p.queued > maxQueued {
			w.p.guard.SetWriteDeadline(time.Now().Add(stallTime))
		}
		w.p.mu.Unlock()
	}
	return done, nil
}

func (p *peer) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queued
}

// written takes note that a message has been handed to the network.
func (p *peer) written(size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.queued > maxQueued
	p.queued -= size
	if was && p.queued <= maxQueued {
		p.guard.SetWriteDeadline(time.Time{})
		p.changed.Broadcast()
	}
}

// fail ends the connection because of err, once.
func (p *peer) fail(err error) {
	p.mu.Lock()
	if !p.dead {
		p.dead = true
		if !p.closing && !hungUp(err) {
			p.cause = err
		}
		p.changed.Broadcast()
	}
	p.mu.Unlock()
	p.guard.Conn.Close()
}

// hungUp tells whether err is one of the ways in which a connection ends that
// need no mention.
func hungUp(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, zmq4.ErrClosedConn) ||
		errors.As(err, &op) && !op.Timeout()
}

// close sends what is queued and then ends the connection; when ctx ends first
// it does so at once.
func (p *peer) close(ctx context.Context) {
	p.mu.Lock()
	p.closing = true
	p.changed.Broadcast()
	p.mu.Unlock()
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.guard.Conn.Close()
		<-p.ended
	}
}
