// Package shm is memory that all processes of a tree have mapped.
//
// It is one sparse file without a name: pages are taken when they are touched, and
// it goes with the last process that has it. An Offset in it means the same in
// all processes. Any process may take a block and any other may give it back;
// both are lock-free, so a process that dies in the middle stops nobody: at worst
// the one block that it had in its hands stays taken until the tree ends.
package shm

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"
)

// An Offset is a place in the arena. 0 is none.
type Offset uint64

const (
	// Line is the size of a cache line, the smallest block and every block's alignment.
	Line = 64
	// Page is the alignment of blocks that are not smaller.
	Page = 4096
	// SlotSpace is the part of the arena that slots are in: see Slot.
	SlotSpace = 1 << 28

	classes = 48 // of blocks: class c has Line<<c bytes
	// keepSize is the size from which on a block's memory goes back to the system
	// with the block, once keepTotal bytes of such blocks lie idle. To keep some
	// spares them the page faults that are most of the cost of big new memory.
	keepSize  = 1 << 20
	keepTotal = 256 << 20
)

// ErrFull says that the arena has no room for a block.
var ErrFull = errors.New("the shared memory is full")

// header is the arena's first page.
type header struct {
	magic    uint64
	nextSlot atomic.Uint64          // bytes of the slot space given out
	nextUsed atomic.Uint64          // bytes of the arena given out as blocks
	kept     atomic.Int64           // bytes of big blocks that lie idle with their memory
	slots    [classes]atomic.Uint64 // free slots by class: lists, see push
	free     [classes]atomic.Uint64 // free blocks by class

	recording atomic.Uint64 // offset of the block that spans are written to, 0 for none
}

const magic = 0x70617261_00000002

// An Arena is the tree's shared memory as this process sees it.
type Arena struct {
	file *os.File
	mem  []byte
	head *header
}

var (
	mu  sync.Mutex
	the *Arena
)

// Get gives the process's arena, which is made when it is first needed.
func Get() (*Arena, error) {
	mu.Lock()
	defer mu.Unlock()
	if the != nil {
		return the, nil
	}
	var first error
	for size := maxSize; size >= 2*SlotSpace; size /= 4 { // a limit on addresses may be set
		a, err := create(size)
		if err == nil {
			the = a
			recording.Store(&a.head.recording)
			return a, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, fmt.Errorf("making shared memory: %w", first)
}

func create(size int) (*Arena, error) {
	file, err := AnonymousFile(int64(size))
	if err != nil {
		return nil, err
	}
	a, err := mapFile(file, size)
	if err != nil {
		if file != nil {
			file.Close()
		}
		return nil, err
	}
	a.head.magic = magic
	a.head.nextSlot.Store(Page)
	a.head.nextUsed.Store(SlotSpace)
	return a, nil
}

func mapFile(file *os.File, size int) (*Arena, error) {
	mem, err := mapShared(file, size)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes: %w", size, err)
	}
	return &Arena{file: file, mem: mem, head: (*header)(unsafe.Pointer(&mem[0]))}, nil
}

// Inherit takes over the arena of the parent process, from a descriptor.
func Inherit(fd uintptr) error {
	file := os.NewFile(fd, "shared memory")
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("the parent's shared memory: %w", err)
	}
	a, err := mapFile(file, int(info.Size()))
	if err != nil {
		return err
	}
	if a.head.magic != magic {
		return errors.New("the parent's shared memory is not that of this program")
	}
	mu.Lock()
	defer mu.Unlock()
	the = a
	recording.Store(&a.head.recording)
	return nil
}

// recording is the word of this process's arena, to be read without a lock.
var recording atomic.Pointer[atomic.Uint64]

// RecordingHere gives the word that says where the tree's spans are written to, 0
// for nowhere. It is nil, and costs as little, before the process has an arena.
func RecordingHere() *atomic.Uint64 { return recording.Load() }

// Recording is RecordingHere of an arena that is there.
func (a *Arena) Recording() *atomic.Uint64 { return &a.head.recording }

// Trim gives the memory of a block of n bytes back to the system, where that is
// possible, and keeps the block taken: late writers do no harm.
func (a *Arena) Trim(o Offset, n int) bool { return discard(a.file, a.mem, o, n) }

// File is what a child inherits; nil where memory cannot be shared.
func (a *Arena) File() *os.File { return a.file }

// Size is the arena's size in bytes; most of them have no memory behind them.
func (a *Arena) Size() int { return len(a.mem) }

// Base is where the arena is in this process.
func (a *Arena) Base() unsafe.Pointer { return unsafe.Pointer(&a.mem[0]) }

// At gives the address of an offset, nil for one that is not in the arena.
func (a *Arena) At(o Offset) unsafe.Pointer {
	if o < Page || uint64(o) >= uint64(len(a.mem)) {
		return nil
	}
	return unsafe.Pointer(&a.mem[o])
}

