package jobs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"fanli/jobs"
)

// TestJobsArePlannedAnewWhileTheyRun: they run as often as the newest plan says, and
// what makes no sense changes nothing.
func TestJobsArePlannedAnewWhileTheyRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, other := &worker{name: "w", do: idle}, &worker{name: "other", do: idle}
		r := runner(t, newLeases(), "a", "@every 1h", w, other)
		stop := begin(t, r)
		synctest.Wait()
		must(t, r.Replan([]jobs.Plan{{Job: w, Every: "@every 5s"}, {Job: &worker{name: "unknown"}, Every: "@every 1s"}}))
		time.Sleep(time.Minute + time.Second)
		if w.count() != 13 || other.count() != 1 {
			t.Errorf("the one that was planned anew ran %d times, the other %d times", w.count(), other.count())
		}
		if err := r.Replan([]jobs.Plan{{Job: w, Every: "soon"}}); err == nil {
			t.Error("soon is accepted")
		}
		time.Sleep(time.Minute)
		if w.count() != 25 {
			t.Errorf("after a plan that means nothing it has run %d times", w.count())
		}
		stop()
	})
}
