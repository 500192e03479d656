package audit

import (
	"context"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
)

// Acted is the content of staff.acted: an act in a target that does not keep the
// record. Written in the transaction of the act, it enters the record by itself
// and once.
type Acted struct {
	Actor  string    `json:"actor"`
	What   string    `json:"what"`
	On     string    `json:"on"`
	Reason string    `json:"reason,omitempty"`
	Before string    `json:"before,omitempty"`
	After  string    `json:"after,omitempty"`
	At     time.Time `json:"at"`
}

// Say returns the event by which an act elsewhere enters the record. The id is a
// sentence of the emitter. It fails with fault.Invalid as [Act.Check] does.
func Say(id string, at time.Time, a Act) (event.Event, error) {
	a.At = at
	if err := a.Check(); err != nil {
		return event.Event{}, err
	}
	return event.New(id, event.StaffActed, at, Acted{a.Actor, a.What, a.On, a.Reason, a.Before, a.After, at})
}

// A Store is where the record is.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
}

// A Tx is what a transaction on the record can do.
type Tx interface {
	event.Inbox
	Recorder
}

// A Keeper is the service that enters in the record what staff did elsewhere.
type Keeper struct {
	Store Store
}

// StaffActed hears staff.acted.
func (k *Keeper) StaffActed(ctx context.Context, e event.Event) error {
	var a Acted
	if err := e.Decode(&a); err != nil {
		return fault.Wrap(fault.Invalid, "audit.StaffActed", err)
	}
	return k.Store.InTx(ctx, func(tx Tx) error {
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		return tx.Act(Act{At: a.At, Actor: a.Actor, What: a.What, On: a.On, Reason: a.Reason, Before: a.Before, After: a.After, Trace: e.ID})
	})
}
