package source

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// CellPackage is the import path of what lowered code calls in its session. The
// interpreter provides it; cells cannot import it.
const CellPackage = "paragopher/cell"

// walk makes the edits for n and what is in it.
func (l *lowering) walk(n ast.Node) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && l.fold(e) {
			return false
		}
		switch n := n.(type) {
		case *ast.Ident:
			l.ident(n)
		case *ast.SelectorExpr:
			return l.selector(n)
		case *ast.IndexExpr, *ast.IndexListExpr:
			return l.index(n.(ast.Expr))
		case *ast.CallExpr:
			return l.call(n)
		case *ast.RangeStmt:
			if sig, ok := coreOf(l.typeOf(n.X)).(*types.Signature); ok {
				l.rangeFunc(n, sig)
				return false
			}
			l.loops = append(l.loops, n)
			l.within(target{node: n, loop: true}, func() { l.rangeStmt(n) })
			l.loops = l.loops[:len(l.loops)-1]
			return false
		case *ast.ForStmt:
			l.loops = append(l.loops, n)
			l.within(target{node: n, loop: true}, func() { l.forStmt(n) })
			l.loops = l.loops[:len(l.loops)-1]
			return false
		case *ast.BinaryExpr:
			if n.Op == token.SHL || n.Op == token.SHR {
				l.shift(n)
				return false
			}
			l.compared(n)
		case *ast.CommClause:
			l.commClause(n)
		case *ast.SwitchStmt:
			l.within(target{node: n}, func() { l.parts(n) })
			return false
		case *ast.TypeSwitchStmt:
			l.within(target{node: n}, func() { l.typeSwitch(n) })
			return false
		case *ast.SelectStmt:
			l.within(target{node: n}, func() { l.parts(n) })
			return false
		case *ast.LabeledStmt:
			if l.labels == nil {
				l.labels = map[ast.Node]string{}
			}
			l.labels[n.Stmt] = n.Label.Name
			l.walk(n.Stmt)
			return false
		case *ast.BranchStmt:
			l.branch(n)
			return false
		case *ast.DeclStmt:
			if g, ok := n.Decl.(*ast.GenDecl); ok && (g.Tok == token.TYPE || g.Tok == token.CONST) {
				start, end := l.file.offset(n.Pos()), l.file.offset(n.End())
				l.replace(start, end, func() string { return "{" + strings.Repeat("\n", strings.Count(l.file.text[start:end], "\n")) + "}" })
				return false
			}
		case *ast.GoStmt:
			l.goStmt(n)
			return false
		case *ast.DeferStmt:
			l.deferStmt(n)
			return false
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN && len(n.Lhs) == len(n.Rhs) && len(n.Lhs) == 1 {
				for i, e := range n.Rhs {
					l.box(l.typeOf(n.Lhs[i]), e)
				}
			}
		case *ast.ValueSpec:
			if n.Type != nil && len(n.Values) == len(n.Names) {
				for _, e := range n.Values {
					l.box(l.typeOf(n.Type), e)
				}
			}
		case *ast.ReturnStmt:
			if f := l.frame; f != nil && f.sig != nil && f.sig.Results().Len() == len(n.Results) {
				for i, e := range n.Results {
					l.box(l.sub(f.sig.Results().At(i).Type()), e)
				}
			}
			if l.frame != nil && l.frame.inRangeFunc() {
				l.returnFrom(n)
				return false
			}
			l.returnStmt(n)
		case *ast.FuncLit:
			l.walk(n.Type)
			sig, _ := l.typeOf(n).Underlying().(*types.Signature)
			l.walkBody(sig, n.Type, n.Body)
			return false
		case *ast.CompositeLit:
			l.composite(n)
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok {
				if v, ok := l.c.info.Uses[id].(*types.Var); ok && v.IsField() {
					l.field(id, v)
					l.walk(n.Value)
					return false
				}
			}
		}
		return true
	})
}

// parts walks what n consists of.
func (l *lowering) parts(n ast.Node) {
	first := true
	ast.Inspect(n, func(c ast.Node) bool {
		if first {
			first = false
			return true
		}
		if c != nil {
			l.walk(c)
		}
		return false
	})
}

// coreOf is the underlying type; that of a type parameter's instance is what it is.
func coreOf(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}

