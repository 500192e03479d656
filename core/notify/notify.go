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
//   - What somebody has turned off is not told, and it is kept that and why it was not.
//     In their quiet hours it is held, and told after them in the order of writing.
//     What they say counts from that moment: it is asked for each message. What is
//     about security, or about money that went wrong, is told at once all the same, and goes
//     before what is held.
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
	PayeeNews      Kind = "payee.news"      // another payout account; Data is user.PayeeChanged; for all channels, at once
	MergeNews      Kind = "merge.news"      // accounts were linked, or not; Data is user.MergeChanged; for all channels, at once
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
	Held  bool // it waits for the end of quiet hours, or did until now
}

// State says whether a message has been delivered.
type State string

// The states of a message.
const (
	Waiting State = "waiting"
	Sent    State = "sent"
	GivenUp State = "given_up" // it was not told: it could not be, its user has no channel, or does not want it
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

// An Outcome is what has become of a message by one try.
type Outcome struct {
	State  State
	Tries  int
	Next   time.Time // when it is looked at again, if it waits
	Reason string    // why it was given up; "" for what nobody could help
	Held   bool      // it waits for the end of quiet hours
}

// A Store keeps messages. Implementations pass storetest.Messages.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Waiting returns messages that are due, oldest first, never one that has
	// an older undelivered one of the same user before it; except that behind one that is
	// held, the oldest of those without a topic is not waited with.
	Waiting(ctx context.Context, now time.Time, count int) ([]Message, error)
	// Mark stores the outcome of a try.
	Mark(ctx context.Context, id int64, o Outcome) error
	// Told returns the keys of messages that were sent and begin with prefix, which ends
	// with "/".
	Told(ctx context.Context, prefix string) ([]string, error)
	// Untold returns messages that were given up, newest first, below the number before
	// (0: from the newest); of all users for 0.
	Untold(ctx context.Context, user, before int64, count int) ([]Untold, error)
}

// An Untold is what operators see of a message that was given up, and why.
type Untold struct {
	ID     int64
	User   int64
	Kind   Kind
	At     time.Time
	Tries  int
	Reason string
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
	// Wishes says what people want to be told; optional: everything, at once.
	Wishes Wishes
	// Zone is that of quiet hours; optional, UTC.
	Zone *time.Location
	// Count hears why a message was not told, or not yet: Off, Overtaken, WasHeld; optional.
	Count func(why string)
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
// were seen to, which are those that were delivered and those that nobody wants, and as an
// error which ones were given up although their users could have been told.
func (o *Office) Deliver(ctx context.Context) (n int, err error) {
	ms, err := o.Store.Waiting(ctx, o.Now(), batchMax)
	if err != nil {
		return 0, err
	}
	var errs []error
	failed := map[int64]bool{} // users whose older message has to be told first
	for _, m := range ms {
		if failed[m.User] {
			continue
		}
		out, err := o.deliver(ctx, m)
		if err != nil {
			errs = append(errs, fmt.Errorf("message %d given up: %w", m.ID, err))
		}
		failed[m.User] = out.State == Waiting && !out.Held
		if out.State == Sent || out.Reason == Off || out.Reason == Overtaken {
			n++
		}
		if err := o.Store.Mark(ctx, m.ID, out); err != nil {
			return n, err
		}
		o.count(m, out)
	}
	return n, errors.Join(errs...)
}

// deliver tries to tell one message. It fails if that is given up although its user could
// have been told.
func (o *Office) deliver(ctx context.Context, m Message) (Outcome, error) {
	why, until, err := o.wish(ctx, m)
	switch {
	case err == nil && why != "":
		return Outcome{State: GivenUp, Tries: m.Tries, Reason: why}, nil
	case err == nil && !until.IsZero():
		return Outcome{State: Waiting, Tries: m.Tries, Next: until, Held: true}, nil
	case err == nil:
		err = o.Sender.Send(ctx, m)
	}
	tries := m.Tries + 1
	switch {
	case err == nil:
		return Outcome{State: Sent, Tries: tries}, nil
	case fault.ReasonOf(err) == NoChannel:
		return Outcome{State: GivenUp, Tries: tries, Reason: NoChannel}, nil
	case fault.Is(err, fault.NotFound):
		return Outcome{State: GivenUp, Tries: tries, Reason: fault.ReasonOf(err)}, err
	case tries >= triesMax:
		return Outcome{State: GivenUp, Tries: tries, Reason: NoTries}, err
	}
	wait := retryWait
	for range min(tries, 12) {
		wait *= 2
	}
	return Outcome{State: Waiting, Tries: tries, Next: o.Now().Add(min(wait, retryMax))}, nil
}

// count says why a message was not told, or for the first time not yet.
func (o *Office) count(m Message, out Outcome) {
	switch {
	case o.Count == nil:
	case out.Held && !m.Held:
		o.Count(WasHeld)
	case out.Reason == Off || out.Reason == Overtaken:
		o.Count(out.Reason)
	}
}
