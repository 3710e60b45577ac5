package plots

import (
	_ "embed"
	"fmt"
	"image/color"
	"strings"
	"sync"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The chart fonts: Latin letters and the Hangul of KS X 1001 in two weights, made by
// fonts/subset.py, under the licence in fonts/OFL.txt.
var (
	//go:embed fonts/ParagopherChart-Regular.ttf
	regularTTF []byte
	//go:embed fonts/ParagopherChart-Bold.ttf
	boldTTF []byte
)

const typeface = "Paragopher Chart"

// px is a CSS pixel: 1/96 inch.
const px = vg.Inch / 96

// Colours of Okabe and Ito, who chose them for colour-blind readers, those of them
// that are dark enough for lines and text on white.
var (
	ink        = color.NRGBA{0x22, 0x26, 0x2b, 0xff}
	faint      = color.NRGBA{0x6a, 0x70, 0x78, 0xff}
	grid       = color.NRGBA{0xe3, 0xe6, 0xea, 0xff}
	zero       = color.NRGBA{0xa9, 0xaf, 0xb7, 0xff}
	blue       = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	vermillion = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
)

// pale mixes a colour with white, for areas with dots on them.
func pale(c color.NRGBA, part float64) color.NRGBA {
	mix := func(x uint8) uint8 { return uint8(255 - part*float64(255-x)) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

// fonts are the parsed fonts with a handler that lays out text in them.
type fonts struct {
	handler text.Plain
	glyphs  *sfnt.Font
}

// loadFonts parses the fonts when the first chart is drawn: processes that draw
// none do not pay for them.
var loadFonts = sync.OnceValues(parseFonts)

func parseFonts() (*fonts, error) {
	cache := font.NewCache(nil)
	f := &fonts{handler: text.Plain{Fonts: cache}}
	for _, w := range []struct {
		data   []byte
		weight xfont.Weight
	}{{regularTTF, xfont.WeightNormal}, {boldTTF, xfont.WeightBold}} {
		parsed, err := opentype.Parse(w.data)
		if err != nil {
			return nil, fmt.Errorf("parsing the chart font: %w", err)
		}
		if f.glyphs == nil {
			f.glyphs = parsed
		}
		cache.Add(font.Collection{{Font: font.Font{Typeface: typeface, Variant: "Sans", Weight: w.weight}, Face: parsed}})
	}
	return f, nil
}

// middle aligns the middle of the capitals; gonum's draw.YCenter is that of the line,
// with the room for descenders, which looks too low beside a bar.
const middle draw.YAlignment = -0.38

// style is a way to write: size in CSS pixels.
func (f *fonts) style(size float64, weight xfont.Weight, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: typeface, Variant: "Sans", Weight: weight, Size: vg.Length(size) * px},
		Handler: f.handler,
		YAlign:  middle,
	}
}

// seen gives s with a box for each character that the fonts do not have: a text
// must not lose letters without a trace.
func (f *fonts) seen(s string) string {
	out := []rune(s)
	var buf sfnt.Buffer
	for i, r := range out {
		if g, err := f.glyphs.GlyphIndex(&buf, r); err != nil || g == 0 {
			out[i] = '□'
		}
	}
	return string(out)
}

// fit cuts s so that it is no wider than width.
func fit(s string, sty text.Style, width vg.Length) string {
	if sty.Width(s) <= width {
		return s
	}
	r := []rune(s)
	lo, hi := 0, len(r) // the longest beginning that fits with an ellipsis
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if sty.Width(string(r[:mid])+"…") <= width {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return string(r[:lo]) + "…"
}

// wrap breaks s at its spaces into lines no wider than width, at most most of them;
// what is left over is cut.
func wrap(s string, sty text.Style, width vg.Length, most int) (lines []string) {
	words := strings.Fields(s)
	for len(words) > 0 {
		n := 1
		for n < len(words) && sty.Width(strings.Join(words[:n+1], " ")) <= width {
			n++
		}
		if len(lines) == most-1 {
			n = len(words)
		}
		lines = append(lines, fit(strings.Join(words[:n], " "), sty, width))
		words = words[n:]
	}
	return lines
}

// sheer lets what is below shine through a little, so that dots on dots show.
func sheer(c color.NRGBA) color.NRGBA {
	c.A = 0xb3
	return c
}
