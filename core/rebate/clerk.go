package rebate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// A Stage says where a rebate's money should be.
type Stage string

// The stages.
const (
	Nothing   Stage = "nothing"   // no money: unpaid, invalid, nobody's, or no commission
	Pending   Stage = "pending"   // waits for the network's settlement, or for the hold after it
	Available Stage = "available" // the user's
)

// A Rebate is what one order line should bring, and to whom.
type Rebate struct {
	Key     order.Key
	Line    order.ChangedLine // as it was when this was computed
	Seq     int64             // counts the changes of this rebate, from 1
	User    int64             // 0: nobody's
	Stage   Stage
	Amount  money.Fen // the user's part
	Cuts    [2]Cut    // what those who invited the user get: the first, and who invited that one
	TopUp   money.Fen // what Budget adds to the commission
	Margin  money.Fen // the house's part: commission + TopUp − Amount − Cuts
	Due     time.Time // Pending and settled: when it becomes available; zero: not known yet
	Trace   Trace
	Changed time.Time
}

// A Cut is what somebody gets of a friend's order line. It is where the rebate is:
// the same Stage, the same Due. There is none before the network has settled the
// line: nobody is paid for bringing people, only for orders that count.
type Cut struct {
	User   int64     `json:"user,omitempty"`
	Amount money.Fen `json:"amount,omitempty"`
}

// Changed is the content of rebate.changed: what the lines of one batch should
// bring now.
type Changed struct {
	Rebates []ChangedRebate `json:"rebates"`
}

// A ChangedRebate is what others need to know of a rebate.
type ChangedRebate struct {
	Key    order.Key   `json:"key"`
	Seq    int64       `json:"seq"`
	User   int64       `json:"user,omitempty"`
	Stage  Stage       `json:"stage"`
	Amount money.Fen   `json:"amount"`
	Margin money.Fen   `json:"margin"`
	Cuts   [2]Cut      `json:"cuts,omitzero"`
	TopUp  money.Fen   `json:"topup,omitempty"`
	Budget string      `json:"budget,omitempty"` // what pays TopUp
	Due    time.Time   `json:"due,omitzero"`
	Order  string      `json:"order"`
	Title  string      `json:"title"`
	State  order.State `json:"state"`
	Why    string      `json:"why,omitempty"`
	Expect time.Time   `json:"expect,omitzero"` // when the network is expected to settle

	Placed  time.Time  `json:"placed,omitzero"` // when the order was
	Bonuses []BonusDue `json:"bonuses,omitempty"`
}

// A Store keeps rebates and the versions of the rules.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Rebates returns the known ones of keys.
	Rebates(ctx context.Context, keys []order.Key) (map[order.Key]Rebate, error)
	// Rules returns one version, or the newest for 0; fault.NotFound if there
	// is none.
	Rules(ctx context.Context, version int64) (Rules, int64, error)
	// Editions returns what is known of versions, newest first, starting below
	// before (0: with the newest), at most count.
	Editions(ctx context.Context, before int64, count int) ([]Edition, error)
	// Walk calls fn for every rebate that has changed since then, in constant
	// memory and no particular order, until fn fails.
	Walk(ctx context.Context, since time.Time, fn func(Rebate) error) error
}

// A Tx is what a transaction on rebates can do. It works on batches.
type Tx interface {
	event.Emitter
	event.Inbox
	// Rebates returns the known ones of keys, locked.
	Rebates(keys []order.Key) (map[order.Key]Rebate, error)
	// Due returns pending rebates whose Due is set and not after now, locked, at
	// most count.
	Due(now time.Time, count int) ([]Rebate, error)
	// Put inserts or updates rebates.
	Put(rs []Rebate) error
	// Rules is Store.Rules inside the transaction.
	Rules(version int64) (Rules, int64, error)
	// Edition returns what is known of the newest version; fault.NotFound if
	// there is none.
	Edition() (Edition, error)
	// AddRules stores a new version and returns its number. It fails with
	// fault.Conflict if a.Before has a version after it already: of two who
	// change the same version one wins.
	AddRules(r Rules, a Edition) (int64, error)
}

// dueMax bounds one batch of rebates that become available by time.
const dueMax = 500

