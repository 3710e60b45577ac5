// Package rt is what compiled cells share with the host process that loads them:
// the session's variables, the cells' functions, and the way to stop a cell. It is
// linked into every cell, so it depends on next to nothing.
package rt

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Cell is what one compiled package registers when it is loaded. Nothing else
// happens then: loading code again has no effects.
type Cell struct {
	Run   func() []any   // its statements, nil for none
	Funcs map[string]any // its functions, by name
	Types map[string]any // nil pointers to its types, by name
}

var (
	mu    sync.Mutex
	vars  = map[string]any{} // pointers
	cells = map[string]*Cell{}
)

// Var gives the memory of a session variable and makes it on first use. Two
// packages that disagree on its type are a bug of what emitted them: Var panics.
func Var[T any](name string) *T {
	mu.Lock()
	defer mu.Unlock()
	if p, ok := vars[name]; ok {
		v, ok := p.(*T)
		if !ok {
			panic(fmt.Sprintf("variable %s is a %T, and a cell takes it for a %T", name, p, v))
		}
		return v
	}
	p := new(T)
	vars[name] = p
	return p
}

// Register makes a loaded package known.
func Register(path string, c Cell) {
	mu.Lock()
	defer mu.Unlock()
	cells[path] = &c
}

// Lookup gives a loaded package, nil if it is not.
func Lookup(path string) *Cell {
	mu.Lock()
	defer mu.Unlock()
	return cells[path]
}

// Variable gives the pointer to a session variable, nil if there is none.
func Variable(name string) any {
	mu.Lock()
	defer mu.Unlock()
	return vars[name]
}

// Declare makes p, a pointer, the memory of a session variable, if it is new.
func Declare(name string, p any) {
	mu.Lock()
	defer mu.Unlock()
	if vars[name] == nil {
		vars[name] = p
	}
}

// Values makes a slice of a call's results.
func Values(vs ...any) []any { return vs }

// The host's part. It is set before anything is loaded.
var (
	Show     func(...any)
	Note     func(string)
	Panicked func(value any) // a goroutine's; called while it unwinds
	Worker   bool            // exits end the process, as in any program
	OSExit   func(int)
)

// Stopping is not 0 while a cell is to stop.
var Stopping atomic.Uint32

// Stopped is what a cell that is interrupted panics with.
type Stopped struct{}

func (Stopped) Error() string { return "interrupted" }

// Exited is what a cell that calls os.Exit panics with.
type Exited struct{ Code int }

func (e Exited) Error() string { return fmt.Sprintf("os.Exit(%d)", e.Code) }

// Check is in every loop of a cell: it ends the cell that is to stop.
func Check() {
	if Stopping.Load() != 0 {
		stop()
	}
}

//go:noinline
func stop() { panic(Stopped{}) }

// Exit is os.Exit of cells: it ends the cell, not the session.
func Exit(code int) {
	if Worker {
		OSExit(code)
	}
	panic(Exited{code})
}

// Sleep is time.Sleep of cells: it ends when the cell is to stop.
func Sleep(d time.Duration) {
	const slice = 50 * time.Millisecond
	for end := time.Now().Add(d); ; {
		Check()
		left := time.Until(end)
		if left <= slice {
			time.Sleep(left)
			Check()
			return
		}
		time.Sleep(slice)
	}
}

// Recover is deferred by every goroutine that a cell starts: its panic is an error
// of that cell, not the end of the session.
func Recover() {
	if r := recover(); r != nil {
		if _, ok := r.(Stopped); !ok {
			Panicked(r)
		}
	}
}

// Copy gives a pointer to a copy of v.
func Copy[T any](v T) *T { return &v }