// shift writes a constant that is shifted, or shifted by, with its type: the
// interpreter takes an int for it.
func (l *lowering) shift(b *ast.BinaryExpr) {
	for i, e := range []ast.Expr{b.X, b.Y} {
		tv := l.c.info.Types[e]
		t := l.sub(tv.Type)
		if tv.Value == nil || t == nil {
			l.walk(e)
			continue
		}
		if i == 1 {
			t = types.Typ[types.Uint]
		} else if u, ok := t.Underlying().(*types.Basic); !ok || u.Info()&types.IsInteger == 0 || u.Kind() == types.UntypedInt {
			t = types.Typ[types.Int]
		}
		text := l.constantText(tv.Value, t)
		if t == types.Typ[types.Int] {
			text = "int(" + text + ")"
		}
		l.replace(l.file.offset(e.Pos()), l.file.offset(e.End()), func() string { return text })
	}
}

// compared gives the result of a comparison its type: the interpreter has it
// untyped where an interface takes it.
func (l *lowering) compared(b *ast.BinaryExpr) {
	switch b.Op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
	default:
		return
	}
	for _, x := range [][2]ast.Expr{{b.X, b.Y}, {b.Y, b.X}} {
		c, other := l.c.info.Types[x[0]], l.typeOf(x[1])
		if c.Value != nil && other != nil && types.IsInterface(other) {
			l.boxConst(x[0])
		}
	}
	if l.boxed[b] {
		start, end := l.file.offset(b.Pos()), l.file.offset(b.End())
		l.replace(start, end, func() string { return "bool(" + l.render(start, end) + ")" })
	}
}

// boxConst writes a constant that is compared with an interface value as one.
func (l *lowering) boxConst(e ast.Expr) {
	tv := l.c.info.Types[e]
	t := l.sub(tv.Type)
	if text := l.constantText(tv.Value, t); text != "" {
		l.replace(l.file.offset(e.Pos()), l.file.offset(e.End()), func() string { return "interface{}(" + text + ")" })
	}
}

// box notes the expressions that an interface takes.
func (l *lowering) box(t types.Type, e ast.Expr) {
	if t == nil || !types.IsInterface(t) {
		return
	}
	if l.boxed == nil {
		l.boxed = map[ast.Expr]bool{}
	}
	l.boxed[ast.Unparen(e)] = true
	l.keepMethods(t, e)
}

// keepMethods passes a value of the notebook's type to an empty interface by a
// function: assigned as it is, it would lose its methods.
func (l *lowering) keepMethods(t types.Type, e ast.Expr) {
	i, ok := t.Underlying().(*types.Interface)
	from := l.typeOf(e)
	if !ok || !i.Empty() || from == nil || types.IsInterface(from) {
		return
	}
	elem := from
	if p, ok := elem.Underlying().(*types.Pointer); ok {
		elem = p.Elem()
	}
	named, ok := types.Unalias(elem).(*types.Named)
	if !ok || named.NumMethods() == 0 || l.generic(named.Origin().Obj()) == nil {
		return
	}
	start, end := l.file.offset(e.Pos()), l.file.offset(e.End())
	l.insert(start, "boxed__(")
	l.replace(end, end, func() string { return ")" })
}

// commClause leaves out the blank that select takes a value into: the interpreter
// takes that for a send.
func (l *lowering) commClause(c *ast.CommClause) {
	a, ok := c.Comm.(*ast.AssignStmt)
	if !ok {
		return
	}
	blank := true
	for _, e := range a.Lhs {
		id, ok := e.(*ast.Ident)
		blank = blank && ok && id.Name == "_"
	}
	if blank {
		l.replace(l.file.offset(a.Pos()), l.file.offset(a.Rhs[0].Pos()), func() string { return "" })
		return
	}
	if a.Tok != token.ASSIGN {
		return
	}
	// The interpreter assigns to plain variables of the right type only.
	var names []string
	for _, e := range a.Lhs {
		name := l.temp("v")
		if id, ok := e.(*ast.Ident); ok && id.Name == "_" {
			names = append(names, "_")
			continue
		}
		names = append(names, name)
	}
	texts := make([]func() string, len(a.Lhs))
	for i, e := range a.Lhs {
		texts[i] = l.apart(e)
	}
	l.replace(l.file.offset(a.Pos()), l.file.offset(a.Rhs[0].Pos()), func() string { return strings.Join(names, ", ") + " := " })
	l.replace(l.file.offset(c.Colon)+1, l.file.offset(c.Colon)+1, func() string {
		out := ""
		for i := range a.Lhs {
			if names[i] != "_" {
				out += " " + texts[i]() + " = " + names[i] + ";"
			}
		}
		return out
	})
}

