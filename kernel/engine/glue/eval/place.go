package eval

import (
	"reflect"
	"slices"
)

// A place is an operand that can be assigned to, and most of which have an
// address. An assignment has two phases: what a place is made of is evaluated
// first, then all values, and only then is the place reached, where it may turn out
// that a pointer is nil or an index out of range.
type place struct {
	t reflect.Type
	// ref evaluates the operands; what it gives reaches the memory. Nil for
	// elements of maps.
	ref func(f *frame) func() reflect.Value
	// of a map's element
	m, k expr
	line int
}

// place links node n as something with a place.
func (l *linker) place(n int) place {
	d := l.node(n)
	l.enter()
	defer func() { l.depth-- }()
	switch d.Op {
	case OpVar, OpGlobal:
		var v expr
		if d.Op == OpVar {
			v = l.variable(d.Index)
		} else {
			m := l.global(d)
			v = expr{m.Type(), func(*frame) reflect.Value { return m }}
		}
		return place{t: v.t, ref: func(f *frame) func() reflect.Value {
			m := v.run(f)
			return func() reflect.Value { return m }
		}}
	case OpStar:
		l.kids(d, 1)
		p := l.expr(d.Kids[0])
		if p.t.Kind() != reflect.Pointer {
			l.refuse("malformed program: * of %v", p.t)
		}
		return place{t: p.t.Elem(), ref: func(f *frame) func() reflect.Value {
			v := loaded(p.run(f))
			return func() reflect.Value { return target(v) }
		}}
	case OpField:
		l.kids(d, 1)
		if x, ok := l.pointer(d.Kids[0]); ok {
			fl := l.field(x.t, d)
			return place{t: fl.t, ref: func(f *frame) func() reflect.Value {
				p := loaded(x.run(f))
				return func() reflect.Value { return fl.of(target(p)) }
			}}
		}
		x := l.place(d.Kids[0])
		if x.ref == nil || x.t.Kind() == reflect.Pointer {
			l.refuse("malformed program: a field of what has no address")
		}
		fl := l.field(x.t, d)
		return place{t: fl.t, ref: func(f *frame) func() reflect.Value {
			ref := x.ref(f)
			return func() reflect.Value { return fl.of(ref()) }
		}}
	case OpIndex:
		l.kids(d, 2)
		var x expr
		var in place
		var ok bool
		if x, ok = l.pointer(d.Kids[0]); !ok {
			in = l.place(d.Kids[0])
			if in.t.Kind() != reflect.Array || in.ref == nil {
				l.refuse("malformed program: an index of %v", in.t)
			}
			i := l.position(d.Kids[1])
			n := in.t.Len()
			return place{t: in.t.Elem(), ref: func(f *frame) func() reflect.Value {
				ref := in.ref(f)
				at := loaded(i.run(f))
				return func() reflect.Value { return ref().Index(position(at, n)) }
			}}
		}
		switch {
		case x.t.Kind() == reflect.Map:
			return place{t: x.t.Elem(), m: x, k: l.exactly(d.Kids[1], x.t.Key()), line: d.Line}
		case x.t.Kind() == reflect.Slice:
			i := l.position(d.Kids[1])
			return place{t: x.t.Elem(), ref: func(f *frame) func() reflect.Value {
				s := loaded(x.run(f))
				at := loaded(i.run(f))
				return func() reflect.Value { return s.Index(position(at, s.Len())) }
			}}
		case x.t.Kind() == reflect.Pointer && x.t.Elem().Kind() == reflect.Array:
			i := l.position(d.Kids[1])
			n := x.t.Elem().Len()
			return place{t: x.t.Elem().Elem(), ref: func(f *frame) func() reflect.Value {
				p := loaded(x.run(f))
				at := loaded(i.run(f))
				return func() reflect.Value { return target(p).Index(position(at, n)) }
			}}
		}
		l.refuse("malformed program: an index of %v", x.t)
	}
	l.refuse("malformed program: operation %d is not a place", d.Op)
	return place{}
}

// pointer links node n as an expression, if what it gives refers to memory of its
// own: a pointer, slice or map. If it is an array or a struct, the memory is that
// of n itself, and n is not linked.
func (l *linker) pointer(n int) (expr, bool) {
	// Trying costs the linking of n; a place is a short path.
	used := slices.Clone(l.used)
	x := l.expr(n)
	switch x.t.Kind() {
	case reflect.Array, reflect.Struct:
		l.used = used
		return expr{}, false
	}
	return x, true
}

// position links node n as an index.
func (l *linker) position(n int) expr {
	var i expr
	if l.untyped(n) {
		i = l.as(n, basic["int"])
	} else {
		i = l.expr(n)
	}
	if !isInt(i.t.Kind()) && !isUint(i.t.Kind()) {
		l.refuse("malformed program: an index of type %v", i.t)
	}
	return i
}

