package feedtest

import (
	"maps"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// pagesMin is how many pages a window must have before rows move in it.
const pagesMin = 3

// rowsMax limits how many rows are made to fill them. A feed whose pages are
// larger than a third of it is tested with fewer pages; better is to make its
// pages smaller in the subject's configuration.
const rowsMax = 1600

// shiftRows is how many rows change between two answers, all at the old end of
// the window: a reader who counts pages forward loses as many per page.
const shiftRows = 7

// penny is what each change refunds.
const penny money.Fen = 1

// noRowIsMissed fills three pages of a scene and has rows change between the
// answers. A row that did not change is read; one that did is read there or in
// the next window of a scene that follows changes.
func noRowIsMissed(w *world, scene int) {
	sc := w.Feed.Scenes()[scene]
	there := w.fill(sc)
	if len(there) == 0 {
		w.t.Skipf("scene %s shows no line of this suite", sc.Name)
	}
	w.tick()
	to := w.now()
	s := &shifter{w: w}
	if w.PageShift != nil {
		w.PageShift(s.shift)
	}
	got := map[string]bool{}
	cursor, pages := "", 0
	for ; pages < pagesMax; pages++ {
		p, err := w.Feed.Pull(w.t.Context(), window(sc, w.began, to), cursor)
		if err != nil {
			w.t.Fatalf("page %d: %v", pages+1, err)
		}
		maps.Copy(got, ids(p.Revisions))
		if cursor = p.Next; cursor == "" {
			break
		}
		s.shift()
	}
	if w.PageShift != nil {
		w.PageShift(nil)
	}
	w.tick()
	s.wantAll(sc, there, got, to)
}

// fill makes lines until the scene needs three pages, and returns those that it
// shows. Every line has lived through all states, so that streams of refunds and
// settlements show it too.
func (w *world) fill(sc order.Scene) map[string]bool {
	w.t.Helper()
	for {
		for range 80 {
			l := w.buy(w.goods(0).ID, 1)
			w.do(w.Market.Pay(l.ID))
			w.do(w.Market.Receive(l.ID))
			w.do(w.Market.Settle(l.ID))
			w.do(w.Market.Refund(l.ID, penny))
			w.Advance(time.Second)
		}
		w.tick()
		there, pages := w.count(sc)
		if len(there) != 0 && len(there) != w.bought {
			w.t.Fatalf("%s: read %d of %d rows on %d pages, and nothing moved", sc.Name, len(there), w.bought, pages)
		}
		if pages >= pagesMin || len(there) == 0 || w.bought >= rowsMax {
			w.t.Logf("%s: %d rows on %d pages", sc.Name, len(there), pages)
			return there
		}
	}
}

// count reads the scene since the world began, by pages.
func (w *world) count(sc order.Scene) (there map[string]bool, pages int) {
	w.t.Helper()
	there = map[string]bool{}
	cursor := ""
	for pages < pagesMax {
		p, err := w.Feed.Pull(w.t.Context(), window(sc, w.began, w.now()), cursor)
		if err != nil {
			w.t.Fatalf("page %d: %v", pages+1, err)
		}
		pages++
		maps.Copy(there, ids(p.Revisions))
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	return there, pages
}

// A shifter changes rows of the book while they are read.
type shifter struct {
	w     *world
	mu    sync.Mutex
	moved map[string]bool
	err   error
}

// shift changes the oldest rows that it has not changed yet.
func (s *shifter) shift() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved == nil {
		s.moved = map[string]bool{}
	}
	left := shiftRows
	for _, l := range s.w.Market.Lines(nil) {
		if left == 0 {
			return
		}
		if s.moved[l.ID] {
			continue
		}
		if err := s.w.Market.Refund(l.ID, penny); err != nil {
			s.err = err
			return
		}
		s.moved[l.ID] = true
		left--
	}
}

// wantAll judges what was got of what was there while rows moved.
func (s *shifter) wantAll(sc order.Scene, there, got map[string]bool, to time.Time) {
	t := s.w.t
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w.do(s.err)
	if len(s.moved) == 0 {
		t.Fatal("no row moved")
	}
	later, follows := map[string]bool{}, false
	for _, other := range s.w.Feed.Scenes() {
		if other.Mends {
			follows = true
			maps.Copy(later, ids(s.w.read(other, to, s.w.now())))
		}
	}
	missed := 0
	for id := range there {
		switch {
		case got[id], s.moved[id] && (later[id] || !follows):
		default:
			missed++
		}
	}
	if missed > 0 {
		t.Errorf("%s: %d of %d rows were missed, %d moved", sc.Name, missed, len(there), len(s.moved))
	}
}

// brokenRow has the network answer one row that cannot be read.
func brokenRow(w *world) {
	const lines = 5
	for range lines {
		l := w.buy(w.goods(0).ID, 1)
		w.do(w.Market.Pay(l.ID))
	}
	w.tick()
	tried := 0
	for _, sc := range w.Feed.Scenes() {
		win := window(sc, w.began, w.now())
		if len(ids(w.read(sc, win.From, win.To))) < lines {
			continue // the scene shows other lines
		}
		tried++
		w.Broken()
		revs, bad, err := All(w.t.Context(), w.Feed, win)
		if err != nil {
			w.t.Fatalf("%s: a broken row stops the page: %v", sc.Name, err)
		}
		if len(ids(revs)) != lines {
			w.t.Errorf("%s: %d rows beside the broken one, want %d", sc.Name, len(ids(revs)), lines)
		}
		if len(bad) != 1 || len(bad[0].Raw) == 0 || fault.CodeOf(bad[0].Err) == "" {
			w.t.Errorf("%s: bad rows = %+v, want one with its text and an error", sc.Name, bad)
			continue
		}
		w.wantSecret(bad[0].Err)
		if k := bad[0].Key; k.Network != w.Feed.Network() || k.Account != w.Feed.Account() {
			w.t.Errorf("%s: the bad row's key %v does not say whose it is", sc.Name, k)
		}
		w.read(sc, win.From, win.To) // well again
	}
	if tried == 0 {
		w.t.Error("no scene shows paid lines")
	}
}
