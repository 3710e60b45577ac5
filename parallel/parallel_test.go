package parallel

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Main()
	if role := os.Getenv("PARALLEL_TEST_PARENT"); role != "" {
		parentToBeKilled()
	}
	os.Exit(m.Run())
}

// Functions for other processes.

func nothing() {}

func square(x int) int { return x * x }

func exits(code int) { os.Exit(code) }

func panics(text string) { panic(text) }

func sleeps() { time.Sleep(time.Hour) }

type point struct {
	X, Y  int
	Label string
	Tags  []string
	Next  *point
}

type everything struct {
	I    int8
	F    float64
	S    string
	B    bool
	M    map[string]int
	P    point
	V    *Value[int]
	When time.Duration
}

// arrived tells by a shared value whether the arguments are what they should be.
func arrived(ok *Value[int], e everything, xs []float64, m map[int]string, p *point, any any, nilSlice []int, rest ...string) {
	if e.I == -3 && e.F == 2.5 && e.S == "고퍼" && e.B && e.M["a"] == 1 && e.P.Next.Label == "next" && e.When == time.Minute &&
		len(xs) == 2 && xs[1] == 0.5 && m[7] == "seven" && p.Tags[0] == "t" && any.(string) == "any" && nilSlice == nil && strings.Join(rest, "") == "xyz" {
		ok.Store(1)
	}
	e.V.Add(10)
}

func TestProcessArguments(t *testing.T) {
	ok, v := NewValue(0), NewValue(5)
	e := everything{I: -3, F: 2.5, S: "고퍼", B: true, M: map[string]int{"a": 1}, P: point{Next: &point{Label: "next"}}, V: v, When: time.Minute}
	p := NewProcess(arrived, ok, e, []float64{1, 0.5}, map[int]string{7: "seven"}, &point{Tags: []string{"t"}}, "any", nil, "x", "y", "z")
	must(t, p.Start())
	must(t, p.Join())
	if ok.Load() != 1 || v.Load() != 15 {
		t.Errorf("arguments arrived: %d, nested Value %d, want 1 and 15", ok.Load(), v.Load())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name string
		p    *Process
		do   func(*Process) error
		code int
		says string
	}{
		{"fine", NewProcess(nothing), nil, 0, ""},
		{"os.Exit", NewProcess(exits, 3), nil, 3, "exited with code 3"},
		{"panic", NewProcess(panics, "oh no"), nil, 1, "ended with a panic: oh no"},
		{"terminated", NewProcess(sleeps), (*Process).Terminate, -15, "was ended by signal 15 (terminated)"},
		{"killed", NewProcess(sleeps), (*Process).Kill, -9, "was ended by signal 9 (killed)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := test.p
			if _, ended := p.ExitCode(); ended || p.Alive() || p.PID() != 0 {
				t.Error("it has ended, is alive or has a PID before Start")
			}
			must(t, p.Start())
			if p.PID() == 0 || p.PID() == os.Getpid() {
				t.Errorf("PID %d", p.PID())
			}
			if test.do != nil {
				must(t, test.do(p))
			}
			err := p.Join()
			if code, ended := p.ExitCode(); code != test.code || !ended || p.Alive() {
				t.Errorf("exit code %d, ended %v, want %d", code, ended, test.code)
			}
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("Join says %v, want %q", err, test.says)
			}
		})
	}
	if len(Active()) != 0 {
		t.Errorf("still active: %v", Active())
	}
}

func TestMisuse(t *testing.T) {
	x := 3
	tests := []struct {
		p    *Process
		want string
	}{
		{NewProcess(nil), "NewProcess wants a function, not <nil>"},
		{NewProcess(42), "NewProcess wants a function, not int"},
		{NewProcess(square), "NewProcess(parallel.square): it takes 1 arguments and is given 0"},
		{NewProcess(square, "four"), "NewProcess(parallel.square): argument 1 is string, parallel.square wants int"},
		{NewProcess(square, nil), "argument 1 is nil, parallel.square wants int"},
		{NewProcess(func() { x++ }), "captures variables"},
		{NewProcess(bufio.NewReader(nil).Buffered), "captures variables"},
		{NewProcess(func(c chan int) {}, make(chan int)), "argument 1 of parallel.TestMisuse.func"},
	}
	for _, test := range tests {
		if err := test.p.Start(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Start says %v, want %q", err, test.want)
		}
	}
	p := NewProcess(nothing)
	if err := p.Join(); err == nil || !strings.Contains(err.Error(), "call Start first") {
		t.Errorf("Join before Start says %v", err)
	}
	if err := p.Kill(); err == nil {
		t.Error("Kill before Start says nothing")
	}
	must(t, p.Start())
	if err := p.Start(); err == nil || !strings.Contains(err.Error(), "has been started before") {
		t.Errorf("the second Start says %v", err)
	}
	must(t, p.Join())
	must(t, p.Kill())
}

