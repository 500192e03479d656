package rebate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"fanli/core/money"
)

// A Mode says how a rule works together with others.
type Mode string

// The modes.
const (
	Base  Mode = "base"  // the first one that applies is the basis; the others are passed over
	Add   Mode = "add"   // all that apply add to it
	Bonus Mode = "bonus" // a campaign: all that apply give a bonus of their own once the rebate is available
)

// A Rule gives something to those that it is for. The rules of a version are a
// list: where order matters, the first one that applies wins.
type Rule struct {
	Name string `json:"name"` // people read it in the trace; unique in its version
	Mode Mode   `json:"mode"`
	When When   `json:"when,omitzero"`
	Give Give   `json:"give"`
	// Minimum is the least that the rule gives for one line; below it nothing.
	Minimum money.Fen `json:"minimum,omitempty"`
	// Cap is the most that the rule gives for one line; 0: no cap.
	Cap money.Fen `json:"cap,omitempty"`
	// Round is the unit to which the rule's part is rounded down; 0: one fen.
	Round money.Fen `json:"round,omitempty"`
	// Budget names what pays for the part of the rule that the commission does not
	// cover. A rule that may need one and has none is refused.
	Budget string `json:"budget,omitempty"`
	// UserCap is the most that a bonus gives one user in all; 0: no cap. Versions
	// that have a rule of the same name count together.
	UserCap money.Fen `json:"user_cap,omitempty"`
}

