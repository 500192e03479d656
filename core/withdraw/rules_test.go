package withdraw_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// TestNothingIsNeverWithdrawn, also where no minimum is set.
func TestNothingIsNeverWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.Minimum = 0
	for _, amount := range []money.Fen{0, -1} {
		_, err := w.Request(t.Context(), 42, amount, "k")
		wantFault(t, fmt.Sprint(amount, " of nothing"), err, fault.Invalid, "withdraw.below_minimum")
	}
	w.give(42, 1)
	if got := w.request(42, 1); got.Amount != 1 {
		t.Errorf("a fen is %+v", got)
	}
}

// TestDaysBeginInTheZone: what was asked for before midnight does not count after
// it, where the limits say that midnight is.
func TestDaysBeginInTheZone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		zone     *time.Location
		midnight time.Time
	}{
		"in Beijing":    {time.FixedZone("UTC+8", 8*60*60), time.Date(2026, 1, 15, 16, 0, 0, 0, time.UTC)},
		"in no place":   {nil, time.Date(2026, 1, 16, 0, 0, 0, 0, time.UTC)},
		"in a late one": {time.FixedZone("UTC-5", -5*60*60), time.Date(2026, 1, 15, 5, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Limits.UserCount, w.Limits.Zone = 1, tt.zone
			w.give(42, 1000)
			w.request(42, 100)
			w.run()
			w.advance(tt.midnight.Sub(w.now()) - time.Second)
			_, err := w.Request(t.Context(), 42, 100, "k")
			wantFault(t, "before midnight", err, fault.Limited, "withdraw.day_count")
			w.advance(time.Second)
			w.request(42, 100)
		})
	}
}

// TestWhatCameBackDoesNotCount for the limits of a day.
func TestWhatCameBackDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.UserCount, w.Limits.UserDay, w.Limits.PayeeDay = 1, 500, 500
	w.give(42, 1000)
	x := w.request(42, 500)
	_, err := w.Cancel(t.Context(), 42, x.ID)
	must(t, err)
	w.request(42, 500)
}

// TestASharedAccountIsAPersonsBusiness only where the limits say so.
func TestASharedAccountIsAPersonsBusiness(t *testing.T) {
	t.Parallel()
	for _, one := range []bool{false, true} {
		w := newWorld(t)
		w.Limits.OnePerson = one
		w.Facts = func(context.Context, int64) (withdraw.Facts, error) { return withdraw.Facts{Shared: 1}, nil }
		w.give(42, 1000)
		x := w.request(42, 500)
		if (x.State == withdraw.Reviewing) != one || !strings.Contains(x.Signs, "risk.shared_payee") || x.Risk != 50 {
			t.Errorf("one person: %v, and it is %+v", one, x)
		}
	}
}

