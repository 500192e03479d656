package withdraw_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A script is a payer that gives one answer after the other, the last one for
// ever. An answer without a verdict is none.
type script struct {
	answers []withdraw.Outcome
	calls   []string
	during  func() // called in every call
}

// says returns a script of verdicts, with the reason "payout.refused".
func says(verdicts ...withdraw.Verdict) *script {
	s := &script{}
	for _, v := range verdicts {
		s.answers = append(s.answers, withdraw.Outcome{Verdict: v, Reason: "payout.refused"})
	}
	return s
}

func (*script) Name() string { return "script" }

func (s *script) Send(_ context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	return s.answer("send " + p.Number)
}

func (s *script) Query(_ context.Context, number string) (withdraw.Outcome, error) {
	return s.answer("query " + number)
}

func (s *script) Cancel(_ context.Context, number string) (withdraw.Outcome, error) {
	return s.answer("cancel " + number)
}

func (s *script) answer(call string) (withdraw.Outcome, error) {
	s.calls = append(s.calls, call)
	if s.during != nil {
		s.during()
	}
	o := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	if o.Verdict == "" {
		return withdraw.Outcome{}, errRoad()
	}
	return o, nil
}

// sentTo returns a world with one withdrawal of user 42, approved, and a payer.
func sentTo(t *testing.T, p withdraw.Payer) (*world, int64) {
	t.Helper()
	w := newWorld(t)
	w.Payers = map[string]withdraw.Payer{"": p}
	w.give(42, 1000)
	return w, w.request(42, 1000).ID
}

// waits runs n times, each time when it is due and not a second before, and returns
// how long it has to be waited after each.
func (w *world) waits(id int64, n int) (out []time.Duration) {
	w.t.Helper()
	for range n {
		w.run()
		x := w.get(id)
		out = append(out, x.NextAt.Sub(w.now()))
		w.advance(out[len(out)-1] - time.Second)
		if n := w.run(); n != 0 {
			w.t.Errorf("a second before it is due %d were handled", n)
		}
		w.advance(time.Second)
	}
	return out
}

// TestWhenAPayerIsAskedAgain: after five seconds, or a minute if it has no money,
// then each time after twice as long up to a longest wait. News of another kind
// begins anew; the same news does not.
func TestWhenAPayerIsAskedAgain(t *testing.T) {
	t.Parallel()
	const done, busy, unclear, absent = withdraw.Done, withdraw.Busy, withdraw.Unclear, withdraw.Absent
	const waiting, short, barred = withdraw.Waiting, withdraw.Short, withdraw.Barred
	repeat := func(v withdraw.Verdict, n int, then ...withdraw.Verdict) []withdraw.Verdict {
		return append(slices.Repeat([]withdraw.Verdict{v}, n), then...)
	}
	for _, tt := range []struct {
		name  string
		said  []withdraw.Verdict
		n     int
		waits string
		state withdraw.State
	}{
		{"not finished", repeat(busy, 1), 10, "[5s 10s 20s 40s 1m20s 2m40s 5m20s 10m0s 10m0s 10m0s]", withdraw.Sending},
		{"the payee is asked", repeat(waiting, 1), 6, "[5s 10s 20s 40s 1m0s 1m0s]", withdraw.Confirming},
		{"it does not say", repeat(unclear, 1), 5, "[5s 10s 20s 30s 30s]", withdraw.Unknown},
		{"no answer", repeat("", 1), 5, "[5s 10s 20s 30s 30s]", withdraw.Unknown},
		{"no money", repeat(short, 1), 6, "[1m0s 2m0s 4m0s 8m0s 15m0s 15m0s]", withdraw.Sending},
		{"it refuses us", repeat(barred, 1), 5, "[5s 10s 20s 30s 30s]", withdraw.Unknown},
		{"it knows nothing", repeat(absent, 1), 5, "[5s 10s 20s 30s 30s]", withdraw.Sending},
		{"not finished, then the payee", repeat(busy, 3, waiting), 5, "[5s 10s 20s 5s 10s]", withdraw.Confirming},
		{"not finished, then silent", repeat(busy, 3, unclear), 5, "[5s 10s 20s 5s 10s]", withdraw.Unknown},
		{"silent, then not finished", repeat(unclear, 3, busy), 5, "[5s 10s 20s 40s 1m20s]", withdraw.Unknown},
		{"no money, then not finished", repeat(short, 3, busy), 5, "[1m0s 2m0s 4m0s 5s 10s]", withdraw.Sending},
		{"not finished, then no money", repeat(busy, 3, short), 5, "[5s 10s 20s 1m0s 2m0s]", withdraw.Sending},
		{"no money, then silent", repeat(short, 3, unclear), 5, "[1m0s 2m0s 4m0s 5s 10s]", withdraw.Unknown},
		{"no money, then unknown to it", repeat(short, 2, absent), 4, "[1m0s 2m0s 5s 10s]", withdraw.Sending},
		{"the payee, then silent", repeat(waiting, 3, unclear), 5, "[5s 10s 20s 30s 30s]", withdraw.Confirming},
		{"the payee, then forgotten", repeat(waiting, 3, absent), 4, "[5s 10s 20s 5s]", withdraw.Unknown},
		{"done", repeat(busy, 2, done), 2, "[5s 10s]", withdraw.Sending},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, id := sentTo(t, says(tt.said...))
			if got := fmt.Sprint(w.waits(id, tt.n)); got != tt.waits {
				t.Errorf("the waits are %s, want %s", got, tt.waits)
			}
			if got := w.get(id).State; got != tt.state {
				t.Errorf("it is %s, want %s", got, tt.state)
			}
			w.wantSound()
		})
	}
}

