// Package parallel runs functions in other processes and in goroutines, after
// the ideas of Python's multiprocessing and concurrent.futures.
//
//	func sum3(a, b, c int) { fmt.Println(a + b + c) }
//
//	func main() {
//		parallel.Main() // first: in a child process it takes over
//		p := parallel.NewProcess(sum3, 1, 2, 3)
//		p.Start()
//		p.Join()
//	}
//
// A Process is a real operating-system process with memory of its own: the
// running program, started again. Only a function and copies of its arguments
// travel to it (by encoding/gob, so of structs the exported fields), never the
// variables around it. A function for another process is one declared at top
// level or a literal that captures nothing; others are refused with an error
// that says so. A *Value is shared, not copied.
//
// In programs, Main must be the first statement of func main. In notebooks
// nothing is needed: the functions of cells are sent by name.
//
// Nothing outlives its parent: child processes end when the process that started
// them does, however that happens, and shared memory is anonymous and goes with
// its last process.
//
// Linux has everything. On macOS and other Unix systems waiting for locks is by
// polling. On Windows processes cannot be started yet and say so.
package parallel
