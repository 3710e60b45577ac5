package source

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"fmt"
	"go/token"
	"go/types"
	"path"
	"strings"
	"sync"

	"golang.org/x/tools/go/gcexportdata"
)

// Type information written by exportdata.
//
//go:embed std.zip
var stdExports []byte

//go:embed own.zip
var ownExports []byte

// Module is the import path that this module's packages begin with.
const Module = "github.com/paragopher/paragopher/"

// DisplayPackage is the import path of what cells display with. Its Show is known
// to every cell as Display, as in gophernotes.
const DisplayPackage = Module + "kernel/display"

// An importer finds packages in the embedded type information. One Image has
// one, so that a type is the same type in all its cells.
type importer struct {
	mu         sync.Mutex
	fset       *token.FileSet
	entries    map[string]*zip.File
	byName     map[string]string // last element of a path -> the likeliest path
	documented map[string]packageDocs
	docFiles   map[string]*zip.File      // this module's, and the standard library's once they are wanted
	stdDocs    bool                      // they are
	loaded     map[string]*types.Package // complete
	stubs      map[string]*types.Package // all that was mentioned, gcexportdata's memory
}

func newImporter() (*importer, error) {
	im := &importer{
		fset:       token.NewFileSet(),
		entries:    map[string]*zip.File{},
		byName:     map[string]string{},
		documented: map[string]packageDocs{},
		docFiles:   map[string]*zip.File{},
		loaded:     map[string]*types.Package{"unsafe": types.Unsafe},
		stubs:      map[string]*types.Package{"unsafe": types.Unsafe},
	}
	for _, data := range [][]byte{stdExports, ownExports} {
		zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, fmt.Errorf("opening the embedded type information: %w", err)
		}
		for _, f := range zr.File {
			if p, ok := strings.CutPrefix(f.Name, docEntry); ok {
				im.docFiles[p] = f
				continue
			}
			im.entries[f.Name] = f
			name := path.Base(f.Name)
			if best := im.byName[name]; best == "" || len(f.Name) < len(best) || len(f.Name) == len(best) && f.Name < best {
				im.byName[name] = f.Name
			}
		}
	}
	return im, nil
}

// short gives the full path of this module's packages that gophers may also
// import by a short name, as in import "parallel".
func short(p string) string {
	switch p {
	case "parallel", "plots", "parallel/timing":
		return Module + p
	case "timing":
		return Module + "parallel/timing"
	case "display":
		return DisplayPackage
	}
	return p
}

// Import implements types.Importer.
func (im *importer) Import(p string) (*types.Package, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	p = short(p)
	if pkg := im.loaded[p]; pkg != nil {
		return pkg, nil
	}
	f := im.entries[p]
	if p == "C" {
		return nil, fmt.Errorf("a cell cannot import C: cgo needs a package of its own")
	}
	if f == nil {
		return nil, fmt.Errorf("package %s is not in std, and packages from elsewhere cannot be imported here yet", p)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("opening the type information of %s: %w", p, err)
	}
	defer r.Close()
	pkg, err := gcexportdata.Read(r, im.fset, im.stubs, p)
	if err != nil {
		return nil, fmt.Errorf("reading the type information of %s: %w", p, err)
	}
	im.loaded[p] = pkg
	return pkg, nil
}

// preferred settles which package a bare name means where several end in it.
var preferred = map[string]string{"rand": "math/rand", "template": "text/template", "scanner": "text/scanner", "pprof": "runtime/pprof"}

// guess finds the package that an unimported name most likely means, "" for none.
func (im *importer) guess(name string) string {
	if p := preferred[name]; p != "" {
		return p
	}
	if p := short(name); p != name {
		return p
	}
	return im.byName[name]
}
