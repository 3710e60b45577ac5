package wire

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// redialTime is the pause before another try to reach a kernel that does not
// listen yet.
const redialTime = 3 * time.Millisecond

// Client is a client's end of a connection, subscribed to everything that the
// kernel publishes.
type Client struct {
	signer  *Signer
	peers   [channels]*peer
	inbox   [channels]chan *Message
	echo    chan struct{}
	stop    chan struct{}
	once    sync.Once
	running sync.WaitGroup
}

// Dial connects to the kernel at c as the client called id, which is best the ID of its
// Session. It keeps trying until the kernel listens or ctx ends.
func Dial(ctx context.Context, c Connection, id string) (*Client, error) {
	if err := c.valid(); err != nil {
		return nil, err
	}
	cl := &Client{signer: NewSigner(c.Key), echo: make(chan struct{}, 1), stop: make(chan struct{})}
	types := [channels]zmq4.SocketType{zmq4.Dealer, zmq4.Dealer, zmq4.Dealer, zmq4.Sub, zmq4.Req}
	// IOPub first: what is published before the subscription arrives is lost.
	for _, ch := range []Channel{IOPub, Shell, Control, Stdin, Heartbeat} {
		conn, err := dial(ctx, c, ch)
		if err == nil {
			cl.peers[ch], err = open(ctx, conn, types[ch], id, false)
		}
		if err != nil {
			cl.Close()
			return nil, fmt.Errorf("connect to the kernel's %v: %w", ch, err)
		}
		cl.inbox[ch] = make(chan *Message, inboxSize)
		if ch == IOPub {
			cl.peers[ch].send([][]byte{{1}}) // subscribe to every topic
		}
		cl.running.Add(1)
		go cl.serve(ch, cl.peers[ch])
	}
	return cl, nil
}

func dial(ctx context.Context, c Connection, ch Channel) (net.Conn, error) {
	network, address := c.endpoint(ch)
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, network, address)
		if err == nil {
			// A port of the ephemeral range that nobody listens on can be connected
			// with itself, and would then be taken when the kernel wants it.
			if network == "unix" || conn.LocalAddr().String() != conn.RemoteAddr().String() {
				return conn, nil
			}
			conn.Close()
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = ctx.Err()
			}
			return nil, err
		case <-time.After(redialTime):
		}
	}
}

func (c *Client) serve(ch Channel, p *peer) {
	defer c.running.Done()
	defer close(c.inbox[ch])
	p.run(func(frames [][]byte) {
		if ch == Heartbeat {
			select {
			case c.echo <- struct{}{}:
			default:
			}
			return
		}
		m, err := c.signer.Decode(frames)
		if err != nil {
			return // not from our kernel
		}
		select {
		case c.inbox[ch] <- m:
		case <-c.stop:
		}
	})
}

// Send sends m on Shell, Control or Stdin.
func (c *Client) Send(ch Channel, m *Message) error {
	frames, err := c.signer.Encode(m)
	if err != nil {
		return err
	}
	if err := c.peers[ch].send(frames); err != nil {
		return fmt.Errorf("wire: send %s on %v: %w", m.Header.Type, ch, err)
	}
	return nil
}

// Receive waits for the next message on any channel but Heartbeat. Messages
// whose signature is wrong are skipped. When the kernel has hung up and all is read it gives
// ErrClosed.
func (c *Client) Receive(ctx context.Context, ch Channel) (*Message, error) {
	select {
	case m, ok := <-c.inbox[ch]:
		if !ok {
			return nil, ErrClosed
		}
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Ping sends a heartbeat and waits for its echo. One at a time.
func (c *Client) Ping(ctx context.Context) error {
	if err := c.peers[Heartbeat].send([][]byte{{}, []byte("ping")}); err != nil {
		return fmt.Errorf("wire: ping: %w", err)
	}
	select {
	case <-c.echo:
		return nil
	case <-c.peers[Heartbeat].ended:
		return fmt.Errorf("wire: ping: %w", ErrClosed)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the connections, without waiting for what is queued.
func (c *Client) Close() {
	c.once.Do(func() {
		close(c.stop)
		for _, p := range c.peers {
			if p != nil {
				p.guard.Conn.Close()
			}
		}
		c.running.Wait()
	})
}
