package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	mail "fanli/core/post"
)

// A PostStore keeps letters and parcels and shows them.
type PostStore interface {
	mail.Store
	mail.Desk
}

// Posts checks every promise of post.Store and post.Desk.
func Posts(t *testing.T, open func(t *testing.T) PostStore) {
	t.Helper()
	run(t, open, []check[PostStore]{
		{"LettersComeBackOnce", letterOnce},
		{"LettersAtOnceAreOne", lettersAtOnce},
		{"NoMoreOfAChatThanMayWait", lettersFull},
		{"AChatTakesTurnsWithOthers", chatsTakeTurns},
		{"OneHolderAtATime", oneHolder},
		{"ClaimsAtOnceShareTheChats", claimsAtOnce},
		{"AnswerAndEndAreOne", answerIsOne},
		{"WhoWasTakenOverStoresNothing", takenOver},
		{"WhatIsToldWhileALetterIsAnswered", meanwhile},
		{"LettersWaitAndAreGivenUp", lettersPutOff},
		{"ParcelsComeBackOnce", parcelOnce},
		{"ParcelsOfAChatInOrder", parcelsInOrder},
		{"QuietChatsLetOthersGoFirst", quietLast},
		{"HowFarAParcelHasCome", parcelProgress},
		{"AChatWaitsWithItsParcel", chatWaits},
		{"ParkedUntilThePersonWrites", parked},
		{"IntoAnotherLineAndBack", otherLine},
		{"WhatTakesItsPlace", instead},
		{"WhatWasReleasedIsAsBefore", released},
		{"TheDead", theDead},
		{"WhatIsOldIsForgotten", swept},
		{"WhatNobodySeesToIsGivenUp", abandoned},
	})
}

// postClaim claims as holder, from some time after the start for ten seconds.
func postClaim(holder string, after time.Duration) mail.Claim {
	return mail.Claim{Holder: holder, Now: start().Add(after), Until: start().Add(after + 10*time.Second), Count: 100, Quiet: 100}
}

func postLetter(chat, id string) mail.Letter {
	return mail.Letter{Channel: "c", ID: id, Chat: chat, Payload: []byte("text of " + id), At: start()}
}

func postParcel(chat, key string) mail.Parcel {
	return mail.Parcel{Key: key, Channel: "c", Chat: chat, External: "ann", Body: []byte("text of " + key), At: start(), Expires: start().Add(time.Hour)}
}

func receive(t *testing.T, s PostStore, ids ...string) {
	t.Helper()
	for _, id := range ids {
		r, err := s.Receive(t.Context(), postLetter(id[:1], id), 100)
		must(t, err)
		want(t, "receipt of "+id, r, mail.Fresh)
	}
}

func posted(t *testing.T, s PostStore, keys ...string) {
	t.Helper()
	for _, key := range keys {
		must(t, s.Post(t.Context(), start(), []mail.Parcel{postParcel(key[:1], key)}))
	}
}

// letters claims and returns what was claimed, by id.
func letters(t *testing.T, s PostStore, c mail.Claim, ids string) map[string]mail.Letter {
	t.Helper()
	ls, err := s.ClaimLetters(t.Context(), "c", c)
	must(t, err)
	out := map[string]mail.Letter{}
	var got []string
	for _, l := range ls {
		got, out[l.ID] = append(got, l.ID), l
	}
	want(t, fmt.Sprintf("letters for %s after %s", c.Holder, c.Now.Sub(start())), strings.Join(got, " "), ids)
	return out
}

func parcels(t *testing.T, s PostStore, c mail.Claim, keys string) map[string]mail.Parcel {
	t.Helper()
	ps, err := s.ClaimParcels(t.Context(), "c", c)
	must(t, err)
	out := map[string]mail.Parcel{}
	var got []string
	for _, p := range ps {
		got, out[p.Key] = append(got, p.Key), p
	}
	want(t, fmt.Sprintf("parcels for %s after %s", c.Holder, c.Now.Sub(start())), strings.Join(got, " "), keys)
	return out
}

