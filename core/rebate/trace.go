package rebate

import (
	"fmt"
	"strings"

	"fanli/core/money"
)

// A Trace is how a rebate was computed. Package bot puts it into words.
type Trace struct {
	Terms      Terms     `json:"terms"`
	Commission money.Fen `json:"commission"` // what it was computed from
	Base       money.Fen `json:"base"`       // after the fee
	Raw        money.Fen `json:"raw"`        // before limit, cap and minimum
	Capped     bool      `json:"capped,omitempty"`
	Small      bool      `json:"small,omitempty"` // below the minimum
	Rebate     money.Fen `json:"rebate"`

	Price    money.Fen   `json:"price,omitempty"`
	Refunded money.Fen   `json:"refunded,omitempty"`
	Yields   []money.Fen `json:"yields,omitempty"`  // of the parts that are no plain shares, in their order
	Limited  bool        `json:"limited,omitempty"` // by what the commission is after the fee
	Settled  money.Fen   `json:"settled,omitempty"` // what the network pays, where that is not Commission
	TopUp    money.Fen   `json:"topup,omitempty"`   // of Rebate, what a budget pays
	Budget   string      `json:"budget,omitempty"`
	Cuts     Cuts        `json:"cuts,omitzero"` // what inviters would get of the rest
}

// Share is the sum of the plain shares, between 0 and 100 %.
func (tr Trace) Share() money.Bps { return tr.Terms.share(tr.Price) }

// Shares are the parts that add up to Share.
func (tr Trace) Shares() (out []Part) {
	for _, p := range tr.Terms.applied(tr.Price) {
		if p.plain() {
			out = append(out, p)
		}
	}
	return out
}

// A Yield is what a part brought that stands for itself.
type Yield struct {
	Part
	Amount money.Fen
}

// Others are the parts that are not among Shares, with what they brought.
func (tr Trace) Others() (out []Yield) {
	i := 0
	for _, p := range tr.Terms.applied(tr.Price) {
		if !p.plain() && i < len(tr.Yields) {
			out = append(out, Yield{p, tr.Yields[i]})
			i++
		}
	}
	return out
}

// Shared is what Share gives.
func (tr Trace) Shared() money.Fen {
	n := tr.Raw
	for _, y := range tr.Yields {
		n -= y
	}
	return n
}

// Kept is what was paid and not given back.
func (tr Trace) Kept() money.Fen { return max(tr.Price-tr.Refunded, 0) }

// String writes the trace as an operator reads it:
//
//	base 70% + level 1 5% = 75% × ¥10.80 (commission ¥12.00 − fee 10%) = ¥8.10
func (tr Trace) String() string {
	var b strings.Builder
	shares := tr.Shares()
	for i, p := range shares {
		if i > 0 {
			b.WriteString(" + ")
		}
		b.WriteString(p.label() + " " + p.Bps.String())
	}
	if len(shares) > 1 {
		b.WriteString(" = " + tr.Share().String())
	}
	if len(shares) == 0 {
		b.WriteString("0%")
	}
	if tr.Terms.Fee > 0 {
		fmt.Fprintf(&b, " × %s (commission %s − fee %s)", tr.Base.Yuan(), tr.Commission.Yuan(), tr.Terms.Fee)
	} else {
		fmt.Fprintf(&b, " × commission %s", tr.Commission.Yuan())
	}
	fmt.Fprintf(&b, " = %s", tr.Shared().Yuan())
	tr.others(&b)
	if tr.Limited {
		fmt.Fprintf(&b, ", at most the commission after the fee %s", tr.Base.Yuan())
	}
	if tr.Capped {
		fmt.Fprintf(&b, ", at most %s", tr.Rebate.Yuan())
	}
	if tr.Small {
		fmt.Fprintf(&b, ", below %s: nothing", tr.Terms.Minimum.Yuan())
	}
	tr.paid(&b)
	return b.String()
}

func (tr Trace) others(b *strings.Builder) {
	others := tr.Others()
	for _, y := range others {
		fmt.Fprintf(b, " + %s ", y.label())
		switch {
		case y.Price != 0:
			fmt.Fprintf(b, "%s × paid %s", y.Price, tr.Kept().Yuan())
		case y.Fixed != 0:
			fmt.Fprintf(b, "fixed %s", y.Fixed.Yuan())
		default:
			fmt.Fprintf(b, "%s × %s", y.Bps, tr.Base.Yuan())
		}
		fmt.Fprintf(b, " = %s", y.Amount.Yuan())
	}
	if len(others) > 0 {
		fmt.Fprintf(b, "; together %s", tr.Raw.Yuan())
	}
}

func (tr Trace) paid(b *strings.Builder) {
	if tr.Settled > 0 {
		fmt.Fprintf(b, "; the network settled %s", tr.Settled.Yuan())
	}
	if tr.TopUp > 0 {
		fmt.Fprintf(b, "; budget %s pays %s of it", tr.Budget, tr.TopUp.Yuan())
	}
	if len(tr.Terms.Dry) > 0 {
		fmt.Fprintf(b, "; budget used up for %s", strings.Join(tr.Terms.Dry, ", "))
	}
}

// label names a part: "level 1".
func (p Part) label() string { return strings.TrimSpace(p.Kind + " " + p.Name) }
