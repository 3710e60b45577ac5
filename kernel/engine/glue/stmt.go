package glue

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/paragopher/paragopher/kernel/engine/glue/eval"
)

// refused names the statements that are not glue.
func (b *builder) refused(s ast.Stmt) string {
	switch s := s.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return "a for loop"
	case *ast.SwitchStmt, *ast.TypeSwitchStmt:
		return "a switch"
	case *ast.SelectStmt:
		return "a select"
	case *ast.GoStmt:
		return "a go statement"
	case *ast.DeferStmt:
		return "a defer statement"
	case *ast.LabeledStmt:
		return "a label"
	case *ast.BranchStmt:
		return "a " + s.Tok.String() + " statement"
	case *ast.ReturnStmt:
		return "a return statement"
	case *ast.DeclStmt:
		return "a declaration in a block"
	}
	return ""
}

func (b *builder) stmt(s ast.Stmt) []eval.Stmt {
	line := b.line(s)
	one := func(s eval.Stmt) []eval.Stmt {
		s.Line = line
		return []eval.Stmt{s}
	}
	switch s := s.(type) {
	case *ast.EmptyStmt:
		return nil
	case *ast.ExprStmt:
		return one(eval.Stmt{Op: eval.StmtExpr, Rhs: []int{b.expr(s.X)}})
	case *ast.SendStmt:
		ch, v := b.expr(s.Chan), b.expr(s.Value)
		return one(eval.Stmt{Op: eval.StmtSend, Lhs: []int{ch}, Rhs: []int{v}})
	case *ast.IncDecStmt:
		x := b.expr(s.X)
		// 1 has the type of x.
		n := eval.Node{Op: eval.OpConst, Index: eval.ConstInt, Bits: 1}
		switch t := b.cell.Info.Types[s.X].Type.Underlying().(*types.Basic); {
		case t.Info()&types.IsUnsigned != 0:
			n.Index = eval.ConstUint
		case t.Info()&types.IsFloat != 0:
			n.Index, n.Bits, n.Real = eval.ConstFloat, 0, 1
		case t.Info()&types.IsComplex != 0:
			n.Index, n.Bits, n.Real = eval.ConstComplex, 0, 1
		}
		return one(eval.Stmt{Op: eval.StmtUpdate, Name: s.Tok.String()[:1], Lhs: []int{x}, Rhs: []int{b.add(n)}})
	case *ast.AssignStmt:
		if s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
			x, y := b.expr(s.Lhs[0]), b.expr(s.Rhs[0])
			return one(eval.Stmt{Op: eval.StmtUpdate, Name: strings.TrimSuffix(s.Tok.String(), "="), Lhs: []int{x}, Rhs: []int{y}})
		}
		// Right-hand sides first: in x := x + 1 they mean an earlier x.
		out := eval.Stmt{Op: eval.StmtAssign}
		for _, e := range s.Rhs {
			out.Rhs = append(out.Rhs, b.expr(e))
		}
		for _, e := range s.Lhs {
			out.Lhs = append(out.Lhs, b.assignee(e))
		}
		return one(out)
	case *ast.BlockStmt:
		return one(eval.Stmt{Op: eval.StmtBlock, Body: b.block(s)})
	case *ast.IfStmt:
		out := eval.Stmt{Op: eval.StmtIf}
		if s.Init != nil {
			out.Init = b.stmt(s.Init)
		}
		out.Rhs = []int{b.expr(s.Cond)}
		out.Body = b.block(s.Body)
		switch e := s.Else.(type) {
		case nil:
		case *ast.BlockStmt:
			out.Else = b.block(e)
		default:
			out.Else = b.stmt(e)
		}
		return one(out)
	}
	if what := b.refused(s); what != "" {
		b.refuse(s, "%s", what)
	}
	b.refuse(s, "%T", s)
	return nil
}

func (b *builder) block(s *ast.BlockStmt) []eval.Stmt {
	var out []eval.Stmt
	for _, x := range s.List {
		if d, ok := x.(*ast.DeclStmt); ok {
			if g := d.Decl.(*ast.GenDecl); g.Tok == token.VAR {
				for _, spec := range g.Specs {
					out = append(out, b.spec(spec.(*ast.ValueSpec)))
				}
				continue
			}
		}
		out = append(out, b.stmt(x)...)
	}
	return out
}

// assignee makes a node of a left-hand side.
func (b *builder) assignee(e ast.Expr) int {
	if id, ok := e.(*ast.Ident); ok {
		if id.Name == "_" {
			return b.add(eval.Node{Op: eval.OpBlank})
		}
		if obj := b.cell.Info.Defs[id]; obj != nil {
			return b.add(eval.Node{Op: eval.OpNew, Index: b.variable(id, obj, true)})
		}
	}
	return b.expr(e)
}

// spec makes variables, as var does.
func (b *builder) spec(s *ast.ValueSpec) eval.Stmt {
	out := eval.Stmt{Op: eval.StmtAssign, Line: b.line(s)}
	for _, e := range s.Values {
		out.Rhs = append(out.Rhs, b.expr(e))
	}
	if s.Type != nil {
		out.Type = b.typ(s.Type, b.cell.Info.Types[s.Type].Type)
	}
	for _, id := range s.Names {
		out.Lhs = append(out.Lhs, b.assignee(id))
	}
	return out
}