func addUp(v *Value[int], how string, n int) {
	for i := 1; i < n; i++ {
		switch how {
		case "racy":
			v.Store(v.Load() + i)
		case "add":
			v.Add(i)
		case "lock":
			v.Lock()
			v.Store(v.Load() + i)
			v.Unlock()
		case "with":
			v.With(func(p *int) { *p += i })
		}
	}
}

func TestValueInTwoProcesses(t *testing.T) {
	const n, want = 10000, 2 * 9999 * 10000 / 2
	for _, how := range []string{"racy", "add", "lock", "with"} {
		v := NewValue(0)
		a, b := NewProcess(addUp, v, how, n), NewProcess(addUp, v, how, n)
		must(t, a.Start())
		must(t, b.Start())
		must(t, a.Join())
		must(t, b.Join())
		if got := v.Load(); how != "racy" && got != want || got > want || got < want/4 {
			t.Errorf("%s: %d, want %d", how, got, want)
		}
	}
}

func TestValueTypes(t *testing.T) {
	f := NewValue(0.5)
	if f.Add(0.25); f.Load() != 0.75 {
		t.Errorf("float64: %v", f.Load())
	}
	i := NewValue(int8(127))
	if i.Add(1); i.Load() != -128 {
		t.Errorf("int8 wraps to %v", i.Load())
	}
	u := NewValue(uint32(7))
	u.With(func(p *uint32) { *p *= 3 })
	if u.Load() != 21 || u.String() != "21" {
		t.Errorf("uint32: %v", u)
	}
	if err := u.Unlock(); err != ErrNotLocked {
		t.Errorf("Unlock of what is not locked: %v", err)
	}
	var zero Value[int]
	if err := zero.Lock(); err == nil {
		t.Error("the zero Value can be locked")
	}
}

func holdsLock(v, held *Value[int]) {
	v.Lock()
	held.Store(1)
	time.Sleep(time.Hour)
}

func TestLockOfADeadProcess(t *testing.T) {
	v, held := NewValue(0), NewValue(0)
	p := NewProcess(holdsLock, v, held)
	must(t, p.Start())
	for held.Load() == 0 {
		runtime.Gosched()
	}
	got := make(chan error)
	go func() { got <- v.Lock() }()
	must(t, p.Kill())
	p.Join()
	if err := <-got; !errors.Is(err, ErrOwnerDied) {
		t.Errorf("Lock says %v, want ErrOwnerDied", err)
	}
	must(t, v.Unlock())
	if err := v.Lock(); !errors.Is(err, ErrOwnerDied) {
		t.Errorf("the second Lock says %v, want ErrOwnerDied until Consistent", err)
	}
	must(t, v.Consistent())
	must(t, v.Unlock())
	must(t, v.Lock())
	must(t, v.Unlock())
}

func maybe(x int) int {
	switch x {
	case 3:
		panic("three")
	case 5:
		os.Exit(7)
	case 7:
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		forever() // until it arrives
	}
	return x * x
}

