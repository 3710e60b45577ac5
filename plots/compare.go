package plots

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/paragopher/paragopher/parallel/timing"
)

// maxRows is how many cases a chart shows; the rest are counted.
const maxRows = 40

// Compare draws the cases of a report one below the other: a bar from zero to the
// median, every sample as a dot, a line over the middle half of them, and how each
// case compares with the first. A report that cannot be used gives a figure whose
// Err says why.
func Compare(r *timing.Report, opts ...Option) *Figure {
	o, w, err := settle(opts)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return &Figure{err: err}
	}
	if o.title == "" {
		o.title = w.title
	}
	rows := min(len(r.Cases), maxRows)
	f := &Figure{width: o.width, height: o.height, title: o.title, sentence: w.sentence(r)}
	row := 46.0
	if rows > 12 {
		row = 26
	}
	if f.height == 0 {
		f.height = 64 + row*float64(rows) + 66
	}
	f.paint = func(c draw.Canvas) error {
		fonts, err := loadFonts()
		if err != nil {
			return err
		}
		return (&comparison{report: r, rows: rows, words: w, fonts: fonts, title: o.title}).paint(c)
	}
	return f
}

// A comparison is the chart being painted.
type comparison struct {
	report *timing.Report
	rows   int
	words  words
	fonts  *fonts
	title  string

	unit     time.Duration
	unitName string
}

func (k *comparison) paint(c draw.Canvas) error {
	const margin = 16 * px
	title := k.fonts.style(17, xfont.WeightBold, ink)
	small := k.fonts.style(11.5, xfont.WeightNormal, faint)
	width := c.Max.X - c.Min.X - 2*margin
	top := c.Max.Y - 24*px
	write(c, title, margin, top, fit(k.fonts.seen(k.title), title, width))
	find := k.fonts.style(13, xfont.WeightNormal, faint)
	write(c, find, margin, top-22*px, fit(k.fonts.seen(k.words.sentence(k.report)), find, width))
	write(c, small, margin, c.Min.Y+14*px, fit(k.fonts.seen(k.caption()), small, width))

	k.chooseUnit()
	p := plot.New()
	p.BackgroundColor = nil
	k.axes(p, width)
	p.Add(k)
	notes := k.noteWidth()
	p.Draw(draw.Crop(c, margin, -margin-notes-10*px, 28*px, -60*px))
	return nil
}

// write puts a line of text with its middle at y.
func write(c draw.Canvas, s text.Style, x, y vg.Length, line string) {
	c.FillText(s, vg.Point{X: x, Y: y}, line)
}

func (k *comparison) caption() string {
	r := k.report
	parts := []string{fmt.Sprintf(k.words.runs, len(r.Cases[0].Samples))}
	if r.CPUs > 0 {
		parts = append(parts, fmt.Sprintf(k.words.cpus, r.CPUs))
	}
	if load := max(r.LoadBefore, r.LoadAfter); load > 0 {
		parts = append(parts, fmt.Sprintf(k.words.load, load))
	}
	if more := len(r.Cases) - k.rows; more > 0 {
		parts = append(parts, fmt.Sprintf(k.words.more, more))
	}
	return strings.Join(parts, " · ")
}

// longest is the largest sample, 1 ns if all are 0.
func (k *comparison) longest() time.Duration {
	d := time.Duration(1)
	for _, m := range k.report.Cases[:k.rows] {
		d = max(d, m.Quantile(1))
	}
	return d
}

func (k *comparison) chooseUnit() {
	switch d := k.longest(); {
	case d >= time.Second:
		k.unit, k.unitName = time.Second, "s"
	case d >= time.Millisecond:
		k.unit, k.unitName = time.Millisecond, "ms"
	case d >= time.Microsecond:
		k.unit, k.unitName = time.Microsecond, "µs"
	default:
		k.unit, k.unitName = time.Nanosecond, "ns"
	}
}

func (k *comparison) value(d time.Duration) float64 { return float64(d) / float64(k.unit) }

