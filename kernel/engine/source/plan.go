package source

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// A plan is a cell on its way to becoming a Unit.
type plan struct {
	image    *Image
	cell     int
	code     string
	imports  map[string]string // those the cell adds
	dots     []string          // paths that it imports as .
	blanks   []string          // and as _
	steps    []step            // what the cell runs, in order
	newDecls []*decl           // what it declares, in order
	replaced map[string]bool   // names that get a new version
	affected []*decl           // live declarations that must be made again
	broken   map[*decl]bool    // live declarations that no longer fit
	notes    []string
	entities []*entity
	revived  []*entity // lost variables that the cell assigns again
	removed  []string
	shapes   map[string]string
	shapeSrc []Block
	parsed   *parsed
	program  bool // has a package clause: main is to be called
	done     *Checked

	instances map[string]*entity      // of generics, as in Image
	locals    map[types.Object]string // global names of local types
}

// A step is one thing a cell does: a statement or the initialisation of variables.
type step struct {
	offset  int
	stmt    ast.Stmt
	spec    *ast.ValueSpec     // for var; nil for statements
	init    *ast.FuncDecl      // func init, called here
	defines []*ast.Ident       // new variables
	again   map[int]*ast.Ident // left-hand sides of := that an earlier step defined: position -> stand-in
}

// Plan checks a cell against the notebook and lowers it. It changes nothing: the
// notebook takes the cell with Commit. The error, if any, is of type Errors.
// cell is the execution count that positions in errors and panics will show.
func (im *Image) Plan(cell int, code string) (*Unit, error) {
	c, err := im.Check(cell, code)
	if err != nil {
		return nil, err
	}
	return c.Lower()
}

// Check checks a cell as Plan does, and leaves it to the caller what code to make
// of it.
func (im *Image) Check(cell int, code string) (*Checked, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.plans++
	if im.importer.entries == nil {
		return nil, Errors{{Cell: cell, Line: 1, Col: 1, Msg: "this build lacks its type information; rebuild it"}}
	}
	pieces, nest := split(cell, code)
	if nest.err != nil {
		return nil, Errors{*nest.err}
	}
	if n := len(nest.open); n > 0 {
		e := errorAt(cell, code, nest.openAt[n-1], fmt.Sprintf("syntax error: this %c is never closed by %c", code[nest.openAt[n-1]], nest.open[n-1]))
		return nil, Errors{e}
	}
	ps, err := parseCell(cell, code, pieces)
	if err != nil {
		return nil, err
	}
	p := &plan{
		image: im, cell: cell, code: code, parsed: ps,
		imports: map[string]string{}, replaced: map[string]bool{}, shapes: map[string]string{},
		instances: map[string]*entity{}, locals: map[types.Object]string{},
	}
	for _, x := range pieces {
		p.program = p.program || x.kind == packaging
	}
	if errs := p.collect(); len(errs) > 0 {
		return nil, errs.sorted()
	}
	p.keepOldValues()
	// Checking tells the types of the cell's variables, and only then is it known
	// which of them are new variables to those who use them. Declarations that no
	// longer fit what the cell redefines drop out one round at a time.
	p.broken = map[*decl]bool{}
	changed := map[string]bool{}
	for {
		p.affect(changed)
		c := p.check()
		if len(c.bad) > 0 && len(c.errs) == 0 {
			for d, msg := range c.bad {
				if !p.broken[d] {
					p.broken[d] = true
					p.notes = append(p.notes, fmt.Sprintf("note: %s of cell[%d] no longer fits what this cell redefines and is gone: %s", d.names(), d.cell, msg))
				}
			}
			continue
		}
		if len(c.errs) > 0 {
			return nil, c.errs.sorted()
		}
		more := false
		for name, v := range c.vars {
			old := im.live[name]
			if old != nil && !(old.isVar && types.Identical(old.obj.Type(), v.Type())) && !changed[name] {
				changed[name] = true
				more = true
			}
		}
		if more {
			continue
		}
		for d := range p.broken {
			for _, e := range d.entities {
				p.removed = append(p.removed, e.name)
			}
		}
		return p.checked(c), nil
	}
}

// names lists what d declares, for messages.
func (d *decl) names() string {
	var ns []string
	for _, e := range d.entities {
		ns = append(ns, e.name)
	}
	return strings.Join(ns, ", ")
}

func (p *plan) offset(pos token.Pos) int { return p.parsed.fset.Position(pos).Offset - prefixLen }

func (p *plan) errorf(pos token.Pos, format string, args ...any) Error {
	return errorAt(p.cell, p.code, p.offset(pos), fmt.Sprintf(format, args...))
}

