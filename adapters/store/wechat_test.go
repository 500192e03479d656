package store_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/fault"
)

// TestWechatBook: followers by their revisions, notices told once and alike, and one way
// for each answer.
func TestWechatBook(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		b, ctx := db.WechatBook(), t.Context()
		at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)

		for rev, text := range []string{"one", "two"} {
			must(t, b.SetFollower(ctx, "ann", int64(rev), []byte(text)))
			if err := b.SetFollower(ctx, "ann", int64(rev), []byte("too late")); !fault.Is(err, fault.Conflict) {
				t.Errorf("a second change of revision %d: %v, want a conflict", rev, err)
			}
		}
		if s, rev, err := b.Follower(ctx, "ann"); string(s) != "two" || rev != 2 || err != nil {
			t.Errorf("ann: %q at %d, %v", s, rev, err)
		}
		if s, rev, err := b.Follower(ctx, "bob"); s != nil || rev != 0 || err != nil {
			t.Errorf("nobody: %q at %d, %v", s, rev, err)
		}

		for i := range 4 {
			must(t, b.Park(ctx, "ann", fmt.Sprint("key ", i%3), fmt.Append(nil, "notice ", i), at))
		}
		tell := func(message, want string) []int64 {
			t.Helper()
			ids, bodies, waiting, err := b.Tell(ctx, "ann", message, 2)
			if got := fmt.Sprintf("%s, %d wait", bytes.Join(bodies, []byte(" + ")), waiting); err != nil || got != want {
				t.Errorf("with %s: %s, %v, want %s", message, got, err, want)
			}
			return ids
		}
		tell("m1", "notice 0 + notice 1, 1 wait")
		ids := tell("m1", "notice 0 + notice 1, 1 wait")
		must(t, b.Untell(ctx, ids[1:]))
		tell("m2", "notice 1 + notice 2, 0 wait")
		tell("m1", "notice 0, 0 wait")
		tell("m3", ", 0 wait")

		for _, ask := range []struct{ way, want string }{{"later", "later"}, {"passive", "later"}} {
			if got, err := b.Decide(ctx, "m1", ask.way, at); got != ask.want || err != nil {
				t.Errorf("%s is decided as %q, %v", ask.way, got, err)
			}
		}
		for _, want := range []int{2, 2, 0} {
			if n, err := b.Sweep(ctx, at.Add(time.Hour), at.Add(time.Hour), at, 1+want/2); err != nil || n > want+1 {
				t.Errorf("swept %d, %v", n, err)
			}
		}
		tell("m2", ", 0 wait")
		if got, err := b.Decide(ctx, "m1", "passive", at); got != "passive" || err != nil {
			t.Errorf("after the sweep it is decided as %q, %v", got, err)
		}
	})
}

// TestNoticesOfAnswersThatMayBeLost: what was not written, or was and is asked for again,
// is told with the next message, too; what was written is not.
func TestNoticesOfAnswersThatMayBeLost(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		b, ctx := db.WechatBook(), t.Context()
		at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
		for i := range 3 {
			must(t, b.Park(ctx, "ann", fmt.Sprint("key ", i), fmt.Append(nil, i), at))
		}
		must(t, b.Park(ctx, "bob", "his", []byte("his"), at))
		for i, step := range []struct{ told, message, want string }{
			{"", "m1", "0 1, 1 wait"},
			{"", "m1", "0 1, 1 wait"},   // delivered again before it was written
			{"", "m2", "0 1, 1 wait"},   // m1 was never written
			{"m1", "m2", "0 1, 1 wait"}, // it has nothing any more
			{"m2", "m3", "2, 0 wait"},   // m2 was
			{"m3", "m3", "2, 0 wait"},   // delivered again: what was written did not arrive
			{"m3", "m4", "2, 0 wait"},   // and who knows whether that has
			{"m4", "m5", ", 0 wait"},
		} {
			if step.told != "" {
				must(t, b.Told(ctx, "ann", step.told))
			}
			_, bodies, waiting, err := b.TellWith(ctx, "ann", step.message, 2)
			if got := fmt.Sprintf("%s, %d wait", bytes.Join(bodies, []byte(" ")), waiting); err != nil || got != step.want {
				t.Errorf("step %d, with %s: %s, %v, want %s", i, step.message, got, err, step.want)
			}
		}
		must(t, b.Park(ctx, "ann", "late", []byte("late"), at))
		if _, _, _, err := b.TellWith(ctx, "ann", "m6", 2); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Sweep(ctx, at, at.Add(time.Hour), at, 10); n != 3 || err != nil {
			t.Errorf("%d are forgotten, %v, want those that were told for sure", n, err)
		}
	})
}

// TestKfBook: people of customer service are others than those of the official account,
// and what was sent to them waits once it has turned out not to have arrived.
func TestKfBook(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		b, ctx := db.KfBook(), t.Context()
		at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
		must(t, b.SetFollower(ctx, "ann", 0, []byte("hers")))
		if s, rev, err := db.WechatBook().Follower(ctx, "ann"); s != nil || rev != 0 || err != nil {
			t.Errorf("on the official account: %q at %d, %v", s, rev, err)
		}
		if s, rev, err := b.Follower(ctx, "ann"); string(s) != "hers" || rev != 1 || err != nil {
			t.Errorf("ann: %q at %d, %v", s, rev, err)
		}
		must(t, b.Park(ctx, "ann", "parked", []byte("waits"), at))
		must(t, b.Sent(ctx, "ann", "sent/1", []byte("sent"), at))
		must(t, b.Sent(ctx, "ann", "sent/1", []byte("sent again"), at))
		for _, tt := range []struct {
			who, key string
			want     bool
		}{{"bob", "sent/1", false}, {"ann", "sent/2", false}, {"ann", "parked", false}, {"ann", "sent/1", true}, {"ann", "sent/1", false}} {
			if found, err := b.Unsent(ctx, tt.who, tt.key); found != tt.want || err != nil {
				t.Errorf("%s for %s: %v, %v", tt.key, tt.who, found, err)
			}
		}
		_, bodies, waiting, err := b.Tell(ctx, "ann", "m1", 5)
		if got := string(bytes.Join(bodies, []byte(" + "))); got != "waits + sent" || waiting != 0 || err != nil {
			t.Errorf("told %q, %d wait, %v", got, waiting, err)
		}
		if found, err := b.Unsent(ctx, "ann", "sent/1"); found || err != nil {
			t.Errorf("what was told by another message is taken back: %v, %v", found, err)
		}
	})
}
