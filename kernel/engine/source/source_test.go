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
		{"grammar", "x := := 2", "cell[1]:1:6: syntax error: expected operand, found ':='"},
		{"string", `x := "abc`, "cell[1]:1:6: string literal not terminated"},
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
