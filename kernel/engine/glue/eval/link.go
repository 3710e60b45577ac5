package eval

import (
	"fmt"
	"reflect"
)

// maxDepth bounds the nesting of expressions and types, so that no program can
// exhaust the stack.
const maxDepth = 2000

// maxSize bounds the size of array types that are made here.
const maxSize = 1 << 28

// An expr is an expression ready to run, of a type that is known.
//
// What run gives may be the memory of a variable, so that the variable is read
// where its value is used: after the calls of the whole expression, as gc does.
// Who keeps a value longer than that uses loaded.
type expr struct {
	t   reflect.Type
	run func(f *frame) reflect.Value
}

// values is an expression that may give any number of values.
type values struct {
	ts  []reflect.Type
	run func(f *frame) []reflect.Value
}

// A stmt is a statement ready to run.
type stmt func(f *frame)

// A linker makes a Cell of a Program. It fails by panicking with a *Refused.
type linker struct {
	p     *Program
	table Table
	types []reflect.Type
	vars  []reflect.Type // of new variables, once their statement is linked
	old   []reflect.Value
	used  []bool // nodes that have a parent
	depth int
	work  int
	line  int
}

func (l *linker) refuse(format string, args ...any) {
	panic(&Refused{Cell: l.p.Cell, Line: l.line, Reason: fmt.Sprintf(format, args...)})
}

// Link looks up everything that p names and works out the types of all its
// expressions. The error is a *Refused.
func Link(p *Program, t Table) (c *Cell, err error) {
	l := &linker{p: p, table: t}
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *Refused:
			c, err = nil, v
		default: // reflect, about types that do not fit
			c, err = nil, &Refused{Cell: p.Cell, Line: l.line, Reason: fmt.Sprint(v)}
		}
	}()
	l.used = make([]bool, len(p.Nodes))
	l.vars = make([]reflect.Type, len(p.Vars))
	l.old = make([]reflect.Value, len(p.Vars))
	l.types = make([]reflect.Type, len(p.Types))
	for i := range p.Types {
		l.types[i] = l.makeType(i)
	}
	c = &Cell{cell: p.Cell, table: t, vars: l.old}
	stmts := p.Stmts
	var last *Stmt
	if p.Result {
		if len(stmts) == 0 || stmts[len(stmts)-1].Op != StmtExpr {
			l.refuse("malformed program: no last expression")
		}
		last = &stmts[len(stmts)-1]
		stmts = stmts[:len(stmts)-1]
	}
	c.stmts = l.stmts(stmts)
	if last != nil {
		l.line = last.Line
		vs := l.values(l.one(last.Rhs))
		line := int64(last.Line)
		c.results = func(f *frame) []reflect.Value {
			f.line.Store(line)
			f.check()
			rs := vs.run(f)
			for i := range rs {
				rs[i] = loaded(rs[i])
			}
			return rs
		}
	}
	return c, nil
}

// enter guards a recursion.
func (l *linker) enter() {
	if l.depth++; l.depth > maxDepth {
		l.refuse("it is nested too deeply")
	}
}

// typeAt gives a type made before the i-th.
func (l *linker) typeAt(n, i int) reflect.Type {
	if n < 0 || n >= i {
		l.refuse("malformed program: type %d", n)
	}
	return l.types[n]
}

// typeOf gives the type with the number n, plus one, of a node.
func (l *linker) typeOf(n int) reflect.Type { return l.typeAt(n-1, len(l.types)) }

var basic = map[string]reflect.Type{
	"bool": reflect.TypeFor[bool](), "string": reflect.TypeFor[string](),
	"int": reflect.TypeFor[int](), "int8": reflect.TypeFor[int8](), "int16": reflect.TypeFor[int16](), "int32": reflect.TypeFor[int32](), "int64": reflect.TypeFor[int64](),
	"uint": reflect.TypeFor[uint](), "uint8": reflect.TypeFor[uint8](), "uint16": reflect.TypeFor[uint16](), "uint32": reflect.TypeFor[uint32](), "uint64": reflect.TypeFor[uint64](), "uintptr": reflect.TypeFor[uintptr](),
	"float32": reflect.TypeFor[float32](), "float64": reflect.TypeFor[float64](), "complex64": reflect.TypeFor[complex64](), "complex128": reflect.TypeFor[complex128](),
	"any": reflect.TypeFor[any](), "error": reflect.TypeFor[error](),
}

