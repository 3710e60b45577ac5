package source

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// The parser and the type checker of the standard library word some errors
// otherwise than the compiler does, whose words people know and search for.

// scannerWords are the compiler's words for what the scanner finds.
var scannerWords = strings.NewReplacer(
	"raw string literal not terminated", "string not terminated",
	"string literal not terminated", "newline in string",
	"illegal rune literal", "more than one character in rune literal",
	"illegal character", "invalid character",
	"unknown escape sequence", "unknown escape",
)

var checkerWords = strings.NewReplacer(
	"break not in for, switch, or select statement", "break is not in a loop, switch, or select",
	"continue not in for statement", "continue is not in a loop",
)

var (
	unusedLabel  = regexp.MustCompile(`^label (\S+) declared and not used$`)
	declaredAt   = regexp.MustCompile(` \(declared at [^)]*\)`) // in a file that the user does not have
	unknownLabel = regexp.MustCompile(`^label (\S+) not declared$`)
	expected     = regexp.MustCompile(`^expected (.*), found (.*)$`)
	missingComma = regexp.MustCompile(`^missing ',' (?:before newline )?in (.*)$`)
)

// wordChecker gives an error of the type checker in the compiler's words.
func wordChecker(msg string) string {
	msg = declaredAt.ReplaceAllString(checkerWords.Replace(msg), "")
	msg = unusedLabel.ReplaceAllString(msg, "label $1 defined and not used")
	return unknownLabel.ReplaceAllString(msg, "label $1 not defined")
}

// wordParser gives an error of the parser at an offset of code in the compiler's
// words, which name what stands there.
func wordParser(code string, offset int, msg string) string {
	found := tokenAt(code, offset)
	if m := missingComma.FindStringSubmatch(msg); m != nil {
		closing := ")"
		if m[1] == "composite literal" {
			closing = "}"
		}
		return "unexpected " + found + " in " + m[1] + "; possibly missing comma or " + closing
	}
	switch msg {
	case "missing import path":
		return "missing import path; require quoted string"
	case "expected 1 expression":
		return "unexpected newline, expected := or = or comma"
	}
	m := expected.FindStringSubmatch(msg)
	if m == nil {
		return scannerWords.Replace(msg)
	}
	want := strings.NewReplacer("operand", "expression", "'IDENT'", "name", "'STRING'", "string", "'", "").Replace(m[1])
	switch want {
	case ";":
		return "unexpected " + found + " at end of statement"
	case "statement", "}":
		return "unexpected " + found
	}
	return "unexpected " + found + ", expected " + want
}

// tokenAt names the token at an offset as the compiler does.
func tokenAt(code string, offset int) string {
	if offset < 0 || offset >= len(code) {
		return "EOF"
	}
	if code[offset] == '\n' || code[offset] == '\r' {
		return "newline"
	}
	rest := code[offset:]
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", -1, len(rest)), []byte(rest), func(token.Position, string) {}, 0)
	_, tok, lit := s.Scan()
	switch {
	case tok == token.EOF:
		return "EOF"
	case tok == token.SEMICOLON && lit == "\n":
		return "newline"
	case tok == token.SEMICOLON:
		return "semicolon"
	case tok == token.COMMA:
		return "comma"
	case tok == token.IDENT:
		return "name " + lit
	case tok.IsLiteral():
		return "literal " + lit
	case tok.IsKeyword():
		return "keyword " + tok.String()
	}
	return tok.String()
}
