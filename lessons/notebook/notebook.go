// Package notebook reads and writes notebook files: nbformat 4.
package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Notebook is a notebook file. Fields of the file that are not known here are
// kept in Extra. Source: nbformat, "The Notebook file format", 4.5.
type Notebook struct {
	Cells    []*Cell
	Metadata map[string]any
	Minor    int // of nbformat 4.minor
	Extra    map[string]any
}

// A Cell is one cell.
type Cell struct {
	ID       string // empty in files before 4.5
	Type     string // code, markdown or raw
	Source   string
	Metadata map[string]any
	Count    *int             // execution_count of code cells, nil for null
	Outputs  []map[string]any // of code cells, as they are in the file, but text in one piece
	Extra    map[string]any
}

// Read reads a notebook file. The error names the file, what is wrong with it, and
// where.
func Read(file string) (*Notebook, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the notebook: %w", err)
	}
	n, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s is not a notebook: %w", file, err)
	}
	return n, nil
}

// Parse reads a notebook. The error says what is wrong and where.
func Parse(data []byte) (*Notebook, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var raw map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&raw); err != nil {
		return nil, notJSON(data, err)
	}
	if raw == nil {
		return nil, errors.New("it holds null")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("there is more after its end")
	}
	n := &Notebook{Extra: raw}
	major, ok := number(raw["nbformat"])
	if !ok {
		return nil, errors.New("it has no nbformat number")
	}
	if major != 4 {
		return nil, fmt.Errorf("it is of nbformat %d; only 4 can be read (jupyter nbconvert --to notebook converts it)", major)
	}
	n.Minor, _ = number(raw["nbformat_minor"])
	n.Metadata, _ = raw["metadata"].(map[string]any)
	cells, ok := raw["cells"].([]any)
	if !ok {
		return nil, errors.New("it has no list of cells")
	}
	for i, c := range cells {
		cell, err := parseCell(c)
		if err != nil {
			return nil, fmt.Errorf("cell %d: %w", i+1, err)
		}
		n.Cells = append(n.Cells, cell)
	}
	for _, key := range []string{"nbformat", "nbformat_minor", "metadata", "cells"} {
		delete(raw, key)
	}
	return n, nil
}

func notJSON(data []byte, err error) error {
	offset := int64(-1)
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		return fmt.Errorf("it holds a %s, not an object", typ.Value)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	if offset < 0 || offset > int64(len(data)) {
		return errors.New("it is not JSON: it ends too early")
	}
	before := data[:max(offset-1, 0)]
	line := bytes.Count(before, []byte("\n")) + 1
	col := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("it is not JSON (line %d, column %d: %w)", line, col, err)
}

func number(v any) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return int(i), err == nil
}

// text is a string that the file may give as a list of lines.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []any:
		var b strings.Builder
		for _, line := range v {
			s, ok := line.(string)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	}
	return "", false
}

func parseCell(v any) (*Cell, error) {
	raw, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is not an object")
	}
	c := &Cell{Extra: raw}
	if c.Type, ok = raw["cell_type"].(string); !ok {
		return nil, errors.New("it has no cell_type")
	}
	if c.Source, ok = text(raw["source"]); !ok {
		return nil, errors.New("its source is neither text nor a list of lines")
	}
	c.ID, _ = raw["id"].(string)
	c.Metadata, _ = raw["metadata"].(map[string]any)
	if n, ok := number(raw["execution_count"]); ok {
		c.Count = &n
	}
	if outputs, ok := raw["outputs"].([]any); ok {
		for i, o := range outputs {
			out, ok := o.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("output %d is not an object", i+1)
			}
			join(out)
			c.Outputs = append(c.Outputs, out)
		}
	}
	for _, key := range []string{"cell_type", "source", "id", "metadata", "execution_count", "outputs"} {
		delete(raw, key)
	}
	return c, nil
}

// join makes an output's texts one piece each.
func join(out map[string]any) {
	if s, ok := text(out["text"]); ok {
		out["text"] = s
	}
	if data, ok := out["data"].(map[string]any); ok {
		for mime, v := range data {
			if s, ok := text(v); ok && !strings.HasSuffix(mime, "json") {
				data[mime] = s
			}
		}
	}
}

// Kernel is the kernel and the language that the notebook asks for, "" where it
// does not say.
func (n *Notebook) Kernel() (name, language string) {
	spec, _ := n.Metadata["kernelspec"].(map[string]any)
	name, _ = spec["name"].(string)
	language, _ = spec["language"].(string)
	if language == "" {
		info, _ := n.Metadata["language_info"].(map[string]any)
		language, _ = info["name"].(string)
	}
	return name, language
}

// Tagged tells whether the cell has a tag.
func (c *Cell) Tagged(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	for _, t := range tags {
		if t == tag {
			return true
		}
	}
	return false
}

// Bytes gives the notebook as nbformat writes it: sorted keys, one space of
// indent, texts as lists of lines, a line break at the end. Equal notebooks give
// equal bytes.
func (n *Notebook) Bytes() ([]byte, error) {
	out := map[string]any{}
	for k, v := range n.Extra {
		out[k] = v
	}
	out["nbformat"], out["nbformat_minor"] = 4, n.Minor
	out["metadata"] = orEmpty(n.Metadata)
	cells := make([]any, len(n.Cells))
	for i, c := range n.Cells {
		cells[i] = c.raw()
	}
	out["cells"] = cells
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("encoding the notebook: %w", err)
	}
	return buf.Bytes(), nil
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (c *Cell) raw() map[string]any {
	out := map[string]any{}
	for k, v := range c.Extra {
		out[k] = v
	}
	out["cell_type"], out["source"], out["metadata"] = c.Type, lines(c.Source), orEmpty(c.Metadata)
	if c.ID != "" {
		out["id"] = c.ID
	}
	if c.Type != "code" {
		return out
	}
	out["execution_count"] = nil
	if c.Count != nil {
		out["execution_count"] = *c.Count
	}
	outputs := make([]any, len(c.Outputs))
	for i, o := range c.Outputs {
		outputs[i] = split(o)
	}
	out["outputs"] = outputs
	return out
}

// lines cuts a text into its lines, each with its break, as nbformat does.
func lines(s string) []string {
	if s == "" {
		return []string{}
	}
	ls := strings.SplitAfter(s, "\n")
	if ls[len(ls)-1] == "" {
		ls = ls[:len(ls)-1]
	}
	return ls
}

func split(o map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range o {
		if s, ok := v.(string); ok && k == "text" {
			v = lines(s)
		}
		if data, ok := v.(map[string]any); ok && k == "data" {
			cut := map[string]any{}
			for mime, v := range data {
				s, ok := v.(string)
				if ok && (strings.HasPrefix(mime, "text/") || mime == "image/svg+xml") {
					v = lines(s)
				}
				cut[mime] = v
			}
			v = cut
		}
		out[k] = v
	}
	return out
}

// Write writes the notebook to a file, whole or not at all.
func (n *Notebook) Write(file string) error {
	data, err := n.Bytes()
	if err != nil {
		return err
	}
	return WriteFile(file, data)
}

// WriteFile writes a file, whole or not at all, and leaves no other behind.
func WriteFile(file string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(file), ".writing-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}
