// Package rebate decides how much of a commission becomes a user's.
//
// [Rules] are data with a version: an ordered list of [Rule], before a simple
// section for those who need no list. What they say for one user and one offer are
// the [Terms]; they are frozen on the link, so that an order is always computed
// as its shopper was told. [Clerk] keeps for every order line what it should
// bring, and tells others when that changes.
//
// # Guarantees
//
//   - A rebate is rounded down. What the user gets, what inviters get and what the
//     house keeps add up to the commission, fen by fen, together with what a
//     budget adds.
//   - Without a budget nothing exceeds the commission: rules that could are
//     refused, and what is computed is bounded all the same.
//   - There are two levels of inviters and no way to write down a third.
//   - A bonus needs a budget and an end, and is no part of a rebate.
//   - Every rebate carries a trace that a human can follow with a pencil.
//   - An older state of an order line never replaces a newer one.
package rebate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fanli/core/money"
)

// Rules say how commissions are shared. The fields before List are the simple
// section; they count as rules that stand after List, see All.
type Rules struct {
	// Base is everybody's share of the commission.
	Base money.Bps `json:"base"`
	// Fee is deducted from the commission before it is shared: taxes and the
	// cost of running this. It is shown in the trace.
	Fee money.Bps `json:"fee"`
	// Levels, Networks and Categories add to the share; they may be negative.
	Levels     map[int]money.Bps    `json:"levels,omitempty"`
	Networks   map[string]money.Bps `json:"networks,omitempty"`
	Categories map[string]money.Bps `json:"categories,omitempty"`
	// Cap is the most that one order line brings; 0: no cap.
	Cap money.Fen `json:"cap"`
	// Minimum is the least that is worth booking; below it a line brings nothing.
	Minimum money.Fen `json:"minimum"`
	// HoldDays is how many days after settlement a rebate becomes available, by
	// network; "" is for those that are not named.
	HoldDays map[string]int `json:"hold_days,omitempty"`

	// List are the rules that the simple section cannot say.
	List []Rule `json:"list,omitempty"`
	// Referral is what inviters get.
	Referral Referral `json:"referral,omitzero"`
	// Settle says what a line is computed from once the network has settled it.
	Settle Settle `json:"settle,omitempty"`
	// SettleBudget pays the difference where Settle is SettleEstimate.
	SettleBudget string `json:"settle_budget,omitempty"`
	// Budgets are the names that rules may use. Their limits are kept where they
	// are spent.
	Budgets []string `json:"budgets,omitempty"`
}

// Referral says what those who invited a buyer get of what the house keeps of the
// buyer's order line, after the fee. There is no third level.
type Referral struct {
	First  money.Bps `json:"first,omitempty"`  // who invited the buyer
	Second money.Bps `json:"second,omitempty"` // who invited the first
}

// A Settle says what a line is computed from once it is settled.
type Settle string

// The ways. Before settlement it is always the estimate.
const (
	SettleActual   Settle = "settled"  // what the network has settled; "" means this
	SettleLower    Settle = "lower"    // the smaller one of estimate and settled
	SettleEstimate Settle = "estimate" // the estimate, as promised; a budget pays the difference
)

// holdDaysMax bounds HoldDays: a shopper is not kept waiting for ever.
const holdDaysMax = 180

