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

// A Semaphore lets a number of goroutines, of any processes, go on at the same
// time. It travels as a Mutex does. What a process holds when it dies comes back
// within some 10 ms.
type Semaphore struct{ object }

// sweepTime is how long a waiter waits before it looks for the dead.
const sweepTime = 10 * time.Millisecond

// Words of a semaphore's slot.
const (
	semFree    = 0 // places that are free
	semBase    = 1 // places in all
	semWaiting = 2 // not 0: somebody may be waiting
)

// NewSemaphore makes a semaphore of n places; n < 0 counts as 0. It costs 1 kB of
// shared memory.
func NewSemaphore(n int) *Semaphore {
	s := &Semaphore{newObject(tableSize, 0)}
	if s.h != nil {
		n = max(min(n, 1<<30), 0)
		s.h.slot.Data[semFree], s.h.slot.Data[semBase] = uint32(n), uint32(n)
	}
	return s
}

// Acquire waits for a place and takes it.
func (s *Semaphore) Acquire() error { return s.AcquireContext(context.Background()) }

// AcquireTimeout is Acquire for at most d; then the error is ErrTimeout.
func (s *Semaphore) AcquireTimeout(d time.Duration) error { return within(d, s.AcquireContext) }

// AcquireContext is Acquire until ctx is done; then the error is that of ctx.
func (s *Semaphore) AcquireContext(ctx context.Context) error {
	h, err := s.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	free := &h.slot.Data[semFree]
	defer robust.WakeOnDone(ctx, free)()
	spin := h.mutex().Spinner()
	for {
		ok, err := s.try(h)
		if ok || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if spin.Spin(free, 0) {
			continue
		}
		atomic.StoreUint32(&h.slot.Data[semWaiting], 1)
		if atomic.LoadUint32(free) == 0 && !futex.Wait(free, 0, sweepTime) {
			if err := s.change(h, func(l *robust.Mutex) { l.Sweep(s.left(h)) }); err != nil {
				return err
			}
		}
	}
}

// TryAcquire takes a place if one is free. It never waits.
func (s *Semaphore) TryAcquire() bool {
	h, err := s.get()
	if err != nil {
		return false
	}
	defer runtime.KeepAlive(h)
	ok, err := s.try(h)
	return ok && err == nil
}

func (s *Semaphore) try(h *handle) (ok bool, err error) {
	if atomic.LoadUint32(&h.slot.Data[semFree]) == 0 {
		return false, nil
	}
	err = s.change(h, func(l *robust.Mutex) {
		if h.slot.Data[semFree] > 0 {
			if seat := l.Seat(s.left(h)); seat != nil {
				seat.Held++
			}
			atomic.AddUint32(&h.slot.Data[semFree], ^uint32(0))
			ok = true
		}
	})
	return ok, err
}

// Release gives a place back. A process may also give back what another took: it
// then is the other's no more, dead or alive.
func (s *Semaphore) Release() error {
	h, err := s.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	return s.change(h, func(l *robust.Mutex) {
		if seat := l.Seat(s.left(h)); seat != nil {
			seat.Held--
		}
		atomic.AddUint32(&h.slot.Data[semFree], 1)
	})
}

// left takes back what a dead process held. What it had given back for others is
// taken from the number of places that all of the seats must make up for.
func (s *Semaphore) left(h *handle) func(*robust.Seat) {
	return func(seat *robust.Seat) {
		if n := seat.Held; n > 0 {
			seat.Held = 0
			atomic.AddUint32(&h.slot.Data[semFree], uint32(n))
		} else {
			seat.Held = 0
			h.slot.Data[semBase] += uint32(-n)
		}
	}
}

// change calls f with the semaphore's lock held and wakes who may go on.
func (s *Semaphore) change(h *handle, f func(*robust.Mutex)) error {
	l := h.mutex()
	switch err := l.Lock(); err {
	case nil:
	case ErrOwnerDied:
		// It died between a seat's number and the sum: count again.
		l.Consistent()
		sum := int32(h.slot.Data[semBase])
		for _, seat := range l.Table().Seats {
			sum -= seat.Held
		}
		atomic.StoreUint32(&h.slot.Data[semFree], uint32(max(sum, 0)))
	default:
		return err
	}
	f(l)
	free := atomic.LoadUint32(&h.slot.Data[semFree])
	err := l.Unlock()
	if free > 0 && atomic.LoadUint32(&h.slot.Data[semWaiting]) != 0 {
		atomic.StoreUint32(&h.slot.Data[semWaiting], 0)
		futex.Wake(&h.slot.Data[semFree], futex.All)
	}
	return err
}

// Free is how many places are free just now.
func (s *Semaphore) Free() int {
	if h, err := s.get(); err == nil {
		defer runtime.KeepAlive(h)
		return int(atomic.LoadUint32(&h.slot.Data[semFree]))
	}
	return 0
}

// Do calls f with a place held. The error is that of Acquire; then f has not been
// called.
func (s *Semaphore) Do(f func()) error {
	if err := s.Acquire(); err != nil {
		return err
	}
	defer s.Release()
	f()
	return nil
}

// String gives the free places, for printing.
func (s *Semaphore) String() string { return fmt.Sprintf("Semaphore(free: %d)", s.Free()) }

// GobDecode is GobEncode's inverse, in the other process.
func (s *Semaphore) GobDecode(data []byte) error {
	_, err := s.adopt(data, tableSize, 0)
	return err
}
