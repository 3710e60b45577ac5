package native

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/paragopher/paragopher/kernel/engine/native/rt"
	"github.com/paragopher/paragopher/kernel/engine/source"
)

const (
	rtPath       = source.Module + "kernel/engine/native/rt"
	parallelPath = source.Module + "parallel"
)

// A Package is a cell as the Go package that it is compiled as. The clause says
// main, so that types print as in a program; the path is unique.
type Package struct {
	Path    string
	Cell    int
	Source  string
	Imports []string   // of the standard library and modules
	Deps    []*Package // cells whose names it uses
	Runs    bool       // it has statements to run
	Uses    map[string]rt.Use
}

// An Emitter writes the packages of one notebook. It is not safe for concurrent
// use.
type Emitter struct {
	image    *source.Image
	packages map[*source.Checked]*Package
	mirrors  map[*types.Var]mirror // by a struct's first field
}

// A mirror is a struct type whose fields are another's, with all names exported.
// Packages other than the struct's own reach its unexported fields through it: the
// real names stay what encoding/json and fmt see.
type mirror struct {
	home  *source.Checked
	name  string // of the mirror
	alias string // of the struct itself, if it has no name of its own
}

// NewEmitter gives an emitter for a notebook's cells.
func NewEmitter(im *source.Image) *Emitter {
	return &Emitter{image: im, packages: map[*source.Checked]*Package{}, mirrors: map[*types.Var]mirror{}}
}

// An emission is the making of one package.
type emission struct {
	*Emitter
	c       *source.Checked
	info    *types.Info
	src     source.Text
	edits   []edit
	imports map[string]bool
	deps    map[*source.Checked]bool
	aliases map[*source.Entity]bool
	vars    map[*source.Entity]bool
	lifted  []string
	fatal   map[string]bool
	depth   int // of functions around
	temps   int
	made    []madeMirror
}

// An edit replaces text. Of those at one place, what closes comes first, the inner
// before the outer, then what opens, the outer first.
type edit struct {
	start, end int
	text       string
	closes     bool
	seq        int
}

// Emit writes a cell's package.
func (em *Emitter) Emit(c *source.Checked) *Package {
	if p := em.packages[c]; p != nil {
		return p
	}
	e := &emission{
		Emitter: em, c: c, info: c.Info, imports: map[string]bool{}, deps: map[*source.Checked]bool{},
		aliases: map[*source.Entity]bool{}, vars: map[*source.Entity]bool{}, fatal: map[string]bool{},
	}
	p := &Package{Path: pathOf(c), Cell: c.Cell, Uses: map[string]rt.Use{}}
	e.findMirrors()
	var decls, body strings.Builder
	var funcs, registered []string
	for _, d := range c.Decls {
		e.decl(d, &decls)
		for _, x := range d.Entities() {
			switch obj := x.Object().(type) {
			case *types.Func:
				if obj.Signature().Recv() == nil && obj.Signature().TypeParams().Len() == 0 && x.Name() != "init" {
					funcs = append(funcs, fmt.Sprintf("%q: %s", exported(x.Name()), exported(x.Name())))
				}
				p.Uses[p.Path+"."+exported(x.Name())] = e.use(d.Uses())
			case *types.TypeName:
				if n, ok := obj.Type().(*types.Named); ok && n.TypeParams().Len() == 0 {
					if _, ok := n.Underlying().(*types.Interface); !ok {
						registered = append(registered, fmt.Sprintf("%q: (*%s)(nil)", x.Name(), x.Name()))
					}
				}
			}
		}
	}
	e.body(&body)
	run := "nil"
	if p.Runs = body.Len() > 0; p.Runs {
		run = "run__"
	}
	var b strings.Builder
	b.WriteString("package main\n\nimport rt__ \"" + rtPath + "\"\n")
	funcs = append(funcs, e.liftedNames()...)
	mirrors := e.mirrorDecls()
	aliases := e.aliasDecls()
	variables := e.varDecls()
	for _, f := range sorted(e.fatal) {
		e.imports["log"], e.imports["fmt"] = true, true
		fmt.Fprintf(&decls, "func log__%s(v ...interface{}) { pk_log.Output(2, pk_fmt.%s); rt__.Exit(1) }\n", f, map[string]string{
			"Fatal": "Sprint(v...)", "Fatalln": "Sprintln(v...)", "Fatalf": "Sprintf(v[0].(string), v[1:]...)"}[f])
	}
	for _, path := range c.Blank {
		fmt.Fprintf(&b, "import _ %q\n", path)
		p.Imports = append(p.Imports, path)
	}
	for _, path := range sorted(e.imports) {
		fmt.Fprintf(&b, "import %s %q\n", importName(path), path)
		p.Imports = append(p.Imports, path)
	}
	deps := make([]*source.Checked, 0, len(e.deps))
	for d := range e.deps {
		deps = append(deps, d)
	}
	slices.SortFunc(deps, func(a, b *source.Checked) int { return a.Number - b.Number })
	for _, d := range deps {
		fmt.Fprintf(&b, "import c%d__ %q\n", d.Number, pathOf(d))
		p.Deps = append(p.Deps, em.packages[d])
	}
	b.WriteString("\nfunc main() {}\n\n")
	fmt.Fprintf(&b, "func init() { rt__.Register(%q, rt__.Cell{Run: %s, Funcs: map[string]interface{}{%s}, Types: map[string]interface{}{%s}}) }\n",
		p.Path, run, strings.Join(funcs, ", "), strings.Join(registered, ", "))
	b.WriteString(aliases + mirrors + variables + decls.String())
	for _, l := range e.lifted {
		b.WriteString(l)
	}
	if p.Runs {
		b.WriteString("\nfunc run__() []interface{} {\n" + body.String() + "\nreturn nil\n}\n")
	}
	p.Source = b.String()
	em.packages[c] = p
	return p
}

