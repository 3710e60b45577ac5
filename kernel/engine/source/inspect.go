package source

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/token"
	"go/types"
	"html"
	"slices"
	"strings"
)

// An Inspection is what is known of the name at the cursor.
type Inspection struct {
	Signature string // as its declaration begins
	Doc       string // its doc comment
	Source    string // the rest of its declaration, where detail was asked for
	Path      string // import path of the package that declares it, "" for the notebook
	Cell      int    // that declares it, 0 for none
	Variable  string // its name, where it is a variable of the notebook
	Summary   string // an expression that tells of the variable's value what is short and runs none of the user's code; "" for none
	Value     string // what Summary gave, for whoever evaluates it
}

// Inspect finds what the name at the cursor, counted in code points, is, or the
// function in whose call's arguments the cursor stands. detail 1 asks for the
// source of what the notebook declares, and for the members of types. It gives nil
// if there is nothing to say. It runs no code of the user's.
func (im *Image) Inspect(code string, cursor, detail int) *Inspection {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.importer.entries == nil {
		return nil
	}
	offset := byteOffset(code, cursor)
	texts := []string{code, closed(code, offset)}
	if !balanced(code) {
		texts = []string{closed(code, offset), closed(code, wordEnd(code, offset))}
	}
	for _, text := range texts {
		if l := im.look(text, offset); l != nil {
			if o := l.named(); o != nil {
				return l.inspect(o, detail)
			}
		}
	}
	return nil
}

func wordEnd(code string, offset int) int {
	for i, r := range code[offset:] {
		if !isNamePart(r) {
			return offset + i
		}
	}
	return len(code)
}

// named is what the name at the cursor means, or what the call round it calls.
func (l *look) named() types.Object {
	for i, n := range slices.Backward(l.path) {
		switch n := n.(type) {
		case *ast.Ident:
			if o := l.object(n, l.path[:i]); o != nil {
				return o
			}
		case *ast.CallExpr:
			if l.pos <= n.Lparen || l.pos > n.Rparen && n.Rparen.IsValid() {
				continue
			}
			f := ast.Unparen(n.Fun)
			switch x := f.(type) {
			case *ast.IndexExpr:
				f = x.X
			case *ast.IndexListExpr:
				f = x.X
			}
			switch f := f.(type) {
			case *ast.Ident:
				return l.object(f, l.path[:i])
			case *ast.SelectorExpr:
				return l.object(f.Sel, l.path[:i])
			}
		case *ast.FuncLit:
			return nil // in a function's body the call round it is far away
		}
	}
	return nil
}

func (l *look) object(id *ast.Ident, path []ast.Node) types.Object {
	if o := l.info.Uses[id]; o != nil {
		return o
	}
	if o := l.info.Defs[id]; o != nil {
		return o
	}
	// Packages that nothing is selected from yet.
	if len(path) == 0 || !isSelected(path[len(path)-1], id) {
		for _, m := range []map[string]string{l.p.imports, l.p.image.imports} {
			if pkg, err := l.p.image.importer.Import(m[id.Name]); m[id.Name] != "" && err == nil {
				return types.NewPkgName(token.NoPos, l.pkg, id.Name, pkg)
			}
		}
		if path := l.p.image.importer.guess(id.Name); path != "" {
			if pkg, err := l.p.image.importer.Import(path); err == nil {
				return types.NewPkgName(token.NoPos, l.pkg, id.Name, pkg)
			}
		}
	}
	return nil
}

func isSelected(parent ast.Node, id *ast.Ident) bool {
	s, ok := parent.(*ast.SelectorExpr)
	return ok && s.Sel == id
}

