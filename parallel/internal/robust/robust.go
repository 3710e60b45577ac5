// Package robust has locks between processes that outlive their holders: when a
// process dies that holds one, the next process gets it, and is told.
//
// A lock word holds the number of its owner, as the kernel wants it: that of a
// thread of the owning process, the guardian, which does nothing but live as long
// as the process. The kernel knows all words that the process may hold, marks
// those that it does hold when the guardian dies, and wakes a waiter. So a lock
// costs one compare-and-swap and no system call. Where the kernel does not help,
// waiters look now and then whether the owner lives.
//
// Source: set_robust_list(2), and the kernel's robust-futexes and
// robust-futex-ABI documents.
package robust

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/paragopher/paragopher/parallel/internal/futex"
	"github.com/paragopher/paragopher/parallel/internal/shm"
)

// What a lock's taker is told. The first comes with the lock, the others do not.
var (
	ErrOwnerDied = errors.New("parallel: the process that held the lock has died; you hold it now, and what it protects may be half done")
	ErrPoisoned  = errors.New("parallel: the lock was given up with Poison after its holder died")
	ErrNotLocked = errors.New("parallel: Unlock of a lock that this process does not hold")
)

// The bits of a lock word are the kernel's.
const (
	waiters = 0x80000000
	died    = 0x40000000
	ownerID = 0x3fffffff
)

// States of what a lock protects.
const (
	sound uint32 = iota
	doubtful
	poisoned
)

// A Slot is a lock in shared memory, with room for what it protects.
type Slot struct {
	Word  uint32 // 8-aligned: see link
	state uint32
	Data  [14]uint32 // 8-aligned
}

// A Seat is a process's place at an object of several: its owner's death frees it.
type Seat struct {
	owner uint32 // 8-aligned: see link
	Held  int32
	_     uint64
}

// Seats is how many processes can sit at one object.
const Seats = 60

// A Table is a lock with seats.
type Table struct {
	Slot
	Seats [Seats]Seat
}

// A Mutex is a process's view of a Slot. All users of a slot in a process share
// one view: get it by Open.
type Mutex struct {
	*Slot
	arena  *shm.Arena
	offset shm.Offset
	id     uint32        // of this process, in the lock word
	exact  bool          // the kernel tells of this owner's death
	gate   chan struct{} // held by the one goroutine of this process that waits in the kernel
	spin   futex.Spinner
	refs   int

	seatMu sync.Mutex
	seat   atomic.Int32 // of this process at a Table, plus 1; 0 for none yet
	linked []shm.Offset
}

// views are this process's Mutexes. They are a fact about the process, as its
// guardian is.
var views = struct {
	sync.Mutex
	of map[shm.Offset]*Mutex
}{of: map[shm.Offset]*Mutex{}}

// Open gives the view of the slot at o, which must be one. Each Open wants a Close.
func Open(a *shm.Arena, o shm.Offset) *Mutex {
	views.Lock()
	defer views.Unlock()
	m := views.of[o]
	if m == nil {
		m = &Mutex{Slot: (*Slot)(a.At(o)), arena: a, offset: o, gate: make(chan struct{}, 1)}
		m.id, m.exact = link(a, o)
		if m.exact {
			m.linked = append(m.linked, o)
		}
		views.of[o] = m
	}
	m.refs++
	return m
}

// Close ends a use of the view.
func (m *Mutex) Close() {
	views.Lock()
	defer views.Unlock()
	if m.refs--; m.refs > 0 {
		return
	}
	if i := m.seat.Load(); i > 0 {
		s := &m.Table().Seats[i-1]
		if atomic.LoadInt32(&s.Held) == 0 {
			atomic.CompareAndSwapUint32(&s.owner, m.id, 0)
		}
	}
	if atomic.LoadUint32(&m.Word)&ownerID == m.id {
		return // it is still held, so the kernel must still know of it
	}
	delete(views.of, m.offset)
	for _, o := range m.linked {
		unlink(o)
	}
}

