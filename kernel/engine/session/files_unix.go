//go:build unix

package session

import (
	"os"
	"syscall"
)

// privateCopy duplicates a file's descriptor for this process alone: children
// do not inherit it.
func privateCopy(f *os.File) (*os.File, error) {
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// keep makes a descriptor this process's own: children do not inherit it.
func keep(fd int) { syscall.CloseOnExec(fd) }
