package storetest

import (
	"context"
	"errors"
	"fmt"
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
)

// A WithdrawalStore is a withdraw.Store under test, with what writes and reads
// its ledger.
type WithdrawalStore struct {
	Store  withdraw.Store
	Credit credit.Store
	Reader ledger.Reader
	Heard  Heard
}

// Withdrawals checks every promise of withdraw.Store but those of its ledger.
func Withdrawals(t *testing.T, open func(t *testing.T) WithdrawalStore) {
	t.Helper()
	run(t, open,
		transactions(func(s WithdrawalStore) atomic[withdraw.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s WithdrawalStore) (func(context.Context, func(withdraw.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		[]check[WithdrawalStore]{
			{"WithdrawalComesBack", withdrawalComesBack},
			{"NoWithdrawalIsNotFound", noWithdrawal},
			{"KeyOfAnotherIsConflict", keyOfAnother},
			{"NumberOfAnotherIsConflict", numberOfAnother},
			{"SwapChangesOnlyFromTheStateItWas", swapFrom},
			{"SwapKeepsWhatWasAskedFor", swapKeeps},
			{"SwapsAtOnceSucceedOnce", swapsAtOnce},
			{"OpenCountsWhatIsNotFinal", openCounts},
			{"InStateIsDueAndOldestFirst", inState},
			{"OfUserIsNewestFirst", ofUser},
			{"RequestsAtOnceReserveOnce", requestsAtOnce},
			{"OneRequestManyTimesIsOneWithdrawal", oneRequest},
			{"NumberAndTokenFindTheirWithdrawal", numberAndBatch},
			{"SpentCountsWhatMayHaveLeft", spentCounts},
			{"SharingCountsOtherUsers", sharingCounts},
			{"IncidentsAreKeptOnce", incidentsOnce},
			{"SwitchesAreKept", switchesKept},
			{"AutopayChangesOnlyFromWhatItWas", autopaySwaps},
			{"AutopayChangesAtOnceSucceedOnce", autopaySwapsAtOnce},
			{"DueAutopaysHaveEnough", dueAutopays},
			{"AutopaysAtOnceAskOnce", autopaysAtOnce},
		})
}

// asked returns a withdrawal of a user.
func asked(key string, userID int64, state withdraw.State) withdraw.Withdrawal {
	return withdraw.Withdrawal{
		Key: key, User: userID, Amount: 1000, Payee: payee("a"), State: state, Rev: 1, At: start(), Changed: start(),
	}
}

func insertWithdrawal(t *testing.T, s WithdrawalStore, w *withdraw.Withdrawal) error {
	t.Helper()
	return s.Store.InTx(t.Context(), func(tx withdraw.Tx) (err error) {
		w.ID, err = tx.Insert(*w)
		return err
	})
}

// wantWithdrawal compares all but the payee with want, which would print it.
func wantWithdrawal(t *testing.T, what string, got, expected withdraw.Withdrawal) {
	t.Helper()
	if got.Payee != expected.Payee {
		t.Errorf("%s: payee %v, want %v", what, got.Payee, expected.Payee)
	}
	got.Payee, expected.Payee = user.Payee{}, user.Payee{}
	want(t, what, got, expected)
}

func withdrawalComesBack(t *testing.T, s WithdrawalStore) {
	full, bare := asked("k1", 7, withdraw.Unknown), asked("k2", 8, withdraw.Requested)
	full.Reason, full.Payer, full.Number, full.Actor, full.Rev, full.Tries = "payout.unclear", "manual", "W1", "auto", 4, 2
	full.First, full.Risk, full.Signs, full.Receipt, full.Confirm = "cli", 50, "risk.first", "R1", "package"
	full.Batch = "B1"
	full.Sent = start().Add(30 * time.Second)
	full.Changed, full.NextAt = start().Add(time.Minute), start().Add(time.Hour)
	for _, w := range []withdraw.Withdrawal{full, bare} {
		must(t, insertWithdrawal(t, s, &w))
		got, err := s.Store.Withdrawal(t.Context(), w.ID)
		must(t, err)
		wantWithdrawal(t, "Withdrawal", got, w)
		must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
			got, err := tx.ByKey(w.Key)
			wantWithdrawal(t, "ByKey", got, w)
			return err
		}))
	}
}

func noWithdrawal(t *testing.T, s WithdrawalStore) {
	_, err := s.Store.Withdrawal(t.Context(), 1)
	wantCode(t, "Withdrawal", err, fault.NotFound)
	must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
		_, err := tx.ByKey("k1")
		wantCode(t, "ByKey", err, fault.NotFound)
		ok, err := tx.Swap(withdraw.Withdrawal{ID: 1, State: withdraw.Paid, Rev: 2}, withdraw.Sending)
		want(t, "Swap", ok, false)
		return err
	}))
}

