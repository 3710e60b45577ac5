package display

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type htmlAndSVG struct{}

func (htmlAndSVG) HTML() string   { return "<b>x</b>" }
func (htmlAndSVG) SVG() string    { return "<svg/>" }
func (htmlAndSVG) String() string { return "x" }

type bundler struct{}

func (bundler) MIMEBundle() (data, metadata map[string]any) {
	return map[string]any{"image/png": []byte{1, 2, 3}, "text/plain": "three bytes"},
		map[string]any{"image/png": map[string]any{"width": 10}}
}

type panics struct{}

func (*panics) HTML() string { panic("no html today") }

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []any
		want map[string]any // nil: nothing to show
	}{
		{"nothing", nil, nil},
		{"nil", []any{nil}, nil},
		{"all nil", []any{nil, nil}, nil},
		{"number", []any{42}, map[string]any{"text/plain": "42"}},
		{"strings are parted by spaces", []any{"a", "b"}, map[string]any{"text/plain": "a b"}},
		{"value and nil", []any{3, nil}, map[string]any{"text/plain": "3 <nil>"}},
		{"error", []any{errors.New("broken")}, map[string]any{"text/plain": "broken"}},
		{"methods are merged", []any{htmlAndSVG{}}, map[string]any{"text/html": "<b>x</b>", "image/svg+xml": "<svg/>", "text/plain": "x"}},
		{"rich and nil error", []any{htmlAndSVG{}, nil}, map[string]any{"text/html": "<b>x</b>", "image/svg+xml": "<svg/>", "text/plain": "x"}},
		{"rich and another value", []any{htmlAndSVG{}, 7}, map[string]any{"text/plain": "x 7"}},
		{"MIMEBundle", []any{bundler{}}, map[string]any{"image/png": "AQID", "text/plain": "three bytes"}},
		{"constructor", []any{HTML("<i>y</i>")}, map[string]any{"text/html": "<i>y</i>", "text/plain": "<i>y</i>"}},
		{"bundle", []any{&Bundle{Data: map[string]any{"text/plain": "z"}}}, map[string]any{"text/plain": "z"}},
		{"nil bundle", []any{(*Bundle)(nil)}, nil},
		{"empty data", []any{Data{}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Of(c.in...)
			if c.want == nil {
				if got != nil {
					t.Fatalf("got %v, want nothing", got.Data)
				}
				return
			}
			if got == nil || !reflect.DeepEqual(got.Data, c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestOfSurvivesAPanickingMethod(t *testing.T) {
	if got := Of((*panics)(nil)).Text(); !strings.Contains(got, "no html today") || !strings.Contains(got, "*display.panics") {
		t.Fatalf("text %q names neither the panic nor the type", got)
	}
}

func TestOfImage(t *testing.T) {
	b := Of(image.NewGray(image.Rect(0, 0, 30, 20)))
	raw, err := base64.StdEncoding.DecodeString(b.Data["image/png"].(string))
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(raw))
	if err != nil || m.Bounds().Dx() != 30 {
		t.Fatalf("not the picture: %v %v", m, err)
	}
	size := b.Metadata["image/png"].(map[string]any)
	if size["width"] != 30 || size["height"] != 20 {
		t.Errorf("metadata %v", b.Metadata)
	}
	if b.Text() != "(image, 30 x 20 pixels)" {
		t.Errorf("text %q", b.Text())
	}
	if got := Of(image.NewGray(image.Rectangle{})).Text(); !strings.Contains(got, "png") {
		t.Errorf("an empty picture says %q", got)
	}
}

func TestConstructors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.txt")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got  Data
		mime string
		want string
		text string
	}{
		{SVG("<svg/>"), "image/svg+xml", "<svg/>", "<svg/>"},
		{PNG([]byte{1}), "image/png", "AQ==", "(image/png, 1 bytes)"},
		{JPEG([]byte{1}), "image/jpeg", "AQ==", "(image/jpeg, 1 bytes)"},
		{PDF([]byte{1}), "application/pdf", "AQ==", "(application/pdf, 1 bytes)"},
		{Markdown("*a*"), "text/markdown", "*a*", "*a*"},
		{Math("x^2"), "text/latex", "$$x^2$$", "x^2"},
		{Latex("$x^2$"), "text/latex", "$x^2$", "$x^2$"},
		{JavaScript("f()"), "application/javascript", "f()", "f()"},
		{File("", file), "text/plain", "hello", "hello"},
		{File("text/markdown", file), "text/markdown", "hello", "hello"},
		{Any("text/html", strings.NewReader("<p>")), "text/html", "<p>", "<p>"},
		{Any("text/html", bytes.NewBufferString("<p>")), "text/html", "<p>", "<p>"},
		{Auto(htmlAndSVG{}), "text/html", "<b>x</b>", "x"},
		{Auto(5), "text/plain", "5", "5"},
		{Auto([]byte("\x89PNG\x0D\x0A\x1A\x0A")), "image/png", "iVBORw0KGgo=", "(image/png, 8 bytes)"},
		{File("", file+"-missing"), "text/plain", "display.File: open " + file + "-missing: no such file or directory", "display.File: open " + file + "-missing: no such file or directory"},
	} {
		b := Of(c.got)
		if b == nil || b.Data[c.mime] != c.want || b.Text() != c.text {
			t.Errorf("got %+v, want %s %q and text %q", b, c.mime, c.want, c.text)
		}
	}
	if b := Of(JSON(map[string]any{"a": 1})); !reflect.DeepEqual(b.Data["application/json"], map[string]any{"a": 1}) {
		t.Errorf("JSON: %v", b.Data)
	}
	if b := Of(Data{Data: MIMEMap{"text/plain": "v"}, Transient: MIMEMap{"display_id": "bar"}}); b.ID != "bar" {
		t.Errorf("display_id: %+v", b)
	}
}

func TestBundleTravels(t *testing.T) {
	in := Bundle{
		Data: map[string]any{
			"application/json": map[string]any{"list": []any{1, "two", nil}, "big": int64(9007199254740993)},
			"image/png":        []byte{0xff},
			"text/plain":       "t",
			"x/func":           func() {},
		},
		Metadata: map[string]any{"image/png": map[string]any{"width": 5}},
		ID:       "id", Update: true,
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(&in); err != nil {
		t.Fatal(err)
	}
	var out Bundle
	if err := gob.NewDecoder(&buf).Decode(&out); err != nil {
		t.Fatal(err)
	}
	if out.ID != "id" || !out.Update || out.Data["image/png"] != "/w==" {
		t.Errorf("got %+v", out)
	}
	if !strings.HasPrefix(out.Text(), "t\n(x/func cannot be shown: json: unsupported type") {
		t.Errorf("text %q", out.Text())
	}
	if got := out.Data["application/json"].(map[string]any)["big"]; got != json.Number("9007199254740993") {
		t.Errorf("a large number became %v", got)
	}
	if _, err := json.Marshal(out); err != nil {
		t.Error(err)
	}
}

type frame struct{ update bool }

func (f frame) MIMEBundle() (data, metadata map[string]any) {
	return map[string]any{"text/plain": "frame"}, nil
}
func (f frame) DisplayID() (string, bool) { return "film", f.update }

func TestDisplaysThatAreReplaced(t *testing.T) {
	for _, update := range []bool{false, true} {
		if b := Of(frame{update}); b.ID != "film" || b.Update != update || b.Text() != "frame" {
			t.Errorf("update %v gives %+v", update, b)
		}
	}
}
