package interp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/engine/source"
)

// A notebook plans and runs cells as the engine does, in one process.
type notebook struct {
	t     *testing.T
	image *source.Image
	s     *Session
	cells int
}

func open(t *testing.T, o Options) *notebook {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &notebook{t: t, image: source.New(), s: s}
}

// run gives what a cell shows: the values of its last expression, or its error.
func (n *notebook) run(ctx context.Context, cell string) string {
	n.t.Helper()
	n.cells++
	u, err := n.image.Plan(n.cells, cell)
	if err != nil {
		return err.Error()
	}
	if err := n.s.Load(u); err != nil {
		return err.Error()
	}
	values, err := n.s.Run(ctx, u)
	var p *Panic
	switch {
	case errors.As(err, &p):
		var at []string
		for _, f := range p.Frames {
			at = append(at, fmt.Sprintf("%s@%d:%d", f.Func, f.Cell, f.Line))
		}
		n.image.Commit(u)
		return p.Error() + " [" + strings.Join(at, " ") + "]"
	case err != nil:
		return err.Error()
	}
	n.image.Commit(u)
	return strings.TrimSuffix(fmt.Sprintln(values...), "\n")
}

func TestSessions(t *testing.T) {
	tests := []struct {
		name  string
		cells []string // code, what it shows, code, ...
	}{
		{"any order in a cell", []string{
			"x := double(2)\nimport \"strings\"\nfunc double(n int) int { return n * k }\nconst k = 10\nstrings.Repeat(\"a\", x/k)", "aa",
		}},
		{"state", []string{"n := 1", "", "n += 2", "", "n++\nn", "4"}},
		{"a function sees variables as they are now", []string{"n := 1\nfunc get() int { return n }", "", "n = 5\nget()", "5", "n := 6", "", "get()", "6"}},
		{"redefined function", []string{"func f() int { return 1 }", "", "func g() int { return 10 * f() }", "", "func f() int { return 2 }", "", "g()", "20"}},
		{"redefined constant", []string{"const c = 1", "", "func f() int { return c }", "", "const c = 2", "", "f()", "2"}},
		{"redefined variable type", []string{"v := 1", "", "func show() string { return fmt.Sprint(v) }", "", "v := \"now text\"", "", "show()", "now text"}},
		{"redefined type", []string{
			"type P struct{ X int }\nfunc (p P) Twice() int { return 2 * p.X }", "", "p := P{4}\np.Twice()", "8",
			"type P struct{ X, Y int }", "", "P{1, 2}.Y + P{3, 0}.Twice()", "8", "p.X", "4",
		}},
		{"redefined method", []string{"type T int\nfunc (t T) M() int { return 1 }", "", "func (t T) M() int { return 2 }", "", "T(0).M()", "2"}},
		{"old value in a new declaration", []string{"x := 3", "", "x := x * 2\nx", "6", "x, y := x+1, x\nx, y", "syntax error: unexpected newline, expected := or = or comma"}},
		{"several values", []string{"func two() (int, error) { return 1, nil }\ntwo()", "1 <nil>"}},
		{"printing is no result", []string{"fmt.Print()", ""}},
		{"error as a value", []string{"err := errors.New(\"boom\")", "", "err", "boom"}},
		{"string methods", []string{"type C int\nfunc (c C) String() string { return fmt.Sprintf(\"C%d\", int(c)) }\nC(3)", "C3"}},
		{"loop variables", []string{
			"fs := []func() int{}\nfor i := 0; i < 3; i++ { fs = append(fs, func() int { return i }) }\nfs[0]() + 10*fs[1]() + 100*fs[2]()", "210",
			"gs := []func() int{}\nfor _, v := range []int{1, 2, 3} { gs = append(gs, func() int { return v }) }\ngs[0]() + 10*gs[1]() + 100*gs[2]()", "321",
			"sum := 0\nfor i := 0; i < 6; i++ { p := &i; if *p%2 == 1 { continue }; *p += 1; sum += i }\nsum", "9",
		}},
		{"range over integers", []string{"s := 0\nfor i := range 4 { s += i }\nfor range 3 { s += 100 }\ns", "306", "var n int64 = 3\nvar t int64\nfor i := range n { t += i }\nt", "3"}},
		{"deferred arguments", []string{
			"log := \"\"\nfunc note(s string) { log += s }\nfunc f() {\n\tx := \"1\"\n\tdefer note(x)\n\tx = \"2\"\n\tnote(x)\n}\nf()\nlog", "21",
			"func g() {\n\tfor i := range 3 {\n\t\tdefer note(fmt.Sprint(i))\n\t\tdefer func() { note(fmt.Sprint(\"f\", i)) }()\n\t}\n}\nlog = \"\"\ng()\nlog", "f22f11f00",
		}},
		{"min, max, clear, new", []string{"m := map[string]int{\"a\": 1}\nclear(m)\nlen(m) + min(3, 1, 2) + max(4, 5)", "6", "*new(42)", "42", "max(2.5, 1)", "2.5"}},
		{"goroutines and channels", []string{
			"var wg sync.WaitGroup\nvar mu sync.Mutex\ntotal := 0\nfor i := 0; i < 10; i++ {\n\twg.Add(1)\n\tgo func(k int) { defer wg.Done(); mu.Lock(); total += k; mu.Unlock() }(i)\n}\nwg.Wait()\ntotal", "45",
			"ch := make(chan int)\nfunc send(n int) { ch <- n }\ngo send(7)\n<-ch", "7",
		}},
		{"generics", []string{"func Id[T any](x T) T { return x }\nId(1)", "1", "Id(\"s\")", "s", "type Stack[T any] struct{ xs []T }\nfunc (s *Stack[T]) Push(x T) { s.xs = append(s.xs, x) }\ns := &Stack[int]{}\ns.Push(4)\ns.xs[0]", "4"}},
		{"panics", []string{
			"func inner(xs []int) int {\n\treturn xs[5]\n}\nfunc outer() int { return inner(nil) }", "",
			"\nouter()", "panic: runtime error: index out of range [inner@1:2 outer@1:4 @2:2]",
			"var p *struct{ X int }; p.X", "panic: runtime error: invalid memory address or nil pointer dereference [@3:1]",
			"panic(fmt.Sprint(\"own \", 1))", "panic: own 1 [@4:1]",
			"1 + 1", "2",
		}},
		{"exit is an error of the cell", []string{"os.Exit(3)", "os.Exit(3)", "1", "1"}},
		{"programs", []string{"package main\n\nfunc main() { ran = true }\n\nvar ran bool", "", "ran", "true", "func main() { ran = false }", "", "main()\nran", "false"}},
		{"return ends a cell", []string{"a := 1\nif a == 1 {\n\treturn\n}\na = 2", "", "a", "1"}},
		{"literals", []string{"type Q struct { A int; F func() int }\nqs := []Q{{1, func() int { return 5 }}, {A: 2}}\nqs[0].F() + qs[1].A", "7"}},
		{"embedding", []string{"type B struct{ N int }\nfunc (b B) Get() int { return b.N }\ntype D struct { B; M int }\nd := D{B{3}, 4}\nd.Get() + d.N + d.B.N", "9", "type B struct{ N, O int }", "", "e := D{B{5, 6}, 7}\ne.Get() + e.O + e.B.O", "17"}},
		{"what no longer fits goes", []string{"func f() int { return 1 }", "", "func g() int { return f() }", "", "func f() string { return \"s\" }", "", "g()", "cell[4]:1:1: undefined: g"}},
		{"an unknown package's functions", []string{"strings.NoSuch(1)", "cell[1]:1:9: undefined: strings.NoSuch"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := open(t, Options{})
			for i := 0; i < len(test.cells); i += 2 {
				got := n.run(context.Background(), test.cells[i])
				if want := test.cells[i+1]; got != want && (want == "" || !strings.HasSuffix(got, want)) {
					t.Fatalf("cell %d:\n%s\n got %q\nwant %q", i/2+1, test.cells[i], got, want)
				}
			}
		})
	}
}