func keyOfAnother(t *testing.T, s WithdrawalStore) {
	a, b := asked("k1", 7, withdraw.Requested), asked("k1", 8, withdraw.Requested)
	must(t, insertWithdrawal(t, s, &a))
	wantCode(t, "Insert", insertWithdrawal(t, s, &b), fault.Conflict)
}

func numberOfAnother(t *testing.T, s WithdrawalStore) {
	a, b := asked("k1", 7, withdraw.Approved), asked("k2", 8, withdraw.Approved)
	must(t, insertWithdrawal(t, s, &a))
	must(t, insertWithdrawal(t, s, &b))
	for _, w := range []*withdraw.Withdrawal{&a, &b} {
		w.State, w.Number, w.Rev = withdraw.Sending, "W1", 2
		_, err := swap(t, s, *w, withdraw.Approved)
		wantCode(t, "Swap of "+w.Key, err, map[string]fault.Code{"k2": fault.Conflict}[w.Key])
	}
}

func swap(t *testing.T, s WithdrawalStore, w withdraw.Withdrawal, was withdraw.State) (ok bool, err error) {
	t.Helper()
	err = s.Store.InTx(t.Context(), func(tx withdraw.Tx) (err error) {
		ok, err = tx.Swap(w, was)
		return err
	})
	return ok, err
}

func swapFrom(t *testing.T, s WithdrawalStore) {
	w, other := asked("k1", 7, withdraw.Approved), asked("k2", 8, withdraw.Approved)
	must(t, insertWithdrawal(t, s, &w))
	must(t, insertWithdrawal(t, s, &other))
	n := w
	n.State, n.Payer, n.Number, n.Rev, n.Tries, n.Actor, n.Reason = withdraw.Sending, "manual", "W1", 2, 3, "auto", "why"
	n.Changed, n.NextAt = start().Add(time.Minute), start().Add(time.Hour)
	for was, expected := range map[withdraw.State]bool{withdraw.Requested: false, withdraw.Sending: false} {
		ok, err := swap(t, s, n, was)
		must(t, err)
		want(t, "Swap from "+string(was), ok, expected)
	}
	got, err := s.Store.Withdrawal(t.Context(), w.ID)
	must(t, err)
	wantWithdrawal(t, "after swaps that failed", got, w)
	ok, err := swap(t, s, n, withdraw.Approved)
	must(t, err)
	want(t, "Swap", ok, true)
	got, err = s.Store.Withdrawal(t.Context(), w.ID)
	must(t, err)
	wantWithdrawal(t, "after the swap", got, n)
	got, err = s.Store.Withdrawal(t.Context(), other.ID)
	must(t, err)
	wantWithdrawal(t, "the other one", got, other)
	ok, err = swap(t, s, n, withdraw.Sending)
	must(t, err)
	want(t, "Swap of a revision that is there", ok, false)
	n.Tries, n.NextAt, n.Rev = 0, time.Time{}, 3 // the same state, and back to nothing
	ok, err = swap(t, s, n, withdraw.Sending)
	must(t, err)
	want(t, "Swap to the same state", ok, true)
	got, err = s.Store.Withdrawal(t.Context(), w.ID)
	must(t, err)
	wantWithdrawal(t, "after the swap to the same state", got, n)
}