func (l *linker) makeType(i int) reflect.Type {
	d := &l.p.Types[i]
	elem := func() reflect.Type { return l.typeAt(d.Elem, i) }
	switch d.Form {
	case Basic:
		if t := basic[d.Name]; t != nil {
			return t
		}
	case Named:
		s := l.symbol(d.Symbol)
		if t := l.table.Type(s.Pkg, s.Name); t != nil {
			return t
		}
		l.refuse("type %s.%s is not known to this session", s.Pkg, s.Name)
	case Pointer:
		return reflect.PointerTo(elem())
	case Slice:
		return reflect.SliceOf(elem())
	case Array:
		e := elem()
		if size := max(1, int64(e.Size())); d.Len < 0 || d.Len > maxSize/size {
			l.refuse("an array type of %d elements", d.Len)
		}
		return reflect.ArrayOf(int(d.Len), e)
	case Map:
		return reflect.MapOf(l.typeAt(d.Key, i), elem())
	case Chan:
		return reflect.ChanOf(reflect.BothDir, elem())
	case SendChan:
		return reflect.ChanOf(reflect.SendDir, elem())
	case RecvChan:
		return reflect.ChanOf(reflect.RecvDir, elem())
	case Func:
		var in, out []reflect.Type
		for _, n := range d.In {
			in = append(in, l.typeAt(n, i))
		}
		for _, n := range d.Out {
			out = append(out, l.typeAt(n, i))
		}
		return reflect.FuncOf(in, out, d.Variadic)
	case Struct:
		var fields []reflect.StructField
		size := int64(0)
		for _, f := range d.Fields {
			if size += int64(l.typeAt(f.Type, i).Size()); size > maxSize {
				l.refuse("a struct type of %d bytes", size)
			}
			fields = append(fields, reflect.StructField{Name: f.Name, Type: l.typeAt(f.Type, i), Tag: reflect.StructTag(f.Tag)})
		}
		return reflect.StructOf(fields)
	}
	l.refuse("malformed program: type %d", i)
	return nil
}

func (l *linker) symbol(n int) Symbol {
	if n < 0 || n >= len(l.p.Symbols) {
		l.refuse("malformed program: symbol %d", n)
	}
	return l.p.Symbols[n]
}

// one is the only element of list.
func (l *linker) one(list []int) int {
	if len(list) != 1 {
		l.refuse("malformed program: %d operands", len(list))
	}
	return list[0]
}

// node takes the node n for its one parent.
func (l *linker) node(n int) *Node {
	if n < 0 || n >= len(l.p.Nodes) || l.used[n] {
		l.refuse("malformed program: node %d", n)
	}
	l.used[n] = true
	// Places are linked more than once, which must not multiply.
	if l.work++; l.work > 100*(len(l.p.Nodes)+100) {
		l.refuse("it is nested too deeply")
	}
	d := &l.p.Nodes[n]
	for _, k := range d.Kids {
		if k >= n {
			l.refuse("malformed program: node %d", k)
		}
	}
	if d.Line > 0 {
		l.line = d.Line
	}
	return d
}

// kids checks that d has as many kids as it needs.
func (l *linker) kids(d *Node, n int) {
	if len(d.Kids) != n {
		l.refuse("malformed program: %d operands for operation %d", len(d.Kids), d.Op)
	}
}

// peek is the operation of node n, 0 if there is none.
func (l *linker) peek(n int) Op {
	if n < 0 || n >= len(l.p.Nodes) {
		return 0
	}
	return l.p.Nodes[n].Op
}

// untyped says whether node n is a constant that takes its type from where it goes.
func (l *linker) untyped(n int) bool { return l.peek(n) == OpConst && l.p.Nodes[n].Type == 0 }

// nilable says whether nil is a value of type t.
func nilable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Chan, reflect.Func, reflect.Interface, reflect.UnsafePointer:
		return true
	}
	return false
}

