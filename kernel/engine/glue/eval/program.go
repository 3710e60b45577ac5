// Package eval is the half of glue that runs in a session: it evaluates the
// Program that glue made of a cell, by reflect, on live native values. It
// depends on the standard library alone and knows neither syntax nor go/types,
// since the host that links it is built on the user's machine.
//
// Everything about a Program is settled before any of it runs: names are looked
// up, and the type of every expression is worked out from the types of what was
// found. A Program that does not fit is refused then, with no effect at all.
package eval

// A Program is a cell of straight-line code. Nodes form trees: a node's kids
// stand before it in Nodes, and no node has two parents. It holds plain data
// only, to be sent by encoding/gob.
type Program struct {
	Cell    int // for messages
	Types   []Type
	Vars    []Var
	Symbols []Symbol
	Nodes   []Node
	Stmts   []Stmt
	Result  bool // the last statement is an expression whose values are the cell's results
}

// A Var is a variable that the program uses.
type Var struct {
	Name string // in the Table; "" for a variable of a block of the cell
	New  bool   // the program makes it, or makes it anew
}

// A Symbol names a function, type or variable of a package. A method expression
// that the Table holds as a function is called (*T).m or T.m; instances of
// generics are called what compile and host agree on.
type Symbol struct{ Pkg, Name string }

// A Type describes a type by its parts, which are indices of Program.Types less
// than its own.
type Type struct {
	Form     Form
	Name     string // Basic: the predeclared name
	Symbol   int    // Named: of Program.Symbols
	Elem     int    // of pointers, slices, arrays, maps, channels
	Key      int    // of maps
	Len      int64  // of arrays
	In, Out  []int  // of functions
	Variadic bool
	Fields   []Field // of structs: exported and not embedded
}

// A Field is a field of a struct type that has no name.
type Field struct {
	Name string
	Type int
	Tag  string
}

// A Form is what kind of thing a Type is.
type Form uint8

// The forms of types.
const (
	Basic Form = iota + 1
	Named
	Pointer
	Slice
	Array
	Map
	Chan
	SendChan
	RecvChan
	Func
	Struct
)

// A Node is an expression. What the fields mean depends on Op.
type Node struct {
	Op    Op
	Type  int   // of Program.Types, plus one; 0 for none
	Line  int   // of the cell
	Kids  []int // of Program.Nodes; -1 for one left out
	Index int   // of Program.Vars or Program.Symbols, or a field's
	Name  string
	Flag  bool
	Bits  uint64  // a constant of integers and booleans
	Real  float64 // a constant of floats and complex numbers
	Imag  float64
	Keys  []int64
}

// An Op is what a Node does.
type Op uint8

// The operations.
const (
	OpConst      Op = iota + 1 // Type (0: as the place where it goes), Name: the text of a string, Bits, Real, Imag, Index: what sort of constant
	OpNil                      // of the type of the place where it goes
	OpVar                      // Index
	OpFunc                     // Index of a symbol
	OpGlobal                   // Index of a symbol: a package variable
	OpNew                      // as a place: the variable Index is made
	OpBlank                    // as a place: _
	OpField                    // Kids[0], Index, Name; through a pointer too
	OpMethod                   // Kids[0]: the receiver, of exactly the method's receiver type or an interface; Name
	OpMethodExpr               // Type, Name
	OpIndex                    // Kids[0] [ Kids[1] ]
	OpSlice                    // Kids[0] [ Kids[1] : Kids[2] : Kids[3] ]
	OpStar                     // *Kids[0]
	OpAddr                     // &Kids[0]
	OpUnary                    // Name is one of + - ^ !
	OpBinary                   // Name is an arithmetic operator
	OpShift                    // Name is << or >>
	OpCompare                  // Name is a comparison; Type if it is not bool
	OpAnd                      // &&
	OpOr                       // ||
	OpConvert                  // Type ( Kids[0] )
	OpAssert                   // Kids[0] . ( Type )
	OpRecv                     // <- Kids[0]
	OpComposite                // Type { Kids }; Keys: field numbers or indices; maps: Kids are keys and values in turn
	OpCall                     // Kids[0] ( Kids[1:] ); Flag: the last is spread by ...
	OpBuiltin                  // Name ( Kids ); Type where the builtin takes or gives one; Flag: spread
)

// The sorts of constants, in Node.Index.
const (
	ConstBool = iota + 1
	ConstString
	ConstInt  // Bits
	ConstUint // Bits
	ConstFloat
	ConstComplex
)

// A Stmt is a statement. Lhs are nodes used as places.
type Stmt struct {
	Op   StmtOp
	Line int
	Name string // the operator of StmtUpdate
	Type int    // of StmtAssign, plus one: the type of var x T
	Lhs  []int
	Rhs  []int
	Init []Stmt // of StmtIf: the simple statement, the condition being Rhs[0]
	Body []Stmt
	Else []Stmt
}

// A StmtOp is what a Stmt does.
type StmtOp uint8

// The statements.
const (
	StmtExpr   StmtOp = iota + 1 // Rhs[0]
	StmtAssign                   // Lhs = Rhs, where one Rhs may give several values; no Rhs: zero values
	StmtUpdate                   // Lhs[0] op= Rhs[0]
	StmtSend                     // Lhs[0] <- Rhs[0]
	StmtIf                       // if Init; Rhs[0] { Body } else { Else }
	StmtBlock                    // { Body }
)
