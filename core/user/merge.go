package user

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
)

// A MergeStage is how far the linking of two accounts has come.
type MergeStage string

// The stages. Each change is stored together with the event that tells it.
//
//	begun ─▶ moved ─▶ done ─▶ undoing ─▶ returned ─▶ undone
//	  └────▶ refused    ▲────────┘ the money is not there any more
const (
	MergeBegun    MergeStage = "begun"    // payment has to move the money
	MergeMoved    MergeStage = "moved"    // it has; the identities are one; order has to show what is whose
	MergeDone     MergeStage = "done"     //
	MergeRefused  MergeStage = "refused"  // final: nothing was moved; Reason says why
	MergeUndoing  MergeStage = "undoing"  // payment has to move the money back
	MergeReturned MergeStage = "returned" // it has; the identities are two; order has to forget
	MergeUndone   MergeStage = "undone"   // final
)

// Linked reports whether the two accounts are one person's in this stage.
func (s MergeStage) Linked() bool { return s == MergeMoved || s == MergeDone || s == MergeUndoing }

// UnderWay reports whether somebody else has something left to do.
func (s MergeStage) UnderWay() bool {
	return s == MergeBegun || s == MergeMoved || s == MergeUndoing || s == MergeReturned
}

// UndoWindow is how long a merge can be undone, from its beginning.
const UndoWindow = 72 * time.Hour

// A Merge is the linking of two accounts to one person: a saga over user, payment and
// order. The absorbed account stays as it is, and points to the survivor.
type Merge struct {
	ID       int64
	Absorbed int64
	Survivor int64
	Stage    MergeStage
	Rev      int64  // counts the changes, from 1
	Reason   string // stable key: why it was refused, or why the last undoing was
	Actor    string // who has undone it: "user" or a name of staff; "" for nobody
	Note     string // staff's words for it
	At       time.Time
	Changed  time.Time
}

// MergeStuckAfter is how long a merge may be in one stage until a person should look: it
// takes seconds, but for a switch that stops credits.
const MergeStuckAfter = 10 * time.Minute

// Until is when it cannot be undone any more.
func (m Merge) Until() time.Time { return m.At.Add(UndoWindow) }

