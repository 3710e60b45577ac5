package native

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// typeText writes t as this package names it.
func (e *emission) typeText(t types.Type) string {
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			return e.pkg("unsafe") + ".Pointer"
		}
		return types.Default(t).String()
	case *types.Pointer:
		return "*" + e.typeText(t.Elem())
	case *types.Slice:
		return "[]" + e.typeText(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), e.typeText(t.Elem()))
	case *types.Map:
		return "map[" + e.typeText(t.Key()) + "]" + e.typeText(t.Elem())
	case *types.Chan:
		dir := map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()]
		elem := e.typeText(t.Elem())
		if strings.HasPrefix(elem, "<-") {
			elem = "(" + elem + ")"
		}
		return dir + elem
	case *types.Signature:
		return "func" + e.signature(t)
	case *types.Struct:
		if m, ok := e.mirrorOf(t); ok && m.alias != "" && m.home != e.c {
			return e.dep(m.home) + "." + m.alias
		}
		return e.structText(t, func(s string) string { return s })
	case *types.Interface:
		var parts []string
		for i := range t.NumEmbeddeds() {
			parts = append(parts, e.typeText(t.EmbeddedType(i)))
		}
		for i := range t.NumExplicitMethods() {
			m := t.ExplicitMethod(i)
			name := m.Name()
			if e.hidden(m) {
				name = exported(name)
			}
			parts = append(parts, name+e.signature(m.Type().(*types.Signature)))
		}
		return "interface{" + strings.Join(parts, "; ") + "}"
	case *types.Union:
		var parts []string
		for i := range t.Len() {
			tilde := ""
			if t.Term(i).Tilde() {
				tilde = "~"
			}
			parts = append(parts, tilde+e.typeText(t.Term(i).Type()))
		}
		return strings.Join(parts, " | ")
	case *types.TypeParam:
		return t.Obj().Name()
	case *types.Alias:
		return e.named(t.Obj(), t.TypeArgs())
	case *types.Named:
		return e.named(t.Obj(), t.TypeArgs())
	}
	return t.String()
}

func (e *emission) structText(t *types.Struct, rename func(string) string) string {
	fields := make([]string, t.NumFields())
	for i := range fields {
		f := t.Field(i)
		if f.Embedded() && rename(f.Name()) == f.Name() {
			fields[i] = e.typeText(f.Type())
		} else {
			fields[i] = rename(f.Name()) + " " + e.typeText(f.Type())
		}
		if tag := t.Tag(i); tag != "" {
			fields[i] += fmt.Sprintf(" %q", tag)
		}
	}
	return "struct{" + strings.Join(fields, "; ") + "}"
}

func (e *emission) named(obj *types.TypeName, targs *types.TypeList) string {
	name := obj.Name()
	switch x := e.c.Entity(obj); {
	case obj.Pkg() == nil: // error, any, comparable
		return name
	case x != nil && x.Decl().Home() != e.c:
		name = e.dep(x.Decl().Home()) + "." + exported(name)
	case x == nil && obj.Pkg().Path() != "main":
		name = e.pkg(obj.Pkg().Path()) + "." + name
	}
	if targs.Len() > 0 {
		args := make([]string, targs.Len())
		for i := range args {
			args[i] = e.typeText(targs.At(i))
		}
		name += "[" + strings.Join(args, ", ") + "]"
	}
	return name
}

func (e *emission) signature(s *types.Signature) string {
	params := make([]string, s.Params().Len())
	for i := range params {
		t := s.Params().At(i).Type()
		if s.Variadic() && i == len(params)-1 {
			params[i] = "..." + e.typeText(t.(*types.Slice).Elem())
		} else {
			params[i] = e.typeText(t)
		}
	}
	out := "(" + strings.Join(params, ", ") + ")"
	results := make([]string, s.Results().Len())
	for i := range results {
		results[i] = e.typeText(s.Results().At(i).Type())
	}
	switch len(results) {
	case 0:
		return out
	case 1:
		return out + " " + results[0]
	}
	return out + " (" + strings.Join(results, ", ") + ")"
}

// mirrorOf finds the mirror of a struct.
func (e *emission) mirrorOf(st *types.Struct) (mirror, bool) {
	if st.NumFields() == 0 {
		return mirror{}, false
	}
	f := st.Field(0).Origin()
	if home := e.image.HomeOf(f.Pkg()); home != nil && home != e.c {
		e.Emit(home)
	}
	m, ok := e.mirrors[f]
	return m, ok
}

