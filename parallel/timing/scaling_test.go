package timing

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// scaled has a case of three samples for each n, and no noise.
func scaled(cpus int, ns []int, ms ...float64) *Scaling {
	s := &Scaling{N: ns, Report: &Report{CPUs: cpus}}
	for i, x := range ms {
		d := time.Duration(x * float64(time.Millisecond))
		name := "baseline"
		if i < len(ns) {
			name = string(rune('a' + i))
		}
		s.Report.Cases = append(s.Report.Cases, Measured{Name: name, Samples: []time.Duration{d, d, d, d, d}})
	}
	return s
}

func TestLaws(t *testing.T) {
	tests := []struct {
		name   string
		s      *Scaling
		fit    func(*Scaling) (Fit, error)
		serial float64
		clamp  bool
		err    string
	}{
		{"a fifth is serial", scaled(8, []int{1, 2, 4, 8}, 1000, 600, 400, 300), (*Scaling).Amdahl, 0.2, false, ""},
		{"points beyond the CPUs do not count", scaled(2, []int{1, 2, 4}, 1000, 600, 590), (*Scaling).Amdahl, 0.2, false, ""},
		{"faster than any law", scaled(4, []int{1, 2, 4}, 1000, 400, 190), (*Scaling).Amdahl, 0, true, ""},
		{"slower with more", scaled(4, []int{1, 2, 4}, 1000, 1100, 1500), (*Scaling).Amdahl, 0, false, "no number of workers is seen to be faster than 1"},
		{"no 1", scaled(4, []int{2, 4}, 500, 300), (*Scaling).Amdahl, 0, false, "without a case for n = 1"},
		{"one CPU", scaled(1, []int{1, 2}, 500, 300), (*Scaling).Amdahl, 0, false, "no case of 2 to 1 workers"},
		{"grown work, all parallel", scaled(4, []int{1, 2, 4}, 1000, 1000, 1000), (*Scaling).Gustafson, 0, false, ""},
		{"grown work, a tenth serial", scaled(4, []int{1, 2, 4}, 1000, 2000/1.9, 4000/3.7), (*Scaling).Gustafson, 0.1, false, ""},
		{"nothing", &Scaling{}, (*Scaling).Amdahl, 0, false, "there is no report"},
	}
	for _, test := range tests {
		f, err := test.fit(test.s)
		switch {
		case test.err != "":
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: %v, %v; want the error %q", test.name, f, err, test.err)
			}
		case err != nil || math.Abs(f.Serial-test.serial) > 1e-6 || f.Clamped != test.clamp:
			t.Errorf("%s: %+v, %v; want %g", test.name, f, err, test.serial)
		}
	}
}

func TestScale(t *testing.T) {
	counts := map[int]int{}
	base := 0
	s := With(Repeats(3), Items(1000), Baseline("serial", func() { base++ })).Scale(func(n int) { counts[n]++ }, 1, 2, 4)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	if counts[1] != 4 || counts[4] != 4 || base != 4 {
		t.Errorf("ran %v and the baseline %d times, want 4 each", counts, base)
	}
	if m, ok := s.Base(); !ok || m.Name != "serial" || !(s.Throughput(0) > 0) {
		t.Errorf("baseline %v %v, throughput %g", m, ok, s.Throughput(0))
	}
	file := filepath.Join(t.TempDir(), "s.json")
	if err := s.Save(file); err != nil {
		t.Fatal(err)
	}
	again, err := LoadScaling(file)
	if err != nil || again.String() != s.String() || again.Items != 1000 {
		t.Errorf("loaded %v, %v", again, err)
	}
	for want, s := range map[string]*Scaling{
		"no function to run":          Scale(nil, 1),
		"the numbers must be 1 or":    Scale(func(int) {}, 0),
		"there are no cases":          Scale(func(int) {}),
		`two cases are named "2"`:     Scale(func(int) {}, 2, 2),
		"there is no scaling":         nil,
		"has 3 numbers and 1 cases":   {N: []int{1, 2, 3}, Report: report(ms(1), ms(1))},
		`case "a" has a sample of -1`: {N: []int{1, 2}, Report: report(ms(-1), ms(1))},
	} {
		if s != nil && strings.HasPrefix(want, "has 3") {
			s.Report.Cases = s.Report.Cases[:1]
		}
		if err := s.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if !math.IsNaN(s.Speedup(0).Value) || !math.IsNaN(s.Throughput(0)) || !math.IsNaN(s.Efficiency(0)) {
			t.Errorf("%s: there are numbers", want)
		}
	}
}

