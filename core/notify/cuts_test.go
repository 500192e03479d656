package notify_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/notify"
)

// cuts lets the office hear of what became of inviters' parts.
func (o *office) cuts(id int, cs ...credit.CutChange) {
	o.t.Helper()
	o.hear(fmt.Sprint("ledger/", id), event.LedgerPosted, credit.Posted{Cuts: cs}, o.LedgerPosted)
}

// wantCuts lets the job run and compares what was written.
func (o *office) wantCuts(want ...string) {
	o.t.Helper()
	before := len(o.tray.all)
	n, err := o.TellCuts(o.t.Context())
	must(o.t, err)
	var got []string
	for _, m := range o.tray.all[before:] {
		if m.Kind != notify.CutNews || !m.At.Equal(o.at) || m.State != notify.Waiting || m.Key != fmt.Sprintf("cuts/%d/%d", m.User, o.at.UnixMilli()) {
			o.t.Errorf("wrote %+v", m)
		}
		got = append(got, fmt.Sprint(m.User, " ", string(m.Data)))
	}
	if n != len(got) || fmt.Sprint(got) != fmt.Sprint(want) {
		o.t.Errorf("at %s, told %d: %v, want %v", o.at, n, got, want)
	}
}

func TestInvitersAreToldTogether(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.wantCuts()
	o.cuts(1, credit.CutChange{User: 7, Now: 12}, credit.CutChange{User: 8, Now: 3}, credit.CutChange{User: 7, Now: 5})
	o.at = start.Add(9 * time.Minute)
	o.cuts(2, credit.CutChange{User: 7, Before: 12, Now: 12}, credit.CutChange{User: 7, Before: 12, Now: 10, Debt: 1})
	o.at = start.Add(10*time.Minute - time.Millisecond)
	o.wantCuts()
	o.at = start.Add(10 * time.Minute)
	o.wantCuts(`7 {"user":7,"given":17,"taken":2,"debt":1,"lines":2}`, `8 {"user":8,"given":3,"taken":0,"lines":1}`)
	o.wantCuts()
	told := o.at
	o.cuts(3, credit.CutChange{User: 7, Before: 5})
	o.at = told.Add(24*time.Hour - time.Millisecond)
	o.wantCuts()
	o.at = told.Add(24 * time.Hour)
	o.wantCuts(`7 {"user":7,"given":0,"taken":5,"lines":0}`)
}

func TestWhatChangesNothingForAnInviterIsNotTold(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.cuts(1, credit.CutChange{User: 7, Before: 5, Now: 5})
	o.cuts(2)
	o.at = start.Add(time.Hour)
	o.wantCuts()
}

func TestOneBatchOfInviters(t *testing.T) {
	t.Parallel()
	o := open(t)
	for i := range 101 {
		o.cuts(i, credit.CutChange{User: int64(i + 1), Now: 1})
	}
	o.at = start.Add(time.Hour)
	for _, want := range []int{100, 1, 0} {
		if n, err := o.TellCuts(t.Context()); n != want || err != nil {
			t.Errorf("told %d, %v, want %d", n, err, want)
		}
	}
	o.tray.down = fault.New(fault.Unavailable, "db.busy")
	if n, err := o.TellCuts(t.Context()); n != 0 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("told %d, %v", n, err)
	}
}