// Uses are those of a package's functions and of all that comes with it.
func (em *Emitter) Uses(p *Package) map[string]rt.Use {
	all := map[string]rt.Use{}
	seen := map[*Package]bool{}
	var visit func(p *Package)
	visit = func(p *Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		maps.Copy(all, p.Uses)
		for _, d := range p.Deps {
			visit(d)
		}
	}
	visit(p)
	return all
}

func pathOf(c *source.Checked) string { return fmt.Sprintf("c%d/main", c.Number) }

func sorted(set map[string]bool) []string {
	var list []string
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

func importName(p string) string {
	return "pk_" + strings.NewReplacer("/", "_", ".", "_", "-", "_", "~", "_").Replace(path.Clean(p))
}

const prefix = "X__"

// exported is a name by which other packages reach it.
func exported(name string) string {
	if token.IsExported(name) {
		return name
	}
	return prefix + name
}

func (e *emission) use(es []*source.Entity) rt.Use {
	var u rt.Use
	for _, x := range es {
		if x.IsVar() {
			u.Vars = append(u.Vars, x.Emitted())
		} else if f, ok := x.Object().(*types.Func); ok {
			u.Funcs = append(u.Funcs, pathOf(x.Decl().Home())+"."+exported(f.Name()))
		}
	}
	return u
}

// decl writes one declaration.
func (e *emission) decl(d *source.Decl, b *strings.Builder) {
	e.src, e.edits, e.depth = d.Source(), nil, 0
	node := d.Node()
	if f, ok := node.(*ast.FuncDecl); ok {
		e.depth++
		switch x := e.c.Entity(e.info.Defs[f.Name]); {
		case f.Recv != nil:
			e.replace(f.Name.Pos(), f.Name.End(), exported(f.Name.Name))
		case x != nil:
			e.replace(f.Name.Pos(), f.Name.End(), funcName(x))
		}
		if f.Recv != nil {
			e.walk(f.Recv)
		}
		e.walk(f.Type)
		if f.Body != nil {
			e.walk(f.Body)
			if recurs(e.info, f) {
				e.open(f.Body.Lbrace+1, " rt__.Check();")
			}
		}
	} else {
		e.walk(node)
	}
	fmt.Fprintf(b, "//line cell[%d]:%d\n%s\n", e.src.Cell(), e.src.Line(node.Pos()), e.render(node.Pos(), node.End()))
	if g, ok := node.(*ast.GenDecl); ok {
		for _, s := range g.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if !token.IsExported(s.Name.Name) && s.Name.Name != "_" {
					params, args := e.typeParams(e.info.Defs[s.Name])
					fmt.Fprintf(b, "type %s%s = %s%s\n", exported(s.Name.Name), params, s.Name.Name, args)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if !token.IsExported(n.Name) && n.Name != "_" {
						fmt.Fprintf(b, "const %s = %s\n", exported(n.Name), n.Name)
					}
				}
			}
		}
	}
}

