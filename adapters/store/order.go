package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"fanli/core/fault"
	"fanli/core/order"
)

type orderStore struct{ db *DB }

// InTx implements order.Store.
func (s orderStore) InTx(ctx context.Context, fn func(order.Tx) error) error {
	return s.db.inTx(ctx, orderTarget, "order", func(t *tx) error { return fn(orderTx{t}) })
}

// OfUser implements order.Reader.
func (s orderStore) OfUser(ctx context.Context, user, before int64, count int) ([]order.Line, error) {
	members, err := s.members(ctx, user)
	if err != nil {
		return nil, err
	}
	rows, err := find[lineRow](after(s.db.reader(ctx).Where("user_id IN ? AND user_id > 0", members), before).Order("id DESC").Limit(count))
	if err != nil {
		return nil, err
	}
	ls, err := lines(rows)
	return s.owned(ctx, ls, err)
}

// after goes on with a list that is newest first, after the row with id before.
func after(g *gorm.DB, before int64) *gorm.DB {
	if before > 0 {
		g = g.Where("id < ?", before)
	}
	return g
}

// ByNumber implements order.Reader.
func (s orderStore) ByNumber(ctx context.Context, number string) ([]order.Line, error) {
	ls, err := byNumber(s.db.reader(ctx), number)
	return s.owned(ctx, ls, err)
}

// byNumber returns the lines of an order number at any network, and of what was split
// from it. Two statements use an index each.
func byNumber(g *gorm.DB, number string) ([]order.Line, error) {
	if number == "" { // rows of refunds whose order has not come yet have none
		return nil, nil
	}
	placed, err := find[lineRow](g.Session(&gorm.Session{}).Where("root_no = ?", number))
	if err != nil {
		return nil, err
	}
	parts, err := find[lineRow](g.Session(&gorm.Session{}).Where("order_no = ? AND root_no <> order_no", number))
	if err != nil {
		return nil, err
	}
	rows := append(placed, parts...)
	slices.SortFunc(rows, func(a, b lineRow) int { return cmp.Compare(a.ID, b.ID) })
	return lines(rows)
}

// History implements order.Reader.
func (s orderStore) History(ctx context.Context, k order.Key) ([]order.Past, error) {
	rows, err := find[rawRow](s.db.reader(ctx).
		Where("network = ? AND account = ? AND line_no = ?", k.Network, k.Account, k.ID).Order("id"))
	out := make([]order.Past, len(rows))
	for i, r := range rows {
		out[i] = order.Past{Key: k, Aspect: order.Aspect(r.Aspect), At: at(r.At), Raw: r.Raw}
	}
	return out, err
}

// Counts implements order.Reader.
func (s orderStore) Counts(ctx context.Context) (order.Counts, error) {
	var c order.Counts
	for _, q := range []struct {
		g *gorm.DB
		n *int64
	}{
		{s.db.reader(ctx).Model(&lineRow{}), &c.Lines},
		{s.db.reader(ctx).Model(&lineRow{}).Where("user_id = 0"), &c.Unattributed},
		{s.db.reader(ctx).Model(&badRow{}), &c.Quarantined},
	} {
		if err := q.g.Count(q.n).Error; err != nil {
			return c, classify("store.Counts", err)
		}
	}
	return c, nil
}

type orderTx struct{ *tx }

// Lines implements order.Tx.
func (t orderTx) Lines(keys []order.Key) (map[order.Key]order.Line, error) {
	rows, err := byKeys[lineRow](keep(t.g), keys)
	if err != nil {
		return nil, err
	}
	out := make(map[order.Key]order.Line, len(rows))
	for _, r := range rows {
		l, err := r.line()
		if err != nil {
			return nil, err
		}
		out[l.Key] = l
	}
	return out, nil
}

