package mail

import (
	"context"
	"time"

	"fanli/core/post"
)

// sweepMax bounds one batch of Sweep.
const sweepMax = 500

// Sweep forgets one batch of what was seen to DoneKeep ago, and of what came to nothing
// DeadKeep ago. It returns how many.
func Sweep(ctx context.Context, s post.Store, now time.Time) (int, error) {
	return s.Sweep(ctx, now.Add(-DoneKeep), now.Add(-DeadKeep), sweepMax)
}
