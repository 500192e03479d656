package wechatfake_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/config"
	oacontext "github.com/silenceper/wechat/v2/officialaccount/context"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	oaserver "github.com/silenceper/wechat/v2/officialaccount/server"
	"github.com/silenceper/wechat/v2/util"

	"fanli/bot/wechat/wechatfake"
)

// developer is a callback by the Go library, whose crypto is not the fake's.
type developer struct {
	s     *wechatfake.Server
	reply func(m *message.MixMessage) *message.Reply

	mu    sync.Mutex
	heard []*message.MixMessage
}

func (d *developer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	srv := oaserver.NewServer(&oacontext.Context{Config: &config.Config{AppID: d.s.AppID(), Token: d.s.Token(), EncodingAESKey: d.s.AESKey()}})
	srv.Request, srv.Writer = r, w
	silent := false
	srv.SetMessageHandler(func(m *message.MixMessage) *message.Reply {
		d.mu.Lock()
		d.heard = append(d.heard, m)
		d.mu.Unlock()
		reply := d.reply(m)
		silent = reply == nil
		return reply
	})
	if err := srv.Serve(); err != nil {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	switch sealed := r.URL.Query().Get("encrypt_type") == "aes"; {
	case r.Method != http.MethodPost || silent && !sealed: // the library has written
	case silent:
		_, _ = w.Write([]byte("success"))
	default:
		_ = srv.Send()
	}
}

// last is the message that was heard last.
func (d *developer) last() *message.MixMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.heard[len(d.heard)-1]
}

func echo(m *message.MixMessage) *message.Reply {
	if m.Content == "silence" {
		return nil
	}
	return &message.Reply{MsgType: message.MsgTypeText, MsgData: message.NewText("you said " + m.Content + string(m.Event) + m.EventKey)}
}

// play returns a platform in a mode with a callback.
func play(mode wechatfake.Mode, reply func(*message.MixMessage) *message.Reply) (*wechatfake.Server, *developer) {
	s := wechatfake.New(wechatfake.Config{Mode: mode})
	d := &developer{s: s, reply: reply}
	s.Connect("http://developer/callback", wechatfake.Local(d))
	return s, d
}

