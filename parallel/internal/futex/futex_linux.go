package futex

import (
	"math"
	"syscall"
	"time"
	"unsafe"
)

// Source: futex(2). Not the private kind: the words are shared by processes.
const (
	opWait = 0
	opWake = 1
)

// Wait waits while *addr is value, for at most d. It is false if the time was up.
func Wait(addr *uint32, value uint32, d time.Duration) bool {
	ts := syscall.NsecToTimespec(int64(d))
	_, _, errno := syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWait, uintptr(value), uintptr(unsafe.Pointer(&ts)), 0, 0)
	return errno != syscall.ETIMEDOUT
}

// Wake wakes up to n waiters of addr.
func Wake(addr *uint32, n int) {
	// It cannot fail for memory that is mapped.
	_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWake, uintptr(n), 0, 0, 0)
}

// All is the number of waiters for Wake that means all of them.
const All = math.MaxInt32
