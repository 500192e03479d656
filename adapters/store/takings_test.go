package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/collect"
	"fanli/core/collect/collecttest"
)

var updates = regexp.MustCompile(`(?s)UPDATE .*?;`)

// TestTakingsOfOldCharges: what the migration reads off the ledger, for charges from
// before it, is what is kept of later ones as they are taken.
func TestTakingsOfOldCharges(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		db := open(t, here)
		at := start
		till := collecttest.NewTill(func() time.Time { return at })
		desk := &collect.Desk{Store: db.Charges(), Collectors: []collect.Collector{till}, Prefix: "T", Lasts: time.Hour, Now: func() time.Time { return at }}
		for i, key := range []string{"a", "b", "c"} { // one is paid, one given back, one open
			d, err := desk.Ask(t.Context(), collect.Request{Key: key, Purpose: collect.Membership, User: int64(i + 1), What: "level/1/30", Amount: 1990, Subject: "x"})
			must(t, err)
			if key == "c" {
				continue
			}
			must(t, till.Pay(d.Number))
			at = at.Add(time.Minute)
			_, err = desk.Run(t.Context())
			must(t, err)
			if key == "b" {
				at = at.Add(time.Hour)
				_, err = desk.Refund(t.Context(), d.ID, "ann", "goodwill")
				must(t, err)
				_, err = desk.Run(t.Context())
				must(t, err)
			}
		}
		shell := raw(t, here)
		read := func() (out [][3]string) {
			rows, err := shell.QueryContext(t.Context(), "SELECT taken_at, returned_at, return_no FROM payment_charges ORDER BY id")
			must(t, err)
			defer rows.Close()
			for rows.Next() {
				var r [3]string
				must(t, rows.Scan(&r[0], &r[1], &r[2]))
				out = append(out, r)
			}
			must(t, rows.Err())
			return out
		}
		kept := read()
		if len(kept) != 3 || kept[0][0] == "0" || kept[0][1] != "0" || kept[1][1] == "0" || kept[1][2] != "TC2R" || kept[2] != [3]string{"0", "0", ""} {
			t.Fatalf("kept are %v", kept)
		}
		_, err := shell.ExecContext(t.Context(), "UPDATE payment_charges SET taken_at = 0, returned_at = 0, return_no = ''")
		must(t, err)
		dialect := "sqlite"
		if here.DSN != "" {
			dialect = "mysql"
		}
		text, err := os.ReadFile(filepath.Join("migrations", dialect, "payment", "0014_takings.sql"))
		must(t, err)
		for _, statement := range updates.FindAllString(string(text), -1) {
			_, err := shell.ExecContext(t.Context(), statement)
			must(t, err)
		}
		for i, r := range read() {
			if r != kept[i] {
				t.Errorf("charge %d has %v by the migration, and had %v", i+1, r, kept[i])
			}
		}
	})
}
