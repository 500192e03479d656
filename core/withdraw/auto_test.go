package withdraw_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// wish turns a user's automatic withdrawals on.
func (w *world) wish(id int64, threshold money.Fen) withdraw.Autopay {
	w.t.Helper()
	a, err := w.SetAutopay(w.t.Context(), id, true, threshold)
	must(w.t, err)
	return a
}

// auto runs the job and compares how many it asked for or told.
func (w *world) auto(want int) {
	w.t.Helper()
	n, err := w.RunAutopay(w.t.Context())
	must(w.t, err)
	if n != want {
		w.t.Errorf("the job did %d, want %d", n, want)
	}
}

// wantMade compares a user's withdrawals, oldest first, as "1000 approved".
func (w *world) wantMade(id int64, want ...string) {
	w.t.Helper()
	ws, err := w.store.OfUser(w.t.Context(), id, 0, 1000)
	must(w.t, err)
	var got []string
	for i := range ws {
		x := ws[len(ws)-1-i]
		got = append(got, fmt.Sprintf("%d %s", x.Amount, x.State))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("user %d has %v, want %v", id, got, want)
	}
}

// told returns why users were told that nothing was asked for, as "42 reason".
func (w *world) told() (out []string) {
	w.t.Helper()
	for _, e := range w.store.Heard() {
		if e.Name != event.AutopayHeld {
			continue
		}
		var h withdraw.Held
		must(w.t, e.Decode(&h))
		out = append(out, fmt.Sprintf("%d %s at %d", h.User, h.Reason, h.Threshold))
	}
	return out
}

func (w *world) wantTold(want ...string) {
	w.t.Helper()
	if got := w.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("told were %q, want %q", got, want)
	}
}

// wantAutopay compares what is stored.
func (w *world) wantAutopay(want withdraw.Autopay) {
	w.t.Helper()
	got, err := w.Autopay(w.t.Context(), want.User)
	must(w.t, err)
	if got != want {
		w.t.Errorf("it is %+v, want %+v", got, want)
	}
}

func TestAutopayIsOffAtFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 20_000)
	w.auto(0)
	w.wantMade(42)
	w.wantAutopay(withdraw.Autopay{User: 42, Threshold: 100})
}

func TestSetAutopay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	steps := []struct {
		on        bool
		threshold money.Fen
		reason    string
		want      withdraw.Autopay
	}{
		{true, 99, "withdraw.below_minimum", withdraw.Autopay{Threshold: 100}},
		{true, -1, "withdraw.below_minimum", withdraw.Autopay{Threshold: 100}},
		{true, 20_001, "withdraw.above_maximum", withdraw.Autopay{Threshold: 100}},
		{false, 0, "", withdraw.Autopay{Threshold: 100}}, // it was off: nothing to store
		{true, 0, "", withdraw.Autopay{On: true, Threshold: 100, Rev: 1}},
		{true, 100, "", withdraw.Autopay{On: true, Threshold: 100, Rev: 1}}, // as it was
		{true, 20_000, "", withdraw.Autopay{On: true, Threshold: 20_000, Rev: 2}},
		{false, 0, "", withdraw.Autopay{Threshold: 20_000, Rev: 3}},
		{true, 0, "", withdraw.Autopay{On: true, Threshold: 20_000, Rev: 4}}, // it remembers
		{true, 101, "", withdraw.Autopay{On: true, Threshold: 101, Rev: 5}},
		{false, 101, "", withdraw.Autopay{Threshold: 101, Rev: 6}},
	}
	var changed time.Time
	for i, s := range steps {
		w.advance(time.Minute)
		got, err := w.SetAutopay(t.Context(), 42, s.on, s.threshold)
		if s.reason != "" {
			wantFault(t, fmt.Sprint("step ", i), err, fault.Invalid, s.reason)
		} else {
			must(t, err)
		}
		if i > 0 && s.want.Rev != steps[i-1].want.Rev {
			changed = w.now()
		}
		s.want.User, s.want.Changed = 42, changed
		w.wantAutopay(s.want)
		if s.reason == "" && got != s.want {
			t.Errorf("step %d: got %+v, want %+v", i, got, s.want)
		}
	}
}