// A Clerk is the service that computes rebates. It is safe for concurrent use.
type Clerk struct {
	Store Store
	// Level returns a user's level.
	Level func(ctx context.Context, user int64) (int, error)
	// Inviters returns who had invited a user when an order was placed; optional.
	Inviters func(ctx context.Context, user int64, at time.Time) (Inviters, error)
	// Dry reports whether a budget is used up, so that nothing of it is promised
	// any more; optional.
	Dry func(ctx context.Context, budget string) (bool, error)
	Now func() time.Time
}

// Promise says what user would get for o, and freezes the terms.
func (c *Clerk) Promise(ctx context.Context, user int64, o link.Offer) (link.Promise, error) {
	rules, version, err := c.Store.Rules(ctx, 0)
	if err != nil {
		return link.Promise{}, fault.In("rebate.Promise", err)
	}
	level, err := c.Level(ctx, user)
	if err != nil {
		return link.Promise{}, fault.In("rebate.Promise", err)
	}
	t, err := c.make(ctx, rules, version, Subject{
		Level: level, Network: o.Network, Category: o.Category, Shop: o.Shop, Item: o.ItemKey(), User: user, At: c.Now(), Price: o.Final,
	})
	if err != nil {
		return link.Promise{}, fault.In("rebate.Promise", err)
	}
	tr := t.Of(Sale{Commission: o.Commission, Price: o.Final})
	return link.Promise{Rules: version, Share: t.Share, Rebate: tr.Rebate, Terms: t.String()}, nil
}

// make applies rules to a subject that is promised something.
func (c *Clerk) make(ctx context.Context, rules Rules, version int64, s Subject) (Terms, error) {
	var err error
	if s.Inviter, err = c.hasInviter(ctx, s.User, s.At, rules); err != nil {
		return Terms{}, err
	}
	return c.solvent(ctx, rules.Terms(version, s))
}

// hasInviter says whether somebody had invited a user, where a rule asks.
func (c *Clerk) hasInviter(ctx context.Context, user int64, at time.Time, r Rules) (string, error) {
	if c.Inviters == nil || !slices.ContainsFunc(r.List, func(r Rule) bool { return r.When.Inviter != "" }) {
		return "", nil
	}
	in, err := c.Inviters(ctx, user, at)
	switch {
	case err != nil:
		return "", err
	case in[0] == 0:
		return InviterNone, nil
	default:
		return InviterSome, nil
	}
}

// solvent leaves out of t what a budget would have to pay that is used up. What
// was promised before is kept.
func (c *Clerk) solvent(ctx context.Context, t Terms) (Terms, error) {
	if c.Dry == nil {
		return t, nil
	}
	dry := map[string]bool{}
	for _, name := range t.budgets() {
		d, err := c.Dry(ctx, name)
		if err != nil {
			return t, err
		}
		dry[name] = d
	}
	if len(dry) == 0 {
		return t, nil
	}
	return t.without(func(name string) bool { return dry[name] }), nil
}

// OrderChanged hears order.changed: it computes what the lines should bring, and
// tells others where that has changed.
func (c *Clerk) OrderChanged(ctx context.Context, e event.Event) error {
	var ch order.Changed
	if err := e.Decode(&ch); err != nil {
		return fault.Wrap(fault.Invalid, "rebate.OrderChanged", err)
	}
	late, err := c.late(ctx, ch.Lines)
	if err != nil {
		return err
	}
	known, err := c.people(ctx, ch.Lines, late)
	if err != nil {
		return err
	}
	return c.Store.InTx(ctx, func(tx Tx) error {
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		keys := make([]order.Key, len(ch.Lines))
		for i, l := range ch.Lines {
			keys[i] = l.Key
		}
		olds, err := tx.Rebates(keys)
		if err != nil {
			return err
		}
		var put []Rebate
		for _, l := range ch.Lines {
			old, ok := olds[l.Key]
			if ok && old.Line.Rev >= l.Rev {
				continue
			}
			terms, err := c.terms(tx, old, l, late, known[l.User].level)
			if err != nil {
				return err
			}
			put = append(put, c.compute(old, l, terms, known.inviters(l)))
		}
		return c.put(tx, e.ID, olds, put)
	})
}