// TryLock takes the lock if it is free. Without the lock, err is nil or ErrPoisoned.
func (m *Mutex) TryLock() (locked bool, err error) {
	for {
		w := atomic.LoadUint32(&m.Word)
		if w&ownerID != 0 {
			if w&ownerID != m.id && !m.ownerLives(w) {
				atomic.CompareAndSwapUint32(&m.Word, w, w&waiters|died)
				continue
			}
			return false, nil
		}
		if atomic.CompareAndSwapUint32(&m.Word, w, m.id|w&waiters) {
			err := m.taken(w)
			return err == nil || err == ErrOwnerDied, err
		}
	}
}

// ownerLives asks the system only where the kernel does not tell by itself.
func (m *Mutex) ownerLives(w uint32) bool { return m.exact || alive(w&ownerID) }

// taken says what the taker of a lock whose word was w must know.
func (m *Mutex) taken(w uint32) error {
	if w&died != 0 {
		atomic.CompareAndSwapUint32(&m.state, sound, doubtful)
	}
	switch atomic.LoadUint32(&m.state) {
	case doubtful:
		return ErrOwnerDied
	case poisoned:
		// It was just taken.
		_ = m.Unlock()
		return ErrPoisoned
	}
	return nil
}

// Lock waits for the lock. It holds it afterwards if the error is nil or
// ErrOwnerDied, and does not if it is ErrPoisoned.
func (m *Mutex) Lock() error {
	if !atomic.CompareAndSwapUint32(&m.Word, 0, m.id) {
		return m.lockSlow(context.Background())
	}
	if atomic.LoadUint32(&m.state) != sound {
		return m.taken(0)
	}
	return nil
}

// LockContext is Lock until ctx is done; then the error is that of ctx.
func (m *Mutex) LockContext(ctx context.Context) error {
	if !atomic.CompareAndSwapUint32(&m.Word, 0, m.id) {
		return m.lockSlow(ctx)
	}
	return m.taken(0)
}