// Bytes gives n bytes at an offset, nil if they are not all in the arena.
func (a *Arena) Bytes(o Offset, n int) []byte {
	if o < Page || n < 0 || uint64(o) > uint64(len(a.mem)) || uint64(n) > uint64(len(a.mem))-uint64(o) {
		return nil
	}
	return a.mem[o : uint64(o)+uint64(n) : uint64(o)+uint64(n)]
}

// word gives the link word of a free block.
func (a *Arena) word(o Offset) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&a.mem[o]))
}

// A list's head is an offset in lines and a count of changes, which tells a head
// that has come back from one that never went.
// Source: R. K. Treiber, Systems Programming: Coping with Parallelism, 1986.
const (
	lineBits = 36
	lineMask = 1<<lineBits - 1
)

func (a *Arena) push(list *atomic.Uint64, o Offset) {
	line := uint64(o) / Line
	for {
		old := list.Load()
		a.word(o).Store(old & lineMask)
		if list.CompareAndSwap(old, (old>>lineBits+1)<<lineBits|line) {
			return
		}
	}
}

func (a *Arena) pop(list *atomic.Uint64) Offset {
	for {
		old := list.Load()
		line := old & lineMask
		if line == 0 {
			return 0
		}
		// If another takes the block first, this is not its link any more, and the
		// list has changed.
		next := a.word(Offset(line*Line)).Load() & lineMask
		if list.CompareAndSwap(old, (old>>lineBits+1)<<lineBits|next) {
			return Offset(line * Line)
		}
	}
}

func class(n int) int { return bits.Len64(uint64(max(n, 1)-1) / Line) }

// Take gives a block of at least n bytes. What is in it is not known.
func (a *Arena) Take(n int) (Offset, error) {
	c := class(n)
	if n < 0 || c >= classes {
		return 0, fmt.Errorf("%w: a block of %d bytes was asked for", ErrFull, n)
	}
	size := uint64(Line) << c
	if o := a.pop(&a.head.free[c]); o != 0 {
		if size >= keepSize {
			a.head.kept.Add(-int64(size))
		}
		return o, nil
	}
	align := min(size, Page)
	for {
		old := a.head.nextUsed.Load()
		start := (old + align - 1) &^ (align - 1)
		if start+size > uint64(len(a.mem)) {
			return 0, fmt.Errorf("%w: %d of %d bytes are given out, and %d more were asked for", ErrFull, old, len(a.mem), n)
		}
		if a.head.nextUsed.CompareAndSwap(old, start+size) {
			return Offset(start), nil
		}
	}
}

// TakeZeroed is Take of a block that is all zero.
func (a *Arena) TakeZeroed(n int) (Offset, error) {
	before := a.head.nextUsed.Load()
	o, err := a.Take(n)
	if err == nil && uint64(o) < before { // not from the untouched end
		if n < keepSize || !discard(a.file, a.mem, o, n) {
			clear(a.Bytes(o, n))
		}
	}
	return o, err
}

// Give gives back a block that was taken for n bytes.
func (a *Arena) Give(o Offset, n int) {
	c := class(n)
	if o < SlotSpace || c >= classes || a.Bytes(o, Line<<c) == nil {
		return
	}
	if size := int64(Line) << c; size >= keepSize {
		if a.head.kept.Add(size) > keepTotal {
			discard(a.file, a.mem, o, int(size))
		}
	}
	a.push(&a.head.free[c], o)
}

// TakeSlot gives zeroed memory of n bytes in the arena's slot space. Locks live
// there, so that a process can keep its notes on each lock at a constant distance
// from it.
func (a *Arena) TakeSlot(n int) (Offset, error) {
	c := class(n)
	size := uint64(Line) << c
	if o := a.pop(&a.head.slots[c]); o != 0 {
		clear(a.Bytes(o, int(size)))
		return o, nil
	}
	o := a.head.nextSlot.Add(size) - size
	if o+size > SlotSpace {
		a.head.nextSlot.Add(-size)
		return 0, fmt.Errorf("%w: %d bytes of locks and values are in use", ErrFull, o)
	}
	return Offset(o), nil
}

// IsSlot tells whether n bytes at o can be from TakeSlot.
func (a *Arena) IsSlot(o Offset, n int) bool {
	return o >= Page && o%Line == 0 && n >= 0 && uint64(o)+uint64(n) <= min(a.head.nextSlot.Load(), SlotSpace)
}

// GiveSlot gives back what was taken for n bytes.
func (a *Arena) GiveSlot(o Offset, n int) {
	if a.IsSlot(o, n) {
		a.push(&a.head.slots[class(n)], o)
	}
}