func TestInterruptKeepsState(t *testing.T) {
	n := open(t, Options{})
	n.run(context.Background(), "x := 1")
	for _, cell := range []string{"x = 2\nfor {}", "x = 3\nselect {}", "x = 4\nvar ch chan int\n<-ch", "x = 5\nfunc f() { f2() }\nfunc f2() { for { x = 6 } }\nf()"} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		if got := n.run(ctx, cell); got != context.DeadlineExceeded.Error() {
			t.Errorf("%s\ngave %q", cell, got)
		}
		cancel()
	}
	if got := n.run(context.Background(), "x"); got != "6" {
		t.Errorf("x is %s after the interrupts, want 6", got)
	}
}

func TestGoroutinePanicIsReported(t *testing.T) {
	panics := make(chan *Panic, 1)
	n := open(t, Options{Panicked: func(p *Panic) { panics <- p }})
	n.run(context.Background(), "go func() {\n\tvar m map[string]int\n\tm[\"a\"] = 1\n}()")
	if p := <-panics; p.Value != "assignment to entry in nil map" {
		t.Errorf("got %q", p.Value)
	}
}

func TestReplay(t *testing.T) {
	n := open(t, Options{})
	for _, c := range []string{"import \"strings\"", "type P struct{ X int }\nfunc (p P) Up() string { return strings.Repeat(\"x\", p.X) }", "count := 3\nfunc inc() int { count++; return count }", "inc()"} {
		n.run(context.Background(), c)
	}
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	n.s = s
	n.image.DropVariables()
	for _, u := range n.image.Replay() {
		if err := s.Load(u); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.run(context.Background(), "P{2}.Up()"); got != "xx" {
		t.Errorf("declarations after a replay: %q", got)
	}
	if got := n.run(context.Background(), "count"); !strings.Contains(got, "undefined: count") {
		t.Errorf("a lost variable: %q", got)
	}
	if got := n.run(context.Background(), "count := 10\ninc()"); got != "11" {
		t.Errorf("a variable that is back: %q", got)
	}
}
