package lessons

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paragopher/paragopher/lessons/notebook"
)

// codeWidth is how long a line of code may be, in characters: what a notebook shows
// without scrolling.
const codeWidth = 88

// Lint checks the sources of this binary's lessons: ids, translations that are
// missing or older than what they translate, the width of code. The error joins
// all that is wrong, each with file and line.
func Lint() error { return lint(content, "content") }

func lint(files fs.FS, dir string) error {
	ls, errs := load(files, dir)
	for _, l := range ls {
		errs = append(errs, l.lint(path.Join(dir, l.Name))...)
	}
	return errors.Join(errs...)
}

func (l *Lesson) lint(dir string) (errs []error) {
	file := path.Join(dir, "lesson.md")
	known := map[string]bool{}
	for _, b := range l.Blocks {
		known[b.ID] = true
		if id := l.cellID(b); len(id) > 64 {
			errs = append(errs, &SourceError{file, b.Line, "the id " + id + " is longer than 64 characters"})
		}
		if !b.Code {
			continue
		}
		for i, line := range strings.Split(b.Text, "\n") {
			if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > codeWidth {
				errs = append(errs, &SourceError{file, b.Line + 1 + i, fmt.Sprintf("this line of code is %d characters wide, more than %d", n, codeWidth)})
			}
		}
	}
	for _, lang := range Languages[1:] {
		t := l.translations[lang]
		if t == nil {
			continue // load has said so
		}
		if t.title == "" {
			errs = append(errs, &SourceError{t.file, 1, "the front matter has no title"})
		}
		for _, b := range l.Blocks {
			x, ok := t.texts[b.ID]
			switch {
			case !ok && !b.Code:
				errs = append(errs, &SourceError{t.file, 0, "block " + b.ID + " is not translated"})
			case ok && b.Code != (x.parts != nil):
				errs = append(errs, &SourceError{t.file, x.line, "block " + b.ID + " is of another kind than what it translates"})
			case ok && x.hash != b.Hash():
				errs = append(errs, &SourceError{t.file, x.line, fmt.Sprintf("block %s has changed since it was translated: read it again, then run lessons sync", b.ID)})
			case ok && b.Code:
				for part := range x.parts {
					if !hasPart(b.Text, part) {
						errs = append(errs, &SourceError{t.file, x.line, fmt.Sprintf("block %s has no comment or string %q", b.ID, part)})
					}
				}
			}
		}
		for id, x := range t.texts {
			if !known[id] {
				errs = append(errs, &SourceError{t.file, x.line, "block " + id + " translates nothing"})
			}
		}
	}
	return errs
}

// parts calls f for each comment and string literal of code with its place and what
// translations call it: a comment with its slashes, a string without its quotes.
func parts(code string, f func(start, end int, tok token.Token, name string)) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), nil, scanner.ScanComments)
	for {
		pos, tok, lit := s.Scan()
		start := file.Offset(pos)
		switch tok {
		case token.EOF:
			return
		case token.COMMENT:
			f(start, start+len(lit), tok, lit)
		case token.STRING:
			if name, err := strconv.Unquote(lit); err == nil {
				f(start, start+len(lit), tok, name)
			}
		}
	}
}

func hasPart(code, part string) (found bool) {
	parts(code, func(_, _ int, _ token.Token, name string) { found = found || name == part })
	return found
}

// translate gives code with its comments and strings in another language.
func translate(code string, with map[string]string) string {
	var b strings.Builder
	at := 0
	parts(code, func(start, end int, tok token.Token, name string) {
		text, ok := with[name]
		if !ok {
			return
		}
		if tok == token.STRING {
			text = strconv.Quote(text)
		}
		b.WriteString(code[at:start] + text)
		at = end
	})
	return b.String() + code[at:]
}

var stamp = regexp.MustCompile(`\{#([A-Za-z0-9-]+)((?: +[a-z]+=[A-Za-z0-9]+)*)\}\s*$`)

// Sync writes into the translations below dir, a folder of sources, the hashes of
// what they now translate. Run it when the translations have been read against
// changed sources, not before.
func Sync(dir string) error {
	ls, errs := load(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, l := range ls {
		hashes := map[string]string{}
		for _, b := range l.Blocks {
			hashes[b.ID] = b.Hash()
		}
		for _, lang := range Languages[1:] {
			file := filepath.Join(dir, l.Name, "lesson."+lang+".md")
			data, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("stamping a translation: %w", err)
			}
			lines := strings.Split(string(data), "\n")
			for i, line := range lines {
				if m := stamp.FindStringSubmatchIndex(line); m != nil {
					if id := line[m[2]:m[3]]; hashes[id] != "" {
						lines[i] = line[:m[0]] + "{#" + id + " hash=" + hashes[id] + "}"
					}
				}
			}
			if err := notebook.WriteFile(file, []byte(strings.Join(lines, "\n"))); err != nil {
				return err
			}
		}
	}
	return nil
}