// apart walks e and gives its text, for another place.
func (l *lowering) apart(e ast.Expr) func() string {
	outer := l.edits
	l.edits = nil
	l.walk(e)
	text := l.render(l.file.offset(e.Pos()), l.file.offset(e.End()))
	l.edits = outer
	return func() string { return text }
}

// typeSwitch writes a type switch with assertions: the interpreter's own misses
// types that have methods.
func (l *lowering) typeSwitch(s *ast.TypeSwitchStmt) {
	var x ast.Expr
	name := ""
	switch a := s.Assign.(type) {
	case *ast.ExprStmt:
		x = a.X.(*ast.TypeAssertExpr).X
	case *ast.AssignStmt:
		x = a.Rhs[0].(*ast.TypeAssertExpr).X
		name = a.Lhs[0].(*ast.Ident).Name
	}
	if s.Init != nil {
		l.walk(s.Init)
	}
	t := l.temp("t")
	id, plain := ast.Unparen(x).(*ast.Ident)
	if plain = plain && s.Init == nil; plain {
		t = l.apart(id)()
	} else {
		l.walk(x)
	}
	at, brace := l.file.offset(s.Switch), l.file.offset(s.Body.Lbrace)
	l.replace(at, brace, func() string {
		head := "switch "
		if !plain {
			head += t + " := " + l.render(l.file.offset(x.Pos()), l.file.offset(x.End())) + "; "
		}
		if s.Init != nil {
			head = "{ " + l.render(l.file.offset(s.Init.Pos()), l.file.offset(s.Init.End())) + "; " + head
		}
		return head + strings.Repeat("\n", strings.Count(l.file.text[at:brace], "\n"))
	})
	if s.Init != nil {
		l.insert(l.file.offset(s.End()), " }")
	}
	for _, c := range s.Body.List {
		c := c.(*ast.CaseClause)
		var conds []string
		bind := t
		for _, e := range c.List {
			tv := l.c.info.Types[e]
			if tv.IsNil() {
				conds = append(conds, t+" == nil")
				continue
			}
			typ := l.typeName(tv.Type)
			conds = append(conds, fmt.Sprintf("func() bool { _, ok := %s.(%s); return ok }()", t, typ))
			if len(c.List) == 1 {
				bind = t + ".(" + typ + ")"
			}
		}
		if name != "" && name != "_" {
			bind = " " + name + " := " + bind + "; _ = " + name + ";"
		} else {
			bind = ""
		}
		start, colon := l.file.offset(c.Case), l.file.offset(c.Colon)
		l.replace(start, colon+1, func() string {
			lines := strings.Repeat("\n", strings.Count(l.file.text[start:colon], "\n"))
			if c.List == nil {
				return "default:" + bind
			}
			return "case " + strings.Join(conds, ", ") + lines + ":" + bind
		})
		for _, b := range c.Body {
			l.walk(b)
		}
	}
}

// format gives the arguments of compiled functions that take any value what they
// need to know: the methods of the notebook's types, or at least the bare value.
func (l *lowering) format(call *ast.CallExpr, sig *types.Signature) {
	f := l.callee(call)
	if f == nil || f.Pkg() == nil || call.Ellipsis.IsValid() || f.Pkg() == l.c.pkg || l.generic(f) != nil || l.c.info.Types[call.Fun].IsType() {
		return
	}
	for i, a := range call.Args {
		t := l.typeOf(a)
		n := sig.Params().Len()
		if n == 0 || t == nil {
			return
		}
		want := sig.Params().At(min(i, n-1)).Type()
		if s, ok := want.(*types.Slice); ok && sig.Variadic() && i >= n-1 {
			want = s.Elem()
		}
		if it, ok := want.Underlying().(*types.Interface); !ok || !it.Empty() {
			continue
		}
		if l.c.info.Types[a].IsNil() {
			continue
		}
		start, end := l.file.offset(a.Pos()), l.file.offset(a.End())
		if it, ok := t.Underlying().(*types.Interface); ok {
			if !it.Empty() {
				continue
			}
			pk := l.importFor(CellPackage)
			l.replace(start, end, func() string { return pk + ".Plain(" + l.render(start, end) + ")" })
			continue
		}
		if f.Pkg().Path() != "fmt" && f.Pkg().Path() != "log" {
			continue
		}
		for _, method := range []string{"Error", "String"} {
			obj, _, _ := types.LookupFieldOrMethod(t, false, l.c.pkg, method)
			m, ok := obj.(*types.Func)
			if !ok || l.entity(m.Origin()) == nil {
				continue
			}
			if s := m.Signature(); s.Params().Len() == 0 && s.Results().Len() == 1 && types.Identical(s.Results().At(0).Type(), types.Typ[types.String]) {
				pk := l.importFor(CellPackage)
				typ := l.typeName(t)
				text := fmt.Sprintf("func(x %[1]s) interface{} { return %[2]s.With%[3]s(x, func() string { return x.%[3]s() }) }(", typ, pk, method)
				l.replace(start, end, func() string { return text + l.render(start, end) + ")" })
				break
			}
		}
	}
}

