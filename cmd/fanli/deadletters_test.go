package main

import (
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/event"
)

// What could not be handled is listed with why, heard again when staff says so, or
// forgotten.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inBooks(t, dir, func(db *store.DB) {
		for _, o := range db.Outboxes() {
			if o.Name() != "payment" {
				continue
			}
			for _, id := range []string{"rebate/batch/1", "rebate/batch/1", "rebate/batch/2"} { // one came twice
				e := event.Event{ID: id, Name: event.RebateChanged, At: time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC), Data: []byte(`{"rebates":[]}`)}
				if err := o.Bury(t.Context(), e, "it cannot be read"); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	at := []string{"--data", dir}
	cli(t, "", nil, append([]string{"events"}, at...)...).want(t, exitOK, "payment             0 wait      2 dead")
	r := cli(t, "", nil, append([]string{"events", "dead", "payment"}, at...)...)
	r.want(t, exitOK, "rebate.changed", "rebate/batch/1", "rebate/batch/2", "it cannot be read")
	if strings.Count(r.out, "\n") != 2 {
		t.Errorf("listed are\n%s", r.out)
	}
	cli(t, "", nil, append([]string{"events", "retry", "payment", "1", "--as", "wang"}, at...)...).want(t, exitOK)
	cli(t, "", nil, append([]string{"events", "discard", "payment", "2"}, at...)...).want(t, exitFailed, "no dead event 2") // the second was no new one
	cli(t, "", nil, append([]string{"events", "discard", "payment", "3", "--reason", "it is of a test"}, at...)...).want(t, exitOK)
	cli(t, "", nil, append([]string{"events"}, at...)...).want(t, exitOK, "payment             3 wait      0 dead") // the event, and two acts for the record
	cli(t, "", nil, append([]string{"events", "dead", "console"}, at...)...).want(t, exitUsage, "fanli targets")
	cli(t, "", nil, append([]string{"events", "retry", "payment", "one"}, at...)...).want(t, exitUsage, "not the number")
}
