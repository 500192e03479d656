package mailtest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/post"
)

// Sweep implements post.Store.
func (s *Store) Sweep(ctx context.Context, now, done, dead time.Time, count int) (n int, err error) {
	err = s.in(ctx, "sweep", func() error {
		for _, o := range s.letters {
			if o.state.Open() && o.At.Before(done) {
				o.state, o.reason, o.ended = post.GivenUp, post.Abandoned, now
			}
		}
		for _, o := range s.parcels {
			if o.State.Open() && o.Expires.Before(done) {
				o.State, o.Reason, o.ended = post.GivenUp, post.Abandoned, now
			}
		}
		old := func(state post.State, ended time.Time) bool {
			return !state.Open() && (state.Dead() && ended.Before(dead) || !state.Dead() && ended.Before(done))
		}
		letters, parcels := 0, 0
		s.letters = slices.DeleteFunc(s.letters, func(o *letter) bool {
			gone := letters < count && old(o.state, o.ended)
			if gone {
				letters++
			}
			return gone
		})
		s.parcels = slices.DeleteFunc(s.parcels, func(o *parcel) bool {
			gone := parcels < count && old(o.State, o.ended)
			if gone {
				parcels++
			}
			return gone
		})
		n = letters + parcels
		return nil
	})
	return n, err
}

func (o *letter) item() post.Item {
	return post.Item{Side: post.In, Seq: o.Seq, Key: o.ID, Channel: o.Channel, State: o.state, Reason: o.reason, Tries: o.Tries, At: o.At, Ended: o.ended}
}

func (o *parcel) item() post.Item {
	return post.Item{
		Side: post.Out, Seq: o.Seq, Key: o.Key, Channel: o.Channel, State: o.State, Reason: o.Reason, Tries: o.Tries, Parts: o.Parts, Doubt: o.Doubt,
		At: o.At, Expires: o.Expires, Ended: o.ended,
	}
}

func (s *Store) items(side post.Side) (out []post.Item) {
	if side == post.In {
		for _, o := range s.letters {
			out = append(out, o.item())
		}
		return out
	}
	for _, o := range s.parcels {
		out = append(out, o.item())
	}
	return out
}

// Items implements post.Desk.
func (s *Store) Items(_ context.Context, f post.Filter) (out []post.Item, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.items(f.Side) {
		if i.Seq > f.After && (f.Channel == "" || i.Channel == f.Channel) && len(out) < f.Count && (f.Dead && i.State.Dead() || !f.Dead && i.State.Open()) {
			out = append(out, i)
		}
	}
	return out, nil
}

// Item implements post.Desk.
func (s *Store) Item(_ context.Context, side post.Side, seq int64) (post.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.items(side) {
		if i.Seq == seq {
			return i, nil
		}
	}
	return post.Item{}, fault.New(fault.NotFound, "")
}

// Read implements post.Desk.
func (s *Store) Read(_ context.Context, side post.Side, seq int64, _ event.Event) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if side == post.In {
		for _, o := range s.letters {
			if o.Seq == seq {
				return o.Payload, nil
			}
		}
	}
	o, err := s.parcel(seq)
	if err != nil || side == post.In {
		return nil, fault.New(fault.NotFound, "")
	}
	return o.Body, nil
}

// Retry implements post.Desk.
func (s *Store) Retry(ctx context.Context, side post.Side, seq int64, now, expires time.Time, _ event.Event) error {
	return s.in(ctx, "retry", func() error {
		for _, o := range s.letters {
			if side == post.In && o.Seq == seq && o.state.Dead() {
				o.state, o.Tries, o.ended = post.Waiting, 0, time.Time{}
				s.due(post.In, o.Channel, o.Chat, now)
				return nil
			}
		}
		for _, o := range s.parcels {
			if side == post.Out && o.Seq == seq && o.State.Dead() {
				o.State, o.Tries, o.Expires, o.ended = post.Waiting, 0, expires, time.Time{}
				s.due(post.Out, o.Channel, o.Chat, now)
				return nil
			}
		}
		return fault.New(fault.NotFound, "")
	})
}

// Discard implements post.Desk.
func (s *Store) Discard(ctx context.Context, side post.Side, seq int64, _ event.Event) error {
	return s.in(ctx, "discard", func() error {
		before := len(s.letters) + len(s.parcels)
		s.letters = slices.DeleteFunc(s.letters, func(o *letter) bool { return side == post.In && o.Seq == seq && o.state.Dead() })
		s.parcels = slices.DeleteFunc(s.parcels, func(o *parcel) bool { return side == post.Out && o.Seq == seq && o.State.Dead() })
		if len(s.letters)+len(s.parcels) == before {
			return fault.New(fault.NotFound, "")
		}
		return nil
	})
}

// Depths implements post.Desk.
func (s *Store) Depths(context.Context) ([]post.Depth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []post.Depth
	for _, side := range []post.Side{post.In, post.Out} {
		for _, i := range s.items(side) {
			if !i.State.Open() && !i.State.Dead() {
				continue
			}
			at := slices.IndexFunc(out, func(d post.Depth) bool { return d.Channel == i.Channel && d.Side == side })
			if at < 0 {
				at = len(out)
				out = append(out, post.Depth{Channel: i.Channel, Side: side})
			}
			d := &out[at]
			if i.State.Dead() {
				d.Dead++
				continue
			}
			if d.Waiting++; d.Oldest.IsZero() || i.At.Before(d.Oldest) {
				d.Oldest = i.At
			}
		}
	}
	slices.SortFunc(out, func(a, b post.Depth) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Side, b.Side))
	})
	return out, nil
}
