// Package oracle computes every balance from the final truth of the outside.
//
// It is written from the text of the design (§5, the money path) and of the issue
// "Money that can be proved", not from the code that it judges: it imports nothing
// of ours but money, knows no events, no revisions and no database, and cares for
// no history. Orders are what the networks say in the end, payments are what the
// bank has done, links and rules are what people were told. Whatever happened in
// between must lead to these books, fen by fen.
package oracle

import (
	"time"

	"fanli/core/money"
)

// What the ladder of attribution promises: how long before an order its click may
// lie, how far two clocks may differ, and how long before an order its claimant
// must have asked for the item.
const (
	clickWindow = 24 * time.Hour
	clockSlack  = 2 * time.Minute
	claimWindow = 15 * 24 * time.Hour
)

// Rules are how commissions were shared for a while.
type Rules struct {
	Base, Fee  money.Bps
	Levels     map[int]money.Bps
	Networks   map[string]money.Bps
	Categories map[string]money.Bps
	Cap        money.Fen // the most that a line brings; 0: no cap
	Minimum    money.Fen // the least that is worth booking
	HoldDays   map[string]int
}

// A Link is what a person was told, and when. The rules are those in force then.
type Link struct {
	User     int64
	Level    int // of the user
	Network  string
	Item     string
	Category string
	Tag      string
	Rules    *Rules
	At       time.Time
}

// A State is how far a line has come in the end.
type State int

// The states. What was cancelled, split or found in violation is Gone.
const (
	Unpaid State = iota
	Earning
	Settled
	Gone
)

// A Line is one item of an order as its network has it in the end.
type Line struct {
	Network, ID, Order, Item, Tag string

	State      State
	Commission money.Fen // what the network owes for it, after all refunds
	Disputed   bool      // an after-sale case is open
	Created    time.Time
	SettledAt  time.Time
}

// A Claim is a person's word that an order is theirs.
type Claim struct {
	User           int64
	Network, Order string
}

// A Payment is money that really left.
type Payment struct {
	User   int64
	Payer  string
	Amount money.Fen
}

// A Request is a withdrawal that waits for a person, by that person's own notes.
type Request struct {
	User   int64
	Amount money.Fen
}

// A Truth is all that has become of the outside.
type Truth struct {
	Now      time.Time
	Links    []Link
	Lines    []Line
	Claims   []Claim
	Payments []Payment
	Waiting  []Request
}

// A Wallet is where one user's money has to be.
type Wallet struct {
	Pending, Available, Reserved, Paid, Debt money.Fen
}

// A Share is what one line has to bring.
type Share struct {
	User   int64 // 0: nobody's
	Rebate money.Fen
	Margin money.Fen
	Ready  bool // it is the user's; else it waits
}

// Books are all balances as they have to be.
type Books struct {
	Wallets  map[int64]Wallet
	Networks map[string]money.Fen // owed to us
	Payers   map[string]money.Fen // went out
	Margin   money.Fen
	Lines    map[string]Share // by network/id
}

// Judge computes the books that a truth demands.
func Judge(t Truth) Books {
	b := Books{
		Wallets: map[int64]Wallet{}, Networks: map[string]money.Fen{}, Payers: map[string]money.Fen{}, Lines: map[string]Share{},
	}
	o := index(t)
	earned := map[int64]money.Fen{}
	for _, l := range t.Lines {
		s := o.share(l, t.Now)
		b.Lines[l.Network+"/"+l.ID] = s
		b.Margin += s.Margin
		b.Networks[l.Network] += s.Rebate + s.Margin
		w := b.Wallets[s.User]
		if s.Ready {
			earned[s.User] += s.Rebate
		} else {
			w.Pending += s.Rebate
		}
		b.Wallets[s.User] = w
	}
	for _, p := range t.Payments {
		b.Payers[p.Payer] += p.Amount
		w := b.Wallets[p.User]
		w.Paid += p.Amount
		b.Wallets[p.User] = w
	}
	for _, r := range t.Waiting {
		w := b.Wallets[r.User]
		w.Reserved += r.Amount
		b.Wallets[r.User] = w
	}
	delete(b.Wallets, 0) // what is nobody's is the house's until somebody is found
	for u, w := range b.Wallets {
		left := earned[u] - w.Paid - w.Reserved
		w.Available, w.Debt = max(left, 0), max(-left, 0) // a debt is paid from whatever comes in
		b.Wallets[u] = w
	}
	return b
}

