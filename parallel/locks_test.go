package parallel

import (
	"context"
	"errors"
	"os"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"
)

// started gives a process that is running, and kills it when the test is over.
func started(t *testing.T, f any, args ...any) *Process {
	t.Helper()
	p := NewProcess(f, args...)
	must(t, p.Start())
	t.Cleanup(func() {
		p.Kill()
		p.Join()
	})
	return p
}

func killed(t *testing.T, p *Process) {
	t.Helper()
	must(t, p.Kill())
	if err := p.Join(); err == nil {
		t.Error("a killed process ended well")
	}
}

func incrementUnder(lock string, m *Mutex, rw *RWMutex, s *Semaphore, c *Cond, n *Array[int], times int) {
	for range times {
		inc := func() { n.Set(0, n.At(0)+1) }
		switch lock {
		case "Mutex":
			m.Do(inc)
		case "RWMutex":
			rw.Do(inc)
		case "Semaphore":
			s.Do(inc)
		case "Cond":
			c.Do(inc)
		case "Array":
			n.With(func(xs []int) { xs[0]++ })
		}
	}
}

func TestLocksExclude(t *testing.T) {
	const times, others = 20000, 2
	for _, lock := range []string{"Mutex", "RWMutex", "Semaphore", "Cond", "Array"} {
		t.Run(lock, func(t *testing.T) {
			m, rw, s, c, n := NewMutex(), NewRWMutex(), NewSemaphore(1), NewCond(), NewArray[int](1)
			var ps []*Process
			for range others {
				ps = append(ps, started(t, incrementUnder, lock, m, rw, s, c, n, times))
			}
			done := make(chan struct{})
			for range 2 { // goroutines of one process, too
				go func() {
					incrementUnder(lock, m, rw, s, c, n, times)
					done <- struct{}{}
				}()
			}
			<-done
			<-done
			for _, p := range ps {
				must(t, p.Join())
			}
			if got := n.At(0); got != (others+2)*times {
				t.Errorf("%d, want %d: updates were lost", got, (others+2)*times)
			}
		})
	}
}

func holdMutex(m *Mutex, held *Event) {
	m.Lock()
	held.Set()
	forever()
}

func holdWriter(m *RWMutex, held *Event) {
	m.Lock()
	held.Set()
	forever()
}

func holdReader(m *RWMutex, held *Event) {
	m.RLock()
	held.Set()
	forever()
}

func holdPlaces(s *Semaphore, held *Event) {
	s.Acquire()
	s.Acquire()
	held.Set()
	forever()
}

func TestMutexOfTheDead(t *testing.T) {
	m, held := NewMutex(), NewEvent()
	p := started(t, holdMutex, m, held)
	must(t, held.Wait())
	if ok, err := m.TryLock(); ok || err != nil {
		t.Fatalf("TryLock of a held lock: %v, %v", ok, err)
	}
	if err := m.LockTimeout(5 * time.Millisecond); err != ErrTimeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("LockTimeout: %v", err)
	}
	if err := m.Unlock(); err != ErrNotLocked {
		t.Fatalf("Unlock of another's lock: %v", err)
	}
	got := make(chan error)
	go func() { got <- m.Lock() }()
	killed(t, p)
	if err := <-got; err != ErrOwnerDied {
		t.Fatalf("Lock: %v", err)
	}
	must(t, m.Unlock())
	if ok, err := m.TryLock(); !ok || err != ErrOwnerDied {
		t.Fatalf("TryLock before Consistent: %v, %v", ok, err)
	}
	must(t, m.Poison())
	must(t, m.Unlock())
	if err := m.Lock(); err != ErrPoisoned {
		t.Fatalf("Lock after Poison: %v", err)
	}
	if err := m.Consistent(); err != ErrNotLocked {
		t.Fatalf("Consistent without the lock: %v", err)
	}
}