// composite writes out what a literal leaves to the reader, the fields' names and
// the type of an element: the interpreter takes a function there for something else.
func (l *lowering) composite(lit *ast.CompositeLit) {
	t := l.typeOf(lit)
	if t == nil {
		return
	}
	u := t.Underlying()
	if p, ok := u.(*types.Pointer); ok {
		u = p.Elem().Underlying()
	}
	if s, ok := u.(*types.Struct); ok {
		for i, e := range lit.Elts {
			if _, keyed := e.(*ast.KeyValueExpr); keyed || embeds(s) {
				break // a literal has keys for all or for none
			}
			l.insert(l.file.offset(e.Pos()), s.Field(i).Name()+": ")
		}
	}
	if lit.Type != nil {
		return
	}
	name := l.typeName(t)
	if rest, ok := strings.CutPrefix(name, "*"); ok {
		name = "&" + rest
	}
	l.insert(l.file.offset(lit.Pos()), name)
}

func embeds(s *types.Struct) bool {
	for i := range s.NumFields() {
		if s.Field(i).Embedded() {
			return true
		}
	}
	return false
}

func (l *lowering) walkList(es []ast.Expr) {
	for _, e := range es {
		l.walk(e)
	}
}

func (l *lowering) rename(id *ast.Ident, name string) {
	start := l.file.offset(id.Pos())
	end := start + len(strings.TrimPrefix(id.Name, oldName("")))
	l.replace(start, end, func() string { return name })
}

func (l *lowering) ident(id *ast.Ident) {
	obj := l.c.info.Uses[id]
	if obj == nil {
		obj = l.c.info.Defs[id]
	}
	if obj == nil {
		return
	}
	if v, ok := obj.(*types.Var); ok && v.IsField() {
		l.field(id, v)
		return
	}
	if l.funcInstance(id, id) {
		return
	}
	if tn, ok := obj.(*types.TypeName); ok && l.c.info.Uses[id] != nil {
		_, isParam := types.Unalias(tn.Type()).(*types.TypeParam)
		if l.isBare(tn.Type()) {
			l.rename(id, "interface{}")
			return
		}
		if isParam || l.isLocalType(tn) {
			name := l.typeName(tn.Type())
			l.rename(id, name)
			return
		}
	}
	if f, ok := obj.(*types.Func); ok && f.Name() == "Display" && f.Pkg().Path() == DisplayPackage {
		l.rename(id, l.importFor(DisplayPackage)+".Show")
		return
	}
	if p := obj.Pkg(); p != nil && obj.Parent() == p.Scope() && l.entity(obj) == nil && p != l.c.pkg && l.p.image.homes[p] == nil { // of import .
		l.rename(id, l.importFor(p.Path())+"."+obj.Name())
		return
	}
	if e := l.entity(obj); e != nil {
		if f, ok := obj.(*types.Func); l.library && e.decl != nil && (!ok || f.Signature().Recv() == nil) {
			if l.c.info.Uses[id] != nil {
				l.rename(id, l.instance(e, nil))
			}
			return
		}
		name := l.use(e)
		if f, ok := obj.(*types.Func); ok && f.Signature().Recv() != nil {
			return // methods keep their names
		}
		if name != id.Name {
			l.rename(id, name)
		}
	}
}

// isBare tells whether t is a type of the notebook that is an empty interface: the
// interpreter has only the one without a name right.
func (l *lowering) isBare(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || l.entity(named.Obj()) == nil || named.TypeParams().Len() > 0 {
		return false
	}
	i, ok := named.Underlying().(*types.Interface)
	return ok && i.Empty()
}

