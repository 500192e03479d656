package store_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/adapters/store"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/proof"
	"fanli/core/rebate"
	"fanli/core/user"
)

// A purse is a payment target in which accounts are merged.
type purse struct {
	t       *rapid.T
	db      *store.DB
	cashier *credit.Cashier
	gifts   *credit.Treasurer
	merger  *credit.Merger
	said    int
}

func openPurse(t *testing.T) *purse {
	t.Helper()
	db := open(t, store.Config{Path: store.Memory, Now: now})
	return &purse{
		db: db, cashier: &credit.Cashier{Store: db.Credits(), Now: now}, merger: &credit.Merger{Store: db.Moved(), Now: now},
		gifts: &credit.Treasurer{Store: db.Credits(), Now: now, Budgets: map[string]credit.Budget{"fun": {Total: 1_000_00}}},
	}
}

func (p *purse) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// say makes an event with a number of its own.
func (p *purse) say(name event.Name, v any) event.Event {
	p.said++
	e, err := event.New(fmt.Sprintf("%s/%d", name, p.said), name, start, v)
	p.must(err)
	return e
}

// merge hears a stage of a merge twice, and returns why it was not done.
func (p *purse) merge(c user.MergeChanged) string {
	for range 2 {
		p.must(p.merger.MergeChanged(p.t.Context(), p.say(event.MergeChanged, c)))
	}
	var m credit.Moved
	p.must(p.db.Moved().InTx(p.t.Context(), func(tx credit.MergeTx) (err error) { m, err = tx.Moved(c.ID); return err }))
	return m.Reason
}

// money is what all users have together, and what each account of others has.
func (p *purse) money() (users money.Fen, others map[ledger.Account]money.Fen) {
	all, err := p.db.Ledger().Accounts(p.t.Context())
	p.must(err)
	others = map[ledger.Account]money.Fen{}
	for a, b := range all {
		if _, _, ok := a.Owner(); ok {
			users += b
		} else if b != 0 {
			others[a] = b
		}
	}
	return users, others
}

// sound proves the books.
func (p *purse) sound() {
	p.must(p.db.Prove(p.t.Context(), func(src proof.Source) error {
		r, err := (&proof.Prover{}).Prove(p.t.Context(), src)
		if err == nil && !r.OK() {
			err = fmt.Errorf("%+v", r.Faults)
		}
		return err
	}))
}

// TestMergesKeepEveryonesMoney plays random histories of lines and gifts twice: with
// merges and their ways back at random places, and without. What all users have
// together is the same fen, what others have too, and the books are sound.
func TestMergesKeepEveryonesMoney(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	with, without := openPurse(t), openPurse(t) // a database costs more than a history: each has users of its own
	merges, first := int64(0), int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		with.t, without.t = rt, rt
		first += 10
		seqs := map[int64]int64{}
		points := map[int64]user.MergeChanged{} // linked, by who is absorbed
		for range rapid.IntRange(4, 14).Draw(rt, "steps") {
			switch rapid.IntRange(0, 6).Draw(rt, "what") {
			case 0:
				b := rapid.Int64Range(2, 5).Draw(rt, "absorbed")
				a := rapid.Int64Range(1, b-1).Draw(rt, "survivor")
				if points[a].ID != 0 || points[b].ID != 0 {
					continue
				}
				merges++
				c := user.MergeChanged{ID: merges, Rev: 1, Absorbed: first + b, Survivor: first + a, Stage: user.MergeBegun}
				if why := with.merge(c); why != "" {
					rt.Fatalf("not merged: %s", why)
				}
				points[b] = c
			case 1:
				b := rapid.Int64Range(2, 5).Draw(rt, "returned")
				c := points[b]
				if c.ID == 0 || points[c.Survivor-first].ID != 0 {
					continue
				}
				c.Rev, c.Stage = c.Rev+1, user.MergeUndoing
				points[b] = c
				if with.merge(c) == "" {
					delete(points, b)
				}
			case 2:
				g := credit.Gift{Key: fmt.Sprint("gift/", without.said, "/", with.said), User: first + rapid.Int64Range(1, 5).Draw(rt, "gifted"), Amount: 7, Budget: "fun"}
				with.said++
				for _, p := range []*purse{with, without} {
					_, err := p.gifts.Give(p.t.Context(), g)
					p.must(err)
				}
			default:
				r := drawRebate(rt, first, seqs)
				for _, p := range []*purse{with, without} {
					p.must(p.cashier.RebateChanged(p.t.Context(), p.say(event.RebateChanged, rebate.Changed{Rebates: []rebate.ChangedRebate{r}})))
				}
			}
		}
		with.sound()
		got, gotOthers := with.money()
		want, wantOthers := without.money()
		if got != want || fmt.Sprint(gotOthers) != fmt.Sprint(wantOthers) {
			rt.Fatalf("with merges users have %d and others %v; without %d and %v", got, gotOthers, want, wantOthers)
		}
	})
}

