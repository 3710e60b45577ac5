package glue_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// A generator writes random expressions over variables of all basic types.
type generator struct{ *rand.Rand }

var (
	ints   = []string{"int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr"}
	floats = []string{"float32", "float64"}
	named  = map[string]string{"MyInt": "int", "Small": "int8", "Tiny": "uint8", "MyFloat": "float32", "Money": "float64", "MyString": "string"}
)

func (g generator) pick(list ...string) string { return list[g.Intn(len(list))] }

func basicOf(t string) string {
	if b := named[t]; b != "" {
		return b
	}
	return t
}

func (g generator) numeric() string {
	switch g.Intn(4) {
	case 0:
		return g.pick(floats...)
	case 1:
		return g.pick("MyInt", "Small", "Tiny", "MyFloat", "Money")
	}
	return g.pick(ints...)
}

func (g generator) typ() string {
	switch g.Intn(8) {
	case 0:
		return "bool"
	case 1:
		return g.pick("string", "MyString")
	}
	return g.numeric()
}

func isInteger(t string) bool { return !isFloat(t) && basicOf(t) != "string" && t != "bool" }

func isFloat(t string) bool { return strings.HasPrefix(basicOf(t), "float") }

func variable(t string) string { return "v_" + t }

// value is a constant of type t that may stand at any side of an operator.
func (g generator) value(t string) string {
	switch b := basicOf(t); {
	case b == "bool":
		return g.pick("true", "false")
	case b == "string":
		return g.pick(`""`, `"a"`, `"héllo"`, `"日本"`, `"z\x00\xff"`)
	case isFloat(t):
		return g.pick("0.0", "1.5", "0.1", "3e10", "1e-30", "16777217.0", "255.9")
	case strings.HasPrefix(b, "u"):
		return g.pick("0", "1", "7", "127", "200", "255")
	}
	return g.pick("0", "1", "-1", "5", "127", "-128")
}

// expr is an expression of type t that is not constant.
func (g generator) expr(t string, depth int) string {
	if depth == 0 {
		return variable(t)
	}
	sub := func(t string) string { return g.expr(t, g.Intn(depth)) }
	switch b := basicOf(t); {
	case b == "bool":
		switch g.Intn(4) {
		case 0:
			return fmt.Sprintf("(%s %s %s)", sub("bool"), g.pick("&&", "||", "==", "!="), sub("bool"))
		case 1:
			return "!" + sub("bool")
		}
		of := g.typ()
		for of == "bool" {
			of = g.typ()
		}
		return fmt.Sprintf("(%s %s %s)", sub(of), g.pick("==", "!=", "<", "<=", ">", ">="), g.operand(of, depth))
	case b == "string":
		switch g.Intn(6) {
		case 0:
			return fmt.Sprintf("%s(%s)", t, sub(g.pick("string", "MyString")))
		case 1:
			return fmt.Sprintf("%s([]byte(%s))", t, sub("string"))
		case 2:
			return fmt.Sprintf("%s([]rune(%s))", t, sub("string"))
		case 3:
			return fmt.Sprintf("%s(rune(%s))", t, sub(g.pick(ints...)))
		case 4:
			return fmt.Sprintf("%s[%s&3:]", sub(t), sub(g.pick(ints...)))
		}
		return fmt.Sprintf("(%s + %s)", sub(t), g.operand(t, depth))
	case isFloat(t):
		switch g.Intn(6) {
		case 0:
			return "-(" + sub(t) + ")"
		case 1:
			return fmt.Sprintf("%s(%s)", t, sub(g.numeric()))
		case 2:
			return fmt.Sprintf("%s(%s, %s)", g.pick("min", "max"), sub(t), g.operand(t, depth))
		}
		// The conversion forbids the compiler to fuse operations, as it may elsewhere.
		return fmt.Sprintf("%s(%s %s %s)", t, sub(t), g.pick("+", "-", "*", "/"), sub(t))
	}
	switch g.Intn(8) {
	case 0:
		return g.pick("-", "^", "+") + "(" + sub(t) + ")"
	case 1:
		return fmt.Sprintf("%s(%s)", t, sub(g.numeric()))
	case 2:
		return fmt.Sprintf("(%s %s %s)", sub(t), g.pick("<<", ">>"), sub(g.pick("uint8", "uint", "uint16")))
	case 3:
		return fmt.Sprintf("(%s %s (%s & 127))", sub(t), g.pick("<<", ">>"), sub(g.pick("int8", "int", "int64", "MyInt")))
	case 4:
		return fmt.Sprintf("%s(%s, %s)", g.pick("min", "max"), sub(t), g.operand(t, depth))
	case 5:
		return fmt.Sprintf("%s(len(%s))", t, sub("string"))
	}
	return fmt.Sprintf("(%s %s %s)", sub(t), g.pick("+", "-", "*", "/", "%", "&", "|", "^", "&^"), sub(t))
}

// operand is an expression of type t, or a constant.
func (g generator) operand(t string, depth int) string {
	if g.Intn(3) == 0 {
		return g.value(t)
	}
	return g.expr(t, g.Intn(depth))
}

// Random expressions over all basic types give what the compiler's code gives.
func TestRandomExpressionsAreAsCompiled(t *testing.T) {
	g := generator{rand.New(rand.NewSource(20240229))}
	all := append(append(append([]string{"bool", "string"}, ints...), floats...), "MyInt", "Small", "Tiny", "MyFloat", "Money", "MyString")
	var sessions []session
	for i := range 250 {
		var b strings.Builder
		for _, typ := range all {
			fmt.Fprintf(&b, "var %s %s = %s\n", variable(typ), typ, g.value(typ))
		}
		b.WriteString("//--\n")
		for range 5 {
			typ := g.typ()
			switch e := g.expr(typ, 5); {
			case typ == "bool" || g.Intn(2) == 0:
				fmt.Fprintf(&b, "Show(%s)\n", e)
			case isInteger(typ) && g.Intn(2) == 0:
				fmt.Fprintf(&b, "%s %s= %s\nShow(%s)\n", variable(typ), g.pick("+", "-", "*", "|", "&", "^"), e, variable(typ))
			default:
				fmt.Fprintf(&b, "%s = %s\nShow(%s)\n", variable(typ), e, variable(typ))
			}
		}
		sessions = append(sessions, session{fmt.Sprintf("random %d", i), b.String()})
	}
	compare(t, sessions)
}