// field renames an embedded field along with its type, whose name it bears.
func (l *lowering) field(id *ast.Ident, v *types.Var) {
	if !v.Embedded() {
		return
	}
	t := l.sub(v.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	var obj *types.TypeName
	switch t := t.(type) {
	case *types.Named:
		obj = t.Obj()
	case *types.Alias:
		obj = t.Obj()
	}
	if obj == nil || obj.Pkg() == nil {
		return
	}
	name := l.typeName(t)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		if l.c.info.Defs[id] != nil || l.c.info.Uses[id] == types.Object(v) {
			return
		}
	}
	if name != id.Name && !strings.ContainsAny(name, ".[ ") {
		l.rename(id, name)
	}
}

func (l *lowering) selector(s *ast.SelectorExpr) bool {
	if id, ok := s.X.(*ast.Ident); ok {
		if pn, ok := l.c.info.Uses[id].(*types.PkgName); ok {
			if l.funcInstance(s, s.Sel) {
				return false
			}
			if tn, ok := l.c.info.Uses[s.Sel].(*types.TypeName); ok && pn.Imported().Path() == parallelPath {
				if named, ok := tn.Type().(*types.Named); ok && named.TypeParams().Len() > 0 {
					l.errorf(s.Pos(), "parallel.%s needs its type here: parallel.%s[T]", tn.Name(), tn.Name())
				}
			}
			l.rename(id, l.importFor(pn.Imported().Path()))
			return false
		}
	}
	if l.methodExpr(s) {
		return false
	}
	l.walk(s.X)
	if v, ok := l.c.info.Uses[s.Sel].(*types.Var); ok && v.IsField() {
		l.field(s.Sel, v)
	} else if f, ok := l.c.info.Uses[s.Sel].(*types.Func); ok {
		if e := l.entity(f.Origin()); e != nil {
			l.use(e)
		}
	}
	return false
}

// methodExpr writes T.M as a function literal.
func (l *lowering) methodExpr(s *ast.SelectorExpr) bool {
	sel := l.c.info.Selections[s]
	if sel == nil || sel.Kind() != types.MethodExpr {
		return false
	}
	f := sel.Obj().(*types.Func)
	if e := l.entity(f.Origin()); e != nil {
		l.use(e)
	}
	sig, _ := l.typeOf(s).Underlying().(*types.Signature)
	recv := l.sub(sel.Recv())
	params, args := []string{"r__ " + l.typeName(recv)}, []string{}
	for i := 1; i < sig.Params().Len(); i++ {
		t := sig.Params().At(i).Type()
		name := fmt.Sprintf("a__%d", i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			params = append(params, name+" ..."+l.typeName(t.(*types.Slice).Elem()))
			args = append(args, name+"...")
			continue
		}
		params = append(params, name+" "+l.typeName(t))
		args = append(args, name)
	}
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	results := strings.TrimPrefix(l.signature(types.NewSignatureType(nil, nil, nil, nil, sig.Results(), false)), "()")
	text := fmt.Sprintf("func(%s)%s { %sr__.%s(%s) }", strings.Join(params, ", "), results, ret, f.Name(), strings.Join(args, ", "))
	l.replace(l.file.offset(s.Pos()), l.file.offset(s.End()), func() string { return text })
	return true
}

// index replaces a type of parallel with its type arguments by the name that
// the session has for it.
func (l *lowering) index(e ast.Expr) bool {
	tv := l.c.info.Types[e]
	if !tv.IsType() {
		var x ast.Expr
		switch e := e.(type) {
		case *ast.IndexExpr:
			x = e.X
		case *ast.IndexListExpr:
			x = e.X
		}
		switch x := ast.Unparen(x).(type) {
		case *ast.Ident:
			return !l.funcInstance(e, x)
		case *ast.SelectorExpr:
			return !l.funcInstance(e, x.Sel)
		}
		return true
	}
	name := l.typeName(l.sub(tv.Type))
	l.replace(l.file.offset(e.Pos()), l.file.offset(e.End()), func() string { return name })
	return false
}

func (l *lowering) call(call *ast.CallExpr) bool {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := l.c.info.Uses[id].(*types.Builtin); ok {
			return l.builtin(call, b.Name())
		}
	}
	if sig, ok := coreOf(l.typeOf(call.Fun)).(*types.Signature); ok {
		for i, a := range call.Args {
			if i < sig.Params().Len() && !(sig.Variadic() && i == sig.Params().Len()-1) {
				l.box(l.sub(sig.Params().At(i).Type()), a)
			}
		}
	}
	if sig, ok := coreOf(l.typeOf(call.Fun)).(*types.Signature); ok {
		l.format(call, sig)
	}
	f := l.callee(call)
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != parallelPath || f.Signature().Recv() != nil {
		return true
	}
	return l.parallelCall(call, f)
}