// as links node n for a place of type t. The value is assignable to it; it need
// not be of type t itself, since reflect converts where it stores.
func (l *linker) as(n int, t reflect.Type) expr {
	switch l.peek(n) {
	case OpNil:
		l.node(n)
		if !nilable(t) {
			l.refuse("nil is not a value of type %v", t)
		}
		z := reflect.Zero(t)
		return expr{t, func(*frame) reflect.Value { return z }}
	case OpConst:
		if l.untyped(n) {
			return l.constant(l.node(n), t)
		}
	}
	e := l.expr(n)
	l.assignable(e.t, t)
	return e
}

func (l *linker) assignable(from, to reflect.Type) {
	if !from.AssignableTo(to) {
		l.refuse("a value of type %v does not fit %v", from, to)
	}
}

// exactly links node n for a place of type t, giving a value of type t.
func (l *linker) exactly(n int, t reflect.Type) expr {
	e := l.as(n, t)
	if e.t == t {
		return e
	}
	return expr{t, func(f *frame) reflect.Value { return boxed(e.run(f), t) }}
}

func (l *linker) constant(d *Node, t reflect.Type) expr {
	v := reflect.New(t).Elem()
	k := t.Kind()
	switch {
	case d.Index == ConstBool && k == reflect.Bool:
		v.SetBool(d.Bits != 0)
	case d.Index == ConstString && k == reflect.String:
		v.SetString(d.Name)
	case d.Index == ConstInt && isInt(k):
		v.SetInt(int64(d.Bits))
	case d.Index == ConstUint && isUint(k):
		v.SetUint(d.Bits)
	case d.Index == ConstFloat && isFloat(k):
		v.SetFloat(d.Real)
	case d.Index == ConstComplex && isComplex(k):
		v.SetComplex(complex(d.Real, d.Imag))
	default:
		l.refuse("malformed program: a constant of sort %d for type %v", d.Index, t)
	}
	return expr{t, func(*frame) reflect.Value { return v }}
}

// expr links a node that gives exactly one value.
func (l *linker) expr(n int) expr {
	vs := l.node(n)
	return l.link(vs)
}

// values links a node that may give any number of values: a call.
func (l *linker) values(n int) values {
	d := l.node(n)
	switch d.Op {
	case OpCall:
		l.enter()
		defer func() { l.depth-- }()
		return l.call(d)
	case OpBuiltin:
		l.enter()
		defer func() { l.depth-- }()
		return l.builtin(d)
	case OpNil:
		l.refuse("nil has no type here")
	}
	e := l.link(d)
	return values{[]reflect.Type{e.t}, func(f *frame) []reflect.Value { return []reflect.Value{e.run(f)} }}
}

// pair links a node for two values where the second says whether there was a
// first: a map's element, a receive, an assertion; or a call with two results.
func (l *linker) pair(n int) values {
	d := l.node(n)
	l.enter()
	defer func() { l.depth-- }()
	boolean := basic["bool"]
	two := func(t reflect.Type, run func(f *frame) (reflect.Value, bool)) values {
		return values{[]reflect.Type{t, boolean}, func(f *frame) []reflect.Value {
			v, ok := run(f)
			return []reflect.Value{v, reflect.ValueOf(ok)}
		}}
	}
	switch d.Op {
	case OpIndex:
		l.kids(d, 2)
		m := l.expr(d.Kids[0])
		if m.t.Kind() != reflect.Map {
			l.refuse("malformed program: two values of an index of %v", m.t)
		}
		k := l.exactly(d.Kids[1], m.t.Key())
		return two(m.t.Elem(), func(f *frame) (reflect.Value, bool) {
			return element(f, d.Line, m, k)
		})
	case OpRecv:
		l.kids(d, 1)
		ch := l.receiving(d.Kids[0])
		return two(ch.t.Elem(), func(f *frame) (reflect.Value, bool) { return receive(f, d.Line, ch.run(f)) })
	case OpAssert:
		l.kids(d, 1)
		x, t := l.asserted(d)
		zero := reflect.Zero(t)
		return two(t, func(f *frame) (reflect.Value, bool) {
			if v, ok := assert(x.run(f), t); ok {
				return v, true
			}
			return zero, false
		})
	}
	return l.call(d)
}

