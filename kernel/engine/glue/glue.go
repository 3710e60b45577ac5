// Package glue makes Programs of cells of straight-line code, which package eval
// then evaluates at once, by reflect on live native values, where compiling them
// would take a tenth of a second. What it accepts gives exactly what the compiler's
// code would give; what it does not accept is refused before anything runs.
//
// Refused are function literals, loops, switch, select, go, defer, labels,
// declarations of types, constants and functions, instances of generics that the
// session does not have, types without a name that reflect cannot make, and package
// unsafe.
package glue

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"github.com/paragopher/paragopher/kernel/engine/glue/eval"
)

// A Cell is a checked cell, as Compile needs it.
type Cell struct {
	Number int // for messages
	// Stmts are statements (ast.Stmt), and variables to be made (*ast.ValueSpec),
	// in order.
	Stmts []ast.Node
	// Info needs Types, Defs, Uses, Selections and Instances of them.
	Info *types.Info
	// Resolve says where a session finds an object, with the type arguments of an
	// instance of a generic. Variables that the statements themselves define have
	// a Ref, too, unless they are of an inner block. Methods are asked for only if
	// they are not exported: what is wanted then is the method expression.
	// What Resolve does not know is not glue.
	Resolve func(obj types.Object, targs *types.TypeList) (Ref, bool)
	// Line gives the line of the cell that a position is on.
	Line func(token.Pos) int
	// Result says that the last statement's values are wanted, if it is an
	// expression that has any.
	Result bool
}

// A Ref is where a running session finds an object: the name of a session's
// variable, or a package's symbol.
type Ref struct {
	Var       string // in a Table: of Var and Declare; if set, the rest is empty
	Pkg, Name string // in a Table: of Type, Func and Global
}

// PackageRef is the Ref of an object of package scope under the path and name that
// it has itself, as packages that were imported have; of an instance, the name is
// followed by its type arguments, as in Map[int,string], whose own names have their
// packages' paths.
func PackageRef(obj types.Object, targs *types.TypeList) (Ref, bool) {
	if obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
		return Ref{}, false
	}
	return Ref{Pkg: obj.Pkg().Path(), Name: obj.Name() + Instance(targs)}, true
}

// Instance writes type arguments as they follow the name of an instance; "" for none.
func Instance(targs *types.TypeList) string {
	if targs.Len() == 0 {
		return ""
	}
	var args []string
	for t := range targs.Types() {
		args = append(args, types.TypeString(types.Unalias(t), (*types.Package).Path))
	}
	return "[" + strings.Join(args, ",") + "]"
}

// A Refusal says why a cell is not glue.
type Refusal struct {
	Cell, Line int
	Reason     string // names the construct
}

// Error says where and why.
func (r *Refusal) Error() string {
	return fmt.Sprintf("cell[%d]:%d must be compiled: %s", r.Cell, r.Line, r.Reason)
}

// Compile makes a Program of a cell. The error is a *Refusal. It costs about a
// microsecond a node of syntax.
func Compile(c Cell) (p *eval.Program, err error) {
	b := &builder{
		cell: c, p: &eval.Program{Cell: c.Number},
		types: map[types.Type]int{}, vars: map[types.Object]int{}, symbols: map[eval.Symbol]int{},
	}
	defer func() {
		if v := recover(); v != nil {
			r, ok := v.(*Refusal)
			if !ok {
				panic(v)
			}
			p, err = nil, r
		}
	}()
	for i, n := range c.Stmts {
		last := c.Result && i == len(c.Stmts)-1
		switch n := n.(type) {
		case *ast.ValueSpec:
			b.p.Stmts = append(b.p.Stmts, b.spec(n))
		case ast.Stmt:
			if e, ok := n.(*ast.ExprStmt); ok && last {
				b.p.Result = b.hasValue(e.X)
			}
			b.p.Stmts = append(b.p.Stmts, b.stmt(n)...)
		default:
			b.refuse(n, "%T", n)
		}
	}
	return b.p, nil
}

