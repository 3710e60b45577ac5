package engine

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a session a process group, so that a signal to the kernel's group
// is not one to user code, and its death with the kernel's.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// self is the running program, also where its file was replaced or removed.
func self() (string, error) { return "/proc/self/exe", nil }