// collect sorts the parsed cell into imports, declarations and steps.
func (p *plan) collect() (errs Errors) {
	for _, d := range p.parsed.decls.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = methodKey(d.Recv, name)
			}
			switch {
			case d.Body == nil && strings.HasPrefix(strings.TrimSpace(p.code[p.offset(d.End()):]), "{"):
				errs = append(errs, p.errorf(d.End(), "syntax error: unexpected semicolon or newline before {"))
				continue
			case d.Body == nil: // what notebooks show to explain a library
				p.notes = append(p.notes, fmt.Sprintf("note: func %s has no body; it is taken as documentation and not declared", name))
				p.drop(d)
				continue
			case d.Recv == nil && name == "init":
				p.steps = append(p.steps, step{offset: p.offset(d.Pos()), init: d})
				continue
			}
			p.declare(d, name)
		case *ast.GenDecl:
			switch d.Tok {
			case token.IMPORT:
				for _, s := range d.Specs {
					s := s.(*ast.ImportSpec)
					path, _ := strconv.Unquote(s.Path.Value)
					pkg, err := p.image.importer.Import(path)
					if err != nil {
						errs = append(errs, p.errorf(s.Path.Pos(), "%v", err))
						continue
					}
					name := pkg.Name()
					if s.Name != nil {
						name = s.Name.Name
					}
					switch name {
					case ".":
						p.dots = append(p.dots, pkg.Path())
					case "_":
						p.blanks = append(p.blanks, pkg.Path())
					default:
						p.imports[name] = pkg.Path()
					}
				}
			case token.VAR:
				for _, s := range d.Specs {
					for _, s := range single(s.(*ast.ValueSpec)) {
						p.steps = append(p.steps, step{offset: p.offset(s.Pos()), spec: s, defines: s.Names})
					}
				}
			default:
				var names []string
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names = append(names, s.Name.Name)
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names = append(names, n.Name)
						}
					}
				}
				p.declare(d, names...)
			}
		}
	}
	for _, s := range p.parsed.body.List {
		p.steps = append(p.steps, step{offset: p.offset(s.Pos()), stmt: s})
	}
	p.sortSteps()
	defined := map[string]bool{}
	for i := range p.steps {
		s := &p.steps[i]
		if a, ok := s.stmt.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
			fresh := 0
			for j, l := range a.Lhs {
				id, ok := l.(*ast.Ident)
				switch {
				case !ok:
					errs = append(errs, p.errorf(l.Pos(), "non-name on left side of :="))
				case id.Name == "_":
				case defined[id.Name]:
					if s.again == nil {
						s.again = map[int]*ast.Ident{}
					}
					s.again[j] = &ast.Ident{NamePos: id.Pos(), Name: fmt.Sprintf("again·%d·%d", i, j)}
				default:
					fresh++
					s.defines = append(s.defines, id)
				}
			}
			if fresh == 0 && len(errs) == 0 {
				errs = append(errs, p.errorf(a.TokPos, "no new variables on left side of :="))
			}
		}
		for _, id := range s.defines {
			if id.Name == "_" {
				continue
			}
			if defined[id.Name] {
				errs = append(errs, p.errorf(id.Pos(), "%s redeclared in this cell", id.Name))
			}
			defined[id.Name] = true
		}
	}
	return errs
}

// single gives var a, b = 1, 2 as var a = 1 and var b = 2, which need not be
// initialised one right after the other.
func single(s *ast.ValueSpec) []*ast.ValueSpec {
	if len(s.Names) < 2 || len(s.Names) != len(s.Values) {
		return []*ast.ValueSpec{s}
	}
	var specs []*ast.ValueSpec
	for i, n := range s.Names {
		specs = append(specs, &ast.ValueSpec{Names: []*ast.Ident{n}, Type: s.Type, Values: []ast.Expr{s.Values[i]}})
	}
	return specs
}

// sortSteps puts the steps in the order of the cell's text. A func init runs at
// its place, but not before all the cell's var declarations, as in a package.
func (p *plan) sortSteps() {
	vars := 0
	for _, s := range p.steps {
		if s.spec != nil {
			vars = max(vars, s.offset+1)
		}
	}
	for i := range p.steps {
		if p.steps[i].init != nil {
			p.steps[i].offset = max(p.steps[i].offset, vars)
		}
	}
	sort.SliceStable(p.steps, func(i, j int) bool { return p.steps[i].offset < p.steps[j].offset })
}

// initOrder puts var declarations that stand together in the order in which a
// package's variables are initialised: each after those that its value depends on.
func (c *check) initOrder() {
	at := map[types.Object]int{}
	for i, in := range c.info.InitOrder {
		for _, v := range in.Lhs {
			at[v] = i + 1
		}
	}
	when := func(s step) (n int) { // 0 for those without a value
		for _, id := range s.spec.Names {
			n = max(n, at[c.info.Defs[id]])
		}
		return n
	}
	steps := c.p.steps
	for i := 0; i < len(steps); {
		j := i
		for j < len(steps) && steps[j].spec != nil {
			j++
		}
		slices.SortStableFunc(steps[i:j], func(a, b step) int { return when(a) - when(b) })
		i = j + 1
	}
}

