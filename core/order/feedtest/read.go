package feedtest

import (
	"reflect"
	"time"

	"fanli/core/order"
)

// window returns the window of a scene.
func window(sc order.Scene, from, to time.Time) order.Window {
	return order.Window{Scene: sc.Name, From: from, To: to}
}

// read returns all revisions of one scene with from ≤ t < to, in windows as long
// as the scene allows. No row may be bad.
func (w *world) read(sc order.Scene, from, to time.Time) []order.Revision {
	w.t.Helper()
	var all []order.Revision
	for from.Before(to) {
		end := from.Add(sc.Window)
		if end.After(to) {
			end = to
		}
		revs, bad, err := All(w.t.Context(), w.Feed, window(sc, from, end))
		if err != nil {
			w.t.Fatalf("reading %s: %v", sc.Name, err)
		}
		for _, b := range bad {
			w.t.Errorf("%s: bad row %s: %v", sc.Name, b.Raw, b.Err)
		}
		all = append(all, revs...)
		from = end
	}
	return all
}

// now returns the current second: the end of the last closed window.
func (w *world) now() time.Time { return w.Now().Truncate(time.Second) }

// ids returns the lines that revisions speak of.
func ids(revs []order.Revision) map[string]bool {
	out := map[string]bool{}
	for _, r := range revs {
		out[r.Key.ID] = true
	}
	return out
}

// sighting is what the feed says about one line now: the newest revision of each
// aspect.
type sighting map[order.Aspect]order.Revision

// see reads everything since the world began and returns what is said about the
// line.
func (w *world) see(id string) sighting {
	w.t.Helper()
	s := sighting{}
	for _, sc := range w.Feed.Scenes() {
		for _, r := range w.read(sc, w.began, w.now()) {
			if r.Key.ID != id {
				continue
			}
			if old, ok := s[r.Aspect]; !ok || !r.Modified.Before(old.Modified) {
				s[r.Aspect] = r
			}
		}
	}
	return s
}

// bare returns r without its raw row: the part that must be equal when the same
// state is read twice.
func bare(r order.Revision) order.Revision {
	r.Raw = nil
	return r
}

// same reports whether two revisions say the same thing.
func same(a, b order.Revision) bool {
	for _, f := range []func(*order.Revision) *time.Time{
		func(r *order.Revision) *time.Time { return &r.Clicked },
		func(r *order.Revision) *time.Time { return &r.Created },
		func(r *order.Revision) *time.Time { return &r.PaidAt },
		func(r *order.Revision) *time.Time { return &r.ReceivedAt },
		func(r *order.Revision) *time.Time { return &r.SettledAt },
		func(r *order.Revision) *time.Time { return &r.SettlesOn },
		func(r *order.Revision) *time.Time { return &r.Modified },
	} {
		if !f(&a).Equal(*f(&b)) {
			return false
		}
		*f(&a), *f(&b) = time.Time{}, time.Time{}
	}
	return reflect.DeepEqual(bare(a), bare(b))
}
