package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/notify"
)

// Messages checks every promise of notify.Store.
func Messages(t *testing.T, open func(t *testing.T) notify.Store) {
	t.Helper()
	run(t, open,
		transactions(writing),
		handles(func(s notify.Store) func(context.Context, func(notify.Tx) error) error { return s.InTx }),
		[]check[notify.Store]{
			{"MessageComesBack", messageComesBack},
			{"KnownKeyIsLeftOut", knownKey},
			{"AtOnceOneMessageIsWritten", oneMessage},
			{"NeverBeforeAnOlderOneOfTheSameUser", inOrderForEach},
			{"AgainWhenItsTimeHasCome", againLater},
			{"WhatIsDoneWaitsNoMore", doneWaitsNoMore},
			{"OldestFirstAndAtMostCount", oldestFirst},
			{"KeysAreFoundByTheirBeginning", keysByPrefix},
			{"WhatIsUrgentGoesBeforeWhatIsHeld", urgentFirst},
			{"WhatWasNotToldIsKeptWithItsReason", untoldKept},
			{"CutsAddUpUntilTheyAreTold", cutsAddUp},
		})
}

// writing tries transactions by messages to different users.
func writing(s notify.Store) atomic[notify.Tx] {
	return atomic[notify.Tx]{
		inTx:  s.InTx,
		write: func(tx notify.Tx, n int) error { return tx.Write([]notify.Message{note(fmt.Sprint("m", n), int64(n))}) },
		there: func(t *testing.T) []int {
			var out []int
			for _, key := range waiting(t, s, start(), 2*atOnce) {
				n, err := strconv.Atoi(strings.TrimPrefix(key, "m"))
				must(t, err)
				out = append(out, n)
			}
			return out
		},
	}
}

// note is a message to a user.
func note(key string, userID int64) notify.Message {
	return notify.Message{Key: key, User: userID, Kind: notify.OrderSeen, Data: []byte(`{"title":"保温杯"}`), At: start(), State: notify.Waiting}
}

func writeNotes(t *testing.T, s notify.Store, ms ...notify.Message) {
	t.Helper()
	must(t, s.InTx(t.Context(), func(tx notify.Tx) error { return tx.Write(ms) }))
}

// waiting returns the keys of what is due at a time.
func waiting(t *testing.T, s notify.Store, now time.Time, count int) []string {
	t.Helper()
	ms, err := s.Waiting(t.Context(), now, count)
	must(t, err)
	out := []string{}
	for _, m := range ms {
		out = append(out, m.Key)
	}
	return out
}

// mark marks the message with a key.
func mark(t *testing.T, s notify.Store, key string, state notify.State, tries int, next time.Time) {
	t.Helper()
	ms, err := s.Waiting(t.Context(), start().AddDate(1, 0, 0), 2*atOnce)
	must(t, err)
	for _, m := range ms {
		if m.Key == key {
			must(t, s.Mark(t.Context(), m.ID, notify.Outcome{State: state, Tries: tries, Next: next}))
			return
		}
	}
	t.Fatalf("no message %s is waiting", key)
}

func messageComesBack(t *testing.T, s notify.Store) {
	m := note("m1", 7)
	m.Tries = 2
	writeNotes(t, s, m)
	writeNotes(t, s)
	got, err := s.Waiting(t.Context(), start(), 10)
	must(t, err)
	if len(got) != 1 || got[0].ID <= 0 {
		t.Fatalf("Waiting = %+v, want one message with an id", got)
	}
	m.ID = got[0].ID
	want(t, "Waiting", got, []notify.Message{m})
	wantCode(t, "Mark of none", s.Mark(t.Context(), m.ID+1, notify.Outcome{State: notify.Sent, Tries: 1}), fault.NotFound)
}

func knownKey(t *testing.T, s notify.Store) {
	writeNotes(t, s, note("m1", 7))
	writeNotes(t, s, note("m1", 8), note("m2", 9), note("m2", 10))
	got, err := s.Waiting(t.Context(), start(), 10)
	must(t, err)
	users := map[string]int64{}
	for _, m := range got {
		users[m.Key] = m.User
	}
	want(t, "who is told what", users, map[string]int64{"m1": 7, "m2": 9})
}

