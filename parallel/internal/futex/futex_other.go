//go:build !linux

package futex

import (
	"math"
	"sync/atomic"
	"time"
)

// Wait waits while *addr is value, for at most d. It is false if the time was up.
func Wait(addr *uint32, value uint32, d time.Duration) bool {
	deadline := time.Now().Add(d)
	for pause := 10 * time.Microsecond; time.Now().Before(deadline); pause = min(2*pause, time.Millisecond) {
		if atomic.LoadUint32(addr) != value {
			return true
		}
		time.Sleep(pause)
	}
	return false
}

// Wake does nothing: waiters look by themselves.
func Wake(*uint32, int) {}

// All is the number of waiters for Wake that means all of them.
const All = math.MaxInt32
