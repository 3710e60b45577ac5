package interp

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"reflect"
	"slices"

	"github.com/paragopher/paragopher/kernel/engine/source"
	"github.com/paragopher/paragopher/parallel"
)

// Functions is how the session's functions travel to worker processes: by name,
// with the notebook's declarations as the worker's image and the values of the
// variables that the function reaches as copies. It implements parallel.Functions
// for the session (Refer, Image) and for a worker (Load, Resolve).
type Functions struct{ session *Session }

// Functions gives the session's side of parallel's function references.
func (s *Session) Functions() *Functions { return &Functions{s} }

// Refer names fn, which lowered code wrapped in a parallel.Func.
func (f *Functions) Refer(fn any) (parallel.Ref, error) {
	named, ok := fn.(parallel.Func)
	if !ok || named.Name == "" {
		return parallel.Ref{}, fmt.Errorf("a process can run a function by its name only: pass a function declared in the notebook, or a literal that captures nothing, not a variable of type %T", fn)
	}
	s := f.session
	vars := s.reach(named.Name)
	state := make(map[string][]byte, len(vars))
	for _, name := range vars {
		value, err := encode(s.variable(name))
		if err != nil {
			return parallel.Ref{}, fmt.Errorf("%s uses the variable %s, whose value cannot be copied to a process: %w", plainName(named.Name), plainName(name), err)
		}
		state[name] = value
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(state); err != nil {
		return parallel.Ref{}, fmt.Errorf("encoding the variables of %s: %w", plainName(named.Name), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return parallel.Ref{Name: named.Name, Version: len(s.units), State: buf.Bytes()}, nil
}

// Image gives the declarations that the notebook added between two versions.
func (f *Functions) Image(from, to int) ([]byte, error) {
	s := f.session
	s.mu.Lock()
	units := slices.Clone(s.units[min(from, len(s.units)):min(to, len(s.units))])
	s.mu.Unlock()
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(units); err != nil {
		return nil, fmt.Errorf("encoding the notebook's declarations: %w", err)
	}
	return buf.Bytes(), nil
}

// Load takes declarations into a worker.
func (f *Functions) Load(image []byte) error {
	var units []*source.Unit
	if err := gob.NewDecoder(bytes.NewReader(image)).Decode(&units); err != nil {
		return fmt.Errorf("decoding the notebook's declarations: %w", err)
	}
	for _, u := range units {
		if err := f.session.Load(u); err != nil {
			return err
		}
	}
	return nil
}

// Resolve gives a worker's function, with the variables it reaches set.
func (f *Functions) Resolve(r parallel.Ref) (reflect.Value, error) {
	var state map[string][]byte
	if err := gob.NewDecoder(bytes.NewReader(r.State)).Decode(&state); err != nil {
		return reflect.Value{}, fmt.Errorf("decoding the variables of %s: %w", plainName(r.Name), err)
	}
	for name, data := range state {
		if err := decode(data, f.session.variable(name)); err != nil {
			return reflect.Value{}, fmt.Errorf("setting the variable %s: %w", plainName(name), err)
		}
	}
	fn, err := f.session.i.Eval(r.Name)
	if err != nil {
		return reflect.Value{}, fmt.Errorf("finding %s: %w", plainName(r.Name), err)
	}
	if fn.Kind() != reflect.Func {
		return reflect.Value{}, fmt.Errorf("%s is a %s, not a function", plainName(r.Name), fn.Kind())
	}
	return fn, nil
}

// reach lists the variables that a function uses, itself or through others.
func (s *Session) reach(name string) (vars []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, v := range s.uses[name].Vars {
			if !seen[v] {
				seen[v] = true
				vars = append(vars, v)
			}
		}
		for _, f := range s.uses[name].Funcs {
			visit(f)
		}
	}
	visit(name)
	slices.Sort(vars)
	return vars
}

// variable gives the memory of a session variable, invalid if there is none.
func (s *Session) variable(name string) reflect.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.vars[name]; p.IsValid() {
		return p.Elem()
	}
	return reflect.Value{}
}

// encode gives a value's bytes; a zero value has none.
func encode(v reflect.Value) ([]byte, error) {
	if !v.IsValid() || v.IsZero() {
		return nil, nil
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).EncodeValue(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func decode(data []byte, v reflect.Value) error {
	if !v.IsValid() {
		return fmt.Errorf("the worker does not have it")
	}
	v.SetZero()
	if len(data) == 0 {
		return nil
	}
	return gob.NewDecoder(bytes.NewReader(data)).DecodeValue(v.Addr())
}
