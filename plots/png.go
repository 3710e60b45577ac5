package plots

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// encodePNG writes an opaque picture with a palette of 256 colours. A chart has few
// colours and their blends along edges, so nobody sees the difference, and it is a
// third of the size and time of full colour.
func encodePNG(img image.Image) ([]byte, error) {
	src, ok := img.(*image.RGBA)
	if !ok {
		return nil, fmt.Errorf("encoding the PNG: the canvas is a %T", img)
	}
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&buf, reduce(src)); err != nil {
		return nil, fmt.Errorf("encoding the PNG: %w", err)
	}
	return buf.Bytes(), nil
}

// reduce takes the 256 most frequent colours, and for each other one the nearest of
// these.
func reduce(src *image.RGBA) *image.Paletted {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	at := func(row []byte, x int) uint32 {
		return uint32(row[4*x])<<16 | uint32(row[4*x+1])<<8 | uint32(row[4*x+2])
	}
	type run struct {
		colour uint32
		n      int
	}
	// Pictures of this kind are long runs of one colour.
	var runs []run
	count := map[uint32]int{}
	for y := range h {
		row := src.Pix[y*src.Stride : y*src.Stride+4*w]
		for x := 0; x < w; {
			c, from := at(row, x), x
			for x < w && at(row, x) == c {
				x++
			}
			runs = append(runs, run{c, x - from})
			count[c] += x - from
		}
	}
	colours := make([]uint32, 0, len(count))
	for c := range count {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b uint32) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	index := make(map[uint32]uint8, len(colours))
	kept := colours[:min(256, len(colours))]
	palette := make(color.Palette, len(kept))
	for i, c := range kept {
		index[c] = uint8(i)
		palette[i] = color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 0xff}
	}
	for _, c := range colours[len(kept):] {
		best := uint32(1 << 31)
		for i, k := range kept {
			if d := apart(c, k); d < best {
				best, index[c] = d, uint8(i)
			}
		}
	}
	dst := image.NewPaletted(image.Rect(0, 0, w, h), palette)
	pix := dst.Pix
	for _, r := range runs {
		i := index[r.colour]
		for j := range r.n {
			pix[j] = i
		}
		pix = pix[r.n:]
	}
	return dst
}

// apart is the square of the distance of two colours.
func apart(a, b uint32) uint32 {
	d := func(shift int) uint32 {
		x := int32(a>>shift&0xff) - int32(b>>shift&0xff)
		return uint32(x * x)
	}
	return d(16) + d(8) + d(0)
}
