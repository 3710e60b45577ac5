package parallel

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/paragopher/paragopher/parallel/internal/futex"
	"github.com/paragopher/paragopher/parallel/internal/robust"
	"github.com/paragopher/paragopher/parallel/internal/shm"
)

// ErrQueueClosed is what Put returns after Close, and Get when the queue is
// closed and empty.
var ErrQueueClosed = errors.New("parallel: the queue is closed")

// ErrQueueFull and ErrQueueEmpty are what TryPut and TryGet return instead of
// waiting.
var (
	ErrQueueFull  = errors.New("parallel: the queue is full")
	ErrQueueEmpty = errors.New("parallel: the queue is empty")
)

// A Queue hands items from any processes to any processes, in order, each to one
// of them. It travels as a Mutex does. Numbers, bools and structs and arrays of
// them are handed over as they are; strings, byte slices and everything else that
// can be an argument of a process are copied. Shared objects in items stay shared.
//
// It is lock-free: a process that dies, or is stopped, in the middle of Put or
// Get takes at most the item that it had in its hands along; Lost counts those.
type Queue[T any] struct {
	object
	q *ring
}

// A ring is a process's view of a queue.
//
// Each place has a control word: the lap in which it is used (32 bits), the
// process that is at work on it (30), its state (2). A producer takes the first
// place that is free in its lap, by its control word, and so does a consumer the
// first that is full; there is no other word that a death could leave wrong. The
// positions from which they look are memories of where they were, always behind
// or right: every place before them has been taken.
type ring struct {
	h           *handle
	head        *queueHead
	slots       []byte // the places, each of size bytes
	size, count uint64 // of a place; of places
	tail, front atomic.Uint64
	me          uint64
	raw         bool // items are in their places as they are, not encoded
}

// queueHead is a queue's part of its slot, behind the lock.
type queueHead struct {
	robust.Slot // Data: block, block's size, count and size of places

	Tail  atomic.Uint64 // position: lap and place, as of some time ago
	_     [7]uint64
	Front atomic.Uint64
	_     [7]uint64

	// Rarely written.
	Items, Space               atomic.Uint32 // counts of changes that were waited for
	ItemsWaiting, SpaceWaiting atomic.Uint32
	Closed                     atomic.Uint32
	Users                      [2]atomic.Uint32 // last process at either end, for pipes
	_                          uint32
	Lost                       atomic.Uint64
	_                          [3]uint64
}

const queueHeadSize = int(unsafe.Sizeof(queueHead{}))

// States of a place.
const (
	placeFree = iota
	placeWriting
	placeFull
	placeReading
	stateMask = 3
)

const (
	// inline is how many bytes of an encoded item are kept in its place; longer
	// ones lie in a block of their own.
	inline = 112
	// defaultCapacity is that of NewQueue(0).
	defaultCapacity = 1 << 16
)

func lap(w uint64) int32 { return int32(w >> 32) }

func owner(ctl uint64) uint32 { return uint32(ctl) >> 2 }

// NewQueue makes a queue that holds up to capacity items, 65,536 if it is 0 or
// less; then Put waits. It costs, when used, 16 bytes of shared memory for a
// number, 128 for what is encoded, and more if that is longer than 112 bytes.
func NewQueue[T any](capacity int) *Queue[T] {
	if capacity <= 0 {
		capacity = defaultCapacity
	}
	q := &Queue[T]{}
	t := reflect.TypeFor[T]()
	size := uint64(8 + 8 + inline)
	if plain(t) {
		size = (uint64(t.Size()) + 15) &^ 7
	}
	if uint64(capacity) > 1<<40/size {
		q.bad = fmt.Errorf("parallel: NewQueue of capacity %d", capacity)
		return q
	}
	q.object = newObject(queueHeadSize, int(size)*capacity)
	if q.bad == nil {
		d := q.h.slot
		*at[uint64](d, 0), *at[uint64](d, 2), *at[uint64](d, 4), *at[uint64](d, 6) = uint64(q.h.block), size*uint64(capacity), uint64(capacity), size
		q.q = newRing(q.h, plain(t))
	}
	return q
}

