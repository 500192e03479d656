// Package event is how parts of fanli tell each other what has happened.
//
// An event is a fact. It is written in the transaction that made it true (the
// outbox of its target) and handled in a transaction that records that it was
// handled (the inbox of the hearer). Delivery is at least once; the effect is
// once. A batch is one event: a page of order lines makes one order.changed.
package event

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A Name says what happened, in the past tense, as "order.changed".
type Name string

// The names. Schemas are in docs/events.
const (
	LinkMade          Name = "link.made"
	UserJoined        Name = "user.joined"
	OrderChanged      Name = "order.changed"
	ClaimChanged      Name = "claim.changed"
	RebateChanged     Name = "rebate.changed"
	LedgerPosted      Name = "ledger.posted"
	WithdrawalChanged Name = "withdrawal.changed"
	AutopayHeld       Name = "autopay.held"
	BonusGiven        Name = "bonus.given"
	StaffActed        Name = "staff.acted"
	ChargeChanged     Name = "charge.changed"
	MembershipChanged Name = "membership.changed"
	PayeeChanged      Name = "payee.changed"
	MergeChanged      Name = "merge.changed"
	MergeAnswered     Name = "merge.answered"
)

// An Event is a fact: it has happened.
type Event struct {
	ID   string          // unique, made by the emitter: a hearer's idempotency key
	Name Name            // what happened
	At   time.Time       // when it became true
	Data json.RawMessage // its content; the schema is docs/events/<Name>.json

	// Trace is the W3C traceparent of what made it true, kept by the outbox, for
	// those who look at traces; "" for none. It means nothing to hearers.
	Trace string `json:",omitempty"`
}

// New returns an event with v as its content. The ID is a sentence that the
// emitter chose, as "order/jd/batch/184".
func New(id string, name Name, at time.Time, v any) (Event, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return Event{}, fmt.Errorf("event %s: %w", name, err)
	}
	return Event{ID: id, Name: name, At: at, Data: b}, nil
}

// Decode reads the content into v.
func (e Event) Decode(v any) error {
	if err := json.Unmarshal(e.Data, v); err != nil {
		return fmt.Errorf("event %s %s: %w", e.Name, e.ID, err)
	}
	return nil
}

// A Handler hears one event. It is idempotent by the event's ID: it records the
// ID in the transaction that has the effect, and does nothing the second time.
type Handler func(ctx context.Context, e Event) error

// A Bus carries events from the target that says them to those who hear them.
type Bus interface {
	// Publish returns nil once every hearer has the event for good. After an
	// error the relay publishes the same event again.
	Publish(ctx context.Context, e Event) error
}

// Down is the reason of fault.Unavailable with which a bus as a whole does not answer:
// none of the events is to blame, and each will go once it answers.
const Down = "bus.down"

// A Batcher is a Bus that carries many events in one go.
type Batcher interface {
	Bus
	// PublishAll publishes events in their order and returns for each what Publish
	// would.
	PublishAll(ctx context.Context, es []Event) []error
}

// An Emitter is the part of a transaction that writes to the outbox.
type Emitter interface {
	Emit(e Event) error
}

// An Inbox is the part of a transaction that knows what was handled.
type Inbox interface {
	// Handled records that the event with this ID was handled and reports
	// whether it had been before.
	Handled(id string) (before bool, err error)
}
