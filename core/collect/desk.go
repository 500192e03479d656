package collect

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// Reasons: stable keys, with texts for those that users read.
const (
	reasonExpired = "charge.expired" // nobody paid in time
	reasonOther   = "charge.amount"  // another amount came than was asked for
	reasonLate    = "charge.late"    // it came after it had lapsed
	reasonUnclear = "charge.unclear" // the collector has not said
	reasonAnother = "charge.another" // something else was asked for instead
)

// amountMax bounds what is asked for at once: more is a slip of the hand.
const amountMax money.Fen = 50_000_00

// numberMax is how long a number at a collector is.
const numberMax = 32

// A Concern is what staff has to know.
type Concern string

// The concerns.
const (
	WrongAmount Concern = "wrong_amount" // a due is held
	Late        Concern = "late"         // money came after its due had lapsed, and goes back
	Stuck       Concern = "stuck"        // a refund does not get on
)

// A Desk asks people for money and sees to it until it is there or not. It is safe
// for concurrent use.
type Desk struct {
	Store Store
	// Collectors take the money; new charges go to the first.
	Collectors []Collector
	Prefix     string        // begins every number
	Lasts      time.Duration // how long a code can be paid; see Change
	Now        func() time.Time
	// Alarm tells staff; it may be nil. It is called without a transaction.
	Alarm func(ctx context.Context, c Concern, d Due)

	changed atomic.Int64
}

// Change makes new codes last that long from now on. It may be called while the
// desk is at work.
func (d *Desk) Change(lasts time.Duration) { d.changed.Store(int64(lasts)) }

// lasts is how long a code that is made now can be paid.
func (d *Desk) lasts() time.Duration {
	if n := d.changed.Load(); n > 0 {
		return time.Duration(n)
	}
	return d.Lasts
}

// A Request asks for money.
type Request struct {
	Key     string
	Purpose Purpose
	User    int64
	What    string
	Amount  money.Fen
	Subject string
	Staff   string // who of staff asks, which is recorded; "" where a user does
}

// collector returns the one with a name, nil for one that is not configured.
func (d *Desk) collector(name string) Collector {
	i := slices.IndexFunc(d.Collectors, func(c Collector) bool { return c.Name() == name })
	if i < 0 {
		return nil
	}
	return d.Collectors[i]
}

// CollectorNamed returns a configured collector, or nil.
func (d *Desk) CollectorNamed(name string) Collector { return d.collector(name) }

// Ask commits to a charge, asks its collector for it and returns it with its code.
// The same key again returns the same due. Somebody who is asked for the same
// already gets that; what they were asked for otherwise lapses. If the collector
// does not answer, it fails with fault.Unavailable, and Run goes on.
func (d *Desk) Ask(ctx context.Context, r Request) (Due, error) {
	const op = "collect.Ask"
	if err := r.validate(); err != nil {
		return Due{}, fault.In(op, err)
	}
	if len(d.Collectors) == 0 {
		return Due{}, fault.New(fault.NotFound, "charge.off")
	}
	due, other, err := d.begin(ctx, r)
	if err == nil && other.ID != 0 {
		if err = d.callOff(ctx, other); err == nil {
			due, other, err = d.begin(ctx, r)
		}
		if err == nil && other.ID != 0 { // somebody else asked meanwhile
			err = fault.New(fault.Conflict, "charge.busy")
		}
	}
	if err != nil || due.Stage != Created {
		return due, fault.In(op, err)
	}
	if err := d.create(ctx, &due); err != nil {
		return due, fault.In(op, err)
	}
	if due.Code == "" && due.Stage.Open() {
		return due, fault.New(fault.Unavailable, reasonUnclear)
	}
	return due, nil
}

func (r Request) validate() error {
	house := r.Purpose == TopUp
	if r.Key == "" || r.Subject == "" || r.Amount <= 0 || r.Amount > amountMax || r.Purpose != Membership && !house || house != (r.User == 0) || r.User < 0 {
		return fault.Newf(fault.Invalid, "charge.malformed", "%s of %s for user %d", r.Purpose, r.Amount, r.User)
	}
	return nil
}

