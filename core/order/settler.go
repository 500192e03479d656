package order

import "time"

// A Settler is a [Feed] whose network can be asked what it has settled.
type Settler interface {
	Feed

	// Settled says what has to be read, with Pull, to see every line that was settled
	// in from ≤ t < to, and what was given back of it, as the network has it now.
	// Other lines may come, too. It returns nothing where the network cannot be asked.
	Settled(from, to, now time.Time) []Stretch
}

// A Stretch is a part of a stream: From ≤ t < To. The stream need not be one of
// [Feed.Scenes], and the part may be longer than a window.
type Stretch struct {
	Scene    Scene
	From, To time.Time
}

// A Sighting is what a network says of a line that need not be in our book: the
// newest revision of each aspect, whatever the order in which they came.
type Sighting struct{ whole, back *Register }

// Take lets the sighting learn a revision. Only what the line's facts depend on is
// kept of it.
func (s *Sighting) Take(r Revision) {
	reg := &s.whole
	if r.Aspect == Return {
		reg = &s.back
	}
	r = normal(r)
	if h := sum(r); newer(*reg, r, h) {
		*reg = &Register{Hash: h, Revision: Revision{
			Aspect: r.Aspect, State: r.State, Why: r.Why, Price: r.Price, Refunded: r.Refunded, Estimated: r.Estimated, Actual: r.Actual,
			Claimed: r.Claimed, ActualKnown: r.ActualKnown, Unsaid: r.Unsaid, Disputed: r.Disputed, SettledAt: r.SettledAt,
			SettlesOn: r.SettlesOn, Modified: r.Modified,
		}}
	}
}

// Facts are what our book would have of the line at a time, if it had seen what
// the sighting has. ok is false while only a refund was seen.
func (s *Sighting) Facts(now time.Time) (f Facts, ok bool) {
	return facts(s.whole, s.back, now), s.whole != nil
}
