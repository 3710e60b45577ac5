package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// logged is a log that a test can wait on.
type logged struct {
	mu    sync.Mutex
	text  strings.Builder
	lines chan string
}

func newLogged() (*logged, *log.Logger) {
	l := &logged{lines: make(chan string, 1000)}
	return l, log.New(l, "", 0)
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	select {
	case l.lines <- string(p):
	default:
	}
	return len(p), nil
}

func (l *logged) wait(t *testing.T, want string) {
	t.Helper()
	for {
		select {
		case line := <-l.lines:
			if strings.Contains(line, want) {
				return
			}
		case <-time.After(20 * time.Second):
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("no log line with %q; the log:\n%s", want, &l.text)
		}
	}
}

// noGoroutinesLeft fails when the test ends with more goroutines of this
// package than it began with.
func noGoroutinesLeft(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		for {
			buf := make([]byte, 1<<20)
			stacks := string(buf[:runtime.Stack(buf, true)])
			n := strings.Count(stacks, "wire.(*peer)") + strings.Count(stacks, "wire.(*Server).accept")
			if n == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("goroutines left behind:\n%s", stacks)
			}
			runtime.Gosched()
		}
	})
}

func listen(t *testing.T, c Connection) (*Server, *logged) {
	t.Helper()
	noGoroutinesLeft(t)
	l, logger := newLogged()
	s, err := Listen(c, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s, l
}

// loopback is a connection whose ports the server chooses.
func loopback() Connection {
	return Connection{Transport: "tcp", IP: "127.0.0.1", Key: "secret", SignatureScheme: "hmac-sha256"}
}

func connect(t *testing.T, s *Server, id string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), s.Connection(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for subscribed := false; !subscribed; runtime.Gosched() {
		s.mu.Lock()
		for p, topics := range s.topics {
			subscribed = subscribed || p.id == id && len(topics) > 0
		}
		s.mu.Unlock()
	}
	return c
}

func message(t *testing.T, typ string, content any) *Message {
	t.Helper()
	m, err := NewSession("tester").New(typ, Header{}, content)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func transports(t *testing.T, f func(t *testing.T, c Connection)) {
	t.Run("tcp", func(t *testing.T) { f(t, loopback()) })
	t.Run("ipc", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("ipc is for Unix")
		}
		dir, err := os.MkdirTemp("", "wire") // t.TempDir's path can be too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			left, _ := os.ReadDir(dir)
			if len(left) > 0 {
				t.Errorf("socket files left behind: %v", left)
			}
			os.RemoveAll(dir)
		})
		c, err := NewConnection("ipc", dir)
		if err != nil {
			t.Fatal(err)
		}
		f(t, c)
	})
}

func TestRequestReplyPublishAndPing(t *testing.T) {
	transports(t, func(t *testing.T, where Connection) {
		s, _ := listen(t, where)
		a, b := connect(t, s, "a"), connect(t, s, "b")
		for _, ch := range []Channel{Shell, Control, Stdin} {
			for name, c := range map[string]*Client{"a": a, "b": b} {
				ask := message(t, "ask", map[string]any{"from": name})
				ask.Buffers = [][]byte{{1, 2}, {}}
				if err := c.Send(ch, ask); err != nil {
					t.Fatal(err)
				}
				got, err := s.Receive(t.Context(), ch)
				if err != nil {
					t.Fatal(err)
				}
				if string(got.Identities[0]) != name || got.Header.ID != ask.Header.ID || len(got.Buffers) != 2 || !bytes.Equal(got.Buffers[0], []byte{1, 2}) {
					t.Fatalf("%v from %s arrived as %+v", ch, name, got)
				}
				reply, _ := NewSession("kernel").New("answer", got.Header, map[string]any{"to": name})
				reply.Identities = got.Identities
				if err := s.Send(ch, reply); err != nil {
					t.Fatal(err)
				}
				back, err := c.Receive(t.Context(), ch)
				if err != nil || back.Parent.ID != ask.Header.ID || !strings.Contains(string(back.Content), name) {
					t.Fatalf("%v answer to %s: %+v %v", ch, name, back, err)
				}
			}
		}
		status := message(t, "status", nil)
		status.Identities = [][]byte{[]byte("status")}
		if err := s.Send(IOPub, status); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*Client{a, b} {
			if m, err := c.Receive(t.Context(), IOPub); err != nil || m.Header.ID != status.Header.ID {
				t.Fatalf("published: %+v %v", m, err)
			}
			if err := c.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		lost := message(t, "answer", nil)
		lost.Identities = [][]byte{[]byte("nobody")}
		if err := s.Send(Shell, lost); err == nil {
			t.Error("a message to nobody was sent")
		}
	})
}

// TestPublishedWholeAndInOrder sends more than fits in any buffer to one client that
// reads and one that reads late.
func TestPublishedWholeAndInOrder(t *testing.T) {
	const n = 100_000
	s, _ := listen(t, loopback())
	quick, late := connect(t, s, "quick"), connect(t, s, "late")
	read := func(c *Client) error {
		for i := range n {
			m, err := c.Receive(t.Context(), IOPub)
			if err != nil {
				return err
			}
			if want := fmt.Sprintf(`{"n":%d}`, i); string(m.Content) != want {
				return fmt.Errorf("got %s, want %s", m.Content, want)
			}
		}
		return nil
	}
	results := make(chan error, 2)
	start := make(chan struct{})
	go func() { results <- read(quick) }()
	go func() { <-start; results <- read(late) }()
	session := NewSession("kernel")
	for i := range n {
		m, err := session.New("stream", Header{}, map[string]int{"n": i})
		if err != nil {
			t.Fatal(err)
		}
		m.Identities = [][]byte{[]byte("stream")}
		if i == n/10 {
			close(start)
		}
		if err := s.Send(IOPub, m); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
}

// TestCloseDeliversWhatIsQueued closes the server right after it has sent much.
func TestCloseDeliversWhatIsQueued(t *testing.T) {
	s, _ := listen(t, loopback())
	c := connect(t, s, "c")
	const n = 500
	body := map[string]string{"text": strings.Repeat("x", 10_000)}
	for range n {
		m := message(t, "stream", body)
		m.Identities = [][]byte{[]byte("stream")}
		if err := s.Send(IOPub, m); err != nil {
			t.Fatal(err)
		}
	}
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		closed <- s.Close(ctx)
	}()
	for i := range n {
		if _, err := c.Receive(t.Context(), IOPub); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if _, err := c.Receive(t.Context(), IOPub); !errors.Is(err, ErrClosed) {
		t.Fatalf("after the last message: %v, want ErrClosed", err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
}

// TestStalledSubscriberIsDropped: a subscriber that stops reading delays the
// others for stallTime once, not for ever, and the log says so.
// rawSubscriber does the handshake of a SUB socket by hand and then reads nothing.
// TestHostilePeers connects peers that break every rule; the server must answer
// a proper client afterwards, and meanwhile.
func TestListenOnATakenPort(t *testing.T) {
	s, _ := listen(t, loopback())
	_, logger := newLogged()
	if _, err := Listen(s.Connection(), logger); err == nil || !strings.Contains(err.Error(), "listen for shell") {
		t.Fatalf("error %v", err)
	}
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	noGoroutinesLeft(t)
	c, err := NewConnection("tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, c, "x"); err == nil || !strings.Contains(err.Error(), "connect to the kernel") {
		t.Fatalf("error %v", err)
	}
}

// FuzzPeer feeds bytes to a server's end after a proper greeting.