func TestSaveByName(t *testing.T) {
	dir := t.TempDir()
	r := report(ms(1, 2), ms(3))
	for name, want := range map[string]string{"a.csv": "case,run,ns\na,1,1000000\na,2,2000000\nb,1,3000000\n", "a.txt": "against the first", "a.json": `"samples"`} {
		if err := r.Save(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
		data, _ := os.ReadFile(filepath.Join(dir, name))
		if !strings.Contains(string(data), want) {
			t.Errorf("%s holds %s", name, data)
		}
	}
	if err := r.Save(filepath.Join(dir, "a.xls")); err == nil || !strings.Contains(err.Error(), "must end in .json, .csv or .txt") {
		t.Error(err)
	}
}

func TestRecordedMeasuresOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	n := 0
	measure := func() *Report { n++; return report(ms(n), ms(n)) }
	for range 2 {
		r, err := Recorded(file, measure)
		if err != nil || r.Median(0) != time.Millisecond {
			t.Errorf("%v, %v", r, err)
		}
	}
	if n != 1 {
		t.Errorf("measured %d times", n)
	}
	if err := os.WriteFile(file, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Recorded(file, measure); err == nil || n != 1 {
		t.Errorf("a broken file gives %v and %d measurements", err, n)
	}
}

func TestMeasureLoopsShortWork(t *testing.T) {
	n := 0
	r := Measure("short", func() { n++; Keep(n) })
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if m := r.Cases[0]; m.Loops < 100 || m.Min() > time.Millisecond {
		t.Errorf("%d loops, %v each", m.Loops, m.Min())
	}
	if n := len(With(Loops(0), Repeats(2)).Compare(Case{"slow", func() { time.Sleep(time.Millisecond) }}).Cases[0].Samples); n != 2 {
		t.Errorf("%d samples", n)
	}
}

func TestProcessorTimeAndMemoryAreSeen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("seen on Linux only")
	}
	spin := func() {
		for end := ownCPU() + 20*time.Millisecond; ownCPU() < end; {
		}
	}
	r := With(Repeats(3)).Compare(Case{"spin", spin}, Case{"sleep", func() { time.Sleep(20 * time.Millisecond) }})
	if cpu := r.Cases[0].CPU; cpu < 19*time.Millisecond {
		t.Errorf("20 ms of work used %v", cpu)
	}
	if r.Cases[1].CPU >= r.Cases[0].CPU || r.Cases[0].Peak < 1<<20 {
		t.Errorf("sleeping used %v, memory %d", r.Cases[1].CPU, r.Cases[0].Peak)
	}
	m := Memory(func() {
		block := make([]byte, 64<<20)
		for i := range block {
			block[i] = 1
		}
		time.Sleep(2 * watchEvery)
		Keep(block)
	})
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	if m.Peak() < 64<<20 || m.Processes[0].Name != "main" {
		t.Errorf("the peak is %s: %+v", Bytes(m.Peak()), m.Processes)
	}
	if err := Memory(func() { panic("oh no") }).Err(); err == nil || !strings.Contains(err.Error(), "oh no") {
		t.Error(err)
	}
	if (*MemoryUse)(nil).Err() == nil || Memory(nil).Err() == nil || (&MemoryUse{}).Err() == nil {
		t.Error("nothing is no error")
	}
}
