// Package mailtest holds the promises of channels that use package mail as tests, and a
// store for them.
//
// A [Store] is in memory, passes storetest.Posts, and can die before and after each
// transaction. [Carrier] tries a channel's carrier: what arrives once arrives once,
// whatever happens in between.
package mailtest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/post"
)

// A Store keeps letters and parcels in memory.
type Store struct {
	// Hook is called around each transaction: "answer.begin", before which nothing of it
	// is there, and "answer.committed", with all of it. Its error is returned; nil for none.
	Hook func(point string) error

	mu      sync.Mutex
	seq     int64
	letters []*letter
	parcels []*parcel
	lanes   map[lane]*claim
}

type letter struct {
	post.Letter
	state  post.State
	reason string
	ended  time.Time
}

type parcel struct {
	post.Parcel
	ended time.Time
}

// A lane is one side of a chat.
type lane struct {
	side          post.Side
	channel, chat string
}

type claim struct {
	lane
	due, until     time.Time
	turns          int
	parked, warned bool
	holder         string
}

var (
	_ post.Store = (*Store)(nil)
	_ post.Desk  = (*Store)(nil)
)

// in runs a transaction.
func (s *Store) in(ctx context.Context, op string, fn func() error) error {
	if err := s.hook(op + ".begin"); err != nil {
		return err
	}
	s.mu.Lock()
	err := ctx.Err()
	if err == nil {
		err = fn()
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.hook(op + ".committed")
}

func (s *Store) hook(point string) error {
	if s.Hook == nil {
		return nil
	}
	return s.Hook(point)
}

func (s *Store) lane(side post.Side, channel, chat string) *claim {
	k := lane{side, channel, chat}
	if s.lanes == nil {
		s.lanes = map[lane]*claim{}
	}
	if s.lanes[k] == nil {
		s.lanes[k] = &claim{lane: k}
	}
	return s.lanes[k]
}

func (s *Store) due(side post.Side, channel, chat string, now time.Time) {
	if l := s.lane(side, channel, chat); l.due.IsZero() {
		l.due, l.turns = now, 0
	}
}

// quiet reports whether nobody waits for anything that waits in a lane.
func (s *Store) quiet(l lane) bool {
	return l.side == post.Out && !slices.ContainsFunc(s.parcels, func(o *parcel) bool {
		return o.Channel == l.channel && o.Chat == l.chat && o.State.Open() && !o.Quiet
	})
}

// Receive implements post.Store.
func (s *Store) Receive(ctx context.Context, l post.Letter, most int) (r post.Receipt, err error) {
	err = s.in(ctx, "receive", func() error {
		n := 0
		for _, o := range s.letters {
			if o.Channel == l.Channel && o.ID == l.ID {
				r = post.Known
				return nil
			}
			if o.Channel == l.Channel && o.Chat == l.Chat && o.state.Open() {
				n++
			}
		}
		if r = post.Full; n >= most {
			return nil
		}
		r = post.Fresh
		s.seq++
		l.Seq, l.Payload, l.Tries = s.seq, slices.Clone(l.Payload), 0
		s.letters = append(s.letters, &letter{Letter: l, state: post.Waiting})
		s.due(post.In, l.Channel, l.Chat, l.At)
		if o := s.lane(post.Out, l.Channel, l.Chat); o.parked {
			o.parked, o.due = false, l.At
		}
		return nil
	})
	return r, err
}

// Warn implements post.Store.
func (s *Store) Warn(ctx context.Context, p post.Parcel) (warned bool, err error) {
	err = s.in(ctx, "warn", func() error {
		l := s.lane(post.In, p.Channel, p.Chat)
		warned = !l.warned
		if l.warned = true; warned {
			s.post(p.At, []post.Parcel{p})
		}
		return nil
	})
	return warned && err == nil, err
}

// claim gives a holder the lanes that are due.
func (s *Store) claim(side post.Side, channel string, c post.Claim) []*claim {
	var loud, quiet []*claim
	for _, l := range s.lanes {
		switch {
		case l.side != side || l.channel != channel || l.due.IsZero() || l.due.After(c.Now) || l.until.After(c.Now):
		case s.quiet(l.lane):
			quiet = append(quiet, l)
		default:
			loud = append(loud, l)
		}
	}
	inOrder := func(a, b *claim) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.turns, b.turns), cmp.Compare(a.chat, b.chat))
	}
	slices.SortFunc(loud, inOrder)
	slices.SortFunc(quiet, inOrder)
	out := loud[:min(len(loud), c.Count)]
	out = append(out, quiet[:min(len(quiet), c.Count-len(out), c.Quiet)]...)
	for _, l := range out {
		l.holder, l.until, l.parked = c.Holder, c.Until, false
	}
	return out
}

