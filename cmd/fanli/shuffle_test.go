package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// A spoiler is a feed that sends every row twice, in any order, and old rows of
// earlier pages in between.
type spoiler struct {
	order.Feed
	mu  sync.Mutex
	rng *rand.Rand
	old []order.Revision
	all *[]order.Revision
}

func (s *spoiler) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	p, err := s.Feed.Pull(ctx, w, cursor)
	if err != nil {
		return p, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all != nil {
		*s.all = append(*s.all, p.Revisions...)
	}
	if s.rng == nil {
		return p, nil
	}
	fresh := slices.Clone(p.Revisions)
	p.Revisions = append(p.Revisions, fresh...)
	for range min(len(s.old), 20) {
		p.Revisions = append(p.Revisions, s.old[s.rng.IntN(len(s.old))])
	}
	s.rng.Shuffle(len(p.Revisions), func(i, j int) { p.Revisions[i], p.Revisions[j] = p.Revisions[j], p.Revisions[i] })
	s.old = append(s.old, fresh...)
	return p, nil
}

// A month of a shop: links, orders and everything that can become of them, drawn
// from a seed. The same seed gives the same outside history.
type month struct {
	w   *little
	rng *rand.Rand
	ids []string // "jd jd-3": network and line
	n   int
}

func newMonth(t *testing.T, seed uint64) *month {
	return &month{w: newLittle(t), rng: rand.New(rand.NewPCG(seed, 7))}
}

// happen lets one thing happen outside; what cannot happen now does not.
func (m *month) happen() {
	m.n++
	if m.rng.IntN(3) == 0 || len(m.ids) == 0 {
		network := []string{link.JD, link.PDD}[m.rng.IntN(2)]
		who := fmt.Sprint("user", m.rng.IntN(6))
		r := m.w.say(who, fmt.Sprint("m", m.n), itemLink(network, m.rng.IntN(4)))
		if l, err := m.w.follow(network, r, 1+m.rng.IntN(3)); err == nil {
			m.ids = append(m.ids, network+" "+l.ID)
		}
		return
	}
	var network, id string
	_, _ = fmt.Sscan(m.ids[m.rng.IntN(len(m.ids))], &network, &id)
	mk := m.w.markets[network]
	l, _ := mk.Line(id)
	switch m.rng.IntN(8) {
	case 0, 1, 2:
		_ = mk.Receive(id)
	case 3, 4:
		_ = mk.Settle(id)
	case 5:
		_ = mk.Refund(id, 1+money.Fen(m.rng.Int64N(int64(max(l.Price-l.Refunded, 1)))))
	case 6:
		_ = mk.Reprice(id, money.Bps(500+m.rng.IntN(2000)))
	case 7:
		if m.rng.IntN(4) == 0 {
			_ = mk.Violate(id)
		}
	}
}

// pass lets the month pass: something happens every now and then, orders are
// followed every few hours, and people withdraw what they have.
func (m *month) pass(t *testing.T, events int) {
	t.Helper()
	for range events {
		m.happen()
		m.w.advance(time.Duration(1+m.rng.IntN(200)) * time.Minute)
		if m.rng.IntN(4) == 0 {
			m.w.mustSettle()
		}
		if m.rng.IntN(15) == 0 {
			m.withdraw(t)
		}
	}
	for range 3 {
		m.w.advance(time.Hour)
		m.w.mustSettle()
	}
}

func (m *month) withdraw(t *testing.T) {
	t.Helper()
	m.w.mustSettle()
	who := fmt.Sprint("user", m.rng.IntN(6))
	m.w.say(who, fmt.Sprint("p", m.n), "收款 1380000000"+who[4:]+" 张三")
	r := m.w.say(who, fmt.Sprint("w", m.n), "提现")
	if c := confirmation(r); c != "" {
		m.w.say(who, fmt.Sprint("c", m.n), c)
	}
	m.w.mustSettle()
}

// spoil puts a spoiler before every feed.
func (m *month) spoil(rng *rand.Rand, all *[]order.Revision) {
	m.w.feeds = func(f order.Feed) order.Feed { return &spoiler{Feed: f, rng: rng, all: all} }
}

// nets sums the ledger by cause and account: what became of each order line and
// each withdrawal, however many entries it took.
func nets(t *testing.T, a *app) map[string]money.Fen {
	t.Helper()
	out := map[string]money.Fen{}
	err := a.db.Ledger().Walk(context.Background(), func(e ledger.Entry) error {
		out[e.Cause+" "+string(e.From)] -= e.Amount
		out[e.Cause+" "+string(e.To)] += e.Amount
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func seeds(t *testing.T, one bool, few, soak int) []uint64 {
	t.Helper()
	n := few
	switch {
	case os.Getenv("FANLI_SOAK") != "":
		n = soak
	case testing.Short(), one:
		n = 1
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = uint64(i + 1)
	}
	return out
}

// TestAMonthDoubledAndShuffled follows the same month twice: once as it comes,
// and once with every row twice, in any order, with old rows in between. The
// ledgers are the same, entry by entry.
func TestAMonthDoubledAndShuffled(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(t, underRace, 4, 200) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			var ledgers [2][]string
			for i := range ledgers {
				m := newMonth(t, seed)
				if i == 1 {
					m.spoil(rand.New(rand.NewPCG(seed, 8)), nil)
				}
				m.w.mustOpen()
				m.pass(t, 150)
				m.w.wantSound()
				ledgers[i] = m.w.entries()
				slices.Sort(ledgers[i])
			}
			if len(ledgers[0]) < 50 {
				t.Fatalf("the month has only %d entries", len(ledgers[0]))
			}
			if !slices.Equal(ledgers[0], ledgers[1]) {
				t.Errorf("seed %d: doubled and shuffled, the ledger differs:\n%s", seed, diff(ledgers[0], ledgers[1]))
			}
		})
	}
}

// TestAllRevisionsInAnyOrder takes every revision that a month had and lets a
// fresh system learn them in any order, each twice, in pages of any size. Every
// line ends with the same money in the same place.
func TestAllRevisionsInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(t, underRace, 3, 100) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			t.Parallel()
			var all []order.Revision
			m := newMonth(t, seed)
			m.spoil(nil, &all)
			m.w.mustOpen()
			for range 150 { // nobody withdraws: what is paid out depends on when
				m.happen()
				m.w.advance(time.Duration(1+m.rng.IntN(200)) * time.Minute)
				m.w.mustSettle()
			}
			want := nets(t, m.w.app)
			rng := rand.New(rand.NewPCG(seed, 9))
			again := m.w.twin()
			shuffled := append(slices.Clone(all), all...)
			rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			for len(shuffled) > 0 {
				n := min(1+rng.IntN(40), len(shuffled))
				if _, err := again.app.orders.Apply(t.Context(), order.Page{Revisions: shuffled[:n]}, nil); err != nil {
					t.Fatal(err)
				}
				shuffled = shuffled[n:]
				if rng.IntN(3) == 0 {
					again.mustSettle()
				}
			}
			again.mustSettle()
			again.wantSound()
			got := nets(t, again.app)
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s: %s in order, %s shuffled", k, v, got[k])
				}
			}
			if len(want) < 30 {
				t.Fatalf("the month has only %d sums", len(want))
			}
		})
	}
}
