package parallel

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/paragopher/paragopher/parallel/internal/futex"
	"github.com/paragopher/paragopher/parallel/internal/robust"
)

const tableSize = int(unsafe.Sizeof(robust.Table{}))

// An RWMutex is a lock between processes that many readers may hold at once, or
// one writer. It travels as a Mutex does. The methods that it shares with Mutex
// are those of the writer. Readers that die count no more within some 10 ms.
type RWMutex struct{ lockable }

// NewRWMutex makes a lock. It costs 1 kB of shared memory. Readers of up to 60
// processes go side by side; those of further processes exclude one another.
func NewRWMutex() *RWMutex { return &RWMutex{lockable{newObject(tableSize, 0)}} }

// Lock waits until there is no writer and no reader and takes the lock. Its
// errors are those of Mutex.Lock. Readers that come while it waits wait too.
func (m *RWMutex) Lock() error { return m.LockContext(context.Background()) }

// LockContext is Lock until ctx is done; then the error is that of ctx, and the
// lock is not held.
func (m *RWMutex) LockContext(ctx context.Context) error {
	h, err := m.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	l := h.mutex()
	err = l.LockContext(ctx)
	if err != nil && err != ErrOwnerDied {
		return err
	}
	if e := waitForReaders(ctx, l); e != nil {
		// It was just taken.
		_ = l.Unlock()
		return e
	}
	return err
}

// LockTimeout is Lock for at most d; then the error is ErrTimeout.
func (m *RWMutex) LockTimeout(d time.Duration) error { return within(d, m.LockContext) }

// TryLock takes the lock if that is possible at once.
func (m *RWMutex) TryLock() (bool, error) {
	h, err := m.get()
	if err != nil {
		return false, err
	}
	defer runtime.KeepAlive(h)
	locked, err := h.mutex().TryLock()
	if !locked {
		return false, err
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if waitForReaders(now, h.mutex()) != nil {
		return false, h.mutex().Unlock()
	}
	return true, err
}

// waitForReaders waits, with the lock held, until nobody reads.
func waitForReaders(ctx context.Context, l *robust.Mutex) error {
	t := (*robust.Table)(unsafe.Pointer(l.Slot))
	for i := range t.Seats {
		s := &t.Seats[i]
		for s.Taken() {
			n := atomic.LoadInt32(&s.Held)
			if n == 0 || s.Dead() {
				break
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			stop := robust.WakeOnDone(ctx, held(s))
			futex.Wait(held(s), uint32(n), 10*time.Millisecond)
			stop()
		}
	}
	return nil
}

func held(s *robust.Seat) *uint32 { return (*uint32)(unsafe.Pointer(&s.Held)) }

// RLock waits until there is no writer and takes the lock as a reader. If a
// writer died, the error is ErrOwnerDied, with the lock held all the same, until
// a writer calls Consistent. It is not recursive: between two RLocks of one
// goroutine a writer may come, and both would wait for ever.
func (m *RWMutex) RLock() error { return m.RLockContext(context.Background()) }

// RLockContext is RLock until ctx is done; then the error is that of ctx, and the
// lock is not held.
func (m *RWMutex) RLockContext(ctx context.Context) error {
	h, err := m.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	l := h.mutex()
	seat := l.Seat(func(s *robust.Seat) { atomic.StoreInt32(&s.Held, 0) })
	if seat == nil {
		return l.LockContext(ctx) // as a writer, but for the readers
	}
	atomic.AddInt32(&seat.Held, 1)
	if l.Free() {
		return nil
	}
	m.leave(l, seat)
	// Behind the writer.
	err = l.LockContext(ctx)
	if err == nil || err == ErrOwnerDied {
		atomic.AddInt32(&seat.Held, 1)
		if e := l.Unlock(); e != nil {
			return e
		}
	}
	return err
}

// RLockTimeout is RLock for at most d; then the error is ErrTimeout.
func (m *RWMutex) RLockTimeout(d time.Duration) error { return within(d, m.RLockContext) }

// RUnlock gives a reader's lock back. It returns ErrNotLocked if no goroutine of
// this process reads.
func (m *RWMutex) RUnlock() error {
	h, err := m.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	l := h.mutex()
	seat := l.Seat(func(s *robust.Seat) { atomic.StoreInt32(&s.Held, 0) })
	if seat == nil {
		return l.Unlock()
	}
	return m.leave(l, seat)
}

func (m *RWMutex) leave(l *robust.Mutex, s *robust.Seat) error {
	n := atomic.AddInt32(&s.Held, -1)
	if n < 0 {
		atomic.AddInt32(&s.Held, 1)
		return ErrNotLocked
	}
	if n == 0 && l.Locked() {
		futex.Wake(held(s), futex.All)
	}
	return nil
}

// Do calls f with the writer's lock held; RDo with a reader's. The error is that
// of Lock; f has been called all the same if it is ErrOwnerDied.
func (m *RWMutex) Do(f func()) error { return between(m.Lock, m.Unlock, f) }

// RDo calls f with a reader's lock held. The error is that of RLock; f has been
// called all the same if it is ErrOwnerDied.
func (m *RWMutex) RDo(f func()) error { return between(m.RLock, m.RUnlock, f) }

func between(lock, unlock func() error, f func()) error {
	err := lock()
	if err != nil && !errors.Is(err, ErrOwnerDied) {
		return err
	}
	defer unlock()
	f()
	return err
}

// GobDecode is GobEncode's inverse, in the other process.
func (m *RWMutex) GobDecode(data []byte) error {
	_, err := m.adopt(data, tableSize, 0)
	return err
}
