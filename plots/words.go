package plots

import (
	"fmt"
	"math"

	"github.com/paragopher/paragopher/parallel/timing"
)

// words are what charts say by themselves, in one language.
type words struct {
	time       string // axis, with unit
	faster     string // "1.93× faster", times
	slower     string
	same       string
	few        string // too few samples to tell
	runs       string // caption: number of runs
	cpus       string
	load       string
	more       string // rows that are not drawn
	title      string
	findFaster string // whole sentence: b, times, a, time b, time a, runs
	findSlower string
	findSame   string
	findOne    string // name, time, runs
}

var languages = map[string]words{
	"en": {
		time: "time (%s)", faster: "%s× faster", slower: "%s× slower", same: "no difference seen", few: "too few runs to tell",
		runs: "median of %d runs; each dot is a run, the line spans the middle half", cpus: "%d CPUs", load: "load %.1f", more: "and %d more",
		title:      "Time compared",
		findFaster: "%s is %s times faster than %s (%s against %s, median of %d runs)",
		findSlower: "%s is %s times slower than %s (%s against %s, median of %d runs)",
		findSame:   "no difference seen between %s and %s (%s and %s, median of %d runs)",
		findOne:    "%s takes %s (median of %d runs)",
	},
	"ko": {
		time: "시간 (%s)", faster: "%s배 빠름", slower: "%s배 느림", same: "차이가 보이지 않음", few: "판단하기에는 실행 횟수가 적음",
		runs: "%d회 실행의 중앙값, 점은 실행 한 번, 선은 가운데 절반의 범위", cpus: "CPU %d개", load: "부하 %.1f", more: "그 밖에 %d개",
		title:      "실행 시간 비교",
		findFaster: "%[3]s보다 %[1]s 쪽이 %[2]s배 빠릅니다 (%[5]s 대 %[4]s, %[6]d회 실행의 중앙값)",
		findSlower: "%[3]s보다 %[1]s 쪽이 %[2]s배 느립니다 (%[5]s 대 %[4]s, %[6]d회 실행의 중앙값)",
		findSame:   "%[2]s 쪽과 %[1]s 쪽 사이에 차이가 보이지 않습니다 (%[4]s, %[3]s, %[5]d회 실행의 중앙값)",
		findOne:    "%s: %s (%d회 실행의 중앙값)",
	},
}

// against words how a case compares with the first, in short.
func (w words) against(r timing.Ratio) string {
	switch {
	case math.IsInf(r.High, 1) && r.Low == 0:
		return w.few
	case !r.Seen():
		return w.same
	case r.Value >= 1:
		return fmt.Sprintf(w.faster, times(r.Value))
	}
	return fmt.Sprintf(w.slower, times(1/r.Value))
}

// sentence states the finding about the last case against the first.
func (w words) sentence(r *timing.Report) string {
	a, last := r.Cases[0], len(r.Cases)-1
	b := r.Cases[last]
	ma, mb := timing.Format(a.Median()), timing.Format(b.Median())
	ratio := r.Ratio(0, last)
	switch {
	case last == 0:
		return fmt.Sprintf(w.findOne, a.Name, ma, len(a.Samples))
	case !ratio.Seen():
		return fmt.Sprintf(w.findSame, b.Name, a.Name, mb, ma, len(b.Samples))
	case ratio.Value >= 1:
		return fmt.Sprintf(w.findFaster, b.Name, times(ratio.Value), a.Name, mb, ma, len(b.Samples))
	}
	return fmt.Sprintf(w.findSlower, b.Name, times(1/ratio.Value), a.Name, mb, ma, len(b.Samples))
}

// times writes a factor with as many digits as it deserves.
func times(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
