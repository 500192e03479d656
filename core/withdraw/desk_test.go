package withdraw_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// every lists the states.
var every = []withdraw.State{
	withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Sending, withdraw.Confirming, withdraw.Unknown,
	withdraw.Paid, withdraw.Failed, withdraw.Refused, withdraw.Cancelled,
}

// put stores a withdrawal of user 42 in a state, with its money where it belongs.
func (w *world) put(state withdraw.State) withdraw.Withdrawal {
	w.t.Helper()
	w.n++
	x := withdraw.Withdrawal{Key: fmt.Sprint("put/", w.n), User: 42, Amount: 1000, Payee: payee(), State: state, Rev: 3, At: w.now(), Changed: w.now()}
	if state == withdraw.Sending || state == withdraw.Confirming || state == withdraw.Unknown || state == withdraw.Paid || state == withdraw.Failed {
		x.Payer, x.Number = "bank", fmt.Sprint("PUT", w.n)
	}
	must(w.t, w.store.InTx(w.t.Context(), func(tx withdraw.Tx) (err error) {
		x.ID, err = tx.Insert(x)
		return err
	}))
	w.give(42, 1000)
	if !state.Final() || state == withdraw.Paid {
		w.move(ledger.Reserve, ledger.User(42, ledger.Available), ledger.User(42, ledger.Reserved), 1000)
	}
	return x
}

func TestEveryWayFromEveryState(t *testing.T) {
	t.Parallel()
	open := []withdraw.State{withdraw.Requested, withdraw.Reviewing, withdraw.Approved}
	sent := []withdraw.State{withdraw.Sending, withdraw.Confirming, withdraw.Unknown}
	type does func(d *withdraw.Desk, ctx context.Context, id int64) (withdraw.Withdrawal, error)
	ways := []struct {
		name   string
		do     does
		to     withdraw.State
		from   []withdraw.State
		actor  string
		reason string
	}{
		{"Approve", func(d *withdraw.Desk, ctx context.Context, id int64) (withdraw.Withdrawal, error) {
			return d.Approve(ctx, id, "cli")
		}, withdraw.Approved, open[:2], "cli", ""},
		{"Refuse", func(d *withdraw.Desk, ctx context.Context, id int64) (withdraw.Withdrawal, error) {
			return d.Refuse(ctx, id, "cli", "refused.name")
		}, withdraw.Refused, open, "cli", "refused.name"},
		{"Cancel", func(d *withdraw.Desk, ctx context.Context, id int64) (withdraw.Withdrawal, error) {
			return d.Cancel(ctx, 42, id)
		}, withdraw.Cancelled, open, "user", ""},
		{"ConfirmPaid", func(d *withdraw.Desk, ctx context.Context, id int64) (withdraw.Withdrawal, error) {
			return d.Confirm(ctx, id, true, "cli", "")
		}, withdraw.Paid, sent, "cli", ""},
		{"ConfirmFailed", func(d *withdraw.Desk, ctx context.Context, id int64) (withdraw.Withdrawal, error) {
			return d.Confirm(ctx, id, false, "cli", "payout.no_such_account")
		}, withdraw.Failed, sent, "cli", "payout.no_such_account"},
	}
	for _, way := range ways {
		for _, from := range every {
			t.Run(way.name+" "+string(from), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.Payers = map[string]withdraw.Payer{"": struct{ withdraw.Payer }{w.bank}} // takes nothing back
				x := w.put(from)
				before, err := credit.Purse{Ledger: w.store.Reader()}.Wallet(t.Context(), 42)
				must(t, err)
				w.advance(time.Minute)
				got, err := way.do(w.Desk, t.Context(), x.ID)
				legal := false
				for _, s := range way.from {
					legal = legal || s == from
				}
				if !legal {
					if from == way.to {
						must(t, err)
					} else {
						wantFault(t, "illegal", err, fault.Conflict, "withdraw.wrong_state")
					}
					if w.get(x.ID) != x || len(w.store.Heard()) != 0 {
						t.Errorf("it became %+v, and %d events tell of it", w.get(x.ID), len(w.store.Heard()))
					}
					w.wantWallet(42, before)
					return
				}
				must(t, err)
				want := x
				want.State, want.Rev, want.Changed, want.Actor, want.Reason = way.to, 4, w.now(), way.actor, way.reason
				if got != want || w.get(x.ID) != want {
					t.Errorf("got %+v, stored %+v, want %+v", got, w.get(x.ID), want)
				}
				if said := w.said(x.ID); fmt.Sprint(said) != fmt.Sprint([]withdraw.State{way.to}) {
					t.Errorf("said is %v", said)
				}
				switch way.to {
				case withdraw.Approved:
					w.wantWallet(42, credit.Wallet{Reserved: 1000})
				case withdraw.Paid:
					w.wantWallet(42, credit.Wallet{})
				default:
					w.wantWallet(42, credit.Wallet{Available: 1000})
				}
				w.wantSound()
			})
		}
	}
}

func TestFinalStates(t *testing.T) {
	t.Parallel()
	var final []withdraw.State
	for _, s := range every {
		if s.Final() {
			final = append(final, s)
		}
	}
	if fmt.Sprint(final) != "[paid failed refused cancelled]" {
		t.Errorf("final are %v", final)
	}
}

func TestRefusalsComeInOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		have, owe     money.Fen
		open, nowhere bool
		amount        money.Fen
		code          fault.Code
		reason        string
	}{
		{"debt before all", 0, 5, true, true, 50_000, fault.Denied, "withdraw.debt"},
		{"then one that is on its way", 0, 0, true, true, 50_000, fault.Conflict, "withdraw.open"},
		{"then nowhere to send it", 0, 0, false, true, 50_000, fault.Invalid, "withdraw.no_payee"},
		{"then too little money", 200, 0, false, false, 50_000, fault.Insufficient, "withdraw.insufficient"},
		{"a fen too much", 200, 0, false, false, 201, fault.Insufficient, "withdraw.insufficient"},
		{"then less than is sent", 50_000, 0, false, false, 99, fault.Invalid, "withdraw.below_minimum"},
		{"all of nothing", 0, 0, false, false, 0, fault.Invalid, "withdraw.below_minimum"},
		{"all of little", 99, 0, false, false, 0, fault.Invalid, "withdraw.below_minimum"},
		{"less than nothing", 50_000, 0, false, false, -1000, fault.Invalid, "withdraw.below_minimum"},
		{"then more than is sent at once", 50_000, 0, false, false, 20_001, fault.Invalid, "withdraw.above_maximum"},
		{"exactly all", 200, 0, false, false, 200, "", ""},
		{"the least", 200, 0, false, false, 100, "", ""},
		{"the most", 50_000, 0, false, false, 20_000, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.open {
				w.give(42, 100)
				w.request(42, 100)
			}
			if tt.have > 0 {
				w.give(42, tt.have)
			}
			if tt.owe > 0 {
				w.claw(42, tt.owe)
			}
			if tt.nowhere {
				w.Payee = func(context.Context, int64) (user.Payee, error) { return user.Payee{}, nil }
			}
			before := len(w.store.Heard())
			_, err := w.Request(t.Context(), 42, tt.amount, "k")
			wantFault(t, "Request", err, tt.code, tt.reason)
			if tt.code == "" {
				w.wantWallet(42, credit.Wallet{Available: tt.have - tt.amount, Reserved: tt.amount})
				return
			}
			if n := len(w.store.Heard()) - before; n != 0 {
				t.Errorf("a refusal makes %d events", n)
			}
		})
	}
}

func TestWhoDecides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		amount  money.Fen
		auto    money.Fen
		changed time.Duration // of the payee, ago
		state   withdraw.State
		reason  string
		actor   string
	}{
		{"little to a known account goes by itself", 5000, 5000, 48 * time.Hour, withdraw.Approved, "", "auto"},
		{"more is looked at", 5001, 5000, 48 * time.Hour, withdraw.Reviewing, "review.amount", ""},
		{"all is looked at where nothing goes by itself", 100, 0, 48 * time.Hour, withdraw.Reviewing, "review.amount", ""},
		{"a fresh account is looked at", 100, 5000, 24*time.Hour - time.Second, withdraw.Reviewing, "review.payee_changed", ""},
		{"and is known after a day", 100, 5000, 24 * time.Hour, withdraw.Approved, "", "auto"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Limits.Auto = tt.auto
			to := payee()
			to.Changed = start.Add(-tt.changed)
			w.Payee = func(context.Context, int64) (user.Payee, error) { return to, nil }
			w.give(42, 10_000)
			got := w.request(42, tt.amount)
			if got.State != tt.state || got.Reason != tt.reason || got.Actor != tt.actor || got.Rev != 1 || got.Payee != to {
				t.Errorf("%+v", got)
			}
			if w.get(got.ID) != got {
				t.Errorf("returned %+v, stored %+v", got, w.get(got.ID))
			}
		})
	}
}

// TestNothingCoolsWhereNothingHasTo: not even an account that was given a moment later, by a
// clock that stood still.
func TestNothingCoolsWhereNothingHasTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.Cooling = 0
	to := payee()
	to.Changed = start.Add(time.Millisecond)
	w.Payee = func(context.Context, int64) (user.Payee, error) { return to, nil }
	w.give(42, 10_000)
	if got := w.request(42, 100); got.State != withdraw.Approved {
		t.Errorf("%+v", got)
	}
}

func TestAskingForAllTakesWhatIsThere(t *testing.T) {
	t.Parallel()
	for have, want := range map[money.Fen]money.Fen{100: 100, 12_345: 12_345, 20_000: 20_000, 99_999: 20_000} {
		w := newWorld(t)
		w.give(42, have)
		if got := w.request(42, 0); got.Amount != want {
			t.Errorf("of %s, %s is withdrawn, want %s", have, got.Amount, want)
		}
		w.wantWallet(42, credit.Wallet{Available: have - want, Reserved: want})
	}
}

