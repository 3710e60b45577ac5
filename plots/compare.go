package plots

import (
	"fmt"
	"slices"
	"strings"

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
// median, every sample as a dot, a bracket over the middle half of them, and how
// each case compares with the first. A sample far beyond all others is a triangle
// at the end of the axis. A report that cannot be used gives a figure whose Err
// says why. The first chart of a process costs some milliseconds more than the
// others, for parsing the fonts.
func Compare(r *timing.Report, opts ...Option) *Figure {
	o, w, err := settle(opts)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return &Figure{err: err}
	}
	fonts, err := loadFonts()
	if err != nil {
		return &Figure{err: err}
	}
	k := newComparison(r, w, fonts)
	if o.title == "" {
		o.title = w.title
	}
	height, err := k.layOut(clean(o.title), o.width, o.height)
	if err != nil {
		return &Figure{err: err}
	}
	return &Figure{width: o.width, height: height, title: clean(o.title), sentence: k.finding(), crowded: k.dots() > 300, paint: k.paint}
}

// A comparison is the chart that Compare draws.
type comparison struct {
	report *timing.Report
	words  words
	fonts  *fonts
	names  []string
	ratios []timing.Ratio // each against the first case
	span   span

	// The layout, in CSS pixels.
	rows                      int
	row                       float64 // height of one
	title, subtitle, captions []string
	labels, notes             float64 // widths at the left and right of the bars
	width                     float64
}

func newComparison(r *timing.Report, w words, f *fonts) *comparison {
	k := &comparison{report: r, words: w, fonts: f}
	for i, c := range r.Cases {
		k.names = append(k.names, clean(c.Name))
		k.ratios = append(k.ratios, r.Ratio(0, i))
	}
	return k
}

// What stands above and below the rows, in CSS pixels.
const (
	margin      = 16.0
	titleLine   = 23.0
	findingLine = 18.0
	captionLine = 16.0
	axisHeight  = 40.0
	leastRow    = 20.0
)

// layOut breaks the texts into lines, chooses how high a row is and how many there
// are, and gives the height of the chart. height is what the caller wants, or 0.
func (k *comparison) layOut(title string, width, height float64) (float64, error) {
	k.width = width - 2*margin
	inside := vg.Length(k.width) * px
	k.title = wrap(k.fonts.seen(title), k.styles().title, inside, 2)
	k.subtitle = wrap(k.fonts.seen(k.finding()), k.styles().finding, inside, 3)
	k.rows = min(len(k.report.Cases), maxRows)
	switch {
	case k.rows <= 3:
		k.row = 56
	case k.rows <= 12:
		k.row = 46
	default:
		k.row = 26
	}
	frame := func() float64 {
		k.span = spanOf(k.report.Cases[:k.rows])
		k.captions = wrap(k.fonts.seen(k.caption()), k.styles().small, inside, 4)
		return 14 + titleLine*float64(len(k.title)) + findingLine*float64(len(k.subtitle)) + 10 + axisHeight + 8 + captionLine*float64(len(k.captions)) + 10
	}
	need := frame()
	if height == 0 {
		height = need + k.row*float64(k.rows)
	} else if k.row = (height - need) / float64(k.rows); k.row < leastRow {
		k.rows-- // leaves room for the caption that counts what is left out
		need = frame()
		k.rows = max(1, min(k.rows, int((height-need)/leastRow)))
		need = frame()
		k.row = (height - need) / float64(k.rows)
	}
	if k.row < leastRow {
		return 0, fmt.Errorf("plots: a height of %g pixels is too small for this chart at a width of %g: use %.0f or more, or 0 for what it needs", height, width, need+leastRow)
	}
	k.row = min(k.row, 90)
	k.measure()
	return height, nil
}

// wide tells whether the times stand beside the ratios instead of above them.
func (k *comparison) wide() bool { return k.row < 40 }

// measure finds the widths of the names and of the notes.
func (k *comparison) measure() {
	st := k.styles()
	k.labels, k.notes = 0, 0
	for i := range k.rows {
		k.labels = max(k.labels, float64(st.name.Width(k.fonts.seen(k.names[i]))/px))
		median, against, _ := k.note(i)
		w := max(float64(st.median.Width(median)/px), float64(st.ratio.Width(against)/px))
		if k.wide() {
			w = float64(st.ratio.Width(against)/px) + k.medians()
		}
		k.notes = max(k.notes, w)
	}
	k.labels = min(k.labels, k.width*0.3)
}

// medians is the width of the column of medians, where they have one: a narrow chart
// has no room for it.
func (k *comparison) medians() float64 {
	w := 0.0
	for i := range k.rows {
		if median, _, _ := k.note(i); k.width > 440 {
			w = max(w, float64(k.styles().median.Width(median)/px)+12)
		}
	}
	return w
}