func swapKeeps(t *testing.T, s WithdrawalStore) {
	w := asked("k1", 7, withdraw.Approved)
	must(t, insertWithdrawal(t, s, &w))
	n := w
	n.State, n.Amount, n.User, n.Key, n.Payee, n.At = withdraw.Sending, 9999, 8, "k2", payee("b"), start().Add(time.Hour)
	n.Rev = 2
	ok, err := swap(t, s, n, withdraw.Approved)
	must(t, err)
	want(t, "Swap", ok, true)
	w.State, w.Rev = withdraw.Sending, 2
	got, err := s.Store.Withdrawal(t.Context(), w.ID)
	must(t, err)
	wantWithdrawal(t, "Withdrawal", got, w)
}

func swapsAtOnce(t *testing.T, s WithdrawalStore) {
	w := asked("k1", 7, withdraw.Approved)
	must(t, insertWithdrawal(t, s, &w))
	oks, errs := together(atOnce, func(i int) (bool, error) {
		n := w
		n.State, n.Rev = []withdraw.State{withdraw.Sending, withdraw.Cancelled}[i%2], 2
		return swap(t, s, n, withdraw.Approved)
	})
	must(t, errors.Join(errs...))
	swapped := 0
	for _, ok := range oks {
		if ok {
			swapped++
		}
	}
	want(t, "how many swaps succeeded", swapped, 1)
}

func openCounts(t *testing.T, s WithdrawalStore) {
	open := 0
	for i, state := range withdraw.States() {
		mine, other := asked(fmt.Sprint("mine", i), 7, state), asked(fmt.Sprint("other", i), 8, state)
		must(t, insertWithdrawal(t, s, &mine))
		must(t, insertWithdrawal(t, s, &other))
		if !state.Final() {
			open++
		}
		must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
			n, err := tx.Open(7)
			want(t, "Open, with one more "+string(state), n, open)
			return err
		}))
	}
}

func inState(t *testing.T, s WithdrawalStore) {
	add := func(key string, state withdraw.State, next time.Time) {
		w := asked(key, 7, state)
		w.NextAt = next
		must(t, insertWithdrawal(t, s, &w))
	}
	add("later", withdraw.Sending, start().Add(time.Millisecond))
	add("now", withdraw.Sending, start())
	add("undated", withdraw.Approved, time.Time{})
	add("paid", withdraw.Paid, time.Time{})
	add("unknown", withdraw.Unknown, start().Add(-time.Hour))
	for _, tt := range []struct {
		count  int
		states []withdraw.State
		want   []string
	}{
		{10, []withdraw.State{withdraw.Approved, withdraw.Sending, withdraw.Unknown}, []string{"now", "undated", "unknown"}},
		{2, []withdraw.State{withdraw.Approved, withdraw.Sending, withdraw.Unknown}, []string{"now", "undated"}},
		{10, []withdraw.State{withdraw.Paid}, []string{"paid"}},
		{10, []withdraw.State{withdraw.Failed}, nil},
		{10, nil, nil},
	} {
		ws, err := s.Store.InState(t.Context(), start(), tt.count, tt.states...)
		must(t, err)
		var got []string
		for _, w := range ws {
			got = append(got, w.Key)
		}
		want(t, fmt.Sprintf("InState %v, at most %d", tt.states, tt.count), got, tt.want)
	}
}

func ofUser(t *testing.T, s WithdrawalStore) {
	for i := range 4 {
		w := asked(fmt.Sprint("k", i), []int64{7, 7, 8, 7}[i], withdraw.Paid)
		must(t, insertWithdrawal(t, s, &w))
	}
	before := int64(0)
	for _, keys := range [][]string{{"k3", "k1"}, {"k0"}, nil} {
		ws, err := s.Store.OfUser(t.Context(), 7, before, 2)
		must(t, err)
		var got []string
		for _, w := range ws {
			got = append(got, w.Key)
			before = w.ID
		}
		want(t, "OfUser", got, keys)
	}
}

