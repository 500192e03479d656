package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/user"
)

const kettle = "https://item.jd.com/100012043978.html"

// says is a message of ann's in private.
func says(id, text string) bot.Message {
	return bot.Message{From: user.Identity{Channel: "test", External: "ann"}, Chat: "ann", ID: id, Text: text}
}

// slowLinks counts and holds back calls for links.
type slowLinks struct {
	bot.Links
	calls, inside, most atomic.Int32
	gate                chan struct{} // closed: nobody waits
}

func (l *slowLinks) Make(ctx context.Context, u int64, ref link.Ref) (link.Link, error) {
	l.calls.Add(1)
	n := l.inside.Add(1)
	defer l.inside.Add(-1)
	for {
		m := l.most.Load()
		if n <= m || l.most.CompareAndSwap(m, n) {
			break
		}
	}
	<-l.gate
	return l.Links.Make(ctx, u, ref)
}

func slow(f *bottest.Fake) *slowLinks {
	l := &slowLinks{Links: f.Bot.Links, gate: make(chan struct{})}
	f.Bot.Links = l
	return l
}

// brokenMemory fails where it is told to.
type brokenMemory struct {
	bot.Memory
	answer, keep, set error
	kept              atomic.Int32
}

func (m *brokenMemory) Answer(ctx context.Context, channel, id string) ([]byte, bool, error) {
	if m.answer != nil {
		return nil, false, m.answer
	}
	return m.Memory.Answer(ctx, channel, id)
}

func (m *brokenMemory) KeepAnswer(ctx context.Context, channel, id string, b []byte, at time.Time) error {
	if m.keep != nil {
		return m.keep
	}
	m.kept.Add(1)
	return m.Memory.KeepAnswer(ctx, channel, id, b, at)
}

func (m *brokenMemory) SetDialogue(ctx context.Context, u, rev int64, b []byte) error {
	if m.set != nil {
		return m.set
	}
	return m.Memory.SetDialogue(ctx, u, rev, b)
}

func broken(f *bottest.Fake) *brokenMemory {
	m := &brokenMemory{Memory: f.Bot.Memory}
	f.Bot.Memory = m
	return m
}

// logged makes the bot log into a buffer.
func logged(f *bottest.Fake) *safeBuffer {
	b := &safeBuffer{}
	f.Bot.Log = logtest.New(b)
	return b
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// wantHas fails unless text has all parts.
func wantHas(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in\n%s", p, text)
		}
	}
}

var errDisk = fault.Newf(fault.Unavailable, "", "disk on fire")

func TestTheSameMessage(t *testing.T) {
	t.Parallel()
	t.Run("OverlappingIsAnsweredOnce", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		l := slow(f)
		const times = 8
		replies := make([]string, times)
		var wg sync.WaitGroup
		for i := range times {
			wg.Go(func() { replies[i] = bot.RenderText(f.Bot.Handle(t.Context(), says("m1", kettle))) })
		}
		close(l.gate)
		wg.Wait()
		if n := l.calls.Load(); n != 1 {
			t.Errorf("%d links were made", n)
		}
		for _, r := range replies {
			wantHas(t, r, "美的电热水壶")
			if r != replies[0] {
				t.Errorf("two answers:\n%s\n%s", r, replies[0])
			}
		}
	})
	t.Run("IsRememberedOverARestart", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		first := bot.RenderText(f.Bot.Handle(t.Context(), says("m1", kettle)))
		l := slow(f)
		close(l.gate)
		again := &bot.Bot{
			Users: f.Bot.Users, Links: l, Orders: f.Bot.Orders, Rebates: f.Bot.Rebates, Money: f.Bot.Money,
			Withdrawals: f.Bot.Withdrawals, Memory: f.Bot.Memory, Log: f.Bot.Log, Now: f.Bot.Now,
		}
		if second := bot.RenderText(again.Handle(t.Context(), says("m1", kettle))); second != first {
			t.Errorf("got\n%s\nwant\n%s", second, first)
		}
		if n := l.calls.Load(); n != 0 {
			t.Errorf("%d links were made", n)
		}
	})
	t.Run("OnAnotherChannelIsAnotherMessage", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		f.Bot.Handle(t.Context(), says("m1", "余额"))
		m := says("m1", "帮助")
		m.From.Channel = "other"
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), m)), "也可以发")
	})
	t.Run("WithoutAnIDIsAlwaysNew", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		f.Bot.Handle(t.Context(), says("", "余额"))
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), says("", "帮助"))), "也可以发")
	})
	t.Run("CutShortIsNotKept", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		m := broken(f)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.Bot.Handle(ctx, says("m1", "余额"))
		if n := m.kept.Load(); n != 0 {
			t.Errorf("%d answers were kept", n)
		}
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), says("m1", "余额"))), "可提现")
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	t.Run("WithoutMemoryNothingHappens", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		l, m, log := slow(f), broken(f), logged(f)
		m.answer = errDisk
		r := bot.RenderText(f.Bot.Handle(t.Context(), says("m1", kettle)))
		wantHas(t, r, "编号")
		id := traceID(t, r)
		wantHas(t, log.String(), "id="+id, "op=bot.Answer", "code=unavailable", "disk on fire")
		if n := l.calls.Load(); n != 0 {
			t.Errorf("%d links were made", n)
		}
	})
	t.Run("AnAnswerThatCannotBeKeptIsGivenAllTheSame", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		m, log := broken(f), logged(f)
		m.keep = errDisk
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), says("m1", "余额"))), "可提现")
		wantHas(t, log.String(), "op=bot.KeepAnswer")
	})
	t.Run("AQuestionThatCannotBeRememberedIsNotAsked", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		m, log := broken(f), logged(f)
		m.set = errDisk
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), says("m1", "收款"))), "编号")
		wantHas(t, log.String(), "op=bot.SetDialogue")
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), says("m2", "余额"))), "可提现")
	})
	t.Run("APanicIsAnswered", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		log := logged(f)
		f.Bot.Money = nil
		r := bot.RenderText(f.Bot.Handle(t.Context(), says("m1", "余额")))
		wantHas(t, r, "出了点问题")
		wantHas(t, log.String(), "id="+traceID(t, r), "code=internal", "panic")
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), says("m2", "帮助"))), "也可以发")
	})
	t.Run("APanicWhileLookingIsAnswered", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		log := logged(f)
		f.Bot.Links = nil
		r := bot.RenderText(f.Bot.Handle(t.Context(), says("m1", kettle)))
		wantHas(t, r, "出了点问题")
		wantHas(t, log.String(), "id="+traceID(t, r), "code=internal", "panic")
	})
	t.Run("LogsSayNothingPersonal", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		m, log := broken(f), logged(f)
		f.Bot.Users = brokenPayee{f.Bot.Users}
		for i, text := range []string{"收款", "13812345678", "张三丰", "收款 13812345678 张三丰", "秘密愿望 保温杯"} {
			f.Bot.Handle(t.Context(), says(fmt.Sprint("m", i), text))
		}
		m.set = errDisk
		f.Bot.Handle(t.Context(), says("m9", "收款 13812345678"))
		out := log.String()
		wantHas(t, out, "op=bot.SetPayee", "op=bot.SetDialogue")
		for _, secret := range []string{"13812345678", "张三丰", "秘密愿望"} {
			if strings.Contains(out, secret) {
				t.Errorf("%q is in the log:\n%s", secret, out)
			}
		}
	})
}

