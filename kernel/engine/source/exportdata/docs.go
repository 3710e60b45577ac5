package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// writeDocs adds the doc comments of a package's exported names: "" is the
// package, Type.Name a method or a field.
func writeDocs(zw *zip.Writer, path string) error {
	from, err := build.Default.Import(path, ".", 0)
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range append(from.GoFiles, from.CgoFiles...) {
		f, err := parser.ParseFile(fset, filepath.Join(from.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	mode := doc.Mode(0)
	if path == "builtin" { // whose names are those of the language
		mode = doc.AllDecls
	}
	p, err := doc.NewFromFiles(fset, files, path, mode)
	if err != nil {
		return fmt.Errorf("reading the doc comments of %s: %w", path, err)
	}
	docs := map[string]string{"": p.Doc}
	add := func(name, text string) {
		if text != "" && (path == "builtin" || ast.IsExported(name[strings.LastIndex(name, ".")+1:])) {
			docs[name] = text
		}
	}
	funcs := func(prefix string, fs []*doc.Func) {
		for _, f := range fs {
			add(prefix+f.Name, f.Doc)
		}
	}
	values := func(vs []*doc.Value) {
		for _, v := range vs {
			for _, s := range v.Decl.Specs {
				s := s.(*ast.ValueSpec)
				text := s.Doc.Text()
				if text == "" {
					text = s.Comment.Text()
				}
				if text == "" {
					text = v.Doc
				}
				for _, n := range s.Names {
					add(n.Name, text)
				}
			}
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs("", p.Funcs)
	for _, t := range p.Types {
		add(t.Name, t.Doc)
		values(t.Consts)
		values(t.Vars)
		funcs("", t.Funcs)
		funcs(t.Name+".", t.Methods)
		for _, s := range t.Decl.Specs {
			members(s.(*ast.TypeSpec), add)
		}
	}
	data, err := json.Marshal(docs) // sorted, so the same every time
	if err != nil {
		return err
	}
	w, err := zw.Create("doc/" + path)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// members adds the comments of a struct's fields and of an interface's methods.
func members(s *ast.TypeSpec, add func(name, text string)) {
	var list *ast.FieldList
	switch t := s.Type.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return
	}
	for _, f := range list.List {
		text := f.Doc.Text()
		if text == "" {
			text = f.Comment.Text()
		}
		for _, n := range f.Names {
			add(s.Name.Name+"."+n.Name, text)
		}
	}
}
