// Package bus carries events from those who say them to those who hear them.
//
// [Local] is the embedded twin: the outbox table itself is the durable queue, and
// a relay hands each event to every hearer in this process. It keeps nothing, so
// nothing is lost with it.
package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"fanli/core/event"
)

// Local is a bus within one process. It is safe for concurrent use.
type Local struct {
	mu      sync.RWMutex
	hearers map[event.Name][]hearer
}

type hearer struct {
	name   string
	handle event.Handler
}

var _ event.Bus = (*Local)(nil)

// Hear makes handle hear every event called name. The hearer's own name is for
// errors.
func (b *Local) Hear(name event.Name, as string, handle event.Handler) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hearers == nil {
		b.hearers = map[event.Name][]hearer{}
	}
	b.hearers[name] = append(b.hearers[name], hearer{as, handle})
}

// Publish hands e to every hearer and returns what any of them failed with. A
// hearer that had it before recognises it by its inbox.
func (b *Local) Publish(ctx context.Context, e event.Event) error {
	b.mu.RLock()
	hs := b.hearers[e.Name]
	b.mu.RUnlock()
	var errs []error
	for _, h := range hs {
		if err := h.handle(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", h.name, err))
		}
	}
	return errors.Join(errs...)
}
