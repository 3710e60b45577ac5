package source

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// atBar gives a cell without its bar and the cursor, in code points, where it was.
func atBar(t testing.TB, cell string) (string, int) {
	t.Helper()
	before, after, ok := strings.Cut(cell, "|>")
	if !ok {
		t.Fatalf("no cursor in %q", cell)
	}
	return before + after, utf8.RuneCountInString(before)
}

var definitions = []string{
	"import \"math/rand/v2\"\ntype Base struct{ Name string; hidden int }\nfunc (b *Base) Rename(to string) {}\n",
	"// Area computes an area.\n//\n// In square metres.\nfunc Area(width, height float64) float64 { return width * height }\ntype Point struct { Base; X, Y int }\nfunc (p Point) Dist() float64 { return 0 }",
	"type Stack[T any] struct{ items []T }\nfunc (s *Stack[T]) Push(x T) {}\nconst Limit = 42",
	"counter := 7\ns := &Stack[Point]{}\nwords := []string{\"a\"}\n한글 := 1\nptr := &counter\nvar e error\ntext := \"abc\"",
}

func notebook(t testing.TB) *Image {
	im := New()
	for i, c := range definitions {
		k, err := im.Check(i+1, c)
		if err != nil {
			t.Fatal(err)
		}
		im.Adopt(k)
	}
	return im
}

func TestComplete(t *testing.T) {
	im := notebook(t)
	tests := []struct{ cell, want, not string }{
		{"fmt.Sprintl|>", "Sprintln", "Sprint"},
		{"fmt.println|>", "Println", ""},
		{"strings.|>", "ToUpper Builder NewReader", "asciiSpace"},
		{"rand.|>", "N IntN", "Seed"}, // v2, which was imported
		{"coun|>", "counter", ""},
		{"s.|>", "Push items", "Point"},
		{"p := Point{}\np.|>", "X Y Dist Name Rename Base hidden", ""},
		{"p := Point{}\np.D|>\nq := p.X", "Dist", "X"},
		{"p := Point{}\nfmt.Println(p.|>", "X Dist", ""},
		{"Point{|>}", "X Y Base", ""},
		{"Point{X: 1, |>", "Y", ""},
		{"&Point{Y: counter, X|>: 1}", "X", "Y"},
		{"func f(alpha int) {\n\tbeta := alpha\n\talp|>\n}", "alpha", "beta"},
		{"func f(alpha int) {\n\tfor {\n\t\tif alp|>", "alpha", ""},
		{"func f(r *http.Request) {\n\tr.Header.|>\n}\nfunc g() { f(nil) }", "Get Add Set", ""},
		{"func f(p Point) { p.|>", "X Dist", ""},
		{"func f[T fmt.Stringer](x T) { x.|>", "String", ""},
		{"xs := []Point{}\nxs[0].|>", "X Dist", ""},
		{"for _, p := range []Point{} {\n\tp.|>\n}", "X Dist", ""},
		{"for _, p := range []Point{} {\n\tp.|>", "X Dist", ""},
		{"func g() (*Point, error) { return nil, nil }\nq, err := g()\nq.|>", "X Dist", ""},
		{"time.Now().|>", "Year Add", "wall"},
		{"time.Now().Add(time.Sec|>", "Second", "Add"},
		{"Lim|>", "Limit", ""},
		{"Point.|>", "Dist", "X"},
		{"import \"net/ht|>\"", "net/http net/http/httptest", "fmt"},
		{"import (\n\t\"fmt\"\n\tj \"encoding/j|>\n)", "encoding/json", ""},
		{"import \"para|>", "parallel parallel/timing", ""},
		{"parallel.|>", "NewProcess NewValue", ""},
		{"ret|>", "return", ""},
		{"app|>", "append", ""},
		{"stri|>", "string strings", ""},
		{"한|>", "한글", ""},
		{"\"😀\"; coun|>", "counter", ""},
		{"x := \"in a coun|>\"", "", "counter"},
		{"// coun|>", "", "counter"},
		{"x := 1 // coun|>\ny := 2", "", "counter"},
		{"3.|>", "", "counter"},
		{"type Q struct { Point; Z int }\nvar q Q\nq.|>", "Z X Dist Name", ""},
		{"switch v := any(1).(type) {\ncase Point:\n\tv.|>\n}", "X Dist", ""},
		{"func() {\n\tlocal := 1\n\tloc|>\n}()", "local", ""},
		{"go func(worker int) { wor|> }(1)", "worker", ""},
		{"coun|>ter + 1", "counter", ""},
		{"undefinedThing.|>", "", "X"},
		{"x := := ; coun|>", "counter", ""},
		{"}}} coun|>", "counter", ""},
		{"", "", ""},
		{"e.|>", "Error", ""},
	}
	for _, test := range tests {
		if test.cell == "" {
			im.Complete("", 0)
			im.Complete("abc", 99)
			continue
		}
		code, cursor := atBar(t, test.cell)
		c := im.Complete(code, cursor)
		var got []string
		for _, m := range c.Matches {
			got = append(got, m.Text)
		}
		for _, w := range strings.Fields(test.want) {
			if !slices.Contains(got, w) {
				t.Errorf("%q: no %s in %.300q", test.cell, w, got)
			}
		}
		for _, w := range strings.Fields(test.not) {
			if slices.Contains(got, w) {
				t.Errorf("%q: %s in %.300q", test.cell, w, got)
			}
		}
		if c.End != cursor || c.Start > cursor {
			t.Errorf("%q: range %d-%d, cursor %d", test.cell, c.Start, c.End, cursor)
		}
	}
	if c := im.Complete("\"😀\"; coun", 9); c.Start != 5 {
		t.Errorf("an emoji before the cursor: start %d, want 5", c.Start)
	}
}

