package source

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// The interpreter cannot hold Go's generic functions and knows functions by
// value only, while a process needs a function's name. So calls of package
// parallel are lowered: generics become the instance that the session has or
// that is emitted here, and functions travel with their names.

const parallelPath = Module + "parallel"

// Instance is the name under which the session has parallel's generic name with
// a basic type argument, as in Value_int.
func Instance(name, basic string) string { return name + "_" + basic }

// A shape is the declaration of an instance that only notebooks know: a generic
// type or function of parallel over a type of the notebook.
func (l *lowering) shape(key, kind string, source func(name string) string) string {
	if name := l.p.image.shapes[key]; name != "" {
		return name
	}
	if name := l.p.shapes[key]; name != "" {
		return name
	}
	name := l.temp(kind)
	l.p.shapes[key] = name
	l.p.shapeSrc = append(l.p.shapeSrc, Block{Code: source(name), Cell: l.p.cell, Line: 1})
	return name
}

// parallelType names an instance of one of parallel's generic types.
func (l *lowering) parallelType(t *types.Named) string {
	args := t.TypeArgs()
	pk := l.importFor(parallelPath)
	if b, ok := args.At(0).Underlying().(*types.Basic); ok && args.Len() == 1 && t.Obj().Name() != "Future" {
		return pk + "." + Instance(t.Obj().Name(), b.Name())
	}
	if t.Obj().Name() != "Future" {
		l.errs = append(l.errs, errorAt(l.file.cell, l.file.code, 0, fmt.Sprintf("parallel.%s of %s is not possible in the interpreter", t.Obj().Name(), args.At(0))))
		return "interface{}"
	}
	r := l.typeName(args.At(0))
	return l.shape("Future["+r+"]", "Future", func(name string) string {
		return fmt.Sprintf("type %[1]s struct { F *%[2]s.Future_any }; "+
			"func (f *%[1]s) Result() (%[3]s, error) { v, err := f.F.Result(); r, _ := v.(%[3]s); return r, err }; "+
			"func (f *%[1]s) Done() <-chan struct{} { return f.F.Done() }", name, pk, r)
	})
}

// parallelCall lowers a call of one of parallel's functions.
func (l *lowering) parallelCall(call *ast.CallExpr, f *types.Func) bool {
	for i, a := range call.Args {
		if _, ok := l.c.info.Types[a].Type.Underlying().(*types.Signature); ok && l.takesFunction(f, i) {
			l.functionArg(a)
		} else {
			l.walk(a)
		}
	}
	if f.Name() == "NewProcess" {
		l.processArgs(call)
	}
	if f.Signature().TypeParams().Len() == 0 {
		l.walk(call.Fun)
		return false
	}
	targs := l.typeArgs(call.Fun)
	if targs == nil {
		return false
	}
	var name string
	pk := l.importFor(parallelPath)
	switch f.Name() {
	case "Submit":
		a, r := l.typeName(targs[0]), l.typeName(targs[1])
		sig, _ := l.c.info.Types[call].Type.(*types.Pointer)
		future := l.typeName(sig.Elem())
		name = l.shape("Submit["+a+", "+r+"]", "Submit", func(name string) string {
			return fmt.Sprintf("func %s(ex %s.Executor, f interface{}, a %s) *%s { return &%s{%s.Call(ex, f, a)} }", name, pk, a, future, future, pk)
		})
	case "Map":
		a, r := l.typeName(targs[0]), l.typeName(targs[1])
		name = l.shape("Map["+a+", "+r+"]", "Map", func(name string) string {
			return fmt.Sprintf("func %s(ex %s.Executor, f interface{}, xs []%s) ([]%s, error) { "+
				"fs := make([]*%s.Future_any, len(xs)); for i := 0; i < len(xs); i++ { fs[i] = %s.Call(ex, f, xs[i]) }; "+
				"rs := make([]%s, len(xs)); var first error; "+
				"for i := 0; i < len(fs); i++ { v, err := fs[i].Result(); if err != nil { if first == nil { first = err }; continue }; rs[i], _ = v.(%s) }; "+
				"if first != nil { return nil, first }; return rs, nil }", name, pk, a, r, pk, pk, r, r)
		})
	default:
		b, ok := targs[0].Underlying().(*types.Basic)
		if !ok || len(targs) != 1 {
			l.errorf(call.Pos(), "parallel.%s of %s is not possible in the interpreter", f.Name(), targs[0])
			return false
		}
		name = pk + "." + Instance(f.Name(), b.Name())
	}
	l.replace(l.file.offset(call.Fun.Pos()), l.file.offset(call.Fun.End()), func() string { return name })
	return false
}

// instance gives the type arguments of a call of a generic function.
func (l *lowering) typeArgs(fun ast.Expr) []types.Type {
	switch f := ast.Unparen(fun).(type) {
	case *ast.Ident:
		list, _ := l.subList(l.c.info.Instances[f].TypeArgs)
		return list
	case *ast.SelectorExpr:
		list, _ := l.subList(l.c.info.Instances[f.Sel].TypeArgs)
		return list
	case *ast.IndexExpr:
		return l.typeArgs(f.X)
	case *ast.IndexListExpr:
		return l.typeArgs(f.X)
	}
	return nil
}

// takesFunction tells whether argument i of f is a function to be run elsewhere:
// one that is not an option and not a callback of this process.
func (l *lowering) takesFunction(f *types.Func, i int) bool {
	params := f.Signature().Params()
	if i >= params.Len() {
		return false // an argument of the function
	}
	switch t := params.At(i).Type().Underlying().(type) {
	case *types.Signature:
		return true
	case *types.Interface:
		return params.At(i).Name() == "f" && t.Empty()
	}
	return false
}