// desk takes requests of user 7, who has 1000 fen.
func desk(t *testing.T, s WithdrawalStore) *withdraw.Desk {
	t.Helper()
	must(t, post(t, LedgerStore{s.Credit, s.Reader}, earn("have", 7, ledger.Available, 1000)))
	return &withdraw.Desk{
		Store: s.Store, Payee: func(context.Context, int64) (user.Payee, error) { return payee("a"), nil },
		Limits: withdraw.Limits{Minimum: 100, Maximum: 100_000, Auto: 100_000}, Now: start,
	}
}

func requestsAtOnce(t *testing.T, s WithdrawalStore) {
	d := desk(t, s)
	_, errs := together(atOnce, func(i int) (withdraw.Withdrawal, error) {
		return d.Request(t.Context(), 7, 0, fmt.Sprint("request/", i))
	})
	accepted := 0
	for _, err := range errs {
		switch fault.CodeOf(err) {
		case "":
			accepted++
		case fault.Conflict, fault.Insufficient: // another one is on its way, or has taken everything
		default:
			t.Error(err)
		}
	}
	want(t, "how many were accepted", accepted, 1)
	wantWallet(t, s.Reader, 7, credit.Wallet{Reserved: 1000})
	want(t, "number of events", len(s.Heard(t)), 1)
}

func oneRequest(t *testing.T, s WithdrawalStore) {
	d := desk(t, s)
	ws, errs := together(atOnce, func(int) (withdraw.Withdrawal, error) { return d.Request(t.Context(), 7, 400, "request") })
	must(t, errors.Join(errs...))
	seen := map[int64]money.Fen{}
	for _, w := range ws {
		seen[w.ID] = w.Amount
	}
	if len(seen) != 1 || !slices.Contains([]money.Fen{400}, seen[ws[0].ID]) {
		t.Errorf("one request made the withdrawals %v", seen)
	}
	wantWallet(t, s.Reader, 7, credit.Wallet{Available: 600, Reserved: 400})
}

func numberAndBatch(t *testing.T, s WithdrawalStore) {
	w := asked("k1", 7, withdraw.Confirming)
	w.Number, w.Payer = "W1", "manual"
	must(t, insertWithdrawal(t, s, &w))
	other := asked("k2", 7, withdraw.Requested)
	must(t, insertWithdrawal(t, s, &other))
	got, err := s.Store.ByNumber(t.Context(), "W1")
	must(t, err)
	wantWithdrawal(t, "ByNumber", got, w)
	w.Batch, w.Rev = "B1", 2
	ok, err := swap(t, s, w, withdraw.Confirming)
	must(t, err)
	want(t, "Swap", ok, true)
	batch, err := s.Store.OfBatch(t.Context(), "B1")
	must(t, err)
	want(t, "length of a batch", len(batch), 1)
	wantWithdrawal(t, "OfBatch", batch[0], w)
	for _, none := range []string{"", "B2"} {
		batch, err = s.Store.OfBatch(t.Context(), none)
		must(t, err)
		want(t, "length of no batch", len(batch), 0)
	}
	for _, none := range []string{"", "W2", "w1"} {
		_, err = s.Store.ByNumber(t.Context(), none)
		wantCode(t, "ByNumber of "+none, err, fault.NotFound)
	}
}

