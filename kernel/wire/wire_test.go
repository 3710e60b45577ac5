package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
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
func TestStalledSubscriberIsDropped(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the stall time")
	}
	s, l := listen(t, loopback())
	live := connect(t, s, "live")
	stalled := rawSubscriber(t, s)
	defer stalled.Close()
	big := map[string]string{"text": strings.Repeat("x", 1<<20)}
	const n = 64
	received := make(chan error, 1)
	go func() {
		for range n {
			if _, err := live.Receive(t.Context(), IOPub); err != nil {
				received <- err
				return
			}
		}
		received <- nil
	}()
	for range n {
		m := message(t, "stream", big)
		m.Identities = [][]byte{[]byte("stream")}
		if err := s.Send(IOPub, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-received; err != nil {
		t.Fatal(err)
	}
	l.wait(t, "has read nothing for")
}

// rawSubscriber does the handshake of a SUB socket by hand and then reads nothing.
func rawSubscriber(t *testing.T, s *Server) net.Conn {
	t.Helper()
	c := rawDial(t, s, IOPub)
	ready := "\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"
	c.Write(greeting())
	c.Write(append([]byte{flagCommand, byte(len(ready))}, ready...))
	if _, err := io.ReadFull(c, make([]byte, 64+2)); err != nil {
		t.Fatal(err)
	}
	c.Write([]byte{0, 1, 1})
	for subscribed := 0; subscribed < 2; runtime.Gosched() {
		s.mu.Lock()
		subscribed = 0
		for _, topics := range s.topics {
			subscribed += len(topics)
		}
		s.mu.Unlock()
	}
	return c
}

func rawDial(t *testing.T, s *Server, ch Channel) net.Conn {
	t.Helper()
	where := s.Connection()
	network, address := where.endpoint(ch)
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func greeting() []byte {
	g := make([]byte, 64)
	g[0], g[9], g[10] = 0xff, 0x7f, 3
	copy(g[12:], "NULL")
	return g
}

// TestHostilePeers connects peers that break every rule; the server must answer
// a proper client afterwards, and meanwhile.
func TestHostilePeers(t *testing.T) {
	s, l := listen(t, loopback())
	ready := func(body string) []byte {
		return append(append(greeting(), flagCommand, byte(len(body))), body...)
	}
	dealer := "\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
	huge := binary.BigEndian.AppendUint64([]byte{flagLong}, 1<<62)
	many := bytes.Repeat([]byte{flagMore, 0}, maxFrames+1)
	for _, c := range []struct {
		name string
		send []byte
		want string // in the log
	}{
		{"http", []byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a-browser/1.0 (something)\r\n\r\n"), "peer refused"},
		{"unknown socket type", ready("\x05READY\x0bSocket-Type\x00\x00\x00\x05WHAT?"), "unknown socket-type"},
		{"READY cut short", ready("\x05READY\x0bSocket-Type\x00\x00"), "peer refused"},
		{"READY with a wrong length", ready("\x05READY\xffSocket"), "peer refused"},
		{"empty command", ready(""), "peer refused"},
		{"wrong partner", ready("\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"), "not compatible"},
		{"huge READY", append(greeting(), flagCommand|flagLong, 0, 0, 0, 0, 1, 0, 0, 0), "peer refused"},
		{"huge frame", append(ready(dealer), huge...), "peer dropped"},
		{"endless message", append(ready(dealer), many...), "peer dropped"},
		{"unknown flags", append(ready(dealer), 0x80, 0), "peer dropped"},
		{"long command", append(ready(dealer), flagCommand|flagLong, 0, 0, 0, 0, 1, 0, 0, 0), "peer dropped"},
		{"no message", append(ready(dealer), 0, 1, 'x'), "message dropped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := rawDial(t, s, Shell)
			if _, err := conn.Write(c.send); err != nil {
				t.Fatal(err)
			}
			l.wait(t, c.want)
		})
	}
	silent := rawDial(t, s, Shell) // connects and says nothing
	defer silent.Close()
	c := connect(t, s, "good")
	if err := c.Send(Shell, message(t, "hello", nil)); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Receive(t.Context(), Shell); err != nil || m.Header.Type != "hello" {
		t.Fatalf("%+v %v", m, err)
	}
}

func TestZMTPPingIsAnswered(t *testing.T) {
	s, _ := listen(t, loopback())
	c := rawDial(t, s, Shell)
	ready := "\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
	c.Write(append(append(greeting(), flagCommand, byte(len(ready))), ready...))
	ping := "\x04PING\x00\x10ctx"
	c.Write(append([]byte{flagCommand, byte(len(ping))}, ping...))
	all := make([]byte, 0, 1000)
	buf := make([]byte, 1000)
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for !bytes.HasSuffix(all, []byte("\x04PONGctx")) {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("no pong in %q: %v", all, err)
		}
		all = append(all, buf[:n]...)
	}
}

func TestBadMessagesAreDroppedWithALine(t *testing.T) {
	s, l := listen(t, loopback())
	c := connect(t, s, "c")
	send := func(frames ...string) {
		bs := make([][]byte, len(frames))
		for i, f := range frames {
			bs[i] = []byte(f)
		}
		if err := c.peers[Shell].send(bs); err != nil {
			t.Fatal(err)
		}
	}
	send("<IDS|MSG>", "00", "{}", "{}", "{}", "{}")
	l.wait(t, "wrong signature")
	send("<IDS|MSG>", "not hex", "{}", "{}", "{}", "{}")
	l.wait(t, "wrong signature")
	send("<IDS|MSG>", "00", "{}")
	l.wait(t, "malformed message: 2 frames")
	send("hello")
	l.wait(t, "malformed message: no <IDS|MSG>")
	send("")
	l.wait(t, "malformed message")
	for _, bad := range [][4]string{
		{"[]", "{}", "{}", "{}"}, {"{}", "{}", "{}", "{}"}, {`{"msg_type":5}`, "{}", "{}", "{}"}, {"nope", "{}", "{}", "{}"},
		{`{"msg_type":"a"}`, "5", "{}", "{}"}, {`{"msg_type":"a"}`, "{}", "[]", "{}"},
		{`{"msg_type":"a"}`, "{}", "{}", `{"a":`}, {`{"msg_type":"a"}`, "{}", "{}", ""},
	} {
		frames := [][]byte{[]byte(bad[0]), []byte(bad[1]), []byte(bad[2]), []byte(bad[3])}
		sum := NewSigner("secret").sum(frames)
		send(append([]string{"<IDS|MSG>", fmt.Sprintf("%x", sum)}, bad[:]...)...)
		l.wait(t, "malformed message")
	}
	m := message(t, "once", nil)
	for range 2 {
		if err := c.Send(Shell, m); err != nil {
			t.Fatal(err)
		}
	}
	l.wait(t, "seen before")
	if got, err := s.Receive(t.Context(), Shell); err != nil || got.Header.ID != m.Header.ID {
		t.Fatalf("%+v %v", got, err)
	}
}

func TestHeaderKeepsUnknownFields(t *testing.T) {
	in := `{"msg_id":"1","msg_type":"t","subshell_id":"s","session":"x","username":"u","date":"d","version":"5.5"}`
	var h Header
	if err := json.Unmarshal([]byte(in), &h); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(h)
	if err != nil || string(out) != in {
		t.Errorf("%s %v", out, err)
	}
	if out, _ := json.Marshal(Header{}); string(out) != "{}" {
		t.Errorf("no header is written %s", out)
	}
	if err := json.Unmarshal([]byte("{}"), &h); err != nil || !h.IsZero() {
		t.Errorf("{} is read as %+v %v", h, err)
	}
}

func TestConnectionFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kernel-1.json")
	c, err := NewConnection("tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := c.Write(file); err == nil {
		t.Error("an existing file was overwritten")
	}
	got, err := ReadConnection(file)
	if err != nil || got != c {
		t.Errorf("%+v %v, want %+v", got, err, c)
	}
	for name, bad := range map[string]string{
		"not JSON":   "hello",
		"no ports":   `{"transport":"tcp","ip":"127.0.0.1"}`,
		"transport":  `{"transport":"udp","shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5}`,
		"wrong type": `{"shell_port":"1"}`,
		"scheme":     `{"transport":"tcp","shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5,"key":"k","signature_scheme":"hmac-md5"}`,
	} {
		p := filepath.Join(dir, "bad.json")
		os.WriteFile(p, []byte(bad), 0o600)
		if _, err := ReadConnection(p); err == nil || !strings.Contains(err.Error(), p) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with the path", name, err)
		}
	}
	if _, err := ReadConnection(file + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := NewConnection("udp", ""); err == nil {
		t.Error("udp was accepted")
	}
}

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

