package rebate

import "fanli/core/money"

// A BonusDue is what a campaign gives for a line beside its rebate, once that is
// available: as far as the campaign's budget and UserCap go.
type BonusDue struct {
	Name    string    `json:"name"`
	Amount  money.Fen `json:"amount"`
	Budget  string    `json:"budget"`
	UserCap money.Fen `json:"user_cap,omitempty"`
}

// Bonuses are what campaigns give for a line that brings its user something.
func (r Rebate) Bonuses() (out []BonusDue) {
	if r.User == 0 || r.Amount <= 0 {
		return nil
	}
	s := sale(r.Line)
	for _, p := range r.Trace.Terms.Bonuses {
		if !priced(p.From, p.Until, s.Price) {
			continue
		}
		if n := p.bonus(r.Amount, s); n > 0 {
			out = append(out, BonusDue{p.Name, n, p.Budget, p.UserCap})
		}
	}
	return out
}

// bonus is what the part gives for a rebate, within its bounds.
func (p Part) bonus(rebate money.Fen, s Sale) money.Fen {
	if p.Rebate == 0 {
		return p.yield(0, s)
	}
	p.Bps = p.Rebate
	return p.yield(rebate, s)
}
