package withdraw_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

func (w *world) board() *control.Board {
	return &control.Board{Store: w.store.Control(), Now: w.now}
}

// turn turns a switch.
func (w *world) turn(s control.Scope, on bool) {
	w.t.Helper()
	must(w.t, w.board().Set(w.t.Context(), control.Switch{Scope: s, On: on, By: "cli", Why: "test"}))
}

func TestEachMethodHasItsPayer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wechat := newBank()
	wechat.name = "wechatpay"
	w.Payers["wechat"] = wechat
	for id, method := range map[int64]string{1: "alipay", 2: "wechat"} {
		to := payee()
		to.Method = method
		w.Payee = func(context.Context, int64) (user.Payee, error) { return to, nil }
		w.give(id, 1000)
		w.request(id, 1000)
	}
	wechat.Mode("holds")
	w.run()
	for name, b := range map[string]*bank{"bank": w.bank, "wechatpay": wechat} {
		if len(b.known) != 1 {
			t.Errorf("%s knows %d payments, want 1", name, len(b.known))
		}
	}
	// The method goes to another payer from now on; what is on its way stays.
	w.Payers = map[string]withdraw.Payer{"": wechat, "wechat": w.bank}
	for number := range wechat.known {
		must(t, wechat.Decide(number, true))
	}
	w.advance(time.Hour)
	w.run()
	if b, err := w.store.Reader().Balance(t.Context(), ledger.Payer("wechatpay")); b != 1000 || err != nil {
		t.Errorf("through wechatpay went %s, %v", b, err)
	}
	w.wantSound()
}

func TestAPayeeConfirms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bank.Mode(waits)
	w.give(42, 1000)
	x := w.request(42, 1000)
	w.run()
	got := w.get(x.ID)
	if got.State != withdraw.Confirming || got.Confirm != "package of TW1" || got.Receipt != "RTW1" {
		t.Fatalf("%+v", got)
	}
	w.advance(time.Minute)
	w.run()
	if again := w.get(x.ID); again.State != withdraw.Confirming {
		t.Errorf("after a question it is %+v", again)
	}
	must(t, w.bank.Decide("TW1", true))
	must(t, w.Heard(t.Context(), "bank", "TW1"))
	w.run()
	w.wantState(x.ID, withdraw.Paid, "")
	if said := w.said(x.ID); fmt.Sprint(said) != "[approved sending confirming paid]" {
		t.Errorf("said is %v", said)
	}
	w.wantSound()
}

func TestAUserCallsBackWhatTheyHaveNotConfirmed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(w *world)
		state  withdraw.State
		reason string // of the refusal
	}{
		"in time":         {func(*world) {}, withdraw.Failed, ""},
		"too late":        {func(w *world) { must(w.t, w.bank.Decide("TW1", true)) }, withdraw.Paid, "withdraw.wrong_state"},
		"nobody knows":    {func(*world) {}, withdraw.Confirming, "withdraw.cancelling"},
		"it fails itself": {func(w *world) { must(w.t, w.bank.Decide("TW1", false)) }, withdraw.Failed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.bank.Mode(waits)
			w.give(42, 1000)
			x := w.request(42, 1000)
			w.run()
			tt.before(w)
			if name == "nobody knows" {
				w.bank.mu.Lock()
				w.bank.lost, w.bank.roll = [2]float64{1, 0}, rand.New(rand.NewPCG(1, 1))
				w.bank.mu.Unlock()
			}
			_, err := w.Cancel(t.Context(), 42, x.ID)
			if fault.ReasonOf(err) != tt.reason {
				t.Errorf("Cancel: %v", err)
			}
			if got := w.get(x.ID); got.State != tt.state {
				t.Errorf("it is %s", got.State)
			}
			w.wantSound()
		})
	}
}

func TestAPayerWithoutOurMoneyIsSentTheSameNumberLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bank.Mode(short)
	w.give(42, 1000)
	x := w.request(42, 1000)
	for range 20 {
		w.run()
		w.wantState(x.ID, withdraw.Sending, "payout.waiting_funds")
		w.advance(15 * time.Minute)
	}
	w.bank.asked()
	if !slices.Equal(w.alarms, []withdraw.Alarm{withdraw.NoMoney}) {
		t.Errorf("alarms are %v, want one", w.alarms)
	}
	w.turn(control.Payer("bank"), true) // stopped: not even what waits for money goes out
	w.bank.Mode("")
	w.run()
	w.wantAsked()
	w.turn(control.Payer("bank"), false)
	w.advance(15 * time.Minute)
	w.run()
	w.wantAsked("send TW1")
	w.wantState(x.ID, withdraw.Paid, "")
	w.wantSound()
}

