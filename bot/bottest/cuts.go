package bottest

import (
	"maps"
	"slices"
	"time"

	"fanli/core/notify"
)

// cuts are what an inviter is to be told, and when they were.
type cuts struct {
	notify.Cuts
	told time.Time
}

func (t messageTx) AddCuts(cs []notify.Cuts) error {
	for _, c := range cs {
		x := t.cuts[c.User]
		x.User, x.Given, x.Taken, x.Debt, x.Lines = c.User, x.Given+c.Given, x.Taken+c.Taken, x.Debt+c.Debt, x.Lines+c.Lines
		if x.Since.IsZero() {
			x.Since = c.Since
		}
		t.cuts[c.User] = x
	}
	return nil
}

func (t messageTx) TakeCuts(now, since, told time.Time, count int) (out []notify.Cuts, err error) {
	for _, id := range slices.Sorted(maps.Keys(t.cuts)) {
		x := t.cuts[id]
		if x.Since.IsZero() || x.Since.After(since) || x.told.After(told) || len(out) == count {
			continue
		}
		out = append(out, x.Cuts)
		t.cuts[id] = cuts{told: now}
	}
	return out, nil
}