// newRing gives the view of the queue that h holds; nil if it holds none.
func newRing(h *handle, raw bool) *ring {
	d := h.slot
	r := &ring{h: h, raw: raw, head: (*queueHead)(unsafe.Pointer(d)), count: *at[uint64](d, 4), size: *at[uint64](d, 6)}
	r.slots = h.arena.Bytes(shm.Offset(*at[uint64](d, 0)), int(*at[uint64](d, 2)))
	if r.count == 0 || r.size < 16 || r.size%8 != 0 || uint64(len(r.slots))/r.size != r.count {
		return nil
	}
	r.tail.Store(r.head.Tail.Load())
	r.front.Store(r.head.Front.Load())
	r.me = uint64(h.mutex().ID())
	return r
}

func (r *ring) place(pos uint64) unsafe.Pointer {
	return unsafe.Pointer(&r.slots[uint64(uint32(pos))*r.size])
}

func control(place unsafe.Pointer) *atomic.Uint64 { return (*atomic.Uint64)(place) }

func payload(place unsafe.Pointer) unsafe.Pointer { return unsafe.Add(place, 8) }

// next is the position after pos.
func (r *ring) next(pos uint64) uint64 {
	if pos++; uint64(uint32(pos)) == r.count {
		pos = (pos>>32 + 1) << 32
	}
	return pos
}

// remember notes that everything before pos has been taken.
func remember(here, shared *atomic.Uint64, pos uint64) {
	if here.Store(pos); pos&31 == 0 {
		shared.Store(pos)
	}
}

// catchUp gives the further of two positions.
func catchUp(pos uint64, shared *atomic.Uint64) uint64 {
	if s := shared.Load(); int64(s-pos) > 0 {
		return s
	}
	return pos
}

// claim takes the first free place for writing; nil if the queue is full.
func (r *ring) claim() (place unsafe.Pointer, lapOf uint64) {
	pos := r.tail.Load()
	for looked := 0; ; looked++ {
		place = r.place(pos)
		c := control(place).Load()
		d := lap(c) - lap(pos)
		if d == 0 && c&stateMask == placeFree {
			if control(place).CompareAndSwap(c, c&^0xffffffff|r.me<<2|placeWriting) {
				remember(&r.tail, &r.head.Tail, r.next(pos))
				return place, c >> 32
			}
			continue
		}
		if d < 0 { // not yet read since the last lap
			return nil, pos
		}
		pos = r.next(pos)
		if looked&15 == 0 {
			pos = catchUp(pos, &r.head.Tail)
		}
	}
}

func (r *ring) publish(place unsafe.Pointer, lapOf uint64) {
	control(place).Store(lapOf<<32 | placeFull)
	if r.head.ItemsWaiting.Load() != 0 {
		wake(&r.head.ItemsWaiting, &r.head.Items)
	}
}

// take takes the first full place for reading. If there is none, busy is the
// control word of the place where it will be, if a process is at work there.
func (r *ring) take() (place unsafe.Pointer, lapOf, pos uint64) {
	pos = r.front.Load()
	for looked := 0; ; looked++ {
		place = r.place(pos)
		c := control(place).Load()
		d := lap(c) - lap(pos)
		if d == 0 && c&stateMask == placeFull {
			if control(place).CompareAndSwap(c, c&^0xffffffff|r.me<<2|placeReading) {
				remember(&r.front, &r.head.Front, r.next(pos))
				return place, c >> 32, pos
			}
			continue
		}
		if d < 0 || d == 0 && c&stateMask != placeReading {
			return nil, 0, pos
		}
		pos = r.next(pos)
		if looked&15 == 0 {
			pos = catchUp(pos, &r.head.Front)
		}
	}
}

func (r *ring) free(place unsafe.Pointer, lapOf uint64) {
	control(place).Store((lapOf + 1) << 32)
	if r.head.SpaceWaiting.Load() != 0 {
		wake(&r.head.SpaceWaiting, &r.head.Space)
	}
}

// wake wakes all who wait. They look again in turn; the flag is up again then.
func wake(waiting, changes *atomic.Uint32) {
	waiting.Store(0)
	changes.Add(1)
	futex.Wake(word(changes), futex.All)
}