func letterOnce(t *testing.T, s PostStore) {
	l := postLetter("a", "a1")
	for i, receipt := range []mail.Receipt{mail.Fresh, mail.Known, mail.Known} {
		again := l
		again.Payload = fmt.Append(nil, i)
		if i == 0 {
			again = l
		}
		r, err := s.Receive(t.Context(), again, 1)
		must(t, err)
		want(t, "receipt", r, receipt)
	}
	other := l
	other.Channel = "d"
	r, err := s.Receive(t.Context(), other, 1)
	must(t, err)
	want(t, "receipt on another channel", r, mail.Fresh)
	got := letters(t, s, postClaim("me", 0), "a1")["a1"]
	l.Seq = got.Seq
	want(t, "letter", got, l)
	must(t, s.Answer(t.Context(), "me", got, start(), nil))
	r, err = s.Receive(t.Context(), l, 1)
	must(t, err)
	want(t, "receipt of what is answered", r, mail.Known)
	letters(t, s, postClaim("me", time.Hour), "")
}

func lettersAtOnce(t *testing.T, s PostStore) {
	receipts, errs := together(atOnce, func(int) (mail.Receipt, error) { return s.Receive(t.Context(), postLetter("a", "a1"), 5) })
	must(t, errors.Join(errs...))
	n := map[mail.Receipt]int{}
	for _, r := range receipts {
		n[r]++
	}
	want(t, "receipts", n, map[mail.Receipt]int{mail.Fresh: 1, mail.Known: atOnce - 1})
}

func lettersFull(t *testing.T, s PostStore) {
	for i, receipt := range []mail.Receipt{mail.Fresh, mail.Fresh, mail.Full, mail.Full} {
		r, err := s.Receive(t.Context(), postLetter("a", fmt.Sprint("a", i)), 2)
		must(t, err)
		want(t, fmt.Sprint("receipt ", i), r, receipt)
	}
	warn := func(key string, sent bool) {
		t.Helper()
		got, err := s.Warn(t.Context(), postParcel("a", key))
		must(t, err)
		want(t, "whether they are warned by "+key, got, sent)
	}
	warn("w1", true)
	warn("w2", false)
	parcels(t, s, postClaim("me", 0), "w1")
	l := letters(t, s, postClaim("me", 0), "a0")["a0"]
	must(t, s.Answer(t.Context(), "me", l, start(), nil))
	warn("w3", false) // one waits still
	r, err := s.Receive(t.Context(), postLetter("a", "a2"), 2)
	must(t, err)
	want(t, "receipt of one that was not kept", r, mail.Fresh)
	for _, id := range []string{"a1", "a2"} {
		l := letters(t, s, postClaim("me", time.Minute), id)[id]
		must(t, s.Answer(t.Context(), "me", l, start().Add(time.Minute), nil))
	}
	receive(t, s, "a5")
	warn("w4", true)
}

func chatsTakeTurns(t *testing.T, s PostStore) {
	receive(t, s, "a1", "a2", "a3", "b1", "c1", "c2")
	one := postClaim("me", 0)
	one.Count = 1
	for _, id := range []string{"a1", "b1", "c1", "a2", "c2", "a3"} {
		l := letters(t, s, one, id)[id]
		must(t, s.Answer(t.Context(), "me", l, start(), nil))
	}
	letters(t, s, one, "")
}

func oneHolder(t *testing.T, s PostStore) {
	receive(t, s, "a1", "b1")
	letters(t, s, postClaim("me", 0), "a1 b1")
	letters(t, s, postClaim("you", 9*time.Second), "")
	must(t, s.Renew(t.Context(), "me", start().Add(30*time.Second)))
	must(t, s.Renew(t.Context(), "you", start().Add(time.Hour)))
	letters(t, s, postClaim("you", 29*time.Second), "")
	next, err := s.Next(t.Context(), mail.In, "c")
	must(t, err)
	want(t, "next", next, start().Add(30*time.Second))
	letters(t, s, postClaim("you", 30*time.Second), "a1 b1")
	must(t, s.Inherit(t.Context()))
	letters(t, s, postClaim("me", 30*time.Second), "a1 b1")
}

