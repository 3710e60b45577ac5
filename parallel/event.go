package parallel

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/paragopher/paragopher/parallel/internal/futex"
	"github.com/paragopher/paragopher/parallel/internal/robust"
)

// waitTime bounds a wait in the kernel, for wake-ups that died with their sender
// or came before the wait.
const waitTime = 50 * time.Millisecond

// An Event is a flag that processes can wait for. It travels as a Mutex does.
type Event struct{ object }

// Words of an event's slot.
const (
	eventSet     = 0
	eventWaiting = 1
)

// NewEvent makes an event that is not set. It costs a cache line of shared memory.
func NewEvent() *Event { return &Event{newObject(slotSize, 0)} }

// Set sets the flag and lets all who wait go on.
func (e *Event) Set() error {
	h, err := e.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	atomic.StoreUint32(&h.slot.Data[eventSet], 1)
	if atomic.LoadUint32(&h.slot.Data[eventWaiting]) != 0 {
		atomic.StoreUint32(&h.slot.Data[eventWaiting], 0)
		futex.Wake(&h.slot.Data[eventSet], futex.All)
	}
	return nil
}

// Clear takes the flag down.
func (e *Event) Clear() error {
	h, err := e.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	atomic.StoreUint32(&h.slot.Data[eventSet], 0)
	return nil
}

// IsSet tells whether the flag is set.
func (e *Event) IsSet() bool {
	h, err := e.get()
	if err != nil {
		return false
	}
	defer runtime.KeepAlive(h)
	return atomic.LoadUint32(&h.slot.Data[eventSet]) != 0
}

// Wait waits until the flag is set.
func (e *Event) Wait() error { return e.WaitContext(context.Background()) }

// WaitTimeout is Wait for at most d; then the error is ErrTimeout.
func (e *Event) WaitTimeout(d time.Duration) error { return within(d, e.WaitContext) }

// WaitContext is Wait until ctx is done; then the error is that of ctx.
func (e *Event) WaitContext(ctx context.Context) error {
	h, err := e.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	set := &h.slot.Data[eventSet]
	if atomic.LoadUint32(set) != 0 || h.mutex().Spinner().Spin(set, 0) {
		return nil
	}
	defer robust.WakeOnDone(ctx, set)()
	for atomic.LoadUint32(set) == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		atomic.StoreUint32(&h.slot.Data[eventWaiting], 1)
		futex.Wait(set, 0, waitTime)
	}
	return nil
}

// String tells whether the event is set, for printing.
func (e *Event) String() string { return fmt.Sprintf("Event(set: %v)", e.IsSet()) }

// GobDecode is GobEncode's inverse, in the other process.
func (e *Event) GobDecode(data []byte) error {
	_, err := e.adopt(data, slotSize, 0)
	return err
}
