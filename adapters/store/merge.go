package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/fault"
	"fanli/core/user"
)

type mergeRow struct {
	ID        int64 `gorm:"primaryKey"`
	Absorbed  int64
	Survivor  int64
	Stage     string
	Linked    int64
	Busy      int64
	Rev       int64
	Reason    string
	Actor     string
	Note      string
	At        int64
	ChangedAt int64
}

func (mergeRow) TableName() string { return "user_merges" }

func newMergeRow(m user.Merge) mergeRow {
	return mergeRow{
		m.ID, m.Absorbed, m.Survivor, string(m.Stage), one(m.Stage.Linked()), one(m.Stage.UnderWay()), m.Rev, m.Reason, m.Actor, m.Note,
		ms(m.At), ms(m.Changed),
	}
}

func (r mergeRow) merge() user.Merge {
	return user.Merge{
		ID: r.ID, Absorbed: r.Absorbed, Survivor: r.Survivor, Stage: user.MergeStage(r.Stage), Rev: r.Rev, Reason: r.Reason,
		Actor: r.Actor, Note: r.Note, At: at(r.At), Changed: at(r.ChangedAt),
	}
}

func merges(g *gorm.DB) ([]user.Merge, error) {
	rows, err := find[mergeRow](g)
	out := make([]user.Merge, len(rows))
	for i, r := range rows {
		out[i] = r.merge()
	}
	return out, err
}

type linkCodeRow struct {
	UserID  int64 `gorm:"primaryKey;autoIncrement:false"`
	Hash    string
	UntilAt int64
}

func (linkCodeRow) TableName() string { return "user_linkcodes" }

type guessRow struct {
	UserID  int64 `gorm:"primaryKey;autoIncrement:false"`
	Wrong   int
	SinceAt int64
}

func (guessRow) TableName() string { return "user_guesses" }

type mergeStore struct{ db *DB }

// Merges returns the store of merges, which the user target has.
func (db *DB) Merges() user.MergeStore { return mergeStore{db} }

// InTx implements user.MergeStore.
func (s mergeStore) InTx(ctx context.Context, fn func(user.MergeTx) error) error {
	return s.db.inTx(ctx, userTarget, "merge", func(t *tx) error { return fn(mergeTx{t}) })
}

// SurvivorOf implements user.MergeStore.
func (s mergeStore) SurvivorOf(ctx context.Context, id int64) (int64, error) {
	return survivorOf(s.db.reader(ctx), id)
}

func survivorOf(g *gorm.DB, id int64) (int64, error) {
	r, err := first[mergeRow](g.Where("absorbed = ? AND linked = 1", id))
	if fault.Is(err, fault.NotFound) {
		return 0, nil
	}
	return r.Survivor, err
}

// AbsorbedBy implements user.MergeStore.
func (s mergeStore) AbsorbedBy(ctx context.Context, id int64) ([]user.Merge, error) {
	return merges(s.db.reader(ctx).Where("survivor = ? AND linked = 1", id).Order("absorbed"))
}

// Merge implements user.MergeStore.
func (s mergeStore) Merge(ctx context.Context, id int64) (user.Merge, error) {
	r, err := first[mergeRow](s.db.reader(ctx).Where("id = ?", id))
	return r.merge(), err
}

// Newest implements user.MergeStore. Two statements use an index each.
func (s mergeStore) Newest(ctx context.Context, id int64) (user.Merge, error) {
	var newest mergeRow
	for _, column := range []string{"absorbed", "survivor"} {
		r, err := first[mergeRow](s.db.reader(ctx).Where(column+" = ? AND linked + busy > 0", id).Order("id DESC"))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return user.Merge{}, err
		}
		if r.ID > newest.ID {
			newest = r
		}
	}
	if newest.ID == 0 {
		return user.Merge{}, fault.Newf(fault.NotFound, "", "user %d has no merge", id)
	}
	return newest.merge(), nil
}

// Merges implements user.MergeStore.
func (s mergeStore) Merges(ctx context.Context, before int64, count int) ([]user.Merge, error) {
	g := s.db.reader(ctx)
	if before > 0 {
		g = g.Where("id < ?", before)
	}
	return merges(g.Order("id DESC").Limit(count))
}

// StuckMerges implements user.MergeStore.
func (s mergeStore) StuckMerges(ctx context.Context, since time.Time, count int) ([]user.Merge, error) {
	return merges(s.db.reader(ctx).Where("busy = 1 AND changed_at < ?", ms(since)).Order("changed_at, id").Limit(count))
}

type mergeTx struct{ *tx }

// InsertMerge implements user.MergeTx.
func (t mergeTx) InsertMerge(m user.Merge) (int64, error) {
	rows := []mergeRow{newMergeRow(m)}
	err := insert(t.g, rows)
	return rows[0].ID, err
}

// Merge implements user.MergeTx.
func (t mergeTx) Merge(id int64) (user.Merge, error) {
	r, err := first[mergeRow](locked(t.g).Where("id = ?", id))
	return r.merge(), err
}

// SwapMerge implements user.MergeTx. Who is merged into whom never changes.
func (t mergeTx) SwapMerge(m user.Merge, rev int64) (ok bool, err error) {
	n := newMergeRow(m)
	r := t.g.Model(&mergeRow{}).Where("id = ? AND rev = ?", m.ID, rev).Updates(map[string]any{
		"stage": n.Stage, "linked": n.Linked, "busy": n.Busy, "rev": n.Rev, "reason": n.Reason, "actor": n.Actor, "note": n.Note,
		"changed_at": n.ChangedAt,
	})
	return r.RowsAffected == 1, classify("store.SwapMerge", r.Error)
}

// Pointed implements user.MergeTx.
func (t mergeTx) Pointed(id int64) (int64, error) { return survivorOf(t.g, id) }

// Busy implements user.MergeTx.
func (t mergeTx) Busy(users ...int64) (bool, error) {
	for _, column := range []string{"absorbed", "survivor"} {
		var n int64
		err := t.g.Model(&mergeRow{}).Where(column+" IN ? AND busy = 1", users).Count(&n).Error
		if err != nil || n > 0 {
			return n > 0, classify("store.Busy", err)
		}
	}
	return false, nil
}

// PutLinkCode implements user.MergeTx.
func (t mergeTx) PutLinkCode(id int64, code string, until time.Time) error {
	return insert(t.g, []linkCodeRow{{id, t.db.vault.linkCode(code), ms(until)}}, upsert([]string{"user_id"}, "hash", "until_at"))
}

// LinkCode implements user.MergeTx.
func (t mergeTx) LinkCode(code string) (int64, time.Time, error) {
	r, err := first[linkCodeRow](locked(t.g).Where("hash = ?", t.db.vault.linkCode(code)))
	return r.UserID, at(r.UntilAt), err
}

// DropLinkCode implements user.MergeTx.
func (t mergeTx) DropLinkCode(id int64) error {
	return classify("store.DropLinkCode", t.g.Where("user_id = ?", id).Delete(&linkCodeRow{}).Error)
}

// Guesses implements user.MergeTx.
func (t mergeTx) Guesses(id int64) (int, time.Time, error) {
	r, err := first[guessRow](locked(t.g).Where("user_id = ?", id))
	if fault.Is(err, fault.NotFound) {
		return 0, time.Time{}, nil
	}
	return r.Wrong, at(r.SinceAt), err
}

// SetGuesses implements user.MergeTx.
func (t mergeTx) SetGuesses(id int64, n int, since time.Time) error {
	return insert(t.g, []guessRow{{id, n, ms(since)}}, upsert([]string{"user_id"}, "wrong", "since_at"))
}
