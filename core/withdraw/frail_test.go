package withdraw_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fanli/core/audit"
	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/core/withdraw/withdrawtest"
)

var errFrail = errors.New("the database is gone")

// frail is a store of which one call fails.
type frail struct {
	*withdrawtest.Memory
	left  int    // calls until then
	asked string // which one it was
}

func (f *frail) fail(what string) error {
	if f.left--; f.left != 0 {
		return nil
	}
	f.asked = what
	return errFrail
}

func (f *frail) InTx(ctx context.Context, fn func(withdraw.Tx) error) error {
	return f.Memory.InTx(ctx, func(tx withdraw.Tx) error { return fn(frailTx{tx, f}) })
}

func (f *frail) Withdrawal(ctx context.Context, id int64) (withdraw.Withdrawal, error) {
	x, err := f.Memory.Withdrawal(ctx, id)
	return x, errors.Join(f.fail("Withdrawal"), err)
}

func (f *frail) InState(ctx context.Context, now time.Time, n int, states ...withdraw.State) ([]withdraw.Withdrawal, error) {
	xs, err := f.Memory.InState(ctx, now, n, states...)
	return xs, errors.Join(f.fail("InState"), err)
}

func (f *frail) ByNumber(ctx context.Context, number string) (withdraw.Withdrawal, error) {
	x, err := f.Memory.ByNumber(ctx, number)
	return x, errors.Join(f.fail("ByNumber"), err)
}

func (f *frail) OfBatch(ctx context.Context, batch string) ([]withdraw.Withdrawal, error) {
	xs, err := f.Memory.OfBatch(ctx, batch)
	return xs, errors.Join(f.fail("OfBatch"), err)
}

type frailTx struct {
	withdraw.Tx
	f *frail
}

func (t frailTx) Emit(e event.Event) error { return errors.Join(t.f.fail("Emit"), t.Tx.Emit(e)) }
func (t frailTx) Act(a audit.Act) error    { return errors.Join(t.f.fail("Act"), t.Tx.Act(a)) }

func (t frailTx) Balances(as []ledger.Account) (map[ledger.Account]money.Fen, error) {
	all, err := t.Tx.Balances(as)
	return all, errors.Join(t.f.fail("Balances"), err)
}

func (t frailTx) Entries(keys []string) (map[string]ledger.Entry, error) {
	all, err := t.Tx.Entries(keys)
	return all, errors.Join(t.f.fail("Entries"), err)
}

func (t frailTx) Post(es []ledger.Entry, b map[ledger.Account]money.Fen) error {
	return errors.Join(t.f.fail("Post"), t.Tx.Post(es, b))
}

func (t frailTx) Switches(scopes ...control.Scope) ([]control.Switch, error) {
	all, err := t.Tx.Switches(scopes...)
	return all, errors.Join(t.f.fail("Switches"), err)
}

func (t frailTx) SetSwitch(s control.Switch) error {
	return errors.Join(t.f.fail("SetSwitch"), t.Tx.SetSwitch(s))
}

func (t frailTx) ByKey(key string) (withdraw.Withdrawal, error) {
	if err := t.f.fail("ByKey"); err != nil {
		return withdraw.Withdrawal{}, err
	}
	return t.Tx.ByKey(key)
}

func (t frailTx) Open(id int64) (int, error) {
	n, err := t.Tx.Open(id)
	return n, errors.Join(t.f.fail("Open"), err)
}

func (t frailTx) Insert(x withdraw.Withdrawal) (int64, error) {
	id, err := t.Tx.Insert(x)
	return id, errors.Join(t.f.fail("Insert"), err)
}

func (t frailTx) Swap(x withdraw.Withdrawal, was withdraw.State) (bool, error) {
	ok, err := t.Tx.Swap(x, was)
	return ok, errors.Join(t.f.fail("Swap"), err)
}

func (t frailTx) Kin(account int64) ([]int64, error) {
	all, err := t.Tx.Kin(account)
	return all, errors.Join(t.f.fail("Kin"), err)
}

func (t frailTx) Spent(q withdraw.Query) (int, money.Fen, error) {
	n, sum, err := t.Tx.Spent(q)
	return n, sum, errors.Join(t.f.fail("Spent"), err)
}

func (t frailTx) Sharing(p user.Payee, id int64) (int, error) {
	n, err := t.Tx.Sharing(p, id)
	return n, errors.Join(t.f.fail("Sharing"), err)
}

func (t frailTx) AddIncident(i withdraw.Incident) (bool, error) {
	fresh, err := t.Tx.AddIncident(i)
	return fresh, errors.Join(t.f.fail("AddIncident"), err)
}

// An attempt is something that a desk is asked to do.
type attempt struct {
	name   string
	before func(w *world) // undisturbed
	do     func(w *world) error
	calls  string // to the store
}

