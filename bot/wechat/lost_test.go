package wechat_test

import (
	"errors"
	"net/http"
	"strings"
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
