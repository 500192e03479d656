package desk

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/collect"
	"fanli/core/reconcile"
)

// longRefunding is after how long it is told that money does not go back.
const longRefunding = 24 * time.Hour

// heldMax bounds the charges that are looked at.
const heldMax = 50

// takings are the alerts of what people have paid us and of others' bills. That somebody
// was asked and does not pay is none; and what has come is booked in the transaction that
// enters it as such, so that there is nothing that was verified and is not in the books.
func (p Payment) takings(ctx context.Context) (out Answer, err error) {
	if p.Charges != nil {
		ds, err := p.Charges(ctx, heldMax, collect.Held, collect.Refunding)
		if err != nil {
			return out, err
		}
		for _, d := range ds {
			if d.Stage == collect.Refunding && p.Now().Sub(d.Changed) < longRefunding {
				continue
			}
			id := strconv.FormatInt(d.ID, 10)
			out.Items = append(out.Items, alertItem(fmt.Sprintf("charge/%s/%s", id, d.Stage), ChargeHeld, Item{
				Title: LCharge, ID: id, Wrong: true, Fields: []Field{
					amount(LAmount, d.Paid), word(LState, string(d.Stage)), word(LReason, d.Reason), moment(LSince, d.Changed),
				},
			}))
		}
	}
	bills, err := p.differing(ctx)
	for _, b := range bills {
		id := strings.TrimPrefix(string(b.Subject), "collector/") + " " + b.Period
		out.Items = append(out.Items, alertItem(fmt.Sprintf("bill/%s/%s", b.Subject, b.Period), BillDiffers, Item{
			Title: LBill, ID: strings.TrimPrefix(id, "payer/"), Wrong: true, Fields: []Field{count(LDiffer, b.Open()), moment(LAt, b.At)},
		}))
	}
	return out, err
}

// differing are the newest comparisons with bills of payers and collectors, of this month
// and the one before, that have found something, unless the month was closed with it.
// Settlements of networks are compared by staff, who see what comes of it.
func (p Payment) differing(ctx context.Context) (out []reconcile.Summary, err error) {
	if p.Bills == nil || p.Closed == nil {
		return nil, nil
	}
	closed, err := p.Closed(ctx)
	if err != nil {
		return nil, err
	}
	first := p.Now().In(p.Zone)
	first = first.AddDate(0, 0, 1-first.Day())
	for _, month := range []string{first.AddDate(0, -1, 0).Format("2006-01"), first.Format("2006-01")} {
		if slices.ContainsFunc(closed, func(m reconcile.Month) bool { return m.Name == month }) {
			continue
		}
		all, err := p.Bills(ctx, month)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if _, _, network := s.Subject.Feed(); !network && s.Open() > 0 {
				out = append(out, s)
			}
		}
	}
	return out, nil
}
