package main

import (
	"bytes"

	"fanli/adapters/chart"
	"fanli/core/desk"
	"fanli/core/money"
)

// reportPicture draws the sums of a day's report; nil for what has none.
func reportPicture(a desk.News) []byte {
	if a.What != desk.DayOver {
		return nil
	}
	title := "fanli"
	var bars []chart.Bar
	for _, i := range a.Items {
		if i.Title == desk.LDay {
			title += " " + i.ID
		}
		of := i.ID
		if of == "" {
			of = string(i.Title)
		}
		for _, f := range i.Fields {
			if f.Kind == desk.Amount {
				bars = append(bars, chart.Bar{
					Label: of + " " + string(f.Label), Value: money.Fen(f.N).String(), Length: f.N, Wrong: f.Label == desk.LClawed && f.N > 0,
				})
			}
		}
	}
	if len(bars) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := chart.Bars(&b, title, bars); err != nil {
		return nil // the text says the same
	}
	return b.Bytes()
}
