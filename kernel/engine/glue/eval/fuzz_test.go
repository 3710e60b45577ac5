package eval_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/engine/glue/eval"
)

func encoded(t testing.TB, p *eval.Program) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever bytes come from a socket, decoding and running them ends in results or
// an error.
func FuzzProgram(f *testing.F) {
	f.Add(encoded(f, receiving()))
	f.Add(encoded(f, &eval.Program{
		Types: []eval.Type{
			{Form: eval.Basic, Name: "int"}, {Form: eval.Slice}, {Form: eval.Map, Elem: 1}, {Form: eval.Func, In: []int{0}, Out: []int{1}},
			{Form: eval.Struct, Fields: []eval.Field{{Name: "A", Type: 2}}}, {Form: eval.Array, Len: 3},
		},
		Vars: []eval.Var{{Name: "x", New: true}, {Name: "c"}},
		Nodes: []eval.Node{
			{Op: eval.OpConst, Type: 1, Index: eval.ConstInt, Bits: 2}, {Op: eval.OpConst, Index: eval.ConstInt, Bits: 3},
			{Op: eval.OpComposite, Type: 2, Kids: []int{0, 1}, Keys: []int64{0, 5}}, {Op: eval.OpNew},
			{Op: eval.OpVar}, {Op: eval.OpBuiltin, Name: "len", Kids: []int{4}},
		},
		Stmts: []eval.Stmt{
			{Op: eval.StmtAssign, Line: 1, Lhs: []int{3}, Rhs: []int{2}},
			{Op: eval.StmtExpr, Line: 2, Rhs: []int{5}},
		},
		Result: true,
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := new(eval.Program)
		if err := gob.NewDecoder(bytes.NewReader(b)).Decode(p); err != nil {
			return
		}
		for i := range p.Nodes {
			if p.Nodes[i].Bits > 1000 { // a program may ask for as much memory as it likes
				p.Nodes[i].Bits = 1000
			}
			for j := range p.Nodes[i].Keys {
				p.Nodes[i].Keys[j] %= 1000
			}
		}
		tab := newTable().with("c", make(chan int)).with("x", []int{1})
		tab.funcs["after"] = reflect.ValueOf(func() {})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_, err := eval.Run(ctx, p, tab)
		var i *eval.Interrupted
		if errors.As(err, &i) && i.Left {
			t.Error("it cannot be interrupted")
		}
	})
}

// A program that nests too deeply is refused, not a stack overflow.
func TestDeepNestingIsRefused(t *testing.T) {
	p := &eval.Program{Nodes: []eval.Node{{Op: eval.OpConst, Type: 1, Index: eval.ConstInt}}, Types: []eval.Type{{Form: eval.Basic, Name: "int"}}}
	for i := range 100_000 {
		p.Nodes = append(p.Nodes, eval.Node{Op: eval.OpUnary, Name: "-", Kids: []int{i}})
	}
	p.Stmts = []eval.Stmt{{Op: eval.StmtExpr, Rhs: []int{len(p.Nodes) - 1}}}
	var r *eval.Refused
	if _, err := eval.Run(context.Background(), p, newTable()); !errors.As(err, &r) {
		t.Errorf("got %v", err)
	}
	s := eval.Stmt{Op: eval.StmtBlock}
	for range 100_000 {
		s = eval.Stmt{Op: eval.StmtBlock, Body: []eval.Stmt{s}}
	}
	if _, err := eval.Run(context.Background(), &eval.Program{Stmts: []eval.Stmt{s}}, newTable()); !errors.As(err, &r) {
		t.Errorf("got %v", err)
	}
}