// element looks up a map's element.
func element(f *frame, line int, m, k expr) (reflect.Value, bool) {
	mv, kv := m.run(f), k.run(f)
	f.at(line)
	v := mv.MapIndex(kv)
	if !v.IsValid() {
		return reflect.Zero(m.t.Elem()), false
	}
	return v, true
}

// at notes the line that is about to do something that may fail.
func (f *frame) at(line int) {
	if line > 0 {
		f.line.Store(int64(line))
	}
}

// link links an expression with one value.
func (l *linker) link(d *Node) expr {
	l.enter()
	defer func() { l.depth-- }()
	line := d.Line
	switch d.Op {
	case OpConst:
		if d.Type == 0 {
			l.refuse("a constant of a type that this session does not know by name")
		}
		return l.constant(d, l.typeOf(d.Type))
	case OpVar:
		return l.variable(d.Index)
	case OpFunc:
		s := l.symbol(d.Index)
		fn := l.table.Func(s.Pkg, s.Name)
		if !fn.IsValid() || fn.Kind() != reflect.Func {
			l.refuse("%s.%s is not known to this session", s.Pkg, s.Name)
		}
		return expr{fn.Type(), func(*frame) reflect.Value { return fn }}
	case OpGlobal:
		v := l.global(d)
		return expr{v.Type(), func(*frame) reflect.Value { return v }}
	case OpField:
		l.kids(d, 1)
		x := l.expr(d.Kids[0])
		field := l.field(x.t, d)
		if x.t.Kind() == reflect.Pointer {
			return expr{field.t, func(f *frame) reflect.Value {
				p := x.run(f)
				f.at(line)
				return field.of(target(p))
			}}
		}
		return expr{field.t, func(f *frame) reflect.Value { return field.of(x.run(f)) }}
	case OpMethod:
		return l.methodValue(d)
	case OpMethodExpr:
		return l.methodExpr(d)
	case OpIndex:
		return l.index(d)
	case OpSlice:
		return l.slice(d)
	case OpStar:
		l.kids(d, 1)
		p := l.expr(d.Kids[0])
		if p.t.Kind() != reflect.Pointer {
			l.refuse("malformed program: * of %v", p.t)
		}
		return expr{p.t.Elem(), func(f *frame) reflect.Value {
			v := p.run(f)
			f.at(line)
			return target(v)
		}}
	case OpAddr:
		l.kids(d, 1)
		if l.peek(d.Kids[0]) == OpComposite {
			x := l.expr(d.Kids[0])
			return expr{reflect.PointerTo(x.t), func(f *frame) reflect.Value {
				p := reflect.New(x.t)
				p.Elem().Set(x.run(f))
				return p
			}}
		}
		x := l.place(d.Kids[0])
		if x.ref == nil {
			l.refuse("malformed program: the address of a map's element")
		}
		return expr{reflect.PointerTo(x.t), func(f *frame) reflect.Value {
			ref := x.ref(f)
			f.at(line)
			return ref().Addr()
		}}
	case OpUnary:
		l.kids(d, 1)
		x := l.expr(d.Kids[0])
		op := unary(d.Name, x.t)
		if op == nil {
			l.refuse("malformed program: %s of %v", d.Name, x.t)
		}
		return expr{x.t, func(f *frame) reflect.Value { return op(x.run(f)) }}
	case OpBinary, OpShift:
		l.kids(d, 2)
		var x, y expr
		var op binary
		switch {
		case d.Op == OpShift:
			x, y = l.expr(d.Kids[0]), l.position(d.Kids[1])
			op = shift(d.Name, x.t, y.t)
		case l.untyped(d.Kids[0]):
			y = l.expr(d.Kids[1])
			x = l.as(d.Kids[0], y.t)
		default:
			x = l.expr(d.Kids[0])
			y = l.as(d.Kids[1], x.t)
		}
		if d.Op == OpBinary && x.t == y.t {
			op = arithmetic(d.Name, x.t)
		}
		if op == nil {
			l.refuse("malformed program: %v %s %v", x.t, d.Name, y.t)
		}
		return expr{x.t, func(f *frame) reflect.Value {
			a, b := x.run(f), y.run(f)
			f.at(line)
			return op(a, b)
		}}
	case OpCompare:
		return l.compare(d)
	case OpAnd, OpOr:
		l.kids(d, 2)
		x, y := l.expr(d.Kids[0]), l.expr(d.Kids[1])
		if x.t.Kind() != reflect.Bool || y.t != x.t {
			l.refuse("malformed program: %v and %v", x.t, y.t)
		}
		ends := d.Op == OpOr
		return expr{x.t, func(f *frame) reflect.Value {
			if a := loaded(x.run(f)); a.Bool() == ends {
				return a
			}
			return y.run(f)
		}}
	case OpConvert:
		l.kids(d, 1)
		t := l.typeOf(d.Type)
		if op := l.peek(d.Kids[0]); op == OpNil {
			return l.as(d.Kids[0], t)
		}
		x := l.expr(d.Kids[0])
		convert := conversion(x.t, t)
		if convert == nil {
			l.refuse("malformed program: %v to %v", x.t, t)
		}
		return expr{t, func(f *frame) reflect.Value {
			v := x.run(f)
			f.at(line)
			return convert(v)
		}}
	case OpAssert:
		l.kids(d, 1)
		x, t := l.asserted(d)
		return expr{t, func(f *frame) reflect.Value {
			i := x.run(f)
			f.at(line)
			v, ok := assert(i, t)
			if !ok {
				var have reflect.Type
				if !i.IsNil() {
					have = i.Elem().Type()
				}
				failAssert(x.t, have, t)
			}
			return v
		}}
	case OpRecv:
		l.kids(d, 1)
		ch := l.receiving(d.Kids[0])
		return expr{ch.t.Elem(), func(f *frame) reflect.Value {
			v, _ := receive(f, line, ch.run(f))
			return v
		}}
	case OpComposite:
		return l.composite(d)
	case OpCall, OpBuiltin:
		var vs values
		if d.Op == OpCall {
			vs = l.call(d)
		} else {
			vs = l.builtin(d)
		}
		if len(vs.ts) != 1 {
			l.refuse("malformed program: %d values in place of one", len(vs.ts))
		}
		return expr{vs.ts[0], func(f *frame) reflect.Value { return vs.run(f)[0] }}
	}
	l.refuse("malformed program: operation %d", d.Op)
	return expr{}
}

