package display

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
)

// Of gives what a notebook shows for vs, the values of a cell's last
// expression, and nil when there is nothing to show (no values, or all nil).
//
// When exactly one of the values can show itself and all others are nil, its
// representations are taken. In order of precedence a value shows itself by
// being a Bundle or Data; by the method
//
//	MIMEBundle() (data, metadata map[string]any)
//
// and, if it is to be replaced by another display or replaces one, the method
//
//	DisplayID() (id string, update bool)
//
// by one or more of the methods that gophernotes knows, whose results are
// merged:
//
//	Render() Data    SimpleRender() MIMEMap
//	HTML() string    JavaScript() string    Latex() string    Markdown() string    SVG() string
//	JPEG() []byte    PNG() []byte           PDF() []byte      JSON() map[string]any
//
// or by being an image.Image, which becomes a PNG of its size. Everything else
// becomes text: fmt.Sprint of each value, joined by spaces.
//
// A method that panics costs only the display: the text then says so.
func Of(vs ...any) *Bundle {
	var rich any
	nils := 0
	for _, v := range vs {
		switch {
		case v == nil:
			nils++
		case shows(v):
			rich = v
		}
	}
	if nils == len(vs) {
		return nil
	}
	if rich != nil && nils == len(vs)-1 {
		b := render(rich)
		if len(b.Data) == 0 {
			return nil
		}
		return &b
	}
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = fmt.Sprint(v)
	}
	return &Bundle{Data: map[string]any{MIMETypeText: strings.Join(words, " ")}, Metadata: map[string]any{}}
}

type mimeBundler interface {
	MIMEBundle() (data, metadata map[string]any)
}

// A replacer is a mimeBundler whose display has a display_id: the first of an id is
// shown, those with update replace it.
type replacer interface {
	DisplayID() (id string, update bool)
}

// shows tells whether v can show itself.
func shows(v any) bool {
	switch v.(type) {
	case Bundle, *Bundle, Data, mimeBundler, Renderer, SimpleRenderer, HTMLer, JavaScripter, JPEGer, JSONer,
		Latexer, Markdowner, PNGer, PDFer, SVGer, image.Image:
		return true
	}
	return false
}

// render asks v, for which shows is true, for all its representations.
func render(v any) (b Bundle) {
	defer func() {
		if p := recover(); p != nil {
			b = textBundle(fmt.Sprintf("(%T cannot be shown: its display method panicked: %v)", v, p))
		}
	}()
	switch v := v.(type) {
	case Bundle:
		return v.normal()
	case *Bundle:
		if v == nil {
			return Bundle{}
		}
		return v.normal()
	case Data:
		return fromData(v)
	case mimeBundler:
		b.Data, b.Metadata = v.MIMEBundle()
		if r, ok := v.(replacer); ok {
			b.ID, b.Update = r.DisplayID()
		}
	default:
		b = gophernotes(v)
	}
	if _, ok := b.Data[MIMETypeText]; !ok {
		data := map[string]any{MIMETypeText: caption(v)}
		for k, x := range b.Data {
			data[k] = x
		}
		b.Data = data
	}
	return b.normal()
}

// caption is the text of a value that has richer forms: what a client without
// graphics prints. An image's own text would be all of its pixels.
func caption(v any) string {
	if _, ok := v.(fmt.Stringer); !ok {
		if m, ok := v.(image.Image); ok {
			r := m.Bounds()
			return fmt.Sprintf("(image, %d x %d pixels)", r.Dx(), r.Dy())
		}
	}
	return fmt.Sprint(v)
}

func textBundle(s string) Bundle {
	return Bundle{Data: map[string]any{MIMETypeText: s}, Metadata: map[string]any{}}
}

// gophernotes merges what the one-method interfaces give.
func gophernotes(v any) Bundle {
	b := Bundle{Data: map[string]any{}, Metadata: map[string]any{}}
	if r, ok := v.(Renderer); ok {
		d := r.Render()
		merge(b.Data, d.Data)
		merge(b.Metadata, d.Metadata)
		b.ID, _ = d.Transient["display_id"].(string)
	}
	if r, ok := v.(SimpleRenderer); ok {
		merge(b.Data, r.SimpleRender())
	}
	if r, ok := v.(HTMLer); ok {
		b.Data[MIMETypeHTML] = r.HTML()
	}
	if r, ok := v.(JavaScripter); ok {
		b.Data[MIMETypeJavaScript] = r.JavaScript()
	}
	if r, ok := v.(JPEGer); ok {
		b.Data[MIMETypeJPEG] = r.JPEG()
	}
	if r, ok := v.(JSONer); ok {
		b.Data[MIMETypeJSON] = r.JSON()
	}
	if r, ok := v.(Latexer); ok {
		b.Data[MIMETypeLatex] = r.Latex()
	}
	if r, ok := v.(Markdowner); ok {
		b.Data[MIMETypeMarkdown] = r.Markdown()
	}
	if r, ok := v.(PNGer); ok {
		b.Data[MIMETypePNG] = r.PNG()
	}
	if r, ok := v.(PDFer); ok {
		b.Data[MIMETypePDF] = r.PDF()
	}
	if r, ok := v.(SVGer); ok {
		b.Data[MIMETypeSVG] = r.SVG()
	}
	if m, ok := v.(image.Image); ok {
		d := Image(m)
		merge(b.Data, d.Data)
		merge(b.Metadata, d.Metadata)
	}
	return b
}

func merge(into, from map[string]any) {
	for k, v := range from {
		into[k] = v
	}
}

// Image shows a picture at one CSS pixel a pixel, as a PNG. A picture that
// cannot be encoded (no pixels) gives a text that says so.
func Image(m image.Image) Data {
	if m == nil {
		return problem("display.Image: the image is nil")
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		return problem(fmt.Sprintf("display.Image: %v", err))
	}
	r := m.Bounds()
	return Data{
		Data: MIMEMap{MIMETypePNG: buf.Bytes(), MIMETypeText: caption(m)},
		Metadata: MIMEMap{MIMETypePNG: map[string]any{
			"width": r.Dx(), "height": r.Dy(),
		}},
	}
}
