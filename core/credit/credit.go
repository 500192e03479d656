// Package credit enters rebates in the ledger.
//
// The ledger does not know rebates and rebates do not know accounts; this
// package knows both. For every order line it remembers what it has booked, and
// when a rebate changes it posts the difference between what the line should
// have and what it has. So the order in which news arrives does not matter, and
// news that comes twice posts nothing.
//
// # Guarantees
//
//   - What is booked for a line is exactly what its newest rebate says.
//   - Nothing is taken back that was not given.
//   - What cannot be taken from the available money, because it was paid out or
//     is on its way, becomes debt; the next money that becomes available pays it
//     first.
//   - Where two accounts have become one person's (see [Merger]) all money is in the
//     surviving one, whichever of them a line was ordered through.
package credit

import (
	"context"
	"fmt"
	"time"

	"fanli/core/audit"
	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// A Booked is what was entered for one order line.
type Booked struct {
	Key       order.Key
	Seq       int64 // of the rebate that it follows
	User      int64 // the account that it was ordered through; the money may be in another one
	Pending   money.Fen
	Available money.Fen
	Margin    money.Fen
	Cuts      [2]BookedCut // of those who invited the user
	TopUp     money.Fen    // what a budget added
	Budget    string       // which; kept when TopUp has gone
	Shared    bool         // there are, or were, Cuts or a TopUp
}

// A BookedCut is what was entered for one inviter of a line's user.
type BookedCut struct {
	User      int64
	Pending   money.Fen
	Available money.Fen
}

// A Store keeps what was booked, together with the ledger.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Used returns what was spent of a budget in each of periods.
	Used(ctx context.Context, budget string, periods []string) (map[string]money.Fen, error)
	// First returns the cause of the first order whose rebate became available to a
	// user, or fault.NotFound.
	First(ctx context.Context, user int64) (cause string, err error)
}

// A Tx is what a transaction can do. It works on batches.
type Tx interface {
	event.Emitter
	event.Inbox
	ledger.Tx
	control.Reader
	audit.Recorder
	// Booked returns the known ones of keys, locked.
	Booked(keys []order.Key) (map[order.Key]Booked, error)
	// PutBooked inserts or updates.
	PutBooked(bs []Booked) error
	// Spend adds amount to what was spent of a budget in a period, unless that
	// would be above limit; a limit of 0 is none. Of several at once those come
	// through that fit.
	Spend(budget, period string, amount, limit money.Fen) (bool, error)
	// Roots returns of accounts those that are merged into another one, and into which
	// in the end.
	Roots(accounts []int64) (map[int64]int64, error)
	// Kin returns all accounts of the person that an account belongs to, itself among
	// them.
	Kin(account int64) ([]int64, error)
	// Spent returns what was spent of a budget in a period.
	Spent(budget, period string) (money.Fen, error)
	// Came reports whether one of users has had a first order, see Store.First.
	Came(users []int64) (bool, error)
	// PutFirst stores what First returns; the one that is there already stays.
	PutFirst(user int64, cause string, at time.Time) error
}

// A Cashier is the service that enters rebates. It is safe for concurrent use.
type Cashier struct {
	Store Store
	Now   func() time.Time
	Zone  *time.Location // in which the days of budgets begin; nil: UTC
}

// Posted is the content of ledger.posted: what one batch has changed for users.
type Posted struct {
	Changes []Change    `json:"changes"`
	Cuts    []CutChange `json:"cuts,omitempty"`
}

// A CutChange is what became of an inviter's part of one order line. It does not say
// whose the order is.
type CutChange struct {
	User   int64     `json:"user"` // the inviter
	Before money.Fen `json:"before"`
	Now    money.Fen `json:"now"`
	Debt   money.Fen `json:"debt,omitempty"` // became debt with this change
}

