// Command sources writes host.zip, the source of the host process that compiled
// cells are loaded into: this module's packages that it is made of, and those that
// cells may import. The same sources give the same bytes.
//
// Run it from the module root after a change of one of them:
//
//	go run ./kernel/engine/native/sources
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// roots are folders whose packages the host and cells import, with all below them.
var roots = []string{"parallel", "plots", "kernel/display", "kernel/engine/session", "kernel/engine/native/rt", "kernel/engine/native/host"}

func main() {
	if err := write(filepath.Join("kernel", "engine", "native", "host.zip")); err != nil {
		fmt.Fprintln(os.Stderr, "sources:", err)
		os.Exit(1)
	}
}

func write(file string) error {
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	add := func(name string) error {
		data, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			return err
		}
		w, err := zw.Create(name)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := add(name); err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
	}
	for _, root := range roots {
		// WalkDir goes in lexical order.
		err := fs.WalkDir(os.DirFS("."), root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case d.IsDir(), strings.HasSuffix(name, "_test.go"), path.Ext(name) == ".md":
				return nil
			}
			return add(name)
		})
		if err != nil {
			return fmt.Errorf("adding %s: %w", root, err)
		}
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("finishing %s: %w", file, err)
	}
	return os.WriteFile(file, buf.Bytes(), 0o644)
}
