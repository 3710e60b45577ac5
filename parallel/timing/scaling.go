package timing

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"
)

var self = os.Getpid()

func problem(text string) error { return errors.New("timing: " + text) }
func errNone(what string) error { return problem("there is no " + what) }

func processName(i int) string {
	if i == 0 {
		return "main"
	}
	return "process " + strconv.Itoa(i)
}

// A Scaling is how the time of some work changes with a number: of workers, of
// items in a chunk, or whatever the caller counts.
type Scaling struct {
	Name   string  `json:"name,omitempty"`
	N      []int   `json:"n"`
	Report *Report `json:"report"`          // a case for each N, in its order; after them the baseline, if there is one
	Items  int     `json:"items,omitempty"` // that each run works off, for throughput; 0 if not said
}

// Items says how many items a run of a Scale works off, whatever n is.
func Items(n int) Option { return func(r *Runner) { r.items = n } }

// Baseline gives a Scale something to compare with that has no n, such as the
// serial way. It is measured in turns with the others.
func Baseline(name string, run func()) Option {
	return func(r *Runner) { r.baseline = &Case{name, run} }
}

// Scale measures run for each n, in turns and with the default settings, see With:
// how well does work scale over workers, or over the size of its chunks?
func Scale(run func(n int), n ...int) *Scaling { return With().Scale(run, n...) }

// Scale measures run for each n.
func (r *Runner) Scale(run func(n int), n ...int) *Scaling {
	s := &Scaling{N: n, Items: r.items}
	if run == nil {
		s.Report = (&Report{}).fail("Scale has no function to run")
		return s
	}
	cases := make([]Case, len(n))
	for i, n := range n {
		if n < 1 {
			s.Report = (&Report{}).fail("Scale over %d: the numbers must be 1 or more", n)
			return s
		}
		cases[i] = Case{strconv.Itoa(n), func() { run(n) }}
	}
	if r.baseline != nil && len(n) > 0 {
		cases = append(cases, *r.baseline)
	}
	s.Report = r.Compare(cases...)
	return s
}

// Err says why the scaling cannot be used, nil if it can.
func (s *Scaling) Err() error {
	if s == nil {
		return errNone("scaling")
	}
	if err := s.Report.Err(); err != nil {
		return err
	}
	if d := len(s.Report.Cases) - len(s.N); len(s.N) == 0 || d != 0 && d != 1 {
		return fmt.Errorf("timing: the scaling has %d numbers and %d cases", len(s.N), len(s.Report.Cases))
	}
	for _, n := range s.N {
		if n < 1 {
			return fmt.Errorf("timing: the scaling has a case for %d: the numbers must be 1 or more", n)
		}
	}
	return nil
}

// Base gives the baseline, if there is one.
func (s *Scaling) Base() (m Measured, ok bool) {
	if s.Err() != nil || len(s.Report.Cases) == len(s.N) {
		return m, false
	}
	return s.Report.Cases[len(s.N)], true
}

// one is the index of the case for n = 1, -1 if there is none.
func (s *Scaling) one() int {
	if s.Err() == nil {
		for i, n := range s.N {
			if n == 1 {
				return i
			}
		}
	}
	return -1
}

// Speedup is how many times faster case i is than that of n = 1. Without one, or
// without a case i, it is NaN.
func (s *Scaling) Speedup(i int) Ratio {
	if one := s.one(); one >= 0 && i < len(s.N) {
		return s.Report.Ratio(one, i)
	}
	return Ratio{math.NaN(), math.NaN(), math.NaN()}
}

// Efficiency is the part of n workers' work that goes into the speed-up: 1 if they
// are n times faster than one.
func (s *Scaling) Efficiency(i int) float64 {
	v := s.Speedup(i).Value
	if math.IsNaN(v) {
		return v
	}
	return v / float64(s.N[i])
}

