package central_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"fanli/adapters/central"
	"fanli/adapters/registry/etcdtest"
	"fanli/core/fault"
)

var at = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// book returns a book with keys of the test's own, and a client beside it.
func book(t *testing.T, s *etcdtest.Server, prefix string) (*central.Book, *clientv3.Client) {
	t.Helper()
	at := clientv3.Config{Endpoints: []string{s.Endpoint()}, Logger: zap.NewNop()}
	b := central.Open(at, prefix)
	c, err := clientv3.New(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = b.Close(), c.Close() })
	return b, c
}

func publish(t *testing.T, b *central.Book, after central.Head, text string) int64 {
	t.Helper()
	n, err := b.Publish(t.Context(), after, central.Version{At: at, By: "cli", Note: "a test", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOfTwoWhoPublishOneSucceeds(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	b, _ := book(t, s, s.Prefix(t))
	v, head, err := b.Current(t.Context())
	if err != nil || v.Number != 0 || head.Number != 0 {
		t.Fatalf("%+v, %+v, %v: there is nothing yet", v, head, err)
	}
	if n := publish(t, b, head, "one"); n != 1 {
		t.Errorf("the first version is %d", n)
	}
	if _, err := b.Publish(t.Context(), head, central.Version{Text: "other"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("the second who came after nothing: %v", err)
	}
	v, head, err = b.Current(t.Context())
	if err != nil || v.Text != "one" || v.By != "cli" || !v.At.Equal(at) || head.Number != 1 {
		t.Errorf("%+v, %+v, %v", v, head, err)
	}
	if n := publish(t, b, head, "two"); n != 2 {
		t.Errorf("the second version is %d", n)
	}
	all, err := b.History(t.Context(), 10)
	if err != nil || len(all) != 2 || all[0].Text != "two" || all[1].Text != "one" {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	b, _ := book(t, s, s.Prefix(t))
	var head central.Head
	for i := range central.HistoryMax + 3 {
		publish(t, b, head, fmt.Sprint(i))
		var err error
		if _, head, err = b.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := b.History(t.Context(), 2*central.HistoryMax)
	if err != nil || len(all) != central.HistoryMax || all[len(all)-1].Number != 4 {
		t.Errorf("%d versions, %v", len(all), err)
	}
	if _, err := b.Version(t.Context(), 3); !fault.Is(err, fault.NotFound) {
		t.Errorf("an old one: %v", err)
	}
}

// TestWhatStrangersWriteIsNoVersion also shows that it can be replaced.
func TestWhatStrangersWriteIsNoVersion(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	prefix := s.Prefix(t)
	b, c := book(t, s, prefix)
	publish(t, b, central.Head{}, "one")
	for _, x := range []struct{ current, version string }{{"7", "{"}, {"eight", ""}, {"9", ""}, {"-1", ""}} {
		if x.version != "" {
			if _, err := c.Put(t.Context(), prefix+"config/versions/0000000007", x.version); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Put(t.Context(), prefix+"config/current", x.current); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Current(t.Context()); !fault.Is(err, fault.Invalid) {
			t.Errorf("current %q: %v", x.current, err)
		}
	}
	_, head, _ := b.Current(t.Context())
	if n := publish(t, b, head, "sound again"); n != 8 {
		t.Errorf("version %d: the number of a stranger's is not given again", n)
	}
	if v, _, err := b.Current(t.Context()); err != nil || v.Text != "sound again" {
		t.Errorf("%+v, %v", v, err)
	}
}

// wakes watches and returns what is told.
func wakes(t *testing.T, b *central.Book) <-chan struct{} {
	ctx, cancel := context.WithCancel(t.Context())
	ch, done := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(done)
		b.Watch(ctx, func() { ch <- struct{}{} }, nil)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return ch
}

// until waits until fn holds, looking whenever something is told.
func until(t *testing.T, told <-chan struct{}, what string, fn func() bool) {
	t.Helper()
	patience := time.After(time.Minute)
	for !fn() {
		select {
		case <-told:
		case <-patience:
			t.Fatalf("%s: nobody has told", what)
		}
	}
}

func TestWatchTellsAlsoAfterAnOutage(t *testing.T) {
	t.Parallel()
	s := etcdtest.New(t)
	prefix := s.Prefix(t)
	b, _ := book(t, s, prefix)
	told := wakes(t, b)
	<-told // it has begun
	other, _ := book(t, s, prefix)
	publish(t, other, central.Head{}, "one")
	text := func(want string) func() bool {
		return func() bool {
			v, _, err := b.Current(t.Context())
			return err == nil && v.Text == want
		}
	}
	until(t, told, "a change", text("one"))
	s.Kill(t)
	if _, _, err := b.Current(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without an etcd: %v", err)
	}
	s.Start(t)
	_, head, err := other.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	publish(t, other, head, "two")
	until(t, told, "a change after an outage", text("two"))
}

func TestReportsAreOfTheLiving(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	prefix := s.Prefix(t)
	b, c := book(t, s, prefix)
	ctx, cancel := context.WithCancel(t.Context())
	said, done := make(chan central.Report), make(chan struct{})
	go func() {
		defer close(done)
		b.Tell(ctx, "host/1", 5*time.Second, said)
	}()
	said <- central.Report{Process: "host/1", Targets: []string{"all"}, Version: 7}
	said <- central.Report{Process: "host/1", Targets: []string{"all"}, Version: 8, Refused: 9, Why: "broken"}
	wait := func(what string, holds func([]central.Report) bool) {
		t.Helper()
		from := time.Now()
		for {
			all, err := b.Reports(t.Context())
			if err == nil && holds(all) {
				return
			}
			if time.Since(from) > time.Minute {
				t.Fatalf("%s: %+v, %v", what, all, err)
			}
		}
	}
	wait("the newest", func(all []central.Report) bool { return len(all) == 1 && all[0].Version == 8 && all[0].Why == "broken" })
	r, err := c.Get(t.Context(), prefix+"config/applied/host/1")
	if err != nil || len(r.Kvs) != 1 {
		t.Fatal(r, err)
	}
	// As if nothing had been heard of the process for long.
	if _, err := c.Revoke(t.Context(), clientv3.LeaseID(r.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
	wait("said again", func(all []central.Report) bool { return len(all) == 1 && all[0].Version == 8 })
	cancel()
	<-done
	wait("gone", func(all []central.Report) bool { return len(all) == 0 })
}

// TestADocumentIsTriedBeforeItCounts also shows who has said nothing, and that a trial
// leaves nothing and wakes nobody.
func TestADocumentIsTriedBeforeItCounts(t *testing.T) {
	t.Parallel()
	s := etcdtest.Shared(t)
	prefix := s.Prefix(t)
	b, c := book(t, s, prefix)
	ctx, cancel := context.WithCancel(t.Context())
	began, done := make(chan struct{}, 100), make(chan struct{})
	var hurried atomic.Bool
	go func() {
		defer close(done)
		b.Watch(ctx, func() { began <- struct{}{} }, func(tr central.Trial) {
			why := ""
			if tr.Text == "broken" {
				why = "line 1"
			}
			for _, p := range []string{"host/1", "host/2"} {
				if err := b.Answer(t.Context(), tr, central.Verdict{Process: p, Why: why}); err != nil && !hurried.Load() { // else it may be over
					t.Error(err)
				}
			}
		})
	}()
	<-began
	for text, why := range map[string]string{"broken": "line 1", "sound": ""} {
		all, err := b.Try(t.Context(), text, []string{"host/1", "host/2"}, time.Minute)
		if err != nil || len(all) != 2 || all[0] != (central.Verdict{Process: "host/1", Why: why}) || all[1].Process != "host/2" {
			t.Errorf("%s: %+v, %v", text, all, err)
		}
	}
	hurried.Store(true)
	for patience := 100 * time.Millisecond; ; patience *= 2 { // so much as the living need here
		all, err := b.Try(t.Context(), "sound", []string{"host/1", "host/2", "host/3"}, patience)
		if err != nil || len(all) > 2 || patience > time.Minute {
			t.Fatalf("with one that is dead: %+v, %v", all, err)
		}
		if len(all) == 2 {
			break
		}
	}
	cancel()
	<-done
	r, err := c.Get(t.Context(), prefix, clientv3.WithPrefix())
	if err != nil || len(r.Kvs) != 0 || len(began) != 0 {
		t.Errorf("there is left %v, %d were woken, %v", r.Kvs, len(began), err)
	}
}
