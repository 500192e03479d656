package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// A RebateStore is a rebate.Store under test.
type RebateStore struct {
	Store rebate.Store
	Heard Heard
}

// Rebates checks every promise of rebate.Store.
func Rebates(t *testing.T, open func(t *testing.T) RebateStore) {
	t.Helper()
	run(t, open,
		transactions(func(s RebateStore) atomic[rebate.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s RebateStore) (func(context.Context, func(rebate.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		handles(func(s RebateStore) func(context.Context, func(rebate.Tx) error) error { return s.Store.InTx }),
		[]check[RebateStore]{
			{"RebateComesBack", rebateComesBack},
			{"PutReplacesARebate", rebateReplaced},
			{"DueArePendingAndTheirTimeHasCome", rebatesDue},
			{"RulesAreKeptByVersion", rulesByVersion},
			{"OfTwoWhoChangeTheSameVersionOneWins", rulesRace},
			{"EditionsSayWhoAndWhy", editionsComeBack},
			{"WalkMeetsEveryRebateSince", rebatesWalk},
			{"EnactingTheRulesInForceKeepsTheirVersion", enactAgain},
			{"OrdersHeardAtOnceMakeOneRebate", ordersAtOnce},
			{"AnOlderStateOfALineChangesNothing", olderLine},
		})
}

// someRebate returns a rebate with all that one can have.
func someRebate(id string) rebate.Rebate {
	terms := rebate.Terms{
		Rules: 2, Parts: []rebate.Part{{Kind: "base", Bps: 7000}, {Kind: "level", Name: "1", Bps: 500}}, Share: 7500, Fee: 1000, Cap: 900, HoldDays: 7,
	}
	return rebate.Rebate{
		Key: key(id), Seq: 3, User: 7, Stage: rebate.Pending, Amount: 810, Margin: 390, Due: start().Add(time.Hour),
		Line: order.ChangedLine{
			Line: 70, Key: key(id), Rev: 4, Order: "order-" + id, Title: "保温杯", Category: "厨具", State: order.Settled, Why: "",
			Price: 8900, Refunded: 100, Commission: 1200, Disputed: true, User: 7,
			Promise: link.Promise{Rules: 2, Share: 7500, Rebate: 810, Terms: terms.String()}, CreatedAt: start(), SettledAt: start().Add(time.Minute),
		},
		Cuts:  [2]rebate.Cut{{User: 8, Amount: 30}, {User: 9, Amount: 1}},
		Trace: terms.Rebate(1200), Changed: start().Add(2 * time.Minute),
	}
}

func inRebates(t *testing.T, s RebateStore, fn func(tx rebate.Tx) error) {
	t.Helper()
	must(t, s.Store.InTx(t.Context(), fn))
}

func putRebates(t *testing.T, s RebateStore, rs ...rebate.Rebate) {
	t.Helper()
	inRebates(t, s, func(tx rebate.Tx) error { return tx.Put(rs) })
}

func rebateComesBack(t *testing.T, s RebateStore) {
	full, bare := someRebate("1"), rebate.Rebate{Key: key("2"), Stage: rebate.Nothing, Line: order.ChangedLine{Key: key("2")}, Changed: start()}
	putRebates(t, s, full, bare)
	putRebates(t, s)
	keys := []order.Key{key("1"), key("2"), key("3"), {Network: link.PDD, Account: "main", ID: "1"}}
	both := map[order.Key]rebate.Rebate{full.Key: full, bare.Key: bare}
	got, err := s.Store.Rebates(t.Context(), keys)
	must(t, err)
	want(t, "Store.Rebates", got, both)
	inRebates(t, s, func(tx rebate.Tx) error {
		got, err := tx.Rebates(keys)
		want(t, "Tx.Rebates", got, both)
		return err
	})
}

func rebateReplaced(t *testing.T, s RebateStore) {
	a, other := someRebate("1"), someRebate("2")
	putRebates(t, s, a, other)
	a.Seq, a.User, a.Stage, a.Amount, a.Margin, a.Due = 4, 0, rebate.Nothing, 0, 0, time.Time{} // back to nothing
	a.Line, a.Trace, a.Changed = order.ChangedLine{Key: a.Key, Rev: 5}, rebate.Trace{}, start().Add(time.Hour)
	a.Cuts = [2]rebate.Cut{}
	putRebates(t, s, a)
	got, err := s.Store.Rebates(t.Context(), []order.Key{a.Key, other.Key})
	must(t, err)
	want(t, "Rebates", got, map[order.Key]rebate.Rebate{a.Key: a, other.Key: other})
}

func rebatesDue(t *testing.T, s RebateStore) {
	for id, change := range map[string]func(*rebate.Rebate){
		"later":     func(r *rebate.Rebate) { r.Due = start().Add(time.Millisecond) },
		"now":       func(r *rebate.Rebate) { r.Due = start() },
		"earlier":   func(r *rebate.Rebate) { r.Due = start().Add(-time.Hour) },
		"undated":   func(r *rebate.Rebate) { r.Due = time.Time{} },
		"available": func(r *rebate.Rebate) { r.Stage, r.Due = rebate.Available, start() },
		"nothing":   func(r *rebate.Rebate) { r.Stage, r.Due = rebate.Nothing, start() },
	} {
		r := someRebate(id)
		change(&r)
		putRebates(t, s, r)
	}
	inRebates(t, s, func(tx rebate.Tx) error {
		all, err := tx.Due(start(), 10)
		must(t, err)
		var got []string
		for _, r := range all {
			got = append(got, r.Key.ID)
		}
		slices.Sort(got)
		want(t, "Due", got, []string{"earlier", "now"})
		one, err := tx.Due(start(), 1)
		want(t, "number of Due, at most 1", len(one), 1)
		return err
	})
}

func someRules(base money.Bps) rebate.Rules {
	return rebate.Rules{
		Base: base, Fee: 100, Levels: map[int]money.Bps{1: 500}, Networks: map[string]money.Bps{link.JD: -200},
		Categories: map[string]money.Bps{"厨具": 100}, Cap: 10_000, Minimum: 2, HoldDays: map[string]int{"": 7, link.PDD: 15},
	}
}

func rulesByVersion(t *testing.T, s RebateStore) {
	_, _, err := s.Store.Rules(t.Context(), 0)
	wantCode(t, "Rules before there are any", err, fault.NotFound)
	versions := map[int64]rebate.Rules{}
	newest := int64(0)
	for _, base := range []money.Bps{7000, 6000, 7000} {
		inRebates(t, s, func(tx rebate.Tx) error {
			v, err := tx.AddRules(someRules(base), rebate.Edition{Before: newest, At: start()})
			if v <= newest {
				t.Errorf("version %d follows %d", v, newest)
			}
			newest, versions[v] = v, someRules(base)
			return err
		})
	}
	for asked, version := range map[int64]int64{0: newest, 1: 1, 2: 2, newest: newest} {
		got, v, err := s.Store.Rules(t.Context(), asked)
		must(t, err)
		want(t, "version", v, version)
		want(t, "Rules", got, versions[version])
		inRebates(t, s, func(tx rebate.Tx) error {
			got, v, err := tx.Rules(asked)
			want(t, "version inside a transaction", v, version)
			want(t, "Rules inside a transaction", got, versions[version])
			return err
		})
	}
	_, _, err = s.Store.Rules(t.Context(), newest+1)
	wantCode(t, "Rules of a version that is not there", err, fault.NotFound)
}

func rulesRace(t *testing.T, s RebateStore) {
	c := clerk(t, s)
	vs, errs := together(20, func(i int) (int64, error) {
		return c.Set(t.Context(), someRules(money.Bps(5000+i)), 1, "ann", "a test")
	})
	won := 0
	for i, err := range errs {
		if err == nil {
			want(t, "version of who won", vs[i], int64(2))
			won++
			continue
		}
		wantCode(t, "Set of who lost", err, fault.Conflict)
	}
	want(t, "number of those who won", won, 1)
	err := s.Store.InTx(t.Context(), func(tx rebate.Tx) error {
		_, err := tx.AddRules(someRules(1), rebate.Edition{Before: 1, At: start()})
		return err
	})
	wantCode(t, "a second version after the same one", err, fault.Conflict)
}

func editionsComeBack(t *testing.T, s RebateStore) {
	inRebates(t, s, func(tx rebate.Tx) error {
		_, err := tx.Edition()
		wantCode(t, "Edition before there is one", err, fault.NotFound)
		return nil
	})
	c := clerk(t, s)
	v, err := c.Set(t.Context(), someRules(5000), 1, "ann", "年货节结束")
	must(t, err)
	all := []rebate.Edition{{Version: v, Before: 1, Staff: true, By: "ann", Reason: "年货节结束", At: start()}, {Version: 1, At: start()}}
	got, err := s.Store.Editions(t.Context(), 0, 10)
	must(t, err)
	want(t, "Editions", got, all)
	got, err = s.Store.Editions(t.Context(), 0, 1)
	must(t, err)
	want(t, "Editions, at most 1", got, all[:1])
	got, err = s.Store.Editions(t.Context(), v, 10)
	must(t, err)
	want(t, "Editions before the newest", got, all[1:])
	inRebates(t, s, func(tx rebate.Tx) error {
		e, err := tx.Edition()
		want(t, "Edition", e, all[0])
		return err
	})
}

func rebatesWalk(t *testing.T, s RebateStore) {
	const many = 1100 // more than a page
	wanted := map[order.Key]rebate.Rebate{}
	var all []rebate.Rebate
	for i := range many {
		r := someRebate(fmt.Sprint(i))
		r.Changed = start().Add(time.Duration(i%3-1) * time.Hour)
		all = append(all, r)
		if !r.Changed.Before(start()) {
			wanted[r.Key] = r
		}
	}
	putRebates(t, s, all...)
	met := map[order.Key]rebate.Rebate{}
	must(t, s.Store.Walk(t.Context(), start(), func(r rebate.Rebate) error { met[r.Key] = r; return nil }))
	want(t, "what was met", met, wanted)
	stop := errors.New("enough")
	n := 0
	err := s.Store.Walk(t.Context(), start(), func(rebate.Rebate) error { n++; return stop })
	want(t, "calls until the first error", n, 1)
	want(t, "the error", errors.Is(err, stop), true)
}

// clerk computes rebates for users of level 1.
func clerk(t *testing.T, s RebateStore) *rebate.Clerk {
	t.Helper()
	c := &rebate.Clerk{Store: s.Store, Level: func(context.Context, int64) (int, error) { return 1, nil }, Now: start}
	_, err := c.Enact(t.Context(), someRules(7000))
	must(t, err)
	return c
}

func enactAgain(t *testing.T, s RebateStore) {
	c := clerk(t, s)
	vs, errs := together(20, func(int) (int64, error) { return c.Enact(t.Context(), someRules(6000)) })
	must(t, errors.Join(errs...))
	for _, v := range vs {
		want(t, "version", v, int64(2))
	}
}

// orderChanged is the news of one paid line of user 7.
func orderChanged(t *testing.T, id string, rev int64, commission money.Fen) event.Event {
	t.Helper()
	e, err := event.New(fmt.Sprintf("order/%s/rev%d", key(id), rev), event.OrderChanged, start(), order.Changed{Lines: []order.ChangedLine{{
		Line: 1, Key: key(id), Rev: rev, Order: "order-" + id, State: order.Paid, Commission: commission, User: 7, CreatedAt: start(),
	}}})
	must(t, err)
	return e
}

func ordersAtOnce(t *testing.T, s RebateStore) {
	c := clerk(t, s)
	e := orderChanged(t, "1", 1, 1000)
	_, errs := together(atOnce, func(int) (struct{}, error) { return struct{}{}, c.OrderChanged(t.Context(), e) })
	must(t, errors.Join(errs...))
	got, err := c.Of(t.Context(), []order.Key{key("1")})
	must(t, err)
	want(t, "seq", got[key("1")].Seq, int64(1))
	want(t, "number of events", len(s.Heard(t)), 1)
}

func olderLine(t *testing.T, s RebateStore) {
	c := clerk(t, s)
	for rev, commission := range map[int64]money.Fen{1: 1000, 2: 500, 3: 0} {
		must(t, c.OrderChanged(t.Context(), orderChanged(t, "new", rev, commission)))
	}
	must(t, c.OrderChanged(t.Context(), orderChanged(t, "1", 2, 500)))
	must(t, c.OrderChanged(t.Context(), orderChanged(t, "1", 1, 1000)))
	got, err := c.Of(t.Context(), []order.Key{key("1"), key("new")})
	must(t, err)
	want(t, "rev of the line", got[key("1")].Line.Rev, int64(2))
	want(t, "what is shared", got[key("1")].Amount+got[key("1")].Margin, money.Fen(500))
	want(t, "rev of a line whose news came in any order", got[key("new")].Line.Rev, int64(3))
	want(t, "what is shared of it", got[key("new")].Amount, money.Fen(0))
}
