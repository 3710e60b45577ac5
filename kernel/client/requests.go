package client

import (
	"context"
	"encoding/json"

	"github.com/paragopher/paragopher/kernel/wire"
)

// KernelInfo is what a kernel says about itself (kernel_info_reply).
type KernelInfo struct {
	Status                string `json:"status"` // some kernels leave it out
	ProtocolVersion       string `json:"protocol_version"`
	Implementation        string `json:"implementation"`
	ImplementationVersion string `json:"implementation_version"`
	Banner                string `json:"banner"`
	LanguageInfo          struct {
		Name          string `json:"name"`
		Version       string `json:"version"`
		MIMEType      string `json:"mimetype"`
		FileExtension string `json:"file_extension"`
	} `json:"language_info"`
}

// Output is something that a cell puts out. Which fields are set depends on
// Type, the name of Jupyter's message.
type Output struct {
	Type string `json:"-"` // stream, display_data, update_display_data, execute_result, error, clear_output, or another

	Name string `json:"name"` // stream: stdout or stderr
	Text string `json:"text"` // stream

	Data     map[string]any `json:"data"` // displays and results: by MIME type
	Metadata map[string]any `json:"metadata"`
	Count    int            `json:"execution_count"` // execute_result
	Display  string         `json:"-"`               // displays: the display_id, "" for none

	EName     string   `json:"ename"` // error
	EValue    string   `json:"evalue"`
	Traceback []string `json:"traceback"`

	Wait bool `json:"wait"` // clear_output: not before the next output

	Content json.RawMessage `json:"-"` // the whole content, as it came
}

// output reads a published message; ok is false for what no cell puts out.
func output(m *wire.Message) (o Output, ok bool) {
	switch m.Header.Type {
	case "status", "execute_input":
		return o, false
	}
	var transient struct {
		Transient struct {
			DisplayID string `json:"display_id"`
		} `json:"transient"`
	}
	// Kernels are not all exact: what cannot be read is left empty, Content has it.
	_ = json.Unmarshal(m.Content, &o)
	_ = json.Unmarshal(m.Content, &transient)
	o.Type, o.Content, o.Display = m.Header.Type, m.Content, transient.Transient.DisplayID
	return o, true
}

// Reply is how a cell ended (execute_reply).
type Reply struct {
	Status    string   `json:"status"` // ok, error or aborted
	Count     int      `json:"execution_count"`
	EName     string   `json:"ename"`
	EValue    string   `json:"evalue"`
	Traceback []string `json:"traceback"`
}

// Execute runs a cell and returns when the kernel has answered and is idle
// again. What the cell puts out goes to on (nil for nobody), in order, before
// Execute returns. A cell that fails is no error: see Reply.Status. When ctx
// ends, Execute returns but the cell runs on; see Interrupt. When the kernel
// dies the error is a *DiedError, and what the cell had put out by then has
// gone to on.
func (k *Kernel) Execute(ctx context.Context, code string, on func(Output)) (Reply, error) {
	m, err := k.Request(ctx, wire.Shell, "execute_request", map[string]any{
		"code": code, "silent": false, "store_history": true, "user_expressions": map[string]any{},
		"allow_stdin": k.options.input != nil, "stop_on_error": true,
	}, on)
	if err != nil {
		return Reply{}, err
	}
	var r Reply
	return r, m.Decode(&r)
}

// IsComplete asks whether code is a whole cell: complete, incomplete (then with
// the indent of the next line), invalid or unknown.
func (k *Kernel) IsComplete(ctx context.Context, code string) (status, indent string, err error) {
	var r struct{ Status, Indent string }
	err = k.query(ctx, "is_complete_request", map[string]any{"code": code}, &r)
	return r.Status, r.Indent, err
}

// Completion is the answer to Complete: Matches can replace the code from Start
// to End, in characters (code points).
type Completion struct {
	Status  string   `json:"status"`
	Matches []string `json:"matches"`
	Start   int      `json:"cursor_start"`
	End     int      `json:"cursor_end"`
}

// Complete asks what could stand at the cursor, given in characters.
func (k *Kernel) Complete(ctx context.Context, code string, cursor int) (Completion, error) {
	var r Completion
	err := k.query(ctx, "complete_request", map[string]any{"code": code, "cursor_pos": cursor}, &r)
	return r, err
}

// Inspection is the answer to Inspect.
type Inspection struct {
	Status string         `json:"status"`
	Found  bool           `json:"found"`
	Data   map[string]any `json:"data"`
}

// Inspect asks for a description of what stands at the cursor, given in
// characters. Detail is 0, or 1 for more.
func (k *Kernel) Inspect(ctx context.Context, code string, cursor, detail int) (Inspection, error) {
	var r Inspection
	err := k.query(ctx, "inspect_request", map[string]any{"code": code, "cursor_pos": cursor, "detail_level": detail}, &r)
	return r, err
}

// History gives the inputs of the last n cells, oldest first.
func (k *Kernel) History(ctx context.Context, n int) ([]string, error) {
	var r struct {
		History [][]any `json:"history"`
	}
	err := k.query(ctx, "history_request", map[string]any{
		"hist_access_type": "tail", "n": n, "output": false, "raw": true,
	}, &r)
	var inputs []string
	for _, e := range r.History {
		if len(e) == 3 {
			s, _ := e[2].(string)
			inputs = append(inputs, s)
		}
	}
	return inputs, err
}

// CommInfo gives the open comms, from ID to target name: those of one target,
// or all for "".
func (k *Kernel) CommInfo(ctx context.Context, target string) (map[string]string, error) {
	ask := map[string]any{}
	if target != "" {
		ask["target_name"] = target
	}
	var r struct {
		Comms map[string]struct {
			Target string `json:"target_name"`
		} `json:"comms"`
	}
	err := k.query(ctx, "comm_info_request", ask, &r)
	comms := map[string]string{}
	for id, c := range r.Comms {
		comms[id] = c.Target
	}
	return comms, err
}

// query sends a request on the shell channel and reads the content of its
// answer into v. Kernels that do not know the request leave it unanswered: give
// ctx a deadline.
func (k *Kernel) query(ctx context.Context, msgType string, content, v any) error {
	m, err := k.ask(ctx, wire.Shell, msgType, content)
	if err != nil {
		return err
	}
	return m.Decode(v)
}
