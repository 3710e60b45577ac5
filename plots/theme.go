package plots

import (
	_ "embed"
	"fmt"
	"image/color"
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
var loadFonts = sync.OnceValues(func() (*fonts, error) {
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
})

// style is a way to write: size in CSS pixels.
func (f *fonts) style(size float64, weight xfont.Weight, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: typeface, Variant: "Sans", Weight: weight, Size: vg.Length(size) * px},
		Handler: f.handler,
		YAlign:  draw.YCenter,
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

// sheer lets what is below shine through a little, so that dots on dots show.
func sheer(c color.NRGBA) color.NRGBA {
	c.A = 0xb3
	return c
}
