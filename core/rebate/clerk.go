package rebate

import (
	"context"
	"fmt"
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
	Margin  money.Fen // the house's part: commission − Amount
	Due     time.Time // Pending and settled: when it becomes available; zero: not known yet
	Trace   Trace
	Changed time.Time
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
	Due    time.Time   `json:"due,omitzero"`
	Order  string      `json:"order"`
	Title  string      `json:"title"`
	State  order.State `json:"state"`
	Why    string      `json:"why,omitempty"`
	Expect time.Time   `json:"expect,omitzero"` // when the network is expected to settle
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
	// AddRules stores a new version and returns its number.
	AddRules(r Rules, at time.Time) (int64, error)
}

// dueMax bounds one batch of rebates that become available by time.
const dueMax = 500

// A Clerk is the service that computes rebates. It is safe for concurrent use.
type Clerk struct {
	Store Store
	// Level returns a user's level.
	Level func(ctx context.Context, user int64) (int, error)
	Now   func() time.Time
}

// Enact makes r the rules in force unless they are already, and returns their
// version. It fails with fault.Invalid for rules with mistakes.
func (c *Clerk) Enact(ctx context.Context, r Rules) (version int64, err error) {
	if err := r.Validate(); err != nil {
		return 0, fault.Wrap(fault.Invalid, "rebate.Enact", err)
	}
	err = c.Store.InTx(ctx, func(tx Tx) error {
		old, v, err := tx.Rules(0)
		if err == nil && sameRules(old, r) {
			version = v
			return nil
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		version, err = tx.AddRules(r, c.Now())
		return err
	})
	return version, err
}

func sameRules(a, b Rules) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }

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
	t := rules.Terms(version, Subject{level, o.Network, o.Category})
	tr := t.Rebate(o.Commission)
	return link.Promise{Rules: version, Share: t.Share, Rebate: tr.Rebate, Terms: t.String()}, nil
}

// OrderChanged hears order.changed: it computes what the lines should bring, and
// tells others where that has changed.
func (c *Clerk) OrderChanged(ctx context.Context, e event.Event) error {
	var ch order.Changed
	if err := e.Decode(&ch); err != nil {
		return fault.Wrap(fault.Invalid, "rebate.OrderChanged", err)
	}
	levels, err := c.levels(ctx, ch.Lines)
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
		known, err := tx.Rebates(keys)
		if err != nil {
			return err
		}
		var put []Rebate
		for _, l := range ch.Lines {
			old, ok := known[l.Key]
			if ok && old.Line.Rev >= l.Rev {
				continue
			}
			terms, err := c.terms(tx, old, l, levels)
			if err != nil {
				return err
			}
			put = append(put, c.compute(old, l, terms))
		}
		return c.put(tx, e.ID, known, put)
	})
}

// levels asks for the levels of those users whose lines carry no promise.
func (c *Clerk) levels(ctx context.Context, lines []order.ChangedLine) (map[int64]int, error) {
	levels := map[int64]int{}
	for _, l := range lines {
		if _, ok := levels[l.User]; ok || l.User == 0 || l.Promise.Terms != "" {
			continue
		}
		n, err := c.Level(ctx, l.User)
		if err != nil {
			return nil, fault.In("rebate.OrderChanged", err)
		}
		levels[l.User] = n
	}
	return levels, nil
}

// terms are the frozen ones. A line that came without a link of ours (a second
// item in the same order) gets those of the rules in force when it is first seen.
func (c *Clerk) terms(tx Tx, old Rebate, l order.ChangedLine, levels map[int64]int) (Terms, error) {
	if l.Promise.Terms != "" {
		return ParseTerms(l.Promise.Terms)
	}
	if old.Seq > 0 && old.User == l.User && old.Trace.Terms.Rules != 0 {
		return old.Trace.Terms, nil
	}
	rules, version, err := tx.Rules(0)
	if err != nil {
		return Terms{}, err
	}
	return rules.Terms(version, Subject{levels[l.User], l.Key.Network, l.Category}), nil
}

// compute is the rebate of a line under terms. It is a pure function but for the
// clock, which decides between Pending and Available.
func (c *Clerk) compute(old Rebate, l order.ChangedLine, t Terms) Rebate {
	now := c.Now()
	r := Rebate{Key: l.Key, Line: l, Seq: old.Seq, User: l.User, Stage: Nothing, Changed: now}
	if l.User == 0 {
		r.Margin = l.Commission
		return r
	}
	r.Trace = t.Rebate(l.Commission)
	r.Amount = r.Trace.Rebate
	r.Margin = l.Commission - r.Amount
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
	case order.Unpaid, order.Invalid:
		r.Stage = Nothing
	}
	if r.Amount == 0 {
		r.Stage, r.Due = Nothing, time.Time{}
	}
	return r
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
	return a.User == b.User && a.Stage == b.Stage && a.Amount == b.Amount && a.Margin == b.Margin && a.Due.Equal(b.Due) && a.Line.State == b.Line.State
}

func changed(r Rebate) ChangedRebate {
	return ChangedRebate{
		Key: r.Key, Seq: r.Seq, User: r.User, Stage: r.Stage, Amount: r.Amount, Margin: r.Margin, Due: r.Due,
		Order: r.Line.Order, Title: r.Line.Title, State: r.Line.State, Why: r.Line.Why, Expect: r.Line.SettlesOn,
	}
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

// Of returns what the lines bring.
func (c *Clerk) Of(ctx context.Context, keys []order.Key) (map[order.Key]Rebate, error) {
	return c.Store.Rebates(ctx, keys)
}
