package kf_test

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
	"fanli/bot/kf/kffake"
	"fanli/bot/mail"
)

// TestFloodOfOneCostsOthersNothing has one person send ten thousand messages in a second
// while others go on as before. The database sees to one thing after the other, and takes
// half a millisecond for each: what the flood asks of it, others have to wait for. WeCom
// tells of each message, and is asked for them no more often than it bears.
func TestFloodOfOneCostsOthersNothing(t *testing.T) {
	t.Parallel()
	size := 10_000
	if underRace {
		size = 1000
	}
	synctest.Test(t, func(t *testing.T) { floodStory(t, size) })
}

func floodStory(t *testing.T, size int) {
	t.Helper()
	var asked, costs atomic.Int64
	database := make(chan struct{}, 1)
	work := func() {
		database <- struct{}{}
		time.Sleep(time.Millisecond / 2)
		<-database
		costs.Add(1)
	}
	w := open(t, kffake.Config{}, nil)
	w.kept.works = work
	w.store.Hook = func(point string) error {
		if strings.HasSuffix(point, ".begin") {
			work()
		}
		return nil
	}
	w.run(t, func(_ context.Context, m bot.Message) bot.Reply {
		if m.From.External == ann {
			asked.Add(1)
		}
		time.Sleep(50 * time.Millisecond) // the bubble's
		return bot.Reply{Text: "re " + m.Text}
	})
	normal := slowest(t, w, 100)
	before, read := costs.Load(), len(w.fake.Calls("/cgi-bin/kf/sync_msg"))
	var flood sync.WaitGroup
	flood.Go(func() {
		for i := range size {
			if w.fake.Say(t.Context(), ann, fmt.Sprint("x", i)); i%10 == 9 {
				time.Sleep(10 * time.Second / time.Duration(size))
			}
		}
	})
	flooded := slowest(t, w, 200)
	flood.Wait()
	if flooded >= 2*normal {
		t.Errorf("the slowest of twenty others waited %v, and %v before the flood", flooded, normal)
	}
	if n := asked.Load(); n == 0 || n > 2*mail.BacklogMax {
		t.Errorf("the bot was asked %d messages of the flood", n)
	}
	if n := costs.Load() - before; n > 1000 {
		t.Errorf("the flood of %d messages and the twenty others are %d times at the database", size, n)
	}
	if n := len(w.fake.Calls("/cgi-bin/kf/sync_msg")) - read; n > 60 {
		t.Errorf("WeCom is asked for messages %d times", n)
	}
	t.Logf("the slowest of twenty: %v, in the flood %v, which was %d times at the database and %d at WeCom", normal, flooded, costs.Load()-before,
		len(w.fake.Calls("/cgi-bin/kf/sync_msg"))-read)
	until(t, "ann is told that it is too much", func() bool { return strings.Contains(strings.Join(w.fake.Lines(ann), "\n"), bot.TooMany("").Text) })
}

// slowest lets twenty people write within a second and returns how long the slowest answer
// took.
func slowest(t *testing.T, w *world, first int) time.Duration {
	t.Helper()
	var all sync.WaitGroup
	var most atomic.Int64
	for i := range 20 {
		who := kffake.Customer("Person", first+i)
		all.Go(func() {
			time.Sleep(time.Duration(i) * 50 * time.Millisecond)
			began := time.Now()
			w.fake.Say(t.Context(), who, "hello")
			until(t, "somebody is answered", func() bool { return len(w.fake.Lines(who)) > 0 })
			took := int64(time.Since(began))
			for old := most.Load(); took > old && !most.CompareAndSwap(old, took); old = most.Load() {
			}
		})
	}
	all.Wait()
	return time.Duration(most.Load())
}
