package telegram_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/telegram"
	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/user"
)

// leases are those of a database that several processes share.
type leases struct {
	mu     sync.Mutex
	holder string
	until  time.Time
	token  int64
	dead   map[string]bool // processes that do not reach it
	seats  map[string]seat
}

// seat is a lease of which there are several.
type seat struct {
	holder string
	until  time.Time
}

func (l *leases) Take(_ context.Context, name, holder string, length time.Duration) (lock.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.dead[holder]:
		return lock.Lease{}, fault.Wrap(fault.Unavailable, "", errors.New("no database"))
	case strings.Contains(name, "/seat/"):
		if s := l.seats[name]; s.holder != holder && time.Now().Before(s.until) {
			return lock.Lease{}, fault.New(fault.Conflict, "lease.taken")
		}
		if l.seats == nil {
			l.seats = map[string]seat{}
		}
		l.seats[name] = seat{holder, time.Now().Add(length)}
		return lock.Lease{Name: name}, nil
	case l.holder != "" && l.holder != holder && time.Now().Before(l.until):
		return lock.Lease{}, fault.New(fault.Conflict, "lease.taken")
	case l.holder != holder:
		l.token++
	}
	l.holder, l.until = holder, time.Now().Add(length)
	return lock.Lease{Name: name, Token: l.token, Until: l.until}, nil
}

func (l *leases) Held(context.Context) (out []lock.Holding, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, s := range l.seats {
		if time.Now().Before(s.until) {
			out = append(out, lock.Holding{Name: name, Holder: s.holder})
		}
	}
	return out, nil
}

func (l *leases) Drop(_ context.Context, name, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seats[name].holder == holder {
		delete(l.seats, name)
		return nil
	}
	if l.holder == holder && !l.dead[holder] {
		l.holder = ""
	}
	return nil
}

func (l *leases) kill(holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = map[string]bool{holder: true}
}

// opened is how often a process has begun to poll.
func opened(w *world) int { return strings.Count(w.logs.String(), "the channel is open") }

func wantOpened(t *testing.T, w *world, n int) {
	t.Helper()
	if got := opened(w); got != n {
		t.Errorf("%d processes have begun to poll, want %d:\n%s", got, n, w.logs)
	}
}

func TestOneOfSeveralPolls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(t), &leases{}
		a := w.run(echo, telegram.WithLeases(l, "a"))
		time.Sleep(time.Second)
		w.run(echo, telegram.WithLeases(l, "b"))
		time.Sleep(10 * time.Minute)
		w.fake.Say(ann, "1")
		wantTexts(t, w.wait(ann, 1), "1") // either answers what one has polled
		wantOpened(t, w, 1)
		a.kill() // in good order: nobody waits for the end of a lease
		began := time.Now()
		w.fake.Say(ann, "2")
		wantTexts(t, w.wait(ann, 2), "1", "2")
		wantOpened(t, w, 2)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it was taken over after %s", took)
		}
		if strings.Contains(w.logs.String(), "somebody else receives") {
			t.Errorf("both have polled at once:\n%s", w.logs)
		}
	})
}

func TestWhoIsCutOffStopsBeforeItsSuccessorBegins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(t), &leases{}
		w.run(echo, telegram.WithLeases(l, "a"))
		time.Sleep(time.Second)
		w.run(echo, telegram.WithLeases(l, "b"))
		time.Sleep(time.Minute)
		l.kill("a")
		began := time.Now()
		for i := 0; ; i++ {
			w.fake.Say(ann, itoa(int64(i)))
			w.wait(ann, i+1)
			if opened(w) == 2 {
				break
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it was taken over after %s", took)
		}
		time.Sleep(10 * time.Minute)
		if strings.Contains(w.logs.String(), "somebody else receives") {
			t.Errorf("both have polled at once:\n%s", w.logs)
		}
	})
}

func TestWhoDoesNotPollSendsAllTheSame(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, l := newWorld(t), &leases{}
		if _, err := l.Take(t.Context(), "x", "other", time.Hour); err != nil {
			t.Fatal(err)
		}
		w.fake.Say(ann, "hello") // now the bot may write to her
		c := w.channel(telegram.WithLeases(l, "b"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, echo) }()
		time.Sleep(time.Minute)
		if err := c.Send(t.Context(), user.Identity{Channel: telegram.Name, External: itoa(ann)}, bot.Reply{Text: "news"}); err != nil {
			t.Error(err)
		}
		wantTexts(t, w.wait(ann, 1), "news")
		if c.PrivateURL("") == "" {
			t.Error("it does not know its bot")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}
