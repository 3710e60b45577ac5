// Command exportdata writes the type information that cells are checked
// against: std.zip for the standard library and own.zip for this module's
// packages that cells import. Each entry is named by its import path and holds
// the package in the format of golang.org/x/tools/go/gcexportdata, so that
// checking a cell needs no Go toolchain. Entries named doc/ and an import path hold
// the package's doc comments as JSON; those of the standard library are in
// docs.zip.
//
// Run it from the module root after a change of Go's version or of the exported
// API of parallel, parallel/timing, plots or kernel/display:
//
//	go run ./kernel/engine/source/exportdata
//
// With -own it leaves std.zip and docs.zip, which depend on the version of Go, as they are.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/tools/go/gcexportdata"
)

const module = "github.com/paragopher/paragopher/"

func main() {
	own := flag.Bool("own", false, "write own.zip only")
	flag.Parse()
	dir := filepath.Join("kernel", "engine", "source")
	err := write(filepath.Join(dir, "own.zip"), true, true, module+"parallel", module+"parallel/timing", module+"plots", module+"kernel/display")
	if !*own {
		err = errors.Join(err, write(filepath.Join(dir, "std.zip"), true, false, "std"), write(filepath.Join(dir, "docs.zip"), false, true, "std"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "exportdata:", err)
		os.Exit(1)
	}
}

// write puts the packages that match patterns into a zip file: their type
// information, their doc comments, or both.
func write(file string, typed, documented bool, patterns ...string) error {
	exports, wanted, err := list(patterns)
	if err != nil {
		return err
	}
	if !typed {
		wanted = append(wanted, "builtin") // documentation only
	}
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	fset := token.NewFileSet()
	imports := map[string]*types.Package{"unsafe": types.Unsafe}
	for _, path := range wanted {
		if documented {
			if err := writeDocs(zw, path); err != nil {
				return fmt.Errorf("adding the doc comments of %s to %s: %w", path, file, err)
			}
		}
		if !typed {
			continue
		}
		pkg, err := read(fset, imports, path, exports[path])
		if err != nil {
			return err
		}
		w, err := zw.Create(path)
		if err != nil {
			return fmt.Errorf("adding %s to %s: %w", path, file, err)
		}
		// An empty file set: positions would only say where this machine keeps its sources.
		if err := gcexportdata.Write(w, token.NewFileSet(), pkg); err != nil {
			return fmt.Errorf("writing the export data of %s: %w", path, err)
		}
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("finishing %s: %w", file, err)
	}
	return os.WriteFile(file, buf.Bytes(), 0o644)
}

// list asks the go command for the export files of all packages below the
// patterns, and which of them cells may import.
func list(patterns []string) (exports map[string]string, wanted []string, err error) {
	args := append([]string{"list", "-export", "-deps", "-trimpath", "-json=ImportPath,Export,DepOnly"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	exports = map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Export string
			DepOnly            bool
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, nil, fmt.Errorf("reading what go list printed: %w", err)
		}
		exports[p.ImportPath] = p.Export
		hidden := strings.HasPrefix(p.ImportPath, "vendor/") || strings.Contains("/"+p.ImportPath+"/", "/internal/")
		if !p.DepOnly && !hidden && p.ImportPath != "unsafe" {
			wanted = append(wanted, p.ImportPath)
		}
	}
	sort.Strings(wanted)
	return exports, wanted, nil
}

func read(fset *token.FileSet, imports map[string]*types.Package, path, export string) (*types.Package, error) {
	f, err := os.Open(export)
	if err != nil {
		return nil, fmt.Errorf("opening the export data of %s: %w", path, err)
	}
	defer f.Close()
	//lint:ignore SA1019 Read alone takes what Write wrote; these are the compiler's archives, and go list names no other file
	r, err := gcexportdata.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("reading the export data of %s: %w", path, err)
	}
	pkg, err := gcexportdata.Read(r, fset, imports, path)
	if err != nil {
		return nil, fmt.Errorf("reading the export data of %s: %w", path, err)
	}
	return pkg, nil
}
