package event

import (
	"context"
	"time"
)

// A Stored event waits in an outbox.
type Stored struct {
	Event  Event
	Seq    int64     // in the order of the transactions
	Tries  int       // how often publishing it has failed
	NextAt time.Time // not before then; zero: at once
	Error  string    // the last failure
}

// An Outbox is where a target's events wait for the relay. One relay reads it.
type Outbox interface {
	// Name is the target's.
	Name() string
	// Waiting returns events that are due, oldest first.
	Waiting(ctx context.Context, now time.Time, count int) ([]Stored, error)
	// Sent removes events that every hearer has for good.
	Sent(ctx context.Context, seqs []int64) error
	// Failed puts an event off until next, or, if dead, among the dead letters
	// that an operator looks at.
	Failed(ctx context.Context, seq int64, cause string, next time.Time, dead bool) error
}