func FuzzDecode(f *testing.F) {
	signer := NewSigner("")
	m, _ := NewSession("u").New("t", Header{ID: "p", Type: "q"}, map[string]int{"a": 1})
	m.Identities = [][]byte{[]byte("id")}
	frames, _ := signer.Encode(m)
	f.Add(bytes.Join(frames, []byte{0}))
	f.Add([]byte("<IDS|MSG>\x00\x00{}\x00{}\x00{}\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := signer.Decode(bytes.Split(data, []byte{0}))
		if err != nil {
			if !errors.Is(err, ErrFrames) {
				t.Fatalf("%v is not ErrFrames", err)
			}
			return
		}
		again, err := signer.Encode(m)
		if err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
		if _, err := signer.Decode(again); err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
	})
}

// FuzzPeer feeds bytes to a server's end after a proper greeting.
func FuzzPeer(f *testing.F) {
	ready := "\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
	f.Add(append(append([]byte{flagCommand, byte(len(ready))}, ready...), 1, 9, '<', 'I', 'D', 'S', '|', 'M', 'S', 'G', '>', 0, 0))
	f.Add([]byte{flagCommand, 3, 200, 'a', 'b'})
	f.Fuzz(func(t *testing.T, data []byte) {
		here, there := net.Pipe()
		go func() {
			go io.Copy(io.Discard, there)
			there.Write(append(greeting(), data...))
			there.Close()
		}()
		p, err := open(t.Context(), here, "ROUTER", "", true)
		if err == nil {
			p.run(func([][]byte) {})
		}
	})
}
