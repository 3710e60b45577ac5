// Package lessons holds the course: its sources, and what makes notebooks of them.
//
// A lesson is a folder content/NN-slug with lesson.md, which is Markdown in
// blocks. A text block begins with a line {#id} or with a heading that ends in
// {#id}; a code block is a fence ```go {#id}. Translations are beside it, as in
// lesson.ko.md, and hold prose only, by the id of the block and the hash of what
// it translates: {#id hash=12345678}. Code stands once; its comments and string
// literals are translated by a fence ```yaml {#id hash=12345678} of texts and
// their translations. "paragopher lessons lint" checks all that, "lessons sync"
// stamps the hashes after a translation has been read again.
//
// A block without a role is for all to read or run. The others are
//
//	```go {#ex exercise uses=a,b}        what the learner completes, after the code of a and b
//	```go {#id solution for=ex}          an answer
//	```go {#id check for=ex}             runs after the answer, see package check
//	```go {#id wrong for=ex on=kind}     an answer that the check must refuse for that reason
//	{#id hint for=ex on=kind step=1}     help, for a kind of failure or for any
//	{#id says for=ex on=kind}            what the check says to that kind of failure
//	{#id quiz}                           a question, "- [ ]" and "- [x]" options, and a reason
//
// and links to other lessons are written [text](lesson:slug).
package lessons

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed content
var content embed.FS

// Languages are those that every lesson has, the source's first.
var Languages = []string{"en", "ko"}

// A Lesson is one lesson in all its languages.
type Lesson struct {
	Name   string // of its folder: 01-process
	Slug   string // without the number
	Meta   Meta
	Blocks []Block

	translations map[string]*translation // by language
}

// Meta is the front matter of a lesson.
type Meta struct {
	Title   string   `yaml:"title"`
	Minutes int      `yaml:"minutes"` // a learner's, roughly
	Needs   []string `yaml:"needs"`   // lessons that come before, by name
}

// A Block is a piece of a lesson that becomes one cell.
type Block struct {
	ID   string
	Code bool
	Text string // Markdown or Go, without the attributes
	Line int    // of its beginning in the file
	Role Role
	For  string   // the exercise that the block belongs to
	On   string   // the kind of failure that it is for
	Step int      // of a hint, from 1
	Uses []string // the blocks whose code an exercise needs
}

// A Role says what a block is for.
type Role string

// The roles. Plain blocks are prose and demonstrations.
const (
	Plain    Role = ""
	Task     Role = "exercise"
	Solution Role = "solution"
	Check    Role = "check"
	Wrong    Role = "wrong"
	Hint     Role = "hint"
	Says     Role = "says"
	Quiz     Role = "quiz"
)

// Shown tells whether the block is part of the notebook.
func (b Block) Shown() bool { return b.Role == Plain || b.Role == Task || b.Role == Quiz }

// Hash stands for the block's text in translations.
func (b Block) Hash() string {
	sum := sha256.Sum256([]byte(b.Text))
	return hex.EncodeToString(sum[:4])
}

// A translation is what lesson.LANG.md holds.
type translation struct {
	file  string
	title string
	texts map[string]translated
}

type translated struct {
	hash  string
	text  string            // of a text block
	parts map[string]string // of a code block
	line  int
}

// A SourceError is something wrong with a lesson's source.
type SourceError struct {
	File string
	Line int // 0 for the whole file
	Msg  string
}

func (e *SourceError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// All reads all lessons of this binary, in order. The error is the first that the
// sources have; Lint finds all.
func All() ([]*Lesson, error) {
	ls, errs := load(content, "content")
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return ls, nil
}

// load reads the lessons below dir.
func load(files fs.FS, dir string) (ls []*Lesson, errs []error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, []error{err}
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		l, bad := loadLesson(files, path.Join(dir, e.Name()))
		errs = append(errs, bad...)
		if l != nil {
			ls = append(ls, l)
		}
	}
	sort.Slice(ls, func(i, j int) bool { return ls[i].Name < ls[j].Name })
	return ls, errs
}

var folderName = regexp.MustCompile(`^\d\d-([a-z0-9]+(?:-[a-z0-9]+)*)$`)

func loadLesson(files fs.FS, dir string) (*Lesson, []error) {
	m := folderName.FindStringSubmatch(path.Base(dir))
	if m == nil {
		return nil, []error{&SourceError{dir, 0, "a lesson's folder is named like 01-process"}}
	}
	l := &Lesson{Name: path.Base(dir), Slug: m[1], translations: map[string]*translation{}}
	file := path.Join(dir, "lesson.md")
	data, err := fs.ReadFile(files, file)
	if err != nil {
		return nil, []error{&SourceError{file, 0, "the lesson has no source"}}
	}
	pieces, errs := split(file, data, &l.Meta)
	seen := map[string]bool{}
	for _, p := range pieces {
		if p.attrs["hash"] != "" {
			errs = append(errs, &SourceError{file, p.Line, "hashes belong into translations"})
		}
		if err := p.role(); err != nil {
			errs = append(errs, &SourceError{file, p.Line, fmt.Sprintf("block %s: %v", p.ID, err)})
		}
		if seen[p.ID] {
			errs = append(errs, &SourceError{file, p.Line, "there is a second block " + p.ID})
		}
		seen[p.ID] = true
		l.Blocks = append(l.Blocks, p.Block)
	}
	if l.Meta.Title == "" {
		errs = append(errs, &SourceError{file, 1, "the front matter has no title"})
	}
	for _, lang := range Languages[1:] {
		t, bad := loadTranslation(files, path.Join(dir, "lesson."+lang+".md"))
		errs = append(errs, bad...)
		if t != nil {
			l.translations[lang] = t
		}
	}
	return l, errs
}

