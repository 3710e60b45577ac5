package plots

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/paragopher/paragopher/parallel/timing"
)

// words are what charts say by themselves, in one language.
type words struct {
	title  string
	time   string // axis, with unit
	faster string // beside a bar, with how many times
	slower string
	same   string
	few    string // too few samples to tell
	base   string // beside the bar that the others are compared with

	one      string // one run
	runs     string // so many runs
	between  string // so many to so many runs
	median   string // of so many runs, in the words above
	legend   string // what the marks mean
	cpus     string
	load     string
	noise    string
	more     string // rows that are not drawn
	beyond   string // samples right of the axis: how many, the largest
	findings findings
	units    map[string]string // of time, where they are not those of timing.Format; written without a space
}

// findings are the sentences: of the case and the first one, with the times of both.
type findings struct{ faster, slower, same, few, alone string }

var languages = map[string]words{
	"en": {
		title: "Time compared", time: "time (%s)",
		faster: "%s× faster", slower: "%s× slower", same: "no difference seen", few: "too few runs to tell", base: "baseline",
		one: "1 run", runs: "%d runs", between: "%d to %d runs", median: "median of %s",
		legend: "bar: median, dot: one run, bracket: middle half of the runs",
		cpus:   "%d CPUs", load: "load %.1f", noise: "noise %.0f %%", more: "%d more cases not shown", beyond: "runs beyond the axis: %d, up to %s",
		findings: findings{
			faster: "{case}: {times}× faster than {first} ({time} against {against}, {runs})",
			slower: "{case}: {times}× slower than {first} ({time} against {against}, {runs})",
			same:   "{case}: no difference seen from {first} ({time} against {against}, {runs})",
			few:    "{case}: too few runs to compare it with {first} ({time} against {against}, {runs})",
			alone:  "{case}: {time} ({runs})",
		},
	},
	"ko": {
		title: "실행 시간 비교", time: "시간 (%s)",
		faster: "%s배 빠름", slower: "%s배 느림", same: "차이가 보이지 않음", few: "실행 횟수가 적어 판단 불가", base: "기준",
		one: "1회 실행", runs: "%d회 실행", between: "%d~%d회 실행", median: "%s의 중앙값",
		legend: "막대: 중앙값, 점: 실행 한 번, 괄호선: 가운데 절반의 범위",
		cpus:   "CPU %d개", load: "부하 %.1f", noise: "흔들림 %.0f %%", more: "그 밖의 %d개는 생략", beyond: "축을 벗어난 실행: %d회, 최대 %s",
		findings: findings{
			faster: "{case}: {first}보다 {times}배 빠름 ({time} 대 {against}, {runs})",
			slower: "{case}: {first}보다 {times}배 느림 ({time} 대 {against}, {runs})",
			same:   "{case}: {first} 대비 차이가 보이지 않음 ({time} 대 {against}, {runs})",
			few:    "{case}: 실행 횟수가 적어 {first} 대비 빠르기를 판단할 수 없음 ({time} 대 {against}, {runs})",
			alone:  "{case}: {time} ({runs})",
		},
		units: map[string]string{"s": "초", "min": "분", "h": "시간"},
	},
}

// against words how a case compares with the first, in short, and tells whether
// that is a difference.
func (w words) against(r timing.Ratio) (note string, seen bool) {
	form, factor := w.verdict(r, w.faster, w.slower, w.same, w.few)
	if factor == "" {
		return form, false
	}
	return fmt.Sprintf(form, factor), true
}

// verdict chooses what fits a ratio, with the factor, which is empty if there is no
// difference to speak of. One that rounds to 1.00 is none.
func (w words) verdict(r timing.Ratio, faster, slower, same, few string) (form, factor string) {
	switch {
	case r.Low == 0 && math.IsInf(r.High, 1):
		return few, ""
	case !r.Seen() || times(r.Value) == "1.00" || times(1/r.Value) == "1.00":
		return same, ""
	case r.Value > 1:
		return faster, times(r.Value)
	}
	return slower, times(1 / r.Value)
}

// times writes a factor with as many digits as it deserves.
func times(x float64) string {
	switch {
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	case x < 1e6:
		return fmt.Sprintf("%.0f", x)
	}
	return "> 1000000"
}

// counted words the numbers of runs of the cases.
func (w words) counted(cases ...timing.Measured) string {
	lo, hi := len(cases[0].Samples), 0
	for _, c := range cases {
		lo, hi = min(lo, len(c.Samples)), max(hi, len(c.Samples))
	}
	switch {
	case hi == 1:
		return w.one
	case lo == hi:
		return fmt.Sprintf(w.median, fmt.Sprintf(w.runs, hi))
	}
	return fmt.Sprintf(w.median, fmt.Sprintf(w.between, lo, hi))
}

// unit names a unit of time, and says what stands between it and its number.
func (w words) unit(name string) (space, unit string) {
	if own, ok := w.units[name]; ok {
		return "", own
	}
	return " ", name
}

// clean is a text from outside on one line: without control characters, which XML
// does not allow, and broken encoding. Of nothing it makes a question mark.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case r == 0xfffe || r == 0xffff:
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if s = strings.Join(strings.Fields(s), " "); s == "" {
		return "?"
	}
	return s
}

// short cuts a name for a sentence.
func short(name string) string {
	if r := []rune(name); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return name
}
