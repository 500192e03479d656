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

	relayStoppedMax = 30 * time.Second // between tries of what a switch stops
)

// A Relay carries the events of one outbox to the bus. An event that fails is
// put off and others go on: what hearers do depends on revisions, not on the
// order of arrival.
type Relay struct {
	Outbox event.Outbox
	Bus    event.Bus
	Now    func() time.Time
}

// Name returns "relay/" and the outbox's name.
func (r *Relay) Name() string { return "relay/" + r.Outbox.Name() }

// Run carries one batch.
func (r *Relay) Run(ctx context.Context, _ lock.Lease) (Report, error) {
	waiting, err := r.Outbox.Waiting(ctx, r.Now(), relayBatch)
	if err != nil {
		return Report{}, err
	}
	var sent []int64
	var errs []error
	for _, s := range waiting {
		if err := r.publish(ctx, s.Event); err != nil {
			errs = append(errs, fmt.Errorf("event %s: %w", s.Event.ID, err))
			if ctx.Err() == nil { // else we are being stopped, and the event is not to blame
				errs = append(errs, r.putOff(ctx, s, err))
			}
			continue
		}
		sent = append(sent, s.Seq)
	}
	if len(sent) > 0 {
		errs = append(errs, r.Outbox.Sent(ctx, sent))
	}
	return Report{Done: len(sent)}, errors.Join(errs...)
}

// publish makes a failure of a hearer's panic, so that one event cannot hold up
// the others for ever.
func (r *Relay) publish(ctx context.Context, e event.Event) (err error) {
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