// TestRiskFromWhereOn: each reason begins at its bound and not before, and what is
// not known is none.
func TestRiskFromWhereOn(t *testing.T) {
	t.Parallel()
	long := start.AddDate(-1, 0, 0)
	calm := withdraw.Facts{Joined: long, Now: start, Amount: 1000, Payee: long, Before: 4, Sum: 4000, Earned: 10_000}
	for _, tt := range []struct {
		name   string
		change func(f *withdraw.Facts)
		want   string
	}{
		{"a second less than three days", func(f *withdraw.Facts) { f.Joined = start.Add(time.Second - 72*time.Hour) }, "risk.new_user 20"},
		{"three days", func(f *withdraw.Facts) { f.Joined = start.Add(-72 * time.Hour) }, ""},
		{"who came when is not known", func(f *withdraw.Facts) { f.Joined = time.Time{} }, ""},
		{"the account is a second less than a week old", func(f *withdraw.Facts) { f.Payee = start.Add(time.Second - 7*24*time.Hour) }, "risk.payee_changed 15"},
		{"it is a week old", func(f *withdraw.Facts) { f.Payee = start.Add(-7 * 24 * time.Hour) }, ""},
		{"its age is not known", func(f *withdraw.Facts) { f.Payee = time.Time{} }, ""},
		{"three in ten come back", func(f *withdraw.Facts) { f.Returned = 3_000 }, ""},
		{"a fen more", func(f *withdraw.Facts) { f.Returned = 3_001 }, "risk.returns 30"},
		{"what was earned is not known", func(f *withdraw.Facts) { f.Earned, f.Returned = 0, 1 }, ""},
		{"three times the average", func(f *withdraw.Facts) { f.Amount = 3_002 }, ""},
		{"more than that", func(f *withdraw.Facts) { f.Amount = 3_003 }, "risk.amount 20"},
		{"the only one before was as large", func(f *withdraw.Facts) { f.Before, f.Sum = 1, 1000 }, ""},
		{"two claims without a link", func(f *withdraw.Facts) { f.Claims, f.Unclicked = 2, 2 }, ""},
		{"three of five", func(f *withdraw.Facts) { f.Claims, f.Unclicked = 5, 3 }, "risk.claims 25"},
		{"orders that nobody could look at", func(f *withdraw.Facts) { f.Unseen = true }, "risk.orders_unseen 25"},
		{"three of six", func(f *withdraw.Facts) { f.Claims, f.Unclicked = 6, 3 }, ""},
		{"four of seven", func(f *withdraw.Facts) { f.Claims, f.Unclicked = 7, 4 }, "risk.claims 25"},
	} {
		f := calm
		tt.change(&f)
		want := "[]"
		if tt.want != "" {
			want = "[{" + tt.want + "}]"
		}
		if got := fmt.Sprint(withdraw.Assess(f)); got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
	}
}

// TestTwoPeopleAlsoForWhatNobodyHasSeen: what is only requested needs two as well,
// and the limit is the last sum for which one is enough.
func TestTwoPeopleAlsoForWhatNobodyHasSeen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit money.Fen
		state withdraw.State
	}{{999, withdraw.Reviewing}, {1000, withdraw.Approved}, {0, withdraw.Approved}} {
		w := newWorld(t)
		w.Limits.FourEyes = tt.limit
		x := w.put(withdraw.Requested)
		got, err := w.Approve(t.Context(), x.ID, "telegram:12")
		must(t, err)
		if got.State != tt.state || w.get(x.ID) != got {
			t.Errorf("above %s it is %+v", tt.limit, got)
		}
	}
	w := newWorld(t)
	w.Limits.FourEyes = 999
	for _, state := range []withdraw.State{withdraw.Approved, withdraw.Paid, withdraw.Sending} {
		x := w.put(state)
		got, err := w.Approve(t.Context(), x.ID, "telegram:12")
		if got.First != "" || w.get(x.ID) != x || (err == nil) != (state == withdraw.Approved) {
			t.Errorf("what is %s becomes %+v, %v", state, got, err)
		}
	}
}

// TestWhatStaffDidIsRecorded, with the state before and after and the reason.
func TestWhatStaffDidIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	requested, other, sending, unknown := w.put(withdraw.Requested), w.put(withdraw.Reviewing), w.put(withdraw.Sending), w.put(withdraw.Unknown)
	for _, do := range []func() (withdraw.Withdrawal, error){
		func() (withdraw.Withdrawal, error) { return w.Approve(t.Context(), requested.ID, "ann") },
		func() (withdraw.Withdrawal, error) { return w.Approve(t.Context(), requested.ID, "bob") }, // is there already
		func() (withdraw.Withdrawal, error) { return w.Refuse(t.Context(), other.ID, "ann", "refused.name") },
		func() (withdraw.Withdrawal, error) { return w.Confirm(t.Context(), sending.ID, true, "bob", "") },
		func() (withdraw.Withdrawal, error) {
			return w.Confirm(t.Context(), unknown.ID, false, "bob", "payout.refused")
		},
	} {
		_, err := do()
		must(t, err)
	}
	var got []string
	for _, a := range w.store.Acts() {
		got = append(got, fmt.Sprintf("%s %s %s: %s > %s %s", a.Actor, a.What, a.On, a.Before, a.After, a.Reason))
	}
	want := []string{
		"ann withdrawal.approve withdrawal/1: requested > approved ",
		"ann withdrawal.refuse withdrawal/2: reviewing > refused refused.name",
		"bob withdrawal.paid withdrawal/3: sending > paid ",
		"bob withdrawal.failed withdrawal/4: unknown > failed payout.refused",
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("recorded is %q, want %q", got, want)
	}
}