// begin commits the intent, or finds what was committed before. other is what the
// user is asked for otherwise, which has to lapse first; then nothing is committed.
func (d *Desk) begin(ctx context.Context, r Request) (due, other Due, err error) {
	now := d.Now()
	err = d.Store.InTx(ctx, func(tx Tx) error {
		other = Due{}
		if due, err = tx.ByKey(r.Key); err == nil {
			return due.sameAs(r)
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		if r.User != 0 {
			open, err := tx.OpenOf(r.User, r.Purpose)
			switch {
			case err == nil && open.What == r.What && open.Amount == r.Amount && now.Add(d.lasts()/4).Before(open.Expires):
				due = open
				return nil
			case err == nil:
				other = open
				return nil
			case !fault.Is(err, fault.NotFound):
				return err
			}
		}
		due = Due{
			Key: r.Key, Purpose: r.Purpose, User: r.User, What: r.What, Amount: r.Amount, Subject: r.Subject, Collector: d.Collectors[0].Name(),
			Stage: Created, Rev: 1, At: now, Changed: now, Expires: now.Add(d.lasts()), NextAt: now.Add(askAfter),
		}
		if due.ID, err = tx.Insert(due); err != nil {
			return err
		}
		due.Number, due.Rev = d.number(due.ID), 2
		ok, err := tx.Swap(due, Created)
		if err == nil && !ok {
			err = fault.Newf(fault.Internal, "", "due %d is not what was just stored", due.ID)
		}
		if err != nil || r.Staff == "" {
			return err
		}
		return tx.Act(audit.Act{Actor: r.Staff, What: "charge." + string(r.Purpose), On: Cause(due.ID), After: due.Amount.String()})
	})
	return due, other, err
}

// sameAs refuses a key that was used for something else.
func (d Due) sameAs(r Request) error {
	if d.Purpose != r.Purpose || d.User != r.User || d.What != r.What || d.Amount != r.Amount {
		return fault.Newf(fault.Conflict, "charge.key_reused", "%s was %s of %s", r.Key, d.Purpose, d.Amount)
	}
	return nil
}

// number names a due at its collector.
func (d *Desk) number(id int64) string {
	n := d.Prefix + "C" + strconv.FormatInt(id, 10)
	if len(n)+1 > numberMax { // a refund's is one longer
		n = "C" + strconv.FormatInt(id, 10)
	}
	return n
}

// Refund commits to giving back what came, with an act; Run does it. Where it is on
// its way already, it changes nothing. It fails with fault.Conflict where nothing
// is there to be given back.
func (d *Desk) Refund(ctx context.Context, id int64, actor, reason string) (Due, error) {
	due, err := d.Store.Due(ctx, id)
	switch {
	case err != nil:
		return due, err
	case due.Stage == Refunding || due.Stage == Refunded:
		return due, nil
	case strings.TrimSpace(reason) == "":
		return due, fault.New(fault.Invalid, "charge.no_reason")
	case !due.Stage.Taken():
		return due, fault.Newf(fault.Conflict, "charge.wrong_stage", "charge %d is %s: nothing is there to be given back", id, due.Stage)
	}
	was := due.Stage
	err = d.move(ctx, &due, Refunding, func(n *Due) { n.Reason, n.NextAt, n.Tries = reason, n.Changed, 0 }, func(tx Tx) error {
		return tx.Act(audit.Act{Actor: actor, What: "charge.refund", On: Cause(id), Reason: reason, Before: string(was), After: string(Refunding)})
	})
	return due, err
}

// Heard takes a hint that a collector has news of a number: Run asks about it next.
// It fails with fault.NotFound for a number that was not given to this collector.
func (d *Desk) Heard(ctx context.Context, collector, number string) error {
	const tries = 5
	for try := 1; ; try++ {
		due, err := d.Store.ByNumber(ctx, number)
		if err == nil && due.Collector != collector {
			err = fault.New(fault.NotFound, "charge.none")
		}
		if err != nil {
			return fault.In("collect.Heard", err)
		}
		if !due.Stage.Open() && due.Stage != Lapsed && due.Stage != Refunding { // nothing that it says could change anything
			return nil
		}
		err = d.move(ctx, &due, due.Stage, func(n *Due) { n.NextAt, n.Tries = d.Now(), 0 })
		if !fault.Is(err, fault.Conflict) || try == tries {
			return fault.In("collect.Heard", err)
		}
	}
}

// move changes the stage of due from what it is to another, with its entries and
// its event; to the same one it changes only what with changes. Or it changes
// nothing: it fails with fault.Conflict if there is no legal way or due has changed.
func (d *Desk) move(ctx context.Context, due *Due, to Stage, with func(*Due), also ...func(Tx) error) error {
	was := due.Stage
	if to != was && !slices.Contains(next[was], to) {
		return fault.Newf(fault.Conflict, "charge.wrong_stage", "charge %d is %s, not on the way to %s", due.ID, was, to)
	}
	n := *due
	n.Stage, n.Rev = to, due.Rev+1
	if to != was {
		n.Changed = d.Now()
	}
	if with != nil {
		with(&n)
	}
	err := d.Store.InTx(ctx, func(tx Tx) error {
		ok, err := tx.Swap(n, was)
		if err == nil && !ok {
			err = fault.Newf(fault.Conflict, "charge.wrong_stage", "charge %d is not %s any more", n.ID, was)
		}
		if err == nil && to != was {
			err = d.enter(tx, n, was)
		}
		for _, do := range also {
			if err == nil {
				err = do(tx)
			}
		}
		return err
	})
	if err == nil {
		*due = n
	}
	return err
}

// enter posts what a change of stage moves, and says it.
func (d *Desk) enter(tx Tx, n Due, was Stage) error {
	e, err := event.New(Cause(n.ID)+"/"+strconv.FormatInt(n.Rev, 10), event.ChargeChanged, n.Changed, Changed{
		ID: n.ID, Purpose: n.Purpose, User: n.User, What: n.What, Amount: n.Amount, Paid: n.Paid, Stage: n.Stage, Was: was, Reason: n.Reason, At: n.Changed,
	})
	if err != nil {
		return err
	}
	if err := tx.Emit(e); err != nil {
		return err
	}
	j, err := ledger.Open(tx, n.Changed)
	if err != nil {
		return err
	}
	for _, e := range n.entries(was) {
		if err := j.Move(e); err != nil {
			return err
		}
	}
	return j.Post()
}

// entries are what a change of stage moves. The operator's own money is at the bank at
// once, whose it was; for what users pay, a collector's bill has to agree first.
func (d Due) entries(was Stage) (out []ledger.Entry) {
	at := ledger.Collector(d.Collector)
	add := func(leg string, kind ledger.Kind, from, to ledger.Account) {
		out = append(out, ledger.Entry{
			Key: Cause(d.ID) + "/" + leg, Kind: kind, From: from, To: to, Amount: d.Paid, Cause: Cause(d.ID), Note: d.Subject,
		})
	}
	if d.Stage.Taken() && !was.Taken() {
		add("collect", ledger.Collect, at, d.Account)
		if d.Purpose == TopUp {
			add("clear", ledger.Clear, ledger.Bank, at)
		}
	}
	if d.Stage == Refunded {
		add("refund", ledger.Refund, d.Account, at)
		if d.Purpose == TopUp {
			add("unclear", ledger.Clear, at, ledger.Bank)
		}
	}
	return out
}