// TestHowLongItIsLeftAlone: half a minute where something is stopped, ten where
// nobody is there to pay, until midnight where the day's money is spent.
func TestHowLongItIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(w *world)
		reason string
		want   time.Duration
		code   fault.Code
	}{
		"payouts are stopped": {func(w *world) { w.turn(control.Payouts, true) }, "", 30 * time.Second, ""},
		"the payer is paused": {func(w *world) { w.turn(control.Payer("script"), true) }, "", 30 * time.Second, ""},
		"nobody pays":         {func(w *world) { w.Payers = nil }, "", 10 * time.Minute, fault.Unavailable},
		"the fuse has blown":  {func(w *world) { w.Limits.HouseDay = 999 }, "payout.day_cap", 20 * time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := says(withdraw.Done)
			w, id := sentTo(t, p)
			tt.before(w)
			if _, err := w.Run(t.Context()); fault.CodeOf(err) != tt.code {
				t.Errorf("Run: %v", err)
			}
			w.wantState(id, withdraw.Approved, tt.reason)
			x := w.get(id)
			if got := x.NextAt.Sub(w.now()); got != tt.want {
				t.Errorf("it waits for %s, want %s", got, tt.want)
			}
			if len(p.calls) != 0 || x.Number != "" || !x.Changed.Equal(start) || x.Rev != 2 {
				t.Errorf("asked is %v, and it is %+v", p.calls, x)
			}
		})
	}
}

// TestTheFuseHoldsToTheFen: what the house allows in a day may leave, whole.
func TestTheFuseHoldsToTheFen(t *testing.T) {
	t.Parallel()
	w, id := sentTo(t, says(withdraw.Done))
	w.Limits.HouseDay = 1000
	w.run()
	w.wantState(id, withdraw.Paid, "")
	if len(w.alarms) != 0 {
		t.Errorf("alarms are %v", w.alarms)
	}
}

