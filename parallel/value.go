package parallel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A Number is what a Value can hold.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr |
		~float32 | ~float64
}

// A Value is a number in memory that processes share: given to a process as an
// argument, also inside of other arguments, it is the same number there. It has a
// lock of its own, for work that takes several steps.
type Value[T Number] struct{ h *handle }

// A handle is a process's hold on a slot.
type handle struct {
	arena  *arena
	slot   uint64
	shared *atomic.Bool // another process may have it, so it is not given back
}

// NewValue makes a shared number. It costs a cache line of shared memory, which
// is given back when the Value is garbage and no other process has had it. A
// process tree has room for some four million; beyond that, and where there is no
// shared memory, the Value's methods report it.
func NewValue[T Number](v T) *Value[T] {
	value := &Value[T]{}
	a, err := getArena()
	if err != nil {
		return value
	}
	i, err := a.take()
	if err != nil {
		return value
	}
	value.hold(a, i, false)
	value.Store(v)
	return value
}

func (v *Value[T]) hold(a *arena, i uint64, shared bool) {
	v.h = &handle{arena: a, slot: i, shared: new(atomic.Bool)}
	v.h.shared.Store(shared)
	flag := v.h.shared
	runtime.AddCleanup(v.h, func(i uint64) {
		if !flag.Load() {
			a.give(i)
		}
	}, i)
}

// local stands in for shared memory that could not be had; see Lock.
var errNoMemory = errors.New("parallel: this Value has no shared memory: it is the zero Value, or NewValue found no room")

func (v *Value[T]) slot() *slot {
	if v == nil || v.h == nil {
		return nil
	}
	return v.h.arena.slot(v.h.slot)
}

// Load gives the number; 0 for a Value without memory.
func (v *Value[T]) Load() T {
	s := v.slot()
	if s == nil {
		return 0
	}
	w := atomic.LoadUint64(&s.value)
	runtime.KeepAlive(v.h)
	return *(*T)(unsafe.Pointer(&w))
}

// Store sets the number. v.Store(v.Load() + d) is two steps, between which another
// process may store: updates get lost. Add is one.
func (v *Value[T]) Store(x T) {
	s := v.slot()
	if s == nil {
		return
	}
	var w uint64
	*(*T)(unsafe.Pointer(&w)) = x
	atomic.StoreUint64(&s.value, w)
	runtime.KeepAlive(v.h)
}

// Add adds d in one step, which no other process can come between, and gives the
// sum. It needs no lock.
func (v *Value[T]) Add(d T) T {
	s := v.slot()
	if s == nil {
		return 0
	}
	defer runtime.KeepAlive(v.h)
	for {
		old := atomic.LoadUint64(&s.value)
		sum := *(*T)(unsafe.Pointer(&old)) + d
		var w uint64
		*(*T)(unsafe.Pointer(&w)) = sum
		if atomic.CompareAndSwapUint64(&s.value, old, w) {
			return sum
		}
	}
}

// Lock waits until no other process or goroutine holds the Value's lock and takes
// it. It keeps only those out who also take it. If the holder dies, the next one
// gets the lock with ErrOwnerDied, some 20 ms later; nobody waits for ever. It is
// not recursive.
func (v *Value[T]) Lock() error {
	s := v.slot()
	if s == nil {
		return errNoMemory
	}
	defer runtime.KeepAlive(v.h)
	return s.lock()
}

// Unlock gives the lock back. It returns ErrNotLocked if nobody holds it.
func (v *Value[T]) Unlock() error {
	s := v.slot()
	if s == nil {
		return errNoMemory
	}
	defer runtime.KeepAlive(v.h)
	return s.unlock()
}

// With calls f with the shared number's address while it holds the lock. The
// pointer must not be kept. The error is that of Lock; f has been called all the
// same if it is ErrOwnerDied.
func (v *Value[T]) With(f func(*T)) error {
	err := v.Lock()
	if err != nil && !errors.Is(err, ErrOwnerDied) {
		return err
	}
	defer v.Unlock()
	f((*T)(unsafe.Pointer(&v.slot().value)))
	return err
}

// String gives the number, for printing.
func (v *Value[T]) String() string { return fmt.Sprint(v.Load()) }

// GobEncode makes a Value travel as a handle. It is called by encoding/gob when
// a Value is sent to another process of this package; elsewhere it means nothing.
func (v *Value[T]) GobEncode() ([]byte, error) {
	if v.slot() == nil {
		return nil, errNoMemory
	}
	v.h.shared.Store(true)
	return binary.LittleEndian.AppendUint64(nil, v.h.slot), nil
}

// GobDecode is GobEncode's inverse, in the other process.
func (v *Value[T]) GobDecode(data []byte) error {
	a, err := getArena()
	if err != nil {
		return err
	}
	if len(data) != 8 || (binary.LittleEndian.Uint64(data)+1)*slotSize > uint64(len(a.mem)) {
		return errors.New("parallel: these bytes are no Value of this process tree")
	}
	v.hold(a, binary.LittleEndian.Uint64(data), true)
	return nil
}
