package source

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// The doc comments of the standard library, written by exportdata.
//
//go:embed docs.zip
var stdDocs []byte

// docEntry begins the names of the entries with doc comments; the import path follows.
const docEntry = "doc/"

// packageDocs are the doc comments of one package: by name, a method's or field's
// as Type.Name, the package's own as "".
type packageDocs map[string]string

// docs gives the doc comments of a package, none if it is not known.
func (im *importer) docs(path string) (packageDocs, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if d := im.documented[path]; d != nil {
		return d, nil
	}
	if im.docFiles[path] == nil && !im.stdDocs {
		zr, err := zip.NewReader(bytes.NewReader(stdDocs), int64(len(stdDocs)))
		if err != nil {
			return nil, fmt.Errorf("opening the embedded doc comments: %w", err)
		}
		for _, f := range zr.File {
			im.docFiles[strings.TrimPrefix(f.Name, docEntry)] = f
		}
		im.stdDocs = true
	}
	f := im.docFiles[path]
	if f == nil {
		return nil, nil
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("opening the doc comments of %s: %w", path, err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the doc comments of %s: %w", path, err)
	}
	d := packageDocs{}
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("reading the doc comments of %s: %w", path, err)
	}
	im.documented[path] = d
	return d, nil
}