// A lock's next owner must not wait for a time to pass. The bound is generous for
// busy machines; a typical run takes a tenth of a millisecond.
func TestOwnerDeathIsToldAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel tells on Linux")
	}
	var times []time.Duration
	for range 15 {
		m, held := NewMutex(), NewEvent()
		p := started(t, holdMutex, m, held)
		must(t, held.Wait())
		got := make(chan time.Time)
		go func() {
			m.Lock()
			got <- time.Now()
		}()
		for m.h.slot.Word>>31 == 0 { // it waits in the kernel
			runtime.Gosched()
		}
		start := time.Now()
		must(t, p.Kill())
		times = append(times, (<-got).Sub(start))
	}
	slices.Sort(times)
	t.Logf("best %v, median %v", times[0], times[len(times)/2])
	if times[0] > checkTime {
		t.Errorf("the quickest took %v: the kernel did not tell", times[0])
	}
}

const checkTime = 15 * time.Millisecond

func TestRWMutex(t *testing.T) {
	m, held := NewRWMutex(), NewEvent()
	p := started(t, holdReader, m, held)
	must(t, held.Wait())
	must(t, m.RLockTimeout(time.Minute)) // beside the other reader
	must(t, m.RUnlock())
	if err := m.RUnlock(); err != ErrNotLocked {
		t.Errorf("RUnlock too often: %v", err)
	}
	if ok, err := m.TryLock(); ok || err != nil {
		t.Errorf("TryLock beside a reader: %v, %v", ok, err)
	}
	if err := m.LockTimeout(5 * time.Millisecond); err != ErrTimeout {
		t.Errorf("LockTimeout beside a reader: %v", err)
	}
	got := make(chan error)
	go func() { got <- m.Lock() }()
	killed(t, p)
	must(t, <-got) // a dead reader has changed nothing
	must(t, m.Unlock())

	held = NewEvent()
	p = started(t, holdWriter, m, held)
	must(t, held.Wait())
	if err := m.RLockTimeout(5 * time.Millisecond); err != ErrTimeout {
		t.Errorf("RLockTimeout beside a writer: %v", err)
	}
	go func() { got <- m.RLock() }()
	killed(t, p)
	if err := <-got; err != ErrOwnerDied {
		t.Errorf("RLock after a writer's death: %v", err)
	}
	must(t, m.RUnlock())
	if err := m.Lock(); err != ErrOwnerDied {
		t.Errorf("Lock after a writer's death: %v", err)
	}
	must(t, m.Consistent())
	must(t, m.Unlock())
	must(t, m.RDo(func() {}))
}

func TestSemaphore(t *testing.T) {
	s, held := NewSemaphore(2), NewEvent()
	p := started(t, holdPlaces, s, held)
	must(t, held.Wait())
	if s.TryAcquire() || s.Free() != 0 {
		t.Error("a third place")
	}
	if err := s.AcquireTimeout(5 * time.Millisecond); err != ErrTimeout {
		t.Errorf("AcquireTimeout: %v", err)
	}
	got := make(chan error)
	go func() { got <- s.Acquire() }()
	killed(t, p)
	must(t, <-got)
	must(t, s.Acquire()) // both came back
	must(t, s.Release())
	must(t, s.Release())
	if s.Free() != 2 {
		t.Errorf("%d free, want 2", s.Free())
	}
	// What one takes and another gives back is nobody's.
	q := started(t, func(s *Semaphore) { s.Acquire() }, s)
	must(t, q.Join())
}

func waitFor(e *Event, arrived *Value[int]) {
	arrived.Add(1)
	e.Wait()
	arrived.Add(10)
}

