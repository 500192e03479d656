package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/webhook"
)

// A WebhookStore is a webhook.Store with what it needs to be judged.
type WebhookStore struct {
	Store webhook.Store
	Heard Heard
}

// Webhooks checks every promise of webhook.Store.
func Webhooks(t *testing.T, open func(t *testing.T) WebhookStore) {
	t.Helper()
	run(t, open,
		transactions(func(s WebhookStore) atomic[webhook.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s WebhookStore) (func(context.Context, func(webhook.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		handles(func(s WebhookStore) func(context.Context, func(webhook.Tx) error) error { return s.Store.InTx }),
		[]check[WebhookStore]{
			{"HookComesBack", hookComesBack},
			{"NoNameAndNoIDTwice", noHookTwice},
			{"OneDeliveryForHookAndEvent", oneDelivery},
			{"AtOnceOneDeliveryIsAdded", oneDeliveryAtOnce},
			{"DueInTime", dueInTime},
			{"SwapComparesStageAndTries", swapDelivery},
			{"SwapsAtOnceAreOne", newsSwapsAtOnce},
			{"TriesComeBackNewestFirst", triesComeBack},
			{"RemovedWithEverything", hookRemoved},
			{"PrunedOldestFirst", pruned},
			{"FirstWordOnAMemberCounts", members},
		})
}

func hook(name string) webhook.Hook {
	return webhook.Hook{
		Name: name, Client: "shop", URL: "https://hooks.example/" + name, Events: []event.Name{event.OrderChanged, event.ClaimChanged},
		State: webhook.Active, Made: start(), Secret: "whsec_" + webhook.Secret(name),
	}
}

func addHook(t *testing.T, s WebhookStore, h webhook.Hook) webhook.Hook {
	t.Helper()
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) (err error) {
		h.ID, err = tx.Insert(h)
		return err
	}))
	return h
}

func news(hook int64, e string) webhook.Delivery {
	return webhook.Delivery{
		Hook: hook, Event: e, Message: fmt.Sprint("msg_", hook, e), Name: event.OrderChanged, At: start(), Body: []byte(`{"id":"保"}`),
		Stage: webhook.Waiting, Next: start(),
	}
}

func addNews(t *testing.T, s WebhookStore, d webhook.Delivery) webhook.Delivery {
	t.Helper()
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) (err error) {
		d.ID, err = tx.Add(d)
		return err
	}))
	return d
}

func hooksThere(t *testing.T, s WebhookStore) []webhook.Hook {
	t.Helper()
	out, err := s.Store.Hooks(t.Context())
	must(t, err)
	return out
}

// dueOf returns the events of what is due.
func dueOf(t *testing.T, s WebhookStore, hook int64, now time.Time, count int) []string {
	t.Helper()
	ds, err := s.Store.Due(t.Context(), hook, now, count)
	must(t, err)
	out := []string{}
	for _, d := range ds {
		out = append(out, d.Event)
	}
	return out
}

func hookComesBack(t *testing.T, s WebhookStore) {
	want(t, "Hooks of none", len(hooksThere(t, s)), 0)
	a, b := addHook(t, s, hook("a")), addHook(t, s, hook("b"))
	b.Client, b.URL, b.Events, b.State, b.Why = "", "https://other.example", []event.Name{event.RebateChanged}, webhook.Off, "gone"
	b.OldSecret, b.Secret, b.OldUntil = b.Secret, "whsec_new", start().Add(time.Hour)
	b.Fails, b.Failing, b.Rest = 3, start().Add(time.Second), start().Add(time.Minute)
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		if err := tx.Update(b); err != nil {
			return err
		}
		got, err := tx.Hooks()
		want(t, "Hooks within", got, []webhook.Hook{a, b})
		return err
	}))
	want(t, "Hooks", hooksThere(t, s), []webhook.Hook{a, b})
	b.ID += 7
	wantCode(t, "Update of none", s.Store.InTx(t.Context(), func(tx webhook.Tx) error { return tx.Update(b) }), fault.NotFound)
}

func noHookTwice(t *testing.T, s WebhookStore) {
	a := addHook(t, s, hook("a"))
	wantCode(t, "the name again", s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		_, err := tx.Insert(hook("a"))
		return err
	}), fault.Conflict)
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error { return tx.Remove(a.ID) }))
	if again := addHook(t, s, hook("a")); again.ID <= a.ID {
		t.Errorf("a new hook has id %d, an old one had %d", again.ID, a.ID)
	}
}

func oneDelivery(t *testing.T, s WebhookStore) {
	d := addNews(t, s, news(1, "e1"))
	d.Tries = 2
	if again := addNews(t, s, news(1, "e1")); again.ID != 0 {
		t.Errorf("a second delivery has id %d", again.ID)
	}
	addNews(t, s, news(2, "e1"))
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		if ok, err := tx.Swap(d, webhook.Waiting, 0); err != nil || !ok {
			t.Errorf("Swap: %v, %v", ok, err)
		}
		got, err := tx.Delivery(d.ID)
		want(t, "Delivery", got, d)
		_, none := tx.Delivery(d.ID + 100)
		wantCode(t, "Delivery of none", none, fault.NotFound)
		return err
	}))
	got, err := s.Store.Newest(t.Context(), 1, 10)
	must(t, err)
	want(t, "Newest", got, []webhook.Delivery{d})
}

func oneDeliveryAtOnce(t *testing.T, s WebhookStore) {
	ids, errs := together(atOnce, func(int) (id int64, err error) {
		err = s.Store.InTx(t.Context(), func(tx webhook.Tx) (err error) {
			id, err = tx.Add(news(1, "e1"))
			return err
		})
		return id, err
	})
	must(t, errors.Join(errs...))
	added := 0
	for _, id := range ids {
		if id > 0 {
			added++
		}
	}
	want(t, "how many were added", added, 1)
}