// people is what was asked about users before a transaction.
type people map[int64]person

type person struct {
	level    int
	leveled  bool                   // level was asked for
	inviters map[time.Time]Inviters // by when the order was placed
}

func (p people) inviters(l order.ChangedLine) Inviters { return p[l.User].inviters[l.CreatedAt] }

// people asks for the levels of those users whose lines carry no promise, and for
// who invited them where that counts.
func (c *Clerk) people(ctx context.Context, lines []order.ChangedLine, late lateTerms) (people, error) {
	all := people{}
	for _, l := range lines {
		if l.User == 0 {
			continue
		}
		p := all[l.User]
		if !p.leveled && l.Promise.Terms == "" {
			n, err := c.Level(ctx, l.User)
			if err != nil {
				return nil, fault.In("rebate.OrderChanged", err)
			}
			p.level, p.leveled = n, true
		}
		if err := c.invited(ctx, &p, l, late.text(l.Promise.Terms)); err != nil {
			return nil, err
		}
		all[l.User] = p
	}
	return all, nil
}

func (c *Clerk) invited(ctx context.Context, p *person, l order.ChangedLine, terms string) error {
	if _, ok := p.inviters[l.CreatedAt]; ok || c.Inviters == nil || l.State != order.Settled || terms != "" && !refers(terms) {
		return nil
	}
	in, err := c.Inviters(ctx, l.User, l.CreatedAt)
	if err != nil {
		return fault.In("rebate.OrderChanged", err)
	}
	if p.inviters == nil {
		p.inviters = map[time.Time]Inviters{}
	}
	p.inviters[l.CreatedAt] = in
	return nil
}

// refers reports whether frozen terms give inviters anything. It looks at the text:
// most terms do not, and reading them twice would cost as much as computing.
func refers(terms string) bool { return strings.Contains(terms, `"refer":`) }

// terms are the frozen ones. A line that came without a link of ours (a second
// item in the same order) gets those of the rules in force when it is first seen,
// without what budgets pay: that was promised to nobody. A promise that was still to
// be made is made once.
func (c *Clerk) terms(tx Tx, old Rebate, l order.ChangedLine, late lateTerms, level int) (Terms, error) {
	if made, ok := late[l.Promise.Terms]; ok {
		if t := old.Trace.Terms; old.User == l.User && t.Asked != nil && *t.Asked == *made.Asked {
			return t, nil
		}
		return made, nil
	}
	if l.Promise.Terms != "" {
		return ParseTerms(l.Promise.Terms)
	}
	if old.User == l.User && old.Trace.Terms.Rules != 0 {
		return old.Trace.Terms, nil
	}
	rules, version, err := tx.Rules(0)
	if err != nil {
		return Terms{}, err
	}
	t := rules.Terms(version, subject(l, level))
	if len(t.budgets()) == 0 {
		return t, nil
	}
	t = t.without(func(string) bool { return true })
	t.Dry = nil
	return t, nil
}

// subject is what the rules look at where there is no link.
func subject(l order.ChangedLine, level int) Subject {
	return Subject{
		Level: level, Network: l.Key.Network, Category: l.Category, Shop: l.Shop, Item: l.Item, User: l.User, At: l.CreatedAt, Price: l.Price,
	}
}

func sale(l order.ChangedLine) Sale {
	return Sale{
		Commission: l.Commission, Estimated: l.Estimated, Price: l.Price, Refunded: l.Refunded, Settled: l.State == order.Settled,
	}
}

