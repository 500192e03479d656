package bot

import (
	"context"
	"strings"
	"time"

	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// why says in sentences why an order is somebody's, how its rebate was computed,
// and what it waits for.
func (t *turn) why(ctx context.Context, args string) (Reply, error) {
	if args == "" {
		r := t.say("why.which")
		r.Buttons = []Button{t.next("orders")}
		return r, nil
	}
	return t.named(ctx, args, t.explain)
}

func (t *turn) explain(ctx context.Context, lines []bought) Reply {
	var b strings.Builder
	for i, o := range lines {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(clean(o.Row().Title, titleRunesMax))
		for _, s := range t.reasons(ctx, o) {
			b.WriteString("\n· " + s)
		}
	}
	return Reply{Text: b.String(), Buttons: []Button{t.next("orders"), t.next("guide")}}
}

// reasons are the sentences that explain a line.
func (t *turn) reasons(ctx context.Context, o bought) []string {
	out := []string{t.T("order.step." + string(o.Step))}
	if o.known && o.rebate.Trace.Commission > 0 {
		out = append(out, t.computed(o.rebate.Trace))
	}
	if o.Refunded > 0 && o.State != order.Invalid {
		out = append(out, t.T("why.refunded", "amount", o.Refunded.Yuan()))
	}
	return append(append(out, t.waiting(o)), t.bonuses(ctx, o)...)
}

// bonuses says what came beside the rebate of a line, will come, or did not.
func (t *turn) bonuses(ctx context.Context, o bought) (out []string) {
	given, err := t.bot.Money.Bonuses(ctx, t.user.ID, o.Key, o.Row().Order)
	if err != nil { // the rest of the answer is no worse for it
		t.trace(ctx, err)
		return nil
	}
	got := map[string]bool{}
	for _, e := range given {
		if e.Kind == ledger.Invite {
			out = append(out, t.T("why.invited", "amount", e.Amount.Yuan()))
			continue
		}
		got[e.Note] = true
		out = append(out, t.T("why.campaign", "name", clean(e.Note, listTitleRunesMax), "amount", e.Amount.Yuan()))
	}
	if !o.known || o.rebate.Stage == rebate.Nothing {
		return out
	}
	for _, p := range o.rebate.Trace.Terms.Bonuses {
		name := clean(p.Name, listTitleRunesMax)
		switch {
		case got[p.Name]:
		case o.rebate.Stage == rebate.Pending:
			out = append(out, t.T("why.campaign_later", "name", name))
		default:
			out = append(out, t.T("why.campaign_none", "name", name))
		}
	}
	return out
}

// computed puts the trace of a rebate into words that can be followed with a
// pencil.
func (t *turn) computed(tr rebate.Trace) string {
	var parts []string
	var sum money.Bps
	for _, p := range tr.Shares() {
		sum += p.Bps
		parts = append(parts, t.part(p))
	}
	share := strings.Join(parts, " + ")
	if len(parts) > 1 || sum != tr.Share() {
		share = strings.TrimLeft(share+" = "+tr.Share().String(), " =")
	}
	s := t.T("trace.plain", "share", share, "commission", tr.Commission.Yuan(), "raw", tr.Shared().Yuan())
	if tr.Terms.Fee > 0 {
		s = t.T("trace.after_fee", "share", share, "commission", tr.Commission.Yuan(),
			"rest", (money.Whole - tr.Terms.Fee).String(), "base", tr.Base.Yuan(), "raw", tr.Shared().Yuan())
	}
	s += t.others(tr)
	if tr.Limited {
		s += t.T("trace.limited", "base", tr.Base.Yuan())
	}
	if tr.Capped {
		s += t.T("trace.capped", "cap", tr.Terms.Cap.Yuan())
	}
	if tr.Small {
		s += t.T("trace.small", "minimum", tr.Terms.Minimum.Yuan())
	}
	return s + t.paidBy(tr)
}

// others says what the parts bring that are no share of the commission.
func (t *turn) others(tr rebate.Trace) (s string) {
	for _, y := range tr.Others() {
		name := clean(y.Name, listTitleRunesMax)
		switch {
		case y.Price != 0:
			s += t.T("trace.of_price", "name", name, "bps", y.Price.String(), "paid", tr.Kept().Yuan(), "amount", y.Amount.Yuan())
		case y.Fixed != 0:
			s += t.T("trace.fixed", "name", name, "amount", y.Amount.Yuan())
		default:
			s += t.T("trace.apart", "name", name, "bps", y.Bps.String(), "amount", y.Amount.Yuan())
		}
	}
	if s != "" {
		s += t.T("trace.together", "raw", tr.Raw.Yuan())
	}
	return s
}

// paidBy says where the money comes from, where that is not only the network.
func (t *turn) paidBy(tr rebate.Trace) (s string) {
	if tr.Settled > 0 {
		s += t.T("trace.settled", "settled", tr.Settled.Yuan())
	}
	if tr.TopUp > 0 {
		s += t.T("trace.topup", "amount", tr.TopUp.Yuan())
	}
	if len(tr.Terms.Dry) > 0 {
		s += t.T("trace.dry", "names", clean(strings.Join(tr.Terms.Dry, t.T("format.and")), listTitleRunesMax))
	}
	return s
}

// part names one contribution to a share: "等级 1 5%".
func (t *turn) part(p rebate.Part) string {
	name := clean(p.Name, listTitleRunesMax)
	if p.Kind == "network" {
		name = t.network(p.Name)
	}
	return t.T("trace.part."+p.Kind, "name", name, "bps", p.Bps.String())
}

// waiting says what the money of a line waits for, and until when.
func (t *turn) waiting(o bought) string {
	network := t.network(o.Key.Network)
	switch {
	case o.State == order.Invalid:
		if text, ok := t.reason(o.Why); ok {
			return text
		}
		return t.T("why.invalid")
	case o.State == order.Unpaid:
		return t.T("why.unpaid")
	case !o.known:
		return t.T("why.computing")
	case o.rebate.Stage == rebate.Available:
		return t.T("why.available")
	case o.rebate.Stage == rebate.Nothing && o.rebate.Trace.Small:
		return t.T("why.small")
	case o.rebate.Stage == rebate.Nothing:
		return t.T("why.nothing")
	case o.Disputed:
		return t.T("why.disputed")
	case o.State == order.Paid:
		return t.T("why.paid", "network", network)
	case o.State == order.Settled && !o.rebate.Due.IsZero():
		return t.T("why.settled", "due", t.date(o.rebate.Due))
	case o.State == order.Received && !o.Row().SettlesOn.IsZero():
		return t.T("why.received_until", "network", network, "date", t.date(o.Row().SettlesOn))
	default:
		return t.T("why.received", "network", network)
	}
}

// momentOr writes a moment, "" for none.
func (v voice) momentOr(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return v.moment(at)
}
