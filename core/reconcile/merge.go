package reconcile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

const (
	// unsortedMax bounds the rows of a book that is not in the order of its keys:
	// they are held in memory.
	unsortedMax = 1_000_000
	// pageMax is how many of ours are read at once.
	pageMax = 500
)

// A book is ours about one subject.
type book interface {
	// page returns ours of the period in the byte order of their keys.
	page(ctx context.Context, p Period, after string, count int) ([]Ours, error)
	// find returns the known ones of keys.
	find(ctx context.Context, p Period, keys []string) ([]Ours, error)
	// slack is by how much the times of the two books may differ.
	slack() time.Duration
}

// A merge walks through two books at once.
type merge struct {
	book   book
	period Period
	say    func(Finding) error

	ours    []Ours // a page, from the next one on
	last    string // key of the last one that was read
	done    bool   // there are no more pages
	unknown []Row  // rows that the period does not have, to be looked up
}

// compare says of every row and of everything of ours in the period what it is.
func compare(ctx context.Context, b book, p Period, rows Rows, say func(Finding) error) (Summary, error) {
	sum := Summary{Period: p.Name, Counts: map[Kind]int64{}}
	m := &merge{book: b, period: p, say: func(f Finding) error {
		sum.Counts[f.Kind]++
		if f.Stray && f.Kind != Matched {
			sum.Strays++
		}
		if f.Kind == Matched {
			sum.Matched += f.Row.Sum
			sum.Fees += f.Row.Fee
		}
		sum.Ours += f.Ours.Sum
		return say(f)
	}}
	ordered, err := survey(rows, &sum, m.say)
	if err != nil {
		return sum, err
	}
	if !ordered {
		rows, err = sorted(rows, sum.Rows)
		if err != nil {
			return sum, err
		}
	}
	return sum, m.run(ctx, rows)
}

// survey reads the other book once: it counts, hashes, says which rows cannot be
// read, and reports whether the others are in the order of their keys.
func survey(rows Rows, sum *Summary, say func(Finding) error) (ordered bool, err error) {
	h, last := sha256.New(), ""
	ordered = true
	for r, err := range rows() {
		if err != nil {
			return false, err
		}
		sum.Rows++
		_, _ = fmt.Fprintf(h, "%q\n", r.Raw)
		if r.Bad != "" {
			if err := say(Finding{Kind: Unreadable, Key: r.Key, Row: r, Stray: true}); err != nil {
				return false, err
			}
			continue
		}
		if sum.Theirs, err = money.Add(sum.Theirs, r.Sum); err != nil {
			return false, err
		}
		ordered = ordered && last <= r.Key
		last = r.Key
	}
	sum.Hash = hex.EncodeToString(h.Sum(nil))
	return ordered, nil
}

// sorted returns the readable rows in the order of their keys; those with the same
// key stay in the order of the book.
func sorted(rows Rows, n int64) (Rows, error) {
	if n > unsortedMax {
		return nil, fault.Newf(fault.Invalid, "", "%d rows that are not in the order of their keys; at most %d can be: sort the file first", n, unsortedMax)
	}
	all := make([]Row, 0, n)
	for r, err := range rows() {
		if err != nil {
			return nil, err
		}
		if r.Bad == "" {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b Row) int { return cmp.Compare(a.Key, b.Key) })
	return listed(all), nil
}

// run walks through sorted rows. Rows with one key are taken together.
func (m *merge) run(ctx context.Context, rows Rows) error {
	var g group
	for r, err := range rows() {
		if err != nil {
			return err
		}
		if r.Bad != "" {
			continue
		}
		if len(g.rows) > 0 && g.rows[0].Key != r.Key {
			if err := m.row(ctx, g.total()); err != nil {
				return err
			}
			g = group{}
		}
		if !g.take(r) {
			if err := m.say(Finding{Kind: Twice, Key: r.Key, Row: r, Stray: true}); err != nil {
				return err
			}
		}
	}
	if len(g.rows) > 0 {
		if err := m.row(ctx, g.total()); err != nil {
			return err
		}
	}
	if err := m.lookUp(ctx); err != nil {
		return err
	}
	return m.skip(ctx, func(Ours) bool { return true })
}

// groupMax bounds the rows of one key that are looked at together.
const groupMax = 16

// A group is the rows of one key: the one that counts, and what is deducted from
// it, in whatever order they are listed.
type group struct{ rows []Row }

