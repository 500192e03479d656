package rebate

import (
	"cmp"
	"encoding/json"
	"slices"

	"fanli/core/fault"
	"fanli/core/money"
)

// A Part is one contribution to a rebate, frozen from a rule. Those of the simple
// section have only the first three fields; links made before there was a list
// have no others either.
type Part struct {
	Kind string    `json:"kind"` // "base", "level", "network", "category", "rule"
	Name string    `json:"name,omitempty"`
	Bps  money.Bps `json:"bps"` // of the commission after the fee

	First   bool      `json:"first,omitempty"` // a basis: of several the first one whose price fits counts
	Price   money.Bps `json:"price,omitempty"` // of what was paid
	Fixed   money.Fen `json:"fixed,omitempty"`
	Tiers   []Tier    `json:"tiers,omitempty"`
	From    money.Fen `json:"from,omitempty"`  // the price from which it counts
	Until   money.Fen `json:"until,omitempty"` // and until which; 0: no end
	Minimum money.Fen `json:"minimum,omitempty"`
	Cap     money.Fen `json:"cap,omitempty"`
	Round   money.Fen `json:"round,omitempty"`
	Budget  string    `json:"budget,omitempty"`
	Rebate  money.Bps `json:"rebate,omitempty"`   // of what the line brings its user; of a bonus only
	UserCap money.Fen `json:"user_cap,omitempty"` // the most that one user gets of a bonus in all
}

// plain reports whether the part is a share of the commission and nothing else,
// so that it is added to the other shares before anything is rounded.
func (p Part) plain() bool {
	return p.Price == 0 && p.Fixed == 0 && p.Minimum == 0 && p.Cap == 0 && p.Round == 0 && p.Budget == ""
}

// base reports whether the part is the basis.
func (p Part) base() bool { return p.Kind == "base" || p.First }

// share returns the share of the commission that the part gives at a price.
func (p Part) share(price money.Fen) money.Bps {
	return Give{Commission: p.Bps, Tiers: p.Tiers}.share(price)
}

// Terms are what the rules say for one subject.
type Terms struct {
	Rules        int64     `json:"rules"` // version
	Parts        []Part    `json:"parts"`
	Share        money.Bps `json:"share"` // of the commission, at the price that was expected; between 0 and 100 %
	Fee          money.Bps `json:"fee,omitempty"`
	Cap          money.Fen `json:"cap,omitempty"`
	Minimum      money.Fen `json:"minimum,omitempty"`
	HoldDays     int       `json:"hold_days,omitempty"`
	Refer        Referral  `json:"refer,omitzero"`
	Settle       Settle    `json:"settle,omitempty"`
	SettleBudget string    `json:"settle_budget,omitempty"`
	Bonuses      []Part    `json:"bonuses,omitempty"` // given beside the rebate once that is available
	Dry          []string  `json:"dry,omitempty"`     // names of rules that were left out because their budget was used up
	Asked        *Asked    `json:"asked,omitempty"`   // what they were made from, where that was after the link; without Rules they are still to be made
}

// applied returns the parts that count at a price, as they count there.
func (t Terms) applied(price money.Fen) (out []Part) {
	based := false
	for _, p := range t.Parts {
		if !priced(p.From, p.Until, price) || p.base() && based {
			continue
		}
		based = based || p.base()
		p.Bps, p.Tiers = p.share(price), nil
		out = append(out, p)
	}
	return out
}

// share is the sum of the plain parts.
func (t Terms) share(price money.Fen) (sum money.Bps) {
	if len(t.Parts) == 0 {
		return t.Share
	}
	for _, p := range t.applied(price) {
		if p.plain() {
			sum += p.Bps
		}
	}
	return min(max(sum, 0), money.Whole)
}

// without returns the terms without what the budgets would pay for which dry
// reports true.
func (t Terms) without(dry func(budget string) bool) Terms {
	var kept []Part
	for _, p := range t.Parts {
		if p.Budget != "" && dry(p.Budget) {
			t.Dry = append(t.Dry, p.Name)
			continue
		}
		kept = append(kept, p)
	}
	if len(kept) == 0 {
		kept = []Part{{Kind: "base"}} // a basis that gives nothing
	}
	t.Parts = kept
	var bonuses []Part
	for _, p := range t.Bonuses {
		if dry(p.Budget) {
			t.Dry = append(t.Dry, p.Name)
			continue
		}
		bonuses = append(bonuses, p)
	}
	t.Bonuses = bonuses
	t.Dry = slices.Compact(t.Dry)
	if t.SettleBudget != "" && dry(t.SettleBudget) {
		t.Settle, t.SettleBudget = "", ""
	}
	return t
}

// budgets are those that may have to pay.
func (t Terms) budgets() (out []string) {
	for _, p := range append(slices.Clone(t.Parts), t.Bonuses...) {
		if p.Budget != "" {
			out = append(out, p.Budget)
		}
	}
	if t.SettleBudget != "" {
		out = append(out, t.SettleBudget)
	}
	return out
}

// String writes the terms so that ParseTerms reads them.
func (t Terms) String() string {
	b, err := json.Marshal(t)
	if err != nil { // plain data
		panic(err)
	}
	return string(b)
}

