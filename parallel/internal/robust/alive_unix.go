//go:build unix && !linux

package robust

import "syscall"

// alive tells whether the process of an owner's number is there.
func alive(id uint32) bool { return syscall.Kill(int(id), 0) != syscall.ESRCH }
