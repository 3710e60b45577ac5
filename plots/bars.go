package plots

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// maxDots is how many samples of a case are drawn: more dots show nothing more.
const maxDots = 500

// axes sets up the axis below the bars; the names beside them are drawn with the
// rows, on one line with the notes.
func (k *comparison) axes(p *plot.Plot) {
	st := k.styles()
	p.HideY()
	p.Y.Min, p.Y.Max = -0.5, float64(k.rows)-0.5
	p.Y.Padding = 0

	_, unit := k.words.unit(k.span.name)
	p.X.LineStyle.Width, p.X.Tick.LineStyle.Width = 0, 0
	p.X.Tick.Length, p.X.Padding = 4*px, 0
	p.X.Tick.Label = st.tick
	p.X.Label.Text = k.fonts.seen(fmt.Sprintf(k.words.time, unit))
	p.X.Label.TextStyle = st.tick
	p.X.Label.TextStyle.YAlign = draw.YBottom
	p.X.Min, p.X.Max = 0, k.span.value(k.span.end)*1.02
	p.X.Tick.Marker = plot.TickerFunc(func(_, hi float64) []plot.Tick { return niceTicks(hi, k.ticks()) })
}

// ticks is for how many numbers there is room.
func (k *comparison) ticks() int {
	return max(1, min(6, int((k.width-k.labels-k.notes)/46)))
}

// Plot implements plot.Plotter: it draws the rows and what stands beside them.
func (k *comparison) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, t := range niceTicks(p.X.Max, k.ticks()) {
		line := draw.LineStyle{Color: grid, Width: px}
		if i == 0 {
			line.Color = zero
		}
		c.StrokeLine2(line, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
	}
	for i := range k.rows {
		k.bar(c, i, x, y(float64(k.rows-1-i))) // the first on top
	}
}

// bar draws a row around the height mid.
func (k *comparison) bar(c draw.Canvas, i int, x func(float64) vg.Length, mid vg.Length) {
	m := k.report.Cases[i]
	col := blue
	if i > 0 {
		col = vermillion
	}
	at := func(d time.Duration) vg.Length { return x(k.span.value(d)) }
	half := min(vg.Length(k.row)*0.29*px, 13*px)

	median := at(m.Median())
	c.FillPolygon(pale(col, 0.28), []vg.Point{{X: x(0), Y: mid - half}, {X: median, Y: mid - half}, {X: median, Y: mid + half}, {X: x(0), Y: mid + half}})
	rng := rand.New(rand.NewPCG(7, uint64(i))) // the same picture each time
	dot := draw.GlyphStyle{Color: sheer(col), Radius: min(2.6*px, half/2.5), Shape: draw.CircleGlyph{}}
	far := false
	for j, d := range m.Samples {
		if j == maxDots {
			break
		}
		if d > k.span.end {
			far = true
			continue
		}
		c.DrawGlyph(dot, vg.Point{X: at(d), Y: mid + half*vg.Length(rng.Float64()*1.3-0.65)})
	}
	if far {
		tip := c.Max.X + 7*px
		c.FillPolygon(col, []vg.Point{{X: tip, Y: mid}, {X: tip - 7*px, Y: mid + 4.5*px}, {X: tip - 7*px, Y: mid - 4.5*px}})
	}
	c.StrokeLine2(draw.LineStyle{Color: col, Width: 2.5 * px}, median, mid-half, median, mid+half)
	if len(m.Samples) > 2 {
		k.bracket(c, at(m.Quantile(0.25)), at(m.Quantile(0.75)), mid-half-min(4*px, half/2.5))
	}
	k.beside(c, i, x(0), mid, col)
}

// bracket marks the middle half of the samples.
func (k *comparison) bracket(c draw.Canvas, low, high, y vg.Length) {
	c.SetLineStyle(draw.LineStyle{Color: ink, Width: 1.3 * px})
	var path vg.Path
	for _, x := range []vg.Length{low, high} {
		path.Move(vg.Point{X: x, Y: y - 2*px})
		path.Line(vg.Point{X: x, Y: y + 2*px})
	}
	path.Move(vg.Point{X: low, Y: y})
	path.Line(vg.Point{X: high, Y: y})
	c.Stroke(path)
}

// beside writes what stands left and right of a bar.
func (k *comparison) beside(c draw.Canvas, i int, zero, mid vg.Length, col color.Color) {
	st := k.styles()
	c.FillText(st.name, vg.Point{X: zero - 10*px, Y: mid}, fit(k.fonts.seen(k.names[i]), st.name, vg.Length(k.labels)*px))
	median, against, seen := k.note(i)
	ratio := st.ratio
	ratio.Color = col
	if !seen {
		ratio = st.median
		ratio.Color = faint
	}
	right := c.Max.X + 12*px
	switch {
	case against == "":
		c.FillText(st.median, vg.Point{X: right, Y: mid}, median)
	case !k.wide():
		apart := ratio.Font.Size*0.55 + 1*px
		c.FillText(st.median, vg.Point{X: right, Y: mid + apart}, median)
		c.FillText(ratio, vg.Point{X: right, Y: mid - apart*0.9}, against)
	case k.medians() > 0:
		c.FillText(st.median, vg.Point{X: right, Y: mid}, median)
		c.FillText(ratio, vg.Point{X: right + vg.Length(k.medians())*px, Y: mid}, against)
	case i == 0:
		c.FillText(st.median, vg.Point{X: right, Y: mid}, median)
	default:
		c.FillText(ratio, vg.Point{X: right, Y: mid}, against)
	}
}
