package oracle

import (
	"fmt"
	"slices"
	"time"

	"fanli/core/money"
)

// A Charge is a sum that somebody was asked for, and what has become of it at the till.
type Charge struct {
	Number string
	User   int64 // 0: the operator, who puts money into the budgets
	Till   string
	Asked  money.Fen
	Level  int // that it buys, for so many days
	Days   int

	Paid     money.Fen // what came; 0: nothing did
	At       time.Time // when
	Late     bool      // they had been told that it was too late, and paid all the same
	Denied   bool      // the till has said for a while that nothing would ever come
	Told     time.Time // when they were told that what they have bought is theirs; zero: never
	Returned time.Time // when staff said that it goes back; zero: never
	Back     money.Fen // what the till has given back
}

// back says whether the money has to be with who paid it: staff said so, or it came too
// late. Another amount than was asked for waits for staff, whenever it came. Where the
// till took back what it had said, either is right, as long as it is the same on both
// sides.
func (c Charge) back() bool {
	return !c.Returned.IsZero() || c.Paid == c.Asked && (c.Late || c.Denied && c.Back > 0)
}

// wrong says what cannot be right of a charge, whatever our books say.
func (c Charge) wrong() string {
	due := money.Fen(0)
	if c.back() {
		due = c.Paid
	}
	switch {
	case c.Back != due:
		return fmt.Sprintf("of %s that came under %s the till has given back %s; it should be %s (%+v)", c.Paid, c.Number, c.Back, due, c)
	case !c.Told.IsZero() && (c.Paid != c.Asked || c.Told.Before(c.At)):
		return fmt.Sprintf("it was told that %s was paid, and it was not (%+v)", c.Number, c)
	case c.Told.IsZero() && c.Paid == c.Asked && !c.back():
		return fmt.Sprintf("nobody was told that %s was paid (%+v)", c.Number, c)
	}
	return ""
}

// A Fault is what cannot be right of a charge.
type Fault struct{ Number, Text string }

// charge enters what was kept: what was asked for where it belongs, another amount where
// it waits. What the operator has paid is at the bank at once, the rest at its till.
func (b *Books) charge(c Charge) {
	if text := c.wrong(); text != "" {
		b.Wrong = append(b.Wrong, Fault{c.Number, text})
	}
	if c.Paid == 0 || c.back() {
		return
	}
	if c.User == 0 {
		b.Bank += c.Paid
	} else {
		b.Tills[c.Till] += c.Paid
	}
	switch {
	case c.Paid != c.Asked:
		b.Suspense += c.Paid
	case c.User == 0:
		b.Given -= c.Paid // it fills what budgets have given
	default:
		b.Membership += c.Paid
	}
}

// Level is the level of a person with these accounts and a level of their own, at a
// time: the highest of all that they have. A membership counts from when they were told
// of it, or after the one of the same level that they still had then, and not after it
// was to be given back.
func Level(cs []Charge, accounts []int64, own int, at time.Time) int {
	level := own
	for _, account := range accounts {
		for _, s := range spans(cs, account) {
			if s.Level > level && s.holds(at) && !at.Before(s.from) && at.Before(s.until) {
				level = s.Level
			}
		}
	}
	return level
}

// A span is how long a membership lasts.
type span struct {
	Charge
	from, until time.Time
}

// holds reports whether it had not been given back.
func (s span) holds(at time.Time) bool { return s.Returned.IsZero() || s.Returned.After(at) }

// spans are the memberships of one account, in the order in which it was told of them.
func spans(cs []Charge, account int64) (out []span) {
	var told []Charge
	for _, c := range cs {
		if c.User == account && account != 0 && !c.Told.IsZero() {
			told = append(told, c)
		}
	}
	slices.SortStableFunc(told, func(a, b Charge) int { return a.Told.Compare(b.Told) })
	for _, c := range told {
		s := span{Charge: c, from: c.Told}
		for _, o := range out {
			if o.Level == c.Level && o.holds(c.Told) && o.until.After(s.from) {
				s.from = o.until
			}
		}
		s.until = s.from.AddDate(0, 0, c.Days)
		out = append(out, s)
	}
	return out
}