func word(a *atomic.Uint32) *uint32 { return (*uint32)(unsafe.Pointer(a)) }

// bury frees the place at pos if the process at work on it has died, in the way
// that state says, and tells whether it did.
func (r *ring) bury(pos uint64, state uint64) bool {
	place := r.place(pos)
	c := control(place).Load()
	if c&stateMask != state || robust.Alive(owner(c)) {
		return false
	}
	// A place that was being written has to be taken before it is free: this lap's
	// position comes by. So the one who frees it must first own it.
	if !control(place).CompareAndSwap(c, c&^0xffffffff|r.me<<2|placeReading) {
		return false
	}
	r.head.Lost.Add(1)
	r.free(place, c>>32)
	return true
}

// wait waits until ready, which must be cheap, may be true: a change of changes
// is announced by who makes it so, if waiting is set.
func (r *ring) wait(ctx context.Context, waiting, changes *atomic.Uint32, ready func() bool, d time.Duration) error {
	was := changes.Load()
	waiting.Store(1)
	if ready() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := robust.WakeOnDone(ctx, word(changes))
	futex.Wait(word(changes), was, d)
	stop()
	return nil
}

// spin looks at a control word for a while.
func (r *ring) spin(pos uint64, c uint64) bool {
	// The low half changes with every step, but for a lap.
	w := (*uint32)(unsafe.Pointer(r.place(pos)))
	return r.h.mutex().Spinner().Spin(w, uint32(c))
}

// put claims a place, waiting for it unless now.
func (r *ring) put(ctx context.Context, now bool) (place unsafe.Pointer, lapOf uint64, err error) {
	for {
		if r.head.Closed.Load() != 0 {
			return nil, 0, ErrQueueClosed
		}
		place, lapOf = r.claim()
		if place != nil {
			return place, lapOf, nil
		}
		pos := lapOf
		ctl := control(r.place(pos))
		c := ctl.Load()
		switch {
		case lap(c) == lap(pos):
		case c&stateMask == placeReading && r.bury(pos, placeReading):
		case now:
			return nil, 0, ErrQueueFull
		case r.spin(pos, c):
		default:
			full := func() bool { return ctl.Load() != c || r.head.Closed.Load() != 0 }
			if err := r.wait(ctx, &r.head.SpaceWaiting, &r.head.Space, full, waitTime); err != nil {
				return nil, 0, err
			}
		}
	}
}

// get takes a full place, waiting for it unless now. broken is asked now and then
// while there is none.
func (r *ring) get(ctx context.Context, now bool, broken func() error) (place unsafe.Pointer, lapOf uint64, err error) {
	for {
		// Before the look: what was put before Close must be found.
		closed := r.head.Closed.Load() != 0
		var pos uint64
		place, lapOf, pos = r.take()
		if place != nil {
			return place, lapOf, nil
		}
		ctl := control(r.place(pos))
		c := ctl.Load()
		writing := lap(c) == lap(pos) && c&stateMask == placeWriting
		switch {
		case writing && r.bury(pos, placeWriting):
		case lap(c) == lap(pos) && c&stateMask >= placeFull: // just now
		case closed && !writing:
			return nil, 0, ErrQueueClosed
		case now:
			return nil, 0, ErrQueueEmpty
		case r.spin(pos, c):
		default:
			d := waitTime
			if writing || broken != nil {
				d = sweepTime
			}
			if writing {
				d = time.Millisecond
			}
			changed := func() bool { return ctl.Load() != c || !closed && r.head.Closed.Load() != 0 }
			if err := r.wait(ctx, &r.head.ItemsWaiting, &r.head.Items, changed, d); err != nil {
				return nil, 0, err
			}
			if broken != nil && ctl.Load() == c {
				if err := broken(); err != nil {
					return nil, 0, err
				}
			}
		}
	}
}

func (r *ring) close() {
	r.head.Closed.Store(1)
	wake(&r.head.ItemsWaiting, &r.head.Items)
	wake(&r.head.SpaceWaiting, &r.head.Space)
}