func claimsAtOnce(t *testing.T, s PostStore) {
	for i := range 20 {
		receive(t, s, fmt.Sprintf("%c%d", 'a'+i, i))
	}
	got, errs := together(10, func(i int) ([]mail.Letter, error) {
		c := postClaim(fmt.Sprint("holder ", i), 0)
		c.Count = 5
		return s.ClaimLetters(t.Context(), "c", c)
	})
	must(t, errors.Join(errs...))
	seen := map[string]bool{}
	for _, ls := range got {
		for _, l := range ls {
			if seen[l.ID] {
				t.Errorf("%s is claimed twice", l.ID)
			}
			seen[l.ID] = true
		}
	}
	want(t, "how many are claimed", len(seen), 20)
}

func answerIsOne(t *testing.T, s PostStore) {
	receive(t, s, "a1")
	l := letters(t, s, postClaim("me", 0), "a1")["a1"]
	wantCode(t, "Answer of another", s.Answer(t.Context(), "you", l, start(), []mail.Parcel{postParcel("a", "wrong")}), fault.Conflict)
	parcels(t, s, postClaim("me", 0), "")
	must(t, s.Answer(t.Context(), "me", l, start(), []mail.Parcel{postParcel("a", "p1"), postParcel("b", "p2")}))
	wantCode(t, "a second Answer", s.Answer(t.Context(), "me", l, start(), []mail.Parcel{postParcel("a", "p3")}), fault.Conflict)
	parcels(t, s, postClaim("me", 0), "p1 p2")
}

func takenOver(t *testing.T, s PostStore) {
	receive(t, s, "a1")
	posted(t, s, "a-p")
	l := letters(t, s, postClaim("me", 0), "a1")["a1"]
	p := parcels(t, s, postClaim("me", 0), "a-p")["a-p"]
	letters(t, s, postClaim("you", 10*time.Second), "a1")
	parcels(t, s, postClaim("you", 10*time.Second), "a-p")
	wantCode(t, "Answer", s.Answer(t.Context(), "me", l, start(), nil), fault.Conflict)
	wantCode(t, "PutOff", s.PutOff(t.Context(), "me", l, start(), start(), ""), fault.Conflict)
	wantCode(t, "Begin", s.Begin(t.Context(), "me", p), fault.Conflict)
	p.State = mail.Sent
	wantCode(t, "Settle", s.Settle(t.Context(), "me", p, mail.Outcome{Now: start()}), fault.Conflict)
	must(t, s.Release(t.Context(), "me", mail.In, "c", "a"))
	must(t, s.Answer(t.Context(), "you", l, start(), nil))
	must(t, s.Settle(t.Context(), "you", p, mail.Outcome{Now: start()}))
}

func lettersPutOff(t *testing.T, s PostStore) {
	receive(t, s, "a1", "a2")
	l := letters(t, s, postClaim("me", 0), "a1")["a1"]
	l.Tries = 1
	must(t, s.PutOff(t.Context(), "me", l, start(), start().Add(time.Minute), "db.busy"))
	next, err := s.Next(t.Context(), mail.In, "c")
	must(t, err)
	want(t, "next", next, start().Add(time.Minute))
	receive(t, s, "a3") // and the chat waits all the same
	letters(t, s, postClaim("me", 59*time.Second), "")
	l = letters(t, s, postClaim("me", time.Minute), "a1")["a1"]
	want(t, "tries", l.Tries, 1)
	l.Tries = 2
	must(t, s.PutOff(t.Context(), "me", l, start().Add(time.Minute), time.Time{}, "unreadable"))
	dead, err := s.Items(t.Context(), mail.Filter{Side: mail.In, Dead: true, Count: 10})
	must(t, err)
	want(t, "the dead", dead, []mail.Item{{Side: mail.In, Seq: l.Seq, Key: "a1", Channel: "c", State: mail.GivenUp, Reason: "unreadable", Tries: 2, At: start(), Ended: start().Add(time.Minute)}})
	letters(t, s, postClaim("me", time.Minute), "a2")
}

