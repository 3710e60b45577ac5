package eval

import (
	"reflect"
)

// builtin links a call of a predeclared function.
func (l *linker) builtin(d *Node) values {
	line := d.Line
	need := func(least, most int) {
		if len(d.Kids) < least || len(d.Kids) > most {
			l.refuse("malformed program: %d arguments for %s", len(d.Kids), d.Name)
		}
	}
	wrong := func(t reflect.Type) { l.refuse("malformed program: %s of %v", d.Name, t) }
	gives := func(t reflect.Type, run func(f *frame) reflect.Value) values {
		return values{[]reflect.Type{t}, func(f *frame) []reflect.Value { return []reflect.Value{run(f)} }}
	}
	does := func(run func(f *frame)) values {
		return values{nil, func(f *frame) []reflect.Value { run(f); return nil }}
	}
	integer := basic["int"]
	switch d.Name {
	case "len", "cap":
		need(1, 1)
		x := l.expr(d.Kids[0])
		k := x.t.Kind()
		array := k == reflect.Array || k == reflect.Pointer && x.t.Elem().Kind() == reflect.Array
		sized := k == reflect.Slice || k == reflect.Chan
		if d.Name == "len" {
			if !array && !sized && k != reflect.String && k != reflect.Map {
				wrong(x.t)
			}
			return gives(integer, func(f *frame) reflect.Value { return reflect.ValueOf(x.run(f).Len()) })
		}
		if !array && !sized {
			wrong(x.t)
		}
		return gives(integer, func(f *frame) reflect.Value { return reflect.ValueOf(x.run(f).Cap()) })
	case "append":
		need(1, len(d.Kids))
		return l.appendTo(d, gives)
	case "copy":
		need(2, 2)
		to, from := l.expr(d.Kids[0]), l.as0(d.Kids[1], basic["string"])
		if to.t.Kind() != reflect.Slice {
			wrong(to.t)
		}
		switch {
		case from.t.Kind() == reflect.Slice && from.t.Elem() == to.t.Elem():
		case from.t.Kind() == reflect.String && to.t.Elem().Kind() == reflect.Uint8:
		default:
			wrong(from.t)
		}
		return gives(integer, func(f *frame) reflect.Value {
			a, b := to.run(f), from.run(f)
			f.check()
			return reflect.ValueOf(reflect.Copy(a, b))
		})
	case "delete":
		need(2, 2)
		m := l.expr(d.Kids[0])
		if m.t.Kind() != reflect.Map {
			wrong(m.t)
		}
		k := l.exactly(d.Kids[1], m.t.Key())
		return does(func(f *frame) {
			a, b := m.run(f), k.run(f)
			f.at(line)
			f.check()
			a.SetMapIndex(b, reflect.Value{})
		})
	case "clear":
		need(1, 1)
		x := l.expr(d.Kids[0])
		if k := x.t.Kind(); k != reflect.Map && k != reflect.Slice {
			wrong(x.t)
		}
		return does(func(f *frame) {
			v := x.run(f)
			f.check()
			v.Clear()
		})
	case "close":
		need(1, 1)
		ch := l.expr(d.Kids[0])
		if ch.t.Kind() != reflect.Chan || ch.t.ChanDir()&reflect.SendDir == 0 {
			wrong(ch.t)
		}
		return does(func(f *frame) {
			v := ch.run(f)
			f.at(line)
			f.check()
			v.Close()
		})
	case "make":
		return l.makeValue(d, need, gives)
	case "new":
		need(0, 1)
		t := reflect.Type(nil)
		if len(d.Kids) == 1 {
			x := l.exprOf(d.Kids[0], d.Type)
			return gives(reflect.PointerTo(x.t), func(f *frame) reflect.Value {
				v := x.run(f)
				p := reflect.New(x.t)
				p.Elem().Set(v)
				return p
			})
		}
		t = l.typeOf(d.Type)
		return gives(reflect.PointerTo(t), func(f *frame) reflect.Value { return reflect.New(t) })
	case "min", "max":
		need(1, len(d.Kids))
		// Constants that have no type of their own take that of the rest.
		var t reflect.Type
		xs := make([]expr, len(d.Kids))
		for i, k := range d.Kids {
			if !l.untyped(k) {
				xs[i] = l.expr(k)
				t = xs[i].t
			}
		}
		if t == nil {
			l.refuse("malformed program: %s of constants", d.Name)
		}
		for i, k := range d.Kids {
			if xs[i].run == nil {
				xs[i] = l.as(k, t)
			}
			if xs[i].t != t {
				wrong(xs[i].t)
			}
		}
		op := extreme(d.Name, t)
		if op == nil {
			wrong(t)
		}
		return gives(t, func(f *frame) reflect.Value {
			vs := runAll(f, xs)
			v := loaded(vs[0])
			for _, x := range vs[1:] {
				v = op(v, x)
			}
			return v
		})
	case "complex":
		need(2, 2)
		t := l.typeOf(d.Type)
		part := basic["float64"]
		switch t.Kind() {
		case reflect.Complex64:
			part = basic["float32"]
		case reflect.Complex128:
		default:
			wrong(t)
		}
		re, im := l.as0(d.Kids[0], part), l.as0(d.Kids[1], part)
		if re.t.Kind() != part.Kind() || im.t.Kind() != part.Kind() {
			wrong(re.t)
		}
		return gives(t, func(f *frame) reflect.Value {
			a, b := re.run(f), im.run(f)
			return makeComplex(t, complex(a.Float(), b.Float()))
		})
	case "real", "imag":
		need(1, 1)
		t := l.typeOf(d.Type)
		x := l.expr(d.Kids[0])
		if !isFloat(t.Kind()) || !isComplex(x.t.Kind()) {
			wrong(x.t)
		}
		if d.Name == "real" {
			return gives(t, func(f *frame) reflect.Value { return makeFloat(t, real(x.run(f).Complex())) })
		}
		return gives(t, func(f *frame) reflect.Value { return makeFloat(t, imag(x.run(f).Complex())) })
	case "panic":
		need(1, 1)
		x := l.exactly(d.Kids[0], basic["any"])
		return does(func(f *frame) {
			v := x.run(f)
			f.at(line)
			panic(v.Interface())
		})
	case "print", "println":
		xs := make([]expr, len(d.Kids))
		for i, k := range d.Kids {
			xs[i] = l.expr(k)
			if k := xs[i].t.Kind(); k == reflect.Struct || k == reflect.Array || k == reflect.UnsafePointer {
				wrong(xs[i].t)
			}
		}
		ln := d.Name == "println"
		return does(func(f *frame) {
			vs := runAll(f, xs)
			f.check()
			for i, v := range vs {
				if ln && i > 0 {
					print(" ")
				}
				printValue(v)
			}
			if ln {
				println()
			}
		})
	}
	l.refuse("malformed program: builtin %s", d.Name)
	return values{}
}

