package parallel

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func putRange(q *Queue[int], from, to int) {
	for i := from; i < to; i++ {
		q.Put(i)
	}
}

func sumQueue(q *Queue[int], sum, count *Value[int]) {
	for i := range q.All() {
		sum.Add(i)
		count.Add(1)
	}
}

// Producers and consumers in several processes, and several goroutines of one.
func TestQueueEachItemOnce(t *testing.T) {
	const n = 20000
	q, sum, count := NewQueue[int](100), NewValue(0), NewValue(0)
	producers := []*Process{started(t, putRange, q, 0, n), started(t, putRange, q, n, 2*n)}
	consumers := []*Process{started(t, sumQueue, q, sum, count), started(t, sumQueue, q, sum, count)}
	here := make(chan struct{})
	for i := range 2 {
		go func() {
			putRange(q, (2+i)*n, (3+i)*n)
			here <- struct{}{}
		}()
		go func() {
			sumQueue(q, sum, count)
			here <- struct{}{}
		}()
	}
	for _, p := range producers {
		must(t, p.Join())
	}
	<-here
	<-here
	must(t, q.Close())
	<-here
	<-here
	for _, p := range consumers {
		must(t, p.Join())
	}
	if count.Load() != 4*n || sum.Load() != 4*n*(4*n-1)/2 || q.Lost() != 0 || q.Len() != 0 {
		t.Errorf("%v items, sum %v, lost %d, left %d", count, sum, q.Lost(), q.Len())
	}
}

