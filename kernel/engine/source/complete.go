package source

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Completion is what may stand at the cursor.
type Completion struct {
	Start, End int // what a match replaces, in code points
	Matches    []Match
}

// A Match is one proposal.
type Match struct {
	Text      string
	Kind      string // in Jupyter's words: function, variable, field, module, class, keyword, ...
	Signature string // of what it names, "" where there is none
	rank      int
}

// Complete proposes what the name at the cursor, counted in code points, may
// become: members after a dot, fields in a literal, names of the notebook, of the
// cell and of packages elsewhere, paths in an import. The cell may be broken.
// It runs no code of the user's.
func (im *Image) Complete(code string, cursor int) Completion {
	im.mu.Lock()
	defer im.mu.Unlock()
	p := placeAt(code, cursor)
	c := Completion{Start: utf8.RuneCountInString(code[:p.start]), End: utf8.RuneCountInString(code[:p.offset])}
	var found []Match
	switch {
	case p.nothing || im.importer.entries == nil:
	case p.quoted:
		found = im.paths(p.prefix)
	default:
		found = im.candidates(code, p)
	}
	c.Matches = matching(found, p.prefix)
	return c
}

// matching keeps the proposals that begin with prefix; if there is none, those that
// do in other case.
func matching(all []Match, prefix string) []Match {
	for _, fold := range []bool{false, true} {
		var kept []Match
		for _, m := range all {
			if len(m.Text) >= len(prefix) && (m.Text[:len(prefix)] == prefix || fold && strings.EqualFold(m.Text[:len(prefix)], prefix)) {
				kept = append(kept, m)
			}
		}
		if len(kept) > 0 {
			slices.SortStableFunc(kept, func(a, b Match) int { return cmp.Or(a.rank-b.rank, strings.Compare(a.Text, b.Text)) })
			return slices.CompactFunc(kept, func(a, b Match) bool { return a.Text == b.Text })
		}
	}
	return nil
}

// The ranks of proposals, the nearest first.
const (
	rankLocal = iota
	rankNotebook
	rankPackage
	rankLanguage
)

// candidates proposes for a name in code.
func (im *Image) candidates(code string, p place) []Match {
	end := p.offset
	for end < len(code) { // what is behind the cursor is part of the name that will be
		r, size := utf8.DecodeRuneInString(code[end:])
		if !isNamePart(r) {
			break
		}
		end += size
	}
	// The cell as it is, with a name at the cursor; then what stands before it alone,
	// also as the head of a statement that is to have a block.
	head := code[:p.start] + marker
	texts := []string{head + code[end:], closed(head, len(head)), closed(head+" {}", len(head)+3)}
	if !balanced(code) {
		texts = texts[1:]
	}
	for _, text := range texts {
		l := im.look(text, p.start+len(marker))
		if l == nil {
			continue
		}
		var id *ast.Ident
		for _, n := range l.path {
			if x, ok := n.(*ast.Ident); ok && x.Name == marker {
				id = x
			}
		}
		if p.dot {
			if s, ok := parentOf(l.path, id).(*ast.SelectorExpr); ok && s.Sel == id {
				if ms := l.members(s.X); ms != nil {
					return ms
				}
			}
			continue
		}
		if id != nil || text == texts[len(texts)-1] {
			return append(l.literalFields(id), l.names(p.prefix)...)
		}
	}
	return nil
}

func parentOf(path []ast.Node, n ast.Node) ast.Node {
	for i, x := range path {
		if i > 0 && x == n {
			return path[i-1]
		}
	}
	return nil
}

// members are what may follow x and a dot.
func (l *look) members(x ast.Expr) []Match {
	if id, ok := ast.Unparen(x).(*ast.Ident); ok {
		if pn, ok := l.info.Uses[id].(*types.PkgName); ok {
			var ms []Match
			for _, name := range pn.Imported().Scope().Names() {
				if o := pn.Imported().Scope().Lookup(name); o.Exported() {
					ms = append(ms, l.match(o, rankPackage))
				}
			}
			return ms
		}
	}
	tv, ok := l.info.Types[x]
	if !ok || tv.Type == nil || tv.Type == types.Typ[types.Invalid] {
		return nil
	}
	ms := l.methods(tv.Type)
	if !tv.IsType() {
		fields(tv.Type, map[types.Type]bool{}, func(v *types.Var, depth int) {
			if l.visible(v) {
				m := l.match(v, depth)
				m.Kind = "field"
				ms = append(ms, m)
			}
		})
	}
	return ms
}

// methods are those that a variable of the type has.
func (l *look) methods(t types.Type) (ms []Match) {
	set := types.NewMethodSet(t)
	if _, ok := t.Underlying().(*types.Pointer); !ok && !types.IsInterface(t) {
		set = types.NewMethodSet(types.NewPointer(t))
	}
	for i := range set.Len() {
		if f := set.At(i).Obj(); l.visible(f) {
			m := l.match(f, len(set.At(i).Index())-1)
			m.Kind = "method"
			ms = append(ms, m)
		}
	}
	return ms
}

