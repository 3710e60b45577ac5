package parallel

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/paragopher/paragopher/parallel/internal/futex"
	"github.com/paragopher/paragopher/parallel/internal/robust"
)

// A Cond is a lock between processes with a place to wait for what it protects to
// change: Python's Condition. Its Lock and Unlock are those of a Mutex. It travels
// as a Mutex does.
type Cond struct{ lockable }

// Words of a cond's slot.
const (
	condSequence = 0
	condWaiting  = 1
)

// NewCond makes a condition with a lock of its own. It costs a cache line of
// shared memory.
func NewCond() *Cond { return &Cond{lockable{newObject(slotSize, 0)}} }

// Wait gives the lock back, waits for Notify and takes the lock again. It may
// return without one, so call it in a loop that looks at what is waited for. The
// error is ErrNotLocked if the lock was not held, or that of Lock.
func (c *Cond) Wait() error { return c.WaitContext(context.Background()) }

// WaitTimeout is Wait for at most d; then the error is ErrTimeout, and the lock
// is held.
func (c *Cond) WaitTimeout(d time.Duration) error { return within(d, c.WaitContext) }

// WaitContext is Wait until ctx is done; then the error is that of ctx, and the
// lock is held.
func (c *Cond) WaitContext(ctx context.Context) error {
	h, err := c.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	l := h.mutex()
	if !l.Owned() {
		return ErrNotLocked
	}
	sequence := &h.slot.Data[condSequence]
	was := atomic.LoadUint32(sequence)
	atomic.StoreUint32(&h.slot.Data[condWaiting], 1)
	if err := l.Unlock(); err != nil {
		return err
	}
	var ended error
	if !l.Spinner().Spin(sequence, was) {
		stop := robust.WakeOnDone(ctx, sequence)
		for atomic.LoadUint32(sequence) == was && ended == nil {
			atomic.StoreUint32(&h.slot.Data[condWaiting], 1)
			futex.Wait(sequence, was, waitTime)
			ended = ctx.Err()
		}
		stop()
	}
	if err := l.Lock(); err != nil {
		return err
	}
	return ended
}

// WaitFor waits, with the lock held, until ok gives true. The error is that of Wait.
func (c *Cond) WaitFor(ok func() bool) error {
	for !ok() {
		if err := c.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// Notify wakes up to n who wait, or some more. The lock need not be held.
func (c *Cond) Notify(n int) error {
	h, err := c.get()
	if err != nil || n < 1 {
		return err
	}
	defer runtime.KeepAlive(h)
	atomic.AddUint32(&h.slot.Data[condSequence], 1)
	if atomic.LoadUint32(&h.slot.Data[condWaiting]) != 0 {
		if n == futex.All {
			atomic.StoreUint32(&h.slot.Data[condWaiting], 0)
		}
		futex.Wake(&h.slot.Data[condSequence], n)
	}
	return nil
}

// NotifyAll wakes all who wait.
func (c *Cond) NotifyAll() error { return c.Notify(futex.All) }

// Do calls f with the lock held. The error is that of Lock; f has been called all
// the same if it is ErrOwnerDied.
func (c *Cond) Do(f func()) error { return c.locked(f) }

// GobDecode is GobEncode's inverse, in the other process.
func (c *Cond) GobDecode(data []byte) error {
	_, err := c.adopt(data, slotSize, 0)
	return err
}
