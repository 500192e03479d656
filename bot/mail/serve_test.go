package mail_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/fault"
	"fanli/core/logtest"
)

// slow is a channel whose handler and platform take their time, over a store that does
// one transaction after the other.
type slow struct {
	store  *mailtest.Store
	engine []*mail.Engine
	chats  *platform

	mu   sync.Mutex
	took map[string]time.Duration // until people saw the answer, by letter
	at   map[string]time.Time
	n    map[string]int // how often each letter was answered
}

func openSlow(processes int) *slow {
	one := make(chan struct{}, 1)
	s := &slow{store: &mailtest.Store{}, chats: newPlatform(), took: map[string]time.Duration{}, at: map[string]time.Time{}, n: map[string]int{}}
	s.store.Hook = func(point string) error {
		if len(point) > 6 && point[len(point)-6:] == ".begin" {
			one <- struct{}{}
			time.Sleep(time.Millisecond / 2)
			<-one
		}
		return nil
	}
	for i := range processes {
		e := &mail.Engine{Store: s.store, Holder: fmt.Sprint("process ", i), Now: time.Now, Log: logtest.New(nil)}
		e.Register(seen{s.chats, s})
		s.engine = append(s.engine, e)
	}
	return s
}

// seen notes when answers are seen.
type seen struct {
	*platform
	s *slow
}

func (c seen) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	time.Sleep(30 * time.Millisecond)
	err := c.platform.Carry(ctx, p, progress)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if at, ok := c.s.at[p.Reply.Text]; ok {
		c.s.took[p.Reply.Text] = time.Since(at)
	}
	return err
}

func (s *slow) service() mail.Service {
	return mail.Service{Answer: func(ctx context.Context, l mail.Letter) ([]mail.Parcel, error) {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Unavailable, "", ctx.Err())
		}
		s.mu.Lock()
		s.n[l.ID]++
		s.mu.Unlock()
		return []mail.Parcel{{Key: "re/" + l.ID, Channel: "c", Chat: l.Chat, Reply: bot.Reply{Text: l.ID}}}, nil
	}}
}

// serve runs all processes until stop.
func (s *slow) serve(ctx context.Context) (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, e := range s.engine {
		all.Go(func() { _ = e.Serve(ctx, "c", s.service()) })
	}
	return func() time.Duration {
		cancel()
		began := time.Now()
		all.Wait()
		return time.Since(began)
	}
}

func (s *slow) receive(ctx context.Context, process int, chat, id string, noted bool) {
	if noted {
		s.mu.Lock()
		s.at[id] = time.Now()
		s.mu.Unlock()
	}
	_, _ = s.engine[process].Receive(ctx, mail.Letter{Channel: "c", Chat: chat, ID: id})
}

// until is how long it took until people saw the answer to a letter; 0 for not yet.
func (s *slow) until(id string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took[id]
}

// p99 lets forty people write for four seconds while another one writes so many
// messages, and returns how long the forty wait.
func p99(t *testing.T, flood int) (out time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := openSlow(1)
		stop := s.serve(t.Context())
		dice := rand.New(rand.NewPCG(1, 2))
		var all sync.WaitGroup
		for person := range 40 {
			first := time.Duration(dice.IntN(1000)) * time.Millisecond
			all.Go(func() {
				time.Sleep(first)
				for i := range 4 {
					s.receive(t.Context(), 0, fmt.Sprint("person ", person), fmt.Sprint(person, "/", i), true)
					time.Sleep(time.Second)
				}
			})
		}
		const senders = 40
		for j := range min(flood, senders) {
			all.Go(func() {
				time.Sleep(time.Second + time.Duration(j)*100*time.Microsecond)
				for i := j; i < flood; i += senders { // ten thousand a second
					s.receive(t.Context(), 0, "flood", fmt.Sprint("flood ", i), false)
					time.Sleep(senders * 100 * time.Microsecond)
				}
			})
		}
		all.Wait()
		time.Sleep(10 * time.Second)
		stop()
		var took []time.Duration
		for _, d := range s.took {
			took = append(took, d)
		}
		if len(took) != 160 {
			t.Errorf("%d of 160 messages are answered", len(took))
		}
		slices.Sort(took)
		out = took[len(took)*99/100]
	})
	return out
}