// A Change is what became of the money of one order line.
type Change struct {
	Key    order.Key    `json:"key"`
	Seq    int64        `json:"seq"`
	User   int64        `json:"user"`
	Order  string       `json:"order"`
	Title  string       `json:"title"`
	State  order.State  `json:"state"`
	Why    string       `json:"why,omitempty"`
	Stage  rebate.Stage `json:"stage"`
	Before money.Fen    `json:"before"`           // pending + available of this line, before
	Now    money.Fen    `json:"now"`              // and now
	Was    rebate.Stage `json:"was"`              // where Before was
	Debt   money.Fen    `json:"debt,omitempty"`   // became debt with this change
	Repaid money.Fen    `json:"repaid,omitempty"` // of earlier debt was paid with this change
	Due    time.Time    `json:"due,omitzero"`
	Expect time.Time    `json:"expect,omitzero"`
}

// RebateChanged hears rebate.changed and posts the differences, all rebates of
// the batch in one transaction. It fails with control.Stopped, and has heard
// nothing, while credits are stopped.
func (c *Cashier) RebateChanged(ctx context.Context, e event.Event) error {
	var ch rebate.Changed
	if err := e.Decode(&ch); err != nil {
		return fault.Wrap(fault.Invalid, "credit.RebateChanged", err)
	}
	return c.Store.InTx(ctx, func(tx Tx) error {
		if err := control.Check(tx, control.Credits); err != nil {
			return err
		}
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		keys := make([]order.Key, len(ch.Rebates))
		for i, r := range ch.Rebates {
			keys[i] = r.Key
		}
		booked, err := tx.Booked(keys)
		if err != nil {
			return err
		}
		who, err := people(tx, ch.Rebates, booked)
		if err != nil {
			return err
		}
		j, err := ledger.Open(tx, c.Now(), accounts(ch.Rebates, booked, who)...)
		if err != nil {
			return err
		}
		var put []Booked
		var posted Posted
		spent := spending{}
		for _, r := range ch.Rebates {
			old := booked[r.Key]
			if old.Seq >= r.Seq {
				continue
			}
			b, change, cuts, err := follow(j, old, r, who)
			if err != nil {
				return err
			}
			posted.Cuts = append(posted.Cuts, cuts...)
			put = append(put, b)
			spent.add(old, b)
			if r.User != 0 {
				posted.Changes = append(posted.Changes, change)
			}
		}
		if err := spent.enter(tx, c.Now(), c.Zone); err != nil {
			return err
		}
		return c.finish(tx, j, e.ID, put, posted)
	})
}

