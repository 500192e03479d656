package order

import (
	"context"
	"fmt"

	"fanli/core/audit"
	"fanli/core/fault"
)

// Assign is the word of a person about whose an order is: all lines of its number that
// no tag of a link gives to somebody become the user's. Under the terms that the user was
// promised, if they had asked for the item; else those of today count. It is recorded.
// The same word again changes nothing. It fails with fault.NotFound and
// "order.none" for a number that is not here, with fault.Conflict and "order.several"
// for one that several networks have, and with fault.Denied and "claim.tagged" if a tag
// says whose it is.
func (b *Book) Assign(ctx context.Context, number string, user int64, actor, reason string) (changed int, err error) {
	known, err := b.Store.ByNumber(ctx, number)
	if err != nil {
		return 0, err
	}
	if len(known) == 0 {
		return 0, fault.New(fault.NotFound, "order.none")
	}
	network := known[0].Key.Network
	for _, l := range known {
		if l.Key.Network != network {
			return 0, fault.New(fault.Conflict, "order.several")
		}
	}
	err = b.Store.InTx(ctx, func(tx Tx) error {
		lines, err := named(tx, network, number)
		if err != nil {
			return err
		}
		theirs, err := assignable(lines, user)
		if changed = len(theirs); err != nil || changed == 0 {
			return err
		}
		return b.assign(tx, network, number, theirs, user, actor, reason)
	})
	return changed, fault.In("order.Assign", err)
}

// assignable returns the lines that are not the user's yet.
func assignable(lines []Line, user int64) (theirs []*Line, err error) {
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Whole == nil || l.User == user:
		case l.User != 0 && l.tagged():
			return nil, fault.Newf(fault.Denied, "claim.tagged", "line %s carries tag %s", l.Key, l.Row().Tag)
		default:
			theirs = append(theirs, l)
		}
	}
	return theirs, nil
}

// assign gives lines to a user, with the act.
func (b *Book) assign(tx Tx, network, number string, lines []*Line, user int64, actor, reason string) error {
	ways, err := b.ways(tx, network, lines)
	if err != nil {
		return err
	}
	before := lines[0].User
	for _, l := range lines {
		way, _ := asked(user, l.Row(), ways)
		l.User, l.Link, l.Step, l.Promise = user, way.Link, ByStaff, way.Promise
		l.Evidence = cutBytes(actor+": "+reason, claimNoteMax)
	}
	if err := b.put(tx, lines); err != nil {
		return err
	}
	owner := func(id int64) string {
		if id == 0 {
			return "nobody"
		}
		return fmt.Sprintf("user/%d", id)
	}
	e, err := audit.Say(fmt.Sprintf("act/order/%s/rev%d", lines[0].Key, lines[0].Rev), b.Now(), audit.Act{
		Actor: actor, What: "lines.assign", On: "order/" + network + "/" + number, Reason: reason, Before: owner(before), After: owner(user),
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}