// builtin writes out the builtins that are newer than the interpreter.
func (l *lowering) builtin(call *ast.CallExpr, name string) bool {
	start, end := l.file.offset(call.Pos()), l.file.offset(call.End())
	tv := l.c.info.Types[call]
	args := func() string { return l.render(l.file.offset(call.Args[0].Pos()), l.file.offset(call.Rparen)) }
	switch name {
	case "min", "max":
		t := l.typeName(l.sub(tv.Type))
		if tv.Value != nil && tv.Value.Kind() == constant.Int {
			l.replace(start, end, func() string { return t + "(" + tv.Value.ExactString() + ")" })
			return false
		}
		op := map[string]string{"min": "<", "max": ">"}[name]
		l.walkList(call.Args)
		l.replace(start, end, func() string {
			return fmt.Sprintf("func(xs ...%s) %s { m := xs[0]; for _, x := range xs { if x %s m || x != x { m = x } }; return m }(%s)", t, t, op, args())
		})
		return false
	case "clear":
		l.walkList(call.Args)
		pk := l.importFor(CellPackage)
		l.replace(l.file.offset(call.Fun.Pos()), l.file.offset(call.Fun.End()), func() string { return pk + ".ClearAll" })
		return false
	case "panic":
		if tv := l.c.info.Types[call.Args[0]]; !types.IsInterface(l.sub(tv.Type)) && !tv.IsNil() {
			// As an interface value it keeps its type until it is recovered.
			l.walkList(call.Args)
			l.replace(start, end, func() string { return "panic(boxed__(" + args() + "))" })
			return false
		}
	case "recover":
		l.replace(start, end, func() string { return "recovered__(recover())" })
		return false
	case "print", "println":
		// The interpreter's own write to standard output, and otherwise.
		l.walkList(call.Args)
		pk := l.importFor(CellPackage)
		fun := map[string]string{"print": ".Print", "println": ".Println"}[name]
		l.replace(l.file.offset(call.Fun.Pos()), l.file.offset(call.Fun.End()), func() string { return pk + fun })
		return false
	case "new":
		if tv := l.c.info.Types[call.Args[0]]; !tv.IsType() {
			t := l.typeName(l.sub(tv.Type))
			l.walkList(call.Args)
			l.replace(start, end, func() string { return fmt.Sprintf("func(x %s) *%s { return &x }(%s)", t, t, args()) })
			return false
		}
	}
	return true
}

// rangeStmt gives each iteration its own variables, as Go does since 1.22, and
// writes out loops over integers.
func (l *lowering) rangeStmt(r *ast.RangeStmt) {
	t := l.typeOf(r.X)
	start, body := l.file.offset(r.For), l.file.offset(r.Body.Lbrace)
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger == 0 {
			break
		}
		if id, ok := r.Key.(*ast.Ident); ok && r.Tok == token.DEFINE && id.Name != "_" {
			t = l.c.info.Defs[id].Type()
		} else if r.Key != nil {
			t = l.typeOf(r.Key)
		}
		if t == nil || t == types.Typ[types.UntypedInt] || t == types.Typ[types.Invalid] {
			t = types.Typ[types.Int]
		}
		typ, i, n := l.typeName(t), l.temp("i"), l.temp("n")
		l.walk(r.X)
		l.walk(r.Body)
		if r.Key != nil && r.Tok == token.ASSIGN {
			l.walk(r.Key)
		}
		l.replace(start, body+1, func() string {
			head := fmt.Sprintf("for %s, %s := %s(0), %s(%s); %s < %s; %s++ {", i, n, typ, typ, l.render(l.file.offset(r.X.Pos()), l.file.offset(r.X.End())), i, n, i)
			if r.Key == nil {
				return head
			}
			key := l.render(l.file.offset(r.Key.Pos()), l.file.offset(r.Key.End()))
			if key == "_" {
				return head
			}
			return fmt.Sprintf("%s %s %s %s;", head, key, r.Tok, i)
		})
		return
	}
	l.walk(r.X)
	if r.Tok == token.ASSIGN {
		l.walk(r.Key)
		if r.Value != nil {
			l.walk(r.Value)
		}
	}
	if r.Tok == token.DEFINE {
		for _, e := range []ast.Expr{r.Key, r.Value} {
			if id, ok := e.(*ast.Ident); ok && id.Name != "_" && l.captured(l.c.info.Defs[id], r.Body) {
				l.insert(body+1, fmt.Sprintf(" %s := %s;", id.Name, id.Name))
			}
		}
	}
	l.walk(r.Body)
}