// Throughput is the number of items per second in case i, NaN if Items is not known.
func (s *Scaling) Throughput(i int) float64 {
	if s.Err() != nil || i < 0 || i >= len(s.Report.Cases) || s.Items < 1 {
		return math.NaN()
	}
	return float64(s.Items) / max(s.Report.Median(i), time.Nanosecond).Seconds()
}

// A Fit is a law fitted to a scaling.
type Fit struct {
	Serial float64 // part of the work that does not run in parallel, 0 to 1
	Points int     // that it is fitted to
	// Clamped tells that the best fit was outside of 0 to 1: faster than any law
	// allows, so something else than the number of workers has changed.
	Clamped bool
}

// Amdahl fits Amdahl's law (1967), speed-up = 1 / (f + (1-f)/n), to the medians of
// 2 workers up to the number of CPUs, by least squares of the times. It refuses,
// with an error that says why, where the law means nothing: without a case of 1
// worker or of 2 to CPUs, and when no more workers are seen to be faster.
func (s *Scaling) Amdahl() (Fit, error) {
	return s.fit(func(n, time float64) (x, y float64) { return 1 - 1/n, time - 1/n }, true)
}

// Gustafson fits Gustafson's law (1988), scaled speed-up = n - f (n-1), for work
// that grows with n: run(n) does n times as much as run(1). It refuses as Amdahl does.
func (s *Scaling) Gustafson() (Fit, error) {
	return s.fit(func(n, time float64) (x, y float64) { return n - 1, n - n/time }, false)
}

// fit finds the f of y = f x for points that come from n and the time against n = 1.
// With fixed work, some case must be faster; with growing work, faster for its size.
func (s *Scaling) fit(point func(n, time float64) (x, y float64), fixed bool) (f Fit, err error) {
	if err := s.Err(); err != nil {
		return f, err
	}
	one := s.one()
	if one < 0 {
		return f, problem("no law can be fitted without a case for n = 1")
	}
	cpus := s.Report.CPUs
	if cpus < 1 {
		cpus = math.MaxInt
	}
	xx, xy, faster := 0.0, 0.0, false
	for i, n := range s.N {
		if n < 2 || n > cpus {
			continue
		}
		r := s.Report.Ratio(one, i)
		grown := 1.0
		if !fixed {
			grown = float64(n)
		}
		faster = faster || r.Low*grown > 1
		x, y := point(float64(n), 1/r.Value)
		xx, xy, f.Points = xx+x*x, xy+x*y, f.Points+1
	}
	switch {
	case f.Points == 0:
		return f, fmt.Errorf("timing: no law can be fitted: there is no case of 2 to %d workers, which this machine has CPUs for", cpus)
	case !faster:
		return f, problem("no law can be fitted: no number of workers is seen to be faster than 1")
	}
	f.Serial = xy / xx
	if f.Serial < 0 || f.Serial > 1 {
		f.Serial, f.Clamped = max(0, min(f.Serial, 1)), true
	}
	return f, nil
}

// Speedup is what Amdahl's law gives for n workers.
func (f Fit) Speedup(n float64) float64 { return 1 / (f.Serial + (1-f.Serial)/n) }

// String is the scaling as a table of text.
func (s *Scaling) String() string {
	if err := s.Err(); err != nil {
		return err.Error()
	}
	text := s.Report.String()
	if fit, err := s.Amdahl(); err == nil {
		text += fmt.Sprintf("\nAmdahl's law: %.0f %% of the work is serial (fitted to %d cases)", 100*fit.Serial, fit.Points)
	}
	return text
}

// Save writes the scaling as JSON to a file, whole or not at all. Its Report can be
// saved as CSV.
func (s *Scaling) Save(file string) error { return saveJSON(file, "scaling", s) }

// LoadScaling reads what Save wrote.
func LoadScaling(file string) (*Scaling, error) {
	s := &Scaling{}
	if err := loadJSON(file, "scaling", s); err != nil {
		return nil, err
	}
	return s, nil
}
