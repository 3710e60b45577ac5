package source

// A Unit is a checked cell in the form that a session runs. Every name in it is
// unique in the session, so nothing in it ever redeclares anything.
type Unit struct {
	Cell    int
	Imports []Import       // those the session does not have yet
	Decls   []Block        // declarations, evaluated together
	Body    *Block         // the function that runs the statements; nil for none
	Entry   string         // its name; it takes nothing and returns []interface{}
	Uses    map[string]Use // what the new declarations use, by emitted name
	plan    *plan          // what Commit makes of it; stays in the kernel process
}

// An Import is a package under the name that blocks use for it.
type Import struct{ Name, Path string }

// A Block is a piece of Go whose lines are those of a cell from Line on.
type Block struct {
	Code string
	Cell int
	Line int
}

// A Use says what a function needs to run elsewhere: the session's functions
// and variables that it names, by emitted name.
type Use struct{ Funcs, Vars []string }
