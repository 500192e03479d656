package guard_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fanli/adapters/guard"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a network whose answers a test writes. Calls are counted.
type script struct {
	calls atomic.Int64
	next  func(ctx context.Context, call int64) error // nil: all is well
}

func (s *script) run(ctx context.Context) error {
	n := s.calls.Add(1)
	if s.next == nil {
		return nil
	}
	return s.next(ctx, n)
}

func (s *script) Name() string { return "script" }

func (s *script) Offer(ctx context.Context, ref link.Ref) (link.Offer, error) {
	return link.Offer{Item: ref.ID, Source: ref, Caveats: []string{"a"}}, s.run(ctx)
}

func (s *script) Link(ctx context.Context, _ link.Offer, m link.Mark) (link.Made, error) {
	return link.Made{URL: "https://x.test/" + m.Tag}, s.run(ctx)
}

// failing answers with err until call number until, then well.
func failing(err error, until int64) func(context.Context, int64) error {
	return func(_ context.Context, call int64) error {
		if call < until {
			return err
		}
		return nil
	}
}

var (
	down    = fault.New(fault.Unavailable, "x.down")
	limited = fault.New(fault.Limited, "x.limited")
	missing = fault.New(fault.NotFound, "x.missing")
	denied  = fault.New(fault.Denied, "x.denied")
)

func item(id string) link.Ref { return link.Ref{Network: "script", Kind: link.Item, ID: id} }

func wantCode(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("%s: %v, want code %q", what, err, want)
	}
}

func wantCalls(t *testing.T, s *script, want int64) {
	t.Helper()
	if got := s.calls.Load(); got != want {
		t.Errorf("the network was called %d times, want %d", got, want)
	}
}

