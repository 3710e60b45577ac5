package parallel

import (
	"os/exec"
	"syscall"
)

// program is the running program, also where its file was replaced or removed.
func program() (string, error) { return "/proc/self/exe", nil }

// childAttributes give a child a process group, so that Ctrl-C goes to the parent
// alone, and its end with its parent's.
func childAttributes(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// diesWithParent tells whether the system ends a child when its parent ends.
const diesWithParent = true
