package guard_test

import (
	"testing"
	"time"

	"fanli/adapters/guard"
	"fanli/core/fault"
	"fanli/core/link"
)

// TestAGuardChangesWhileItIsAtWork: tries, rest and rate are those of the newest
// options.
func TestAGuardChangesWhileItIsAtWork(t *testing.T) {
	t.Parallel()
	rule(t, "tries", func(t *testing.T) {
		s := &script{next: failing(down, 99)}
		g := guard.New("g", guard.Options{Tries: 1})
		n := g.Network(s)
		_, _ = n.Link(t.Context(), link.Offer{}, link.Mark{})
		wantCalls(t, s, 1)
		g.Change(guard.Options{Tries: 3})
		_, _ = n.Link(t.Context(), link.Offer{}, link.Mark{})
		wantCalls(t, s, 4)
	})
	rule(t, "failures", func(t *testing.T) {
		s := &script{next: failing(down, 99)}
		g := guard.New("g", guard.Options{Tries: 1})
		n := g.Network(s)
		g.Change(guard.Options{Tries: 1, Failures: 1})
		for range 3 {
			_, _ = n.Link(t.Context(), link.Offer{}, link.Mark{})
		}
		wantCalls(t, s, 1)
	})
	rule(t, "rate", func(t *testing.T) {
		s := &script{}
		g := guard.New("g", guard.Options{PerSecond: 1, Burst: 1, Timeout: 10 * time.Second})
		n := g.Network(s)
		g.Change(guard.Options{PerSecond: 100, Burst: 1})
		from := time.Now()
		for range 11 {
			if _, err := n.Link(t.Context(), link.Offer{}, link.Mark{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(from); took > time.Second {
			t.Errorf("ten calls after the first take %v at 100 a second", took)
		}
		g.Change(guard.Options{PerSecond: 1, Burst: 1, TryTimeout: time.Second / 2, Timeout: time.Second / 2})
		_, err := n.Link(t.Context(), link.Offer{}, link.Mark{})
		wantCode(t, "another within half a second", err, fault.Limited)
	})
}