// MergeChanged is the content of merge.changed.
type MergeChanged struct {
	ID       int64      `json:"id"`
	Rev      int64      `json:"rev"`
	Absorbed int64      `json:"absorbed"`
	Survivor int64      `json:"survivor"`
	Stage    MergeStage `json:"stage"`
	Was      MergeStage `json:"was,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	At       time.Time  `json:"at"` // of the merge's beginning
}

// The parts of a merge that others have.
const (
	MergePayment = "payment"
	MergeOrder   = "order"
)

// MergeAnswered is the content of merge.answered: a target has done its part for a
// revision of a merge, or says why it does not.
type MergeAnswered struct {
	ID     int64  `json:"id"`
	Rev    int64  `json:"rev"`
	Part   string `json:"part"`
	Reason string `json:"reason,omitempty"` // "" for done
}

// AnswerMerge is the event with which a target answers e. Its id follows from that of
// e, so that whoever hears e again says the same again.
func AnswerMerge(e event.Event, at time.Time, a MergeAnswered) (event.Event, error) {
	return event.New(e.ID+"/"+a.Part, event.MergeAnswered, at, a)
}

// A MergeStore keeps merges and the codes that start them, beside the users.
// Implementations pass storetest.Merges.
type MergeStore interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(MergeTx) error) error
	// SurvivorOf returns the account to which an account points; 0 for none.
	SurvivorOf(ctx context.Context, user int64) (int64, error)
	// AbsorbedBy returns the accounts that point to an account, by number.
	AbsorbedBy(ctx context.Context, user int64) ([]Merge, error)
	// Merge returns one or fault.NotFound.
	Merge(ctx context.Context, id int64) (Merge, error)
	// Newest returns the newest merge of a user that is under way or linked, or
	// fault.NotFound.
	Newest(ctx context.Context, user int64) (Merge, error)
	// Merges returns merges, newest first, starting below before (0: with the newest).
	Merges(ctx context.Context, before int64, count int) ([]Merge, error)
	// StuckMerges returns those under way that have not changed since then, oldest
	// first.
	StuckMerges(ctx context.Context, since time.Time, count int) ([]Merge, error)
}

// A MergeTx is what a transaction on merges can do.
type MergeTx interface {
	event.Emitter
	event.Inbox
	// InsertMerge stores a new merge and returns its id.
	InsertMerge(m Merge) (int64, error)
	// Merge returns one, locked, or fault.NotFound.
	Merge(id int64) (Merge, error)
	// SwapMerge stores m if its stored revision still is rev. ok is false, and nothing
	// is stored, if it is not.
	SwapMerge(m Merge, rev int64) (ok bool, err error)
	// Pointed returns to what an account points; 0 for nothing.
	Pointed(user int64) (int64, error)
	// Busy reports whether a merge of one of the accounts is under way.
	Busy(users ...int64) (bool, error)
	// PutLinkCode keeps a user's code; the one before is worth nothing then.
	PutLinkCode(user int64, code string, until time.Time) error
	// LinkCode returns whose code it is and until when, or fault.NotFound.
	LinkCode(code string) (user int64, until time.Time, err error)
	// DropLinkCode makes a user's code worth nothing.
	DropLinkCode(user int64) error
	// Guesses returns how many wrong codes a user has given since a time.
	Guesses(user int64) (n int, since time.Time, err error)
	// SetGuesses stores that.
	SetGuesses(user int64, n int, since time.Time) error
}

// begin stores a new merge and tells of it. The older account survives: it has the
// longer history, and since everybody's survivor is older there are no circles.
func (d *Directory) begin(tx MergeTx, a, b int64) (Merge, error) {
	now := d.Now()
	m := Merge{Absorbed: max(a, b), Survivor: min(a, b), Stage: MergeBegun, Rev: 1, At: now, Changed: now}
	busy, err := tx.Busy(a, b)
	if err == nil && busy {
		err = fault.New(fault.Conflict, reasonMergeBusy)
	}
	if err != nil {
		return m, err
	}
	for _, u := range []int64{a, b} { // it may have been absorbed since it was resolved
		to, err := tx.Pointed(u)
		if err == nil && to != 0 {
			err = fault.New(fault.Conflict, reasonMergeBusy)
		}
		if err != nil {
			return m, err
		}
	}
	if m.ID, err = tx.InsertMerge(m); err != nil {
		return m, err
	}
	return m, tellMerge(tx, m, "", "")
}

// Reasons of refusals.
const (
	reasonMergeBusy = "merge.under_way"
	reasonNoMerge   = "merge.none"
)

// tellMerge says what a merge is now. again makes the id of something that is said
// once more.
func tellMerge(tx event.Emitter, m Merge, was MergeStage, again string) error {
	e, err := event.New(fmt.Sprintf("merge/%d/%d-%s%s", m.ID, m.Rev, m.Stage, again), event.MergeChanged, m.Changed, MergeChanged{
		m.ID, m.Rev, m.Absorbed, m.Survivor, m.Stage, was, m.Reason, m.At,
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// step moves a merge that was read in this transaction to another stage.
func (d *Directory) step(tx MergeTx, m *Merge, to MergeStage) error {
	was, rev := m.Stage, m.Rev
	m.Stage, m.Rev, m.Changed = to, rev+1, d.Now()
	ok, err := tx.SwapMerge(*m, rev)
	if err == nil && !ok {
		err = fault.Newf(fault.Conflict, reasonMergeBusy, "merge %d is not at revision %d any more", m.ID, rev)
	}
	if err != nil {
		return err
	}
	return tellMerge(tx, *m, was, "")
}

// after says which stage follows an answer; ok is false for an answer that is not
// waited for.
func (m Merge) after(a MergeAnswered) (to MergeStage, ok bool) {
	if a.Rev != m.Rev {
		return "", false
	}
	switch {
	case m.Stage == MergeBegun && a.Part == MergePayment && a.Reason != "":
		return MergeRefused, true
	case m.Stage == MergeBegun && a.Part == MergePayment:
		return MergeMoved, true
	case m.Stage == MergeMoved && a.Part == MergeOrder:
		return MergeDone, true
	case m.Stage == MergeUndoing && a.Part == MergePayment && a.Reason != "":
		return MergeDone, true
	case m.Stage == MergeUndoing && a.Part == MergePayment:
		return MergeReturned, true
	case m.Stage == MergeReturned && a.Part == MergeOrder:
		return MergeUndone, true
	default:
		return "", false
	}
}

// MergeAnswered hears merge.answered and takes the next step. An answer that nobody waits
// for, to an older revision or of no merge, changes nothing.
func (d *Directory) MergeAnswered(ctx context.Context, e event.Event) error {
	const op = "user.MergeAnswered"
	var a MergeAnswered
	if err := e.Decode(&a); err != nil {
		return fault.Wrap(fault.Invalid, op, err)
	}
	err := d.Merges.InTx(ctx, func(tx MergeTx) error {
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		m, err := tx.Merge(a.ID)
		if fault.Is(err, fault.NotFound) {
			return nil // nobody here waits for it
		}
		if err != nil {
			return err
		}
		to, ok := m.after(a)
		if !ok {
			return nil
		}
		m.Reason = a.Reason
		return d.step(tx, &m, to)
	})
	return fault.In(op, err)
}

// Unlink begins to undo the newest merge of a user, as they ask; one that is being
// undone is returned. It fails with
// fault.NotFound and "merge.none" where there is none, with fault.Denied and
// "merge.window" after [UndoWindow], and as [Directory.Undo] does.
func (d *Directory) Unlink(ctx context.Context, user int64) (Merge, error) {
	m, err := d.LastMerge(ctx, user)
	switch {
	case fault.Is(err, fault.NotFound):
		return Merge{}, fault.New(fault.NotFound, reasonNoMerge)
	case err != nil || m.Stage == MergeUndoing:
		return m, err
	case d.Now().After(m.Until()):
		return m, fault.New(fault.Denied, "merge.window")
	}
	return d.undo(ctx, m.ID, "user", "", nil)
}

// Undo begins to undo a merge, for staff, whose act is recorded. It fails with
// fault.NotFound for one that is not there or not linked any more, with
// fault.Conflict and "merge.under_way" while something is left to do, with
// fault.Denied and "merge.window" after [UndoWindow], and with fault.Denied and
// "merge.later_first" where the survivor was absorbed since. Whether the money is still
// there is found by payment: if not, the merge is done again, with a reason.
func (d *Directory) Undo(ctx context.Context, id int64, actor, reason string) (Merge, error) {
	if actor == "" || reason == "" {
		return Merge{}, fault.Newf(fault.Invalid, "merge.reason", "who and why are needed")
	}
	return d.undo(ctx, id, actor, reason, func(tx MergeTx, m Merge) error {
		return d.say(tx, m, audit.Act{
			Actor: actor, What: "merge.undo", On: fmt.Sprintf("merge/%d", m.ID), Reason: reason,
			Before: fmt.Sprintf("user %d is in user %d", m.Absorbed, m.Survivor), After: string(m.Stage),
		})
	})
}

// say enters an act of staff in the record.
func (d *Directory) say(tx MergeTx, m Merge, a audit.Act) error {
	e, err := audit.Say(fmt.Sprintf("%s/%d/%s/%d", a.What, m.ID, d.Now().UTC().Format(time.RFC3339Nano), m.Rev), d.Now(), a)
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

func (d *Directory) undo(ctx context.Context, id int64, actor, note string, also func(MergeTx, Merge) error) (m Merge, err error) {
	err = d.Merges.InTx(ctx, func(tx MergeTx) error {
		if m, err = tx.Merge(id); err != nil {
			return err
		}
		to, err := tx.Pointed(m.Survivor)
		switch {
		case err != nil:
			return err
		case m.Stage.UnderWay():
			return fault.New(fault.Conflict, reasonMergeBusy)
		case m.Stage != MergeDone:
			return fault.New(fault.NotFound, reasonNoMerge)
		case d.Now().After(m.Until()):
			return fault.New(fault.Denied, "merge.window")
		case to != 0:
			return fault.New(fault.Denied, "merge.later_first")
		}
		busy, err := tx.Busy(m.Absorbed, m.Survivor)
		if err == nil && busy {
			err = fault.New(fault.Conflict, reasonMergeBusy)
		}
		if err != nil {
			return err
		}
		m.Reason, m.Actor, m.Note = "", actor, note
		if err := d.step(tx, &m, MergeUndoing); err != nil || also == nil {
			return err
		}
		return also(tx, m)
	})
	return m, fault.In("user.Undo", err)
}

// ResumeMerge says once more what a merge waits for, in case that the news of it was
// buried. Whoever has done their part answers again, and does nothing else. It fails
// with fault.NotFound and "merge.none" for one that waits for nothing.
func (d *Directory) ResumeMerge(ctx context.Context, id int64, actor, reason string) (m Merge, err error) {
	err = d.Merges.InTx(ctx, func(tx MergeTx) error {
		if m, err = tx.Merge(id); err != nil {
			return err
		}
		if !m.Stage.UnderWay() {
			return fault.New(fault.NotFound, reasonNoMerge)
		}
		if err := tellMerge(tx, m, "", "/again/"+d.Now().UTC().Format(time.RFC3339Nano)); err != nil || actor == "" {
			return err
		}
		return d.say(tx, m, audit.Act{Actor: actor, What: "merge.resume", On: fmt.Sprintf("merge/%d", m.ID), Reason: reason, Before: string(m.Stage), After: string(m.Stage)})
	})
	return m, fault.In("user.ResumeMerge", err)
}

// LastMerge returns the newest merge of a person that is under way or linked;
// fault.NotFound and "merge.none" for nobody's.
func (d *Directory) LastMerge(ctx context.Context, user int64) (m Merge, err error) {
	if d.Merges == nil {
		return m, fault.New(fault.NotFound, reasonNoMerge)
	}
	if user, err = d.root(ctx, user); err != nil {
		return m, err
	}
	m, err = d.Merges.Newest(ctx, user)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, reasonNoMerge)
	}
	return m, err
}

// root returns the account that an account is a part of now: itself, nearly always.
func (d *Directory) root(ctx context.Context, user int64) (int64, error) {
	for d.Merges != nil {
		to, err := d.Merges.SurvivorOf(ctx, user)
		if err != nil {
			return 0, err
		}
		if to == 0 {
			break
		}
		user = to
	}
	return user, nil
}

// A member is an account of a person, and since when.
type member struct {
	id int64
	at time.Time // zero for the survivor
}

// members returns all accounts of the person that an account belongs to, the survivor
// first.
func (d *Directory) members(ctx context.Context, user int64) ([]member, error) {
	root, err := d.root(ctx, user)
	out := []member{{id: root}}
	for i := 0; i < len(out) && err == nil && d.Merges != nil; i++ {
		var ms []Merge
		ms, err = d.Merges.AbsorbedBy(ctx, out[i].id)
		for _, m := range ms {
			if !slices.ContainsFunc(out, func(o member) bool { return o.id == m.Absorbed }) {
				out = append(out, member{m.Absorbed, m.At})
			}
		}
	}
	return out, err
}

// of collects what all accounts of a person have.
func of[T any](ctx context.Context, d *Directory, user int64, get func(ctx context.Context, id int64) ([]T, error)) (out []T, err error) {
	all, err := d.members(ctx, user)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		ts, err := get(ctx, m.id)
		if err != nil {
			return nil, err
		}
		out = append(out, ts...)
	}
	return out, nil
}
