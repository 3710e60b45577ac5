package glue_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"testing"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"

	"github.com/paragopher/paragopher/kernel/engine/glue"
	"github.com/paragopher/paragopher/kernel/engine/glue/eval"
	"github.com/paragopher/paragopher/kernel/engine/glue/std"
)

// benchCells are what cells in notebooks are like; x and s are variables of the session.
var benchCells = []struct{ name, code string }{
	{"assign", "x = x*2 + 1"},
	{"call", `s = strings.ToUpper(s)[:2] + strconv.Itoa(len(s))`},
	{"five", "a := []int{1, 2, 3}\nm := map[string]int{\"a\": x}\nm[\"b\"] += a[1]\nt := time.Duration(x) * time.Millisecond\n_, _ = t, fmt.Sprintf(\"%v %v\", a, m)"},
}

type hostTable map[string]reflect.Value

func (h hostTable) Var(name string) reflect.Value { return h[name] }
func (h hostTable) Declare(name string, t reflect.Type) reflect.Value {
	h[name] = reflect.New(t).Elem()
	return h[name]
}
func (h hostTable) Type(pkg, name string) reflect.Type    { return std.Type(pkg, name) }
func (h hostTable) Func(pkg, name string) reflect.Value   { return std.Func(pkg, name) }
func (h hostTable) Global(pkg, name string) reflect.Value { return std.Global(pkg, name) }

func newHost() hostTable {
	h := hostTable{}
	h.Declare("x", reflect.TypeFor[int]()).SetInt(1)
	h.Declare("s", reflect.TypeFor[string]()).SetString("hello")
	return h
}

// checker checks and compiles cells as a kernel does, without what source adds.
func checker(b *testing.B) func(code string) *eval.Program {
	fset := token.NewFileSet()
	pkgs := exportImporter(b, fset)
	pkg := types.NewPackage("main", "main")
	for _, path := range []string{"strings", "strconv", "time", "fmt"} {
		p, err := pkgs.Import(path)
		if err != nil {
			b.Fatal(err)
		}
		pkg.Scope().Insert(types.NewPkgName(0, pkg, p.Name(), p))
	}
	pkg.Scope().Insert(types.NewVar(0, pkg, "x", types.Typ[types.Int]))
	pkg.Scope().Insert(types.NewVar(0, pkg, "s", types.Typ[types.String]))
	return func(code string) *eval.Program {
		f, err := parser.ParseFile(fset, "", "package main; func _() {\n"+code+"\n}", 0)
		if err != nil {
			b.Fatal(err)
		}
		info := &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
		}
		conf := types.Config{Importer: pkgs, Error: func(error) {}}
		types.NewChecker(&conf, fset, pkg, info).Files([]*ast.File{f}) // unused variables are errors, of no interest here
		var stmts []ast.Node
		for _, s := range f.Decls[0].(*ast.FuncDecl).Body.List {
			stmts = append(stmts, s)
		}
		p, err := glue.Compile(glue.Cell{
			Number: 1, Stmts: stmts, Info: info, Line: func(token.Pos) int { return 1 },
			Resolve: func(obj types.Object, targs *types.TypeList) (glue.Ref, bool) {
				if v, ok := obj.(*types.Var); ok && v.Pkg() == pkg {
					return glue.Ref{Var: obj.Name()}, true
				}
				return glue.PackageRef(obj, targs)
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
}

// What a cell costs in the kernel process.
func BenchmarkCheckAndCompile(b *testing.B) {
	check := checker(b)
	for _, c := range benchCells {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				check(c.code)
			}
		})
	}
}

// What it costs to send, on a connection that stays.
func BenchmarkSend(b *testing.B) {
	check := checker(b)
	for _, c := range benchCells {
		p := check(c.code)
		var buf bytes.Buffer
		enc, dec := gob.NewEncoder(&buf), gob.NewDecoder(&buf)
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				if err := enc.Encode(p); err != nil {
					b.Fatal(err)
				}
				n = buf.Len()
				if err := dec.Decode(new(eval.Program)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n), "B/cell")
		})
	}
}

// What it costs in the session.
func BenchmarkRun(b *testing.B) {
	check := checker(b)
	for _, c := range benchCells {
		p := check(c.code)
		b.Run(c.name, func(b *testing.B) {
			h := newHost()
			for b.Loop() {
				if _, err := eval.Run(context.Background(), p, h); err != nil {
					b.Fatal(err)
				}
				h["x"].SetInt(1)
				h["s"].SetString("hello")
			}
		})
	}
}

// The same cells on the interpreter, all of it: parse, check and run.
func BenchmarkYaegi(b *testing.B) {
	for _, c := range benchCells[:2] { // it cannot run the last one twice
		b.Run(c.name, func(b *testing.B) {
			i := interp.New(interp.Options{})
			if err := i.Use(stdlib.Symbols); err != nil {
				b.Fatal(err)
			}
			if _, err := i.Eval("import (\"strings\"; \"strconv\"; \"time\"; \"fmt\")\nvar x int = 1\nvar s string = \"hello\"\nvar _ = strings.ToUpper\nvar _ = strconv.Itoa\nvar _ = time.Now\nvar _ = fmt.Sprint"); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := i.Eval(c.code); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if _, err := i.Eval("x = 1; s = \"hello\""); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
