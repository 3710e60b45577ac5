package parallel

import (
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// ErrOwnerDied is what Lock returns when the process that held the lock has died
// with it. The caller holds the lock now, and what it protects may be half done.
var ErrOwnerDied = errors.New("parallel: the process that held the lock has died; you hold it now, and what it protects may be half done")

// ErrNotLocked is what Unlock returns for a lock that nobody holds.
var ErrNotLocked = errors.New("parallel: Unlock of a lock that is not locked")

// checkTime is how long a waiter waits before it looks whether the owner is alive.
const checkTime = 20 * time.Millisecond

// lock takes the slot's lock for this process. The owner's number is in the lock,
// so that a dead owner is noticed.
func (s *slot) lock() error {
	me := uint32(os.Getpid())
	for range 64 { // a short section is over sooner than a wait begins
		if atomic.CompareAndSwapUint32(&s.owner, 0, me) {
			return nil
		}
	}
	for {
		owner := atomic.LoadUint32(&s.owner)
		if owner == 0 {
			if atomic.CompareAndSwapUint32(&s.owner, 0, me) {
				return nil
			}
			continue
		}
		atomic.StoreUint32(&s.waiters, 1)
		if waitWhile(&s.owner, owner, checkTime) || owner == me {
			continue
		}
		if !alive(int(owner)) && atomic.CompareAndSwapUint32(&s.owner, owner, me) {
			return ErrOwnerDied
		}
	}
}

func (s *slot) unlock() error {
	if atomic.SwapUint32(&s.owner, 0) == 0 {
		return ErrNotLocked
	}
	if atomic.LoadUint32(&s.waiters) != 0 {
		atomic.StoreUint32(&s.waiters, 0)
		wakeAll(&s.owner)
	}
	return nil
}