// rule runs a test of one rule in a world with its own time.
func rule(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, f)
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	rule(t, "AFailureThatMayPassIsTriedAgain", func(t *testing.T) {
		for _, err := range []error{down, limited} {
			s := &script{next: failing(err, 3)}
			made, got := guard.Network(s, guard.Options{}).Link(t.Context(), link.Offer{}, link.Mark{Tag: "a"})
			if got != nil || made.URL != "https://x.test/a" {
				t.Errorf("Link = %+v, %v", made, got)
			}
			wantCalls(t, s, 3)
		}
	})
	rule(t, "TheLastErrorComesBackUnchanged", func(t *testing.T) {
		s := &script{next: failing(down, 99)}
		_, err := guard.Network(s, guard.Options{Tries: 4}).Offer(t.Context(), item("1"))
		if !errors.Is(err, down) {
			t.Errorf("err = %v, want the network's own", err)
		}
		wantCalls(t, s, 4)
	})
	rule(t, "AnAnswerIsNotTriedAgain", func(t *testing.T) {
		for _, err := range []error{missing, denied, fault.New(fault.Invalid, ""), fault.New(fault.Internal, "")} {
			s := &script{next: failing(err, 99)}
			_, got := guard.Network(s, guard.Options{}).Link(t.Context(), link.Offer{}, link.Mark{})
			wantCode(t, "Link", got, fault.CodeOf(err))
			wantCalls(t, s, 1)
		}
	})
	rule(t, "WaitsGrow", func(t *testing.T) {
		s := &script{next: failing(down, 99)}
		begin := time.Now()
		_, err := guard.Network(s, guard.Options{Backoff: time.Second, Tries: 3, PerSecond: 100}).Link(t.Context(), link.Offer{}, link.Mark{})
		wantCode(t, "Link", err, fault.Unavailable)
		// One and two seconds, each give or take a half.
		if d := time.Since(begin); d < 1500*time.Millisecond || d > 4500*time.Millisecond {
			t.Errorf("three tries took %s", d)
		}
	})
	rule(t, "NoWaitOutlastsTheDeadline", func(t *testing.T) {
		s := &script{next: failing(down, 99)}
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := guard.Network(s, guard.Options{Backoff: time.Second}).Link(ctx, link.Offer{}, link.Mark{})
		if !errors.Is(err, down) || time.Since(begin) != 0 {
			t.Errorf("after %s: %v, want the network's error at once", time.Since(begin), err)
		}
	})
	rule(t, "AStalledTryIsGivenUp", func(t *testing.T) {
		s := &script{next: func(ctx context.Context, call int64) error {
			if call == 1 {
				<-ctx.Done()
				return fault.Wrap(fault.Unavailable, "x", ctx.Err())
			}
			return nil
		}}
		begin := time.Now()
		_, err := guard.Network(s, guard.Options{TryTimeout: 2 * time.Second}).Link(t.Context(), link.Offer{}, link.Mark{})
		if d := time.Since(begin); err != nil || d < 2*time.Second || d > 3*time.Second {
			t.Errorf("after %s: %v", d, err)
		}
	})
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	o := guard.Options{Failures: 3, Tries: 1, Rest: 10 * time.Second, PerSecond: 1000}
	rule(t, "FailuresInARowMakeItRest", func(t *testing.T) {
		s := &script{next: failing(down, 4)}
		g := guard.New("script", o)
		n := g.Network(s)
		for range 3 {
			_, err := n.Link(t.Context(), link.Offer{}, link.Mark{})
			wantCode(t, "Link", err, fault.Unavailable)
		}
		_, err := n.Link(t.Context(), link.Offer{}, link.Mark{})
		wantCode(t, "Link while it rests", err, fault.Unavailable)
		wantCalls(t, s, 3)
		if st := g.Status()[0]; st.State != "open" || st.Refused != 1 || st.Calls != 3 || st.Failures != 3 {
			t.Errorf("status = %+v", st)
		}
		time.Sleep(o.Rest + time.Second) // the bubble's time: it passes at once
		if _, err := n.Link(t.Context(), link.Offer{}, link.Mark{}); err != nil {
			t.Errorf("the probe: %v", err)
		}
		if st := g.Status()[0]; st.State != "closed" {
			t.Errorf("status after the probe = %+v", st)
		}
	})
	rule(t, "AFailedProbeMakesItRestAgain", func(t *testing.T) {
		s := &script{next: failing(down, 99)}
		g := guard.New("script", o)
		n := g.Network(s)
		for range 3 {
			_, _ = n.Link(t.Context(), link.Offer{}, link.Mark{})
		}
		time.Sleep(o.Rest + time.Second)
		for range 5 {
			_, err := n.Link(t.Context(), link.Offer{}, link.Mark{})
			wantCode(t, "Link", err, fault.Unavailable)
		}
		wantCalls(t, s, 4)
	})
	rule(t, "AnswersAreNotFailures", func(t *testing.T) {
		for _, answer := range []error{missing, denied, fault.New(fault.Invalid, ""), nil} {
			s := &script{next: func(context.Context, int64) error { return answer }}
			g := guard.New("script", o)
			n := g.Network(s)
			for range 10 {
				_, _ = n.Link(t.Context(), link.Offer{}, link.Mark{})
			}
			wantCalls(t, s, 10)
			if st := g.Status()[0]; st.State != "closed" || st.Failures != 0 || st.WorkedAt.IsZero() {
				t.Errorf("status after %v = %+v", answer, st)
			}
		}
	})
	rule(t, "CallersWhoGoAwayAreNotFailures", func(t *testing.T) {
		s := &script{next: func(ctx context.Context, _ int64) error {
			<-ctx.Done()
			return fault.Wrap(fault.Unavailable, "x", ctx.Err())
		}}
		g := guard.New("script", o)
		n := g.Network(s)
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, err := n.Link(ctx, link.Offer{}, link.Mark{})
			wantCode(t, "Link", err, fault.Unavailable)
		}
		if st := g.Status()[0]; st.State != "closed" || st.Failures != 0 {
			t.Errorf("status = %+v", st)
		}
	})
	rule(t, "LinksAndOrdersRestApart", func(t *testing.T) {
		g := guard.New("script", o)
		links, orders := &script{}, &script{next: failing(limited, 99)}
		n, f := g.Network(links), g.Feed(pages{orders})
		for range 5 {
			_, err := f.Pull(t.Context(), order.Window{}, "")
			if err == nil {
				t.Error("Pull succeeds")
			}
		}
		if _, err := n.Link(t.Context(), link.Offer{}, link.Mark{}); err != nil {
			t.Errorf("Link while orders rest: %v", err)
		}
		st := g.Status()
		if len(st) != 2 || st[0].Role != "links" || st[0].State != "closed" || st[1].Role != "orders" || st[1].State != "open" {
			t.Fatalf("status = %+v", st)
		}
		if st[1].LastCode != fault.Limited || !strings.Contains(st[1].LastError, "x.limited") || st[1].FailedAt.IsZero() {
			t.Errorf("the last failure is not told: %+v", st[1])
		}
	})
}

