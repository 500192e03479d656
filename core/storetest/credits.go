package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// A CreditStore is a credit.Store under test, with what reads its ledger.
type CreditStore struct {
	Store  credit.Store
	Reader ledger.Reader
	Heard  Heard
}

// Credits checks every promise of credit.Store but those of its ledger.
func Credits(t *testing.T, open func(t *testing.T) CreditStore) {
	t.Helper()
	run(t, open,
		transactions(func(s CreditStore) atomic[credit.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s CreditStore) (func(context.Context, func(credit.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		handles(func(s CreditStore) func(context.Context, func(credit.Tx) error) error { return s.Store.InTx }),
		[]check[CreditStore]{
			{"BookedComesBack", bookedComesBack},
			{"PartsOfOthersComeBack", partsComeBack},
			{"OfManyWhoSpendAtOnceThoseComeThroughThatFit", spentAtOnce},
			{"GiftsAtOnceNeverExceedTheBudget", giftsAtOnce},
			{"TheFirstOrderIsKept", firstKept},
			{"BonusesHeardAtOnceAreGivenOnce", bonusesAtOnce},
			{"InvitersPartsAreFollowed", partsFollowed},
			{"NewsHeardAtOnceIsEnteredOnce", newsAtOnce},
			{"NewsInAnyOrderEndsWithTheNewest", newsInAnyOrder},
			{"ABatchIsEnteredAsAWhole", batchEntered},
		})
}

func bookedComesBack(t *testing.T, s CreditStore) {
	a := credit.Booked{Key: key("1"), Seq: 2, User: 7, Pending: 300, Available: 20, Margin: -5}
	b := credit.Booked{Key: order.Key{Network: link.PDD, Account: "main", ID: "1"}, Seq: 1, Margin: 5}
	for range 2 { // storing what is there already is no error
		must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) error { return tx.PutBooked([]credit.Booked{a, b}) }))
	}
	a.Seq, a.User, a.Pending, a.Available, a.Margin = 3, 0, 0, 0, 0
	must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) error {
		must(t, tx.PutBooked([]credit.Booked{a}))
		got, err := tx.Booked([]order.Key{a.Key, b.Key, key("2")})
		want(t, "Booked", got, map[order.Key]credit.Booked{a.Key: a, b.Key: b})
		return errors.Join(err, tx.PutBooked(nil))
	}))
}

func partsComeBack(t *testing.T, s CreditStore) {
	a := credit.Booked{
		Key: key("1"), Seq: 2, User: 7, Available: 20, TopUp: 9, Budget: "marketing", Shared: true,
		Cuts: [2]credit.BookedCut{{User: 8, Pending: 3, Available: 4}, {User: 9, Pending: 5, Available: 6}},
	}
	b := credit.Booked{Key: key("2"), Seq: 1, User: 7}
	for range 2 {
		must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) error {
			must(t, tx.PutBooked([]credit.Booked{a, b}))
			got, err := tx.Booked([]order.Key{a.Key, b.Key, key("3")})
			want(t, "Booked", got, map[order.Key]credit.Booked{a.Key: a, b.Key: b})
			return err
		}))
		a.Cuts, a.TopUp, a.Seq = [2]credit.BookedCut{{User: 8}, {}}, 0, 3
	}
}

func spentAtOnce(t *testing.T, s CreditStore) {
	took, errs := together(atOnce, func(int) (ok bool, err error) {
		err = s.Store.InTx(t.Context(), func(tx credit.Tx) error {
			if ok, err = tx.Spend("marketing", "2026-11-27", 30, 100); err != nil {
				return err
			}
			if ok {
				ok, err = tx.Spend("marketing", "total", 30, 0)
			}
			return err
		})
		return ok, err
	})
	must(t, errors.Join(errs...))
	n := 0
	for _, ok := range took {
		if ok {
			n++
		}
	}
	want(t, "how many came through", n, 3)
	must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) error {
		ok, err := tx.Spend("marketing", "2026-11-27", 10, 100)
		want(t, "what fits exactly", ok, true)
		must(t, err)
		ok, err = tx.Spend("marketing", "2026-11-27", 1, 100)
		want(t, "one fen too much", ok, false)
		must(t, err)
		ok, err = tx.Spend("marketing", "total", -100, 0)
		want(t, "what comes back", ok, true)
		must(t, err)
		for span, n := range map[string]money.Fen{"2026-11-27": 100, "2026-11": 0, "total": -10} {
			used, err := tx.Spent("marketing", span)
			must(t, err)
			want(t, "Spent of "+span, used, n)
		}
		return err
	}))
	got, err := s.Store.Used(t.Context(), "marketing", []string{"2026-11-27", "2026-11", "total"})
	must(t, err)
	for span, n := range map[string]money.Fen{"2026-11-27": 100, "2026-11": 0, "total": -10} {
		want(t, "Used of "+span, got[span], n)
	}
}

func giftsAtOnce(t *testing.T, s CreditStore) {
	tr := &credit.Treasurer{
		Store: s.Store, Now: start, CheckIn: 30, CheckInBudget: "checkin", Budgets: map[string]credit.Budget{"checkin": {Day: 100, Total: 1000}},
	}
	got, errs := together(atOnce, func(i int) (money.Fen, error) { return tr.Come(t.Context(), int64(i/2+1)) }) // everybody twice
	var sum money.Fen
	for i, err := range errs {
		if err != nil {
			wantCode(t, "a gift beyond the budget", err, fault.Limited)
		}
		sum += got[i]
	}
	want(t, "what was given", sum, money.Fen(90))
	marketing, err := s.Reader.Balance(t.Context(), ledger.Marketing)
	must(t, err)
	want(t, "what it cost", marketing, money.Fen(-90))
	used, err := s.Store.Used(t.Context(), "checkin", []string{"total"})
	must(t, err)
	want(t, "Used", used["total"], money.Fen(90))
	dry, err := tr.Dry(t.Context(), "checkin")
	must(t, err)
	want(t, "Dry", dry, false) // ten are left
	wantSound(t, s.Reader)
}

