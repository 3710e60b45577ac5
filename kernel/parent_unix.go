//go:build unix

package kernel

import (
	"context"
	"os"
	"time"
)

// orphaned waits until the process that started the kernel has ended, which it
// tells by being handed to another parent; false if ctx ends first. A kernel
// that was not started by a client (which sets JPY_PARENT_PID) has nobody to
// lose. The system call that could tell without asking is tied to the parent's
// thread, not to its process.
func orphaned(ctx context.Context) bool {
	client := os.Getenv("JPY_PARENT_PID")
	if client == "" {
		return false
	}
	parent := os.Getppid()
	if parent == 1 && client != "1" {
		return true
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			if os.Getppid() != parent {
				return true
			}
		}
	}
}
