package interp

import (
	"fmt"
	"os"
	"reflect"

	"github.com/traefik/yaegi/interp"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/source"
	"github.com/paragopher/paragopher/parallel"
)

// cellSymbols is the package that lowered code calls.
func (s *Session) cellSymbols() interp.Exports {
	return interp.Exports{source.CellPackage + "/cell": {
		"Func": reflect.ValueOf(func(name string, f any) any { return parallel.Func{Name: name, Value: f} }),
		"Capturing": reflect.ValueOf(func(f any, names []string) any {
			return parallel.Func{Value: f, Captures: names}
		}),
		"Panicked": reflect.ValueOf(s.panicked),
		"Note":     reflect.ValueOf(func(text string) { fmt.Fprintln(os.Stderr, text) }),
	}}
}

// displaySymbols are the functions of package display that work on the running
// cell, in place of those that work in any program.
func (s *Session) displaySymbols() interp.Exports {
	symbols := map[string]reflect.Value{}
	if show := s.options.Show; show != nil {
		symbols["Show"] = reflect.ValueOf(func(vs ...any) {
			if b := display.Of(vs...); b != nil {
				show(*b)
			}
		})
	}
	if clear := s.options.Clear; clear != nil {
		symbols["Clear"] = reflect.ValueOf(clear)
	}
	return interp.Exports{source.DisplayPackage + "/display": symbols}
}

// panicked takes the panic of a goroutine, which has been recovered.
func (s *Session) panicked(v any) {
	p := &Panic{Value: panicText(v), Frames: s.frames(s.trace.take())}
	if s.options.Panicked != nil {
		s.options.Panicked(p)
		return
	}
	fmt.Fprintln(os.Stderr, p)
}
