package source

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A check is one pass of go/types over a cell, the declarations that it makes
// again, and the notebook's live names.
type check struct {
	p       *plan
	pkg     *types.Package
	info    *types.Info
	files   []*file
	stmts   *file
	vars    map[string]*types.Var // the cell's variables
	objects map[types.Object]*entity
	result  ast.Expr // the bare last expression
	errs    Errors   // of the cell
	bad     map[*decl]string
}

// A file is a parsed text that an offset less prefixLen in fset belongs to.
type file struct {
	tok  *token.File
	ast  *ast.File
	cell int
	code string // for positions
	text string // what is emitted from
	decl *decl  // the earlier declaration it holds; nil for the cell's own files
}

// check type-checks the plan as it stands.
func (p *plan) check() *check {
	c := &check{
		p:       p,
		pkg:     types.NewPackage("main", "main"),
		vars:    map[string]*types.Var{},
		objects: map[types.Object]*entity{},
		bad:     map[*decl]string{},
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
			Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
			Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
			Scopes: map[ast.Node]*types.Scope{},
		},
	}
	fset := p.parsed.fset
	own := func(a *ast.File, text string) *file {
		f := &file{tok: fset.File(a.Package), ast: a, cell: p.cell, code: p.code, text: text}
		c.files = append(c.files, f)
		return f
	}
	decls := *p.parsed.decls
	decls.Decls = nil
	for _, d := range p.parsed.decls.Decls {
		if g, ok := d.(*ast.GenDecl); ok && (g.Tok == token.VAR || g.Tok == token.IMPORT) {
			continue
		}
		decls.Decls = append(decls.Decls, d)
	}
	own(&decls, p.code)
	for _, d := range p.affected {
		text := only(d.code, []piece{{declaration, d.start, d.end}}, func(piece) bool { return true })
		a, err := parser.ParseFile(fset, "", pad("package main;")+text, 0)
		if err != nil {
			c.bad[d] = err.Error()
			continue
		}
		c.files = append(c.files, &file{tok: fset.File(a.Package), ast: a, cell: d.cell, code: d.code, text: d.code, decl: d})
	}
	c.stmts = own(c.body(), p.parsed.text)
	c.declareLive()

	conf := types.Config{
		Importer: p.image.importer,
		Error:    func(err error) { c.report(err.(types.Error)) },
	}
	var asts []*ast.File
	for _, f := range c.files {
		asts = append(asts, f.ast)
	}
	// The error is the first of those reported.
	_ = types.NewChecker(&conf, fset, c.pkg, c.info).Files(asts)
	for _, s := range p.steps {
		for _, id := range s.defines {
			if v, ok := c.info.Defs[id].(*types.Var); ok && id.Name != "_" {
				c.vars[id.Name] = v
			}
		}
	}
	if len(c.errs) == 0 {
		c.initOrder()
		c.usedTooEarly()
	}
	return c
}

// onlyVars says whether the cell has no statements: then its variables are
// initialised as a package's, and may not depend on themselves.
func (p *plan) onlyVars() bool {
	return !slices.ContainsFunc(p.steps, func(s step) bool { return s.stmt != nil })
}

// body gives the cell's statements as a function, with the variables that they
// define as variables of the package: other declarations of the cell see these.
func (c *check) body() *ast.File {
	p := c.p
	f := *p.parsed.stmts
	block := *p.parsed.body
	block.List = nil
	fn := &ast.FuncDecl{Name: &ast.Ident{Name: "_", NamePos: block.Lbrace}, Type: &ast.FuncType{Func: block.Lbrace, Params: &ast.FieldList{Opening: block.Lbrace, Closing: block.Lbrace}}, Body: &block}
	f.Decls = nil
	for _, s := range p.steps {
		if s.init != nil {
			continue
		}
		switch a := s.stmt.(type) {
		case nil:
			f.Decls = append(f.Decls, &ast.GenDecl{TokPos: s.spec.Pos(), Tok: token.VAR, Specs: []ast.Spec{s.spec}})
			continue
		case *ast.AssignStmt:
			if a.Tok == token.DEFINE {
				spec := &ast.ValueSpec{Values: a.Rhs}
				for i, l := range a.Lhs {
					id := l.(*ast.Ident)
					if again := s.again[i]; again != nil {
						id = again
						block.List = append(block.List, &ast.AssignStmt{Lhs: []ast.Expr{l}, TokPos: a.TokPos, Tok: token.ASSIGN, Rhs: []ast.Expr{&ast.Ident{NamePos: l.Pos(), Name: again.Name}}})
					}
					spec.Names = append(spec.Names, id)
				}
				f.Decls = append(f.Decls, &ast.GenDecl{TokPos: a.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}})
				continue
			}
		}
		block.List = append(block.List, s.stmt)
	}
	if n := len(p.steps); n > 0 {
		if e, ok := p.steps[n-1].stmt.(*ast.ExprStmt); ok {
			c.result = e.X
		}
	}
	f.Decls = append(f.Decls, fn)
	return &f
}

