package timing

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
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

// Median is the middle sample of case i, 0 if there is no such case.
func (r *Report) Median(i int) time.Duration {
	if r == nil || i < 0 || i >= len(r.Cases) {
		return 0
	}
	return r.Cases[i].Median()
}

// Noise is the largest noise of a case, see Measured.Noise.
func (r *Report) Noise() float64 {
	noise := 0.0
	for _, c := range r.Cases {
		noise = max(noise, c.Noise())
	}
	return noise
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
