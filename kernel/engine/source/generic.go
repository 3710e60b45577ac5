package source

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// The interpreter's generics are unreliable, so it never sees any: each use of a
// generic function or type becomes the use of a declaration of its own, made here
// from the generic one's syntax with the type arguments in place of the type
// parameters. Types that are local to a function become global ones for the same
// reason: an instance may need their names.

// maxNest bounds how deep instances may ask for further ones.
const maxNest = 60

// An instance is a generic declaration for given type arguments. It stands among
// what a declaration uses like any other, as a function.
func (l *lowering) instance(e *entity, targs []types.Type) string {
	d := e.decl
	names := make([]string, len(targs))
	for i, t := range targs {
		names[i] = l.typeName(t)
	}
	key := e.emitted + "[" + strings.Join(names, ", ") + "]"
	if inst := l.p.image.instances[key]; inst != nil {
		return l.use(inst)
	}
	if inst := l.p.instances[key]; inst != nil {
		return l.use(inst)
	}
	inst := &entity{emitted: l.temp(strings.ReplaceAll(e.name, ".", "_")), obj: types.NewFunc(token.NoPos, nil, e.name, nil), cell: e.cell}
	l.p.instances[key] = inst
	if l.nest > maxNest {
		l.errorf(token.NoPos, "%s needs instances of itself without end: the interpreter makes them all", e.name)
		return inst.emitted
	}
	home := d.home.lower
	in := &lowering{
		c: home.c, p: l.p, unit: l.unit, fresh: home.fresh, paths: l.paths,
		library: home.library, nest: l.nest + 1, node: d.node, file: d.file,
	}
	switch n := d.node.(type) {
	case *ast.FuncDecl:
		in.bind(e.obj.Type().(*types.Signature).TypeParams(), targs)
		in.emitInstance(inst, inst.emitted, d, n, func() {
			in.rename(n.Name, inst.emitted)
			in.dropParams(n.Type.TypeParams)
			in.walkFunc(n)
		}, n.Pos(), n.End())
	case *ast.GenDecl:
		for _, s := range n.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if in.c.info.Defs[s.Name] == e.obj {
					in.typeInstance(inst, e, d, s, targs)
				}
			case *ast.ValueSpec: // a library's variable
				for i, id := range s.Names {
					if in.c.info.Defs[id] == e.obj && len(s.Values) == len(s.Names) {
						in.emitInstance(inst, inst.emitted, d, n, func() {
							in.uses = map[*entity]bool{}
							in.walk(s.Values[i])
							in.insert(in.file.offset(s.Values[i].Pos()), "var "+inst.emitted+" "+in.typeName(e.obj.Type())+" = ")
						}, s.Values[i].Pos(), s.Values[i].End())
					}
				}
			}
		}
	}
	l.errs = append(l.errs, in.errs...)
	return l.use(inst)
}

// typeInstance makes a type and its methods.
func (l *lowering) typeInstance(inst, e *entity, d *decl, s *ast.TypeSpec, targs []types.Type) {
	named, ok := types.Unalias(e.obj.Type()).(*types.Named)
	if !ok || s.Assign.IsValid() { // a generic alias
		if a, ok := e.obj.Type().(*types.Alias); ok {
			l.bind(a.TypeParams(), targs)
		}
		l.emitInstance(inst, inst.emitted, d, s, func() {
			l.rename(s.Name, inst.emitted)
			l.dropParams(s.TypeParams)
			l.walk(s.Type)
			l.insert(l.file.offset(s.Name.Pos()), "type ")
		}, s.Name.Pos(), s.End())
		return
	}
	l.bind(named.TypeParams(), targs)
	l.emitInstance(inst, inst.emitted, d, s, func() {
		l.rename(s.Name, inst.emitted)
		l.dropParams(s.TypeParams)
		l.walk(s.Type)
		l.insert(l.file.offset(s.Name.Pos()), "type ")
	}, s.Name.Pos(), s.End())
	var methods []string
	for m := range named.Methods() {
		me := l.entity(m)
		if me == nil || me.decl == nil {
			continue
		}
		fd := me.decl.node.(*ast.FuncDecl)
		home := me.decl.home.lower
		in := &lowering{
			c: home.c, p: l.p, unit: l.unit, fresh: home.fresh, paths: l.paths,
			library: home.library, nest: l.nest, node: fd, file: me.decl.file,
		}
		in.bind(m.Type().(*types.Signature).RecvTypeParams(), targs)
		name := inst.emitted + "." + m.Name()
		methods = append(methods, name)
		in.emitInstance(inst, name, me.decl, fd, func() {
			recv := fd.Recv.List[0].Type
			star := ""
			if _, ok := ast.Unparen(recv).(*ast.StarExpr); ok {
				star = "*"
			}
			in.replace(in.file.offset(recv.Pos()), in.file.offset(recv.End()), func() string { return star + inst.emitted })
			in.walkFunc(fd)
		}, fd.Pos(), fd.End())
		l.errs = append(l.errs, in.errs...)
	}
	u := l.unit.Uses[inst.emitted]
	u.Funcs = append(u.Funcs, methods...)
	l.unit.Uses[inst.emitted] = u
}

