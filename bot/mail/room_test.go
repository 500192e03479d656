package mail_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/notify"
	"fanli/core/post"
	"fanli/core/user"
)

// A quiet world is one in which ann has wishes.
type quietWorld struct {
	*world
	wish  bot.Wish  // of notices with a topic
	until time.Time // of quiet hours
	down  error
}

func openQuiet(t *testing.T) *quietWorld {
	t.Helper()
	w := &quietWorld{world: open(t)}
	w.begin("first")
	return w
}

func (w *quietWorld) begin(holder string) {
	w.restart(holder)
	w.Wanted = func(_ context.Context, n bot.Notice) (bot.Wish, error) {
		if n.Topic == "" {
			return bot.Wish{}, w.down
		}
		w.wish.Wait = max(w.until.Sub(w.at), 0)
		return w.wish, w.down
	}
}

// notice posts notices to ann, before anybody carries them.
func (w *quietWorld) notice(topic user.Topic, keys ...string) {
	w.t.Helper()
	for _, k := range keys {
		must(w.t, w.Notice(w.t.Context(), bot.Notice{Key: k, User: 7, Topic: topic, To: ann, Reply: bot.Reply{Text: k}}))
	}
}

// TestLateNoticesWaitForTheEndOfQuietHours beside their chat, in their order, over
// restarts; answers and what is urgent do not wait with them.
func TestLateNoticesWaitForTheEndOfQuietHours(t *testing.T) {
	t.Parallel()
	w := openQuiet(t)
	w.chats.fail("ann", fault.New(fault.Unavailable, "c.away"))
	w.notice(user.TopicOrders, "a1", "a2", "a3")
	w.settle()
	w.chats.fail("ann", nil)
	w.until = start.Add(8 * time.Hour)
	w.at = start.Add(time.Hour)
	w.receive("ann", "m1")
	w.notice("", "u1")
	w.settle()
	w.want("ann", "u1 re:m1")
	w.begin("second")
	for w.at.Before(w.until.Add(-roomLook)) {
		w.at = w.at.Add(roomLook)
		w.settle()
	}
	w.want("ann", "u1 re:m1")
	if i := w.parcel("notice/a1"); i.State != post.Waiting || i.Reason != "mail.held" || i.Tries != 1 || !i.Doubt {
		t.Errorf("%+v", i)
	}
	w.at, w.until = w.until, time.Time{}
	w.settle()
	w.want("ann", "u1 re:m1 a1 a2 a3")
}

const roomLook = 15 * time.Minute

// TestWhoEndsQuietHoursIsToldSoonOfLateNotices: they are not waited for to their end.
func TestWhoEndsQuietHoursIsToldSoonOfLateNotices(t *testing.T) {
	t.Parallel()
	w := openQuiet(t)
	w.until = start.Add(8 * time.Hour)
	w.notice(user.TopicOrders, "a1")
	w.settle()
	if next := w.next(post.Out); next != roomLook {
		t.Errorf("it waits for %s", next)
	}
	w.until = time.Time{}
	w.at = w.at.Add(roomLook)
	w.settle()
	w.want("ann", "a1")
}

// TestWhatWasTurnedOffIsNotCarried although it was posted before, and it is kept why.
func TestWhatWasTurnedOffIsNotCarried(t *testing.T) {
	t.Parallel()
	w := openQuiet(t)
	w.notice(user.TopicOrders, "a1")
	w.notice("", "u1")
	w.wish.Off = true
	w.settle()
	w.want("ann", "u1")
	if i := w.parcel("notice/a1"); i.State != post.Gone || i.Reason != notify.Off {
		t.Errorf("%+v", i)
	}
}

// TestWhatHasBegunToArriveIsCarriedToItsEnd: half a notice is worse than one at night.
func TestWhatHasBegunToArriveIsCarriedToItsEnd(t *testing.T) {
	t.Parallel()
	w := openQuiet(t)
	w.chats.parts = 2
	w.notice(user.TopicOrders, "a1")
	w.chats.died = func(point string) error {
		if point == "send.committed" {
			w.chats.fail("ann", fault.New(fault.Limited, "c.limit"))
		}
		return nil
	}
	w.settle()
	w.want("ann", "a1/0")
	w.chats.died = nil
	w.chats.fail("ann", nil)
	w.wish.Off = true
	w.at = w.at.Add(time.Minute)
	w.settle()
	w.want("ann", "a1/0 a1/1")
}

// TestWhileNobodyKnowsWhatSomebodyWants their notices wait beside their chat, and only those
// that they could have turned off.
func TestWhileNobodyKnowsWhatSomebodyWants(t *testing.T) {
	t.Parallel()
	w := openQuiet(t)
	w.down = errors.New("nobody knows")
	w.notice(user.TopicOrders, "a1")
	w.notice("", "u1")
	w.post("ann", "p1")
	w.settle()
	w.want("ann", "u1 p1")
	w.down = nil
	w.at = w.at.Add(30 * time.Second)
	w.settle()
	w.want("ann", "u1 p1 a1")
}
