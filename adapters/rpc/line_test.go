package rpc_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"fanli/adapters/rpc"
	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/user"
)

// gauge is a line that notes what it sees, and lets nothing through while it refuses.
type gauge struct {
	refuses error
	calls   atomic.Int64
	failed  atomic.Int64
}

func (g *gauge) Do(ctx context.Context, call func(context.Context) error) error {
	if g.refuses != nil {
		return g.refuses
	}
	g.calls.Add(1)
	err := call(ctx)
	if err != nil && rpc.Failed(err) {
		g.failed.Add(1)
	}
	return err
}

// TestALineSeesOnlyFailures: an answer is none, whatever it says; that nobody answers
// is one, and so is one who is too slow.
func TestALineSeesOnlyFailures(t *testing.T) {
	t.Parallel()
	answers := map[string]error{
		"nothing":  nil,
		"refusal":  fault.New(fault.Insufficient, "withdraw.insufficient"),
		"trouble":  fault.New(fault.Unavailable, "order.later"),
		"defect":   errors.New("a defect"),
		"a switch": &fault.Error{Code: fault.Unavailable, Reason: control.Stopped, Err: &control.StoppedError{Switch: control.Switch{Scope: control.Payouts}}},
	}
	for name, answer := range answers {
		g := &gauge{}
		o := options()
		at := start(t, o, rpc.UserServer(&people{fails: func(int64) error { return answer }}))
		o.Dial = rpc.Through(g)
		s := rpc.Users(dial(t, o, at.addr))
		if err := s.SetPayee(t.Context(), 7, user.Payee{}); fault.CodeOf(err) != fault.CodeOf(answer) {
			t.Errorf("%s arrives as %v", name, err)
		}
		if g.calls.Load() != 1 || g.failed.Load() != 0 {
			t.Errorf("%s: %d calls, %d failures", name, g.calls.Load(), g.failed.Load())
		}
		at.stop()
		if err := s.SetPayee(t.Context(), 7, user.Payee{}); fault.ReasonOf(err) != "target.down" || g.failed.Load() != 1 {
			t.Errorf("away: %v, %d failures", err, g.failed.Load())
		}
	}
}

// slowly answers nobody in time.
type slowly struct{ user.Service }

func (slowly) User(ctx context.Context, _ int64) (user.User, error) {
	<-ctx.Done()
	return user.User{}, ctx.Err()
}

func TestWhoIsTooSlowHasFailed(t *testing.T) {
	t.Parallel()
	g := &gauge{}
	o := options()
	at := start(t, o, rpc.UserServer(slowly{}))
	o.Dial = rpc.Through(g)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := rpc.Users(dial(t, o, at.addr)).User(ctx, 7); !fault.Is(err, fault.Unavailable) || g.failed.Load() != 1 {
		t.Errorf("%v, %d failures", err, g.failed.Load())
	}
}

// TestWhatALineRefusesHasNotHappened, also where a lost answer would leave that open.
func TestWhatALineRefusesHasNotHappened(t *testing.T) {
	t.Parallel()
	p := &people{}
	o := options()
	at := start(t, o, rpc.UserServer(p))
	for reason, code := range map[string]fault.Code{"target.down": fault.Unavailable, "target.busy": fault.Limited} {
		o.Dial = rpc.Through(&gauge{refuses: fault.New(code, reason)})
		err := rpc.Users(dial(t, o, at.addr)).SetPayee(t.Context(), 7, user.Payee{})
		if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if p.calls.Load() != 0 {
		t.Errorf("%d calls arrived", p.calls.Load())
	}
}

// TestAServerLetsInWhomItCan: others read that it has too much to do; how it is may
// always be asked.
func TestAServerLetsInWhomItCan(t *testing.T) {
	t.Parallel()
	p := &people{}
	o := options()
	var asked []string
	left := 0
	o.Serve = append(o.Serve, rpc.Limited(func(_ context.Context, service string) (func(), error) {
		asked = append(asked, service)
		if len(asked) > 1 {
			return nil, fault.New(fault.Limited, "target.busy")
		}
		return func() { left++ }, nil
	}))
	c := dial(t, o, start(t, o, rpc.UserServer(p)).addr)
	s := rpc.Users(c)
	if err := s.SetPayee(t.Context(), 7, user.Payee{}); err != nil || left != 1 {
		t.Errorf("the first: %v", err)
	}
	if err := s.SetPayee(t.Context(), 7, user.Payee{}); !fault.Is(err, fault.Limited) || fault.ReasonOf(err) != "target.busy" {
		t.Errorf("the second: %v", err)
	}
	if err := rpc.Probe(t.Context(), c); err != nil || len(asked) != 2 || asked[0] != "UserService" || p.calls.Load() != 1 {
		t.Errorf("%v; asked %v, %d calls", err, asked, p.calls.Load())
	}
}