// declareLive puts the notebook's names, less those that the cell gives new
// versions, and the packages that are mentioned into the package's scope.
func (c *check) declareLive() {
	p, im := c.p, c.p.image
	taken := map[string]bool{}
	mentioned := map[string]bool{}
	for _, f := range c.files {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					taken[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						taken[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							taken[n.Name] = true
						}
					}
				}
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if id, ok := s.X.(*ast.Ident); ok {
					mentioned[id.Name] = true
				}
			}
			return true
		})
	}
	scope := c.pkg.Scope()
	for name, e := range im.live {
		c.objects[e.obj] = e
		if e.isVar && taken[name] && !e.lost {
			old := types.NewVar(token.NoPos, c.pkg, oldName(name), e.obj.Type())
			scope.Insert(old)
			c.objects[old] = e
		}
		if strings.Contains(name, ".") || taken[name] || e.lost || p.imports[name] != "" || !e.isVar && p.broken[e.decl] {
			continue
		}
		scope.Insert(e.obj)
		taken[name] = true
	}
	for _, path := range append(slices.Clone(im.dots), p.dots...) {
		pkg, err := im.importer.Import(path)
		if err != nil {
			continue // it was there when it was imported
		}
		for _, name := range pkg.Scope().Names() {
			if o := pkg.Scope().Lookup(name); o.Exported() && !taken[name] && p.imports[name] == "" {
				scope.Insert(o)
				taken[name] = true
			}
		}
	}
	if pkg, err := im.importer.Import(DisplayPackage); err == nil && !taken["Display"] {
		scope.Insert(types.NewFunc(token.NoPos, pkg, "Display", pkg.Scope().Lookup("Show").Type().(*types.Signature)))
	}
	for name := range mentioned {
		if taken[name] {
			continue
		}
		path := p.imports[name]
		if path == "" {
			path = im.imports[name]
		}
		if path == "" {
			path = im.importer.guess(name)
		}
		if path == "" {
			continue
		}
		if pkg, err := im.importer.Import(path); err == nil {
			scope.Insert(types.NewPkgName(token.NoPos, c.pkg, name, pkg))
		}
	}
}

var mainDot = regexp.MustCompile(`\bmain\.`)

// report sorts out one error of the type checker.
func (c *check) report(err types.Error) {
	msg := wordChecker(mainDot.ReplaceAllString(err.Msg, ""))
	if strings.HasPrefix(msg, "\t") && len(c.errs) > 0 { // belongs to the error before it
		last := &c.errs[len(c.errs)-1]
		if at := c.p.parsed.fset.Position(err.Pos); err.Pos.IsValid() {
			e := errorAt(c.p.cell, c.p.code, at.Offset-prefixLen, "")
			msg = fmt.Sprintf("\tcell[%d]:%d:%d: %s", e.Cell, e.Line, e.Col, strings.TrimPrefix(msg, "\t"))
		}
		last.Msg += "\n" + msg
		return
	}
	msg = strings.ReplaceAll(msg, oldName(""), "")
	switch {
	case strings.Contains(msg, "imported and not used"),
		strings.HasPrefix(msg, "initialization cycle") && !c.p.onlyVars(),
		strings.HasPrefix(msg, "implicit assignment to unexported field"):
		return // rules for packages that a notebook does not have
	case strings.HasSuffix(msg, "is not used") && c.result != nil && err.Pos == c.result.Pos():
		return // the cell's result
	}
	msg += c.olderVersion(msg)
	if !err.Pos.IsValid() {
		c.errs = append(c.errs, Error{Cell: c.p.cell, Line: 1, Col: 1, Msg: msg})
		return
	}
	tok := c.p.parsed.fset.File(err.Pos)
	for _, f := range c.files {
		if f.tok != tok {
			continue
		}
		if f.decl != nil {
			if c.bad[f.decl] == "" {
				c.bad[f.decl] = msg
			}
			return
		}
		c.errs = append(c.errs, errorAt(f.cell, f.code, tok.Offset(err.Pos)-prefixLen, msg))
		return
	}
}