// typeParams writes the type parameters of a generic type, and their use.
func (e *emission) typeParams(obj types.Object) (params, args string) {
	var list *types.TypeParamList
	if obj != nil {
		switch t := obj.Type().(type) {
		case *types.Named:
			list = t.TypeParams()
		case *types.Alias:
			list = t.TypeParams()
		}
	}
	if list.Len() == 0 {
		return "", ""
	}
	var ps, as []string
	for i := range list.Len() {
		p := list.At(i)
		ps = append(ps, p.Obj().Name()+" "+e.typeText(p.Constraint()))
		as = append(as, p.Obj().Name())
	}
	return "[" + strings.Join(ps, ", ") + "]", "[" + strings.Join(as, ", ") + "]"
}

// recurs tells whether a function calls itself: then it checks for the cell's end,
// as loops do.
func recurs(info *types.Info, f *ast.FuncDecl) bool {
	self, found := info.Defs[f.Name], false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && self != nil {
			if o, ok := info.Uses[id].(*types.Func); ok && o.Origin() == self {
				found = true
			}
		}
		return !found
	})
	return found
}

// aliasDecls names the other cells' types and constants as their programmer does.
func (e *emission) aliasDecls() string {
	var lines []string
	for x := range e.aliases {
		name := fmt.Sprintf("%s.%s", e.dep(x.Decl().Home()), exported(x.Name()))
		if _, ok := x.Object().(*types.Const); ok {
			lines = append(lines, fmt.Sprintf("const %s = %s\n", x.Name(), name))
			continue
		}
		params, args := e.typeParams(x.Object())
		lines = append(lines, fmt.Sprintf("type %s%s = %s%s\n", x.Name(), params, name, args))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func (e *emission) varDecls() string {
	var lines []string
	for x := range e.vars {
		lines = append(lines, fmt.Sprintf("var %s = rt__.Var[%s](%q)\n", varName(x), e.typeText(x.Object().Type()), x.Emitted()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func varName(x *source.Entity) string { return "v__" + x.Emitted() }

// dep notes that the package uses another cell's and gives its name.
func (e *emission) dep(home *source.Checked) string {
	e.deps[home] = true
	e.Emit(home) // at the latest now
	return fmt.Sprintf("c%d__", home.Number)
}

func (e *emission) pkg(path string) string {
	e.imports[path] = true
	return importName(path)
}

// body writes the steps.
func (e *emission) body(b *strings.Builder) {
	e.depth = 0
	for _, n := range e.c.Notes {
		fmt.Fprintf(b, "rt__.Note(%q)\n", n)
	}
	for i, s := range e.c.Steps {
		e.step(s, i == len(e.c.Steps)-1, b)
	}
	if e.c.Main != nil {
		b.WriteString(e.function(e.c.Main) + "()\n")
	}
}

func (e *emission) step(s *source.Step, last bool, b *strings.Builder) {
	if s.Call != nil {
		b.WriteString(e.function(s.Call) + "()\n")
		return
	}
	e.src, e.edits = s.Source(), nil
	n := s.Node()
	fmt.Fprintf(b, "//line cell[%d]:%d\n", e.src.Cell(), e.src.Line(n.Pos()))
	if v := s.Var; v != nil {
		e.initialise(v, b)
		return
	}
	if a, ok := s.Stmt.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
		e.replace(a.TokPos, a.TokPos+2, "=")
	}
	if x, ok := s.Stmt.(*ast.ExprStmt); ok && last && x.X == e.c.Result {
		e.walk(x.X)
		text := e.render(x.Pos(), x.End())
		if tv := e.info.Types[x.X]; e.shows(tv, x.X) {
			text = "return rt__.Values(" + text + ")"
		}
		b.WriteString(text + "\n")
		return
	}
	e.walk(s.Stmt)
	b.WriteString(e.render(n.Pos(), n.End()) + "\n")
}

// shows tells whether a cell's last expression is its result. Printing is none.
func (e *emission) shows(tv types.TypeAndValue, x ast.Expr) bool {
	n := 1
	if t, ok := tv.Type.(*types.Tuple); ok {
		n = t.Len()
	}
	if !tv.IsValue() && n < 2 || n == 0 || tv.IsNil() {
		return false
	}
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return true
	}
	f := e.callee(call)
	return f == nil || f.Pkg() == nil || f.Pkg().Path() != "fmt" || !strings.HasPrefix(f.Name(), "Print") && !strings.HasPrefix(f.Name(), "Fprint")
}

// callee is the function that a call names, nil for values, conversions and builtins.
func (e *emission) callee(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	var id *ast.Ident
	switch x := fun.(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	default:
		return nil
	}
	f, _ := e.info.Uses[id].(*types.Func)
	return f
}

// initialise writes var at its place: an assignment to the session's variables.
func (e *emission) initialise(v *ast.ValueSpec, b *strings.Builder) {
	var names []string
	for _, id := range v.Names {
		names = append(names, e.variable(id))
	}
	if len(v.Values) == 0 {
		for i, id := range v.Names {
			if names[i] != "_" {
				fmt.Fprintf(b, "%s = *new(%s)\n", names[i], e.typeText(e.info.Defs[id].Type()))
			}
		}
		return
	}
	for _, x := range v.Values {
		e.walk(x)
	}
	values := e.render(v.Values[0].Pos(), v.Values[len(v.Values)-1].End())
	if v.Type != nil && !slices.ContainsFunc(names, func(n string) bool { return n != "_" }) {
		e.edits = nil
		e.walk(v.Type)
		fmt.Fprintf(b, "var %s %s = %s\n", strings.Join(names, ", "), e.render(v.Type.Pos(), v.Type.End()), values)
		return
	}
	fmt.Fprintf(b, "%s =\n//line cell[%d]:%d\n%s\n", strings.Join(names, ", "), e.src.Cell(), e.src.Line(v.Values[0].Pos()), values)
}

func (e *emission) variable(id *ast.Ident) string {
	x := e.c.Entity(e.info.Defs[id])
	if id.Name == "_" || x == nil {
		return "_"
	}
	e.vars[x] = true
	return "(*" + varName(x) + ")"
}

// funcName is a function's name in its package. There may be several func init.
func funcName(x *source.Entity) string {
	if x.Name() == "init" {
		return prefix + x.Emitted()
	}
	return exported(x.Name())
}

// function names a function of the notebook.
func (e *emission) function(x *source.Entity) string {
	name := funcName(x)
	if home := x.Decl().Home(); home != e.c {
		return e.dep(home) + "." + name
	}
	return name
}

func (e *emission) replace(start, end token.Pos, text string) {
	e.edits = append(e.edits, edit{e.src.Offset(start), e.src.Offset(end), text, false, len(e.edits)})
}

func (e *emission) open(at token.Pos, text string) { e.replace(at, at, text) }

func (e *emission) close(at token.Pos, text string) {
	e.replace(at, at, text)
	e.edits[len(e.edits)-1].closes = true
}

// render gives the text between two places with the edits made.
func (e *emission) render(from, to token.Pos) string {
	start, end := e.src.Offset(from), e.src.Offset(to)
	in := slices.DeleteFunc(slices.Clone(e.edits), func(x edit) bool { return x.start < start || x.end > end })
	sort.SliceStable(in, func(i, j int) bool {
		a, b := in[i], in[j]
		if a.start != b.start {
			return a.start < b.start
		}
		if a.closes != b.closes {
			return a.closes
		}
		if a.closes {
			return a.seq > b.seq
		}
		if (a.end == a.start) != (b.end == b.start) {
			return a.end == a.start
		}
		return a.seq < b.seq
	})
	code := e.src.Code()
	var b strings.Builder
	at := start
	for _, x := range in {
		if x.start < at {
			continue // inside of what is replaced
		}
		b.WriteString(code[at:x.start])
		b.WriteString(x.text)
		at = x.end
	}
	if at < end {
		b.WriteString(code[at:end])
	}
	return b.String()
}