func parcelOnce(t *testing.T, s PostStore) {
	p := postParcel("a", "p1")
	p.Quiet = true
	must(t, s.Post(t.Context(), start(), []mail.Parcel{p}))
	again := p
	again.Body = []byte("other")
	must(t, s.Post(t.Context(), start(), []mail.Parcel{again, postParcel("b", "p2")}))
	got := parcels(t, s, postClaim("me", 0), "p2 p1")["p1"]
	p.Seq, p.State = got.Seq, mail.Sending
	want(t, "parcel", got, p)
	got.State = mail.Sent
	must(t, s.Settle(t.Context(), "me", got, mail.Outcome{Now: start()}))
	must(t, s.Post(t.Context(), start(), []mail.Parcel{p}))
	parcels(t, s, postClaim("me", 0), "")
	body, err := s.Read(t.Context(), mail.Out, got.Seq, event.Event{})
	must(t, err)
	want(t, "what is left of the text of one that has arrived", len(body), 0)
}

func parcelsInOrder(t *testing.T, s PostStore) {
	posted(t, s, "a1", "a2", "b1", "a3")
	for _, keys := range []string{"a1 b1", "a2", "a3", ""} {
		for _, p := range parcels(t, s, postClaim("me", 0), keys) {
			p.State = mail.Sent
			must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start()}))
		}
	}
}

func quietLast(t *testing.T, s PostStore) {
	post := func(key string, quiet bool) {
		t.Helper()
		p := postParcel(key[:1], key)
		p.Quiet = quiet
		must(t, s.Post(t.Context(), start(), []mail.Parcel{p}))
	}
	for _, key := range []string{"a1", "b1", "c1", "d1"} {
		post(key, true)
	}
	post("c2", false) // somebody waits behind a notice
	post("e1", false)
	few := postClaim("me", 0)
	few.Quiet = 1
	p := parcels(t, s, few, "c1 e1 a1")["c1"]
	few.Quiet = 0
	parcels(t, s, few, "")
	p.State = mail.Sent
	must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start()}))
	p = parcels(t, s, few, "c2")["c2"]
	post("c3", true)
	p.State = mail.Sent
	must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start()}))
	few.Quiet, few.Count = 10, 2
	parcels(t, s, few, "b1 d1")
	parcels(t, s, few, "c3")
}

func parcelProgress(t *testing.T, s PostStore) {
	posted(t, s, "a1")
	p := parcels(t, s, postClaim("me", 0), "a1")["a1"]
	p.Parts, p.Doubt, p.Note = 2, true, "message 17"
	must(t, s.Begin(t.Context(), "me", p))
	again := parcels(t, s, postClaim("you", 10*time.Second), "a1")["a1"]
	want(t, "who takes over sees", again, p)
	again.Parts, again.Doubt, again.State, again.Tries, again.Reason = 3, false, mail.Waiting, 1, "limited"
	must(t, s.Settle(t.Context(), "you", again, mail.Outcome{Now: start(), Next: start().Add(time.Minute)}))
	later := parcels(t, s, postClaim("me", time.Minute), "a1")["a1"]
	again.State = mail.Sending
	want(t, "who tries again sees", later, again)
}

func chatWaits(t *testing.T, s PostStore) {
	posted(t, s, "a1", "b1")
	p := parcels(t, s, postClaim("me", 0), "a1 b1")["a1"]
	p.State = mail.Waiting
	must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start(), Next: start().Add(time.Minute)}))
	posted(t, s, "a2")
	receive(t, s, "a9")
	parcels(t, s, postClaim("me", 9*time.Second), "")
	parcels(t, s, postClaim("me", time.Minute), "b1 a1")
}