func partsFollowed(t *testing.T, s CreditStore) {
	steps := []struct {
		stage                        rebate.Stage
		amount, first, second, topUp money.Fen
	}{{rebate.Pending, 300, 40, 20, 50}, {rebate.Available, 300, 40, 20, 50}, {rebate.Available, 100, 10, 5, 0}, {rebate.Nothing, 0, 0, 0, 0}}
	for i, step := range steps {
		r := rebate.ChangedRebate{
			Key: key("1"), Seq: int64(i + 1), User: 7, Stage: step.stage, Amount: step.amount, Margin: 9, TopUp: step.topUp, Budget: "marketing",
			Cuts: [2]rebate.Cut{{User: 8, Amount: step.first}, {User: 9, Amount: step.second}},
		}
		e, err := event.New(fmt.Sprint("rebate/parts/", i), event.RebateChanged, start(), rebate.Changed{Rebates: []rebate.ChangedRebate{r}})
		must(t, err)
		for range 2 {
			must(t, s.cashier().RebateChanged(t.Context(), e))
		}
		for user, n := range map[int64]money.Fen{7: step.amount, 8: step.first, 9: step.second} {
			w := credit.Wallet{Available: n}
			if step.stage == rebate.Pending {
				w = credit.Wallet{Pending: n}
			}
			wantWallet(t, s.Reader, user, w)
		}
		network, err := s.Reader.Balance(t.Context(), ledger.Network(key("1").Network))
		must(t, err)
		want(t, "what the network owes", -network, step.amount+step.first+step.second+9-step.topUp)
		used, err := s.Store.Used(t.Context(), "marketing", []string{"total"})
		must(t, err)
		want(t, "what the budget paid", used["total"], step.topUp)
	}
}

// rebateChanged is the news that a line's rebate is so much now.
func rebateChanged(t *testing.T, id string, seq int64, stage rebate.Stage, amount money.Fen) event.Event {
	t.Helper()
	e, err := event.New(fmt.Sprintf("rebate/%s/%d", id, seq), event.RebateChanged, start(), rebate.Changed{Rebates: []rebate.ChangedRebate{{
		Key: key(id), Seq: seq, User: 7, Stage: stage, Amount: amount, Margin: amount / 2, Order: "order-" + id, Title: "保温杯", State: order.Paid,
	}}})
	must(t, err)
	return e
}

func (s CreditStore) cashier() *credit.Cashier { return &credit.Cashier{Store: s.Store, Now: start} }

func wantWallet(t *testing.T, r ledger.Reader, user int64, w credit.Wallet) {
	t.Helper()
	got, err := credit.Purse{Ledger: r}.Wallet(t.Context(), user)
	must(t, err)
	want(t, "Wallet", got, w)
	wantSound(t, r)
}

func newsAtOnce(t *testing.T, s CreditStore) {
	e := rebateChanged(t, "1", 1, rebate.Pending, 300)
	_, errs := together(atOnce, func(int) (struct{}, error) { return struct{}{}, s.cashier().RebateChanged(t.Context(), e) })
	must(t, errors.Join(errs...))
	wantWallet(t, s.Reader, 7, credit.Wallet{Pending: 300})
	want(t, "number of events", len(s.Heard(t)), 1)
}

func newsInAnyOrder(t *testing.T, s CreditStore) {
	news := []event.Event{
		rebateChanged(t, "1", 1, rebate.Pending, 300), rebateChanged(t, "1", 2, rebate.Pending, 200),
		rebateChanged(t, "1", 3, rebate.Available, 200), rebateChanged(t, "1", 4, rebate.Available, 150),
	}
	_, errs := together(4*len(news), func(i int) (struct{}, error) {
		return struct{}{}, s.cashier().RebateChanged(t.Context(), news[(i*7+3)%len(news)])
	})
	must(t, errors.Join(errs...))
	wantWallet(t, s.Reader, 7, credit.Wallet{Available: 150})
}

func batchEntered(t *testing.T, s CreditStore) {
	const n, users = 700, 9
	var ch rebate.Changed
	for i := range n {
		ch.Rebates = append(ch.Rebates, rebate.ChangedRebate{
			Key: key(fmt.Sprint(i)), Seq: 1, User: int64(i%users + 1), Stage: rebate.Pending, Amount: 10, Margin: 5, Title: "保温杯",
		})
	}
	e, err := event.New("rebate/batch", event.RebateChanged, start().Add(time.Minute), ch)
	must(t, err)
	must(t, s.cashier().RebateChanged(t.Context(), e))
	var sum money.Fen
	for u := range int64(users) {
		w, err := credit.Purse{Ledger: s.Reader}.Wallet(t.Context(), u+1)
		must(t, err)
		sum += w.Pending
	}
	want(t, "what all users have", sum, money.Fen(n*10))
	margin, err := s.Reader.Balance(t.Context(), ledger.Margin)
	must(t, err)
	want(t, "the house's part", margin, money.Fen(n*5))
	wantSound(t, s.Reader)
}