func (l *linker) variable(n int) expr {
	if n < 0 || n >= len(l.p.Vars) {
		l.refuse("malformed program: variable %d", n)
	}
	v := l.p.Vars[n]
	if v.New || v.Name == "" {
		t := l.vars[n]
		if t == nil {
			l.refuse("malformed program: %s is used before it is made", v.Name)
		}
		return expr{t, func(f *frame) reflect.Value { return f.vars[n] }}
	}
	if !l.old[n].IsValid() {
		m := l.table.Var(v.Name)
		if !m.IsValid() || !m.CanAddr() {
			l.refuse("variable %s is not known to this session", v.Name)
		}
		l.old[n] = m
	}
	m := l.old[n]
	return expr{m.Type(), func(*frame) reflect.Value { return m }}
}

func (l *linker) global(d *Node) reflect.Value {
	s := l.symbol(d.Index)
	v := l.table.Global(s.Pkg, s.Name)
	if !v.IsValid() || !v.CanAddr() {
		l.refuse("variable %s.%s is not known to this session", s.Pkg, s.Name)
	}
	return v
}

// target is what p points to.
func target(p reflect.Value) reflect.Value {
	if p.IsNil() {
		failNil()
	}
	return p.Elem()
}

// A field is a field of a struct type.
type field struct {
	t  reflect.Type
	of func(reflect.Value) reflect.Value
}

// field finds the field that d names in the struct type t, or what t points to.
func (l *linker) field(t reflect.Type, d *Node) field {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || d.Index < 0 || d.Index >= t.NumField() || t.Field(d.Index).Name != d.Name {
		l.refuse("%v has no field %s", t, d.Name)
	}
	return fieldAt(t, d.Index)
}

func fieldAt(t reflect.Type, i int) field {
	sf := t.Field(i)
	if sf.IsExported() {
		return field{sf.Type, func(v reflect.Value) reflect.Value { return v.Field(i) }}
	}
	// Reflect would not let unexported fields be read or set.
	return field{sf.Type, func(v reflect.Value) reflect.Value {
		if !v.CanAddr() {
			c := reflect.New(t).Elem()
			c.Set(v)
			v = c
		}
		return hidden(v.Field(i))
	}}
}