func (k *comparison) axes(p *plot.Plot, width vg.Length) {
	label := k.fonts.style(13, xfont.WeightNormal, ink)
	tick := k.fonts.style(11.5, xfont.WeightNormal, faint)
	tick.XAlign, tick.YAlign = draw.XCenter, draw.YTop

	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width, p.Y.Tick.Length = 0, 0, 0
	label.XAlign = draw.XRight
	p.Y.Tick.Label = label
	p.Y.Padding = 4 * px
	var ticks []plot.Tick
	for i := range k.rows {
		ticks = append(ticks, plot.Tick{Value: k.row(i), Label: fit(k.fonts.seen(k.report.Cases[i].Name), label, width*3/10)})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Min, p.Y.Max = -0.5, float64(k.rows)-0.5

	p.X.LineStyle.Width = 0
	p.X.Tick.Label = tick
	p.X.Tick.LineStyle.Width, p.X.Tick.Length = 0, 4*px
	p.X.Padding = 0
	p.X.Label.Text = k.fonts.seen(fmt.Sprintf(k.words.time, k.unitName))
	p.X.Label.TextStyle = tick
	p.X.Label.TextStyle.YAlign = draw.YBottom
	p.X.Min, p.X.Max = 0, k.value(k.longest())*1.02
	p.X.Tick.Marker = plot.TickerFunc(niceTicks)
}

// niceTicks marks round values: 1, 2 or 5 times a power of ten apart.
func niceTicks(lo, hi float64) (ticks []plot.Tick) {
	if !(hi > lo) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/5)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*m) <= 6 {
			step *= m
			break
		}
	}
	digits := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	for i := 0; float64(i)*step <= hi*(1+1e-9); i++ {
		ticks = append(ticks, plot.Tick{Value: float64(i) * step, Label: fmt.Sprintf("%.*f", digits, float64(i)*step)})
	}
	return ticks
}

// row is the place of a case on the axis: the first on top.
func (k *comparison) row(i int) float64 { return float64(k.rows - 1 - i) }

// The two notes at the end of a row.
func (k *comparison) notes(i int) (median, against string) {
	median = timing.Format(k.report.Cases[i].Median())
	if i > 0 {
		against = k.words.against(k.report.Ratio(0, i))
	}
	return median, k.fonts.seen(against)
}

func (k *comparison) noteStyles() (median, against text.Style) {
	return k.fonts.style(13, xfont.WeightBold, ink), k.fonts.style(13, xfont.WeightBold, vermillion)
}

func (k *comparison) noteWidth() vg.Length {
	a, b := k.noteStyles()
	w := vg.Length(0)
	for i := range k.rows {
		median, against := k.notes(i)
		w = max(w, a.Width(median), b.Width(against))
	}
	return w
}

// Plot implements plot.Plotter.
func (k *comparison) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range niceTicks(p.X.Min, p.X.Max) {
		c.StrokeLine2(draw.LineStyle{Color: grid, Width: px}, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
	}
	half := (y(1) - y(0)) * 3 / 10
	for i := range k.rows {
		k.bar(c, i, x, y(k.row(i)), min(half, 13*px))
	}
}

// bar draws a case around the height mid.
func (k *comparison) bar(c draw.Canvas, i int, x func(float64) vg.Length, mid, half vg.Length) {
	m := k.report.Cases[i]
	at := func(d time.Duration) vg.Length { return x(k.value(d)) }
	col := blue
	if i > 0 {
		col = vermillion
	}
	box := func(x0, x1, y0, y1 vg.Length) []vg.Point {
		return []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
	}
	median := at(m.Median())
	c.FillPolygon(pale(col, 0.28), box(x(0), median, mid-half, mid+half))
	c.StrokeLine2(draw.LineStyle{Color: col, Width: 2.5 * px}, median, mid-half, median, mid+half)
	rng := rand.New(rand.NewPCG(7, uint64(i))) // the same picture each time
	for j, d := range m.Samples {
		if j == 500 {
			break // more dots show nothing more
		}
		at := vg.Point{X: at(d), Y: mid + half*vg.Length(rng.Float64()*1.2-0.6)}
		c.DrawGlyph(draw.GlyphStyle{Color: sheer(col), Radius: 2.6 * px, Shape: draw.CircleGlyph{}}, at)
	}
	if len(m.Samples) > 2 {
		q := draw.LineStyle{Color: ink, Width: 1.4 * px}
		low, high := at(m.Quantile(0.25)), at(m.Quantile(0.75))
		below := mid - half - 3*px
		c.StrokeLine2(q, low, below, high, below)
		c.StrokeLine2(q, low, below-2*px, low, below+2*px)
		c.StrokeLine2(q, high, below-2*px, high, below+2*px)
	}
	first, second := k.noteStyles()
	a, b := k.notes(i)
	right := c.Max.X + 10*px
	if b == "" || half < 9*px {
		if b != "" {
			a = b
			first = second
		}
		write(c, first, right, mid, a)
		return
	}
	write(c, first, right, mid+8*px, a)
	write(c, second, right, mid-8*px, b)
}
