package native

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/paragopher/paragopher/kernel/engine/source"
)

// walk makes the edits for n and what is in it.
func (e *emission) walk(n ast.Node) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			e.ident(n)
		case *ast.SelectorExpr:
			return e.selector(n)
		case *ast.CompositeLit:
			return e.composite(n)
		case *ast.ForStmt:
			e.open(n.Body.Lbrace+1, " rt__.Check();")
		case *ast.RangeStmt:
			e.open(n.Body.Lbrace+1, " rt__.Check();")
		case *ast.FuncLit:
			e.depth++
			e.walk(n.Type)
			e.walk(n.Body)
			e.depth--
			return false
		case *ast.GoStmt:
			e.goStmt(n)
			return false
		case *ast.ReturnStmt:
			if e.depth == 0 && len(n.Results) == 0 {
				e.close(n.End(), " nil")
			}
		case *ast.CallExpr:
			return e.call(n)
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok {
				if v, ok := e.info.Uses[id].(*types.Var); ok && v.IsField() {
					e.walk(n.Value)
					return false
				}
			}
		}
		return true
	})
}

func (e *emission) rename(id *ast.Ident, name string) {
	// A use of a variable's earlier version bears a longer name than its text.
	length := len(id.Name)
	if i := strings.LastIndex(id.Name, "·"); i >= 0 {
		length -= i + len("·")
	}
	e.replace(id.Pos(), id.Pos()+token.Pos(length), name)
}

func (e *emission) ident(id *ast.Ident) {
	obj := e.info.Uses[id]
	if obj == nil {
		obj = e.info.Defs[id]
	}
	switch o := obj.(type) {
	case nil:
	case *types.PkgName:
		e.rename(id, e.pkg(o.Imported().Path()))
	case *types.Var:
		if x := e.c.Entity(o); x != nil && !o.IsField() {
			e.vars[x] = true
			e.rename(id, "(*"+varName(x)+")")
		} else if e.dotted(o) {
			e.rename(id, e.pkg(o.Pkg().Path())+"."+o.Name())
		}
	case *types.Func:
		switch x := e.c.Entity(o); {
		case o.Name() == "Display" && o.Pkg() != nil && o.Pkg().Path() == source.DisplayPackage:
			e.rename(id, "rt__.Show")
		case o.Signature().Recv() != nil:
			if e.hidden(o) {
				e.rename(id, exported(o.Name()))
			}
		case x != nil:
			e.rename(id, e.function(x))
		case e.dotted(o):
			e.rename(id, e.pkg(o.Pkg().Path())+"."+o.Name())
		}
	case *types.TypeName, *types.Const:
		if x := e.c.Entity(o); x != nil {
			if x.Decl() != nil && x.Decl().Home() != e.c {
				e.aliases[x] = true
			}
		} else if e.dotted(o) {
			e.rename(id, e.pkg(o.Pkg().Path())+"."+o.Name())
		}
	}
}

// dotted tells whether obj is of a package that the cell imports as a dot.
func (e *emission) dotted(obj types.Object) bool {
	return obj.Pkg() != nil && obj.Pkg() != types.Unsafe && obj.Parent() == obj.Pkg().Scope() && e.image.HomeOf(obj.Pkg()) == nil && obj.Pkg().Path() != "main"
}

// hidden tells whether a method is a notebook's unexported one. Those are renamed
// everywhere, so that types of one cell satisfy interfaces of another.
func (e *emission) hidden(f *types.Func) bool {
	return !f.Exported() && f.Pkg() != nil && f.Pkg().Path() == "main"
}

func (e *emission) selector(s *ast.SelectorExpr) bool {
	if id, ok := s.X.(*ast.Ident); ok {
		if pn, ok := e.info.Uses[id].(*types.PkgName); ok {
			path, name := pn.Imported().Path(), s.Sel.Name
			switch {
			case path == "os" && name == "Exit", path == "time" && name == "Sleep":
				e.replace(s.Pos(), s.End(), "rt__."+name)
			case path == "log" && (name == "Fatal" || name == "Fatalf" || name == "Fatalln") && e.isCalled(s):
				e.fatal[name] = true
				e.replace(s.Pos(), s.End(), "log__"+name)
			default:
				e.rename(id, e.pkg(path))
			}
			return false
		}
	}
	sel := e.info.Selections[s]
	if sel == nil || sel.Kind() != types.FieldVal {
		e.walk(s.X)
		if f, ok := e.info.Uses[s.Sel].(*types.Func); ok && e.hidden(f) {
			e.rename(s.Sel, exported(f.Name()))
		}
		return false
	}
	e.field(s, sel)
	return false
}

