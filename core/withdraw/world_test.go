package withdraw_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/core/withdraw/withdrawtest"
)

var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

// A world is a desk over a store in memory and a bank, with a clock that only the
// test moves.
type world struct {
	*withdraw.Desk
	t     *testing.T
	store *withdrawtest.Memory
	bank  *bank
	mu    sync.Mutex
	at    time.Time
	n     int

	alarms []withdraw.Alarm
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: withdrawtest.New(), bank: newBank(), at: start}
	w.restart()
	return w
}

// restart makes the desk anew, as the next process does.
func (w *world) restart() {
	w.Desk = &withdraw.Desk{
		Store: w.store, Payers: map[string]withdraw.Payer{"": w.bank}, Payee: func(context.Context, int64) (user.Payee, error) { return payee(), nil },
		Limits: withdraw.Limits{Minimum: 100, Maximum: 20_000, Auto: 5_000, Cooling: 24 * time.Hour},
		Now:    w.now, Prefix: "T",
		Alarm: func(_ context.Context, what withdraw.Alarm, _ withdraw.Withdrawal) { w.alarms = append(w.alarms, what) },
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// move posts one entry.
func (w *world) move(kind ledger.Kind, from, to ledger.Account, amount money.Fen) {
	w.t.Helper()
	must(w.t, w.store.InTx(w.t.Context(), func(tx withdraw.Tx) error {
		j, err := ledger.Open(tx, w.now())
		if err != nil {
			return err
		}
		w.n++
		if err := j.Move(ledger.Entry{Key: fmt.Sprint("test/", w.n), Kind: kind, From: from, To: to, Amount: amount, Cause: "test"}); err != nil {
			return err
		}
		return j.Post()
	}))
}

// give makes money available to a user.
func (w *world) give(id int64, amount money.Fen) {
	w.t.Helper()
	w.move(ledger.Earn, ledger.Network("jd"), ledger.User(id, ledger.Available), amount)
}

// claw makes a user owe.
func (w *world) claw(id int64, amount money.Fen) {
	w.t.Helper()
	w.move(ledger.Claw, ledger.User(id, ledger.Debt), ledger.Network("jd"), amount)
}

// request asks for a user's money and wants it to be accepted.
func (w *world) request(id int64, amount money.Fen) withdraw.Withdrawal {
	w.t.Helper()
	w.n++
	got, err := w.Request(w.t.Context(), id, amount, fmt.Sprint("key/", w.n))
	must(w.t, err)
	return got
}

// run runs the payout job once and wants it to succeed.
func (w *world) run() int {
	w.t.Helper()
	n, err := w.Run(w.t.Context())
	must(w.t, err)
	return n
}

// get returns a withdrawal as it is stored.
func (w *world) get(id int64) withdraw.Withdrawal {
	w.t.Helper()
	got, err := w.store.Withdrawal(w.t.Context(), id)
	must(w.t, err)
	return got
}

func (w *world) wantState(id int64, want withdraw.State, reason string) {
	w.t.Helper()
	if got := w.get(id); got.State != want || got.Reason != reason {
		w.t.Errorf("withdrawal %d is %s for %q, want %s for %q", id, got.State, got.Reason, want, reason)
	}
}

// wantWallet compares where a user's money is.
func (w *world) wantWallet(id int64, want credit.Wallet) {
	w.t.Helper()
	got, err := credit.Purse{Ledger: w.store.Reader()}.Wallet(w.t.Context(), id)
	must(w.t, err)
	if got != want {
		w.t.Errorf("user %d has %+v, want %+v", id, got, want)
	}
}

// wantSound adds up the books.
func (w *world) wantSound() {
	w.t.Helper()
	rep, err := ledger.Audit(w.t.Context(), w.store.Reader())
	if err != nil || !rep.OK() {
		w.t.Errorf("the books are not sound: %+v, %v", rep, err)
	}
}

// wantAsked compares what the bank was asked since the last time.
func (w *world) wantAsked(want ...string) {
	w.t.Helper()
	if got := w.bank.asked(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("the bank was asked %v, want %v", got, want)
	}
}

// states returns what was said of a withdrawal: its states in the order of the
// events.
func (w *world) said(id int64) (states []withdraw.State) {
	w.t.Helper()
	for _, e := range w.store.Heard() {
		var c withdraw.Changed
		must(w.t, e.Decode(&c))
		if c.ID == id {
			states = append(states, c.State)
		}
	}
	return states
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantFault(t *testing.T, what string, err error, code fault.Code, reason string) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
		t.Errorf("%s: %v (%s, %q), want %s, %q", what, err, fault.CodeOf(err), fault.ReasonOf(err), code, reason)
	}
}
