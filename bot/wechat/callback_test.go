package wechat_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"fanli/bot"
	"fanli/bot/wechat"
	"fanli/bot/wechat/wechatfake"
)

// heard is a handler that remembers.
type heard struct {
	mu  sync.Mutex
	all []bot.Message
}

func (h *heard) handle(_ context.Context, m bot.Message) bot.Reply {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, m)
	return bot.Reply{Text: "re " + m.Text}
}

func (h *heard) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// last is the message that came last, and whether there is one after so many.
func (h *heard) last(after int) (bot.Message, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.all) <= after {
		return bot.Message{}, false
	}
	return h.all[len(h.all)-1], true
}

// TestRedeliveries: what the platform delivers again is answered again, signed anew or not;
// what comes later, or with something else in it, is a replay. Either way nothing is done
// twice, in any mode.
func TestRedeliveries(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { redelivered(t, mode) })
		})
	}
}

func redelivered(t *testing.T, mode wechatfake.Mode) {
	t.Helper()
	h := &heard{}
	w := open(t, wechatfake.Config{Mode: mode}, nil)
	w.run(t, h.handle)
	tried := 0
	for _, f := range wechatfake.Forgeries() {
		if !f.Again() {
			continue
		}
		tried++
		before, replayed := h.count(), w.refused("replayed")
		d := w.fake.Forge(t.Context(), ann, "提现", f)
		if n := h.count() - before; n != 1 {
			t.Errorf("%s: %d messages were handed on, want that which was right", f, n)
		}
		if f.Redelivery() {
			if d.Status != http.StatusOK || len(d.Body) < 100 {
				t.Errorf("a redelivery, %s, is answered %d %q", f, d.Status, d.Body)
			}
			continue
		}
		if n := w.refused("replayed") - replayed; d.Status == http.StatusOK || d.Body != "" || n != 1 {
			t.Errorf("%s: %d %q, and %d are refused as replayed", f, d.Status, d.Body, n)
		}
	}
	if n := w.counts.of("redelivered/alike"); tried != 4 || n != 1 {
		t.Errorf("of %d that came again %d are counted as alike", tried, n)
	}
}

// refused is how many callbacks were refused for a reason, or for whatever it was.
func (w *world) refused(why string) (n int) {
	w.counts.mu.Lock()
	defer w.counts.mu.Unlock()
	for k, c := range w.counts.by {
		if strings.HasPrefix(k, "refused/"+why) {
			n += c
		}
	}
	return n
}

// TestOddRequests: what no platform sends is refused with a status, and never ends in a
// panic; the console's test of the address is answered. What else is forged channeltest
// has.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	h := &heard{}
	w := open(t, wechatfake.Config{Mode: wechatfake.Plain}, nil)
	w.run(t, h.handle)
	if err := w.fake.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for name, r := range map[string]*http.Request{
		"nothing":        httptest.NewRequest(http.MethodGet, "/wechat", nil),
		"another method": httptest.NewRequest(http.MethodDelete, "/wechat?timestamp=1&nonce=1&signature=1", nil),
		"a name twice":   httptest.NewRequest(http.MethodPost, "/wechat?timestamp=1&timestamp=2&nonce=1&signature=1", strings.NewReader("<xml/>")),
		"a long value":   httptest.NewRequest(http.MethodPost, "/wechat?signature="+strings.Repeat("a", 4096), strings.NewReader("<xml/>")),
	} {
		rec := httptest.NewRecorder()
		w.channel.ServeHTTP(rec, r)
		if rec.Code < 400 || rec.Body.Len() > 0 {
			t.Errorf("%s: %d %q", name, rec.Code, rec.Body)
		}
	}
	if w.counts.of("refused/panic") > 0 || h.count() > 0 {
		t.Errorf("%d panics, %d messages", w.counts.of("refused/panic"), h.count())
	}
}

// TestAnotherAccount: what is signed with our token and is for another account is refused.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		w := open(t, wechatfake.Config{Mode: wechatfake.Plain}, func(o *wechat.Options) { o.Account = "gh_another" })
		w.run(t, h.handle)
		w.fake.Say(t.Context(), ann, "hello")
		if h.count() > 0 || w.counts.of("refused/account") == 0 {
			t.Errorf("%d messages are heard, %d refused", h.count(), w.counts.of("refused/account"))
		}
	})
}