// forStmt gives each iteration its own variable where a function or a pointer
// may keep it: the loop counts in a hidden one that is copied in and back.
func (l *lowering) forStmt(f *ast.ForStmt) {
	if a, ok := f.Init.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
		for _, e := range a.Lhs {
			if id, ok := e.(*ast.Ident); ok && l.captured(l.c.info.Defs[id], f.Body) {
				l.hideCounter(f, id)
			}
		}
	}
	if f.Init != nil {
		l.walk(f.Init)
	}
	if f.Cond != nil {
		l.walk(f.Cond)
	}
	if f.Post != nil {
		l.walk(f.Post)
	}
	l.walk(f.Body)
}

// hideCounter makes f count in a hidden variable that each iteration copies.
func (l *lowering) hideCounter(f *ast.ForStmt, id *ast.Ident) {
	obj := l.c.info.Defs[id]
	hidden := l.temp(id.Name)
	rename := func(n ast.Node) bool {
		if x, ok := n.(*ast.Ident); ok && (l.c.info.Uses[x] == obj || l.c.info.Defs[x] == obj) {
			l.rename(x, hidden)
		}
		return true
	}
	ast.Inspect(f.Init, rename)
	if f.Cond != nil {
		ast.Inspect(f.Cond, rename)
	}
	if f.Post != nil {
		ast.Inspect(f.Post, rename)
	}
	back := fmt.Sprintf("%s = %s; ", hidden, id.Name)
	l.insert(l.file.offset(f.Body.Lbrace)+1, fmt.Sprintf(" %s := %s;", id.Name, hidden))
	l.insert(l.file.offset(f.Body.Rbrace), "; "+back)
	l.continues(f.Body, true, func(c *ast.BranchStmt) { l.insert(l.file.offset(c.Pos()), back) })
}

// continues calls do for each continue statement that may end an iteration of
// the loop with this body. Labelled ones do so for the labelled loop, and copying
// back in loops between does no harm.
func (l *lowering) continues(body ast.Node, unlabelled bool, do func(*ast.BranchStmt)) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			if n.Body != body {
				l.continues(n.Body, false, do)
				return false
			}
		case *ast.RangeStmt:
			l.continues(n.Body, false, do)
			return false
		case *ast.BranchStmt:
			if n.Tok == token.CONTINUE && (n.Label != nil || unlabelled) {
				do(n)
			}
		}
		return true
	})
}

// captured tells whether something may hold on to obj beyond one iteration.
func (l *lowering) captured(obj types.Object, body ast.Node) bool {
	found := false
	uses := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && l.c.info.Uses[id] == obj {
				found = true
			}
			return !found
		})
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			uses(n)
		case *ast.DeferStmt:
			uses(n)
		case *ast.GoStmt:
			uses(n)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				uses(n.X)
			}
		case *ast.SliceExpr:
			uses(n.X)
		case *ast.SelectorExpr: // perhaps &x by a method with a pointer receiver
			if s := l.c.info.Selections[n]; s != nil && s.Kind() == types.MethodVal {
				uses(n.X)
			}
		}
		return !found
	})
	return found
}

