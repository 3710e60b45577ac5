package kernel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/kernel/internal/mock"
	"github.com/paragopher/paragopher/kernel/wire"
)

// bench is a kernel with a mock engine in this process, and a client connected
// to it over real sockets.
type bench struct {
	t       *testing.T
	server  *wire.Server
	client  *wire.Client
	session wire.Session
	running chan string // cells that wait or hang
	ended   chan error  // what Run returned
	log     *syncLog
}

type syncLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T) *bench {
	b := &bench{t: t, session: wire.NewSession("tester"), running: make(chan string, 100), log: &syncLog{}}
	return b.run(func(s engine.Sink) (kernel.Engine, error) {
		e := mock.New(s)
		e.Running = b.running
		return e, nil
	})
}

func (b *bench) run(newEngine func(engine.Sink) (kernel.Engine, error)) *bench {
	t := b.t
	t.Helper()
	logger := log.New(b.log, "", 0)
	var err error
	b.server, err = wire.Listen(wire.Connection{Transport: "tcp", IP: "127.0.0.1", Key: "k", SignatureScheme: "hmac-sha256"}, logger)
	if err != nil {
		t.Fatal(err)
	}
	k := kernel.New(b.server, newEngine, new(kernel.Memory), kernel.NoComms{}, logger)
	ctx, stop := context.WithCancel(context.Background())
	b.ended = make(chan error, 1)
	go func() { b.ended <- k.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		b.server.Close(limit)
	})
	b.client, err = wire.Dial(t.Context(), b.server.Connection(), b.session.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.client.Close)
	// Until the subscription has arrived, what is published is not for us.
	for heard := false; !heard; {
		b.send(wire.Shell, "kernel_info_request", nil)
		b.receive(wire.Shell)
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		for {
			m, err := b.client.Receive(soon, wire.IOPub)
			if err != nil {
				break
			}
			if heard = state(m) == "idle"; heard {
				break
			}
		}
		cancel()
	}
	return b
}

func state(m *wire.Message) string {
	var s struct {
		State string `json:"execution_state"`
	}
	m.Decode(&s)
	return s.State
}

