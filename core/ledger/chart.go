package ledger

import "strings"

// A Class is what an account is for, whoever it belongs to. The chart of accounts
// speaks of classes; docs/ledger.md explains each.
type Class uint8

// The classes. NoClass is that of an account that is not in the chart.
const (
	NoClass Class = iota
	ClassNetwork
	ClassPayer
	ClassPending
	ClassAvailable
	ClassReserved
	ClassDebt
	ClassMargin
	ClassBank
	ClassMarketing
	ClassWrittenOff
	ClassAdjustments
	ClassCollector
	ClassMembership
	ClassSuspense
	ClassFees
	classes // how many there are
)

// classNames are the patterns of the classes' accounts.
var classNames = [classes]string{
	"", "network/*", "payer/*", "user/*/pending", "user/*/available", "user/*/reserved", "user/*/debt",
	string(Margin), string(Bank), string(Marketing), string(WrittenOff), string(Adjustments),
	"collector/*", string(Membership), string(Suspense), string(Fees),
}

// String returns the pattern of the class's accounts.
func (c Class) String() string { return classNames[c] }

// Sign is on which side of zero accounts of the class stay; 0 is either.
func (c Class) Sign() int {
	switch c {
	case ClassPending, ClassAvailable, ClassReserved, ClassSuspense:
		return 1
	case ClassDebt:
		return -1
	default:
		return 0
	}
}

// Class returns what the account is for.
func (a Account) Class() Class {
	if _, p, ok := a.Owner(); ok {
		switch p {
		case Pending:
			return ClassPending
		case Available:
			return ClassAvailable
		case Reserved:
			return ClassReserved
		case Debt:
			return ClassDebt
		}
		return NoClass
	}
	switch a {
	case Margin:
		return ClassMargin
	case Bank:
		return ClassBank
	case Marketing:
		return ClassMarketing
	case WrittenOff:
		return ClassWrittenOff
	case Adjustments:
		return ClassAdjustments
	case Membership:
		return ClassMembership
	case Suspense:
		return ClassSuspense
	case Fees:
		return ClassFees
	}
	if name, ok := strings.CutPrefix(string(a), "network/"); ok && name != "" {
		return ClassNetwork
	}
	if name, ok := strings.CutPrefix(string(a), "payer/"); ok && name != "" {
		return ClassPayer
	}
	if name, ok := strings.CutPrefix(string(a), "collector/"); ok && name != "" {
		return ClassCollector
	}
	return NoClass
}

// A Way is a move that the chart allows.
type Way struct {
	Kind Kind
	From Class
	To   Class
}

// chart is every move there is, apart from those of staff: Manual may move
// between any two accounts, because a correction cannot know what it corrects.
var chart = []Way{
	{Earn, ClassNetwork, ClassPending},
	{Earn, ClassNetwork, ClassAvailable},
	{Adjust, ClassNetwork, ClassPending},
	{Adjust, ClassNetwork, ClassAvailable},
	{Adjust, ClassPending, ClassNetwork},
	{Adjust, ClassAvailable, ClassNetwork},
	{Settle, ClassPending, ClassAvailable},
	{Revoke, ClassPending, ClassNetwork},
	{Revoke, ClassAvailable, ClassNetwork},
	{Claw, ClassDebt, ClassNetwork},
	{Repay, ClassAvailable, ClassDebt},
	{Keep, ClassNetwork, ClassMargin},
	{Keep, ClassMargin, ClassNetwork},
	{Reserve, ClassAvailable, ClassReserved},
	{Release, ClassReserved, ClassAvailable},
	{Payout, ClassReserved, ClassPayer},
	{Bonus, ClassMarketing, ClassAvailable},
	{Bonus, ClassMarketing, ClassNetwork},
	{Bonus, ClassNetwork, ClassMarketing},
	{Invite, ClassMarketing, ClassAvailable},
	{Campaign, ClassMarketing, ClassAvailable},
	{Refer, ClassNetwork, ClassPending},
	{Refer, ClassNetwork, ClassAvailable},
	{Forgive, ClassWrittenOff, ClassDebt},
	{Receive, ClassBank, ClassNetwork},
	{Receive, ClassNetwork, ClassBank},
	{Clear, ClassPayer, ClassBank},
	{Clear, ClassBank, ClassPayer},
	{Correct, ClassAdjustments, ClassNetwork},
	{Correct, ClassNetwork, ClassAdjustments},
	{Correct, ClassAdjustments, ClassPayer},
	{Correct, ClassPayer, ClassAdjustments},
	{Correct, ClassAdjustments, ClassBank},
	{Correct, ClassBank, ClassAdjustments},
	{Collect, ClassCollector, ClassMembership},
	{Collect, ClassCollector, ClassMarketing},
	{Collect, ClassCollector, ClassSuspense},
	{Refund, ClassMembership, ClassCollector},
	{Refund, ClassMarketing, ClassCollector},
	{Refund, ClassSuspense, ClassCollector},
	{Clear, ClassBank, ClassCollector},
	{Clear, ClassCollector, ClassBank},
	{Fee, ClassFees, ClassCollector},
	{Fee, ClassCollector, ClassFees},
	{Merge, ClassPending, ClassPending},
	{Merge, ClassAvailable, ClassAvailable},
	{Merge, ClassDebt, ClassDebt},
	{Merge, ClassDebt, ClassAvailable},
}

// Chart returns every move that is allowed, apart from those of kind Manual.
func Chart() []Way { return append([]Way(nil), chart...) }

// ways is the chart by kind, from and to.
var ways = func() map[Kind]*[classes][classes]bool {
	m := map[Kind]*[classes][classes]bool{}
	for _, w := range chart {
		if m[w.Kind] == nil {
			m[w.Kind] = &[classes][classes]bool{}
		}
		m[w.Kind][w.From][w.To] = true
	}
	return m
}()

// Allows reports whether the chart has a move of this kind.
func (k Kind) Allows(from, to Class) bool {
	if k == Manual {
		return from != NoClass && to != NoClass
	}
	t := ways[k]
	return t != nil && t[from][to]
}

// Elsewhere reports whether the kind may move between accounts of two users: only when
// they become one person, and when staff say so.
func (k Kind) Elsewhere() bool { return k == Manual || k == Merge }

// Charted reports whether the chart allows the entry. What moves between two
// accounts of users moves within one user's, but for [Kind.Elsewhere].
func (e Entry) Charted() bool {
	if !e.Kind.Allows(e.From.Class(), e.To.Class()) {
		return false
	}
	from, _, ok := e.From.Owner()
	to, _, both := e.To.Owner()
	return e.Kind.Elsewhere() || !ok || !both || from == to
}