func attempts() []attempt {
	request := func(w *world) { w.give(42, 1000); w.request(42, 1000) }
	reviewed := func(w *world) { w.Limits.Auto = 0; request(w) }
	sent := func(said ...withdraw.Verdict) func(w *world) {
		return func(w *world) {
			request(w)
			w.Payers = map[string]withdraw.Payer{"": says(said...)}
			w.run()
			w.advance(time.Hour)
		}
	}
	run := func(w *world) error { _, err := w.Run(w.t.Context()); return err }
	const move, end = "Swap Emit", "Swap Balances Entries Post Emit"
	const commit = "Swap Balances Switches Spent Emit "
	return []attempt{
		{"a request", func(w *world) { w.give(42, 1000); w.Limits.PayeeDay = 5000 }, func(w *world) error {
			_, err := w.Request(w.t.Context(), 42, 500, "k")
			return err
		}, "ByKey Switches Balances Open Spent Spent Spent Sharing Insert Entries Post Emit"},
		{"an approval", reviewed, func(w *world) error { _, err := w.Approve(w.t.Context(), 1, "cli"); return err }, "Withdrawal " + move + " Act"},
		{"a first approval", func(w *world) { w.Limits.FourEyes = 1; reviewed(w) }, func(w *world) error { _, err := w.Approve(w.t.Context(), 1, "cli"); return err }, "Withdrawal Swap Act"},
		{"a refusal", reviewed, func(w *world) error { _, err := w.Refuse(w.t.Context(), 1, "cli", "refused.name"); return err }, "Withdrawal " + end + " Act"},
		{"a change of mind", reviewed, func(w *world) error { _, err := w.Cancel(w.t.Context(), 42, 1); return err }, "Withdrawal " + end},
		{"a call back", sent(withdraw.Waiting, withdraw.Dead), func(w *world) error { _, err := w.Cancel(w.t.Context(), 42, 1); return err }, "Withdrawal " + end + " Withdrawal"},
		{"a confirmation", sent(withdraw.Busy), func(w *world) error { _, err := w.Confirm(w.t.Context(), 1, true, "cli", ""); return err }, "Withdrawal " + end + " Act"},
		{"a payment", func(w *world) { request(w); w.Limits.HouseDay = 5000 }, run, "InState " + commit + end},
		{"a payment of too much for today", func(w *world) { request(w); w.Limits.HouseDay = 500 }, run, "InState Swap Balances Switches Spent Swap"},
		{"a payment of one who owes", func(w *world) { request(w); w.claw(42, 5) }, run, "InState Swap Balances " + move},
		{"a payment that is stopped", func(w *world) { request(w); w.turn(control.Payouts, true) }, run, "InState Swap Balances Switches Swap"},
		{"a question", sent(withdraw.Busy), run, "InState Swap"},
		{"a question again", sent(withdraw.Short), run, "InState Swap Switches Swap"},
		{"a payer that refuses us", sent(withdraw.Busy, withdraw.Barred), run, "InState " + move + " Switches SetSwitch"},
		{"a hint", sent(withdraw.Busy), func(w *world) error { return w.Heard(w.t.Context(), "script", "TW1") }, "ByNumber Swap"},
		{"a hint of an end", sent(withdraw.Done, withdraw.Dead), func(w *world) error { return w.Heard(w.t.Context(), "script", "TW1") }, "ByNumber AddIncident"},
		{"a batch", sent(withdraw.Busy), func(w *world) error { _, err := w.Batch(w.t.Context(), "script", "b", "cli"); return err }, "OfBatch InState Swap Act OfBatch"},
		{"a result", sent(withdraw.Busy), func(w *world) error {
			_, _, err := w.Settle(w.t.Context(), "script", "", []withdraw.Result{{Number: "TW1", Amount: 1000, Said: withdraw.Done}}, "cli")
			return err
		}, "ByNumber Withdrawal " + end + " Act OfBatch"},
		{"a result against an end", sent(withdraw.Done), func(w *world) error {
			_, _, err := w.Settle(w.t.Context(), "script", "", []withdraw.Result{{Number: "TW1", Amount: 1000, Said: withdraw.Dead}}, "cli")
			return err
		}, "ByNumber AddIncident OfBatch"},
	}
}

