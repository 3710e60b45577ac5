// Package futex waits for words of shared memory to change, across processes.
//
// On Linux the kernel does it; elsewhere a waiter looks again and again, less and
// less often. Every wait is bounded, and may end for no reason: look at the word
// again.
package futex

import "sync/atomic"

// spins is the longest spin, in loads: some 10 us.
const spins = 1 << 12

// A Spinner decides how long a waiter looks at a word before it sleeps. On idle
// cores a short spin saves the wake-up of a core (5 to 10 us); on busy ones it only
// takes time from the process that is waited for. So the budget grows while
// spinning works and shrinks while it does not. The zero Spinner is ready.
type Spinner struct{ budget atomic.Int32 }

// Spin looks until *addr is not value, for as long as has been worth it lately.
// It tells whether the word has changed.
func (s *Spinner) Spin(addr *uint32, value uint32) bool {
	budget := s.budget.Load()
	if budget < 64 {
		budget = 64
	}
	for range budget {
		if atomic.LoadUint32(addr) != value {
			s.budget.Store(min(2*budget, spins))
			return true
		}
	}
	s.budget.Store(budget / 2)
	return false
}
