package store_test

import (
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/desk"
	"fanli/core/user"
)

func TestWhatStaffWereAskedIsForgotten(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		for i, key := range []string{"old", "new"} {
			until := start.Add(time.Duration(i) * time.Hour)
			_, err := db.Pendings().AddPending(t.Context(), desk.Pending{Key: key, Act: desk.Act{Staff: 1}, Stage: desk.Asked, Rev: 1, Until: until})
			must(t, err)
			must(t, db.Alerts().Tell(t.Context(), start, []desk.Turn{{Told: desk.Told{Key: key, Sink: "robot", First: start, Last: until}}}, nil))
		}
		for _, want := range []int{2, 0} {
			if n, err := db.SweepDesk(t.Context(), start.Add(time.Minute)); n != want || err != nil {
				t.Errorf("forgotten: %d, %v, want %d", n, err, want)
			}
		}
		if _, err := db.Pendings().Pending(t.Context(), 2); err != nil {
			t.Error(err)
		}
	})
}

// A day begins with the first entry, line and user of it, and ends before the next.
func TestWhatADayHas(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		now := start
		here.Now = func() time.Time { return now }
		db := open(t, here)
		people := &user.Directory{Store: db.Users(), Now: here.Now}
		for i := range 5 { // one every twelve hours: 0 1 | 2 3 | 4
			_, _, err := people.Resolve(t.Context(), user.Identity{Channel: "web", External: string(rune('a' + i))}, "zh")
			must(t, err)
			now = now.Add(12 * time.Hour)
		}
		for day, want := range []int64{2, 2, 1, 0} {
			from := start.AddDate(0, 0, day)
			if n, err := db.Joined(t.Context(), from, from.AddDate(0, 0, 1)); n != want || err != nil {
				t.Errorf("day %d: %d, %v, want %d", day, n, err, want)
			}
		}
		entered, err := db.Entered(t.Context(), start, now)
		if len(entered) != 0 || err != nil {
			t.Errorf("nothing was entered: %v, %v", entered, err)
		}
		placed, err := db.Placed(t.Context(), start, now)
		if len(placed) != 0 || err != nil {
			t.Errorf("nothing was bought: %v, %v", placed, err)
		}
	})
}