// TestWhateverFailsIsSaid fails each call to the store in turn: it always comes out,
// nobody is waked for what is not stored, and the books are sound.
func TestWhateverFailsIsSaid(t *testing.T) {
	t.Parallel()
	for _, a := range attempts() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			var calls []string
			for n := 1; ; n++ {
				w := newWorld(t)
				a.before(w)
				w.alarms = nil
				f := &frail{Memory: w.store, left: n}
				w.Store = f
				err := a.do(w)
				if f.asked == "" {
					must(t, err)
					break
				}
				calls = append(calls, f.asked)
				kept, _ := w.store.Incidents(t.Context(), 10)
				if !errors.Is(err, errFrail) || len(w.alarms) != len(kept) {
					t.Errorf("%s, call %d, fails: %v, and alarms are %v", f.asked, n, err, w.alarms)
				}
				w.wantSound()
			}
			want := a.calls
			if got := fmt.Sprint(calls); got != "["+want+"]" {
				t.Errorf("the calls are %v, want %s", calls, want)
			}
		})
	}
}

// TestWhatIsNotKnownOfAUserStopsARequest: it is not taken for nothing.
func TestWhatIsNotKnownOfAUserStopsARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	w.Facts = func(context.Context, int64) (withdraw.Facts, error) { return withdraw.Facts{}, errFrail }
	_, facts := w.Request(t.Context(), 42, 500, "k")
	w.Payee = func(context.Context, int64) (user.Payee, error) { return user.Payee{}, errFrail }
	_, payee := w.Request(t.Context(), 42, 500, "k")
	for what, err := range map[string]error{"facts": facts, "payee": payee} {
		if !errors.Is(err, errFrail) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(w.store.Heard()) != 0 {
		t.Error("it was asked for")
	}
}

// TestABatchThoughOthersAreFaster: it is put together anew up to five times, and
// is whole or not at all.
func TestABatchThoughOthersAreFaster(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		faster int
		code   fault.Code
	}{{0, ""}, {1, ""}, {4, ""}, {5, fault.Conflict}} {
		w := byHand(t)
		left := tt.faster
		var before func() error
		before = func() error {
			w.store.Before = nil
			defer func() { w.store.Before = before }()
			if left--; left >= 0 {
				w.touch(2)
			}
			return nil
		}
		w.store.Before = before
		got, err := w.Batch(t.Context(), "bank", "b1", "cli")
		w.store.Before = nil
		if fault.CodeOf(err) != tt.code {
			t.Errorf("%d are faster: %v", tt.faster, err)
		}
		want := 3
		if tt.code != "" {
			want = 0
		}
		stored, err := w.store.OfBatch(t.Context(), "b1")
		must(t, err)
		if len(got) != want || !slices.Equal(got, stored) {
			t.Errorf("%d are faster: the batch is %v, stored %v", tt.faster, got, stored)
		}
	}
}

// TestAResultThoughAnotherIsFaster is told as a difference, and moves nothing.
func TestAResultThoughAnotherIsFaster(t *testing.T) {
	t.Parallel()
	w := byHand(t)
	w.store.Before = func() error { w.store.Before = nil; w.touch(1); return nil }
	results := []withdraw.Result{{Number: "TW1", Amount: 1000, Said: withdraw.Done}, {Number: "TW2", Amount: 1000, Said: withdraw.Done}, {Number: "TW3", Amount: 1000, Said: withdraw.Done}}
	n, diffs, err := w.Settle(t.Context(), "bank", "", results, "cli")
	must(t, err)
	if n != 2 || fmt.Sprint(diffs) != "[{TW1 result.changed 10.00 10.00}]" {
		t.Errorf("%d are settled, with %v", n, diffs)
	}
	w.wantState(1, withdraw.Sending, "")
}

// TestNamesOfBatches are those of files: short, and of letters, digits and - _ .
func TestNamesOfBatches(t *testing.T) {
	t.Parallel()
	w := byHand(t)
	long := "a234567890123456789012345678901234567890123456789012345678901234"
	for _, name := range []string{"", long + "5", "a b", "a/b", "批"} {
		_, err := w.Batch(t.Context(), "bank", name, "cli")
		wantFault(t, fmt.Sprintf("%q", name), err, fault.Invalid, "withdraw.batch_name")
	}
	got, err := w.Batch(t.Context(), "bank", long, "cli")
	if err != nil || len(got) != 3 || len(long) != 64 {
		t.Errorf("%q has %v, %v", long, got, err)
	}
}

// TestABatchIsOfOnePayer, whatever else is on its way.
func TestABatchIsOfOnePayer(t *testing.T) {
	t.Parallel()
	w := byHand(t)
	other := newBank()
	other.name = "other"
	other.Mode("holds")
	w.Payers["wechat"], w.Payee = other, payeeBy("wechat")
	w.give(4, 1000)
	w.request(4, 1000)
	w.run()
	got, err := w.Batch(t.Context(), "other", "b1", "cli")
	if err != nil || len(got) != 1 || got[0].User != 4 || got[0].Rev != 4 || got[0].Batch != "b1" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = w.Batch(t.Context(), "bank", "b2", "cli"); err != nil || len(got) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}