func (m *Mutex) lockSlow(ctx context.Context) error {
	for range 3 {
		w := atomic.LoadUint32(&m.Word)
		if w == 0 && atomic.CompareAndSwapUint32(&m.Word, 0, m.id) {
			return m.taken(0)
		}
		if w != 0 && !m.spin.Spin(&m.Word, w) {
			break
		}
	}
	select {
	case m.gate <- struct{}{}:
	default:
		select {
		case m.gate <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-m.gate }()
	defer WakeOnDone(ctx, &m.Word)()
	for {
		w := atomic.LoadUint32(&m.Word)
		if w&ownerID == 0 {
			// Others may be waiting, in other processes: the mark stays.
			if atomic.CompareAndSwapUint32(&m.Word, w, m.id|waiters) {
				return m.taken(w)
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if w&waiters == 0 {
			if !atomic.CompareAndSwapUint32(&m.Word, w, w|waiters) {
				continue
			}
			w |= waiters
		}
		if !futex.Wait(&m.Word, w, checkTime) && w&ownerID != m.id && !alive(w&ownerID) {
			atomic.CompareAndSwapUint32(&m.Word, w, died|waiters)
		}
	}
}

// checkTime is how long a waiter waits before it looks whether the owner is alive:
// where the kernel does not tell, and for wake-ups that died with their sender.
const checkTime = 20 * time.Millisecond

// Unlock gives the lock back.
func (m *Mutex) Unlock() error {
	if atomic.CompareAndSwapUint32(&m.Word, m.id, 0) {
		return nil
	}
	for {
		w := atomic.LoadUint32(&m.Word)
		if w&ownerID != m.id {
			return ErrNotLocked
		}
		if atomic.CompareAndSwapUint32(&m.Word, w, 0) {
			if w&waiters != 0 {
				futex.Wake(&m.Word, 1)
			}
			return nil
		}
	}
}

// Locked tells whether a live process holds the lock.
func (m *Mutex) Locked() bool { return atomic.LoadUint32(&m.Word)&ownerID != 0 }

// Owned tells whether this process holds the lock.
func (m *Mutex) Owned() bool { return atomic.LoadUint32(&m.Word)&ownerID == m.id }

// Consistent says that what the lock protects has been put right. The caller
// holds the lock.
func (m *Mutex) Consistent() { atomic.CompareAndSwapUint32(&m.state, doubtful, sound) }

// Poison makes all later Locks fail. The caller holds the lock.
func (m *Mutex) Poison() { atomic.StoreUint32(&m.state, poisoned) }

// Free tells whether nobody holds the lock, nor has died with it or said so.
func (m *Mutex) Free() bool {
	return atomic.LoadUint32(&m.Word) == 0 && atomic.LoadUint32(&m.state) == sound
}

// Spinner is the view's own, for other waits for the same object.
func (m *Mutex) Spinner() *futex.Spinner { return &m.spin }

// ID is this process's number as an owner; see Alive.
func (m *Mutex) ID() uint32 { return m.id }

// Alive tells whether the process is there whose number as an owner is id.
func Alive(id uint32) bool { return alive(id) }

// Table is what m is the lock of, which must be one.
func (m *Mutex) Table() *Table { return (*Table)(unsafe.Pointer(m.Slot)) }

// Seat gives this process's seat at the Table that m is the lock of, nil if all
// are taken. left is called if a dead process has left something at it.
func (m *Mutex) Seat(left func(*Seat)) *Seat {
	t := m.Table()
	if i := m.seat.Load(); i > 0 {
		return &t.Seats[i-1]
	}
	m.seatMu.Lock()
	defer m.seatMu.Unlock()
	if i := m.seat.Load(); i > 0 {
		return &t.Seats[i-1]
	}
	for i := range t.Seats {
		s := &t.Seats[i]
		w := atomic.LoadUint32(&s.owner)
		if w != 0 && !s.Dead() {
			continue
		}
		// The kernel is told before the seat is taken: a death in between must not be missed.
		o := m.offset + shm.Offset(uintptr(unsafe.Pointer(&s.owner))-uintptr(unsafe.Pointer(t)))
		id, exact := link(m.arena, o)
		if !atomic.CompareAndSwapUint32(&s.owner, w, id) {
			if exact {
				unlink(o)
			}
			continue
		}
		if exact {
			m.linked = append(m.linked, o)
		}
		if atomic.LoadInt32(&s.Held) != 0 {
			left(s)
		}
		m.seat.Store(int32(i + 1))
		return s
	}
	return nil
}

// Sweep calls left for each seat whose process has died and frees it, and tells
// whether there was one. The caller holds the lock.
func (m *Mutex) Sweep(left func(*Seat)) (found bool) {
	t := m.Table()
	for i := range t.Seats {
		s := &t.Seats[i]
		if w := atomic.LoadUint32(&s.owner); s.Dead() {
			left(s)
			found = true
			atomic.CompareAndSwapUint32(&s.owner, w, 0)
		}
	}
	return found
}

// Dead tells whether the seat's process has died.
func (s *Seat) Dead() bool {
	w := atomic.LoadUint32(&s.owner)
	return w != 0 && (w&ownerID == 0 || !alive(w&ownerID))
}

// Taken tells whether a process sits here, dead or alive.
func (s *Seat) Taken() bool { return atomic.LoadUint32(&s.owner) != 0 }

// WakeOnDone wakes the waiters of addr when ctx is done, until the function that
// it returns is called. Waits must be bounded all the same: the wake may come
// before the wait.
func WakeOnDone(ctx context.Context, addr *uint32) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	end := context.AfterFunc(ctx, func() { futex.Wake(addr, futex.All) })
	return func() { end() }
}
