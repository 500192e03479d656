// Package reconcile holds others' books against ours: a network's settlement
// against the order lines and the ledger, a payer's bill against the payouts, a
// collector's bill against the charges and their refunds.
//
// The other book is a file, or what a network is asked for by an [Asking], or a
// bill that payer or collector were asked for: the comparison does not know which.
//
// A comparison walks through both books in the order of their keys and says of
// every key what it is: matched, differs and in what, missing here, missing
// there, listed twice, or unreadable. What matched can be accepted; only then
// money moves in the ledger:
//
//	house/bank ─▶ network/jd   the network's money for matched lines has arrived
//	payer/alipay ─▶ house/bank the payer's bill agrees with what we sent through it
//	house/bank ─▶ collector/alipay  its bill agrees with what people have paid us through it
//	house/fees ─▶ collector/alipay  less what it has kept of that
//
// So the clearing accounts of networks, payers and collectors return to zero as everything
// matches, and what does not match stays visible in them.
//
// A month is closed once. Its report is frozen with a hash that contains the one
// before; what changes later in its lines is an adjustment of the month in which
// it is found.
//
// # Guarantees
//
//   - Every row of the other book and every line of ours is in exactly one
//     finding, apart from those that need none: nothing was due and nothing came.
//   - Accepting the same file again, or after a crash, moves no money twice.
//   - A closed month's report never changes, and no money is accepted into it.
//   - Memory does not grow with a book that is in the order of its keys; one that
//     is not may have at most unsortedMax rows.
package reconcile

import (
	"iter"
	"slices"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
)

// A Subject is whose book is compared: "network/jd/main", "payer/alipay",
// "collector/wechatpay".
type Subject string

// OfNetwork is the subject of one of our accounts at a network.
func OfNetwork(network, account string) Subject {
	return Subject("network/" + network + "/" + account)
}

// OfPayer is the subject of a payer.
func OfPayer(name string) Subject { return Subject("payer/" + name) }

// OfCollector is the subject of a collector.
func OfCollector(name string) Subject { return Subject("collector/" + name) }

// Feed returns the network and account; ok is false for a payer or a collector.
func (s Subject) Feed() (network, account string, ok bool) {
	rest, ok := strings.CutPrefix(string(s), "network/")
	if !ok {
		return "", "", false
	}
	network, account, _ = strings.Cut(rest, "/")
	return network, account, true
}

// payer returns the payer's name.
func (s Subject) payer() string { return strings.TrimPrefix(string(s), "payer/") }

// collector returns the collector's name; ok is false for another subject.
func (s Subject) collector() (name string, ok bool) {
	return strings.CutPrefix(string(s), "collector/")
}

// clearing is the account that returns to zero.
func (s Subject) clearing() ledger.Account {
	if network, _, ok := s.Feed(); ok {
		return ledger.Network(network)
	}
	if name, ok := s.collector(); ok {
		return ledger.Collector(name)
	}
	return ledger.Payer(s.payer())
}

// cause is what entries of a period are about: "settlement/jd/main/2026-10",
// "bill/alipay/2026-10-03", "takings/alipay/2026-10-03".
func (s Subject) cause(p Period) string {
	if network, account, ok := s.Feed(); ok {
		return "settlement/" + network + "/" + account + "/" + p.Name
	}
	if name, ok := s.collector(); ok {
		return "takings/" + name + "/" + p.Name
	}
	return "bill/" + s.payer() + "/" + p.Name
}

// A Period is a month or a day that a book is about: From ≤ t < To.
type Period struct {
	Name     string // "2026-10", "2026-10-03"
	From, To time.Time
}

// ParsePeriod reads "2026-10" or "2026-10-03" in the zone by which the other book
// is kept.
func ParsePeriod(s string, zone *time.Location) (Period, error) {
	if t, err := time.ParseInLocation("2006-01", s, zone); err == nil {
		return Period{s, t, t.AddDate(0, 1, 0)}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return Period{s, t, t.AddDate(0, 0, 1)}, nil
	}
	return Period{}, fault.Newf(fault.Invalid, "", "%q is neither a month such as 2026-10 nor a day such as 2026-10-03", s)
}

// has reports whether t, give or take slack, is in the period.
func (p Period) has(t time.Time, slack time.Duration) bool {
	return !t.Before(p.From.Add(-slack)) && t.Before(p.To.Add(slack))
}

