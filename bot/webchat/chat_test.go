package webchat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/webchat"
	"fanli/core/fault"
)

func TestConversation(t *testing.T) {
	t.Parallel()
	asked := make(chan bot.Message, 1)
	h := open(t, &memory{}, func(_ context.Context, m bot.Message) bot.Reply {
		asked <- m
		return bot.Reply{Text: "有券"}
	}, nil)
	v := h.visitor()
	tb := v.tab("")
	tb.until("ready")
	v.post("aaaaaaaa1", "查券")
	said, _ := tb.entries(2)
	wantSaid(t, said, "user: 查券", "bot: 有券")
	m := <-asked
	if m.From.Channel != webchat.Name || len(m.From.External) != 26 || m.Chat != m.From.External {
		t.Errorf("the message is from %+v in %q", m.From, m.Chat)
	}
	if m.ID != m.Chat+"/aaaaaaaa1" || m.Text != "查券" || m.Locale != "zh" || m.Group {
		t.Errorf("the bot is asked %+v", m)
	}
}

// A button shows its label and sends its action.
func TestButtonSendsItsAction(t *testing.T) {
	t.Parallel()
	asked := make(chan bot.Message, 1)
	h := open(t, &memory{}, func(_ context.Context, m bot.Message) bot.Reply {
		asked <- m
		return bot.Reply{}
	}, nil)
	v := h.visitor()
	if status, p, _ := v.send(`{"id":"aaaaaaaa1","text":"withdraw:ok:17","label":"确认提现"}`); status != http.StatusAccepted {
		t.Fatalf("status %d, %+v", status, p)
	}
	if m := <-asked; m.Text != "withdraw:ok:17" {
		t.Errorf("the bot is asked %q", m.Text)
	}
	said, _ := v.tab("").entries(1)
	wantSaid(t, said, "user: 确认提现")
}

func TestSameIDIsShownAndAnsweredOnce(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	log := &memory{}
	h := open(t, log, func(_ context.Context, m bot.Message) bot.Reply {
		asked.Add(1)
		return bot.Reply{Text: "re: " + m.Text}
	}, nil)
	v := h.visitor()
	tb := v.tab("")
	var fresh atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if v.post("aaaaaaaa1", "一次").Fresh {
				fresh.Add(1)
			}
		})
	}
	all.Wait()
	v.post("aaaaaaaa2", "两次")
	said, _ := tb.entries(4)
	seen := map[string]int{}
	for _, s := range said {
		seen[s]++
	}
	for _, want := range []string{"user: 一次", "bot: re: 一次", "user: 两次", "bot: re: 两次"} {
		if seen[want] != 1 {
			t.Errorf("%q is said %d times in %q", want, seen[want], said)
		}
	}
	if fresh.Load() != 1 || asked.Load() != 2 {
		t.Errorf("%d of 8 were fresh, the bot was asked %d times", fresh.Load(), asked.Load())
	}
	// A new process knows the id from the log.
	jar := v.http.Jar
	h.stop()
	h2 := open(t, log, echo, nil)
	v2 := h2.visitor()
	v2.http.Jar = carry(t, jar, h, h2)
	if v2.post("aaaaaaaa1", "一次").Fresh {
		t.Error("after a restart the same id is taken for a new message")
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	tb := v.tab("")
	v.post("aaaaaaaa1", "一")
	_, last := tb.entries(2)
	tb.close()
	v.post("aaaaaaaa2", "二")
	v.post("aaaaaaaa3", "三")
	h.visitor().post("aaaaaaaa4", "别人")
	want := []string{"user: 二", "bot: re: 二", "user: 三", "bot: re: 三"}
	v.tab("0").entries(6) // all answered

	said, _ := v.tab(last).entries(4)
	wantSaid(t, sorted(said), sorted(want)...)

	again := v.tab(last)
	said2, _ := again.entries(4)
	wantSaid(t, said2, said...)
	if said, _ := v.tab("").entries(6); len(said) != 6 {
		t.Errorf("a new page sees %q", said)
	}
}

// A browser resumes by a header, which counts more than the address that the
// page opened.
func TestResumeByHeader(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	v.post("aaaaaaaa1", "一")
	_, last := v.tab("").entries(2)
	v.post("aaaaaaaa2", "二")
	v.http.Transport = header{v.http.Transport, "Last-Event-ID", last}
	said, _ := v.tab("0").entries(2)
	wantSaid(t, said, "user: 二", "bot: re: 二")
}

func TestTwoTabsAgree(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	a, b := v.tab(""), v.tab("")
	for i := range 5 {
		v.post(fmt.Sprintf("aaaaaaaa%d", i), fmt.Sprint(i))
	}
	saidA, _ := a.entries(10)
	saidB, _ := b.entries(10)
	wantSaid(t, saidB, saidA...)
}

// The newest four pages are streamed to; the one before is told to give way.
func TestOldestTabGivesWay(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	first := v.tab("")
	first.until("ready")
	tabs := []*tab{v.tab(""), v.tab(""), v.tab(""), v.tab("")}
	for _, tb := range tabs {
		tb.until("ready")
	}
	first.until("moved")
	if e, ok := first.next(); ok {
		t.Errorf("the old tab still gets %q", e.name)
	}
	v.post("aaaaaaaa1", "一")
	for _, tb := range tabs {
		said, _ := tb.entries(2)
		wantSaid(t, said, "user: 一", "bot: re: 一")
	}
}

