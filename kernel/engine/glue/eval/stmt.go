package eval

import (
	"reflect"
	"slices"
)

func (l *linker) stmts(list []Stmt) []stmt {
	l.enter()
	defer func() { l.depth-- }()
	var out []stmt
	for i := range list {
		out = append(out, l.stmt(&list[i]))
	}
	return out
}

func (l *linker) stmt(s *Stmt) stmt {
	line := int64(s.Line)
	l.line = s.Line
	do := l.statement(s)
	return func(f *frame) {
		f.line.Store(line)
		f.check()
		do(f)
	}
}

func (l *linker) statement(s *Stmt) stmt {
	switch s.Op {
	case StmtExpr:
		vs := l.values(l.one(s.Rhs))
		return func(f *frame) { vs.run(f) }
	case StmtAssign:
		return l.assign(s)
	case StmtUpdate:
		return l.update(s)
	case StmtSend:
		ch := l.expr(l.one(s.Lhs))
		if ch.t.Kind() != reflect.Chan || ch.t.ChanDir()&reflect.SendDir == 0 {
			l.refuse("malformed program: a send to %v", ch.t)
		}
		v := l.exactly(l.one(s.Rhs), ch.t.Elem())
		return func(f *frame) {
			c, x := ch.run(f), v.run(f)
			send(f, s.Line, c, x)
		}
	case StmtIf:
		init := l.stmts(s.Init)
		cond := l.expr(l.one(s.Rhs))
		if cond.t.Kind() != reflect.Bool {
			l.refuse("malformed program: if %v", cond.t)
		}
		then, otherwise := l.stmts(s.Body), l.stmts(s.Else)
		return func(f *frame) {
			run(f, init)
			if cond.run(f).Bool() {
				run(f, then)
			} else {
				run(f, otherwise)
			}
		}
	case StmtBlock:
		body := l.stmts(s.Body)
		return func(f *frame) { run(f, body) }
	}
	l.refuse("malformed program: statement %d", s.Op)
	return nil
}

func run(f *frame, list []stmt) {
	for _, s := range list {
		s(f)
	}
}

// An assignee is a left-hand side: it evaluates what the place is made of and
// gives the function that stores.
type assignee func(f *frame) func(reflect.Value)

// assignee links a left-hand side for values of type t, which is that of the
// variable if one is made.
func (l *linker) assignee(n int, t reflect.Type) assignee {
	switch l.peek(n) {
	case OpBlank:
		l.node(n)
		return func(*frame) func(reflect.Value) { return func(reflect.Value) {} }
	case OpNew:
		i := l.node(n).Index
		if i < 0 || i >= len(l.p.Vars) {
			l.refuse("malformed program: variable %d", i)
		}
		name := l.p.Vars[i].Name
		if l.vars[i] != nil || name != "" && !l.p.Vars[i].New {
			l.refuse("malformed program: variable %s is made twice", name)
		}
		l.vars[i] = t
		return func(f *frame) func(reflect.Value) {
			return func(v reflect.Value) {
				if name == "" {
					f.vars[i] = reflect.New(t).Elem()
				} else {
					f.vars[i] = f.table.Declare(name, t)
				}
				f.vars[i].Set(v)
			}
		}
	}
	p := l.place(n)
	truth := t.Kind() == reflect.Bool && p.t.Kind() == reflect.Bool
	if !truth { // ok of v, ok = ... is any type of truth value
		l.assignable(t, p.t)
	}
	fit := func(v reflect.Value) reflect.Value {
		if truth && v.Type() != p.t {
			return v.Convert(p.t)
		}
		return v
	}
	if p.ref != nil {
		return func(f *frame) func(reflect.Value) {
			ref := p.ref(f)
			return func(v reflect.Value) { ref().Set(fit(v)) }
		}
	}
	return func(f *frame) func(reflect.Value) {
		m, k := loaded(p.m.run(f)), loaded(p.k.run(f))
		return func(v reflect.Value) { m.SetMapIndex(k, fit(v)) }
	}
}

// wanted is the type that the left-hand side n wants; nil if it takes any.
func (l *linker) wanted(n int) reflect.Type {
	if op := l.peek(n); op == OpBlank || op == OpNew {
		return nil
	}
	used := slices.Clone(l.used)
	t := l.place(n).t
	l.used = used // it is linked again where it is assigned to
	return t
}