// isCalled is always true for log.Fatal, which is of no use as a value; as one it
// would have another type than the stand-in for some.
func (e *emission) isCalled(*ast.SelectorExpr) bool { return true }

// foreign tells whether a field cannot be named in this package.
func (e *emission) foreign(f *types.Var) bool {
	if f.Exported() || f.Pkg() == nil || f.Pkg().Path() != "main" {
		return false
	}
	home := e.image.HomeOf(f.Pkg())
	return home != nil && home != e.c
}

// field reaches a field, through mirrors where it is another cell's unexported one.
func (e *emission) field(s *ast.SelectorExpr, sel *types.Selection) {
	t := sel.Recv()
	var steps []*types.Var
	var owners []types.Type
	hard := false
	for _, i := range sel.Index() {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		st := t.Underlying().(*types.Struct)
		f := st.Field(i)
		steps, owners = append(steps, f), append(owners, t)
		hard = hard || e.foreign(f)
		t = f.Type()
	}
	hard = hard && e.foreign(steps[len(steps)-1])
	if !hard {
		e.walk(s.X)
		return
	}
	pre, post := "", ""
	pointer := isPointer(sel.Recv())
	addressable := pointer || e.info.Types[s.X].Addressable()
	for i, f := range steps {
		if !e.foreign(f) {
			post += "." + f.Name()
		} else {
			m := e.mirrorText(owners[i])
			switch {
			case pointer:
				pre, post = "(*"+m+")("+e.pkg("unsafe")+".Pointer("+pre, post+"))."+exported(f.Name())
			case addressable:
				pre, post = "(*"+m+")("+e.pkg("unsafe")+".Pointer(&"+pre, post+"))."+exported(f.Name())
			default:
				pre, post = "(*"+m+")("+e.pkg("unsafe")+".Pointer(rt__.Copy("+pre, post+")))."+exported(f.Name())
			}
			addressable = true
		}
		pointer = isPointer(f.Type())
	}
	e.open(s.Pos(), pre)
	e.walk(s.X)
	e.replace(s.X.End(), s.Sel.End(), strings.Repeat("\n", strings.Count(e.src.Code()[e.src.Offset(s.X.End()):e.src.Offset(s.Sel.End())], "\n"))+post)
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// composite writes a literal of another cell's struct that sets unexported fields by
// way of its mirror.
func (e *emission) composite(lit *ast.CompositeLit) bool {
	t := e.info.Types[lit].Type
	pointer := false
	if p, ok := t.Underlying().(*types.Pointer); ok { // elided &T
		t, pointer = p.Elem(), true
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return true
	}
	hard := false
	for i, x := range lit.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			if v, ok := e.info.Uses[kv.Key.(*ast.Ident)].(*types.Var); ok {
				hard = hard || e.foreign(v)
			}
		} else {
			hard = hard || e.foreign(st.Field(i))
		}
	}
	if !hard {
		return true
	}
	text := "(*" + e.typeText(t) + ")(" + e.pkg("unsafe") + ".Pointer(&" + e.mirrorText(t)
	shut := "))"
	if !pointer {
		text, shut = "(*"+text, shut+")"
	}
	if lit.Type != nil {
		e.replace(lit.Type.Pos(), lit.Type.End(), text)
	} else {
		e.open(lit.Pos(), text)
	}
	for _, x := range lit.Elts {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			id := kv.Key.(*ast.Ident)
			e.rename(id, exported(id.Name))
			e.walk(kv.Value)
		} else {
			e.walk(x)
		}
	}
	e.close(lit.End(), shut)
	return false
}

