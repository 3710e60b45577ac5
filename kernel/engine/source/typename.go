package source

import (
	"fmt"
	"go/types"
	"strings"
)

// typeName writes t as emitted code names it.
func (l *lowering) typeName(t types.Type) string {
	switch t := l.sub(t).(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			return l.importFor("unsafe") + ".Pointer"
		}
		return types.Default(t).String()
	case *types.Alias:
		if e := l.entity(t.Obj()); e != nil && t.TypeArgs().Len() == 0 {
			return l.use(e)
		}
		return l.typeName(types.Unalias(t))
	case *types.Pointer:
		return "*" + l.typeName(t.Elem())
	case *types.Slice:
		return "[]" + l.typeName(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), l.typeName(t.Elem()))
	case *types.Map:
		return "map[" + l.typeName(t.Key()) + "]" + l.typeName(t.Elem())
	case *types.Chan:
		dir := map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()]
		elem := l.typeName(t.Elem())
		if strings.HasPrefix(elem, "<-") {
			elem = "(" + elem + ")"
		}
		return dir + elem
	case *types.Signature:
		return "func" + l.signature(t)
	case *types.Struct:
		fields := make([]string, t.NumFields())
		for i := range fields {
			f := t.Field(i)
			if f.Embedded() && !strings.ContainsAny(l.typeName(f.Type()), "[{(") {
				fields[i] = l.typeName(f.Type())
			} else {
				fields[i] = f.Name() + " " + l.typeName(f.Type())
			}
			if tag := t.Tag(i); tag != "" {
				fields[i] += fmt.Sprintf(" %q", tag)
			}
		}
		return "struct{" + strings.Join(fields, "; ") + "}"
	case *types.Interface:
		var parts []string
		for i := range t.NumEmbeddeds() {
			parts = append(parts, l.typeName(t.EmbeddedType(i)))
		}
		for i := range t.NumExplicitMethods() {
			m := t.ExplicitMethod(i)
			parts = append(parts, m.Name()+l.signature(m.Type().(*types.Signature)))
		}
		return "interface{" + strings.Join(parts, "; ") + "}"
	case *types.TypeParam:
		return t.Obj().Name()
	case *types.Named:
		obj := t.Obj()
		if obj.Pkg() == nil {
			return obj.Name() // error, comparable
		}
		if obj.Pkg().Path() == parallelPath && t.TypeArgs().Len() > 0 {
			return l.parallelType(t)
		}
		if l.isBare(t) {
			return "interface{}"
		}
		if t.TypeArgs().Len() > 0 {
			if sig, ok := t.Underlying().(*types.Signature); ok && obj.Pkg().Path() == "iter" {
				return l.typeName(sig)
			}
			return l.instanceName(t)
		}
		if l.isLocalType(obj) {
			return l.localType(t)
		}
		if e := l.entity(obj); e != nil {
			if e.decl != nil && e.decl.home.lower.library {
				return l.instance(e, nil)
			}
			return l.use(e)
		}
		if obj.Pkg().Path() != "main" {
			return l.importFor(obj.Pkg().Path()) + "." + obj.Name()
		}
		return obj.Name()
	}
	return t.String()
}

func (l *lowering) signature(s *types.Signature) string {
	params := make([]string, s.Params().Len())
	for i := range params {
		t := s.Params().At(i).Type()
		if s.Variadic() && i == len(params)-1 {
			params[i] = "..." + l.typeName(t.(*types.Slice).Elem())
		} else {
			params[i] = l.typeName(t)
		}
	}
	out := "(" + strings.Join(params, ", ") + ")"
	results := make([]string, s.Results().Len())
	for i := range results {
		results[i] = l.typeName(s.Results().At(i).Type())
	}
	switch len(results) {
	case 0:
		return out
	case 1:
		return out + " " + results[0]
	}
	return out + " (" + strings.Join(results, ", ") + ")"
}

// zero writes the zero value of t.
func (l *lowering) zero(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Info()&types.IsBoolean != 0:
			return "false"
		case u.Info()&types.IsNumeric != 0:
			return "0"
		}
	case *types.Struct, *types.Array:
		return l.typeName(t) + "{}"
	}
	return "nil"
}