func (l *linker) index(d *Node) expr {
	l.kids(d, 2)
	line := d.Line
	x := l.expr(d.Kids[0])
	t := x.t
	if t.Kind() == reflect.Map {
		k := l.exactly(d.Kids[1], t.Key())
		return expr{t.Elem(), func(f *frame) reflect.Value {
			v, _ := element(f, line, x, k)
			return v
		}}
	}
	i := l.position(d.Kids[1])
	switch {
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		return expr{t.Elem(), func(f *frame) reflect.Value {
			v, at := x.run(f), i.run(f)
			f.at(line)
			return v.Index(position(at, v.Len()))
		}}
	case t.Kind() == reflect.String:
		b := basic["uint8"]
		return expr{b, func(f *frame) reflect.Value {
			v, at := x.run(f), i.run(f)
			f.at(line)
			s := v.String()
			return makeUint(b, uint64(s[position(at, len(s))]))
		}}
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Array:
		return expr{t.Elem().Elem(), func(f *frame) reflect.Value {
			v, at := x.run(f), i.run(f)
			f.at(line)
			return target(v).Index(position(at, t.Elem().Len()))
		}}
	}
	l.refuse("malformed program: an index of %v", t)
	return expr{}
}

func (l *linker) slice(d *Node) expr {
	l.kids(d, 4)
	line := d.Line
	x := l.expr(d.Kids[0])
	none := expr{run: func(*frame) reflect.Value { return reflect.Value{} }}
	at := [3]expr{none, none, none}
	for i, k := range d.Kids[1:] {
		if k >= 0 {
			at[i] = l.position(k)
		}
	}
	three := d.Kids[3] >= 0
	if three && d.Kids[2] < 0 {
		l.refuse("malformed program: a slice without its middle operand")
	}
	operands := func(f *frame) (lo, hi, max reflect.Value) {
		return at[0].run(f), at[1].run(f), at[2].run(f)
	}
	cut := func(v reflect.Value, i, j, k int) reflect.Value {
		if three {
			return v.Slice3(i, j, k)
		}
		return v.Slice(i, j)
	}
	t := x.t
	switch {
	case t.Kind() == reflect.String && !three:
		return expr{t, func(f *frame) reflect.Value {
			v := x.run(f)
			lo, hi, _ := operands(f)
			f.at(line)
			return makeString(t, substring(v.String(), lo, hi))
		}}
	case t.Kind() == reflect.Slice:
		return expr{t, func(f *frame) reflect.Value {
			v := x.run(f)
			lo, hi, max := operands(f)
			f.at(line)
			v = loaded(v)
			i, j, k := bounds(lo, hi, max, v.Len(), v.Cap(), true)
			return cut(v, i, j, k)
		}}
	case t.Kind() == reflect.Array, t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Array:
		array := t
		if t.Kind() == reflect.Pointer {
			array = t.Elem()
		}
		n := array.Len()
		return expr{reflect.SliceOf(array.Elem()), func(f *frame) reflect.Value {
			v := x.run(f)
			lo, hi, max := operands(f)
			f.at(line)
			if t != array {
				v = target(v)
			}
			i, j, k := bounds(lo, hi, max, n, n, false)
			return cut(v, i, j, k)
		}}
	}
	l.refuse("malformed program: a slice of %v", t)
	return expr{}
}

// composite links a literal. Each evaluation makes new memory.
func (l *linker) composite(d *Node) expr {
	t := l.typeOf(d.Type)
	set := make([]expr, len(d.Kids))
	if t.Kind() != reflect.Map && len(d.Keys) != len(d.Kids) || t.Kind() == reflect.Map && len(d.Kids)%2 != 0 {
		l.refuse("malformed program: a literal with %d keys for %d values", len(d.Keys), len(d.Kids))
	}
	switch t.Kind() {
	case reflect.Struct:
		fields := make([]field, len(d.Kids))
		for i, k := range d.Kids {
			if d.Keys[i] < 0 || d.Keys[i] >= int64(t.NumField()) {
				l.refuse("malformed program: %v has no field %d", t, d.Keys[i])
			}
			fields[i] = fieldAt(t, int(d.Keys[i]))
			set[i] = l.as(k, fields[i].t)
		}
		return expr{t, func(f *frame) reflect.Value {
			vs := runAll(f, set)
			s := reflect.New(t).Elem()
			for i, v := range vs {
				fields[i].of(s).Set(v)
			}
			return s
		}}
	case reflect.Array, reflect.Slice:
		n := 0
		for i, k := range d.Kids {
			at := d.Keys[i]
			if at < 0 || at > 1<<30 || t.Kind() == reflect.Array && at >= int64(t.Len()) {
				l.refuse("malformed program: %v has no index %d", t, at)
			}
			n = max(n, int(at)+1)
			set[i] = l.as(k, t.Elem())
		}
		return expr{t, func(f *frame) reflect.Value {
			vs := runAll(f, set)
			s := reflect.New(t).Elem()
			if t.Kind() == reflect.Slice {
				s.Set(reflect.MakeSlice(t, n, n))
			}
			for i, v := range vs {
				s.Index(int(d.Keys[i])).Set(v)
			}
			return s
		}}
	case reflect.Map:
		for i, k := range d.Kids {
			if i%2 == 0 {
				set[i] = l.exactly(k, t.Key())
			} else {
				set[i] = l.exactly(k, t.Elem())
			}
		}
		return expr{t, func(f *frame) reflect.Value {
			m := reflect.MakeMapWithSize(t, len(set)/2)
			for i := 0; i < len(set); i += 2 {
				k, v := set[i].run(f), set[i+1].run(f)
				m.SetMapIndex(k, v)
			}
			return m
		}}
	}
	l.refuse("malformed program: a literal of type %v", t)
	return expr{}
}

func runAll(f *frame, es []expr) []reflect.Value {
	vs := make([]reflect.Value, len(es))
	for i := range es {
		vs[i] = es[i].run(f)
	}
	return vs
}