func (l *linker) assign(s *Stmt) stmt {
	if len(s.Lhs) == 0 {
		l.refuse("malformed program: an assignment to nothing")
	}
	var declared reflect.Type
	if s.Type != 0 {
		declared = l.typeOf(s.Type)
	}
	var rhs func(f *frame) []reflect.Value
	ts := make([]reflect.Type, len(s.Lhs))
	switch {
	case len(s.Rhs) == 0:
		if declared == nil {
			l.refuse("malformed program: variables without type and value")
		}
		for i := range ts {
			ts[i] = declared
		}
		rhs = func(f *frame) []reflect.Value {
			vs := make([]reflect.Value, len(ts))
			for i := range vs {
				vs[i] = reflect.Zero(declared)
			}
			return vs
		}
	case len(s.Rhs) == len(s.Lhs):
		es := make([]expr, len(s.Rhs))
		for i, n := range s.Rhs {
			want := declared
			if want == nil {
				want = l.wanted(s.Lhs[i])
			}
			if want == nil {
				es[i] = l.expr(n)
			} else {
				es[i] = l.as(n, want)
			}
			ts[i] = es[i].t
			if declared != nil {
				ts[i] = declared
			}
		}
		rhs = func(f *frame) []reflect.Value { return runAll(f, es) }
	case len(s.Rhs) == 1:
		var vs values
		if len(s.Lhs) == 2 {
			vs = l.pair(s.Rhs[0])
		} else {
			vs = l.values(s.Rhs[0])
		}
		if len(vs.ts) != len(s.Lhs) {
			l.refuse("malformed program: %d values for %d places", len(vs.ts), len(s.Lhs))
		}
		copy(ts, vs.ts)
		if declared != nil {
			for i := range ts {
				if ts[i].Kind() != reflect.Bool || declared.Kind() != reflect.Bool {
					l.assignable(ts[i], declared)
				}
				ts[i] = declared
			}
			inner := vs.run
			vs.run = func(f *frame) []reflect.Value {
				rs := inner(f)
				for i, r := range rs {
					if r.Kind() == reflect.Bool {
						rs[i] = r.Convert(declared)
					}
				}
				return rs
			}
		}
		rhs = vs.run
	default:
		l.refuse("malformed program: %d values for %d places", len(s.Rhs), len(s.Lhs))
	}
	to := make([]assignee, len(s.Lhs))
	for i, n := range s.Lhs {
		to[i] = l.assignee(n, ts[i])
	}
	if len(to) == 1 {
		return func(f *frame) {
			set := to[0](f)
			v := rhs(f)[0]
			f.check()
			set(v)
		}
	}
	return func(f *frame) {
		set := make([]func(reflect.Value), len(to))
		for i := range to {
			set[i] = to[i](f)
		}
		vs := rhs(f)
		for i := range vs { // a value may be where another goes
			vs[i] = loaded(vs[i])
		}
		f.check()
		for i, v := range vs {
			set[i](v)
		}
	}
}

// update links x op= y. What x is made of is evaluated once; its value is read
// after y, as by gc.
func (l *linker) update(s *Stmt) stmt {
	p := l.place(l.one(s.Lhs))
	var y expr
	var op binary
	if s.Name == "<<" || s.Name == ">>" {
		y = l.position(l.one(s.Rhs))
		op = shift(s.Name, p.t, y.t)
	} else {
		y = l.as(l.one(s.Rhs), p.t)
		if y.t == p.t {
			op = arithmetic(s.Name, p.t)
		}
	}
	if op == nil {
		l.refuse("malformed program: %v %s= %v", p.t, s.Name, y.t)
	}
	if p.ref != nil {
		return func(f *frame) {
			ref := p.ref(f)
			v := y.run(f)
			f.check()
			m := ref()
			m.Set(op(m, v))
		}
	}
	return func(f *frame) {
		m, k := loaded(p.m.run(f)), loaded(p.k.run(f))
		v := y.run(f)
		f.check()
		old := m.MapIndex(k)
		if !old.IsValid() {
			old = reflect.Zero(p.t)
		}
		m.SetMapIndex(k, op(old, v))
	}
}
