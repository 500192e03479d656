package order

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
)

// rerunMax bounds how many unattributed lines one new link may re-open.
const rerunMax = 200

// dueMax bounds one batch of lines whose settlement date has come.
const dueMax = 500

// A Book is the service that keeps orders. It is safe for concurrent use.
type Book struct {
	Store Store
	Now   func() time.Time
}

// Apply learns one page of a feed: in one transaction, with one event, and with
// the progress p that reading the page has made (nil for a page outside of any
// stream). It returns how many lines changed.
func (b *Book) Apply(ctx context.Context, page Page, p *Progress) (changed int, err error) {
	now := b.Now()
	err = b.Store.InTx(ctx, func(tx Tx) error {
		changed = 0
		lines, err := b.learn(tx, page.Revisions, now)
		if err != nil {
			return err
		}
		changed = len(lines)
		if len(page.Bad) > 0 {
			if err := tx.Quarantine(page.Bad, now); err != nil {
				return err
			}
		}
		if err := b.store(tx, lines); err != nil {
			return err
		}
		if p != nil {
			return tx.SetProgress(*p)
		}
		return nil
	})
	return changed, fault.In("order.Apply", err)
}

// learn lets the lines of a batch learn its revisions and returns those that
// changed, in the order of the batch.
func (b *Book) learn(tx Tx, revisions []Revision, now time.Time) ([]*Line, error) {
	keys := make([]Key, 0, len(revisions))
	for _, r := range revisions {
		keys = append(keys, r.Key)
	}
	known, err := tx.Lines(keys)
	if err != nil {
		return nil, err
	}
	lines := map[Key]*Line{}
	var changed []*Line
	var raw []Past
	for _, r := range revisions {
		l := lines[r.Key]
		if l == nil {
			if k, ok := known[r.Key]; ok {
				l = &k
			} else {
				l = &Line{Key: r.Key, Seen: now}
			}
			lines[r.Key] = l
		}
		if !l.take(r, now) {
			continue
		}
		raw = append(raw, Past{r.Key, r.Aspect, now, r.Raw})
		if !slices.Contains(changed, l) {
			changed = append(changed, l)
		}
	}
	if len(raw) > 0 {
		if err := tx.Keep(raw); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// store attributes what is nobody's yet among changed lines, stores them and
// tells others.
func (b *Book) store(tx Tx, changed []*Line) error {
	if len(changed) == 0 {
		return nil
	}
	kin, err := b.attribute(tx, changed)
	if err != nil {
		return err
	}
	return b.put(tx, append(changed, kin...))
}

// put stores lines with a new Rev and tells others. Their order is that of their
// keys, whatever the order of the rows was, so that what follows from a page
// depends on what it says and not on how it was sorted.
func (b *Book) put(tx Tx, lines []*Line) error {
	slices.SortFunc(lines, func(a, b *Line) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	for _, l := range lines {
		l.Rev++
	}
	if err := tx.Put(lines); err != nil {
		return err
	}
	c := Changed{Lines: make([]ChangedLine, len(lines))}
	for i, l := range lines {
		c.Lines[i] = l.changed()
	}
	first := lines[0]
	e, err := event.New(fmt.Sprintf("order/%s/rev%d/%d", first.Key, first.Rev, len(lines)), event.OrderChanged, b.Now(), c)
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// rerun climbs the ladder again for those of lines that are nobody's, and
// stores and tells what it finds.
func (b *Book) rerun(tx Tx, lines []Line) error {
	var open []*Line
	for i := range lines {
		if lines[i].User == 0 && lines[i].Whole != nil {
			open = append(open, &lines[i])
		}
	}
	kin, err := b.attribute(tx, open)
	if err != nil {
		return err
	}
	owned := append(slices.DeleteFunc(open, func(l *Line) bool { return l.User == 0 }), kin...)
	if len(owned) == 0 {
		return nil
	}
	return b.put(tx, owned)
}

// LinkMade hears link.made: it keeps the link for the ladder, and looks again at
// orders that came before the news of their link.
func (b *Book) LinkMade(ctx context.Context, e event.Event) error {
	var m link.LinkMade
	if err := e.Decode(&m); err != nil {
		return fault.Wrap(fault.Invalid, "order.LinkMade", err)
	}
	return b.Store.InTx(ctx, func(tx Tx) error {
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		if err := tx.AddWay(Way{m.Link, m.User, m.Network, m.Item, m.Tag, m.Slot, m.Promise, m.At}); err != nil {
			return err
		}
		open, err := tx.Unowned(m.Network, m.Tag, m.Item, rerunMax)
		if err != nil {
			return err
		}
		return b.rerun(tx, open)
	})
}

// SettleDue makes settled what the network has bound itself to settle by now. It
// does one batch and reports how many lines changed.
func (b *Book) SettleDue(ctx context.Context) (n int, err error) {
	now := b.Now()
	err = b.Store.InTx(ctx, func(tx Tx) error {
		lines, err := tx.Due(now, dueMax)
		if err != nil {
			return err
		}
		var ripe []*Line
		for i := range lines {
			if lines[i].ripen(now) {
				ripe = append(ripe, &lines[i])
			}
		}
		n = len(ripe)
		if n == 0 {
			return nil
		}
		return b.put(tx, ripe)
	})
	return n, fault.In("order.SettleDue", err)
}

// Note stores that reading a stream made no progress, or moved without a page.
func (b *Book) Note(ctx context.Context, p Progress) error {
	return b.Store.InTx(ctx, func(tx Tx) error { return tx.SetProgress(p) })
}

// OfUser returns a user's lines, newest first, starting after the line with id
// before (0: from the newest).
func (b *Book) OfUser(ctx context.Context, user, before int64, count int) ([]Line, error) {
	return b.Store.OfUser(ctx, user, before, count)
}

// ByNumber returns all lines of an order number at any network. Who may see them
// is the asker's to decide.
func (b *Book) ByNumber(ctx context.Context, number string) ([]Line, error) {
	return b.Store.ByNumber(ctx, number)
}