func TestQueueOrderAndLimits(t *testing.T) {
	q := NewQueue[int](3)
	for i := range 3 {
		must(t, q.TryPut(i))
	}
	if err := q.TryPut(3); err != ErrQueueFull || q.Len() != 3 || q.Cap() != 3 {
		t.Errorf("TryPut to a full queue: %v, %v", err, q)
	}
	if err := q.PutTimeout(3, 2*time.Millisecond); err != ErrTimeout {
		t.Errorf("PutTimeout: %v", err)
	}
	for lap := range 50 {
		for i := range 3 {
			x, err := q.Get()
			if must(t, err); x != 3*lap+i {
				t.Fatalf("got %d, want %d", x, 3*lap+i)
			}
			must(t, q.Put(3*lap+i+3))
		}
	}
	must(t, q.Close())
	must(t, q.Close())
	if err := q.Put(1); err != ErrQueueClosed {
		t.Errorf("Put after Close: %v", err)
	}
	n := 0
	for range q.All() {
		n++
	}
	if _, err := q.Get(); n != 3 || err != ErrQueueClosed {
		t.Errorf("%d left after Close, then %v", n, err)
	}
	e := NewQueue[string](0)
	if _, err := e.TryGet(); err != ErrQueueEmpty {
		t.Errorf("TryGet: %v", err)
	}
	if _, err := e.GetTimeout(2 * time.Millisecond); err != ErrTimeout {
		t.Errorf("GetTimeout: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, cancel)
	if _, err := e.GetContext(ctx); err != context.Canceled {
		t.Errorf("GetContext: %v", err)
	}
	if NewQueue[int](1<<60).Err() == nil {
		t.Error("a queue of no memory")
	}
}

type parcel struct {
	Name string
	Data []byte
	V    *Value[int]
	Tags map[string]int
}

func answerParcels(in, out *Queue[parcel]) {
	for p := range in.All() {
		p.V.Add(1)
		p.Name = strings.ToUpper(p.Name)
		out.Put(p)
	}
	out.Close()
}

func TestQueueOfAnything(t *testing.T) {
	in, out, v := NewQueue[parcel](8), NewQueue[parcel](8), NewValue(0)
	p := started(t, answerParcels, in, out)
	sizes := []int{0, 1, 100, 112, 113, 5000, 1 << 20}
	go func() {
		for _, n := range sizes {
			in.Put(parcel{Name: "gopher", Data: make([]byte, n), V: v, Tags: map[string]int{"n": n}})
		}
		in.Close()
	}()
	i := 0
	for x := range out.All() {
		if x.Name != "GOPHER" || len(x.Data) != sizes[i] || x.Tags["n"] != sizes[i] {
			t.Errorf("parcel %d: %s, %d bytes", i, x.Name, len(x.Data))
		}
		i++
	}
	must(t, p.Join())
	if i != len(sizes) || v.Load() != i {
		t.Errorf("%d parcels, value %v", i, v)
	}
	if err := NewQueue[chan int](1).Put(make(chan int)); err == nil {
		t.Error("a channel travels")
	}
	for _, s := range []string{"", "짧다", strings.Repeat("long ", 1000)} {
		q := NewQueue[string](1)
		must(t, q.Put(s))
		if got, err := q.Get(); got != s || err != nil {
			t.Errorf("%q comes back as %q, %v", s, got, err)
		}
	}
}

// half takes a place for writing, or reading, and is stuck there.
func halfPut(q *Queue[int], stuck *Event) {
	q.q.put(context.Background(), false)
	stuck.Set()
	forever()
}

func halfGet(q *Queue[int], stuck *Event) {
	q.q.get(context.Background(), false, nil)
	stuck.Set()
	forever()
}

func TestQueueSurvivesDeathInTheMiddle(t *testing.T) {
	q, stuck := NewQueue[int](2), NewEvent()
	p := started(t, halfPut, q, stuck)
	must(t, stuck.Wait())
	must(t, q.Put(7)) // behind the half item
	if x, err := q.GetTimeout(5 * time.Millisecond); err != ErrTimeout {
		t.Fatalf("passed a producer that lives: %v, %v", x, err)
	}
	got := make(chan int)
	go func() {
		x, _ := q.Get()
		got <- x
	}()
	killed(t, p)
	if x := <-got; x != 7 || q.Lost() != 1 {
		t.Fatalf("got %d, lost %d", x, q.Lost())
	}
	must(t, q.Put(1))
	must(t, q.Put(2))
	stuck = NewEvent()
	p = started(t, halfGet, q, stuck)
	must(t, stuck.Wait())
	if err := q.PutTimeout(3, 5*time.Millisecond); err != ErrTimeout {
		t.Fatalf("Put where a consumer reads: %v", err)
	}
	put := make(chan error)
	go func() { put <- q.Put(3) }()
	killed(t, p)
	must(t, <-put)
	for _, want := range []int{2, 3} {
		if x, err := q.Get(); x != want || err != nil {
			t.Errorf("got %d, %v, want %d", x, err, want)
		}
	}
	if q.Lost() != 2 {
		t.Errorf("lost %d, want 2", q.Lost())
	}
}

func putForever(q *Queue[parcel], v *Value[int]) {
	for i := 0; ; i++ {
		q.Put(parcel{Name: "x", Data: make([]byte, i%300), V: v})
	}
}

// Producers are killed wherever they are; what arrives is whole.
func TestQueueUnderKills(t *testing.T) {
	q, v := NewQueue[parcel](16), NewValue(0)
	for round := range 10 {
		p := started(t, putForever, q, v)
		for range 50 + 37*round {
			x, err := q.Get()
			if must(t, err); x.Name != "x" {
				t.Fatalf("a half item: %+v", x)
			}
		}
		killed(t, p)
	}
	for {
		x, err := q.TryGet()
		if err == ErrQueueEmpty {
			break
		}
		if must(t, err); x.Name != "x" {
			t.Fatalf("a half item: %+v", x)
		}
	}
	must(t, q.Put(parcel{Name: "after"}))
	if x, err := q.Get(); x.Name != "after" || err != nil {
		t.Errorf("afterwards: %+v, %v", x, err)
	}
}

func echo(p *Pipe[string]) {
	for {
		s, err := p.Recv()
		if err != nil {
			if err != io.EOF {
				os.Exit(3)
			}
			return
		}
		p.Send("echo " + s)
	}
}

func TestPipe(t *testing.T) {
	mine, theirs := NewPipe[string]()
	p := started(t, echo, theirs)
	for range 100 {
		must(t, mine.Send("a"))
		if s, err := mine.Recv(); s != "echo a" || err != nil {
			t.Fatalf("%q, %v", s, err)
		}
	}
	if mine.Poll() {
		t.Error("there is a message")
	}
	if _, err := mine.RecvTimeout(2 * time.Millisecond); err != ErrTimeout {
		t.Errorf("RecvTimeout: %v", err)
	}
	must(t, mine.Close())
	must(t, p.Join())
	if err := mine.Send("b"); err != io.ErrClosedPipe {
		t.Errorf("Send after Close: %v", err)
	}
	if _, err := mine.Recv(); err != io.EOF {
		t.Errorf("Recv after Close: %v", err)
	}
}

func TestPipeOfTheDead(t *testing.T) {
	mine, theirs := NewPipe[string]()
	p := started(t, echo, theirs)
	must(t, mine.Send("a"))
	if _, err := mine.Recv(); err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		_, err := mine.Recv()
		got <- err
	}()
	killed(t, p)
	if err := <-got; err != ErrPeerDied {
		t.Errorf("Recv from a dead process: %v", err)
	}
}

// Whatever is in a queue's memory, taking from it must end in a value or an error.
func FuzzQueuePlaces(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x03\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		q := NewQueue[parcel](2)
		place := q.q.place(0)
		copy(unsafe.Slice((*byte)(place), q.q.size), data)
		control(place).Store(placeFull)
		(*packed)(payload(place)).Far = 0 // a block's offset is believed: it comes from the allocator
		_, err := q.TryGet()
		if errors.Is(err, ErrQueueClosed) {
			t.Error("closed")
		}
		runtime.KeepAlive(q)
	})
}
