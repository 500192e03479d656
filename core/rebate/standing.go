package rebate

import (
	"context"
	"maps"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// A Standing is what the rules in force say to one user, for people to read. Nobody is
// promised anything by it: what a link brings is said with the link.
type Standing struct {
	Version   int64      `json:"version"`
	Since     time.Time  `json:"since,omitzero"` // when the version came into force; zero: not known
	Level     int        `json:"level"`          // the user's
	Fee       money.Bps  `json:"fee"`
	Cap       money.Fen  `json:"cap"`
	Networks  []Rate     `json:"networks,omitempty"` // in the order in which they were asked for
	Campaigns []Campaign `json:"campaigns,omitempty"`
}

// A Rate is what a network's orders bring.
type Rate struct {
	Network  string       `json:"network"`
	Share    money.Bps    `json:"share"` // of the commission after the fee, at the user's level
	Levels   []LevelShare `json:"levels,omitempty"`
	HoldDays int          `json:"hold_days"`
	Varies   bool         `json:"varies"` // goods, shops, categories or prices may have another share
}

// A LevelShare is the share of a level.
type LevelShare struct {
	Level int       `json:"level"`
	Share money.Bps `json:"share"`
}

// A Campaign is a rule that gives the user something now and ends one day.
type Campaign struct {
	Name     string    `json:"name"`
	Mode     Mode      `json:"mode"` // a bonus is given beside the rebate
	Give     Give      `json:"give"`
	Cap      money.Fen `json:"cap,omitempty"`      // for one line
	UserCap  money.Fen `json:"user_cap,omitempty"` // of a bonus, for one user in all
	Networks []string  `json:"networks,omitempty"` // none: all
	Some     bool      `json:"some"`               // only some goods, shops, categories or prices
	Until    time.Time `json:"until"`
	Budget   string    `json:"budget,omitempty"`
	Dry      bool      `json:"dry"` // its budget is used up
}

// Standing returns what the rules in force say to a user about networks. It fails with
// fault.NotFound for nobody.
func (c *Clerk) Standing(ctx context.Context, user int64, networks []string) (Standing, error) {
	const op = "rebate.Standing"
	rules, version, err := c.Store.Rules(ctx, 0)
	if err != nil {
		return Standing{}, fault.In(op, err)
	}
	level, err := c.Level(ctx, user)
	if err != nil {
		return Standing{}, fault.In(op, err)
	}
	s := Subject{Level: level, User: user, At: c.Now()}
	if s.Inviter, err = c.hasInviter(ctx, user, s.At, rules); err != nil {
		return Standing{}, fault.In(op, err)
	}
	out := Standing{Version: version, Level: level, Fee: rules.Fee, Cap: rules.Cap, Campaigns: rules.campaigns(s)}
	if es, err := c.Store.Editions(ctx, version+1, 1); err != nil {
		return Standing{}, fault.In(op, err)
	} else if len(es) > 0 && es[0].Version == version {
		out.Since = es[0].At
	}
	for _, n := range networks {
		s.Network = n
		out.Networks = append(out.Networks, rules.rate(s))
	}
	return out, fault.In(op, c.dry(ctx, out.Campaigns))
}

// dry notes which campaigns have nothing left to give.
func (c *Clerk) dry(ctx context.Context, of []Campaign) error {
	if c.Dry == nil {
		return nil
	}
	for i := range of {
		if of[i].Budget == "" {
			continue
		}
		var err error
		if of[i].Dry, err = c.Dry(ctx, of[i].Budget); err != nil {
			return err
		}
	}
	return nil
}

// rate is what a network brings to a subject of which no goods are known.
func (r Rules) rate(s Subject) Rate {
	t := r.Terms(0, s)
	out := Rate{Network: s.Network, Share: t.Share, HoldDays: t.HoldDays, Varies: len(r.Categories) > 0}
	levels := map[int]bool{0: true}
	for level := range r.Levels {
		levels[level] = true
	}
	for _, rule := range r.List {
		if rule.Mode == Bonus {
			continue
		}
		levels[rule.When.LevelFrom] = true
		whole, some := rule.When.anyGoods()
		out.Varies = out.Varies || (some || len(rule.Give.Tiers) > 0) && whole.fits(s)
	}
	for _, level := range slices.Sorted(maps.Keys(levels)) {
		s.Level = level
		out.Levels = append(out.Levels, LevelShare{level, r.Terms(0, s).Share})
	}
	return out
}

// anyGoods are the conditions without those on what is bought; some says that there are
// any.
func (w When) anyGoods() (whole When, some bool) {
	some = max(len(w.Categories), len(w.Shops), len(w.Items)) > 0 || w.PriceFrom > 0 || w.PriceUntil > 0
	w.Categories, w.Shops, w.Items, w.PriceFrom, w.PriceUntil = nil, nil, nil, 0, 0
	return w, some
}

// campaigns are the rules with an end that give a subject something now, whatever it buys.
func (r Rules) campaigns(s Subject) (out []Campaign) {
	for _, rule := range r.List {
		whole, some := rule.When.anyGoods()
		whole.Networks = nil
		if rule.When.Until.IsZero() || rule.Give.Commission < 0 || !whole.fits(s) {
			continue
		}
		out = append(out, Campaign{
			Name: rule.Name, Mode: rule.Mode, Give: rule.Give, Cap: rule.Cap, UserCap: rule.UserCap,
			Networks: rule.When.Networks, Some: some, Until: rule.When.Until, Budget: rule.Budget,
		})
	}
	return out
}
