package mail

import (
	"context"
	"time"

	"fanli/core/post"
)

// sweepMax bounds one batch of Sweep.
const sweepMax = 500

// Sweep forgets one batch of what was seen to DoneKeep ago, and of what came to nothing
// DeadKeep ago. What nobody has seen to for DoneKeep, because its channel is off, is
// given up. It returns how many are forgotten.
func Sweep(ctx context.Context, s post.Store, now time.Time) (int, error) {
	return s.Sweep(ctx, now, now.Add(-DoneKeep), now.Add(-DeadKeep), sweepMax)
}
