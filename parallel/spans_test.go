package parallel

import (
	"strings"
	"sync"
	"testing"
)

func TestRecordingIsBounded(t *testing.T) {
	r, err := Record()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Record(); err == nil || !strings.Contains(err.Error(), "recorded already") {
		t.Errorf("a second recording: %v", err)
	}
	var all sync.WaitGroup
	const more = 100
	for range 4 {
		all.Go(func() {
			for range (maxSpans + more) / 4 {
				spanEnd(spanTask, 1, 0, strings.Repeat("x", 200), spanBegin())
			}
		})
	}
	all.Wait()
	spans, lost := r.Stop()
	if len(spans) != maxSpans || lost != more || len(spans[0].Name) != 80 {
		t.Errorf("%d spans, %d lost, want %d and %d", len(spans), lost, maxSpans, more)
	}
	if again, _ := r.Stop(); len(again) != len(spans) {
		t.Error("a second Stop gives something else")
	}
	if spanBegin() != 0 {
		t.Error("it has not stopped")
	}
	spanEnd(spanTask, 0, 0, "late", 1) // after the end: dropped
	if s, lost := (*Recording)(nil).Stop(); s != nil || lost != 0 {
		t.Error("a nil recording has spans")
	}
}

func BenchmarkSpanOff(b *testing.B) {
	for b.Loop() {
		spanEnd(spanTask, 0, 0, "f", spanBegin())
	}
}

func BenchmarkSpanOn(b *testing.B) {
	r, err := Record()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Stop()
	for b.Loop() {
		spanEnd(spanTask, 0, 0, "f", spanBegin())
	}
}
