package glue

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/paragopher/paragopher/kernel/engine/glue/eval"
)

// hasValue says whether an expression gives any value: calls may not.
func (b *builder) hasValue(e ast.Expr) bool {
	tv := b.cell.Info.Types[e]
	if tv.IsVoid() || tv.IsNil() {
		return false
	}
	tuple, ok := tv.Type.(*types.Tuple)
	return !ok || tuple.Len() > 0
}

// expr makes a node of an expression, after those of its operands.
func (b *builder) expr(e ast.Expr) int {
	info := b.cell.Info
	tv := info.Types[e]
	if tv.Value != nil {
		return b.constant(e, tv)
	}
	line := b.line(e)
	switch e := e.(type) {
	case *ast.ParenExpr:
		return b.expr(e.X)
	case *ast.Ident:
		return b.ident(e)
	case *ast.FuncLit:
		b.refuse(e, "a function literal")
	case *ast.CompositeLit:
		return b.composite(e, tv.Type)
	case *ast.SelectorExpr:
		return b.selector(e)
	case *ast.IndexExpr:
		if id := name(e.X); id != nil && info.Instances[id].TypeArgs != nil {
			return b.ident(id)
		}
		return b.add(eval.Node{Op: eval.OpIndex, Line: line, Kids: []int{b.expr(e.X), b.expr(e.Index)}})
	case *ast.IndexListExpr:
		if id := name(e.X); id != nil {
			return b.ident(id)
		}
	case *ast.SliceExpr:
		kids := []int{b.expr(e.X)}
		for _, x := range []ast.Expr{e.Low, e.High, e.Max} {
			if x == nil {
				kids = append(kids, -1)
			} else {
				kids = append(kids, b.expr(x))
			}
		}
		return b.add(eval.Node{Op: eval.OpSlice, Line: line, Kids: kids})
	case *ast.StarExpr:
		return b.add(eval.Node{Op: eval.OpStar, Line: line, Kids: []int{b.expr(e.X)}})
	case *ast.TypeAssertExpr:
		return b.add(eval.Node{Op: eval.OpAssert, Line: line, Kids: []int{b.expr(e.X)}, Type: b.typ(e, info.Types[e.Type].Type)})
	case *ast.UnaryExpr:
		x := b.expr(e.X)
		switch e.Op {
		case token.AND:
			return b.add(eval.Node{Op: eval.OpAddr, Line: line, Kids: []int{x}})
		case token.ARROW:
			return b.add(eval.Node{Op: eval.OpRecv, Line: line, Kids: []int{x}})
		}
		return b.add(eval.Node{Op: eval.OpUnary, Name: e.Op.String(), Kids: []int{x}})
	case *ast.BinaryExpr:
		return b.binary(e)
	case *ast.CallExpr:
		return b.call(e)
	}
	b.refuse(e, "%T", e)
	return 0
}

// name is the identifier of a function that is instantiated.
func name(e ast.Expr) *ast.Ident {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return e.Sel
	}
	return nil
}

// ident makes a node of a name, which may be a package's that was qualified.
func (b *builder) ident(id *ast.Ident) int {
	obj := b.cell.Info.Uses[id]
	if obj == nil {
		obj = b.cell.Info.Defs[id]
	}
	switch obj := obj.(type) {
	case *types.Nil:
		return b.add(eval.Node{Op: eval.OpNil})
	case *types.Func:
		return b.add(eval.Node{Op: eval.OpFunc, Index: b.symbol(id, obj.Origin(), b.cell.Info.Instances[id].TypeArgs)})
	case *types.Var:
		if i, ok := b.vars[obj]; ok {
			return b.add(eval.Node{Op: eval.OpVar, Index: i})
		}
		if ref := b.resolve(id, obj, nil); ref.Var == "" {
			return b.add(eval.Node{Op: eval.OpGlobal, Index: b.symbol(id, obj, nil)})
		}
		return b.add(eval.Node{Op: eval.OpVar, Index: b.variable(id, obj, false)})
	case *types.Builtin:
		b.refuse(id, "builtin %s", obj.Name())
	}
	b.refuse(id, "%s", id.Name)
	return 0
}