func oneMessage(t *testing.T, s notify.Store) {
	_, errs := together(atOnce, func(int) (struct{}, error) {
		return struct{}{}, s.InTx(t.Context(), func(tx notify.Tx) error { return tx.Write([]notify.Message{note("m1", 7)}) })
	})
	must(t, errors.Join(errs...))
	want(t, "Waiting", waiting(t, s, start(), 10), []string{"m1"})
}

func inOrderForEach(t *testing.T, s notify.Store) {
	writeNotes(t, s, note("a1", 7), note("b1", 8), note("a2", 7), note("a3", 7))
	want(t, "first round", waiting(t, s, start(), 10), []string{"a1", "b1"})
	mark(t, s, "a1", notify.Waiting, 1, start().Add(time.Hour)) // failed: a2 must not overtake it
	want(t, "while the first one waits for its next try", waiting(t, s, start(), 10), []string{"b1"})
	mark(t, s, "a1", notify.GivenUp, 2, time.Time{})
	want(t, "after the first one was given up", waiting(t, s, start(), 10), []string{"b1", "a2"})
	mark(t, s, "b1", notify.Sent, 1, time.Time{})
	mark(t, s, "a2", notify.Sent, 1, time.Time{})
	want(t, "last round", waiting(t, s, start(), 10), []string{"a3"})
}

func againLater(t *testing.T, s notify.Store) {
	writeNotes(t, s, note("m1", 7))
	mark(t, s, "m1", notify.Waiting, 3, start().Add(time.Hour))
	for after, keys := range map[time.Duration][]string{0: {}, time.Hour - time.Millisecond: {}, time.Hour: {"m1"}} {
		want(t, "Waiting after "+after.String(), waiting(t, s, start().Add(after), 10), keys)
	}
	got, err := s.Waiting(t.Context(), start().Add(time.Hour), 1)
	must(t, err)
	want(t, "tries", got[0].Tries, 3)
}

func doneWaitsNoMore(t *testing.T, s notify.Store) {
	writeNotes(t, s, note("sent", 7), note("given up", 8))
	mark(t, s, "sent", notify.Sent, 1, time.Time{})
	mark(t, s, "given up", notify.GivenUp, 60, time.Time{})
	want(t, "Waiting", waiting(t, s, start().AddDate(1, 0, 0), 10), []string{})
	writeNotes(t, s, note("sent", 7)) // what was delivered is still known
	want(t, "Waiting after it was written again", waiting(t, s, start(), 10), []string{})
}

func oldestFirst(t *testing.T, s notify.Store) {
	for i := range 5 {
		writeNotes(t, s, note(fmt.Sprint("m", i), int64(9-i)))
	}
	want(t, "Waiting", waiting(t, s, start(), 3), []string{"m0", "m1", "m2"})
}

func keysByPrefix(t *testing.T, s notify.Store) {
	var ms []notify.Message
	for _, key := range []string{"a/1/1", "a/1/2-paid", "a/10/1", "a/1", "a/2/x", "b/1/1", "a/1 /1", "a/1%/3"} {
		ms = append(ms, note(key, 7))
	}
	must(t, s.InTx(t.Context(), func(tx notify.Tx) error { return tx.Write(ms) }))
	for _, c := range []struct {
		prefixes []string
		want     string
	}{
		{nil, "[]"}, {[]string{"c/"}, "[]"}, {[]string{"a/1/"}, "[a/1/1 a/1/2-paid]"}, {[]string{"a/10/", "b/1/"}, "[a/10/1 b/1/1]"},
		{make([]string, 120), "[]"},
	} {
		for i := range c.prefixes {
			if c.prefixes[i] == "" {
				c.prefixes[i] = fmt.Sprint("z", i, "/")
			}
		}
		var got []string
		must(t, s.InTx(t.Context(), func(tx notify.Tx) (err error) {
			got, err = tx.Keys(c.prefixes)
			return err
		}))
		want(t, fmt.Sprint("keys of ", len(c.prefixes), " prefixes"), fmt.Sprint(got), c.want)
	}
}

