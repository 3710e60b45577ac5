package source

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strings"
)

// A lowering turns a checked cell into a Unit: unique names, statements in a
// function, and the rewrites without which the interpreter runs some Go wrongly.
type lowering struct {
	c      *check
	p      *plan
	unit   *Unit
	fresh  map[types.Object]*entity // what this cell makes
	uses   map[*entity]bool         // by the declaration being lowered
	lifted []Block                  // function literals for other processes, made functions
	edits  []edit
	file   *file
	depth  int        // of function literals
	loops  []ast.Node // around what is walked, in its function
	errs   Errors
	paths  map[string]bool

	// of an instance of a generic declaration
	subst   map[*types.TypeParam]types.Type
	clones  map[*types.Named]*types.Named // its local types
	node    ast.Node                      // the generic declaration
	nest    int                           // instances that asked for it
	library bool                          // of a library: all it names is made when it is used

	boxed       map[ast.Expr]bool // taken by an interface
	frame       *funcFrame
	labels      map[ast.Node]string
	returnNames map[*ast.ReturnStmt][]string
}

// An edit replaces code[start:end] when text is rendered. Edits nest: the text
// of an outer one renders what is inside it.
type edit struct {
	start, end int
	text       func() string
	seq        int
}

func (p *plan) lower(c *Checked) (*Unit, error) {
	l := c.lower
	for i := range c.made {
		l.lowerDecl(c.made[i])
	}
	for _, e := range c.Vars {
		l.uses = map[*entity]bool{}
		e.typ = l.typeName(e.obj.Type())
		l.unit.Decls = append(l.unit.Decls, Block{Code: "var " + e.emitted + " " + e.typ, Cell: p.cell, Line: 1})
	}
	l.lowerBody()
	if len(l.errs) > 0 {
		return nil, l.errs.sorted()
	}
	l.unit.Decls = append(l.unit.Decls, p.shapeSrc...)
	l.unit.Decls = append(l.unit.Decls, l.lifted...)
	for path := range l.paths {
		if p.image.emitted[path] == "" {
			l.unit.Imports = append(l.unit.Imports, Import{importName(path), path})
		}
	}
	sort.Slice(l.unit.Imports, func(i, j int) bool { return l.unit.Imports[i].Path < l.unit.Imports[j].Path })
	return l.unit, nil
}

// A madeDecl is a declaration on its way into the unit.
type madeDecl struct {
	*decl
	node ast.Node
	file *file
}

// nameDeclarations gives each name that the cell declares or makes again its emitted name.
func (l *lowering) nameDeclarations() []madeDecl {
	var made []madeDecl
	for _, f := range l.c.files {
		if f == l.c.stmts {
			continue
		}
		for _, d := range f.ast.Decls {
			start, end := f.offset(d.Pos()), f.offset(d.End())
			nd := &decl{cell: f.cell, code: f.code, start: start, end: end, text: f.code[start:end]}
			add := func(id *ast.Ident, key string) {
				if obj := l.c.info.Defs[id]; obj != nil && id.Name != "_" {
					e := &entity{name: key, obj: obj, decl: nd, cell: f.cell}
					nd.entities = append(nd.entities, e)
					l.fresh[obj] = e
				}
			}
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil {
					add(d.Name, methodKey(d.Recv, d.Name.Name))
				} else {
					add(d.Name, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						add(s.Name, s.Name.Name)
					case *ast.ValueSpec:
						for _, n := range s.Names {
							add(n, n.Name)
						}
					}
				}
			}
			made = append(made, madeDecl{nd, d, f})
		}
	}
	types := map[string]string{}
	for _, m := range made {
		for _, e := range m.entities {
			if !strings.Contains(e.name, ".") {
				e.emitted = l.p.image.emit(e.name)
				types[e.name] = e.emitted
			}
		}
	}
	for _, m := range made {
		for _, e := range m.entities {
			if t, method, ok := strings.Cut(e.name, "."); ok {
				e.emitted = types[t] + "." + method
			}
			l.p.entities = append(l.p.entities, e)
		}
	}
	return made
}

// nameVariables names the cell's variables. One that has the type of the
// notebook's variable of that name is that variable.
func (l *lowering) nameVariables() (made []*entity) {
	for _, s := range l.p.steps {
		for _, id := range s.defines {
			v := l.c.vars[id.Name]
			if v == nil || id.Name == "_" {
				continue
			}
			e := &entity{name: id.Name, obj: v, isVar: true, cell: l.p.cell, home: l.p.done}
			if old := l.p.image.live[id.Name]; old != nil && old.isVar && types.Identical(old.obj.Type(), v.Type()) {
				// Those who use it keep using the same object.
				l.fresh[v] = old
				if old.lost {
					l.p.revived = append(l.p.revived, old)
				}
				continue
			}
			e.emitted = l.p.image.emit(id.Name)
			l.fresh[v] = e
			l.p.entities = append(l.p.entities, e)
			made = append(made, e)
		}
	}
	return made
}

