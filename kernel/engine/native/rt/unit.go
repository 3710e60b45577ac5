package rt

// A Unit is a compiled cell on its way to the host process.
type Unit struct {
	Cell   int
	Path   string // of its package
	Plugin string // the file to open
	Uses   map[string]Use
	Peek   string // not a cell: the variable whose value is to be told in short
}

// A Use says what a function needs to run elsewhere: the functions that it names,
// by package path and name, and the session's variables.
type Use struct{ Funcs, Vars []string }
