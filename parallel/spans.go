package parallel

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/paragopher/paragopher/parallel/internal/shm"
)

// A Span is what a worker did for a stretch of time.
type Span struct {
	PID   int       `json:"pid"`  // of the process
	Lane  int       `json:"lane"` // 0, or the number of a goroutine worker from 1 on
	Kind  string    `json:"kind"` // one of the Span constants
	Name  string    `json:"name"` // of the function, cut at 80 bytes
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// The kinds of spans.
const (
	SpanTask   = "task"   // a function runs
	SpanLock   = "lock"   // waiting for a lock that another holds
	SpanEncode = "encode" // arguments or results are written for another process
	SpanStart  = "start"  // the process is being started
)

var spanKinds = [...]string{"", SpanTask, SpanLock, SpanEncode, SpanStart}

// A spanKind is an index of spanKinds.
type spanKind uint32

const (
	spanTask spanKind = iota + 1
	spanLock
	spanEncode
	spanStart
)

// maxSpans is how many spans a recording keeps: 8 MB.
const maxSpans = 1 << 16

// A spanRecord is a span in shared memory, where that of a process stays that dies.
type spanRecord struct {
	kind       atomic.Uint32 // written last: 0 is a record that is not whole
	pid, lane  uint32
	size       uint32 // of the name
	start, end int64  // nanoseconds of the wall clock
	name       [96]byte
}

// A spanBlock is the head of a recording; its records follow.
type spanBlock struct {
	next atomic.Uint64 // number of spans, also of those that found no room
	_    [shm.Line - 8]byte
}

const (
	spanRecordSize = int(unsafe.Sizeof(spanRecord{}))
	spanBlockSize  = shm.Line + maxSpans*spanRecordSize
)

// A Recording collects the spans of this process and all that it starts.
type Recording struct {
	arena  arena
	offset shm.Offset
	ended  atomic.Bool
	kept   []Span
	lost   int
}

// Record begins to record what processes, executors and locks do, in this process
// and in those that it has started or will start: 65,536 spans at most. While
// nothing is recorded it costs a look, some nanoseconds. There is one recording at a time.
func Record() (*Recording, error) {
	a, err := getArena()
	if err != nil {
		return nil, err
	}
	o, err := a.TakeZeroed(spanBlockSize)
	if err != nil {
		return nil, fmt.Errorf("parallel: recording spans: %w", err)
	}
	if !a.Recording().CompareAndSwap(0, uint64(o)) {
		a.Give(o, spanBlockSize)
		return nil, fmt.Errorf("parallel: spans are being recorded already; Stop that recording first")
	}
	return &Recording{arena: a, offset: o}, nil
}

// Spans gives the spans that have ended so far, in the order of their start, and
// how many were lost because there was no room. It can be called while work runs.
func (r *Recording) Spans() (spans []Span, lost int) {
	if r == nil {
		return nil, 0
	}
	if r.ended.Load() {
		return r.kept, r.lost
	}
	n := (*spanBlock)(r.arena.At(r.offset)).next.Load()
	for i := range min(n, maxSpans) {
		rec := (*spanRecord)(r.arena.At(r.offset + shm.Offset(shm.Line+int(i)*spanRecordSize)))
		kind := rec.kind.Load()
		if kind == 0 || int(kind) >= len(spanKinds) {
			continue // being written, or its writer died
		}
		spans = append(spans, Span{
			PID: int(rec.pid), Lane: int(rec.lane), Kind: spanKinds[kind], Name: string(rec.name[:min(int(rec.size), len(rec.name))]),
			Start: time.Unix(0, rec.start), End: time.Unix(0, rec.end),
		})
	}
	slices.SortStableFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return spans, int(max(n, maxSpans) - maxSpans)
}

// Stop ends the recording and gives its spans, as Spans does. A second Stop gives
// them again.
func (r *Recording) Stop() (spans []Span, lost int) {
	if r == nil {
		return nil, 0
	}
	if r.ended.Load() {
		return r.kept, r.lost
	}
	r.arena.Recording().CompareAndSwap(uint64(r.offset), 0)
	r.kept, r.lost = r.Spans()
	// The memory stays taken, small as it is without its pages: a worker may be in
	// the middle of writing to it.
	_ = r.arena.Trim(r.offset, spanBlockSize)
	r.ended.Store(true)
	return r.kept, r.lost
}

// clockBase makes times that can be compared between processes, as those of the
// wall clock, and that do not jump within one.
var clockBase = time.Now()

func spanClock() int64 { return clockBase.UnixNano() + int64(time.Since(clockBase)) }

// spanBegin gives the time if spans are being recorded, else 0.
func spanBegin() int64 {
	if w := shm.RecordingHere(); w == nil || w.Load() == 0 {
		return 0
	}
	return spanClock()
}

// spanEnd records what began at start, unless that is 0. pid 0 is this process.
func spanEnd(kind spanKind, lane, pid int, name string, start int64) {
	if start == 0 {
		return
	}
	w := shm.RecordingHere()
	if w == nil {
		return
	}
	o := shm.Offset(w.Load())
	if o == 0 {
		return // it has stopped
	}
	a, err := getArena()
	if err != nil {
		return
	}
	i := (*spanBlock)(a.At(o)).next.Add(1) - 1
	if i >= maxSpans {
		return
	}
	if pid == 0 {
		pid = os.Getpid()
	}
	rec := (*spanRecord)(a.At(o + shm.Offset(shm.Line+int(i)*spanRecordSize)))
	rec.pid, rec.lane, rec.start, rec.end = uint32(pid), uint32(lane), start, spanClock()
	rec.size = uint32(copy(rec.name[:80], name))
	rec.kind.Store(uint32(kind))
}
