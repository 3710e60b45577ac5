package parallel

import (
	"fmt"
	"os"
	"reflect"
	"sync/atomic"
)

// roleVariable marks a child's environment. Main removes it before user code runs.
const roleVariable = "PARALLEL_ROLE"

// Functions is how the functions of a host travel that are not part of its
// binary, as those of a notebook. Refer and Image are called in the process that
// starts others, Load and Resolve in those.
type Functions interface {
	// Refer names fn, an argument of NewProcess or an executor, for a worker.
	Refer(fn any) (Ref, error)
	// Image gives what brings a worker's code from one version (0: nothing) to another.
	Image(from, to int) ([]byte, error)
	// Load takes an image.
	Load(image []byte) error
	// Resolve gives the function, ready to be called.
	Resolve(r Ref) (reflect.Value, error)
}

// A Ref names a function of a host: what to call, in which version of the host's
// code, with what else it needs.
type Ref struct {
	Name    string
	Version int
	State   []byte
}

// A Func is a function with its name, for hosts whose functions do not have one.
// It is accepted wherever a function for another process is. Captures are the
// local variables it takes from around it; with any, it cannot go to a process.
type Func struct {
	Name     string
	Value    any
	Captures []string
}

// A HostOption configures Main.
type HostOption func(*host)

// host is what Main was told. It is set once, before anything is started.
type host struct{ functions Functions }

var theHost atomic.Pointer[host]

// WithFunctions makes f the way in which functions travel.
func WithFunctions(f Functions) HostOption { return func(h *host) { h.functions = f } }

// Main must be the first statement of func main in every program that starts
// processes. In a child process it runs what the parent asks for and does not
// return; in any other process it returns at once. Without it a child runs main
// from the start, as Python does without its main guard, so NewProcess refuses.
func Main(opts ...HostOption) {
	h := &host{}
	for _, o := range opts {
		o(h)
	}
	theHost.Store(h)
	if os.Getenv(roleVariable) == "" {
		return
	}
	os.Unsetenv(roleVariable)
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "parallel: worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// functions gives the host's way for functions, nil for that of programs. The
// error says that Main was never called.
func functions() (Functions, error) {
	h := theHost.Load()
	if h == nil {
		return nil, fmt.Errorf("parallel.Main() was not called: make it the first statement of main")
	}
	return h.functions, nil
}
