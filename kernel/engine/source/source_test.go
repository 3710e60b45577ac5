package source

import (
	"strings"
	"testing"
)

// commit plans and commits cells, which must be right.
func commit(t *testing.T, im *Image, cells ...string) *Unit {
	t.Helper()
	var u *Unit
	for i, c := range cells {
		var err error
		if u, err = im.Plan(i+1, c); err != nil {
			t.Fatalf("cell %d:\n%s\n%v", i+1, c, err)
		}
		im.Commit(u)
	}
	return u
}

func TestErrorsAsTheCompilerWordsThem(t *testing.T) {
	tests := []struct{ name, cell, want string }{
		{"undefined", "x := 1\nfmt.Println(y)", "cell[1]:2:13: undefined: y"},
		{"types", `var s string = 3`, "cell[1]:1:16: cannot use 3 (untyped int constant) as string value in variable declaration"},
		{"several", "a := undefinedA\nb := undefinedB", "cell[1]:1:6: undefined: undefinedA\ncell[1]:2:6: undefined: undefinedB"},
		{"unused local", "func f() {\n\tx := 1\n}", "cell[1]:2:2: declared and not used: x"},
		{"code points", `s := "고퍼"; undefinedHere`, "cell[1]:1:12: undefined: undefinedHere"},
		{"open bracket", "func f() {\n\tg(1", "cell[1]:2:3: syntax error: this ( is never closed by )"},
		{"stray bracket", "x := 1\n}", "cell[1]:2:1: syntax error: unexpected }"},
		{"grammar", "x := := 2", "cell[1]:1:6: syntax error: unexpected :=, expected expression"},
		{"string", `x := "abc`, "cell[1]:1:6: newline in string"},
		{"no such package", `import "example.com/nope"`, "cell[1]:1:8: package example.com/nope is not in std, and packages from elsewhere cannot be imported here yet"},
		{"too early", "fmt.Println(x)\nx := 1", "cell[1]:1:13: undefined: x (it is made further down in this cell)"},
		{"redeclared", "x := 1\nx := 2", "cell[1]:2:3: no new variables on left side of :="},
		{"no value", "x := print(1)", "cell[1]:1:6: print(1) (no value) used as value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New().Plan(1, test.cell)
			if err == nil || err.Error() != test.want {
				t.Errorf("%q\n got %v\nwant %s", test.cell, err, test.want)
			}
		})
	}
}

func TestAPlanChangesNothing(t *testing.T) {
	im := New()
	commit(t, im, "x := 1")
	if _, err := im.Plan(2, "y := x; func f() int { return y }"); err != nil {
		t.Fatal(err)
	}
	if _, err := im.Plan(3, "y"); err == nil || !strings.Contains(err.Error(), "undefined: y") {
		t.Errorf("an uncommitted cell's y: %v", err)
	}
}

func TestOnlyWhatACellRedefinesIsMadeAgain(t *testing.T) {
	im := New()
	commit(t, im, "func f() int { return 1 }", "func g() int { return f() }", "func h() int { return 7 }")
	u := commit(t, im, "func f() int { return 2 }")
	var code []string
	for _, d := range u.Decls {
		code = append(code, d.Code)
	}
	got := strings.Join(code, "\n")
	want := "func f__2() int { return 2 }\nfunc g__2() int { return f__2() }"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if u := commit(t, im, "func f() int { return 2 }"); len(u.Decls) != 0 {
		t.Errorf("the same declaration again made %v", u.Decls)
	}
}

func TestReplayAndLostVariables(t *testing.T) {
	im := New()
	commit(t, im, "type P struct{ X int }", "p := P{1}\ncount := 0", "func inc() int { count++; return count }")
	if got := strings.Join(im.Variables(), " "); got != "count p" {
		t.Errorf("variables %q", got)
	}
	im.DropVariables()
	if got := im.Variables(); len(got) != 0 {
		t.Errorf("variables after their loss: %v", got)
	}
	units := im.Replay()
	if len(units) != 1 || units[0].Body != nil {
		t.Fatalf("replay gives %d units, want one without statements", len(units))
	}
	var code strings.Builder
	for _, d := range units[0].Decls {
		code.WriteString(d.Code + "\n")
	}
	for _, want := range []string{"var count int", "var p P", "type P struct{ X int }", "func inc() int"} {
		if !strings.Contains(code.String(), want) {
			t.Errorf("replay lacks %q:\n%s", want, &code)
		}
	}
	if _, err := im.Plan(4, "p.X"); err == nil {
		t.Error("a lost variable can still be used")
	}
	commit(t, im, "count := 5")
	if got := strings.Join(im.Variables(), " "); got != "count" {
		t.Errorf("variables after one is back: %q", got)
	}
}