// length counts the full places, as far as it can be said.
func (r *ring) length() int {
	n := 0
	for pos, i := catchUp(r.front.Load(), &r.head.Front), uint64(0); i < r.count; pos, i = r.next(pos), i+1 {
		c := control(r.place(pos)).Load()
		if d := lap(c) - lap(pos); d < 0 || d == 0 && c&stateMask == placeFree {
			break
		} else if d == 0 && c&stateMask == placeFull {
			n++
		}
	}
	return n
}

// An item's bytes, in its place or in a block.
type packed struct {
	Size  uint32
	Far   uint32 // not 0: Bytes begins with the block's offset
	Bytes [inline]byte
}

// putItem encodes v before it takes a place, so that nothing is taken if it
// cannot travel.
func putItem[T any](r *ring, ctx context.Context, now bool, v *T) error {
	if r.raw {
		place, lapOf, err := r.put(ctx, now)
		if err != nil {
			return err
		}
		*(*T)(payload(place)) = *v
		r.publish(place, lapOf)
		return nil
	}
	data, err := pack(v)
	if err != nil {
		return err
	}
	var far shm.Offset
	if len(data) > inline {
		if uint64(len(data)) > 1<<32-1 {
			return fmt.Errorf("parallel: an item of %d bytes is too long for a queue", len(data))
		}
		if far, err = r.h.arena.Take(len(data)); err != nil {
			return fmt.Errorf("parallel: an item of %d bytes: %w", len(data), err)
		}
		copy(r.h.arena.Bytes(far, len(data)), data)
	}
	place, lapOf, err := r.put(ctx, now)
	if err != nil {
		if far != 0 {
			r.h.arena.Give(far, len(data))
		}
		return err
	}
	p := (*packed)(payload(place))
	p.Size, p.Far = uint32(len(data)), 0
	if far != 0 {
		p.Far = 1
		*(*shm.Offset)(unsafe.Pointer(&p.Bytes)) = far
	} else {
		copy(p.Bytes[:], data)
	}
	r.publish(place, lapOf)
	return nil
}

func getItem[T any](r *ring, ctx context.Context, now bool, broken func() error) (v T, err error) {
	place, lapOf, err := r.get(ctx, now, broken)
	if err != nil {
		return v, err
	}
	if r.raw {
		v = *(*T)(payload(place))
		r.free(place, lapOf)
		return v, nil
	}
	p := (*packed)(payload(place))
	size := int(p.Size)
	if p.Far == 0 {
		if size > inline {
			err = errForeign
		} else {
			err = unpack(p.Bytes[:size:size], &v)
		}
		r.free(place, lapOf)
		return v, err
	}
	far := *(*shm.Offset)(unsafe.Pointer(&p.Bytes))
	r.free(place, lapOf)
	data := r.h.arena.Bytes(far, size)
	if data == nil {
		return v, errForeign
	}
	err = unpack(data, &v)
	r.h.arena.Give(far, size)
	return v, err
}

// pack gives a value's bytes, which may be the value's own.
func pack[T any](v *T) ([]byte, error) {
	switch x := any(v).(type) {
	case *string:
		return unsafe.Slice(unsafe.StringData(*x), len(*x)), nil
	case *[]byte:
		if len(*x) > 0 {
			return *x, nil
		}
	}
	data, err := encode(reflect.ValueOf(v).Elem())
	if err != nil {
		return nil, fmt.Errorf("parallel: an item (%T) cannot be sent to another process: %w", *v, err)
	}
	return data, nil
}

// unpack is pack's inverse. It keeps nothing of data.
func unpack[T any](data []byte, v *T) error {
	switch x := any(v).(type) {
	case *string:
		*x = string(data)
		return nil
	case *[]byte:
		if len(data) > 0 {
			*x = append([]byte(nil), data...)
			return nil
		}
	}
	d, err := decode(data, reflect.TypeFor[T]())
	if err != nil {
		return fmt.Errorf("parallel: an item (%T) did not arrive: %w", *v, err)
	}
	reflect.ValueOf(v).Elem().Set(d)
	return nil
}

func (q *Queue[T]) ring() (*ring, error) {
	if q != nil && q.q != nil {
		return q.q, nil
	}
	if q == nil {
		return nil, errNoMemory
	}
	_, err := q.get()
	return nil, err
}

