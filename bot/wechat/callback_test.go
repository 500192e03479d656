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

// TestForgedCallbacks: whatever is not from the platform, not of now, or not as it must
// be is refused, counted, and does nothing; in every mode. What the platform delivers again
// is answered again, signed anew or not.
func TestForgedCallbacks(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { forged(t, mode) })
		})
	}
}

func forged(t *testing.T, mode wechatfake.Mode) {
	t.Helper()
	h := &heard{}
	w := open(t, wechatfake.Config{Mode: mode}, nil)
	w.run(t, h.handle)
	if err := w.fake.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if w.fake.CheckForged(t.Context()) {
		t.Error("a forged test of the address is answered")
	}
	for _, f := range wechatfake.Forgeries() {
		if f.Sealed() && mode == wechatfake.Plain {
			continue
		}
		before, refused, replayed := h.count(), w.refused(), w.counts.of("refused/replayed")
		d := w.fake.Forge(t.Context(), ann, "提现", f)
		done, want := h.count()-before, 0
		if f.Again() {
			want = 1 // the first one was none
		}
		if done != want {
			t.Errorf("%s: %d messages were handed on, want %d", f, done, want)
		}
		if f.Redelivery() {
			if d.Status != http.StatusOK || len(d.Body) < 100 {
				t.Errorf("a redelivery, %s, is answered %d %q", f, d.Status, d.Body)
			}
			continue
		}
		if d.Status == http.StatusOK || d.Body != "" || w.refused() != refused+1 {
			t.Errorf("%s: %d %q, refused %d times, want it refused and counted", f, d.Status, d.Body, w.refused()-refused)
		}
		if n := w.counts.of("refused/replayed") - replayed; (n == 1) != f.Again() {
			t.Errorf("%s: %d are refused as replayed", f, n)
		}
	}
	if n := w.counts.of("redelivered/alike"); n != 1 {
		t.Errorf("%d redeliveries are counted as alike", n)
	}
	for _, secret := range []string{w.fake.Token(), w.fake.AESKey(), ann, "提现"} {
		if strings.Contains(w.logs.String(), secret) {
			t.Error("the log tells a secret")
		}
	}
}

// refused is how many callbacks were refused, for whatever reason.
func (w *world) refused() (n int) {
	w.counts.mu.Lock()
	defer w.counts.mu.Unlock()
	for k, c := range w.counts.by {
		if strings.HasPrefix(k, "refused/") {
			n += c
		}
	}
	return n
}

// TestOddRequests: what no platform sends is refused with a status, and never ends in a
// panic.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	h := &heard{}
	w := open(t, wechatfake.Config{Mode: wechatfake.Plain}, nil)
	w.run(t, h.handle)
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

// TestConfiguration: what is missing is named, all at once.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	_, err := wechat.New(wechat.Options{Mode: "open", AESKey: "short"})
	for _, want := range []string{"app_id", "token", "mode", "encoding_aes_key", "book"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
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
