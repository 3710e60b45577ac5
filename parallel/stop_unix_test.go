//go:build unix

package parallel

import "syscall"

// stop freezes a process.
func stop(p *Process) error { return p.signal(syscall.SIGSTOP) }