// emit gives a name that no session has seen, the plain one at first.
func (im *Image) emit(name string) string {
	im.versions[name]++
	n := im.versions[name]
	if n == 1 && name != "main" && name != "init" && types.Universe.Lookup(name) == nil && !strings.HasPrefix(name, "pk_") {
		return name
	}
	return fmt.Sprintf("%s__%d", name, n)
}

func (f *file) offset(pos token.Pos) int { return f.tok.Offset(pos) - prefixLen }

func (l *lowering) entity(obj types.Object) *entity {
	if e := l.fresh[obj]; e != nil {
		return e
	}
	if e := l.c.objects[obj]; e != nil {
		return e
	}
	return l.p.image.objects[obj]
}

// use notes that the declaration being lowered names e and gives e's emitted name.
func (l *lowering) use(e *entity) string {
	if l.uses != nil {
		l.uses[e] = true
	}
	return e.emitted
}

func (l *lowering) importFor(path string) string {
	l.paths[path] = true
	return importName(path)
}

func (l *lowering) errorf(pos token.Pos, format string, args ...any) {
	l.errs = append(l.errs, errorAt(l.file.cell, l.file.code, l.file.offset(pos), fmt.Sprintf(format, args...)))
}

func (l *lowering) temp(kind string) string {
	l.p.image.temps++
	return fmt.Sprintf("%s__%d_%d", kind, l.p.image.plans, l.p.image.temps)
}

func (l *lowering) lowerDecl(m madeDecl) {
	l.file, l.edits, l.uses = m.file, nil, map[*entity]bool{}
	if isGeneric(m.node) {
		m.silent = true // its instances are declared
		m.uses = l.usesOf(m.node)
		return
	}
	code := ""
	if g, ok := m.node.(*ast.GenDecl); ok && g.Tok == token.CONST {
		code = l.constants(g)
	}
	if code == "" {
		if fd, ok := m.node.(*ast.FuncDecl); ok {
			l.ident(fd.Name)
			l.walkFunc(fd)
		} else {
			l.walk(m.node)
		}
		code = l.render(m.start, m.end)
	}
	delete(l.uses, nil)
	for _, e := range l.usesOf(m.node) { // what code names, also constants that are gone from it
		l.uses[e] = true
	}
	m.uses = nil
	for e := range l.uses {
		m.uses = append(m.uses, e)
	}
	slices.SortFunc(m.uses, func(a, b *entity) int { return strings.Compare(a.emitted, b.emitted) })
	m.block = Block{Code: code, Cell: m.cell, Line: strings.Count(m.code[:m.start], "\n") + 1}
	l.unit.Decls = append(l.unit.Decls, m.block)
	for _, e := range m.entities {
		l.unit.Uses[e.emitted] = useOf(m.decl)
	}
	// Whoever uses a type may call its methods.
	for _, e := range m.entities {
		if t, _, ok := strings.Cut(e.emitted, "."); ok {
			u := l.unit.Uses[t]
			u.Funcs = append(u.Funcs, e.emitted)
			l.unit.Uses[t] = u
		}
	}
}

// constants writes constants by their values: the interpreter gets iota wrong in places.
func (l *lowering) constants(g *ast.GenDecl) string {
	var lines []string
	for _, s := range g.Specs {
		for _, n := range s.(*ast.ValueSpec).Names {
			obj, ok := l.c.info.Defs[n].(*types.Const)
			if !ok || n.Name == "_" {
				continue
			}
			k := obj.Val().Kind()
			if k != constant.Int && k != constant.String && k != constant.Bool {
				return ""
			}
			typ := ""
			if b, ok := obj.Type().(*types.Basic); !ok || b.Info()&types.IsUntyped == 0 {
				typ = " " + l.typeName(obj.Type())
			} else if b.Kind() == types.UntypedFloat || b.Kind() == types.UntypedRune || b.Kind() == types.UntypedComplex {
				return ""
			}
			lines = append(lines, fmt.Sprintf("const %s%s = %s", l.entity(obj).emitted, typ, obj.Val().ExactString()))
		}
	}
	return strings.Join(lines, "; ")
}

