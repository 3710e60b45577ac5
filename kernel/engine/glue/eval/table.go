package eval

import "reflect"

// A Table is what a session knows by name. Its methods are called while Run
// prepares a program, Declare also while it runs, and never by two goroutines at
// once for one program.
type Table interface {
	// Var gives a session variable's memory, as an addressable value; the zero
	// Value if there is none.
	Var(name string) reflect.Value
	// Declare gives the memory of a new session variable, or of one to be made
	// anew, as an addressable value of exactly type t. The program sets it next.
	// Where that name has memory of the same type, it is the session's decision
	// whether it stays.
	Declare(name string, t reflect.Type) reflect.Value
	// Type gives a named type; nil if there is none.
	Type(pkg, name string) reflect.Type
	// Func gives a function, an instance of a generic function, or a method
	// expression; the zero Value if there is none.
	Func(pkg, name string) reflect.Value
	// Global gives a package's variable, as an addressable value; the zero Value
	// if there is none.
	Global(pkg, name string) reflect.Value
}
