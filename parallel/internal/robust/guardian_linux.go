package robust

import (
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"github.com/paragopher/paragopher/parallel/internal/shm"
)

// The kernel follows a list of nodes in this process's memory, each at the same
// distance from its lock word. So there is a private mapping as long as the
// arena's slot space, and the node of a word is at the word's offset in it; a
// page of it is taken when a word of the same page is used. The kernel walks at
// most 2048 nodes for a thread, so a guardian watches fewer and further ones are
// started when needed.
const (
	nodesPerGuardian = 2000
	maxGuardians     = 32 // with more locks in use, those beyond are looked after by their waiters
)

// listHead is the kernel's struct robust_list_head.
type listHead struct {
	next    uintptr
	offset  int // from a node to its word
	pending uintptr
}

type guardian struct {
	id    uint32
	head  *listHead
	nodes int
}

// watch is this process's guardians and what they watch.
type watch struct {
	sync.Mutex
	all    []*guardian
	refuse bool // the system does not have it
	shadow []byte
	of     map[shm.Offset]*place
}

var guardians watch

// A place is a word that a guardian watches. Several views may ask for it in turn.
type place struct {
	g    *guardian
	prev uintptr // address of what points to the node
}

// link has the lock word at o watched. exact is false if it cannot be.
func link(a *shm.Arena, o shm.Offset) (id uint32, exact bool) {
	guardians.Lock()
	defer guardians.Unlock()
	gs := &guardians
	if p := gs.of[o]; p != nil {
		return p.g.id, true
	}
	if gs.shadow == nil && !gs.refuse {
		mem, err := shm.MapPrivate(shm.SlotSpace)
		gs.refuse = err != nil
		gs.shadow = mem
		gs.of = map[shm.Offset]*place{}
	}
	if gs.refuse {
		return uint32(syscall.Getpid()), false
	}
	var g *guardian
	for _, other := range gs.all {
		if other.nodes < nodesPerGuardian {
			g = other
		}
	}
	if g == nil && len(gs.all) < maxGuardians {
		// The arena's first page has no slots, so the mapping's has no nodes.
		head := (*listHead)(unsafe.Pointer(&gs.shadow[uintptr(len(gs.all))*unsafe.Sizeof(listHead{})]))
		head.next = uintptr(unsafe.Pointer(head))
		head.offset = int(uintptr(a.Base()) - uintptr(unsafe.Pointer(&gs.shadow[0])))
		if g = start(head); g != nil {
			gs.all = append(gs.all, g)
		}
	}
	if g == nil {
		if len(gs.all) == 0 {
			gs.refuse = true
			return uint32(syscall.Getpid()), false
		}
		return gs.all[0].id, false
	}
	node := &gs.shadow[o]
	*(*uintptr)(unsafe.Pointer(node)) = g.head.next
	if next := g.head.next; next != uintptr(unsafe.Pointer(g.head)) {
		gs.of[gs.offset(next)].prev = uintptr(unsafe.Pointer(node))
	}
	gs.of[o] = &place{g: g, prev: uintptr(unsafe.Pointer(g.head))}
	g.head.next = uintptr(unsafe.Pointer(node))
	g.nodes++
	return g.id, true
}

// offset is that of a node's word.
func (gs *watch) offset(node uintptr) shm.Offset {
	return shm.Offset(node - uintptr(unsafe.Pointer(&gs.shadow[0])))
}

// unlink ends the watch over the word at o, which this process does not own.
func unlink(o shm.Offset) {
	guardians.Lock()
	defer guardians.Unlock()
	gs := &guardians
	p := gs.of[o]
	if p == nil {
		return
	}
	next := *(*uintptr)(unsafe.Pointer(&gs.shadow[o]))
	// prev points into the mapping, which never moves or goes.
	gs.set(p.prev, next)
	if next != uintptr(unsafe.Pointer(p.g.head)) {
		gs.of[gs.offset(next)].prev = p.prev
	}
	p.g.nodes--
	delete(gs.of, o)
}

// set writes a pointer of the list.
func (gs *watch) set(at, next uintptr) {
	*(*uintptr)(unsafe.Pointer(&gs.shadow[gs.offset(at)])) = next
}

// start starts a guardian: a thread that ends with the process. It is nil if the
// system refuses.
func start(head *listHead) *guardian {
	started := make(chan *guardian)
	go func() {
		runtime.LockOSThread()
		// It is this thread's first: nothing else in it has robust locks.
		_, _, errno := syscall.RawSyscall(syscall.SYS_SET_ROBUST_LIST, uintptr(unsafe.Pointer(head)), unsafe.Sizeof(*head), 0)
		if errno != 0 {
			started <- nil
			return // and the thread ends, being locked
		}
		started <- &guardian{id: uint32(syscall.Gettid()), head: head}
		select {}
	}()
	return <-started
}

// alive tells whether the thread, or process, of an owner's number is there.
func alive(id uint32) bool { return syscall.Kill(int(id), 0) != syscall.ESRCH }
