package display

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// The names in this file are those of gophernotes, so that its notebooks and
// the libraries written for it work here unchanged. They are aliases, as there:
// a library implements them without importing anything.

// MIMEMap holds one value for each MIME type (or, as metadata, for each option).
type MIMEMap = map[string]any

// Data is a display that is being put together, as gophernotes has it. Values
// of Data may be []byte; they travel as base64.
type Data = struct {
	Data      MIMEMap
	Metadata  MIMEMap
	Transient MIMEMap // "display_id" makes the display replaceable
}

// The methods by which a value shows itself; see [Of].
type (
	Renderer       = interface{ Render() Data }
	SimpleRenderer = interface{ SimpleRender() MIMEMap }
	HTMLer         = interface{ HTML() string }
	JavaScripter   = interface{ JavaScript() string }
	JPEGer         = interface{ JPEG() []byte }
	JSONer         = interface{ JSON() map[string]any }
	Latexer        = interface{ Latex() string }
	Markdowner     = interface{ Markdown() string }
	PNGer          = interface{ PNG() []byte }
	PDFer          = interface{ PDF() []byte }
	SVGer          = interface{ SVG() string }
)

// fromData gives the bundle of d.
func fromData(d Data) Bundle {
	id, _ := d.Transient["display_id"].(string)
	return Bundle{Data: d.Data, Metadata: d.Metadata, ID: id}.normal()
}

// problem is a display that says what went wrong: the constructors have no
// error result, and a picture that is missing should not end the cell.
func problem(text string) Data {
	return Data{Data: MIMEMap{MIMETypeText: text}}
}

// Any shows x as mimeType. A value that shows itself (see [Of]) is asked, whatever mimeType is; a
// string, []byte, io.Reader or io.WriterTo is taken as the content; with
// mimeType "" the type of binary content is detected. Other values are shown as
// text, or as a JSON value when mimeType is a JSON type. A reader that fails
// gives a text that says so.
func Any(mimeType string, x any) Data {
	if d, ok := x.(Data); ok {
		return d
	}
	if x != nil && shows(x) {
		b := render(x)
		return Data{Data: b.Data, Metadata: b.Metadata}
	}
	switch x := x.(type) {
	case string:
		return content(mimeType, []byte(x), true)
	case []byte:
		return content(mimeType, x, false)
	case io.Reader:
		b, err := io.ReadAll(x)
		if err != nil {
			return problem(fmt.Sprintf("display.Any: read the content: %v", err))
		}
		return content(mimeType, b, false)
	case io.WriterTo:
		var buf bytes.Buffer
		if _, err := x.WriteTo(&buf); err != nil {
			return problem(fmt.Sprintf("display.Any: read the content: %v", err))
		}
		return content(mimeType, buf.Bytes(), false)
	}
	if strings.HasSuffix(mimeType, "json") {
		return MakeData(mimeType, x)
	}
	return MakeData(MIMETypeText, fmt.Sprint(x))
}

func content(mimeType string, b []byte, text bool) Data {
	if mimeType == "" {
		if text {
			mimeType = MIMETypeText
		} else {
			// The parameters ("; charset=utf-8") are not part of a bundle's key.
			mimeType, _, _ = strings.Cut(http.DetectContentType(b), ";")
		}
	}
	if text || isText(mimeType) {
		return MakeData(mimeType, string(b))
	}
	return MakeData(mimeType, b)
}

// Auto shows x in the way that fits it best: Any with the MIME type detected.
func Auto(x any) Data { return Any("", x) }

// MakeData makes a display of one MIME type, with the same content as its text
// (for binary content: its type and size).
func MakeData(mimeType string, data any) Data {
	d := Data{Data: MIMEMap{mimeType: data}}
	if mimeType != MIMETypeText {
		if b, ok := data.([]byte); ok && !isText(mimeType) {
			d.Data[MIMETypeText] = fmt.Sprintf("(%s, %d bytes)", mimeType, len(b))
		} else if b, ok := data.([]byte); ok {
			d.Data[MIMETypeText] = string(b)
		} else {
			d.Data[MIMETypeText] = fmt.Sprint(data)
		}
	}
	return d
}

// MakeData3 makes a display of one MIME type with a text of its own.
func MakeData3(mimeType, plaintext string, data any) Data {
	return Data{Data: MIMEMap{MIMETypeText: plaintext, mimeType: data}}
}

// File shows the file at path as mimeType (detected when ""). A file that
// cannot be read gives a text that says so.
func File(mimeType, path string) Data {
	b, err := os.ReadFile(path)
	if err != nil {
		return problem(fmt.Sprintf("display.File: %v", err))
	}
	return Any(mimeType, b)
}

// HTML shows a piece of HTML.
func HTML(html string) Data { return MakeData(MIMETypeHTML, html) }

// JavaScript runs a script in the page; many front ends refuse it.
func JavaScript(script string) Data { return MakeData(MIMETypeJavaScript, script) }

// JPEG shows an encoded picture.
func JPEG(jpeg []byte) Data { return MakeData(MIMETypeJPEG, jpeg) }

// JSON shows a value as a tree.
func JSON(json map[string]any) Data { return MakeData(MIMETypeJSON, json) }

// Latex shows an inline formula; the $ signs are added.
func Latex(latex string) Data {
	return MakeData3(MIMETypeLatex, latex, "$"+strings.Trim(latex, "$")+"$")
}

// Math shows a formula of its own line; the $$ signs are added.
func Math(latex string) Data {
	return MakeData3(MIMETypeLatex, latex, "$$"+strings.Trim(latex, "$")+"$$")
}

// Markdown shows formatted text.
func Markdown(markdown string) Data { return MakeData(MIMETypeMarkdown, markdown) }

// MIME makes a display from representations and their metadata as they are.
func MIME(data, metadata MIMEMap) Data { return Data{Data: data, Metadata: metadata} }

// PDF shows a document.
func PDF(pdf []byte) Data { return MakeData(MIMETypePDF, pdf) }

// PNG shows an encoded picture.
func PNG(png []byte) Data { return MakeData(MIMETypePNG, png) }

// SVG shows a vector graphic.
func SVG(svg string) Data { return MakeData(MIMETypeSVG, svg) }
