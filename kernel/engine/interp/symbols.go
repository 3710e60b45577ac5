package interp

import (
	"fmt"
	"log"
	"os"
	"reflect"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"

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
		"ClearAll":   reflect.ValueOf(func(v any) { reflect.ValueOf(plain(v)).Clear() }),
		"Plain":      reflect.ValueOf(plainDeep),
		"WithError":  reflect.ValueOf(func(v any, text func() string) any { return withError{formatted{plain(v), text}} }),
		"WithString": reflect.ValueOf(func(v any, text func() string) any { return withString{formatted{plain(v), text}} }),
		"Recover":    reflect.ValueOf(recovered),
		"Print":      reflect.ValueOf(func(vs ...any) { printBuiltin(vs, false) }),
		"Println":    reflect.ValueOf(func(vs ...any) { printBuiltin(vs, true) }),
		"Enter":      reflect.ValueOf(s.enter),
		"Panicked":   reflect.ValueOf(s.panicked),
		"Note":       reflect.ValueOf(func(text string) { fmt.Fprintln(os.Stderr, text) }),
	}}
}

// exitSymbols are the standard library's ways to end the process. In a session
// they end the cell instead, by a panic: deferred functions run, which they would
// not in a program, and nothing of the notebook is lost.
func exitSymbols() interp.Exports {
	exit := func(code int) { panic(&Exit{Code: code}) }
	return interp.Exports{
		"os/os": {"Exit": reflect.ValueOf(exit)},
		"log/log": {
			"Fatal":   reflect.ValueOf(func(v ...any) { log.Print(v...); exit(1) }),
			"Fatalf":  reflect.ValueOf(func(format string, v ...any) { log.Printf(format, v...); exit(1) }),
			"Fatalln": reflect.ValueOf(func(v ...any) { log.Println(v...); exit(1) }),
			// A logger whose methods end the cell by a panic, too.
			"New":    stdlib.Symbols["log/log"]["New"],
			"Logger": stdlib.Symbols["log/log"]["Logger"],
		},
	}
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
