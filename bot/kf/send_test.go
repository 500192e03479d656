package kf_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanli/adapters/cache"
	"fanli/bot"
	"fanli/bot/kf"
	"fanli/bot/kf/kffake"
	"fanli/bot/kf/platform"
	"fanli/bot/mail"
	"fanli/bot/tencent"
	"fanli/core/fault"
)

// notices posts notices to ann, as the outbox does.
func (w *world) notices(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		p := mail.Parcel{Key: "notice/" + text, Channel: kf.Name, Chat: ann, To: identity(ann), Reply: bot.Reply{Text: text}}
		if err := w.engine.Post(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNotices: five messages may be sent after one of theirs; nothing is lost of what goes
// beyond, what is refused or what does not arrive, and nothing is told twice.
func TestNotices(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(ctx context.Context, f *kffake.Server)
		parked string // the count that says that the last one waits
		waits  string // which do
		seen   int    // how many are seen before ann writes
	}{
		"the quota is used up":       {func(context.Context, *kffake.Server) {}, "notice/parked", "n5 n6", 5},
		"somebody else has used it":  {func(_ context.Context, f *kffake.Server) { f.Spend(ann) }, "notice/parked", "n1 n2 n3 n4 n5 n6", 1},
		"a person of ours has ended": {func(ctx context.Context, f *kffake.Server) { f.Lead(ctx, ann, "hi"); f.Lead(ctx, ann, "") }, "notice/parked", "n1 n2 n3 n4 n5 n6", 1},
		"the first does not arrive":  {func(_ context.Context, f *kffake.Server) { f.Undeliver(ann, 6) }, "notice/undelivered", "n1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, kffake.Config{}, nil)
			w.run(t, echo)
			w.fake.Say(t.Context(), ann, "hello")
			until(t, "she is answered", func() bool { return len(w.fake.Lines(ann)) == 1 })
			tt.before(t.Context(), w.fake)
			if tt.seen == 0 {
				w.notices(t, "n1")
				until(t, "it is known not to have arrived", func() bool { return w.counts.of(tt.parked) == 1 })
			} else {
				w.notices(t, "n1", "n2", "n3", "n4", "n5", "n6")
				until(t, "all wait that must", func() bool { return w.counts.of(tt.parked) == strings.Count(tt.waits, "n") })
				if got := len(w.fake.Lines(ann)); got != tt.seen {
					t.Errorf("%d are seen: %q", got, w.fake.Lines(ann))
				}
			}
			for i := range 2 { // five go with the first answer, the sixth with the second
				n := len(w.fake.Lines(ann))
				w.fake.Say(t.Context(), ann, fmt.Sprint("news ", i))
				until(t, "she is answered again", func() bool { return len(w.fake.Lines(ann)) > n })
			}
			all := strings.Join(w.fake.Lines(ann), "\n")
			for _, n := range strings.Fields(tt.waits) {
				if strings.Count(all, n) != 1 {
					t.Errorf("%s is told %d times:\n%s", n, strings.Count(all, n), all)
				}
			}
		})
	}
}

// TestTwoDays: after 48 hours WeCom is not even asked; what is to be told waits.
func TestTwoDays(t *testing.T) {
	t.Parallel()
	var later atomic.Int64 // nanoseconds
	w := open(t, kffake.Config{}, func(o *kf.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	w.run(t, echo)
	w.fake.Say(t.Context(), ann, "hello")
	until(t, "she is answered", func() bool { return len(w.fake.Lines(ann)) == 1 })
	later.Store(int64(48 * time.Hour))
	w.notices(t, "n1")
	until(t, "it waits", func() bool { return w.counts.of("notice/parked") == 1 })
	if n := len(w.fake.Calls("/cgi-bin/kf/send_msg")); n != 1 {
		t.Errorf("WeCom was asked %d times to send something", n)
	}
}

// TestSecondTries: a second try that is refused says that the first has arrived only if it
// is refused for its key; for anything else the message is given up, where staff see it.
func TestSecondTries(t *testing.T) {
	t.Parallel()
	const path = "/cgi-bin/kf/send_msg"
	for name, tt := range map[string]struct {
		late bool         // the first try arrives, and its answer is lost
		then kffake.Fault // of the second try
		seen int
		dead int64
	}{
		"the key was used":       {late: true, seen: 1},
		"the first is lost, too": {seen: 1},
		"it is empty":            {then: kffake.Fault{Code: 44004, Text: "empty content"}, dead: 1},
		"it is too long":         {then: kffake.Fault{Code: 45002, Text: "message content size out of limit"}, dead: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, kffake.Config{}, nil)
			w.run(t, func(context.Context, bot.Message) bot.Reply { return bot.Reply{} })
			w.fake.Say(t.Context(), ann, "hello")
			until(t, "the message is read", func() bool { return w.counts.of("answered/silent") == 1 })
			w.fake.Fail(path, 1, kffake.Fault{HangUp: true, Late: tt.late})
			if tt.then != (kffake.Fault{}) {
				w.fake.Fail(path, 1, tt.then)
			}
			w.notices(t, "paid")
			var dead int64
			until(t, "the notice has an end", func() (idle bool) { dead, idle = w.depths(t); return idle })
			known := w.counts.of("notice/known_key") == 1
			if n := len(w.fake.Lines(ann)); n != tt.seen || dead != tt.dead || known != tt.late {
				t.Errorf("%d are seen and %d given up, a used key: %t", n, dead, known)
			}
		})
	}
}

