package source

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// A Checked is a cell that the type checker accepts: what a back end makes code
// from. Nothing in it may be changed. The notebook takes it with Adopt.
type Checked struct {
	Cell    int // execution count
	Number  int // unique in the notebook
	Code    string
	Pkg     *types.Package // its own, although every cell's is called main
	Info    *types.Info
	Decls   []*Decl    // what it declares, and the earlier declarations that it makes again
	Vars    []*Entity  // variables that it makes
	Steps   []*Step    // statements and initialisations, in order
	Result  ast.Expr   // the bare last expression, nil for none
	Notes   []string   // to be told to the user
	Main    *Entity    // func main, where the cell is a program that calls it
	Blank   []string   // paths of packages that it imports as _, for what they do
	Defines []*Entity  // all variables that the steps define, made by this cell or not
	stmts   *file      // the steps' text
	plan    *plan      // what Adopt makes of it
	lower   *lowering  // the interpreter's form of it
	made    []madeDecl // the same as Decls
	image   *Image     // whose it is
	fset    *token.FileSet
}

// An Entity is one version of one name that the notebook declares.
type Entity = entity

// Name is the name as its programmer wrote it; a method's is Type.Method.
func (e *entity) Name() string { return e.name }

// Emitted is a name that no other version of any name has.
func (e *entity) Emitted() string { return e.emitted }

// Object is what go/types knows of it. That of a variable that a later cell
// assigns anew stays the first one.
func (e *entity) Object() types.Object { return e.obj }

// IsVar tells variables from declarations.
func (e *entity) IsVar() bool { return e.isVar }

// Decl is its declaration, nil for a variable.
func (e *entity) Decl() *Decl { return e.decl }

// A Decl is the source of one declaration, which may declare several names.
type Decl = decl

// Entities are what it declares.
func (d *decl) Entities() []*Entity { return d.entities }

// Uses are the notebook's entities that it names.
func (d *decl) Uses() []*Entity { return d.uses }

// Home is the cell that made this version of it.
func (d *decl) Home() *Checked { return d.home }

// Node is its syntax, to be understood with its home's Info.
func (d *decl) Node() ast.Node { return d.node }

// Source is the text that it is written in.
func (d *decl) Source() Text { return Text{d.file} }

// A Step is one thing a cell does. Exactly one of the three is set. Steps are in
// the order to run them, which need not be that of the text: var declarations that
// stand together come by what they depend on, and func init after them.
type Step struct {
	Stmt   ast.Stmt
	Var    *ast.ValueSpec // var in a cell is a step, since it happens at its place
	Call   *Entity        // a func init, to be called
	source Text
}

// Node is the step's syntax, nil for Call.
func (s *Step) Node() ast.Node {
	switch {
	case s.Var != nil:
		return s.Var
	case s.Call != nil:
		return nil
	}
	return s.Stmt
}

// Source is the text that it is written in.
func (s *Step) Source() Text { return s.source }

// A Text is the text of one cell, as positions of its syntax mean it.
type Text struct{ file *file }

// Code is the whole cell's text.
func (t Text) Code() string { return t.file.code }

// Cell is the cell's execution count.
func (t Text) Cell() int { return t.file.cell }

// Offset is the place of pos in Code.
func (t Text) Offset(pos token.Pos) int { return t.file.offset(pos) }

// Line is the line of Code, from 1, that pos is on.
func (t Text) Line(pos token.Pos) int { return 1 + strings.Count(t.file.code[:t.Offset(pos)], "\n") }

// Entity gives the notebook's entity that an object of the cell's Info is, nil for
// what is local, of another package or universal.
func (c *Checked) Entity(obj types.Object) *Entity {
	if obj == nil {
		return nil
	}
	if f, ok := obj.(*types.Func); ok {
		obj = f.Origin()
	}
	return c.lower.entity(obj)
}

// HomeOf is the cell whose own package obj was declared in, nil where it is none's.
func (im *Image) HomeOf(pkg *types.Package) *Checked {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.homes[pkg]
}

