package source

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// A piece is one top-level item of a cell: an import, a declaration or a statement.
type piece struct {
	kind       pieceKind
	start, end int // byte offsets in the cell, without the semicolon
}

type pieceKind int

const (
	statement pieceKind = iota
	declaration
	importing
	packaging // a package clause
)

// A nesting is where the text of a cell stands at its end: what is still open.
type nesting struct {
	open    []rune // closing brackets that are missing, innermost last
	openAt  []int
	partial bool // ends in the middle of a string, comment or expression
	last    token.Token
	err     *Error
}

// split cuts a cell into its top-level pieces. It looks at tokens only, so that
// imports, declarations and statements may come in any order and mix.
func split(cell int, code string) ([]piece, nesting) {
	var (
		nest   nesting
		pieces []piece
		toks   []token.Token // of the current piece, the first few
		start  = -1
		end    int
	)
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), func(pos token.Position, msg string) {
		if strings.Contains(msg, "not terminated") {
			nest.partial = !strings.HasPrefix(msg, "rune") && !strings.HasPrefix(msg, "string")
		}
		if nest.err == nil {
			e := errorAt(cell, code, pos.Offset, scannerWords.Replace(msg))
			nest.err = &e
		}
	}, 0)
	finish := func() {
		if start >= 0 {
			pieces = append(pieces, piece{classify(toks), start, end})
		}
		start, toks = -1, nil
	}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		off := file.Offset(pos)
		if tok == token.SEMICOLON && len(nest.open) == 0 {
			finish()
			continue
		}
		nest.last = tok
		if start < 0 {
			start = off
		}
		if len(toks) < 256 {
			toks = append(toks, tok)
		}
		switch tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			nest.open = append(nest.open, map[token.Token]rune{token.LPAREN: ')', token.LBRACK: ']', token.LBRACE: '}'}[tok])
			nest.openAt = append(nest.openAt, off)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			n := len(nest.open)
			if n == 0 || string(nest.open[n-1]) != tok.String() {
				if nest.err == nil {
					e := errorAt(cell, code, off, "syntax error: unexpected "+tok.String())
					nest.err = &e
				}
				break
			}
			nest.open, nest.openAt = nest.open[:n-1], nest.openAt[:n-1]
		}
		if lit == "" || tok == token.SEMICOLON {
			lit = tok.String()
		}
		if tok == token.SEMICOLON { // inside brackets, perhaps an inserted one
			continue
		}
		end = off + len(lit)
		if strings.HasPrefix(lit, "`") { // carriage returns are dropped from raw strings
			if i := strings.IndexByte(code[off+1:], '`'); i >= 0 {
				end = off + 1 + i + 1
			}
		}
	}
	finish()
	return pieces, nest
}

// classify tells a piece from its first tokens. func is a declaration unless it
// is a literal: func(...) {...}(...).
func classify(toks []token.Token) pieceKind {
	switch toks[0] {
	case token.IMPORT:
		return importing
	case token.PACKAGE:
		return packaging
	case token.TYPE, token.CONST, token.VAR:
		return declaration
	case token.FUNC:
		if len(toks) > 1 && toks[1] == token.IDENT {
			return declaration
		}
		// func (r T) Name( is a method, func (x T) T { a literal.
		depth := 0
		for i, t := range toks[1:] {
			switch t {
			case token.LPAREN:
				depth++
			case token.RPAREN:
				depth--
			}
			if depth == 0 {
				rest := toks[i+2:]
				if len(rest) > 1 && rest[0] == token.IDENT && rest[1] == token.LPAREN {
					return declaration
				}
				return statement
			}
		}
	}
	return statement
}

// prefixLen is the length of what stands before the cell's text in each parsed
// file, so that an offset in a file less prefixLen is an offset in the cell.
const prefixLen = 64

func pad(prefix string) string { return prefix + strings.Repeat(" ", prefixLen-len(prefix)) }