// A builder makes one Program. It fails by panicking with a *Refusal.
type builder struct {
	cell    Cell
	p       *eval.Program
	types   map[types.Type]int
	vars    map[types.Object]int
	symbols map[eval.Symbol]int
}

func (b *builder) refuse(at ast.Node, format string, args ...any) {
	r := &Refusal{Cell: b.cell.Number, Reason: fmt.Sprintf(format, args...)}
	if at != nil {
		r.Line = b.cell.Line(at.Pos())
	}
	panic(r)
}

func (b *builder) line(n ast.Node) int { return b.cell.Line(n.Pos()) }

func (b *builder) add(n eval.Node) int {
	b.p.Nodes = append(b.p.Nodes, n)
	return len(b.p.Nodes) - 1
}

// resolve finds what a session calls obj.
func (b *builder) resolve(at ast.Node, obj types.Object, targs *types.TypeList) Ref {
	if obj.Pkg() == types.Unsafe {
		b.refuse(at, "package unsafe")
	}
	ref, ok := b.cell.Resolve(obj, targs)
	switch {
	case ok:
		return ref
	case targs.Len() > 0:
		b.refuse(at, "instance %s%s of a generic", obj.Name(), Instance(targs))
	}
	b.refuse(at, "%s is not among what a session knows by name", obj.Name())
	return Ref{}
}

func (b *builder) symbol(at ast.Node, obj types.Object, targs *types.TypeList) int {
	ref := b.resolve(at, obj, targs)
	if ref.Var != "" {
		b.refuse(at, "%s is a variable in place of a symbol", obj.Name())
	}
	s := eval.Symbol{Pkg: ref.Pkg, Name: ref.Name}
	if i, ok := b.symbols[s]; ok {
		return i
	}
	b.p.Symbols = append(b.p.Symbols, s)
	b.symbols[s] = len(b.p.Symbols) - 1
	return b.symbols[s]
}

// variable gives the number of a session's variable, or of one of a block.
func (b *builder) variable(at ast.Node, obj types.Object, isNew bool) int {
	if i, ok := b.vars[obj]; ok {
		return i
	}
	v := eval.Var{New: isNew}
	if ref, ok := b.cell.Resolve(obj, nil); ok {
		v.Name = ref.Var
	} else if !isNew {
		b.refuse(at, "variable %s is not among what a session knows by name", obj.Name())
	}
	b.p.Vars = append(b.p.Vars, v)
	b.vars[obj] = len(b.p.Vars) - 1
	return b.vars[obj]
}

// typ gives the number, plus one, of a type, as nodes have it.
func (b *builder) typ(at ast.Node, t types.Type) int { return b.typeIndex(at, t) + 1 }

func (b *builder) typeIndex(at ast.Node, t types.Type) int {
	t = types.Unalias(t)
	if i, ok := b.types[t]; ok {
		if i < 0 {
			b.refuse(at, "recursive type %v", t)
		}
		return i
	}
	b.types[t] = -1 // until its parts are known
	defer func() {
		if b.types[t] < 0 { // it was refused
			delete(b.types, t)
		}
	}()
	d := b.describe(at, t)
	b.p.Types = append(b.p.Types, d)
	b.types[t] = len(b.p.Types) - 1
	return b.types[t]
}