// depths is how many parcels came to nothing, and whether none waits.
func (w *world) depths(t *testing.T) (dead int64, idle bool) {
	t.Helper()
	ds, err := w.store.Depths(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := int64(0)
	for _, d := range ds {
		waiting, dead = waiting+d.Waiting, dead+d.Dead
	}
	return dead, waiting == 0
}

// TestLongTexts: what does not fit into one message comes in several where they are
// allowed, and else piece by piece; a menu stands below its text.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	w := open(t, kffake.Config{}, nil)
	long := func(n int) string { return strings.TrimSpace(strings.Repeat(strings.Repeat("长", 20)+"\n", n)) }
	w.run(t, func(_ context.Context, m bot.Message) bot.Reply {
		size := 0
		_, _ = fmt.Sscan(m.Text, &size)
		return bot.Reply{Text: long(size), Buttons: []bot.Button{{Label: "Balance", Action: "余额"}, {Label: "Page", URL: "https://example.com/p"}, {Label: "Shop", URL: "https://item.taobao.com/1"}}}
	})
	for _, tt := range []struct {
		lines, parts int
		last         string // how the last message ends
	}{
		{1, 1, "长\n\nShop：\nhttps://item.taobao.com/1\n[Balance]\n[Page → https://example.com/p]"},
		{20, 2, "[Page → https://example.com/p]"}, // 1,220 bytes are too many for a menu
		{50, 3, "[Page → https://example.com/p]"},
		{130, 1, "（还有更多，回复“更多”继续看）"},
	} {
		n := len(w.fake.Seen(ann))
		w.fake.Say(t.Context(), ann, fmt.Sprint(tt.lines))
		until(t, fmt.Sprint(tt.parts, " messages"), func() bool { return len(w.fake.Seen(ann)) == n+tt.parts })
		all := w.fake.Lines(ann)
		if last := all[len(all)-1]; !strings.HasSuffix(last, tt.last) {
			t.Errorf("%d lines end with %q", tt.lines, last[max(0, len(last)-120):])
		}
	}
	var rest string
	for strings.HasSuffix(lastLine(w), "继续看）") {
		n := len(w.fake.Seen(ann))
		w.fake.Say(t.Context(), ann, "更多")
		until(t, "more is told", func() bool { return len(w.fake.Seen(ann)) > n })
		rest = lastLine(w)
	}
	if !strings.HasSuffix(rest, "Page：\nhttps://example.com/p\nShop：\nhttps://item.taobao.com/1") || !strings.Contains(rest, "回复“余额” Balance") {
		t.Errorf("it ends with %q", rest)
	}
}

func lastLine(w *world) string {
	all := w.fake.Lines(ann)
	return all[len(all)-1]
}

