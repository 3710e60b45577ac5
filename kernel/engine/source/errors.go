package source

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// An Error is one thing wrong with a cell, in the compiler's words.
type Error struct {
	Cell      int    // execution count of the cell
	Line, Col int    // from 1; Col counts code points
	Msg       string // without position
	Source    string // the line of the cell it is about
}

// Error gives cell[Cell]:Line:Col: Msg.
func (e Error) Error() string { return fmt.Sprintf("cell[%d]:%d:%d: %s", e.Cell, e.Line, e.Col, e.Msg) }

// Errors are all the errors found in a cell, by position.
type Errors []Error

// Error joins the messages, one a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

func (es Errors) sorted() Errors {
	sort.SliceStable(es, func(i, j int) bool {
		a, b := es[i], es[j]
		return a.Cell < b.Cell || a.Cell == b.Cell && (a.Line < b.Line || a.Line == b.Line && a.Col < b.Col)
	})
	out := es[:0]
	for i, e := range es {
		if i == 0 || e != out[len(out)-1] {
			out = append(out, e)
		}
	}
	return out
}

// errorAt makes an Error from a byte offset in the cell's text.
func errorAt(cell int, code string, offset int, msg string) Error {
	offset = max(0, min(offset, len(code)))
	start := strings.LastIndexByte(code[:offset], '\n') + 1
	end := len(code)
	if i := strings.IndexByte(code[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	return Error{
		Cell: cell, Line: strings.Count(code[:offset], "\n") + 1,
		Col: utf8.RuneCountInString(code[start:offset]) + 1,
		Msg: msg, Source: strings.TrimRight(code[start:end], "\r"),
	}
}
