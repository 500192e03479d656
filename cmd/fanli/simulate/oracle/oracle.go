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
	"slices"
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

	First, Second money.Bps // inviters' parts of what the house keeps
	Gift          money.Fen // for a line of which nothing goes back; a budget pays it
}

// A Link is what a person was told, and when. The rules are those in force then.
type Link struct {
	User     int64
	Level    int // of the user
	Network  string
	Item     string
	Category string
	Tag      string
	Slot     string // a position that people share; "" where there are none
	Rules    *Rules
	Dry      bool // they were told that there are no gifts any more
	At       time.Time

	nth int // of all links
}

// An Invitation is a person's word that another has brought them.
type Invitation struct {
	User, Inviter int64 // numbered as they came
	At            time.Time
}

// A Limit is what a budget gives away at most; 0: no limit.
type Limit struct {
	Day, Month, Total money.Fen
}

// A Bonus is what a person asks for, at every time that they ask.
type Bonus struct {
	User   int64
	Budget string
	Amount money.Fen
	Daily  bool // once a day in Beijing; else once
	At     time.Time
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
	Network, ID, Order, Item, Category string
	Parent                             string // the order it was split from; "" for none
	Tag, Slot                          string // "" for what got lost

	State           State
	Split           bool // it is Gone because lines with its order as Parent stand for it
	Price, Refunded money.Fen
	Commission      money.Fen // what the network owes for it, after all refunds
	Disputed        bool      // an after-sale case is open
	Created         time.Time
	SettledAt       time.Time
}

// A Claim is a person's word that an order is theirs.
type Claim struct {
	User           int64
	Network, Order string
}

// A Decision is staff's word whose an order is, under the rules of that day.
type Decision struct {
	User           int64
	Network, Order string
	Rules          *Rules
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
	Now         time.Time
	Links       []Link
	Lines       []Line
	Claims      []Claim
	Decisions   []Decision
	Levels      map[int64]int // of users
	Rules       *Rules        // for what nobody had asked for; they have never changed if there is such
	Invitations []Invitation
	Bonuses     []Bonus
	Budgets     map[string]Limit
	Payments    []Payment
	Waiting     []Request
	Unions      []Union
	Charges     []Charge
}

// A Wallet is where one user's money has to be.
type Wallet struct {
	Pending, Available, Reserved, Paid, Debt money.Fen
}

// A Share is what one line has to bring.
type Share struct {
	User   int64 // 0: nobody's
	Rebate money.Fen
	Cuts   [2]Cut    // of who brought the user, and of who brought that one
	Gift   money.Fen // of all this, what a budget pays
	Margin money.Fen
	Ready  bool // it is the users'; else it waits
}

// A Cut is an inviter's part.
type Cut struct {
	User   int64
	Amount money.Fen
}

// Books are all balances as they have to be.
type Books struct {
	Wallets  map[int64]Wallet
	Networks map[string]money.Fen // owed to us
	Payers   map[string]money.Fen // went out
	Margin   money.Fen
	Given    money.Fen        // out of budgets, less what the operator has put in
	Lines    map[string]Share // by network/id

	Tills      map[string]money.Fen // what people have paid there and we have kept
	Bank       money.Fen            // what the operator has paid
	Membership money.Fen
	Suspense   money.Fen // another amount came than was asked for, and nobody has decided
	Wrong      []Fault   // what is wrong, whatever our books say
}

// Judge computes the books that a truth demands.
func Judge(t Truth) Books {
	b := Books{
		Wallets: map[int64]Wallet{}, Networks: map[string]money.Fen{}, Payers: map[string]money.Fen{}, Lines: map[string]Share{},
		Tills: map[string]money.Fen{},
	}
	for _, c := range t.Charges {
		b.charge(c)
	}
	o := index(t)
	earned := bonuses(t)
	for u, n := range earned {
		b.Wallets[u] = Wallet{}
		b.Given += n
	}
	who := people(t.Unions).root
	for _, l := range t.Lines {
		s := o.share(l, t.Now)
		b.Lines[l.Network+"/"+l.ID] = s
		b.Margin += s.Margin
		b.Given += s.Gift
		b.Networks[l.Network] += s.Margin - s.Gift
		for _, c := range []Cut{{s.User, s.Rebate}, s.Cuts[0], s.Cuts[1]} {
			b.Networks[l.Network] += c.Amount
			if s.Ready {
				earned[who(c.User)] += c.Amount
				c.Amount = 0
			}
			b.wallet(who(c.User), Wallet{Pending: c.Amount})
		}
	}
	for _, p := range t.Payments {
		b.Payers[p.Payer] += p.Amount
		b.wallet(who(p.User), Wallet{Paid: p.Amount})
	}
	for _, r := range t.Waiting {
		b.wallet(who(r.User), Wallet{Reserved: r.Amount})
	}
	delete(b.Wallets, 0) // what is nobody's is the house's until somebody is found
	for u, w := range b.Wallets {
		left := earned[u] - w.Paid - w.Reserved
		w.Available, w.Debt = max(left, 0), max(-left, 0) // a debt is paid from whatever comes in
		b.Wallets[u] = w
	}
	return b
}