// emitInstance writes the block that edit makes of the text from pos to end.
func (l *lowering) emitInstance(inst *entity, name string, d *decl, n ast.Node, edit func(), pos, end token.Pos) {
	l.edits, l.uses = nil, map[*entity]bool{}
	at := len(l.p.shapeSrc)
	l.p.shapeSrc = append(l.p.shapeSrc, Block{})
	edit()
	start := l.file.offset(pos)
	b := Block{Code: l.render(start, l.file.offset(end)), Cell: d.cell, Line: strings.Count(d.code[:start], "\n") + 1}
	l.p.shapeSrc[at] = b
	l.unit.Uses[name] = useOf(&decl{uses: sortedUses(l.uses)})
}

func sortedUses(uses map[*entity]bool) (out []*entity) {
	for e := range uses {
		if e != nil {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *entity) int { return strings.Compare(a.emitted, b.emitted) })
	return out
}

func (l *lowering) dropParams(list *ast.FieldList) {
	if list == nil {
		return
	}
	start, end := l.file.offset(list.Opening), l.file.offset(list.Closing)+1
	l.replace(start, end, func() string { return "" })
}

func (l *lowering) bind(params *types.TypeParamList, targs []types.Type) {
	l.subst = map[*types.TypeParam]types.Type{}
	for i := range params.Len() {
		if i < len(targs) {
			l.subst[params.At(i)] = targs[i]
		}
	}
}

// typeOf is the type of an expression, with the type arguments of the instance
// that is being made.
func (l *lowering) typeOf(e ast.Expr) types.Type {
	t := l.c.info.Types[e].Type
	if t == nil {
		if id, ok := e.(*ast.Ident); ok {
			if o := l.c.info.ObjectOf(id); o != nil {
				t = o.Type()
			}
		}
	}
	return l.sub(t)
}

// sub puts the type arguments in place of the type parameters of t.
func (l *lowering) sub(t types.Type) types.Type {
	if l.subst == nil || t == nil {
		return t
	}
	switch t := t.(type) {
	case *types.TypeParam:
		if a := l.subst[t]; a != nil {
			return a
		}
	case *types.Pointer:
		if e := l.sub(t.Elem()); e != t.Elem() {
			return types.NewPointer(e)
		}
	case *types.Slice:
		if e := l.sub(t.Elem()); e != t.Elem() {
			return types.NewSlice(e)
		}
	case *types.Array:
		if e := l.sub(t.Elem()); e != t.Elem() {
			return types.NewArray(e, t.Len())
		}
	case *types.Chan:
		if e := l.sub(t.Elem()); e != t.Elem() {
			return types.NewChan(t.Dir(), e)
		}
	case *types.Map:
		k, e := l.sub(t.Key()), l.sub(t.Elem())
		if k != t.Key() || e != t.Elem() {
			return types.NewMap(k, e)
		}
	case *types.Tuple:
		return l.subTuple(t)
	case *types.Signature:
		p, r := l.subTuple(t.Params()), l.subTuple(t.Results())
		if p != t.Params() || r != t.Results() {
			return types.NewSignatureType(nil, nil, nil, p, r, t.Variadic())
		}
	case *types.Struct:
		fields, tags, changed := make([]*types.Var, t.NumFields()), make([]string, t.NumFields()), false
		for i := range fields {
			f := t.Field(i)
			ft := l.sub(f.Type())
			fields[i], tags[i] = f, t.Tag(i)
			if ft != f.Type() {
				fields[i], changed = types.NewField(f.Pos(), f.Pkg(), f.Name(), ft, f.Embedded()), true
			}
		}
		if changed {
			return types.NewStruct(fields, tags)
		}
	case *types.Interface:
		methods, changed := make([]*types.Func, t.NumExplicitMethods()), false
		for i := range methods {
			m := t.ExplicitMethod(i)
			s := l.sub(m.Type())
			methods[i] = m
			if s != m.Type() {
				methods[i], changed = types.NewFunc(m.Pos(), m.Pkg(), m.Name(), s.(*types.Signature)), true
			}
		}
		embedded := make([]types.Type, t.NumEmbeddeds())
		for i := range embedded {
			embedded[i] = l.sub(t.EmbeddedType(i))
			changed = changed || embedded[i] != t.EmbeddedType(i)
		}
		if changed {
			return types.NewInterfaceType(methods, embedded).Complete()
		}
	case *types.Union:
		return t
	case *types.Alias:
		return l.sub(types.Unalias(t))
	case *types.Named:
		if args, changed := l.subList(t.TypeArgs()); changed {
			if inst, err := types.Instantiate(nil, t.Origin(), args, false); err == nil {
				return inst
			}
		}
		if l.isOwnLocal(t.Obj()) {
			return l.cloneLocal(t)
		}
	}
	return t
}

func (l *lowering) subTuple(t *types.Tuple) *types.Tuple {
	vars, changed := make([]*types.Var, t.Len()), false
	for i := range vars {
		v := t.At(i)
		s := l.sub(v.Type())
		vars[i] = v
		if s != v.Type() {
			vars[i], changed = types.NewParam(v.Pos(), v.Pkg(), v.Name(), s), true
		}
	}
	if !changed {
		return t
	}
	return types.NewTuple(vars...)
}