// TestSessions: who opens the chat is greeted within twenty seconds or not at all, by whom
// they were brought counts either way, and the bot is silent while a person of ours leads.
func TestSessions(t *testing.T) {
	t.Parallel()
	w := open(t, kffake.Config{}, nil)
	answer := func(_ context.Context, m bot.Message) bot.Reply { return bot.Reply{Text: m.Text + " via " + m.Via} }
	stop := w.run(t, answer)
	lines := func(want ...string) {
		t.Helper()
		until(t, fmt.Sprint(want), func() bool { return len(w.fake.Lines(ann)) >= len(want) })
		if got := w.fake.Lines(ann); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("told %q", got)
		}
	}
	w.fake.Enter(t.Context(), ann, "r_FRIEND01")
	lines("/start via FRIEND01")
	w.fake.Enter(t.Context(), ann, "")
	w.fake.Say(t.Context(), ann, "hello")
	lines("/start via FRIEND01", "hello via ")
	if w.fake.Seen(ann)[0].By != "greeting" || w.fake.Left(ann) != 4 {
		t.Errorf("the greeting is a %s, and %d messages are left", w.fake.Seen(ann)[0].By, w.fake.Left(ann))
	}
	w.fake.Lead(t.Context(), ann, "I am Zhang")
	w.fake.Say(t.Context(), ann, "thank you, Zhang")
	until(t, "the bot keeps quiet", func() bool { return w.counts.of("answered/led") == 1 })
	w.fake.Lead(t.Context(), ann, "")
	until(t, "the end is heard", func() bool { return w.counts.of("heard/session_status_change") == 2 })
	stop()
	w.fake.Enter(t.Context(), bob, "r_FRIEND02")
	w.join(t, kffake.Config{}, func(o *kf.Options) { o.Now = func() time.Time { return time.Now().Add(30 * time.Second) } })
	w.run(t, answer)
	w.fake.Say(t.Context(), ann, "again")
	lines("/start via FRIEND01", "hello via ", "again via ")
	until(t, "the greeting is too late", func() bool { return w.counts.of("answered/too_late") == 1 })
	w.fake.Say(t.Context(), bob, "hello")
	until(t, "bob is answered", func() bool { return len(w.fake.Lines(bob)) == 1 })
	if got := w.fake.Lines(bob)[0]; got != "hello via FRIEND02" {
		t.Errorf("bob is told %q", got)
	}
}

// TestKinds: what is no text is answered with a line, and a link with what it leads to.
func TestKinds(t *testing.T) {
	t.Parallel()
	w := open(t, kffake.Config{}, nil)
	w.run(t, echo)
	for i, kind := range []string{"image", "voice", "video", "location", "file", "miniprogram", "channels"} {
		w.fake.Show(t.Context(), ann, kind)
		until(t, kind+" is answered", func() bool { return len(w.fake.Lines(ann)) == i+1 })
		if got := lastLine(w); !strings.Contains(got, "链接") || strings.HasPrefix(got, "re ") {
			t.Errorf("%s is answered %q", kind, got)
		}
	}
	w.fake.Share(t.Context(), bob, "Kettle", "hot", "https://item.jd.com/1.html")
	until(t, "the link is answered", func() bool { return len(w.fake.Lines(bob)) == 1 })
	if got := w.fake.Lines(bob)[0]; got != "re Kettle\nhot\nhttps://item.jd.com/1.html" {
		t.Errorf("a link is taken for %q", got)
	}
}

// TestWhatIsCopiedComesByItself: a 口令 follows its answer as a message of its own, where that
// leaves enough: whoever writes several times at once is answered each time.
func TestWhatIsCopiedComesByItself(t *testing.T) {
	t.Parallel()
	const code = "￥abc￥"
	answer := func(_ context.Context, m bot.Message) bot.Reply {
		c := bot.Card{Title: m.Text, Buttons: []bot.Button{{Label: "复制口令", Copy: code}}}
		if m.Text == "two" {
			c.Buttons = append(c.Buttons, bot.Button{Label: "复制口令", Copy: "￥def￥"})
		}
		return bot.Reply{Cards: []bot.Card{c}}
	}
	refusal := func(c fault.Code, reason string, number int64) error {
		return &fault.Error{Code: c, Reason: reason, Err: &tencent.RefusalError{Code: number}}
	}
	for name, tt := range map[string]struct {
		says   []string
		atOnce bool  // before any of it is read, two seconds ago
		fails  error // of the message with the 口令
		want   string
	}{
		"a 口令":          {says: []string{"a"}, want: "a|" + code},
		"several":       {says: []string{"two"}, want: "two"},
		"in turn":       {says: []string{"a", "b"}, want: "a|" + code + "|b|" + code},
		"four at once":  {says: []string{"a", "b", "c", "d"}, atOnce: true, want: "a|" + code + "|b|c|d"},
		"six at once":   {says: []string{"a", "b", "c", "d", "e", "f"}, atOnce: true, want: "a|" + code + "|b|c|d"},
		"no more left":  {says: []string{"a", "b"}, fails: refusal(fault.Denied, platform.QuotaUsed, 95001), want: "a|b"},
		"it is refused": {says: []string{"a", "b"}, fails: refusal(fault.Invalid, platform.BadMessage, 40008), want: "a|b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, kffake.Config{}, func(o *kf.Options) {
				if tt.atOnce {
					o.Now = func() time.Time { return time.Now().Add(2 * time.Second) }
				}
				o.Platform = copyless{o.Platform, tt.fails}
			})
			if !tt.atOnce {
				w.run(t, answer)
			}
			answered := func(n int) func() bool {
				return func() bool {
					_, idle := w.depths(t)
					return idle && w.counts.of("answered/sent") == n
				}
			}
			for i, text := range tt.says {
				w.fake.Say(t.Context(), ann, text)
				if !tt.atOnce {
					until(t, text+" is answered", answered(i+1))
				}
			}
			if tt.atOnce {
				w.run(t, answer)
				until(t, "all is answered", answered(len(tt.says)))
			}
			var got []string
			for _, line := range w.fake.Lines(ann) {
				if strings.Contains(line, "新消息") {
					t.Errorf("what is not missed is told later: %q", line)
				}
				line, _, _ = strings.Cut(line, "\n")
				got = append(got, line)
			}
			if s := strings.Join(got, "|"); s != tt.want {
				t.Errorf("ann reads %s, want %s", s, tt.want)
			}
		})
	}
}

