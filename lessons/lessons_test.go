package lessons

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSourcesAreRight(t *testing.T) {
	if err := Lint(); err != nil {
		t.Fatal(err)
	}
}

// The committed notebooks are those that the sources make.
func TestNotebooksAreCurrent(t *testing.T) {
	dir := t.TempDir()
	if err := WriteNotebooks(dir); err != nil {
		t.Fatal(err)
	}
	want, _ := filepath.Glob(filepath.Join(dir, "*", "*.ipynb"))
	have, _ := filepath.Glob(filepath.Join("..", "notebooks", "*", "*.ipynb"))
	if len(want) == 0 || len(want) != len(have) {
		t.Errorf("%d notebooks are committed, %d are made", len(have), len(want))
	}
	for _, file := range want {
		rel, _ := filepath.Rel(dir, file)
		made, _ := os.ReadFile(file)
		committed, err := os.ReadFile(filepath.Join("..", "notebooks", rel))
		if err != nil || !bytes.Equal(made, committed) {
			t.Errorf("notebooks/%s is not what the sources make: run go run . lessons build (%v)", rel, err)
		}
	}
}

// Both languages have the same cells, and the same code but for its words.
func TestTranslationsMatch(t *testing.T) {
	ls, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		en, ko := l.Notebook("en"), l.Notebook("ko")
		if len(en.Cells) != len(ko.Cells) {
			t.Fatalf("%s: %d and %d cells", l.Name, len(en.Cells), len(ko.Cells))
		}
		for i, c := range en.Cells {
			k := ko.Cells[i]
			if c.ID != k.ID || c.Type != k.Type {
				t.Errorf("%s: cell %d is %s (%s) and %s (%s)", l.Name, i+1, c.ID, c.Type, k.ID, k.Type)
			}
			if c.Type == "markdown" && c.Source == k.Source {
				t.Errorf("%s: %s is not translated", l.Name, c.ID)
			}
			if c.Type == "code" && strings.Count(c.Source, "\n") != strings.Count(k.Source, "\n") {
				t.Errorf("%s: the code of %s differs", l.Name, c.ID)
			}
		}
	}
}

const front = "---\ntitle: T\n---\n"

// course makes a course of one lesson.
func course(en, ko string) fstest.MapFS {
	return fstest.MapFS{
		"content/01-x/lesson.md":    {Data: []byte(en)},
		"content/01-x/lesson.ko.md": {Data: []byte(ko)},
	}
}

func TestLintNamesFileLineAndBlock(t *testing.T) {
	hash := Block{Text: "hello"}.Hash()
	code := "```go {#c}\nfmt.Println(\"hi\") // say\n```\n"
	codeHash := Block{Text: "fmt.Println(\"hi\") // say"}.Hash()
	good := front + "{#a}\nhello\n"
	goodKo := front + "{#a hash=" + hash + "}\n안녕\n"
	tests := []struct{ name, en, ko, want string }{
		{"good", good, goodKo, ""},
		{"good code", good + code, goodKo + "```yaml {#c hash=" + codeHash + "}\n\"hi\": 안녕\n\"// say\": // 말하기\n```\n", ""},
		{"no front matter", "{#a}\nhello\n", goodKo, "content/01-x/lesson.md:1: it does not begin with front matter"},
		{"unknown front matter", "---\ntitle: T\ncolour: red\n---\n{#a}\nhello\n", goodKo, "colour"},
		{"no id", front + "hello\n", goodKo, "lesson.md:4: this text belongs to no block"},
		{"twice", good + "{#a}\nhello\n", goodKo, "lesson.md:6: there is a second block a"},
		{"empty", front + "{#a}\n\n{#b}\nx\n", goodKo, "lesson.md:4: block a is empty"},
		{"open fence", good + "```go {#c}\nx\n", goodKo, "lesson.md:6: block c is not closed"},
		{"wide code", good + "```go {#c}\n" + strings.Repeat("x", 100) + "\n```\n", goodKo, "lesson.md:7: this line of code is 100 characters wide"},
		{"hash in the source", front + "{#a hash=12345678}\nhello\n", goodKo, "lesson.md:4: hashes belong into translations"},
		{"missing", good + "{#b}\nmore\n", goodKo, "lesson.ko.md: block b is not translated"},
		{"stale", front + "{#a}\nhello!\n", goodKo, "lesson.ko.md:4: block a has changed"},
		{"unknown block", good, goodKo + "{#z hash=0}\nx\n", "lesson.ko.md:6: block z translates nothing"},
		{"other kind", good, front + "```yaml {#a hash=" + hash + "}\nx: y\n```\n", "lesson.ko.md:4: block a is of another kind"},
		{"unknown part", good + code, goodKo + "```yaml {#c hash=" + codeHash + "}\nbye: x\n```\n", `block c has no comment or string "bye"`},
		{"not a table", good + code, goodKo + "```yaml {#c hash=" + codeHash + "}\n- [\n```\n", "lesson.ko.md:6: block c is not a YAML table"},
	}
	for _, test := range tests {
		err := lint(course(test.en, test.ko), "content")
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	files := course(good, goodKo)
	delete(files, "content/01-x/lesson.ko.md")
	files["content/x/lesson.md"] = &fstest.MapFile{Data: []byte(good)}
	err := lint(files, "content")
	for _, want := range []string{"lesson.ko.md: the translation is missing", "content/x: a lesson's folder is named like 01-process"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	var source *SourceError
	if !errors.As(err, &source) {
		t.Errorf("%T", err)
	}
}

func TestCodeIsTranslatedInPlace(t *testing.T) {
	code := "fmt.Println(\"a\", `a`, b) // a\nx := \"b\" /* a */"
	got := translate(code, map[string]string{"a": "가 \"나\"", "// a": "// 가"})
	want := "fmt.Println(\"가 \\\"나\\\"\", \"가 \\\"나\\\"\", b) // 가\nx := \"b\" /* a */"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSync(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "content")
	lesson := filepath.Join(dir, "01-x")
	if err := os.MkdirAll(lesson, 0o755); err != nil {
		t.Fatal(err)
	}
	ko := filepath.Join(lesson, "lesson.ko.md")
	for file, text := range map[string]string{"lesson.md": front + "# New title {#a}\nhello\n", "lesson.ko.md": front + "# 새 제목 {#a hash=00000000}\n안녕\n"} {
		if err := os.WriteFile(filepath.Join(lesson, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files := os.DirFS(filepath.Dir(dir))
	if err := lint(files, "content"); err == nil {
		t.Fatal("a stale translation is no error")
	}
	if err := Sync(dir); err != nil {
		t.Fatal(err)
	}
	if err := lint(files, "content"); err != nil {
		t.Error(err)
	}
	data, _ := os.ReadFile(ko)
	if !strings.Contains(string(data), "# 새 제목 {#a hash=") || !strings.HasSuffix(string(data), "안녕\n") {
		t.Errorf("%s", data)
	}
}

func FuzzLesson(f *testing.F) {
	f.Add(front + "{#a}\nhello\n```go {#c}\nx\n```\n")
	f.Add("---\n---\n# T {#t}\n```\n{#x}\n```\n")
	f.Fuzz(func(t *testing.T, source string) {
		l, errs := loadLesson(course(source, source), "content/01-x")
		if l != nil && len(errs) == 0 {
			l.lint("content/01-x")
			if _, err := l.Notebook("ko").Bytes(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