// TestWhatAPayerMayHaveForgottenIsNotSentAgain: a number that it does not know after weeks
// may have been paid under its eyes. Only a person can tell.
func TestWhatAPayerMayHaveForgottenIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mode, way string
		state     withdraw.State
	}{
		"paid, and its answer got lost": {way: payertest.LostAnswer, state: withdraw.Unknown},
		"it had no money":               {mode: short, state: withdraw.Sending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.bank.way, w.bank.mode = tt.way, tt.mode
			w.give(42, 1000)
			x := w.request(42, 1000)
			w.run()
			w.turn(control.Payer("bank"), true) // for weeks
			w.advance(3 * 7 * 24 * time.Hour)
			w.turn(control.Payer("bank"), false)
			w.advance(time.Second)
			paid := w.bank.Paid("TW1")
			w.bank.way, w.bank.mode, w.bank.known = "", "", map[string]*transfer{} // it forgets
			w.alarms = nil
			w.bank.asked()
			for range 2 {
				w.run()
				w.advance(time.Hour)
			}
			for _, call := range w.bank.asked() {
				if call != "query TW1" {
					t.Errorf("after %v had left it was asked to %s", paid, call)
				}
			}
			w.wantState(x.ID, tt.state, "payout.forgotten")
			if !slices.Equal(w.alarms, []withdraw.Alarm{withdraw.Forgotten}) {
				t.Errorf("alarms are %v, want one", w.alarms)
			}
			w.turn(control.Payer("bank"), true)
			w.advance(time.Minute)
			_, err := w.Attest(t.Context(), x.ID, len(paid) > 0, "cli:wang", "payout.refused")
			must(t, err)
			w.wantSound()
		})
	}
}

func TestAPayerThatRefusesUsIsPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bank.Mode(barred)
	for _, id := range []int64{1, 2} {
		w.give(id, 1000)
		w.request(id, 1000)
	}
	w.run()
	w.wantAsked("send TW1")
	w.wantState(1, withdraw.Unknown, "payout.refused")
	w.wantState(2, withdraw.Approved, "")
	w.wantWallet(1, credit.Wallet{Reserved: 1000})
	all, err := w.board().List(t.Context())
	must(t, err)
	if len(all) != 1 || !all[0].On || all[0].Scope != control.Payer("bank") || all[0].By != "auto" {
		t.Errorf("the switches are %+v", all)
	}
	w.bank.Mode("")
	w.advance(time.Minute)
	w.run()
	w.wantAsked("query TW1") // the payer does not know it, and it is not sent
	w.wantState(1, withdraw.Unknown, "payout.refused")
	w.turn(control.Payer("bank"), false)
	w.advance(time.Minute)
	w.run()
	w.wantState(1, withdraw.Paid, "")
	w.wantState(2, withdraw.Paid, "")
	if !slices.Equal(w.alarms, []withdraw.Alarm{withdraw.PayerPaused}) {
		t.Errorf("alarms are %v, want one", w.alarms)
	}
	w.wantSound()
}

