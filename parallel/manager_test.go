package parallel

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

func countWords(d *Dict[string, int], l *List[string], c *Counter, n int) {
	for i := range n {
		AddTo(d, "added", 1)
		d.Update("updated", func(x int) int { return x + 1 })
		c.Add(2)
		l.Append(fmt.Sprint(os.Getpid(), " ", i))
	}
}

func checkCounted(t *testing.T, d *Dict[string, int], l *List[string], c *Counter, want int) {
	t.Helper()
	items, err := d.Items()
	must(t, err)
	n, err := c.Load()
	must(t, err)
	length, err := l.Len()
	must(t, err)
	if !maps.Equal(items, map[string]int{"added": want, "updated": want}) || n != 2*want || length != want {
		t.Errorf("%v, counter %d, list of %d, want %d", items, n, length, want)
	}
}

func TestManagerInProcesses(t *testing.T) {
	m := NewManager()
	defer m.Close()
	d, l, c := NewDict[string, int](m), NewList[string](m), NewCounter(m)
	a, b := started(t, countWords, d, l, c, 200), started(t, countWords, d, l, c, 200)
	var here sync.WaitGroup
	for range 2 {
		here.Go(func() { countWords(d, l, c, 200) })
	}
	here.Wait()
	must(t, a.Join())
	must(t, b.Join())
	checkCounted(t, d, l, c, 800)
}

func TestDict(t *testing.T) {
	d := NewDict[point2, parcel](NewManager())
	defer d.m.Close()
	k := point2{1, 2}
	if _, err := d.Get(k); err != ErrNoKey {
		t.Errorf("Get of nothing: %v", err)
	}
	must(t, d.Set(k, parcel{Name: "a", Data: []byte{1}}))
	if p, err := d.Get(k); p.Name != "a" || err != nil {
		t.Errorf("Get: %v, %v", p, err)
	}
	if p, err := d.SetDefault(k, parcel{Name: "b"}); p.Name != "a" || err != nil {
		t.Errorf("SetDefault of what is there: %v, %v", p, err)
	}
	if p, err := d.SetDefault(point2{}, parcel{Name: "b"}); p.Name != "b" || err != nil {
		t.Errorf("SetDefault: %v, %v", p, err)
	}
	must(t, d.SetAll(map[point2]parcel{{3, 4}: {Name: "c"}, {5, 6}: {}}))
	n := 0
	for range d.All() {
		n++
	}
	if length, err := d.Len(); length != 4 || n != 4 || err != nil {
		t.Errorf("Len %d, %d in All, %v", length, n, err)
	}
	if was, err := d.Delete(k); !was || err != nil {
		t.Errorf("Delete: %v, %v", was, err)
	}
	if was, _ := d.Delete(k); was {
		t.Error("deleted twice")
	}
	must(t, d.Clear())
	if d.String() != "map[]" {
		t.Errorf("after Clear: %v", d)
	}
	e := NewDict[int, any](d.m)
	if err := e.Set(1, make(chan int)); err == nil {
		t.Error("a channel travels")
	}
}

type point2 struct{ X, Y int }

func TestList(t *testing.T) {
	l := NewList(NewManager(), 1, 2, 3)
	defer l.m.Close()
	must(t, l.Set(0, 10))
	if x, err := l.Update(1, func(x int) int { return x * 10 }); x != 20 || err != nil {
		t.Errorf("Update: %v, %v", x, err)
	}
	if x, err := l.Pop(); x != 3 || err != nil {
		t.Errorf("Pop: %v, %v", x, err)
	}
	if l.String() != "[10 20]" {
		t.Errorf("the list is %v", l)
	}
	if x, err := l.Delete(0); x != 10 || err != nil {
		t.Errorf("Delete: %v, %v", x, err)
	}
	for _, i := range []int{-1, 1, 1 << 40} {
		if _, err := l.Get(i); err == nil {
			t.Errorf("item %d is there", i)
		}
	}
	must(t, l.Clear())
	if _, err := l.Pop(); err != ErrEmpty {
		t.Errorf("Pop of nothing: %v", err)
	}
}

func TestNumbersOfAManager(t *testing.T) {
	m := NewManager()
	defer m.Close()
	d8, d32, du := NewDict[string, int8](m), NewDict[string, float32](m), NewDict[string, uint16](m)
	AddTo(d8, "x", 127)
	if x, err := AddTo(d8, "x", 1); x != -128 || err != nil {
		t.Errorf("int8 wraps to %v, %v", x, err)
	}
	AddTo(d32, "x", 0.5)
	if x, err := AddTo(d32, "x", 0.25); x != 0.75 || err != nil {
		t.Errorf("float32: %v, %v", x, err)
	}
	AddTo(du, "x", 65535)
	if x, err := AddTo(du, "x", 2); x != 1 || err != nil {
		t.Errorf("uint16 wraps to %v, %v", x, err)
	}
}

