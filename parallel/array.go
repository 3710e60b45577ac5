package parallel

import (
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/paragopher/paragopher/parallel/internal/shm"
)

// An Array is a row of numbers, bools or structs of fixed size in memory that
// processes share. It travels as a handle: a hundred megabytes are as quick to
// hand over as a byte. It has a lock of its own, which its methods do not take.
type Array[T any] struct {
	lockable
	items []T // in shared memory
	from  int
}

// NewArray makes a shared row of n zeros. T must be a number, a bool, or an array
// or struct of such without pointers, strings or slices; otherwise, and if there is
// no room, the Array is empty and Err says why. Memory is taken page by page as
// it is touched, and is given back when the Array is garbage and neither another
// process nor a Slice has had it, by Free, and with the last process at the latest.
func NewArray[T any](n int) *Array[T] {
	a := &Array[T]{}
	t := reflect.TypeFor[T]()
	size := int(t.Size())
	switch {
	case !plain(t):
		a.bad = fmt.Errorf("parallel: an Array of %s is not possible: it has pointers, which mean nothing in another process; use numbers, bools, and structs and arrays of them", t)
	case n < 0 || size > 0 && n > 1<<46/size:
		a.bad = fmt.Errorf("parallel: NewArray of length %d", n)
	default:
		a.object = newObject(slotSize, max(n*size, 1))
	}
	if a.bad == nil {
		*at[uint64](a.h.slot, 0), *at[uint64](a.h.slot, 2) = uint64(a.h.block), uint64(n)
		a.items = unsafe.Slice((*T)(a.h.arena.At(a.h.block)), n)
	}
	return a
}

// ArrayOf makes a shared copy of xs.
func ArrayOf[T any](xs []T) *Array[T] {
	a := NewArray[T](len(xs))
	copy(a.items, xs)
	return a
}

// Err says why the Array has no memory; it is nil if it has.
func (a *Array[T]) Err() error {
	_, err := a.get()
	return err
}

// Len is how many items there are.
func (a *Array[T]) Len() int { return len(a.items) }

// At gives item i. Like a slice, it panics if there is none. Items of up to eight
// bytes are read whole; bigger ones may be caught half written without the lock.
func (a *Array[T]) At(i int) T {
	x := a.items[i]
	runtime.KeepAlive(a.h)
	return x
}

// Set sets item i. Like a slice, it panics if there is none.
func (a *Array[T]) Set(i int, x T) {
	a.items[i] = x
	runtime.KeepAlive(a.h)
}

// Slice gives the items themselves, not a copy: what is written to it is seen by
// all processes. The Array's memory is not given back before Free from then on,
// since the slice may be in use.
func (a *Array[T]) Slice() []T {
	if a.h == nil {
		return nil
	}
	a.h.shared.Store(true)
	return a.items
}

// View gives items from to to-1 as an Array of their own, on the same memory and
// with the same lock. Like a slice, it panics if the range is not in the Array.
func (a *Array[T]) View(from, to int) *Array[T] {
	return &Array[T]{lockable: a.lockable, items: a.items[from:to:to], from: a.from + from}
}

// With calls f with the items themselves while it holds the lock. The slice must
// not be kept. The error is that of Lock; f has been called all the same if it is
// ErrOwnerDied.
func (a *Array[T]) With(f func([]T)) error { return a.locked(func() { f(a.items) }) }

// Free gives the memory back at once. No process may use the Array, or a slice or
// view of it, any more: it would see memory of others.
func (a *Array[T]) Free() {
	if a.h == nil {
		return
	}
	h := a.h
	// Not by export and the cleanup: this is its last use.
	h.arena.Give(shm.Offset(*at[uint64](h.slot, 0)), max(int(*at[uint64](h.slot, 2))*int(reflect.TypeFor[T]().Size()), 1))
	h.shared.Store(true)
	a.h, a.items, a.bad = nil, nil, fmt.Errorf("parallel: the Array has been freed")
}

// AddAt adds d to item i of an Array of numbers in one step, which no other
// process can come between, and gives the sum.
func AddAt[T Number](a *Array[T], i int, d T) T {
	defer runtime.KeepAlive(a.h)
	p := &a.items[i]
	if unsafe.Sizeof(d) == 8 {
		return addTo((*uint64)(unsafe.Pointer(p)), d)
	}
	// The four bytes that the item is in.
	off := uintptr(unsafe.Pointer(p)) & 3
	w := (*uint32)(unsafe.Add(unsafe.Pointer(p), -int(off)))
	for {
		old := atomic.LoadUint32(w)
		x := old
		item := (*T)(unsafe.Add(unsafe.Pointer(&x), off))
		*item += d
		sum := *item
		if atomic.CompareAndSwapUint32(w, old, x) {
			return sum
		}
	}
}

// String gives the items, for printing.
func (a *Array[T]) String() string { return fmt.Sprint(a.items) }

// GobEncode makes an Array travel as a handle, not as its items.
func (a *Array[T]) GobEncode() ([]byte, error) {
	return a.export(uint64(a.from), uint64(len(a.items)))
}

// GobDecode is GobEncode's inverse, in the other process.
func (a *Array[T]) GobDecode(data []byte) error {
	t := reflect.TypeFor[T]()
	more, err := a.adopt(data, slotSize, 2)
	if err != nil {
		return err
	}
	n := *at[uint64](a.h.slot, 2)
	from, count := more[0], more[1]
	var mem []byte
	if plain(t) && from <= n && count <= n-from && n <= uint64(a.h.arena.Size())/max(uint64(t.Size()), 1) {
		mem = a.h.arena.Bytes(shm.Offset(*at[uint64](a.h.slot, 0)), max(int(n)*int(t.Size()), 1))
	}
	if mem == nil {
		a.object = object{bad: errForeign}
		return errForeign
	}
	a.items, a.from = unsafe.Slice((*T)(unsafe.Pointer(&mem[0])), n)[from:from+count:from+count], int(from)
	return nil
}