func TestExecutors(t *testing.T) {
	for name, ex := range map[string]Executor{"serial": Serial(), "goroutines": Goroutines(3), "processes": Processes(3)} {
		t.Run(name, func(t *testing.T) {
			xs := make([]int, 50)
			for i := range xs {
				xs[i] = i
			}
			got, err := Map(ex, square, xs)
			must(t, err)
			for i, x := range got {
				if x != i*i {
					t.Fatalf("item %d is %d", i, x)
				}
			}
			if _, err := Submit(ex, maybe, 3).Result(); err == nil || err.Error() != "panic: three" {
				t.Errorf("a panic gives %v", err)
			}
			r, err := Call(ex, func(p point, s string) point { p.Label += s; return p }, point{Label: "a"}, "b").Result()
			if must(t, err); r.(point).Label != "ab" {
				t.Errorf("a struct comes back as %v", r)
			}
			if _, err := Call(ex, square, "x").Result(); err == nil {
				t.Error("a wrong argument is no error")
			}
			must(t, ex.Close())
			must(t, ex.Close())
			if _, err := Submit(ex, square, 1).Result(); name != "serial" && err != ErrClosed {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

func TestPoolSurvivesItsWorkers(t *testing.T) {
	ex := Processes(2)
	defer ex.Close()
	got, err := Map(ex, maybe, []int{1, 3, 5, 7, 9, 5, 7, 2})
	var died *WorkerDied
	if !errors.As(err, &died) || got[0] != 1 || got[4] != 81 || got[7] != 4 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, want := range []string{"item 1: panic: three", "item 2: parallel: worker process", "exited with code 7", "signal 9"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if got, err := Submit(ex, square, 4).Result(); got != 16 || err != nil {
		t.Errorf("afterwards: %v, %v", got, err)
	}
	x := 1
	if _, err := Submit(ex, func(y int) int { return x + y }, 1).Result(); err == nil || !strings.Contains(err.Error(), "captures variables") {
		t.Errorf("a closure: %v", err)
	}
}

func sleepsWith(started *Value[int]) int {
	started.Add(1)
	time.Sleep(time.Hour)
	return 0
}

func TestInterrupt(t *testing.T) {
	ex := Processes(2)
	defer ex.Close()
	started := NewValue(0)
	var fs []*Future[int]
	for range 5 {
		fs = append(fs, Submit(ex, sleepsWith, started))
	}
	p := NewProcess(sleepsWith, started)
	must(t, p.Start())
	for started.Load() < 3 {
		runtime.Gosched()
	}
	Interrupt()
	for _, f := range fs {
		if _, err := f.Result(); err != ErrInterrupted {
			t.Errorf("a task gives %v", err)
		}
	}
	if err := p.Join(); err == nil {
		t.Error("the process ended well")
	}
	if got, err := Submit(ex, square, 3).Result(); got != 9 || err != nil {
		t.Errorf("the pool afterwards: %v, %v", got, err)
	}
}

func nested(x int) int {
	ex := Processes(2)
	defer ex.Close()
	rs, err := Map(ex, square, []int{x, x + 1})
	if err != nil {
		panic(err)
	}
	return rs[0] + rs[1]
}

func TestNestedPools(t *testing.T) {
	ex := Processes(2)
	defer ex.Close()
	got, err := Map(ex, nested, []int{1, 2, 3})
	if must(t, err); fmt.Sprint(got) != "[5 13 25]" {
		t.Errorf("got %v", got)
	}
}

// forever is for processes that are to be ended from outside. An empty select
// would do only where cgo is: elsewhere Go ends a program of which nothing can go on.
func forever() {
	for {
		time.Sleep(time.Hour)
	}
}

// parentToBeKilled starts a tree of processes that keep a pipe open.
func parentToBeKilled() {
	started := NewValue(0)
	NewProcess(treeOf, started, 2).Start()
	for started.Load() < 3 {
		runtime.Gosched()
	}
	fmt.Println("ready")
	forever()
}

func treeOf(started *Value[int], depth int) {
	started.Add(1)
	if depth > 0 {
		NewProcess(treeOf, started, depth-1).Start()
	}
	for started.Load() >= 0 { // busy, and so not reading anything
	}
}

func TestNothingOutlivesAKilledParent(t *testing.T) {
	// All of the tree holds the write end of this pipe as standard output, so its
	// end is the end of the last process.
	r, w, err := os.Pipe()
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PARALLEL_TEST_PARENT=1")
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	must(t, cmd.Start())
	w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if must(t, err); line != "ready\n" {
		t.Fatalf("the parent says %q", line)
	}
	must(t, cmd.Process.Kill())
	cmd.Wait()
	ended := make(chan struct{})
	go func() { io.Copy(io.Discard, r); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("processes of a killed parent live on")
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	fds := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc")
		}
		return len(entries)
	}
	cycle := func() {
		p := NewProcess(nothing)
		must(t, p.Start())
		must(t, p.Join())
	}
	cycle()
	SetSpares(0)
	before, goroutines := fds(), runtime.NumGoroutine()
	SetSpares(defaultSpares)
	for range 300 {
		cycle()
	}
	SetSpares(0)
	defer SetSpares(defaultSpares)
	ex := Processes(2)
	Map(ex, square, []int{1, 2, 3})
	ex.Close()
	if after := fds(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if after := runtime.NumGoroutine(); after > goroutines+2 { // Join returns before its goroutine does
		t.Errorf("%d goroutines before, %d after", goroutines, after)
	}
	children, _ := os.ReadFile("/proc/thread-self/children")
	if strings.TrimSpace(string(children)) != "" {
		t.Errorf("children left: %s", children)
	}
}

func BenchmarkSubmitResult(b *testing.B) {
	for _, ex := range []Executor{Processes(1), Goroutines(1)} {
		b.Run(fmt.Sprintf("%T", ex), func(b *testing.B) {
			for b.Loop() {
				Submit(ex, square, 3).Result()
			}
		})
		ex.Close()
	}
}
