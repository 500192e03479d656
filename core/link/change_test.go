package link_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/link"
)

// TestTheDeadlineChangesWhileTheDeskIsAtWork asks a network that never answers.
func TestTheDeadlineChangesWhileTheDeskIsAtWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &link.Desk{Networks: []link.Network{mute{}}, Now: time.Now, Deadline: 5 * time.Second}
		took := func() time.Duration {
			from := time.Now()
			_, _ = d.Quote(t.Context(), 7, link.Ref{Network: "mute", Kind: link.Item, ID: "1"})
			return time.Since(from)
		}
		if got := took(); got != 5*time.Second {
			t.Errorf("at first it waits %v", got)
		}
		d.Change(2 * time.Second)
		if got := took(); got != 2*time.Second {
			t.Errorf("then it waits %v", got)
		}
	})
}

// mute is a network that never answers.
type mute struct{ link.Network }

func (mute) Name() string { return "mute" }

func (mute) Offer(ctx context.Context, _ link.Ref) (link.Offer, error) {
	<-ctx.Done()
	return link.Offer{}, ctx.Err()
}
