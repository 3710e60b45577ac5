package parallel

import (
	"math"
	"syscall"
	"time"
	"unsafe"
)

// Source: futex(2). Not the private kind: the word is shared between processes.
const (
	futexWait = 0
	futexWake = 1
)

// waitWhile waits while *addr is value, for at most d. It is false if the time
// was up, and may be true for no reason.
func waitWhile(addr *uint32, value uint32, d time.Duration) bool {
	ts := syscall.NsecToTimespec(int64(d))
	_, _, errno := syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), futexWait, uintptr(value), uintptr(unsafe.Pointer(&ts)), 0, 0)
	return errno != syscall.ETIMEDOUT
}

func wakeAll(addr *uint32) {
	// It cannot fail for memory that is mapped.
	_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), futexWake, math.MaxInt32, 0, 0, 0)
}
