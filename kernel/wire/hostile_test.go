package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

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