func (l *look) inspect(o types.Object, detail int) *Inspection {
	in := &Inspection{Signature: l.declaration(o)}
	im := l.p.image
	pkg := o.Pkg()
	if pn, ok := o.(*types.PkgName); ok {
		in.Path = pn.Imported().Path()
		in.Doc = im.docOf(in.Path, "")
		return in
	}
	if pkg == nil { // of the language itself
		in.Path = "builtin"
		in.Doc = im.docOf("builtin", o.Name())
		return in
	}
	if pkg.Path() != l.pkg.Path() {
		in.Path = pkg.Path()
		in.Doc = im.docOf(in.Path, l.docName(o))
		if t, ok := o.(*types.TypeName); ok && detail > 0 {
			in.Source = l.membersOf(t)
		}
		return in
	}
	e := l.entityOf(o)
	if e == nil { // of the cell being typed
		if v, ok := o.(*types.Var); ok && im.live[v.Name()] != nil {
			e = im.live[v.Name()]
		}
	}
	switch {
	case e == nil:
	case e.isVar:
		in.Cell, in.Variable = e.cell, e.name
		if !e.lost {
			in.Summary = l.summary(e)
		}
	case e.decl != nil:
		in.Cell = e.decl.cell
		in.Doc = commentBefore(e.decl.code, e.decl.start)
		if detail > 0 {
			in.Source = e.decl.text
		}
	}
	return in
}

func (l *look) entityOf(o types.Object) *entity {
	if f, ok := o.(*types.Func); ok {
		o = f.Origin()
	}
	if e := l.objects[o]; e != nil {
		return e
	}
	return l.p.image.objects[o]
}

// declaration words an object as its declaration begins.
func (l *look) declaration(o types.Object) string {
	if pn, ok := o.(*types.PkgName); ok {
		return fmt.Sprintf("package %s // import %q", pn.Imported().Name(), pn.Imported().Path())
	}
	if t, ok := o.(*types.TypeName); ok && !t.IsAlias() {
		if n, ok := t.Type().(*types.Named); ok {
			under := types.TypeString(n.Underlying(), l.qualify)
			switch n.Underlying().(type) {
			case *types.Struct, *types.Interface:
				if len(under) > 100 {
					under, _, _ = strings.Cut(under, "{")
					under += "{ … }"
				}
			}
			text := types.TypeString(n, l.qualify)
			if n.TypeParams().Len() > 0 {
				text = strings.TrimPrefix(types.ObjectString(o, l.qualify), "type ")
				text, _, _ = strings.Cut(text, " struct{")
				text, _, _ = strings.Cut(text, " interface{")
				return "type " + text
			}
			return "type " + text + " " + under
		}
	}
	if v, ok := o.(*types.Var); ok && v.IsField() {
		return "field " + v.Name() + " " + types.TypeString(v.Type(), l.qualify)
	}
	if _, ok := o.(*types.Builtin); ok {
		return "func " + o.Name()
	}
	text := types.ObjectString(o, l.qualify)
	if c, ok := o.(*types.Const); ok {
		text += " = " + c.Val().String()
		text = strings.Replace(text, " = "+c.Val().String()+" = ", " = ", 1)
	}
	return text
}

// docName is the name under which an object's doc comment is kept.
func (l *look) docName(o types.Object) string {
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		t := f.Signature().Recv().Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if n, ok := types.Unalias(t).(*types.Named); ok {
			return n.Obj().Name() + "." + o.Name()
		}
	}
	if v, ok := o.(*types.Var); ok && v.IsField() {
		for _, name := range o.Pkg().Scope().Names() {
			t, ok := o.Pkg().Scope().Lookup(name).(*types.TypeName)
			if !ok {
				continue
			}
			if s, ok := t.Type().Underlying().(*types.Struct); ok {
				for i := range s.NumFields() {
					if s.Field(i) == v {
						return name + "." + v.Name()
					}
				}
			}
		}
	}
	return o.Name()
}

// membersOf lists what a type of a package offers.
func (l *look) membersOf(t *types.TypeName) string {
	var lines []string
	if s, ok := t.Type().Underlying().(*types.Struct); ok {
		for i := range s.NumFields() {
			if s.Field(i).Exported() {
				lines = append(lines, l.declaration(s.Field(i)))
			}
		}
	}
	set := types.NewMethodSet(t.Type())
	if !types.IsInterface(t.Type()) {
		set = types.NewMethodSet(types.NewPointer(t.Type()))
	}
	for i := range set.Len() {
		if set.At(i).Obj().Exported() {
			lines = append(lines, types.ObjectString(set.At(i).Obj(), l.qualify))
		}
	}
	return strings.Join(lines, "\n")
}

