package user_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

// TestQuietHoursEnd on the day on which they do, over midnight and within a day.
func TestQuietHoursEnd(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("UTC+8", 8*60*60)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 1, day, hour, minute, 30, 0, zone) }
	night, noon := user.Quiet{From: 22 * 60, To: 8 * 60}, user.Quiet{From: 12 * 60, To: 13*60 + 30}
	for _, c := range []struct {
		q    user.Quiet
		now  time.Time
		want string // "" for outside
	}{
		{night, at(31, 21, 59), ""}, {night, at(31, 22, 0), "2026-02-01 08:00"}, {night, at(31, 23, 59), "2026-02-01 08:00"},
		{night, at(15, 0, 0), "2026-01-15 08:00"}, {night, at(15, 7, 59), "2026-01-15 08:00"}, {night, at(15, 8, 0), ""},
		{noon, at(15, 11, 59), ""}, {noon, at(15, 12, 0), "2026-01-15 13:30"}, {noon, at(15, 13, 30), ""},
		{user.Quiet{}, at(15, 0, 0), ""}, {user.Quiet{To: 6 * 60}, at(15, 0, 0), "2026-01-15 06:00"}, {user.Quiet{From: 22 * 60}, at(15, 23, 0), "2026-01-16 00:00"},
	} {
		end, in := c.q.Until(c.now)
		got := end.Format("2006-01-02 15:04")
		if !in {
			got = ""
		}
		if got != c.want || in && end.Location() != zone {
			t.Errorf("%v at %s: until %q, want %q", c.q, c.now, got, c.want)
		}
	}
}

// TestWishesFollowAPerson: the older account's count, those of an account that was linked
// where it has none, and each has its own again once they are taken apart.
func TestWishesFollowAPerson(t *testing.T) {
	t.Parallel()
	w := openTown(t)
	a, b := w.join("a"), w.join("b")
	change := func(id int64, c user.NoticesChange) {
		t.Helper()
		_, err := w.ChangeNotices(t.Context(), id, c)
		w.must(err)
	}
	wants := func(what string, id int64, want string) {
		t.Helper()
		n, err := w.Notices(t.Context(), id)
		w.must(err)
		if got := fmt.Sprint(n.Off, n.Quiet); got != want {
			t.Errorf("%s %d wants %s, want %s", what, id, got, want)
		}
	}
	wants("who has never said,", a, "[] {0 0}")
	change(b, user.NoticesChange{Off: []user.Topic{user.TopicMoney}})
	w.link(a, b)
	wants("linked with one who has said,", a, "[money] {0 0}")
	change(b, user.NoticesChange{Off: []user.Topic{user.TopicOrders}, Quiet: &user.Quiet{From: 60, To: 120}})
	wants("as one person,", a, "[orders money] {60 120}")
	wants("as one person,", b, "[orders money] {60 120}")
	_, err := w.Unlink(t.Context(), b)
	w.must(err)
	w.hear()
	wants("apart again,", a, "[orders money] {60 120}")
	wants("apart again,", b, "[money] {0 0}")
	w.link(a, b)
	wants("both have said:", b, "[orders money] {60 120}")
	if _, err := w.ChangeNotices(t.Context(), a, user.NoticesChange{Quiet: &user.Quiet{From: 24 * 60}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an hour that there is not: %v", err)
	}
}
