package mail_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/bot/mail"
	"fanli/bot/mail/mailtest"
	"fanli/core/post"
)

// TestNoCrashLosesOrRepeats lets the process die at each point, from the first letter to
// the last parcel: before and after each transaction, before and after each message of
// the platform. The next one takes over. On a platform that takes keys, people see
// everything once and in order; on one that does not, everything, and twice only what
// was under way, of which the carrier is told.
func TestNoCrashLosesOrRepeats(t *testing.T) {
	t.Parallel()
	for _, keyed := range []bool{true, false} {
		t.Run(fmt.Sprint("InMemory/Keyed=", keyed), func(t *testing.T) {
			t.Parallel()
			dieEverywhere(t, 1, func() *world { return open(t) }, func(w *world, hook func(string) error) { w.store.(*mailtest.Store).Hook = hook }, keyed)
		})
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		var hook func(string) error
		db, err := store.Open(t.Context(), store.Config{Path: store.Memory, SealKey: make([]byte, 32), Hook: func(point string) error {
			if hook != nil && !strings.HasSuffix(point, ".begin") { // nothing has happened since the last point
				return hook(point)
			}
			return nil
		}})
		must(t, err)
		t.Cleanup(func() { must(t, db.Close()) })
		_, err = db.Migrate(t.Context())
		must(t, err)
		dieEverywhere(t, 4, func() *world { // the one in memory dies at all
			w := &world{t: t, store: db.PostOffice(), chats: newPlatform(), at: start}
			w.restart("first")
			return w
		}, func(_ *world, h func(string) error) { hook = h }, false)
	})
}

// dieEverywhere plays the story with a death at each of its points, or at every so many.
func dieEverywhere(t *testing.T, every int, begin func() *world, hook func(w *world, die func(string) error), keyed bool) {
	t.Helper()
	for n := 1; ; n += every {
		s := &crash{world: begin(), at: n, tag: fmt.Sprint("-", n)}
		if s.chats.parts = 2; keyed {
			s.chats.keys = map[string]bool{}
		}
		hook(s.world, s.die)
		s.chats.died = s.die
		s.play()
		hook(s.world, nil)
		s.chats.died = nil
		s.takeOver()
		s.judge(keyed)
		if s.points < n { // it has lived to the end
			if n <= 60 {
				t.Errorf("the story has only %d points", n-1)
			}
			return
		}
	}
}

// A crash is a story whose process dies at a point.
type crash struct {
	*world
	at, points int
	dead       bool
	tag        string // tells its chats and letters from those of other stories
	confirmed  map[string]bool
}

func (s *crash) die(string) error {
	if s.points++; s.points >= s.at {
		s.dead = true
	}
	if s.dead {
		return errStopped
	}
	return nil
}

func (s *crash) letter(id string) mail.Letter {
	return mail.Letter{Channel: "c", Chat: id[:1] + s.tag, ID: id + s.tag, Payload: []byte("{}")}
}

// play receives three letters and sees to them as long as the process lives.
func (s *crash) play() {
	s.confirmed = map[string]bool{}
	for _, id := range []string{"a1", "b1", "a2"} {
		if _, err := s.Receive(s.t.Context(), s.letter(id)); err == nil {
			s.confirmed[id] = true
		}
	}
	for range 8 {
		for _, side := range []post.Side{post.In, post.Out} {
			_, _ = s.Step(context.WithoutCancel(s.t.Context()), side, "c", s.service()) // a dead process fails
		}
	}
}

// takeOver lets the next process do what is left, and the platform repeat what was not
// confirmed.
func (s *crash) takeOver() {
	s.restart("second" + s.tag)
	s.world.at = s.world.at.Add(16 * time.Second)
	for _, id := range []string{"a1", "b1", "a2"} {
		if s.confirmed[id] {
			continue
		}
		if _, err := s.Receive(s.t.Context(), s.letter(id)); err != nil {
			s.t.Error(err)
		}
	}
	for range 3 { // what the dead one had stored as a failure waits
		s.settle()
		s.world.at = s.world.at.Add(time.Minute)
	}
}

// judge looks at what people have seen.
func (s *crash) judge(keyed bool) {
	s.t.Helper()
	total := 0
	for chat, want := range map[string]string{"a": "re:a1/0 re:a1/1 re:a2/0 re:a2/1", "b": "re:b1/0 re:b1/1"} {
		shown := s.chats.shown[chat+s.tag]
		total += len(shown)
		got := strings.ReplaceAll(strings.Join(shown, " "), s.tag, "")
		if !keyed {
			got = strings.ReplaceAll(once(shown), s.tag, "")
		}
		if got != want {
			s.t.Errorf("after a death at point %d people see %v", s.at, shown)
		}
	}
	if total > 6+s.chats.again {
		s.t.Errorf("after a death at point %d people see %d messages; the carrier was warned %d times", s.at, total, s.chats.again)
	}
}

// once leaves out what comes twice in a row.
func once(texts []string) string {
	var out []string
	for _, s := range texts {
		if len(out) == 0 || out[len(out)-1] != s {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}
