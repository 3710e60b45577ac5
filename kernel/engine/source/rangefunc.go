package source

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// A range over a function becomes a call of it with the loop's body as a function
// literal. What leaves the loop other than at its end says so in a variable, which
// the code behind the call looks at.

// A funcFrame is a function whose body is being walked.
type funcFrame struct {
	sig     *types.Signature // nil for the cell's own statements
	results *ast.FieldList
	state   string   // variable that says how a loop over a function was left
	rets    []string // variables for what is to be returned
	defers  string   // variable that keeps deferred calls, where loops over functions defer
	targets []target
	codes   map[string]int
	extra   []string // declarations for the function's start
}

// A target is a statement that break and continue may mean.
type target struct {
	node  ast.Node
	label string
	loop  bool       // continue may mean it
	over  *rangeOver // set for a range over a function
}

// A rangeOver is a loop over a function, being walked.
type rangeOver struct {
	exited string // variable: the body must not be called again
	leaves []leave
}

// A leave is one way in which a loop over a function is left.
type leave struct {
	code int
	then string // what follows the call of the loop's function for it
}

// walkFunc walks a function declaration.
func (l *lowering) walkFunc(d *ast.FuncDecl) {
	if d.Recv != nil {
		if !isGeneric(d) {
			l.walk(d.Recv)
		}
	}
	sig, _ := l.c.info.Defs[d.Name].Type().(*types.Signature)
	l.walk(d.Type.Params)
	if d.Type.Results != nil {
		l.walk(d.Type.Results)
	}
	l.walkBody(sig, d.Type, d.Body)
}

// walkBody walks the body of a function.
func (l *lowering) walkBody(sig *types.Signature, typ *ast.FuncType, body *ast.BlockStmt) {
	outer, loops := l.frame, l.loops
	l.loops = nil
	l.frame = &funcFrame{sig: sig, results: typ.Results, codes: map[string]int{}}
	ast.Inspect(body, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if r, ok := n.(*ast.RangeStmt); ok && l.frame.defers == "" && deferring(r.Body) {
			if _, ok := coreOf(l.typeOf(r.X)).(*types.Signature); ok {
				d := l.temp("deferred")
				l.frame.defers = d
				l.frame.extra = append(l.frame.extra, fmt.Sprintf("var %[1]s []func(); defer func() { for i__ := len(%[1]s) - 1; i__ >= 0; i__-- { %[1]s[i__]() } }()", d))
			}
		}
		return true
	})
	l.depth++
	l.walk(body)
	l.depth--
	l.finishFrame(l.file.offset(body.Lbrace) + 1)
	l.frame, l.loops = outer, loops
}

// finishFrame declares at the function's start what its loops need.
func (l *lowering) finishFrame(at int) {
	if len(l.frame.extra) > 0 {
		l.insert(at, " "+strings.Join(l.frame.extra, "; ")+"; ")
	}
}

func (f *funcFrame) inRangeFunc() bool {
	for _, t := range f.targets {
		if t.over != nil {
			return true
		}
	}
	return false
}

// within walks n, which break or continue may mean.
func (l *lowering) within(t target, walk func()) {
	f := l.frame
	if f == nil {
		walk()
		return
	}
	t.label = l.labels[t.node]
	f.targets = append(f.targets, t)
	walk()
	f.targets = f.targets[:len(f.targets)-1]
}

func (l *lowering) needState() string {
	f := l.frame
	if f.state == "" {
		f.state = l.temp("left")
		f.extra = append(f.extra, "var "+f.state+" int; _ = "+f.state)
	}
	return f.state
}

// returns gives the variables that take what a function returns.
func (l *lowering) returns() []string {
	f := l.frame
	if f.sig == nil || f.rets != nil {
		return f.rets
	}
	named := f.results != nil && len(f.results.List) > 0 && len(f.results.List[0].Names) > 0
	if named {
		for _, field := range f.results.List {
			for _, n := range field.Names {
				if n.Name == "_" {
					named = false
				}
			}
		}
	}
	for v := range f.sig.Results().Variables() {
		if named {
			f.rets = append(f.rets, v.Name())
			continue
		}
		name := l.temp("ret")
		f.rets = append(f.rets, name)
		f.extra = append(f.extra, "var "+name+" "+l.typeName(l.sub(v.Type()))+"; _ = "+name)
	}
	return f.rets
}

