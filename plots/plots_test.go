package plots

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paragopher/paragopher/parallel/timing"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

func samples(unit time.Duration, xs ...float64) (ds []time.Duration) {
	for _, x := range xs {
		ds = append(ds, time.Duration(x*float64(unit)))
	}
	return ds
}

func report(cases ...timing.Measured) *timing.Report {
	return &timing.Report{Cases: cases, CPUs: 2, Go: "go1.26", System: "linux/amd64", LoadBefore: 0.4, LoadAfter: 0.6}
}

// charts are the pictures that are looked at and compared.
var charts = []struct {
	name string
	r    *timing.Report
	opts []Option
}{
	{"two", report(
		timing.Measured{Name: "serial", Samples: samples(time.Second, 1.01, 1.0, 1.02, 0.99, 1.0, 1.05, 1.0)},
		timing.Measured{Name: "two processes", Samples: samples(time.Second, 0.52, 0.53, 0.51, 0.55, 0.52, 0.53, 0.61)}),
		[]Option{Title("Counting primes, one after the other and side by side")}},
	{"two-ko", report(
		timing.Measured{Name: "차례로", Samples: samples(time.Second, 1.01, 1.0, 1.02, 0.99, 1.0, 1.05, 1.0)},
		timing.Measured{Name: "프로세스 두 개", Samples: samples(time.Second, 0.52, 0.53, 0.51, 0.55, 0.52, 0.53, 0.61)}),
		[]Option{Title("소수 세기: 차례로 할 때와 나란히 할 때"), Lang("ko")}},
	{"many", report(
		timing.Measured{Name: "serial", Samples: samples(time.Millisecond, 31, 32, 30, 33)},
		timing.Measured{Name: "2 workers", Samples: samples(time.Millisecond, 16, 17, 16.5, 30)},
		timing.Measured{Name: "4 workers", Samples: samples(time.Millisecond, 16.2, 16.9, 16.1, 17)},
		timing.Measured{Name: "8 workers, each of which has a name that is far too long to be written beside its bar", Samples: samples(time.Millisecond, 17, 18, 18, 19)},
		timing.Measured{Name: "one sample", Samples: samples(time.Millisecond, 25)},
		timing.Measured{Name: "as before", Samples: samples(time.Millisecond, 31, 30.5, 32, 31.5)}), nil},
}

func TestGolden(t *testing.T) {
	for _, c := range charts {
		t.Run(c.name, func(t *testing.T) {
			got, err := Compare(c.r, c.opts...).PNG(1)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", c.name+".png")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(t, got, want); d > 0.002 {
				t.Errorf("%.2f %% of the picture differs from %s; look, and run with -update", 100*d, file)
			}
		})
	}
}

// difference is the part of pixels that differ by more than rounding.
func difference(t *testing.T, a, b []byte) float64 {
	x, y := decodePNG(t, a), decodePNG(t, b)
	if x.Bounds() != y.Bounds() {
		return 1
	}
	n, all := 0, 0
	for i := x.Bounds().Min.X; i < x.Bounds().Max.X; i++ {
		for j := x.Bounds().Min.Y; j < x.Bounds().Max.Y; j++ {
			r, g, b, _ := x.At(i, j).RGBA()
			r2, g2, b2, _ := y.At(i, j).RGBA()
			if math.Abs(float64(r)-float64(r2))+math.Abs(float64(g)-float64(g2))+math.Abs(float64(b)-float64(b2)) > 0x3000 {
				n++
			}
			all++
		}
	}
	return float64(n) / float64(all)
}

func decodePNG(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestSVGIsWellFormedAndReadable(t *testing.T) {
	f := Compare(charts[1].r, charts[1].opts...)
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if len(svg) > 20<<10 {
		t.Errorf("%d bytes, want at most 20 KB", len(svg))
	}
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := dec.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`role="img"`, "<title>소수 세기", "<desc>", "프로세스 두 개</text>", "textLength=", "1.89배 빠름"} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("the SVG lacks %q", want)
		}
	}
	again, _ := f.SVG()
	if !bytes.Equal(svg, again) {
		t.Error("the same figure gives another SVG")
	}
}

func TestBundle(t *testing.T) {
	data, metadata := Compare(charts[0].r).MIMEBundle()
	if got := data["text/plain"]; got != "two processes: 1.89× faster than serial (0.53 s against 1.00 s, median of 7 runs)" {
		t.Errorf("the sentence is %q", got)
	}
	raw, err := base64.StdEncoding.DecodeString(data["image/png"].(string))
	if err != nil {
		t.Fatal(err)
	}
	img := decodePNG(t, raw)
	size := metadata["image/png"].(map[string]any)
	if img.Bounds().Dx() != int(2*size["width"].(float64)) || len(raw) > 70<<10 {
		t.Errorf("%v pixels for %v, %d bytes", img.Bounds(), size, len(raw))
	}
}

