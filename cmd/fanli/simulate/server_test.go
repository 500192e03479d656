package simulate_test

import (
	"strings"
	"testing"

	"fanli/adapters/store"
	"fanli/adapters/store/mariadbtest"
	"fanli/cmd/fanli/simulate"
	"fanli/core/fault"
)

// The same worlds on a server end in the same books, entry by entry, with every
// crash in between: the databases are equals.
func TestSeedsOnAServer(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("skipped under the race detector: a world has one goroutine; stage 2 plays it")
	}
	s := mariadbtest.Shared(t)
	o := options()
	o.Days, o.Pace = 3, 30
	crashes := 0
	for seed := uint64(1); seed <= 3; seed++ {
		here := play(t, o, seed)
		server := o
		server.DSN = s.Database(t)
		there := play(t, server, seed)
		if !there.OK() || there.Tally.Entries == 0 {
			t.Fatalf("seed %d: %v\n%s", seed, there.Wrong, strings.Join(there.Story, "\n"))
		}
		if here.Hash != there.Hash || here.Tally != there.Tally {
			t.Errorf("seed %d: %s here and %s on the server, %+v and %+v", seed, here.Hash, there.Hash, here.Tally, there.Tally)
		}
		crashes += there.Crashes
		t.Logf("seed %d: %d operations, %d crashes, %s", seed, there.Tally.Sum(), there.Crashes, there.Took)
	}
	if crashes == 0 {
		t.Error("no process has died: the seeds show less than they should")
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	o := options()
	o.DSN = "mysql://nobody:s3cret@127.0.0.1:1/fanli?timeout=1s"
	if _, err := simulate.Play(t.Context(), o, 1); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	for _, suffix := range []string{"", "a`b", "a b", strings.Repeat("x", 65)} {
		if _, _, err := store.Scratch(t.Context(), o.DSN, suffix); fault.ReasonOf(err) != "store.scratch" {
			t.Errorf("%q: %v", suffix, err)
		}
	}
}