// dots is how many samples are drawn.
func (k *comparison) dots() (n int) {
	for _, c := range k.report.Cases[:k.rows] {
		n += min(len(c.Samples), maxDots)
	}
	return n
}

// note gives what stands at the end of a row.
func (k *comparison) note(i int) (median, against string, seen bool) {
	median = k.span.label(k.words, k.report.Median(i))
	switch {
	case i > 0:
		against, seen = k.words.against(k.ratios[i])
	case k.rows > 2:
		against = k.words.base
	}
	return median, against, seen
}

// finding states what the chart shows: how the fastest of the cases compares with
// the first.
func (k *comparison) finding() string {
	i, all := 0, k.report.Cases
	for j := 1; j < len(all); j++ {
		if i == 0 || k.ratios[j].Value > k.ratios[i].Value {
			i = j
		}
	}
	f, span := k.words.findings, spanOf([]timing.Measured{all[0], all[i]})
	form, factor := k.words.verdict(k.ratios[i], f.faster, f.slower, f.same, f.few)
	if i == 0 {
		form = f.alone
	}
	return strings.NewReplacer(
		"{case}", short(k.names[i]), "{first}", short(k.names[0]), "{times}", factor,
		"{time}", span.label(k.words, k.report.Median(i)), "{against}", span.label(k.words, k.report.Median(0)),
		"{runs}", k.words.counted(all[0], all[i]),
	).Replace(form)
}

func (k *comparison) caption() string {
	r := k.report
	parts := []string{k.words.counted(r.Cases[:k.rows]...)}
	if r.CPUs > 0 {
		parts = append(parts, fmt.Sprintf(k.words.cpus, r.CPUs))
	}
	if load := max(r.LoadBefore, r.LoadAfter); load > 0 {
		parts = append(parts, fmt.Sprintf(k.words.load, load))
	}
	if fewest := slices.MinFunc(r.Cases, func(a, b timing.Measured) int { return len(a.Samples) - len(b.Samples) }); len(fewest.Samples) > 2 {
		parts = append(parts, fmt.Sprintf(k.words.noise, 100*r.Noise()))
	}
	if k.span.beyond > 0 {
		parts = append(parts, fmt.Sprintf(k.words.beyond, k.span.beyond, k.span.label(k.words, k.span.largest)))
	}
	if more := len(r.Cases) - k.rows; more > 0 {
		parts = append(parts, fmt.Sprintf(k.words.more, more))
	}
	return strings.Join(append(parts, k.words.legend), " · ")
}

// The ways to write that a comparison uses.
type styles struct{ title, finding, name, median, ratio, tick, small text.Style }

func (k *comparison) styles() styles {
	size := 13.5
	if k.row >= 54 {
		size = 18
	}
	f := k.fonts
	st := styles{
		title:   f.style(17, xfont.WeightBold, ink),
		finding: f.style(13, xfont.WeightNormal, faint),
		name:    f.style(13, xfont.WeightNormal, ink),
		median:  f.style(13, xfont.WeightNormal, ink),
		ratio:   f.style(size, xfont.WeightBold, vermillion),
		tick:    f.style(11.5, xfont.WeightNormal, faint),
		small:   f.style(11.5, xfont.WeightNormal, faint),
	}
	st.name.XAlign = draw.XRight
	st.tick.XAlign, st.tick.YAlign = draw.XCenter, draw.YTop
	return st
}

// paint draws the whole chart on a canvas of the size that layOut gave.
func (k *comparison) paint(c draw.Canvas) error {
	st := k.styles()
	x, y := c.Min.X+margin*px, c.Max.Y-14*px
	lines := func(s text.Style, height float64, texts []string) {
		for _, line := range texts {
			c.FillText(s, vg.Point{X: x, Y: y - vg.Length(height/2)*px}, line)
			y -= vg.Length(height) * px
		}
	}
	lines(st.title, titleLine, k.title)
	lines(st.finding, findingLine, k.subtitle)
	top := y - 10*px
	y = top - vg.Length(k.row*float64(k.rows)+axisHeight+8)*px
	lines(st.small, captionLine, k.captions)

	p := plot.New()
	p.BackgroundColor = nil
	k.axes(p)
	p.Add(k)
	bars := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: x + vg.Length(k.labels+10)*px, Y: top - vg.Length(k.row*float64(k.rows)+axisHeight)*px},
		Max: vg.Point{X: c.Max.X - vg.Length(margin+k.notes+12)*px, Y: top},
	}}
	p.Draw(bars)
	return nil
}
