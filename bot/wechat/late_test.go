package wechat_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanli/adapters/cache"
	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/wechat"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/lock"
)

const kettle = "https://item.jd.com/100012043978.html"

// slowLinks make links after a time, and count.
type slowLinks struct {
	bot.Links
	takes time.Duration
	calls atomic.Int64
}

func (s *slowLinks) Make(ctx context.Context, user int64, ref link.Ref) (link.Link, error) {
	s.calls.Add(1)
	select {
	case <-time.After(s.takes):
		return s.Links.Make(ctx, user, ref)
	case <-ctx.Done():
		return link.Link{}, ctx.Err()
	}
}

// leases are those of a database that several processes share.
type leases struct {
	mu   sync.Mutex
	held map[string]string
	ends map[string]time.Time
}

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

// twins are two processes over one memory, whose links take a time.
func twins(t *testing.T, takes time.Duration) (a, b *bot.Bot, links *slowLinks) {
	f := bottest.New(t)
	links = &slowLinks{Links: f.Bot.Links, takes: takes}
	l := &leases{held: map[string]string{}, ends: map[string]time.Time{}}
	a = f.Bot
	a.Links, a.Leases, a.Holder = links, l, "a"
	b = &bot.Bot{
		Users: a.Users, Links: links, Orders: a.Orders, Rebates: a.Rebates, Money: a.Money, Withdrawals: a.Withdrawals, Memory: a.Memory,
		Limits: a.Limits, Networks: a.Networks, SearchText: true, Switches: a.Switches, Log: a.Log, Now: a.Now, Leases: l, Holder: "b",
	}
	return a, b, links
}

// TestAStalledNetwork: while a network takes half a minute, every delivery is answered
// within four seconds, and the offer comes later, once.
func TestAStalledNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _, links := twins(t, 30*time.Second)
		w := open(t, wechatfake.Config{}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = w.channel.Run(ctx, a.Handle) }()
		const people = 100
		took := make([]time.Duration, people)
		var all sync.WaitGroup
		for i := range people {
			all.Go(func() {
				began := time.Now()
				o := w.fake.Say(ctx, wechatfake.OpenID("Person", i), kettle)
				took[i] = time.Since(began)
				if o.Verdict != wechatfake.Silent || len(o.Deliveries) != 1 {
					t.Errorf("the delivery is %s after %d deliveries: %s", o.Verdict, len(o.Deliveries), o.Why)
				}
			})
		}
		all.Wait()
		slices.Sort(took)
		if p99 := took[people*99/100]; p99 >= 4*time.Second {
			t.Errorf("of a hundred deliveries the slowest is answered after %v, want less than 4 s", p99)
		}
		time.Sleep(time.Minute)
		for i := range people {
			lines := w.fake.Lines(wechatfake.OpenID("Person", i))
			if len(lines) != 1 || !strings.Contains(lines[0], "预计返利  ¥2.80") {
				t.Fatalf("person %d reads %q, want the offer once", i, lines)
			}
		}
		if n := links.calls.Load(); n != people {
			t.Errorf("%d links were made, want %d", n, people)
		}
	})
}

// lossy hands deliveries to processes in turn, and loses the answers to the first ones.
type lossy struct {
	to     []http.Handler
	loses  int64
	copies bool // the first one goes to all processes at once
	n      atomic.Int64
}

