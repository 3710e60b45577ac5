package kernel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paragopher/paragopher/kernel/wire"
)

func TestExecute(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		name      string
		request   map[string]any
		published []string
		reply     map[string]any // part of it
	}{
		{"output and result",
			map[string]any{"code": "out hi\nerrout ho\nhtml <b>\nupdate bar 50%\nclear\nvalue 42"},
			[]string{"status busy", `execute_input {"code":"out hi\nerrout ho\nhtml \u003cb\u003e\nupdate bar 50%\nclear\nvalue 42","execution_count":1}`,
				`stream {"name":"stdout","text":"hi\n"}`, `stream {"name":"stderr","text":"ho\n"}`,
				`display_data {"data":{"text/html":"\u003cb\u003e","text/plain":"\u003cb\u003e"}}`,
				`update_display_data {"data":{"text/plain":"50%"},"transient":{"display_id":"bar"}}`,
				`clear_output {"wait":true}`, `execute_result {"data":{"text/plain":"42"},"execution_count":1}`, "status idle"},
			map[string]any{"status": "ok", "execution_count": 1.0, "payload": []any{}, "user_expressions": map[string]any{}}},
		{"error",
			map[string]any{"code": "fail oh"},
			[]string{"status busy", `execute_input {"code":"fail oh","execution_count":2}`,
				`error {"ename":"MockError","evalue":"oh","traceback":["cell[2]: oh"]}`, "status idle"},
			map[string]any{"status": "error", "execution_count": 2.0, "ename": "MockError", "evalue": "oh", "traceback": []any{"cell[2]: oh"}}},
		{"silent says nothing and does not count",
			map[string]any{"code": "out hi\nvalue 1", "silent": true},
			[]string{"status busy", "status idle"},
			map[string]any{"status": "ok", "execution_count": 2.0}},
		{"silent error is in the answer alone",
			map[string]any{"code": "fail x", "silent": true},
			[]string{"status busy", "status idle"},
			map[string]any{"status": "error", "ename": "MockError"}},
		{"not stored does not count",
			map[string]any{"code": "value 1", "store_history": false},
			[]string{"status busy", `execute_input {"code":"value 1","execution_count":2}`, `execute_result {"data":{"text/plain":"1"},"execution_count":2}`, "status idle"},
			map[string]any{"status": "ok", "execution_count": 2.0}},
		{"an empty cell does not count",
			map[string]any{"code": " \n"},
			[]string{"status busy", `execute_input {"code":" \n","execution_count":2}`, "status idle"},
			map[string]any{"status": "ok", "execution_count": 2.0}},
		{"user expressions",
			map[string]any{"code": "", "user_expressions": map[string]string{"a": "value 7", "b": "fail no", "c": "out q"}},
			[]string{"status busy", `execute_input {"code":"","execution_count":2}`, `stream {"name":"stdout","text":"q\n"}`, "status idle"},
			map[string]any{"status": "ok", "user_expressions": map[string]any{
				"a": map[string]any{"status": "ok", "data": map[string]any{"text/plain": "7"}, "metadata": map[string]any{}},
				"b": map[string]any{"status": "error", "ename": "MockError", "evalue": "no", "traceback": []any{"cell[2]: no"}, "execution_count": 2.0},
				"c": map[string]any{"status": "ok", "data": map[string]any{}, "metadata": map[string]any{}},
			}}},
		{"counting goes on",
			map[string]any{"code": "value 1"},
			[]string{"status busy", `execute_input {"code":"value 1","execution_count":3}`, `execute_result {"data":{"text/plain":"1"},"execution_count":3}`, "status idle"},
			map[string]any{"status": "ok", "execution_count": 3.0}},
		{"an error without a traceback",
			map[string]any{"code": "bare x", "silent": true},
			[]string{"status busy", "status idle"},
			map[string]any{"status": "error", "traceback": []any{}}},
		{"a fault of the engine is an answer",
			map[string]any{"code": "panic", "store_history": false},
			[]string{"status busy", `execute_input {"code":"panic","execution_count":3}`, "status idle"},
			map[string]any{"status": "error", "ename": "KernelError", "execution_count": 3.0}},
		{"content of the wrong type",
			map[string]any{"code": 5},
			[]string{"status busy", "status idle"},
			map[string]any{"status": "error", "ename": "RequestError"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := *b
			b.t = t
			reply, published := b.ask(wire.Shell, "execute_request", c.request)
			equal(t, "published", published, c.published)
			for k, v := range c.reply {
				equal(t, "reply's "+k, reply[k], v)
			}
		})
	}
}

