package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/order/feedtest"
	"fanli/jobs"
)

// A network is down for a month, or we are. Meanwhile rows come and change; when
// we read again they go on changing between the pages, and some become visible
// late. Following alone finds every one.
func TestCatchingUpAfterAMonthMissesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t, mending())
			w.feed.size = 12
			s := w.follower()
			w.catchUp(s)
			live := func(n int, span time.Duration) { // what happens within a time
				from := w.now()
				w.advance(span)
				for range n {
					at := from.Add(time.Duration(rng.Int64N(int64(span)))).Truncate(time.Second)
					w.feed.put(fmt.Sprintf("%04d", rng.IntN(300)), at, time.Duration(rng.IntN(600))*time.Second)
				}
			}
			live(450, 30*day)
			w.feed.failing(func(n int) error {
				if n%5 == 0 {
					live(2, 3*time.Second)
				}
				if n%37 == 0 { // and the line is not good
					return down(n)
				}
				return nil
			})
			runs, fails := 0, 0
			for busy := true; busy; runs++ {
				r, err := s.Run(t.Context(), lease(1))
				if busy = err != nil || r.Done > 0; err != nil {
					fails++
					w.advance(time.Second)
				}
			}
			w.feed.failing(nil)
			t.Logf("%d rows, %d runs, %d of them failed", len(w.feed.all()), runs, fails)
			if fails < 5 || runs-fails > 30*24/48+5 {
				t.Errorf("%d runs, of which %d failed", runs, fails)
			}
			for range 4 { // what is not visible yet becomes so
				w.advance(5 * time.Minute)
				w.catchUp(s)
			}
			w.wantAll()
		})
	}
}

func TestAMonthIsCaughtUpIn15Runs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	s := w.follower()
	w.catchUp(s)
	w.advance(30 * day)
	w.feed.asked()
	if runs := w.catchUp(s); runs != 16 { // 48 hours each, and one that finds nothing
		t.Errorf("30 days took %d runs", runs)
	}
	if n := len(w.feed.asked()); n > 30*24+5 {
		t.Errorf("30 days took %d questions", n)
	}
}

// However often it is killed, and wherever, a follower misses nothing and stores
// every change once.
func TestAFollowerThatIsKilledAnywhereMissesNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	w := newWorld(t, mending())
	w.feed.size, w.feed.full = 7, 60
	var watermark time.Time
	for range 60 {
		for range rng.IntN(8) {
			w.feed.put(fmt.Sprintf("%03d", rng.IntN(200)), w.now().Add(-time.Duration(rng.IntN(60))*time.Second), time.Duration(rng.IntN(9))*time.Minute)
		}
		w.feed.failing(failAt(1 + rng.IntN(12)))
		s := w.follower() // a fresh process every time
		if _, err := s.Run(t.Context(), lease(1)); err != nil && !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		p := w.progress(s)
		if p.Done.Before(watermark) {
			t.Errorf("the watermark goes back from %s to %s", watermark, p.Done)
		}
		watermark = p.Done
		w.advance(time.Duration(1+rng.IntN(400)) * time.Second)
	}
	w.feed.failing(nil)
	w.advance(15 * time.Minute)
	w.catchUp(w.follower())
	w.wantAll()
	for _, r := range w.feed.all() {
		l, _ := w.line(r.id)
		h, err := w.db.Orders().History(t.Context(), l.Key)
		must(t, err)
		if int64(len(h)) != l.Rev {
			t.Errorf("line %s has rev %d and %d raw rows", r.id, l.Rev, len(h))
		}
	}
}

// TestFollowingAMarket follows a network's whole book through the in-memory feed
// that other packages are tested with.
func TestFollowingAMarket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mending())
	m := market.New(w.now, 1000, 1)
	m.Stock(market.Goods{ID: "1", Title: "水壶", Price: 8900, Rate: 1000})
	f := feedtest.NewMemory("jd", "main", m)
	s := &jobs.Sync{Feed: f, Scene: f.Scenes()[0], Book: w.book, Now: w.now}
	var ids []string
	for i := range 300 {
		l, err := m.Buy(market.Click{Item: "1"}, 1, func(n int64) (string, string) { return fmt.Sprint(n), fmt.Sprint("line", n) })
		must(t, err)
		must(t, m.Pay(l.ID))
		ids = append(ids, l.ID)
		if i%3 == 0 {
			must(t, m.Refund(ids[i/2], 100))
		}
		w.advance(7 * time.Minute)
		if i%50 == 0 {
			f.Fail(feedtest.Down)
			if _, err := s.Run(t.Context(), lease(1)); err == nil {
				t.Fatal("it does not fail")
			}
			f.Fail("")
		}
		if i%20 == 0 {
			f.Break()
			w.catchUp(s)
		}
	}
	w.catchUp(s)
	for _, id := range ids {
		truth, _ := m.Line(id)
		var got map[order.Key]order.Line
		k := order.Key{Network: "jd", Account: "main", ID: id}
		must(t, w.db.Orders().InTx(t.Context(), func(tx order.Tx) (err error) {
			got, err = tx.Lines([]order.Key{k})
			return err
		}))
		if l := got[k]; l.Commission != truth.Commission || l.Refunded != truth.Refunded || l.Price != truth.Price {
			t.Errorf("line %s: %+v, the market says %s of %s, %s back", id, l.Facts, truth.Commission, truth.Price, truth.Refunded)
		}
	}
	if c := w.counts(); c.Lines != 300 || c.Quarantined != 1 {
		t.Errorf("%+v", c)
	}
}