// brokenPayee cannot store accounts.
type brokenPayee struct{ bot.Users }

func (brokenPayee) SetPayee(context.Context, int64, user.Payee) error { return errors.New("no") }

// traceID finds the id that a person was given.
func traceID(t *testing.T, text string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "编号 ")
	id, _, ok2 := strings.Cut(rest, "）")
	if !ok || !ok2 || len(id) != 8 {
		t.Fatalf("no trace id in\n%s", text)
	}
	return id
}

func TestOnePersonIsAnsweredInTurn(t *testing.T) {
	t.Parallel()
	t.Run("OneAtATime", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		l := slow(f)
		close(l.gate)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), says(fmt.Sprint("m", i), kettle))), "美的电热水壶")
			})
		}
		wg.Wait()
		if n := l.most.Load(); n != 1 {
			t.Errorf("%d of one person's messages were answered at once", n)
		}
	})
	t.Run("OthersDoNotWait", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		l := slow(f)
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Bot.Handle(t.Context(), says("m1", kettle))
		}()
		m := says("m2", "余额")
		m.From.External = "bob"
		wantHas(t, bot.RenderText(f.Bot.Handle(t.Context(), m)), "可提现")
		close(l.gate)
		<-done
	})
	t.Run("TooManyAreRefused", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		l := slow(f)
		const flood = 40
		refused := make(chan struct{}, flood)
		var wg sync.WaitGroup
		for i := range flood {
			wg.Go(func() {
				if r := bot.RenderText(f.Bot.Handle(t.Context(), says(fmt.Sprint("m", i), kettle))); strings.Contains(r, "一条一条来") {
					refused <- struct{}{}
				}
			})
		}
		for range flood - 17 { // one is answered, sixteen wait
			<-refused
		}
		close(l.gate)
		wg.Wait()
	})
	t.Run("WhoGivesUpWaitingIsAnswered", func(t *testing.T) {
		t.Parallel()
		f := bottest.New(t)
		l := slow(f)
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Bot.Handle(t.Context(), says("m1", kettle))
		}()
		for l.calls.Load() == 0 {
			time.Sleep(time.Millisecond) // until the first one is inside
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantHas(t, bot.RenderText(f.Bot.Handle(ctx, says("m2", "余额"))), "编号")
		close(l.gate)
		<-done
	})
}

// TestAnyTextIsAnswered sends noise: whatever it is, there is an answer that
// keeps the promises of answers, and nothing breaks.
func TestAnyTextIsAnswered(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	log := logged(f)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringMatching(`(/|#|【|「)?(提现|订单|找回|收款|搜|why|cash out)[ :：,@0-9a-z]{0,40}(】|」|。)?`),
		).Draw(rt, "text")
		r := f.Handle(t.Context(), says("", text))
		if bot.RenderText(r) == "" {
			rt.Fatalf("no answer to %q", text)
		}
		bottest.Check(t, r)
		m := says("", text)
		m.Group, m.Chat = true, "group"
		bottest.Check(t, f.Handle(t.Context(), m))
		if out := log.String(); strings.Contains(out, "panic") {
			rt.Fatalf("%q: %s", text, out)
		}
	})
}