func (l *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := l.n.Add(1)
	if n == 1 && l.copies {
		body, _ := io.ReadAll(r.Body)
		for _, to := range l.to[1:] {
			again := r.Clone(r.Context())
			again.Body = io.NopCloser(bytes.NewReader(body))
			go to.ServeHTTP(httptest.NewRecorder(), again)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	l.to[int(n-1)%len(l.to)].ServeHTTP(w, r)
	if n <= l.loses {
		<-r.Context().Done()
	}
}

// TestCopiesAtTwoProcesses: however often a message is delivered, and to whom, there are
// one conversion and one answer; whether each delivery is signed anew or is the one before
// to the letter, which the processes know from each other.
func TestCopiesAtTwoProcesses(t *testing.T) {
	t.Parallel()
	const offer = "预计返利  ¥2.80"
	for _, tt := range []struct {
		name    string
		profile wechatfake.Profile
		takes   time.Duration
		loses   int64 // answers
		copies  bool
		wants   []string
		then    string // what the person writes after 40 seconds
	}{
		{"all answers are lost", wechatfake.Service, 30 * time.Second, 3, false, []string{"故障", offer}, ""},
		{"the first is lost", wechatfake.Service, 30 * time.Second, 1, false, []string{offer}, ""},
		{"three overlap", wechatfake.Service, 30 * time.Second, 1, true, []string{offer}, ""},
		{"three overlap, and one is in time", wechatfake.Service, 7 * time.Second, 1, true, []string{offer}, ""},
		{"found between the copies", wechatfake.Service, 7 * time.Second, 1, false, []string{offer}, ""},
		{"answered in time and lost", wechatfake.Service, time.Second, 2, false, []string{offer}, ""},
		{"the second waits for the same", wechatfake.Personal, 7 * time.Second, 0, false, []string{offer}, ""},
		{"too late for all", wechatfake.Personal, 30 * time.Second, 0, false, []string{"稍后回复“1”看结果", offer}, "1"},
		{"too late, and asked in words", wechatfake.Personal, 30 * time.Second, 0, false, []string{"稍后回复“1”看结果", offer}, "结果"},
	} {
		for _, alike := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, alike %t", tt.name, alike), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					a, b, links := twins(t, tt.takes)
					cfg := wechatfake.Config{Profile: tt.profile, Alike: alike}
					shared := cache.NewMemory(time.Now)
					known := func(o *wechat.Options) { o.Cache = shared }
					w := open(t, cfg, known)
					front := &lossy{to: []http.Handler{w.channel}, loses: tt.loses, copies: tt.copies}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					for i, h := range []bot.Handler{a.Handle, b.Handle} {
						if i > 0 {
							w.join(t, cfg, known)
							front.to = append(front.to, w.channel)
						}
						c := w.channel
						go func() { _ = c.Run(ctx, h) }()
					}
					w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(front))
					w.fake.Say(ctx, ann, kettle)
					time.Sleep(40 * time.Second)
					if tt.then != "" {
						w.fake.Say(ctx, ann, tt.then)
					}
					time.Sleep(time.Minute)
					wantLines(t, w.fake.Lines(ann), tt.wants)
					if n := links.calls.Load(); n != 1 || w.refused("") > 0 {
						t.Errorf("%d links were made, and %d deliveries refused", n, w.refused(""))
					}
				})
			})
		}
	}
}

// wantLines checks that somebody reads so many lines with these texts in them.
func wantLines(t *testing.T, lines, wants []string) {
	t.Helper()
	if len(lines) != len(wants) {
		t.Fatalf("ann reads %q, want %q", lines, wants)
	}
	for i, want := range wants {
		if !strings.Contains(lines[i], want) {
			t.Errorf("ann reads %q, want %q in it", lines[i], want)
		}
	}
}

// TestAProcessThatDies: what was acknowledged is answered by another process, once.
func TestAProcessThatDies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := twins(t, 30*time.Second)
		w := open(t, wechatfake.Config{}, nil)
		first, die := context.WithCancel(t.Context())
		c := w.channel
		go func() { _ = c.Run(first, a.Handle) }()
		if o := w.fake.Say(t.Context(), ann, kettle); o.Verdict != wechatfake.Silent {
			t.Fatalf("the delivery is %s", o.Verdict)
		}
		die()
		synctest.Wait()
		w.join(t, wechatfake.Config{}, nil)
		second, end := context.WithCancel(t.Context())
		defer end()
		c2 := w.channel
		go func() { _ = c2.Run(second, b.Handle) }()
		time.Sleep(2 * time.Minute)
		if lines := w.fake.Lines(ann); len(lines) != 1 || !strings.Contains(lines[0], "预计返利  ¥2.80") {
			t.Errorf("ann reads %q, want the offer once", lines)
		}
	})
}

