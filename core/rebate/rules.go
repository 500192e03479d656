// Package rebate decides how much of a commission becomes a user's.
//
// [Rules] are data with a version. What they say for one user and one offer are
// the [Terms]; they are frozen on the link, so that an order is always computed
// as its shopper was told. [Clerk] keeps for every order line what it should
// bring, and tells others when that changes.
//
// # Guarantees
//
//   - A rebate is rounded down and never exceeds the commission: what the user
//     gets and what the house keeps add up to it, fen by fen.
//   - Every rebate carries a trace that a human can follow with a pencil.
//   - An older state of an order line never replaces a newer one.
package rebate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fanli/core/fault"
	"fanli/core/money"
)

// Rules say how commissions are shared.
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
}

// holdDaysMax bounds HoldDays: a shopper is not kept waiting for ever.
const holdDaysMax = 180

// Validate returns all mistakes at once.
func (r Rules) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
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
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// A Subject is what the rules look at.
type Subject struct {
	Level    int
	Network  string
	Category string
}

// A Part is one contribution to a share.
type Part struct {
	Kind string    `json:"kind"` // "base", "level", "network", "category"
	Name string    `json:"name,omitempty"`
	Bps  money.Bps `json:"bps"`
}

// Terms are what the rules say for one subject.
type Terms struct {
	Rules    int64     `json:"rules"` // version
	Parts    []Part    `json:"parts"`
	Share    money.Bps `json:"share"` // the sum of the parts, between 0 and 100 %
	Fee      money.Bps `json:"fee,omitempty"`
	Cap      money.Fen `json:"cap,omitempty"`
	Minimum  money.Fen `json:"minimum,omitempty"`
	HoldDays int       `json:"hold_days,omitempty"`
}

// Terms applies the rules to a subject.
func (r Rules) Terms(version int64, s Subject) Terms {
	t := Terms{Rules: version, Fee: r.Fee, Cap: r.Cap, Minimum: r.Minimum}
	add := func(kind, name string, b money.Bps) {
		if b != 0 || kind == "base" {
			t.Parts = append(t.Parts, Part{kind, name, b})
			t.Share += b
		}
	}
	add("base", "", r.Base)
	add("level", fmt.Sprint(s.Level), r.Levels[s.Level])
	add("network", s.Network, r.Networks[s.Network])
	add("category", s.Category, r.Categories[s.Category])
	t.Share = min(max(t.Share, 0), money.Whole)
	days, ok := r.HoldDays[s.Network]
	if !ok {
		days = r.HoldDays[""]
	}
	t.HoldDays = days
	return t
}

// A Trace is how a rebate was computed. Package bot puts it into words.
type Trace struct {
	Terms      Terms     `json:"terms"`
	Commission money.Fen `json:"commission"`
	Base       money.Fen `json:"base"`             // after the fee
	Raw        money.Fen `json:"raw"`              // the share of Base, before cap and minimum
	Capped     bool      `json:"capped,omitempty"` // the cap applied
	Small      bool      `json:"small,omitempty"`  // below the minimum
	Rebate     money.Fen `json:"rebate"`
}

// Rebate computes what a commission brings.
func (t Terms) Rebate(commission money.Fen) Trace {
	commission = max(commission, 0)
	tr := Trace{Terms: t, Commission: commission}
	tr.Base = commission - commission.Share(t.Fee)
	tr.Raw = tr.Base.Share(t.Share)
	tr.Rebate = tr.Raw
	if t.Cap > 0 && tr.Rebate > t.Cap {
		tr.Rebate, tr.Capped = t.Cap, true
	}
	if tr.Rebate < t.Minimum {
		tr.Rebate, tr.Small = 0, tr.Raw > 0
	}
	return tr
}

// String writes the trace as an operator reads it:
//
//	base 70% + level 1 5% = 75% × ¥10.80 (commission ¥12.00 − fee 10%) = ¥8.10
func (tr Trace) String() string {
	var b strings.Builder
	for i, p := range tr.Terms.Parts {
		if i > 0 {
			b.WriteString(" + ")
		}
		b.WriteString(strings.TrimSpace(p.Kind+" "+p.Name) + " " + p.Bps.String())
	}
	if len(tr.Terms.Parts) > 1 {
		b.WriteString(" = " + tr.Terms.Share.String())
	}
	if tr.Terms.Fee > 0 {
		fmt.Fprintf(&b, " × %s (commission %s − fee %s)", tr.Base.Yuan(), tr.Commission.Yuan(), tr.Terms.Fee)
	} else {
		fmt.Fprintf(&b, " × commission %s", tr.Commission.Yuan())
	}
	fmt.Fprintf(&b, " = %s", tr.Raw.Yuan())
	if tr.Capped {
		fmt.Fprintf(&b, ", at most %s", tr.Rebate.Yuan())
	}
	if tr.Small {
		fmt.Fprintf(&b, ", below %s: nothing", tr.Terms.Minimum.Yuan())
	}
	return b.String()
}

// String writes the terms so that ParseTerms reads them.
func (t Terms) String() string {
	b, err := json.Marshal(t)
	if err != nil { // plain data
		panic(err)
	}
	return string(b)
}

// ParseTerms reads frozen terms.
func ParseTerms(s string) (Terms, error) {
	var t Terms
	if err := json.Unmarshal([]byte(s), &t); err != nil {
		return t, fault.Wrap(fault.Invalid, "rebate.ParseTerms", err)
	}
	return t, nil
}
