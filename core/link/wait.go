package link

import (
	"context"
	"time"
)

// A Waiting is a link that somebody pasted while its network was away: it is answered
// in the same chat once that is back.
type Waiting struct {
	ID       int64
	User     int64
	Channel  string // on which it was pasted, and who did
	External string
	Chat     string
	Ref      Ref
	At       time.Time
	Until    time.Time // then they are told that it did not come to anything
	NextAt   time.Time
	Tries    int
}

// A Waitlist keeps what waits. The same thing that the same person pastes twice waits
// once.
type Waitlist interface {
	// Wait keeps w unless the person has perUser waiting already, or all have all
	// together. What waits already is kept, with its old times.
	Wait(ctx context.Context, w Waiting, perUser, all int) (kept bool, err error)
	// Due returns those whose NextAt or Until has come, oldest first, at most count.
	Due(ctx context.Context, now time.Time, count int) ([]Waiting, error)
	// PutOff lets one wait on until next.
	PutOff(ctx context.Context, id int64, next time.Time) error
	// Done forgets one. That it is not there is no error.
	Done(ctx context.Context, id int64) error
}