// only gives the text of the pieces to keep, all else blanked out; line breaks
// stay, so positions do.
func only(code string, pieces []piece, keep func(piece) bool) string {
	out := []byte(code)
	for i := range out {
		if out[i] != '\n' {
			out[i] = ' '
		}
	}
	for i, p := range pieces {
		if !keep(p) {
			continue
		}
		copy(out[p.start:p.end], code[p.start:p.end])
		if i+1 < len(pieces) && !strings.Contains(code[p.end:pieces[i+1].start], "\n") {
			out[p.end] = ';' // the pieces share a line, so a semicolon stood between them
		}
	}
	return string(out)
}

// IsComplete says whether code can be run as it is, in Jupyter's words:
// "complete", "incomplete" (with the indent of the next line) or "invalid".
// It needs no session and no type information.
// Source: Jupyter messaging, "Code completeness".
func IsComplete(code string) (status, indent string) {
	pieces, nest := split(0, code)
	if nest.partial {
		return "incomplete", ""
	}
	if nest.err != nil {
		return "invalid", ""
	}
	if n := len(nest.open); n > 0 {
		return "incomplete", strings.Repeat("\t", n)
	}
	if nest.last.IsOperator() {
		switch nest.last {
		case token.RPAREN, token.RBRACK, token.RBRACE, token.INC, token.DEC, token.ILLEGAL:
		default:
			return "incomplete", "\t"
		}
	}
	if nest.last.IsKeyword() {
		switch nest.last {
		case token.BREAK, token.CONTINUE, token.RETURN, token.FALLTHROUGH:
		default:
			return "incomplete", "\t"
		}
	}
	if _, err := parseCell(0, code, pieces); err != nil {
		return "invalid", ""
	}
	return "complete", ""
}

// A parsed cell: its declarations and its statements as two files whose offsets,
// less prefixLen, are those of the cell.
type parsed struct {
	fset  *token.FileSet
	decls *ast.File
	stmts *ast.File
	body  *ast.BlockStmt
	text  string // what stmts was parsed from, without the prefix
}

func parseCell(cell int, code string, pieces []piece) (*parsed, error) {
	p, errs := parsePieces(cell, code, pieces)
	if len(errs) > 0 {
		return nil, errs
	}
	return p, nil
}

// parsePieces parses what it can; body is nil where there is none.
func parsePieces(cell int, code string, pieces []piece) (*parsed, Errors) {
	p := &parsed{fset: token.NewFileSet()}
	var errs Errors
	parse := func(prefix, text, suffix string) *ast.File {
		f, err := parser.ParseFile(p.fset, "", pad(prefix)+text+suffix, parser.ParseComments)
		if list, ok := err.(scanner.ErrorList); ok {
			for _, e := range list {
				if len(errs) > 0 && e.Pos.Offset-prefixLen > len(code) {
					continue // about what was added behind the cell
				}
				made := errorAt(cell, code, e.Pos.Offset-prefixLen, "syntax error: "+wordParser(code, e.Pos.Offset-prefixLen, e.Msg))
				// One a line, as the compiler: what follows is often a consequence.
				if n := len(errs); n == 0 || errs[n-1].Line != made.Line {
					errs = append(errs, made)
				}
			}
		}
		return f
	}
	isDecl := func(x piece) bool { return x.kind == declaration || x.kind == importing }
	// Imports may stand anywhere in a cell; the parser wants them first, so it sees them apart.
	imports := parse("package main;", only(code, pieces, func(x piece) bool { return x.kind == importing }), "")
	p.decls = parse("package main;", only(code, pieces, func(x piece) bool { return x.kind == declaration }), "")
	p.text = only(code, pieces, func(x piece) bool { return !isDecl(x) && x.kind != packaging })
	p.stmts = parse("package main; func _() {", p.text, "\n}")
	p.decls.Decls = append(append([]ast.Decl{}, imports.Decls...), p.decls.Decls...)
	if n := len(p.stmts.Decls); n > 0 {
		if f, ok := p.stmts.Decls[n-1].(*ast.FuncDecl); ok {
			p.body = f.Body
		}
	}
	return p, errs.sorted()
}
