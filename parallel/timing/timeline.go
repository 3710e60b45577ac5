package timing

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/paragopher/paragopher/parallel"
)

// A Timeline is what each worker did when, while some work ran.
type Timeline struct {
	Start   time.Time       `json:"start"`
	Length  time.Duration   `json:"length"`
	Spans   []parallel.Span `json:"spans"` // in the order of their start
	Lost    int             `json:"lost,omitempty"`
	CPUs    int             `json:"cpus"`
	Problem string          `json:"problem,omitempty"`
}

// Trace runs work and records what the processes, executors and locks of package
// parallel do meanwhile. A panic of work is the result's Err.
func Trace(work func()) *Timeline { return TraceLive(work, nil) }

// liveEvery is how often TraceLive shows how far the work is.
const liveEvery = 100 * time.Millisecond

// TraceLive is Trace, and gives the timeline so far to show ten times a second while
// work runs, and the whole one at its end.
func TraceLive(work func(), show func(*Timeline)) *Timeline {
	t := &Timeline{Start: time.Now(), CPUs: cpus()}
	if work == nil {
		t.Problem = "there is no work to trace"
		return t
	}
	rec, err := parallel.Record()
	if err != nil {
		t.Problem = err.Error()
		return t
	}
	defer rec.Stop() // also when show panics
	done := make(chan error, 1)
	go func() {
		_, err := once(Case{"the work", work}, 1)
		done <- err
	}()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if show != nil {
				now := &Timeline{Start: t.Start, Length: time.Since(t.Start), CPUs: t.CPUs}
				now.Spans, now.Lost = rec.Spans()
				show(now)
			}
		case err := <-done:
			t.Length = time.Since(t.Start)
			t.Spans, t.Lost = rec.Stop()
			if err != nil {
				t.Problem = err.Error()
			}
			if show != nil {
				show(t)
			}
			return t
		}
	}
}

// Err says why the timeline cannot be used, nil if it can.
func (t *Timeline) Err() error {
	switch {
	case t == nil:
		return errNone("timeline")
	case t.Problem != "":
		return problem(t.Problem)
	case t.Length < 0:
		return fmt.Errorf("timing: the timeline is %v long", t.Length)
	}
	for _, s := range t.Spans {
		if s.End.Before(s.Start) {
			return fmt.Errorf("timing: the span %s %q of process %d ends before it starts", s.Kind, s.Name, s.PID)
		}
	}
	return nil
}

// A Worker is a lane of a timeline: a process, or a goroutine of one.
type Worker struct{ PID, Lane int }

// Workers lists the lanes in the order in which they first did something.
func (t *Timeline) Workers() (ws []Worker) {
	seen := map[Worker]bool{}
	for _, s := range t.Spans {
		if w := (Worker{s.PID, s.Lane}); !seen[w] {
			seen[w] = true
			ws = append(ws, w)
		}
	}
	return ws
}

// Busy is how long all lanes together spent on a kind of span.
func (t *Timeline) Busy(kind string) (sum time.Duration) {
	for _, s := range t.Spans {
		if s.Kind == kind {
			sum += s.End.Sub(s.Start)
		}
	}
	return sum
}

// Save writes the timeline as JSON to a file, whole or not at all.
func (t *Timeline) Save(file string) error { return saveJSON(file, "timeline", t) }

// LoadTimeline reads what Save wrote.
func LoadTimeline(file string) (*Timeline, error) {
	t := &Timeline{}
	if err := loadJSON(file, "timeline", t); err != nil {
		return nil, err
	}
	return t, nil
}

// A traceEvent is one of Chrome's trace event format, times in microseconds.
type traceEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	At    float64        `json:"ts"`
	For   float64        `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Args  map[string]any `json:"args,omitempty"`
}

// SaveTrace writes the timeline to a file that ui.perfetto.dev and chrome://tracing
// open (Google, Trace Event Format: complete events).
func (t *Timeline) SaveTrace(file string) error {
	if err := t.Err(); err != nil {
		return err
	}
	µs := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	var events []traceEvent
	for _, w := range t.Workers() {
		name := "process " + strconv.Itoa(w.PID)
		if w.PID == os.Getpid() {
			name = "main"
		}
		events = append(events, traceEvent{Name: "process_name", Phase: "M", PID: w.PID, TID: w.Lane, Args: map[string]any{"name": name}})
	}
	for _, s := range t.Spans {
		events = append(events, traceEvent{Name: s.Name, Cat: s.Kind, Phase: "X", At: µs(s.Start.Sub(t.Start)), For: µs(s.End.Sub(s.Start)), PID: s.PID, TID: s.Lane})
	}
	data, err := json.Marshal(map[string]any{"traceEvents": slices.Clip(events), "displayTimeUnit": "ms"})
	if err != nil {
		return fmt.Errorf("encoding the trace: %w", err)
	}
	return write(file, "trace", data)
}