// rangeFunc lowers a range over a function.
func (l *lowering) rangeFunc(r *ast.RangeStmt, sig *types.Signature) {
	f := l.frame
	over := &rangeOver{exited: l.temp("exited")}
	f.extra = append(f.extra, "var "+over.exited+" bool; _ = "+over.exited)
	if deferring(r.Body) && f.defers == "" {
		l.errorf(r.Pos(), "a defer in a range over a function is not possible in the interpreter here: collect the values first, with slices.Collect")
	}
	yield, _ := sig.Params().At(0).Type().Underlying().(*types.Signature)
	if yield == nil {
		return
	}
	type assign struct {
		to   ast.Expr
		from string
	}
	var params []string
	var assigns []assign
	vars := []ast.Expr{r.Key, r.Value}
	for i := range yield.Params().Len() {
		typ := l.typeName(l.sub(yield.Params().At(i).Type()))
		name := "_"
		if i < 2 && vars[i] != nil {
			id, isIdent := vars[i].(*ast.Ident)
			switch {
			case isIdent && id.Name == "_":
			case r.Tok == token.DEFINE:
				name = id.Name
			default:
				name = l.temp("v")
				l.walk(vars[i])
				assigns = append(assigns, assign{vars[i], name})
			}
		}
		if name == "_" {
			name = l.temp("u")
		}
		params = append(params, name+" "+typ)
	}
	l.walk(r.X)
	t := target{node: r, loop: true, over: over}
	loops := l.loops
	l.loops = append(l.loops, r)
	l.within(t, func() { l.walk(r.Body) })
	l.loops = loops
	start := l.file.offset(r.For)
	end := l.file.offset(r.End())
	l.replace(start, end, func() string {
		x := l.render(l.file.offset(r.X.Pos()), l.file.offset(r.X.End()))
		var pre strings.Builder
		for _, a := range assigns {
			pre.WriteString(l.render(l.file.offset(a.to.Pos()), l.file.offset(a.to.End())) + " = " + a.from + "; ")
		}
		between := strings.Repeat("\n", strings.Count(l.file.text[l.file.offset(r.X.End()):l.file.offset(r.Body.Lbrace)], "\n"))
		body := l.render(l.file.offset(r.Body.Lbrace)+1, l.file.offset(r.Body.Rbrace))
		var post strings.Builder
		for _, lv := range over.leaves {
			post.WriteString(lv.then)
		}
		return fmt.Sprintf("{ %[1]s = false; (%[2]s)(%[3]sfunc(%[4]s) bool { if %[1]s { panic(\"range function continued iteration after function for loop body returned false\") }; %[5]s%[6]s; return true }); %[1]s = true; %[7]s}",
			over.exited, x, between, strings.Join(params, ", "), pre.String(), body, post.String())
	})
}

// branch lowers a branch statement that leaves a loop over a function.
func (l *lowering) branch(b *ast.BranchStmt) {
	f := l.frame
	if f == nil || !f.inRangeFunc() || b.Tok == token.FALLTHROUGH {
		return
	}
	if b.Tok == token.GOTO {
		if l.labelInside(b) {
			return
		}
		l.errorf(b.Pos(), "goto out of a range over a function is not possible in the interpreter: use a flag")
		return
	}
	to := -1
	for i := len(f.targets) - 1; i >= 0; i-- {
		t := f.targets[i]
		if b.Label != nil && t.label == b.Label.Name || b.Label == nil && (b.Tok == token.BREAK || t.loop) {
			to = i
			break
		}
	}
	if to < 0 {
		return
	}
	l.leaveTo(b, b.Tok, to, "")
}

