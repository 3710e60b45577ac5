package kernel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/kernel/wire"
)

// executeRequest is the content of execute_request ("Execute").
type executeRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    bool              `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      bool              `json:"allow_stdin"`
	StopOnError     bool              `json:"stop_on_error"`
}

// executeReply is the content of execute_reply; the fields of an error are
// left out when there is none.
type executeReply struct {
	Status          string         `json:"status"`
	ExecutionCount  int            `json:"execution_count"`
	Payload         []any          `json:"payload"`
	UserExpressions map[string]any `json:"user_expressions"`
	EName           *string        `json:"ename,omitempty"`
	EValue          *string        `json:"evalue,omitempty"`
	Traceback       *[]string      `json:"traceback,omitempty"`
}

func (k *Kernel) execute(ctx context.Context, r *request) (any, error) {
	reply := executeReply{Status: "ok", Payload: []any{}, UserExpressions: map[string]any{}}
	req := executeRequest{StoreHistory: true, StopOnError: true}
	if err := r.Decode(&req); err != nil {
		return nil, err
	}
	if r.aborted {
		reply.Status = "aborted"
		reply.ExecutionCount = k.count
		return reply, nil
	}
	store := req.StoreHistory && !req.Silent
	blank := strings.TrimSpace(req.Code) == ""
	if store && !blank {
		k.count++
	}
	reply.ExecutionCount = k.count
	k.mu.Lock()
	k.cells.add(cell{header: r.Header, identities: r.Identities, silent: req.Silent, stdin: req.AllowStdin})
	k.mu.Unlock()
	if !req.Silent {
		k.publish(r.Header, "execute_input", map[string]any{"code": req.Code, "execution_count": k.count})
	}
	if blank && len(req.UserExpressions) == 0 {
		return reply, nil
	}
	c := engine.Cell{ID: r.Header.ID, Count: k.count, Code: req.Code, AllowStdin: req.AllowStdin}
	var res engine.Result
	if !blank {
		res = k.runCell(ctx, c)
	}
	if store && !blank {
		k.history.Add(Entry{Session: 1, Line: k.count, Input: req.Code, Output: res.Value.Text()})
	}
	if res.Err == nil {
		if res.Value != nil && !req.Silent {
			content := displayContent(*res.Value)
			content["execution_count"] = k.count
			k.publish(r.Header, "execute_result", content)
		}
		for name, code := range req.UserExpressions {
			reply.UserExpressions[name] = k.evaluate(ctx, c, code)
		}
		return reply, nil
	}
	e := *res.Err
	if e.Traceback == nil {
		e.Traceback = []string{}
	}
	if !req.Silent {
		k.publish(r.Header, "error", map[string]any{"ename": e.Name, "evalue": e.Value, "traceback": e.Traceback})
	}
	reply.Status = "error"
	reply.EName, reply.EValue, reply.Traceback = &e.Name, &e.Value, &e.Traceback
	if req.StopOnError {
		k.abortQueue(ctx)
	}
	return reply, nil
}

func (k *Kernel) runCell(ctx context.Context, c engine.Cell) engine.Result {
	e, err := k.running(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return failed("Interrupted", "interrupted while the session was starting")
	case err != nil:
		return failed("SessionError", fmt.Sprintf("the session that runs cells could not be started: %v", err))
	}
	return e.Run(ctx, c)
}

func failed(name, value string) engine.Result {
	return engine.Result{Err: &engine.Error{Name: name, Value: value, Traceback: []string{name + ": " + value}}}
}

// evaluate gives the reply's entry of one user expression.
func (k *Kernel) evaluate(ctx context.Context, c engine.Cell, code string) any {
	c.Code = code
	res := k.runCell(ctx, c)
	if e := res.Err; e != nil {
		return failure{Status: "error", EName: e.Name, EValue: e.Value, Traceback: append([]string{}, e.Traceback...), ExecutionCount: c.Count}
	}
	if res.Value == nil {
		res.Value = &display.Bundle{}
	}
	content := displayContent(*res.Value)
	delete(content, "transient")
	content["status"] = "ok"
	return content
}

// abortQueue marks the execute requests that wait for the failed cell. It is
// called before the failure is answered: whatever arrives until then was sent
// by someone who did not know of it.
func (k *Kernel) abortQueue(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	for {
		m, err := k.transport.Receive(ctx, wire.Shell)
		if err != nil {
			break
		}
		k.pending = append(k.pending, &request{Message: m, from: wire.Shell})
	}
	for _, r := range k.pending {
		r.aborted = true
	}
}

// cell is what must be known of a cell in order to show its output.
type cell struct {
	header     wire.Header
	identities [][]byte
	silent     bool
	stdin      bool
}

// cellsKept is how many cells are remembered for what their goroutines may
// still put out.
const cellsKept = 1024

// cellLog holds the newest cells by the ID of their request.
type cellLog struct {
	byID  map[string]cell
	order []string
}

func (l *cellLog) add(c cell) {
	if l.byID == nil {
		l.byID = map[string]cell{}
	}
	if _, known := l.byID[c.header.ID]; !known {
		l.order = append(l.order, c.header.ID)
	}
	l.byID[c.header.ID] = c
	if len(l.order) > cellsKept {
		delete(l.byID, l.order[0])
		l.order = l.order[1:]
	}
}

// find gives the cell with that ID, or else the newest: output should be seen
// somewhere.
func (l *cellLog) find(id string) cell {
	if c, ok := l.byID[id]; ok || len(l.order) == 0 {
		return c
	}
	return l.byID[l.order[len(l.order)-1]]
}

func (k *Kernel) cell(id string) cell {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.cells.find(id)
}

// sink turns what cells put out into messages.
type sink struct{ k *Kernel }

func (s sink) publish(id, msgType string, content any) {
	if c := s.k.cell(id); !c.silent {
		s.k.publish(c.header, msgType, content)
	}
}

func (s sink) Stream(id, name, text string) {
	s.publish(id, "stream", map[string]string{"name": name, "text": text})
}

func (s sink) Display(id string, b display.Bundle) {
	msgType := "display_data"
	if b.Update {
		msgType = "update_display_data"
	}
	s.publish(id, msgType, displayContent(b))
}

func (s sink) ClearOutput(id string, wait bool) {
	s.publish(id, "clear_output", map[string]bool{"wait": wait})
}

// displayContent is the content of display_data ("Display data").
func displayContent(b display.Bundle) map[string]any {
	transient := map[string]any{}
	if b.ID != "" {
		transient["display_id"] = b.ID
	}
	return map[string]any{"data": orEmpty(b.Data), "metadata": orEmpty(b.Metadata), "transient": transient}
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// Input asks the client that sent the cell for a line ("Messages on the stdin
// channel").
func (s sink) Input(ctx context.Context, id, prompt string, password bool) (string, error) {
	c := s.k.cell(id)
	if !c.stdin {
		return "", errors.New("this front end cannot be asked for input (allow_stdin is false)")
	}
	// Answers to a question that was interrupted are not for this one.
	for stale := true; stale; {
		now, cancel := context.WithTimeout(ctx, 0)
		_, err := s.k.transport.Receive(now, wire.Stdin)
		cancel()
		stale = err == nil
	}
	ask, err := s.k.session.New("input_request", c.header, map[string]any{"prompt": prompt, "password": password})
	if err != nil {
		return "", err
	}
	ask.Identities = c.identities
	// A client connects its channels one after the other: the one for this may be
	// a moment behind the one that the cell came by.
	late := time.Now().Add(stdinTime)
	for err = s.k.transport.Send(wire.Stdin, ask); errors.Is(err, wire.ErrGone) && ctx.Err() == nil && time.Now().Before(late); {
		time.Sleep(10 * time.Millisecond)
		err = s.k.transport.Send(wire.Stdin, ask)
	}
	if err != nil {
		return "", fmt.Errorf("ask the front end for input: %w", err)
	}
	for {
		m, err := s.k.transport.Receive(ctx, wire.Stdin)
		if err != nil {
			return "", fmt.Errorf("wait for input: %w", err)
		}
		if m.Header.Type != "input_reply" || !m.Parent.IsZero() && m.Parent.ID != ask.Header.ID {
			s.k.log.Printf("stdin: %s ignored: not an answer to the last question", m.Header.Type)
			continue
		}
		var answer struct {
			Value string `json:"value"`
		}
		if err := m.Decode(&answer); err != nil {
			return "", err
		}
		return answer.Value, nil
	}
}
