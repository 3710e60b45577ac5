// Command host is the process that compiled cells are loaded into. Package native
// builds it on the user's machine, with the Go that compiles the cells.
package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"plugin"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/native/rt"
	"github.com/paragopher/paragopher/kernel/engine/session"
	"github.com/paragopher/paragopher/parallel"
)

func main() {
	session.Main(open)
	fmt.Fprintln(os.Stderr, "paragopher's host of compiled cells is started by its kernel only")
	os.Exit(2)
}

// A host is a session.Runner whose cells are plugins.
type host struct {
	mu    sync.Mutex
	units []rt.Unit
	uses  map[string]rt.Use
}

func open(n session.Notebook) (session.Runner, error) {
	debug.SetMaxStack(256 << 20) // runaway recursion ends in a second, not at 1 GB
	rt.Show = display.Show
	rt.Note = func(text string) { fmt.Fprintln(os.Stderr, text) }
	rt.Worker = n.Worker
	rt.OSExit = os.Exit
	rt.Panicked = func(v any) {
		p := fault(v)
		switch {
		case p == nil:
		case n.Panicked != nil:
			n.Panicked(p)
		default: // a worker is a program
			fmt.Fprintf(os.Stderr, "%s\n", strings.Join(p.Traceback(), "\n"))
			os.Exit(2)
		}
	}
	if n.Show != nil {
		display.SetNotebook(display.Notebook{Show: n.Show, Clear: n.Clear})
	}
	return &host{uses: map[string]rt.Use{}}, nil
}

// Load implements session.Runner. Opening a plugin registers its code; its
// statements wait for Run.
func (h *host) Load(unit []byte) error {
	u, err := decode(unit)
	if err != nil || u.Plugin == "" {
		return err
	}
	return h.open(u)
}

func (h *host) open(u rt.Unit) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("loading the compiled cell[%d]: %v", u.Cell, r)
		}
	}()
	if _, err := plugin.Open(u.Plugin); err != nil {
		return fmt.Errorf("loading the compiled cell[%d]: %w", u.Cell, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.units = append(h.units, u)
	for name, use := range u.Uses {
		h.uses[name] = use
	}
	return nil
}

func decode(data []byte) (u rt.Unit, err error) {
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&u); err != nil {
		return u, fmt.Errorf("decoding a cell from the kernel: %w", err)
	}
	return u, nil
}

// windDown is how long an interrupted cell has to stop before it is left behind.
const windDown = 150 * time.Millisecond

// Run implements session.Runner.
func (h *host) Run(ctx context.Context, unit []byte) (values []any, err error) {
	u, err := decode(unit)
	if err != nil {
		return nil, err
	}
	if u.Peek != "" {
		return summary(rt.Variable(u.Peek)), nil
	}
	cell := rt.Lookup(u.Path)
	if cell == nil || cell.Run == nil {
		return nil, nil
	}
	type outcome struct {
		values []any
		err    error
	}
	ended := make(chan outcome, 1)
	go func() {
		var o outcome
		finished := false
		defer func() {
			r := recover()
			switch e := r.(type) {
			case rt.Stopped:
				o.err = context.Canceled
			case rt.Exited:
				o.err = &session.Exit{Code: e.Code}
			default:
				if !finished && r != nil {
					o.err = fault(r)
				}
			}
			ended <- o
		}()
		o.values = cell.Run()
		finished = true
	}()
	select {
	case o := <-ended:
		return o.values, o.err
	case <-ctx.Done():
	}
	rt.Stopping.Store(1)
	defer rt.Stopping.Store(0)
	timer := time.NewTimer(windDown)
	defer timer.Stop()
	select {
	case <-ended:
		return nil, context.Canceled
	case <-timer.C:
		return nil, &session.Left{Note: "what it waits for cannot be interrupted, so its goroutine is left behind"}
	}
}

// summary tells what is short of a variable's value and runs none of the user's code.
func summary(p any) []any {
	if p == nil {
		return nil
	}
	v := reflect.ValueOf(p).Elem()
	switch v.Kind() {
	case reflect.String:
		return []any{fmt.Sprintf("%.200q", v.String())}
	case reflect.Slice, reflect.Map, reflect.Chan:
		return []any{fmt.Sprint("length ", v.Len())}
	case reflect.Bool:
		return []any{v.Bool()}
	}
	switch {
	case v.CanInt():
		return []any{v.Int()}
	case v.CanUint():
		return []any{v.Uint()}
	case v.CanFloat():
		return []any{v.Float()}
	case v.CanComplex():
		return []any{v.Complex()}
	}
	return nil
}

// fault words what a goroutine of a cell panicked with. It is called while that
// unwinds, so the stack tells where.
func fault(v any) *session.Panic {
	if e, ok := v.(rt.Exited); ok {
		return &session.Panic{Value: e.Error()}
	}
	p := &session.Panic{Value: text(v)}
	pcs := make([]uintptr, 4096)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		var cell int
		if _, err := fmt.Sscanf(f.File[strings.LastIndexByte(f.File, '/')+1:], "cell[%d]", &cell); err == nil && !strings.HasSuffix(f.Function, ".init") {
			p.Frames = append(p.Frames, session.Frame{Func: plain(f.Function), Cell: cell, Line: f.Line})
		}
		if !more {
			return p
		}
	}
}