func parked(t *testing.T, s PostStore) {
	park := func(after time.Duration) {
		t.Helper()
		p := parcels(t, s, postClaim("me", after), "a1")["a1"]
		p.State = mail.Waiting
		must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start().Add(after), Next: start().Add(time.Hour), Parked: true}))
	}
	posted(t, s, "a1")
	park(0)
	posted(t, s, "a2")
	receive(t, s, "b1")
	parcels(t, s, postClaim("me", time.Minute), "")
	receive(t, s, "a1")
	park(time.Minute)
	_, err := s.Receive(t.Context(), postLetter("a", "a1"), 10)
	must(t, err)
	parcels(t, s, postClaim("me", 2*time.Minute), "") // the person has not written anew
	parcels(t, s, postClaim("me", time.Hour), "a1")
}

func instead(t *testing.T, s PostStore) {
	posted(t, s, "a1")
	p := parcels(t, s, postClaim("me", 0), "a1")["a1"]
	p.State, p.Reason = mail.GivenUp, "blocked"
	must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start(), Instead: []mail.Parcel{postParcel("b", "p2")}}))
	parcels(t, s, postClaim("me", 0), "p2")
}

func released(t *testing.T, s PostStore) {
	receive(t, s, "a1")
	posted(t, s, "a-p")
	l := letters(t, s, postClaim("me", 0), "a1")
	p := parcels(t, s, postClaim("me", 0), "a-p")
	must(t, s.Release(t.Context(), "you", mail.In, "c", "a"))
	letters(t, s, postClaim("me", 0), "")
	for _, side := range []mail.Side{mail.In, mail.Out} {
		must(t, s.Release(t.Context(), "me", side, "c", "a"))
	}
	items, err := s.Items(t.Context(), mail.Filter{Side: mail.Out, Count: 10})
	must(t, err)
	want(t, "state", items[0].State, mail.Waiting)
	want(t, "letters", letters(t, s, postClaim("you", 0), "a1"), l)
	want(t, "parcels", parcels(t, s, postClaim("you", 0), "a-p"), p)
}

func theDead(t *testing.T, s PostStore) {
	posted(t, s, "a1", "b1", "c1", "d1")
	receive(t, s, "a9")
	l := letters(t, s, postClaim("me", 0), "a9")["a9"]
	must(t, s.PutOff(t.Context(), "me", l, start(), time.Time{}, "unreadable"))
	ps := parcels(t, s, postClaim("me", 0), "a1 b1 c1 d1")
	for key, state := range map[string]mail.State{"a1": mail.GivenUp, "b1": mail.Unknown, "c1": mail.Sent} {
		p := ps[key]
		p.State, p.Tries = state, 3
		must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start()}))
	}
	depths, err := s.Depths(t.Context())
	must(t, err)
	want(t, "depths", depths, []mail.Depth{{Channel: "c", Side: mail.In, Dead: 1}, {Channel: "c", Side: mail.Out, Waiting: 1, Oldest: start(), Dead: 2}})
	list := func(f mail.Filter, keys string) {
		t.Helper()
		f.Count = 10
		items, err := s.Items(t.Context(), f)
		must(t, err)
		var got []string
		for _, i := range items {
			got = append(got, i.Key)
		}
		want(t, fmt.Sprintf("items of %+v", f), strings.Join(got, " "), keys)
	}
	list(mail.Filter{Side: mail.Out, Dead: true}, "a1 b1")
	list(mail.Filter{Side: mail.Out, Dead: true, After: ps["a1"].Seq}, "b1")
	list(mail.Filter{Side: mail.Out, Dead: true, Channel: "d"}, "")
	list(mail.Filter{Side: mail.Out}, "d1")
	list(mail.Filter{Side: mail.In, Dead: true}, "a9")
	body, err := s.Read(t.Context(), mail.Out, ps["a1"].Seq, event.Event{})
	must(t, err)
	want(t, "body", string(body), "text of a1")
	must(t, s.Retry(t.Context(), mail.Out, ps["a1"].Seq, start(), start().Add(2*time.Hour), event.Event{}))
	must(t, s.Retry(t.Context(), mail.In, l.Seq, start(), start(), event.Event{}))
	wantCode(t, "Retry of what is not dead", s.Retry(t.Context(), mail.Out, ps["c1"].Seq, start(), start(), event.Event{}), fault.NotFound)
	wantCode(t, "Discard of what is not dead", s.Discard(t.Context(), mail.Out, ps["a1"].Seq, event.Event{}), fault.NotFound)
	must(t, s.Discard(t.Context(), mail.Out, ps["b1"].Seq, event.Event{}))
	_, err = s.Item(t.Context(), mail.Out, ps["b1"].Seq)
	wantCode(t, "Item of what was discarded", err, fault.NotFound)
	letters(t, s, postClaim("me", 0), "a9")
	p := parcels(t, s, postClaim("me", 0), "a1")["a1"]
	want(t, "tries of what is tried anew", p.Tries, 0)
	want(t, "when it expires", p.Expires, start().Add(2*time.Hour))
}