// ClaimLetters implements post.Store.
func (s *Store) ClaimLetters(ctx context.Context, channel string, c post.Claim) (out []post.Letter, err error) {
	err = s.in(ctx, "claim", func() error {
		for _, l := range s.claim(post.In, channel, c) {
			if o := s.firstLetter(l.lane); o != nil {
				out = append(out, o.Letter)
			} else {
				l.free(time.Time{})
			}
		}
		return nil
	})
	return out, err
}

func (s *Store) firstLetter(l lane) *letter {
	for _, o := range s.letters {
		if o.Channel == l.channel && o.Chat == l.chat && o.state.Open() {
			return o
		}
	}
	return nil
}

func (s *Store) firstParcel(l lane) *parcel {
	for _, o := range s.parcels {
		if o.Channel == l.channel && o.Chat == l.chat && o.State.Open() {
			return o
		}
	}
	return nil
}

// ClaimParcels implements post.Store.
func (s *Store) ClaimParcels(ctx context.Context, channel string, c post.Claim) (out []post.Parcel, err error) {
	err = s.in(ctx, "claim", func() error {
		for _, l := range s.claim(post.Out, channel, c) {
			if o := s.firstParcel(l.lane); o != nil {
				o.State = post.Sending
				out = append(out, o.Parcel)
			} else {
				l.free(time.Time{})
			}
		}
		return nil
	})
	return out, err
}

// free ends a claim.
func (l *claim) free(due time.Time) {
	l.holder, l.until, l.due = "", time.Time{}, due
	if l.turns++; due.IsZero() {
		l.turns, l.parked, l.warned = 0, false, false
	}
}

func (s *Store) held(holder string, side post.Side, channel, chat string) (*claim, error) {
	l := s.lane(side, channel, chat)
	if l.holder != holder {
		return nil, fault.New(fault.Conflict, "post.taken_over")
	}
	return l, nil
}

// Renew implements post.Store.
func (s *Store) Renew(ctx context.Context, holder string, until time.Time) error {
	return s.in(ctx, "renew", func() error {
		for _, l := range s.lanes {
			if l.holder == holder && l.until.Before(until) {
				l.until = until
			}
		}
		return nil
	})
}

// Release implements post.Store.
func (s *Store) Release(ctx context.Context, holder string, side post.Side, channel, chat string) error {
	return s.in(ctx, "release", func() error {
		l, err := s.held(holder, side, channel, chat)
		if err != nil {
			return nil //nolint:nilerr // it is somebody else's
		}
		l.holder, l.until = "", time.Time{}
		if o := s.firstParcel(l.lane); o != nil && side == post.Out {
			o.State = post.Waiting
		}
		return nil
	})
}

// Inherit implements post.Store.
func (s *Store) Inherit(ctx context.Context) error {
	return s.in(ctx, "inherit", func() error {
		for _, l := range s.lanes {
			l.holder, l.until = "", time.Time{}
		}
		return nil
	})
}

// Answer implements post.Store.
func (s *Store) Answer(ctx context.Context, holder string, l post.Letter, now time.Time, ps []post.Parcel) error {
	return s.in(ctx, "answer", func() error {
		return s.endLetter(holder, l, func(o *letter, c *claim) {
			o.state, o.Payload, o.ended = post.Done, nil, now
			s.post(now, ps)
			c.free(s.nextLetter(c.lane, now))
		})
	})
}

// Meanwhile implements post.Store.
func (s *Store) Meanwhile(ctx context.Context, holder string, l post.Letter, now time.Time, p post.Parcel) error {
	return s.in(ctx, "meanwhile", func() error {
		if _, err := s.held(holder, post.In, l.Channel, l.Chat); err != nil {
			return err
		}
		if !slices.ContainsFunc(s.letters, func(o *letter) bool { return o.Seq == l.Seq && o.state.Open() }) {
			return fault.New(fault.NotFound, "")
		}
		s.post(now, []post.Parcel{p})
		return nil
	})
}