// TestWhileACallIsUnderWayItIsNotDue: for as long as a call may take, and a little
// more, from when the intent was committed and from when it goes out again.
func TestWhileACallIsUnderWayItIsNotDue(t *testing.T) {
	t.Parallel()
	p := says(withdraw.Absent)
	w, id := sentTo(t, p)
	var due []time.Duration
	p.during = func() { due = append(due, w.get(id).NextAt.Sub(w.now())) }
	w.run()
	w.advance(5 * time.Second)
	w.run()
	if fmt.Sprint(p.calls, due) != "[send TW1 query TW1 send TW1] [5s 0s 25s]" {
		t.Errorf("in the calls %v it is due after %v", p.calls, due)
	}
	if x := w.get(id); !x.Sent.Equal(start) {
		t.Errorf("it was sent at %s", x.Sent)
	}
}

// TestASilentPayerRests: after three calls without an answer in a row the others
// are left for half a minute, of that payer only. An answer begins anew.
func TestASilentPayerRests(t *testing.T) {
	t.Parallel()
	none, busy := withdraw.Verdict(""), withdraw.Busy
	for _, tt := range []struct {
		name string
		said []withdraw.Verdict
		want int // calls for eight withdrawals
	}{
		{"it is silent", []withdraw.Verdict{none}, 3},
		{"it answers at times", []withdraw.Verdict{none, none, busy, none, none, none, busy}, 6},
		{"it answers", []withdraw.Verdict{busy}, 8},
	} {
		p, other := says(tt.said...), newBank()
		w := newWorld(t)
		w.Payers = map[string]withdraw.Payer{"": p, "wechat": other}
		for id := int64(1); id <= 8; id++ {
			w.give(id, 1000)
			w.request(id, 1000)
		}
		w.Payee = payeeBy("wechat")
		w.give(9, 1000)
		w.request(9, 1000)
		if n := w.run(); n != 9 {
			t.Errorf("%s: %d were handled", tt.name, n)
		}
		if len(p.calls) != tt.want {
			t.Errorf("%s: it was asked %v", tt.name, p.calls)
		}
		w.wantState(9, withdraw.Paid, "")
		for id := int64(tt.want + 1); id <= 8; id++ {
			if x := w.get(id); x.State != withdraw.Approved || !x.NextAt.Equal(start.Add(30*time.Second)) {
				t.Errorf("%s: withdrawal %d is %s until %s", tt.name, id, x.State, x.NextAt)
			}
		}
	}
}

// TestOneThatWasFasterIsNoError: another runner may have handled it meanwhile.
func TestOneThatWasFasterIsNoError(t *testing.T) {
	t.Parallel()
	w, id := sentTo(t, says(withdraw.Done))
	w.store.Before = func() error {
		w.store.Before = nil
		w.touch(id)
		return nil
	}
	if n := w.run(); n != 0 {
		t.Errorf("%d were handled", n)
	}
	w.wantState(id, withdraw.Approved, "")
}

// touch changes the revision of a withdrawal, as another process does.
func (w *world) touch(id int64) {
	w.t.Helper()
	x := w.get(id)
	x.Rev++
	must(w.t, w.store.InTx(w.t.Context(), func(tx withdraw.Tx) error {
		ok, err := tx.Swap(x, x.State)
		if !ok {
			w.t.Errorf("withdrawal %d cannot be touched", id)
		}
		return err
	}))
}

// TestWhatAPayerSaysIsHeardThoughOthersAreFaster: up to five times, and then the
// next run asks again.
func TestWhatAPayerSaysIsHeardThoughOthersAreFaster(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		faster int
		state  withdraw.State
	}{{0, withdraw.Paid}, {1, withdraw.Paid}, {4, withdraw.Paid}, {5, withdraw.Sending}} {
		p := says(withdraw.Done)
		w, id := sentTo(t, p)
		left := tt.faster
		var before func() error
		before = func() error {
			w.store.Before = nil
			defer func() { w.store.Before = before }()
			if left--; left >= 0 {
				w.touch(id)
			}
			return nil
		}
		p.during = func() { w.store.Before = before }
		w.run()
		w.store.Before = nil
		w.wantState(id, tt.state, "")
		w.wantSound()
	}
}