// exprOf links node n, which is a constant of the type with number t if it has
// none of its own.
func (l *linker) exprOf(n, t int) expr {
	if t != 0 {
		return l.exactly(n, l.typeOf(t))
	}
	return l.expr(n)
}

// printValue prints v as the builtin print does.
func printValue(v reflect.Value) {
	switch k := v.Kind(); {
	case k == reflect.Bool:
		print(v.Bool())
	case isInt(k):
		print(v.Int())
	case isUint(k):
		print(v.Uint())
	case k == reflect.Float32:
		print(float32(v.Float()))
	case k == reflect.Float64:
		print(v.Float())
	case k == reflect.Complex64:
		print(complex64(v.Complex()))
	case k == reflect.Complex128:
		print(v.Complex())
	case k == reflect.String:
		print(v.String())
	case k == reflect.Slice:
		print("[", v.Len(), "/", v.Cap(), "]", v.UnsafePointer())
	case k == reflect.Interface:
		print(v.Interface())
	default:
		print(v.UnsafePointer())
	}
}

func (l *linker) appendTo(d *Node, gives func(reflect.Type, func(*frame) reflect.Value) values) values {
	s := l.exprOf(d.Kids[0], d.Type)
	if s.t.Kind() != reflect.Slice {
		l.refuse("malformed program: append to %v", s.t)
	}
	line := d.Line
	if d.Flag {
		if len(d.Kids) != 2 {
			l.refuse("malformed program: %d arguments for append with ...", len(d.Kids))
		}
		var x expr
		if l.peek(d.Kids[1]) == OpNil {
			x = l.as(d.Kids[1], s.t)
		} else {
			x = l.as0(d.Kids[1], basic["string"])
		}
		var like func(reflect.Value) reflect.Value
		switch {
		case x.t == s.t:
			like = func(v reflect.Value) reflect.Value { return v }
		case x.t.Kind() == reflect.Slice && x.t.Elem() == s.t.Elem(), x.t.Kind() == reflect.String && s.t.Elem().Kind() == reflect.Uint8:
			like = func(v reflect.Value) reflect.Value { return v.Convert(s.t) }
		default:
			l.refuse("malformed program: append of %v to %v", x.t, s.t)
		}
		return gives(s.t, func(f *frame) reflect.Value {
			to, from := s.run(f), x.run(f)
			f.at(line)
			f.check()
			return reflect.AppendSlice(loaded(to), like(from))
		})
	}
	xs := make([]expr, len(d.Kids)-1)
	for i, k := range d.Kids[1:] {
		xs[i] = l.as(k, s.t.Elem())
	}
	return gives(s.t, func(f *frame) reflect.Value {
		to := s.run(f)
		vs := runAll(f, xs)
		f.at(line)
		f.check()
		for i := range vs { // an element may be where another goes
			vs[i] = loaded(vs[i])
		}
		return reflect.Append(loaded(to), vs...)
	})
}

