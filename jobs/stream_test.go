package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// A row is one order line as the stream tells it now.
type row struct {
	id      string
	changed time.Time // the network's time of its last change
	visible time.Time // from when on the network shows that change
	amount  money.Fen
}

func (r row) revision() order.Revision {
	return order.Revision{
		Aspect: order.Whole, Order: "n" + r.id, Item: "item", State: order.Paid, Price: 10 * r.amount, Estimated: r.amount,
		Created: start, Modified: r.changed, Raw: fmt.Appendf(nil, "%s %d", r.id, r.amount),
	}
}

// A pull is one question that was asked.
type pull struct {
	order.Window
	cursor string
}

// A stream is a feed of one scene whose weather the test makes. Its cursor names
// its window and the last row's place, so rows that change between two pages move
// none of the others: that much every feed promises. It takes a cursor for that
// window only.
type stream struct {
	scene order.Scene
	now   func() time.Time
	size  int  // rows of a page
	back  bool // the newest rows come first

	mu      sync.Mutex
	rows    []row
	full    int           // rows above which a window is too full; 0: never
	longest time.Duration // of a window; 0: as the scene says
	before  func(n int) error
	spoil   func(p *order.Page)
	pulls   []pull
}

var _ order.Feed = (*stream)(nil)

func (s *stream) Network() string         { return "jd" }
func (s *stream) Account() string         { return "main" }
func (s *stream) Scenes() []order.Scene   { return []order.Scene{s.scene} }
func (s *stream) key(id string) order.Key { return order.Key{Network: "jd", Account: "main", ID: id} }

// put adds a row or changes one; it becomes visible late by so much.
func (s *stream) put(id string, changed time.Time, late time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := row{id: id, changed: changed, visible: changed.Add(late), amount: 100}
	i := slices.IndexFunc(s.rows, func(o row) bool { return o.id == id })
	if i < 0 {
		s.rows = append(s.rows, r)
		return
	}
	r.amount = s.rows[i].amount + 1
	s.rows[i] = r
}

// all returns the rows as they are.
func (s *stream) all() []row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows)
}

// asked returns and forgets the questions.
func (s *stream) asked() []pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.pulls
	s.pulls = nil
	return out
}

// failing makes every question fail with what f returns for it, counted from 1;
// nil is health.
func (s *stream) failing(f func(n int) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.pulls = f, nil
}

// down fails every question.
func down(int) error { return fault.New(fault.Unavailable, "jd.down") }

// failAt fails the nth question.
func failAt(nth int) func(int) error {
	return func(n int) error {
		if n == nth {
			return down(n)
		}
		return nil
	}
}

func (s *stream) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	s.mu.Lock()
	s.pulls = append(s.pulls, pull{w, cursor})
	n, before := len(s.pulls), s.before
	s.mu.Unlock()
	if before != nil {
		if err := before(n); err != nil {
			return order.Page{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return order.Page{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.in(w)
	if err != nil {
		return order.Page{}, err
	}
	of := fmt.Sprintf("%d-%d ", w.From.UnixNano(), w.To.UnixNano())
	after, ours := strings.CutPrefix(cursor, of)
	if cursor != "" && !ours {
		return order.Page{}, fault.Newf(fault.Internal, "", "cursor %q is not one of window %s", cursor, of)
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return cursor != "" && s.compare(r.place(), after) <= 0 })
	var p order.Page
	for _, r := range rows[:min(s.size, len(rows))] {
		v := r.revision()
		v.Key = s.key(r.id)
		p.Revisions = append(p.Revisions, v)
		p.Next = of + r.place()
	}
	if len(rows) <= s.size {
		p.Next = ""
	}
	if s.spoil != nil {
		s.spoil(&p)
	}
	return p, nil
}

// in returns what the network shows of a window now, in the order of its pages.
func (s *stream) in(w order.Window) ([]row, error) {
	length := w.To.Sub(w.From)
	if length > s.scene.Window || s.longest > 0 && length > s.longest {
		return nil, fault.New(fault.Invalid, "feed.window_too_long")
	}
	if w.From.Before(s.now().Add(-s.scene.Keeps)) {
		return nil, fault.New(fault.Invalid, "feed.window_too_old")
	}
	var rows []row
	for _, r := range s.rows {
		if !r.changed.Before(w.From) && r.changed.Before(w.To) && !r.visible.After(s.now()) {
			rows = append(rows, r)
		}
	}
	if s.full > 0 && len(rows) > s.full {
		return nil, fault.New(fault.Invalid, "feed.window_too_full")
	}
	slices.SortFunc(rows, func(a, b row) int { return s.compare(a.place(), b.place()) })
	return rows, nil
}

func (s *stream) compare(a, b string) int {
	if s.back {
		a, b = b, a
	}
	return strings.Compare(a, b)
}

// place orders rows by their change, and is the cursor after them.
func (r row) place() string { return fmt.Sprintf("%020d %s", r.changed.Unix(), r.id) }