func swept(t *testing.T, s PostStore) {
	posted(t, s, "a1", "b1", "c1")
	receive(t, s, "a9", "b9")
	ps := parcels(t, s, postClaim("me", 0), "a1 b1 c1")
	for key, state := range map[string]mail.State{"a1": mail.Sent, "b1": mail.Unknown} {
		p := ps[key]
		p.State = state
		must(t, s.Settle(t.Context(), "me", p, mail.Outcome{Now: start()}))
	}
	ls := letters(t, s, postClaim("me", 0), "a9 b9")
	must(t, s.Answer(t.Context(), "me", ls["a9"], start(), nil))
	must(t, s.PutOff(t.Context(), "me", ls["b9"], start(), time.Time{}, "x"))
	later := start().Add(time.Millisecond)
	for _, tt := range []struct {
		done, dead time.Time
		count, n   int
	}{{start(), start(), 10, 0}, {later, start(), 10, 2}, {later, later, 1, 2}, {later, later, 10, 0}} {
		n, err := s.Sweep(t.Context(), start(), tt.done, tt.dead, tt.count)
		must(t, err)
		want(t, fmt.Sprintf("how many are forgotten by %+v", tt), n, tt.n)
	}
	if r, err := s.Receive(t.Context(), postLetter("a", "a9"), 10); err != nil || r != mail.Fresh {
		t.Errorf("what is forgotten comes again: %s, %v", r, err)
	}
}

func abandoned(t *testing.T, s PostStore) {
	posted(t, s, "a1")
	receive(t, s, "a9")
	for _, tt := range []struct {
		done time.Duration
		dead string
	}{{0, ""}, {time.Millisecond, "a9"}, {time.Hour, "a9"}, {time.Hour + time.Millisecond, "a9 a1"}} {
		now := start().Add(24 * time.Hour)
		_, err := s.Sweep(t.Context(), now, start().Add(tt.done), start(), 10)
		must(t, err)
		var got []string
		for _, side := range []mail.Side{mail.In, mail.Out} {
			items, err := s.Items(t.Context(), mail.Filter{Side: side, Dead: true, Count: 10})
			must(t, err)
			for _, i := range items {
				got = append(got, i.Key)
				if i.Reason != mail.Abandoned || !i.Ended.Equal(now) {
					t.Errorf("%+v", i)
				}
			}
		}
		want(t, fmt.Sprint("given up, of what is older than ", tt.done), strings.Join(got, " "), tt.dead)
	}
	parcels(t, s, postClaim("me", 0), "")
	letters(t, s, postClaim("me", 0), "")
	next, err := s.Next(t.Context(), mail.Out, "c")
	must(t, err)
	want(t, "when something will be due", next, time.Time{})
}
