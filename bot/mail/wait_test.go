package mail_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/fault"
	"fanli/core/logtest"
	"fanli/core/post"
)

// noting shows with each message what the one has as its note whose place it could take.
type noting struct{ *platform }

func (c noting) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	note, err := progress.NoteOf(ctx, "wait/"+p.Chat)
	if err != nil {
		return err
	}
	if note != "" {
		p.Reply.Text += "(" + strings.ReplaceAll(note, " ", "") + ")"
	}
	return c.platform.Carry(ctx, p, progress)
}

// TestWhoWaitsIsToldOnce, and the answer comes after it, whichever process gives it.
func TestWhoWaitsIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept, chats := &mailtest.Store{}, newPlatform()
		serve := func(holder string, takes time.Duration) (*mail.Engine, context.CancelFunc) {
			e := &mail.Engine{Store: kept, Holder: holder, Now: time.Now, Log: logtest.New(nil)}
			e.Register(noting{chats})
			ctx, cancel := context.WithCancel(t.Context())
			say := func(l mail.Letter, key, text string) mail.Parcel {
				return mail.Parcel{Key: key, Channel: "c", Chat: l.Chat, Reply: bot.Reply{Text: text}}
			}
			go func() {
				_ = e.Serve(ctx, "c", mail.Service{
					Answer: func(_ context.Context, l mail.Letter) ([]mail.Parcel, error) {
						time.Sleep(takes) // deaf to the end of its time
						return []mail.Parcel{say(l, "re/"+l.ID, "re:"+l.ID)}, nil
					},
					Wait: func(l mail.Letter) (mail.Parcel, bool) { return say(l, "wait/"+l.Chat, "wait"), l.Chat != "never" },
				})
			}()
			return e, cancel
		}
		want := func(chat, seen string) {
			t.Helper()
			if got := chats.seen(chat); got != seen {
				t.Errorf("%s after %v: they see %q, want %q", chat, time.Since(epoch), got, seen)
			}
		}
		first, kill := serve("first", time.Minute)
		for _, chat := range []string{"slow", "never"} {
			if _, err := first.Receive(t.Context(), mail.Letter{Channel: "c", Chat: chat, ID: chat}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(mail.WaitAfter - time.Millisecond)
		want("slow", "")
		time.Sleep(time.Second)
		want("slow", "wait")
		kill()
		second, stop := serve("second", 5*time.Second)
		time.Sleep(25 * time.Second)
		want("slow", "wait re:slow(note0)")
		want("never", "re:never")
		stop()
		third, stop := serve("third", mail.WaitAfter/2)
		if r, err := third.Receive(t.Context(), mail.Letter{Channel: "c", Chat: "quick", ID: "quick"}); r != mail.Fresh || err != nil {
			t.Errorf("%s, %v", r, err)
		}
		time.Sleep(2 * time.Minute) // the first one's answer has come, too
		want("slow", "wait re:slow(note0)")
		want("quick", "re:quick")
		if r, err := second.Receive(t.Context(), mail.Letter{Channel: "c", Chat: "slow", ID: "slow"}); r != mail.Known {
			t.Errorf("%s, %v, %s", r, err, fault.CodeOf(err))
		}
		stop()
		time.Sleep(time.Minute)
	})
}

// TestWhoseLetterIsGivenUpIsTold once, where its channel has words for it.
func TestWhoseLetterIsGivenUpIsTold(t *testing.T) {
	t.Parallel()
	for tries, failure := range map[int]error{1: fault.New(fault.Invalid, "c.odd"), 12: fault.New(fault.Unavailable, "c.down")} {
		w := open(t)
		w.fails = failure
		w.receive("a", "a1")
		s := w.service()
		s.Sorry = func(l mail.Letter) (mail.Parcel, bool) {
			return mail.Parcel{Key: "sorry/" + l.ID, Channel: "c", Chat: l.Chat, Reply: bot.Reply{Text: "sorry:" + l.ID}}, true
		}
		for range 20 {
			for _, side := range []post.Side{post.In, post.Out} {
				_, err := w.Step(t.Context(), side, "c", s)
				must(t, err)
			}
			w.at = w.at.Add(time.Hour)
		}
		if len(w.asked) != tries {
			t.Errorf("%v: it is tried %d times, want %d", failure, len(w.asked), tries)
		}
		w.want("a", "sorry:a1")
	}
}

// epoch is when the clocks of bubbles begin.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