func (b *bench) send(ch wire.Channel, msgType string, content any) *wire.Message {
	b.t.Helper()
	m, err := b.session.New(msgType, wire.Header{}, content)
	if err == nil {
		err = b.client.Send(ch, m)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

func (b *bench) receive(ch wire.Channel) *wire.Message {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	m, err := b.client.Receive(ctx, ch)
	if err != nil {
		b.t.Fatalf("nothing on %v: %v\nlog:\n%s", ch, err, b.log)
	}
	return m
}

// published gives what is published for a request, from busy to idle, as lines.
func (b *bench) published(request *wire.Message) []string {
	b.t.Helper()
	var lines []string
	for {
		m := b.receive(wire.IOPub)
		if m.Parent.ID != request.Header.ID {
			lines = append(lines, "OTHER "+m.Header.Type+" "+string(m.Content))
			continue
		}
		lines = append(lines, strings.TrimSpace(m.Header.Type+" "+brief(m)))
		if state(m) == "idle" {
			return lines
		}
	}
}

// busy waits until the kernel serves a request.
func (b *bench) busy(request *wire.Message) {
	b.t.Helper()
	for m := b.receive(wire.IOPub); m.Parent.ID != request.Header.ID || state(m) != "busy"; {
		m = b.receive(wire.IOPub)
	}
}

// brief gives the content without what is the same everywhere.
func brief(m *wire.Message) string {
	var c map[string]any
	m.Decode(&c)
	if s, ok := c["execution_state"].(string); ok {
		return s
	}
	for k, v := range c {
		if o, ok := v.(map[string]any); ok && len(o) == 0 {
			delete(c, k)
		}
	}
	out, _ := json.Marshal(c)
	return string(out)
}

// ask sends a request, and gives the content of its answer and what was
// published for it.
func (b *bench) ask(ch wire.Channel, msgType string, content any) (map[string]any, []string) {
	b.t.Helper()
	request := b.send(ch, msgType, content)
	reply := b.receive(ch)
	if reply.Parent.ID != request.Header.ID || reply.Header.Type != strings.Replace(msgType, "_request", "_reply", 1) {
		b.t.Fatalf("answer to %s: %s of %q", msgType, reply.Header.Type, reply.Parent.ID)
	}
	var c map[string]any
	if err := reply.Decode(&c); err != nil {
		b.t.Fatal(err)
	}
	return c, b.published(request)
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func TestOtherRequests(t *testing.T) {
	b := start(t)
	silence := []string{"status busy", "status idle"}
	for _, c := range []struct {
		ask   string
		with  any
		reply string
	}{
		{"is_complete_request", map[string]any{"code": "a {"}, `{"indent":"\t","status":"incomplete"}`},
		{"is_complete_request", map[string]any{"code": "a"}, `{"status":"complete"}`},
		{"is_complete_request", map[string]any{"code": "?!"}, `{"status":"invalid"}`},
		{"complete_request", map[string]any{"code": "fmt.", "cursor_pos": 4}, `{"cursor_end":4,"cursor_start":4,"matches":[],"metadata":{},"status":"ok"}`},
		{"complete_request", map[string]any{"code": "😀 x.ab", "cursor_pos": 6}, `{"cursor_end":6,"cursor_start":4,"matches":["ab!"],"metadata":{"_jupyter_types_experimental":[{"end":6,"signature":"()","start":4,"text":"ab!","type":"function"}]},"status":"ok"}`},
		{"inspect_request", map[string]any{"code": "", "cursor_pos": 0, "detail_level": 0}, `{"data":{},"found":false,"metadata":{},"status":"ok"}`},
		{"inspect_request", map[string]any{"code": "x", "cursor_pos": 1, "detail_level": 1}, `{"data":{"text/html":"\u003cpre\u003ex\u003c/pre\u003e\n\u003cpre\u003edetail\u003c/pre\u003e\n","text/markdown":"` + "```go\\nx\\n```\\n\\n```go\\ndetail\\n```" + `","text/plain":"x\n\ndetail"},"found":true,"metadata":{},"status":"ok"}`},
		{"comm_info_request", map[string]any{"target_name": "jupyter.widget"}, `{"comms":{},"status":"ok"}`},
		{"interrupt_request", nil, `{"status":"ok"}`},
	} {
		reply, published := b.ask(wire.Shell, c.ask, c.with)
		got, _ := json.Marshal(reply)
		equal(t, c.ask, string(got), c.reply)
		equal(t, c.ask, published, silence)
	}
	for _, ch := range []wire.Channel{wire.Shell, wire.Control} {
		info, published := b.ask(ch, "kernel_info_request", nil)
		lang := info["language_info"].(map[string]any)
		if info["status"] != "ok" || info["protocol_version"] != "5.3" || info["implementation"] != "paragopher" ||
			lang["name"] != "go" || lang["mimetype"] != "text/x-go" || lang["file_extension"] != ".go" || lang["version"] == "" || info["banner"] == "" {
			t.Errorf("kernel info on %v: %v", ch, info)
		}
		equal(t, "published", published, silence)
	}
	open := b.send(wire.Shell, "comm_open", map[string]any{"comm_id": "c1", "target_name": "nobody", "data": map[string]any{}})
	equal(t, "comm_open", b.published(open), []string{"status busy", `comm_close {"comm_id":"c1"}`, "status idle"})
}

func TestHistory(t *testing.T) {
	b := start(t)
	for _, code := range []string{"value 1", "out a", "value 1", "value 2"} {
		b.ask(wire.Shell, "execute_request", map[string]any{"code": code})
	}
	b.ask(wire.Shell, "execute_request", map[string]any{"code": "out hidden", "store_history": false})
	for _, c := range []struct {
		with map[string]any
		want string
	}{
		{map[string]any{"hist_access_type": "tail", "n": 2}, `[[1,3,"value 1"],[1,4,"value 2"]]`},
		{map[string]any{"hist_access_type": "tail", "n": 2, "output": true}, `[[1,3,["value 1","1"]],[1,4,["value 2","2"]]]`},
		{map[string]any{"hist_access_type": "range", "session": 0, "start": 2, "stop": 4}, `[[1,2,"out a"],[1,3,"value 1"]]`},
		{map[string]any{"hist_access_type": "range", "session": 1, "start": 4, "stop": nil, "output": true}, `[[1,4,["value 2","2"]]]`},
		{map[string]any{"hist_access_type": "range", "session": 2, "start": 0}, `[]`},
		{map[string]any{"hist_access_type": "search", "pattern": "val*"}, `[[1,1,"value 1"],[1,3,"value 1"],[1,4,"value 2"]]`},
		{map[string]any{"hist_access_type": "search", "pattern": "*1", "unique": true}, `[[1,3,"value 1"]]`},
		{map[string]any{"hist_access_type": "search", "pattern": "value ?", "n": 1}, `[[1,4,"value 2"]]`},
		{map[string]any{"hist_access_type": "search", "pattern": "(v.*"}, `[]`},
		{map[string]any{"hist_access_type": "search"}, `[[1,1,"value 1"],[1,2,"out a"],[1,3,"value 1"],[1,4,"value 2"]]`},
		{map[string]any{"hist_access_type": "nonsense"}, `[]`},
	} {
		reply, _ := b.ask(wire.Shell, "history_request", c.with)
		got, _ := json.Marshal(reply["history"])
		equal(t, fmt.Sprint(c.with), string(got), c.want)
	}
}

func TestControlAnswersWhileACellRuns(t *testing.T) {
	b := start(t)
	b.send(wire.Shell, "execute_request", map[string]any{"code": "hang"})
	<-b.running
	b.send(wire.Control, "kernel_info_request", nil)
	equal(t, "answer", b.receive(wire.Control).Header.Type, "kernel_info_reply")
	b.send(wire.Control, "execute_request", map[string]any{"code": "value 1"}) // not there
	b.send(wire.Control, "kernel_info_request", nil)
	equal(t, "answer", b.receive(wire.Control).Header.Type, "kernel_info_reply")
	if !strings.Contains(b.log.String(), `control: "execute_request" messages are not supported`) {
		t.Errorf("log: %s", b.log)
	}
	if err := b.client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestShutdown(t *testing.T) {
	for _, ch := range []wire.Channel{wire.Shell, wire.Control} {
		for _, running := range []bool{false, true} {
			if ch == wire.Shell && running {
				continue // it waits for the cell, as shell requests do
			}
			t.Run(fmt.Sprint(ch, running), func(t *testing.T) {
				b := start(t)
				if running {
					b.send(wire.Shell, "execute_request", map[string]any{"code": "hang"})
					<-b.running
				}
				stop := b.send(ch, "shutdown_request", map[string]any{"restart": true})
				r := b.receive(ch)
				if r.Header.Type != "shutdown_reply" || r.Parent.ID != stop.Header.ID || string(r.Content) != `{"restart":true,"status":"ok"}` {
					t.Errorf("%s %s", r.Header.Type, r.Content)
				}
				if err := <-b.ended; err != nil {
					t.Error(err)
				}
				for told := false; !told; {
					told = b.receive(wire.IOPub).Header.Type == "shutdown_reply"
				}
			})
		}
	}
}

func TestEngineThatCannotStart(t *testing.T) {
	b := &bench{t: t, session: wire.NewSession("tester"), log: &syncLog{}}
	b.run(func(engine.Sink) (kernel.Engine, error) { return nil, errors.New("no session today") })
	reply, _ := b.ask(wire.Shell, "execute_request", map[string]any{"code": "value 1"})
	if v, _ := reply["evalue"].(string); reply["ename"] != "SessionError" || !strings.Contains(v, "no session today") {
		t.Errorf("%v", reply)
	}
	reply, _ = b.ask(wire.Shell, "is_complete_request", map[string]any{"code": "value 1"})
	equal(t, "is_complete", reply["status"], "unknown")
	b.send(wire.Control, "shutdown_request", nil)
	if err := <-b.ended; err != nil {
		t.Error(err)
	}
}

func TestSlowStart(t *testing.T) {
	b := &bench{t: t, session: wire.NewSession("tester"), log: &syncLog{}}
	up := make(chan struct{})
	b.run(func(s engine.Sink) (kernel.Engine, error) { <-up; return mock.New(s), nil }) // answers kernel_info
	b.busy(b.send(wire.Shell, "execute_request", map[string]any{"code": "value 1"}))
	b.send(wire.Control, "interrupt_request", nil)
	var c struct{ EName string }
	b.receive(wire.Shell).Decode(&c)
	equal(t, "interrupted while starting", c.EName, "Interrupted")
	b.send(wire.Shell, "execute_request", map[string]any{"code": "value 1"})
	close(up)
	var ok struct{ Status string }
	b.receive(wire.Shell).Decode(&ok)
	equal(t, "after the start", ok.Status, "ok")
}

func TestUnknownMessagesAreIgnored(t *testing.T) {
	b := start(t)
	b.send(wire.Shell, "make_coffee_request", nil)
	b.send(wire.Control, "debug_request", nil)
	b.send(wire.Control, "kernel_info_request", nil)
	equal(t, "answer", b.receive(wire.Control).Header.Type, "kernel_info_reply")
	b.ask(wire.Shell, "kernel_info_request", nil)
	for _, want := range []string{"make_coffee_request", "debug_request"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the log does not name %s:\n%s", want, b.log)
		}
	}
}