// TestWhoFloodsHoldsUpNobody: ten thousand messages of one person within a second leave
// the 99th percentile of others below twice what it is without.
func TestWhoFloodsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	normal, flooded := p99(t, 0), p99(t, 10_000)
	t.Logf("the 99th percentile is %s, and %s beside ten thousand messages", normal, flooded)
	if normal < 80*time.Millisecond || normal > time.Second {
		t.Errorf("normally it is %s: nothing is compared", normal)
	}
	if flooded > 2*normal {
		t.Errorf("it is %s beside a flood, and %s normally", flooded, normal)
	}
}

// TestTwoProcessesAnswerOnceAndInOrder, whichever of them receives.
func TestTwoProcessesAnswerOnceAndInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openSlow(2)
		stop := s.serve(t.Context())
		for i := range 10 {
			for chat := range 10 {
				id := fmt.Sprintf("%d/%d", chat, i)
				s.receive(t.Context(), (i+chat)%2, fmt.Sprint("chat ", chat), id, false)
				s.receive(t.Context(), (i+chat+1)%2, fmt.Sprint("chat ", chat), id, false)
			}
		}
		time.Sleep(20 * time.Second)
		stop()
		for chat := range 10 {
			want := ""
			for i := range 10 {
				id := fmt.Sprintf("%d/%d", chat, i)
				want += " " + id
				if s.n[id] != 1 {
					t.Errorf("%s is answered %d times", id, s.n[id])
				}
			}
			if got := s.chats.seen(fmt.Sprint("chat ", chat)); " "+got != want {
				t.Errorf("they see %s, want %s", got, want)
			}
		}
	})
}

// TestStoppingIsQuickAndLosesNothing: also with what takes long, which the next process
// does at once if it is alone, and otherwise when the lease has ended.
func TestStoppingIsQuickAndLosesNothing(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := openSlow(1)
			hang := make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = s.engine[0].Serve(ctx, "c", mail.Service{Answer: func(context.Context, mail.Letter) ([]mail.Parcel, error) {
					<-hang // it does not even hear that it should stop
					return nil, fault.New(fault.Unavailable, "")
				}})
			}()
			s.receive(t.Context(), 0, "a", "1", false)
			time.Sleep(time.Second)
			cancel()
			began := time.Now()
			<-done
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("stopping takes %s", took)
			}
			next := openSlow(1)
			next.engine[0].Store, next.engine[0].Alone = s.store, alone
			stop := next.serve(t.Context())
			began = time.Now()
			for next.chats.seen("a") == "" && time.Since(began) < time.Minute {
				time.Sleep(100 * time.Millisecond)
			}
			if took := time.Since(began); alone && took > time.Second || took > 20*time.Second {
				t.Errorf("alone: %v: the next process answers after %s", alone, took)
			}
			stop()
			close(hang)
			time.Sleep(time.Second)
		})
	}
}

// bell is heard by whoever listens.
type bell struct {
	mu    sync.Mutex
	heard []func(string)
	rings int
}

func (b *bell) Ring(_ context.Context, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rings++
	for _, f := range b.heard {
		f(text)
	}
}

func (b *bell) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rings
}

func (b *bell) Listen(ctx context.Context, heard func(string)) {
	b.mu.Lock()
	b.heard = append(b.heard, heard)
	b.mu.Unlock()
	<-ctx.Done()
}

// TestABellWakesOthers where this process cannot do it, and nobody where it can.
func TestABellWakesOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, b := openSlow(2), &bell{}
		for _, e := range s.engine {
			e.Bell = b
		}
		all := s.engine
		s.engine = all[:1]
		stop := s.serve(t.Context())
		s.engine = all
		time.Sleep(3 * time.Second)
		s.receive(t.Context(), 1, "a", "1", true) // by the process that serves nobody
		time.Sleep(lookMargin)
		if took, rings := s.until("1"), b.count(); took == 0 || took > 200*time.Millisecond || rings == 0 {
			t.Errorf("it is answered after %s, %d rings", took, rings)
		}
		rings := b.count()
		s.receive(t.Context(), 0, "a", "2", true)
		time.Sleep(lookMargin)
		if took, more := s.until("2"), b.count()-rings; took == 0 || took > 200*time.Millisecond || more != 0 {
			t.Errorf("it is answered after %s, %d rings more", took, more)
		}
		stop()
	})
}

// lookMargin is less than the time between two looks.
const lookMargin = 400 * time.Millisecond