// summary gives an expression for the variable's value, or its length, that runs no
// method of it. What is long or has parts of its own is left to the user to show.
func (l *look) summary(e *entity) string {
	t := e.obj.Type()
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.UnsafePointer || u.Info()&types.IsUntyped != 0 {
			return ""
		}
		if u.Info()&types.IsString != 0 {
			return fmt.Sprintf("fmt.Sprintf(\"%%.200q\", string(%s))", e.name)
		}
		return fmt.Sprintf("fmt.Sprint(%s(%s))", u.Name(), e.name)
	case *types.Slice, *types.Map, *types.Chan:
		return fmt.Sprintf("fmt.Sprint(\"length \", len(%s))", e.name)
	case *types.Pointer, *types.Signature, *types.Interface:
		return fmt.Sprintf("map[bool]string{true: \"nil\", false: \"not nil\"}[%s == nil]", e.name)
	}
	return ""
}

// docOf gives a doc comment, "" if there is none.
func (im *Image) docOf(path, name string) string {
	docs, err := im.importer.docs(path)
	if err != nil {
		return "" // part of the binary; then there are no docs at all
	}
	return docs[name]
}

// commentBefore gives the text of the comment lines that end where a declaration starts.
func commentBefore(code string, start int) string {
	lines := strings.Split(code[:start], "\n")
	lines = lines[:len(lines)-1]
	var text []string
	for _, line := range slices.Backward(lines) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
		if !ok {
			break
		}
		text = append(text, strings.TrimPrefix(rest, " "))
	}
	slices.Reverse(text)
	if len(text) == 0 {
		return ""
	}
	return strings.Join(text, "\n") + "\n"
}

// where says who declares it.
func (in *Inspection) where() string {
	switch {
	case in.Cell > 0:
		return fmt.Sprintf("cell[%d]", in.Cell)
	case in.Path != "" && in.Path != "builtin":
		return in.Path
	}
	return ""
}

// Text words it as plain text.
func (in *Inspection) Text() string {
	parts := []string{in.Signature}
	if w := in.where(); w != "" {
		parts[0] += "    // " + w
	}
	if in.Value != "" {
		parts = append(parts, "value: "+in.Value)
	}
	if in.Doc != "" {
		p := &comment.Printer{TextWidth: 80}
		parts = append(parts, strings.TrimRight(string(p.Text(new(comment.Parser).Parse(in.Doc))), "\n"))
	}
	if in.Source != "" {
		parts = append(parts, in.Source)
	}
	return strings.Join(parts, "\n\n")
}

// Markdown words it as Markdown.
func (in *Inspection) Markdown() string {
	parts := []string{fence(in.Signature)}
	if w := in.where(); w != "" {
		parts = append(parts, "`"+w+"`")
	}
	if in.Value != "" {
		parts = append(parts, "value:\n"+fence(in.Value))
	}
	if in.Doc != "" {
		p := &comment.Printer{HeadingLevel: 4, DocLinkBaseURL: "https://pkg.go.dev"}
		parts = append(parts, strings.TrimRight(string(p.Markdown(new(comment.Parser).Parse(in.Doc))), "\n"))
	}
	if in.Source != "" {
		parts = append(parts, fence(in.Source))
	}
	return strings.Join(parts, "\n\n")
}

func fence(code string) string {
	marks := "```"
	for strings.Contains(code, marks) {
		marks += "`"
	}
	return marks + "go\n" + code + "\n" + marks
}

// HTML words it as HTML.
func (in *Inspection) HTML() string {
	var b strings.Builder
	pre := func(s string) { fmt.Fprintf(&b, "<pre>%s</pre>\n", html.EscapeString(s)) }
	pre(in.Signature)
	if w := in.where(); w != "" {
		fmt.Fprintf(&b, "<p><code>%s</code></p>\n", html.EscapeString(w))
	}
	if in.Value != "" {
		pre("value: " + in.Value)
	}
	if in.Doc != "" {
		p := &comment.Printer{HeadingLevel: 4, DocLinkBaseURL: "https://pkg.go.dev"}
		b.Write(p.HTML(new(comment.Parser).Parse(in.Doc)))
	}
	if in.Source != "" {
		pre(in.Source)
	}
	return b.String()
}