// lowerBody emits the cell's statements as a function that gives the values of
// the bare last expression.
func (l *lowering) lowerBody() {
	if len(l.p.steps) == 0 && len(l.p.notes) == 0 && !l.p.program {
		return
	}
	l.file, l.edits, l.uses = l.c.stmts, nil, map[*entity]bool{}
	l.frame = &funcFrame{codes: map[string]int{}}
	l.lowerSteps()
	var intro string
	for _, n := range l.p.notes {
		intro += fmt.Sprintf("%s.Note(%q); ", l.importFor(CellPackage), n)
	}
	outro := "\n"
	if e := l.p.image.live["main"]; l.p.program {
		for _, d := range l.p.entities {
			if d.name == "main" {
				e = d
			}
		}
		if e != nil {
			outro += l.use(e) + "(); "
		}
	}
	l.unit.Entry = fmt.Sprintf("cell__%d_%d", l.p.cell, l.p.image.plans)
	text := l.render(0, len(l.file.text))
	if len(l.frame.extra) > 0 {
		intro += strings.Join(l.frame.extra, "; ") + "; "
	}
	l.frame = nil
	l.unit.Body = &Block{
		Code: "func " + l.unit.Entry + "() []interface{} { " + intro + text + outro + "return nil }",
		Cell: l.p.cell, Line: 1,
	}
	d := &decl{uses: slices.Collect(maps.Keys(l.uses))}
	l.unit.Uses[l.unit.Entry] = useOf(d)
}

// lowerSteps lowers the steps. Where a variable must be initialised before one that
// stands above it, all those round it become functions, called in the right order
// at the place of the first: so the lines of the text stay what they are.
func (l *lowering) lowerSteps() {
	steps := l.p.steps
	for i := 0; i < len(steps); i++ {
		j := i
		for j < len(steps) && steps[j].spec != nil {
			j++
		}
		if slices.IsSortedFunc(steps[i:j], func(a, b step) int { return a.offset - b.offset }) && !l.shareSpec(steps[i:j]) {
			l.lowerStep(steps[i], i == len(steps)-1)
			continue
		}
		first := steps[i].offset
		calls := ""
		for _, s := range steps[i:j] {
			first = min(first, s.offset)
			name := l.temp("var")
			code := "func " + name + "() { " + l.assignment(s) + " }"
			l.unit.Decls = append(l.unit.Decls, Block{Code: code, Cell: l.p.cell, Line: strings.Count(l.p.code[:s.offset], "\n") + 1})
			d := &decl{uses: slices.Collect(maps.Keys(l.uses))}
			l.unit.Uses[name] = useOf(d)
			calls += name + "(); "
		}
		l.insert(first, calls)
		i = j - 1
	}
}

// shareSpec says whether some of the steps were one declaration, var a, b = 1, 2,
// whose text cannot be replaced piece by piece.
func (l *lowering) shareSpec(steps []step) bool {
	return slices.ContainsFunc(steps, func(s step) bool {
		end := l.c.offsetIn(l.c.stmts, s.spec.End())
		return slices.ContainsFunc(steps, func(o step) bool { return o.offset > s.offset && o.offset < end })
	})
}

// assignment gives a var declaration as what it does at its place.
func (l *lowering) assignment(s step) string {
	l.file = l.c.files[0] // the cell's declarations
	defer func() { l.file = l.c.stmts }()
	l.walkList(s.spec.Values)
	start, end := s.offset, l.c.offsetIn(l.c.stmts, s.spec.End())
	var names []string
	var zeros []string
	for _, id := range s.spec.Names {
		if e := l.fresh[l.c.info.Defs[id]]; e != nil {
			names = append(names, l.use(e))
			zeros = append(zeros, e.emitted+" = "+l.zero(l.c.vars[id.Name].Type()))
		} else {
			names = append(names, "_")
		}
	}
	if len(s.spec.Values) == 0 {
		return strings.Join(zeros, "; ") + ";" + strings.Repeat("\n", strings.Count(l.p.code[start:end], "\n"))
	}
	values := l.c.offsetIn(l.c.stmts, s.spec.Values[0].Pos())
	text := l.render(values, end)
	return strings.Repeat("\n", strings.Count(l.p.code[start:values], "\n")) + strings.Join(names, ", ") + " = " + text + ";"
}