// TestAPersonalAccountWhoseProcessDies: what is promised for "1" is shown for it, and not
// what was answered before; whoever does not ask is told all the same.
func TestAPersonalAccountWhoseProcessDies(t *testing.T) {
	t.Parallel()
	const before, offer = "¥2999.00", "预计返利  ¥2.80"
	for _, tt := range []struct {
		name  string
		after time.Duration
		says  []string
		want  string // is in the answer to the first
	}{
		{"asked at once", 0, []string{"1", "余额"}, offer},
		{"asked when it is there", 2 * time.Minute, []string{"1", "余额"}, offer},
		{"asked in words", 0, []string{"结果", "余额"}, offer},
		{"asked for again before it is there", -20 * time.Second, []string{"1", "1", "余额"}, "稍后回复“1”看结果"},
		{"not asked", 2 * time.Minute, []string{"余额", "余额"}, "1 条新消息"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, b, links := twins(t, time.Second)
				cfg := wechatfake.Config{Profile: wechatfake.Personal}
				w := open(t, cfg, nil)
				first, die := context.WithCancel(t.Context())
				c := w.channel
				go func() {
					_ = c.Run(first, func(ctx context.Context, m bot.Message) bot.Reply {
						if m.Text == kettle { // it dies before it has stored anything
							<-ctx.Done()
							return bot.Reply{}
						}
						return b.Handle(ctx, m)
					})
				}()
				synctest.Wait()
				w.fake.Say(t.Context(), ann, "https://item.jd.com/100012043979.html")
				w.fake.Say(t.Context(), ann, kettle)
				die()
				time.Sleep(3 * time.Second)
				if lines := w.fake.Lines(ann); len(lines) != 2 || !strings.Contains(lines[0], before) || !strings.Contains(lines[1], "“1”") {
					t.Fatalf("before it dies ann reads %q", lines)
				}
				w.join(t, cfg, nil)
				second, end := context.WithCancel(t.Context())
				defer end()
				c2 := w.channel
				w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(c2))
				if tt.after < 0 {
					links.takes = -tt.after
				}
				go func() { _ = c2.Run(second, b.Handle) }()
				time.Sleep(max(0, tt.after))
				for _, text := range tt.says {
					w.fake.Say(t.Context(), ann, text)
					time.Sleep(time.Minute)
				}
				lines := w.fake.Lines(ann)[2:]
				all := strings.Join(lines, "\n")
				if len(lines) != len(tt.says) || !strings.Contains(lines[0], tt.want) {
					t.Errorf("ann reads %q, want %q first", lines, tt.want)
				}
				if strings.Count(all, offer) != 1 || strings.Contains(all, before) || links.calls.Load() != 2 {
					t.Errorf("ann reads %q, want the offer once; %d links were made", lines, links.calls.Load())
				}
			})
		})
	}
}

// TestAnswersOfATime: what may be sent decides which way an answer goes that takes long.
func TestAnswersOfATime(t *testing.T) {
	t.Parallel()
	slow := func(_ context.Context, m bot.Message) bot.Reply {
		if strings.HasPrefix(m.Text, "slow") {
			time.Sleep(20 * time.Second)
		}
		return bot.Reply{Text: "re " + m.Text}
	}
	for _, tt := range []struct {
		name   string
		change func(o *wechat.Options)
		before func(ctx context.Context, w *world)
		wants  []string
	}{
		{"a window that is used up", nil, func(ctx context.Context, w *world) {
			for i := range 6 {
				_ = w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: fmt.Sprint("news ", i)}) // the sixth waits
			}
		}, []string{"re hello", "news 0", "news 1", "news 2", "news 3", "news 4", "re slow"}},
		{"a right that the platform refuses", nil, func(_ context.Context, w *world) { w.fake.SetProfile(wechatfake.Personal) },
			[]string{"re hello", "re next\n\n—— 1 new messages ——\n\nre slow"}},
		{"nobody keeps what is answered later", func(o *wechat.Options) { o.Mail = nil }, func(context.Context, *world) {},
			[]string{"re hello", "Still looking"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := open(t, wechatfake.Config{}, tt.change)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { _ = w.channel.Run(ctx, slow) }()
				w.fake.Say(ctx, ann, "hello")
				tt.before(ctx, w)
				w.fake.Say(ctx, ann, "slow")
				time.Sleep(time.Minute)
				if len(w.fake.Lines(ann)) < len(tt.wants) {
					w.fake.Say(ctx, ann, "next")
				}
				wantLines(t, w.fake.Lines(ann), tt.wants)
			})
		})
	}
}