// ParseTerms reads frozen terms, those of all earlier versions included.
func ParseTerms(s string) (Terms, error) {
	var t Terms
	if err := json.Unmarshal([]byte(s), &t); err != nil {
		return t, fault.Wrap(fault.Invalid, "rebate.ParseTerms", err)
	}
	return t, nil
}

// A Sale is what of an order line decides what it brings.
type Sale struct {
	Commission money.Fen // what the network pays, or is expected to pay
	Estimated  money.Fen // what it was expected to pay; 0: not known
	Price      money.Fen // what was paid
	Refunded   money.Fen // of that, given back
	Settled    bool
}

// left is what was paid and not given back.
func (s Sale) left() money.Fen { return max(s.Price-s.Refunded, 0) }

// kept is the part of n that belongs to what was not given back; all of it where
// nobody knows what was paid.
func (s Sale) kept(n money.Fen) money.Fen {
	if s.Price <= 0 {
		return n
	}
	return n.Mul(int64(s.left()), int64(s.Price))
}

// basis is the commission that the rebate is computed from.
func (s Sale) basis(way Settle) money.Fen {
	if !s.Settled || s.Estimated <= 0 || s.Commission <= 0 {
		return s.Commission
	}
	switch way {
	case SettleLower:
		return min(s.Commission, s.Estimated)
	case SettleEstimate: // for what went back nobody was promised anything
		return max(s.Commission, s.kept(s.Estimated))
	default:
		return s.Commission
	}
}

// Rebate computes what a commission brings at terms that know no price.
func (t Terms) Rebate(commission money.Fen) Trace { return t.Of(Sale{Commission: commission}) }

// Of computes what a sale brings.
func (t Terms) Of(s Sale) Trace {
	s.Commission = max(s.Commission, 0)
	tr := t.from(s.basis(t.Settle), s)
	rest := s.Commission - s.Commission.Share(t.Fee) // what there is to share
	covered := rest
	if t.Settle == SettleEstimate { // the difference to what was expected is the budget's
		covered = min(rest, t.from(s.Commission, s).Rebate)
	}
	tr.TopUp = max(tr.Rebate-covered, 0)
	if tr.TopUp > 0 {
		tr.Budget = cmp.Or(tr.Budget, t.SettleBudget)
		if tr.Budget == "" { // nobody pays it; cannot happen with rules that were validated
			tr.Rebate, tr.TopUp, tr.Limited = tr.Rebate-tr.TopUp, 0, true
		}
	}
	tr.Settled = s.Commission
	if tr.Settled == tr.Commission {
		tr.Settled = 0
	}
	tr.Cuts = t.Refer.cuts(rest + tr.TopUp - tr.Rebate)
	return tr
}

// from computes what a sale would bring if the commission were this one.
func (t Terms) from(commission money.Fen, s Sale) Trace {
	tr := Trace{Terms: t, Commission: commission, Price: s.Price, Refunded: s.Refunded}
	tr.Base = commission - commission.Share(t.Fee)
	own := tr.Base.Share(t.share(s.Price))
	extra := money.Fen(0)
	tr.Raw = own
	if commission > 0 {
		for _, p := range t.applied(s.Price) {
			if p.plain() {
				continue
			}
			y := p.yield(tr.Base, s)
			tr.Yields = append(tr.Yields, y)
			tr.Raw += y
			if p.Budget == "" {
				own += y
			} else {
				extra, tr.Budget = extra+y, p.Budget
			}
		}
	}
	own = max(own, 0)
	if own > tr.Base {
		own, tr.Limited = tr.Base, true
	}
	tr.Rebate = own + max(extra, 0)
	if t.Cap > 0 && tr.Rebate > t.Cap {
		tr.Rebate, tr.Capped = t.Cap, true
	}
	if tr.Rebate < t.Minimum {
		tr.Rebate, tr.Small = 0, tr.Raw > 0
	}
	return tr
}

// yield is what a part that stands for itself gives, rounded down.
func (p Part) yield(base money.Fen, s Sale) money.Fen {
	y := base.Share(p.Bps)
	switch {
	case p.Price != 0:
		y = s.left().Share(p.Price)
	case p.Fixed != 0:
		y = s.kept(p.Fixed)
	}
	if p.Cap > 0 {
		y = min(y, p.Cap)
	}
	if p.Round > 0 {
		y -= y % p.Round
	}
	if y > 0 && y < p.Minimum {
		y = 0
	}
	return y
}

// Inviters are who invited a buyer, and who invited the first one; 0: nobody.
type Inviters [2]int64

// Cuts are what inviters get, in the order of Inviters.
type Cuts [2]money.Fen

// Sum is what they get together.
func (c Cuts) Sum() money.Fen { return c[0] + c[1] }

// cuts divides what the house keeps. It is rounded down as a whole; the fen that is
// left over when it is divided goes to the larger remainder, and to the first of
// two equal ones.
func (r Referral) cuts(kept money.Fen) (c Cuts) {
	pool := kept.Share(r.First + r.Second)
	c[0], c[1] = kept.Share(r.First), kept.Share(r.Second)
	if pool > c.Sum() { // by one fen at most
		i := 0
		if remainder(kept, r.Second) > remainder(kept, r.First) {
			i = 1
		}
		c[i]++
	}
	return c
}

// remainder is what rounding down has cut off, in parts of a fen.
func remainder(n money.Fen, b money.Bps) int64 {
	whole := int64(money.Whole)
	return (int64(n) % whole) * int64(b) % whole
}