// TestEveryOrderOfReplyCallbackAndQuery: whatever order the payer's words come in,
// and whatever they are, the first final one counts, once, and a contradiction is
// kept and moves nothing.
func TestEveryOrderOfReplyCallbackAndQuery(t *testing.T) {
	t.Parallel()
	said := []withdraw.Verdict{withdraw.Done, withdraw.Dead, withdraw.Busy, withdraw.Unclear, withdraw.Waiting}
	for _, a := range said {
		for _, b := range said {
			for _, c := range said {
				t.Run(fmt.Sprint(a, " ", b, " ", c), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					p := &speaker{words: []withdraw.Verdict{a, b, c}}
					w.Payers = map[string]withdraw.Payer{"": p}
					w.give(42, 1000)
					x := w.request(42, 1000)
					w.run()                                         // the reply
					must(t, w.Heard(t.Context(), "speaker", "TW1")) // the callback, which asks or makes ask
					w.run()
					must(t, w.Heard(t.Context(), "speaker", "TW1"))
					w.run()
					want := withdraw.State("")
					against := 0
					for _, v := range []withdraw.Verdict{a, b, c} {
						switch {
						case want == "" && v == withdraw.Done:
							want = withdraw.Paid
						case want == "" && v == withdraw.Dead:
							want = withdraw.Failed
						case want == withdraw.Paid && (v == withdraw.Dead || v == withdraw.Waiting),
							want == withdraw.Failed && v != withdraw.Dead && v != withdraw.Unclear:
							against++
						}
					}
					got := w.get(x.ID)
					if want != "" && got.State != want || want == "" && got.State.Final() {
						t.Errorf("it is %s, want %q", got.State, want)
					}
					incidents, err := w.Incidents(t.Context(), 10)
					must(t, err)
					if (len(incidents) > 0) != (against > 0) {
						t.Errorf("%d incidents are kept of %d contradictions", len(incidents), against)
					}
					if p.asked != 3 {
						t.Errorf("the payer was asked %d times", p.asked)
					}
					w.wantSound()
				})
			}
		}
	}
}

// A speaker is a payer that says one word after the other.
type speaker struct {
	words []withdraw.Verdict
	asked int
}

func (*speaker) Name() string { return "speaker" }
func (s *speaker) Send(context.Context, withdraw.Payment) (withdraw.Outcome, error) {
	return s.next(), nil
}
func (s *speaker) Query(context.Context, string) (withdraw.Outcome, error) { return s.next(), nil }

func (s *speaker) next() withdraw.Outcome {
	v := s.words[min(s.asked, len(s.words)-1)]
	s.asked++
	return withdraw.Outcome{Verdict: v, Reason: "payout.refused", Confirm: "package"}
}

func TestTwoPeopleApproveMuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.FourEyes = 8_000
	w.give(42, 10_000)
	x := w.request(42, 9_000)
	got, err := w.Approve(t.Context(), x.ID, "telegram:12")
	must(t, err)
	if got.State != withdraw.Reviewing || got.First != "telegram:12" {
		t.Errorf("after the first it is %+v", got)
	}
	_, err = w.Approve(t.Context(), x.ID, "telegram:12")
	wantFault(t, "the same person", err, fault.Denied, "withdraw.same_person")
	w.run()
	w.wantAsked()
	got, err = w.Approve(t.Context(), x.ID, "telegram:13")
	must(t, err)
	if got.State != withdraw.Approved || got.Actor != "telegram:13" || got.First != "telegram:12" {
		t.Errorf("after the second it is %+v", got)
	}
	_, err = w.Approve(t.Context(), x.ID, "telegram:12") // and again changes nothing
	must(t, err)
	w.run()
	w.wantState(x.ID, withdraw.Paid, "")
	var acts []string
	for _, a := range w.store.Acts() {
		acts = append(acts, a.What+" by "+a.Actor+" on "+a.On)
	}
	if fmt.Sprint(acts) != "[withdrawal.approve_first by telegram:12 on withdrawal/1 withdrawal.approve by telegram:13 on withdrawal/1]" {
		t.Errorf("recorded is %v", acts)
	}
	w.give(43, 8_000)
	less := w.request(43, 8_000)
	less, err = w.Approve(t.Context(), less.ID, "telegram:12")
	if err != nil || less.State != withdraw.Approved {
		t.Errorf("what is not above the limit is %s, %v", less.State, err)
	}
}

func TestLimitsOfADay(t *testing.T) {
	t.Parallel()
	paid := func(w *world, id int64, amount money.Fen) {
		w.give(id, amount)
		w.request(id, amount)
		w.run()
	}
	for name, tt := range map[string]struct {
		limits withdraw.Limits
		reason string
	}{
		"count":    {withdraw.Limits{UserCount: 2}, "withdraw.day_count"},
		"amount":   {withdraw.Limits{UserDay: 1_099}, "withdraw.day_amount"},
		"account":  {withdraw.Limits{PayeeDay: 1_599}, "withdraw.payee_day"},
		"and none": {withdraw.Limits{UserCount: 3, UserDay: 1_100, PayeeDay: 1_600}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			paid(w, 42, 500)
			paid(w, 42, 500)
			paid(w, 43, 500)
			l := tt.limits
			l.Minimum, l.Maximum, l.Auto = 100, 20_000, 5_000
			w.Limits = l
			w.give(42, 100)
			_, err := w.Request(t.Context(), 42, 100, "k")
			if fault.ReasonOf(err) != tt.reason || tt.reason != "" && !fault.Is(err, fault.Limited) {
				t.Errorf("today: %v, want %q", err, tt.reason)
			}
			if tt.reason == "" {
				return
			}
			w.advance(24 * time.Hour)
			_, err = w.Request(t.Context(), 42, 100, "k")
			must(t, err)
		})
	}
}

