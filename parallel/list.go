package parallel

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
)

// ErrEmpty is what List.Pop returns when there is nothing.
var ErrEmpty = errors.New("parallel: the list is empty")

// A List is a slice that a Manager keeps for all processes: Python's
// Manager().list(). It travels as a reference. Each method is one message to the
// manager, and is done as a whole.
type List[T any] struct{ proxy }

// NewList makes a list of xs.
func NewList[T any](m *Manager, xs ...T) *List[T] {
	l := NamedList[T](m, "")
	if l.bad == nil && len(xs) > 0 {
		l.bad = l.Append(xs...)
	}
	return l
}

// NamedList finds the manager's list of a name, or makes it, empty. Name "" always
// makes one. Its Err says if there is another object of the name.
func NamedList[T any](m *Manager, name string) *List[T] {
	return &List[T]{open(m, kindList, name, fmt.Sprintf("List[%s]", reflect.TypeFor[T]()))}
}

// Append puts xs at the end, in one message: nothing comes between them.
func (l *List[T]) Append(xs ...T) error {
	parts := make([][]byte, len(xs))
	for i, x := range xs {
		var err error
		if parts[i], err = pieces(x); err != nil {
			return err
		}
	}
	_, err := l.call(opAppend, parts...)
	return err
}

// Get gives item i. The error says so if there is none.
func (l *List[T]) Get(i int) (T, error) {
	x, _, err := l.get(i)
	return x, err
}

func (l *List[T]) get(i int) (x T, version uint64, err error) {
	a, err := l.call(opGet, number(uint64(i)))
	if err != nil {
		return x, 0, err
	}
	x, _, err = piece[T](&a)
	version, _ = a.number()
	return x, version, err
}

// Set sets item i.
func (l *List[T]) Set(i int, x T) error {
	value, err := pieces(x)
	if err != nil {
		return err
	}
	_, err = l.call(opSet, number(uint64(i)), value)
	return err
}

// Update sets item i to f of it and gives the new one. If somebody comes between,
// f is called again, so it must do nothing else.
func (l *List[T]) Update(i int, f func(T) T) (T, error) {
	for {
		x, version, err := l.get(i)
		if err != nil {
			return x, err
		}
		x = f(x)
		value, err := pieces(x)
		if err != nil {
			return x, err
		}
		a, err := l.call(opSwap, number(uint64(i)), number(version), value)
		if err != nil {
			return x, err
		}
		if done, ok := a.part(); ok && len(done) == 1 && done[0] == 1 {
			return x, nil
		}
	}
}

// Pop takes the last item. The error is ErrEmpty if there is none.
func (l *List[T]) Pop() (x T, err error) {
	a, err := l.call(opPop)
	if err != nil {
		return x, err
	}
	x, found, err := piece[T](&a)
	if err == nil && !found {
		err = ErrEmpty
	}
	return x, err
}

// Delete takes item i out and gives it.
func (l *List[T]) Delete(i int) (x T, err error) {
	a, err := l.call(opDelete, number(uint64(i)))
	if err != nil {
		return x, err
	}
	x, _, err = piece[T](&a)
	return x, err
}

// Len is how many items there are.
func (l *List[T]) Len() (int, error) { return l.length() }

// Items gives a copy of the whole, in one message.
func (l *List[T]) Items() ([]T, error) {
	a, err := l.call(opAll)
	if err != nil {
		return nil, err
	}
	xs := []T{}
	for len(a) > 0 {
		x, ok, err := piece[T](&a)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errManagerFrame
		}
		xs = append(xs, x)
	}
	return xs, nil
}

// All goes over a copy of the whole. If there is none, it goes over nothing: see
// Items for the error.
func (l *List[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		xs, _ := l.Items()
		for i, x := range xs {
			if !yield(i, x) {
				return
			}
		}
	}
}

// Clear takes all items out.
func (l *List[T]) Clear() error {
	_, err := l.call(opClear)
	return err
}

// String gives the whole, for printing.
func (l *List[T]) String() string { return text(l.Items()) }

// A Counter is a whole number that a Manager keeps for all processes, on other
// machines too. In one tree of processes a Value does the same a thousand times
// faster.
type Counter struct{ proxy }

// NewCounter makes a counter that is 0.
func NewCounter(m *Manager) *Counter { return NamedCounter(m, "") }

// NamedCounter finds the manager's counter of a name, or makes it. Name "" always
// makes one. Its Err says if there is another object of the name.
func NamedCounter(m *Manager, name string) *Counter {
	return &Counter{open(m, kindCount, name, "Counter")}
}

// Add adds n in one step and gives the sum.
func (c *Counter) Add(n int) (int, error) {
	value, err := pieces(n)
	if err != nil {
		return 0, err
	}
	a, err := c.call(opAdd, nil, value)
	if err != nil {
		return 0, err
	}
	sum, _, err := piece[int](&a)
	return sum, err
}

// Load gives the number.
func (c *Counter) Load() (int, error) {
	a, err := c.call(opGet, nil)
	if err != nil {
		return 0, err
	}
	n, _, err := piece[int](&a)
	return n, err
}

// Store sets the number.
func (c *Counter) Store(n int) error {
	value, err := pieces(n)
	if err != nil {
		return err
	}
	_, err = c.call(opSet, nil, value)
	return err
}

// String gives the number, for printing.
func (c *Counter) String() string { return text(c.Load()) }
