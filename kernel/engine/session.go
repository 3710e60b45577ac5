package engine

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"runtime/debug"

	"github.com/paragopher/paragopher/kernel/engine/interp"
	"github.com/paragopher/paragopher/kernel/engine/native"
	"github.com/paragopher/paragopher/kernel/engine/session"
	"github.com/paragopher/paragopher/kernel/engine/source"
	"github.com/paragopher/paragopher/parallel"
)

// Main takes over in the processes that an Engine starts with this program: session
// processes, their workers, the linker's helper. There it does not return.
// Everywhere else it returns at once.
// It stands first in the main function of every program that holds an Engine.
func Main() {
	native.LinkerMain()
	session.Main(openInterp)
}

// openInterp makes this process a session or a worker that interprets. Interpreted
// calls allocate much, so the collector runs less often; runaway recursion ends
// at 256 MB of stack, in a second, not at 1 GB.
func openInterp(n session.Notebook) (session.Runner, error) {
	debug.SetGCPercent(400)
	debug.SetMaxStack(256 << 20)
	s, err := interp.New(interp.Options{Show: n.Show, Clear: n.Clear, Panicked: n.Panicked, Worker: n.Worker})
	if err != nil {
		return nil, err
	}
	return &interpRunner{s: s}, nil
}

// An interpRunner is an interpreter as a session knows it.
type interpRunner struct {
	s *interp.Session
}

func (r *interpRunner) Load(unit []byte) error {
	u, err := decodeUnit(unit)
	if err != nil {
		return err
	}
	return r.s.Load(u)
}

func (r *interpRunner) Run(ctx context.Context, unit []byte) ([]any, error) {
	u, err := decodeUnit(unit)
	if err != nil {
		return nil, err
	}
	return r.s.Run(ctx, u)
}

func (r *interpRunner) Functions() parallel.Functions { return r.s.Functions() }

func encodeUnit(u *source.Unit) ([]byte, error) {
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(u); err != nil {
		return nil, fmt.Errorf("encoding a cell for its session: %w", err)
	}
	return buf.Bytes(), nil
}

func decodeUnit(data []byte) (*source.Unit, error) {
	var u source.Unit
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&u); err != nil {
		return nil, fmt.Errorf("decoding a cell from the kernel: %w", err)
	}
	return &u, nil
}