// goStmt fixes a goroutine's arguments when it starts and catches its panic,
// which would end the session.
func (l *lowering) goStmt(g *ast.GoStmt) {
	guard := fmt.Sprintf("defer func() { if r := recover(); r != nil { %s.Panicked(r) } }(); ", l.importFor(CellPackage))
	if lit, ok := ast.Unparen(g.Call.Fun).(*ast.FuncLit); ok {
		l.insert(l.file.offset(lit.Body.Lbrace)+1, " "+guard)
		l.walk(g.Call)
		return
	}
	sig, ok := l.typeOf(g.Call.Fun).Underlying().(*types.Signature)
	if !ok || l.c.info.Types[g.Call.Fun].IsBuiltin() {
		l.walk(g.Call)
		return
	}
	l.walk(g.Call)
	start, end := l.file.offset(g.Call.Pos()), l.file.offset(g.Call.End())
	var params, names []string
	for i, a := range g.Call.Args {
		t := l.typeOf(a)
		if _, tuple := t.(*types.Tuple); tuple {
			return // go f(g()): rare, and unguarded
		}
		if i < sig.Params().Len() && (!sig.Variadic() || i < sig.Params().Len()-1 || g.Call.Ellipsis.IsValid()) {
			t = sig.Params().At(i).Type()
		} else if sig.Variadic() {
			t = sig.Params().At(sig.Params().Len() - 1).Type().(*types.Slice).Elem()
		}
		name := fmt.Sprintf("a__%d", i)
		params = append(params, name+" "+l.typeName(t))
		names = append(names, name)
	}
	dots := ""
	if g.Call.Ellipsis.IsValid() {
		dots = "..."
	}
	l.replace(start, end, func() string {
		fun := l.render(start, l.file.offset(g.Call.Fun.End()))
		args := ""
		if len(g.Call.Args) > 0 {
			args = l.render(l.file.offset(g.Call.Args[0].Pos()), l.file.offset(g.Call.Args[len(g.Call.Args)-1].End()))
		}
		return fmt.Sprintf("func(%s) { %s%s(%s%s) }(%s)", strings.Join(params, ", "), guard, fun, strings.Join(names, ", "), dots, args)
	})
}

// deferStmt fixes the arguments of a deferred call where it stands: the
// interpreter would look at variables only when it runs the call.
func (l *lowering) deferStmt(d *ast.DeferStmt) {
	at := l.file.offset(d.Pos())
	if lit, ok := ast.Unparen(d.Call.Fun).(*ast.FuncLit); ok {
		l.passLoopVariables(d.Call, lit)
	}
	for _, a := range d.Call.Args {
		tv := l.c.info.Types[a]
		if tv.Value != nil || tv.IsNil() || tv.IsType() {
			continue
		}
		if _, tuple := tv.Type.(*types.Tuple); tuple {
			continue
		}
		l.hoist(at, a)
	}
	l.walk(d.Call)
	if f := l.frame; f != nil && f.defers != "" {
		start, end := l.file.offset(d.Pos()), l.file.offset(d.End())
		if recovering(d.Call) {
			l.errorf(d.Pos(), "a deferred recover beside a defer in a range over a function is not possible in the interpreter")
		}
		l.replace(start, start+len("defer"), func() string { return f.defers + " = append(" + f.defers + ", func() {" })
		l.insert(end, " })")
	}
}

func recovering(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "recover" {
			found = true
		}
		return !found
	})
	return found
}

// passLoopVariables hands a deferred literal in a loop the variables of the
// iteration as arguments. The interpreter loses the way in closures over them
// that run while a function returns.
func (l *lowering) passLoopVariables(call *ast.CallExpr, lit *ast.FuncLit) {
	if len(l.loops) == 0 || lit.Type.Params == nil {
		return
	}
	var params, args []string
	seen := map[types.Object]bool{}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := l.c.info.Uses[id].(*types.Var)
		if !ok || v.IsField() || seen[v] || l.entity(v) != nil {
			return true
		}
		if v.Pos() >= l.loops[0].Pos() && v.Pos() < lit.Pos() {
			seen[v] = true
			params = append(params, v.Name()+" "+l.typeName(v.Type()))
			args = append(args, v.Name())
		}
		return true
	})
	if len(params) == 0 || lit.Type.Params.NumFields() > 0 {
		return
	}
	l.insert(l.file.offset(lit.Type.Params.Closing), strings.Join(params, ", "))
	l.insert(l.file.offset(call.Rparen), strings.Join(args, ", "))
}

// hoist gives e a variable of its own, made at an earlier place.
func (l *lowering) hoist(at int, e ast.Expr) {
	name := l.temp("d")
	start, end := l.file.offset(e.Pos()), l.file.offset(e.End())
	use := len(l.edits)
	l.replace(start, end, func() string { return name })
	l.replace(at, at, func() string {
		given := l.edits[use].text
		l.edits[use].text = nil
		text := l.render(start, end)
		l.edits[use].text = given
		return name + " := " + text + "; "
	})
}

// returnStmt makes a cell's own return give what its function gives.
func (l *lowering) returnStmt(r *ast.ReturnStmt) {
	if l.file == l.c.stmts && l.depth == 0 && len(r.Results) == 0 {
		at := l.file.offset(r.End())
		l.insert(at, " nil")
	}
}
