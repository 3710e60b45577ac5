//go:build unix

package engine

import (
	"os"
	"syscall"
)

// killGroup kills a session's process group, which is its own.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }

// signalOf names the signal that ended a process, "" if none did.
func signalOf(state *os.ProcessState) string {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ws.Signal().String()
	}
	return ""
}
