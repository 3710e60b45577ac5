package display

import (
	"fmt"
	"os"
)

// Show displays values in the running cell, at once and in order with what it
// prints: what Of gives for them. Notebooks written for gophernotes call it
// Display. Outside of a notebook it prints their text to standard output.
func Show(vs ...any) {
	if b := Of(vs...); b != nil {
		// As with fmt.Println, nobody looks at the error.
		_, _ = fmt.Fprintln(os.Stdout, b.Text())
	}
}

// Clear removes the running cell's output: at once, or with wait when the next
// output comes, which does not flicker. Outside of a notebook it does nothing.
func Clear(wait bool) {}
