package engine

import (
	"context"
	"time"

	"github.com/paragopher/paragopher/kernel/engine/source"
)

// Complete proposes what the name at the cursor, counted in code points, may become.
// It runs no code and waits for no cell.
func (e *Engine) Complete(code string, cursor int) source.Completion {
	return e.image.Complete(code, cursor)
}

// valueTime is how long a variable's value is waited for.
const valueTime = 100 * time.Millisecond

// Inspect tells what the name at the cursor, counted in code points, is; nil if
// there is nothing to tell. A variable's value is told in short where no cell runs:
// it waits for none.
func (e *Engine) Inspect(code string, cursor, detail int) *source.Inspection {
	in := e.image.Inspect(code, cursor, detail)
	if in == nil || in.Summary == "" || !e.running.TryLock() {
		return in
	}
	defer e.running.Unlock()
	if e.session == nil || e.session.isDead() || e.lastID == "" {
		return in
	}
	ctx, cancel := context.WithTimeout(context.Background(), valueTime)
	defer cancel()
	cell := Cell{ID: e.lastID, Code: in.Summary}
	var r Result
	if b, ok := e.backend.(*nativeBackend); ok { // needs no compiler
		peek, err := b.peek(in.Variable)
		if err != nil {
			return in
		}
		r = e.perform(ctx, cell, peek)
	} else {
		r = e.run(ctx, cell)
	}
	if r.Err == nil {
		in.Value = r.Value.Text()
	}
	return in
}
