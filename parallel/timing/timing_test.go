package timing

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCompareInterleavesAndKeepsEverySample(t *testing.T) {
	var order []string
	run := func(name string) Case { return Case{name, func() { order = append(order, name) }} }
	r := With(Repeats(3), Warmup(1)).Compare(run("a"), run("b"))
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ""); got != "ab"+"ab"+"ba"+"ab" {
		t.Errorf("ran in the order %s", got)
	}
	for _, c := range r.Cases {
		if len(c.Samples) != 3 {
			t.Errorf("%s has %d samples, want 3", c.Name, len(c.Samples))
		}
	}
}

func TestBudget(t *testing.T) {
	r := With(Budget(time.Nanosecond)).Compare(Case{"a", func() {}})
	if n := len(r.Cases[0].Samples); n != minRepeats {
		t.Errorf("%d runs within no budget, want %d", n, minRepeats)
	}
	r = With(Budget(time.Hour)).Compare(Case{"a", func() {}})
	if n := len(r.Cases[0].Samples); n != maxRepeats {
		t.Errorf("%d runs within a large budget, want %d", n, maxRepeats)
	}
}

func TestMisuse(t *testing.T) {
	ok := func() {}
	tests := []struct {
		cases []Case
		want  string
	}{
		{nil, "there are no cases"},
		{[]Case{{"a", nil}}, "case 1 (a) has no Run function"},
		{[]Case{{"", ok}}, "case 1 has no name"},
		{[]Case{{"a", ok}, {"a", ok}}, `two cases are named "a"`},
		{[]Case{{"a", func() { panic("oh no") }}}, `case "a" panicked: oh no`},
	}
	for _, test := range tests {
		if err := Compare(test.cases...).Err(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
	if err := With(nil).Compare(Case{"a", ok}).Err(); err != nil {
		t.Errorf("a nil option: %v", err)
	}
	if (*Report)(nil).Err() == nil {
		t.Error("no report is no error")
	}
}

func report(a, b []time.Duration) *Report {
	return &Report{Cases: []Measured{{Name: "a", Samples: a}, {Name: "b", Samples: b}}, CPUs: 2}
}

func ms(xs ...int) (ds []time.Duration) {
	for _, x := range xs {
		ds = append(ds, time.Duration(x)*time.Millisecond)
	}
	return ds
}

func TestRatio(t *testing.T) {
	r := report(ms(200, 202, 199, 201, 200), ms(100, 101, 99, 100, 102))
	if ratio := r.Ratio(0, 1); ratio.Value != 2 || !ratio.Seen() || ratio.Low < 1.9 || ratio.High > 2.1 {
		t.Errorf("a clear difference gives %+v", ratio)
	}
	if ratio := r.Ratio(1, 0); ratio.Value != 0.5 || !ratio.Seen() {
		t.Errorf("the other way round: %+v", ratio)
	}
	r = report(ms(100, 140, 90, 120, 105), ms(110, 95, 130, 100, 115))
	if ratio := r.Ratio(0, 1); ratio.Seen() {
		t.Errorf("noise gives %+v", ratio)
	}
	if !strings.Contains(r.String(), "no difference seen") {
		t.Errorf("the table says\n%s", r)
	}
	if ratio := report(ms(200), ms(100)).Ratio(0, 1); ratio.Seen() {
		t.Errorf("one sample each gives %+v", ratio)
	}
}

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ns", 999: "999 ns", 1234: "1.23 µs", 12345 * time.Microsecond: "12.3 ms",
		999 * time.Millisecond: "999 ms", 1005 * time.Millisecond: "1.00 s", 90 * time.Second: "90.0 s",
		999600: "1.00 ms", 5 * time.Minute: "5.00 min", 5 * time.Hour: "5.00 h", 9996 * time.Microsecond: "10.0 ms",
	} {
		if got := Format(d); got != want {
			t.Errorf("%d ns: %q, want %q", d, got, want)
		}
	}
}