// TestWhoPaysWhat: the payer of the method, else that of all others, and nobody
// where there is none; what was given to a payer that is retired stays with it.
func TestWhoPaysWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, rest := newBank(), newBank()
	old.name, rest.name = "old", "rest"
	old.Mode("holds")
	w.Payers = map[string]withdraw.Payer{"alipay": old, "wechat": nil, "": rest}
	if p := w.PayerNamed("nobody"); p != nil {
		t.Errorf("nobody is %s", p.Name())
	}
	w.give(42, 1000)
	w.give(43, 1000)
	first := w.request(42, 1000)
	w.Payee = payeeBy("wechat")
	second := w.request(43, 1000)
	w.run()
	if a, b := w.get(first.ID).Payer, w.get(second.ID).Payer; a != "old" || b != "rest" {
		t.Errorf("paid by %q and %q", a, b)
	}
	w.Payers, w.Retired = map[string]withdraw.Payer{"": rest}, []withdraw.Payer{old}
	must(t, old.Decide("TW1", true))
	w.advance(time.Minute)
	w.run()
	w.wantState(first.ID, withdraw.Paid, "")
	w.Payers = map[string]withdraw.Payer{}
	w.Limits.Payers = map[string]money.Fen{"rest": 2000}
	w.give(44, 1000)
	w.request(44, 1000) // nobody's minimum is none
}

// TestACallBackIsOne: asking again for what was called back changes nothing, and
// what failed otherwise cannot be called back.
func TestACallBackIsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bank.Mode(waits)
	w.give(42, 1000)
	x := w.request(42, 1000)
	w.run()
	for range 2 {
		got, err := w.Cancel(t.Context(), 42, x.ID)
		must(t, err)
		if got.State != withdraw.Failed || got.Reason != "payout.called_back" || w.get(x.ID) != got {
			t.Errorf("called back it is %+v", got)
		}
	}
	w.wantAsked("send TW1", "cancel TW1")
	w.wantWallet(42, credit.Wallet{Available: 1000})
	w.bank.Mode("refuses")
	x = w.request(42, 1000)
	w.run()
	w.wantState(x.ID, withdraw.Failed, "payout.no_such_account")
	_, err := w.Cancel(t.Context(), 42, x.ID)
	wantFault(t, "what failed", err, fault.Conflict, "withdraw.wrong_state")
	w.wantSound()
}

// TestWhatAPayerSaysToACallBack decides what the user is told.
func TestWhatAPayerSaysToACallBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		said   withdraw.Verdict
		state  withdraw.State
		why    string
		reason string
	}{
		{withdraw.Dead, withdraw.Failed, "payout.called_back", ""},
		{withdraw.Done, withdraw.Paid, "", "withdraw.wrong_state"},
		{withdraw.Busy, withdraw.Confirming, "", "withdraw.cancelling"},
		{withdraw.Waiting, withdraw.Confirming, "", "withdraw.cancelling"},
		{withdraw.Absent, withdraw.Unknown, "payout.refused", "withdraw.cancelling"},
		{"", withdraw.Confirming, "", "withdraw.cancelling"},
	} {
		p := says(withdraw.Waiting, tt.said)
		w, id := sentTo(t, p)
		w.run()
		got, err := w.Cancel(t.Context(), 42, id)
		if fault.ReasonOf(err) != tt.reason || (err == nil) != (tt.reason == "") {
			t.Errorf("%q: %v", tt.said, err)
		}
		w.wantState(id, tt.state, tt.why)
		if got != w.get(id) || fmt.Sprint(p.calls) != "[send TW1 cancel TW1]" {
			t.Errorf("%q: got %+v after %v", tt.said, got, p.calls)
		}
		w.wantSound()
	}
}