// A page whose log is gone begins anew instead of waiting for numbers that will
// not come.
func TestUnknownPositionBeginsAnew(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	v.post("aaaaaaaa1", "一")
	tb := v.tab("4711")
	tb.until("reset")
	said, _ := tb.entries(2)
	wantSaid(t, said, "user: 一", "bot: re: 一")
}

func TestLongHistoryIsCut(t *testing.T) {
	t.Parallel()
	log := &memory{}
	h := open(t, log, echo, nil)
	v := h.visitor()
	v.post("aaaaaaaa1", "一")
	_, _ = v.tab("").entries(2)
	jar := v.http.Jar
	h.stop()
	for _, ls := range log.chats {
		for range 300 {
			log.last++
			for chat := range log.chats {
				log.chats[chat] = append(log.chats[chat], line{seq: log.last, body: ls[1].body})
			}
		}
	}
	h2 := open(t, log, echo, nil)
	v2 := h2.visitor()
	v2.http.Jar = carry(t, jar, h, h2)
	tb := v2.tab("")
	tb.entries(200)
	if e := tb.until("ready"); e.data != `{"earlier":true}` {
		t.Errorf("ready says %s", e.data)
	}
	said, _ := v2.tab("0").entries(302)
	wantSaid(t, said[:1], "user: 一")
}

func TestTypingIsShownWhileAnswering(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := open(t, &memory{}, func(context.Context, bot.Message) bot.Reply {
		<-release
		return bot.Reply{Text: "好"}
	}, nil)
	v := h.visitor()
	tb := v.tab("")
	tb.until("ready")
	v.post("aaaaaaaa1", "慢")
	if e := tb.until("typing"); e.data != "true" {
		t.Errorf("typing = %s", e.data)
	}
	close(release)
	if e := tb.until("typing"); e.data != "false" {
		t.Errorf("typing = %s", e.data)
	}
}

func TestSilentStreamBeats(t *testing.T) {
	t.Parallel()
	tb := open(t, &memory{}, echo, nil).visitor().tab("")
	tb.until("ping")
	tb.until("ping")
}

// An old message is not answered out of the blue.
func TestStaleMessageIsNotAnswered(t *testing.T) {
	t.Parallel()
	log := &memory{}
	begun := make(chan struct{})
	h := open(t, log, func(ctx context.Context, _ bot.Message) bot.Reply {
		close(begun)
		<-ctx.Done()
		return bot.Reply{}
	}, nil)
	v := h.visitor()
	v.post("aaaaaaaa1", "一")
	<-begun
	jar := v.http.Jar
	h.stop()
	h2 := open(t, log, echo, nil)
	h2.clock.advance(time.Hour)
	v2 := h2.visitor()
	v2.http.Jar = carry(t, jar, h, h2)
	tb := v2.tab("")
	tb.entries(1)
	v2.post("aaaaaaaa2", "二")
	said, _ := tb.entries(2)
	wantSaid(t, said, "user: 二", "bot: re: 二")
}

// An answer that the log refuses is made again, and the message keeps its id, so
// that the bot can say the same.
func TestAnswerSurvivesAFailingLog(t *testing.T) {
	t.Parallel()
	log := &memory{}
	var asked atomic.Int32
	h := open(t, log, func(_ context.Context, m bot.Message) bot.Reply {
		if asked.Add(1) == 1 {
			log.mu.Lock()
			log.failing = 3
			log.mu.Unlock()
		}
		return bot.Reply{Text: "re: " + m.ID[27:]}
	}, nil)
	v := h.visitor()
	tb := v.tab("")
	v.post("aaaaaaaa1", "一")
	said, _ := tb.entries(2)
	wantSaid(t, said, "user: 一", "bot: re: aaaaaaaa1")
	if asked.Load() != 2 {
		t.Errorf("the bot was asked %d times, want 2", asked.Load())
	}
}

// Streams end with Run, so that the server can close.
func TestStreamsEndWithRun(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	tb := v.tab("")
	tb.until("ready")
	go h.stop()
	for {
		if _, ok := tb.next(); !ok {
			break
		}
	}
}

func TestRunIsCalledOnce(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	v.post("aaaaaaaa1", "一")
	if err := h.chat.Run(t.Context(), echo); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second Run: %v, want conflict", err)
	}
}

func TestPictureIsMapped(t *testing.T) {
	t.Parallel()
	const from, to = "https://img.example/a.png", "/shop/a.png"
	h := open(t, &memory{}, func(context.Context, bot.Message) bot.Reply {
		return bot.Reply{Cards: []bot.Card{{Title: "杯", Image: from}, {Title: "无图"}}}
	}, func(o *webchat.Options) {
		o.Image = func(u string) string { return strings.Replace(u, "https://img.example", "/shop", 1) }
	})
	v := h.visitor()
	v.post("aaaaaaaa1", "一")
	tb := v.tab("")
	tb.until("entry")
	if e := tb.until("entry"); !strings.Contains(e.data, `"image":"`+to+`"`) || strings.Contains(e.data, from) {
		t.Errorf("the page is sent %s", e.data)
	}
}
