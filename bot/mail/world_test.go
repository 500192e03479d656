package mail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/logtest"
	"fanli/core/post"
	"fanli/core/user"
)

var start = time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A platform is a chat network of a test. It shows what it is sent, and fails for whom
// the test says.
type platform struct {
	mu    sync.Mutex
	shown map[string][]string // by chat
	keys  map[string]bool     // what it was sent under keys; nil for a platform that takes none
	fails map[string]error    // by chat
	again int                 // how often it was told that something may have been seen
	died  func(point string) error
	parts int // messages of each reply
}

func newPlatform() *platform {
	return &platform{shown: map[string][]string{}, fails: map[string]error{}, parts: 1}
}

func (*platform) Name() string { return "c" }

func (f *platform) Carry(ctx context.Context, p mail.Parcel, progress *mail.Progress) error {
	for i := range f.parts {
		err := progress.Do(ctx, i, func(_ context.Context, again bool) (string, error) {
			if f.died != nil {
				if err := f.died("send.begin"); err != nil {
					return "", err
				}
			}
			if err := f.show(p, i, again); err != nil {
				return "", err
			}
			if f.died != nil {
				return fmt.Sprint("note ", i), f.died("send.committed")
			}
			return fmt.Sprint("note ", i), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *platform) show(p mail.Parcel, part int, again bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fails[p.Chat]; err != nil {
		return err
	}
	if again {
		f.again++
	}
	if f.keys != nil && f.keys[p.PartKey(part)] {
		return nil
	}
	if f.keys != nil {
		f.keys[p.PartKey(part)] = true
	}
	text := p.Reply.Text
	if f.parts > 1 {
		text += fmt.Sprint("/", part)
	}
	f.shown[p.Chat] = append(f.shown[p.Chat], text)
	return nil
}

func (f *platform) fail(chat string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[chat] = err
}

func (f *platform) seen(chat string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.shown[chat], " ")
}

// A world is an engine with a clock that only the test moves.
type world struct {
	*mail.Engine
	t     *testing.T
	store interface {
		post.Store
		post.Desk
	}
	chats *platform
	at    time.Time
	asked []string
	fails error // of the handler
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: &mailtest.Store{}, chats: newPlatform(), at: start}
	w.restart("first")
	return w
}

// restart begins a new process on the same store.
func (w *world) restart(holder string) {
	w.Engine = &mail.Engine{Store: w.store, Holder: holder, Now: func() time.Time { return w.at }, Log: logtest.New(nil)}
	w.Register(w.chats)
}

// service answers each letter with "re:" and its id.
func (w *world) service() mail.Service {
	return mail.Service{
		Answer: func(_ context.Context, l mail.Letter) ([]mail.Parcel, error) {
			w.asked = append(w.asked, l.ID)
			return []mail.Parcel{{Key: "re/" + l.ID, Channel: "c", Chat: l.Chat, Reply: bot.Reply{Text: "re:" + l.ID}}}, w.fails
		},
		Warn: func(l mail.Letter) (mail.Parcel, bool) {
			return mail.Parcel{Key: "slow/" + l.ID, Channel: "c", Chat: l.Chat, Reply: bot.TooMany("en")}, true
		},
	}
}

func (w *world) receive(chat, id string) mail.Receipt {
	w.t.Helper()
	r, err := w.Receive(w.t.Context(), mail.Letter{Channel: "c", Chat: chat, ID: id, Payload: []byte("{}")})
	must(w.t, err)
	return r
}

func (w *world) post(chat, key string) {
	w.t.Helper()
	must(w.t, w.Post(w.t.Context(), mail.Parcel{Key: key, Channel: "c", Chat: chat, Reply: bot.Reply{Text: key}}))
}

// step does one thing of each chat of a side, and returns how many.
func (w *world) step(s post.Side) int {
	w.t.Helper()
	n, err := w.Step(w.t.Context(), s, "c", w.service())
	must(w.t, err)
	return n
}

// settle works until nothing is due.
func (w *world) settle() {
	w.t.Helper()
	for w.step(post.In)+w.step(post.Out) > 0 {
	}
}

func (w *world) want(chat, seen string) {
	w.t.Helper()
	if got := w.chats.seen(chat); got != seen {
		w.t.Errorf("in chat %s people see %q, want %q", chat, got, seen)
	}
}

// parcel is what an operator sees of the parcel with a key.
func (w *world) parcel(key string) post.Item {
	w.t.Helper()
	for seq := int64(1); ; seq++ {
		i, err := w.store.Item(w.t.Context(), post.Out, seq)
		if err == nil && i.Key == key {
			return i
		}
		if seq > 1000 {
			w.t.Fatalf("no parcel %s", key)
		}
	}
}

// next is how long the chats of the side wait from now on; -1 for ever.
func (w *world) next(s post.Side) time.Duration {
	w.t.Helper()
	at, err := w.store.Next(w.t.Context(), s, "c")
	must(w.t, err)
	if at.IsZero() {
		return -1
	}
	return at.Sub(w.at)
}

var errStopped = errors.New("the process has died")

var ann = user.Identity{Channel: "c", External: "ann"}