func loadTranslation(files fs.FS, file string) (*translation, []error) {
	data, err := fs.ReadFile(files, file)
	if err != nil {
		return nil, []error{&SourceError{file, 0, "the translation is missing"}}
	}
	var meta Meta
	pieces, errs := split(file, data, &meta)
	t := &translation{file: file, title: meta.Title, texts: map[string]translated{}}
	for _, p := range pieces {
		x := translated{hash: p.attrs["hash"], text: p.Text, line: p.Line}
		if p.Code {
			x.text = ""
			if err := yaml.Unmarshal([]byte(p.Text), &x.parts); err != nil {
				errs = append(errs, &SourceError{file, p.Line, "block " + p.ID + " is not a YAML table of texts: " + strings.ReplaceAll(err.Error(), "\n", " ")})
			}
		}
		if _, twice := t.texts[p.ID]; twice {
			errs = append(errs, &SourceError{file, p.Line, "there is a second block " + p.ID})
		}
		t.texts[p.ID] = x
	}
	return t, errs
}

// A piece is a block with the attributes at its head.
type piece struct {
	Block
	attrs map[string]string
}

var (
	attributes = regexp.MustCompile(`^(.*?)\s*\{#([A-Za-z0-9-]+)((?: +[a-z]+(?:=[A-Za-z0-9,-]+)?)*)\}\s*$`)
	heading    = regexp.MustCompile(`^#{1,6} `)
)

// split cuts a source file into its front matter and its blocks.
func split(file string, data []byte, meta *Meta) (pieces []piece, errs []error) {
	fail := func(line int, format string, args ...any) {
		errs = append(errs, &SourceError{file, line, fmt.Sprintf(format, args...)})
	}
	lines := strings.Split(string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))), "\n")
	i := 0
	if len(lines) > 0 && lines[0] == "---" {
		end := 1
		for end < len(lines) && lines[end] != "---" {
			end++
		}
		dec := yaml.NewDecoder(strings.NewReader(strings.Join(lines[1:end], "\n")))
		dec.KnownFields(true)
		if err := dec.Decode(meta); err != nil {
			fail(1, "the front matter is not right: %v", strings.ReplaceAll(err.Error(), "\n", " "))
		}
		i = end + 1
	} else {
		fail(1, "it does not begin with front matter between lines of ---")
	}
	var text *piece // being gathered
	flush := func() {
		if text != nil {
			if text.Text = strings.Trim(text.Text, "\n"); text.Text == "" {
				fail(text.Line, "block %s is empty", text.ID)
			}
			pieces = append(pieces, *text)
			text = nil
		}
	}
	for ; i < len(lines); i++ {
		line := lines[i]
		m := attributes.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "```") && m != nil:
			flush()
			p := newPiece(m, i+1)
			p.Code = true
			var body []string
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				body = append(body, lines[i])
			}
			if i == len(lines) {
				fail(p.Line, "block %s is not closed by ```", p.ID)
			}
			p.Text = strings.Join(body, "\n")
			pieces = append(pieces, p)
		case m != nil && (m[1] == "" || heading.MatchString(line)):
			flush()
			p := newPiece(m, i+1)
			text = &p
			if m[1] != "" {
				text.Text = m[1] + "\n"
			}
		case text != nil:
			text.Text += line + "\n"
			if strings.HasPrefix(line, "```") { // code to be read, not run
				for i++; i < len(lines); i++ {
					text.Text += lines[i] + "\n"
					if lines[i] == "```" {
						break
					}
				}
			}
		case strings.TrimSpace(line) != "":
			fail(i+1, "this text belongs to no block: put {#id} before it")
			for i+1 < len(lines) && !attributes.MatchString(lines[i+1]) {
				i++
			}
		}
	}
	flush()
	return pieces, errs
}

func newPiece(m []string, line int) piece {
	p := piece{Block: Block{ID: m[2], Line: line}, attrs: map[string]string{}}
	for _, f := range strings.Fields(m[3]) {
		k, v, has := strings.Cut(f, "=")
		if !has {
			k, v = "role", f
		}
		p.attrs[k] = v
	}
	return p
}

// may lists the attributes that each role has besides itself.
var may = map[Role][]string{
	Plain: {"hash"}, Task: {"uses"}, Solution: {"for"}, Check: {"for"}, Wrong: {"for", "on"},
	Hint: {"for", "on", "step"}, Says: {"for", "on"}, Quiz: {},
}

// role reads the attributes into the block. The error says which do not fit.
func (p *piece) role() error {
	p.Role, p.For, p.On = Role(p.attrs["role"]), p.attrs["for"], p.attrs["on"]
	known, ok := may[p.Role]
	if !ok {
		return fmt.Errorf("there is no role %q", p.Role)
	}
	for k := range p.attrs {
		if k != "role" && !slices.Contains(known, k) {
			return fmt.Errorf("%s does not go with this role", k)
		}
	}
	for _, k := range known {
		if p.attrs[k] == "" && (k == "for" || k == "on") {
			return fmt.Errorf("it lacks %s=", k)
		}
	}
	if code := p.Role == Task || p.Role == Solution || p.Role == Check || p.Role == Wrong; p.Role != Plain && code != p.Code {
		return fmt.Errorf("a %s is code or text, and this is the other", p.Role)
	}
	if p.Role == Hint {
		var err error
		if p.Step, err = strconv.Atoi(cmp.Or(p.attrs["step"], "1")); err != nil || p.Step < 1 {
			return fmt.Errorf("step=%s is no number from 1", p.attrs["step"])
		}
	}
	if s := p.attrs["uses"]; s != "" {
		p.Uses = strings.Split(s, ",")
	}
	return nil
}