// TestSetAutopayWhenLimitsHaveMoved: an old threshold is kept within the limits
// of today.
func TestSetAutopayWhenLimitsHaveMoved(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ minimum, maximum, want money.Fen }{
		{100, 20_000, 500}, {501, 20_000, 501}, {500, 20_000, 500}, {100, 499, 499}, {100, 500, 500},
	} {
		w := newWorld(t)
		w.wish(42, 500)
		_, err := w.SetAutopay(t.Context(), 42, false, 0)
		must(t, err)
		w.Limits.Minimum, w.Limits.Maximum = tt.minimum, tt.maximum
		if a := w.wish(42, 0); a.Threshold != tt.want {
			t.Errorf("%+v: the threshold is %d", tt, a.Threshold)
		}
	}
	w := newWorld(t)
	w.Limits.Minimum = 0 // no minimum is not no threshold
	_, err := w.SetAutopay(t.Context(), 42, true, 0)
	wantFault(t, "nothing at all", err, fault.Invalid, "withdraw.below_minimum")
	if a := w.wish(42, 1); a.Threshold != 1 {
		t.Errorf("got %+v", a)
	}
}

func TestAutopayFromTheThresholdOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wish(42, 1000)
	w.give(42, 999)
	w.auto(0)
	w.wantMade(42)
	w.give(42, 1)
	w.auto(1)
	w.wantMade(42, "1000 approved")
	w.wantWallet(42, credit.Wallet{Reserved: 1000})
	w.wantTold()
	x := w.get(1)
	if x.Key != "auto/42/2026-01-15" || !x.Automatic() || x.Actor != "auto" {
		t.Errorf("it is %+v", x)
	}
	var c withdraw.Changed
	must(t, w.store.Heard()[0].Decode(&c))
	if !c.Auto {
		t.Errorf("it is told as %+v", c)
	}
	w.wantSound()
}

func TestAutopayTakesAllThatOneWithdrawalCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wish(42, 1000)
	w.give(42, 20_001)
	w.auto(1)
	w.wantMade(42, "20000 reviewing") // above what goes without a person
	w.wantWallet(42, credit.Wallet{Available: 1, Reserved: 20_000})
}

func TestWhatAPersonAsksForIsNotAutomatic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(42, 1000)
	if x := w.request(42, 1000); x.Automatic() {
		t.Errorf("%s is automatic", x.Key)
	}
	var c withdraw.Changed
	must(t, w.store.Heard()[0].Decode(&c))
	if c.Auto {
		t.Errorf("it is told as %+v", c)
	}
}

func TestAutopayAsksOnceADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Limits.Zone = time.FixedZone("UTC+8", 8*60*60) // it is noon there
	a := w.wish(42, 1000)
	w.give(42, 1000)
	w.auto(1)
	a.Day, a.Rev = "2026-01-15", 2
	w.wantAutopay(a)
	_, err := w.Cancel(t.Context(), 42, 1)
	must(t, err)
	w.auto(0)
	w.advance(12*time.Hour - time.Millisecond)
	w.auto(0)
	_, err = w.SetAutopay(t.Context(), 42, true, 500) // another threshold does not make another day
	must(t, err)
	w.auto(0)
	w.wantMade(42, "1000 cancelled")
	w.advance(time.Millisecond)
	w.auto(1)
	w.wantMade(42, "1000 cancelled", "1000 approved")
	w.wantTold()
}

func TestAutopayThatIsOffAsksForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wish(42, 1000)
	w.give(42, 1000)
	_, err := w.SetAutopay(t.Context(), 42, false, 0)
	must(t, err)
	w.auto(0)
	w.wantMade(42)
}

