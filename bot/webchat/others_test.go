package webchat_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/webchat"
	"fanli/core/user"
)

// End, News and Unanswered make memory a log that several processes share.

func (m *memory) End(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last, nil
}

// lines are those of all chats that f wants, oldest first.
func (m *memory) lines(f func(l line) bool) (out []line) {
	for _, ls := range m.chats {
		for _, l := range ls {
			if f(l) {
				out = append(out, l)
			}
		}
	}
	slices.SortFunc(out, func(a, b line) int { return int(a.seq - b.seq) })
	return out
}

func (m *memory) News(_ context.Context, after int64, count int) (chats []string, last int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last = after
	for i, l := range m.lines(func(l line) bool { return l.seq > after }) {
		if i < count {
			chats, last = append(chats, l.chat), l.seq
		}
	}
	return chats, last, nil
}

func (m *memory) Unanswered(_ context.Context, chat string, from, until time.Time, count int) (chats, asked []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	open := m.lines(func(l line) bool {
		return l.asked != "" && !l.answer && (chat == "" || l.chat == chat) && !l.at.Before(from) && l.at.Before(until) &&
			!slices.ContainsFunc(m.chats[l.chat], func(a line) bool { return a.asked == l.asked && a.answer })
	})
	for _, l := range open[:min(count, len(open))] {
		chats, asked = append(chats, l.chat), append(asked, l.asked)
	}
	return chats, asked, nil
}

// two opens two processes on one log and one clock, and a visitor of both.
func two(t *testing.T, first, second bot.Handler) (a, b *house, va, vb *visitor, tick *clock) {
	t.Helper()
	log, tick := &memory{}, newClock()
	with := func(o *webchat.Options) { o.Others, o.Now = &webchat.Others{Log: log}, tick.now }
	a, b = open(t, log, first, with), open(t, log, second, with)
	va = a.visitor()
	vb = b.visitor()
	vb.http.Jar = carry(t, va.http.Jar, a, b)
	return a, b, va, vb, tick
}

// never is a handler that must not be asked.
func never(t *testing.T) bot.Handler {
	return func(_ context.Context, m bot.Message) bot.Reply {
		t.Errorf("it is asked %q", m.Text)
		return bot.Reply{}
	}
}

func TestAPageHearsWhatAnotherProcessSays(t *testing.T) {
	t.Parallel()
	asked := make(chan bool)
	_, _, va, vb, _ := two(t, func(_ context.Context, m bot.Message) bot.Reply {
		<-asked
		return bot.Reply{Text: "re: " + m.Text}
	}, never(t))
	tb := vb.tab("")
	tb.until("ready")
	va.post("aaaaaaaa1", "查券")
	said, _ := tb.entries(1)
	wantSaid(t, said, "user: 查券")
	if e := tb.until("typing"); e.data != "true" {
		t.Errorf("typing is %s while the other process answers", e.data)
	}
	close(asked)
	said, _ = tb.entries(1)
	wantSaid(t, said, "bot: re: 查券")
	if e := tb.until("typing"); e.data != "false" {
		t.Errorf("typing is %s after the answer", e.data)
	}
}

