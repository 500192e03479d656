package withdraw_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

// A bank is a payer with its provider in one: it pays a number once and keeps a
// book of what really left. The road to it fails as tests say.
type bank struct {
	name string

	mu    sync.Mutex
	known map[string]*transfer
	mode  string // how it decides about new payments
	way   string // how the road fails
	roll  *rand.Rand
	lost  [2]float64 // how often a request, and an answer, is lost if roll is set
	calls []call
	first func() // called once, while the first call is under way
	after func() // called after every call
}

// A transfer is what the bank knows of a number.
type transfer struct {
	payment withdraw.Payment
	verdict withdraw.Verdict
	paid    []money.Fen
	asked   int
}

// A call is one question to the bank.
type call struct {
	what   string
	number string
}

var (
	_ withdraw.Payer     = (*bank)(nil)
	_ withdraw.Canceller = (*bank)(nil)
	_ payertest.Provider = (*bank)(nil)
)

func newBank() *bank { return &bank{name: "bank", known: map[string]*transfer{}} }

// TestTheBankIsAPayer holds the bank of these tests to what payers promise.
func TestTheBankIsAPayer(t *testing.T) {
	t.Parallel()
	payertest.Run(t, func(*testing.T) payertest.Subject {
		b := newBank()
		return payertest.Subject{Payer: b, Provider: b}
	})
}

func (b *bank) Name() string { return b.name }

func (b *bank) Send(ctx context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	return b.road(ctx, "send", p.Number, func() withdraw.Outcome {
		x, ok := b.known[p.Number]
		switch {
		case ok:
		case b.mode == short:
			return withdraw.Outcome{Verdict: withdraw.Short, Reason: "payout.waiting_funds"}
		case b.mode == barred:
			return withdraw.Outcome{Verdict: withdraw.Barred, Reason: "payout.refused"}
		}
		if !ok {
			x = &transfer{payment: p, verdict: withdraw.Done}
			switch b.mode {
			case waits:
				x.verdict = withdraw.Waiting
			case payertest.Holds:
				x.verdict = withdraw.Busy
			case payertest.Refuses:
				x.verdict = withdraw.Dead
			default:
				x.paid = append(x.paid, p.Amount)
			}
			b.known[p.Number] = x
		}
		if x.payment != p {
			return withdraw.Outcome{Verdict: withdraw.Unclear, Reason: "payout.number_reused"}
		}
		return x.outcome()
	})
}

func (b *bank) Query(ctx context.Context, number string) (withdraw.Outcome, error) {
	return b.road(ctx, "query", number, func() withdraw.Outcome {
		x, ok := b.known[number]
		if !ok {
			return withdraw.Outcome{Verdict: withdraw.Absent}
		}
		x.asked++
		if b.way == payertest.Late && x.asked == 1 {
			return withdraw.Outcome{Verdict: withdraw.Absent}
		}
		return x.outcome()
	})
}

func (x *transfer) outcome() withdraw.Outcome {
	if x.verdict == withdraw.Dead {
		return withdraw.Outcome{Verdict: withdraw.Dead, Reason: "payout.no_such_account"}
	}
	if x.verdict == withdraw.Waiting {
		return withdraw.Outcome{Verdict: withdraw.Waiting, Receipt: "R" + x.payment.Number, Confirm: "package of " + x.payment.Number}
	}
	return withdraw.Outcome{Verdict: x.verdict, Amount: x.payment.Amount}
}

// Modes of this bank alone.
const (
	waits  = "waits"  // for the payee to confirm
	short  = "short"  // of our money
	barred = "barred" // refuses us
)

// Cancel calls back what its payee has not confirmed.
func (b *bank) Cancel(ctx context.Context, number string) (withdraw.Outcome, error) {
	return b.road(ctx, "cancel", number, func() withdraw.Outcome {
		x, ok := b.known[number]
		if !ok {
			return withdraw.Outcome{Verdict: withdraw.Absent}
		}
		if x.verdict == withdraw.Waiting {
			x.verdict = withdraw.Dead
		}
		return x.outcome()
	})
}

// errRoad is what a caller sees of a road that fails.
func errRoad() error { return fault.New(fault.Unavailable, "bank.road") }

// road is the way there and back.
func (b *bank) road(ctx context.Context, what, number string, there func() withdraw.Outcome) (withdraw.Outcome, error) {
	if during := b.first; during != nil {
		b.first = nil
		during()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, call{what, number})
	if b.after != nil {
		defer b.after()
	}
	way := b.way
	switch {
	case ctx.Err() != nil:
		return withdraw.Outcome{}, ctx.Err()
	case b.roll != nil && b.roll.Float64() < b.lost[0]:
		way = payertest.LostRequest
	case b.roll != nil && b.roll.Float64() < b.lost[1]:
		way = payertest.LostAnswer
	}
	switch way {
	case payertest.LostRequest:
		return withdraw.Outcome{}, errRoad()
	case payertest.LostAnswer:
		there()
		return withdraw.Outcome{}, errRoad()
	case payertest.Stall:
		b.mu.Unlock()
		<-ctx.Done()
		b.mu.Lock()
		return withdraw.Outcome{}, ctx.Err()
	default:
		return there(), nil
	}
}

// Paid returns what left under a number.
func (b *bank) Paid(number string) []money.Fen {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.known[number]; x != nil {
		return x.paid
	}
	return nil
}

// Decide ends a payment that is held.
func (b *bank) Decide(number string, paid bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.known[number]
	if x == nil || x.verdict != withdraw.Busy && x.verdict != withdraw.Waiting {
		return fault.New(fault.NotFound, "")
	}
	x.verdict = withdraw.Dead
	if paid {
		x.verdict, x.paid = withdraw.Done, append(x.paid, x.payment.Amount)
	}
	return nil
}

// Mode says how new payments are decided.
func (b *bank) Mode(mode string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mode = mode
}

// Fail makes the road fail.
func (b *bank) Fail(way string) bool {
	switch way {
	case "", payertest.LostRequest, payertest.LostAnswer, payertest.Late, payertest.Stall:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.way = way
		return true
	default:
		return false
	}
}

// asked returns and forgets the calls, as "send W1".
func (b *bank) asked() (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.calls {
		out = append(out, c.what+" "+c.number)
	}
	b.calls = nil
	return out
}

// payee is where user 42's money goes; it was changed long ago.
func payee() user.Payee {
	return user.Payee{Method: "alipay", Account: "13800000000", Name: "张三", Changed: start.AddDate(0, -1, 0)}
}