// functionArg gives a function to parallel with its name: the notebook's
// functions as they are, literals that capture nothing as functions of their
// own, others with what they capture, so that a process can refuse them by name.
func (l *lowering) functionArg(a ast.Expr) {
	start, end := l.file.offset(a.Pos()), l.file.offset(a.End())
	pk := l.importFor(CellPackage)
	switch x := ast.Unparen(a).(type) {
	case *ast.Ident:
		f, ok := l.c.info.Uses[x].(*types.Func)
		if e := l.entity(f); ok && e != nil {
			name := l.use(e)
			l.replace(start, end, func() string { return fmt.Sprintf("%s.Func(%q, %s)", pk, name, name) })
			return
		}
	case *ast.FuncLit:
		captures := l.captures(x)
		if len(captures) > 0 {
			l.walk(a)
			l.replace(start, end, func() string {
				return fmt.Sprintf("%s.Capturing(%s, []string{%s})", pk, l.render(start, end), quoted(captures))
			})
			return
		}
		name := l.temp("func")
		outer := l.uses
		l.uses = map[*entity]bool{}
		l.depth++
		l.walk(x.Type)
		l.walk(x.Body)
		l.depth--
		d := &decl{}
		for e := range l.uses {
			d.uses = append(d.uses, e)
			if outer != nil {
				outer[e] = true
			}
		}
		l.uses = outer
		l.unit.Uses[name] = useOf(d)
		l.lifted = append(l.lifted, Block{
			Code: "func " + name + l.render(l.file.offset(x.Type.Params.Pos()), end),
			Cell: l.file.cell, Line: strings.Count(l.file.code[:start], "\n") + 1,
		})
		l.replace(start, end, func() string { return fmt.Sprintf("%s.Func(%q, %s)", pk, name, name) })
		return
	}
	l.walk(a)
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(out, ", ")
}

// captures lists the local names that a function literal takes from around it.
func (l *lowering) captures(lit *ast.FuncLit) (names []string) {
	seen := map[types.Object]bool{}
	ast.Inspect(lit, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj := l.c.info.Uses[id]
		switch o := obj.(type) {
		case *types.Var:
			if o.IsField() {
				return true
			}
		case *types.TypeName, *types.Const:
		default:
			return true
		}
		local := obj.Parent() != nil && obj.Parent() != types.Universe && obj.Parent() != l.c.pkg.Scope() && l.entity(obj) == nil && obj.Pkg() == l.c.pkg
		inside := obj.Pos() >= lit.Pos() && obj.Pos() < lit.End()
		if local && !inside && !seen[obj] {
			seen[obj] = true
			names = append(names, id.Name)
		}
		return true
	})
	return names
}

// processArgs holds the arguments of NewProcess against the function's
// parameters, which Go's type checker cannot: they are of type any.
func (l *lowering) processArgs(call *ast.CallExpr) {
	if len(call.Args) == 0 || call.Ellipsis.IsValid() {
		return
	}
	fun := call.Args[0]
	name := "the function"
	if id, ok := ast.Unparen(fun).(*ast.Ident); ok {
		name = id.Name
	}
	t := l.c.info.Types[fun].Type
	sig, ok := t.Underlying().(*types.Signature)
	if !ok {
		l.errorf(fun.Pos(), "NewProcess wants a function first, not %s (%s)", name, mainDot.ReplaceAllString(t.String(), ""))
		return
	}
	args := call.Args[1:]
	n := sig.Params().Len()
	if sig.Variadic() && len(args) < n-1 || !sig.Variadic() && len(args) != n {
		l.errorf(call.Pos(), "%s takes %s, but NewProcess is given %d", name, count(n, "argument"), len(args))
		return
	}
	for i, a := range args {
		want := sig.Params().At(min(i, n-1)).Type()
		if sig.Variadic() && i >= n-1 {
			want = want.(*types.Slice).Elem()
		}
		tv := l.c.info.Types[a]
		if tv.Value != nil { // as any, a constant took its default type
			if b, ok := want.Underlying().(*types.Basic); ok && representable(tv.Value, b) {
				start, end := l.file.offset(a.Pos()), l.file.offset(a.End())
				typ := l.typeName(want)
				l.replace(start, end, func() string { return typ + "(" + l.render(start, end) + ")" })
				continue
			}
		}
		if !types.AssignableTo(tv.Type, want) {
			l.errorf(a.Pos(), "argument %d of %s is %s, but %s wants %s", i+1, name,
				mainDot.ReplaceAllString(types.Default(tv.Type).String(), ""), name, mainDot.ReplaceAllString(want.String(), ""))
		}
	}
}

func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// representable tells whether a constant fits a basic type by Go's rules for
// untyped constants.
func representable(v constant.Value, b *types.Basic) bool {
	switch info := b.Info(); {
	case info&types.IsString != 0:
		return v.Kind() == constant.String
	case info&types.IsBoolean != 0:
		return v.Kind() == constant.Bool
	case info&types.IsInteger != 0:
		v = constant.ToInt(v)
		if v.Kind() != constant.Int {
			return false
		}
		bits := map[types.BasicKind]int{types.Int8: 8, types.Uint8: 8, types.Int16: 16, types.Uint16: 16, types.Int32: 32, types.Uint32: 32}[b.Kind()]
		if bits == 0 {
			bits = 64
		}
		if info&types.IsUnsigned != 0 {
			return constant.Sign(v) >= 0 && constant.BitLen(v) <= bits
		}
		if constant.Sign(v) < 0 { // -128 fits in 8 bits
			v = constant.BinaryOp(v, token.ADD, constant.MakeInt64(1))
		}
		return constant.BitLen(v) < bits
	case info&types.IsFloat != 0:
		return constant.ToFloat(v).Kind() == constant.Float
	}
	return false
}