func TestThePayersMinimum(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.Payers = map[string]money.Fen{"bank": 300, "other": 9_000}
	w.give(42, 1000)
	_, err := w.Request(t.Context(), 42, 299, "k")
	wantFault(t, "a fen too little", err, fault.Invalid, "withdraw.below_payer")
	w.request(42, 300)
}

// TestTheHouseHasAFuse: no more leaves in a day than the house allows, what is too
// much goes out in the next, and staff hears of it once for each.
func TestTheHouseHasAFuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.HouseDay, w.Limits.Zone = 2_500, time.FixedZone("UTC+8", 8*60*60)
	for id := int64(1); id <= 4; id++ {
		w.give(id, 1000)
		w.request(id, 1000)
	}
	for range 100 {
		w.run()
		w.advance(time.Minute)
	}
	w.wantState(2, withdraw.Paid, "")
	w.wantState(3, withdraw.Approved, "payout.day_cap")
	if got := w.get(3); !got.NextAt.Equal(time.Date(2026, 1, 15, 16, 0, 0, 0, time.UTC)) || got.Number != "" {
		t.Errorf("it waits until %s", got.NextAt)
	}
	if len(w.alarms) != 2 || w.alarms[0] != withdraw.DayCap {
		t.Errorf("alarms are %v", w.alarms)
	}
	w.advance(24 * time.Hour)
	w.run()
	for id := int64(1); id <= 4; id++ {
		w.wantState(id, withdraw.Paid, "")
	}
	w.wantSound()
}

func TestWhatIsStoppedWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	w.give(43, 1000)
	x := w.request(42, 1000)
	w.turn(control.Payouts, true)
	w.run()
	w.wantAsked()
	w.wantState(x.ID, withdraw.Approved, "")
	_, err := w.Request(t.Context(), 43, 500, "k")
	wantFault(t, "a request while payouts are stopped", err, fault.Unavailable, control.Stopped)
	w.wantWallet(43, credit.Wallet{Available: 1000})
	w.turn(control.Payouts, false)
	w.turn(control.ReadOnly, true)
	_, err = w.Request(t.Context(), 43, 500, "k")
	wantFault(t, "a request while nothing changes", err, fault.Unavailable, control.Stopped)
	w.turn(control.ReadOnly, false)
	w.advance(time.Minute)
	w.run()
	w.wantState(x.ID, withdraw.Paid, "")
	w.turn(control.Payouts, true)
	w.turn(control.Payouts, true) // again is no act
	if n := len(w.store.Acts()); n != 5 {
		t.Errorf("%d acts are recorded, want 5", n)
	}
}

// Whatever the moment in which payouts are stopped, either the intent to pay was
// committed before, or nothing is sent.
func TestASwitchAtAnyMomentIsSeen(t *testing.T) {
	t.Parallel()
	for nth := range 6 {
		w := newWorld(t)
		w.give(42, 1000)
		x := w.request(42, 1000)
		n, sending := 0, false
		w.store.Before = func() error {
			if n++; n == nth+1 {
				w.store.Before = nil
				sending = w.get(x.ID).State != withdraw.Approved
				w.turn(control.Payouts, true)
			}
			return nil
		}
		w.run()
		w.store.Before = nil
		if n > nth && !sending && len(w.bank.known) > 0 {
			t.Errorf("before transaction %d: money was sent after payouts were stopped", nth+1)
		}
	}
}

func TestWhoSharesAnAccountIsLookedAt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.OnePerson = true
	w.give(42, 1000)
	w.give(43, 1000)
	first := w.request(42, 500)
	second := w.request(43, 500)
	w.wantState(first.ID, withdraw.Approved, "")
	w.wantState(second.ID, withdraw.Reviewing, "review.shared_payee")
}

