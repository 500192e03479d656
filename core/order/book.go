package order

import (
	"context"
	"fmt"
	"maps"
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

// attribute runs the ladder for those of lines that are nobody's. It returns
// further lines that became somebody's because a line of the same order did.
func (b *Book) attribute(tx Tx, lines []*Line) (kin []*Line, err error) {
	byNetwork := map[string][]*Line{}
	for _, l := range lines {
		if l.User == 0 && l.Whole != nil {
			byNetwork[l.Key.Network] = append(byNetwork[l.Key.Network], l)
		}
	}
	for network, open := range byNetwork {
		more, err := b.attributeOn(tx, network, open, lines)
		if err != nil {
			return nil, err
		}
		kin = append(kin, more...)
	}
	return kin, nil
}

func (b *Book) attributeOn(tx Tx, network string, open, batch []*Line) (kin []*Line, err error) {
	ways, err := b.ways(tx, network, open)
	if err != nil {
		return nil, err
	}
	if err := b.climb(tx, open, ways); err != nil {
		return nil, err
	}
	others, err := b.others(tx, network, open, batch)
	if err != nil || len(others) == 0 {
		return nil, err
	}
	theirs, err := b.ways(tx, network, others)
	if err != nil {
		return nil, err
	}
	theirs.Kin = ways.Kin // with those who were found just now
	maps.Copy(theirs.Split, ways.Split)
	if err := b.climb(tx, others, theirs); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(others, func(l *Line) bool { return l.User == 0 }), nil
}

// climb gives lines to those whose they are. Each is held against its own evidence
// before it is held against that of its order's other lines, and a claim comes
// last: so it does not matter in which order a page has them.
func (b *Book) climb(tx Tx, lines []*Line, w Ways) error {
	alone, beside, claimed := w, w, w
	alone.Kin, alone.Claims = nil, nil
	beside.Claims = nil
	claimed.Kin = nil
	for _, known := range []Ways{alone, beside, claimed, beside} {
		for _, l := range lines {
			if l.User != 0 {
				continue
			}
			v, ok := whose(l.Row(), known)
			if !ok {
				continue
			}
			if err := b.give(tx, l, v, w); err != nil {
				return err
			}
			r := l.Row()
			if n := r.Root(); !slices.Contains(w.Kin[n], l.User) {
				w.Kin[n] = append(w.Kin[n], l.User)
			}
			w.Split[r.Order] = append(w.Split[r.Order], Owned{r.Item, Way{Link: l.Link, User: l.User, Promise: l.Promise}})
		}
	}
	return nil
}

// others returns the lines outside of batch that are nobody's, of orders of which
// a line of open has become somebody's, and of buyers whose number was confirmed.
func (b *Book) others(tx Tx, network string, open, batch []*Line) (others []*Line, err error) {
	seen := map[Key]bool{}
	for _, l := range batch {
		seen[l.Key] = true
	}
	for _, l := range open {
		if l.User == 0 {
			continue
		}
		beside, err := tx.ByOrder(network, l.Row().Root())
		if err != nil {
			return nil, err
		}
		if s := Suffix(network, l.Row().Order); s != "" && l.Step == ByClaim {
			alike, err := tx.Alike(network, s, rerunMax)
			if err != nil {
				return nil, err
			}
			beside = append(beside, alike...)
		}
		for i := range beside {
			o := &beside[i]
			if o.User == 0 && o.Whole != nil && !seen[o.Key] {
				seen[o.Key] = true
				others = append(others, o)
			}
		}
	}
	return others, nil
}

// ways fetches all that could explain lines, in one go.
func (b *Book) ways(tx Tx, network string, open []*Line) (Ways, error) {
	var tags, items, orders, suffixes []string
	since := b.Now()
	for _, l := range open {
		r := l.Row()
		if r.Tag != "" {
			tags = append(tags, r.Tag)
		}
		if r.Item != "" {
			items = append(items, r.Item)
		}
		if s := Suffix(network, r.Order); s != "" {
			suffixes = append(suffixes, s)
		}
		orders = append(orders, r.Order)
		if r.Parent != "" {
			orders = append(orders, r.Parent)
		}
		if !r.Created.IsZero() && r.Created.Before(since) {
			since = r.Created
		}
	}
	w, err := tx.Ways(network, tags, items, orders, suffixes, since.Add(-claimWindow))
	if w.Kin == nil {
		w.Kin = map[string][]int64{}
	}
	if w.Split == nil {
		w.Split = map[string][]Owned{}
	}
	return w, err
}

// give makes a line somebody's, with its evidence.
func (b *Book) give(tx Tx, l *Line, v verdict, w Ways) error {
	l.User, l.Link, l.Step, l.Evidence, l.Promise = v.user, v.way.Link, v.step, v.evidence, v.way.Promise
	if v.step != ByClaim {
		return nil
	}
	for _, c := range w.claims(l.Row()) {
		if w.person(c.User) != w.person(v.user) {
			continue
		}
		now, err := tx.Claim(c.ID) // a line of the same order may have granted it just now
		if err != nil {
			return err
		}
		if now.State.Open() {
			now.State = ClaimGranted
			if err := swapClaim(tx, &now, now.Rev); err != nil {
				return err
			}
		}
	}
	if s := Suffix(l.Key.Network, l.Row().Order); s != "" {
		if !slices.Contains(w.Suffixes[s], v.user) && w.Suffixes != nil {
			w.Suffixes[s] = append(w.Suffixes[s], v.user) // for the other lines of the page
		}
		return tx.AddSuffix(l.Key.Network, s, v.user)
	}
	return nil
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