// pages is a feed that plays a script.
type pages struct{ *script }

func (pages) Network() string       { return "script" }
func (pages) Account() string       { return "main" }
func (pages) Scenes() []order.Scene { return []order.Scene{{Name: "changes"}} }
func (p pages) Pull(ctx context.Context, _ order.Window, cursor string) (order.Page, error) {
	return order.Page{Next: cursor + "x"}, p.run(ctx)
}

func TestRate(t *testing.T) {
	t.Parallel()
	rule(t, "LinksAndOrdersShareTheAccountsRate", func(t *testing.T) {
		s := &script{}
		g := guard.New("script", guard.Options{PerSecond: 10, Burst: 1})
		n, f := g.Network(s), g.Feed(pages{s})
		begin := time.Now()
		for range 10 {
			if _, err := n.Link(t.Context(), link.Offer{}, link.Mark{}); err != nil {
				t.Fatal(err)
			}
			if p, err := f.Pull(t.Context(), order.Window{}, "a"); err != nil || p.Next != "ax" {
				t.Fatal(p, err)
			}
		}
		if d := time.Since(begin); d < 1900*time.Millisecond || d > 2*time.Second {
			t.Errorf("20 calls at 10 per second took %s", d)
		}
	})
	rule(t, "AWaitBeyondTheDeadlineIsLimitedAtOnce", func(t *testing.T) {
		s := &script{}
		g := guard.New("script", guard.Options{PerSecond: 1, Burst: 1})
		n := g.Network(s)
		if _, err := n.Link(t.Context(), link.Offer{}, link.Mark{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := n.Link(ctx, link.Offer{}, link.Mark{})
		wantCode(t, "Link", err, fault.Limited)
		if d := time.Since(begin); d != 0 {
			t.Errorf("it took %s to say so", d)
		}
		wantCalls(t, s, 1)
		if st := g.Status()[0]; st.State != "closed" || st.Refused != 1 || st.Failures != 0 {
			t.Errorf("status = %+v", st)
		}
	})
}

func TestOffersAreKept(t *testing.T) {
	t.Parallel()
	rule(t, "AskingAgainIsAnsweredFromMemory", func(t *testing.T) {
		s := &script{}
		g := guard.New("script", guard.Options{OfferTTL: time.Minute})
		n := g.Network(s)
		first, err := n.Offer(t.Context(), item("1"))
		if err != nil {
			t.Fatal(err)
		}
		first.Caveats[0] = "changed by its owner"
		again := item("1")
		again.Title = "the same goods, in other words"
		o, err := n.Offer(t.Context(), again)
		if err != nil || o.Item != "1" || o.Source != again || o.Caveats[0] != "a" {
			t.Errorf("Offer = %+v, %v", o, err)
		}
		if _, err := n.Offer(t.Context(), item("2")); err != nil {
			t.Error(err)
		}
		wantCalls(t, s, 2)
		time.Sleep(time.Minute + time.Second)
		if _, err := n.Offer(t.Context(), item("1")); err != nil {
			t.Error(err)
		}
		wantCalls(t, s, 3)
		if st := g.Status()[0]; st.Kept != 1 {
			t.Errorf("Kept = %d, want 1", st.Kept)
		}
	})
	rule(t, "NoSuchGoodsIsRememberedBriefly", func(t *testing.T) {
		s := &script{next: failing(missing, 2)}
		n := guard.Network(s, guard.Options{OfferTTL: time.Minute, MissTTL: 10 * time.Second})
		for range 3 {
			_, err := n.Offer(t.Context(), item("1"))
			if !errors.Is(err, missing) {
				t.Errorf("Offer: %v", err)
			}
		}
		wantCalls(t, s, 1)
		time.Sleep(11 * time.Second)
		if _, err := n.Offer(t.Context(), item("1")); err != nil {
			t.Errorf("Offer of goods that came back: %v", err)
		}
	})
	rule(t, "FailuresAreNotKept", func(t *testing.T) {
		s := &script{next: failing(denied, 2)}
		n := guard.Network(s, guard.Options{})
		_, err := n.Offer(t.Context(), item("1"))
		wantCode(t, "Offer", err, fault.Denied)
		if _, err := n.Offer(t.Context(), item("1")); err != nil {
			t.Errorf("Offer: %v", err)
		}
	})
	rule(t, "KeepingCanBeSwitchedOff", func(t *testing.T) {
		s := &script{}
		n := guard.Network(s, guard.Options{OfferTTL: -1})
		for range 3 {
			if _, err := n.Offer(t.Context(), item("1")); err != nil {
				t.Error(err)
			}
		}
		wantCalls(t, s, 3)
	})
	rule(t, "NoMoreIsKeptThanAllowed", func(t *testing.T) {
		s := &script{}
		g := guard.New("script", guard.Options{OffersMax: 10, PerSecond: 1_000_000})
		n := g.Network(s)
		ask := func() {
			for i := range 100 {
				if _, err := n.Offer(t.Context(), item(string(rune('a'+i)))); err != nil {
					t.Error(err)
				}
			}
			synctest.Wait()
		}
		ask()
		ask()
		if st := g.Status()[0]; st.Kept > 20 {
			t.Errorf("%d of 100 answers were kept, want about 10", st.Kept)
		}
	})
}

func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	rule(t, "TheyCauseOneCall", func(t *testing.T) {
		s := &script{next: func(context.Context, int64) error { time.Sleep(time.Second); return nil }}
		n := guard.Network(s, guard.Options{})
		errs := make([]error, 50)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = n.Offer(t.Context(), item("1")) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		wantCalls(t, s, 1)
	})
	rule(t, "OneWhoLeavesTakesNobodyAlong", func(t *testing.T) {
		s := &script{next: func(ctx context.Context, _ int64) error {
			select {
			case <-time.After(2 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		n := guard.Network(s, guard.Options{})
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := n.Offer(hasty, item("1"))
			wantCode(t, "the hasty one", err, fault.Unavailable)
			if d := time.Since(begin); d != time.Second {
				t.Errorf("the hasty one left after %s", d)
			}
		})
		wg.Go(func() {
			if _, err := n.Offer(t.Context(), item("1")); err != nil {
				t.Errorf("the patient one: %v", err)
			}
		})
		wg.Wait()
		if _, err := n.Offer(t.Context(), item("1")); err != nil {
			t.Error(err)
		}
		wantCalls(t, s, 1)
	})
	rule(t, "TheSharedCallEndsByItself", func(t *testing.T) {
		s := &script{next: func(ctx context.Context, _ int64) error { <-ctx.Done(); return ctx.Err() }}
		n := guard.Network(s, guard.Options{TryTimeout: 3 * time.Second, Timeout: 5 * time.Second})
		begin := time.Now()
		_, err := n.Offer(t.Context(), item("1"))
		wantCode(t, "Offer", err, fault.Unavailable)
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("it took %s", d)
		}
	})
	rule(t, "APanicIsAnErrorForAll", func(t *testing.T) {
		s := &script{next: func(context.Context, int64) error { panic("odd answer") }}
		_, err := guard.Network(s, guard.Options{}).Offer(t.Context(), item("1"))
		wantCode(t, "Offer", err, fault.Internal)
	})
}

func TestWhoWantsToKnowIsTold(t *testing.T) {
	t.Parallel()
	rule(t, "OfCallsAndOfTurns", func(t *testing.T) {
		var calls, turns []string
		s := &script{next: failing(down, 3)}
		n := guard.New("script/main", guard.Options{
			Tries: 1, Failures: 2, Rest: time.Minute, OfferTTL: -1,
			Told: func(c guard.Call) {
				calls = append(calls, fmt.Sprintln(c.Name, c.Role, c.Left, fault.CodeOf(c.Err), c.Took))
			},
			Turned: func(name, role, state string) { turns = append(turns, fmt.Sprintln(name, role, state)) },
		}).Network(s)
		ask := func() { _, _ = n.Link(t.Context(), link.Offer{}, link.Mark{}) }
		ask()
		ask()
		ask() // it rests
		time.Sleep(2 * time.Minute)
		ask()
		if got, want := strings.Join(calls, ""), "script/main links true unavailable 0s\nscript/main links true unavailable 0s\n"+
			"script/main links false unavailable 0s\nscript/main links true  0s\n"; got != want {
			t.Errorf("calls:\n%swant\n%s", got, want)
		}
		if got, want := strings.Join(turns, ""), "script/main links open\nscript/main links half-open\nscript/main links closed\n"; got != want {
			t.Errorf("turns:\n%swant\n%s", got, want)
		}
	})
}