func (l *linker) compare(d *Node) expr {
	l.kids(d, 2)
	t := basic["bool"]
	if d.Type != 0 {
		if t = l.typeOf(d.Type); t.Kind() != reflect.Bool {
			l.refuse("malformed program: a comparison of type %v", t)
		}
	}
	a, b := d.Kids[0], d.Kids[1]
	if l.peek(a) == OpNil {
		a, b = b, a
	}
	if l.peek(b) == OpNil {
		l.node(b)
		x := l.expr(a)
		if !nilable(x.t) || d.Name != "==" && d.Name != "!=" {
			l.refuse("malformed program: %v %s nil", x.t, d.Name)
		}
		equal := d.Name == "=="
		return expr{t, func(f *frame) reflect.Value { return makeBool(t, x.run(f).IsNil() == equal) }}
	}
	var x, y expr
	if l.untyped(a) {
		y = l.expr(b)
		x = l.as(a, y.t)
	} else {
		x = l.expr(a)
		y = l.as0(b, x.t)
	}
	// Of two types one fits the other. Interfaces compare by what is in them, so
	// that only others must be made the same type.
	box := func(e expr, t reflect.Type) expr {
		if t.Kind() == reflect.Interface {
			return e
		}
		return expr{t, func(f *frame) reflect.Value { return boxed(e.run(f), t) }}
	}
	common := x.t
	if x.t != y.t {
		switch {
		case y.t.AssignableTo(x.t):
			y = box(y, x.t)
		case x.t.AssignableTo(y.t):
			common = y.t
			x = box(x, y.t)
		default:
			l.refuse("malformed program: %v %s %v", x.t, d.Name, y.t)
		}
	}
	op := comparison(d.Name, common)
	if op == nil {
		l.refuse("malformed program: %v %s %v", x.t, d.Name, y.t)
	}
	line := d.Line
	return expr{t, func(f *frame) reflect.Value {
		u, v := x.run(f), y.run(f)
		f.at(line)
		return makeBool(t, op(u, v))
	}}
}

// as0 links node n, a constant without a type as one of type t.
func (l *linker) as0(n int, t reflect.Type) expr {
	if l.untyped(n) {
		return l.as(n, t)
	}
	return l.expr(n)
}

func (l *linker) asserted(d *Node) (expr, reflect.Type) {
	x, t := l.expr(d.Kids[0]), l.typeOf(d.Type)
	if x.t.Kind() != reflect.Interface {
		l.refuse("malformed program: an assertion on %v", x.t)
	}
	return x, t
}

// assert gives x.(t).
func assert(x reflect.Value, t reflect.Type) (reflect.Value, bool) {
	if x.IsNil() {
		return reflect.Value{}, false
	}
	v := x.Elem()
	if t.Kind() == reflect.Interface {
		if !v.Type().Implements(t) {
			return reflect.Value{}, false
		}
		return boxed(v, t), true
	}
	return v, v.Type() == t
}

// receiving links a channel to receive from.
func (l *linker) receiving(n int) expr {
	ch := l.expr(n)
	if ch.t.Kind() != reflect.Chan || ch.t.ChanDir()&reflect.RecvDir == 0 {
		l.refuse("malformed program: a receive from %v", ch.t)
	}
	return ch
}

// receive receives, or ends the cell when its context ends.
func receive(f *frame, line int, ch reflect.Value) (reflect.Value, bool) {
	f.at(line)
	f.check()
	if v, ok := ch.TryRecv(); v.IsValid() {
		return v, ok
	}
	i, v, ok := reflect.Select([]reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: ch},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(f.done)},
	})
	if i == 1 {
		panic(stopped{})
	}
	return v, ok
}

// send sends, or ends the cell when its context ends.
func send(f *frame, line int, ch, v reflect.Value) {
	f.at(line)
	f.check()
	if ch.TrySend(v) {
		return
	}
	i, _, _ := reflect.Select([]reflect.SelectCase{
		{Dir: reflect.SelectSend, Chan: ch, Send: v},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(f.done)},
	})
	if i == 1 {
		panic(stopped{})
	}
}
