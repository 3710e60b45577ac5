package glue_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/engine/glue"
	"github.com/paragopher/paragopher/kernel/engine/glue/eval"
)

// A session is a case of testdata/cells.txt: statements, in cells divided by //--.
type session struct {
	name string
	body string
}

// readCells reads cases: a line "== name" and then statements.
func readCells(t testing.TB, file string) []session {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []session
	for _, part := range strings.Split("\n"+string(b), "\n== ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		list = append(list, session{name, body})
	}
	return list
}

const batteryDir = "testdata/battery"

var qualifier = regexp.MustCompile(`\b([a-z0-9]+)\.[A-Z]`)

// packages are what cells may use without an import.
var packages = map[string]string{
	"fmt": "fmt", "strings": "strings", "errors": "errors", "math": "math", "time": "time", "sort": "sort", "strconv": "strconv",
	"json": "encoding/json", "os": "os", "bytes": "bytes", "sync": "sync", "big": "math/big", "regexp": "regexp", "utf8": "unicode/utf8",
	"atomic": "sync/atomic", "io": "io", "bufio": "bufio", "url": "net/url", "rand": "math/rand", "cmplx": "math/cmplx", "list": "container/list",
	"reflect": "reflect", "unicode": "unicode", "context": "context", "binary": "encoding/binary", "hex": "encoding/hex", "sha256": "crypto/sha256",
	"bits": "math/bits", "runtime": "runtime", "filepath": "path/filepath", "slog": "log/slog", "template": "text/template",
}

func imports(text string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, m := range qualifier.FindAllStringSubmatch(text, -1) {
		if p := packages[m[1]]; p != "" && !seen[p] {
			seen[p] = true
			fmt.Fprintf(&b, "import %q\n", p)
		}
	}
	return b.String()
}

// A program is the battery as one Go program, checked.
type program struct {
	golden string // the generated file
	fset   *token.FileSet
	info   *types.Info
	pkg    *types.Package
	bodies []*ast.BlockStmt
}

// build makes the generated file of the cases and checks it with the fixture.
func build(t testing.TB, sessions []session) *program {
	t.Helper()
	fixture, err := os.ReadFile(filepath.Join(batteryDir, "fixture.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for i, s := range sessions {
		fmt.Fprintf(&all, "func cell%d() {\n%s\n}\n", i, withUses(t, s))
	}
	var b strings.Builder
	b.WriteString("package main\n\n" + imports(all.String()) + "import \"reflect\"\n")
	b.WriteString(all.String())
	b.WriteString("var cases = []struct { name string; run func() }{\n")
	for i, s := range sessions {
		fmt.Fprintf(&b, "{%q, cell%d},\n", s.name, i)
	}
	b.WriteString("}\n")
	b.WriteString(symbolTable(t, string(fixture)))
	text := strings.Replace(b.String(), "import \"reflect\"\nimport \"reflect\"\n", "import \"reflect\"\n", 1)
	if strings.Count(text, "import \"reflect\"") > 1 {
		text = strings.Replace(text, "import \"reflect\"\n", "", 1)
	}

	p := &program{golden: text, fset: token.NewFileSet(), info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Instances: map[*ast.Ident]types.Instance{},
	}}
	var files []*ast.File
	for name, src := range map[string]string{"fixture.go": string(fixture), "cells.go": text} {
		f, err := parser.ParseFile(p.fset, name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		if name == "cells.go" {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "cell") {
					p.bodies = append(p.bodies, fn.Body)
				}
			}
		}
	}
	failed := 0
	conf := types.Config{Importer: exportImporter(t, p.fset), Error: func(err error) {
		if failed++; failed < 20 {
			t.Error(err)
		}
	}}
	p.pkg, err = conf.Check("main", p.fset, files, p.info)
	if err != nil {
		t.FailNow()
	}
	return p
}