var missing = regexp.MustCompile(`^(\w+)\.\w+ undefined \(type \*?(\w+) has no field or method`)

// olderVersion explains an error about a value whose type has had a newer
// version since it was made.
func (c *check) olderVersion(msg string) string {
	m := missing.FindStringSubmatch(msg)
	if m == nil {
		return ""
	}
	v, t := c.p.image.live[m[1]], c.p.image.live[m[2]]
	if v == nil || !v.isVar || t == nil || t.isVar {
		return ""
	}
	for _, e := range c.p.image.entitiesIn(v.obj.Type()) {
		if e.name == m[2] && (e != t || c.p.replaced[m[2]] || c.remade(m[2])) {
			return fmt.Sprintf("; %s was made in cell[%d] with an older %s: run that cell again", m[1], v.cell, m[2])
		}
	}
	return ""
}

func (c *check) remade(name string) bool {
	for _, d := range c.p.affected {
		for _, e := range d.entities {
			if e.name == name {
				return true
			}
		}
	}
	return false
}

// usedTooEarly reports statements that use a variable of the cell before the
// statement that makes it.
func (c *check) usedTooEarly() {
	made := map[types.Object]int{}
	for i, s := range c.p.steps {
		for _, id := range s.defines {
			if o := c.info.Defs[id]; o != nil {
				made[o] = i
			}
		}
	}
	for i, s := range c.p.steps {
		ast.Inspect(s.node(), func(n ast.Node) bool {
			if _, ok := n.(*ast.FuncLit); ok {
				return false // runs later, perhaps
			}
			if id, ok := n.(*ast.Ident); ok {
				if at, ok := made[c.info.Uses[id]]; ok && (at > i || at == i && !isDefined(s, id)) {
					c.errs = append(c.errs, c.p.errorf(id.Pos(), "undefined: %s (it is made further down in this cell)", id.Name))
				}
			}
			return true
		})
	}
}

func isDefined(s step, id *ast.Ident) bool {
	for _, d := range s.defines {
		if d == id {
			return true
		}
	}
	return false
}

// entitiesIn lists the notebook's types that t is made of.
func (im *Image) entitiesIn(t types.Type) []*entity {
	var found []*entity
	seen := map[types.Type]bool{}
	var visit func(t types.Type)
	visit = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Alias:
			if e := im.objects[t.Obj()]; e != nil {
				found = append(found, e)
			}
			visit(types.Unalias(t))
		case *types.Named:
			if e := im.objects[t.Obj()]; e != nil {
				found = append(found, e)
			}
			for i := range t.TypeArgs().Len() {
				visit(t.TypeArgs().At(i))
			}
		case *types.Pointer:
			visit(t.Elem())
		case *types.Slice:
			visit(t.Elem())
		case *types.Array:
			visit(t.Elem())
		case *types.Chan:
			visit(t.Elem())
		case *types.Map:
			visit(t.Key())
			visit(t.Elem())
		case *types.Signature:
			visit(t.Params())
			visit(t.Results())
		case *types.Tuple:
			for i := range t.Len() {
				visit(t.At(i).Type())
			}
		case *types.Struct:
			for i := range t.NumFields() {
				visit(t.Field(i).Type())
			}
		}
	}
	visit(t)
	return found
}

func importName(p string) string {
	return "pk_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(path.Clean(p))
}
