package source

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strconv"
	"strings"
)

// fold writes a constant expression by its value: the interpreter computes some
// constants wrongly. It reports whether it did.
func (l *lowering) fold(e ast.Expr) bool {
	tv, ok := l.c.info.Types[e]
	if !ok || tv.Value == nil || tv.IsType() {
		return false
	}
	t := l.sub(tv.Type)
	if lit, ok := e.(*ast.BasicLit); ok {
		b, basic := t.Underlying().(*types.Basic)
		if !basic || !(b.Info()&types.IsInteger != 0 && b.Info()&types.IsUntyped == 0 && lit.Kind.String() != "INT" && lit.Kind.String() != "CHAR") {
			return false
		}
	}
	if _, ok := t.(*types.TypeParam); ok {
		return false
	}
	text := l.constantText(tv.Value, t)
	if text == "" {
		return false
	}
	l.replace(l.file.offset(e.Pos()), l.file.offset(e.End()), func() string {
		return text + strings.Repeat("\n", 0)
	})
	return true
}

// constantText writes v as a constant of type t, "" where it cannot.
func (l *lowering) constantText(v constant.Value, t types.Type) string {
	if t == nil {
		return ""
	}
	b, ok := t.Underlying().(*types.Basic)
	if !ok { // converted to an interface: it has its default type there
		switch v.Kind() {
		case constant.Bool, constant.String, constant.Int:
			b = types.Typ[map[constant.Kind]types.BasicKind{constant.Bool: types.Bool, constant.String: types.String, constant.Int: types.Int}[v.Kind()]]
		case constant.Float:
			b = types.Typ[types.Float64]
		default:
			return ""
		}
		t = b
	}
	if b.Info()&types.IsUntyped != 0 {
		t = types.Default(b)
		b = t.(*types.Basic)
	}
	var lit string
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		lit = strconv.FormatBool(constant.BoolVal(v))
	case info&types.IsString != 0:
		lit = strconv.Quote(constant.StringVal(v))
	case info&types.IsInteger != 0:
		v = constant.ToInt(v)
		if v.Kind() != constant.Int {
			return ""
		}
		lit = v.ExactString()
	case info&types.IsFloat != 0:
		f, _ := constant.Float64Val(constant.ToFloat(v))
		lit = strconv.FormatFloat(f, 'g', -1, 64)
		if strings.Contains(lit, "Inf") {
			return ""
		}
		if !strings.ContainsAny(lit, ".e") {
			lit += ".0"
		}
	default:
		return ""
	}
	if t == types.Typ[types.Int] || t == types.Typ[types.String] || t == types.Typ[types.Bool] || t == types.Typ[types.Float64] {
		if strings.HasPrefix(lit, "-") {
			lit = "(" + lit + ")"
		}
		return lit
	}
	return l.typeName(t) + "(" + lit + ")"
}
