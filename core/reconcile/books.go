package reconcile

import (
	"context"
	"time"

	"fanli/core/money"
	"fanli/core/order"
)

// billSlack is by how much a payer's clock and ours may differ about when a
// payment happened: it is booked when the payer was asked, not when it paid.
const billSlack = 24 * time.Hour

// book returns ours about a subject.
func (d *Desk) book(s Subject) book {
	if network, account, ok := s.Feed(); ok {
		return lineBook{d, s, network, account}
	}
	if name, ok := s.collector(); ok {
		return takingBook{d, s, name}
	}
	return payoutBook{d, s, s.payer()}
}

// A lineBook is what we have of a network's lines.
type lineBook struct {
	d                *Desk
	subject          Subject
	network, account string
}

func (lineBook) slack() time.Duration { return 0 }

func (b lineBook) page(ctx context.Context, p Period, after string, count int) ([]Ours, error) {
	ls, err := b.d.Lines.Settled(ctx, b.network, b.account, p.From, p.To, after, count)
	if err != nil {
		return nil, err
	}
	return b.ours(ctx, p, ls)
}

func (b lineBook) find(ctx context.Context, p Period, ids []string) ([]Ours, error) {
	ls, err := b.d.Lines.Known(ctx, b.network, b.account, ids)
	if err != nil {
		return nil, err
	}
	return b.ours(ctx, p, ls)
}

func (b lineBook) key(id string) order.Key {
	return order.Key{Network: b.network, Account: b.account, ID: id}
}

func (b lineBook) ours(ctx context.Context, p Period, ls []Line) ([]Ours, error) {
	keys := make([]order.Key, len(ls))
	for i, l := range ls {
		keys[i] = b.key(l.ID)
	}
	booked, err := b.d.Store.Booked(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]Ours, len(ls))
	for i, l := range ls {
		out[i] = Ours{
			Key: l.ID, Said: l.Commission, Sum: booked[keys[i]], Price: l.Price, Refund: l.Refunded,
			State: string(l.State), At: l.SettledAt,
		}
		if l.State != order.Settled { // a time without the state is of a settlement that was undone
			out[i].At = time.Time{}
		}
	}
	return out, b.d.fill(ctx, b.subject, p, out)
}

// A payoutBook is what we have sent through a payer.
type payoutBook struct {
	d       *Desk
	subject Subject
	payer   string
}

func (payoutBook) slack() time.Duration { return billSlack }

func (b payoutBook) page(ctx context.Context, p Period, after string, count int) ([]Ours, error) {
	ps, err := b.d.Store.Payouts(ctx, b.payer, p.From, p.To, after, count)
	if err != nil {
		return nil, err
	}
	return b.ours(ctx, p, ps)
}

func (b payoutBook) find(ctx context.Context, p Period, numbers []string) ([]Ours, error) {
	ps, err := b.d.Store.Sent(ctx, b.payer, numbers)
	if err != nil {
		return nil, err
	}
	return b.ours(ctx, p, ps)
}

func (b payoutBook) ours(ctx context.Context, p Period, ps []Payout) ([]Ours, error) {
	out := make([]Ours, len(ps))
	for i, w := range ps {
		out[i] = Ours{Key: w.Number, Said: w.Amount, Sum: w.Booked, State: w.State}
		if w.State == paid {
			out[i].At = w.At
		} else {
			out[i].Said = 0 // it has not left, and the ledger should say so too
		}
	}
	return out, b.d.fill(ctx, b.subject, p, out)
}

// paid is the state of a payout whose money has left, and what bills say of one.
const paid = "paid"

// Returned is what bills say of a payment that came back.
const Returned = "failed"

// collectSlack is by how much a collector's clock and ours may differ about when
// somebody has paid: what has lapsed is asked about a last time a day later.
const collectSlack = 48 * time.Hour

// A takingBook is what has come and gone back through a collector.
type takingBook struct {
	d         *Desk
	subject   Subject
	collector string
}

func (takingBook) slack() time.Duration { return collectSlack }

func (b takingBook) page(ctx context.Context, p Period, after string, count int) ([]Ours, error) {
	ts, err := b.d.Store.Takings(ctx, b.collector, p.From, p.To, after, count)
	if err != nil {
		return nil, err
	}
	return b.ours(ctx, p, ts)
}

func (b takingBook) find(ctx context.Context, p Period, numbers []string) ([]Ours, error) {
	ts, err := b.d.Store.Taken(ctx, b.collector, numbers)
	if err != nil {
		return nil, err
	}
	return b.ours(ctx, p, ts)
}

func (b takingBook) ours(ctx context.Context, p Period, ts []Taking) ([]Ours, error) {
	out := make([]Ours, len(ts))
	for i, t := range ts {
		out[i] = Ours{Key: t.Number, Said: t.Amount, Sum: t.Booked, State: t.State, At: t.At, Cleared: t.Cleared}
		if t.Amount > 0 {
			out[i].State = paid // it has come, whatever became of it then
		}
	}
	return out, b.d.fill(ctx, b.subject, p, out)
}

// fill adds what was accepted and which months are closed.
func (d *Desk) fill(ctx context.Context, s Subject, p Period, os []Ours) error {
	keys := make([]string, len(os))
	at := make(map[string]*Ours, len(os))
	for i := range os {
		keys[i], at[os[i].Key] = os[i].Key, &os[i]
	}
	accepted, err := d.Store.Accepted(ctx, s, keys)
	if err != nil {
		return err
	}
	for _, a := range accepted {
		var sum *money.Fen
		if o := at[a.Key]; a.Period == p.Name {
			sum = &o.Here
		} else {
			sum = &o.Before
		}
		*sum += a.Sum
	}
	frozen, err := d.Store.Frozen(ctx, s, keys)
	for _, f := range frozen {
		at[f.Key].Closed = f.Month
	}
	return err
}