func TestInterruptOnControlWhileACellRuns(t *testing.T) {
	b := start(t)
	for range 20 {
		cell := b.send(wire.Shell, "execute_request", map[string]any{"code": "wait"})
		// As a client does: the kernel is seen to be busy, not yet what it does.
		b.busy(cell)
		stop := b.send(wire.Control, "interrupt_request", nil)
		if r := b.receive(wire.Control); r.Parent.ID != stop.Header.ID {
			t.Fatalf("%+v", r)
		}
		var reply struct{ Status, EName string }
		if r := b.receive(wire.Shell); r.Parent.ID != cell.Header.ID || r.Decode(&reply) != nil || reply.EName != "Interrupted" {
			t.Fatalf("%s", r.Content)
		}
		for idle := 0; idle < 2; { // of both
			if state(b.receive(wire.IOPub)) == "idle" {
				idle++
			}
		}
	}
	reply, _ := b.ask(wire.Shell, "execute_request", map[string]any{"code": "value 1"})
	equal(t, "afterwards", reply["status"], "ok")
}

func TestErrorAbortsTheQueue(t *testing.T) {
	for range 20 {
		b := start(t)
		var cells []*wire.Message
		for _, code := range []string{"fail x", "value 1", "value 2"} {
			cells = append(cells, b.send(wire.Shell, "execute_request", map[string]any{"code": code}))
		}
		info := b.send(wire.Shell, "kernel_info_request", nil)
		var got []string
		for range 4 {
			m := b.receive(wire.Shell)
			var c struct{ Status string }
			m.Decode(&c)
			at := slices.IndexFunc(append(cells, info), func(r *wire.Message) bool { return r.Header.ID == m.Parent.ID })
			got = append(got, fmt.Sprint(at, m.Header.Type, c.Status))
		}
		equal(t, "answers", got, []string{"0execute_replyerror", "1execute_replyaborted", "2execute_replyaborted", "3kernel_info_replyok"})
		var published []string
		for _, r := range append(cells, info) {
			published = append(published, b.published(r)...)
		}
		equal(t, "published", published, []string{"status busy", `execute_input {"code":"fail x","execution_count":1}`,
			`error {"ename":"MockError","evalue":"x","traceback":["cell[1]: x"]}`, "status idle",
			"status busy", "status idle", "status busy", "status idle", "status busy", "status idle"})
		// Whoever has seen the error is served again.
		reply, _ := b.ask(wire.Shell, "execute_request", map[string]any{"code": "value 3"})
		equal(t, "afterwards", reply["status"], "ok")
		equal(t, "afterwards", reply["execution_count"], 2.0)
	}
}

func TestErrorDoesNotAbortWhenAskedNotTo(t *testing.T) {
	b := start(t)
	b.send(wire.Shell, "execute_request", map[string]any{"code": "fail x", "stop_on_error": false})
	b.send(wire.Shell, "execute_request", map[string]any{"code": "value 1"})
	for _, want := range []string{"error", "ok"} {
		var c struct{ Status string }
		b.receive(wire.Shell).Decode(&c)
		equal(t, "status", c.Status, want)
	}
}

func TestInput(t *testing.T) {
	b := start(t)
	reply, _ := b.ask(wire.Shell, "execute_request", map[string]any{"code": "input name", "allow_stdin": false})
	equal(t, "without stdin", reply["status"], "error")
	if v, _ := reply["evalue"].(string); !strings.Contains(v, "allow_stdin") {
		t.Errorf("error %q", v)
	}
	cell := b.send(wire.Shell, "execute_request", map[string]any{"code": "input name", "allow_stdin": true})
	ask := b.receive(wire.Stdin)
	if ask.Header.Type != "input_request" || ask.Parent.ID != cell.Header.ID || string(ask.Content) != `{"password":false,"prompt":"name"}` {
		t.Fatalf("%+v %s", ask, ask.Content)
	}
	// An answer to another question is not taken.
	stale, _ := b.session.New("input_reply", wire.Header{ID: "old", Type: "input_request"}, map[string]string{"value": "stale"})
	b.client.Send(wire.Stdin, stale)
	b.send(wire.Stdin, "input_reply", map[string]string{"value": "gopher"}) // jupyter_client's has no parent
	b.receive(wire.Shell)
	equal(t, "published", b.published(cell), []string{"status busy", `execute_input {"code":"input name","execution_count":2}`,
		`stream {"name":"stdout","text":"gopher\n"}`, "status idle"})

	b.send(wire.Shell, "execute_request", map[string]any{"code": "input again", "allow_stdin": true})
	b.receive(wire.Stdin)
	b.send(wire.Control, "interrupt_request", nil)
	var c struct{ EValue string }
	b.receive(wire.Shell).Decode(&c)
	if !strings.Contains(c.EValue, "canceled") {
		t.Errorf("an interrupted question ends with %q", c.EValue)
	}
}

func TestLateOutputGoesToItsCell(t *testing.T) {
	b := start(t)
	first := b.send(wire.Shell, "execute_request", map[string]any{"code": "later from the first"})
	b.receive(wire.Shell)
	b.published(first)
	second := b.send(wire.Shell, "execute_request", map[string]any{"code": "out second"})
	for {
		m := b.receive(wire.IOPub)
		if m.Header.Type == "stream" {
			if m.Parent.ID != first.Header.ID || !strings.Contains(string(m.Content), "from the first") {
				t.Errorf("%s belongs to %q, not to the first cell", m.Content, m.Parent.ID)
			}
			break
		}
	}
	b.published(second)
}
