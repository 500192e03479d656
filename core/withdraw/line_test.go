package withdraw_test

import (
	"context"
	"testing"
	"time"

	"fanli/core/withdraw"
)

// line lets calls through unless it rests.
type line struct {
	rests bool
	calls int
}

func (l *line) Resting() bool { return l.rests }

func (l *line) Do(ctx context.Context, call func(context.Context) error) error {
	l.calls++
	return call(ctx)
}

// TestWhileAPayerRestsNothingIsSent: what is approved stays approved, so that it is
// known that it has not left; it goes out once the payer is back.
func TestWhileAPayerRestsNothingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := &line{rests: true}
	w.Line = func(payer string) withdraw.Line {
		if payer != w.bank.Name() {
			t.Errorf("asked for the line to %s", payer)
		}
		return l
	}
	w.give(7, 1000)
	id := w.request(7, 500).ID
	for range 3 {
		w.run()
		w.advance(time.Minute)
	}
	w.wantState(id, withdraw.Approved, "")
	w.wantAsked()
	l.rests = false
	w.run()
	if l.calls != 1 {
		t.Errorf("%d calls went by the line", l.calls)
	}
	w.wantState(id, withdraw.Paid, "")
	w.wantSound()
}
