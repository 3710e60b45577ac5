package display

import (
	"fmt"
	"os"
	"sync/atomic"
)

// notebook is where displays go in a process that runs a notebook's cells. It is
// set once, before any cell runs.
var notebook atomic.Pointer[Notebook]

// A Notebook shows bundles in the running cell and clears its output.
type Notebook struct {
	Show  func(Bundle)
	Clear func(wait bool)
}

// SetNotebook makes Show and Clear work on a notebook. The process that runs compiled
// cells calls it when it starts; programs do not.
func SetNotebook(n Notebook) { notebook.Store(&n) }

// Show displays values in the running cell, at once and in order with what it
// prints: what Of gives for them. Notebooks written for gophernotes call it
// Display. Outside of a notebook it prints their text to standard output.
func Show(vs ...any) {
	b := Of(vs...)
	if b == nil {
		return
	}
	if n := notebook.Load(); n != nil {
		n.Show(*b)
		return
	}
	// As with fmt.Println, nobody looks at the error.
	_, _ = fmt.Fprintln(os.Stdout, b.Text())
}

// Clear removes the running cell's output: at once, or with wait when the next
// output comes, which does not flicker. Outside of a notebook it does nothing.
func Clear(wait bool) {
	if n := notebook.Load(); n != nil {
		n.Clear(wait)
	}
}