func (l *lowering) subList(list *types.TypeList) (out []types.Type, changed bool) {
	for i := range list.Len() {
		out = append(out, l.sub(list.At(i)))
		changed = changed || out[i] != list.At(i)
	}
	return out, changed
}

// isOwnLocal tells whether obj is a type declared inside the generic function
// that an instance is made of: each instance has its own.
func (l *lowering) isOwnLocal(obj *types.TypeName) bool {
	return l.node != nil && obj.Pkg() == l.c.pkg && obj.Pos() > l.node.Pos() && obj.Pos() < l.node.End() && obj.Parent() != l.c.pkg.Scope()
}

func (l *lowering) cloneLocal(t *types.Named) types.Type {
	if c := l.clones[t]; c != nil {
		return c
	}
	c := types.NewNamed(types.NewTypeName(token.NoPos, t.Obj().Pkg(), t.Obj().Name(), nil), nil, nil)
	if l.clones == nil {
		l.clones = map[*types.Named]*types.Named{}
	}
	l.clones[t] = c
	c.SetUnderlying(l.sub(t.Underlying()))
	return c
}

// localType gives the global name of a type that is local to a function, and
// declares it when that is new.
func (l *lowering) localType(t *types.Named) string {
	im := l.p.image
	if name := im.locals[t.Obj()]; name != "" {
		return name
	}
	if name := l.p.locals[t.Obj()]; name != "" {
		return name
	}
	name := l.temp(t.Obj().Name())
	l.p.locals[t.Obj()] = name
	at := len(l.p.shapeSrc)
	l.p.shapeSrc = append(l.p.shapeSrc, Block{})
	l.p.shapeSrc[at] = Block{Code: "type " + name + " " + l.typeName(t.Underlying()), Cell: l.file.cell, Line: 1}
	return name
}

// isLocalType tells whether obj is a type of the notebook that is not global.
func (l *lowering) isLocalType(obj *types.TypeName) bool {
	return obj.Pkg() != nil && obj.Pkg().Path() == l.c.pkg.Path() && l.entity(obj) == nil && !l.isGlobal(obj)
}

func (l *lowering) isGlobal(obj types.Object) bool {
	return obj.Parent() != nil && obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope()
}

// generic gives what declares a generic function or type, of the notebook or of a
// library whose source is known; nil for neither.
func (l *lowering) generic(obj types.Object) *entity {
	if f, ok := obj.(*types.Func); ok {
		obj = f.Origin()
	}
	if e := l.entity(obj); e != nil {
		return e
	}
	if obj.Pkg() == nil || !l.isGlobal(obj) && obj.Parent() != nil {
		return nil
	}
	return l.p.image.libraryEntity(obj.Pkg().Path(), obj.Name())
}

// funcInstance replaces the use of a generic function by that of its instance.
func (l *lowering) funcInstance(e ast.Expr, id *ast.Ident) bool {
	inst, ok := l.c.info.Instances[id]
	if !ok {
		return false
	}
	f, ok := l.c.info.Uses[id].(*types.Func)
	if !ok {
		return false
	}
	g := l.generic(f)
	if g == nil {
		l.errorf(e.Pos(), "the interpreter does not have the generic function %s", qualified(f))
		return true
	}
	if f.Pkg() == l.c.pkg || l.entity(f.Origin()) != nil {
		l.use(g)
	}
	targs, _ := l.subList(inst.TypeArgs)
	name := l.instance(g, targs)
	l.replace(l.file.offset(e.Pos()), l.file.offset(e.End()), func() string { return name })
	return true
}

func qualified(obj types.Object) string {
	if obj.Pkg() == nil || obj.Pkg().Path() == "main" {
		return obj.Name()
	}
	return obj.Pkg().Name() + "." + obj.Name()
}

// isGeneric tells whether a declaration has type parameters, itself or by its receiver.
func isGeneric(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Recv != nil {
			t := n.Recv.List[0].Type
			for {
				switch x := t.(type) {
				case *ast.StarExpr:
					t = x.X
				case *ast.ParenExpr:
					t = x.X
				case *ast.IndexExpr, *ast.IndexListExpr:
					return true
				default:
					return false
				}
			}
		}
		return n.Type.TypeParams != nil
	case *ast.GenDecl:
		for _, s := range n.Specs {
			if s, ok := s.(*ast.TypeSpec); ok && s.TypeParams != nil {
				return true
			}
		}
	}
	return false
}

// instanceName names a type with type arguments.
func (l *lowering) instanceName(t *types.Named) string {
	e := l.generic(t.Origin().Obj())
	if e == nil {
		l.errorf(token.NoPos, "the interpreter does not have the generic type %s", qualified(t.Obj()))
		return "interface{}"
	}
	if l.entity(t.Origin().Obj()) != nil {
		l.use(e)
	}
	args := make([]types.Type, t.TypeArgs().Len())
	for i := range args {
		args[i] = l.sub(t.TypeArgs().At(i))
	}
	return l.instance(e, args)
}
