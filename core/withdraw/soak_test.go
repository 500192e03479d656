package withdraw_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"fanli/core/money"
	"fanli/core/withdraw"
)

// TestThreeOfTenRequestsAndHalfOfTheAnswersAreLost: a few thousand payouts over a
// road that loses 30 % of the requests and 50 % of the answers, and is cut off for
// hours in between. Nothing is paid twice, nothing is forgotten, and whatever is
// unknown when the payer is back is known a minute later. FANLI_SOAK makes it more.
func TestThreeOfTenRequestsAndHalfOfTheAnswersAreLost(t *testing.T) {
	t.Parallel()
	seeds, payouts := 20, 150
	if os.Getenv("FANLI_SOAK") != "" {
		seeds, payouts = 400, 250
	}
	switch {
	case testing.Short():
		seeds, payouts = 2, 40
	case underRace:
		seeds = 4
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			badRoad(t, seed, payouts)
		})
	}
}

func badRoad(t *testing.T, seed uint64, payouts int) {
	t.Helper()
	w := newWorld(t)
	dice := rand.New(rand.NewPCG(seed, 3))
	w.bank.roll, w.bank.lost = rand.New(rand.NewPCG(seed, 4)), [2]float64{0.3, 0.5}
	asked := map[int64]money.Fen{}
	for id := int64(1); id <= int64(payouts); id++ {
		amount := money.Fen(100 + dice.IntN(900))
		w.give(id, amount)
		w.request(id, amount)
		asked[id] = amount
		if dice.IntN(20) == 0 {
			w.run()
			w.advance(time.Duration(dice.IntN(20)) * time.Second)
		}
	}
	w.bank.mu.Lock()
	w.bank.lost = [2]float64{0.5, 1} // half of the requests arrive, and no answer comes back
	w.bank.mu.Unlock()
	for range 60 {
		w.run()
		w.advance(time.Duration(1+dice.IntN(300)) * time.Second)
	}
	w.bank.mu.Lock()
	w.bank.roll = nil // the payer is back
	w.bank.mu.Unlock()
	for range 60 {
		w.run()
		w.advance(time.Second)
	}
	for id := int64(1); id <= int64(payouts); id++ {
		x := w.get(id)
		if x.State != withdraw.Paid {
			t.Fatalf("a minute after the payer's return withdrawal %d is %s for %q, next at %s of %s", id, x.State, x.Reason, x.NextAt, w.now())
		}
		if paid := w.bank.Paid(x.Number); len(paid) != 1 || paid[0] != asked[id] {
			t.Fatalf("%v left for withdrawal %d of %s", paid, id, asked[id])
		}
	}
	if len(w.bank.known) != payouts {
		t.Errorf("the bank knows %d numbers of %d payouts", len(w.bank.known), payouts)
	}
	w.wantSound()
}

// TestNoWayHasTwoEffects walks every way through the states: at most one of them
// settles the money, and it is the last.
func TestNoWayHasTwoEffects(t *testing.T) {
	t.Parallel()
	ways, final := 0, map[withdraw.State]bool{withdraw.Paid: true, withdraw.Failed: true, withdraw.Refused: true, withdraw.Cancelled: true}
	var walk func(way []withdraw.State)
	walk = func(way []withdraw.State) {
		last := way[len(way)-1]
		ways++
		if last.Final() != final[last] {
			t.Fatalf("%v ends", way)
		}
		for i, s := range way[:len(way)-1] {
			if final[s] {
				t.Fatalf("%v goes on after %s", way, way[i])
			}
		}
		if len(way) == 9 {
			return
		}
		for _, n := range last.Next() {
			sent := n == withdraw.Paid || n == withdraw.Failed || n == withdraw.Confirming || n == withdraw.Unknown
			was := last == withdraw.Sending || last == withdraw.Confirming || last == withdraw.Unknown
			if sent != was {
				t.Fatalf("%s goes to %s: what was not sent cannot end at a payer, and what was cannot be taken back here", last, n)
			}
			walk(append(way[:len(way):len(way)], n))
		}
	}
	walk([]withdraw.State{withdraw.Requested})
	if ways < 100 {
		t.Errorf("only %d ways were walked", ways)
	}
}

// TestRandomActsHaveOneEffect: users, staff, callbacks and a payer that says
// anything act at random; in the end each withdrawal's money has moved once.
func TestRandomActsHaveOneEffect(t *testing.T) {
	t.Parallel()
	verdicts := []withdraw.Verdict{
		withdraw.Done, withdraw.Dead, withdraw.Busy, withdraw.Unclear, withdraw.Absent, withdraw.Waiting, withdraw.Short,
	}
	seeds := 300
	if testing.Short() {
		seeds = 30
	}
	for seed := range uint64(seeds) {
		w := newWorld(t)
		dice := rand.New(rand.NewPCG(seed, 5))
		p := &speaker{}
		for range 200 {
			p.words = append(p.words, verdicts[dice.IntN(len(verdicts))])
		}
		w.Payers = map[string]withdraw.Payer{"": p}
		w.Limits.FourEyes = 500
		w.Limits.Auto = money.Fen(dice.IntN(2)) * 5_000
		w.give(42, 1000)
		x := w.request(42, 1000)
		for range 40 {
			switch ctx := t.Context(); dice.IntN(9) {
			case 0:
				_, _ = w.Approve(ctx, x.ID, fmt.Sprint("telegram:", dice.IntN(2)))
			case 1:
				if dice.IntN(10) == 0 {
					_, _ = w.Refuse(ctx, x.ID, "cli", "review.refused")
				}
			case 2:
				if dice.IntN(10) == 0 {
					_, _ = w.Cancel(ctx, 42, x.ID)
				}
			case 3:
				if dice.IntN(10) == 0 {
					_, _ = w.Confirm(ctx, x.ID, dice.IntN(2) == 0, "cli", "payout.refused")
				}
			case 4:
				_ = w.Heard(ctx, "speaker", "TW1")
			default:
				w.run()
			}
			w.advance(time.Duration(dice.IntN(40)) * time.Second)
		}
		entries, err := w.store.Reader().Caused(t.Context(), withdraw.Cause(x.ID))
		must(t, err)
		got := w.get(x.ID)
		want := 1
		if got.State.Final() {
			want = 2
		}
		if len(entries) != want {
			t.Fatalf("seed %d: %d entries of a withdrawal that is %s", seed, len(entries), got.State)
		}
		finals := 0
		for _, s := range w.said(x.ID) {
			if s.Final() {
				finals++
			}
		}
		if finals > 1 || (finals == 1) != got.State.Final() {
			t.Fatalf("seed %d: %d final states were said, and it is %s", seed, finals, got.State)
		}
		w.wantSound()
	}
}