// Month is the name of the month that the period is, or is in.
func (p Period) Month() string { return p.Name[:len("2006-01")] }

// A Row is one row of the other book, as an adapter read it.
type Row struct {
	Number int    // of the line in the file, from 1
	Key    string // the network's id of the line, or our number of the payout, charge or refund
	Sum    money.Fen
	Price  money.Fen
	Refund money.Fen

	// Fee is what a collector has kept of Sum; below zero what it has given back with a
	// refund.
	Fee money.Fen

	HasPrice, HasRefund, HasFee bool // the book tells them

	State string    // as in ours; "" where the book does not tell
	At    time.Time // settled, or paid; zero where the book does not tell

	Raw string // the row as received
	Bad string // why it cannot be read; "" for a sound row
}

// Rows is the other book. It may be read more than once and is the same each
// time.
type Rows func() iter.Seq2[Row, error]

// Ours is what we have about one key.
type Ours struct {
	Key    string
	Said   money.Fen // by the order line, or the withdrawal
	Sum    money.Fen // by the ledger
	Price  money.Fen
	Refund money.Fen
	State  string
	At     time.Time // settled, or paid; zero: not yet
	Before money.Fen // accepted in other periods
	Here   money.Fen // accepted in this one
	Closed string    // the closed month that it is in; "" for none
	// Cleared is what was entered as arrived without a comparison, when it came.
	Cleared money.Fen
}

// gap is what is booked and not accepted.
func (o Ours) gap() money.Fen { return o.Sum - o.Before - o.Here }

// A Kind is what a comparison says of one key or row.
type Kind string

// The kinds.
const (
	Matched      Kind = "matched"
	Differs      Kind = "differs"
	MissingHere  Kind = "missing-here"  // they list it and we do not know it
	MissingThere Kind = "missing-there" // we have it in this period and they do not list it
	Twice        Kind = "twice"         // the row's key was listed before
	Unreadable   Kind = "unreadable"
)

// Kinds are all kinds, in the order of reports.
func Kinds() []Kind {
	return []Kind{Matched, Differs, MissingHere, MissingThere, Twice, Unreadable}
}

// An Aspect is in what a key differs.
type Aspect string

// The aspects.
const (
	Sum    Aspect = "sum" // commission, or amount of a payout, a charge or a refund
	Price  Aspect = "price"
	Refund Aspect = "refund"
	State  Aspect = "state"
	Shift  Aspect = "period" // of another month or day
	Ledger Aspect = "ledger" // our ledger has another sum than our order line
)

// A Finding is what a comparison says of one key or row.
type Finding struct {
	Kind  Kind
	Key   string
	What  []Aspect // Differs only
	Row   Row      // zero for MissingThere
	Ours  Ours     // zero for MissingHere, Twice, Unreadable
	Stray bool     // about nothing of ours in this period
}

// Has reports whether the finding differs in an aspect.
func (f Finding) Has(a Aspect) bool { return slices.Contains(f.What, a) }

// A Summary counts what a comparison has found.
type Summary struct {
	ID      int64
	Subject Subject
	Period  string
	At      time.Time
	Hash    string // of the rows
	Rows    int64
	Counts  map[Kind]int64
	Strays  int64     // differences about nothing of ours in this period
	Theirs  money.Fen // all they list
	Matched money.Fen // of that, matched
	Ours    money.Fen // all that we have in the period
	Fees    money.Fen // kept of what matched
}

// Open is how many findings are not Matched.
func (s Summary) Open() (n int64) {
	for k, c := range s.Counts {
		if k != Matched {
			n += c
		}
	}
	return n
}

// A Line is what an order line says for a settlement.
type Line struct {
	ID string // order.Key.ID
	order.Facts
}

// A Payout is a withdrawal that went out through a payer.
type Payout struct {
	Number string
	Amount money.Fen // by the withdrawal
	Booked money.Fen // by the ledger
	State  string    // a state of package withdraw
	At     time.Time // when it became so
}

// A Taking is money of a charge that has come through a collector or, with an
// amount below zero, has gone back. A charge has one of each at most.
type Taking struct {
	Number  string    // of the charge, or of its refund
	Amount  money.Fen // by the charge; 0: nothing has moved
	Booked  money.Fen // by the ledger
	Cleared money.Fen // of that, entered as arrived at the bank when it came
	State   string    // a stage of package collect
	At      time.Time // when we heard of it; zero: nothing has moved
}