func TestProcessArgumentsAreChecked(t *testing.T) {
	im := New()
	commit(t, im, "func sum3(a, b, c int) { fmt.Println(a + b + c) }", "func avg(xs []float64, w float64) {}")
	tests := []struct{ cell, want string }{
		{`parallel.NewProcess(sum3, 1, 2)`, "cell[9]:1:1: sum3 takes 3 arguments, but NewProcess is given 2"},
		{`parallel.NewProcess(sum3, 1, "two", 3)`, "cell[9]:1:30: argument 2 of sum3 is string, but sum3 wants int"},
		{`parallel.NewProcess(3)`, "cell[9]:1:21: NewProcess wants a function first, not the function (int)"},
		{`parallel.NewProcess(avg, []float64{1}, 2)`, ""}, // an untyped constant fits a float64
	}
	for _, test := range tests {
		_, err := im.Plan(9, test.cell)
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%s\n got %v\nwant %s", test.cell, err, test.want)
		}
	}
}

func TestIsComplete(t *testing.T) {
	tests := []struct{ code, status, indent string }{
		{"", "complete", ""},
		{"1 + 2", "complete", ""},
		{"x := 1\nfunc f() { g() }", "complete", ""},
		{"func f() {", "incomplete", "\t"},
		{"func f() {\n\tg(", "incomplete", "\t\t"},
		{"x := 1 +", "incomplete", "\t"},
		{"x := `abc", "incomplete", ""},
		{"/* abc", "incomplete", ""},
		{"import", "incomplete", "\t"},
		{"x++", "complete", ""},
		{"f())", "invalid", ""},
		{"x := := 1", "invalid", ""},
		{"import = 7q", "invalid", ""},
		{`x := "abc`, "invalid", ""},
		{"func (p P) M() int { return 1 }", "complete", ""},
		{"func(x int) int { return x }(3)", "complete", ""},
	}
	for _, test := range tests {
		if status, indent := IsComplete(test.code); status != test.status || indent != test.indent {
			t.Errorf("%q: %s %q, want %s %q", test.code, status, indent, test.status, test.indent)
		}
	}
}

func FuzzPlan(f *testing.F) {
	for _, seed := range []string{"x := 1", "func f() {}", "import \"fmt\"\nfmt.Println(1)", "type P struct{}; func (p P) M() {}", "for i := range 3 { defer f(i) }", "x, y := 1, 2; x, z := y, 3", "go func() {}()", "`\r`", "const (a = iota; b)", "parallel.NewProcess(func() {})"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, code string) {
		im := New()
		u, err := im.Plan(1, code)
		if err == nil {
			im.Commit(u)
			im.Replay()
		}
		IsComplete(code)
	})
}

// checkCells checks and adopts cells, without lowering them, and gives the last one's error.
func checkCells(cells ...string) (err error) {
	im := New()
	for i, c := range cells {
		k, e := im.Check(i+1, c)
		if e == nil {
			im.Adopt(k)
		}
		err = e
	}
	return err
}

func TestSyntaxErrorsInTheCompilersWords(t *testing.T) {
	tests := []struct{ cell, want string }{
		{"x := := 2", "1:6: syntax error: unexpected :=, expected expression"},
		{"a b", "1:3: syntax error: unexpected name b at end of statement"},
		{"a, b", "1:1: syntax error: unexpected newline, expected := or = or comma"},
		{"x :=", "1:5: syntax error: unexpected EOF, expected expression"},
		{"func f(a int b) {}", "1:14: syntax error: unexpected name b in parameter list; possibly missing comma or )"},
		{"x := []int{1,\n2\n}", "2:2: syntax error: unexpected newline in composite literal; possibly missing comma or }"},
		{"f(1,,2)", "1:5: syntax error: unexpected comma, expected expression"},
		{"else { }", "1:1: syntax error: unexpected keyword else"},
		{"var 1x int", "1:5: syntax error: unexpected literal 1, expected name"},
		{"import fmt", "1:11: syntax error: missing import path; require quoted string"},
		{"x := \"a\nb\"", "1:6: newline in string"},
		{"x := 'ab'", "1:6: more than one character in rune literal"},
		{"@", "1:1: invalid character U+0040 '@'"},
		{"break", "1:1: break is not in a loop, switch, or select"},
		{"continue", "1:1: continue is not in a loop"},
		{"L:\n", "1:1: label L defined and not used"},
		{"f := func() {\ngoto M\n}", "2:6: label M not defined"},
		{"func f(){}\nfunc f(){}", "2:6: f redeclared in this block\n\tcell[1]:1:6: other declaration of f"},
		{"func f() { undefined1(); undefined2() }", "1:12: undefined: undefined1\ncell[1]:1:26: undefined: undefined2"},
		{"func f() int\n{ return 1 }", "1:13: syntax error: unexpected semicolon or newline before {"},
		{"var a = b\nvar b = a", "1:5: initialization cycle for a\n\tcell[1]:1:5: a refers to b"},
		{`import "C"`, "1:8: a cell cannot import C: cgo needs a package of its own"},
	}
	for _, test := range tests {
		if err := checkCells(test.cell); err == nil || !strings.HasPrefix(err.Error(), "cell[1]:"+test.want) {
			t.Errorf("%q\n got %v\nwant cell[1]:%s", test.cell, err, test.want)
		}
	}
}

