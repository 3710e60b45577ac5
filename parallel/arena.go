package parallel

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The arena is shared memory that all processes of a tree have mapped, so that
// an offset in it means the same in all of them. It has no name and goes with
// its last process. A slot of it holds one value and its lock.
const (
	arenaSize = 1 << 28 // of addresses; memory is taken as slots are
	slotSize  = 64      // a cache line: values do not slow each other down
)

// A slot's words. The first slot is the arena's own: its value is the number of
// slots given out.
type slot struct {
	value   uint64
	owner   uint32 // process that holds the lock, 0 for none
	waiters uint32 // not 0: somebody may be waiting
	_       [slotSize - 16]byte
}

type arena struct {
	file *os.File // nil where there is no sharing
	mem  []byte

	mu   sync.Mutex
	free []uint64 // slots given back that no other process knows
}

var (
	arenaMu  sync.Mutex
	theArena *arena
)

// inheritArena takes over the parent's arena, in a worker.
func inheritArena(fd uintptr) error {
	closeOnExec(int(fd))
	file := os.NewFile(fd, "shared memory")
	mem, err := mapShared(file, arenaSize)
	if err != nil {
		return fmt.Errorf("mapping the shared memory: %w", err)
	}
	arenaMu.Lock()
	defer arenaMu.Unlock()
	theArena = &arena{file: file, mem: mem}
	return nil
}

// getArena gives the process's arena, made when first needed.
func getArena() (*arena, error) {
	arenaMu.Lock()
	defer arenaMu.Unlock()
	if theArena != nil {
		return theArena, nil
	}
	file, err := anonymousFile(arenaSize)
	if err != nil {
		return nil, fmt.Errorf("parallel: making shared memory: %w", err)
	}
	mem, err := mapShared(file, arenaSize)
	if err != nil {
		return nil, fmt.Errorf("parallel: mapping shared memory: %w", err)
	}
	theArena = &arena{file: file, mem: mem}
	return theArena, nil
}

// arenaFile is what a child inherits.
func arenaFile() (*os.File, error) {
	a, err := getArena()
	if err != nil {
		return nil, err
	}
	if a.file == nil {
		return nil, errors.New("parallel: there is no shared memory on this system")
	}
	return a.file, nil
}

func (a *arena) slot(i uint64) *slot { return (*slot)(unsafe.Pointer(&a.mem[i*slotSize])) }

// take gives a slot that nobody else has, zeroed.
func (a *arena) take() (uint64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.free); n > 0 {
		i := a.free[n-1]
		a.free = a.free[:n-1]
		*a.slot(i) = slot{}
		return i, nil
	}
	i := atomic.AddUint64(&a.slot(0).value, 1)
	if (i+1)*slotSize > uint64(len(a.mem)) {
		atomic.AddUint64(&a.slot(0).value, ^uint64(0))
		return 0, fmt.Errorf("parallel: the shared memory is full: %d values are in use", i-1)
	}
	return i, nil
}

// give takes a slot back.
func (a *arena) give(i uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = append(a.free, i)
}
