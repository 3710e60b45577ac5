//go:build unix

package client

import (
	"errors"
	"os"
	"syscall"
)

// interruptProcess sends SIGINT to the kernel's process group, as Jupyter does.
func interruptProcess(p *os.Process) error { return signal(p, syscall.SIGINT) }

// killProcess kills the kernel and its process group.
func killProcess(p *os.Process) error { return signal(p, syscall.SIGKILL) }

func signal(p *os.Process, s syscall.Signal) error {
	// Asked of the process first: the number of a group that has ended may be
	// another's by now.
	if err := p.Signal(syscall.Signal(0)); err != nil {
		return err
	}
	err := syscall.Kill(-p.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
