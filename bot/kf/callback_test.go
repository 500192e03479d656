package kf_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"fanli/bot/kf/kffake"
)

// TestConsole: the console's test of our address is answered, and only that; what else is
// forged channeltest has.
func TestConsole(t *testing.T) {
	t.Parallel()
	if err := open(t, kffake.Config{}, nil).fake.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestReplayed: a callback that comes again after half a minute is refused.
func TestReplayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, kffake.Config{}, nil)
		d := w.fake.Forge(t.Context(), "replayed")
		if d.Status != http.StatusForbidden || d.Body != "" || w.counts.of("refused/replayed") != 1 {
			t.Errorf("answered %d %q, and %d are refused", d.Status, d.Body, w.counts.of("refused/replayed"))
		}
		if n := w.counts.of("heard/hint"); n != 1 {
			t.Errorf("%d hints are taken, want that which was right", n)
		}
	})
}