// drawRebate is news of one of four lines, each of one user, with an inviter at times.
func drawRebate(rt *rapid.T, first int64, seqs map[int64]int64) rebate.ChangedRebate {
	n := rapid.Int64Range(1, 4).Draw(rt, "line")
	seqs[n]++
	r := rebate.ChangedRebate{
		Key: order.Key{Network: "jd", Account: "main", ID: fmt.Sprint(first + n)}, Seq: seqs[n], User: first + n + rapid.Int64Range(0, 1).Draw(rt, "whose"),
		Stage:  rapid.SampledFrom([]rebate.Stage{rebate.Pending, rebate.Available, rebate.Nothing}).Draw(rt, "stage"),
		Margin: 3,
	}
	if r.Stage != rebate.Nothing {
		r.Amount = money.Fen(rapid.Int64Range(1, 90).Draw(rt, "amount"))
	}
	if r.Stage == rebate.Available {
		r.Cuts[0] = rebate.Cut{User: first + rapid.Int64Range(1, 5).Draw(rt, "inviter"), Amount: 2}
	}
	return r
}

// TestAMergeThatIsUndoneLeavesNothing: where nothing came in between, each pocket of
// both is as it was, debts that were paid with the other one's money among them.
func TestAMergeThatIsUndoneLeavesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		ctx := t.Context()
		post := func(es ...ledger.Entry) {
			must(t, db.Credits().InTx(ctx, func(tx credit.Tx) error {
				j, err := ledger.Open(tx, start)
				for i, e := range es {
					e.Key, e.Kind, e.Cause = fmt.Sprint("m/", i, e.To, e.From), ledger.Manual, "staff/x"
					must(t, j.Move(e))
				}
				must(t, err)
				return j.Post()
			}))
		}
		post(
			ledger.Entry{From: ledger.Bank, To: ledger.User(1, ledger.Available), Amount: 100},
			ledger.Entry{From: ledger.Bank, To: ledger.User(2, ledger.Pending), Amount: 40},
			ledger.Entry{From: ledger.User(2, ledger.Debt), To: ledger.Bank, Amount: 70},
		)
		before, err := db.Ledger().Accounts(ctx)
		must(t, err)
		m := &credit.Merger{Store: db.Moved(), Now: now}
		stage := func(rev int64, s user.MergeStage) {
			e, err := event.New(fmt.Sprint("merge/9/", rev), event.MergeChanged, start, user.MergeChanged{ID: 9, Rev: rev, Absorbed: 2, Survivor: 1, Stage: s})
			must(t, err)
			must(t, m.MergeChanged(ctx, e))
			must(t, m.MergeChanged(ctx, e))
		}
		stage(1, user.MergeBegun)
		w, err := credit.Purse{Ledger: db.Ledger()}.Wallet(ctx, 1)
		if want := (credit.Wallet{Pending: 40, Available: 30}); err != nil || w != want {
			t.Errorf("together they have %+v, %v, want %+v", w, err, want)
		}
		stage(4, user.MergeUndoing)
		after, err := db.Ledger().Accounts(ctx)
		must(t, err)
		for a, b := range after {
			if before[a] != b {
				t.Errorf("%s has %d, not %d", a, b, before[a])
			}
		}
		stage(6, user.MergeBegun) // late news
	})
}

// TestMoneyThatIsSpentDoesNotGoBack: then nothing moves, and the answer says why. A
// merge whose money is on its way out is refused.
func TestMoneyThatIsSpentDoesNotGoBack(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{Path: store.Memory, Now: now})
	ctx := t.Context()
	move := func(key string, from, to ledger.Account) {
		must(t, db.Credits().InTx(ctx, func(tx credit.Tx) error {
			j, err := ledger.Open(tx, start)
			must(t, err)
			must(t, j.Move(ledger.Entry{Key: key, Kind: ledger.Manual, From: from, To: to, Amount: 50, Cause: "staff/x"}))
			return j.Post()
		}))
	}
	move("in", ledger.Bank, ledger.User(2, ledger.Available))
	m := &credit.Merger{Store: db.Moved(), Now: now}
	answer := func(rev int64, s user.MergeStage) string {
		e, err := event.New(fmt.Sprint("merge/9/", rev), event.MergeChanged, start, user.MergeChanged{ID: 9, Rev: rev, Absorbed: 2, Survivor: 1, Stage: s})
		must(t, err)
		must(t, m.MergeChanged(ctx, e))
		var a user.MergeAnswered
		waiting, err := outboxOf(t, db, "payment").Waiting(ctx, start.Add(time.Hour), 99)
		must(t, err)
		must(t, waiting[len(waiting)-1].Event.Decode(&a))
		if a.Rev != rev || a.Part != user.MergePayment {
			t.Errorf("answered is %+v", a)
		}
		return a.Reason
	}
	if why := answer(1, user.MergeBegun); why != "" {
		t.Fatalf("not merged: %s", why)
	}
	move("spent", ledger.User(1, ledger.Available), ledger.Bank)
	if why := answer(4, user.MergeUndoing); why != "merge.spent" {
		t.Errorf("it went back: %q", why)
	}
	move("again", ledger.Bank, ledger.User(1, ledger.Available))
	if why := answer(6, user.MergeUndoing); why != "" {
		t.Errorf("the second time: %s", why)
	}
	if b, err := db.Ledger().Balance(ctx, ledger.User(2, ledger.Available)); err != nil || b != 50 {
		t.Errorf("the other one has %d, %v", b, err)
	}
	_, err := db.Merges().Merge(ctx, 9)
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("payment keeps merges for user: %v", err)
	}
}
