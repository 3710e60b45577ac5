package parallel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJoinGivesUp(t *testing.T) {
	p := started(t, sleeps)
	if err := p.JoinTimeout(2 * time.Millisecond); err != ErrTimeout || !p.Alive() {
		t.Errorf("JoinTimeout: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.JoinContext(ctx); err != context.Canceled || !p.Alive() {
		t.Errorf("JoinContext: %v", err)
	}
	if !slices.Contains(Active(), p) {
		t.Error("it is not among the active")
	}
}

func talks(n int) {
	for i := range n {
		fmt.Println("line", i)
	}
	fmt.Fprint(os.Stderr, "no end")
}

func TestOutputWithATag(t *testing.T) {
	var buf bytes.Buffer
	p := NewProcess(talks, 2)
	p.SetName("talker")
	p.SetOutput(&buf, "[talker] ")
	must(t, p.Start())
	must(t, p.Join())
	for _, want := range []string{"[talker] line 0\n[talker] line 1\n", "[talker] no end\n"} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("the output is %q, want %q in it", buf.String(), want)
		}
	}
	if p.Name() != "talker" {
		t.Errorf("its name is %s", p.Name())
	}
}

func panicsElsewhere() {
	go panic("in a goroutine")
	forever()
}

func overflows(n int) int {
	if n == 0 {
		debug.SetMaxStack(1 << 20)
	}
	if n < 0 {
		return 0 // never
	}
	return overflows(n+1) + 1
}

func TestCrashesSayWhy(t *testing.T) {
	for want, p := range map[string]*Process{
		"panic: in a goroutine":         NewProcess(panicsElsewhere),
		"a fatal error of Go's runtime": NewProcess(overflows, 0),
	} {
		var out bytes.Buffer
		p.SetOutput(&out, "")
		must(t, p.Start())
		err := p.Join()
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Code != 2 || !strings.Contains(err.Error(), want) || !strings.Contains(exit.Crash, "goroutine ") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// waitForSpares makes spares and waits for n of them.
func waitForSpares(t *testing.T, n int) {
	t.Helper()
	SetSpares(n)
	t.Cleanup(func() { SetSpares(defaultSpares) })
	spares.fill()
	for spares.count() < n {
		time.Sleep(100 * time.Microsecond) // as long as it takes
	}
}

func says(v *Value[int], want string) {
	dir, _ := os.Getwd()
	if os.Getenv("PARALLEL_TEST_SAYS")+dir == want {
		v.Store(os.Getpid())
	}
}

// A spare is as good as a new process: same environment, same directory.
func TestSpares(t *testing.T) {
	waitForSpares(t, 2)
	spare := spares.ready[0].child.pid()
	dir, err := os.Getwd()
	must(t, err)
	v := NewValue(0)
	p := started(t, says, v, dir)
	must(t, p.Join())
	if v.Load() != spare || p.PID() != spare {
		t.Errorf("process %d, says %v, want the spare %d", p.PID(), v, spare)
	}
	waitForSpares(t, 2)
	t.Setenv("PARALLEL_TEST_SAYS", "new")
	p = started(t, says, v, "new"+dir)
	must(t, p.Join())
	if v.Load() != p.PID() {
		t.Error("a process has an old environment")
	}
	waitForSpares(t, 1)
	t.Chdir(os.TempDir())
	dir, err = os.Getwd()
	must(t, err)
	p = started(t, says, v, "new"+dir)
	must(t, p.Join())
	if v.Load() != p.PID() {
		t.Error("a process is in an old directory")
	}
	waitForSpares(t, 1)
	dead := spares.ready[0].child
	dead.kill()
	for !ended(dead.files[1]) {
		runtime.Gosched()
	}
	p = started(t, says, v, "new"+dir)
	must(t, p.Join())
	if v.Load() != p.PID() || p.PID() == dead.pid() {
		t.Error("a dead spare was used")
	}
}

// TestManyProcesses is the long form of TestNothingIsLeftBehind: PARALLEL_LONG=1.
func TestManyProcesses(t *testing.T) {
	if os.Getenv("PARALLEL_LONG") == "" {
		t.Skip("10,000 processes only with PARALLEL_LONG=1")
	}
	fds := func() int {
		entries, _ := os.ReadDir("/proc/self/fd")
		return len(entries)
	}
	SetSpares(0)
	before, goroutines := fds(), runtime.NumGoroutine()
	SetSpares(defaultSpares)
	var first, last runtime.MemStats
	for i := range 10000 {
		p := NewProcess(nothing)
		must(t, p.Start())
		must(t, p.Join())
		if i == 1000 {
			runtime.GC()
			runtime.ReadMemStats(&first)
		}
	}
	SetSpares(0)
	runtime.GC()
	runtime.ReadMemStats(&last)
	for runtime.NumGoroutine() > goroutines+1 {
		time.Sleep(time.Millisecond)
	}
	t.Logf("%d descriptors before and %d after, heap %d and %d kB", before, fds(), first.HeapAlloc>>10, last.HeapAlloc>>10)
	if fds() > before || last.HeapAlloc > first.HeapAlloc+1<<20 {
		t.Error("something is left")
	}
}
