package wire

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// ErrClosed is what Receive and Send give after Close, and a client's Receive
// when the kernel has hung up.
var ErrClosed = errors.New("the connection is closed")

// inboxSize is how many messages may wait to be received on a channel before
// the network is left to wait.
const inboxSize = 1024

// Server is the kernel's end of a connection: it listens on all five channels,
// echoes heartbeats, and drops what is malformed, unsigned or replayed with a
// line in its log.
type Server struct {
	where  Connection
	signer *Signer
	log    *log.Logger

	inbox     [channels]chan *Message // of the channels that receive
	listeners []net.Listener
	running   sync.WaitGroup
	ctx       context.Context // ends when the server closes
	stop      context.CancelFunc
	publish   sync.Mutex // all subscribers see the same order

	mu     sync.Mutex
	closed bool
	peers  map[*peer]Channel
	routes [channels]map[string]*peer
	topics map[*peer]map[string]int
}

// Listen opens the sockets of c. A port of 0 is replaced by a free one; see
// Connection. The log gets one line for each message or peer that is refused.
func Listen(c Connection, logger *log.Logger) (*Server, error) {
	if err := c.valid(); err != nil {
		return nil, err
	}
	s := &Server{where: c, signer: NewSigner(c.Key), log: logger, peers: map[*peer]Channel{}, topics: map[*peer]map[string]int{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	types := [channels]zmq4.SocketType{zmq4.Router, zmq4.Router, zmq4.Router, zmq4.Pub, zmq4.Rep}
	for ch := range Channel(channels) {
		network, address := s.where.endpoint(ch)
		l, err := net.Listen(network, address)
		if err != nil {
			ctx, cancel := context.WithTimeout(context.Background(), lingerTime)
			defer cancel()
			s.Close(ctx)
			return nil, fmt.Errorf("listen for %v: %w", ch, err)
		}
		s.listeners = append(s.listeners, l)
		if tcp, ok := l.Addr().(*net.TCPAddr); ok {
			*s.where.port(ch) = tcp.Port
		}
		s.inbox[ch] = make(chan *Message, inboxSize)
		s.routes[ch] = map[string]*peer{}
		s.running.Add(1)
		go s.accept(ch, types[ch], l)
	}
	return s, nil
}

// Connection tells where the server listens.
func (s *Server) Connection() Connection { return s.where }

func (s *Server) accept(ch Channel, typ zmq4.SocketType, l net.Listener) {
	defer s.running.Done()
	for {
		c, err := l.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return
			}
			// Out of file descriptors, most likely: those who ended free some.
			s.log.Printf("%v: accept: %v", ch, err)
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			s.serve(ch, typ, c)
		}()
	}
}

// serve keeps one client's connection to one channel.
func (s *Server) serve(ch Channel, typ zmq4.SocketType, c net.Conn) {
	p, err := open(s.ctx, c, typ, "", true)
	if err != nil {
		if s.ctx.Err() == nil {
			s.log.Printf("%v: peer refused: %v", ch, err)
		}
		return
	}
	if !s.add(ch, p) {
		p.guard.Conn.Close()
		return
	}
	defer s.remove(ch, p)
	if err := p.run(func(frames [][]byte) { s.received(ch, p, frames) }); err != nil {
		s.log.Printf("%v: peer dropped: %v", ch, err)
	}
}

func (s *Server) add(ch Channel, p *peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if p.id == "" {
		p.id = NewID()
	}
	s.peers[p] = ch
	// A client that comes back under its old name takes the name over.
	s.routes[ch][p.id] = p
	if ch == IOPub {
		s.topics[p] = map[string]int{}
	}
	return true
}

func (s *Server) remove(ch Channel, p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, p)
	delete(s.topics, p)
	if s.routes[ch][p.id] == p {
		delete(s.routes[ch], p.id)
	}
}

func (s *Server) received(ch Channel, p *peer, frames [][]byte) {
	switch ch {
	case Heartbeat:
		p.send(frames)
		return
	case IOPub:
		s.subscription(p, frames)
		return
	}
	m, err := s.signer.Decode(frames)
	if err != nil {
		s.log.Printf("%v: message dropped: %v", ch, err)
		return
	}
	m.Identities = append([][]byte{[]byte(p.id)}, m.Identities...)
	select {
	case s.inbox[ch] <- m:
	case <-s.ctx.Done():
	}
}

// subscription takes note of a topic: a frame of 1 (or 0, to end it) and the
// topic's beginning.
func (s *Server) subscription(p *peer, frames [][]byte) {
	if len(frames) != 1 || len(frames[0]) == 0 || frames[0][0] > 1 {
		s.log.Printf("%v: message dropped: %v: not a subscription", IOPub, ErrFrames)
		return
	}
	topic := string(frames[0][1:])
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[p]
	if frames[0][0] == 1 {
		t[topic]++
	} else if t[topic]--; t[topic] <= 0 {
		delete(t, topic)
	}
}

// Receive waits for the next message on Shell, Control or Stdin. It fails with
// the context's error or ErrClosed.
func (s *Server) Receive(ctx context.Context, ch Channel) (*Message, error) {
	select {
	case m := <-s.inbox[ch]:
		return m, nil
	default:
	}
	select {
	case m := <-s.inbox[ch]:
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ctx.Done():
		return nil, ErrClosed
	}
}

// Send sends m: on IOPub to all who subscribed to the topic that is its first identity, else to
// the client that its first identity names. It waits while a receiver has 16
// MiB to read, and drops a receiver that then reads nothing for ten seconds;
// apart from that nothing is lost. A client that is gone is an error, a topic
// without subscribers is not.
func (s *Server) Send(ch Channel, m *Message) error {
	if len(m.Identities) == 0 {
		return fmt.Errorf("wire: %s on %v has no identity to route it by", m.Header.Type, ch)
	}
	frames, err := s.signer.Encode(m)
	if err != nil {
		return err
	}
	if ch == IOPub {
		s.publish.Lock()
		defer s.publish.Unlock()
		for _, p := range s.subscribers(string(frames[0])) {
			p.send(frames) // who is gone is reported by serve
		}
		if s.ctx.Err() != nil {
			return ErrClosed
		}
		return nil
	}
	s.mu.Lock()
	p := s.routes[ch][string(frames[0])]
	s.mu.Unlock()
	if p == nil {
		return fmt.Errorf("wire: send %s on %v: %w", m.Header.Type, ch, ErrGone)
	}
	if err := p.send(frames[1:]); err != nil {
		return fmt.Errorf("wire: send %s on %v: %w", m.Header.Type, ch, err)
	}
	return nil
}

func (s *Server) subscribers(topic string) []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ps []*peer
	for p, topics := range s.topics {
		for t := range topics {
			if strings.HasPrefix(topic, t) {
				ps = append(ps, p)
				break
			}
		}
	}
	return ps
}

// Close stops listening, sends what is queued for as long as ctx allows, and
// ends all connections. Nothing of the server is left when it returns.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	var ps []*peer
	for p := range s.peers {
		ps = append(ps, p)
	}
	s.mu.Unlock()
	s.stop()
	var err error
	for _, l := range s.listeners {
		if e := l.Close(); e != nil && !errors.Is(e, net.ErrClosed) && !errors.Is(e, os.ErrNotExist) && err == nil {
			err = e
		}
	}
	var closing sync.WaitGroup
	for _, p := range ps {
		closing.Go(func() { p.close(ctx) })
	}
	closing.Wait()
	s.running.Wait()
	return err
}