func (b Books) wallet(user int64, add Wallet) {
	w := b.Wallets[user]
	w.Pending, w.Reserved, w.Paid = w.Pending+add.Pending, w.Reserved+add.Reserved, w.Paid+add.Paid
	b.Wallets[user] = w
}

// An evidence is the truth by what it is looked up with.
type evidence struct {
	people
	truth   Truth
	byTag   map[string]Link
	byItem  map[string][]Link // oldest first
	orders  map[string][]Line // by the number as they were placed
	wholes  map[string][]Line // what was split, by its own number
	claims  map[string][]int64
	brought map[int64]Invitation
	digits  map[string]int64 // of buyers, as confirmed by a claim that was granted
}

func index(t Truth) evidence {
	o := evidence{
		people: t.Unions, truth: t, byTag: map[string]Link{}, byItem: map[string][]Link{}, orders: map[string][]Line{}, wholes: map[string][]Line{},
		claims: map[string][]int64{}, brought: map[int64]Invitation{}, digits: map[string]int64{},
	}
	for _, l := range t.Lines {
		o.orders[l.placed()] = append(o.orders[l.placed()], l)
		if l.Split {
			o.wholes[l.number()] = append(o.wholes[l.number()], l)
		}
	}
	for i, l := range t.Links {
		l.nth = i
		o.byTag[l.Network+"/"+l.Tag] = l
		o.byItem[l.Network+"/"+l.Item] = append(o.byItem[l.Network+"/"+l.Item], l)
	}
	for _, c := range t.Claims {
		o.claims[c.Network+"/"+c.Order] = append(o.claims[c.Network+"/"+c.Order], c.User)
	}
	for _, i := range t.Invitations {
		if _, again := o.brought[i.User]; !again && i.Inviter < i.User { // the first word counts, and nobody is brought by a younger one
			o.brought[i.User] = i
		}
	}
	for _, l := range t.Lines {
		if _, _, own := o.own(l); digits(l) != "" && !own {
			if through, ok := o.claimed(l); ok {
				o.digits[digits(l)] = through.User
			}
		}
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
	s := Share{User: through.User, Rebate: rebate(r, through, l)}
	rest := l.Commission - part(l.Commission, r.Fee)
	s.Gift = max(s.Rebate-rest, 0)
	if l.State == Settled && s.Rebate > 0 {
		s.Cuts = o.cuts(r, l, s.User, rest+s.Gift-s.Rebate)
	}
	s.Margin = l.Commission + s.Gift - s.Rebate - s.Cuts[0].Amount - s.Cuts[1].Amount
	hold, named := r.HoldDays[l.Network]
	if !named {
		hold = r.HoldDays[""]
	}
	s.Ready = l.State == Settled && !l.Disputed && !now.Before(l.SettledAt.AddDate(0, 0, hold))
	return s
}

// part is a share of an amount, rounded down.
func part(n money.Fen, b money.Bps) money.Fen { return n * money.Fen(b) / money.Fen(money.Whole) }

// rebate is the user's part of a line under the rules that were in force when
// their link was made: a share of the commission after the fee, and a gift in
// proportion to what did not go back.
func rebate(r *Rules, through Link, l Line) money.Fen {
	share := r.Base + r.Levels[through.Level] + r.Networks[l.Network] + r.Categories[through.Category]
	got := part(l.Commission-part(l.Commission, r.Fee), min(max(share, 0), money.Whole))
	if !through.Dry && l.Price > 0 {
		got += r.Gift * (l.Price - l.Refunded) / l.Price
	}
	if r.Cap > 0 {
		got = min(got, r.Cap)
	}
	if got < r.Minimum {
		return 0
	}
	return got
}

// whose finds the link through which a line was bought. Staff's word is stronger
// than all but a tag; one that agrees changes nothing. Who gets a line keeps what
// they were promised. What they had not asked for is as if through a link that has
// neither gifts nor rules of its own.
func (o evidence) whose(l Line) (Link, bool) {
	through, ok := o.whole(l)
	if !ok {
		through, ok = o.ladder(l)
	}
	for _, d := range o.truth.Decisions { // in the order in which they were taken
		if l.Tag != "" || !slices.Contains(o.numbers(l), d.Network+"/"+d.Order) || ok && o.root(through.User) == o.root(d.User) {
			continue
		}
		through, ok = o.promised(l, d.User, d.Rules), true
	}
	return through, ok
}

// whole is whose the line was that l is a part of, before staff has spoken of the part.
func (o evidence) whole(l Line) (through Link, ok bool) {
	if l.Tag != "" || l.Parent == "" {
		return Link{}, false
	}
	for _, w := range o.wholes[l.placed()] {
		if w.Item != l.Item {
			continue
		}
		one, is := o.whose(w)
		if !is || ok && o.root(one.User) != o.root(through.User) {
			return Link{}, false
		}
		through, ok = one, true
	}
	return through, ok
}

func (o evidence) promised(l Line, user int64, r *Rules) Link {
	if through, ok := o.lent(o.newest(l, claimWindow, ""), user); ok {
		through.User = user
		return through
	}
	return Link{User: user, Level: o.truth.Levels[user], Category: l.Category, Rules: r, Dry: true}
}

// ladder holds a line against its own evidence, then against that of the order's
// other lines, and at last against people's word. It never guesses.
func (o evidence) ladder(l Line) (Link, bool) {
	through, fits, ok := o.own(l)
	if ok {
		return through, true
	}
	if user, ok := o.kin(l, o.said); ok && fits == 0 {
		return o.promised(l, user, o.truth.Rules), true
	}
	if through, ok := o.claimed(l); ok {
		return through, true
	}
	user, ok := o.kin(l, o.claimed)
	return o.promised(l, user, o.truth.Rules), ok && fits == 0
}

func (o evidence) said(l Line) (Link, bool) { through, _, ok := o.own(l); return through, ok }

// own is what a line says itself: its tag; without one, position, item and time if
// exactly one user fits, or one of several whose digits the buyer's are. fits is how
// many users do.
func (o evidence) own(l Line) (through Link, fits int, ok bool) {
	if l.Tag != "" {
		through, ok = o.byTag[l.Network+"/"+l.Tag]
		return through, 1, ok
	}
	near := o.one(o.newest(l, clickWindow, l.Slot))
	if known, fits := near[o.root(o.digits[digits(l)])]; fits && len(near) > 1 {
		return known, len(near), true
	}
	for _, one := range near {
		through = one
	}
	return through, len(near), len(near) == 1
}

// digits are the last six of an order number, which on Taobao are the buyer's.
func digits(l Line) string {
	if l.Network != "taobao" {
		return ""
	}
	return l.Order[max(0, len(l.Order)-6):]
}

// number is that of a line's order, and placed that of the order which it was a part
// of when it was placed or split.
func (l Line) number() string { return l.Network + "/" + l.Order }

func (l Line) placed() string {
	if l.Parent == "" {
		return l.number()
	}
	return l.Network + "/" + l.Parent
}

// numbers are those by which a line can be named: its order's, and those of the orders
// that this was split from.
func (o evidence) numbers(l Line) []string {
	out := []string{l.number()}
	for l.Parent != "" {
		out = append(out, l.placed())
		wholes := o.wholes[l.placed()]
		if len(wholes) == 0 {
			break
		}
		l = wholes[0]
	}
	return out
}

// kin is the one user who has other lines of the same order as it was placed, as far
// as says says.
func (o evidence) kin(l Line, says func(Line) (Link, bool)) (user int64, one bool) {
	for _, other := range o.orders[l.placed()] {
		through, ok := says(other)
		if !ok || other.ID == l.ID {
			continue
		}
		if user != 0 && o.root(user) != o.root(through.User) {
			return 0, false
		}
		user = through.User
	}
	return user, user != 0
}

// claimed is the link of exactly one user who says that the order is theirs, and
// had asked for the item.
func (o evidence) claimed(l Line) (Link, bool) {
	if l.Tag != "" {
		return Link{}, false
	}
	asked, found := o.newest(l, claimWindow, ""), map[int64]Link{}
	for _, number := range o.numbers(l) {
		for _, u := range o.claims[number] {
			if through, ok := o.lent(asked, u); ok && found[o.root(u)].User == 0 { // of one person's words the first counts
				through.User = u
				found[o.root(u)] = through
			}
		}
	}
	for _, through := range found {
		return through, len(found) == 1
	}
	return Link{}, false
}

// newest returns each user's newest link for the line's item, and through its
// position if there is one, that was made before the order, but not longer before
// than back.
func (o evidence) newest(l Line, back time.Duration, slot string) map[int64]Link {
	byUser := map[int64]Link{}
	for _, through := range o.byItem[l.Network+"/"+l.Item] {
		if !through.At.After(l.Created.Add(clockSlack)) && through.At.After(l.Created.Add(-back)) && (slot == "" || slot == through.Slot) {
			byUser[through.User] = through
		}
	}
	return byUser
}
