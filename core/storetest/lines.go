package storetest

import (
	"testing"
	"time"

	mail "fanli/core/post"
)

// otherLine has a parcel wait elsewhere while its chat goes on, and come back to its place.
func otherLine(t *testing.T, s PostStore) {
	posted(t, s, "a1", "a2")
	p := parcels(t, s, postClaim("me", 0), "a1")["a1"]
	p.State, p.Doubt, p.Note, p.Tries, p.Reason, p.Expires = mail.Waiting, true, "message 17", 2, "held", start().Add(2*time.Hour)
	must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start(), Line: "later/a"}))
	both := parcels(t, s, postClaim("me", time.Second), "a1 a2")
	elsewhere := p
	elsewhere.State, elsewhere.Chat = mail.Sending, "later/a"
	want(t, "the parcel in the other line", both["a1"], elsewhere)
	elsewhere.State = mail.Waiting
	must(t, s.Settle(t.Context(), "me", elsewhere, mail.Outcome{Now: start(), Next: start().Add(time.Minute)}))
	two := both["a2"]
	two.State = mail.Waiting
	must(t, s.Settle(t.Context(), "me", two, mail.Outcome{Now: start(), Next: start().Add(time.Minute)}))
	elsewhere = parcels(t, s, postClaim("me", time.Minute), "a1 a2")["a1"]
	must(t, s.Release(t.Context(), "me", mail.Out, "c", "a"))
	elsewhere.State = mail.Waiting
	must(t, s.Settle(t.Context(), "me", elsewhere, mail.Outcome{Now: start(), Line: "a"}))
	back := parcels(t, s, postClaim("me", time.Minute), "a1")["a1"]
	p.State = mail.Sending
	want(t, "back in its place, before what came later", back, p)
}