// When says whom and what a rule is for. What is empty excludes nobody.
type When struct {
	Networks   []string `json:"networks,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Shops      []string `json:"shops,omitempty"`
	Items      []string `json:"items,omitempty"` // as link.Offer.ItemKey
	Users      []int64  `json:"users,omitempty"`
	// Levels are those from LevelFrom to LevelTo, both included; LevelTo 0: no end,
	// unless LevelOnly is set, which makes it count.
	LevelFrom int  `json:"level_from,omitempty"`
	LevelTo   int  `json:"level_to,omitempty"`
	LevelOnly bool `json:"level_only,omitempty"`
	// Inviter is "none" for those whom nobody has invited, "some" for the others;
	// "" is for both. It is looked at when the link is made: a line without a link
	// gets no rule that asks for it.
	Inviter string `json:"inviter,omitempty"`
	// From and Until bound when the link was made; Until is excluded.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// PriceFrom and PriceUntil bound what was paid for the line; PriceUntil is
	// excluded, 0: no end.
	PriceFrom  money.Fen `json:"price_from,omitempty"`
	PriceUntil money.Fen `json:"price_until,omitempty"`
}

// Give says what a rule gives: exactly one of these.
type Give struct {
	Commission money.Bps `json:"commission,omitempty"` // of the commission after the fee; the only one that may be below zero
	Price      money.Bps `json:"price,omitempty"`      // of what was paid and not given back
	Fixed      money.Fen `json:"fixed,omitempty"`      // in proportion to what was not given back
	Tiers      []Tier    `json:"tiers,omitempty"`      // of the commission, by what was paid
	Rebate     money.Bps `json:"rebate,omitempty"`     // of what the line brings its user; of a bonus only
}

// A Tier gives a share of the commission from a price on.
type Tier struct {
	From  money.Fen `json:"from"`
	Share money.Bps `json:"share"`
}

// Bounds of what a version of the rules may hold. Each is far above what anybody
// needs and far below what would slow an answer down.
const (
	rulesMax    = 200               // rules of one version: a link's terms must stay a text of a few kilobytes
	tiersMax    = 20                // tiers of one rule
	valuesMax   = 1000              // values of one condition
	nameMax     = 60                // bytes of a name
	ruleFenMax  = money.Fen(100_00) // a fixed part: nobody gives more for one line by intent
	rulePctMax  = money.Bps(2000)   // of the price: more than any network pays
	levelMax    = 100               // levels are few
	amountMax   = money.Fen(1_000_000_00)
	windowMax   = 400 * 24 * time.Hour // a campaign that lasts for ever is no campaign
	boundsSteps = 20_000               // how far Validate looks for the worst case
)

// validate says what is wrong with the i-th rule of a version.
func (r Rule) validate(i int, bad func(format string, args ...any)) {
	at := fmt.Sprintf("rules.%d", i)
	if r.Name == "" || len(r.Name) > nameMax {
		bad("%s.name: it is empty or longer than %d bytes", at, nameMax)
	}
	switch r.Mode {
	case Base, Add:
		if r.UserCap != 0 || r.Give.Rebate != 0 {
			bad("%s: user_cap and a share of the rebate are for mode bonus", at)
		}
	case Bonus:
		r.validateBonus(at, bad)
	default:
		bad("%s.mode: %q is not base, add or bonus", at, r.Mode)
	}
	r.When.validate(at+".when", bad)
	r.Give.validate(at+".give", bad)
	if r.Minimum < 0 || r.Minimum > amountMax || r.Cap > 0 && r.Minimum > r.Cap {
		bad("%s.minimum: %s is below zero, above the cap or above %s", at, r.Minimum, amountMax)
	}
	if r.Cap < 0 || r.Cap > amountMax {
		bad("%s.cap: %s is not between 0 and %s", at, r.Cap, amountMax)
	}
	if r.Round < 0 || r.Round > 100 {
		bad("%s.round: %s is not between 0 and 1.00", at, r.Round)
	}
	if r.Give.beyond() && r.Budget == "" {
		bad("%s.budget: what it gives does not depend on the commission and may exceed it; name a budget that pays the difference", at)
	}
}

// validateBonus says what is wrong with a campaign: it ends, and its cost is known.
func (r Rule) validateBonus(at string, bad func(format string, args ...any)) {
	if r.Give.Fixed == 0 && r.Give.Rebate == 0 {
		bad("%s.give: a bonus gives a fixed sum, or a share of the rebate", at)
	}
	if r.When.From.IsZero() || r.When.Until.IsZero() {
		bad("%s.when: a bonus needs from and until", at)
	}
	if r.Budget == "" {
		bad("%s.budget: a bonus needs one that pays it", at)
	}
	if r.UserCap < 0 || r.UserCap > amountMax {
		bad("%s.user_cap: %s is not between 0 and %s", at, r.UserCap, amountMax)
	}
}

func (w When) validate(at string, bad func(format string, args ...any)) {
	for _, c := range []struct {
		name string
		n    int
		hole bool
	}{
		{"networks", len(w.Networks), slices.Contains(w.Networks, "")},
		{"categories", len(w.Categories), slices.Contains(w.Categories, "")},
		{"shops", len(w.Shops), slices.Contains(w.Shops, "")},
		{"items", len(w.Items), slices.Contains(w.Items, "")},
		{"users", len(w.Users), slices.ContainsFunc(w.Users, func(u int64) bool { return u <= 0 })},
	} {
		if c.n > valuesMax || c.hole {
			bad("%s.%s: more than %d values, or an empty one", at, c.name, valuesMax)
		}
	}
	if w.LevelFrom < 0 || w.LevelTo < 0 || w.LevelFrom > levelMax || w.LevelTo > levelMax || w.lastLevel() < w.LevelFrom {
		bad("%s.levels: %d to %d is no range of levels between 0 and %d", at, w.LevelFrom, w.LevelTo, levelMax)
	}
	if w.Inviter != "" && w.Inviter != InviterNone && w.Inviter != InviterSome {
		bad("%s.inviter: %q is not none or some", at, w.Inviter)
	}
	switch {
	case !w.From.IsZero() && !w.Until.IsZero() && !w.Until.After(w.From):
		bad("%s.until: it is not after from", at)
	case !w.From.IsZero() && !w.Until.IsZero() && w.Until.Sub(w.From) > windowMax:
		bad("%s.until: a campaign may last %d days", at, int(windowMax/(24*time.Hour)))
	}
	if w.PriceFrom < 0 || w.PriceUntil < 0 || w.PriceUntil > 0 && w.PriceUntil <= w.PriceFrom || max(w.PriceFrom, w.PriceUntil) > amountMax {
		bad("%s.price: from %s until %s is no range below %s", at, w.PriceFrom, w.PriceUntil, amountMax)
	}
}

func (g Give) validate(at string, bad func(format string, args ...any)) {
	n := 0
	for _, there := range []bool{g.Commission != 0, g.Price != 0, g.Fixed != 0, len(g.Tiers) > 0, g.Rebate != 0} {
		if there {
			n++
		}
	}
	if n != 1 {
		bad("%s: it gives %d things; exactly one of commission, price, fixed, tiers and rebate is needed", at, n)
	}
	if g.Commission < -money.Whole || g.Commission > money.Whole {
		bad("%s.commission: %s is not between -100%% and 100%%", at, g.Commission)
	}
	if g.Price < 0 || g.Price > rulePctMax {
		bad("%s.price: %s is not between 0%% and %s", at, g.Price, rulePctMax)
	}
	if g.Fixed < 0 || g.Fixed > ruleFenMax {
		bad("%s.fixed: %s is not between 0 and %s", at, g.Fixed, ruleFenMax)
	}
	if g.Rebate < 0 || g.Rebate > money.Whole {
		bad("%s.rebate: %s is not between 0%% and 100%%", at, g.Rebate)
	}
	if len(g.Tiers) > tiersMax {
		bad("%s.tiers: there are %d, at most %d can be", at, len(g.Tiers), tiersMax)
	}
	for i, t := range g.Tiers {
		if t.Share < 0 || t.Share > money.Whole {
			bad("%s.tiers.%d.share: %s is not between 0%% and 100%%", at, i, t.Share)
		}
		if t.From < 0 || t.From > amountMax || i > 0 && t.From <= g.Tiers[i-1].From {
			bad("%s.tiers.%d.from: %s is not above the one before", at, i, t.From)
		}
	}
}

// beyond reports whether it may give more than the commission, however small that
// is.
func (g Give) beyond() bool { return g.Price != 0 || g.Fixed != 0 }

// share returns the share of the commission that is given at a price.
func (g Give) share(price money.Fen) money.Bps {
	b := g.Commission
	for _, t := range g.Tiers {
		if price >= t.From {
			b = t.Share
		}
	}
	return b
}

func (w When) lastLevel() int {
	if w.LevelTo == 0 && !w.LevelOnly {
		return math.MaxInt32
	}
	return w.LevelTo
}

// A Subject is what the rules look at when a link is made.
type Subject struct {
	Level    int
	Network  string
	Category string
	Shop     string
	Item     string
	User     int64
	At       time.Time // when the link is made; zero: no campaign counts
	Price    money.Fen // what will be paid, as far as known
	Inviter  string    // InviterNone or InviterSome; "": not known
}

// What When.Inviter and Subject.Inviter say.
const (
	InviterNone = "none" // nobody has invited the user
	InviterSome = "some" // somebody has
)

// fits reports whether a rule is for a subject, whatever the price.
func (w When) fits(s Subject) bool {
	return among(w.Networks, s.Network) && among(w.Categories, s.Category) && among(w.Shops, s.Shop) && among(w.Items, s.Item) &&
		among(w.Users, s.User) && s.Level >= w.LevelFrom && s.Level <= w.lastLevel() && w.open(s.At) &&
		(w.Inviter == "" || w.Inviter == s.Inviter)
}

func (w When) open(at time.Time) bool {
	if w.From.IsZero() && w.Until.IsZero() {
		return true
	}
	return !at.IsZero() && !at.Before(w.From) && (w.Until.IsZero() || at.Before(w.Until))
}

func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

func priced(from, until, price money.Fen) bool {
	return price >= from && (until == 0 || price < until)
}
