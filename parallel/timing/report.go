package timing

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

	Loops int           `json:"loops,omitempty"` // calls in a sample, whose time is that of one
	CPU   time.Duration `json:"cpu,omitempty"`   // that all processes of the tree used for a run, on average; 0 if unknown
	Peak  int64         `json:"peak,omitempty"`  // bytes: the most memory of one process, seen in the warm-up; 0 if unknown
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

// Save writes the report to a file, whole or not at all: as JSON, which Load reads,
// as CSV with a line for each sample, or as a table of text, by what the file's name
// ends in: .json, .csv or .txt.
func (r *Report) Save(file string) error {
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".json":
		return saveJSON(file, "report", r)
	case ".csv":
		return write(file, "report", []byte(r.CSV()))
	case ".txt":
		return write(file, "report", []byte(r.String()+"\n"))
	default:
		return fmt.Errorf("timing: cannot save %s: the name must end in .json, .csv or .txt", file)
	}
}

// CSV is a line for each sample: case, run from 1 on, nanoseconds.
func (r *Report) CSV() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	// Writing to memory does not fail.
	_ = w.Write([]string{"case", "run", "ns"})
	if r != nil {
		for _, c := range r.Cases {
			for i, d := range c.Samples {
				_ = w.Write([]string{c.Name, strconv.Itoa(i + 1), strconv.FormatInt(int64(d), 10)})
			}
		}
	}
	w.Flush()
	return b.String()
}

// saveJSON writes v, which a user calls what.
func saveJSON(file, what string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("encoding the %s: %w", what, err)
	}
	return write(file, what, append(data, '\n'))
}

// write writes a file whole or not at all.
func write(file, what string, data []byte) error {
	temp := file + ".tmp"
	if err := os.WriteFile(temp, data, 0o644); err != nil {
		return fmt.Errorf("saving the %s: %w", what, err)
	}
	if err := os.Rename(temp, file); err != nil {
		return errors.Join(fmt.Errorf("saving the %s: %w", what, err), os.Remove(temp))
	}
	return nil
}

// loadJSON is its inverse.
func loadJSON(file, what string, v interface{ Err() error }) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("loading a %s: %w", what, err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("loading the %s %s: %w", what, file, err)
	}
	if err := v.Err(); err != nil {
		return fmt.Errorf("loading the %s %s: %w", what, file, err)
	}
	return nil
}

// Recorded loads the report of a file. Is there none, it calls measure and saves
// what that gives, if it can be used. So a notebook draws the same chart each time,
// until the file is removed.
func Recorded(file string, measure func() *Report) (*Report, error) {
	switch r, err := Load(file); {
	case err == nil:
		return r, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case measure == nil:
		return nil, fmt.Errorf("timing: there is no report %s, and no function to measure one", file)
	}
	r := measure()
	if err := r.Err(); err != nil {
		return r, err
	}
	return r, r.Save(file)
}

// Load reads a report that Save wrote. The error says what is wrong with the file
// or with what it holds.
func Load(file string) (*Report, error) {
	r := &Report{}
	if err := loadJSON(file, "report", r); err != nil {
		return nil, err
	}
	return r, nil
}