// TestAHintIsTakenThoughOthersAreFaster: as many times as a payer's word.
func TestAHintIsTakenThoughOthersAreFaster(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		faster int
		code   fault.Code
	}{{0, ""}, {1, ""}, {4, ""}, {5, fault.Conflict}} {
		w, id := sentTo(t, says(withdraw.Busy))
		w.run()
		left := tt.faster
		var before func() error
		before = func() error {
			w.store.Before = nil
			defer func() { w.store.Before = before }()
			if left--; left >= 0 {
				w.touch(id)
			}
			return nil
		}
		w.store.Before = before
		err := w.Heard(t.Context(), "script", "TW1")
		w.store.Before = nil
		if fault.CodeOf(err) != tt.code {
			t.Errorf("%d are faster: %v", tt.faster, err)
		}
		if due := w.get(id).NextAt.Equal(w.now()); due != (tt.code == "") {
			t.Errorf("%d are faster: it is due at once: %v", tt.faster, due)
		}
	}
}

// TestAHintOfWhatIsNotTheirs: a payer has no say in the numbers of another, and
// none in what nobody knows.
func TestAHintOfWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	w, id := sentTo(t, says(withdraw.Busy))
	w.run()
	w.advance(time.Second)
	was := w.get(id)
	for payer, number := range map[string]string{"other": "TW1", "script": "TW2"} {
		if err := w.Heard(t.Context(), payer, number); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of %s: %v", number, payer, err)
		}
	}
	if w.get(id) != was {
		t.Error("it has changed")
	}
	must(t, w.Heard(t.Context(), "script", "TW1"))
	if x := w.get(id); !x.NextAt.Equal(w.now()) || x.State != withdraw.Sending {
		t.Errorf("after a hint it is %s, due at %s", x.State, x.NextAt)
	}
}

// TestWhatAPayerAddsIsKept: its number of the payment and what the payee's page
// needs stay when it does not repeat them, the page's until it is of no use.
func TestWhatAPayerAddsIsKept(t *testing.T) {
	t.Parallel()
	for _, last := range []withdraw.Verdict{withdraw.Done, withdraw.Dead} {
		p := &script{answers: []withdraw.Outcome{
			{Verdict: withdraw.Busy, Receipt: "R1"},
			{Verdict: withdraw.Waiting, Receipt: "R2", Confirm: "page"},
			{Verdict: withdraw.Waiting},
			{Verdict: withdraw.Waiting, Confirm: "next page"},
			{Verdict: last},
		}}
		w, id := sentTo(t, p)
		var got []string
		for range 5 {
			w.run()
			x := w.get(id)
			got = append(got, x.Receipt+" "+x.Confirm)
			w.advance(time.Hour)
		}
		if fmt.Sprintf("%q", got) != `["R1 " "R2 page" "R2 page" "R2 next page" "R2 "]` {
			t.Errorf("up to %s it has %q", last, got)
		}
	}
}