// declare notes a declaration of the cell, unless it is there already word for word.
func (p *plan) declare(d ast.Decl, names ...string) {
	start, end := p.offset(d.Pos()), p.offset(d.End())
	nd := &decl{cell: p.cell, code: p.code, start: start, end: end, text: p.code[start:end]}
	same := len(names) > 0
	for _, n := range names {
		old := p.image.live[n]
		same = same && old != nil && old.decl != nil && old.decl.text == nd.text && len(old.decl.entities) == len(names)
		nd.entities = append(nd.entities, &entity{name: n, decl: nd, cell: p.cell})
	}
	if same {
		p.drop(d)
		return
	}
	for _, n := range names {
		if n != "_" {
			p.replaced[n] = true
		}
	}
	p.newDecls = append(p.newDecls, nd)
}

func (p *plan) drop(d ast.Decl) {
	f := p.parsed.decls
	f.Decls = slices.DeleteFunc(slices.Clone(f.Decls), func(x ast.Decl) bool { return x == d })
}

// oldName is how a cell's code names a variable's earlier version, which it may
// do until it redeclares the variable: x := x + 1.
func oldName(name string) string { return "old·" + name }

// keepOldValues renames uses of a variable that come before the cell's own
// declaration of it, so that they mean the version of an earlier cell.
func (p *plan) keepOldValues() {
	for i, s := range p.steps {
		for _, id := range s.defines {
			old := p.image.live[id.Name]
			if old == nil || !old.isVar || old.lost {
				continue
			}
			for _, before := range p.steps[:i] {
				renameIn(before.node(), id)
			}
			for _, v := range s.values() {
				renameIn(v, id)
			}
		}
	}
}

// renameIn renames in n all that may mean the variable id, but not id itself and
// no field. A local variable of that name is renamed as a whole, which is harmless.
func renameIn(n ast.Node, id *ast.Ident) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.SelectorExpr:
			renameIn(x.X, id)
			return false
		case *ast.KeyValueExpr:
			if _, ok := x.Key.(*ast.Ident); ok { // may be a field's name
				renameIn(x.Value, id)
				return false
			}
		case *ast.Ident:
			if x != id && x.Name == id.Name {
				x.Name = oldName(id.Name)
			}
		}
		return true
	})
}

func (s step) node() ast.Node {
	switch {
	case s.spec != nil:
		return s.spec
	case s.init != nil:
		return s.init.Name
	}
	return s.stmt
}

func (s step) values() []ast.Expr {
	if s.spec != nil {
		return s.spec.Values
	}
	if a, ok := s.stmt.(*ast.AssignStmt); ok {
		return a.Rhs
	}
	return nil
}

// affect works out which live declarations must be made again: those that use,
// through any number of others, something that the cell gives a new version.
func (p *plan) affect(changedVars map[string]bool) {
	replaced := maps.Clone(p.replaced)
	maps.Copy(replaced, changedVars)
	declared := map[string]bool{}
	for _, d := range p.newDecls {
		for _, e := range d.entities {
			declared[e.name] = true
		}
	}
	for _, s := range p.steps {
		for _, id := range s.defines {
			declared[id.Name] = true // a variable may take the name of a declaration
		}
	}
	for d := range p.broken {
		for _, e := range d.entities {
			replaced[e.name] = true
		}
	}
	affected := map[*decl]bool{} // false: seen, but declared anew by the cell
	for again := true; again; {
		again = false
		// A type and its methods are one: a new method makes a new version of the type.
		for name := range replaced {
			if t, _, ok := strings.Cut(name, "."); ok && !replaced[t] && p.image.live[t] != nil {
				replaced[t] = true
				again = true
			}
		}
		for _, e := range p.image.live {
			d := e.decl
			if d == nil || p.broken[d] {
				continue
			}
			if _, seen := affected[d]; seen {
				continue
			}
			hit := replaced[e.name] && !declared[e.name]
			for _, u := range d.uses {
				hit = hit || replaced[u.name] && p.image.live[u.name] == u
			}
			if !hit {
				continue
			}
			again = true
			affected[d] = true
			for _, x := range d.entities {
				affected[d] = affected[d] && !declared[x.name]
			}
			for _, x := range d.entities {
				replaced[x.name] = replaced[x.name] || affected[d]
			}
		}
	}
	maps.DeleteFunc(affected, func(_ *decl, again bool) bool { return !again })
	p.affected = slices.SortedFunc(maps.Keys(affected), func(a, b *decl) int { return a.order - b.order })
}
