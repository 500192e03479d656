package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanli/core/control"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/lock"
)

// Limits of the relay.
const (
	relayBatch    = 100
	relayTriesMax = 50 // with the waits below about a day
	relayWait     = 250 * time.Millisecond
	relayWaitMax  = time.Hour

	relayStoppedMax = 30 * time.Second       // between tries of what a switch stops
	relayDownWait   = 500 * time.Millisecond // between tries of a bus that does not answer, however many events wake it
)

// A Relay carries the events of one outbox to the bus. An event that fails is
// put off and others go on: what hearers do depends on revisions, not on the
// order of arrival.
type Relay struct {
	Outbox event.Outbox
	Bus    event.Bus
	Now    func() time.Time

	again time.Time // not before then: the bus did not answer
}

// Name returns "relay/" and the outbox's name.
func (r *Relay) Name() string { return "relay/" + r.Outbox.Name() }

// Run carries one batch. Where the bus as a whole does not answer no event is to blame:
// none is put off, and all go once it answers.
func (r *Relay) Run(ctx context.Context, _ lock.Lease) (Report, error) {
	if r.Now().Before(r.again) {
		return Report{}, nil
	}
	waiting, err := r.Outbox.Waiting(ctx, r.Now(), relayBatch)
	if err != nil {
		return Report{}, err
	}
	var sent []int64
	var errs []error
	down := false
	for i, err := range r.publish(ctx, waiting) {
		s := waiting[i]
		if err == nil {
			sent = append(sent, s.Seq)
			continue
		}
		if fault.ReasonOf(err) == event.Down {
			if !down { // to say it once is enough
				errs = append(errs, err)
			}
			down, r.again = true, r.Now().Add(relayDownWait)
			continue
		}
		errs = append(errs, fmt.Errorf("event %s: %w", s.Event.ID, err))
		if ctx.Err() == nil { // else we are being stopped, and the event is not to blame
			errs = append(errs, r.putOff(ctx, s, err))
		}
	}
	if len(sent) > 0 {
		errs = append(errs, r.Outbox.Sent(ctx, sent))
	}
	return Report{Done: len(sent)}, errors.Join(errs...)
}

// publish hands events to the bus, in one go where it takes many, and returns what
// each failed with.
func (r *Relay) publish(ctx context.Context, waiting []event.Stored) []error {
	if b, ok := r.Bus.(event.Batcher); ok && len(waiting) > 0 {
		es := make([]event.Event, len(waiting))
		for i, s := range waiting {
			es[i] = s.Event
		}
		return b.PublishAll(ctx, es)
	}
	errs := make([]error, len(waiting))
	for i, s := range waiting {
		errs[i] = r.one(ctx, s.Event)
	}
	return errs
}

// one makes a failure of a hearer's panic, so that one event cannot hold up the
// others for ever.
func (r *Relay) one(ctx context.Context, e event.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.Bus.Publish(ctx, e)
}

func (r *Relay) putOff(ctx context.Context, s event.Stored, cause error) error {
	wait := relayWait
	for range min(s.Tries, 20) {
		wait *= 2
	}
	wait = min(wait, relayWaitMax)
	stopped := fault.ReasonOf(cause) == control.Stopped || fault.Away(cause)
	if stopped { // by staff, or by somebody's absence: it goes on soon after that ends, however long it takes
		wait = min(wait, relayStoppedMax)
	}
	return r.Outbox.Failed(ctx, s.Seq, cause.Error(), r.Now().Add(wait), s.Tries+1 >= relayTriesMax && !stopped)
}