// An evidence is the truth by what it is looked up with.
type evidence struct {
	byTag  map[string]Link
	byItem map[string][]Link // oldest first
	claims map[string][]int64
}

func index(t Truth) evidence {
	o := evidence{byTag: map[string]Link{}, byItem: map[string][]Link{}, claims: map[string][]int64{}}
	for _, l := range t.Links {
		o.byTag[l.Network+"/"+l.Tag] = l
		o.byItem[l.Network+"/"+l.Item] = append(o.byItem[l.Network+"/"+l.Item], l)
	}
	for _, c := range t.Claims {
		o.claims[c.Network+"/"+c.Order] = append(o.claims[c.Network+"/"+c.Order], c.User)
	}
	return o
}

// share says what a line brings, and to whom.
func (o evidence) share(l Line, now time.Time) Share {
	if l.State == Unpaid || l.State == Gone || l.Commission <= 0 {
		return Share{}
	}
	through, ok := o.whose(l)
	if !ok {
		return Share{Margin: l.Commission}
	}
	r := through.Rules
	s := Share{User: through.User, Rebate: rebate(r, through, l.Commission)}
	s.Margin = l.Commission - s.Rebate
	hold, named := r.HoldDays[l.Network]
	if !named {
		hold = r.HoldDays[""]
	}
	s.Ready = l.State == Settled && !l.Disputed && !now.Before(l.SettledAt.AddDate(0, 0, hold))
	return s
}

// rebate is the user's part of a commission under the rules that were in force
// when their link was made. Every share is rounded down.
func rebate(r *Rules, l Link, commission money.Fen) money.Fen {
	share := r.Base + r.Levels[l.Level] + r.Networks[l.Network] + r.Categories[l.Category]
	share = min(max(share, 0), money.Whole)
	part := func(n money.Fen, b money.Bps) money.Fen { return n * money.Fen(b) / money.Fen(money.Whole) }
	got := part(commission-part(commission, r.Fee), share)
	if r.Cap > 0 {
		got = min(got, r.Cap)
	}
	if got < r.Minimum {
		return 0
	}
	return got
}

// whose finds the link through which a line was bought: by its tag; without one,
// by item and time if exactly one user fits; at last by the word of exactly one
// user who had asked for the item. Never by a guess.
func (o evidence) whose(l Line) (Link, bool) {
	if l.Tag != "" {
		through, ok := o.byTag[l.Network+"/"+l.Tag]
		return through, ok
	}
	near, users := o.newest(l, clickWindow)
	if users == 1 {
		for _, through := range near {
			return through, true
		}
	}
	asked, _ := o.newest(l, claimWindow)
	var found []Link
	for _, u := range o.claims[l.Network+"/"+l.Order] {
		if through, ok := asked[u]; ok {
			found = append(found, through)
		}
	}
	if len(found) != 1 {
		return Link{}, false
	}
	return found[0], true
}

// newest returns each user's newest link for the line's item that was made before
// the order, but not longer before than back.
func (o evidence) newest(l Line, back time.Duration) (byUser map[int64]Link, users int) {
	byUser = map[int64]Link{}
	for _, through := range o.byItem[l.Network+"/"+l.Item] {
		if !through.At.After(l.Created.Add(clockSlack)) && through.At.After(l.Created.Add(-back)) {
			byUser[through.User] = through
		}
	}
	return byUser, len(byUser)
}
