package servicetest

import (
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A WithdrawalWorld is a withdraw.Service under test, with the stores behind it. From
// 10 yuan to 100 can be withdrawn, above 50 a person decides, twice in a day.
type WithdrawalWorld struct {
	Clock
	Service withdraw.Service
	Store   withdraw.Store
	Credit  credit.Store
	Users   user.Store
	Board   *control.Board
}

// WithdrawalLimits are those of a WithdrawalWorld.
func WithdrawalLimits() withdraw.Limits {
	return withdraw.Limits{Minimum: 10_00, Maximum: 100_00, Auto: 50_00, UserCount: 2}
}

// Withdrawals checks every promise of withdraw.Service.
func Withdrawals(t *testing.T, open func(t *testing.T) WithdrawalWorld) {
	t.Helper()
	run(t, open,
		story[WithdrawalWorld]{"WithdrawalsAreToldToTheLastField", withdrawalsTold},
		story[WithdrawalWorld]{"RequestedOnceAndCancelled", requestedAndCancelled},
		story[WithdrawalWorld]{"Failures", withdrawalFailures},
	)
}

func (w WithdrawalWorld) payee() user.Payee {
	return user.Payee{Method: "alipay", Account: "xiaoming@example.com", Name: "王小明", Changed: w.Now().Add(-48 * time.Hour)}
}

// rich stores somebody with a payee and an amount.
func (w WithdrawalWorld) rich(t *testing.T, name string, amount money.Fen) user.User {
	t.Helper()
	u := putUser(t, w.Users, w.Now(), name)
	must(t, w.Users.InTx(t.Context(), func(tx user.Tx) error { return tx.SetPayee(u.ID, w.payee()) }))
	post(t, w.Credit, w.Now(), manual("rich/"+name, ledger.Network("jd"), ledger.User(u.ID, ledger.Available), amount))
	return u
}

// same compares withdrawals, payees by themselves: printing masks them.
func same(t *testing.T, what string, got, expected withdraw.Withdrawal) {
	t.Helper()
	wantPayee(t, what, got.Payee, expected.Payee)
	got.Payee, expected.Payee = user.Payee{}, user.Payee{}
	want(t, what, got, expected)
}

func withdrawalsTold(t *testing.T, w WithdrawalWorld) {
	ctx := t.Context()
	all := []withdraw.Withdrawal{{
		Key: "k1", User: 7, Amount: 1000, Payee: w.payee(), State: withdraw.Unknown, Reason: "payout.unclear", Payer: "manual", Number: "W1",
		Actor: "auto", First: "cli", Risk: 50, Signs: "risk.first", Receipt: "R1", Confirm: "package", Batch: "B1", Rev: 4, Tries: 2,
		At: w.Now().Add(-time.Hour), Changed: w.Now().Add(-time.Minute), NextAt: w.Now().Add(time.Minute), Sent: w.Now().Add(-2 * time.Minute),
	}, {Key: "k2", User: 7, Amount: 1000, Payee: w.payee(), State: withdraw.Requested, Rev: 1, At: w.Now(), Changed: w.Now()}}
	for i := range all {
		must(t, w.Store.InTx(ctx, func(tx withdraw.Tx) (err error) {
			all[i].ID, err = tx.Insert(all[i])
			return err
		}))
	}
	full(t, all[0])
	got, err := w.Service.OfUser(ctx, 7, 0, 10)
	must(t, err)
	if len(got) != 2 {
		t.Fatalf("%d withdrawals, want 2", len(got))
	}
	same(t, "the newest", got[0], all[1])
	same(t, "the older one", got[1], all[0])
	got, err = w.Service.OfUser(ctx, 7, 0, 1)
	must(t, err)
	want(t, "number of withdrawals, one asked for", len(got), 1)
	got, err = w.Service.OfUser(ctx, 7, all[1].ID, 1)
	must(t, err)
	if len(got) != 1 {
		t.Fatalf("%d withdrawals on the second page, want 1", len(got))
	}
	same(t, "the second page", got[0], all[0])
	got, err = w.Service.OfUser(ctx, 8, 0, 10)
	must(t, err)
	want(t, "number of withdrawals of nobody", len(got), 0)
}

func requestedAndCancelled(t *testing.T, w WithdrawalWorld) {
	ctx, u := t.Context(), w.rich(t, "a", 60_00)
	got, err := w.Service.Request(ctx, u.ID, 0, "聊天 1")
	must(t, err)
	expected := withdraw.Withdrawal{
		ID: got.ID, Key: "聊天 1", User: u.ID, Amount: 60_00, Payee: w.payee(), State: withdraw.Reviewing, Reason: "review.amount", Rev: 1,
		Risk: got.Risk, Signs: got.Signs, At: w.Now(), Changed: w.Now(),
	}
	same(t, "Request", got, expected)
	w.Advance(time.Minute)
	again, err := w.Service.Request(ctx, u.ID, 10_00, "聊天 1")
	must(t, err)
	same(t, "Request with the same key", again, expected)
	expected.State, expected.Reason, expected.Actor, expected.Rev, expected.Changed = withdraw.Cancelled, "", "user", 2, w.Now()
	for _, what := range []string{"Cancel", "Cancel again"} {
		got, err = w.Service.Cancel(ctx, u.ID, got.ID)
		must(t, err)
		same(t, what, got, expected)
	}
}

func withdrawalFailures(t *testing.T, w WithdrawalWorld) {
	ctx, s := t.Context(), w.Service
	poor, a, b, debtor := putUser(t, w.Users, w.Now(), "poor"), w.rich(t, "a", 200_00), w.rich(t, "b", 200_00), w.rich(t, "c", 200_00)
	post(t, w.Credit, w.Now(), manual("debt", ledger.User(debtor.ID, ledger.Debt), ledger.Network("jd"), 1))
	paid := withdraw.Withdrawal{Key: "paid", User: b.ID, Amount: 1000, Payee: w.payee(), State: withdraw.Paid, Rev: 1, At: w.Now().AddDate(0, 0, -2), Changed: w.Now()}
	must(t, w.Store.InTx(ctx, func(tx withdraw.Tx) (err error) {
		paid.ID, err = tx.Insert(paid)
		return err
	}))
	ask := func(u user.User, amount money.Fen, key string) error { return errOf(s.Request(ctx, u.ID, amount, key)) }
	wantFailures(t,
		failure{"no payee", ask(poor, 10_00, "p"), fault.Invalid, "withdraw.no_payee"},
		failure{"a debt", ask(debtor, 10_00, "d"), fault.Denied, "withdraw.debt"},
		failure{"too little", ask(a, 9_99, "1"), fault.Invalid, "withdraw.below_minimum"},
		failure{"too much", ask(a, 100_01, "1"), fault.Invalid, "withdraw.above_maximum"},
		failure{"more than there is", ask(a, 200_01, "1"), fault.Insufficient, "withdraw.insufficient"},
	)
	must(t, ask(a, 10_00, "1"))
	wantFailures(t,
		failure{"another is open", ask(a, 10_00, "2"), fault.Conflict, "withdraw.open"},
		failure{"another's key", ask(b, 10_00, "1"), fault.Conflict, "withdraw.key_reused"},
		failure{"Cancel another's", errOf(s.Cancel(ctx, a.ID, paid.ID)), fault.NotFound, "withdraw.none"},
		failure{"Cancel what is paid", errOf(s.Cancel(ctx, b.ID, paid.ID)), fault.Conflict, "withdraw.wrong_state"},
	)
	if _, err := s.Cancel(ctx, a.ID, 999); !fault.Is(err, fault.NotFound) {
		t.Errorf("Cancel nothing: %v", err)
	}
	must(t, w.Board.Set(ctx, control.Switch{Scope: control.Payouts, On: true, By: "cli", Why: "test"}))
	wantFailures(t, failure{"stopped", ask(b, 10_00, "3"), fault.Unavailable, control.Stopped})
}