// TestAutopayTurnedOffWhileItIsTried: what the user says last holds.
func TestAutopayTurnedOffWhileItIsTried(t *testing.T) {
	t.Parallel()
	for _, payee := range []user.Payee{payee(), {}} {
		w := newWorld(t)
		off := func() {
			w.store.Before = nil
			_, err := w.SetAutopay(t.Context(), 42, false, 0)
			must(t, err)
		}
		w.Payee = func(context.Context, int64) (user.Payee, error) { return payee, nil }
		w.wish(42, 1000)
		w.give(42, 1000)
		count := 0
		w.store.Before = func() error {
			if count++; !payee.IsZero() || count == 2 { // before the request, or before its refusal is kept
				off()
			}
			return nil
		}
		w.auto(0)
		w.wantMade(42)
		w.wantTold()
		if a, err := w.Autopay(t.Context(), 42); err != nil || a.On || a.Why != "" || a.Day != "" {
			t.Errorf("got %+v, %v", a, err)
		}
		w.wantWallet(42, credit.Wallet{Available: 1000})
	}
}

// TestSetAutopayLosesToWhoWasFaster: it changes nothing then.
func TestSetAutopayLosesToWhoWasFaster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.Before = func() error {
		w.store.Before = nil
		w.wish(42, 700)
		return nil
	}
	_, err := w.SetAutopay(t.Context(), 42, true, 900)
	wantFault(t, "the slower one", err, fault.Conflict, "withdraw.autopay_changed")
	w.wantAutopay(withdraw.Autopay{User: 42, On: true, Threshold: 700, Rev: 1, Changed: start})
}

func TestAutopayWithoutAPayeeIsSaidOnceAndGoesOnWhenThereIsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none := true
	w.Payee = func(context.Context, int64) (user.Payee, error) {
		if none {
			return user.Payee{}, nil
		}
		return payee(), nil
	}
	a := w.wish(42, 1000)
	w.give(42, 1000)
	w.auto(1)
	w.wantTold("42 withdraw.no_payee at 1000")
	a.Why, a.Rev = "withdraw.no_payee", 2
	w.wantAutopay(a)
	w.auto(0)
	w.advance(48 * time.Hour)
	w.auto(0)
	w.wantAutopay(a)
	none = false
	w.auto(1)
	w.wantMade(42, "1000 approved")
	w.wantTold("42 withdraw.no_payee at 1000")
	a.Why, a.Rev, a.Day = "", 3, "2026-01-17"
	w.wantAutopay(a)
}