func (b *builder) selector(e *ast.SelectorExpr) int {
	sel := b.cell.Info.Selections[e]
	if sel == nil { // pkg.Name
		return b.ident(e.Sel)
	}
	line := b.line(e.Sel)
	switch sel.Kind() {
	case types.FieldVal:
		x, _ := b.path(e.X, b.expr(e.X), sel.Recv(), sel.Index())
		return x
	case types.MethodExpr:
		if !sel.Obj().Exported() {
			b.refuse(e, "method expression of %s, which is not exported", sel.Obj().Name())
		}
		return b.add(eval.Node{Op: eval.OpMethodExpr, Line: line, Type: b.typ(e.X, sel.Recv()), Name: sel.Obj().Name()})
	}
	if !sel.Obj().Exported() {
		b.refuse(e, "method value %s, which is not exported", sel.Obj().Name())
	}
	return b.add(eval.Node{Op: eval.OpMethod, Line: line, Kids: []int{b.receiver(e, sel)}, Name: sel.Obj().Name()})
}

// path makes nodes of the fields from x, of type t, along a path of field numbers.
func (b *builder) path(at ast.Node, x int, t types.Type, path []int) (int, types.Type) {
	for _, i := range path {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		f := t.Underlying().(*types.Struct).Field(i)
		x = b.add(eval.Node{Op: eval.OpField, Line: b.line(at), Kids: []int{x}, Index: i, Name: f.Name()})
		t = f.Type()
	}
	return x, t
}

// receiver makes a node of what a method is called on: of exactly the type that the
// method was declared for.
func (b *builder) receiver(e *ast.SelectorExpr, sel *types.Selection) int {
	index := sel.Index()
	x, t := b.path(e.X, b.expr(e.X), sel.Recv(), index[:len(index)-1])
	want := sel.Obj().(*types.Func).Signature().Recv().Type()
	_, isPtr := types.Unalias(t).(*types.Pointer)
	_, wantPtr := types.Unalias(want).(*types.Pointer)
	switch {
	case wantPtr && !isPtr:
		return b.add(eval.Node{Op: eval.OpAddr, Line: b.line(e), Kids: []int{x}})
	case !wantPtr && isPtr:
		return b.add(eval.Node{Op: eval.OpStar, Line: b.line(e), Kids: []int{x}})
	}
	return x
}

func (b *builder) composite(e *ast.CompositeLit, t types.Type) int {
	line := b.line(e)
	if p, ok := t.Underlying().(*types.Pointer); ok && e.Type == nil { // &T is left out
		return b.add(eval.Node{Op: eval.OpAddr, Line: line, Kids: []int{b.composite(e, p.Elem())}})
	}
	n := eval.Node{Op: eval.OpComposite, Line: line, Type: b.typ(e, t)}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for i, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				f := b.cell.Info.Uses[kv.Key.(*ast.Ident)]
				i = 0
				for u.Field(i) != f {
					i++
				}
				x = kv.Value
			}
			n.Keys = append(n.Keys, int64(i))
			n.Kids = append(n.Kids, b.expr(x))
		}
	case *types.Array, *types.Slice:
		at := int64(0)
		for _, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				k := b.p.Nodes[b.constant(kv.Key, b.cell.Info.Types[kv.Key])]
				b.p.Nodes = b.p.Nodes[:len(b.p.Nodes)-1]
				at = int64(k.Bits)
				x = kv.Value
			}
			if at > 1<<20 {
				b.refuse(e, "a literal with index %d", at)
			}
			n.Keys = append(n.Keys, at)
			n.Kids = append(n.Kids, b.expr(x))
			at++
		}
	case *types.Map:
		for _, x := range e.Elts {
			kv := x.(*ast.KeyValueExpr)
			n.Kids = append(n.Kids, b.expr(kv.Key), b.expr(kv.Value))
		}
	default:
		b.refuse(e, "a literal of type %v", t)
	}
	return b.add(n)
}

