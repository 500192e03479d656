package jobs_test

import (
	"testing"
	"time"

	"fanli/core/fault"
)

// TestAnEventForSomebodyAwayWaits: however long that takes it is not dead, and soon
// after their return it is heard.
func TestAnEventForSomebodyAwayWaits(t *testing.T) {
	t.Parallel()
	o, now, away := newOutbox(1), start, true
	h := &hearing{fails: func(string) error {
		if away {
			return fault.New(fault.Unavailable, fault.Down)
		}
		return nil
	}}
	r := relay(o, h, &now)
	for range 100 { // more often than anything else may fail
		if _, err := r.Run(t.Context(), lease(1)); err == nil {
			t.Fatal("nobody was away")
		}
		now = now.Add(time.Minute)
	}
	away = false
	if rep, err := r.Run(t.Context(), lease(1)); err != nil || rep.Done != 1 || len(o.dead) != 0 {
		t.Errorf("%+v, %v, dead: %v", rep, err, o.dead)
	}
}
