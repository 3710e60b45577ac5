package glue_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/paragopher/paragopher/kernel/engine/glue"
)

// What is not straight-line is refused, and the reason names it.
func TestRefusalsNameTheConstruct(t *testing.T) {
	cases := []struct{ code, reason string }{
		{`f := func() {}`, "function literal"},
		{`Call(func() int { return 1 })`, "function literal"},
		{`for i := 0; i < 3; i++ { }`, "for loop"},
		{`for range 3 { }`, "for loop"},
		{`switch Count { case 1: }`, "a switch"},
		{`switch AsAny(1).(type) { case int: }`, "a switch"},
		{`select { default: }`, "a select"},
		{`go Nothing()`, "a go statement"},
		{`defer Nothing()`, "a defer statement"},
		{`L: Nothing(); goto L`, "a label"},
		{`if true { return }`, "a return statement"},
		{`type T int`, "a declaration in a block"},
		{`if true { const c = 1 }`, "a declaration in a block"},
		{`fmt.Println(recover())`, "recover"},
		{`b := Box[string]{"x"}`, "instance Box[string]"},
		{`x := Double(1)`, "instance Double[int]"},
		{`s := struct{ a int }{1}`, "unexported or embedded field"},
		{`s := struct{ Point }{}`, "unexported or embedded field"},
		{`var i interface{ M() }`, "interface type with methods"},
		{`f := Point.norm`, "method expression of norm"},
		{`p := Point{}; f := p.norm`, "method value norm"},
		{`var h Hidden; h.hide()`, "method hide of an interface"},
		{"if x := 1; x > 0 { for { } }", "for loop"},
	}
	var sessions []session
	for _, c := range cases {
		sessions = append(sessions, session{c.code, c.code})
	}
	p := build(t, sessions)
	for i, c := range cases {
		_, err := p.cells(i, false)
		var r *glue.Refusal
		if !errors.As(err, &r) {
			t.Errorf("%s: %v", c.code, err)
			continue
		}
		if !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: the reason is %q, want %q in it", c.code, r.Reason, c.reason)
		}
		if r.Cell != 1 || r.Line != 1 {
			t.Errorf("%s: cell[%d]:%d", c.code, r.Cell, r.Line)
		}
	}
}
