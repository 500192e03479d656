package store_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/link"
)

// TestLinksWaitForTheirNetwork: each once, so many of a person and in all, until they
// are due or too late.
func TestLinksWaitForTheirNetwork(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		list, ctx := db.Waiting(), t.Context()
		at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
		wait := func(user int64, id string) bool {
			t.Helper()
			kept, err := list.Wait(ctx, link.Waiting{
				User: user, Channel: "telegram", External: "ann", Chat: "7", Ref: link.Ref{Network: link.JD, Kind: link.Item, ID: id, Title: "水壶"},
				At: at, Until: at.Add(time.Hour), NextAt: at.Add(15 * time.Second),
			}, 2, 4)
			if err != nil {
				t.Fatal(err)
			}
			return kept
		}
		var got []bool
		for _, w := range []struct {
			user int64
			id   string
		}{{1, "a"}, {1, "a"}, {1, "b"}, {1, "c"}, {1, "a"}, {2, "a"}, {2, "b"}, {3, "a"}} {
			got = append(got, wait(w.user, w.id))
		}
		if want := "[true true true false true true true false]"; fmt.Sprint(got) != want {
			t.Errorf("kept %v, want %s", got, want)
		}
		due := func(after time.Duration, want int) []link.Waiting {
			t.Helper()
			ws, err := list.Due(ctx, at.Add(after), 10)
			if err != nil || len(ws) != want {
				t.Fatalf("after %s %d are due, %v, want %d", after, len(ws), err, want)
			}
			return ws
		}
		due(14*time.Second, 0)
		ws := due(15*time.Second, 4)
		first := link.Waiting{
			ID: ws[0].ID, User: 1, Channel: "telegram", External: "ann", Chat: "7", Ref: link.Ref{Network: link.JD, Kind: link.Item, ID: "a", Title: "水壶"},
			At: at, Until: at.Add(time.Hour), NextAt: at.Add(15 * time.Second),
		}
		if ws[0] != first {
			t.Errorf("%+v came back as %+v", first, ws[0])
		}
		for i, w := range ws {
			if err := list.PutOff(ctx, w.ID, at.Add(2*time.Hour)); err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				continue
			}
			for range 2 {
				if err := list.Done(ctx, w.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		due(59*time.Minute, 0)
		if left := due(time.Hour, 3); left[0].Tries != 1 || left[0].ID != ws[1].ID {
			t.Errorf("%+v", left[0])
		}
	})
}
