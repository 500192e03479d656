package reconcile_test

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/money"
	"fanli/core/reconcile"
	"fanli/core/reconcile/reconciletest"
)

func zone() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

func period(t testing.TB, name string) reconcile.Period {
	t.Helper()
	p, err := reconcile.ParsePeriod(name, zone())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func desk(b *reconciletest.Books) *reconcile.Desk {
	return &reconcile.Desk{Lines: b, Store: b, Zone: zone(), Now: func() time.Time { return time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC) }}
}

// held holds what was found against what was planted: all of it, and nothing else.
func held(t *testing.T, found, want map[string]int) {
	t.Helper()
	if maps.Equal(found, want) {
		return
	}
	keys := slices.Sorted(maps.Keys(found))
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if found[k] != want[k] {
			t.Errorf("planted %d times and found %d times: %s", want[k], found[k], k)
		}
	}
	for _, k := range keys {
		if want[k] == 0 {
			t.Errorf("found and not planted: %s", k)
		}
	}
}

// TestEveryPlantedDifferenceIsFound compares files of 10,000 lines, in order and
// not, in which differences of every kind were planted.
func TestEveryPlantedDifferenceIsFound(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := reconciletest.New(seed, 10_000, period(t, "2026-10"))
			b := &reconciletest.Books{World: w}
			found, matched := map[string]int{}, int64(0)
			sum, err := desk(b).Compare(t.Context(), reconcile.OfNetwork("jd", "main"), w.Period, w.Theirs, func(f reconcile.Finding) error {
				if f.Kind == reconcile.Matched {
					matched++
				} else {
					found[reconciletest.Said(f)]++
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			held(t, found, w.Want)
			if matched != w.Matched || sum.Counts[reconcile.Matched] != matched || sum.Rows != int64(len(w.Rows)) {
				t.Errorf("%d matched, the summary says %d of %d; want %d of %d", matched, sum.Counts[reconcile.Matched], sum.Rows, w.Matched, len(w.Rows))
			}
			if int64(len(b.Noted)) != sum.Open() {
				t.Errorf("%d findings are kept of %d", len(b.Noted), sum.Open())
			}
			if b.Reads > 60 {
				t.Errorf("our book was read %d times for 10,000 lines", b.Reads)
			}
		})
	}
}

// TestPayersBills plants differences between a bill and what we have sent.
func TestPayersBills(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := period(t, "2026-10-03")
		b := &reconciletest.Books{World: &reconciletest.World{}}
		var bill []reconcile.Row
		want := map[string]int{}
		say := func(k reconcile.Kind, key string, what ...reconcile.Aspect) {
			want[reconciletest.Said(reconcile.Finding{Kind: k, Key: key, What: what})]++
		}
		for i := range 1000 {
			w := reconcile.Payout{Number: fmt.Sprintf("F%05d", r.IntN(90_000)*1000+i), Amount: money.Fen(100 + r.IntN(9900)), State: "paid", At: p.From.Add(time.Duration(r.IntN(86_400)) * time.Second)}
			w.Booked = w.Amount
			row := reconcile.Row{Number: i + 1, Key: w.Number, Sum: w.Amount, State: "paid", At: w.At}
			switch r.IntN(40) {
			case 0:
				row.Sum++
				say(reconcile.Differs, w.Number, reconcile.Sum)
			case 1:
				say(reconcile.MissingThere, w.Number)
				row.Key = ""
			case 2: // it came back, and we believe that it arrived
				row.Sum, row.State = 0, reconcile.Returned
				say(reconcile.Differs, w.Number, reconcile.Sum, reconcile.State)
			case 3: // it arrived, and we do not know yet
				w.State, w.Booked, w.At = "unknown", 0, p.From
				say(reconcile.Differs, w.Number, reconcile.Sum, reconcile.State)
			case 4: // booked the day after, by a second
				w.At = p.To
			case 5:
				row.At = p.From.AddDate(0, 0, 9)
				say(reconcile.Differs, w.Number, reconcile.Shift)
			case 6: // failed, as we say, too
				w.State, w.Booked = "failed", 0
				row.Sum, row.State = 0, reconcile.Returned
			case 7:
				bill = append(bill, row)
				say(reconcile.Twice, w.Number)
			case 8:
				row.Bad = "planted"
				say(reconcile.Unreadable, w.Number)
				say(reconcile.MissingThere, w.Number)
			case 9: // somebody else's
				bill = append(bill, reconcile.Row{Key: w.Number + "x", Sum: 5, State: "paid", At: w.At})
				say(reconcile.MissingHere, w.Number+"x")
			}
			b.Paid = append(b.Paid, w)
			if row.Key != "" {
				bill = append(bill, row)
			}
		}
		found := map[string]int{}
		_, err := desk(b).Compare(t.Context(), reconcile.OfPayer("alipay"), p, of(bill), func(f reconcile.Finding) error {
			if f.Kind != reconcile.Matched {
				found[reconciletest.Said(f)]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		held(t, found, want)
	}
}

// of makes a book of rows.
func of(rows []reconcile.Row) reconcile.Rows {
	return func() iter.Seq2[reconcile.Row, error] {
		return func(yield func(reconcile.Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// TestRecordsAreHarmless keeps what others write from being computed by a
// spreadsheet.
func TestRecordsAreHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "x": "x", "-1.00": "-1.00", "=1+1": "'=1+1", "+1": "'+1", "-1+cmd": "'-1+cmd", "@x": "'@x", "\t=1": "'\t=1", "1=": "1=",
	} {
		if got := reconcile.Harmless(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	f := reconcile.Finding{Kind: reconcile.Unreadable, Key: "=HYPERLINK(1)", Row: reconcile.Row{Number: 3, Raw: "@raw", Bad: "odd"}}
	for _, cell := range f.Record() {
		if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") {
			t.Errorf("%q begins like a formula", cell)
		}
	}
	if len(f.Record()) != len(reconcile.Header()) {
		t.Error("the header has another number of columns")
	}
}

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-10": "2026-10-01T00:00:00+08:00 2026-11-01T00:00:00+08:00", "2026-12-31": "2026-12-31T00:00:00+08:00 2027-01-01T00:00:00+08:00",
		"2026": "", "2026-13": "", "2026-02-30": "", "": "", "202610": "", "2026-1": "",
	} {
		p, err := reconcile.ParsePeriod(in, zone())
		got := ""
		if err == nil {
			got = p.From.Format(time.RFC3339) + " " + p.To.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