// urgent is a message that belongs to no topic.
func urgent(key string, userID int64) notify.Message {
	m := note(key, userID)
	m.Kind = notify.MergeNews
	return m
}

func urgentFirst(t *testing.T, s notify.Store) {
	writeNotes(t, s, note("a1", 7), urgent("a2", 7), note("a3", 7), urgent("a4", 7), note("b1", 8), urgent("b2", 8))
	later := start().Add(time.Hour)
	want(t, "at first", waiting(t, s, start(), 10), []string{"a1", "b1"})
	ms, err := s.Waiting(t.Context(), start(), 1)
	must(t, err)
	must(t, s.Mark(t.Context(), ms[0].ID, notify.Outcome{State: notify.Waiting, Next: later, Held: true}))
	want(t, "while the first one is held", waiting(t, s, start(), 10), []string{"a2", "b1"})
	want(t, "no more than asked for", waiting(t, s, start(), 1), []string{"a2"})
	want(t, "when its time has come", waiting(t, s, later, 10), []string{"a1", "a2", "b1"})
	ms, err = s.Waiting(t.Context(), later, 1)
	must(t, err)
	want(t, "whether it was held", ms[0].Held, true)
	mark(t, s, "a2", notify.Waiting, 1, start().Add(time.Minute))
	want(t, "an urgent one waits for the one before it", waiting(t, s, start(), 10), []string{"b1"})
	mark(t, s, "a2", notify.Sent, 1, time.Time{})
	want(t, "after it", waiting(t, s, start(), 10), []string{"a4", "b1"})
	mark(t, s, "a1", notify.Waiting, 1, later) // it failed: it is not held any more
	want(t, "behind one that failed", waiting(t, s, start(), 10), []string{"b1"})
	keys, err := s.Told(t.Context(), "a/")
	must(t, err)
	want(t, "told of something else", len(keys), 0)
}

func untoldKept(t *testing.T, s notify.Store) {
	writeNotes(t, s, note("a/1", 7), note("b/1", 8), note("c/1", 7), note("a/2", 9), note("a0", 10))
	why := func(key, reason string) {
		ms, err := s.Waiting(t.Context(), start(), 10)
		must(t, err)
		for _, m := range ms {
			if m.Key == key {
				must(t, s.Mark(t.Context(), m.ID, notify.Outcome{State: notify.GivenUp, Tries: 2, Reason: reason}))
			}
		}
	}
	why("a/1", notify.Off)
	why("b/1", "user.gone")
	why("c/1", notify.Overtaken)
	mark(t, s, "a/2", notify.Sent, 1, time.Time{})
	mark(t, s, "a0", notify.Sent, 1, time.Time{})
	all, err := s.Untold(t.Context(), 0, 0, 10)
	must(t, err)
	reasons := func(us []notify.Untold) (out []string) {
		for _, u := range us {
			out = append(out, fmt.Sprintf("%d %s %v %d %s", u.User, u.Kind, u.At.Equal(start()), u.Tries, u.Reason))
		}
		return out
	}
	want(t, "Untold", reasons(all), []string{"7 order.seen true 2 notify.overtaken", "8 order.seen true 2 user.gone", "7 order.seen true 2 notify.off"})
	some, err := s.Untold(t.Context(), 7, all[0].ID, 10)
	must(t, err)
	want(t, "Untold of one user, the next page", reasons(some), []string{"7 order.seen true 2 notify.off"})
	some, err = s.Untold(t.Context(), 0, 0, 1)
	must(t, err)
	want(t, "how many", len(some), 1)
	keys, err := s.Told(t.Context(), "a/")
	must(t, err)
	want(t, "Told", keys, []string{"a/2"})
}
