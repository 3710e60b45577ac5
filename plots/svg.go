package plots

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// An svgCanvas draws SVG. Unlike gonum's own it says how wide each text is, so that
// the layout is the same where the font is missing, and is readable for those who
// do not see it: role, title, description.
type svgCanvas struct {
	buf           bytes.Buffer
	width, height float64 // CSS pixels
	state         svgState
	stack         []svgState
	joined        bool     // dots of one colour are one path: less than half the size
	dots          dotStyle // of the group of dots that is open, the zero value for none
}

// A dotStyle is what the dots of a group have in common.
type dotStyle struct{ paint, radius string }

type svgState struct {
	color color.Color
	width vg.Length
	dash  []vg.Length
	// Position of a point: x' = a x + c y + e, y' = b x + d y + f, in CSS pixels,
	// y downwards.
	a, b, c, d, e, f float64
}

const fontStack = "'Paragopher Chart', Pretendard, 'Noto Sans KR', 'Noto Sans CJK KR', 'Malgun Gothic', 'Apple SD Gothic Neo', 'Segoe UI', Helvetica, Arial, sans-serif"

func newSVG(width, height float64, title, desc string) *svgCanvas {
	k := float64(1 / px)
	s := &svgCanvas{width: width, height: height, state: svgState{color: color.Black, width: vg.Points(1), a: k, d: -k, f: height}}
	fmt.Fprintf(&s.buf, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img" aria-label="%[3]s" font-family="%[4]s">`+"\n",
		num(width), num(height), html.EscapeString(desc), fontStack)
	fmt.Fprintf(&s.buf, "<title>%s</title>\n<desc>%s</desc>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", html.EscapeString(title), html.EscapeString(desc))
	return s
}

// bytes ends the drawing.
func (s *svgCanvas) bytes() []byte {
	s.endDots()
	s.buf.WriteString("</svg>\n")
	return s.buf.Bytes()
}

// num writes a number with a hundredth of a pixel.
func num(x float64) string {
	return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64)
}

