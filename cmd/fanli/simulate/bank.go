package simulate

import (
	"context"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// bankName is the payer's.
const bankName = "bank"

// bankLate is how long a payment may stay on its way.
const bankLate = 6 * time.Hour

// A payment is a row of the bank's own book.
type payment struct {
	number  string
	account string
	amount  money.Fen
	dead    bool
	at      time.Time // when it leaves, or comes to nothing
}

// A bank pays, and keeps a book of its own. A number is paid once, however often
// it is sent; what it says on the way may be late, missing, or wrong.
type bank struct {
	w       *world
	book    map[string]*payment
	numbers []string // in order of arrival
	away    time.Time
	calls   []call // that are still to come
}

var _ withdraw.Payer = (*bank)(nil)

// Name implements withdraw.Payer.
func (b *bank) Name() string { return bankName }

// Send implements withdraw.Payer.
func (b *bank) Send(ctx context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	w := b.w
	if err := w.crash.point("bank.send"); err != nil {
		return withdraw.Outcome{}, err
	}
	if b.unreachable() || w.ill.strikes(Payer, 1) {
		return withdraw.Outcome{}, fault.New(fault.Unavailable, "") // the request was lost
	}
	old := b.book[p.Number]
	switch {
	case old != nil && (old.amount != p.Amount || old.account != p.Payee.Account):
		w.wrong("the bank was sent number %s for %s, and before for %s", p.Number, p.Amount, old.amount)
		return withdraw.Outcome{Verdict: withdraw.Dead, Reason: "payout.refused"}, nil
	case old == nil && w.ill.strikes(Payer, 0.3):
		return withdraw.Outcome{Verdict: withdraw.Short, Reason: "payout.short"}, nil // not taken
	case old == nil:
		old = b.take(p)
		if err := b.overtakes(ctx, old); err != nil {
			return withdraw.Outcome{}, err
		}
	}
	if err := w.crash.point("bank.sent"); err != nil {
		return withdraw.Outcome{}, err
	}
	if w.ill.strikes(Payer, 1.6) {
		return withdraw.Outcome{}, fault.New(fault.Unavailable, "") // the reply was lost
	}
	return b.say(old), nil
}

// take enters a payment and draws what becomes of it.
func (b *bank) take(p withdraw.Payment) *payment {
	w := b.w
	n := &payment{number: p.Number, account: p.Payee.Account, amount: p.Amount, at: w.now()}
	n.dead = w.rng.IntN(16) == 0
	if w.ill.strikes(Payer, 1) {
		n.at = n.at.Add(w.ill.upTo(bankLate))
	}
	b.book[p.Number] = n
	b.numbers = append(b.numbers, p.Number)
	b.announce(n)
	w.note("bank takes %s: %d to %s, dead=%v at %d", n.number, n.amount, n.account, n.dead, n.at.Unix())
	return n
}

// say is the verdict on a payment now.
func (b *bank) say(p *payment) withdraw.Outcome {
	switch {
	case b.w.now().Before(p.at):
		return withdraw.Outcome{Verdict: withdraw.Busy}
	case p.dead:
		return withdraw.Outcome{Verdict: withdraw.Dead, Reason: "payout.no_such_account"}
	default:
		return withdraw.Outcome{Verdict: withdraw.Done}
	}
}

// Query implements withdraw.Payer.
func (b *bank) Query(_ context.Context, number string) (withdraw.Outcome, error) {
	w := b.w
	if err := w.crash.point("bank.query"); err != nil {
		return withdraw.Outcome{}, err
	}
	if b.unreachable() || w.ill.strikes(Payer, 1) {
		return withdraw.Outcome{}, fault.New(fault.Unavailable, "")
	}
	p := b.book[number]
	switch {
	case p == nil:
		return withdraw.Outcome{Verdict: withdraw.Absent}, nil
	case w.ill.strikes(Payer, 0.5): // contradicts what it said before
		return withdraw.Outcome{Verdict: withdraw.Absent}, nil
	case w.ill.strikes(Payer, 0.5):
		return withdraw.Outcome{Verdict: withdraw.Busy}, nil
	default:
		return b.say(p), nil
	}
}

// unreachable reports whether the bank is away, and draws whether it goes.
func (b *bank) unreachable() bool {
	now := b.w.now()
	if b.w.ill.strikes(Payer, 0.1) {
		b.away = now.Add(b.w.ill.upTo(30 * time.Hour))
	}
	return b.w.ill.has(Payer) && now.Before(b.away)
}

// paid returns what has really left, in order.
func (b *bank) paid() []*payment {
	var out []*payment
	for _, n := range b.numbers {
		if p := b.book[n]; !p.dead && !b.w.now().Before(p.at) {
			out = append(out, p)
		}
	}
	return out
}
