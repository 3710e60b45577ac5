package parallel

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/paragopher/paragopher/parallel/internal/futex"
	"github.com/paragopher/paragopher/parallel/internal/robust"
)

// ErrBroken is what Barrier.Wait returns when one of those who should meet has
// given up or died waiting, until Reset.
var ErrBroken = errors.New("parallel: the barrier is broken: one who waited at it gave up or died")

// A Barrier is where a number of goroutines, of any processes, wait for one
// another. It travels as a Mutex does. If a process dies that waits, the others
// get ErrBroken within some 10 ms; one that dies before it comes is not known, so
// use WaitTimeout where that may happen.
type Barrier struct{ object }

// Words of a barrier's slot.
const (
	barrierParties = iota
	barrierCount
	barrierRound   // grows when all are there, and when it breaks
	barrierBroken  // not 0: until Reset
	barrierHistory // bit r%32: round r broke
)

// NewBarrier makes a barrier for n; n < 1 counts as 1. It costs 1 kB of shared
// memory.
func NewBarrier(n int) *Barrier {
	b := &Barrier{newObject(tableSize, 0)}
	if b.h != nil {
		b.h.slot.Data[barrierParties] = uint32(max(min(n, 1<<30), 1))
	}
	return b
}

// Wait waits until all are there. It gives the order of arrival, from 0; the last
// one lets the others go.
func (b *Barrier) Wait() (int, error) { return b.WaitContext(context.Background()) }

// WaitTimeout is Wait for at most d; then the error is ErrTimeout, and the barrier
// is broken for the others.
func (b *Barrier) WaitTimeout(d time.Duration) (n int, err error) {
	err = within(d, func(ctx context.Context) (err error) {
		n, err = b.WaitContext(ctx)
		return err
	})
	return n, err
}

// WaitContext is Wait until ctx is done; then the error is that of ctx, and the
// barrier is broken for the others.
func (b *Barrier) WaitContext(ctx context.Context) (int, error) {
	h, err := b.get()
	if err != nil {
		return 0, err
	}
	defer runtime.KeepAlive(h)
	d := &h.slot.Data
	var place int
	var round uint32
	var full bool
	err = b.change(h, func(l *robust.Mutex) error {
		if d[barrierBroken] != 0 {
			return ErrBroken
		}
		place, round = int(d[barrierCount]), atomic.LoadUint32(&d[barrierRound])
		if d[barrierCount]++; d[barrierCount] == d[barrierParties] {
			full = true
			b.next(l, false)
			return nil
		}
		if seat := l.Seat(clearSeat); seat != nil {
			seat.Held++
		}
		return nil
	})
	if err != nil || full {
		return place, err
	}
	if h.mutex().Spinner().Spin(&d[barrierRound], round) {
		return place, b.outcome(h, round)
	}
	defer robust.WakeOnDone(ctx, &d[barrierRound])()
	for atomic.LoadUint32(&d[barrierRound]) == round {
		ended := ctx.Err()
		if ended == nil && futex.Wait(&d[barrierRound], round, sweepTime) {
			continue
		}
		broke := false
		err := b.change(h, func(l *robust.Mutex) error {
			dead := false
			l.Sweep(func(s *robust.Seat) {
				dead = dead || s.Held > 0
				s.Held = 0
			})
			if broke = (dead || ended != nil) && d[barrierRound] == round; broke {
				b.next(l, true)
			}
			return nil
		})
		if err != nil {
			return place, err
		}
		if broke && ended != nil {
			return place, ended
		}
	}
	return place, b.outcome(h, round)
}

// outcome says how a round ended.
func (b *Barrier) outcome(h *handle, round uint32) error {
	if atomic.LoadUint32(&h.slot.Data[barrierHistory])>>(round%32)&1 != 0 {
		return ErrBroken
	}
	return nil
}

func clearSeat(s *robust.Seat) { s.Held = 0 }

// next ends a round, well or broken. The lock is held.
func (b *Barrier) next(l *robust.Mutex, broken bool) {
	b.empty(l)
	d := &l.Data
	round := d[barrierRound]
	history := d[barrierHistory] &^ (1 << ((round + 1) % 32))
	if broken {
		history |= 1 << (round % 32)
		d[barrierBroken] = 1
	}
	atomic.StoreUint32(&d[barrierHistory], history)
	atomic.AddUint32(&d[barrierRound], 1)
	futex.Wake(&d[barrierRound], futex.All)
}

func (b *Barrier) empty(l *robust.Mutex) {
	for i := range l.Table().Seats {
		l.Table().Seats[i].Held = 0
	}
	l.Data[barrierCount] = 0
}

// Abort breaks the barrier: all who wait, and come, get ErrBroken until Reset.
func (b *Barrier) Abort() error {
	h, err := b.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	return b.change(h, func(l *robust.Mutex) error { b.next(l, true); return nil })
}

// Reset makes a broken barrier whole and empty. Who still waits at it gets
// ErrBroken.
func (b *Barrier) Reset() error {
	h, err := b.get()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(h)
	return b.change(h, func(l *robust.Mutex) error {
		if l.Data[barrierCount] > 0 {
			b.next(l, true)
		}
		l.Data[barrierBroken] = 0
		return nil
	})
}

// Parties is how many must meet.
func (b *Barrier) Parties() int { return b.word(barrierParties) }

// Waiting is how many wait just now.
func (b *Barrier) Waiting() int { return b.word(barrierCount) }

func (b *Barrier) word(i int) int {
	if h, err := b.get(); err == nil {
		defer runtime.KeepAlive(h)
		return int(atomic.LoadUint32(&h.slot.Data[i]))
	}
	return 0
}

// change calls f with the barrier's lock held. If one died with it, who had come
// may be miscounted, so the barrier breaks.
func (b *Barrier) change(h *handle, f func(*robust.Mutex) error) error {
	l := h.mutex()
	switch err := l.Lock(); err {
	case nil:
	case ErrOwnerDied:
		l.Consistent()
		b.next(l, true)
	default:
		return err
	}
	err := f(l)
	if e := l.Unlock(); e != nil {
		return e
	}
	return err
}

// GobDecode is GobEncode's inverse, in the other process.
func (b *Barrier) GobDecode(data []byte) error {
	_, err := b.adopt(data, tableSize, 0)
	return err
}
