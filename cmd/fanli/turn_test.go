package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"fanli/bot"
	"fanli/configs"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/logtest"
	"fanli/core/market"
	"fanli/core/user"
)

// turnLimit is how long one turn of a chat may take of our own time, at the 99th
// percentile.
const turnLimit = 5 * time.Millisecond

// turns are pasted links that the whole app answers, with its database in a file
// and a network that takes no time.
type turns struct {
	app   *app
	count int
	took  []time.Duration
}

func newTurns(t testing.TB, dir string) *turns {
	t.Helper()
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	m := market.New(time.Now, littleFee, 1)
	for i := range 10 {
		m.Stock(market.Goods{
			ID: fmt.Sprintf("10001204397%d", i), Title: fmt.Sprint("商品 ", i), Shop: "小店", Price: 9900, Coupon: 1000, CouponFrom: 5000, Rate: 1000,
		})
	}
	a, err := newApp(t.Context(), cfg, surroundings{
		log: logtest.New(nil), now: time.Now, holder: "test", path: filepath.Join(dir, "fanli.db"),
		stands: &stands{networks: []link.Network{linktest.NewMemory(link.JD, m, time.Now)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	return &turns{app: a}
}

// next lets the next of fifty people paste the next of ten links.
func (s *turns) next(t testing.TB) {
	s.count++
	m := bot.Message{
		From: user.Identity{Channel: "bench", External: fmt.Sprint(s.count % 50)}, Chat: fmt.Sprint(s.count % 50), ID: fmt.Sprint(s.count),
		Text: "看看这个 " + itemLink(link.JD, s.count%10) + " 怎么样", Locale: "zh",
	}
	before, from := shareOf(os.Getpid()), time.Now()
	r := s.app.bot.Handle(context.Background(), m)
	took := time.Since(from)
	s.took = append(s.took, ownTime(took, before, shareOf(os.Getpid())))
	if shopLink(r) == "" {
		t.Fatalf("turn %d is answered with %q", s.count, bot.RenderText(r))
	}
}

// at returns a percentile of what the turns took.
func (s *turns) at(percent int) time.Duration {
	slices.Sort(s.took)
	return s.took[min(len(s.took)*percent/100, len(s.took)-1)]
}

// BenchmarkChatTurn reports the percentiles of one turn in microseconds.
func BenchmarkChatTurn(b *testing.B) {
	s := newTurns(b, b.TempDir())
	for range 100 { // the people join
		s.next(b)
	}
	s.took = nil
	for b.Loop() {
		s.next(b)
	}
	b.ReportMetric(float64(s.at(50).Microseconds()), "p50-µs")
	b.ReportMetric(float64(s.at(99).Microseconds()), "p99-µs")
}

// turnRounds is how often turns are measured at most: others on the machine make some
// of them slower, by emptying its caches, and none faster. What is too slow by itself is
// so every time.
const turnRounds = 5

// TestChatTurnIsFast holds a turn to its limit where nothing else is measured: not
// under the race detector, which makes SQLite ten times as slow, and not in the
// short run, which may share its machine.
func TestChatTurnIsFast(t *testing.T) {
	measured := !underRace && !testing.Short()
	n := 1000
	if !measured {
		n = 50
	}
	s := newTurns(t, memoryDir(t))
	for range 50 {
		s.next(t)
	}
	for round := 1; ; round++ {
		s.took = nil
		for range n {
			s.next(t)
		}
		p99 := s.at(99)
		t.Logf("%d turns: p50 %v, p99 %v, slowest %v", n, s.at(50), p99, s.at(100))
		switch {
		case !measured || p99 <= turnLimit:
			return
		case round == turnRounds:
			t.Fatalf("p99 is %v, more than %v", p99, turnLimit)
		}
	}
}
