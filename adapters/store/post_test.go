package store_test

import (
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/event"
	"fanli/core/post"
)

// askPost calls every method of what keeps letters and parcels.
func askPost(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, ignore, s, none := t.Context(), func(...any) {}, db.PostOffice(), event.Event{}
	l := post.Letter{Channel: "c", ID: "1", Chat: "a", At: start}
	p := post.Parcel{Key: "k", Channel: "c", Chat: "a", At: start, Expires: start.Add(time.Hour)}
	c := post.Claim{Holder: "me", Now: start, Until: start.Add(time.Minute), Count: 5, Quiet: 5}
	ignore(s.Receive(ctx, l, 5))
	ignore(s.Warn(ctx, p))
	letters, err := s.ClaimLetters(ctx, "c", c)
	must(t, err)
	parcels, err := s.ClaimParcels(ctx, "c", c)
	must(t, err)
	ignore(s.Renew(ctx, "me", start.Add(time.Hour)), s.Begin(ctx, "me", parcels[0]))
	parcels[0].State = post.GivenUp
	ignore(s.Settle(ctx, "me", parcels[0], post.Outcome{Now: start}), s.PutOff(ctx, "me", letters[0], start, time.Time{}, "x"))
	for _, side := range []post.Side{post.In, post.Out} {
		ignore(s.Retry(ctx, side, 1, start, start, none), s.Discard(ctx, side, 1, none), s.Release(ctx, "me", side, "c", "a"))
		ignore(s.Read(ctx, side, 1, none))
		ignore(s.Item(ctx, side, 1))
		ignore(s.Next(ctx, side, "c"))
		ignore(s.Items(ctx, post.Filter{Side: side, Dead: true, Channel: "c", Count: 5}))
		ignore(s.Items(ctx, post.Filter{Side: side, Count: 5}))
	}
	ignore(s.Answer(ctx, "me", letters[0], start, nil), s.Inherit(ctx))
	ignore(s.Depths(ctx))
	ignore(s.Sweep(ctx, start, start, start, 5))
}