// Two equal cases must be found different in at most 3.5 of 100 comparisons, one that
// is 1.5 times faster in at most 1 of 1000 slower. The draws are the same each time.
func TestRatioIsCalibrated(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const tries = 1000
	for _, n := range []int{3, 4, 5, 7, 15, 31, 60} {
		draw := func(median float64) (ds []time.Duration) {
			for range n {
				x := median * math.Exp(rng.NormFloat64()*0.15)
				if rng.Float64() < 0.15 { // a disturbance
					x *= 1 + 2*rng.Float64()
				}
				ds = append(ds, time.Duration(x))
			}
			return ds
		}
		alarms, wrong, found := 0, 0, 0
		for range tries {
			if report(draw(1e9), draw(1e9)).Ratio(0, 1).Seen() {
				alarms++
			}
			if r := report(draw(1.5e9), draw(1e9)).Ratio(0, 1); r.Seen() && r.High < 1 {
				wrong++
			} else if r.Seen() {
				found++
			}
		}
		if wrong > tries/1000 {
			t.Errorf("%d samples: 1.5 times faster is called slower in %d of %d comparisons", n, wrong, tries)
		}
		if n > 30 && found < tries*99/100 {
			t.Errorf("%d samples: 1.5 times faster is found in %d of %d comparisons", n, found, tries)
		}
		// 3.5 %: three deviations of the count itself above 2 %.
		if alarms > tries*35/1000 {
			t.Errorf("%d samples: equal cases differ in %d of %d comparisons", n, alarms, tries)
		}
	}
}

func TestRatioOfOddSamples(t *testing.T) {
	many := make([]time.Duration, 20000)
	for i := range many {
		many[i] = time.Duration(1000 + i%100)
	}
	tests := []struct {
		name string
		a, b []time.Duration
		want string
	}{
		{"zeros", ms(0, 0, 0, 0), ms(0, 0, 0), "no difference seen"},
		{"below the clock", []time.Duration{5, 5, 5, 5}, ms(0, 0, 0, 0), "5.00x (5.00 to 5.00)"},
		{"two", ms(2, 2), ms(1, 1), "too few runs to tell"},
		{"three", ms(200, 201, 202), ms(100, 101, 102), "1.99x (1.93 to 2.05)"},
		{"a single outlier", ms(30, 31, 29, 30, 30, 31, 30, 30, 31, 29, 30), ms(16, 15, 16, 400, 17, 16, 16, 16, 15, 16, 17), "1.88x (1.76 to 1.94)"},
		{"far apart", []time.Duration{1, 1, 1, 1}, []time.Duration{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64}, "1.1e-19x (1.1e-19 to 1.1e-19)"},
		{"many", many, many, "no difference seen"},
	}
	for _, test := range tests {
		if got := report(test.a, test.b).Ratio(0, 1).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	for _, i := range []int{-1, 2} {
		if got := report(ms(1), ms(1)).Ratio(0, i).String(); got != "no such case" {
			t.Errorf("case %d: %s", i, got)
		}
		if got := report(ms(1), ms(1)).Median(i); got != 0 {
			t.Errorf("the median of case %d is %v", i, got)
		}
	}
}

func TestStudent(t *testing.T) {
	for freedom, want := range map[float64]float64{2: 6.965, 3: 4.541, 4: 3.747, 10: 2.764} {
		if got := student(freedom); math.Abs(got-want) > 0.04*want {
			t.Errorf("%g degrees of freedom: %.3f, want %.3f", freedom, got, want)
		}
	}
}

func TestTableIsAlignedInHangulToo(t *testing.T) {
	r := &Report{Cases: []Measured{{Name: "직렬", Samples: ms(200, 202, 199, 201)}, {Name: "two processes", Samples: ms(100, 101, 99, 100)}, {Name: strings.Repeat("x\n", 300), Samples: ms(1)}}, CPUs: 2, Go: "go1.26", System: "linux/amd64", LoadBefore: -1, LoadAfter: -1}
	got := r.String()
	lines := strings.Split(got, "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines:\n%s", len(lines), got)
	}
	at := strings.Index(lines[0], "runs") + len("runs")
	for _, line := range lines[1:4] {
		cells := []rune(line)
		w := 0
		for i := range cells {
			if w += columns(string(cells[i])); w == at {
				if c := cells[i]; c != '4' && c != '1' {
					t.Errorf("column %d holds %q:\n%s", at, c, got)
				}
			}
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	r := report(ms(2, 3, 4), ms(1, 1, 2))
	if err := r.Save(file); err != nil {
		t.Fatal(err)
	}
	got, err := Load(file)
	if err != nil || got.String() != r.String() {
		t.Errorf("loaded %v, %v", got, err)
	}
	os.WriteFile(file, []byte(`{"cases":[{"name":"a","samples":[-5]}]}`), 0o644)
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), `case "a" has a sample of -5ns`) {
		t.Errorf("a negative time: %v", err)
	}
	os.WriteFile(file, []byte(`{"cases":[{"name":"a","samples":[NaN]}]}`), 0o644)
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("NaN: %v", err)
	}
	os.WriteFile(file, []byte(`{`), 0o644)
	if _, err := Load(file); err == nil {
		t.Error("half a file is no error")
	}
	if err := r.Save(filepath.Join(file, "x")); err == nil {
		t.Error("saving below a file is no error")
	}
}
