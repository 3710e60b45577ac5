//go:build unix && !linux

package engine

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup gives a session a process group. It ends with the kernel by reading
// the end of the orders pipe.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func self() (string, error) { return os.Executable() }