// TestWhyItIsUnknown: for the reason that the payer gave first, or because it gave
// none; and the reason goes when it speaks.
func TestWhyItIsUnknown(t *testing.T) {
	t.Parallel()
	first := withdraw.Outcome{Verdict: withdraw.Unclear, Reason: "payout.system"}
	second := withdraw.Outcome{Verdict: withdraw.Unclear, Reason: "payout.other"}
	none := withdraw.Outcome{Verdict: withdraw.Unclear}
	for _, tt := range []struct {
		name    string
		answers []withdraw.Outcome
		reasons string
	}{
		{"its first reason stays", []withdraw.Outcome{first, second}, `["unknown payout.system" "unknown payout.system"]`},
		{"it gave none", []withdraw.Outcome{none, second}, `["unknown payout.unclear" "unknown payout.unclear"]`},
		{"after it had no money", []withdraw.Outcome{{Verdict: withdraw.Short}, second}, `["sending payout.waiting_funds" "unknown payout.other"]`},
		{"then it has no money", []withdraw.Outcome{first, {Verdict: withdraw.Short}}, `["unknown payout.system" "unknown payout.waiting_funds"]`},
		{
			"and its number is not known then", []withdraw.Outcome{{Verdict: withdraw.Short}, {Verdict: withdraw.Absent}},
			`["sending payout.waiting_funds" "sending payout.unclear"]`,
		},
		{
			"then it is not finished", []withdraw.Outcome{{Verdict: withdraw.Short}, {Verdict: withdraw.Busy}},
			`["sending payout.waiting_funds" "sending "]`,
		},
		{"it stays unknown until it ends", []withdraw.Outcome{first, {Verdict: withdraw.Busy}}, `["unknown payout.system" "unknown payout.system"]`},
		{"the payee is asked", []withdraw.Outcome{first, {Verdict: withdraw.Waiting}}, `["unknown payout.system" "confirming "]`},
		{"it does not say while the payee is asked", []withdraw.Outcome{{Verdict: withdraw.Waiting}, second}, `["confirming " "confirming "]`},
		{"it forgets while the payee is asked", []withdraw.Outcome{{Verdict: withdraw.Waiting}, {Verdict: withdraw.Absent}}, `["confirming " "unknown payout.unclear"]`},
		{"paid", []withdraw.Outcome{first, {Verdict: withdraw.Done, Reason: "payout.other"}}, `["unknown payout.system" "paid "]`},
		{"refused", []withdraw.Outcome{first, {Verdict: withdraw.Dead, Reason: "payout.other"}}, `["unknown payout.system" "failed payout.other"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &script{answers: tt.answers}
			w, id := sentTo(t, p)
			var got []string
			for range 2 {
				w.run()
				x := w.get(id)
				got = append(got, string(x.State)+" "+x.Reason)
				w.advance(time.Hour)
			}
			if fmt.Sprintf("%q", got) != tt.reasons {
				t.Errorf("it is %q, want %s", got, tt.reasons)
			}
		})
	}
}

// TestWhenStaffIsWaked: once when a payer's money ends, again when it ends again,
// once when a payer refuses us, and for each withdrawal that the fuse stops.
func TestWhenStaffIsWaked(t *testing.T) {
	t.Parallel()
	const short, busy, barred, absent = withdraw.Short, withdraw.Busy, withdraw.Barred, withdraw.Absent
	for _, tt := range []struct {
		name string
		said []withdraw.Verdict
		want string
	}{
		{"no money, for long", []withdraw.Verdict{short}, "[no_money]"},
		{"no money, twice", []withdraw.Verdict{short, busy, short}, "[no_money no_money]"},
		{"it refuses us, for long", []withdraw.Verdict{barred}, "[payer_paused]"},
		{"it does not know it", []withdraw.Verdict{absent}, "[]"},
	} {
		w, _ := sentTo(t, says(tt.said...))
		for range 4 {
			w.run()
			w.advance(time.Hour)
		}
		if fmt.Sprint(w.alarms) != tt.want {
			t.Errorf("%s: the alarms are %v, want %s", tt.name, w.alarms, tt.want)
		}
	}
	w, id := sentTo(t, says(short))
	w.Alarm = nil // nobody need listen
	w.run()
	w.wantState(id, withdraw.Sending, "payout.waiting_funds")
}

// TestOnceIsEnoughToPause: who pauses a payer that a person has paused already
// wakes nobody, and leaves the switch as it is.
func TestOnceIsEnoughToPause(t *testing.T) {
	t.Parallel()
	p := says(withdraw.Barred)
	w, id := sentTo(t, p)
	p.during = func() { // a person is faster
		p.during = nil
		w.turn(control.Payer("script"), true)
	}
	w.run()
	w.wantState(id, withdraw.Unknown, "payout.refused")
	all, err := w.board().List(t.Context())
	must(t, err)
	if len(all) != 1 || all[0].By != "cli" || len(w.alarms) != 0 {
		t.Errorf("the switches are %+v, the alarms %v", all, w.alarms)
	}
}

// payeeBy says that everybody's money goes by a method.
func payeeBy(method string) func(context.Context, int64) (user.Payee, error) {
	return func(context.Context, int64) (user.Payee, error) {
		p := payee()
		p.Method = method
		return p, nil
	}
}