// leaveTo replaces statement n by what makes the loops over functions around it
// end until the target is reached.
func (l *lowering) leaveTo(n ast.Stmt, kind token.Token, to int, before string) {
	f := l.frame
	inner := -1 // the innermost loop over a function
	for i, t := range f.targets {
		if t.over != nil && i >= max(to, 0) {
			inner = i
		}
	}
	if inner < 0 {
		return // the target is within the innermost such loop's body
	}
	start, end := l.file.offset(n.Pos()), l.file.offset(n.End())
	if inner == to && kind == token.CONTINUE {
		l.replace(start, end, func() string { return "return true" })
		return
	}
	if inner == to && kind == token.BREAK {
		exited := f.targets[to].over.exited
		l.replace(start, end, func() string { return "{ " + exited + " = true; return false }" })
		return
	}
	key := fmt.Sprintf("%v %d", kind, to)
	if to >= 0 {
		key = fmt.Sprintf("%v %p", kind, f.targets[to].node)
	}
	code := f.codes[key]
	if code == 0 {
		code = len(f.codes) + 1
		f.codes[key] = code
	}
	state := l.needState()
	// Each loop over a function between here and the target passes it on.
	for i := inner; i >= 0 && i >= to; i-- {
		over := f.targets[i].over
		if over == nil {
			continue
		}
		if i == to {
			break
		}
		have := false
		for _, lv := range over.leaves {
			have = have || lv.code == code
		}
		if have {
			continue
		}
		// What is around this loop?
		around := -1
		for j := i - 1; j >= 0; j-- {
			if f.targets[j].over != nil {
				around = j
				break
			}
		}
		lv := leave{code: code}
		switch {
		case around >= 0 && around > to:
			lv.then = fmt.Sprintf("{ %s = true; return false }", f.targets[around].over.exited)
		case around >= 0 && around == to && kind == token.CONTINUE:
			lv.then = fmt.Sprintf("{ %s = 0; return true }", state)
		case around >= 0 && around == to && kind == token.BREAK:
			lv.then = fmt.Sprintf("{ %s = 0; %s = true; return false }", state, f.targets[around].over.exited)
		case kind == token.RETURN:
			lv.then = "{ return " + strings.Join(l.returns(), ", ") + " }"
			if f.sig == nil {
				lv.then = "{ return nil }"
			}
		default:
			name := f.targets[to].label
			if name == "" {
				// An unlabelled break or continue whose target is around the
				// innermost loop cannot be: the innermost is its target.
				name = "?"
			}
			lv.then = fmt.Sprintf("{ %s = 0; %s %s }", state, kind, name)
		}
		lv.then = fmt.Sprintf("if %s == %d %s; ", state, code, lv.then)
		over.leaves = append(over.leaves, lv)
	}
	exited := f.targets[inner].over.exited
	l.replace(start, end, func() string {
		b := ""
		if before != "" {
			b = l.renderReturn(n.(*ast.ReturnStmt))
		}
		return fmt.Sprintf("{ %s%s = %d; %s = true; return false }", b, state, code, exited)
	})
}

// renderReturn assigns what a return statement gives.
func (l *lowering) renderReturn(r *ast.ReturnStmt) string {
	rets := l.returnNames[r]
	if len(r.Results) == 0 || len(rets) == 0 {
		return ""
	}
	start, end := l.file.offset(r.Results[0].Pos()), l.file.offset(r.Results[len(r.Results)-1].End())
	return strings.Join(rets, ", ") + " = " + l.render(start, end) + "; "
}

// returnFrom lowers a return statement in a loop over a function.
func (l *lowering) returnFrom(r *ast.ReturnStmt) {
	if l.returnNames == nil {
		l.returnNames = map[*ast.ReturnStmt][]string{}
	}
	l.returnNames[r] = l.returns()
	l.walkList(r.Results)
	l.leaveTo(r, token.RETURN, -1, "return")
}

// labelInside tells whether a goto stays in the body of the innermost loop over a function.
func (l *lowering) labelInside(b *ast.BranchStmt) bool {
	for i := len(l.frame.targets) - 1; i >= 0; i-- {
		t := l.frame.targets[i]
		if t.over == nil {
			continue
		}
		found := false
		ast.Inspect(t.node, func(n ast.Node) bool {
			if s, ok := n.(*ast.LabeledStmt); ok && s.Label.Name == b.Label.Name {
				found = true
			}
			return !found
		})
		return found
	}
	return true
}

// deferring tells whether a loop's body defers calls of its function.
func deferring(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			found = true
		}
		return !found
	})
	return found
}
