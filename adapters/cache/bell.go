package cache

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// hearMax is how many rings wait for who is busy; more are lost, as any may be.
const hearMax = 1000

// A Bell wakes other processes. A ring may get lost, and says nothing but where to
// look: who listens looks by itself from time to time, too.
type Bell struct {
	r    *Redis
	name string
}

// Bell returns the bell that has a name.
func (r *Redis) Bell(name string) *Bell { return &Bell{r, r.prefix + "bell/" + name} }

// Ring wakes who listens, in all processes.
func (b *Bell) Ring(ctx context.Context, text string) {
	_ = b.r.call(ctx, func(ctx context.Context) error { return b.r.client.Publish(ctx, b.name, text).Err() })
}

// Listen calls heard for each ring until ctx ends. It outlives Redis.
func (b *Bell) Listen(ctx context.Context, heard func(text string)) {
	s := b.r.client.Subscribe(ctx) // the channel below comes back by itself
	defer s.Close()
	_ = s.Subscribe(ctx, b.name) // where it fails it is remembered, and done on the next connection
	rings := s.Channel(redis.WithChannelSize(hearMax), redis.WithChannelHealthCheckInterval(time.Second))
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-rings:
			if !ok {
				return
			}
			heard(m.Payload)
		}
	}
}
