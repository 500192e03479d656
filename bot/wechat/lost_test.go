package wechat_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/wechat/wechatfake"
)

// breaks is a connection that is gone when the answer is written.
type breaks struct {
	http.ResponseWriter
	left *int // answers that are lost so
}

func (b breaks) Write(p []byte) (int, error) {
	if *b.left--; *b.left >= 0 {
		return 0, errors.New("the connection is gone")
	}
	return b.ResponseWriter.Write(p)
}

// TestNoticesOnAnswersThatAreLost: what somebody is told with an answer is told until one
// has arrived, and not again after one that did at once.
func TestNoticesOnAnswersThatAreLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		front func(w *world) http.Handler
		want  string // which answers have the notice: the lost one, and the two after it
	}{
		{"none", func(w *world) http.Handler { return w.channel }, "1.."},
		{"all, on their way", func(w *world) http.Handler { return &lossy{to: []http.Handler{w.channel}, loses: 3} }, ".1."},
		{"the first", func(w *world) http.Handler { return &lossy{to: []http.Handler{w.channel}, loses: 1} }, "11."},
		{"all, when they are written", func(w *world) http.Handler {
			left := 3
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				w.channel.ServeHTTP(breaks{rw, &left}, r)
				if left >= 0 {
					panic(http.ErrAbortHandler)
				}
			})
		}, ".1."},
		{"none, and the process dies after it", func(w *world) http.Handler {
			w.book.forgets = true
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				w.channel.ServeHTTP(rw, r)
				w.book.forgets = false
			})
		}, "11."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := open(t, wechatfake.Config{Profile: wechatfake.Personal}, nil)
				w.run(t, echo)
				synctest.Wait()
				w.fake.Say(t.Context(), ann, "hello")
				if err := w.channel.Send(t.Context(), identityOf(ann), bot.Reply{Text: "¥2.80 is yours"}); err != nil {
					t.Fatal(err)
				}
				w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(tt.front(w)))
				got := ""
				for _, text := range []string{"one", "two", "three"} {
					o := w.fake.Say(t.Context(), ann, text)
					mark := "."
					if strings.Contains(o.Seen.Text, "¥2.80 is yours") {
						mark = "1"
					}
					got += mark
					time.Sleep(time.Minute)
				}
				if got != tt.want {
					t.Errorf("the notice is in %s, want %s: %q", got, tt.want, w.fake.Lines(ann))
				}
			})
		})
	}
}

// TestAnswersThatAreLost: an answer that cannot be handed over in any delivery is sent as a
// customer message or, where none may be sent, told with the next one.
func TestAnswersThatAreLost(t *testing.T) {
	t.Parallel()
	const fault = wechatfake.Notice
	cut := func(w *world, from, until int64, breaking bool) http.Handler { // some deliveries, a second after they began
		var n atomic.Int64
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			i := n.Add(1)
			if i < from || i > until {
				w.channel.ServeHTTP(rw, r)
				return
			}
			ctx, end := context.WithCancel(r.Context())
			defer end()
			if breaking {
				left := 1
				rw = breaks{rw, &left}
			} else {
				defer time.AfterFunc(time.Second, end).Stop()
			}
			w.channel.ServeHTTP(rw, r.WithContext(ctx))
			panic(http.ErrAbortHandler)
		})
	}
	const later = "re two\n\n—— 1 new messages ——\n\nre one"
	for _, tt := range []struct {
		name    string
		profile wechatfake.Profile
		takes   time.Duration
		front   func(w *world) http.Handler
		want    []string
	}{
		{"when they are written", wechatfake.Service, 0, func(w *world) http.Handler { return cut(w, 1, 3, true) }, []string{fault, "re one", "re two"}},
		{"when they are written, of who may only answer", wechatfake.Personal, 0, func(w *world) http.Handler { return cut(w, 1, 3, true) }, []string{fault, later}},
		{"while it is looked for", wechatfake.Personal, 12 * time.Second, func(w *world) http.Handler { return cut(w, 3, 3, false) }, []string{fault, later}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := open(t, wechatfake.Config{Profile: tt.profile}, nil)
				w.run(t, func(ctx context.Context, m bot.Message) bot.Reply {
					if m.Text == "one" {
						time.Sleep(tt.takes)
					}
					return bot.Reply{Text: "re " + m.Text}
				})
				synctest.Wait()
				w.fake.Connect("http://fanli.example/wechat", wechatfake.Local(tt.front(w)))
				for _, text := range []string{"one", "two"} {
					w.fake.Say(t.Context(), ann, text)
					time.Sleep(time.Minute)
				}
				if got := w.fake.Lines(ann); !slices.Equal(got, tt.want) {
					t.Errorf("ann reads %q, want %q", got, tt.want)
				}
			})
		})
	}
}
