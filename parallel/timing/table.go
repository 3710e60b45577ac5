package timing

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

// String is the report as a table for reading in a fixed-width font. It names the
// problem of a report that cannot be used.
func (r *Report) String() string {
	if err := r.Err(); err != nil {
		return err.Error()
	}
	rows := [][]string{{"case", "median", "min", "middle half", "runs", "CPU", "memory", "against the first"}}
	for i, c := range r.Cases {
		row := []string{plain(c.Name), Format(c.Median()), Format(c.Min()), Format(c.Quantile(0.25)) + " to " + Format(c.Quantile(0.75)), fmt.Sprint(len(c.Samples)), "", "", ""}
		if c.CPU > 0 {
			row[5] = Format(c.CPU)
		}
		if c.Peak > 0 {
			row[6] = Bytes(c.Peak)
		}
		if i > 0 {
			row[7] = r.Ratio(0, i).String()
		}
		rows = append(rows, row)
	}
	// Columns with nothing in them, such as CPU where it is unknown, are left out.
	for col := len(rows[0]) - 1; col > 0; col-- {
		if !slices.ContainsFunc(rows[1:], func(row []string) bool { return row[col] != "" }) {
			for i := range rows {
				rows[i] = slices.Delete(rows[i], col, col+1)
			}
		}
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := row[0] + strings.Repeat(" ", widths[0]-columns(row[0]))
		for i, cell := range row[1:] {
			line += "  " + strings.Repeat(" ", widths[i+1]-columns(cell)) + cell
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&b, "%d CPUs, %s %s, noise %.0f %%", r.CPUs, r.Go, r.System, 100*r.Noise())
	if load := max(r.LoadBefore, r.LoadAfter); load >= 0 {
		fmt.Fprintf(&b, ", load %.1f", load)
	}
	return b.String()
}

// String words the ratio for a table.
func (r Ratio) String() string {
	switch {
	case math.IsNaN(r.Value):
		return "no such case"
	case r.Low == 0 && math.IsInf(r.High, 1):
		return "too few runs to tell"
	case !r.Seen():
		return "no difference seen"
	}
	return fmt.Sprintf("%sx (%s to %s)", factor(r.Value), factor(r.Low), factor(r.High))
}

func factor(x float64) string {
	switch {
	case x < 0.0995 || x >= 1e6:
		return fmt.Sprintf("%.2g", x)
	case x < 9.995:
		return fmt.Sprintf("%.2f", x)
	case x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// plain is a name on one line, of at most 40 characters.
func plain(name string) string {
	r := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
	if len(r) > 40 {
		r = append(r[:39], '…')
	}
	return string(r)
}

// columns is how wide a text is in a terminal, where a Hangul syllable or Chinese
// character takes two columns (Unicode Standard Annex 11, the common part of it).
func columns(s string) (n int) {
	for _, r := range s {
		n++
		if r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xff00 && r <= 0xff60 {
			n++
		}
	}
	return n
}

// units are what durations are written in: each from a bound on, below which the
// one before it suits better.
var units = []struct {
	from, unit time.Duration
	name       string
}{
	{2 * time.Hour, time.Hour, "h"},
	{2 * time.Minute, time.Minute, "min"},
	{999500 * time.Microsecond, time.Second, "s"},
	{999500 * time.Nanosecond, time.Millisecond, "ms"},
	{time.Microsecond, time.Microsecond, "µs"},
}

// Format writes a duration with three digits and the unit that suits it, such as
// "12.3 ms". Nanoseconds are written whole.
func Format(d time.Duration) string {
	for _, u := range units {
		if d < u.from {
			continue
		}
		x, digits := float64(d)/float64(u.unit), 0
		switch {
		case x < 9.995:
			digits = 2
		case x < 99.95:
			digits = 1
		}
		return fmt.Sprintf("%.*f %s", digits, x, u.name)
	}
	return fmt.Sprintf("%d ns", d)
}

// Bytes writes an amount of memory with three digits and the unit that suits it,
// such as "12.3 MB", by powers of ten.
func Bytes(n int64) string {
	x, unit := float64(n), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if math.Abs(x) < 999.5 {
			break
		}
		x, unit = x/1000, u
	}
	digits := 0
	switch {
	case unit == "B":
	case x < 9.995:
		digits = 2
	case x < 99.95:
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, x, unit)
}