// take adds a row, unless it is there twice: a second one that is no deduction, or
// the same deduction again.
func (g *group) take(r Row) bool {
	for _, o := range g.rows {
		if o.Sum >= 0 && r.Sum >= 0 || o.Sum == r.Sum && o.At.Equal(r.At) {
			return false
		}
	}
	if len(g.rows) == groupMax {
		return false
	}
	g.rows = append(g.rows, r)
	return true
}

// total is the group as one row: the one that is no deduction, if there is one,
// with the sum of all.
func (g *group) total() Row {
	out, sum, fee, has := g.rows[0], money.Fen(0), money.Fen(0), false
	for _, r := range g.rows {
		sum, fee, has = sum+r.Sum, fee+r.Fee, has || r.HasFee
		if r.Sum >= 0 {
			out = r
		}
	}
	out.Sum, out.Fee, out.HasFee = sum, fee, has
	return out
}

// row finds what we have for a row.
func (m *merge) row(ctx context.Context, r Row) error {
	if err := m.skip(ctx, func(o Ours) bool { return o.Key < r.Key }); err != nil {
		return err
	}
	if len(m.ours) > 0 && m.ours[0].Key == r.Key {
		o := m.ours[0]
		m.ours = m.ours[1:]
		return m.say(judge(r, o, m.period, m.book.slack(), false))
	}
	m.unknown = append(m.unknown, r)
	if len(m.unknown) < pageMax {
		return nil
	}
	return m.lookUp(ctx)
}

// skip says that ours are missing there, as long as they are to be skipped, and
// reads the next page when one is used up.
func (m *merge) skip(ctx context.Context, skipped func(Ours) bool) error {
	for {
		if len(m.ours) == 0 && !m.done {
			page, err := m.book.page(ctx, m.period, m.last, pageMax)
			if err != nil {
				return err
			}
			m.ours, m.done = page, len(page) < pageMax
			if len(page) > 0 {
				m.last = page[len(page)-1].Key
			}
		}
		if len(m.ours) == 0 || !skipped(m.ours[0]) {
			return nil
		}
		o := m.ours[0]
		m.ours = m.ours[1:]
		if nothingDue(o) {
			continue
		}
		if err := m.say(Finding{Kind: MissingThere, Key: o.Key, Ours: o}); err != nil {
			return err
		}
	}
}

// nothingDue reports whether the other book need not list it: it brought nothing,
// or another period has brought it.
func nothingDue(o Ours) bool { return o.Sum == o.Before && o.Said == o.Sum }

// lookUp asks what we have, in whatever period, for rows that this one does not
// have.
func (m *merge) lookUp(ctx context.Context) error {
	keys := make([]string, len(m.unknown))
	for i, r := range m.unknown {
		keys[i] = r.Key
	}
	found, err := m.book.find(ctx, m.period, keys)
	if err != nil {
		return err
	}
	known := make(map[string]Ours, len(found))
	for _, o := range found {
		known[o.Key] = o
	}
	for _, r := range m.unknown {
		f := Finding{Kind: MissingHere, Key: r.Key, Row: r, Stray: true}
		if o, ok := known[r.Key]; ok {
			f = judge(r, o, m.period, m.book.slack(), true)
		}
		if err := m.say(f); err != nil {
			return err
		}
	}
	m.unknown = m.unknown[:0]
	return nil
}

// judge compares a row with what we have. What a closed month or another period
// has brought already can only be corrected by its sum: the rest was compared
// then.
func judge(r Row, o Ours, p Period, slack time.Duration, stray bool) Finding {
	f := Finding{Kind: Matched, Key: r.Key, Row: r, Ours: o, Stray: stray}
	late := o.Before != 0 || o.Closed != "" && o.Closed < p.Month()
	note := func(differs bool, a Aspect) {
		if differs {
			f.Kind, f.What = Differs, append(f.What, a)
		}
	}
	note(r.Sum+o.Before != o.Sum, Sum)
	note(!late && r.HasPrice && r.Price != o.Price, Price)
	note(!late && r.HasRefund && r.Refund != o.Refund, Refund)
	note(!late && r.State != "" && r.State != o.State, State)
	note(!late && (!r.At.IsZero() && !p.has(r.At, slack) || !o.At.IsZero() && !p.has(o.At, slack)), Shift)
	note(o.Said != o.Sum, Ledger)
	return f
}
