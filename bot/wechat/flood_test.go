package wechat_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/wechat"
	"fanli/bot/wechat/wechatfake"
)

// A database sees to one thing after the other, and takes half a millisecond for each.
type database struct {
	one   chan struct{}
	costs atomic.Int64
}

func (d *database) works() {
	d.one <- struct{}{}
	time.Sleep(time.Millisecond / 2)
	<-d.one
	d.costs.Add(1)
}

// slowBook is a Book in a database.
type slowBook struct {
	wechat.Book
	db *database
}

func (s slowBook) Follower(ctx context.Context, openid string) ([]byte, int64, error) {
	s.db.works()
	return s.Book.Follower(ctx, openid)
}

func (s slowBook) SetFollower(ctx context.Context, openid string, rev int64, state []byte) error {
	s.db.works()
	return s.Book.SetFollower(ctx, openid, rev, state)
}

func (s slowBook) Decide(ctx context.Context, message, way string, now time.Time) (string, error) {
	s.db.works()
	return s.Book.Decide(ctx, message, way, now)
}

func (s slowBook) TellWith(ctx context.Context, openid, message string, count int) ([]int64, [][]byte, int, error) {
	s.db.works()
	return s.Book.TellWith(ctx, openid, message, count)
}

// TestFloodOfOneCostsOthersNothing has one person send thousands of messages in a second
// while others go on as before: what the flood asks of the database, others have to wait
// for.
func TestFloodOfOneCostsOthersNothing(t *testing.T) {
	t.Parallel()
	size := 4000
	if underRace {
		size = 1000
	}
	synctest.Test(t, func(t *testing.T) {
		db := &database{one: make(chan struct{}, 1)}
		w := open(t, wechatfake.Config{}, func(o *wechat.Options) { o.Book = slowBook{o.Book, db} })
		var asked atomic.Int64
		w.run(t, func(_ context.Context, m bot.Message) bot.Reply {
			if m.From.External == ann {
				asked.Add(1)
			}
			time.Sleep(50 * time.Millisecond) // the bubble's
			return bot.Reply{Text: "re " + m.Text}
		})
		synctest.Wait()
		normal := slowest(t, w, "A")
		before := db.costs.Load()
		var flood sync.WaitGroup
		for i := range size {
			flood.Go(func() {
				time.Sleep(time.Duration(i) * time.Second / time.Duration(size))
				if o := w.fake.Say(t.Context(), ann, fmt.Sprint("x", i)); o.Verdict == wechatfake.Faulted || len(o.Deliveries) != 1 {
					t.Errorf("message %d is %s after %d deliveries", i, o.Verdict, len(o.Deliveries))
				}
			})
		}
		flooded := slowest(t, w, "B")
		flood.Wait()
		if flooded >= 2*normal {
			t.Errorf("the slowest of twenty others waited %v, and %v before the flood", flooded, normal)
		}
		if n := asked.Load(); n == 0 || n > 64 {
			t.Errorf("the bot was asked %d messages of the flood", n)
		}
		if n := db.costs.Load() - before; n > 500 {
			t.Errorf("the flood of %d messages and the twenty others are %d times at the database", size, n)
		}
		if n := w.counts.of("answered/full"); n < size-64 {
			t.Errorf("%d messages are counted as too many", n)
		}
		if n := strings.Count(strings.Join(w.fake.Lines(ann), "\n"), bot.TooMany("en").Text); n != 1 {
			t.Errorf("ann is told %d times that it is too much", n)
		}
		time.Sleep(2 * time.Second)
		if o := w.fake.Say(t.Context(), ann, "sorry"); o.Seen.Text != "re sorry" {
			t.Errorf("afterwards ann reads %q, %s", o.Seen.Text, o.Why)
		}
	})
}

// TestACopyOfWhatIsAnsweredIsNotTooMuch: what came in is answered whatever comes after it.
func TestACopyOfWhatIsAnsweredIsNotTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := open(t, wechatfake.Config{Profile: wechatfake.Personal}, nil)
		w.run(t, func(_ context.Context, m bot.Message) bot.Reply {
			time.Sleep(7 * time.Second)
			return bot.Reply{Text: "re " + m.Text}
		})
		synctest.Wait()
		var all sync.WaitGroup
		var o wechatfake.Outcome
		all.Go(func() { o = w.fake.Say(t.Context(), ann, "first") })
		for i := range 30 {
			all.Go(func() {
				time.Sleep(4900*time.Millisecond + time.Duration(i)) // just before the second delivery
				w.fake.Say(t.Context(), ann, "x")
			})
		}
		all.Wait()
		if o.Seen.Text != "re first" {
			t.Errorf("ann reads %q, %s", o.Seen.Text, o.Why)
		}
	})
}

// slowest lets twenty people write within a second and returns how long the slowest answer
// took.
func slowest(t *testing.T, w *world, tag string) time.Duration {
	t.Helper()
	var all sync.WaitGroup
	var most atomic.Int64
	for i := range 20 {
		all.Go(func() {
			time.Sleep(time.Duration(i) * 50 * time.Millisecond)
			began := time.Now()
			if o := w.fake.Say(t.Context(), fmt.Sprintf("oPerson%s%020d", tag, i), "hello"); o.Seen.Text != "re hello" {
				t.Errorf("somebody reads %q, %s", o.Seen.Text, o.Why)
			}
			took := int64(time.Since(began))
			for old := most.Load(); took > old && !most.CompareAndSwap(old, took); old = most.Load() {
			}
		})
	}
	all.Wait()
	return time.Duration(most.Load())
}
