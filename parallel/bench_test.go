package parallel

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func BenchmarkProcess(b *testing.B) {
	b.Run("cold", func(b *testing.B) {
		SetSpares(0)
		defer SetSpares(defaultSpares)
		for b.Loop() {
			p := NewProcess(nothing)
			p.Start()
			p.Join()
		}
	})
	b.Run("warm", func(b *testing.B) {
		times := make([]time.Duration, 300)
		for i := range times {
			spares.fill()
			for spares.count() < 2 {
				time.Sleep(time.Millisecond)
			}
			{
				time.Sleep(10 * time.Millisecond)
			}
			start := time.Now()
			p := NewProcess(nothing)
			p.Start()
			p.Join()
			times[i] = time.Since(start)
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), "us/median")
		b.ReportMetric(float64(times[0].Microseconds()), "us/best")
	})
}

func (r *spareRoom) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ready)
}

func BenchmarkValue(b *testing.B) {
	v := NewValue(0)
	b.Run("Add", func(b *testing.B) {
		for b.Loop() {
			v.Add(1)
		}
	})
	b.Run("Lock", func(b *testing.B) {
		for b.Loop() {
			v.Lock()
			v.Unlock()
		}
	})
	b.Run("With", func(b *testing.B) {
		for b.Loop() {
			v.With(func(p *int) { *p++ })
		}
	})
}

func BenchmarkLocks(b *testing.B) {
	m, rw, s := NewMutex(), NewRWMutex(), NewSemaphore(1)
	pairs := map[string]func(){
		"Mutex":     func() { m.Lock(); m.Unlock() },
		"RWMutex":   func() { rw.Lock(); rw.Unlock() },
		"RWMutex.R": func() { rw.RLock(); rw.RUnlock() },
		"Semaphore": func() { s.Acquire(); s.Release() },
	}
	for name, pair := range pairs {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				pair()
			}
		})
	}
}

func produce[T any](q *Queue[T], x T, n int) {
	for range n {
		q.Put(x)
	}
	q.Close()
}

func benchmarkQueue[T any](b *testing.B, x T, producer any) {
	const n = 1 << 20
	q := NewQueue[T](4096)
	p := NewProcess(producer, q, x, n)
	must2(b, p.Start())
	if _, err := q.Get(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	start, got := time.Now(), 1
	for {
		if _, err := q.Get(); errors.Is(err, ErrQueueClosed) {
			break
		}
		got++
	}
	b.ReportMetric(float64(got)/time.Since(start).Seconds()/1e6, "M/s")
	must2(b, p.Join())
	if got != n {
		b.Fatalf("%d of %d items", got, n)
	}
}

func must2(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkQueue(b *testing.B) {
	b.Run("int", func(b *testing.B) { benchmarkQueue(b, 7, produce[int]) })
	b.Run("string100", func(b *testing.B) { benchmarkQueue(b, string(make([]byte, 100)), produce[string]) })
	b.Run("point", func(b *testing.B) { benchmarkQueue(b, point{X: 1, Label: "p", Tags: []string{"a"}}, produce[point]) })
}

func pong(p *Pipe[int]) {
	for {
		x, err := p.Recv()
		if err != nil {
			return
		}
		p.Send(x + 1)
	}
}

func BenchmarkPipe(b *testing.B) {
	mine, theirs := NewPipe[int]()
	p := NewProcess(pong, theirs)
	must2(b, p.Start())
	mine.Send(1)
	mine.Recv()
	for b.Loop() {
		mine.Send(1)
		mine.Recv()
	}
	mine.Close()
	must2(b, p.Join())
}