// TestWhatIsHeard: every kind of message and event becomes what it means.
func TestWhatIsHeard(t *testing.T) {
	t.Parallel()
	h := &heard{}
	w := open(t, wechatfake.Config{}, nil)
	w.run(t, h.handle)
	ctx, f := t.Context(), w.fake
	for _, tt := range []struct {
		name string
		do   func() wechatfake.Outcome
		text string // that the bot gets; "" for none
		via  string
		told string // that the person reads, where the bot gets nothing
	}{
		{"text", func() wechatfake.Outcome { return f.Say(ctx, ann, "余额 ]]> <b>") }, "余额 ]]> <b>", "", ""},
		{"a sticker", func() wechatfake.Outcome { return f.Unsupported(ctx, ann) }, "", "", "这种消息我收不到内容"},
		{"a picture", func() wechatfake.Outcome { return f.Show(ctx, ann, "https://mmbiz.example/1") }, "", "", "图片"},
		{"voice", func() wechatfake.Outcome { return f.Speak(ctx, ann, "我的订单。") }, "我的订单。", "", ""},
		{"voice without words", func() wechatfake.Outcome { return f.Speak(ctx, ann, "") }, "", "", "语音"},
		{"a film", func() wechatfake.Outcome { return f.Film(ctx, ann, true) }, "", "", "视频"},
		{"a place", func() wechatfake.Outcome { return f.Locate(ctx, ann, "人民广场") }, "", "", "位置"},
		{"a shared page", func() wechatfake.Outcome { return f.Share(ctx, ann, "水壶", "很好", "https://item.jd.com/1.html") },
			"水壶\n很好\nhttps://item.jd.com/1.html", "", ""},
		{"follow", func() wechatfake.Outcome { return f.Follow(ctx, bob, "") }, "/start", "", ""},
		{"follow by a friend's code", func() wechatfake.Outcome { return f.Follow(ctx, cat, "r_FRIEND01") }, "/start", "FRIEND01", ""},
		{"scan", func() wechatfake.Outcome { return f.Scan(ctx, ann, "r_FRIEND01") }, "/start", "FRIEND01", ""},
		{"another code", func() wechatfake.Outcome { return f.Scan(ctx, ann, "shop-7") }, "/start", "", ""},
		{"a menu's word", func() wechatfake.Outcome { return f.Click(ctx, ann, "余额") }, "余额", "", ""},
		{"a menu's page", func() wechatfake.Outcome { return f.View(ctx, ann, "https://fanli.example/") }, "", "", ""},
		{"consent", func() wechatfake.Outcome { return f.Subscribe(ctx, ann, "T1", true) }, "", "", ""},
		{"no consent any more", func() wechatfake.Outcome { return f.Withdraw(ctx, ann, "T1") }, "", "", ""},
		{"where somebody is", func() wechatfake.Outcome { return f.Event(ctx, ann, "LOCATION", "Latitude", "31.2") }, "", "", ""},
		{"an end of a form", func() wechatfake.Outcome {
			return f.Event(ctx, ann, "TEMPLATESENDJOBFINISH", "MsgID", "200163840", "Status", "failed:user block")
		}, "", "", ""},
		{"an event of next year", func() wechatfake.Outcome { return f.Event(ctx, ann, "teleport", "To", "Mars") }, "", "", ""},
		{"go", func() wechatfake.Outcome { return f.Unfollow(ctx, ann) }, "", "", ""},
	} {
		before := h.count()
		o := tt.do()
		m, ok := h.last(before)
		if ok != (tt.text != "") || m.Text != tt.text || m.Via != tt.via {
			t.Errorf("%s: the bot gets %+v, want %q by %q", tt.name, m, tt.text, tt.via)
		}
		wants := tt.told
		if ok {
			wants = "re " + tt.text
		}
		if o.Verdict == wechatfake.Faulted || len(o.Deliveries) != 1 || !strings.Contains(o.Seen.Text, wants) || (o.Verdict == wechatfake.Silent) != (wants == "") {
			t.Errorf("%s: %s %q after %d deliveries, %s, want %q", tt.name, o.Verdict, o.Seen.Text, len(o.Deliveries), o.Why, wants)
		}
	}
	if n := w.counts.of("heard/template_blocked") + w.counts.of("heard/other_event"); n != 2 {
		t.Errorf("%d odd events are counted, want 2", n)
	}
}

// TestWithoutItsBook: while the database is away people are answered all the same.
func TestWithoutItsBook(t *testing.T) {
	t.Parallel()
	h := &heard{}
	w := open(t, wechatfake.Config{}, nil)
	w.run(t, h.handle)
	w.book.refuses = true
	if o := w.fake.Say(t.Context(), ann, "hello"); o.Seen.Text != "re hello" {
		t.Errorf("ann reads %q, %s", o.Seen.Text, o.Why)
	}
}
