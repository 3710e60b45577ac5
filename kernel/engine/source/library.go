package source

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"path"
	"sort"
	"strings"
)

// The interpreter's symbols hold no generic functions. Those of the standard
// library are made from its source: library.zip has that of the packages below,
// copied as it is from the Go 1.26 distribution, with its licence; the directory
// library has packages that replace some of their functions or all, where the original needs
// the runtime or is slow when interpreted.
//
//go:embed library.zip
var librarySource []byte

//go:embed library/*/*.go
var libraryOwn embed.FS

// libraryDirs says in which directory of library a package's replacements are.
var libraryDirs = map[string]string{
	"slices": "slices", "maps": "maps", "cmp": "", "iter": "iter", "sync": "sync",
	"sync/atomic": "atomic", "math/rand/v2": "rand",
}

// A library is a package of which the generic declarations are known by source.
type library struct {
	entities map[string]*entity
}

// libraryEntity finds a name of a library, nil if there is none.
func (im *Image) libraryEntity(p, name string) *entity {
	if _, ok := libraryDirs[p]; !ok && p != parallelPath {
		return nil
	}
	lib := im.libraries[p]
	if lib == nil {
		var err error
		if lib, err = im.loadLibrary(p); err != nil {
			// Embedded data: a test loads them all.
			lib = &library{}
			im.libraryErrs = append(im.libraryErrs, err)
		}
		im.libraries[p] = lib
	}
	return lib.entities[name]
}

// librarySources gives the texts of a package by file name, replacements first.
func librarySources(p string) (own, std map[string]string, err error) {
	own, std = map[string]string{}, map[string]string{}
	if dir := libraryDirs[p]; dir != "" {
		files, err := libraryOwn.ReadDir("library/" + dir)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the library's package %s: %w", p, err)
		}
		for _, f := range files {
			data, err := libraryOwn.ReadFile("library/" + dir + "/" + f.Name())
			if err != nil {
				return nil, nil, fmt.Errorf("reading the library's package %s: %w", p, err)
			}
			own[f.Name()] = string(data)
		}
	}
	zr, err := zip.NewReader(bytes.NewReader(librarySource), int64(len(librarySource)))
	if err != nil {
		return nil, nil, fmt.Errorf("opening the library: %w", err)
	}
	for _, f := range zr.File {
		if path.Dir(f.Name) != p {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, nil, fmt.Errorf("opening %s of the library: %w", f.Name, err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s of the library: %w", f.Name, err)
		}
		std[f.Name] = string(data)
	}
	return own, std, nil
}

func (im *Image) loadLibrary(p string) (*library, error) {
	own, std, err := librarySources(p)
	if err != nil {
		return nil, err
	}
	c := &check{
		pkg: types.NewPackage(p, path.Base(strings.TrimSuffix(p, "/v2"))), objects: map[types.Object]*entity{},
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
			Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
			Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
			Scopes: map[ast.Node]*types.Scope{},
		},
	}
	l := &lowering{c: c, fresh: map[types.Object]*entity{}, library: true, paths: map[string]bool{}}
	home := &Checked{Pkg: c.pkg, Info: c.info, lower: l, image: im}
	fset := token.NewFileSet()
	declared := map[string]bool{}
	var asts []*ast.File
	add := func(sources map[string]string, replace bool) error {
		var names []string
		for name := range sources {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			text := sources[name]
			a, err := parser.ParseFile(fset, name, strings.Repeat(" ", prefixLen)+text, parser.SkipObjectResolution)
			if err != nil {
				return fmt.Errorf("parsing the library: %w", err)
			}
			f := &file{tok: fset.File(a.Package), ast: a, code: text, text: text}
			kept := a.Decls[:0]
			for _, d := range a.Decls {
				if fd, ok := d.(*ast.FuncDecl); ok {
					if replace && declared[declName(fd)] || fd.Body == nil {
						continue
					}
					declared[declName(fd)] = true
				}
				kept = append(kept, d)
			}
			a.Decls = kept
			c.files = append(c.files, f)
			asts = append(asts, a)
		}
		return nil
	}
	if err := add(own, false); err != nil {
		return nil, err
	}
	if err := add(std, true); err != nil {
		return nil, err
	}
	// What the package has beside its generics is the compiled package's.
	if native, err := im.importer.Import(p); err == nil && len(std) == 0 {
		for _, f := range asts {
			for _, d := range f.Decls {
				if g, ok := d.(*ast.GenDecl); ok {
					for _, s := range g.Specs {
						if s, ok := s.(*ast.TypeSpec); ok {
							declared[s.Name.Name] = true
						}
					}
				}
			}
		}
		for _, name := range native.Scope().Names() {
			if o := native.Scope().Lookup(name); !declared[name] && o.Exported() {
				c.pkg.Scope().Insert(o)
			}
		}
	}
	var first error
	conf := types.Config{Importer: im.importer, Error: func(err error) {
		if first == nil && !strings.Contains(err.Error(), "imported and not used") {
			first = err
		}
	}}
	_ = types.NewChecker(&conf, fset, c.pkg, c.info).Files(asts)
	if first != nil {
		return nil, fmt.Errorf("checking the library's package %s: %w", p, first)
	}
	lib := &library{entities: map[string]*entity{}}
	for _, f := range c.files {
		for _, d := range f.ast.Decls {
			nd := &decl{code: f.code, home: home, node: d, file: f, silent: true}
			add := func(id *ast.Ident, key string) {
				if obj := c.info.Defs[id]; obj != nil {
					e := &entity{name: key, emitted: p + "." + key, obj: obj, decl: nd}
					nd.entities = append(nd.entities, e)
					l.fresh[obj] = e
					lib.entities[key] = e
				}
			}
			switch d := d.(type) {
			case *ast.FuncDecl:
				add(d.Name, declName(d))
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
		}
	}
	return lib, nil
}

func declName(d *ast.FuncDecl) string {
	if d.Recv != nil {
		return methodKey(d.Recv, d.Name.Name)
	}
	return d.Name.Name
}