// Validate returns all mistakes at once. It refuses rules that could give away
// more than the commission without a budget that pays for it.
func (r Rules) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	r.validateSimple(bad)
	r.validateList(bad)
	for name, b := range map[string]money.Bps{"first": r.Referral.First, "second": r.Referral.Second} {
		if b < 0 || b > money.Whole {
			bad("referral.%s: %s is not between 0%% and 100%% of what the house keeps", name, b)
		}
	}
	if sum := r.Referral.First + r.Referral.Second; sum > money.Whole && max(r.Referral.First, r.Referral.Second) <= money.Whole {
		bad("referral: inviters would get %s of what the house keeps", sum)
	}
	switch r.Settle {
	case "", SettleActual, SettleLower:
	case SettleEstimate:
		if r.SettleBudget == "" {
			bad("settle_budget: settle is estimate, which may exceed what the network pays; name a budget that pays the difference")
		}
	default:
		bad("settle: %q is not settled, lower or estimate", r.Settle)
	}
	if r.SettleBudget != "" && !slices.Contains(r.Budgets, r.SettleBudget) {
		bad("settle_budget: there is no budget %q", r.SettleBudget)
	}
	if len(errs) == 0 {
		r.guard(bad)
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func (r Rules) validateSimple(bad func(format string, args ...any)) {
	if r.Base < 0 || r.Base > money.Whole {
		bad("base: %s is not between 0%% and 100%%", r.Base)
	}
	if r.Fee < 0 || r.Fee > money.Whole {
		bad("fee: %s is not between 0%% and 100%%", r.Fee)
	}
	for level, b := range r.Levels {
		if b < -money.Whole || b > money.Whole || level < 0 {
			bad("levels.%d: %s is not between -100%% and 100%%", level, b)
		}
	}
	for _, m := range []struct {
		name string
		of   map[string]money.Bps
	}{{"networks", r.Networks}, {"categories", r.Categories}} {
		for k, b := range m.of {
			if b < -money.Whole || b > money.Whole {
				bad("%s.%s: %s is not between -100%% and 100%%", m.name, k, b)
			}
		}
	}
	if r.Cap < 0 {
		bad("cap: %s is below zero", r.Cap)
	}
	if r.Minimum < 0 || r.Cap > 0 && r.Minimum > r.Cap {
		bad("minimum: %s is below zero or above the cap", r.Minimum)
	}
	for k, d := range r.HoldDays {
		if d < 0 || d > holdDaysMax {
			bad("hold_days.%s: %d is not between 0 and %d", k, d, holdDaysMax)
		}
	}
}

func (r Rules) validateList(bad func(format string, args ...any)) {
	if len(r.List) > rulesMax {
		bad("rules: there are %d, at most %d can be", len(r.List), rulesMax)
		return
	}
	names, whole := map[string]int{}, -1
	for i, rule := range r.List {
		rule.validate(i, bad)
		if j, ok := names[rule.Name]; ok {
			bad("rules.%d.name: %q is the name of rule %d, too", i, rule.Name, j)
		}
		names[rule.Name] = i
		if rule.Budget != "" && !slices.Contains(r.Budgets, rule.Budget) {
			bad("rules.%d.budget: there is no budget %q", i, rule.Budget)
		}
		if rule.Mode != Base {
			continue
		}
		if whole >= 0 {
			bad("rules.%d: it never applies, because rule %d before it is for everything", i, whole)
		} else if rule.When.everything() {
			whole = i
		}
	}
}

func (w When) everything() bool {
	return max(len(w.Networks), len(w.Categories), len(w.Shops), len(w.Items), len(w.Users)) == 0 &&
		w.LevelFrom == 0 && w.LevelTo == 0 && !w.LevelOnly && w.Inviter == "" && w.From.IsZero() && w.Until.IsZero() && w.PriceFrom == 0 && w.PriceUntil == 0
}

// simple returns the rules that the simple section stands for, in the order in
// which the trace shows them.
func (r Rules) simple() (base Rule, adds []Rule) {
	base = Rule{Name: "base", Mode: Base, Give: Give{Commission: r.Base}}
	for _, level := range slices.Sorted(maps.Keys(r.Levels)) {
		adds = append(adds, Rule{
			Name: "level " + strconv.Itoa(level), Mode: Add, Give: Give{Commission: r.Levels[level]},
			When: When{LevelFrom: level, LevelTo: level, LevelOnly: true},
		})
	}
	for _, n := range slices.Sorted(maps.Keys(r.Networks)) {
		adds = append(adds, Rule{Name: "network " + n, Mode: Add, Give: Give{Commission: r.Networks[n]}, When: When{Networks: []string{n}}})
	}
	for _, c := range slices.Sorted(maps.Keys(r.Categories)) {
		adds = append(adds, Rule{Name: "category " + c, Mode: Add, Give: Give{Commission: r.Categories[c]}, When: When{Categories: []string{c}}})
	}
	return base, adds
}

// All returns all rules as one list: those of List, and after them those that the
// simple section stands for.
func (r Rules) All() []Rule {
	base, adds := r.simple()
	return append(append(slices.Clone(r.List), base), adds...)
}

// Terms applies the rules to a subject. Conditions on the price stay open: it is
// known when the order has come.
func (r Rules) Terms(version int64, s Subject) Terms {
	t := Terms{Rules: version, Fee: r.Fee, Cap: r.Cap, Minimum: r.Minimum, Refer: r.Referral}
	if r.Settle != SettleActual {
		t.Settle, t.SettleBudget = r.Settle, r.SettleBudget
	}
	t.Parts = append(r.bases(s), r.adds(s)...)
	t.Bonuses = r.bonuses(s)
	t.Share = t.share(s.Price)
	days, ok := r.HoldDays[s.Network]
	if !ok {
		days = r.HoldDays[""]
	}
	t.HoldDays = days
	return t
}

// bases returns the basis, and before it what would be the basis at some prices.
func (r Rules) bases(s Subject) (out []Part) {
	for _, rule := range r.List {
		if rule.Mode != Base || !rule.When.fits(s) {
			continue
		}
		p := rule.part()
		out = append(out, p)
		if p.From == 0 && p.Until == 0 {
			return out
		}
	}
	return append(out, Part{Kind: "base", Bps: r.Base})
}

func (r Rules) adds(s Subject) (out []Part) {
	for _, p := range []Part{
		{Kind: "level", Name: strconv.Itoa(s.Level), Bps: r.Levels[s.Level]},
		{Kind: "network", Name: s.Network, Bps: r.Networks[s.Network]},
		{Kind: "category", Name: s.Category, Bps: r.Categories[s.Category]},
	} {
		if p.Bps != 0 {
			out = append(out, p)
		}
	}
	for _, rule := range r.List {
		if rule.Mode == Add && rule.When.fits(s) {
			out = append(out, rule.part())
		}
	}
	return out
}

func (r Rules) bonuses(s Subject) (out []Part) {
	for _, rule := range r.List {
		if rule.Mode == Bonus && rule.When.fits(s) {
			out = append(out, rule.part())
		}
	}
	return out
}

// part freezes a rule.
func (r Rule) part() Part {
	return Part{
		Kind: "rule", Name: r.Name, Bps: r.Give.Commission, First: r.Mode == Base, Price: r.Give.Price, Fixed: r.Give.Fixed, Tiers: r.Give.Tiers,
		From: r.When.PriceFrom, Until: r.When.PriceUntil, Minimum: r.Minimum, Cap: r.Cap, Round: r.Round, Budget: r.Budget,
		Rebate: r.Give.Rebate, UserCap: r.UserCap,
	}
}
