//go:build unix && !linux

package parallel

import (
	"os"
	"os/exec"
	"syscall"
)

func program() (string, error) { return os.Executable() }

// childAttributes give a child a process group. It notices its parent's end by
// that of the tasks pipe.
func childAttributes(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// diesWithParent tells whether the system ends a child when its parent ends.
const diesWithParent = false
