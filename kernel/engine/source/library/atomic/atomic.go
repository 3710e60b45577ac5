// Package atomic has the generic type of the standard package of that name for
// the interpreter.
package atomic

import "sync"

// A Pointer is a pointer that goroutines share.
type Pointer[T any] struct {
	mu sync.Mutex
	p  *T
}

// Load gives the pointer.
func (x *Pointer[T]) Load() *T {
	x.mu.Lock()
	p := x.p
	x.mu.Unlock()
	return p
}

// Store sets the pointer.
func (x *Pointer[T]) Store(val *T) {
	x.mu.Lock()
	x.p = val
	x.mu.Unlock()
}

// Swap sets the pointer and gives the one before.
func (x *Pointer[T]) Swap(val *T) (old *T) {
	x.mu.Lock()
	old = x.p
	x.p = val
	x.mu.Unlock()
	return old
}

// CompareAndSwap sets the pointer where it is the old one.
func (x *Pointer[T]) CompareAndSwap(old, val *T) (swapped bool) {
	x.mu.Lock()
	if x.p == old {
		x.p = val
		swapped = true
	}
	x.mu.Unlock()
	return swapped
}
