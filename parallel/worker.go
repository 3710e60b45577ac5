package parallel

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
)

// A task goes to a worker.
type task struct {
	Image []byte // to be loaded first, nil for none
	Ref   Ref    // the function, where the host names functions
	Code  codeRef
	Args  [][]byte
	Last  bool // a Process: the worker ends after it
}

// A reply comes back from it.
type reply struct {
	Value []byte
	Panic *TaskPanic
	Err   string // the task could not be run
}

// A TaskPanic is the panic of a function that ran elsewhere.
type TaskPanic struct {
	Value string // the panic's value as text
	Stack string // of the goroutine, the function's frames first
}

func (p *TaskPanic) Error() string { return "panic: " + p.Value }

// Descriptors of a worker process.
const (
	tasksFD = 3 + iota
	repliesFD
	arenaFD
)

// serve runs the parent's tasks in a worker process until there are no more.
func serve() error {
	if err := inheritArena(arenaFD); err != nil {
		return err
	}
	closeOnExec(tasksFD)
	closeOnExec(repliesFD)
	dec := gob.NewDecoder(os.NewFile(tasksFD, "tasks"))
	enc := gob.NewEncoder(os.NewFile(repliesFD, "replies"))
	tasks := make(chan task)
	ended := make(chan error, 1)
	var busy atomic.Bool
	go func() {
		for {
			var t task
			if err := dec.Decode(&t); err != nil {
				if busy.Load() {
					os.Exit(1) // the parent is gone, or wants this one gone
				}
				ended <- err
				return
			}
			busy.Store(true)
			tasks <- t
		}
	}()
	for {
		select {
		case t := <-tasks:
			r := t.run()
			busy.Store(false)
			if t.Last {
				os.Exit(t.finish(r, enc))
			}
			if err := enc.Encode(r); err != nil {
				return fmt.Errorf("sending a result: %w", err)
			}
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("reading a task: %w", err)
		}
	}
}

// finish gives the exit code of a Process whose function has returned.
func (t task) finish(r reply, enc *gob.Encoder) int {
	if r.Panic == nil && r.Err == "" {
		return 0
	}
	r.Value = nil
	// If the parent is gone there is nobody to tell.
	_ = enc.Encode(r)
	if r.Panic != nil {
		fmt.Fprintf(os.Stderr, "panic: %s\n%s", r.Panic.Value, r.Panic.Stack)
	}
	return 1
}

// run runs the task's function and catches its panic.
func (t task) run() (r reply) {
	host, err := functions()
	if err == nil && host != nil && t.Image != nil {
		err = host.Load(t.Image)
	}
	var fn reflect.Value
	if err == nil {
		if host != nil {
			fn, err = host.Resolve(t.Ref)
		} else {
			fn, err = t.Code.resolve()
		}
	}
	if err != nil {
		return reply{Err: err.Error()}
	}
	args := make([]reflect.Value, len(t.Args))
	for i, data := range t.Args {
		ft := fn.Type()
		want := ft.In(min(i, ft.NumIn()-1))
		if ft.IsVariadic() && i >= ft.NumIn()-1 {
			want = want.Elem()
		}
		if args[i], err = decode(data, want); err != nil {
			return reply{Err: fmt.Sprintf("argument %d did not arrive: %v", i+1, err)}
		}
	}
	defer func() {
		if p := recover(); p != nil {
			r = reply{Panic: &TaskPanic{Value: panicValue(p), Stack: stack()}}
		}
	}()
	out := fn.Call(args)
	if len(out) == 0 || t.Last {
		return reply{}
	}
	data, err := encode(out[0])
	if err != nil {
		return reply{Err: fmt.Sprintf("the result (%s) cannot be sent back: %v", out[0].Type(), err)}
	}
	return reply{Value: data}
}

func panicValue(p any) string {
	if err, ok := p.(error); ok {
		return err.Error()
	}
	return fmt.Sprint(p)
}

// stack words where a panic came from: the frames between the panic and this
// package.
func stack() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "reflect.") || strings.HasPrefix(f.Function, "github.com/traefik/yaegi/") {
			break
		}
		if !strings.HasPrefix(f.Function, "runtime.") {
			fmt.Fprintf(&b, "\t%s\n\t\t%s:%d\n", f.Function, f.File, f.Line)
		}
		if !more {
			break
		}
	}
	return b.String()
}
