//go:build !linux

package parallel

import (
	"sync/atomic"
	"time"
)

// waitWhile looks again and again, less and less often.
func waitWhile(addr *uint32, value uint32, d time.Duration) bool {
	deadline := time.Now().Add(d)
	for pause := 10 * time.Microsecond; time.Now().Before(deadline); pause = min(2*pause, time.Millisecond) {
		if atomic.LoadUint32(addr) != value {
			return true
		}
		time.Sleep(pause)
	}
	return false
}

func wakeAll(*uint32) {}
