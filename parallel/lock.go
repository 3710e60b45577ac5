package parallel

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/paragopher/paragopher/parallel/internal/robust"
)

// ErrOwnerDied is what Lock returns when the process that held the lock has died
// with it. The caller holds the lock now, and what it protects may be half done.
// Each Lock says so until somebody who has put it right calls Consistent.
var ErrOwnerDied = robust.ErrOwnerDied

// ErrPoisoned is what Lock returns, without the lock, after somebody found what
// it protects beyond repair and called Poison.
var ErrPoisoned = robust.ErrPoisoned

// ErrNotLocked is what Unlock returns for a lock that this process does not hold.
var ErrNotLocked = robust.ErrNotLocked

// ErrTimeout is what the methods named Timeout return when the time is up.
// It is context.DeadlineExceeded by another name, so errors.Is finds either.
var ErrTimeout error = timeout{}

type timeout struct{}

func (timeout) Error() string        { return "parallel: the time is up" }
func (timeout) Is(target error) bool { return target == context.DeadlineExceeded }
func (timeout) Timeout() bool        { return true }

// within calls f with a context that ends after d, and words its end as ErrTimeout.
func within(d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	err := f(ctx)
	if err == context.DeadlineExceeded {
		return ErrTimeout
	}
	return err
}

// A lockable is a shared object with a lock.
type lockable struct{ object }

// Lock waits until no other process or goroutine holds the lock and takes it, in
// some 10 ns if it is free. It keeps only those out who also take it. If the
// holder dies, the next one gets the lock with ErrOwnerDied, on Linux within a
// tenth of a millisecond and elsewhere within some 20; nobody waits for ever.
// After ErrPoisoned the caller does not hold it.
//
// It is not recursive: a goroutine that locks twice waits for itself. Goroutines
// have no identity in Go, so a recursive lock cannot be had; give the lock's
// holder a function that expects the lock to be held instead.
func (l *lockable) Lock() error {
	if l.h == nil {
		_, err := l.get()
		return err
	}
	m := l.h.mutex()
	locked, err := m.TryLock()
	if !locked && err == nil { // only a wait is worth a span
		waiting := spanBegin()
		err = m.Lock()
		spanEnd(spanLock, 0, 0, "Lock", waiting)
	}
	runtime.KeepAlive(l.h)
	return err
}

// LockContext is Lock until ctx is done; then the error is that of ctx, and the
// lock is not held.
func (l *lockable) LockContext(ctx context.Context) error {
	h, err := l.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	return h.mutex().LockContext(ctx)
}

// LockTimeout is Lock for at most d; then the error is ErrTimeout.
func (l *lockable) LockTimeout(d time.Duration) error { return within(d, l.LockContext) }

// TryLock takes the lock if that is possible at once. The error is that of Lock.
func (l *lockable) TryLock() (bool, error) {
	h, err := l.get()
	if err != nil {
		return false, err
	}
	defer runtime.KeepAlive(h)
	return h.mutex().TryLock()
}

// Unlock gives the lock back. It returns ErrNotLocked if this process does not
// hold it.
func (l *lockable) Unlock() error {
	if l.h == nil {
		_, err := l.get()
		return err
	}
	err := l.h.mutex().Unlock()
	runtime.KeepAlive(l.h)
	return err
}

// Consistent says, with the lock held, that what it protects has been put right
// after an ErrOwnerDied.
func (l *lockable) Consistent() error { return l.settle((*robust.Mutex).Consistent) }

// Poison says, with the lock held, that what it protects cannot be put right:
// every Lock from now on fails with ErrPoisoned.
func (l *lockable) Poison() error { return l.settle((*robust.Mutex).Poison) }

func (l *lockable) settle(f func(*robust.Mutex)) error {
	h, err := l.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	if !h.mutex().Owned() {
		return ErrNotLocked
	}
	f(h.mutex())
	return nil
}

// locked calls f with the lock held. The error is that of Lock; f has been called
// all the same if it is ErrOwnerDied.
func (l *lockable) locked(f func()) error {
	err := l.Lock()
	if err != nil && !errors.Is(err, ErrOwnerDied) {
		return err
	}
	defer l.Unlock()
	f()
	return err
}

// GobEncode makes a shared object travel as a handle. It is called when the
// object is sent to another process of this package; elsewhere it means nothing.
func (o *object) GobEncode() ([]byte, error) { return o.export() }

// slotSize is what a lock with a little data takes.
const slotSize = 64

// A Mutex is a lock between processes: Python's Lock, with Lock and Unlock for
// acquire and release. Given to a process as an argument, also inside of others,
// it is the same lock there.
type Mutex struct{ lockable }

// NewMutex makes a lock. It costs a cache line of shared memory, which is given
// back when the Mutex is garbage and no other process has had it.
func NewMutex() *Mutex { return &Mutex{lockable{newObject(slotSize, 0)}} }

// Do calls f with the lock held. The error is that of Lock; f has been called all
// the same if it is ErrOwnerDied.
func (m *Mutex) Do(f func()) error { return m.locked(f) }

// GobDecode is GobEncode's inverse, in the other process.
func (m *Mutex) GobDecode(data []byte) error {
	_, err := m.adopt(data, slotSize, 0)
	return err
}

// String tells whether the lock is held, for printing.
func (m *Mutex) String() string {
	h, err := m.get()
	if err != nil {
		return "Mutex without memory"
	}
	return fmt.Sprintf("Mutex(locked: %v)", h.mutex().Locked())
}