// visible says whether cells may name an object: a notebook's own names are
// all one package.
func (l *look) visible(o types.Object) bool {
	return o.Exported() || o.Pkg() == nil || o.Pkg().Path() == l.pkg.Path()
}

// fields visits the fields of a struct, or of one that is pointed to, and those that
// embedded ones lend it.
func fields(t types.Type, seen map[types.Type]bool, visit func(v *types.Var, depth int)) {
	level := []types.Type{t}
	for depth := 0; len(level) > 0; depth++ {
		var next []types.Type
		for _, t := range level {
			if p, ok := t.Underlying().(*types.Pointer); ok {
				t = p.Elem()
			}
			s, ok := t.Underlying().(*types.Struct)
			if !ok || seen[t] {
				continue
			}
			seen[t] = true
			for i := range s.NumFields() {
				visit(s.Field(i), depth)
				if s.Field(i).Embedded() {
					next = append(next, s.Field(i).Type())
				}
			}
		}
		level = next
	}
}

// literalFields are the fields of the struct in whose literal id stands as a key may.
func (l *look) literalFields(id *ast.Ident) (ms []Match) {
	parent := parentOf(l.path, id)
	if kv, ok := parent.(*ast.KeyValueExpr); ok && kv.Key == id {
		parent = parentOf(l.path, kv)
	}
	lit, ok := parent.(*ast.CompositeLit)
	if !ok || lit.Type == id || l.info.Types[lit].Type == nil {
		return nil
	}
	t := l.info.Types[lit].Type
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for i := range s.NumFields() {
		if l.visible(s.Field(i)) {
			m := l.match(s.Field(i), -1)
			m.Kind = "field"
			ms = append(ms, m)
		}
	}
	return ms
}

// names are those that can stand at the cursor by themselves.
func (l *look) names(prefix string) (ms []Match) {
	rank := rankLocal
	for s := l.scope(); s != nil && s != types.Universe; s = s.Parent() {
		if s == l.pkg.Scope() {
			rank = rankNotebook
		}
		for _, name := range s.Names() {
			o := s.Lookup(name)
			// A local name is known from its declaration on.
			if name == marker || strings.Contains(name, "·") || rank == rankLocal && o.Pos() >= l.pos {
				continue
			}
			if _, ok := o.(*types.PkgName); !ok {
				ms = append(ms, l.match(o, rank))
			}
		}
	}
	im := l.p.image
	imported := maps.Clone(im.imports)
	maps.Copy(imported, l.p.imports)
	for name, path := range imported {
		ms = append(ms, Match{Text: name, Kind: "module", Signature: path, rank: rankNotebook})
	}
	if prefix == "" {
		return ms
	}
	for name, path := range im.importer.byName {
		if !token.IsIdentifier(name) {
			continue
		}
		if p := im.importer.guess(name); p != "" {
			path = p
		}
		ms = append(ms, Match{Text: name, Kind: "module", Signature: path, rank: rankPackage})
	}
	for _, name := range types.Universe.Names() {
		ms = append(ms, l.match(types.Universe.Lookup(name), rankLanguage))
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		ms = append(ms, Match{Text: t.String(), Kind: "keyword", rank: rankLanguage})
	}
	return ms
}

// paths are the import paths that begin with what is typed.
func (im *Image) paths(prefix string) (ms []Match) {
	for p := range im.importer.entries {
		ms = append(ms, Match{Text: p, Kind: "module"})
	}
	for _, p := range []string{"parallel", "plots", "display", "parallel/timing"} {
		ms = append(ms, Match{Text: p, Kind: "module", Signature: short(p)})
	}
	return ms
}

// match words an object as a proposal.
func (l *look) match(o types.Object, rank int) Match {
	m := Match{Text: o.Name(), rank: rank}
	switch o := o.(type) {
	case *types.Func:
		m.Kind = "function"
		m.Signature = strings.TrimPrefix(types.TypeString(o.Type(), l.qualify), "func")
	case *types.Builtin:
		m.Kind = "function"
	case *types.Var:
		m.Kind, m.Signature = "variable", types.TypeString(o.Type(), l.qualify)
	case *types.Const:
		m.Kind, m.Signature = "constant", types.TypeString(o.Type(), l.qualify)
	case *types.TypeName:
		m.Kind = "class"
	case *types.Nil:
		m.Kind = "constant"
	}
	return m
}

// qualify names packages as cells do, the notebook's own not at all.
func (l *look) qualify(p *types.Package) string {
	if p.Path() == l.pkg.Path() {
		return ""
	}
	return p.Name()
}