func text(v any) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprintf("(%T) whose text cannot be had: %v", v, r)
		}
	}()
	switch x := v.(type) {
	case error:
		return x.Error()
	case fmt.Stringer:
		return x.String()
	case string:
		return x
	}
	return fmt.Sprintf("%v", v)
}

// plain is the name that the user gave to a function.
func plain(name string) string {
	if i := strings.Index(name, "/main."); i >= 0 {
		name = name[i+len("/main."):]
	}
	name = strings.ReplaceAll(name, "X__", "")
	if rest, ok := strings.CutPrefix(name, "run__"); ok {
		return strings.TrimPrefix(rest, ".")
	}
	return name
}

// Functions implements session.Runner.
func (h *host) Functions() parallel.Functions { return functions{h} }

// functions is how compiled functions travel: by package and name, with the plugins
// as the worker's image and copies of the variables that they reach.
type functions struct{ *host }

func (f functions) Refer(fn any) (parallel.Ref, error) {
	v := reflect.ValueOf(fn)
	if named, ok := fn.(parallel.Func); ok {
		v = reflect.ValueOf(named.Value)
	}
	name := runtime.FuncForPC(v.Pointer()).Name()
	path, short := split(name)
	cell := rt.Lookup(path)
	if cell == nil || cell.Funcs[short] == nil {
		if strings.Contains(short, ".func") {
			return parallel.Ref{}, fmt.Errorf("a function literal that captures variables cannot go to another process, which does not have them: pass them as arguments")
		}
		return parallel.Ref{}, fmt.Errorf("a process can run a function of the notebook by its name only: %s is not declared in a cell", plain(name))
	}
	state := map[string][]byte{}
	for _, x := range f.reach(name) {
		p := rt.Variable(x)
		if p == nil {
			continue
		}
		data, err := encode(reflect.ValueOf(p).Elem())
		if err != nil {
			return parallel.Ref{}, fmt.Errorf("%s uses the variable %s, whose value cannot be copied to a process: %w", plain(name), x, err)
		}
		state[x] = data
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(state); err != nil {
		return parallel.Ref{}, fmt.Errorf("encoding the variables of %s: %w", plain(name), err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return parallel.Ref{Name: name, Version: len(f.units), State: buf.Bytes()}, nil
}

// split parts a function's symbol into package path and name.
func split(symbol string) (path, name string) {
	i := strings.Index(symbol, "/main.")
	if i < 0 {
		return "", symbol
	}
	return symbol[:i+len("/main")], symbol[i+len("/main."):]
}

func encode(v reflect.Value) ([]byte, error) {
	if v.IsZero() {
		return nil, nil
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).EncodeValue(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// reach lists the variables that a function uses, itself or through others.
func (h *host) reach(name string) (vars []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, v := range h.uses[name].Vars {
			if !slices.Contains(vars, v) {
				vars = append(vars, v)
			}
		}
		for _, f := range h.uses[name].Funcs {
			visit(f)
		}
	}
	visit(name)
	return vars
}

func (f functions) Image(from, to int) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(f.units[min(from, len(f.units)):min(to, len(f.units))]); err != nil {
		return nil, fmt.Errorf("encoding the notebook's code: %w", err)
	}
	return buf.Bytes(), nil
}

func (f functions) Load(image []byte) error {
	var units []rt.Unit
	if err := gob.NewDecoder(bytes.NewReader(image)).Decode(&units); err != nil {
		return fmt.Errorf("decoding the notebook's code: %w", err)
	}
	for _, u := range units {
		if err := f.open(u); err != nil {
			return err
		}
	}
	return nil
}

func (f functions) Resolve(r parallel.Ref) (reflect.Value, error) {
	var state map[string][]byte
	if err := gob.NewDecoder(bytes.NewReader(r.State)).Decode(&state); err != nil {
		return reflect.Value{}, fmt.Errorf("decoding the variables of %s: %w", plain(r.Name), err)
	}
	for name, data := range state {
		if !lastSet.changes(name, data) {
			continue
		}
		p := rt.Variable(name)
		if p == nil {
			return reflect.Value{}, fmt.Errorf("setting the variable %s: the worker does not have it", name)
		}
		v := reflect.ValueOf(p).Elem()
		v.SetZero()
		if len(data) > 0 {
			if err := gob.NewDecoder(bytes.NewReader(data)).DecodeValue(v.Addr()); err != nil {
				return reflect.Value{}, fmt.Errorf("setting the variable %s: %w", name, err)
			}
		}
	}
	path, short := split(r.Name)
	if cell := rt.Lookup(path); cell != nil && cell.Funcs[short] != nil {
		return reflect.ValueOf(cell.Funcs[short]), nil
	}
	return reflect.Value{}, fmt.Errorf("the worker does not have %s", plain(r.Name))
}

// lastSet remembers what variables were set to: one that the session has not
// changed since keeps what this worker's functions made of it.
var lastSet settings

type settings struct {
	mu   sync.Mutex
	data map[string][]byte
}

func (s *settings) changes(name string, data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.data[name]; ok && bytes.Equal(old, data) {
		return false
	}
	if s.data == nil {
		s.data = map[string][]byte{}
	}
	s.data[name] = data
	return true
}