// withUses ends a body with a use of each variable that it defines.
func withUses(t testing.TB, s session) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p; func _() {\n"+s.body+"\n}", 0)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	var b strings.Builder
	b.WriteString(s.body + "\n//end\n")
	for _, st := range f.Decls[0].(*ast.FuncDecl).Body.List {
		for _, id := range defined(st) {
			if id.Name != "_" {
				fmt.Fprintf(&b, "_ = %s\n", id.Name)
			}
		}
	}
	return b.String()
}

// defined are the names that a statement may define.
func defined(st ast.Stmt) (ids []*ast.Ident) {
	switch st := st.(type) {
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			for _, e := range st.Lhs {
				ids = append(ids, e.(*ast.Ident))
			}
		}
	case *ast.DeclStmt:
		for _, s := range st.Decl.(*ast.GenDecl).Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				ids = append(ids, v.Names...)
			}
		}
	}
	return ids
}

// symbolTable writes the fixture's symbols as a host registers those of a cell.
func symbolTable(t testing.TB, fixture string) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", fixture, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("var symbols = map[string]reflect.Value{\n")
	add := func(name, expr string) { fmt.Fprintf(&b, "%q: reflect.ValueOf(%s),\n", name, expr) }
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			switch {
			case d.Recv == nil && d.Type.TypeParams == nil && d.Name.IsExported():
				add(d.Name.Name, d.Name.Name)
			case d.Recv != nil && !d.Name.IsExported():
				recv := types.ExprString(d.Recv.List[0].Type)
				if strings.HasPrefix(recv, "*") {
					recv = "(" + recv + ")"
				}
				add(recv+"."+d.Name.Name, recv+"."+d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.TypeParams == nil {
						add(s.Name.Name, "(*"+s.Name.Name+")(nil)")
					}
				case *ast.ValueSpec:
					if d.Tok == token.VAR {
						for _, n := range s.Names {
							add(n.Name, "&"+n.Name)
						}
					}
				}
			}
		}
	}
	for name := range instances {
		if strings.HasPrefix(name, "Box") {
			add(name, "(*"+name+")(nil)")
		} else {
			add(name, name)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// instances of generics that the session has.
var instances = map[string]bool{"Box[int]": true, "Double[string]": true}

// exportImporter reads what the go command compiled.
func exportImporter(t testing.TB, fset *token.FileSet) types.Importer {
	t.Helper()
	paths := []string{"github.com/paragopher/paragopher/kernel/engine/glue/eval", "github.com/paragopher/paragopher/kernel/engine/glue/std"}
	for _, p := range packages {
		paths = append(paths, p)
	}
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Export"}, paths...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
}

// cells compiles the cells of one body.
func (p *program) cells(i int, result bool) (list []*eval.Program, err error) {
	body := p.bodies[i]
	file := p.fset.File(body.Pos())
	var groups [][]ast.Node
	var group []ast.Node
	marks := strings.Split(p.golden[file.Offset(body.Lbrace):file.Offset(body.Rbrace)], "\n")
	first := file.Line(body.Lbrace)
	at := 0 // of marks
	for _, st := range body.List {
		end := false
		for ; at < file.Line(st.Pos())-first; at++ {
			switch strings.TrimSpace(marks[at]) {
			case "//--":
				groups, group = append(groups, group), nil
			case "//end":
				end = true
			}
		}
		if end {
			break
		}
		if d, ok := st.(*ast.DeclStmt); ok {
			if g := d.Decl.(*ast.GenDecl); g.Tok == token.VAR {
				for _, s := range g.Specs {
					group = append(group, s)
				}
				continue
			}
		}
		group = append(group, st)
	}
	groups = append(groups, group)
	scope := p.info.Defs[ident(p, i)].(*types.Func).Scope()
	for n, g := range groups {
		prog, err := glue.Compile(glue.Cell{
			Number: n + 1, Stmts: g, Info: p.info, Result: result,
			Line: func(pos token.Pos) int { return file.Line(pos) - first },
			Resolve: func(obj types.Object, targs *types.TypeList) (glue.Ref, bool) {
				if f, ok := obj.(*types.Func); ok && f.Signature().Recv() != nil && f.Pkg() == p.pkg {
					name := types.TypeString(f.Signature().Recv().Type(), func(*types.Package) string { return "" })
					if strings.HasPrefix(name, "*") {
						name = "(" + name + ")"
					}
					return glue.Ref{Pkg: "main", Name: name + "." + f.Name()}, true
				}
				if obj.Parent() == scope {
					return glue.Ref{Var: obj.Name()}, true
				}
				ref, ok := glue.PackageRef(obj, targs)
				if targs.Len() > 0 && ref.Pkg == "main" {
					ok = ok && instances[ref.Name]
				}
				return ref, ok
			},
		})
		if err != nil {
			return nil, err
		}
		list = append(list, prog)
	}
	return list, nil
}

func ident(p *program, i int) *ast.Ident {
	for id, obj := range p.info.Defs {
		if f, ok := obj.(*types.Func); ok && id.Name == fmt.Sprintf("cell%d", i) && f.Scope() != nil {
			return id
		}
	}
	return nil
}

// batteryCase is Case of the fixture.
type batteryCase struct {
	Name     string
	Programs []*eval.Program
	Refusal  string
}

// A battery is a program of cases, built.
type battery struct {
	exe, programs string
}

// link builds the program that has the cases in compiled form and can evaluate what
// glue made of them.
func link(t *testing.T, sessions []session) battery {
	t.Helper()
	p := build(t, sessions)
	var cases []batteryCase
	for i, s := range sessions {
		c := batteryCase{Name: s.name}
		programs, err := p.cells(i, false)
		if err != nil {
			c.Refusal = err.Error()
		}
		c.Programs = programs
		cases = append(cases, c)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	here, err := filepath.Abs(batteryDir)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "cells.go"): write("cells.go", []byte(p.golden))}})
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "battery.exe")
	cmd := exec.Command("go", "build", "-overlay", write("overlay.json", overlay), "-o", exe, "./"+batteryDir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var programs bytes.Buffer
	if err := gob.NewEncoder(&programs).Encode(cases); err != nil {
		t.Fatal(err)
	}
	return battery{exe, write("programs", programs.Bytes())}
}