func TestInspect(t *testing.T) {
	im := notebook(t)
	tests := []struct {
		cell, want string
		detail     int
	}{
		{"fmt.Print|>ln", "func fmt.Println(a ...any) (n int, err error)|formats using the default formats|// fmt", 0},
		{"fmt.Println|>", "func fmt.Println", 0},
		{"fmt.Println(|>", "func fmt.Println", 0},
		{"fmt.Println(1, |>", "func fmt.Println", 0},
		{"fmt.Println(counter, |>2)", "func fmt.Println", 0},
		{"f|>mt.Println()", "package fmt|formatted I/O", 0},
		{"math|>", "package math", 0},
		{"Area|>(1, 2)", "func Area(width float64, height float64) float64|In square metres.|cell[2]", 0},
		{"Area(1, 2|>)", "func Area", 1},
		{"Ar|>ea", "return width * height", 1},
		{"counter|>", "var counter int|cell[4]", 0},
		{"s.Pu|>sh", "Push(x", 0},
		{"Poi|>nt{}", "type Point struct|cell[2]", 0},
		{"Stack|>[int]{}", "type Stack[T any]|cell[3]", 0},
		{"strings.Build|>er{}", "type strings.Builder|efficiently build a string|WriteString", 1},
		{"var b strings.Builder\nb.WriteS|>tring(\"x\")", "WriteString(s string)|appends the contents", 0},
		{"http.Client{}.Time|>out", "field Timeout time.Duration|Timeout specifies a time limit", 0},
		{"math.P|>i", "const math.Pi", 0},
		{"appe|>nd", "func append|appends elements", 0},
		{"\"😀😀\"; Area|>", "func Area", 0},
		{"func h() {\n\tarea := Area(|>", "func Area", 0},
		{"parallel.NewVal|>ue(1)", "func parallel.NewValue|// github.com/paragopher/paragopher/parallel", 0},
		{"nothingHere|>", "", 0},
		{"|>", "", 0},
		{"1 + |>2", "", 0},
	}
	for _, test := range tests {
		code, cursor := atBar(t, test.cell)
		in := im.Inspect(code, cursor, test.detail)
		if test.want == "" {
			if in != nil {
				t.Errorf("%q: %q, want nothing", test.cell, in.Text())
			}
			continue
		}
		if in == nil {
			t.Errorf("%q: nothing found", test.cell)
			continue
		}
		for _, w := range strings.Split(test.want, "|") {
			if !strings.Contains(in.Text(), w) {
				t.Errorf("%q: no %q in\n%s", test.cell, w, in.Text())
			}
		}
		if !strings.Contains(in.Markdown(), "```go\n") || !strings.Contains(in.HTML(), "<pre>") {
			t.Errorf("%q: Markdown %q, HTML %q", test.cell, in.Markdown(), in.HTML())
		}
	}
	if in := im.Inspect("counter", 3, 0); in == nil || in.Variable != "counter" || in.Summary != "fmt.Sprint(int(counter))" {
		t.Errorf("a variable: %+v", in)
	}
}

func TestDocsOfAllPackages(t *testing.T) {
	im, err := newImporter()
	if err != nil {
		t.Fatal(err)
	}
	for path := range im.entries {
		if d, err := im.docs(path); err != nil || d[""] == "" && !strings.Contains(path, "/") {
			t.Errorf("%s: %d doc comments, %v", path, len(d), err)
		}
	}
}

func FuzzComplete(f *testing.F) {
	im := notebook(f)
	for _, c := range append(slices.Clone(definitions), "fmt.", "Point{", "x := := ; coun", "import \"a", "s.Push(", "func f(p Point) { p.") {
		f.Add(c, len(c))
	}
	f.Fuzz(func(t *testing.T, code string, cursor int) {
		c := im.Complete(code, cursor)
		if n := utf8.RuneCountInString(code); c.Start < 0 || c.End > n || c.Start > c.End {
			t.Errorf("range %d-%d of %d", c.Start, c.End, n)
		}
		if in := im.Inspect(code, cursor, 1); in != nil {
			in.Text()
			in.Markdown()
		}
	})
}

func BenchmarkComplete(b *testing.B) {
	im := notebook(b)
	for _, cell := range []string{"fmt.Pr|>", "p := Point{}\np.|>", "coun|>", "func f(r *http.Request) { r.|>"} {
		code, cursor := atBar(b, cell)
		b.Run(strings.Map(func(r rune) rune {
			if r == '\n' || r == '/' {
				return ';'
			}
			return r
		}, code), func(b *testing.B) {
			for b.Loop() {
				im.Complete(code, cursor)
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if _, err := New().Check(1, "fmt.Println(1)"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("warm", func(b *testing.B) {
		im := notebook(b)
		for b.Loop() {
			if _, err := im.Check(9, "p := Point{}\nfor i := range 3 { fmt.Println(p.Dist(), i, counter) }"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
