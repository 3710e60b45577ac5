package eval

import (
	"reflect"
)

// receiver links the method that d names, of its receiver Kids[0]. The function
// that it gives binds the method to a receiver.
func (l *linker) receiver(d *Node) (recv expr, t reflect.Type, bind func(reflect.Value) reflect.Value) {
	l.kids(d, 1)
	recv = l.expr(d.Kids[0])
	m, ok := recv.t.MethodByName(d.Name)
	if !ok || !m.IsExported() {
		l.refuse("%v has no method %s that can be reached", recv.t, d.Name)
	}
	i := m.Index
	if recv.t.Kind() == reflect.Interface {
		return recv, m.Type, func(v reflect.Value) reflect.Value {
			if v.IsNil() {
				failNil()
			}
			return v.Method(i)
		}
	}
	in := make([]reflect.Type, m.Type.NumIn()-1)
	for j := range in {
		in[j] = m.Type.In(j + 1)
	}
	out := make([]reflect.Type, m.Type.NumOut())
	for j := range out {
		out[j] = m.Type.Out(j)
	}
	return recv, reflect.FuncOf(in, out, m.Type.IsVariadic()), func(v reflect.Value) reflect.Value { return v.Method(i) }
}

// methodValue links x.m as a value. The receiver is copied when it is evaluated.
func (l *linker) methodValue(d *Node) expr {
	recv, t, bind := l.receiver(d)
	return expr{t, func(f *frame) reflect.Value {
		v := recv.run(f)
		f.at(d.Line)
		return bind(loaded(v))
	}}
}

// methodExpr links T.m.
func (l *linker) methodExpr(d *Node) expr {
	t := l.typeOf(d.Type)
	m, ok := t.MethodByName(d.Name)
	if !ok || !m.IsExported() {
		l.refuse("%v has no method %s that can be reached", t, d.Name)
	}
	if t.Kind() != reflect.Interface {
		return expr{m.Type, func(*frame) reflect.Value { return m.Func }}
	}
	in := []reflect.Type{t}
	for i := range m.Type.NumIn() {
		in = append(in, m.Type.In(i))
	}
	var out []reflect.Type
	for i := range m.Type.NumOut() {
		out = append(out, m.Type.Out(i))
	}
	fn := reflect.FuncOf(in, out, m.Type.IsVariadic())
	v := reflect.MakeFunc(fn, func(args []reflect.Value) []reflect.Value {
		if args[0].IsNil() {
			failNil()
		}
		method := args[0].Method(m.Index)
		if fn.IsVariadic() {
			return method.CallSlice(args[1:])
		}
		return method.Call(args[1:])
	})
	return expr{fn, func(*frame) reflect.Value { return v }}
}

func (l *linker) call(d *Node) values {
	if d.Op != OpCall || len(d.Kids) == 0 {
		l.refuse("malformed program: operation %d is not a call", d.Op)
	}
	line := d.Line
	var (
		fn   expr
		t    reflect.Type
		bind func(reflect.Value) reflect.Value
	)
	if l.peek(d.Kids[0]) == OpMethod {
		m := l.node(d.Kids[0])
		fn, t, bind = l.receiver(m)
	} else {
		fn = l.expr(d.Kids[0])
		t = fn.t
		if t.Kind() != reflect.Func {
			l.refuse("malformed program: a call of %v", t)
		}
		bind = func(v reflect.Value) reflect.Value {
			if v.IsNil() {
				failNil()
			}
			return v
		}
	}
	args := l.arguments(d, t)
	out := make([]reflect.Type, t.NumOut())
	for i := range out {
		out[i] = t.Out(i)
	}
	variadic := t.IsVariadic()
	return values{out, func(f *frame) []reflect.Value {
		v := fn.run(f)
		in := args(f)
		f.at(line)
		f.check()
		v = bind(v)
		var results []reflect.Value
		if variadic {
			results = v.CallSlice(in)
		} else {
			results = v.Call(in)
		}
		f.check()
		return results
	}}
}

// arguments links what a call of a function of type t is given: one argument a
// parameter, the variadic ones as a slice.
func (l *linker) arguments(d *Node, t reflect.Type) func(*frame) []reflect.Value {
	given := d.Kids[1:]
	n := t.NumIn()
	var rest reflect.Type
	if t.IsVariadic() && !d.Flag {
		n--
		rest = t.In(n)
	}
	param := func(i int) reflect.Type {
		switch {
		case i < n:
			return t.In(i)
		case rest != nil:
			return rest.Elem()
		}
		l.refuse("malformed program: too many arguments for %v", t)
		return nil
	}
	if d.Flag && !t.IsVariadic() {
		l.refuse("malformed program: ... for %v", t)
	}
	pack := func(vs []reflect.Value) []reflect.Value {
		if rest == nil {
			return vs
		}
		if len(vs) == n { // no slice at all
			return append(vs, reflect.Zero(rest))
		}
		s := reflect.MakeSlice(rest, len(vs)-n, len(vs)-n)
		for i, v := range vs[n:] {
			s.Index(i).Set(v)
		}
		return append(vs[:n:n], s)
	}
	// f(g()), where g has several results
	if len(given) == 1 && l.peek(given[0]) == OpCall && !d.Flag {
		vs := l.values(given[0])
		if len(vs.ts) < n {
			l.refuse("malformed program: %d arguments for %v", len(vs.ts), t)
		}
		for i, from := range vs.ts {
			l.assignable(from, param(i))
		}
		return func(f *frame) []reflect.Value { return pack(vs.run(f)) }
	}
	if len(given) < n {
		l.refuse("malformed program: %d arguments for %v", len(given), t)
	}
	args := make([]expr, len(given))
	for i, k := range given {
		args[i] = l.as(k, param(i))
	}
	return func(f *frame) []reflect.Value { return pack(runAll(f, args)) }
}
