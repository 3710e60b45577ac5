package parallel

import (
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
type Value[T Number] struct{ lockable }

// NewValue makes a shared number. It costs a cache line of shared memory, which
// is given back when the Value is garbage and no other process has had it. A
// process tree has room for some four million; beyond that, and where there is no
// shared memory, the Value's lock methods report it and the number stays 0.
func NewValue[T Number](v T) *Value[T] {
	value := &Value[T]{lockable{newObject(slotSize, 0)}}
	value.Store(v)
	return value
}

// word is where the number is, nil if nowhere.
func (v *Value[T]) word() *uint64 {
	if v == nil || v.h == nil {
		return nil
	}
	return (*uint64)(unsafe.Pointer(&v.h.slot.Data[0]))
}

// Load gives the number; 0 for a Value without memory.
func (v *Value[T]) Load() T {
	p := v.word()
	if p == nil {
		return 0
	}
	w := atomic.LoadUint64(p)
	runtime.KeepAlive(v.h)
	return *(*T)(unsafe.Pointer(&w))
}

// Store sets the number. v.Store(v.Load() + d) is two steps, between which another
// process may store: updates get lost. Add is one.
func (v *Value[T]) Store(x T) {
	p := v.word()
	if p == nil {
		return
	}
	var w uint64
	*(*T)(unsafe.Pointer(&w)) = x
	atomic.StoreUint64(p, w)
	runtime.KeepAlive(v.h)
}

// Add adds d in one step, which no other process can come between, and gives the
// sum. It needs no lock and takes some 5 ns.
func (v *Value[T]) Add(d T) T {
	p := v.word()
	if p == nil {
		return 0
	}
	sum := addTo(p, d)
	runtime.KeepAlive(v.h)
	return sum
}

// addTo adds to the number that begins at p.
func addTo[T Number](p *uint64, d T) T {
	if whole := T(1)/T(2) == 0; whole && unsafe.Sizeof(d) == 8 {
		sum := atomic.AddUint64(p, *(*uint64)(unsafe.Pointer(&d)))
		return *(*T)(unsafe.Pointer(&sum))
	}
	for {
		old := atomic.LoadUint64(p)
		sum := *(*T)(unsafe.Pointer(&old)) + d
		w := old
		*(*T)(unsafe.Pointer(&w)) = sum
		if atomic.CompareAndSwapUint64(p, old, w) {
			return sum
		}
	}
}

// CompareAndSwap sets the number to new if it is old, in one step, and tells
// whether it was.
func (v *Value[T]) CompareAndSwap(old, new T) bool {
	p := v.word()
	if p == nil {
		return false
	}
	defer runtime.KeepAlive(v.h)
	for {
		w := atomic.LoadUint64(p)
		if *(*T)(unsafe.Pointer(&w)) != old {
			return false
		}
		x := w
		*(*T)(unsafe.Pointer(&x)) = new
		if atomic.CompareAndSwapUint64(p, w, x) {
			return true
		}
	}
}

// Update sets the number to f of it, in one step, and gives the new number. If
// another process comes between, f is called again: it must do nothing else.
func (v *Value[T]) Update(f func(T) T) T {
	for {
		old := v.Load()
		x := f(old)
		if v.CompareAndSwap(old, x) || v.word() == nil || old != old { // NaN is not equal to itself
			return x
		}
	}
}

// With calls f with the shared number's address while it holds the lock. The
// pointer must not be kept. The error is that of Lock; f has been called all the
// same if it is ErrOwnerDied.
func (v *Value[T]) With(f func(*T)) error {
	return v.locked(func() { f((*T)(unsafe.Pointer(v.word()))) })
}

// String gives the number, for printing.
func (v *Value[T]) String() string { return fmt.Sprint(v.Load()) }

// GobDecode is GobEncode's inverse, in the other process.
func (v *Value[T]) GobDecode(data []byte) error {
	_, err := v.adopt(data, slotSize, 0)
	return err
}