func (b *builder) binary(e *ast.BinaryExpr) int {
	line := b.line(e)
	tv := b.cell.Info.Types[e]
	n := eval.Node{Line: line, Name: e.Op.String()}
	switch e.Op {
	case token.LAND:
		n.Op = eval.OpAnd
	case token.LOR:
		n.Op = eval.OpOr
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		n.Op = eval.OpCompare
		if t := types.Default(tv.Type); !types.Identical(t, types.Typ[types.Bool]) {
			n.Type = b.typ(e, t)
		}
		if b.cell.Info.Types[e.X].IsNil() && b.cell.Info.Types[e.Y].IsNil() {
			b.refuse(e, "a comparison of nil with nil")
		}
	case token.SHL, token.SHR:
		n.Op = eval.OpShift
		if t, ok := types.Default(tv.Type).Underlying().(*types.Basic); !ok || t.Info()&types.IsInteger == 0 {
			b.refuse(e, "a shift of type %v", tv.Type)
		}
	default:
		n.Op = eval.OpBinary
	}
	n.Kids = []int{b.expr(e.X), b.expr(e.Y)}
	return b.add(n)
}

func (b *builder) call(e *ast.CallExpr) int {
	info := b.cell.Info
	line := b.line(e)
	fun := ast.Unparen(e.Fun)
	ftv := info.Types[e.Fun]
	if ftv.IsType() {
		return b.add(eval.Node{Op: eval.OpConvert, Line: line, Kids: []int{b.expr(e.Args[0])}, Type: b.typ(e, ftv.Type)})
	}
	if ftv.IsBuiltin() {
		return b.builtin(e, name(fun).Name)
	}
	n := eval.Node{Op: eval.OpCall, Line: line, Flag: e.Ellipsis.IsValid()}
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if sel := info.Selections[s]; sel != nil && sel.Kind() == types.MethodVal && !sel.Obj().Exported() {
			// Reflect cannot see the method: the session has it as a function.
			m := sel.Obj().(*types.Func)
			if types.IsInterface(m.Signature().Recv().Type()) {
				b.refuse(s, "method %s of an interface, which is not exported", m.Name())
			}
			n.Kids = []int{b.add(eval.Node{Op: eval.OpFunc, Index: b.symbol(s, m.Origin(), receiverArgs(m))}), b.receiver(s, sel)}
		}
	}
	if n.Kids == nil {
		n.Kids = []int{b.expr(fun)}
	} else if tuple, ok := info.Types[only(e.Args)].Type.(*types.Tuple); ok && tuple.Len() > 1 {
		b.refuse(e, "a method that is not exported, called with several results")
	}
	for _, a := range e.Args {
		n.Kids = append(n.Kids, b.expr(a))
	}
	return b.add(n)
}

// only is the only one of args, nil if there are more or none.
func only(args []ast.Expr) ast.Expr {
	if len(args) == 1 {
		return args[0]
	}
	return nil
}

// receiverArgs are the type arguments of the type that a method is of.
func receiverArgs(m *types.Func) *types.TypeList {
	t := types.Unalias(m.Signature().Recv().Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if n, ok := t.(*types.Named); ok {
		return n.TypeArgs()
	}
	return nil
}

func (b *builder) builtin(e *ast.CallExpr, name string) int {
	info := b.cell.Info
	n := eval.Node{Op: eval.OpBuiltin, Line: b.line(e), Name: name, Flag: e.Ellipsis.IsValid()}
	args := e.Args
	switch name {
	case "recover":
		b.refuse(e, "recover")
	case "make":
		n.Type = b.typ(args[0], info.Types[args[0]].Type)
		args = args[1:]
	case "new":
		if info.Types[args[0]].IsType() {
			n.Type = b.typ(args[0], info.Types[args[0]].Type)
			args = nil
		} else {
			n.Type = b.typ(e, info.Types[e].Type.Underlying().(*types.Pointer).Elem())
		}
	case "append":
		n.Type = b.nameable(e, info.Types[e].Type)
	case "complex", "real", "imag":
		n.Type = b.typ(e, info.Types[e].Type)
	case "len", "cap", "copy", "delete", "clear", "close", "min", "max", "panic", "print", "println":
	default: // of package unsafe
		b.refuse(e, "builtin %s", name)
	}
	if len(args) == 1 {
		if tuple, ok := info.Types[args[0]].Type.(*types.Tuple); ok && tuple.Len() > 1 {
			b.refuse(e, "a builtin called with several results")
		}
	}
	for _, a := range args {
		n.Kids = append(n.Kids, b.expr(a))
	}
	return b.add(n)
}
