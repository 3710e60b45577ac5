package timing

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A Report is what Compare measured. It can be saved, and loaded again to draw
// the same chart.
type Report struct {
	Cases      []Measured `json:"cases"`
	CPUs       int        `json:"cpus"` // that Go uses
	Go         string     `json:"go"`   // version
	System     string     `json:"system"`
	LoadBefore float64    `json:"load_before"` // average over a minute, -1 if unknown
	LoadAfter  float64    `json:"load_after"`
	Problem    string     `json:"problem,omitempty"` // why it is not what was asked for
}

// A Measured is a case with its samples in the order they were taken.
type Measured struct {
	Name    string          `json:"name"`
	Samples []time.Duration `json:"samples"` // ns in JSON
}

func (r *Report) fail(format string, args ...any) *Report {
	r.Problem = fmt.Sprintf(format, args...)
	return r
}

// Err says why the report cannot be used, nil if it can: the problem of Compare,
// or a case without samples, or samples that are no times.
func (r *Report) Err() error {
	switch {
	case r == nil:
		return errors.New("timing: there is no report")
	case r.Problem != "":
		return errors.New("timing: " + r.Problem)
	case len(r.Cases) == 0:
		return errors.New("timing: the report has no cases")
	}
	for _, c := range r.Cases {
		if len(c.Samples) == 0 {
			return fmt.Errorf("timing: case %q has no samples", c.Name)
		}
		for _, d := range c.Samples {
			if d < 0 {
				return fmt.Errorf("timing: case %q has a sample of %v", c.Name, d)
			}
		}
	}
	return nil
}

// Quantile is the sample below which a part q of them lies, 0 <= q <= 1, between
// neighbours by proportion. It is 0 without samples.
func (m Measured) Quantile(q float64) time.Duration {
	if len(m.Samples) == 0 {
		return 0
	}
	s := slices.Clone(m.Samples)
	slices.Sort(s)
	at := max(0, min(q, 1)) * float64(len(s)-1)
	i := int(at)
	if i == len(s)-1 {
		return s[i]
	}
	return s[i] + time.Duration((at-float64(i))*float64(s[i+1]-s[i]))
}

// Median is the middle sample.
func (m Measured) Median() time.Duration { return m.Quantile(0.5) }

// Min is the fastest sample.
func (m Measured) Min() time.Duration { return m.Quantile(0) }

// Noise is the spread of the middle half of the samples as a part of the median.
func (m Measured) Noise() float64 {
	if m.Median() == 0 {
		return 0
	}
	return float64(m.Quantile(0.75)-m.Quantile(0.25)) / float64(m.Median())
}

// A Ratio is how many times faster one case is than another, by medians, with the
// bounds between which it lies with 95 % confidence.
type Ratio struct{ Value, Low, High float64 }

// Seen tells whether there is a difference: 1 is outside of the bounds.
func (r Ratio) Seen() bool { return r.Low > 1 || r.High < 1 }

// resamples is how often samples are drawn anew to find a ratio's bounds.
const resamples = 1000

// Ratio compares two cases by their indexes: how many times faster b is than a.
// The bounds are found by the percentile bootstrap (Efron 1979), always with the
// same draws. With fewer than three samples of either they are 0 and infinity.
// An index that does not exist gives NaN.
func (r *Report) Ratio(a, b int) Ratio {
	if a < 0 || b < 0 || a >= len(r.Cases) || b >= len(r.Cases) {
		return Ratio{math.NaN(), math.NaN(), math.NaN()}
	}
	x, y := r.Cases[a], r.Cases[b]
	ratio := func(x, y Measured) float64 {
		if y.Median() == 0 {
			return math.Inf(1)
		}
		return float64(x.Median()) / float64(y.Median())
	}
	out := Ratio{ratio(x, y), 0, math.Inf(1)}
	if len(x.Samples) < 3 || len(y.Samples) < 3 {
		return out
	}
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(m Measured) Measured {
		s := make([]time.Duration, len(m.Samples))
		for i := range s {
			s[i] = m.Samples[rng.IntN(len(m.Samples))]
		}
		return Measured{Samples: s}
	}
	ratios := make([]float64, resamples)
	for i := range ratios {
		ratios[i] = ratio(draw(x), draw(y))
	}
	slices.Sort(ratios)
	out.Low, out.High = ratios[resamples*25/1000], ratios[resamples*975/1000-1]
	return out
}

// String is the report as a table for reading.
func (r *Report) String() string {
	if err := r.Err(); err != nil {
		return err.Error()
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "case\tmedian\tmin\tmiddle half\truns\tagainst the first\t")
	for i, c := range r.Cases {
		against := ""
		if i > 0 {
			ratio := r.Ratio(0, i)
			against = fmt.Sprintf("%.2fx (%.2f to %.2f)", ratio.Value, ratio.Low, ratio.High)
			if !ratio.Seen() {
				against = "no difference seen"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s to %s\t%d\t%s\t\n", c.Name, Format(c.Median()), Format(c.Min()), Format(c.Quantile(0.25)), Format(c.Quantile(0.75)), len(c.Samples), against)
	}
	// A strings.Builder does not fail.
	_ = w.Flush()
	fmt.Fprintf(&b, "%d CPUs, %s %s", r.CPUs, r.Go, r.System)
	if r.LoadBefore >= 0 {
		fmt.Fprintf(&b, ", load %.1f", r.LoadBefore)
	}
	return b.String()
}

// Format writes a duration with three digits and the unit that suits it.
func Format(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d)
	case d < time.Millisecond:
		return digits(d, time.Microsecond) + " µs"
	case d < time.Second:
		return digits(d, time.Millisecond) + " ms"
	}
	return digits(d, time.Second) + " s"
}

func digits(d, unit time.Duration) string {
	x := float64(d) / float64(unit)
	switch {
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// Save writes the report as JSON to a file, whole or not at all.
func (r *Report) Save(file string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	temp := file + ".tmp"
	if err := os.WriteFile(temp, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("saving the report: %w", err)
	}
	if err := os.Rename(temp, file); err != nil {
		return errors.Join(fmt.Errorf("saving the report: %w", err), os.Remove(temp))
	}
	return nil
}

// Load reads a report that Save wrote. The error says what is wrong with the file
// or with what it holds.
func Load(file string) (*Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("loading a report: %w", err)
	}
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("loading the report %s: %w", file, err)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("loading the report %s: %w", file, err)
	}
	return r, nil
}