func (l *linker) makeValue(d *Node, need func(int, int), gives func(reflect.Type, func(*frame) reflect.Value) values) values {
	need(0, 2)
	t := l.typeOf(d.Type)
	line := d.Line
	none := expr{run: func(*frame) reflect.Value { return reflect.Value{} }}
	at := [2]expr{none, none}
	for i, k := range d.Kids {
		at[i] = l.position(k)
	}
	switch t.Kind() {
	case reflect.Slice:
		need(1, 2)
		size := t.Elem().Size()
		return gives(t, func(f *frame) reflect.Value {
			n, c := at[0].run(f), at[1].run(f)
			f.at(line)
			length, capacity := checkMake(size, n, c)
			return reflect.MakeSlice(t, length, capacity)
		})
	case reflect.Map:
		need(0, 1)
		return gives(t, func(f *frame) reflect.Value {
			n := 0
			if v := at[0].run(f); v.IsValid() {
				if v.CanInt() {
					n = int(v.Int())
				} else {
					n = int(v.Uint())
				}
			}
			f.at(line)
			return reflect.MakeMapWithSize(t, n)
		})
	case reflect.Chan:
		need(0, 1)
		if t.ChanDir() != reflect.BothDir { // reflect makes no others
			both := reflect.ChanOf(reflect.BothDir, t.Elem())
			return gives(t, func(f *frame) reflect.Value {
				n := at[0].run(f)
				f.at(line)
				if !n.IsValid() {
					n = reflect.ValueOf(0)
				}
				return reflect.MakeChan(both, checkMakeChan(n)).Convert(t)
			})
		}
		return gives(t, func(f *frame) reflect.Value {
			n := at[0].run(f)
			f.at(line)
			if !n.IsValid() {
				n = reflect.ValueOf(0)
			}
			return reflect.MakeChan(t, checkMakeChan(n))
		})
	}
	l.refuse("malformed program: make of %v", t)
	return values{}
}
