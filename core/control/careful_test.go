package control_test

import (
	"context"
	"testing"

	"fanli/core/control"
	"fanli/core/fault"
)

// far is a board in another process.
type far struct {
	on   map[control.Scope]bool
	down error
}

func (f *far) Check(_ context.Context, scopes ...control.Scope) error {
	for _, s := range scopes {
		if f.down == nil && f.on[s] {
			return &fault.Error{Code: fault.Unavailable, Reason: control.Stopped, Err: &control.StoppedError{Switch: control.Switch{Scope: s, On: true}}}
		}
	}
	return f.down
}

// TestWithoutABoardMoneyStays: while nobody says what is stopped, no money moves, and
// the rest is as it was last known.
func TestWithoutABoardMoneyStays(t *testing.T) {
	t.Parallel()
	jd, pdd := control.Network("jd"), control.Network("pdd")
	board := &far{on: map[control.Scope]bool{jd: true}}
	c := &control.Careful{Service: board}
	check := func(when string, want map[control.Scope]string) {
		t.Helper()
		for scope, reason := range want {
			if err := c.Check(t.Context(), scope); fault.ReasonOf(err) != reason {
				t.Errorf("%s: %s: %v, want %q", when, scope, err, reason)
			}
		}
	}
	check("at first", map[control.Scope]string{jd: control.Stopped, pdd: "", control.Payouts: "", control.Payer("bank"): ""})
	away := map[control.Scope]string{
		jd: control.Stopped, pdd: "", control.ReadOnly: "", control.Payouts: "target.down", control.Credits: "target.down", control.Payer("bank"): "target.down",
	}
	board.down = fault.New(fault.Unavailable, "target.down")
	check("away", away)
	if err := c.Check(t.Context(), control.ReadOnly, control.Payouts); fault.ReasonOf(err) != "target.down" {
		t.Errorf("one of two is about money: %v", err)
	}
	if err := c.Check(t.Context(), control.ReadOnly, jd); fault.ReasonOf(err) != control.Stopped {
		t.Errorf("one of two was stopped: %v", err)
	}
	board.down, board.on = nil, nil
	check("back", map[control.Scope]string{jd: "", pdd: "", control.Payouts: ""})
	board.down = fault.New(fault.Unavailable, "target.down")
	check("away again", map[control.Scope]string{jd: "", pdd: ""})
	board.down = fault.New(fault.Denied, "rpc.token")
	check("refused", map[control.Scope]string{pdd: "rpc.token"})
}