func TestPushes(t *testing.T) {
	t.Parallel()
	for _, mode := range []wechatfake.Mode{wechatfake.Plain, wechatfake.Compatible, wechatfake.Safe} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s, d := play(mode, echo)
			if err := s.Check(ctx); err != nil {
				t.Fatal(err)
			}
			if _, echoed := s.CheckForged(ctx); echoed {
				t.Error("echoed what is not signed")
			}
			s.Consent("o1", "tpl", "1")
			tests := []struct {
				name string
				do   func() wechatfake.Outcome
				want func(m *message.MixMessage) string
				is   string
			}{
				{"text", func() wechatfake.Outcome { return s.Say(ctx, "o1", "返利 ]]> <b>") }, func(m *message.MixMessage) string { return m.Content }, "返利 ]]> <b>"},
				{"picture", func() wechatfake.Outcome { return s.Show(ctx, "o1", "http://p/1") }, func(m *message.MixMessage) string { return m.PicURL }, "http://p/1"},
				{"voice", func() wechatfake.Outcome { return s.Speak(ctx, "o1", "余额") }, func(m *message.MixMessage) string { return m.Recognition }, "余额"},
				{"link", func() wechatfake.Outcome { return s.Share(ctx, "o1", "t", "d", "https://x") }, func(m *message.MixMessage) string { return m.Title + m.Description + m.URL }, "tdhttps://x"},
				{"location", func() wechatfake.Outcome { return s.Locate(ctx, "o1", "here") }, func(m *message.MixMessage) string { return m.Label }, "here"},
				{"film", func() wechatfake.Outcome { return s.Film(ctx, "o1", true) }, func(m *message.MixMessage) string { return string(m.MsgType) }, "shortvideo"},
				{"follow", func() wechatfake.Outcome { return s.Follow(ctx, "o2", "r_1") }, func(m *message.MixMessage) string { return string(m.Event) + " " + m.EventKey }, "subscribe qrscene_r_1"},
				{"scan", func() wechatfake.Outcome { return s.Scan(ctx, "o2", "r_1") }, func(m *message.MixMessage) string { return string(m.Event) + " " + m.EventKey }, "SCAN r_1"},
				{"click", func() wechatfake.Outcome { return s.Click(ctx, "o1", "余额") }, func(m *message.MixMessage) string { return string(m.Event) + " " + m.EventKey }, "CLICK 余额"},
				{"view", func() wechatfake.Outcome { return s.View(ctx, "o1", "https://x") }, func(m *message.MixMessage) string { return string(m.Event) + " " + m.EventKey }, "VIEW https://x"},
				{"popup", func() wechatfake.Outcome { return s.Subscribe(ctx, "o1", "tpl", true) }, func(m *message.MixMessage) string { return string(m.Event) }, "subscribe_msg_popup_event"},
				{"unfollow", func() wechatfake.Outcome { return s.Unfollow(ctx, "o2") }, func(m *message.MixMessage) string { return string(m.Event) }, "unsubscribe"},
			}
			for _, tt := range tests {
				o := tt.do()
				if o.Verdict != wechatfake.Shown || o.Answered() != 1 {
					t.Errorf("%s: %+v", tt.name, o)
				}
				if got := tt.want(d.last()); got != tt.is {
					t.Errorf("%s: heard %q, want %q", tt.name, got, tt.is)
				}
			}
			if o := s.Say(ctx, "o1", "silence"); o.Verdict != wechatfake.Silent {
				t.Errorf("silence: %+v", o)
			}
			if n := len(s.Seen("o2")); n != 2 { // who has gone sees nothing
				t.Errorf("o2 has seen %v", s.Lines("o2"))
			}
		})
	}
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	for _, alike := range []bool{false, true} {
		var queries []string
		s := wechatfake.New(wechatfake.Config{Alike: alike})
		s.Connect("http://d/", wechatfake.Local(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			queries = append(queries, r.URL.RawQuery)
			w.WriteHeader(http.StatusServiceUnavailable)
		})))
		s.Say(t.Context(), "o1", "x")
		slices.Sort(queries)
		if n := len(slices.Compact(queries)); n != map[bool]int{true: 1, false: 3}[alike] {
			t.Errorf("alike %t: a message is delivered as %d requests", alike, n)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Int32
		slow.Store(2)
		s, d := play(wechatfake.Safe, func(m *message.MixMessage) *message.Reply {
			if slow.Add(-1) >= 0 {
				time.Sleep(6 * time.Second)
			}
			return echo(m)
		})
		began := time.Now()
		o := s.Say(t.Context(), "o1", "x")
		if o.Answered() != 3 || o.Verdict != wechatfake.Shown || time.Since(began) != 10*time.Second {
			t.Errorf("%+v after %v", o, time.Since(began))
		}
		d.mu.Lock()
		heard := slices.Clone(d.heard)
		d.mu.Unlock()
		if heard[0].MsgID == 0 || heard[0].MsgID != heard[2].MsgID || heard[0].CreateTime != heard[2].CreateTime {
			t.Errorf("the messages differ: %d, %d", heard[0].MsgID, heard[2].MsgID)
		}
		slow.Store(9)
		if o := s.Say(t.Context(), "o1", "y"); o.Verdict != wechatfake.Faulted || len(o.Deliveries) != 3 || o.Seen.Text != wechatfake.Notice {
			t.Errorf("%+v", o)
		}
		time.Sleep(time.Minute) // the callback's own sleepers
	})
}

