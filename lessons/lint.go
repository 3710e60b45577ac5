package lessons

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
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
	slugs, exercises := map[string]bool{}, map[string]string{}
	for _, l := range ls {
		slugs[l.Slug] = true
		for _, b := range l.Blocks {
			if other := exercises[b.ID]; b.Role == Task && other != "" {
				errs = append(errs, &SourceError{path.Join(dir, l.Name, "lesson.md"), b.Line, "lesson " + other + " has an exercise " + b.ID + " too"})
			} else if b.Role == Task {
				exercises[b.ID] = l.Name
			}
		}
	}
	for _, l := range ls {
		file := path.Join(dir, l.Name, "lesson.md")
		errs = append(errs, l.lint(path.Join(dir, l.Name))...)
		errs = append(errs, l.lintExercises(file)...)
		for _, b := range l.Blocks {
			errs = append(errs, lintLinks(file, b.Line, b.Text, b.Code, slugs)...)
		}
		for _, t := range l.translations {
			for _, x := range t.texts {
				errs = append(errs, lintLinks(t.file, x.line, x.text, false, slugs)...)
			}
		}
	}
	sort.SliceStable(errs, func(i, j int) bool {
		var a, b *SourceError
		return errors.As(errs[i], &a) && errors.As(errs[j], &b) && (a.File < b.File || a.File == b.File && a.Line < b.Line)
	})
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
			case !ok && !b.Code: // code may have nothing to translate
				errs = append(errs, &SourceError{t.file, 0, "block " + b.ID + " is not translated"})
			case ok && b.Code != (x.parts != nil):
				errs = append(errs, &SourceError{t.file, x.line, "block " + b.ID + " is of another kind than what it translates"})
			case ok && x.hash != b.Hash():
				errs = append(errs, &SourceError{t.file, x.line, fmt.Sprintf("block %s has changed since it was translated: read it again, then run lessons sync", b.ID)})
			case ok && b.Role == Quiz:
				if en, ko := ParseQuiz(b.Text), ParseQuiz(x.text); !en.same(ko) {
					errs = append(errs, &SourceError{t.file, x.line, "the quiz " + b.ID + " has other options, or others are right, than in lesson.md"})
				}
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

// lintExercises checks that each exercise has all that belongs to it, and that all
// that belongs to one has it.
func (l *Lesson) lintExercises(file string) (errs []error) {
	fail := func(b Block, format string, args ...any) {
		errs = append(errs, &SourceError{file, b.Line, fmt.Sprintf("block %s: ", b.ID) + fmt.Sprintf(format, args...)})
	}
	for _, need := range l.Meta.Needs {
		if need >= l.Name {
			errs = append(errs, &SourceError{file, 1, "needs " + need + ", which does not come before it"})
		}
	}
	byID := map[string]Block{}
	for _, b := range l.Blocks {
		byID[b.ID] = b
	}
	for _, b := range l.Blocks {
		switch {
		case b.For != "" && byID[b.For].Role != Task:
			fail(b, "there is no exercise %s", b.For)
		case b.Role == Quiz:
			if q := ParseQuiz(b.Text); len(q.Options) < 2 || q.Rights() == 0 || q.Question == "" || q.Why == "" {
				fail(b, "a quiz has a question, two options or more of which one is right, and a reason")
			}
		case b.Role == Task:
			for _, use := range b.Uses {
				if u, ok := byID[use]; !ok || !u.Code || u.Role != Plain {
					fail(b, "it uses %s, which is no demonstration of this lesson", use)
				}
			}
			count := map[Role]int{}
			first := false
			for _, c := range l.Blocks {
				if c.For == b.ID {
					count[c.Role]++
					first = first || c.Role == Hint && c.On == AnyKind
				}
			}
			if count[Solution] != 1 || count[Check] != 1 {
				fail(b, "an exercise has one solution and one check, not %d and %d", count[Solution], count[Check])
			}
			if count[Wrong] < 3 {
				fail(b, "it has %d wrong answers; three at least show that the check is good", count[Wrong])
			}
			if !first {
				fail(b, "it has no hint on=%s", AnyKind)
			}
		}
	}
	return errs
}

var lessonLink = regexp.MustCompile(`\]\(lesson:([^)]*)\)`)

func lintLinks(file string, line int, text string, code bool, slugs map[string]bool) (errs []error) {
	if code {
		return nil
	}
	for i, s := range strings.Split(text, "\n") {
		for _, m := range lessonLink.FindAllStringSubmatch(s, -1) {
			if !slugs[m[1]] {
				errs = append(errs, &SourceError{file, line + i, fmt.Sprintf("there is no lesson %q to link to", m[1])})
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
