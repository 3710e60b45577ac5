package timing_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/paragopher/paragopher/parallel"
	"github.com/paragopher/paragopher/parallel/timing"
)

func TestMain(m *testing.M) {
	parallel.Main()
	os.Exit(m.Run())
}

func square(x int) int { return x * x }

func count(v *parallel.Value[int], n int) int {
	for range n {
		_ = v.Lock()
		v.Store(v.Load() + 1)
		_ = v.Unlock()
	}
	return n
}

func TestTraceSeesWorkersOfAllKinds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be started on Windows yet")
	}
	shown := 0
	tl := timing.TraceLive(func() {
		v := parallel.NewValue(0)
		for _, ex := range []parallel.Executor{parallel.Processes(2), parallel.Goroutines(2), parallel.Serial()} {
			a, b := parallel.Submit(ex, func(x int) int { return square(x) }, 3), parallel.Submit(ex, square, 4)
			x, err := a.Result()
			y, err2 := b.Result()
			if x != 9 || y != 16 || err != nil || err2 != nil {
				t.Error(x, y, err, err2)
			}
			if err := ex.Close(); err != nil {
				t.Error(err)
			}
		}
		p := parallel.NewProcess(count, v, 1000)
		if err := p.Start(); err != nil {
			t.Error(err)
		}
		if err := p.Join(); err != nil {
			t.Error(err)
		}
	}, func(*timing.Timeline) { shown++ })
	if err := tl.Err(); err != nil {
		t.Fatal(err)
	}
	tasks, names := map[timing.Worker]int{}, ""
	for _, s := range tl.Spans {
		if s.Kind == parallel.SpanTask {
			tasks[timing.Worker{PID: s.PID, Lane: s.Lane}]++
			names += s.Name + " "
		}
		if s.Start.Before(tl.Start) || s.End.After(tl.Start.Add(tl.Length)) {
			t.Errorf("%+v is outside of %v + %v", s, tl.Start, tl.Length)
		}
	}
	total, here := 0, 0
	for w, n := range tasks {
		total += n
		if w.PID == os.Getpid() {
			here += n
		}
	}
	if total != 7 || here != 4 || !strings.Contains(names, "square") || !strings.Contains(names, "count") {
		t.Errorf("%d tasks, %d of them here, named %s", total, here, names)
	}
	if tl.Busy(parallel.SpanStart) == 0 || tl.Busy(parallel.SpanEncode) == 0 || shown == 0 {
		t.Errorf("start %v, encode %v, shown %d times", tl.Busy(parallel.SpanStart), tl.Busy(parallel.SpanEncode), shown)
	}

	dir := t.TempDir()
	if err := tl.SaveTrace(filepath.Join(dir, "trace.json")); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(filepath.Join(dir, "trace.json"))
	var trace struct {
		TraceEvents []struct {
			Name, Ph string
			Ts, Dur  float64
		}
	}
	if err := json.Unmarshal(data, &trace); err != nil || len(trace.TraceEvents) != len(tl.Spans)+len(tl.Workers()) {
		t.Errorf("%v, %d events", err, len(trace.TraceEvents))
	}
	if err := tl.Save(filepath.Join(dir, "t.json")); err != nil {
		t.Fatal(err)
	}
	again, err := timing.LoadTimeline(filepath.Join(dir, "t.json"))
	if err != nil || !slices.Equal(again.Workers(), tl.Workers()) || again.Length != tl.Length {
		t.Errorf("loaded %v, %v", again, err)
	}
}

func TestTraceSeesWaitingForLocks(t *testing.T) {
	m := parallel.NewMutex()
	// Whether the second taker comes while the first still has the lock is up to
	// the scheduler, so there are several attempts.
	for range 1000 {
		tl := timing.Trace(func() {
			if err := m.Lock(); err != nil {
				t.Error(err)
			}
			waits := make(chan error)
			go func() { waits <- m.Lock() }()
			for range 1000 {
				runtime.Gosched()
			}
			if err := m.Unlock(); err != nil {
				t.Error(err)
			}
			if err := <-waits; err != nil {
				t.Error(err)
			}
			_ = m.Unlock()
		})
		for _, s := range tl.Spans {
			if s.Kind != parallel.SpanLock {
				t.Errorf("%+v", s)
			}
		}
		if len(tl.Spans) > 0 {
			return
		}
	}
	t.Error("no wait for a lock was recorded")
}

func TestTraceOfNothing(t *testing.T) {
	for want, tl := range map[string]*timing.Timeline{
		"there is no timeline": nil,
		"no work":              timing.Trace(nil),
		"oh no":                timing.Trace(func() { panic("oh no") }),
		"recorded already":     nestedTrace(),
	} {
		if err := tl.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := timing.Trace(func() {}).Err(); err != nil {
		t.Error(err) // the recordings above have ended
	}
}

func nestedTrace() (inner *timing.Timeline) {
	timing.Trace(func() { inner = timing.Trace(func() {}) })
	return inner
}