func TestEvent(t *testing.T) {
	e, arrived := NewEvent(), NewValue(0)
	if err := e.WaitTimeout(time.Millisecond); err != ErrTimeout {
		t.Errorf("WaitTimeout: %v", err)
	}
	a, b := started(t, waitFor, e, arrived), started(t, waitFor, e, arrived)
	for arrived.Load() < 2 {
		runtime.Gosched()
	}
	must(t, e.Set())
	must(t, a.Join())
	must(t, b.Join())
	if arrived.Load() != 22 || !e.IsSet() {
		t.Errorf("arrived %v, %v", arrived, e)
	}
	must(t, e.Clear())
	if e.IsSet() {
		t.Error("set after Clear")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.WaitContext(ctx); err != context.Canceled {
		t.Errorf("WaitContext: %v", err)
	}
}

func consume(c *Cond, state *Array[int], n int) {
	for range n {
		c.Lock()
		c.WaitFor(func() bool { return state.At(0) > 0 })
		state.Set(0, state.At(0)-1)
		state.Set(1, state.At(1)+1)
		c.Unlock()
		c.NotifyAll()
	}
}

func TestCond(t *testing.T) {
	c, state := NewCond(), NewArray[int](2)
	if err := c.Wait(); err != ErrNotLocked {
		t.Errorf("Wait without the lock: %v", err)
	}
	a, b := started(t, consume, c, state, 500), started(t, consume, c, state, 500)
	for range 1000 {
		must(t, c.Lock())
		must(t, c.WaitFor(func() bool { return state.At(0) < 5 }))
		state.Set(0, state.At(0)+1)
		must(t, c.Unlock())
		must(t, c.Notify(1))
	}
	must(t, a.Join())
	must(t, b.Join())
	if got := state.At(1); got != 1000 {
		t.Errorf("%d consumed, want 1000", got)
	}
	must(t, c.Lock())
	if err := c.WaitTimeout(time.Millisecond); err != ErrTimeout {
		t.Errorf("WaitTimeout: %v", err)
	}
	must(t, c.Unlock()) // it is held after a time-out
}

func meet(b *Barrier, rounds int, came *Value[int]) {
	for i := range rounds {
		came.Add(1)
		if _, err := b.Wait(); err != nil {
			os.Exit(3)
		}
		if came.Load() < 3*(i+1) {
			os.Exit(4) // not all had come
		}
	}
}

func TestBarrier(t *testing.T) {
	b, came := NewBarrier(3), NewValue(0)
	x, y := started(t, meet, b, 200, came), started(t, meet, b, 200, came)
	order := map[int]bool{}
	for range 200 {
		came.Add(1)
		i, err := b.WaitTimeout(time.Minute)
		must(t, err)
		order[i] = true
	}
	must(t, x.Join())
	must(t, y.Join())
	for i := range order {
		if i < 0 || i > 2 {
			t.Errorf("place %d of 3", i)
		}
	}
	if b.Parties() != 3 || b.Waiting() != 0 {
		t.Errorf("%d parties, %d waiting", b.Parties(), b.Waiting())
	}
}

func TestBarrierBreaks(t *testing.T) {
	b := NewBarrier(3)
	p := started(t, meet, b, 1, NewValue(0))
	got := make(chan error)
	go func() {
		_, err := b.Wait()
		got <- err
	}()
	for b.Waiting() < 2 {
		runtime.Gosched()
	}
	killed(t, p)
	if err := <-got; err != ErrBroken {
		t.Fatalf("after a death: %v", err)
	}
	if _, err := b.Wait(); err != ErrBroken {
		t.Fatalf("Wait at a broken barrier: %v", err)
	}
	must(t, b.Reset())
	if _, err := b.WaitTimeout(time.Millisecond); err != ErrTimeout {
		t.Fatalf("WaitTimeout: %v", err)
	}
	must(t, b.Reset())
	go func() {
		_, err := b.Wait()
		got <- err
	}()
	for b.Waiting() < 1 {
		runtime.Gosched()
	}
	must(t, b.Abort())
	if err := <-got; err != ErrBroken {
		t.Fatalf("after Abort: %v", err)
	}
}

type pixel struct {
	R, G, B uint8
	Depth   float32
}

func paint(a *Array[pixel], v *Array[pixel], from int) {
	a.Set(1, pixel{R: 7, Depth: 0.5})
	for i := range v.Slice() {
		v.Set(i, pixel{G: uint8(from + i)})
	}
}

func addMany(a *Array[int8], n int) {
	for range n {
		AddAt(a, 1, 1)
	}
}

func TestArray(t *testing.T) {
	a := NewArray[pixel](100)
	must(t, a.Err())
	p := started(t, paint, a, a.View(50, 60), 50)
	must(t, p.Join())
	if a.Len() != 100 || a.At(1) != (pixel{R: 7, Depth: 0.5}) || a.At(59).G != 59 || a.At(60) != (pixel{}) {
		t.Errorf("the array is %v", a)
	}
	for _, bad := range []error{NewArray[string](3).Err(), NewArray[*int](3).Err(), NewArray[struct{ S []int }](3).Err(), NewArray[int](-1).Err()} {
		if bad == nil {
			t.Error("an Array of what cannot be shared, or of no length")
		}
	}
	b := NewArray[int8](3)
	x, y := started(t, addMany, b, 1000), started(t, addMany, b, 1000)
	must(t, x.Join())
	must(t, y.Join())
	if sum := 2000; b.At(1) != int8(sum) || b.At(0) != 0 || b.At(2) != 0 {
		t.Errorf("small items: %v", b)
	}
	if c := ArrayOf([]bool{true, false}); !c.At(0) || c.At(1) || c.Len() != 2 {
		t.Errorf("bools: %v", c)
	}
	a.Free()
	if a.Len() != 0 || a.Err() == nil || a.Lock() == nil {
		t.Error("a freed array is there")
	}
}

// Shared memory must come back: more of it is used here than there is.
func TestArrayMemoryComesBack(t *testing.T) {
	for range 300 {
		a := NewArray[byte](1 << 30)
		must(t, a.Err())
		a.Set(1<<29, 1)
		a.Free()
	}
	b := NewArray[byte](1 << 30)
	defer b.Free()
	if b.At(1<<29) != 0 {
		t.Error("new memory is not zero")
	}
}

func TestValueStepsOfOne(t *testing.T) {
	v := NewValue(3)
	if v.CompareAndSwap(4, 5) || !v.CompareAndSwap(3, 5) || v.Load() != 5 {
		t.Errorf("CompareAndSwap: %v", v)
	}
	if v.Update(func(x int) int { return 2 * x }) != 10 || v.Load() != 10 {
		t.Errorf("Update: %v", v)
	}
}

// Objects of bytes that are none of this tree must be refused, not believed.
func FuzzHandles(f *testing.F) {
	m, q, a := NewMutex(), NewQueue[string](4), NewArray[int](4)
	x, y := NewPipe[int]()
	for _, e := range []interface{ GobEncode() ([]byte, error) }{m, q, a, x, y} {
		data, err := e.GobEncode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range []interface{ GobDecode([]byte) error }{new(Mutex), new(Value[int]), new(RWMutex), new(Semaphore), new(Barrier), new(Event), new(Cond), new(Queue[string]), new(Array[int]), new(Array[string]), new(Pipe[int]), new(Manager), new(Dict[int, int])} {
			if err := d.GobDecode(data); err == nil && reflect.ValueOf(d).Elem().IsZero() {
				t.Errorf("%T took %x and is nothing", d, data)
			}
		}
	})
}

