package client

import (
	"os/exec"
	"syscall"
)

// setProcess gives the kernel a process group of its own, so that a signal from
// the terminal is ours alone, and ends it when we end.
func setProcess(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