// Note implements post.Store.
func (s *Store) Note(_ context.Context, key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.parcels {
		if o.Key == key {
			return o.Note, nil
		}
	}
	return "", nil
}

// PutOff implements post.Store.
func (s *Store) PutOff(ctx context.Context, holder string, l post.Letter, now, next time.Time, reason string) error {
	return s.in(ctx, "put_off", func() error {
		return s.endLetter(holder, l, func(o *letter, c *claim) {
			o.Tries, o.reason = l.Tries, reason
			if next.IsZero() {
				o.state, o.ended = post.GivenUp, now
				next = s.nextLetter(c.lane, now)
			}
			c.free(next)
		})
	})
}

func (s *Store) endLetter(holder string, l post.Letter, end func(*letter, *claim)) error {
	c, err := s.held(holder, post.In, l.Channel, l.Chat)
	if err != nil {
		return err
	}
	for _, o := range s.letters {
		if o.Seq == l.Seq && o.state.Open() {
			end(o, c)
			return nil
		}
	}
	return fault.New(fault.NotFound, "")
}

func (s *Store) nextLetter(l lane, now time.Time) time.Time {
	if s.firstLetter(l) == nil {
		return time.Time{}
	}
	return now
}

// Post implements post.Store.
func (s *Store) Post(ctx context.Context, now time.Time, ps []post.Parcel) error {
	return s.in(ctx, "post", func() error {
		s.post(now, ps)
		return nil
	})
}

func (s *Store) post(now time.Time, ps []post.Parcel) {
	for _, p := range ps {
		if slices.ContainsFunc(s.parcels, func(o *parcel) bool { return o.Key == p.Key }) {
			continue
		}
		s.seq++
		p.Seq, p.State, p.Body = s.seq, post.Waiting, slices.Clone(p.Body)
		s.parcels = append(s.parcels, &parcel{Parcel: p})
		s.due(post.Out, p.Channel, p.Chat, now)
	}
}

func (s *Store) parcel(seq int64) (*parcel, error) {
	for _, o := range s.parcels {
		if o.Seq == seq {
			return o, nil
		}
	}
	return nil, fault.New(fault.NotFound, "")
}

// Begin implements post.Store.
func (s *Store) Begin(ctx context.Context, holder string, p post.Parcel) error {
	return s.in(ctx, "begin", func() error {
		if _, err := s.held(holder, post.Out, p.Channel, p.Chat); err != nil {
			return err
		}
		o, err := s.parcel(p.Seq)
		if err == nil {
			o.Parts, o.Note, o.Doubt = p.Parts, p.Note, p.Doubt
		}
		return err
	})
}

// Settle implements post.Store.
func (s *Store) Settle(ctx context.Context, holder string, p post.Parcel, out post.Outcome) error {
	return s.in(ctx, "settle", func() error {
		l, err := s.held(holder, post.Out, p.Channel, p.Chat)
		if err != nil {
			return err
		}
		o, err := s.parcel(p.Seq)
		if err != nil {
			return err
		}
		o.State, o.Parts, o.Doubt, o.Note, o.Tries, o.Reason = p.State, p.Parts, p.Doubt, p.Note, p.Tries, p.Reason
		next, leaves := out.Next, out.Line != "" && p.State.Open()
		if leaves {
			o.Chat, o.Expires = out.Line, p.Expires
		}
		if l.parked = out.Parked && p.State.Open(); !p.State.Open() {
			o.ended = out.Now
		}
		if !p.State.Open() || leaves {
			next = time.Time{}
			if s.firstParcel(l.lane) != nil {
				next = out.Now
			}
		}
		if !p.State.Open() && !p.State.Dead() {
			o.Body = nil
		}
		l.free(next)
		if leaves {
			s.due(post.Out, p.Channel, out.Line, out.Now)
		}
		s.post(out.Now, out.Instead)
		return nil
	})
}

// Next implements post.Store.
func (s *Store) Next(_ context.Context, side post.Side, channel string) (next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		at := l.due
		if l.side != side || l.channel != channel || at.IsZero() {
			continue
		}
		if l.until.After(at) {
			at = l.until
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, nil
}