// copyless is a platform that refuses messages that are only there to be copied.
type copyless struct {
	kf.Platform
	with error // nil: it takes them
}

func (p copyless) Post(ctx context.Context, customer, key string, part platform.Part) error {
	if part.Copy && p.with != nil {
		return p.with
	}
	return p.Platform.Post(ctx, customer, key, part)
}

// TestPictures: what is about one product has its picture before it, where that can be had
// and enough may be sent; WeCom is handed each picture once.
func TestPictures(t *testing.T) {
	t.Parallel()
	png := []byte("\x89PNG\r\n\x1a\n and so on")
	fetched := map[string][]byte{"https://i.example/good.png": png, "https://i.example/page.png": []byte("<html>no picture</html>")}
	w := open(t, kffake.Config{}, func(o *kf.Options) {
		o.Cache = cache.NewMemory(time.Now)
		o.Fetch = func(_ context.Context, address string) ([]byte, error) {
			if b, ok := fetched[address]; ok {
				return b, nil
			}
			return nil, errors.New("nobody answers")
		}
	})
	w.run(t, func(_ context.Context, m bot.Message) bot.Reply {
		return bot.Reply{Cards: []bot.Card{{
			Title: "Kettle", Image: "https://i.example/" + m.Text, Rows: []bot.Row{{Label: "Shop", Value: "x"}, {Label: "Price", Value: "¥9"}, {Label: "Coupon", Value: "no"}, {Label: "Rebate", Value: "¥1"}},
			Buttons: []bot.Button{{Label: "Open", URL: "https://example.com/p"}},
		}}}
	})
	const text = "Kettle\nShop  x\nPrice  ¥9\nCoupon  no\nRebate  ¥1\n[Open → https://example.com/p]"
	const card = "(picture) Kettle\nPrice  ¥9\nCoupon  no\nRebate  ¥1\n[→ https://example.com/p]"
	for _, tt := range []struct {
		text, path string
		fault      kffake.Fault
		want       []string
		left       int
	}{
		{"good.png", "", kffake.Fault{}, []string{card, text}, 3},
		{"good.png", "", kffake.Fault{}, []string{card, text}, 3},
		{"good.png", "/cgi-bin/kf/send_msg", kffake.Fault{Code: 40007, Text: "invalid media_id"}, []string{text}, 4},
		{"page.png", "", kffake.Fault{}, []string{text}, 4},
		{"away.png", "", kffake.Fault{}, []string{text}, 4},
	} {
		if tt.path != "" {
			w.fake.Fail(tt.path, 1, tt.fault)
		}
		n := len(w.fake.Lines(ann))
		w.fake.Say(t.Context(), ann, tt.text)
		until(t, tt.text+" is answered", func() bool { return len(w.fake.Lines(ann)) >= n+len(tt.want) })
		if got := w.fake.Lines(ann)[n:]; !slices.Equal(got, tt.want) || w.fake.Left(ann) != tt.left {
			t.Errorf("%s: told %q, and %d are left", tt.text, got, w.fake.Left(ann))
		}
	}
	if n := len(w.fake.Calls("/cgi-bin/media/upload")); n != 1 {
		t.Errorf("WeCom is handed the picture %d times", n)
	}
}