// TestAutopayRefused: what a person would be refused is refused, and said once
// until something else happens; it is tried once a day.
func TestAutopayRefused(t *testing.T) {
	t.Parallel()
	day := func(w *world) { // one withdrawal of today counts
		w.give(42, 1000)
		w.request(42, 1000)
		w.run()
		w.give(42, 1000)
	}
	for reason, limit := range map[string]func(w *world){
		"withdraw.day_count":     func(w *world) { day(w); w.Limits.UserCount = 1 },
		"withdraw.day_amount":    func(w *world) { day(w); w.Limits.UserDay = 1999 },
		"withdraw.payee_day":     func(w *world) { day(w); w.Limits.PayeeDay = 1999 },
		"withdraw.below_payer":   func(w *world) { w.give(42, 1000); w.Limits.Payers = map[string]money.Fen{"bank": 1001} },
		"withdraw.below_minimum": func(w *world) { w.give(42, 1000); w.Limits.Minimum = 1001 },
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.wish(42, 1000)
			limit(w)
			before, err := w.OfUser(t.Context(), 42, 0, 10)
			must(t, err)
			w.auto(1)
			w.auto(0)
			want := fmt.Sprintf("42 %s at 1000", reason)
			w.wantTold(want)
			a.Day, a.Why, a.Rev = "2026-01-15", reason, 2
			w.wantAutopay(a)
			after, err := w.OfUser(t.Context(), 42, 0, 10)
			must(t, err)
			if len(after) != len(before) {
				t.Errorf("there are %d withdrawals, there were %d", len(after), len(before))
			}
			w.advance(24 * time.Hour)
			w.Limits.UserCount, w.Limits.UserDay, w.Limits.PayeeDay = 0, min(w.Limits.UserDay, 1), min(w.Limits.PayeeDay, 1)
			if w.Limits.UserDay+w.Limits.PayeeDay == 0 && strings.HasPrefix(reason, "withdraw.below") {
				w.auto(0) // the same again: tried, and not said
				a.Day, a.Rev = "2026-01-16", 3
				w.wantAutopay(a)
				w.wantTold(want)
			}
			w.advance(24 * time.Hour)
			w.Limits.UserDay, w.Limits.PayeeDay, w.Limits.Payers, w.Limits.Minimum = 0, 0, nil, 100
			w.auto(1)
			w.wantTold(want)
			if got, err := w.Autopay(t.Context(), 42); err != nil || got.Why != "" || got.Day != "2026-01-17" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// TestAutopayWaits: what needs nobody to do anything is not said, and is tried
// again the same day.
func TestAutopayWaits(t *testing.T) {
	t.Parallel()
	open := func(w *world) func() {
		w.give(42, 500)
		x := w.request(42, 500)
		w.give(42, 1000)
		return func() {
			_, err := w.Cancel(w.t.Context(), 42, x.ID)
			must(w.t, err)
		}
	}
	debt := func(w *world) func() {
		w.give(42, 1000)
		w.claw(42, 100)
		return func() { w.move("repay", "user/42/available", "user/42/debt", 100); w.give(42, 100) }
	}
	stopped := func(scope control.Scope) func(w *world) func() {
		return func(w *world) func() {
			w.give(42, 1000)
			b := &control.Board{Store: w.store.Control(), Now: w.now}
			turn := func(on bool) {
				must(w.t, b.Set(w.t.Context(), control.Switch{Scope: scope, On: on, By: "cli", Why: "a test"}))
			}
			turn(true)
			return func() { turn(false) }
		}
	}
	for name, block := range map[string]func(w *world) func(){
		"AnotherWithdrawal": open, "ADebt": debt, "NoPayouts": stopped(control.Payouts), "ReadOnly": stopped(control.ReadOnly),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.wish(42, 1000)
			free := block(w)
			before, err := w.OfUser(t.Context(), 42, 0, 10)
			must(t, err)
			w.auto(0)
			w.wantTold()
			w.wantAutopay(a)
			free()
			w.auto(1)
			after, err := w.OfUser(t.Context(), 42, 0, 10)
			must(t, err)
			if len(after) != len(before)+1 || !after[0].Automatic() {
				t.Errorf("there are %+v", after)
			}
			w.wantTold()
		})
	}
}

// TestAutopayThatTheMoneyHasLeft: it was there when the page was read, and some
// of it, or all, was taken back meanwhile.
func TestAutopayThatTheMoneyHasLeft(t *testing.T) {
	t.Parallel()
	for _, left := range []money.Fen{0, 1, 99, 100, 999} {
		w := newWorld(t)
		a := w.wish(42, 1000)
		w.give(42, 1000)
		w.store.Before = func() error {
			w.store.Before = nil
			w.move("revoke", "user/42/available", "network/jd", 1000-left)
			return nil
		}
		w.auto(0)
		w.wantMade(42)
		w.wantTold()
		w.wantAutopay(a)
		w.wantWallet(42, credit.Wallet{Available: left})
		w.give(42, 1000-left)
		w.auto(1)
		w.wantMade(42, "1000 approved")
	}
}

// TestAutopayAboveWhatOneWithdrawalCan: the maximum was lowered below a threshold
// that somebody has.
func TestAutopayAboveWhatOneWithdrawalCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wish(42, 1000)
	w.give(42, 1000)
	w.Limits.Maximum = 999
	w.auto(1)
	w.wantMade(42, "999 approved")
}

