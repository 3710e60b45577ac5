// Package source is the typed front end of the engine. It splits a cell into
// imports, declarations and statements in any order, checks it with go/types
// against everything live in the notebook, and lowers it to a Unit that a
// session can run. It knows every name but holds no value and runs no user code.
package source

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"sort"
	"sync"
)

// An Image is the notebook as code: the newest version of each declaration and
// the type of each variable. Its methods may be called from any goroutine; what they
// give is read by the one that runs cells.
type Image struct {
	mu       sync.Mutex
	importer *importer
	imports  map[string]string        // package name in cells -> import path
	dots     []string                 // paths that cells imported as .
	emitted  map[string]string        // import path -> name in emitted code, once a session has it
	live     map[string]*entity       // by name; methods as Type.Method
	objects  map[types.Object]*entity // every version there ever was
	homes    map[*types.Package]*Checked
	versions map[string]int    // how many emitted names each name has had
	plans    int               // how many there were; makes temporary names unique
	order    int               // how many declarations were emitted
	shapes   map[string]string // instances of parallel's generics: description -> emitted name
	shapeSrc []Block           // their declarations

	// what the interpreter has of generics
	instances   map[string]*entity      // declaration and type arguments -> what is emitted
	locals      map[types.Object]string // types local to a function -> emitted name
	temps       int                     // how many temporary names there were
	libraries   map[string]*library
	libraryErrs []error
}

// An entity is one version of one declared name.
type entity struct {
	name    string // as users know it
	emitted string // as sessions know it
	obj     types.Object
	decl    *decl // nil for variables
	isVar   bool
	lost    bool   // a variable whose value died with its session
	typ     string // as emitted, "" if the interpreter never had it
	home    *Checked
	cell    int
}

// A decl is the source of one declaration, which may declare several names.
type decl struct {
	cell       int
	code       string // the whole cell's
	start, end int    // of the declaration in code
	text       string // code[start:end]
	entities   []*entity
	uses       []*entity // live entities it names
	block      Block     // as emitted for the interpreter; empty if that never had it
	home       *Checked  // who made it
	node       ast.Node
	file       *file
	order      int  // of emission
	silent     bool // the interpreter gets its instances only, or nothing
}

// New gives the image of an empty notebook.
func New() *Image {
	im, err := newImporter()
	if err != nil {
		// The data is part of the binary, so this is a broken build, not a user's error.
		im = &importer{entries: nil, loaded: map[string]*types.Package{}, stubs: map[string]*types.Package{}}
	}
	return &Image{
		importer:  im,
		imports:   map[string]string{},
		emitted:   map[string]string{},
		live:      map[string]*entity{},
		objects:   map[types.Object]*entity{},
		homes:     map[*types.Package]*Checked{},
		versions:  map[string]int{},
		shapes:    map[string]string{},
		instances: map[string]*entity{},
		locals:    map[types.Object]string{},
		libraries: map[string]*library{},
	}
}

// Commit makes u's declarations and variables part of the notebook. It is
// called when a session has taken u. A Unit that did not come from Plan of this
// image, or came before a later Commit, is ignored.
func (im *Image) Commit(u *Unit) {
	im.mu.Lock()
	defer im.mu.Unlock()
	p := u.plan
	if p == nil || p.image != im {
		return
	}
	for _, i := range u.Imports {
		im.emitted[i.Path] = i.Name
	}
	im.take(p)
	u.plan = nil
}

// take makes a plan's names the notebook's.
func (im *Image) take(p *plan) {
	maps.Copy(im.imports, p.imports)
	for _, path := range p.dots {
		if !slices.Contains(im.dots, path) {
			im.dots = append(im.dots, path)
		}
	}
	for _, key := range p.removed {
		delete(im.live, key)
	}
	for _, e := range p.entities {
		if e.name == "init" {
			continue // it has been called, and nothing can name it
		}
		im.live[e.name] = e
		im.objects[e.obj] = e
	}
	for _, e := range p.revived {
		e.lost = false
	}
	maps.Copy(im.shapes, p.shapes)
	maps.Copy(im.instances, p.instances)
	maps.Copy(im.locals, p.locals)
	im.shapeSrc = append(im.shapeSrc, p.shapeSrc...)
	p.shapes, p.shapeSrc = map[string]string{}, nil
}

// Replay gives what a fresh session needs before it can take the notebook's next
// cell: all live declarations, and the variables with their zero values.
func (im *Image) Replay() []*Unit {
	im.mu.Lock()
	defer im.mu.Unlock()
	u := &Unit{Uses: map[string]Use{}}
	decls := im.liveDecls()
	for _, d := range decls {
		if d.block.Code == "" && !d.silent {
			im.lowerLate(d)
		}
	}
	for _, e := range im.live {
		if e.isVar && e.typ == "" {
			e.typ = e.home.lower.typeName(e.obj.Type())
			for path := range e.home.lower.paths {
				im.emitted[path] = importName(path)
			}
		}
	}
	for path, name := range im.emitted {
		u.Imports = append(u.Imports, Import{name, path})
	}
	sort.Slice(u.Imports, func(i, j int) bool { return u.Imports[i].Path < u.Imports[j].Path })
	for _, e := range im.live {
		if e.isVar {
			u.Decls = append(u.Decls, Block{Code: "var " + e.emitted + " " + e.typ, Cell: e.cell, Line: 1})
		}
	}
	for _, d := range decls {
		if d.silent {
			continue
		}
		u.Decls = append(u.Decls, d.block)
		for _, e := range d.entities {
			u.Uses[e.emitted] = useOf(d)
		}
	}
	u.Decls = append(u.Decls, im.shapeSrc...)
	if len(u.Decls) == 0 && len(u.Imports) == 0 {
		return nil
	}
	return []*Unit{u}
}

// olderDecls are the declarations, no longer live, that live ones or variables
// still name.
func (im *Image) olderDecls(live map[*decl]bool) map[*decl]bool {
	older := map[*decl]bool{}
	var visit func(es []*entity)
	visit = func(es []*entity) {
		for _, e := range es {
			if e.decl != nil && !live[e.decl] && !older[e.decl] {
				older[e.decl] = true
				visit(e.decl.uses)
			}
		}
	}
	for d := range live {
		visit(d.uses)
	}
	for _, e := range im.live {
		if e.isVar {
			visit(im.entitiesIn(e.obj.Type()))
		}
	}
	return older
}

// Variables are the names of the notebook's variables, sorted.
func (im *Image) Variables() []string {
	im.mu.Lock()
	defer im.mu.Unlock()
	var names []string
	for name, e := range im.live {
		if e.isVar && !e.lost {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// DropVariables forgets the variables, after the session that held them died.
// Declarations stay; functions that use a variable see its zero value until a
// cell assigns it again.
func (im *Image) DropVariables() {
	im.mu.Lock()
	defer im.mu.Unlock()
	for _, e := range im.live {
		if e.isVar {
			e.lost = true
		}
	}
}

func useOf(d *decl) Use {
	var u Use
	for _, e := range d.uses {
		if e.isVar {
			u.Vars = append(u.Vars, e.emitted)
		} else if _, ok := e.obj.(*types.Func); ok {
			u.Funcs = append(u.Funcs, e.emitted)
		}
	}
	slices.Sort(u.Vars)
	slices.Sort(u.Funcs)
	return u
}

// key is the name under which a declaration's object is live.
func methodKey(recv *ast.FieldList, name string) string {
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + name
		default:
			return "." + name
		}
	}
}
