package source

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A look is a cell as the checker sees it, however broken the cell is: what is
// typed is seldom whole.
type look struct {
	*check
	file *file     // the one with the cursor
	pos  token.Pos // of the cursor
	path []ast.Node
}

// marker stands where a name may be that is not typed yet.
const marker = "cursorǃhere"

// look checks code as far as it can be understood, with the cursor at a byte
// offset. It gives nil where nothing can be made of it.
func (im *Image) look(code string, offset int) (l *look) {
	defer func() {
		// The checker promises nothing for syntax trees that no parser has accepted.
		if recover() != nil {
			l = nil
		}
	}()
	pieces, _ := split(0, code)
	p := &plan{
		image: im, code: code, parsed: parseLeniently(code, pieces),
		imports: map[string]string{}, replaced: map[string]bool{}, shapes: map[string]string{}, broken: map[*decl]bool{},
	}
	_ = p.collect()
	p.keepOldValues()
	p.affect(map[string]bool{})
	l = &look{check: p.check()}
	for _, f := range []*file{l.files[0], l.stmts} {
		pos := f.tok.Pos(min(prefixLen+offset, f.tok.Size()))
		path := enclosing(f.ast, pos)
		if l.file == nil || len(path) > len(l.path) {
			l.file, l.pos, l.path = f, pos, path
		}
	}
	return l
}

// parseLeniently parses what it can.
func parseLeniently(code string, pieces []piece) *parsed {
	ps, _ := parsePieces(0, code, pieces)
	if ps.body == nil {
		ps.body = &ast.BlockStmt{Lbrace: ps.stmts.Package, Rbrace: ps.stmts.Package}
	}
	return ps
}

// enclosing lists the nodes of a file round a position, the outermost first. A
// node's end belongs to it: there the cursor stands when it has been typed.
func enclosing(f *ast.File, pos token.Pos) (path []ast.Node) {
	for _, d := range f.Decls {
		ast.Inspect(d, func(n ast.Node) bool {
			if n == nil || !n.Pos().IsValid() || pos < n.Pos() || n.End() < pos {
				return false
			}
			if len(path) == 0 || !within(path[len(path)-1], n) {
				for len(path) > 0 && !within(path[len(path)-1], n) {
					path = path[:len(path)-1]
				}
			}
			path = append(path, n)
			return true
		})
	}
	return path
}

func within(outer, inner ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}

// A place is what the cursor stands in, by the tokens before it.
type place struct {
	offset  int    // of the cursor, in bytes
	start   int    // of the name that is being typed
	prefix  string // what is typed of it
	dot     bool   // after a dot
	quoted  bool   // in a string that an import names a package with; start and prefix are the path's
	nothing bool   // in another string, in a comment or in a number
}

// placeAt finds what the cursor, in code points, stands in.
func placeAt(code string, cursor int) place {
	offset := byteOffset(code, cursor)
	p := place{offset: offset, start: offset}
	before := code[:offset]
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(before))
	unfinished := false
	s.Init(file, []byte(before), func(_ token.Position, msg string) {
		unfinished = unfinished || strings.Contains(msg, "not terminated")
	}, scanner.ScanComments)
	var last, before2 token.Token
	var lit string
	at := 0
	importing, depth := false, 0
	for {
		pos, tok, l := s.Scan()
		if tok == token.EOF || tok == token.SEMICOLON && l == "\n" && file.Offset(pos) >= len(before) {
			break
		}
		switch tok {
		case token.IMPORT:
			importing, depth = true, 0
		case token.LPAREN:
			depth++
		case token.RPAREN:
			depth--
		case token.SEMICOLON:
			importing = importing && depth > 0
		}
		before2, last, lit, at = last, tok, l, file.Offset(pos)
	}
	end := at + len(lit)
	switch {
	case last == token.STRING && unfinished:
		if importing {
			p.quoted, p.start = true, at+1
			p.prefix = before[p.start:]
			return p
		}
		p.nothing = true
	case last == token.COMMENT && (unfinished || strings.HasPrefix(lit, "//") && !strings.Contains(before[at:], "\n")),
		last == token.CHAR && unfinished,
		(last == token.INT || last == token.FLOAT || last == token.IMAG) && end == offset:
		p.nothing = true
	}
	if p.nothing {
		return p
	}
	for p.start > 0 {
		r, size := utf8.DecodeLastRuneInString(before[:p.start])
		if !isNamePart(r) {
			break
		}
		p.start -= size
	}
	p.prefix = before[p.start:]
	p.dot = last == token.PERIOD || before2 == token.PERIOD && p.prefix != ""
	return p
}

func isNamePart(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func byteOffset(code string, cursor int) int {
	for i := range code {
		if cursor <= 0 {
			return i
		}
		cursor--
	}
	return len(code)
}

// closed gives the text before an offset with all its brackets closed.
func closed(code string, offset int) string {
	_, nest := split(0, code[:offset])
	var b strings.Builder
	b.WriteString(code[:offset])
	for i := len(nest.open) - 1; i >= 0; i-- {
		if nest.open[i] == '}' {
			b.WriteByte('\n')
		}
		b.WriteRune(nest.open[i])
	}
	return b.String()
}

// balanced says whether code's brackets match.
func balanced(code string) bool {
	_, nest := split(0, code)
	return nest.err == nil && len(nest.open) == 0
}

// scope gives the innermost scope at the cursor.
func (l *look) scope() *types.Scope {
	best := l.pkg.Scope()
	for n, s := range l.info.Scopes {
		if _, ok := n.(*ast.File); ok || l.parsedFile(n) != l.file.tok {
			continue
		}
		from, to := s.Pos(), s.End()
		if f, ok := n.(*ast.FuncType); ok && from == token.NoPos {
			from, to = f.Pos(), f.End()
		}
		if from <= l.pos && l.pos <= to && (best == l.pkg.Scope() || s.Pos() >= best.Pos()) {
			best = s
		}
	}
	return best
}

func (l *look) parsedFile(n ast.Node) *token.File { return l.p.parsed.fset.File(n.Pos()) }