func (c *Cashier) finish(tx Tx, j *ledger.Journal, cause string, put []Booked, posted Posted) error {
	if len(put) == 0 {
		return nil
	}
	if err := j.Post(); err != nil {
		return err
	}
	if err := tx.PutBooked(put); err != nil {
		return err
	}
	if len(posted.Changes)+len(posted.Cuts) == 0 {
		return nil
	}
	e, err := event.New("ledger/"+cause, event.LedgerPosted, c.Now(), posted)
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// people says of all accounts of a batch whose money theirs is.
func people(tx Tx, rs []rebate.ChangedRebate, booked map[order.Key]Booked) (persons, error) {
	var all []int64
	for _, r := range rs {
		all = append(all, involved(r, booked[r.Key])...)
	}
	return tx.Roots(all)
}

// involved are those who have or had something of a line; 0 for nobody.
func involved(r rebate.ChangedRebate, old Booked) []int64 {
	return []int64{r.User, old.User, r.Cuts[0].User, r.Cuts[1].User, old.Cuts[0].User, old.Cuts[1].User}
}

// accounts are those that a batch will use, so that they are read at once.
func accounts(rs []rebate.ChangedRebate, booked map[order.Key]Booked, who persons) []ledger.Account {
	seen := map[ledger.Account]bool{}
	var out []ledger.Account
	add := func(as ...ledger.Account) {
		for _, a := range as {
			if !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	for _, r := range rs {
		add(ledger.Network(r.Key.Network), ledger.Margin)
		old := booked[r.Key]
		if r.TopUp > 0 || old.TopUp > 0 {
			add(ledger.Marketing)
		}
		for _, u := range involved(r, old) {
			if u = who.of(u); u != 0 {
				add(ledger.User(u, ledger.Pending), ledger.User(u, ledger.Available), ledger.User(u, ledger.Debt))
			}
		}
	}
	return out
}

// A poster posts the entries of one change of one line.
type poster struct {
	j     *ledger.Journal
	r     rebate.ChangedRebate
	who   persons
	legs  int
	cause string
	note  string
	earn  ledger.Kind // what a first entry is called
	told  []CutChange
}

func (p *poster) move(kind ledger.Kind, from, to ledger.Account, amount money.Fen) error {
	if amount == 0 {
		return nil
	}
	p.legs++
	return p.j.Move(ledger.Entry{
		Key:  fmt.Sprintf("rebate/%s/seq%d/%d-%s", p.r.Key, p.r.Seq, p.legs, kind),
		Kind: kind, From: from, To: to, Amount: amount, Cause: p.cause, Note: p.note,
	})
}

// follow makes what is booked for a line follow its rebate.
func follow(j *ledger.Journal, old Booked, r rebate.ChangedRebate, who persons) (Booked, Change, []CutChange, error) {
	p := &poster{j: j, r: r, who: who, cause: r.Key.String(), note: r.Title, earn: ledger.Earn}
	b := target(old, r)
	ch := Change{
		Key: r.Key, Seq: r.Seq, User: who.of(r.User), Order: r.Order, Title: r.Title, State: r.State, Why: r.Why,
		Stage: r.Stage, Now: b.Pending + b.Available, Was: rebate.Nothing, Due: r.Due, Expect: r.Expect,
	}
	if who.of(old.User) != who.of(r.User) { // it was found to be somebody else's
		if _, err := p.user(old, Booked{User: old.User}); err != nil {
			return b, ch, nil, err
		}
		old.Pending, old.Available = 0, 0
	}
	ch.Before = old.Pending + old.Available
	switch {
	case old.Available > 0:
		ch.Was = rebate.Available
	case old.Pending > 0:
		ch.Was = rebate.Pending
	}
	if r.User != 0 {
		debt, err := p.user(old, b)
		if err != nil {
			return b, ch, nil, err
		}
		ch.Debt = debt
		if ch.Repaid, err = repay(p, r.User); err != nil {
			return b, ch, nil, err
		}
	}
	if err := p.cuts(old, b); err != nil {
		return b, ch, nil, err
	}
	network := ledger.Network(r.Key.Network)
	// What a budget adds goes to the network's account, so that it shows what the
	// network owes and nothing else.
	if err := p.shift(ledger.Bonus, ledger.Marketing, network, b.TopUp-old.TopUp); err != nil {
		return b, ch, nil, err
	}
	return b, ch, p.told, p.shift(ledger.Keep, network, ledger.Margin, b.Margin-old.Margin)
}

// target is what should be booked for a line.
func target(old Booked, r rebate.ChangedRebate) Booked {
	b := Booked{Key: r.Key, Seq: r.Seq, User: r.User, Margin: r.Margin, TopUp: r.TopUp, Budget: r.Budget}
	if b.Budget == "" {
		b.Budget = old.Budget
	}
	place := func(amount money.Fen) (pending, available money.Fen) {
		switch r.Stage {
		case rebate.Pending:
			return amount, 0
		case rebate.Available:
			return 0, amount
		default:
			return 0, 0
		}
	}
	b.Pending, b.Available = place(r.Amount)
	b.Shared = old.Shared || r.TopUp != 0
	for i, c := range r.Cuts {
		b.Cuts[i].User = c.User
		if c.User != 0 {
			b.Cuts[i].Pending, b.Cuts[i].Available = place(c.Amount)
			b.Shared = true
		}
	}
	return b
}

// cuts posts the differences of inviters. What the order is stays with its buyer:
// the entries have no note.
func (p *poster) cuts(old, b Booked) error {
	p.note, p.earn = "", ledger.Refer
	defer func() { p.note, p.earn = p.r.Title, ledger.Earn }()
	for i, c := range b.Cuts {
		was := old.Cuts[i]
		if p.who.of(was.User) != p.who.of(c.User) {
			if err := p.cut(was, BookedCut{User: was.User}); err != nil {
				return err
			}
			was = BookedCut{}
		}
		if c.User == 0 {
			continue
		}
		if err := p.cut(was, c); err != nil {
			return err
		}
		if _, err := repay(p, c.User); err != nil {
			return err
		}
	}
	return nil
}

// cut posts the difference of one inviter, and remembers it to be told.
func (p *poster) cut(was, c BookedCut) error {
	debt, err := p.user(was.booked(), c.booked())
	if before, now := was.Pending+was.Available, c.Pending+c.Available; before != now {
		p.told = append(p.told, CutChange{User: p.who.of(c.User), Before: before, Now: now, Debt: debt})
	}
	return err
}

func (c BookedCut) booked() Booked {
	return Booked{User: c.User, Pending: c.Pending, Available: c.Available}
}

// shift moves d from one account to another, back if it is less than nothing.
func (p *poster) shift(kind ledger.Kind, from, to ledger.Account, d money.Fen) error {
	if err := p.move(kind, from, to, max(d, 0)); err != nil {
		return err
	}
	return p.move(kind, to, from, max(-d, 0))
}

// user posts the user's difference between two bookings of one line and returns
// how much of it became debt. What merely changes its place is moved first, so
// that a line that settles reads as one entry.
func (p *poster) user(old, b Booked) (debt money.Fen, err error) {
	network, user := ledger.Network(p.r.Key.Network), p.who.of(b.User)
	pending, available := ledger.User(user, ledger.Pending), ledger.User(user, ledger.Available)
	dp, da := b.Pending-old.Pending, b.Available-old.Available
	settled := max(0, min(-dp, da))
	if err := p.move(ledger.Settle, pending, available, settled); err != nil {
		return 0, err
	}
	dp, da = dp+settled, da-settled
	higher, lower := p.earn, ledger.Adjust
	if old.Pending+old.Available > 0 {
		higher = ledger.Adjust
	}
	if b.Pending == 0 && b.Available == 0 {
		lower = ledger.Revoke
	}
	if err := p.move(higher, network, pending, max(dp, 0)); err != nil {
		return 0, err
	}
	if err := p.move(lower, pending, network, max(-dp, 0)); err != nil {
		return 0, err
	}
	if err := p.move(higher, network, available, max(da, 0)); err != nil {
		return 0, err
	}
	return p.take(lower, available, network, max(-da, 0), user)
}

// take takes n back from the available money, and makes debt of what is not
// there any more.
func (p *poster) take(kind ledger.Kind, available, network ledger.Account, n money.Fen, user int64) (debt money.Fen, err error) {
	if n == 0 {
		return 0, nil
	}
	have, err := p.j.Balance(available)
	if err != nil {
		return 0, err
	}
	now := min(n, have)
	if err := p.move(kind, available, network, now); err != nil {
		return 0, err
	}
	debt = n - now
	return debt, p.move(ledger.Claw, ledger.User(user, ledger.Debt), network, debt)
}

// repay pays a user's debt from what is available, and returns how much.
func repay(p *poster, account int64) (money.Fen, error) {
	user := p.who.of(account)
	available, debt := ledger.User(user, ledger.Available), ledger.User(user, ledger.Debt)
	owed, err := p.j.Balance(debt)
	if err != nil {
		return 0, err
	}
	have, err := p.j.Balance(available)
	if err != nil {
		return 0, err
	}
	n := min(-owed, have)
	return n, p.move(ledger.Repay, available, debt, n)
}