func dueInTime(t *testing.T, s WebhookStore) {
	for i, e := range []string{"c", "a", "b", "d"} {
		d := news(1, e)
		d.Next = start().Add([]time.Duration{time.Hour, 0, 0, time.Minute}[i])
		addNews(t, s, d)
	}
	done := addNews(t, s, news(1, "done"))
	done.Stage = webhook.Delivered
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		_, err := tx.Swap(done, webhook.Waiting, 0)
		return err
	}))
	addNews(t, s, news(2, "other"))
	want(t, "at once", dueOf(t, s, 1, start(), 9), []string{"a", "b"})
	want(t, "in an hour", dueOf(t, s, 1, start().Add(time.Hour), 9), []string{"a", "b", "d", "c"})
	want(t, "at most", dueOf(t, s, 1, start().Add(time.Hour), 3), []string{"a", "b", "d"})
}

func swapDelivery(t *testing.T, s WebhookStore) {
	d := addNews(t, s, news(1, "e"))
	swap := func(tries int, was webhook.Stage) (ok bool) {
		must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) (err error) {
			ok, err = tx.Swap(d, was, tries)
			return err
		}))
		return ok
	}
	d.Tries, d.Stage = 1, webhook.Dead
	want(t, "other tries", swap(1, webhook.Waiting), false)
	want(t, "another stage", swap(0, webhook.Delivered), false)
	want(t, "as it is", swap(0, webhook.Waiting), true)
	want(t, "again", swap(0, webhook.Waiting), false)
	want(t, "due", dueOf(t, s, 1, start(), 9), []string{})
}

func newsSwapsAtOnce(t *testing.T, s WebhookStore) {
	d := addNews(t, s, news(1, "e"))
	d.Tries = 1
	oks, errs := together(atOnce, func(int) (ok bool, err error) {
		err = s.Store.InTx(t.Context(), func(tx webhook.Tx) (err error) {
			ok, err = tx.Swap(d, webhook.Waiting, 0)
			return err
		})
		return ok, err
	})
	must(t, errors.Join(errs...))
	won := 0
	for _, ok := range oks {
		if ok {
			won++
		}
	}
	want(t, "how many won", won, 1)
}

func triesComeBack(t *testing.T, s WebhookStore) {
	a := webhook.Try{Delivery: 1, At: start(), Took: 1500 * time.Millisecond, Reason: webhook.TimedOut}
	b := webhook.Try{Delivery: 1, At: start().Add(time.Second), Status: 200, Took: time.Millisecond, Excerpt: "好"}
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		return errors.Join(tx.Note(a), tx.Note(b), tx.Note(webhook.Try{Delivery: 2, At: start()}))
	}))
	for count, tries := range map[int][]webhook.Try{9: {b, a}, 1: {b}} {
		got, err := s.Store.Tries(t.Context(), 1, count)
		must(t, err)
		want(t, "Tries", got, tries)
	}
}

func hookRemoved(t *testing.T, s WebhookStore) {
	a, b := addHook(t, s, hook("a")), addHook(t, s, hook("b"))
	da, db := addNews(t, s, news(a.ID, "e")), addNews(t, s, news(b.ID, "e"))
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		return errors.Join(tx.Note(webhook.Try{Delivery: da.ID, At: start()}), tx.Note(webhook.Try{Delivery: db.ID, At: start()}), tx.Remove(a.ID))
	}))
	want(t, "Hooks", hooksThere(t, s), []webhook.Hook{b})
	want(t, "due of it", dueOf(t, s, a.ID, start(), 9), []string{})
	want(t, "due of the other", dueOf(t, s, b.ID, start(), 9), []string{"e"})
	for id, n := range map[int64]int{da.ID: 0, db.ID: 1} {
		tries, err := s.Store.Tries(t.Context(), id, 9)
		must(t, err)
		want(t, "tries", len(tries), n)
	}
	wantCode(t, "Remove of none", s.Store.InTx(t.Context(), func(tx webhook.Tx) error { return tx.Remove(a.ID) }), fault.NotFound)
}

func pruned(t *testing.T, s WebhookStore) {
	var ids []int64
	for i := range 4 {
		d := news(1, fmt.Sprint("e", i))
		d.At = start().Add(time.Duration(i) * time.Hour)
		ids = append(ids, addNews(t, s, d).ID)
	}
	prune := func(before time.Time, count int) (n int) {
		must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) (err error) {
			if err := tx.Note(webhook.Try{Delivery: ids[0], At: start()}); err != nil {
				return err
			}
			n, err = tx.Prune(before, count)
			return err
		}))
		return n
	}
	want(t, "pruned before the first", prune(start(), 9), 0)
	want(t, "pruned", prune(start().Add(3*time.Hour), 2), 2)
	want(t, "left", dueOf(t, s, 1, start(), 9), []string{"e2", "e3"})
	want(t, "pruned", prune(start().Add(3*time.Hour), 2), 1)
	want(t, "left", dueOf(t, s, 1, start(), 9), []string{"e3"})
}

func members(t *testing.T, s WebhookStore) {
	a := webhook.Member{User: 7, Client: "shop", External: "u-7"}
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		return errors.Join(tx.AddMember(a), tx.AddMember(webhook.Member{User: 7, Client: "other", External: "x"}))
	}))
	must(t, s.Store.InTx(t.Context(), func(tx webhook.Tx) error {
		got, err := tx.Members([]int64{7, 8, 7})
		want(t, "Members", got, map[int64]webhook.Member{7: a})
		return err
	}))
}
