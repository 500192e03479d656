package bot_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/lock"
)

// leases are those of a database that several processes share.
type leases struct {
	mu   sync.Mutex
	held map[string]string
	ends map[string]time.Time
}

func newLeases() *leases { return &leases{held: map[string]string{}, ends: map[string]time.Time{}} }

func (l *leases) Take(_ context.Context, name, holder string, length time.Duration) (lock.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if by := l.held[name]; by != "" && by != holder && time.Now().Before(l.ends[name]) {
		return lock.Lease{}, fault.New(fault.Conflict, "lease.taken")
	}
	l.held[name], l.ends[name] = holder, time.Now().Add(length)
	return lock.Lease{Name: name, Token: 1, Until: l.ends[name]}, nil
}

func (l *leases) Held(context.Context) ([]lock.Holding, error) { return nil, nil }

func (l *leases) Drop(_ context.Context, name, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[name] == holder {
		delete(l.held, name)
	}
	return nil
}

// twins are two processes over one memory.
func twins(f *bottest.Fake) (a, b *bot.Bot, l *leases) {
	l = newLeases()
	a = f.Bot
	b = &bot.Bot{
		Users: a.Users, Links: a.Links, Orders: a.Orders, Rebates: a.Rebates, Money: a.Money, Withdrawals: a.Withdrawals, Memory: a.Memory,
		Invites: a.Invites, Gifts: a.Gifts, Autopays: a.Autopays, Limits: a.Limits, Networks: a.Networks, SearchText: a.SearchText,
		Switches: a.Switches, Log: a.Log, Now: a.Now, Zone: a.Zone,
	}
	a.Leases, a.Holder, b.Leases, b.Holder = l, "a", l, "b"
	return a, b, l
}

// both asks two processes at once and returns what they say.
func both(ctx context.Context, a, b *bot.Bot, ma, mb bot.Message) (ra, rb bot.Reply) {
	var all sync.WaitGroup
	all.Go(func() { ra = a.Handle(ctx, ma) })
	all.Go(func() { rb = b.Handle(ctx, mb) })
	all.Wait()
	return ra, rb
}

func TestTwoProcessesAnswerAMessageOnce(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	links := slow(f)
	a, b, l := twins(f)
	go func() {
		for links.inside.Load() == 0 {
			time.Sleep(time.Millisecond) // the other process is waiting by now, or comes later
		}
		close(links.gate)
	}()
	ra, rb := both(t.Context(), a, b, says("1", kettle), says("1", kettle))
	if len(ra.Cards) != 1 || !reflect.DeepEqual(ra, rb) {
		t.Errorf("they say\n%+v\n%+v", ra, rb)
	}
	if n := links.calls.Load(); n != 1 {
		t.Errorf("a link was made %d times", n)
	}
	if len(l.held) != 0 {
		t.Errorf("holds are kept: %v", l.held)
	}
}

func TestTwoProcessesTakeTurnsWithAPerson(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	links := slow(f)
	close(links.gate)
	a, b, _ := twins(f)
	for i := range 20 {
		both(t.Context(), a, b, says(fmt.Sprint("a", i), kettle), says(fmt.Sprint("b", i), kettle))
	}
	if n := links.most.Load(); n != 1 {
		t.Errorf("%d messages of one person were answered at once", n)
	}
}

func TestAPersonWaitsForADeadProcessNoLongerThanItsHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := bottest.New(t)
		a, _, l := twins(f)
		for _, name := range holds(t, f, l) {
			if _, err := l.Take(t.Context(), name, "dead", 10*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		r := a.Handle(t.Context(), says("2", kettle))
		if took := time.Since(began); len(r.Cards) != 1 || took < 9*time.Second || took > 11*time.Second {
			t.Errorf("after %s: %+v", took, r)
		}
	})
}

// holds finds out which hold is ann's.
func holds(t *testing.T, f *bottest.Fake, l *leases) (names []string) {
	t.Helper()
	f.Bot.Handle(t.Context(), says("1", "你好"))
	for name := range l.ends {
		names = append(names, name)
	}
	if len(names) != 1 {
		t.Fatalf("ann has the holds %v", names)
	}
	return names
}

// meddler changes a dialogue each time before it is stored, so many times.
type meddler struct {
	bot.Memory
	times int
	tries int
}

func (m *meddler) SetDialogue(ctx context.Context, u, rev int64, b []byte) error {
	if m.tries++; m.tries <= m.times {
		if err := m.Memory.SetDialogue(ctx, u, rev, []byte("{}")); err != nil {
			return err
		}
	}
	return m.Memory.SetDialogue(ctx, u, rev, b)
}

func TestADialogueThatHasGoneOnElsewhere(t *testing.T) {
	t.Parallel()
	for times, good := range map[int]bool{1: true, 3: true, 4: false} {
		f := bottest.New(t)
		m := &meddler{Memory: f.Bot.Memory, times: times}
		f.Bot.Memory = m
		r := f.Bot.Handle(t.Context(), says("1", "收款"))
		if done := m.tries == times+1; done != good || r.Text == "" {
			t.Errorf("after %d others: %d tries, %+v", times, m.tries, r)
		}
		r2 := f.Bot.Handle(t.Context(), says("1", "收款"))
		if !reflect.DeepEqual(r, r2) {
			t.Errorf("again it says %+v", r2)
		}
	}
}

// flood is a limit that is used up.
type flood struct{ cache.Limits }

func (flood) Allow(context.Context, string, cache.Rate, int) (bool, time.Duration, error) {
	return false, 1500 * time.Millisecond, nil
}

func TestAFloodIsAnsweredKindly(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.Handle(t.Context(), says("1", "你好"))
	f.Bot.Flood = flood{}
	if r := f.Bot.Handle(t.Context(), says("2", kettle)); r.Text != "发得有点快，请稍等 2 秒再发。" {
		t.Errorf("it says %+v", r)
	}
	if r := f.Bot.Handle(t.Context(), says("1", "你好")); r.Text == "发得有点快，请稍等 2 秒再发。" {
		t.Error("an answer that was given is not repeated")
	}
}
