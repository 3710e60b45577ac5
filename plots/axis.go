package plots

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot"

	"github.com/paragopher/paragopher/parallel/timing"
)

// A span is the axis of a chart over time, from zero on.
type span struct {
	end  time.Duration // what the axis reaches
	unit time.Duration
	name string // of the unit

	beyond  int           // samples that are larger than end
	largest time.Duration // of all samples
}

// far is how many times the largest third quartile a sample may be before the axis
// leaves it out: one disturbed run must not press all the others into a corner.
const far = 2.5

func spanOf(cases []timing.Measured) span {
	usual := time.Duration(1)
	for _, m := range cases {
		usual = max(usual, m.Quantile(0.75))
	}
	var s span
	for _, m := range cases {
		for _, d := range m.Samples {
			s.largest = max(s.largest, d)
			if float64(d) > far*float64(usual) {
				s.beyond++
			} else {
				s.end = max(s.end, d)
			}
		}
	}
	s.end = max(s.end, 1)
	_, s.name, _ = strings.Cut(timing.Format(s.end), " ")
	s.unit = map[string]time.Duration{"ns": 1, "µs": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "min": time.Minute, "h": time.Hour}[s.name]
	return s
}

func (s span) value(d time.Duration) float64 { return float64(d) / float64(s.unit) }

// label writes a time, in the axis' unit if that leaves two digits: "0.53 s" reads
// better beside "1.00 s" than "530 ms" does.
func (s span) label(w words, d time.Duration) string {
	number, name, _ := strings.Cut(timing.Format(d), " ")
	if x := s.value(d); s.unit > 1 && x >= 0.0995 && x < 0.9995 {
		number, name = fmt.Sprintf("%.2f", x), s.name
	}
	space, unit := w.unit(name)
	return number + space + unit
}

// niceTicks marks round values, 1, 2 or 5 times a power of ten apart, at most most
// of them.
func niceTicks(hi float64, most int) (ticks []plot.Tick) {
	if !(hi > 0) || math.IsInf(hi, 1) {
		return nil
	}
	least := hi / float64(max(most, 1))
	step := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5, 10} {
		if step*m >= least*(1-1e-9) {
			step *= m
			break
		}
	}
	digits := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	for i := 0; float64(i)*step <= hi*(1+1e-9); i++ {
		label := fmt.Sprintf("%.*f", digits, float64(i)*step)
		if i == 0 {
			label = "0"
		}
		ticks = append(ticks, plot.Tick{Value: float64(i) * step, Label: label})
	}
	return ticks
}