// TestAutopayStopsForEverybodyAtASwitch: nobody behind is asked in vain.
func TestAutopayStopsForEverybodyAtASwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id := range int64(3) {
		w.wish(id+1, 1000)
		w.give(id+1, 1000)
	}
	b := &control.Board{Store: w.store.Control(), Now: w.now}
	must(t, b.Set(t.Context(), control.Switch{Scope: control.Payouts, On: true, By: "cli", Why: "a test"}))
	asked := 0
	w.store.Before = func() error { asked++; return nil }
	w.auto(0)
	if asked != 1 {
		t.Errorf("%d were asked for", asked)
	}
}

// TestAutopayReadsPages: whoever is at the end of one, all get their turn.
func TestAutopayReadsPages(t *testing.T) {
	t.Parallel()
	for _, users := range []int64{199, 200, 201, 401} {
		if underRace && users != 201 {
			continue
		}
		w := newWorld(t)
		for id := range users {
			w.wish(id+1, 1000)
			w.give(id+1, 1000)
		}
		w.auto(int(users))
		w.auto(0)
		for id := range users {
			w.wantMade(id+1, "1000 approved")
		}
	}
}

// TestAutopayFailsForOne: the others get theirs, and the first error is returned.
func TestAutopayFailsForOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id := range int64(4) {
		w.wish(id+1, 1000)
		w.give(id+1, 1000)
	}
	broken := map[int64]error{2: errors.New("the second"), 3: errors.New("the third")}
	w.Payee = func(_ context.Context, id int64) (user.Payee, error) { return payee(), broken[id] }
	n, err := w.RunAutopay(t.Context())
	if n != 2 || err == nil || !strings.Contains(err.Error(), "the second") {
		t.Errorf("got %d, %v", n, err)
	}
	w.wantMade(1, "1000 approved")
	w.wantMade(2)
	w.wantMade(3)
	w.wantMade(4, "1000 approved")
	w.wantTold()
	clear(broken)
	w.auto(2)
}

func TestAutopayThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wish(42, 1000)
	w.give(42, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := w.RunAutopay(ctx); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := w.Autopay(ctx, 42); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := w.SetAutopay(ctx, 42, false, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.wantMade(42)
}

// TestAutopayCrashes kills the process before each transaction, and again in the
// next process: nobody gets two, nobody is told twice.
func TestAutopayCrashes(t *testing.T) {
	t.Parallel()
	for first := range 6 {
		for second := range 6 {
			w := newWorld(t)
			payees := func(_ context.Context, id int64) (user.Payee, error) {
				if id == 2 {
					return user.Payee{}, nil
				}
				return payee(), nil
			}
			w.Payee = payees
			for id := range int64(3) {
				w.wish(id+1, 1000)
				w.give(id+1, 1500)
			}
			for _, left := range []int{first, second} {
				w.store.Before = func() error {
					if left--; left < 0 {
						return errCrash
					}
					return nil
				}
				if _, err := w.RunAutopay(t.Context()); err != nil && !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
				w.store.Before = nil
				w.restart()
				w.Payee = payees
			}
			if _, err := w.RunAutopay(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.wantMade(1, "1500 approved")
			w.wantMade(2)
			w.wantMade(3, "1500 approved")
			w.wantTold("2 withdraw.no_payee at 1000")
			w.wantSound()
			if t.Failed() {
				t.Fatalf("crashes at %d and %d", first, second)
			}
		}
	}
}

// TestAutopayWithAForgottenDay: even if it were not remembered that it was tried,
// the key of the day would make it one withdrawal.
func TestAutopayWithAForgottenDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wish(42, 1000)
	w.give(42, 1000)
	w.auto(1)
	_, err := w.Cancel(t.Context(), 42, 1)
	must(t, err)
	a, err := w.Autopay(t.Context(), 42)
	must(t, err)
	a.Day, a.Rev = "", a.Rev+1
	must(t, w.store.InTx(t.Context(), func(tx withdraw.Tx) error {
		_, err := tx.SwapAutopay(a)
		return err
	}))
	w.auto(1)
	w.wantMade(42, "1000 cancelled")
	if a, err := w.Autopay(t.Context(), 42); err != nil || a.Day != "2026-01-15" {
		t.Errorf("got %+v, %v", a, err)
	}
}
