package rpc_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"fanli/adapters/rpc"
	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/logtest"
	"fanli/core/notify"
	"fanli/core/user"
)

const token = "the installation's token"

func options() rpc.Options {
	logtest.Secret(token)
	return rpc.Options{Token: token, Log: logtest.New(nil)}
}

// people answers as a test wants.
type people struct {
	user.Service
	name  string
	calls atomic.Int64
	fails func(n int64) error
}

func (p *people) User(_ context.Context, id int64) (user.User, error) {
	return user.User{ID: id, Locale: p.name}, p.fail()
}

func (p *people) SetPayee(context.Context, int64, user.Payee) error { return p.fail() }

func (p *people) fail() error {
	n := p.calls.Add(1)
	if p.fails == nil {
		return nil
	}
	return p.fails(n)
}

// A process answers for a target.
type process struct {
	*rpc.Server
	addr string
	stop func()
}

// start starts a process on a free port.
func start(t *testing.T, o rpc.Options, services ...rpc.Service) process {
	t.Helper()
	s, err := rpc.NewServer(o, services...)
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	stop := sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Stop(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return process{s, ln.Addr().String(), stop}
}

// TestStoppedBeforeItServes: a process that is told to stop while it starts ends in order.
func TestStoppedBeforeItServes(t *testing.T) {
	t.Parallel()
	s, err := rpc.NewServer(options())
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Stop(t.Context())
	if err := s.Serve(ln); err != nil {
		t.Error(err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("it still listens")
	}
}

func dial(t *testing.T, o rpc.Options, addrs ...string) *grpc.ClientConn {
	t.Helper()
	c, err := rpc.Dial("static:"+strings.Join(addrs, ","), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// What went wrong in another process means here what it meant there.
func TestErrorsSurviveTheTrip(t *testing.T) {
	t.Parallel()
	stopped := &fault.Error{Code: fault.Unavailable, Reason: control.Stopped, Err: &control.StoppedError{Switch: control.Switch{
		Scope: control.Payouts, On: true, By: "cli", Why: "the payer is odd", Text: "明天再来", Since: time.Date(2026, 11, 11, 1, 2, 3, 0, time.UTC),
	}}}
	for _, want := range []error{
		fault.New(fault.Internal, ""), fault.New(fault.Invalid, "payee.method"), fault.New(fault.NotFound, "user.none"),
		fault.New(fault.Conflict, "x.raced"), fault.New(fault.Denied, "invite.own"), fault.New(fault.Insufficient, "withdraw.insufficient"),
		fault.New(fault.Limited, "claim.too_many"), fault.New(fault.Unavailable, "db.busy"), fault.New(fault.Unknown, "db.unknown"),
		stopped, errors.New("a secret of the database"),
	} {
		p := &people{fails: func(int64) error { return want }}
		s := rpc.Users(dial(t, options(), start(t, options(), rpc.UserServer(p)).addr))
		_, err := s.User(t.Context(), 7)
		if fault.CodeOf(err) != fault.CodeOf(want) || fault.ReasonOf(err) != fault.ReasonOf(want) {
			t.Errorf("%v arrived as %v", want, err)
		}
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v arrived as %v", want, err)
		}
		var sw *control.StoppedError
		if errors.As(want, &sw) {
			var got *control.StoppedError
			if !errors.As(err, &got) || got.Switch != sw.Switch || p.calls.Load() != 1 {
				t.Errorf("a switch arrived as %v after %d calls", err, p.calls.Load())
			}
		}
	}
}

func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	p := &people{}
	at := start(t, options(), rpc.UserServer(p)).addr
	for _, other := range []string{"another installation", token + " ", strings.ToUpper(token)} {
		o := options()
		o.Token = other
		if _, err := rpc.Users(dial(t, o, at)).User(t.Context(), 7); !fault.Is(err, fault.Denied) {
			t.Errorf("%q: %v", other, err)
		}
	}
	if p.calls.Load() != 0 {
		t.Errorf("%d strangers were answered", p.calls.Load())
	}
	for _, short := range []string{"", "short"} {
		if _, err := rpc.NewServer(rpc.Options{Token: short}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a server with the token %q: %v", short, err)
		}
		if _, err := rpc.Dial("static:127.0.0.1:1", rpc.Options{Token: short}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a caller with the token %q: %v", short, err)
		}
	}
}

// A question may be asked again; what has an effect may not, and then its caller
// knows that nothing is known.
func TestOnlyWhatIsSafeIsRepeated(t *testing.T) {
	t.Parallel()
	p := &people{fails: func(n int64) error {
		if n < 3 {
			return fault.New(fault.Unavailable, "db.busy")
		}
		return nil
	}}
	s := rpc.Users(dial(t, options(), start(t, options(), rpc.UserServer(p)).addr))
	if _, err := s.User(t.Context(), 7); err != nil || p.calls.Load() != 3 {
		t.Errorf("asked %d times: %v", p.calls.Load(), err)
	}
	p.calls.Store(0)
	if err := s.SetPayee(t.Context(), 7, user.Payee{}); !fault.Is(err, fault.Unavailable) || p.calls.Load() != 1 {
		t.Errorf("told %d times: %v", p.calls.Load(), err)
	}
}

func TestALostAnswerIsUnknownAndADeadTargetIsDown(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	p := &people{fails: func(int64) error {
		close(entered)
		<-leave
		return nil
	}}
	at := start(t, options(), rpc.UserServer(p))
	s := rpc.Users(dial(t, options(), at.addr))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	if err := s.SetPayee(ctx, 7, user.Payee{}); !fault.Is(err, fault.Unknown) {
		t.Errorf("what may have happened is %v", err)
	}
	close(leave)
	at.stop()
	for what, err := range map[string]error{
		"asking":  func() error { _, err := s.User(t.Context(), 7); return err }(),
		"telling": s.SetPayee(t.Context(), 7, user.Payee{}),
	} {
		if !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != "target.down" {
			t.Errorf("%s nobody: %v", what, err)
		}
	}
}

func TestCallsGoInTurnToThoseThatAreWell(t *testing.T) {
	t.Parallel()
	a, b := &people{name: "a"}, &people{name: "b"}
	at, bt := start(t, options(), rpc.UserServer(a)), start(t, options(), rpc.UserServer(b))
	s := rpc.Users(dial(t, options(), at.addr, bt.addr))
	ask := func(enough func() bool) {
		t.Helper()
		for n := 0; !enough(); n++ {
			if _, err := s.User(t.Context(), 7); err != nil || n > 10_000 {
				t.Fatalf("call %d: %v; %d and %d", n, err, a.calls.Load(), b.calls.Load())
			}
		}
	}
	ask(func() bool { return a.calls.Load() > 10 && b.calls.Load() > 10 })
	at.Drain() // callers go elsewhere; nobody is refused
	ask(func() bool {
		was := a.calls.Load()
		before := b.calls.Load()
		for range 20 {
			if _, err := s.User(t.Context(), 7); err != nil {
				t.Fatal(err)
			}
		}
		return a.calls.Load() == was && b.calls.Load() == before+20
	})
	at.stop()
	ask(func() bool { return b.calls.Load() > 100 })
}

func TestAPanicIsAnErrorOfOneCall(t *testing.T) {
	t.Parallel()
	p := &people{fails: func(n int64) error {
		if n == 1 {
			panic("a defect")
		}
		return nil
	}}
	s := rpc.Users(dial(t, options(), start(t, options(), rpc.UserServer(p)).addr))
	if _, err := s.User(t.Context(), 7); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
	if _, err := s.User(t.Context(), 7); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

// sender keeps what it is told.
type sender struct {
	got      notify.Message
	deadline time.Duration
}

func (s *sender) Send(ctx context.Context, m notify.Message) error {
	s.got = m
	at, _ := ctx.Deadline()
	s.deadline = time.Until(at)
	return nil
}

func TestMessagesArriveWhole(t *testing.T) {
	t.Parallel()
	s := &sender{}
	c := rpc.Sender(dial(t, options(), start(t, options(), rpc.BotServer(s)).addr))
	m := notify.Message{
		ID: 3, Key: "k", User: 7, Kind: notify.RebateReady, Data: []byte(`{"title":"水壶"}`), At: time.Date(2026, 11, 11, 0, 0, 0, 5e6, time.UTC),
		Tries: 2, State: notify.Waiting,
	}
	if err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if string(s.got.Data) != string(m.Data) {
		t.Errorf("the content arrived as %s", s.got.Data)
	}
	s.got.Data, m.Data = nil, nil
	if got, want := s.got, m; got.ID != want.ID || got.Key != want.Key || got.User != want.User || got.Kind != want.Kind || !got.At.Equal(want.At) || got.Tries != want.Tries || got.State != want.State {
		t.Errorf("%+v arrived as %+v", want, got)
	}
	if s.deadline <= 0 || s.deadline > time.Minute {
		t.Errorf("a call without a deadline has %v", s.deadline)
	}
}