func TestOneKeyIsOneWithdrawal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 10_000)
	w.give(43, 10_000)
	first, err := w.Request(t.Context(), 42, 500, "k")
	must(t, err)
	w.run() // also when it has been paid meanwhile
	again, err := w.Request(t.Context(), 42, 700, "k")
	must(t, err)
	if again.ID != first.ID || again.Amount != 500 || again.State != withdraw.Paid {
		t.Errorf("the same request is %+v", again)
	}
	_, err = w.Request(t.Context(), 43, 500, "k")
	wantFault(t, "somebody else's key", err, fault.Conflict, "withdraw.key_reused")
	w.wantWallet(42, credit.Wallet{Available: 9_500})
	w.wantWallet(43, credit.Wallet{Available: 10_000})
}

func TestAHundredRequestsAtOnceReserveOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	var all sync.WaitGroup
	errs := make([]error, 100)
	for i := range errs {
		all.Go(func() { _, errs[i] = w.Request(t.Context(), 42, 600, fmt.Sprint("k", i)) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantFault(t, "a loser", err, fault.Conflict, "withdraw.open")
	}
	if won != 1 {
		t.Errorf("%d of 100 requests won", won)
	}
	w.wantWallet(42, credit.Wallet{Available: 400, Reserved: 600})
	w.wantSound()
}

func TestAWithdrawalIsSaidWithoutItsAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	x := w.request(42, 600)
	w.run()
	got := w.store.Heard()
	want := []string{
		`withdrawal/1/1-approved {"id":1,"user":42,"amount":600,"state":"approved","payee":"138****0000 (*三)"}`,
		`withdrawal/1/2-sending {"id":1,"user":42,"amount":600,"state":"sending","was":"approved","payee":"138****0000 (*三)"}`,
		`withdrawal/1/3-paid {"id":1,"user":42,"amount":600,"state":"paid","was":"sending","payee":"138****0000 (*三)"}`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i, e := range got {
		if s := e.ID + " " + string(e.Data); s != want[i] || e.Name != "withdrawal.changed" || !e.At.Equal(start) {
			t.Errorf("said %s %s at %s, want %s", e.Name, s, e.At, want[i])
		}
	}
	x = w.get(x.ID)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("withdrawal", "w", x, "p", withdraw.Payment{Number: "W1", Payee: x.Payee})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("withdrawal", "w", x, "p", withdraw.Payment{Number: "W1", Payee: x.Payee})
	for _, s := range []string{fmt.Sprint(x), fmt.Sprintf("%+v %#v %v", x, x, &x), log.String()} {
		if strings.Contains(s, payee().Account) || strings.Contains(s, "张三") {
			t.Errorf("the account is told: %s", s)
		}
	}
}

func TestOnlyItsUserCancelsAWithdrawal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	x := w.request(42, 600)
	_, err := w.Cancel(t.Context(), 43, x.ID)
	wantFault(t, "somebody else", err, fault.NotFound, "withdraw.none")
	_, missing := w.Cancel(t.Context(), 43, 99)
	if fault.CodeOf(missing) != fault.NotFound {
		t.Errorf("one that is not there: %v", missing)
	}
	w.wantState(x.ID, withdraw.Approved, "")
	_, err = w.Cancel(t.Context(), 42, x.ID)
	must(t, err)
	w.wantWallet(42, credit.Wallet{Available: 1000})
	w.run()
	w.wantAsked()
	w.request(42, 1000) // and asks again
}

func TestMoneyThatComesBackPaysDebtFirst(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		owe  money.Fen
		want credit.Wallet
	}{
		{"a part of it", 250, credit.Wallet{Available: 750}},
		{"all of it", 1000, credit.Wallet{}},
		{"and more is still owed", 1500, credit.Wallet{Debt: 500}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Limits.Auto = 0
			w.give(42, 1000)
			x := w.request(42, 1000)
			w.claw(42, tt.owe)
			_, err := w.Refuse(t.Context(), x.ID, "cli", "refused.returned")
			must(t, err)
			w.wantWallet(42, tt.want)
			w.wantSound()
			entries, err := w.store.Reader().Caused(t.Context(), withdraw.Cause(x.ID))
			must(t, err)
			var keys []string
			for _, e := range entries {
				keys = append(keys, e.Key)
			}
			if fmt.Sprint(keys) != "[withdrawal/1/reserve withdrawal/1/release withdrawal/1/repay]" {
				t.Errorf("the book says %v", keys)
			}
		})
	}
}

func TestWaitingListsWhatAPersonMayHaveToSee(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range every {
		x := w.put(s)
		x.NextAt, x.Rev = start.Add(time.Hour), x.Rev+1
		must(t, w.store.InTx(t.Context(), func(tx withdraw.Tx) error {
			_, err := tx.Swap(x, s)
			return err
		}))
	}
	ws, err := w.Waiting(t.Context(), 100)
	must(t, err)
	var got []withdraw.State
	for _, x := range ws {
		got = append(got, x.State)
	}
	if fmt.Sprint(got) != "[requested reviewing approved sending confirming unknown]" {
		t.Errorf("waiting are %v", got)
	}
	mine, err := w.OfUser(t.Context(), 42, 0, 3)
	must(t, err)
	if len(mine) != 3 || mine[0].State != withdraw.Cancelled {
		t.Errorf("the newest are %+v", mine)
	}
}
