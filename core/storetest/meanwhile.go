package storetest

import (
	"testing"
	"time"

	"fanli/core/fault"
	mail "fanli/core/post"
)

// meanwhile: what is told while a letter is answered comes before the answer, once, and
// never after it.
func meanwhile(t *testing.T, s PostStore) {
	receive(t, s, "a1")
	l := letters(t, s, postClaim("me", 0), "a1")["a1"]
	for range 2 {
		must(t, s.Meanwhile(t.Context(), "me", l, start(), postParcel("a", "wait")))
	}
	wantCode(t, "Meanwhile of another", s.Meanwhile(t.Context(), "you", l, start(), postParcel("a", "late")), fault.Conflict)
	letters(t, s, postClaim("you", 10*time.Second), "a1")
	wantCode(t, "Meanwhile of who was taken over", s.Meanwhile(t.Context(), "me", l, start(), postParcel("a", "late")), fault.Conflict)
	receive(t, s, "a2")
	must(t, s.Answer(t.Context(), "you", l, start(), []mail.Parcel{postParcel("a", "re")}))
	letters(t, s, postClaim("you", 10*time.Second), "a2")
	wantCode(t, "Meanwhile after the answer", s.Meanwhile(t.Context(), "you", l, start(), postParcel("a", "late")), fault.NotFound)
	for _, key := range []string{"wait", "re"} {
		p := parcels(t, s, postClaim("me", 0), key)[key]
		p.State, p.Note = mail.Sent, "note of "+key
		must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start()}))
	}
	parcels(t, s, postClaim("me", 0), "")
	for key, kept := range map[string]string{"wait": "note of wait", "late": ""} {
		note, err := s.Note(t.Context(), key)
		must(t, err)
		want(t, "note of "+key, note, kept)
	}
}