// A manager by socket, with named objects, a wrong key, and processes that get
// its objects from a client.
func TestManagerBySocket(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			addr := "127.0.0.1:0"
			if network == "unix" {
				dir, err := os.MkdirTemp("", "m") // t.TempDir is too long for a socket
				must(t, err)
				defer os.RemoveAll(dir)
				addr = filepath.Join(dir, "s")
			}
			listener, err := net.Listen(network, addr)
			must(t, err)
			server := ServeManager(listener, []byte("key"))
			addr = listener.Addr().String()
			if _, err := DialManager(network, addr, []byte("another")); err != ErrKey {
				t.Errorf("another key: %v", err)
			}
			m, err := DialManager(network, addr, []byte("key"))
			must(t, err)
			d, l, c := NamedDict[string, int](m, "d"), NamedList[string](m, "l"), NamedCounter(m, "c")
			must(t, d.Err())
			if NamedDict[string, string](m, "d").Err() == nil || NamedList[int](m, "d").Err() == nil {
				t.Error("one name for two kinds of objects")
			}
			p := started(t, countWords, d, l, c, 100)
			countWords(d, l, c, 100)
			must(t, p.Join())
			checkCounted(t, NamedDict[string, int](server, "d"), l, c, 200)
			must(t, server.Close())
			if _, err := c.Load(); !errors.Is(err, ErrManagerClosed) {
				t.Errorf("after Close: %v", err)
			}
			must(t, m.Close())
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	if NewCounter(ServeManager(l, nil)).Err() == nil {
		t.Error("a manager without a key")
	}
}

func managerElsewhere(q *Queue[*Counter]) {
	m := NewManager()
	q.Put(NewCounter(m))
	forever()
}

func askForever(c *Counter, asked *Value[int]) {
	for {
		if _, err := c.Add(1); err == nil {
			asked.Add(1)
		}
	}
}

func TestManagerDies(t *testing.T) {
	q := NewQueue[*Counter](1)
	p := started(t, managerElsewhere, q)
	c, err := q.Get()
	must(t, err)
	if n, err := c.Add(5); n != 5 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	killed(t, p)
	if _, err := c.Add(1); err != ErrManagerClosed {
		t.Errorf("a dead manager says %v", err)
	}
}

func TestManagerSurvivesClients(t *testing.T) {
	m := NewManager()
	defer m.Close()
	c, asked := NewCounter(m), NewValue(0)
	for range 5 {
		p := started(t, askForever, c, asked)
		for start := asked.Load(); asked.Load() < start+20; {
			runtime.Gosched()
		}
		killed(t, p)
	}
	n, err := c.Load()
	if must(t, err); n < asked.Load() || n > asked.Load()+5 { // the last answer of each may not have been counted
		t.Errorf("counter %d, asked %v", n, asked)
	}
}

func FuzzManagerRequest(f *testing.F) {
	f.Add(request(opSet, 1, []byte("k"), []byte("v")))
	f.Add(request(opSwap, 1, []byte("k"), number(1), []byte("v")))
	f.Add(request(opAdd, 2, number(0), []byte("i\x08\x01\x00\x00\x00\x00\x00\x00\x00")))
	f.Add(request(opOpen, 0, []byte("D"), []byte("name"), []byte("type")))
	f.Add(request(opAdd, 1, []byte("k"), []byte("u\xff\x01\x00\x00\x00\x00\x00\x00\x00")))
	s := newManagerServer()
	s.do(request(opOpen, 0, []byte{kindDict}, nil, nil))
	s.do(request(opOpen, 0, []byte{kindList}, nil, nil))
	s.do(request(opAppend, 2, []byte("i\x08\x01\x00\x00\x00\x00\x00\x00\x00")))
	f.Fuzz(func(t *testing.T, req []byte) {
		if resp := s.do(req); len(resp) == 0 || resp[0] > 1 {
			t.Errorf("the answer is %x", resp)
		}
		v := answer(req)
		for {
			if _, ok, err := piece[int](&v); !ok && err == nil {
				break
			}
		}
	})
}

func FuzzManagerFrame(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 7})
	f.Add([]byte{255, 255, 255, 255})
	f.Add([]byte{0, 0, 0, 63, 1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readFrame(bufio.NewReader(bytes.NewReader(data)))
		if err == nil && len(got) > len(data) {
			t.Errorf("%d bytes from %d", len(got), len(data))
		}
	})
}

// Who does not know the key learns nothing by which it can pretend to.
func TestHandshakeGivesNothingAway(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	refused := make(chan error)
	go func() { refused <- handshake(a, bufio.NewReader(a), []byte("key"), true) }()
	hello := make([]byte, len(protocol)+challengeSize)
	_, err := io.ReadFull(b, hello)
	must(t, err)
	_, err = b.Write(hello) // its own challenge
	must(t, err)
	_, err = b.Write(make([]byte, 32)) // no proof
	must(t, err)
	if err := <-refused; err != ErrKey {
		t.Errorf("the server says %v", err)
	}
	must(t, b.SetReadDeadline(time.Now()))
	if n, _ := b.Read(make([]byte, 1)); n != 0 {
		t.Error("the server has answered")
	}
}
