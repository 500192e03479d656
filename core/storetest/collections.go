package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// A CollectionStore is a collect.Store under test, with what reads its ledger.
type CollectionStore struct {
	Store  collect.Store
	Reader ledger.Reader
	Heard  Heard
}

// Collections checks every promise of collect.Store, and that the desk keeps its
// own on it.
func Collections(t *testing.T, open func(t *testing.T) CollectionStore) {
	t.Helper()
	run(t, open,
		transactions(func(s CollectionStore) atomic[collect.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s CollectionStore) (func(context.Context, func(collect.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		[]check[CollectionStore]{
			{"DueComesBack", dueComesBack},
			{"NoDueIsNotFound", noDue},
			{"KeyAndNumberOfAnotherAreConflicts", dueOfAnother},
			{"SwapKeepsWhatWasAskedFor", dueKeeps},
			{"SwapsAtOnceSucceedOnce", duesAtOnce},
			{"WaitingIsDueAndLongestFirst", duesWaiting},
			{"OpenOfIsTheNewestOpenOne", openOf},
			{"NewestIsNewestFirst", newestDues},
			{"AskedAtOnceIsOneCharge", askedAtOnce},
			{"PaidAtOnceIsBookedOnce", paidAtOnce},
		})
}

// owed returns a due of a user.
func owed(key string, user int64, stage collect.Stage) collect.Due {
	return collect.Due{
		Key: key, Purpose: collect.Membership, User: user, What: "level/1/30", Amount: 1990, Subject: "会员", Collector: "till",
		Number: "T" + key, Stage: stage, Rev: 1, At: start(), Changed: start(), Expires: start().Add(time.Hour),
	}
}

func insertDue(t *testing.T, s CollectionStore, d *collect.Due) error {
	t.Helper()
	return s.Store.InTx(t.Context(), func(tx collect.Tx) (err error) {
		d.ID, err = tx.Insert(*d)
		return err
	})
}

func swapDue(t *testing.T, s CollectionStore, d collect.Due, was collect.Stage) (ok bool, err error) {
	t.Helper()
	err = s.Store.InTx(t.Context(), func(tx collect.Tx) (err error) {
		ok, err = tx.Swap(d, was)
		return err
	})
	return ok, err
}

func dueComesBack(t *testing.T, s CollectionStore) {
	full, bare := owed("1", 7, collect.Refunding), owed("2", 0, collect.Created)
	full.Reason, full.Code, full.Receipt, full.Paid, full.Account, full.Rev, full.Tries = "because", "qr", "R1", 1990, ledger.Membership, 4, 2
	full.Changed, full.NextAt = start().Add(time.Minute), start().Add(time.Hour)
	bare.Purpose, bare.What, bare.Number = collect.TopUp, "", ""
	for _, d := range []collect.Due{full, bare} {
		must(t, insertDue(t, s, &d))
		got, err := s.Store.Due(t.Context(), d.ID)
		must(t, err)
		want(t, "Due", got, d)
		if d.Number != "" {
			got, err = s.Store.ByNumber(t.Context(), d.Number)
			must(t, err)
			want(t, "ByNumber", got, d)
		}
		must(t, s.Store.InTx(t.Context(), func(tx collect.Tx) error {
			got, err := tx.ByKey(d.Key)
			want(t, "ByKey", got, d)
			return err
		}))
	}
}

func noDue(t *testing.T, s CollectionStore) {
	bare := owed("1", 7, collect.Created)
	bare.Number = ""
	must(t, insertDue(t, s, &bare))
	_, err := s.Store.Due(t.Context(), 404)
	wantCode(t, "Due", err, fault.NotFound)
	for _, number := range []string{"", "T404"} {
		_, err = s.Store.ByNumber(t.Context(), number)
		wantCode(t, "ByNumber", err, fault.NotFound)
	}
	must(t, s.Store.InTx(t.Context(), func(tx collect.Tx) error {
		_, err := tx.ByKey("404")
		wantCode(t, "ByKey", err, fault.NotFound)
		_, err = tx.OpenOf(404, collect.Membership)
		wantCode(t, "OpenOf", err, fault.NotFound)
		ok, err := tx.Swap(collect.Due{ID: 404, Stage: collect.Asked, Rev: 2}, collect.Created)
		want(t, "Swap", ok, false)
		return err
	}))
}

func dueOfAnother(t *testing.T, s CollectionStore) {
	a, b := owed("1", 7, collect.Created), owed("1", 8, collect.Created)
	must(t, insertDue(t, s, &a))
	b.Number = "T9"
	wantCode(t, "Insert", insertDue(t, s, &b), fault.Conflict)
	b.Key, b.Number = "2", ""
	must(t, insertDue(t, s, &b))
	b.Number, b.Rev = a.Number, 2
	_, err := swapDue(t, s, b, collect.Created)
	wantCode(t, "Swap", err, fault.Conflict)
}

func dueKeeps(t *testing.T, s CollectionStore) {
	d := owed("1", 7, collect.Created)
	must(t, insertDue(t, s, &d))
	n := d
	n.Key, n.Purpose, n.User, n.What, n.Amount, n.Subject, n.Collector = "9", collect.TopUp, 9, "x", 9, "x", "x"
	n.At, n.Expires = start().Add(time.Hour), start()
	n.Stage, n.Code, n.Rev = collect.Asked, "qr", 2
	for _, old := range []collect.Due{{ID: d.ID, Stage: collect.Asked, Rev: 3}, {ID: d.ID, Stage: collect.Asked, Rev: 1}} {
		ok, err := swapDue(t, s, old, collect.Created)
		must(t, err)
		want(t, "Swap with another revision", ok, false)
	}
	ok, err := swapDue(t, s, n, collect.Asked)
	must(t, err)
	want(t, "Swap from another stage", ok, false)
	ok, err = swapDue(t, s, n, collect.Created)
	must(t, err)
	want(t, "Swap", ok, true)
	d.Stage, d.Code, d.Rev = collect.Asked, "qr", 2
	got, err := s.Store.Due(t.Context(), d.ID)
	must(t, err)
	want(t, "Due", got, d)
}

func duesAtOnce(t *testing.T, s CollectionStore) {
	d := owed("1", 7, collect.Created)
	must(t, insertDue(t, s, &d))
	won, errs := together(atOnce, func(int) (bool, error) {
		n := d
		n.Stage, n.Rev = collect.Asked, 2
		return swapDue(t, s, n, collect.Created)
	})
	count := 0
	for i := range won {
		must(t, errs[i])
		if won[i] {
			count++
		}
	}
	want(t, "how many have won", count, 1)
}

func dueKeys(ds []collect.Due) (out []string) {
	for _, d := range ds {
		out = append(out, d.Key)
	}
	return out
}

func duesWaiting(t *testing.T, s CollectionStore) {
	for i, next := range []time.Duration{3, 1, 0, 9, 1} {
		d := owed(string(rune('a'+i)), 7, collect.Asked)
		if next > 0 {
			d.NextAt = start().Add(next * time.Minute)
		}
		must(t, insertDue(t, s, &d))
	}
	got, err := s.Store.Waiting(t.Context(), start().Add(3*time.Minute), 10)
	must(t, err)
	want(t, "Waiting", dueKeys(got), []string{"b", "e", "a"})
	got, err = s.Store.Waiting(t.Context(), start().Add(3*time.Minute), 2)
	must(t, err)
	want(t, "Waiting, two", dueKeys(got), []string{"b", "e"})
}

func openOf(t *testing.T, s CollectionStore) {
	for i, st := range []collect.Stage{collect.Created, collect.Asked, collect.Lapsed, collect.Received} {
		d := owed(string(rune('a'+i)), 7, st)
		must(t, insertDue(t, s, &d))
	}
	other := owed("z", 8, collect.Asked)
	must(t, insertDue(t, s, &other))
	must(t, s.Store.InTx(t.Context(), func(tx collect.Tx) error {
		d, err := tx.OpenOf(7, collect.Membership)
		want(t, "OpenOf", d.Key, "b")
		_, none := tx.OpenOf(7, collect.TopUp)
		wantCode(t, "OpenOf for something else", none, fault.NotFound)
		return err
	}))
}

func newestDues(t *testing.T, s CollectionStore) {
	for i, st := range []collect.Stage{collect.Asked, collect.Held, collect.Lapsed, collect.Held} {
		d := owed(string(rune('a'+i)), 7, st)
		must(t, insertDue(t, s, &d))
	}
	got, err := s.Store.Newest(t.Context(), 3)
	must(t, err)
	want(t, "Newest", dueKeys(got), []string{"d", "c", "b"})
	got, err = s.Store.Newest(t.Context(), 3, collect.Held, collect.Asked)
	must(t, err)
	want(t, "Newest of two stages", dueKeys(got), []string{"d", "b", "a"})
}

// counter returns a desk over the store, with a till.
func (s CollectionStore) counter(now func() time.Time) (*collect.Desk, *collecttest.Till) {
	till := collecttest.NewTill(now)
	return &collect.Desk{Store: s.Store, Collectors: []collect.Collector{till}, Prefix: "T", Lasts: time.Hour, Now: now}, till
}

func wish(key string) collect.Request {
	return collect.Request{Key: key, Purpose: collect.Membership, User: 7, What: "level/1/30", Amount: 1990, Subject: "会员"}
}

func askedAtOnce(t *testing.T, s CollectionStore) {
	desk, till := s.counter(start)
	_, errs := together(atOnce, func(i int) (struct{}, error) {
		_, err := desk.Ask(t.Context(), wish(string(rune('a'+i%5))))
		return struct{}{}, err
	})
	for _, err := range errs { // whoever comes while the first is asking has to come again
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
	}
	got, err := s.Store.Newest(t.Context(), 10)
	must(t, err)
	if len(got) != 1 || got[0].Stage != collect.Asked {
		t.Errorf("%d charges: %+v", len(got), got)
	}
	want(t, "what is at the till", till.Balance(got[0].Number), money.Fen(0))
}

func paidAtOnce(t *testing.T, s CollectionStore) {
	now := start()
	desk, till := s.counter(func() time.Time { return now })
	d, err := desk.Ask(t.Context(), wish("a"))
	must(t, err)
	must(t, till.Pay(d.Number))
	now = now.Add(time.Minute)
	_, errs := together(atOnce/4, func(int) (struct{}, error) {
		_, err := desk.Run(t.Context())
		return struct{}{}, err
	})
	for _, err := range errs {
		must(t, err)
	}
	sums, err := s.Reader.Accounts(t.Context())
	must(t, err)
	want(t, "the books", sums, map[ledger.Account]money.Fen{ledger.Membership: 1990, ledger.Collector("till"): -1990})
	var said []collect.Stage
	for _, e := range s.Heard(t) {
		var c collect.Changed
		must(t, e.Decode(&c))
		said = append(said, c.Stage)
	}
	if !slices.Equal(said, []collect.Stage{collect.Asked, collect.Received}) {
		t.Errorf("said %v", said)
	}
}