// TestAPayersWordAgainstAnEnd is kept once, wakes staff once, and moves nothing. A
// word that agrees, or says nothing, is none.
func TestAPayersWordAgainstAnEnd(t *testing.T) {
	t.Parallel()
	all := []withdraw.Verdict{
		withdraw.Done, withdraw.Dead, withdraw.Busy, withdraw.Unclear, withdraw.Absent, withdraw.Waiting, withdraw.Short, withdraw.Barred,
	}
	against := map[withdraw.Verdict]string{withdraw.Done: "dead,waiting", withdraw.Dead: "done,busy,waiting"}
	for end, words := range against {
		for _, said := range all {
			w, id := sentTo(t, says(end, said))
			w.run()
			was := w.get(id)
			for range 2 {
				must(t, w.Heard(t.Context(), "script", "TW1"))
			}
			incidents, err := w.Incidents(t.Context(), 10)
			must(t, err)
			want := 0
			if strings.Contains(","+words+",", ","+string(said)+",") {
				want = 1
			}
			if len(incidents) != want || len(w.alarms) != want || w.get(id) != was {
				t.Errorf("%s after %s: %+v, alarms %v, and it is %+v", said, end, incidents, w.alarms, w.get(id))
			}
			if want == 1 {
				i := incidents[0]
				if i.Withdrawal != id || i.State != was.State || i.Verdict != said || i.Reason != "payout.refused" || !i.At.Equal(w.now()) || w.alarms[0] != withdraw.Contradicted {
					t.Errorf("kept is %+v, and the alarm is %s", i, w.alarms[0])
				}
			}
			w.wantSound()
		}
	}
}

// TestAHintOfAnEndAsksOnlyWhoCanAnswer: not a payer that is gone, and a payer that
// does not answer is an error, so that the hint comes again.
func TestAHintOfAnEndAsksOnlyWhoCanAnswer(t *testing.T) {
	t.Parallel()
	p := says(withdraw.Done, "")
	w, _ := sentTo(t, p)
	w.run()
	if err := w.Heard(t.Context(), "script", "TW1"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a payer that does not answer: %v", err)
	}
	w.Payers = nil
	must(t, w.Heard(t.Context(), "script", "TW1"))
	if fmt.Sprint(p.calls) != "[send TW1 query TW1]" {
		t.Errorf("asked is %v", p.calls)
	}
}

// TestStatesAreAListInOrder, which nobody who asks for it can change.
func TestStatesAreAListInOrder(t *testing.T) {
	t.Parallel()
	if fmt.Sprint(withdraw.States()) != fmt.Sprint(every) {
		t.Errorf("the states are %v", withdraw.States())
	}
	next := withdraw.Requested.Next()
	next[0] = withdraw.Paid
	if withdraw.Requested.Next()[0] == withdraw.Paid {
		t.Error("who asks for the next states can change them")
	}
}

// TestFactsAreWhatTheDeskKnows: withdrawals before count for the risk, those of
// others and those that came back do not.
func TestFactsAreWhatTheDeskKnows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alone := func(id int64) {
		w.Payee = func(context.Context, int64) (user.Payee, error) {
			p := payee()
			p.Account = fmt.Sprint("1380000000", id)
			return p, nil
		}
	}
	pay := func(id int64, amount money.Fen) withdraw.Withdrawal {
		alone(id)
		w.give(id, amount)
		x := w.request(id, amount)
		w.run()
		return x
	}
	pay(43, 100)
	for i, tt := range []struct {
		amount money.Fen
		signs  string
		risk   int
	}{{1000, "risk.first", 10}, {3000, "", 0}, {6_003, "risk.amount", 20}} {
		w.Limits.Auto = 20_000
		if x := pay(42, tt.amount); x.Signs != tt.signs || x.Risk != tt.risk {
			t.Errorf("number %d: %q, %d points, want %q, %d", i, x.Signs, x.Risk, tt.signs, tt.risk)
		}
	}
}