func TestRiskSaysWhy(t *testing.T) {
	t.Parallel()
	long := start.AddDate(-1, 0, 0)
	calm := withdraw.Facts{Joined: long, Now: start, Amount: 1000, Payee: long, Before: 4, Sum: 4000, Earned: 10_000, Returned: 3_000, Claims: 6, Unclicked: 3}
	for name, tt := range map[string]struct {
		change func(f *withdraw.Facts)
		want   string
	}{
		"nothing":          {func(*withdraw.Facts) {}, "[]"},
		"a new user":       {func(f *withdraw.Facts) { f.Joined = start.Add(-71 * time.Hour) }, "[{risk.new_user 20}]"},
		"not so new":       {func(f *withdraw.Facts) { f.Joined = start.Add(-72 * time.Hour) }, "[]"},
		"the first":        {func(f *withdraw.Facts) { f.Before, f.Sum = 0, 0 }, "[{risk.first 10}]"},
		"much goes back":   {func(f *withdraw.Facts) { f.Returned = 3_001 }, "[{risk.returns 30}]"},
		"a shared account": {func(f *withdraw.Facts) { f.Shared = 1 }, "[{risk.shared_payee 40}]"},
		"much more":        {func(f *withdraw.Facts) { f.Amount = 3_003 }, "[{risk.amount 20}]"},
		"a new account":    {func(f *withdraw.Facts) { f.Payee = start.AddDate(0, 0, -6) }, "[{risk.payee_changed 15}]"},
		"claims":           {func(f *withdraw.Facts) { f.Unclicked = 4 }, "[{risk.claims 25}]"},
	} {
		f := calm
		tt.change(&f)
		if got := fmt.Sprint(withdraw.Assess(f)); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	if signs := withdraw.Assess(withdraw.Facts{Before: 1}); len(signs) != 0 {
		t.Errorf("what is not known counts: %v", signs)
	}
	w := newWorld(t)
	w.Limits.Risk = 30
	w.Facts = func(context.Context, int64) (withdraw.Facts, error) {
		return withdraw.Facts{Joined: start.Add(-time.Hour)}, nil
	}
	w.give(42, 1000)
	x := w.request(42, 1000)
	if got := w.get(x.ID); got.State != withdraw.Reviewing || got.Reason != "review.risk" || got.Risk != 30 || got.Signs != "risk.new_user,risk.first" {
		t.Errorf("%+v", got)
	}
}

// TestAnotherPaymentsNumberPaysNobody: a book that was restored from a backup gives a number
// again that its payer knows as another person's payment. That is nobody's word for it.
func TestAnotherPaymentsNumberPaysNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bank.known["TW1"] = &transfer{payment: withdraw.Payment{Number: "TW1", Amount: 700}, verdict: withdraw.Done, paid: []money.Fen{700}}
	w.give(42, 1000)
	x := w.request(42, 1000)
	for range 3 {
		w.run()
		w.advance(time.Minute)
	}
	w.wantState(x.ID, withdraw.Unknown, "payout.number_reused")
	w.wantWallet(42, credit.Wallet{Reserved: 1000})
	if !slices.Equal(w.alarms, []withdraw.Alarm{withdraw.PayerPaused}) {
		t.Errorf("alarms are %v", w.alarms)
	}
	_, err := w.Attest(t.Context(), x.ID, false, "cli:wang", "payout.refused") // its payer is paused, and has nothing for it
	must(t, err)
	w.wantWallet(42, credit.Wallet{Available: 1000})
	w.wantSound()
}

// slow is a store in which something happens after a withdrawal was read once.
type slow struct {
	withdraw.Store
	then func()
}

func (s *slow) Withdrawal(ctx context.Context, id int64) (withdraw.Withdrawal, error) {
	x, err := s.Store.Withdrawal(ctx, id)
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return x, err
}

// TestALateSecondWordIsNoFirstOne: one who repeats an approval while goods go back, so that
// it is to be looked at anew, has not approved it alone.
func TestALateSecondWordIsNoFirstOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.FourEyes = 8_000
	w.give(42, 10_000)
	x := w.request(42, 9_000)
	for _, actor := range []string{"staff:1", "staff:2"} {
		_, err := w.Approve(t.Context(), x.ID, actor)
		must(t, err)
	}
	w.Store = &slow{w.store, func() { w.claw(42, 300); w.run() }}
	_, err := w.Approve(t.Context(), x.ID, "staff:3")
	must(t, err)
	w.wantState(x.ID, withdraw.Reviewing, "review.debt")
}