// ByOrder implements order.Tx.
func (t orderTx) ByOrder(network, number string) ([]order.Line, error) {
	if t.numbers[number] {
		return nil, nil
	}
	all, err := byNumber(locked(t.g), number)
	var out []order.Line
	for _, l := range all {
		if l.Key.Network == network {
			out = append(out, l)
		}
	}
	return out, err
}

// Unowned implements order.Tx: those with the tag first, then the newest.
func (t orderTx) Unowned(network, tag, item string, count int) ([]order.Line, error) {
	var rows []lineRow
	seen := map[int64]bool{}
	for _, by := range []struct{ column, value string }{{"tag", tag}, {"item", item}} {
		if by.value == "" || len(rows) >= count {
			continue
		}
		found, err := find[lineRow](locked(t.g).Where("user_id = 0 AND network = ? AND "+by.column+" = ?", network, by.value).
			Order("id DESC").Limit(count))
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if !seen[r.ID] && len(rows) < count {
				seen[r.ID] = true
				rows = append(rows, r)
			}
		}
	}
	return lines(rows)
}

// Wanted implements order.Tx.
func (t orderTx) Wanted(account int64, count int) ([]order.Line, error) {
	members, err := orderPointers(func() *gorm.DB { return t.g }).members(account)
	if err != nil {
		return nil, err
	}
	asked := t.g.Model(&wayRow{}).Select("1").Where("order_ways.network = order_lines.network AND order_ways.item = order_lines.item AND order_ways.user_id IN ?", members)
	rows, err := find[lineRow](locked(t.g).Where("user_id = 0 AND EXISTS (?)", asked).Order("id DESC").Limit(count))
	if err != nil {
		return nil, err
	}
	return lines(rows)
}

// Alike implements order.Tx.
func (t orderTx) Alike(network, suffix string, count int) ([]order.Line, error) {
	rows, err := find[lineRow](locked(t.g).Where("user_id = 0 AND network = ? AND order_no LIKE ?", network, "%"+suffix).Order("id DESC").Limit(count))
	if err != nil {
		return nil, err
	}
	return lines(rows)
}

// Due implements order.Tx.
func (t orderTx) Due(now time.Time, count int) ([]order.Line, error) {
	rows, err := find[lineRow](locked(t.g).
		Where("state = 'received' AND settles_on > 0 AND settles_on <= ?", ms(now)).Order("settles_on, id").Limit(count))
	if err != nil {
		return nil, err
	}
	return lines(rows)
}

// Put implements order.Tx.
func (t orderTx) Put(ls []*order.Line) error {
	t.numbers = nil
	var fresh, known []lineRow
	var sighted []*order.Line
	for _, l := range ls {
		r, err := newLineRow(l)
		if err != nil {
			return err
		}
		if l.ID != 0 {
			known = append(known, r)
			continue
		}
		fresh, sighted = append(fresh, r), append(sighted, l)
	}
	if err := insert(t.g, fresh); err != nil {
		return err
	}
	for i, r := range fresh {
		sighted[i].ID = r.ID
	}
	return insert(t.g, known, upsert([]string{"id"}, lineChanges()...))
}

// A rawRow has no id: nobody asks for it.
type rawRow struct {
	Network string
	Account string
	LineNo  string
	Aspect  string
	At      int64
	Raw     []byte
}

func (rawRow) TableName() string { return "order_raws" }

// Keep implements order.Tx.
func (t orderTx) Keep(ps []order.Past) error {
	rows := make([]rawRow, len(ps))
	for i, p := range ps {
		rows[i] = rawRow{p.Key.Network, p.Key.Account, p.Key.ID, string(p.Aspect), ms(p.At), blob(p.Raw)}
	}
	return insert(t.g, rows)
}

// blob keeps nothing from being NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

type badRow struct {
	Fingerprint string
	Network     string
	Account     string
	LineNo      string
	Raw         []byte
	Error       string
	At          int64
}

func (badRow) TableName() string { return "order_quarantine" }

