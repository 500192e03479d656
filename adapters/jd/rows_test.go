package jd_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanli/adapters/jd"
	"fanli/core/order"
)

var update = flag.Bool("update", false, "rewrite what is expected in testdata/rows")

// TestRows reads the rows in testdata/rows. A file has a row as JD sends it, a
// line of dashes, and what it says; -update writes the part below the dashes.
func TestRows(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/rows/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rows: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			row, want, _ := strings.Cut(string(text), "---\n")
			row = strings.TrimSpace(row)
			got := told(t, pullRow(t, row), row)
			if bad := strings.HasPrefix(filepath.Base(file), "bad_"); bad != strings.HasPrefix(got, "bad: ") {
				t.Errorf("is put aside: %v, want %v", !bad, bad)
			}
			if *update {
				if err := os.WriteFile(file, []byte(row+"\n---\n"+got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("says\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// pullRow has a client read a page with a good row, the row, and a good one.
func pullRow(t *testing.T, row string) order.Page {
	t.Helper()
	const good = `{"id":"good","orderId":7,"validCode":16,"orderTime":"2026-01-15 11:20:16","modifyTime":"2026-01-15 11:21:03"}`
	inner, err := json.Marshal(map[string]any{"code": 200, "data": json.RawMessage(`[` + good + `,` + row + `,` + good + `]`)})
	if err != nil { // a row with a member twice is no JSON for Marshal, but for the wire
		inner = []byte(`{"code":200,"data":[` + good + `,` + row + `,` + good + `]}`)
	}
	doc, err := json.Marshal(string(inner))
	if err != nil {
		t.Fatal(err)
	}
	c := always(t, jd.Config{}, `{"METHOD":{"code":"0","queryResult":`+string(doc)+`}}`)
	at := newClock().Now()
	p, err := c.Pull(t.Context(), order.Window{Scene: "update", From: at.Add(-time.Hour), To: at}, "")
	if err != nil {
		t.Fatalf("a row stops its page: %v", err)
	}
	n := 0
	for _, r := range p.Revisions {
		if r.Key.ID == "good" {
			n++
		}
	}
	if n != 2 || len(p.Revisions)+len(p.Bad) != 3 {
		t.Fatalf("%d good rows beside it, %d revisions and %d bad, want 2 and 3 together", n, len(p.Revisions), len(p.Bad))
	}
	return p
}

// told writes down what the row in the middle of a page says.
func told(t *testing.T, p order.Page, row string) string {
	t.Helper()
	if len(p.Bad) == 1 {
		b := p.Bad[0]
		if string(b.Raw) != row || b.Key.Network != "jd" || b.Key.Account != "main" {
			t.Errorf("put aside as %v %s", b.Key, b.Raw)
		}
		return fmt.Sprintf("bad: %s\nid: %s\n", b.Err, b.Key.ID)
	}
	r := p.Revisions[1]
	if r.Aspect != order.Whole || !bytes.Equal(r.Raw, []byte(row)) {
		t.Errorf("aspect %s, raw %s", r.Aspect, r.Raw)
	}
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	at := func(name string, at time.Time) {
		if !at.IsZero() {
			line(name, at.Format(time.RFC3339))
		}
	}
	line("key", r.Key.String())
	line("order", r.Order)
	line("parent", r.Parent)
	line("goods", strings.Join([]string{r.Item, r.Title, r.Shop, r.Image, r.Category}, " | "))
	line("mark", r.Tag+" | "+r.Slot)
	line("state", strings.TrimSpace(string(r.State)+" "+r.Why))
	line("money", fmt.Sprintf("%d × for %s, refunded %s", r.Quantity, r.Price, r.Refunded))
	line("commission", fmt.Sprintf("expected %s, actual %s (known: %v)", r.Estimated, r.Actual, r.ActualKnown))
	if r.Disputed {
		line("disputed", "yes")
	}
	at("created", r.Created)
	at("paid", r.PaidAt)
	at("received", r.ReceivedAt)
	at("settled", r.SettledAt)
	at("settles", r.SettlesOn)
	at("modified", r.Modified)
	return b.String()
}

// TestEveryValidCode goes through the codes of the documentation, and beyond.
func TestEveryValidCode(t *testing.T) {
	t.Parallel()
	alive := map[int]order.State{-1: order.Unpaid, 15: order.Unpaid, 16: order.Paid, 17: order.Received, 18: order.Settled, 24: order.Paid}
	for code := -5; code <= 60; code++ {
		p := pullRow(t, fmt.Sprintf(`{"id":"1","orderId":2,"validCode":%d,"estimateCosPrice":10,"estimateFee":1,"actualCosPrice":10,"actualFee":1,`+
			`"orderTime":"2026-01-15 11:20:16","modifyTime":"2026-01-15 11:21:03","payMonth":20260220,"skuNum":1}`, code))
		r := p.Revisions[1]
		want, ok := alive[code]
		if !ok {
			want = order.Invalid
		}
		if r.State != want || (r.Why != "") != (want == order.Invalid) {
			t.Errorf("validCode %d is %s because %q, want %s", code, r.State, r.Why, want)
		}
		if want == order.Invalid && (r.Estimated != 0 || r.Actual != 0 || !r.SettlesOn.IsZero() || !strings.HasPrefix(r.Why, "order.")) {
			t.Errorf("validCode %d is invalid and still promises %s, %s, %s (%q)", code, r.Estimated, r.Actual, r.SettlesOn, r.Why)
		}
	}
}

// TestPageShapes reads the answers in testdata/answers: the same two rows, or
// none, in every shape in which pages were seen.
func TestPageShapes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/answers/orders_*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no answers: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "orders_"), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := stubbed(t, jd.Config{}, func(url.Values) (int, string) { return 200, string(body) })
			at := newClock().Now()
			p, err := c.Pull(t.Context(), order.Window{Scene: "order", From: at.Add(-time.Hour), To: at}, "")
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, r := range p.Revisions {
				ids = append(ids, r.Order)
			}
			want := "[415900297816660001 415900297816660003]"
			switch {
			case strings.HasPrefix(name, "empty"):
				want = "[]"
			case strings.HasSuffix(name, "single"):
				want = "[415900297816660001]"
			}
			if fmt.Sprint(ids) != want || len(p.Bad) != 0 {
				t.Errorf("orders %v and %d bad rows, want %s", ids, len(p.Bad), want)
			}
			if more := strings.Contains(name, "more"); more != (p.Next != "") {
				t.Errorf("Next = %q, want more: %v", p.Next, more)
			}
		})
	}
}
