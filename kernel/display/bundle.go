// Package display says what a Go value looks like in a notebook: a bundle of
// MIME representations from which the front end picks the richest it can draw.
//
// A type shows itself by having one of the methods listed at [Of]; it needs to
// import nothing for that.
package display

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// MIME types of the representations that notebooks draw.
const (
	MIMETypeHTML       = "text/html"
	MIMETypeJavaScript = "application/javascript"
	MIMETypeJPEG       = "image/jpeg"
	MIMETypeJSON       = "application/json"
	MIMETypeLatex      = "text/latex"
	MIMETypeMarkdown   = "text/markdown"
	MIMETypePNG        = "image/png"
	MIMETypePDF        = "application/pdf"
	MIMETypeSVG        = "image/svg+xml"
	MIMETypeText       = "text/plain"
)

// Bundle is one display: the same thing in one or more MIME types. It is the
// content of Jupyter's display_data, execute_result and update_display_data
// messages. It can be sent with encoding/gob and encoding/json.
type Bundle struct {
	// Data holds a value for each MIME type: a string (text, SVG, base64 of
	// anything binary) or, for JSON types, any value that encoding/json takes.
	Data map[string]any `json:"data"`
	// Metadata is usually keyed by MIME type too, for instance
	// {"image/png": {"width": 320, "height": 200}} in CSS pixels.
	Metadata map[string]any `json:"metadata"`
	// ID is the transient display_id by which a later bundle can replace this
	// one; "" for a display that is never replaced.
	ID string `json:"display_id,omitempty"`
	// Update makes this bundle replace the displays that have the same ID.
	Update bool `json:"update,omitempty"`
}

// Text gives the text/plain representation, "" when there is none.
func (b *Bundle) Text() string {
	if b == nil {
		return ""
	}
	s, _ := b.Data[MIMETypeText].(string)
	return s
}

// plain is Bundle without its methods, so that encoding it does not recurse.
type plain Bundle

// GobEncode writes the bundle as JSON: gob would refuse the nested maps of a
// JSON value unless every program registered them.
func (b Bundle) GobEncode() ([]byte, error) {
	return json.Marshal(plain(b.normal()))
}

// GobDecode reads what GobEncode wrote. Numbers inside JSON values come back as
// json.Number, which keeps all their digits.
func (b *Bundle) GobDecode(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode((*plain)(b)); err != nil {
		return fmt.Errorf("display: decode a bundle: %w", err)
	}
	return nil
}

// normal gives the bundle with values that JSON can carry: []byte becomes text
// or base64 as its MIME type asks, and what cannot be encoded is named in the
// text instead of failing the whole display.
func (b Bundle) normal() Bundle {
	b.Data = normalMap(b.Data, true)
	b.Metadata = normalMap(b.Metadata, false)
	return b
}

func normalMap(in map[string]any, mime bool) map[string]any {
	out := make(map[string]any, len(in))
	var lost []string
	for k, v := range in {
		switch v := v.(type) {
		case string:
			out[k] = v
		case []byte:
			if mime && isText(k) {
				out[k] = string(v)
			} else {
				out[k] = base64.StdEncoding.EncodeToString(v)
			}
		case error:
			out[k] = v.Error()
		default:
			if _, err := json.Marshal(v); err != nil {
				lost = append(lost, fmt.Sprintf("(%s cannot be shown: %v)", k, err))
				continue
			}
			out[k] = v
		}
	}
	if mime && len(lost) > 0 {
		if text, ok := out[MIMETypeText].(string); ok && text != "" {
			lost = append([]string{text}, lost...)
		}
		out[MIMETypeText] = strings.Join(lost, "\n")
	}
	return out
}

// isText tells whether Jupyter carries the MIME type as text, not as base64.
func isText(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == MIMETypeSVG || mime == MIMETypeJavaScript ||
		strings.HasSuffix(mime, "+xml") || mime == "application/xml"
}
