package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
)

const (
	// askedMax bounds the lines that an asking holds in memory.
	askedMax = 200_000
	// pagesMax bounds the pages of one window; a feed that goes on for ever is a
	// defect.
	pagesMax = 10_000
	// windowMin is the shortest window that is asked for when networks find longer
	// ones too full.
	windowMin = time.Minute
	// keepsMargin is what is not relied upon at the far end of a network's memory.
	keepsMargin = 10 * time.Minute
)

// An Asking asks a network, by its own calls, what it settled in a period. It
// changes nothing, here or there, and can go on where a call failed.
type Asking struct {
	Feed   order.Settler
	Period Period
	Now    func() time.Time
	Told   func(order.Window) // hears of each window that was read; optional

	Windows int // read so far

	begun bool
	left  []order.Stretch // the first from where it goes on
	width time.Duration   // of the next window; 0: as long as may be
	seen  map[string]*order.Sighting
	bad   []Row
}

// Run reads what is left to be read. It fails with what the network fails with;
// then it may be called again, and goes on with the window that failed. It fails
// with fault.Invalid where the network does not answer for that time any more, or
// at all.
func (a *Asking) Run(ctx context.Context) error {
	if !a.begun {
		if err := a.begin(); err != nil {
			return err
		}
	}
	for len(a.left) > 0 {
		s := &a.left[0]
		w := order.Window{Scene: s.Scene.Name, From: s.From, To: s.To}
		if a.width == 0 || a.width > s.Scene.Window {
			a.width = s.Scene.Window
		}
		if to := s.From.Add(a.width); to.Before(w.To) {
			w.To = to
		}
		err := a.window(ctx, w)
		if fault.Is(err, fault.Invalid) && a.halve(w, fault.ReasonOf(err)) {
			continue
		}
		if err != nil {
			return err
		}
		if a.Windows++; a.Told != nil {
			a.Told(w)
		}
		a.width = min(2*a.width, s.Scene.Window)
		if s.From = w.To; !s.From.Before(s.To) {
			a.left = a.left[1:]
		}
	}
	return nil
}

// begin finds out what has to be read.
func (a *Asking) begin() error {
	now := a.Now().Truncate(time.Second)
	name := a.Feed.Network() + "/" + a.Feed.Account()
	if !a.Period.From.Before(now) {
		return fault.Newf(fault.Invalid, "", "%s has not begun", a.Period.Name)
	}
	all := a.Feed.Settled(a.Period.From, a.Period.To, now)
	if len(all) == 0 {
		return fault.Newf(fault.Invalid, "", "%s cannot be asked what it has settled: a file is needed", name)
	}
	for _, s := range all {
		if oldest := now.Add(keepsMargin - s.Scene.Keeps); s.From.Before(oldest) {
			return fault.Newf(fault.Invalid, "", "%s would have to be asked from %s on and answers from %s on: a file is needed",
				name, s.From.Format(time.DateOnly), oldest.Format(time.DateOnly))
		}
		if s.To.After(now) {
			s.To = now
		}
		if s.From.Before(s.To) {
			a.left = append(a.left, s)
		}
	}
	a.seen, a.begun = map[string]*order.Sighting{}, true
	return nil
}

// window reads all pages of a window, and takes them only together.
func (a *Asking) window(ctx context.Context, w order.Window) error {
	var revs []order.Revision
	var bad []Row
	cursor := ""
	for range pagesMax {
		page, err := a.Feed.Pull(ctx, w, cursor)
		if err != nil {
			return err
		}
		revs = append(revs, page.Revisions...)
		for _, b := range page.Bad {
			bad = append(bad, Row{Key: b.Key.ID, Raw: string(b.Raw), Bad: b.Err.Error()})
		}
		if cursor = page.Next; cursor == "" {
			return a.take(revs, bad)
		}
	}
	return fault.Newf(fault.Internal, "feed.endless", "window %v has more than %d pages", w, pagesMax)
}

func (a *Asking) take(revs []order.Revision, bad []Row) error {
	for _, r := range revs {
		s := a.seen[r.Key.ID]
		if s == nil {
			s = &order.Sighting{}
			a.seen[r.Key.ID] = s
		}
		s.Take(r)
	}
	for _, b := range bad {
		if !slices.ContainsFunc(a.bad, func(o Row) bool { return o.Raw == b.Raw }) { // rows may come twice
			a.bad = append(a.bad, b)
		}
	}
	if n := len(a.seen) + len(a.bad); n > askedMax {
		return fault.Newf(fault.Invalid, "", "more than %d lines: ask for days, or take a file", askedMax)
	}
	return nil
}

// halve makes windows shorter than w where the network says so.
func (a *Asking) halve(w order.Window, reason string) bool {
	length := w.To.Sub(w.From)
	if reason != "feed.window_too_full" && reason != "feed.window_too_long" || length <= windowMin {
		return false
	}
	a.width = max((length / 2).Truncate(time.Second), windowMin)
	return true
}

// Lines is how many lines were seen, whatever has become of them.
func (a *Asking) Lines() int { return len(a.seen) }

// Rows returns what was settled in the period, as the network has it now, and in
// what else it contradicts what known has of that period, in the order of keys.
func (a *Asking) Rows(ctx context.Context, known Lines) (Rows, error) {
	now := a.Now()
	var out []Row
	var others []string
	for _, id := range slices.Sorted(maps.Keys(a.seen)) {
		f, ok := a.seen[id].Facts(now)
		switch {
		case !ok: // a refund of what was settled at another time
		case f.State == order.Settled && a.Period.has(f.SettledAt, 0):
			out = append(out, told(id, f))
		default:
			others = append(others, id)
		}
	}
	for ids := range slices.Chunk(others, pageMax) {
		ls, err := known.Known(ctx, a.Feed.Network(), a.Feed.Account(), ids)
		if err != nil {
			return nil, err
		}
		for _, l := range ls {
			if l.State == order.Settled && a.Period.has(l.SettledAt, 0) {
				f, _ := a.seen[l.ID].Facts(now)
				out = append(out, told(l.ID, f))
			}
		}
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Compare(a.Key, b.Key) })
	out = append(out, a.bad...)
	for i := range out {
		out[i].Number = i + 1
	}
	return listed(out), nil
}

// told is a line as the network tells it. What is not settled brings nothing.
func told(id string, f order.Facts) Row {
	r := Row{Key: id, Price: f.Price, Refund: f.Refunded, HasPrice: true, HasRefund: true, State: string(f.State)}
	if f.State == order.Settled {
		r.Sum, r.At = f.Commission, f.SettledAt
	}
	r.Raw = fmt.Sprintf("%s %s %s %s %s %s", id, r.Sum, r.Price, r.Refund, r.State, r.At.UTC().Format(time.RFC3339))
	return r
}

// listed is a book that is in memory.
func listed(rows []Row) Rows {
	return func() iter.Seq2[Row, error] {
		return func(yield func(Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}