func TestJudgement(t *testing.T) {
	t.Parallel()
	const head = "<xml><ToUserName>o1</ToUserName><FromUserName>gh_5a1f0c2d3e4b</FromUserName><CreateTime>1</CreateTime>"
	item := "<item><Title>t</Title><Url>https://x</Url></item>"
	tests := []struct {
		name, body string
		want       wechatfake.Verdict
		why        string
	}{
		{"nothing", "", wechatfake.Silent, ""},
		{"success", "success", wechatfake.Silent, ""},
		{"text", head + "<MsgType>text</MsgType><Content>x</Content></xml>", wechatfake.Shown, ""},
		{"news", head + "<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles>" + item + "</Articles></xml>", wechatfake.Shown, ""},
		{"two articles", head + "<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles>" + item + item + "</Articles></xml>", wechatfake.Faulted, "2 articles"},
		{"miscounted", head + "<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles>" + item + "</Articles></xml>", wechatfake.Faulted, "ArticleCount"},
		{"empty text", head + "<MsgType>text</MsgType><Content> </Content></xml>", wechatfake.Faulted, "an empty Content"},
		{"long text", head + "<MsgType>text</MsgType><Content>" + strings.Repeat("长", 683) + "</Content></xml>", wechatfake.Faulted, "2049 bytes"},
		{"not swapped", strings.ReplaceAll(head, "o1", "o2") + "<MsgType>text</MsgType><Content>x</Content></xml>", wechatfake.Faulted, `to "o2"`},
		{"JSON", `{"ok":true}`, wechatfake.Faulted, "outside"},
		{"declared", "<!DOCTYPE xml>" + head + "<MsgType>text</MsgType><Content>x</Content></xml>", wechatfake.Faulted, "declaration"},
		{"unknown picture", head + "<MsgType>image</MsgType><Image><MediaId>m</MediaId></Image></xml>", wechatfake.Faulted, "MediaId"},
		{"encrypted", "<xml><Encrypt>x</Encrypt></xml>", wechatfake.Faulted, "plain mode"},
		{"twice", head + "<MsgType>text</MsgType><Content>x</Content><Content>y</Content></xml>", wechatfake.Faulted, "twice"},
	}
	for _, tt := range tests {
		s := wechatfake.New(wechatfake.Config{Mode: wechatfake.Plain})
		s.Connect("http://d/", wechatfake.Local(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(tt.body)) })))
		o := s.Say(t.Context(), "o1", "x")
		if o.Verdict != tt.want || !strings.Contains(o.Why, tt.why) {
			t.Errorf("%s: %s, %q", tt.name, o.Verdict, o.Why)
		}
		s.SetMode(wechatfake.Safe)
		if o = s.Say(t.Context(), "o1", "x"); tt.want == wechatfake.Shown && o.Verdict != wechatfake.Faulted {
			t.Errorf("%s: plain in safe mode: %s", tt.name, o.Verdict)
		}
	}
}

// TestAnswersForOthers encrypts an answer for another app, and with another token.
func TestAnswersForOthers(t *testing.T) {
	t.Parallel()
	s := wechatfake.New(wechatfake.Config{})
	inner := "<xml><ToUserName>o1</ToUserName><FromUserName>" + s.Account() + "</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>x</Content></xml>"
	answer := func(app, token string) string {
		sealed, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(inner), app, s.AESKey())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("<xml><Encrypt>%s</Encrypt><MsgSignature>%s</MsgSignature><TimeStamp>1</TimeStamp><Nonce>n</Nonce></xml>",
			sealed, util.Signature(token, "1", "n", string(sealed)))
	}
	for _, tt := range []struct{ body, why string }{
		{answer(s.AppID(), s.Token()), ""},
		{answer("wx0000000000000000", s.Token()), "encrypted for"},
		{answer(s.AppID(), "another"), "MsgSignature"},
	} {
		s.Connect("http://d/", wechatfake.Local(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(tt.body)) })))
		if o := s.Say(t.Context(), "o1", "x"); (o.Verdict == wechatfake.Shown) != (tt.why == "") || !strings.Contains(o.Why, tt.why) {
			t.Errorf("want %q: %+v", tt.why, o)
		}
	}
}

func TestForgeriesDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := wechatfake.New(wechatfake.Config{})
		var seen, queries []string
		s.Connect("http://d/", wechatfake.Local(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			queries = append(queries, fmt.Sprint(r.URL.Query()))
			seen = append(seen, fmt.Sprint(r.URL.Query(), r.ContentLength))
		})))
		for _, f := range wechatfake.Forgeries() {
			before := len(seen)
			if d := s.Forge(t.Context(), "o1", "x", f); d.Status != http.StatusOK {
				t.Errorf("%s: %+v", f, d)
			}
			last := len(seen) - 1
			if again := slices.Contains(seen[before:last], seen[last]); again != (f == wechatfake.Replayed || f == wechatfake.Alike) {
				t.Errorf("%s: sent %q", f, seen[before:])
			}
			if again := slices.Contains(queries[before:last], queries[last]); again != (f.Again() && f != wechatfake.Twice) {
				t.Errorf("%s: asked %q", f, queries[before:])
			}
		}
	})
}
