package timing

import (
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
	if (*Report)(nil).Err() == nil {
		t.Error("no report is no error")
	}
}

func report(a, b []time.Duration) *Report {
	return &Report{Cases: []Measured{{"a", a}, {"b", b}}, CPUs: 2}
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
	} {
		if got := Format(d); got != want {
			t.Errorf("%d ns: %q, want %q", d, got, want)
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
	os.WriteFile(file, []byte(`{`), 0o644)
	if _, err := Load(file); err == nil {
		t.Error("half a file is no error")
	}
	if err := r.Save(filepath.Join(file, "x")); err == nil {
		t.Error("saving below a file is no error")
	}
}
