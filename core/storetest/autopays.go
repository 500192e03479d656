package storetest

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// autopay returns what a user wants to happen without asking.
func autopay(id, rev int64) withdraw.Autopay {
	return withdraw.Autopay{User: id, On: true, Threshold: 1000, Rev: rev, Changed: start()}
}

func swapAutopay(t *testing.T, s WithdrawalStore, a withdraw.Autopay) (ok bool) {
	t.Helper()
	must(t, s.Store.InTx(t.Context(), func(tx withdraw.Tx) (err error) {
		ok, err = tx.SwapAutopay(a)
		return err
	}))
	return ok
}

func autopaySwaps(t *testing.T, s WithdrawalStore) {
	_, err := s.Store.Autopay(t.Context(), 7)
	wantCode(t, "Autopay of one who never said", err, fault.NotFound)
	a := autopay(7, 1)
	late := a
	late.Rev = 2
	want(t, "a second change before the first", swapAutopay(t, s, late), false)
	want(t, "the first", swapAutopay(t, s, a), true)
	want(t, "the first again", swapAutopay(t, s, a), false)
	b := withdraw.Autopay{User: 7, On: false, Threshold: 2000, Day: "2026-11-27", Why: "withdraw.no_payee", Rev: 2, Changed: start().Add(time.Hour)}
	want(t, "the second", swapAutopay(t, s, b), true)
	want(t, "the second again", swapAutopay(t, s, b), false)
	want(t, "another user's first", swapAutopay(t, s, autopay(8, 1)), true)
	for _, x := range []withdraw.Autopay{b, autopay(8, 1)} {
		got, err := s.Store.Autopay(t.Context(), x.User)
		must(t, err)
		want(t, "Autopay", got, x)
	}
}

func autopaySwapsAtOnce(t *testing.T, s WithdrawalStore) {
	for rev := range int64(2) {
		got, errs := together(atOnce, func(int) (ok bool, err error) {
			err = s.Store.InTx(t.Context(), func(tx withdraw.Tx) (err error) {
				ok, err = tx.SwapAutopay(autopay(7, rev+1))
				return err
			})
			return ok, err
		})
		n := 0
		for i, ok := range got {
			must(t, errs[i])
			if ok {
				n++
			}
		}
		want(t, "how many have changed it", n, 1)
	}
}

// have makes money available.
func have(t *testing.T, s WithdrawalStore, id int64, amount money.Fen) {
	t.Helper()
	must(t, s.Credit.InTx(t.Context(), func(tx credit.Tx) error {
		j, err := ledger.Open(tx, start())
		if err != nil {
			return err
		}
		e := ledger.Entry{
			Key: fmt.Sprint("have/", id), Kind: ledger.Earn, From: ledger.Network("jd"), To: ledger.User(id, ledger.Available), Amount: amount, Cause: "test",
		}
		if err := j.Move(e); err != nil {
			return err
		}
		return j.Post()
	}))
}

func dueAutopays(t *testing.T, s WithdrawalStore) {
	for id := range int64(6) {
		a := autopay(id+1, 1)
		switch a.User {
		case 2:
			a.On = false
		case 3:
			a.Day = "2026-11-27"
		}
		want(t, "swapped", swapAutopay(t, s, a), true)
	}
	for id, amount := range map[int64]money.Fen{1: 1000, 2: 5000, 3: 5000, 4: 999, 6: 1001, 7: 5000} {
		have(t, s, id, amount)
	}
	due := func(day string, after int64, count int) (ids []int64) {
		as, err := s.Store.DueAutopays(t.Context(), day, after, count)
		must(t, err)
		for _, a := range as {
			want(t, "threshold", a.Threshold, money.Fen(1000))
			ids = append(ids, a.User)
		}
		return ids
	}
	want(t, "due", due("2026-11-27", 0, 10), []int64{1, 6})
	want(t, "due the next day", due("2026-11-28", 0, 10), []int64{1, 3, 6})
	want(t, "the first page", due("2026-11-28", 0, 2), []int64{1, 3})
	want(t, "the second page", due("2026-11-28", 3, 2), []int64{6})
	want(t, "after the last", due("2026-11-28", 6, 2), []int64(nil))
}

// autopaysAtOnce is two processes that both think that the job is theirs, and more.
func autopaysAtOnce(t *testing.T, s WithdrawalStore) {
	d := desk(t, s) // user 7 has 1,000
	want(t, "swapped", swapAutopay(t, s, autopay(7, 1)), true)
	done, errs := together(atOnce, func(int) (int, error) { return d.RunAutopay(t.Context()) })
	sum := 0
	for i, n := range done {
		must(t, errs[i])
		sum += n
	}
	want(t, "how often it was asked for", sum, 1)
	wantWallet(t, s.Reader, 7, credit.Wallet{Reserved: 1000})
	ws, err := s.Store.OfUser(t.Context(), 7, 0, 10)
	must(t, err)
	want(t, "number of withdrawals", len(ws), 1)
	want(t, "key", ws[0].Key, "auto/7/2026-11-11")
	want(t, "number of events", len(s.Heard(t)), 1)
}