// Err says why the queue has no memory; it is nil if it has.
func (q *Queue[T]) Err() error {
	_, err := q.ring()
	return err
}

// Put puts v at the queue's end, waiting while it is full. The error is
// ErrQueueClosed, or says why v cannot travel.
func (q *Queue[T]) Put(v T) error { return q.put(context.Background(), false, v) }

// PutContext is Put until ctx is done; then the error is that of ctx.
func (q *Queue[T]) PutContext(ctx context.Context, v T) error { return q.put(ctx, false, v) }

// PutTimeout is Put for at most d; then the error is ErrTimeout.
func (q *Queue[T]) PutTimeout(v T, d time.Duration) error {
	return within(d, func(ctx context.Context) error { return q.put(ctx, false, v) })
}

// TryPut is Put, or ErrQueueFull if it would have to wait.
func (q *Queue[T]) TryPut(v T) error { return q.put(context.Background(), true, v) }

func (q *Queue[T]) put(ctx context.Context, now bool, v T) error {
	r, err := q.ring()
	if err != nil {
		return err
	}
	err = putItem(r, ctx, now, &v)
	runtime.KeepAlive(q.h)
	return err
}

// Get takes the queue's first item, waiting while it is empty. The error is
// ErrQueueClosed when it is closed and empty, or says why an item did not arrive.
func (q *Queue[T]) Get() (T, error) { return q.take(context.Background(), false) }

// GetContext is Get until ctx is done; then the error is that of ctx.
func (q *Queue[T]) GetContext(ctx context.Context) (T, error) { return q.take(ctx, false) }

// GetTimeout is Get for at most d; then the error is ErrTimeout.
func (q *Queue[T]) GetTimeout(d time.Duration) (v T, err error) {
	err = within(d, func(ctx context.Context) (err error) {
		v, err = q.take(ctx, false)
		return err
	})
	return v, err
}

// TryGet is Get, or ErrQueueEmpty if it would have to wait.
func (q *Queue[T]) TryGet() (T, error) { return q.take(context.Background(), true) }

func (q *Queue[T]) take(ctx context.Context, now bool) (v T, err error) {
	r, err := q.ring()
	if err != nil {
		return v, err
	}
	v, err = getItem[T](r, ctx, now, nil)
	runtime.KeepAlive(q.h)
	return v, err
}

// All takes items until the queue is closed and empty. Items that do not arrive,
// as those of another program, are left out; use Get to learn of them.
func (q *Queue[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := q.Get()
			if err == nil && !yield(v) {
				return
			}
			if errors.Is(err, ErrQueueClosed) || q.Err() != nil {
				return
			}
		}
	}
}

// Close says that no more items come: what is in the queue can still be taken.
// Any process may close it. To close it twice does nothing.
func (q *Queue[T]) Close() error {
	r, err := q.ring()
	if err != nil {
		return err
	}
	r.close()
	return nil
}

// Len is how many items wait in the queue, about: others put and take meanwhile.
func (q *Queue[T]) Len() int {
	if r, err := q.ring(); err == nil {
		return r.length()
	}
	return 0
}

// Cap is how many items the queue holds before Put waits.
func (q *Queue[T]) Cap() int {
	if r, err := q.ring(); err == nil {
		return int(r.count)
	}
	return 0
}

// Lost is how many items went with processes that died in the middle of Put or
// Get.
func (q *Queue[T]) Lost() int {
	if r, err := q.ring(); err == nil {
		return int(r.head.Lost.Load())
	}
	return 0
}

// String gives the queue's length and capacity, for printing.
func (q *Queue[T]) String() string { return fmt.Sprintf("Queue(%d of %d)", q.Len(), q.Cap()) }

// GobDecode is GobEncode's inverse, in the other process.
func (q *Queue[T]) GobDecode(data []byte) error {
	if _, err := q.adopt(data, queueHeadSize, 0); err != nil {
		return err
	}
	if q.q = newRing(q.h, plain(reflect.TypeFor[T]())); q.q == nil {
		q.object = object{bad: errForeign}
		return errForeign
	}
	return nil
}
