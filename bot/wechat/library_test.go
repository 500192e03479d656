package wechat_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/wechat/wechatfake"
)

// The defects of silenceper/wechat/v2 2.1.12 as far as callbacks are concerned. Those of
// calls are in platform, and docs/wechat.md has a table of all.

// modes are all ways in which callbacks travel.
var modes = []wechatfake.Mode{wechatfake.Safe, wechatfake.Compatible, wechatfake.Plain}

// eachMode runs a test in each mode, on a world whose bot answers.
func eachMode(t *testing.T, answer bot.Handler, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			w := open(t, wechatfake.Config{Mode: mode}, nil)
			w.run(t, answer)
			test(t, w)
		})
	}
}

// between has something done to each delivery on its way to the channel.
func (w *world) between(do func(next http.Handler, rw http.ResponseWriter, r *http.Request)) {
	w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		do(w.channel, rw, r)
	})))
}

// TestNothingToSay: the library encrypts an empty text where nothing is to be said, which
// is not what the platform documents. We answer "success", never encrypted.
func TestNothingToSay(t *testing.T) {
	t.Parallel()
	eachMode(t, func(context.Context, bot.Message) bot.Reply { return bot.Reply{} }, func(t *testing.T, w *world) {
		for name, o := range map[string]wechatfake.Outcome{
			"a message": w.fake.Say(t.Context(), ann, "hello"), "an event": w.fake.View(t.Context(), ann, "https://fanli.example/"), "a farewell": w.fake.Unfollow(t.Context(), ann),
		} {
			if len(o.Deliveries) != 1 || o.Deliveries[0].Status != http.StatusOK || o.Deliveries[0].Body != "success" || o.Verdict != wechatfake.Silent {
				t.Errorf("%s is answered %+v, %s %s", name, o.Deliveries, o.Verdict, o.Why)
			}
		}
	})
}

// broken is a body that ends in a panic, as the library does with a handler that is none.
type broken struct{ io.ReadCloser }

func (broken) Read([]byte) (int, error) { panic("of a library") }

// deaf is a connection that has gone, on which the library panics.
type deaf struct{ http.ResponseWriter }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// TestPanics: a panic costs one delivery, which is answered 500 and counted, and comes
// again; a connection that has gone is no panic.
func TestPanics(t *testing.T) {
	t.Parallel()
	h := &heard{}
	eachMode(t, h.handle, func(t *testing.T, w *world) {
		first := true
		w.between(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
			if first {
				first, r.Body = false, broken{r.Body}
			}
			next.ServeHTTP(rw, r)
		})
		o := w.fake.Say(t.Context(), ann, "hello")
		if len(o.Deliveries) != 2 || o.Deliveries[0].Status != http.StatusInternalServerError || o.Deliveries[0].Body != "" || o.Seen.Text != "re hello" {
			t.Errorf("after a panic: %+v, ann reads %q", o.Deliveries, o.Seen.Text)
		}
		if n := w.counts.of("refused/panic"); n != 1 {
			t.Errorf("%d panics are counted", n)
		}
		w.between(func(next http.Handler, rw http.ResponseWriter, r *http.Request) { next.ServeHTTP(deaf{rw}, r) })
		w.fake.Say(t.Context(), ann, "again")
		if n := w.counts.of("refused/panic"); n != 1 {
			t.Error("a connection that has gone is a panic")
		}
	})
}

// TestTapsOfOthers: the library drops a whole message whose menu has an id that is no
// number, as other programs of the account give them. We hear it, as a click.
func TestTapsOfOthers(t *testing.T) {
	t.Parallel()
	h := &heard{}
	eachMode(t, h.handle, func(t *testing.T, w *world) {
		for _, id := range []string{"menu-7", "余额", "99999999999999999999", "-1"} {
			if o := w.fake.TapAny(t.Context(), ann, id, "余额"); len(o.Deliveries) != 1 || o.Seen.Text != "re 余额" {
				t.Errorf("a tap on %s: %+v, ann reads %q, %s", id, o.Deliveries, o.Seen.Text, o.Why)
			}
		}
	})
}

// TestAfter2038: the library reads the time of an encrypted callback as 32 bits, and refuses
// all of them from January 2038 on. We take them, and sign answers for then.
func TestAfter2038(t *testing.T) {
	t.Parallel()
	h := &heard{}
	for _, mode := range modes {
		w := open(t, wechatfake.Config{Mode: mode, Now: func() time.Time { return time.Date(2040, 2, 29, 12, 0, 0, 0, time.UTC) }}, nil)
		w.run(t, h.handle)
		if o := w.fake.Say(t.Context(), ann, "hello"); len(o.Deliveries) != 1 || o.Seen.Text != "re hello" {
			t.Errorf("%s: %+v, ann reads %q, %s", mode, o.Deliveries, o.Seen.Text, o.Why)
		}
	}
}

// TestEchoOfAMessage: the library gives back a signed echo on any method, so that whoever
// has seen one signature makes our address say anything. We give it back to GET only.
func TestEchoOfAMessage(t *testing.T) {
	t.Parallel()
	h := &heard{}
	eachMode(t, h.handle, func(t *testing.T, w *world) {
		before := h.count()
		w.between(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			q.Set("echostr", "1234567890")
			r.URL.RawQuery = q.Encode()
			next.ServeHTTP(rw, r)
		})
		d := w.fake.Forge(t.Context(), ann, "echo", wechatfake.Stale)
		if d.Status == http.StatusOK || d.Body != "" {
			t.Errorf("a stale echo is answered %d %q", d.Status, d.Body)
		}
		for _, d := range w.fake.Say(t.Context(), ann, "echo").Deliveries {
			if d.Status != http.StatusMethodNotAllowed || d.Body != "" {
				t.Errorf("a message with an echo is answered %d %q", d.Status, d.Body)
			}
		}
		if n := w.counts.of("refused/method"); n == 0 || h.count() != before {
			t.Errorf("%d are counted, and %d messages heard", n, h.count()-before)
		}
	})
}
