package chart_test

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"fanli/adapters/chart"
)

// TestBars reads the picture back: bars are as long as their figures, what is
// wrong is red, and what does not fit does no harm.
func TestBars(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := chart.Bars(&b, strings.Repeat("network/jd/main 2026-10 ", 20), []chart.Bar{
		{Label: "matched", Value: "10", Length: 10},
		{Label: "differs", Value: "5", Length: 5, Wrong: true},
		{Label: "none", Value: "0", Length: 0, Wrong: true},
		{Label: strings.Repeat("x", 1000), Value: "-3", Length: -3},
	})
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	count := func(row int, red bool) (n int) {
		y := 2 * (14 + 22*row + 11)
		for x := range img.Bounds().Dx() {
			r, g, _, _ := img.At(x, y).RGBA()
			if red && r>>8 == 0xd6 && g>>8 == 0x45 || !red && r>>8 == 0x2f && g>>8 == 0x9e {
				n++
			}
		}
		return n
	}
	matched, differs := count(1, false), count(2, true)
	if matched == 0 || differs == 0 || matched/2-differs > 2 || differs-matched/2 > 2 {
		t.Errorf("10 is %d wide and 5 is %d", matched, differs)
	}
	for row := 3; row <= 4; row++ {
		if n := count(row, true) + count(row, false); n != 0 {
			t.Errorf("bar %d of nothing is %d wide", row, n)
		}
	}
}

func TestManyBarsAndBigFigures(t *testing.T) {
	t.Parallel()
	bars := make([]chart.Bar, 1000)
	for i := range bars {
		bars[i] = chart.Bar{Label: "x", Length: 1 << 62}
	}
	var b bytes.Buffer
	if err := chart.Bars(&b, "many", bars); err != nil {
		t.Fatal(err)
	}
	c, err := png.DecodeConfig(&b)
	if err != nil || c.Height > 3000 {
		t.Errorf("%v, %d high", err, c.Height)
	}
}
