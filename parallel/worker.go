package parallel

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
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
	Warm  bool // for a spare: to take the image, and nothing to do

	from int // version that the image is to be added to, not sent
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

// doneWell is a Process's last word if its function has returned, in place of a
// reply. No message of gob begins with it.
const doneWell = 0

// Descriptors of a worker process.
const (
	tasksFD = 3 + iota
	repliesFD
	arenaFD
	crashFD
)

// serve runs the parent's tasks in a worker process until there are no more.
func serve() error {
	if err := inheritArena(arenaFD); err != nil {
		return err
	}
	closeOnExec(tasksFD)
	closeOnExec(repliesFD)
	keepCrashes()
	dec := gob.NewDecoder(os.NewFile(tasksFD, "tasks"))
	replies := os.NewFile(repliesFD, "replies")
	enc := gob.NewEncoder(replies)
	for {
		var t task
		if err := dec.Decode(&t); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("reading a task: %w", err)
		}
		switch {
		case t.Warm:
			if err := t.warm(); err != nil {
				return err
			}
		case t.Last:
			if !diesWithParent {
				go func() {
					if dec.Decode(new(task)) != nil {
						os.Exit(1)
					}
				}()
			}
			os.Exit(t.finish(t.run(), replies, enc))
		default:
			return serveTasks(t, dec, enc)
		}
	}
}

// serveTasks runs one task after the other, from t on.
func serveTasks(t task, dec *gob.Decoder, enc *gob.Encoder) error {
	tasks := make(chan task, 1)
	ended := make(chan error, 1)
	var busy atomic.Bool
	busy.Store(true)
	tasks <- t
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

// keepCrashes has the runtime's last words written where the parent finds them.
func keepCrashes() {
	f := os.NewFile(crashFD, "crash")
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return // there is none
	}
	closeOnExec(crashFD)
	// Without it they are on standard error only.
	_ = debug.SetCrashOutput(f, debug.CrashOptions{})
	f.Close()
}

// warm does ahead what costs time when a process starts.
func (t task) warm() error {
	host, err := functions()
	if err != nil {
		return err
	}
	if host == nil {
		// Once through everything, so that it is in memory.
		if r := t.run(); r.Err != "" {
			return errors.New(r.Err)
		}
		return nil
	}
	if t.Image != nil {
		err = host.Load(t.Image)
	}
	return err
}

// idle is what a spare runs to be warm.
func idle(int) {}

// finish gives the exit code of a Process whose function has returned.
func (t task) finish(r reply, replies *os.File, enc *gob.Encoder) int {
	if r.Panic == nil && r.Err == "" {
		// If the parent is gone there is nobody to tell, here and below.
		_, _ = replies.Write([]byte{doneWell})
		return 0
	}
	r.Value = nil
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
	out := t.invoke(fn, args)
	if len(out) == 0 || t.Last {
		return reply{}
	}
	encoding := spanBegin()
	data, err := encode(out[0])
	spanEnd(spanEncode, 0, 0, "result", encoding)
	if err != nil {
		return reply{Err: fmt.Sprintf("the result (%s) cannot be sent back: %v", out[0].Type(), err)}
	}
	return reply{Value: data}
}

// invoke calls the task's function, and records when.
func (t task) invoke(fn reflect.Value, args []reflect.Value) []reflect.Value {
	if began := spanBegin(); began != 0 && !t.Warm {
		defer func() { spanEnd(spanTask, 0, 0, t.name(), began) }()
	}
	return fn.Call(args)
}

// name is what spans call the task's function.
func (t task) name() string {
	name := t.Ref.Name + t.Code.Name // one of them is empty
	return name[strings.LastIndexByte(name, '/')+1:]
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