// call gives functions to package parallel in a form that can travel.
func (e *emission) call(call *ast.CallExpr) bool {
	f := e.callee(call)
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != parallelPath {
		return true
	}
	e.walk(call.Fun)
	for _, a := range call.Args {
		lit, ok := ast.Unparen(a).(*ast.FuncLit)
		if !ok {
			e.walk(a)
			continue
		}
		if names := e.captures(lit); len(names) == 0 {
			e.lift(lit)
		} else {
			e.walk(a)
		}
	}
	return false
}

// lift makes a literal that captures nothing a function of the package, which other
// processes find by its name.
func (e *emission) lift(lit *ast.FuncLit) {
	name := fmt.Sprintf("X__literal%d", len(e.lifted)+1)
	outer := e.edits
	e.edits = nil
	e.depth++
	e.walk(lit.Type)
	e.walk(lit.Body)
	e.depth--
	text := e.render(lit.Type.Params.Pos(), lit.End())
	e.edits = outer
	e.lifted = append(e.lifted, fmt.Sprintf("//line cell[%d]:%d\nfunc %s%s\n", e.src.Cell(), e.src.Line(lit.Pos()), name, text))
	e.replace(lit.Pos(), lit.End(), name)
}

func (e *emission) liftedNames() (names []string) {
	for i := range e.lifted {
		names = append(names, fmt.Sprintf("\"X__literal%d\": X__literal%d", i+1, i+1))
	}
	return names
}

// captures lists the local names that a function literal takes from around it.
func (e *emission) captures(lit *ast.FuncLit) (names []string) {
	ast.Inspect(lit, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj := e.info.Uses[id]
		switch o := obj.(type) {
		case *types.Var:
			if o.IsField() {
				return true
			}
		case *types.TypeName, *types.Const:
		default:
			return true
		}
		local := obj.Pkg() == e.c.Pkg && obj.Parent() != e.c.Pkg.Scope() && e.c.Entity(obj) == nil
		if local && !(obj.Pos() >= lit.Pos() && obj.Pos() < lit.End()) {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}

// goStmt guards a goroutine: its panic is an error of the cell, not the end of the
// session. What the statement evaluates is evaluated where it stands.
func (e *emission) goStmt(g *ast.GoStmt) {
	call := g.Call
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		e.open(lit.Body.Lbrace+1, " defer rt__.Recover();")
		e.walk(call)
		return
	}
	tv := e.info.Types[call.Fun]
	sig, ok := tv.Type.Underlying().(*types.Signature)
	if !ok || tv.IsBuiltin() || tv.IsType() {
		e.walk(call)
		return
	}
	e.temps++
	name := func(i int) string { return fmt.Sprintf("go__%d_%d", e.temps, i) }
	var names, values []string
	fun := ""
	render := func(x ast.Expr) string {
		outer := e.edits
		e.edits = nil
		e.walk(x)
		text := e.render(x.Pos(), x.End())
		e.edits = outer
		return text
	}
	if f := e.callee(call); f != nil && f.Signature().Recv() == nil {
		fun = render(call.Fun)
	} else {
		fun = name(0)
		names, values = append(names, fun), append(values, render(call.Fun))
	}
	var args []string
	tuple := false
	for i, a := range call.Args {
		t := e.info.Types[a].Type
		if tt, ok := t.(*types.Tuple); ok { // go f(g())
			tuple = true
			for k := range tt.Len() {
				args = append(args, name(k+1))
			}
			values = append(values, render(a))
			continue
		}
		text := render(a)
		if e.info.Types[a].Value != nil || e.info.Types[a].IsNil() {
			args = append(args, text)
			continue
		}
		args = append(args, name(i+1))
		names, values = append(names, name(i+1)), append(values, text)
	}
	dots := ""
	if call.Ellipsis.IsValid() {
		dots = "..."
	}
	_ = sig
	before := ""
	if tuple {
		if len(names) > 0 {
			before = names[0] + " := " + values[0] + "; "
		}
		before += strings.Join(args, ", ") + " := " + values[len(values)-1] + "; "
	} else if len(names) > 0 {
		before = strings.Join(names, ", ") + " := " + strings.Join(values, ", ") + "; "
	}
	e.replace(g.Pos(), g.End(), "{ "+before+"go func() { defer rt__.Recover(); "+fun+"("+strings.Join(args, ", ")+dots+") }() }")
}
