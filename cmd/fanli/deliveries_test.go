package main

import (
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/post"
)

// What came to nothing is listed without what is in it, tried again when staff says so,
// or forgotten; and whoever reads it is on record.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	inBooks(t, dir, func(db *store.DB) {
		s := db.PostOffice()
		for _, key := range []string{"re/1", "re/2", "re/3"} {
			p := post.Parcel{Key: key, Channel: "telegram", Chat: key, Body: []byte("the secret of " + key), At: at, Expires: at.Add(time.Hour)}
			if err := s.Post(t.Context(), at, []post.Parcel{p}); err != nil {
				t.Fatal(err)
			}
		}
		ps, err := s.ClaimParcels(t.Context(), "telegram", post.Claim{Holder: "me", Now: at, Until: at.Add(time.Minute), Count: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range ps[:2] {
			p.State, p.Tries, p.Reason = post.GivenUp, 3, "telegram.refused"
			if err := s.Settle(t.Context(), "me", p, post.Outcome{Now: at}); err != nil {
				t.Fatal(err)
			}
		}
	})
	run := func(args ...string) result {
		return cli(t, "", nil, append([]string{"deliveries", "--data", dir}, args...)...)
	}
	r := run("list")
	r.want(t, exitOK, "re/1", "re/2", "telegram", "given_up", "tried 3 times", "telegram.refused")
	shown := r.out + run("show", "1").out
	if strings.Contains(shown, "secret") || strings.Contains(shown, "re/3") {
		t.Errorf("shown is\n%s", shown)
	}
	run("list", "--count", "1").want(t, exitOK, "--after 1")
	run("list", "--after", "2").want(t, exitOK, "none")
	run("list", "--waiting").want(t, exitOK, "re/3")
	run("list", "--in").want(t, exitOK, "none")
	run("show", "1", "--show-text", "--as", "ann", "--reason", "she asked").want(t, exitOK, "the secret of re/1")
	run("discard", "1", "--as", "ann").want(t, exitOK, "1: done")
	run("show", "1").want(t, exitFailed, "no such delivery 1")
	run("retry", "--all").want(t, exitOK, "1 are tried again")
	run("list").want(t, exitOK, "none")
	run("retry", "2").want(t, exitFailed, "no such delivery 2")
	run("retry").want(t, exitUsage, "--all")
	run("retry", "one").want(t, exitUsage, "one")
	cli(t, "", nil, "events", "--data", dir).want(t, exitOK, "bot                 3 wait") // what staff did, on its way to the record
}