// What cells may look like, as far as the front end can tell; the sessions in
// ../testdata tell what comes of it.
func TestWhatCellsMayBe(t *testing.T) {
	for _, cells := range [][]string{
		{""}, {"// only\n/* comments */"}, {";;x := 1;;x"}, {"/* a */ x := 1 /* b */ ; /* c */ x // d"},
		{"x := 1\r\nfmt.Println(x)\r\n// c\r\nx\r\n"},
		{"fmt.Println(1)\nimport \"os\"\ntype T struct{}\nvar t T\nfunc f() T { return t }\nf()"},
		{"{ x := 1; _ = x }"}, {"L: for i := 0; i < 3; i++ { for { continue L } }"}, {"goto end\nend:\nfmt.Println(1)"},
		{"func odd(n int) bool { return n != 0 }", "func even(n int) bool { return n == 0 || odd(n-1) }", "func odd(n int) bool { return n != 0 && even(n-1) }", "even(10)"},
		{"import . \"strings\"", "Repeat(ToUpper(\"a\"), 3)"}, {"import _ \"image/png\"\n1"},
		{"const (\nA = iota\nB\n)\nconst (a, b = iota, iota*10; c, d)", "A + B + d"},
		{"type A = []int\nvar x A = A{1}", "x[0] + len(x)"},
		{"type S[T any] struct{ xs []T }\nfunc (s *S[T]) Push(x T) { s.xs = append(s.xs, x) }", "s := &S[int]{}\ns.Push(1)", "s.xs"},
		{"type B struct{ X int }; type D struct { B; *strings.Builder }", "d := D{B: B{1}}; d.X"},
		{"len := 3", "len + 1"}, {"string := 1", "string + 1"}, {"변수 := \"값\"", "변수"},
		{"resp, err := http.Get(\"x\")", "resp, err := http.Get(\"y\")", "err = nil", "resp.Body"},
		{"type (\n A = interface{ Render() D }\n D = struct{ X map[string]interface{} }\n)", "var a A"},
		{"func Doc(x int) int", "func Doc2()\nfunc (p *int) X()"},
		{"func init() {}\nfunc init() {}"}, {"return"}, {"if true { return }"}, {"defer fmt.Println(1)"},
		{"x := 1", "func x() int { return 2 }", "x()", "type x struct{}", "x{}", "const x = 4", "x + 1", "var x = \"s\"", "x + \"t\""},
		{"var _ I = (*T)(nil)\ntype I interface { M() }\ntype T struct{}\nfunc (*T) M() {}"},
		{"package main\nimport \"fmt\"\nfunc main() { fmt.Println(1) }"}, {"func main() {}", "main()"}, {"package foo\nfunc F() int { return 1 }", "F()"},
		{"import m \"math\"", "m.Pi"}, {"import \"math/rand/v2\"", "rand.N(10)"}, {"rand.Intn(3)"}, {"import \"parallel\"", "parallel.NewValue(2)"},
		{strings.Repeat("x := 1; x++\n", 1) + strings.Repeat("x++\n", 20_000)},
	} {
		im := New()
		for i, c := range cells {
			k, err := im.Check(i+1, c)
			if err != nil {
				t.Errorf("%.300q of %.300q\n%v", c, cells, err)
				break
			}
			im.Adopt(k)
		}
	}
}
