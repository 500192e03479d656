package telegram_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
	"fanli/bot/telegram/telegramfake"
)

// TestFloodOfOneCostsOthersNothing has one person send ten thousand messages in a second
// while others go on as before. The database sees to one thing after the other, and takes
// half a millisecond for each: what the flood asks of it, others have to wait for.
func TestFloodOfOneCostsOthersNothing(t *testing.T) {
	size := 10_000
	if underRace {
		size = 1_000
	}
	for name, open := range map[string]func(*testing.T, telegramfake.Config) *world{"Polling": newWorldOf, "Webhook": newHooked} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) { floodStory(t, open(t, telegramfake.Config{}), size) })
		})
	}
}

func floodStory(t *testing.T, w *world, size int) {
	var asked, costs atomic.Int64
	database := make(chan struct{}, 1)
	work := func() {
		database <- struct{}{}
		time.Sleep(time.Millisecond / 2)
		<-database
		costs.Add(1)
	}
	w.marks.works = work
	w.store.Hook = func(point string) error {
		if strings.HasSuffix(point, ".begin") {
			work()
		}
		return nil
	}
	w.run(func(_ context.Context, m bot.Message) bot.Reply {
		if m.From.External == itoa(ann) {
			asked.Add(1)
		}
		time.Sleep(50 * time.Millisecond) // the bubble's
		return bot.Reply{Text: m.Text}
	})
	flood := func(int) { w.fake.Say(ann, "x") } // in the queue of polls
	if w.front != nil {
		if err := w.fake.WaitHook(w.ctx, hookURL); err != nil {
			t.Fatal(err)
		}
		flood = w.flooding()
	}
	normal := slowest(w.ctx, t, w.fake, 20_000)
	before := costs.Load()
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for i := range size {
			if flood(i); i%10 == 9 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	flooded := slowest(w.ctx, t, w.fake, 30_000)
	<-stop
	if flooded >= 2*normal {
		t.Errorf("the slowest of twenty others waited %v, and %v before the flood", flooded, normal)
	}
	if n := asked.Load(); n == 0 || n > 2*mail.BacklogMax {
		t.Errorf("%d messages of the flood were looked at so far", n)
	}
	if n := costs.Load() - before; n > 2000 { // a poll that brings some keeps how far it has read
		t.Errorf("the flood of %d messages is %d times at the database", size, n)
	}
	t.Logf("the slowest of twenty: %v, in the flood %v, which was %d times at the database; %v", normal, flooded, costs.Load()-before, w.count.all)
}

// flooding knocks at the webhook, all by ann.
func (w *world) flooding() func(i int) {
	secret := w.fake.Hook().Secret
	return func(i int) {
		body := fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1,"text":"x","from":{"id":%d,"first_name":"A"},"chat":{"id":%d,"type":"private"}}}`, 5000+i, 5000+i, ann, ann)
		if got := w.knock(secret, []byte(body)); got.Code != http.StatusOK {
			w.t.Errorf("message %d is answered %d", i, got.Code)
		}
	}
}

// slowest lets twenty people write within a second and returns how long the slowest answer
// took.
func slowest(ctx context.Context, t *testing.T, fake *telegramfake.Server, first int64) time.Duration {
	t.Helper()
	const people = 20
	took := make(chan time.Duration, people)
	for i := range int64(people) {
		go func() {
			time.Sleep(time.Duration(i) * 50 * time.Millisecond)
			began := time.Now()
			fake.Say(first+i, "hello")
			if _, err := fake.Wait(ctx, first+i, 1); err != nil {
				t.Errorf("somebody is not answered: %v", err)
			}
			took <- time.Since(began)
		}()
	}
	var all []time.Duration
	for range people {
		all = append(all, <-took)
	}
	return slices.Max(all)
}
