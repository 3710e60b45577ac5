package eval_test

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/engine/glue/eval"
)

// A table of variables and functions.
type table struct {
	vars  map[string]reflect.Value
	funcs map[string]reflect.Value
}

func newTable() table {
	return table{map[string]reflect.Value{}, map[string]reflect.Value{}}
}

// with adds a variable.
func (t table) with(name string, value any) table {
	v := reflect.New(reflect.TypeOf(value)).Elem()
	v.Set(reflect.ValueOf(value))
	t.vars[name] = v
	return t
}

func (t table) Var(name string) reflect.Value { return t.vars[name] }

func (t table) Declare(name string, typ reflect.Type) reflect.Value {
	t.vars[name] = reflect.New(typ).Elem()
	return t.vars[name]
}

func (t table) Type(pkg, name string) reflect.Type { return nil }

func (t table) Func(pkg, name string) reflect.Value { return t.funcs[name] }

func (t table) Global(pkg, name string) reflect.Value { return reflect.Value{} }

// c receives from c and then calls after.
func receiving() *eval.Program {
	return &eval.Program{
		Cell: 4, Vars: []eval.Var{{Name: "c"}}, Symbols: []eval.Symbol{{Name: "after"}},
		Nodes: []eval.Node{{Op: eval.OpVar}, {Op: eval.OpRecv, Line: 2, Kids: []int{0}}, {Op: eval.OpFunc}, {Op: eval.OpCall, Line: 3, Kids: []int{2}}},
		Stmts: []eval.Stmt{{Op: eval.StmtExpr, Line: 2, Rhs: []int{1}}, {Op: eval.StmtExpr, Line: 3, Rhs: []int{3}}},
	}
}

func TestAReceiveIsInterrupted(t *testing.T) {
	for _, c := range []chan int{make(chan int), nil} {
		tab := newTable().with("c", c)
		ran := false
		tab.funcs["after"] = reflect.ValueOf(func() { ran = true })
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		_, err := eval.Run(ctx, receiving(), tab)
		var i *eval.Interrupted
		if !errors.As(err, &i) || i.Left || i.Cell != 4 || i.Line != 2 || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if ran {
			t.Error("the cell went on after its interrupt")
		}
	}
}

func TestASendIsInterrupted(t *testing.T) {
	tab := newTable().with("c", make(chan int))
	p := &eval.Program{
		Vars:  []eval.Var{{Name: "c"}},
		Nodes: []eval.Node{{Op: eval.OpVar}, {Op: eval.OpConst, Index: eval.ConstInt, Bits: 1}},
		Stmts: []eval.Stmt{{Op: eval.StmtSend, Line: 1, Lhs: []int{0}, Rhs: []int{1}}},
	}
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	_, err := eval.Run(ctx, p, tab)
	var i *eval.Interrupted
	if !errors.As(err, &i) || i.Left {
		t.Errorf("got %v", err)
	}
}

// A call of compiled code that does not end is left behind, and what follows it
// never runs, also when it ends later.
func TestACallThatGoesOnIsLeft(t *testing.T) {
	release, left := make(chan struct{}), make(chan struct{})
	c := make(chan int, 1)
	c <- 1
	tab := newTable().with("c", c).with("x", 5)
	ctx, cancel := context.WithCancel(context.Background())
	tab.funcs["hang"] = reflect.ValueOf(func() int {
		defer close(left)
		cancel() // not before the call has begun
		<-release
		return 7
	})
	tab.funcs["after"] = reflect.ValueOf(func() { t.Error("the cell went on") })
	p := &eval.Program{
		Cell: 1, Vars: []eval.Var{{Name: "x"}}, Symbols: []eval.Symbol{{Name: "hang"}, {Name: "after"}},
		Nodes: []eval.Node{{Op: eval.OpVar}, {Op: eval.OpFunc}, {Op: eval.OpCall, Line: 1, Kids: []int{1}}, {Op: eval.OpFunc, Index: 1}, {Op: eval.OpCall, Kids: []int{3}}},
		Stmts: []eval.Stmt{{Op: eval.StmtAssign, Line: 1, Lhs: []int{0}, Rhs: []int{2}}, {Op: eval.StmtExpr, Line: 2, Rhs: []int{4}}},
	}
	before := runtime.NumGoroutine()
	_, err := eval.Run(ctx, p, tab)
	var i *eval.Interrupted
	if !errors.As(err, &i) || !i.Left || i.Line != 1 {
		t.Errorf("got %v", err)
	}
	close(release)
	<-left
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the goroutine that was left did not end")
		}
	}
	if x := tab.vars["x"].Int(); x != 5 {
		t.Errorf("x was set to %d after the interrupt", x)
	}
}

// Nothing runs of a program that names what the session does not have.
func TestARefusedProgramHasNoEffect(t *testing.T) {
	c := make(chan int, 1)
	c <- 1
	tab := newTable().with("c", c)
	_, err := eval.Run(context.Background(), receiving(), tab)
	var r *eval.Refused
	if !errors.As(err, &r) || !strings.Contains(r.Reason, "after is not known") || r.Line != 3 {
		t.Errorf("got %v", err)
	}
	if len(c) != 1 {
		t.Error("the receive has happened")
	}
}

func TestAPanicHasItsValueLineAndStack(t *testing.T) {
	c := make(chan int, 1)
	c <- 1
	tab := newTable().with("c", c)
	boom := errors.New("boom")
	tab.funcs["after"] = reflect.ValueOf(func() { panic(boom) })
	_, err := eval.Run(context.Background(), receiving(), tab)
	var p *eval.Panic
	if !errors.As(err, &p) || p.Value != boom || p.Cell != 4 || p.Line != 3 || !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	frames := runtime.CallersFrames(p.Callers)
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "TestAPanicHasItsValueLineAndStack.func") {
			break
		}
		if !more {
			t.Fatal("the function that panicked is not on the stack")
		}
	}
}

func TestGoexitIsAnError(t *testing.T) {
	c := make(chan int, 1)
	c <- 1
	tab := newTable().with("c", c)
	tab.funcs["after"] = reflect.ValueOf(runtime.Goexit)
	if _, err := eval.Run(context.Background(), receiving(), tab); err != eval.ErrGoexit {
		t.Errorf("got %v", err)
	}
}

// Results are copies: what the cell gave is shown as it was.
func TestResultsAreCopies(t *testing.T) {
	tab := newTable().with("x", 5)
	p := &eval.Program{
		Vars: []eval.Var{{Name: "x"}}, Nodes: []eval.Node{{Op: eval.OpVar}},
		Stmts: []eval.Stmt{{Op: eval.StmtExpr, Rhs: []int{0}}}, Result: true,
	}
	rs, err := eval.Run(context.Background(), p, tab)
	if err != nil || len(rs) != 1 {
		t.Fatalf("got %v, %v", rs, err)
	}
	tab.vars["x"].SetInt(6)
	if rs[0].Int() != 5 {
		t.Errorf("the result became %v", rs[0])
	}
}
