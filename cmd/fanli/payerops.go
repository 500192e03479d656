package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/reconcile"
	"fanli/core/withdraw"
)

// billFrom is when payers have the bill of the day before, in the zone of the house.
const billFrom = 10

// sendingPayers are the configured payers, each once.
func (a *app) sendingPayers() []withdraw.Payer {
	var out []withdraw.Payer
	for _, p := range a.payouts.Payers {
		if p != nil && !slices.ContainsFunc(out, func(o withdraw.Payer) bool { return o.Name() == p.Name() }) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(x, y withdraw.Payer) int { return cmp.Compare(x.Name(), y.Name()) })
	return out
}

// watch warns of payers whose money runs low.
func (a *app) watch() *withdraw.Watch {
	return &withdraw.Watch{
		Payers: a.sendingPayers, Floors: a.cfg.Withdraw.Floors(), Told: a.obs.Balance,
		Low: func(ctx context.Context, payer string, balance, floor money.Fen) {
			a.log.ErrorContext(ctx, "our money at a payer runs low", "payer", payer, "balance", balance.String(), "floor", floor.String(),
				"try", "top up our account there; payments that wait go on by themselves")
		},
	}
}

// compareBills asks the payers and collectors that offer it for the bill of the day
// before, once, and holds it against what we paid, and people paid us. It enters
// nothing.
func (a *app) compareBills(ctx context.Context) (n int, err error) {
	now := a.now().In(a.cfg.Location())
	if now.Hour() < billFrom {
		return 0, nil
	}
	d := a.reconciliation()
	p, err := reconcile.ParsePeriod(now.AddDate(0, 0, -1).Format(time.DateOnly), d.Zone)
	if err != nil {
		return 0, err
	}
	known, err := d.Store.Comparisons(ctx, p.Month())
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, b := range a.billed() {
		if slices.ContainsFunc(known, func(k reconcile.Summary) bool { return k.Subject == b.subject && k.Period == p.Name }) {
			continue
		}
		switch err := a.compareBill(ctx, d, b, p); {
		case err == nil:
			n++
		case fault.Is(err, fault.Unavailable): // not ready yet: it is asked for again in an hour
		default:
			errs = append(errs, err)
		}
	}
	return n, errors.Join(errs...)
}

// A billed subject can be asked for its bill.
type billed struct {
	subject reconcile.Subject
	ask     asker
}

// billed are the payers and collectors that can be asked for their bills.
func (a *app) billed() (out []billed) {
	for _, payer := range a.sendingPayers() {
		if b, ok := payer.(withdraw.Biller); ok {
			out = append(out, billed{reconcile.OfPayer(payer.Name()), askPayer(b)})
		}
	}
	for _, k := range a.dues.Collectors {
		if b, ok := k.(collect.Biller); ok {
			out = append(out, billed{reconcile.OfCollector(k.Name()), askCollector(b)})
		}
	}
	return out
}

func (a *app) compareBill(ctx context.Context, d *reconcile.Desk, b billed, p reconcile.Period) error {
	rows, err := b.ask(ctx, p)
	if err != nil {
		return err
	}
	sum, err := d.Compare(ctx, b.subject, p, rows, func(reconcile.Finding) error { return nil })
	if err != nil {
		return err
	}
	said := []any{"subject", string(b.subject), "day", p.Name, "rows", sum.Rows, "open", sum.Open(), "theirs", sum.Theirs.String(), "ours", sum.Ours.String()}
	if sum.Open() > 0 {
		a.log.ErrorContext(ctx, "a bill differs from our books", append(said, "try", "fanli reconcile "+strings.Replace(string(b.subject), "/", " ", 1)+" "+p.Name)...)
		return nil
	}
	a.log.InfoContext(ctx, "a bill agrees with our books", said...)
	return nil
}
