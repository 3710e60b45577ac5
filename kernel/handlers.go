package kernel

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/paragopher/paragopher/kernel/engine/source"
	"github.com/paragopher/paragopher/kernel/wire"
)

// kernelInfo answers "Kernel info".
func (k *Kernel) kernelInfo(context.Context, *request) (any, error) {
	version := "0.0.0"
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		version = info.Main.Version[1:]
	}
	goVersion := strings.TrimPrefix(runtime.Version(), "go")
	return map[string]any{
		"status":                 "ok",
		"protocol_version":       wire.ProtocolVersion,
		"implementation":         "paragopher",
		"implementation_version": version,
		"language_info": map[string]any{
			"name":            "go",
			"version":         goVersion,
			"mimetype":        "text/x-go",
			"file_extension":  ".go",
			"pygments_lexer":  "go",
			"codemirror_mode": "go",
		},
		"banner": "Paragopher " + version + " - Go " + goVersion,
		"help_links": []any{
			map[string]string{"text": "Go standard library", "url": "https://pkg.go.dev/std"},
		},
	}, nil
}

// isComplete answers "Code completeness".
func (k *Kernel) isComplete(ctx context.Context, r *request) (any, error) {
	var req struct {
		Code string `json:"code"`
	}
	if err := r.Decode(&req); err != nil {
		return nil, err
	}
	reply := map[string]string{"status": "unknown"}
	if e, err := k.running(ctx); err == nil {
		status, indent := e.IsComplete(req.Code)
		reply["status"] = status
		if status == "incomplete" {
			reply["indent"] = indent
		}
	}
	return reply, nil
}

// complete answers "Completion". The metadata has what JupyterLab shows beside a
// proposal.
func (k *Kernel) complete(ctx context.Context, r *request) (any, error) {
	var req struct {
		Code      string `json:"code"`
		CursorPos int    `json:"cursor_pos"`
	}
	if err := r.Decode(&req); err != nil {
		return nil, err
	}
	c := source.Completion{Start: req.CursorPos, End: req.CursorPos}
	if e, err := k.running(ctx); err == nil {
		c = e.Complete(req.Code, req.CursorPos)
	}
	matches, kinds := []string{}, []any{}
	for _, m := range c.Matches {
		matches = append(matches, m.Text)
		kinds = append(kinds, map[string]any{"start": c.Start, "end": c.End, "text": m.Text, "type": m.Kind, "signature": m.Signature})
	}
	metadata := map[string]any{}
	if len(kinds) > 0 {
		metadata["_jupyter_types_experimental"] = kinds
	}
	return map[string]any{
		"status": "ok", "matches": matches, "metadata": metadata,
		"cursor_start": c.Start, "cursor_end": c.End,
	}, nil
}

// inspect answers "Introspection".
func (k *Kernel) inspect(ctx context.Context, r *request) (any, error) {
	var req struct {
		Code      string `json:"code"`
		CursorPos int    `json:"cursor_pos"`
		Detail    int    `json:"detail_level"`
	}
	if err := r.Decode(&req); err != nil {
		return nil, err
	}
	data := map[string]any{}
	if e, err := k.running(ctx); err == nil {
		if in := e.Inspect(req.Code, req.CursorPos, req.Detail); in != nil {
			data["text/plain"], data["text/markdown"], data["text/html"] = in.Text(), in.Markdown(), in.HTML()
		}
	}
	return map[string]any{"status": "ok", "found": len(data) > 0, "data": data, "metadata": map[string]any{}}, nil
}

// searchHistory answers "History".
func (k *Kernel) searchHistory(_ context.Context, r *request) (any, error) {
	req := struct {
		Output  bool   `json:"output"`
		Access  string `json:"hist_access_type"`
		Session int    `json:"session"`
		Start   int    `json:"start"`
		Stop    *int   `json:"stop"`
		N       *int   `json:"n"`
		Pattern string `json:"pattern"`
		Unique  bool   `json:"unique"`
	}{}
	if err := r.Decode(&req); err != nil {
		return nil, err
	}
	// Absent (or null) means without end.
	n, stop := -1, -1
	if req.N != nil {
		n = *req.N
	}
	if req.Stop != nil {
		stop = *req.Stop
	}
	var found []Entry
	switch req.Access {
	case "tail":
		found = k.history.Tail(n)
	case "range":
		found = k.history.Range(req.Session, req.Start, stop)
	case "search":
		if req.Pattern == "" {
			req.Pattern = "*"
		}
		found = k.history.Search(req.Pattern, n, req.Unique)
	}
	list := make([]any, 0, len(found))
	for _, e := range found {
		var what any = e.Input
		if req.Output {
			var output any // null where there was none
			if e.Output != "" {
				output = e.Output
			}
			what = []any{e.Input, output}
		}
		list = append(list, []any{e.Session, e.Line, what})
	}
	return map[string]any{"status": "ok", "history": list}, nil
}

// interruptRequest answers "Kernel interrupt".
func (k *Kernel) interruptRequest(context.Context, *request) (any, error) {
	k.Interrupt()
	return map[string]string{"status": "ok"}, nil
}

// shutdown answers "Kernel shutdown". The answer goes to all clients: each
// should know that the kernel is gone.
func (k *Kernel) shutdown(_ context.Context, r *request) (any, error) {
	var req struct {
		Restart bool `json:"restart"`
	}
	if err := r.Decode(&req); err != nil {
		return nil, err
	}
	content := map[string]any{"status": "ok", "restart": req.Restart}
	k.publish(r.Header, "shutdown_reply", content)
	r.after = func() { k.quitOnce.Do(func() { close(k.quit) }) }
	return content, nil
}

// commInfo answers "Comm info".
func (k *Kernel) commInfo(_ context.Context, r *request) (any, error) {
	var req struct {
		Target string `json:"target_name"`
	}
	if err := r.Decode(&req); err != nil {
		return nil, err
	}
	comms := map[string]any{}
	for id, target := range k.comms.Open(req.Target) {
		comms[id] = map[string]string{"target_name": target}
	}
	return map[string]any{"status": "ok", "comms": comms}, nil
}

// comm hands on what belongs to "Custom messages".
func (k *Kernel) comm(_ context.Context, r *request) (any, error) {
	return nil, k.comms.Handle(r.Message, func(msgType string, content any) {
		k.publish(r.Header, msgType, content)
	})
}