func TestSentences(t *testing.T) {
	same := report(timing.Measured{Name: "a", Samples: samples(time.Millisecond, 10, 12, 9)}, timing.Measured{Name: "b", Samples: samples(time.Millisecond, 11, 9.5, 12)})
	slower := report(timing.Measured{Name: "a", Samples: samples(time.Millisecond, 10, 10, 10)}, timing.Measured{Name: "b", Samples: samples(time.Millisecond, 30, 30, 30)})
	tests := []struct{ got, want string }{
		{Compare(same).Text(), "b: no difference seen from a (11.0 ms against 10.0 ms, median of 3 runs)"},
		{Compare(same, Lang("ko")).Text(), "b: a 대비 차이가 보이지 않음 (11.0 ms 대 10.0 ms, 3회 실행의 중앙값)"},
		{Compare(slower).Text(), "b: 3.00× slower than a (30.0 ms against 10.0 ms, median of 3 runs)"},
		{Compare(slower, Lang("ko")).Text(), "b: a보다 3.00배 느림 (30.0 ms 대 10.0 ms, 3회 실행의 중앙값)"},
		{Compare(report(same.Cases[0])).Text(), "a: 10.0 ms (median of 3 runs)"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf(" got %s\nwant %s", test.got, test.want)
		}
	}
}

func TestBadInput(t *testing.T) {
	good := charts[0].r
	for want, f := range map[string]*Figure{
		"there is no report":                      Compare(nil),
		"the report has no cases":                 Compare(&timing.Report{}),
		`case "a" has no samples`:                 Compare(report(timing.Measured{Name: "a"})),
		`case "a" has a sample of -1ns`:           Compare(report(timing.Measured{Name: "a", Samples: []time.Duration{-1}})),
		"two cases are named":                     Compare(timing.Compare(timing.Case{Name: "x", Run: func() {}}, timing.Case{Name: "x", Run: func() {}})),
		`there is no language "xx"`:               Compare(good, Lang("xx")),
		"a size of 5 by 0 pixels is not possible": Compare(good, Size(5, 0)),
		"a size of NaN by 0":                      Compare(good, Size(math.NaN(), 0)),
		"the figure is empty":                     {},
	} {
		if f.Err() == nil || !strings.Contains(f.Err().Error(), want) {
			t.Errorf("Err is %v, want %q", f.Err(), want)
		}
		data, _ := f.MIMEBundle()
		if len(data) != 1 || !strings.Contains(data["text/plain"].(string), want) {
			t.Errorf("the bundle is %v, want the error %q", data, want)
		}
		if _, err := f.PNG(2); err == nil {
			t.Errorf("%s: PNG succeeds", want)
		}
	}
	if _, err := Compare(good).PNG(100); err == nil {
		t.Error("a scale of 100 succeeds")
	}
}

// Odd but possible reports give a picture with something on it.
func TestOddInput(t *testing.T) {
	crowd := report()
	for i := range 200 {
		crowd.Cases = append(crowd.Cases, timing.Measured{Name: fmt.Sprint("case ", i), Samples: samples(time.Microsecond, float64(i), float64(i+1))})
	}
	many := timing.Measured{Name: "many"}
	for i := range 10000 {
		many.Samples = append(many.Samples, time.Duration(i))
	}
	for name, r := range map[string]*timing.Report{
		"zero":       report(timing.Measured{Name: "a", Samples: samples(1, 0, 0, 0)}, timing.Measured{Name: "b", Samples: samples(1, 0)}),
		"one sample": report(timing.Measured{Name: "a", Samples: samples(time.Second, 1)}),
		"long names": report(timing.Measured{Name: strings.Repeat("긴 이름 ", 60), Samples: samples(time.Second, 1)}),
		"no glyphs":  report(timing.Measured{Name: "日本語 🙂\x00<&>", Samples: samples(time.Second, 1)}),
		"hours":      report(timing.Measured{Name: "a", Samples: samples(time.Hour, 1, 2000)}),
		"crowd":      crowd,
		"many":       report(many),
	} {
		f := Compare(r)
		img, err := f.PNG(1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(img) < 3000 {
			t.Errorf("%s: a PNG of %d bytes is blank", name, len(img))
		}
		svg, err := f.SVG()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "no glyphs" && !strings.Contains(string(svg), "□□□ □") {
			t.Errorf("missing glyphs leave no trace:\n%s", svg)
		}
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	f := Compare(charts[0].r)
	for _, name := range []string{"a.svg", "b.PNG"} {
		if err := f.Save(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if err := f.Save(filepath.Join(dir, "c.gif")); err == nil || !strings.Contains(err.Error(), "must end in .svg or .png") {
		t.Errorf("a GIF: %v", err)
	}
	if err := f.Save(filepath.Join(dir, "nowhere", "d.svg")); err == nil {
		t.Error("a folder that is not there is no error")
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("%d files in the folder, want 2", len(entries))
	}
}

func BenchmarkSVG(b *testing.B) {
	f := Compare(charts[0].r)
	for b.Loop() {
		f.SVG()
	}
}

func BenchmarkPNG(b *testing.B) {
	f := Compare(charts[0].r)
	for b.Loop() {
		f.PNG(2)
	}
}
