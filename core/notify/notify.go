// Package notify decides what users are told, and sees that they are told.
//
// It hears what has happened to a user's money and writes one [Message] for
// each thing worth saying. A message says what happened, not in which words:
// package bot finds those, in the user's language.
//
// # Guarantees
//
//   - A message is written once, whatever is heard twice.
//   - It is delivered in the order of writing for each user, again and again
//     until a channel has it or until [triesMax]; then it is kept as given up. What is
//     for the users of a program, who have no channel, is so at once and quietly.
//   - Nobody is told an older state of something after a newer one, however the
//     news arrives: what is overtaken before it is heard is not told. A debt is
//     always told.
//   - Money never depends on a message.
//   - Whoever invited somebody is told of their parts together, at most once a day,
//     and nothing about whose orders they are.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A Kind says what a message is about.
type Kind string

// The kinds. Each has a text in every language.
const (
	OrderSeen      Kind = "order.seen"      // an order arrived: what it will bring
	RebateChanged  Kind = "rebate.changed"  // the sum changed: a refund, or the network's doing
	RebateReady    Kind = "rebate.ready"    // it can be withdrawn now
	RebateSettled  Kind = "rebate.settled"  // the network has settled; available on Due
	RebateRevoked  Kind = "rebate.revoked"  // it brings nothing any more
	RebateClawed   Kind = "rebate.clawed"   // taken back after it was paid out: a debt
	Received       Kind = "order.received"  // the buyer has the goods; the network settles on Expect
	WithdrawalNews Kind = "withdrawal.news" // its state changed; Data is withdraw.Changed
	AutopayNews    Kind = "autopay.news"    // nothing was asked for; Data is withdraw.Held
	BonusNews      Kind = "bonus.news"      // a bonus that nobody asked for; Data is credit.Given
	CutNews        Kind = "cut.news"        // an inviter's parts of friends' orders; Data is Cuts
	ClaimNews      Kind = "claim.news"      // an answer that was promised; Data is order.ClaimChanged
	MembershipNews Kind = "membership.news" // it has begun or ended; Data is user.MembershipChanged
	ChargeNews     Kind = "charge.news"     // what they paid cannot be kept; Data is collect.Changed
)

// A Message is something to tell one user.
type Message struct {
	ID    int64
	Key   string // unique
	User  int64
	Kind  Kind
	Data  json.RawMessage // as Kind says; credit.Change where it says nothing
	At    time.Time
	Tries int
	State State
}

// State says whether a message has been delivered.
type State string

// The states of a message.
const (
	Waiting State = "waiting"
	Sent    State = "sent"
	GivenUp State = "given_up" // it was not told: it could not be, or its user has no channel
)

// NoChannel is the reason why somebody is told nothing who talks with us only through
// a program of their own. That is as it should be: the program is told by webhooks.
const NoChannel = "notify.no_channel"

// triesMax bounds how often delivery is tried; with retryWait doubling up to
// retryMax that is about two days.
const (
	triesMax  = 60
	retryWait = 2 * time.Second
	retryMax  = time.Hour
	batchMax  = 100
)

// A Sender tells a user something. It fails with fault.NotFound if there is no
// way to reach the user at all, with the reason NoChannel if there never was to be one,
// and with another code if later may help.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// A Store keeps messages. Implementations pass storetest.Messages.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Waiting returns messages that are due, oldest first, never one that has
	// an older undelivered one of the same user before it.
	Waiting(ctx context.Context, now time.Time, count int) ([]Message, error)
	// Mark stores the outcome of a try.
	Mark(ctx context.Context, id int64, s State, tries int, next time.Time) error
}

// A Tx is what a transaction can do.
type Tx interface {
	event.Inbox
	// Write stores messages; those whose key is known are left out.
	Write(ms []Message) error
	// Keys returns the keys of messages that begin with one of prefixes, each of which
	// ends with "/".
	Keys(prefixes []string) ([]string, error)
	// AddCuts adds to what inviters are to be told.
	AddCuts(cs []Cuts) error
	// TakeCuts returns what inviters are to be told of which the first happened at
	// since or before, and who were last told at told or before: by user, at most
	// count. They count as told now.
	TakeCuts(now, since, told time.Time, count int) ([]Cuts, error)
}

// An Office is the service that tells users. It is safe for concurrent use.
type Office struct {
	Store  Store
	Sender Sender
	Now    func() time.Time
}

// LedgerPosted hears ledger.posted.
func (o *Office) LedgerPosted(ctx context.Context, e event.Event) error {
	var p credit.Posted
	if err := e.Decode(&p); err != nil {
		return fault.Wrap(fault.Invalid, "notify.LedgerPosted", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		var ms []Message
		for _, c := range p.Changes {
			kind, ok := kindOf(c)
			if !ok {
				continue
			}
			m, err := message(fmt.Sprintf("rebate/%s/seq%d", c.Key, c.Seq), c.User, kind, c)
			if err != nil {
				return nil, err
			}
			ms = append(ms, m)
		}
		return ms, nil
	}, cuts(p.Cuts, o.Now())...)
}