func (b *builder) describe(at ast.Node, t types.Type) eval.Type {
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			b.refuse(at, "package unsafe")
		}
		if t.Info()&types.IsUntyped != 0 {
			return b.describe(at, types.Default(t))
		}
		// byte and rune are names of their types
		return eval.Type{Form: eval.Basic, Name: types.Typ[t.Kind()].Name()}
	case *types.Named:
		if t.Obj().Pkg() == nil { // error, comparable
			return eval.Type{Form: eval.Basic, Name: t.Obj().Name()}
		}
		return eval.Type{Form: eval.Named, Symbol: b.symbol(at, t.Obj(), t.TypeArgs())}
	case *types.Pointer:
		return eval.Type{Form: eval.Pointer, Elem: b.typeIndex(at, t.Elem())}
	case *types.Slice:
		return eval.Type{Form: eval.Slice, Elem: b.typeIndex(at, t.Elem())}
	case *types.Array:
		return eval.Type{Form: eval.Array, Elem: b.typeIndex(at, t.Elem()), Len: t.Len()}
	case *types.Map:
		return eval.Type{Form: eval.Map, Key: b.typeIndex(at, t.Key()), Elem: b.typeIndex(at, t.Elem())}
	case *types.Chan:
		form := map[types.ChanDir]eval.Form{types.SendRecv: eval.Chan, types.SendOnly: eval.SendChan, types.RecvOnly: eval.RecvChan}[t.Dir()]
		return eval.Type{Form: form, Elem: b.typeIndex(at, t.Elem())}
	case *types.Signature:
		d := eval.Type{Form: eval.Func, Variadic: t.Variadic()}
		for v := range t.Params().Variables() {
			d.In = append(d.In, b.typeIndex(at, v.Type()))
		}
		for v := range t.Results().Variables() {
			d.Out = append(d.Out, b.typeIndex(at, v.Type()))
		}
		return d
	case *types.Struct:
		d := eval.Type{Form: eval.Struct}
		for i := range t.NumFields() {
			f := t.Field(i)
			if !f.Exported() || f.Embedded() {
				b.refuse(at, "a struct type without a name that has an unexported or embedded field")
			}
			d.Fields = append(d.Fields, eval.Field{Name: f.Name(), Type: b.typeIndex(at, f.Type()), Tag: t.Tag(i)})
		}
		return d
	case *types.Interface:
		if t.Empty() {
			return eval.Type{Form: eval.Basic, Name: "any"}
		}
		b.refuse(at, "an interface type with methods that has no name")
	}
	b.refuse(at, "type %v", t)
	return eval.Type{}
}

// nameable is like typ, but gives 0 for a type that cannot be said: a constant
// then takes the type of the place where it goes.
func (b *builder) nameable(at ast.Node, t types.Type) (n int) {
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(*Refusal); !ok {
				panic(v)
			}
			n = 0
		}
	}()
	return b.typ(at, t)
}

func (b *builder) constant(at ast.Expr, tv types.TypeAndValue) int {
	t := tv.Type
	basic, ok := t.Underlying().(*types.Basic)
	if !ok {
		b.refuse(at, "a constant of type %v", t)
	}
	if basic.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
		basic = t.Underlying().(*types.Basic)
	}
	n := eval.Node{Op: eval.OpConst}
	v := tv.Value
	exact := true
	switch info := basic.Info(); {
	case info&types.IsBoolean != 0:
		n.Index = eval.ConstBool
		if constant.BoolVal(v) {
			n.Bits = 1
		}
	case info&types.IsString != 0:
		n.Index = eval.ConstString
		n.Name = constant.StringVal(v)
	case info&types.IsUnsigned != 0:
		n.Index = eval.ConstUint
		n.Bits, exact = constant.Uint64Val(constant.ToInt(v))
	case info&types.IsInteger != 0:
		n.Index = eval.ConstInt
		var i int64
		i, exact = constant.Int64Val(constant.ToInt(v))
		n.Bits = uint64(i)
	case info&types.IsFloat != 0:
		n.Index = eval.ConstFloat
		n.Real = float(basic.Kind() == types.Float32, v)
	case info&types.IsComplex != 0:
		n.Index = eval.ConstComplex
		v = constant.ToComplex(v)
		single := basic.Kind() == types.Complex64
		n.Real, n.Imag = float(single, constant.Real(v)), float(single, constant.Imag(v))
	default:
		b.refuse(at, "a constant of type %v", t)
	}
	if !exact {
		b.refuse(at, "a constant that overflows %v", t)
	}
	n.Type = b.nameable(at, t)
	return b.add(n)
}

// float rounds a constant as the compiler does.
func float(single bool, v constant.Value) float64 {
	v = constant.ToFloat(v)
	if single {
		f, _ := constant.Float32Val(v)
		return float64(f)
	}
	f, _ := constant.Float64Val(v)
	return f
}
