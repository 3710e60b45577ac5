package parallel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/paragopher/paragopher/parallel/internal/robust"
	"github.com/paragopher/paragopher/parallel/internal/shm"
)

// An arena is the shared memory of a tree of processes; see package shm.
type arena struct{ *shm.Arena }

// getArena gives the process's arena, made when first needed.
func getArena() (arena, error) {
	a, err := shm.Get()
	if err != nil {
		return arena{}, fmt.Errorf("parallel: %w", err)
	}
	return arena{a}, nil
}

// inheritArena takes over the parent's arena, in a worker.
func inheritArena(fd uintptr) error {
	closeOnExec(int(fd))
	return shm.Inherit(fd)
}

// arenaFile is what a child inherits.
func arenaFile() (*os.File, error) {
	a, err := getArena()
	if err != nil {
		return nil, err
	}
	if a.File() == nil {
		return nil, errors.New("parallel: there is no shared memory on this system")
	}
	return a.File(), nil
}

// A handle is a process's hold on a shared object: a slot with a lock and,
// for some, a block.
type handle struct {
	*hold
	slot *robust.Slot
	lock atomic.Pointer[robust.Mutex] // opened when it is first wanted
}

// A hold is what is given back when its handle is garbage.
type hold struct {
	arena     arena
	offset    shm.Offset
	size      int // of the slot
	block     shm.Offset
	blockSize int
	shared    atomic.Bool // another process may have it, so the memory stays
	lock      atomic.Pointer[robust.Mutex]
}

// newHandle takes a slot of a size, and a block if blockSize is not 0, zeroed.
func newHandle(size, blockSize int) (*handle, error) {
	a, err := getArena()
	if err != nil {
		return nil, err
	}
	o, err := a.TakeSlot(size)
	if err != nil {
		return nil, fmt.Errorf("parallel: %w", err)
	}
	h := &hold{arena: a, offset: o, size: size}
	if blockSize > 0 {
		if h.block, err = a.TakeZeroed(blockSize); err != nil {
			a.GiveSlot(o, size)
			return nil, fmt.Errorf("parallel: %w", err)
		}
		h.blockSize = blockSize
	}
	return h.handle(), nil
}

func (h *hold) handle() *handle {
	x := &handle{hold: h, slot: (*robust.Slot)(h.arena.At(h.offset))}
	runtime.AddCleanup(x, (*hold).release, h)
	return x
}

func (h *hold) release() {
	if m := h.lock.Load(); m != nil {
		m.Close()
	}
	if h.shared.Load() {
		return
	}
	if h.block != 0 {
		h.arena.Give(h.block, h.blockSize)
	}
	h.arena.GiveSlot(h.offset, h.size)
}

// mutex gives this process's view of the object's lock.
func (h *handle) mutex() *robust.Mutex {
	if m := h.lock.Load(); m != nil {
		return m
	}
	m := robust.Open(h.arena.Arena, h.offset)
	if !h.hold.lock.CompareAndSwap(nil, m) {
		m.Close()
		m = h.hold.lock.Load()
	}
	h.lock.Store(m)
	return m
}

// errNoMemory is what an object without memory says; constructors keep their own.
var errNoMemory = errors.New("parallel: the object has no shared memory: it is a zero value; make it with its New function")

// An object is what all shared objects have in common: a handle, which travels to
// other processes in arguments, results, fields and queues.
type object struct {
	h   *handle
	bad error // why there is no handle
}

func newObject(size, blockSize int) object {
	h, err := newHandle(size, blockSize)
	return object{h: h, bad: err}
}

// get gives the handle, or says why there is none.
func (o *object) get() (*handle, error) {
	switch {
	case o == nil:
		return nil, errNoMemory
	case o.h != nil:
		return o.h, nil
	case o.bad != nil:
		return nil, o.bad
	}
	return nil, errNoMemory
}

// export gives the bytes by which another process finds the object.
func (o *object) export(more ...uint64) ([]byte, error) {
	h, err := o.get()
	if err != nil {
		return nil, err
	}
	h.shared.Store(true)
	data := binary.LittleEndian.AppendUint64(nil, uint64(h.offset))
	for _, w := range more {
		data = binary.LittleEndian.AppendUint64(data, w)
	}
	return data, nil
}

// adopt is export's inverse, for a slot of a size, with n more words.
func (o *object) adopt(data []byte, size, n int) (more []uint64, err error) {
	a, err := getArena()
	if err != nil {
		return nil, err
	}
	if len(data) != 8*(n+1) {
		return nil, errForeign
	}
	off := shm.Offset(binary.LittleEndian.Uint64(data))
	if !a.IsSlot(off, size) {
		return nil, errForeign
	}
	for i := range n {
		more = append(more, binary.LittleEndian.Uint64(data[8*(i+1):]))
	}
	h := &hold{arena: a, offset: off, size: size}
	h.shared.Store(true)
	o.h, o.bad = h.handle(), nil
	return more, nil
}

var errForeign = errors.New("parallel: these bytes are no shared object of this process tree")

// plain tells whether values of a type are bytes without pointers, which mean the
// same in every process of the program.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !plain(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return false
}

// at gives the address of word i of a slot's data.
func at[T any](s *robust.Slot, i int) *T { return (*T)(unsafe.Pointer(&s.Data[i])) }
