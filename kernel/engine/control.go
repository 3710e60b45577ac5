package engine

import (
	"encoding/gob"
	"fmt"
	"io"
	"sync"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/source"
)

// An order goes from the kernel process to the session. One field is set.
type order struct {
	Load      *source.Unit // declarations only; before Ready is awaited
	Run       *source.Unit
	Interrupt bool
}

// An event goes from the session to the kernel process. One of the fields before
// Mark is set.
type event struct {
	Ready   bool // the session is up
	Taken   bool // the running cell's declarations are in place
	Display *display.Bundle
	Clear   *clearing
	Done    *done

	Mark uint64 // written to both output streams before the event, which comes after the output before it
}

// clearing asks for the cell's output to be removed.
type clearing struct{ Wait bool }

// done is how a cell ended in its session.
type done struct {
	Value *display.Bundle
	Err   *Error
}

// A sender writes messages to a control pipe, one at a time.
type sender struct {
	mu  sync.Mutex
	enc *gob.Encoder
}

func newSender(w io.Writer) *sender { return &sender{enc: gob.NewEncoder(w)} }

func (s *sender) send(message any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enc.Encode(message); err != nil {
		return fmt.Errorf("writing to the control pipe: %w", err)
	}
	return nil
}
