// Package timing measures fairly how long pieces of work take, one against the
// other: warmed up, interleaved, as often as a time budget allows, with every
// sample kept. Noise is judged by the spread of the samples and said, and a
// difference that the noise could have made is not called one.
package timing

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A Case is a piece of work with the name that reports and charts give it. Each
// sample is one call of Run, and reading the clock costs up to 0.1 µs: work that
// takes less than some microseconds wants a loop in Run.
type Case struct {
	Name string
	Run  func()
}

// An Option changes how cases are measured.
type Option func(*Runner)

// A Runner measures with settings of its own. With makes one.
type Runner struct {
	budget  time.Duration
	repeats int // 0: as many as the budget allows
	warmup  int
	loops   int // calls of Run in a sample; 0: as many as make a sample long enough

	items    int // of a Scale
	baseline *Case
}

// The bounds of what a budget decides.
const (
	minRepeats = 3
	maxRepeats = 31

	leastSample = 100 * time.Microsecond // with automatic loops
	newcomers   = time.Millisecond       // what is shorter starts no process
)

// With gives a Runner with the default settings changed by opts: a budget of 2 s,
// one warm-up run of each case, as many repeats as fit.
func With(opts ...Option) *Runner {
	r := &Runner{budget: 2 * time.Second, warmup: 1, loops: 1}
	for _, o := range opts {
		if o != nil {
			o(r)
		}
	}
	return r
}

// Budget sets how long all cases together may take. At least 3 runs of each are
// made, so slow cases take longer than a short budget.
func Budget(d time.Duration) Option { return func(r *Runner) { r.budget = d } }

// Repeats sets how often each case is measured, whatever the budget. Less than 1
// counts as 1.
func Repeats(n int) Option { return func(r *Runner) { r.repeats = max(n, 1) } }

// Warmup sets how often each case runs before it is measured.
func Warmup(n int) Option { return func(r *Runner) { r.warmup = max(n, 0) } }

// Loops sets how many calls of Run make one sample, whose time is then that of one
// call. 0 takes so many that a sample lasts a tenth of a millisecond, which is for
// work that is short against reading the clock; it is Measure's default. Compare
// and Scale take 1.
func Loops(n int) Option { return func(r *Runner) { r.loops = max(n, 0) } }

// Measure measures one piece of work, short or long: what %timeit does.
func Measure(name string, run func()) *Report { return With(Loops(0)).Compare(Case{name, run}) }

// Compare measures the cases with the default settings, see With. It runs them in
// turns, so that a disturbance of the machine hits all alike. The report's Err
// says what was wrong with the cases, if anything was.
func Compare(cases ...Case) *Report { return With().Compare(cases...) }

// Compare measures the cases.
func (r *Runner) Compare(cases ...Case) *Report {
	rep := &Report{CPUs: cpus(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, LoadBefore: load()}
	seen := map[string]bool{}
	for i, c := range cases {
		switch {
		case c.Run == nil:
			return rep.fail("case %d (%s) has no Run function", i+1, c.Name)
		case c.Name == "":
			return rep.fail("case %d has no name", i+1)
		case seen[c.Name]:
			return rep.fail("two cases are named %q", c.Name)
		}
		seen[c.Name] = true
		rep.Cases = append(rep.Cases, Measured{Name: c.Name})
	}
	if len(cases) == 0 {
		return rep.fail("there are no cases to compare")
	}
	tree := newTree()
	for i, c := range cases {
		m := &rep.Cases[i]
		m.Loops = max(r.loops, 1)
		watch := tree.watch()
		took := time.Duration(-1)
		for range r.warmup {
			d, err := once(c, m.Loops)
			if err != nil {
				watch.stop()
				return rep.fail("%v", err)
			}
			took = d
		}
		for r.loops == 0 && took < leastSample { // find out how many it takes
			d, err := once(c, m.Loops)
			if err != nil {
				watch.stop()
				return rep.fail("%v", err)
			}
			if took = d * time.Duration(m.Loops); took < leastSample {
				m.Loops *= int(min(10, leastSample/max(took, 1)+1))
			}
		}
		m.Peak = watch.stop()
	}
	start := time.Now() // the budget is for the measured runs
	for n := 0; r.again(n, time.Since(start)); n++ {
		tree.refresh()
		for i := range cases {
			// Every other round goes backwards: what a case leaves behind, garbage or
			// a warm cache, is not always met by the same other one.
			if n%2 == 1 {
				i = len(cases) - 1 - i
			}
			m := &rep.Cases[i]
			before := tree.cpu()
			d, err := once(cases[i], m.Loops)
			if err != nil {
				return rep.fail("%v", err)
			}
			m.Samples = append(m.Samples, d)
			if d*time.Duration(m.Loops) > newcomers {
				tree.refresh() // it may have started processes that still run
			}
			m.CPU += max(0, tree.cpu()-before)
		}
	}
	for i := range rep.Cases {
		m := &rep.Cases[i]
		m.CPU /= time.Duration(len(m.Samples) * m.Loops)
	}
	rep.LoadAfter = load()
	return rep
}

// again tells whether there is to be another round after n rounds in d.
func (r *Runner) again(n int, d time.Duration) bool {
	switch {
	case r.repeats > 0:
		return n < r.repeats
	case n < minRepeats:
		return true
	case n >= maxRepeats:
		return false
	}
	return d+d/time.Duration(n) <= r.budget
}

// once measures the mean of some calls and reports a panic as an error.
func once(c Case, loops int) (d time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("case %q panicked: %v", c.Name, p)
		}
	}()
	start := time.Now()
	for range loops {
		c.Run()
	}
	return time.Since(start) / time.Duration(loops), nil
}

// Keep uses v, so that the compiler cannot leave out the work that made it. Give
// it the result of what a case computes. It costs a call, 1 to 2 ns, and holds
// nothing in memory.
//
//go:noinline
func Keep(v any) { runtime.KeepAlive(v) }

func cpus() int { return runtime.GOMAXPROCS(0) }

// load is the machine's load average over the last minute, -1 where the system
// does not tell.
func load() float64 {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	first, _, _ := strings.Cut(string(data), " ")
	x, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return -1
	}
	return x
}
