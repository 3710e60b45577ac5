package session

import (
	"encoding/gob"
	"fmt"
	"io"
	"sync"

	"github.com/paragopher/paragopher/kernel/display"
)

// An Order goes from the kernel process to the session. One field is set.
type Order struct {
	Load      []byte // a Runner's unit: declarations only
	Run       []byte // a Runner's unit
	Interrupt bool
}

// An Event goes from the session to the kernel process. One of the fields before
// Mark is set.
type Event struct {
	Ready   bool // the session is up
	Taken   bool // the running cell's declarations are in place
	Display *display.Bundle
	Clear   *Clearing
	Done    *Done

	Mark uint64 // written to both output streams before the event, which comes after the output before it
}

// Clearing asks for the cell's output to be removed.
type Clearing struct{ Wait bool }

// Done is how a cell ended in its session.
type Done struct {
	Value *display.Bundle
	Err   *Error
}

// Error is a cell's error as Jupyter shows it.
type Error struct {
	Name, Value string
	Traceback   []string
}

// A Sender writes messages to a control pipe, one at a time.
type Sender struct {
	mu  sync.Mutex
	enc *gob.Encoder
}

// NewSender gives a sender that writes to w.
func NewSender(w io.Writer) *Sender { return &Sender{enc: gob.NewEncoder(w)} }

// Send writes an Order or an Event.
func (s *Sender) Send(message any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enc.Encode(message); err != nil {
		return fmt.Errorf("writing to the control pipe: %w", err)
	}
	return nil
}

// MarkPrefix is what a mark in an output stream begins with, an escape sequence that
// terminals ignore, with the session's token. The mark's number and MarkEnd follow.
func MarkPrefix(token string) string { return "\x1b_paragopher:" + token + ":" }

// MarkEnd ends a mark.
const MarkEnd = "\x1b\\"