// tenth writes a number with a tenth of a pixel.
func tenth(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

func (s *svgCanvas) at(p vg.Point) (x, y float64) {
	t := s.state
	return t.a*float64(p.X) + t.c*float64(p.Y) + t.e, t.b*float64(p.X) + t.d*float64(p.Y) + t.f
}

func (s *svgCanvas) Size() (x, y vg.Length) { return vg.Length(s.width) * px, vg.Length(s.height) * px }

func (s *svgCanvas) SetLineWidth(w vg.Length) { s.state.width = w }

func (s *svgCanvas) SetLineDash(pattern []vg.Length, _ vg.Length) { s.state.dash = pattern }

func (s *svgCanvas) SetColor(c color.Color) {
	if c == nil {
		c = color.Black
	}
	s.state.color = c
}

func (s *svgCanvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	t := s.state
	s.state.a, s.state.b = t.a*cos+t.c*sin, t.b*cos+t.d*sin
	s.state.c, s.state.d = t.c*cos-t.a*sin, t.d*cos-t.b*sin
}

func (s *svgCanvas) Translate(p vg.Point) { s.state.e, s.state.f = s.at(p) }

func (s *svgCanvas) Scale(x, y float64) {
	s.state.a, s.state.b = s.state.a*x, s.state.b*x
	s.state.c, s.state.d = s.state.c*y, s.state.d*y
}

func (s *svgCanvas) Push() { s.stack = append(s.stack, s.state) }

func (s *svgCanvas) Pop() {
	s.state = s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
}

func (s *svgCanvas) scale() float64 { return math.Hypot(s.state.a, s.state.b) }

func (s *svgCanvas) Stroke(p vg.Path) {
	if s.state.width <= 0 {
		return
	}
	dash := ""
	if len(s.state.dash) > 0 {
		var parts []string
		for _, d := range s.state.dash {
			parts = append(parts, num(float64(d)*s.scale()))
		}
		dash = fmt.Sprintf(` stroke-dasharray="%s"`, strings.Join(parts, " "))
	}
	s.element(`<path d="%s" fill="none" stroke="%s" stroke-width="%s"%s/>`, s.path(p), paint(s.state.color), num(float64(s.state.width)*s.scale()), dash)
}

func (s *svgCanvas) Fill(p vg.Path) {
	if c, r, ok := s.circle(p); ok {
		s.dot(c, dotStyle{paint(s.state.color), num(r)})
		return
	}
	s.element(`<path d="%s" fill="%s"/>`, s.path(p), paint(s.state.color))
}

// element writes one, after the group of dots that may be open.
func (s *svgCanvas) element(format string, args ...any) {
	s.endDots()
	fmt.Fprintf(&s.buf, format+"\n", args...)
}

// dot writes a dot in a group with others that look the same. Of many it makes
// strokes of no length with round ends, which look like dots.
func (s *svgCanvas) dot(c vg.Point, style dotStyle) {
	if style != s.dots {
		s.endDots()
		s.dots = style
		if s.joined {
			r, _ := strconv.ParseFloat(style.radius, 64)
			fmt.Fprintf(&s.buf, `<path fill="none" stroke="%s" stroke-width="%s" stroke-linecap="round" d="`, style.paint, num(2*r))
		} else {
			fmt.Fprintf(&s.buf, `<g fill="%s">`, style.paint)
		}
	}
	x, y := s.at(c)
	if s.joined {
		fmt.Fprintf(&s.buf, "M%s %sh0", tenth(x), tenth(y))
	} else {
		fmt.Fprintf(&s.buf, `<circle cx="%s" cy="%s" r="%s"/>`, tenth(x), tenth(y), style.radius)
	}
}

func (s *svgCanvas) endDots() {
	switch {
	case s.dots == dotStyle{}:
		return
	case s.joined:
		s.buf.WriteString("\"/>\n")
	default:
		s.buf.WriteString("</g>\n")
	}
	s.dots = dotStyle{}
}

// circle recognises the path of a dot, which SVG says in fewer words.
func (s *svgCanvas) circle(p vg.Path) (center vg.Point, r float64, ok bool) {
	for _, c := range p {
		if c.Type == vg.ArcComp && math.Abs(c.Angle) >= 2*math.Pi-1e-9 {
			return c.Pos, float64(c.Radius) * s.scale(), len(p) <= 3
		}
	}
	return center, 0, false
}

func (s *svgCanvas) path(p vg.Path) string {
	var b strings.Builder
	point := func(op string, ps ...vg.Point) {
		b.WriteString(op)
		for i, p := range ps {
			if i > 0 {
				b.WriteByte(' ')
			}
			x, y := s.at(p)
			b.WriteString(num(x) + " " + num(y))
		}
	}
	for _, c := range p {
		switch c.Type {
		case vg.MoveComp:
			point("M", c.Pos)
		case vg.LineComp:
			point("L", c.Pos)
		case vg.CurveComp:
			op := map[int]string{1: "Q", 2: "C"}[len(c.Control)]
			point(op, append(append([]vg.Point{}, c.Control...), c.Pos)...)
		case vg.ArcComp:
			end := func(angle float64) vg.Point {
				return vg.Point{X: c.Pos.X + c.Radius*vg.Length(math.Cos(angle)), Y: c.Pos.Y + c.Radius*vg.Length(math.Sin(angle))}
			}
			// In two halves: SVG cannot say a full circle in one.
			for i := range 2 {
				from := c.Start + c.Angle*float64(i)/2
				if i == 0 {
					op := "L"
					if b.Len() == 0 {
						op = "M"
					}
					point(op, end(from))
				}
				sweep := 0
				if c.Angle < 0 {
					sweep = 1
				}
				r := num(float64(c.Radius) * s.scale())
				point(fmt.Sprintf("A%s %s 0 0 %d ", r, r, sweep), end(from+c.Angle/2))
			}
		case vg.CloseComp:
			b.WriteByte('Z')
		}
	}
	return b.String()
}

func (s *svgCanvas) FillString(f font.Face, pt vg.Point, text string) {
	if f.Font.Size == 0 || strings.TrimSpace(text) == "" {
		return
	}
	x, y := s.at(pt)
	turn := ""
	if a := math.Atan2(s.state.b, s.state.a); math.Abs(a) > 1e-6 {
		turn = fmt.Sprintf(` transform="rotate(%s %s %s)"`, num(a*180/math.Pi), num(x), num(y))
	}
	weight := ""
	if f.Font.Weight > 0 {
		weight = ` font-weight="bold"`
	}
	s.element(`<text x="%s" y="%s" font-size="%s"%s fill="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>%s</text>`,
		num(x), num(y), num(float64(f.Font.Size)*s.scale()), weight, paint(s.state.color), num(float64(f.Width(text))*s.scale()), turn, html.EscapeString(text))
}

// DrawImage is not needed by any chart; a grey area says that something is missing.
func (s *svgCanvas) DrawImage(r vg.Rectangle, _ image.Image) {
	s.Push()
	s.SetColor(grid)
	s.Fill(r.Path())
	s.Pop()
}

// paint names a colour.
func paint(c color.Color) string {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	if n.A == 0xff {
		return fmt.Sprintf("#%02x%02x%02x", n.R, n.G, n.B)
	}
	return fmt.Sprintf("rgba(%d,%d,%d,%s)", n.R, n.G, n.B, num(float64(n.A)/255))
}
