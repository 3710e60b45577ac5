package parallel

import (
	"bufio"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// ErrKey is what DialManager says when the two ends do not have the same key.
var ErrKey = errors.New("parallel: the manager's key is another one")

// ServeManager makes a manager that is also reached through l, by processes that
// know the key, on this machine (a Unix socket) or on others (TCP). Both ends
// prove that they know it before anything else is said (HMAC-SHA256 over both
// ends' random challenges); the key itself never travels. What is said then is
// not encrypted: give a listener of crypto/tls for that. The manager owns l.
func ServeManager(l net.Listener, key []byte) *Manager {
	m := NewManager()
	if len(key) == 0 {
		m.bad = errors.New("parallel: ServeManager without a key would let anybody in")
		l.Close()
		return m
	}
	s := m.server
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	go s.acceptConns(l, append([]byte(nil), key...))
	return m
}

// DialManager connects to a manager that ServeManager serves, as net.Dial does.
// Its objects are found by NamedDict, NamedList and NamedCounter. The manager, and
// its objects, may be given to other processes, the key with them. The error is
// ErrKey if the key is another one.
func DialManager(network, addr string, key []byte) (*Manager, error) {
	return DialManagerFunc(func() (net.Conn, error) { return net.DialTimeout(network, addr, handshakeTime) }, network, addr, key)
}

// DialManagerFunc is DialManager over connections of the caller's own, as those of
// crypto/tls. Processes to which the manager is given connect by net.Dial.
func DialManagerFunc(dial func() (net.Conn, error), network, addr string, key []byte) (*Manager, error) {
	c := &managerClient{ref: managerRef{Network: network, Addr: addr, Key: append([]byte(nil), key...)}, dial: dial}
	// Once now, for the error.
	line, err := c.connect()
	if err != nil {
		return nil, err
	}
	c.idle = append(c.idle, line)
	return &Manager{client: c}, nil
}

// handshakeTime is how long either end waits for the other's proof.
const handshakeTime = 10 * time.Second

func (s *managerServer) acceptConns(l net.Listener, key []byte) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if s.closed.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // too many files, perhaps: it passes
			continue
		}
		s.mu.Lock()
		closed := s.closed.Load()
		if !closed {
			s.conns[conn] = true
		}
		s.mu.Unlock()
		if closed {
			conn.Close()
			return
		}
		go s.serveConn(conn, key)
	}
}

func (s *managerServer) serveConn(conn net.Conn, key []byte) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	r := bufio.NewReaderSize(conn, 1<<16)
	if handshake(conn, r, key, true) != nil {
		return
	}
	for {
		req, err := readFrame(r)
		if err != nil {
			return
		}
		if writeFrame(conn, s.do(req)) != nil {
			return
		}
	}
}

const challengeSize = 32

// handshake proves to each end that the other has the key. Each sends a challenge;
// the proof is over both, and over who gives it, so that none can be sent back.
func handshake(conn net.Conn, r io.Reader, key []byte, server bool) error {
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	mine, theirs := make([]byte, challengeSize), make([]byte, challengeSize)
	if _, err := rand.Read(mine); err != nil {
		return err
	}
	if _, err := conn.Write(append([]byte(protocol), mine...)); err != nil {
		return err
	}
	hello := make([]byte, len(protocol))
	if _, err := io.ReadFull(r, hello); err != nil {
		return err
	}
	if string(hello) != protocol {
		return fmt.Errorf("parallel: no manager is there: it says %q", hello)
	}
	if _, err := io.ReadFull(r, theirs); err != nil {
		return err
	}
	proof := func(who string, a, b []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(who))
		h.Write(a)
		h.Write(b)
		return h.Sum(nil)
	}
	want := make([]byte, sha256.Size)
	check := func(who string) error {
		if _, err := io.ReadFull(r, want); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return ErrKey // the other end has refused this one's
			}
			return err
		}
		if !hmac.Equal(want, proof(who, theirs, mine)) {
			return ErrKey
		}
		return nil
	}
	if server {
		// The client goes first: who does not know the key gets no proof.
		if err := check("client"); err != nil {
			return err
		}
		if _, err := conn.Write(proof("server", mine, theirs)); err != nil {
			return err
		}
	} else {
		if _, err := conn.Write(proof("client", mine, theirs)); err != nil {
			return err
		}
		if err := check("server"); err != nil {
			return err
		}
	}
	return conn.SetDeadline(time.Time{})
}

// protocol opens a connection; the number is that of the version.
const protocol = "parallel manager 1\n"

func writeFrame(w io.Writer, data []byte) error {
	if len(data) > managerLimit {
		return fmt.Errorf("parallel: a message of %d bytes is too long for a manager", len(data))
	}
	frame := make([]byte, 4, 4+len(data))
	binary.LittleEndian.PutUint32(frame, uint32(len(data)))
	_, err := w.Write(append(frame, data...))
	return err
}

// readFrame takes memory as bytes come, not as the length says.
func readFrame(r *bufio.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n > managerLimit {
		return nil, errManagerFrame
	}
	data := make([]byte, 0, min(n, 1<<16))
	for len(data) < n {
		k := min(n-len(data), max(len(data), 1<<16))
		data = append(data, make([]byte, k)...)
		if _, err := io.ReadFull(r, data[len(data)-k:]); err != nil {
			return nil, err
		}
	}
	return data, nil
}

type socketLine struct {
	conn net.Conn
	r    *bufio.Reader
}

func (c *managerClient) connectSocket() (managerLine, error) {
	dial := c.dial
	if dial == nil {
		dial = func() (net.Conn, error) { return net.DialTimeout(c.ref.Network, c.ref.Addr, handshakeTime) }
	}
	conn, err := dial()
	if err != nil {
		return nil, fmt.Errorf("parallel: connecting to the manager at %s: %w", c.ref.Addr, err)
	}
	l := socketLine{conn, bufio.NewReaderSize(conn, 1<<16)}
	if err := handshake(conn, l.r, c.ref.Key, false); err != nil {
		conn.Close()
		if err == ErrKey {
			return nil, err
		}
		return nil, fmt.Errorf("parallel: connecting to the manager at %s: %w", c.ref.Addr, err)
	}
	return l, nil
}

func (l socketLine) exchange(req []byte) ([]byte, error) {
	if err := writeFrame(l.conn, req); err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrManagerClosed, err)
	}
	resp, err := readFrame(l.r)
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrManagerClosed, err)
	}
	return resp, nil
}

func (l socketLine) close() { l.conn.Close() }