// TestToldAgainIsShownOnce: the process that told something died before it said so, and
// another one tells it again.
func TestToldAgainIsShownOnce(t *testing.T) {
	t.Parallel()
	who := make(chan user.Identity, 1)
	a, b, va, vb, _ := two(t, func(_ context.Context, m bot.Message) bot.Reply {
		who <- m.From
		return bot.Reply{Text: "re: " + m.Text}
	}, never(t))
	tb := vb.tab("")
	va.post("aaaaaaaa1", "查券")
	ann := <-who
	tb.entries(2) // with the answer
	tell := func(h *house, key, text string) {
		t.Helper()
		if err := h.chat.SendOnce(t.Context(), ann, key, bot.Reply{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	paid := "withdrawal/7/" + strings.Repeat("paid", 100) // longer than any column
	tell(a, paid, "已到账 1")
	tell(b, paid, "已到账 1")
	tell(a, "aaaaaaaa1", "已到账 2") // no message's id
	tell(b, paid+"!", "已到账 3")
	for range 2 { // without a key
		if err := b.chat.Send(t.Context(), ann, bot.Reply{Text: "好"}); err != nil {
			t.Fatal(err)
		}
	}
	said, _ := tb.entries(5)
	wantSaid(t, said, "bot: 已到账 1", "bot: 已到账 2", "bot: 已到账 3", "bot: 好", "bot: 好")
}

// lateLog says only after a while where its end is.
type lateLog struct {
	*memory
	gate chan bool
}

// End implements webchat.SharedLog.
func (l lateLog) End(ctx context.Context) (int64, error) {
	<-l.gate
	return l.memory.End(ctx)
}

// TestAPageThatWasThereFirst opens a page at a process that has not looked yet at what the
// others say: what they say until then must not wait for the next beat.
func TestAPageThatWasThereFirst(t *testing.T) {
	t.Parallel()
	log, tick, gate := &memory{}, newClock(), make(chan bool)
	with := func(shared webchat.SharedLog) func(o *webchat.Options) {
		return func(o *webchat.Options) {
			o.Others, o.Now, o.Heartbeat = &webchat.Others{Log: shared}, tick.now, time.Hour
		}
	}
	a, b := open(t, log, echo, with(log)), open(t, log, never(t), with(lateLog{log, gate}))
	va, vb := a.visitor(), b.visitor()
	vb.http.Jar = carry(t, va.http.Jar, a, b)
	tb := vb.tab("")
	tb.until("ready")
	va.post("aaaaaaaa1", "查券")
	va.tab("0").entries(2)
	close(gate)
	defer time.AfterFunc(20*time.Second, tb.close).Stop()
	said, _ := tb.entries(2)
	wantSaid(t, said, "user: 查券", "bot: re: 查券")
}

// TestTheOthersWaitForAnEarlierMessage posts the second message to the process that
// would be quicker.
func TestTheOthersWaitForAnEarlierMessage(t *testing.T) {
	t.Parallel()
	gate := make(chan bool)
	var first atomic.Bool
	_, _, va, vb, _ := two(t, func(context.Context, bot.Message) bot.Reply {
		<-gate
		first.Store(true)
		return bot.Reply{Text: "1"}
	}, func(context.Context, bot.Message) bot.Reply {
		if !first.Load() {
			t.Error("the second message is handled before the first")
		}
		return bot.Reply{Text: "2"}
	})
	va.post("aaaaaaaa1", "一")
	vb.post("aaaaaaaa2", "二")
	tb := vb.tab("0")
	said, _ := tb.entries(2)
	wantSaid(t, said, "user: 一", "user: 二")
	for range 20 { // pings: it has had time to do it wrong
		tb.until("ping")
	}
	close(gate)
	said, _ = tb.entries(2)
	wantSaid(t, said, "bot: 1", "bot: 2")
}

// TestAnotherProcessTakesOver ends the process that took a message, before it has
// answered.
func TestAnotherProcessTakesOver(t *testing.T) {
	t.Parallel()
	taken := make(chan bool)
	a, _, va, vb, tick := two(t, func(ctx context.Context, _ bot.Message) bot.Reply {
		close(taken)
		<-ctx.Done()
		return bot.Reply{Text: "cut short"}
	}, echo)
	tb := vb.tab("")
	tb.until("ready")
	va.post("aaaaaaaa1", "一")
	<-taken
	a.stop()
	said, _ := tb.entries(1)
	wantSaid(t, said, "user: 一")
	vb.post("aaaaaaaa2", "二")
	tick.advance(11 * time.Second)
	said, _ = tb.entries(3)
	wantSaid(t, said, "user: 二", "bot: re: 一", "bot: re: 二")
}