// checked names what the cell makes.
func (p *plan) checked(k *check) *Checked {
	im := p.image
	l := &lowering{
		c: k, p: p, fresh: map[types.Object]*entity{}, paths: map[string]bool{},
		unit: &Unit{Cell: p.cell, Uses: map[string]Use{}, plan: p},
	}
	c := &Checked{
		Cell: p.cell, Number: im.plans, Blank: p.blanks, Code: p.code, Pkg: k.pkg, Info: k.info, Result: k.result, Notes: p.notes,
		stmts: k.stmts, plan: p, lower: l, image: im, fset: p.parsed.fset,
	}
	p.done = c
	im.homes[k.pkg] = c
	c.made = l.nameDeclarations()
	c.Vars = l.nameVariables()
	for i := range c.made {
		d := c.made[i].decl
		d.home, d.node, d.file = c, c.made[i].node, c.made[i].file
		d.uses = l.usesOf(d.node)
		im.order++
		d.order = im.order
		c.Decls = append(c.Decls, d)
	}
	for _, s := range p.steps {
		made := &Step{Stmt: s.stmt, Var: s.spec, source: Text{c.stmts}}
		if s.spec != nil {
			made.source = Text{k.files[0]}
		}
		if s.init != nil {
			made.Call = l.fresh[k.info.Defs[s.init.Name]]
		}
		c.Steps = append(c.Steps, made)
		for _, id := range s.defines {
			if e := l.fresh[k.info.Defs[id]]; e != nil {
				c.Defines = append(c.Defines, e)
			}
		}
	}
	if p.program {
		c.Main = im.live["main"]
		for _, d := range c.Decls {
			for _, e := range d.entities {
				if e.name == "main" {
					c.Main = e
				}
			}
		}
	}
	return c
}

// usesOf lists the entities that n names.
func (l *lowering) usesOf(n ast.Node) []*entity {
	var found []*entity
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			obj := l.c.info.Uses[id]
			if f, ok := obj.(*types.Func); ok {
				obj = f.Origin()
			}
			if obj != nil {
				if e := l.entity(obj); e != nil && !slices.Contains(found, e) {
					found = append(found, e)
				}
			}
		}
		return true
	})
	slices.SortFunc(found, func(a, b *entity) int { return cmp.Compare(a.emitted, b.emitted) })
	return found
}

// Lower gives the cell in the form that the interpreter runs. The error, of type
// Errors, says what it cannot run.
func (c *Checked) Lower() (*Unit, error) {
	c.image.mu.Lock()
	defer c.image.mu.Unlock()
	return c.plan.lower(c)
}

// Adopt makes a cell's declarations and variables part of the notebook. It is
// called when a session has taken the cell. A cell that was checked before a
// later one was adopted is ignored.
func (im *Image) Adopt(c *Checked) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if c.plan != nil && c.image == im {
		im.take(c.plan)
	}
}

// lowerLate lowers a declaration that no interpreter has had yet.
func (im *Image) lowerLate(d *decl) {
	l := d.home.lower
	l.unit.Uses = map[string]Use{}
	l.lowerDecl(madeDecl{d, d.node, d.file})
	for path := range l.paths {
		im.emitted[path] = importName(path)
	}
	maps.Copy(im.shapes, l.p.shapes)
	maps.Copy(im.instances, l.p.instances)
	maps.Copy(im.locals, l.p.locals)
	im.shapeSrc = append(im.shapeSrc, l.p.shapeSrc...)
	l.p.shapes, l.p.shapeSrc = map[string]string{}, nil
	im.shapeSrc = append(im.shapeSrc, l.lifted...)
	l.lifted = nil
}

// Live lists the notebook's declarations that still matter, in the order in which
// they were made: the newest versions, and older ones that those or variables need.
func (im *Image) Live() []*Decl {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.liveDecls()
}

func (im *Image) liveDecls() []*Decl {
	seen := map[*decl]bool{}
	var decls []*decl
	for _, e := range im.live {
		if !e.isVar && !seen[e.decl] {
			seen[e.decl] = true
			decls = append(decls, e.decl)
		}
	}
	for d := range im.olderDecls(seen) {
		decls = append(decls, d)
	}
	slices.SortFunc(decls, func(a, b *decl) int { return a.order - b.order })
	return decls
}

// Vars lists the notebook's variables by name.
func (im *Image) Vars() []*Entity {
	im.mu.Lock()
	defer im.mu.Unlock()
	var vars []*entity
	for _, e := range im.live {
		if e.isVar {
			vars = append(vars, e)
		}
	}
	slices.SortFunc(vars, func(a, b *entity) int { return cmp.Compare(a.name, b.name) })
	return vars
}

// ByEmitted maps the emitted names of the notebook's variables to those that
// users know.
func (im *Image) ByEmitted() map[string]string {
	im.mu.Lock()
	defer im.mu.Unlock()
	names := map[string]string{}
	for _, e := range im.live {
		if e.isVar {
			names[e.emitted] = e.name
		}
	}
	return names
}