// mirrorText names the mirror of a struct type of another cell.
func (e *emission) mirrorText(t types.Type) string {
	m, ok := e.mirrorOf(t.Underlying().(*types.Struct))
	if !ok {
		return "struct{ /* no mirror of " + t.String() + " */ }"
	}
	name := e.dep(m.home) + "." + m.name
	if n, ok := types.Unalias(t).(*types.Named); ok && n.TypeArgs().Len() > 0 {
		args := make([]string, n.TypeArgs().Len())
		for i := range args {
			args[i] = e.typeText(n.TypeArgs().At(i))
		}
		name += "[" + strings.Join(args, ", ") + "]"
	}
	return name
}

// findMirrors decides which structs of this cell other cells will reach into: those
// with unexported fields that its types, functions and variables are made of.
func (e *emission) findMirrors() {
	n := 0
	seen := map[types.Type]bool{}
	var visit func(t types.Type, name string)
	visit = func(t types.Type, name string) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Named:
			if name != "" {
				visit(t.Underlying(), name)
			}
			for i := range t.TypeArgs().Len() {
				visit(t.TypeArgs().At(i), "")
			}
		case *types.Alias:
			visit(t.Rhs(), "")
		case *types.Pointer:
			visit(t.Elem(), "")
		case *types.Slice:
			visit(t.Elem(), "")
		case *types.Array:
			visit(t.Elem(), "")
		case *types.Chan:
			visit(t.Elem(), "")
		case *types.Map:
			visit(t.Key(), "")
			visit(t.Elem(), "")
		case *types.Signature:
			for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
				for i := range tuple.Len() {
					visit(tuple.At(i).Type(), "")
				}
			}
		case *types.Struct:
			hidden := false
			for i := range t.NumFields() {
				f := t.Field(i)
				hidden = hidden || !f.Exported() && f.Pkg() == e.c.Pkg
				visit(f.Type(), "")
			}
			if _, known := e.mirrorOf(t); known || !hidden || t.Field(0).Pkg() != e.c.Pkg {
				return
			}
			m := mirror{home: e.c, name: "M__" + name}
			if name == "" {
				if hasParams(t) {
					return
				}
				n++
				m.name, m.alias = fmt.Sprintf("M__%d", n), fmt.Sprintf("S__%d", n)
			}
			e.mirrors[t.Field(0)] = m
			e.made = append(e.made, madeMirror{m, t, nil})
			if name != "" {
				e.made[len(e.made)-1].obj = e.c.Pkg.Scope().Lookup(name)
			}
		}
	}
	for _, d := range e.c.Decls {
		for _, x := range d.Entities() {
			if tn, ok := x.Object().(*types.TypeName); ok {
				visit(tn.Type(), tn.Name())
			}
		}
	}
	for _, d := range e.c.Decls {
		for _, x := range d.Entities() {
			if f, ok := x.Object().(*types.Func); ok && f.Signature().TypeParams().Len() == 0 && f.Signature().RecvTypeParams().Len() == 0 {
				visit(f.Type(), "")
			}
		}
	}
	for _, x := range e.c.Vars {
		visit(x.Object().Type(), "")
	}
}

// A madeMirror is a mirror that this package declares.
type madeMirror struct {
	mirror
	t   *types.Struct
	obj interface{ Type() types.Type } // the named type, nil for none
}

func (e *emission) mirrorDecls() string {
	var lines []string
	for _, m := range e.made {
		params := ""
		if m.alias != "" {
			lines = append(lines, fmt.Sprintf("type %s = %s\n", m.alias, e.structText(m.t, func(s string) string { return s })))
		} else if obj, ok := m.obj.(types.Object); ok && obj != nil {
			params, _ = e.typeParams(obj)
		}
		lines = append(lines, fmt.Sprintf("type %s%s %s\n", m.name, params, e.structText(m.t, exported)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// hasParams tells whether t depends on a type parameter.
func hasParams(t types.Type) bool {
	return containsParam(t, map[types.Type]bool{})
}

func containsParam(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.TypeParam:
		return true
	case interface{ Elem() types.Type }:
		if m, ok := t.(*types.Map); ok && containsParam(m.Key(), seen) {
			return true
		}
		return containsParam(t.Elem(), seen)
	case *types.Struct:
		for i := range t.NumFields() {
			if containsParam(t.Field(i).Type(), seen) {
				return true
			}
		}
	case *types.Named:
		for i := range t.TypeArgs().Len() {
			if containsParam(t.TypeArgs().At(i), seen) {
				return true
			}
		}
	}
	return false
}