// Quarantine implements order.Tx.
func (t orderTx) Quarantine(bad []order.Bad, now time.Time) error {
	rows := make([]badRow, len(bad))
	for i, b := range bad {
		cause := ""
		if b.Err != nil {
			cause = strings.ToValidUTF8(b.Err.Error(), "�") // MySQL takes no other text
		}
		rows[i] = badRow{fingerprint(b), b.Key.Network, b.Key.Account, b.Key.ID, blob(b.Raw), cause, ms(now)}
	}
	return insert(t.g, rows, ignore())
}

// fingerprint is equal for the same row of the same feed.
func fingerprint(b order.Bad) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %q %q ", b.Key.Network, b.Key.Account, b.Key.ID)
	_, _ = h.Write(b.Raw)
	return hex.EncodeToString(h.Sum(nil))
}

type progressRow struct {
	Network      string `gorm:"primaryKey"`
	Account      string `gorm:"primaryKey"`
	Scene        string `gorm:"primaryKey"`
	Rung         string `gorm:"primaryKey"`
	DoneAt       int64
	ToAt         int64
	PageCursor   string
	At           int64
	FailingSince int64
	Fails        int
	Error        string
	Fence        int64
}

func (progressRow) TableName() string { return "order_progress" }

func (r progressRow) progress() order.Progress {
	return order.Progress{
		Place: order.Place{Network: r.Network, Account: r.Account, Scene: r.Scene, Rung: r.Rung},
		Done:  at(r.DoneAt), To: at(r.ToAt), Cursor: r.PageCursor, At: at(r.At),
		Failing: at(r.FailingSince), Fails: r.Fails, Error: r.Error, Fence: r.Fence,
	}
}

func progressAt(g *gorm.DB, p order.Place) (progressRow, error) {
	return first[progressRow](g.Where("network = ? AND account = ? AND scene = ? AND rung = ?", p.Network, p.Account, p.Scene, p.Rung))
}

// Progress implements order.Reader.
func (s orderStore) Progress(ctx context.Context, p order.Place) (order.Progress, error) {
	r, err := progressAt(s.db.reader(ctx), p)
	if fault.Is(err, fault.NotFound) {
		return order.Progress{Place: p}, nil
	}
	return r.progress(), err
}

// Places implements order.Reader.
func (s orderStore) Places(ctx context.Context) ([]order.Progress, error) {
	rows, err := find[progressRow](s.db.reader(ctx).Order("network, account, scene, rung"))
	out := make([]order.Progress, len(rows))
	for i, r := range rows {
		out[i] = r.progress()
	}
	return out, err
}

// SetProgress implements order.Tx. Nearly always the row is there and its fence is
// no higher: then one statement does it.
func (t orderTx) SetProgress(p order.Progress) error {
	g := t.g.Exec("UPDATE order_progress SET done_at = ?, to_at = ?, page_cursor = ?, at = ?, failing_since = ?, fails = ?, error = ?, fence = ? "+
		"WHERE network = ? AND account = ? AND scene = ? AND rung = ? AND fence <= ?",
		ms(p.Done), ms(p.To), p.Cursor, ms(p.At), ms(p.Failing), p.Fails, p.Error, p.Fence,
		p.Network, p.Account, p.Scene, p.Rung, p.Fence)
	if g.Error != nil || g.RowsAffected > 0 {
		return classify(op[progressRow](), g.Error)
	}
	old, err := progressAt(locked(t.g), p.Place)
	switch {
	case err == nil:
		return fault.Newf(fault.Conflict, "order.fenced", "%s/%s %s %s is at fence %d, not %d",
			p.Network, p.Account, p.Scene, p.Rung, old.Fence, p.Fence)
	case !fault.Is(err, fault.NotFound):
		return err
	}
	return insert(t.g, []progressRow{{
		p.Network, p.Account, p.Scene, p.Rung, ms(p.Done), ms(p.To), p.Cursor, ms(p.At), ms(p.Failing), p.Fails, p.Error, p.Fence,
	}})
}
