// Package chart draws figures as a picture, for people who read reports in a chat.
//
// Texts are in ASCII: the font is a small one that is compiled in, so that the
// picture is the same on every machine.
package chart

import (
	"image"
	"image/color"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// A Bar is one figure. Length is its size beside the others; below zero counts as
// zero.
type Bar struct {
	Label, Value string
	Length       int64
	Wrong        bool // drawn in the colour of what needs attention
}

// Sizes before the picture is doubled.
const (
	width     = 520
	margin    = 14
	rowHeight = 22
	labelWide = 190
	valueWide = 130
	glyphWide = 7
	barsMax   = 60
	scale     = 2
)

var (
	ink   = color.RGBA{0x1f, 0x29, 0x33, 0xff}
	calm  = color.RGBA{0x2f, 0x9e, 0x6e, 0xff}
	alert = color.RGBA{0xd6, 0x45, 0x45, 0xff}
	faint = color.RGBA{0xe8, 0xec, 0xf0, 0xff}
)

// Bars draws a title and bars, at most barsMax of them, as PNG.
func Bars(w io.Writer, title string, bars []Bar) error {
	bars = bars[:min(len(bars), barsMax)]
	small := image.NewRGBA(image.Rect(0, 0, width, 2*margin+rowHeight*(len(bars)+1)))
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	write(small, margin, margin+rowHeight/2, title, width-2*margin)
	longest := int64(1)
	for _, b := range bars {
		longest = max(longest, b.Length)
	}
	for i, b := range bars {
		top := margin + rowHeight*(i+1)
		write(small, margin, top+rowHeight-8, b.Label, labelWide-glyphWide)
		left, room := margin+labelWide, width-2*margin-labelWide-valueWide
		fill(small, image.Rect(left, top+4, left+room, top+rowHeight-4), faint)
		c := calm
		if b.Wrong {
			c = alert
		}
		fill(small, image.Rect(left, top+4, left+share(b.Length, longest, room), top+rowHeight-4), c)
		write(small, left+room+glyphWide, top+rowHeight-8, b.Value, valueWide-glyphWide)
	}
	big := image.NewRGBA(image.Rect(0, 0, small.Bounds().Dx()*scale, small.Bounds().Dy()*scale))
	draw.NearestNeighbor.Scale(big, big.Bounds(), small, small.Bounds(), draw.Src, nil)
	return png.Encode(w, big)
}

// share is n of all as a part of room; what is not nothing is seen.
func share(n, all int64, room int) int {
	if n <= 0 {
		return 0
	}
	for all > 1<<32 { // so that the product fits
		n, all = n>>1, all>>1
	}
	return max(2, int(n*int64(room)/all))
}

func fill(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// write writes a text that is cut where there is no more room.
func write(img *image.RGBA, x, y int, text string, room int) {
	runes := []rune(text)
	runes = runes[:min(len(runes), room/glyphWide)]
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	d.DrawString(string(runes))
}