// compute is the rebate of a line under terms. It is a pure function but for the
// clock, which decides between Pending and Available.
func (c *Clerk) compute(old Rebate, l order.ChangedLine, t Terms, in Inviters) Rebate {
	now := c.Now()
	r := Rebate{Key: l.Key, Line: l, Seq: old.Seq, User: l.User, Stage: Nothing, Changed: now}
	if l.User == 0 {
		r.Margin = l.Commission
		return r
	}
	r.Trace = t.Of(sale(l))
	r.Amount, r.TopUp = r.Trace.Rebate, r.Trace.TopUp
	switch l.State {
	case order.Paid, order.Received:
		r.Stage = Pending
	case order.Settled:
		r.Stage = Pending
		if !l.Disputed {
			r.Due = l.SettledAt.AddDate(0, 0, t.HoldDays)
			if !now.Before(r.Due) {
				r.Stage, r.Due = Available, time.Time{}
			}
		}
		r.Cuts = r.cuts(in)
	case order.Unpaid, order.Invalid:
		r.Stage = Nothing
	}
	if r.Amount == 0 {
		r.Stage, r.Due, r.Cuts = Nothing, time.Time{}, [2]Cut{}
	}
	r.Margin = l.Commission + r.TopUp - r.Amount - r.Cuts[0].Amount - r.Cuts[1].Amount
	return r
}

// cuts gives inviters their parts. Where there is none, or where somebody would
// earn from their own order, the part stays with the house.
func (r Rebate) cuts(in Inviters) (out [2]Cut) {
	for i, user := range in {
		if user == 0 || user == r.User || i == 1 && user == in[0] || r.Trace.Cuts[i] == 0 {
			continue
		}
		out[i] = Cut{user, r.Trace.Cuts[i]}
	}
	return out
}

// put stores rebates and tells others about those whose money has changed.
func (c *Clerk) put(tx Tx, cause string, known map[order.Key]Rebate, rs []Rebate) error {
	var ch Changed
	for i := range rs {
		r := &rs[i]
		if !sameMoney(known[r.Key], *r) {
			r.Seq++
			ch.Rebates = append(ch.Rebates, changed(*r))
		}
	}
	if len(rs) == 0 {
		return nil
	}
	if err := tx.Put(rs); err != nil || len(ch.Rebates) == 0 {
		return err
	}
	e, err := event.New("rebate/"+cause, event.RebateChanged, c.Now(), ch)
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// sameMoney reports whether two states of a rebate put the same money in the same
// place, until the same day, and mean the same to the user.
func sameMoney(a, b Rebate) bool {
	return a.User == b.User && a.Stage == b.Stage && a.Amount == b.Amount && a.Margin == b.Margin &&
		a.Cuts == b.Cuts && a.TopUp == b.TopUp && a.Due.Equal(b.Due) && a.Line.State == b.Line.State
}

func changed(r Rebate) ChangedRebate {
	out := ChangedRebate{
		Key: r.Key, Seq: r.Seq, User: r.User, Stage: r.Stage, Amount: r.Amount, Margin: r.Margin, Cuts: r.Cuts, TopUp: r.TopUp, Due: r.Due,
		Order: r.Line.Order, Title: r.Line.Title, State: r.Line.State, Why: r.Line.Why, Expect: r.Line.SettlesOn,
	}
	if r.TopUp > 0 {
		out.Budget = r.Trace.Budget
	}
	if r.Stage == Available {
		out.Placed, out.Bonuses = r.Line.CreatedAt, r.Bonuses()
	}
	return out
}

// ReleaseDue makes available what has waited out its hold. It does one batch and
// reports how many rebates changed.
func (c *Clerk) ReleaseDue(ctx context.Context) (n int, err error) {
	now := c.Now()
	err = c.Store.InTx(ctx, func(tx Tx) error {
		due, err := tx.Due(now, dueMax)
		if err != nil || len(due) == 0 {
			n = 0
			return err
		}
		known := make(map[order.Key]Rebate, len(due))
		for i := range due {
			known[due[i].Key] = due[i]
			due[i].Stage, due[i].Due, due[i].Changed = Available, time.Time{}, now
		}
		n = len(due)
		return c.put(tx, fmt.Sprintf("release/%s/seq%d/%d", due[0].Key, due[0].Seq+1, n), known, due)
	})
	return n, fault.In("rebate.ReleaseDue", err)
}

// Referral returns what inviters get of orders through links made now.
func (c *Clerk) Referral(ctx context.Context) (Referral, error) {
	r, _, err := c.Store.Rules(ctx, 0)
	return r.Referral, fault.In("rebate.Referral", err)
}

// Of returns what the lines bring.
func (c *Clerk) Of(ctx context.Context, keys []order.Key) (map[order.Key]Rebate, error) {
	return c.Store.Rebates(ctx, keys)
}