func spentCounts(t *testing.T, s WithdrawalStore) {
	for i, state := range withdraw.States() {
		w := asked(fmt.Sprint("mine", i), 7, state)
		w.Amount = 1 << i
		if !slices.Contains([]withdraw.State{withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Refused, withdraw.Cancelled}, state) {
			w.Sent = start().Add(time.Minute)
		}
		must(t, insertWithdrawal(t, s, &w))
	}
	old, other := asked("old", 7, withdraw.Paid), asked("other", 8, withdraw.Paid)
	old.At, old.Sent, old.Amount = start().Add(-time.Hour), start().Add(-time.Hour), 1<<20
	other.Payee, other.Amount, other.Sent = payee("b"), 1<<21, start()
	must(t, insertWithdrawal(t, s, &old))
	must(t, insertWithdrawal(t, s, &other))
	const mine = 1<<7 - 1 // those that have not failed, in the order of the states
	for what, tt := range map[string]struct {
		q     withdraw.Query
		count int
		sum   money.Fen
	}{
		"a user's":           {withdraw.Query{User: 7}, 8, mine + 1<<20},
		"since a moment":     {withdraw.Query{User: 7, Asked: start()}, 7, mine},
		"to an account":      {withdraw.Query{Payee: payee("a"), Asked: start()}, 7, mine},
		"to another account": {withdraw.Query{Payee: payee("b")}, 1, 1 << 21},
		"sent":               {withdraw.Query{Sent: start()}, 5, 1<<3 + 1<<4 + 1<<5 + 1<<6 + 1<<21},
		"nobody's":           {withdraw.Query{User: 9}, 0, 0},
	} {
		must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
			n, sum, err := tx.Spent(tt.q)
			want(t, "count of what is "+what, n, tt.count)
			want(t, "sum of what is "+what, sum, tt.sum)
			return err
		}))
	}
}

func sharingCounts(t *testing.T, s WithdrawalStore) {
	for i, id := range []int64{7, 7, 8, 9} {
		w := asked(fmt.Sprint("k", i), id, withdraw.Failed)
		if id == 9 {
			w.Payee = payee("b")
		}
		must(t, insertWithdrawal(t, s, &w))
	}
	upper := payee("a")
	upper.Account = "A@EXAMPLE.COM"
	for _, tt := range []struct {
		p    user.Payee
		id   int64
		want int
	}{{payee("a"), 7, 1}, {payee("a"), 9, 2}, {upper, 9, 2}, {payee("b"), 9, 0}, {payee("c"), 7, 0}} {
		must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
			n, err := tx.Sharing(tt.p, tt.id)
			want(t, fmt.Sprintf("Sharing with %d", tt.id), n, tt.want)
			return err
		}))
	}
}

func incidentsOnce(t *testing.T, s WithdrawalStore) {
	first := withdraw.Incident{Withdrawal: 1, State: withdraw.Paid, Verdict: withdraw.Dead, Reason: "payout.refused", At: start()}
	second := withdraw.Incident{Withdrawal: 1, State: withdraw.Paid, Verdict: withdraw.Waiting, At: start().Add(time.Minute)}
	for _, tt := range []struct {
		i     withdraw.Incident
		fresh bool
	}{{first, true}, {first, false}, {second, true}} {
		must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
			fresh, err := tx.AddIncident(tt.i)
			want(t, "AddIncident is fresh", fresh, tt.fresh)
			return err
		}))
	}
	for n, expected := range map[int][]withdraw.Incident{1: {second}, 5: {second, first}} {
		got, err := s.Store.Incidents(t.Context(), n)
		must(t, err)
		want(t, "Incidents", got, expected)
	}
}

func switchesKept(t *testing.T, s WithdrawalStore) {
	on := control.Switch{Scope: control.Payouts, On: true, By: "cli", Why: "bank", Text: "明天恢复", Since: start()}
	off := on
	off.Scope, off.On = control.Payer("bank"), false
	must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
		return errors.Join(tx.SetSwitch(off), tx.SetSwitch(on), tx.SetSwitch(on))
	}))
	must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) error {
		got, err := tx.Switches(control.Credits, off.Scope, control.Payouts)
		want(t, "Switches that are on", got, []control.Switch{on})
		return err
	}))
}
