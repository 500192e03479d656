package withdraw_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

// errCrash is what everything returns after the process has died.
var errCrash = errors.New("crash")

// TestEveryCrashPoint kills the process before each transaction and after each
// call to the bank, on a road that fails in every way, and again at each of those
// points of the next process, until there is no such point any more. In the end
// the money has left once.
func TestEveryCrashPoint(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"", payertest.LostRequest, payertest.LostAnswer, payertest.Late} {
		pairs := 0
		for first, came := 0, 2; came > 0; first++ {
			for second := 0; ; second++ {
				if came = crashed(t, way, first, second); t.Failed() {
					t.FailNow()
				}
				if came < 2 { // the second point, or the first, is not there
					break
				}
				pairs++
			}
		}
		if pairs < 5 {
			t.Errorf("way %q has only %d pairs of crashes", way, pairs)
		}
	}
}

// crashed plays one withdrawal with two crashes, the second counted from the
// restart, and returns how many of them came.
func crashed(t *testing.T, way string, first, second int) int {
	t.Helper()
	w := newWorld(t)
	crashes := []int{first, second}
	count, dead := 0, false
	point := func() error {
		if dead {
			return errCrash
		}
		if count++; len(crashes) > 0 && count > crashes[0] {
			crashes, count, dead = crashes[1:], 0, true
			return errCrash
		}
		return nil
	}
	w.give(42, 1000)
	x := w.request(42, 1000)
	w.store.Before = point
	w.bank.after = func() { _ = point() }
	w.bank.Fail(way)
	for range 30 {
		_, err := w.Run(t.Context())
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		if dead {
			dead = false
			w.restart()
		}
		w.advance(time.Minute)
		w.bank.Fail("") // the road is mended after the first run
	}
	w.store.Before = nil
	name := fmt.Sprintf("way %q, crashes at %d and %d", way, first, second)
	if got := w.get(x.ID); got.State != withdraw.Paid {
		t.Errorf("%s: it is %s", name, got.State)
	}
	if paid := w.bank.Paid("TW1"); len(paid) != 1 || len(w.bank.known) != 1 {
		t.Errorf("%s: %v left, under %d numbers", name, paid, len(w.bank.known))
	}
	w.wantSound()
	return 2 - len(crashes)
}

// TestABadRoad: three of ten requests and half of the answers get lost, the
// process dies now and then, people cancel, staff decides, and the bank refuses
// and holds. No withdrawal is paid twice, none is forgotten, and the bank's book
// is ours.
func TestABadRoad(t *testing.T) {
	t.Parallel()
	seeds := 100
	switch {
	case testing.Short():
		seeds = 5
	case underRace: // they are worlds of one goroutine
		seeds = 10
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			roll := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t)
			w.bank.roll, w.bank.lost = rand.New(rand.NewPCG(seed, 2)), [2]float64{0.3, 0.5}
			for step := range 900 {
				id := 1 + roll.Int64N(8)
				switch roll.IntN(9) {
				case 0:
					w.give(id, 2_500)
				case 1, 2:
					_, err := w.Request(t.Context(), id, 0, fmt.Sprint("k", step))
					w.wantRefusal(err)
				case 3:
					if ws, err := w.OfUser(t.Context(), id, 0, 1); err == nil && len(ws) > 0 {
						_, err := w.Cancel(t.Context(), id, ws[0].ID)
						w.wantRefusal(err)
					}
				case 4:
					w.decide(roll)
				case 5:
					w.bank.Mode([]string{"", "", "", payertest.Holds, payertest.Refuses}[roll.IntN(5)])
				case 6: // the process dies somewhere
					left := roll.IntN(6)
					w.store.Before = func() error {
						if left--; left < 0 {
							return errCrash
						}
						return nil
					}
					_, _ = w.Run(t.Context())
					w.store.Before = nil
					w.restart()
				default:
					_, err := w.Run(t.Context())
					must(t, err)
				}
				w.advance(time.Duration(roll.IntN(120)) * time.Second)
			}
			w.settle(roll)
		})
	}
}

// wantRefusal judges an error that a person may get.
func (w *world) wantRefusal(err error) {
	w.t.Helper()
	if err != nil && !strings.HasPrefix(fault.ReasonOf(err), "withdraw.") {
		w.t.Errorf("a person is told %v", err)
	}
}

// decide lets staff decide what waits for them.
func (w *world) decide(roll *rand.Rand) {
	w.t.Helper()
	ws, err := w.Waiting(w.t.Context(), 100)
	must(w.t, err)
	for _, x := range ws {
		if x.State != withdraw.Reviewing {
			continue
		}
		if roll.IntN(3) == 0 {
			_, err = w.Refuse(w.t.Context(), x.ID, "cli", "refused.name")
		} else {
			_, err = w.Approve(w.t.Context(), x.ID, "cli")
		}
		must(w.t, err)
	}
}

// settle lets everything end, on a road that is as bad as before, and compares
// the bank's book with ours.
func (w *world) settle(roll *rand.Rand) {
	w.t.Helper()
	w.bank.Mode("")
	for range 300 {
		w.decide(roll)
		w.bank.mu.Lock()
		for _, x := range w.bank.known {
			if x.verdict == withdraw.Busy {
				x.verdict, x.paid = withdraw.Done, append(x.paid, x.payment.Amount)
			}
		}
		w.bank.mu.Unlock()
		w.run()
		w.advance(10 * time.Minute)
	}
	paid, all := 0, 0
	for id := int64(1); id <= w.store.Last; id++ {
		x := w.get(id)
		all++
		left := w.bank.Paid(x.Number)
		switch {
		case !x.State.Final():
			w.t.Errorf("withdrawal %d is forgotten: %s since %s", id, x.State, x.Changed)
		case x.State == withdraw.Paid && (len(left) != 1 || left[0] != x.Amount):
			w.t.Errorf("withdrawal %d of %s is paid, and %v left", id, x.Amount, left)
		case x.State != withdraw.Paid && len(left) != 0:
			w.t.Errorf("withdrawal %d is %s, and %v left", id, x.State, left)
		}
		if x.State == withdraw.Paid {
			paid++
			delete(w.bank.known, x.Number)
		}
	}
	for number, x := range w.bank.known {
		if len(x.paid) > 0 {
			w.t.Errorf("%v left under %s, which nobody asked for", x.paid, number)
		}
	}
	if paid < 8 || all < 12 {
		w.t.Errorf("only %d of %d withdrawals were paid", paid, all)
	}
	w.wantSound()
}