// kindOf decides what a change is to its user; ok is false where it is nothing
// worth a message.
func kindOf(c credit.Change) (k Kind, ok bool) {
	switch {
	case c.Debt > 0:
		return RebateClawed, true
	case c.Before > 0 && c.Now == 0:
		return RebateRevoked, true
	case c.Before == 0 && c.Now > 0 && c.Stage == rebate.Pending:
		return OrderSeen, true
	case c.Now > 0 && c.Stage == rebate.Available && c.Was != rebate.Available:
		return RebateReady, true
	case c.Before != c.Now:
		return RebateChanged, true
	case c.Stage == rebate.Pending && !c.Due.IsZero():
		return RebateSettled, true
	case c.Stage == rebate.Pending && c.State == "received":
		return Received, true
	default:
		return "", false
	}
}

// WithdrawalChanged hears withdrawal.changed.
func (o *Office) WithdrawalChanged(ctx context.Context, e event.Event) error {
	var c withdraw.Changed
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, "notify.WithdrawalChanged", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		switch c.State {
		case withdraw.Requested, withdraw.Reviewing, withdraw.Approved:
			if !c.Auto || c.Was != "" { // the dialogue itself has said so
				return nil, nil
			}
		case withdraw.Paid, withdraw.Failed, withdraw.Refused, withdraw.Unknown, withdraw.Confirming:
		case withdraw.Sending, withdraw.Cancelled:
			return nil, nil // a matter of seconds, or the dialogue itself has said so
		}
		m, err := message(e.ID, c.User, WithdrawalNews, c)
		return []Message{m}, err
	})
}

// AutopayHeld hears autopay.held.
func (o *Office) AutopayHeld(ctx context.Context, e event.Event) error {
	var h withdraw.Held
	if err := e.Decode(&h); err != nil {
		return fault.Wrap(fault.Invalid, "notify.AutopayHeld", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		m, err := message(e.ID, h.User, AutopayNews, h)
		return []Message{m}, err
	})
}

// BonusGiven hears bonus.given.
func (o *Office) BonusGiven(ctx context.Context, e event.Event) error {
	var g credit.Given
	if err := e.Decode(&g); err != nil {
		return fault.Wrap(fault.Invalid, "notify.BonusGiven", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		m, err := message(e.ID, g.User, BonusNews, g)
		return []Message{m}, err
	})
}

// ClaimChanged hears claim.changed.
func (o *Office) ClaimChanged(ctx context.Context, e event.Event) error {
	var c order.ClaimChanged
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, "notify.ClaimChanged", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		m, err := message(e.ID, c.User, ClaimNews, c)
		return []Message{m}, err
	})
}

// MembershipChanged hears membership.changed.
func (o *Office) MembershipChanged(ctx context.Context, e event.Event) error {
	var c user.MembershipChanged
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, "notify.MembershipChanged", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		m, err := message(e.ID, c.User, MembershipNews, c)
		return []Message{m}, err
	})
}

// ChargeChanged hears charge.changed. What was bought is told by who gives it.
func (o *Office) ChargeChanged(ctx context.Context, e event.Event) error {
	var c collect.Changed
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, "notify.ChargeChanged", err)
	}
	return o.write(ctx, e, func() ([]Message, error) {
		told := c.Stage == collect.Held || c.Stage == collect.Refunding || c.Stage == collect.Refunded
		if c.User == 0 || !told {
			return nil, nil
		}
		m, err := message(e.ID, c.User, ChargeNews, c)
		return []Message{m}, err
	})
}

func message(key string, user int64, k Kind, data any) (Message, error) {
	b, err := json.Marshal(data)
	return Message{Key: key, User: user, Kind: k, Data: b, State: Waiting}, err
}

// write stores the messages that an event leads to, and what inviters are to be
// told later, once.
func (o *Office) write(ctx context.Context, e event.Event, say func() ([]Message, error), later ...Cuts) error {
	ms, err := say()
	if err != nil {
		return fault.In("notify", err)
	}
	for i := range ms {
		ms[i].At = o.Now()
	}
	return o.Store.InTx(ctx, func(tx Tx) error {
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		if len(later) > 0 {
			if err := tx.AddCuts(later); err != nil {
				return err
			}
		}
		fresh, err := current(tx, ms)
		if err != nil || len(fresh) == 0 {
			return err
		}
		return tx.Write(fresh)
	})
}

// Deliver sends what is waiting: one bounded batch. It returns how many messages
// were delivered, and as an error which ones were given up although their users could
// have been told.
func (o *Office) Deliver(ctx context.Context) (n int, err error) {
	ms, err := o.Store.Waiting(ctx, o.Now(), batchMax)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, m := range ms {
		state, next := Sent, time.Time{}
		m.Tries++
		err := o.Sender.Send(ctx, m)
		switch {
		case err == nil:
			n++
		case fault.ReasonOf(err) == NoChannel:
			state = GivenUp
		case fault.Is(err, fault.NotFound) || m.Tries >= triesMax:
			state = GivenUp
			errs = append(errs, fmt.Errorf("message %d given up: %w", m.ID, err))
		default:
			wait := retryWait
			for range min(m.Tries, 12) {
				wait *= 2
			}
			state, next = Waiting, o.Now().Add(min(wait, retryMax))
		}
		if err := o.Store.Mark(ctx, m.ID, state, m.Tries, next); err != nil {
			return n, err
		}
	}
	return n, errors.Join(errs...)
}