func (l *lowering) lowerStep(s step, last bool) {
	if s.init != nil {
		at := max(s.offset, l.c.offsetIn(l.c.stmts, s.init.End()))
		if e := l.fresh[l.c.info.Defs[s.init.Name]]; e != nil {
			l.insert(at, l.use(e)+"(); ")
		}
		return
	}
	if s.spec != nil {
		start, end := s.offset, l.c.offsetIn(l.c.stmts, s.spec.End())
		text := l.assignment(s)
		l.replace(start, end, func() string { return text })
		return
	}
	if a, ok := s.stmt.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
		at := l.file.offset(a.TokPos)
		l.replace(at, at+2, func() string { return "=" })
	}
	if e, ok := s.stmt.(*ast.ExprStmt); ok && last && e.X == l.c.result {
		l.lowerResult(e)
		return
	}
	l.walk(s.stmt)
}

// lowerResult makes the last expression what the cell returns, if it has a value.
// Printing is no result, as everywhere in Go its values are ignored.
func (l *lowering) lowerResult(e *ast.ExprStmt) {
	l.walk(e.X)
	tv := l.c.info.Types[e.X]
	n := 1
	if t, ok := tv.Type.(*types.Tuple); ok {
		n = t.Len()
	}
	if !tv.IsValue() && n < 2 || n == 0 || l.isPrint(e.X) {
		return
	}
	start, end := l.file.offset(e.Pos()), l.file.offset(e.End())
	l.replace(start, end, func() string {
		text := l.render(start, end)
		if n == 1 {
			return "return []interface{}{" + l.shown(tv.Type, text) + "}"
		}
		names := make([]string, n)
		for i := range names {
			names[i] = l.temp("r")
		}
		list := strings.Join(names, ", ")
		return list + " := " + text + "; return []interface{}{" + list + "}"
	})
}

// shown gives the text of a notebook's type by its own String or Error method,
// which compiled code cannot see.
func (l *lowering) shown(t types.Type, text string) string {
	for _, method := range []string{"Error", "String"} {
		obj, _, _ := types.LookupFieldOrMethod(t, false, l.c.pkg, method)
		f, ok := obj.(*types.Func)
		if !ok || l.entity(f.Origin()) == nil || types.IsInterface(t) {
			continue
		}
		if s := f.Signature(); s.Params().Len() == 0 && s.Results().Len() == 1 && types.Identical(s.Results().At(0).Type(), types.Typ[types.String]) {
			return "(" + text + ")." + method + "()"
		}
	}
	return text
}

func (l *lowering) isPrint(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	f := l.callee(call)
	return f != nil && f.Pkg() != nil && f.Pkg().Path() == "fmt" && (strings.HasPrefix(f.Name(), "Print") || strings.HasPrefix(f.Name(), "Fprint"))
}

// callee is the function or method that a call names, nil for values and conversions.
func (l *lowering) callee(call *ast.CallExpr) *types.Func {
	var id *ast.Ident
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	case *ast.IndexExpr:
		return l.callee(&ast.CallExpr{Fun: f.X})
	case *ast.IndexListExpr:
		return l.callee(&ast.CallExpr{Fun: f.X})
	default:
		return nil
	}
	f, _ := l.c.info.Uses[id].(*types.Func)
	return f
}

func (c *check) offsetIn(_ *file, pos token.Pos) int {
	return c.p.parsed.fset.Position(pos).Offset - prefixLen
}

func (l *lowering) replace(start, end int, text func() string) {
	l.edits = append(l.edits, edit{start, end, text, len(l.edits)})
}

func (l *lowering) insert(at int, text string) {
	l.replace(at, at, func() string { return text })
}

// render gives the current file's text from start to end with the edits made.
func (l *lowering) render(start, end int) string { return l.renderIn(l.file.text, start, end) }

func (l *lowering) renderIn(text string, start, end int) string {
	// Insertions come before what starts at the same place; of replacements the
	// longest is the outermost, and the last made of equals.
	var in []int
	for i, e := range l.edits {
		if e.start >= start && e.end <= end && e.text != nil {
			in = append(in, i)
		}
	}
	sort.SliceStable(in, func(a, b int) bool {
		x, y := l.edits[in[a]], l.edits[in[b]]
		if x.start != y.start {
			return x.start < y.start
		}
		if (x.start == x.end) != (y.start == y.end) {
			return x.start == x.end
		}
		if x.end != y.end {
			return x.end > y.end
		}
		if x.start == x.end {
			return x.seq < y.seq
		}
		return x.seq > y.seq
	})
	var b strings.Builder
	at := start
	for _, i := range in {
		e := l.edits[i]
		if e.start < at || l.edits[i].text == nil {
			continue // rendered with one it is inside of
		}
		b.WriteString(text[at:e.start])
		// Done with: what it renders in turn is the rest.
		l.edits[i].text = nil

		b.WriteString(e.text())
		at = e.end
	}
	b.WriteString(text[at:end])
	return b.String()
}