func zeroErrors() map[string]error {
	_, barrier := new(Barrier).Wait()
	_, queue := new(Queue[int]).Get()
	_, pipe := new(Pipe[int]).Recv()
	_, dict := new(Dict[int, int]).Get(1)
	_, list := new(List[int]).Get(1)
	_, counter := new(Counter).Load()
	return map[string]error{
		"Mutex": new(Mutex).Lock(), "RWMutex": new(RWMutex).RLock(), "Semaphore": new(Semaphore).Acquire(), "Event": new(Event).Wait(),
		"Cond": new(Cond).Wait(), "Barrier": barrier, "Queue": queue, "Pipe": pipe, "Dict": dict, "List": list, "Counter": counter, "Array": new(Array[int]).Lock(),
	}
}

func TestZeroValuesSaySo(t *testing.T) {
	for name, err := range zeroErrors() {
		if err == nil {
			t.Errorf("the zero %s works", name)
		}
	}
}

// A stopped process is not a dead one: its lock stays its own.
func TestStoppedHolder(t *testing.T) {
	m, held := NewMutex(), NewEvent()
	p := started(t, holdMutex, m, held)
	must(t, held.Wait())
	must(t, stop(p))
	if err := m.LockTimeout(50 * time.Millisecond); err != ErrTimeout {
		t.Errorf("Lock of what a stopped process holds: %v", err)
	}
	killed(t, p)
	if err := m.Lock(); err != ErrOwnerDied {
		t.Errorf("after its death: %v", err)
	}
}
