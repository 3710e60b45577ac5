// Package plots draws timing charts on gonum.org/v1/plot: each is one function
// over a report and gives a Figure, which a notebook shows as SVG, as PNG for those
// who may not see SVG, and as a sentence that states the finding.
package plots

import (
	"encoding/base64"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// A Figure is a chart that can be drawn in several formats. The zero value is an
// empty figure.
type Figure struct {
	width, height float64 // CSS pixels
	title         string
	sentence      string
	crowded       bool // so many dots that SVG joins them
	err           error
	paint         func(draw.Canvas) error
}

// An Option changes how a chart is drawn.
type Option func(*options)

type options struct {
	title  string
	lang   string
	width  float64
	height float64 // 0: what the chart needs
}

// Title sets the text above the chart.
func Title(s string) Option { return func(o *options) { o.title = s } }

// Lang sets the language of what the chart says by itself: "en", the default, or
// "ko". Another one is an error of the figure.
func Lang(s string) Option { return func(o *options) { o.lang = s } }

// Size sets width and height in CSS pixels, at least 320 by 120 and at most 4000 by
// 8000. A height of 0 is what the chart needs; in a smaller one, rows that do not fit
// are left out and counted, and if not even one fits it is an error of the figure.
func Size(width, height float64) Option {
	return func(o *options) { o.width, o.height = width, height }
}

const (
	minWidth, maxWidth   = 320, 4000
	minHeight, maxHeight = 120, 8000
)

func settle(opts []Option) (options, words, error) {
	o := options{lang: "en", width: 640}
	for _, f := range opts {
		if f != nil {
			f(&o)
		}
	}
	w, ok := languages[o.lang]
	if !ok {
		return o, languages["en"], fmt.Errorf(`plots: there is no language %q: use "en" or "ko"`, o.lang)
	}
	if !(o.width >= minWidth && o.width <= maxWidth) || o.height != 0 && !(o.height >= minHeight && o.height <= maxHeight) {
		return o, w, fmt.Errorf("plots: a size of %g by %g pixels is not possible: use %d to %d by %d to %d", o.width, o.height, minWidth, maxWidth, minHeight, maxHeight)
	}
	return o, w, nil
}

// Err says why the figure cannot be drawn, nil if it can.
func (f *Figure) Err() error {
	if f == nil || f.err == nil && f.paint == nil {
		return errors.New("plots: the figure is empty")
	}
	return f.err
}

// Text is one plain sentence that states what the chart shows, or what is wrong.
func (f *Figure) Text() string {
	if err := f.Err(); err != nil {
		return err.Error()
	}
	return f.sentence
}

// String is Text, for printing.
func (f *Figure) String() string { return f.Text() }

// SVG draws the figure as a scalable picture of a few kilobytes, text as text.
func (f *Figure) SVG() ([]byte, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	c := newSVG(f.width, f.height, f.title, f.sentence)
	c.joined = f.crowded
	if err := f.draw(c); err != nil {
		return nil, err
	}
	return c.bytes(), nil
}

// PNG draws the figure as pixels, scale of them for each CSS pixel; 2 is sharp on
// most screens. scale is 0.5 to 8.
func (f *Figure) PNG(scale float64) ([]byte, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	if !(scale >= 0.5 && scale <= 8) {
		return nil, fmt.Errorf("plots: a scale of %g is not possible: use 0.5 to 8", scale)
	}
	c := vgimg.NewWith(
		vgimg.UseWH(vg.Length(f.width)*px, vg.Length(f.height)*px),
		vgimg.UseDPI(int(96*scale)), vgimg.UseBackgroundColor(color.White))
	if err := f.draw(c); err != nil {
		return nil, err
	}
	return encodePNG(c.Image())
}

// draw paints on any canvas; a panic of the drawing library is an error here.
func (f *Figure) draw(c vg.CanvasSizer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("plots: drawing failed: %v", r)
		}
	}()
	return f.paint(draw.New(c))
}

// MIMEBundle is what a notebook shows: SVG, PNG at two pixels to one, and the
// sentence. A figure that cannot be drawn shows its error.
func (f *Figure) MIMEBundle() (data, metadata map[string]any) {
	data = map[string]any{"text/plain": f.Text()}
	svg, err := f.SVG()
	if err != nil {
		data["text/plain"] = err.Error()
		return data, nil
	}
	data["image/svg+xml"] = string(svg)
	pixels, err := f.PNG(2)
	if err != nil {
		return data, nil
	}
	data["image/png"] = base64.StdEncoding.EncodeToString(pixels)
	return data, map[string]any{"image/png": map[string]any{"width": f.width, "height": f.height}}
}

// Save draws the figure to a file, in the format that the name ends in: .svg or
// .png (at two pixels to one). PDF is not offered: gonum's canvas for it writes fonts
// in the Latin alphabet only. The file is written whole or not at all.
func (f *Figure) Save(file string) error {
	var data []byte
	var err error
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".svg":
		data, err = f.SVG()
	case ".png":
		data, err = f.PNG(2)
	case ".pdf":
		return fmt.Errorf("plots: cannot save %s: PDF cannot be written yet, use .svg, which every browser prints to PDF, or .png", file)
	default:
		return fmt.Errorf("plots: cannot save %s: the name must end in .svg or .png", file)
	}
	if err != nil {
		return err
	}
	temp := file + ".tmp"
	if err := os.WriteFile(temp, data, 0o644); err != nil {
		return fmt.Errorf("saving the figure: %w", err)
	}
	if err := os.Rename(temp, file); err != nil {
		return errors.Join(fmt.Errorf("saving the figure: %w", err), os.Remove(temp))
	}
	return nil
}
