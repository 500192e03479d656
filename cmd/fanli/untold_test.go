package main

import (
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/notify"
)

// Operators see what somebody was not told, and why, without what it says.
func TestNoticesThatWereNotTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	inBooks(t, dir, func(db *store.DB) {
		s := db.Messages()
		err := s.InTx(t.Context(), func(tx notify.Tx) error {
			m := func(key string, user int64) notify.Message {
				return notify.Message{Key: key, User: user, Kind: notify.OrderSeen, Data: []byte(`{"title":"the secret"}`), At: at, State: notify.Waiting}
			}
			return tx.Write([]notify.Message{m("a/1", 7), m("b/1", 8), m("c/1", 9)})
		})
		if err != nil {
			t.Fatal(err)
		}
		for id, why := range map[int64]string{1: notify.Off, 2: notify.NoChannel} {
			if err := s.Mark(t.Context(), id, notify.Outcome{State: notify.GivenUp, Reason: why}); err != nil {
				t.Fatal(err)
			}
		}
	})
	run := func(args ...string) result {
		return cli(t, "", nil, append([]string{"notices", "--data", dir}, args...)...)
	}
	r := run()
	r.want(t, exitOK, "user 7", "notify.off", "user 8", "notify.no_channel", "order.seen")
	if strings.Contains(r.out, "secret") || strings.Contains(r.out, "user 9") {
		t.Errorf("shown is\n%s", r.out)
	}
	run("--count", "1").want(t, exitOK, "notify.no_channel", "--before 2")
	run("--before", "2").want(t, exitOK, "notify.off")
	run("--user", "9").want(t, exitOK, "none")
}