// run runs the program and gives all that it prints.
func (b battery) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, b.exe, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("battery %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// byCase cuts what the program printed.
func byCase(out string) map[string]string {
	got := map[string]string{}
	for _, part := range strings.Split("\n"+out, "\n== ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		got[name] = text
	}
	return got
}

// compare runs the cases as a program made by the compiler and by glue, and
// compares what they print, case by case.
func compare(t *testing.T, sessions []session) {
	t.Helper()
	b := link(t, sessions)
	want, got := byCase(b.run(t)), byCase(b.run(t, b.programs))
	for _, s := range sessions {
		if _, ok := want[s.name]; !ok || want[s.name] != got[s.name] {
			t.Errorf("%s:\n%s\ngo:\n%s\nglue:\n%s", s.name, s.body, want[s.name], got[s.name])
		}
	}
}

// Programs with random faults end in results or errors; the process lives.
func TestMalformedProgramsAreErrors(t *testing.T) {
	var sessions []session
	for _, s := range readCells(t, "testdata/cells.txt") {
		switch s.name {
		case "panic in depth", "make too large": // a changed operand may ask for all memory, as any cell may
			continue
		}
		sessions = append(sessions, s)
	}
	b := link(t, sessions)
	out := b.run(t, b.programs, "mutated")
	var ran, refused int
	last := out[strings.LastIndex(strings.TrimSuffix(out, "\n"), "\n")+1:]
	if _, err := fmt.Sscanf(last, "%d ran, %d refused", &ran, &refused); err != nil || ran < 100 || refused < 100 {
		t.Errorf("it printed %q", last)
	}
	t.Log(last)
}

// Every cell gives what the compiler's code gives.
func TestCellsAreAsCompiled(t *testing.T) {
	sessions := readCells(t, "testdata/cells.txt")
	if len(sessions) < 150 {
		t.Errorf("the battery has %d cases", len(sessions))
	}
	compare(t, sessions)
}
