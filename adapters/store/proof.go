package store

import (
	"context"
	"database/sql"
	"slices"

	"gorm.io/gorm"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/proof"
	"fanli/core/withdraw"
)

// Reading the whole book, for a proof. Millions of rows go through here, so they
// are read without reflection and by number.

// proofPage is how many entries are in memory at a time; two pages are, one being
// read while the other is checked.
const proofPage = 5000

type batchRow struct {
	ID      int64
	Entries int64
	Digest  string
	At      int64
}

func (batchRow) TableName() string { return "payment_batches" }

func (r batchRow) batch() proof.Batch {
	return proof.Batch{ID: r.ID, Entries: r.Entries, Digest: r.Digest, At: at(r.At)}
}

type sealRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement:false"`
	Day       string
	LastBatch int64
	Batches   int64
	Entries   int64
	Prev      string
	Hash      string
	At        int64
}

func (sealRow) TableName() string { return "payment_seals" }

func (r sealRow) seal() proof.Seal {
	return proof.Seal{ID: r.ID, Day: r.Day, LastBatch: r.LastBatch, Batches: r.Batches, Entries: r.Entries, Prev: r.Prev, Hash: r.Hash, At: at(r.At)}
}

// A proofSource implements proof.Source on a snapshot.
type proofSource struct{ book }

// Prove calls fn with a source that sees one moment of the books, however long fn
// takes. Others go on writing meanwhile. In memory nobody does: fn must ask
// nothing but its source.
func (db *DB) Prove(ctx context.Context, fn func(proof.Source) error) error {
	return db.snapshot(ctx, func(b book) error { return fn(proofSource{b}) })
}

// each calls fn for every row that q selects, scanned into into.
func each(ctx context.Context, q *gorm.DB, into []any, fn func() error) (err error) {
	rows, err := q.Rows()
	if err != nil {
		return classify("store.each", err)
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = classify("store.each", cerr)
		}
	}()
	for n := 0; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return classify("store.each", err)
		}
		if err := fn(); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return classify("store.each", rows.Err())
}

// WalkAccounts implements proof.Source.
func (s proofSource) WalkAccounts(ctx context.Context, fn func(*proof.Account) error) error {
	var a proof.Account
	var name string
	var balance int64
	q := s.q(ctx).Raw("SELECT id, name, sign, balance FROM payment_accounts ORDER BY id")
	return each(ctx, q, []any{&a.ID, &name, &a.Sign, &balance}, func() error {
		a.Name, a.Balance = ledger.Account(name), money.Fen(balance)
		return fn(&a)
	})
}

// Pages implements proof.Source. The next page is read while fn looks at one.
func (s proofSource) Pages(ctx context.Context, fn func(proof.Page) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	full, empty := make(chan proof.Page), make(chan proof.Page, 2)
	empty <- proof.Page{}
	empty <- proof.Page{}
	failed := make(chan error, 1)
	go func() {
		defer close(full)
		failed <- s.readPages(ctx, full, empty)
	}()
	var err error
	for page := range full {
		if err == nil {
			if err = fn(page); err != nil {
				stop()
			}
		}
		empty <- page
	}
	if rerr := <-failed; err == nil {
		err = rerr
	}
	return err
}

// readPages reads all pages into full, reusing those of empty.
func (s proofSource) readPages(ctx context.Context, full chan<- proof.Page, empty <-chan proof.Page) error {
	var last, batch int64
	for more := true; more; {
		page := <-empty
		var err error
		if page.Entries, err = s.entries(ctx, last, page.Entries[:0]); err != nil {
			return err
		}
		more = len(page.Entries) == proofPage
		newest := batch
		for i := range page.Entries {
			newest = max(newest, page.Entries[i].Batch)
		}
		if page.Batches, err = s.batches(ctx, batch, newest, !more, page.Batches[:0]); err != nil {
			return err
		}
		if more {
			last, batch = page.Entries[len(page.Entries)-1].ID, newest
		}
		select {
		case full <- page:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// entries reads a page of entries after one.
func (s proofSource) entries(ctx context.Context, after int64, out []proof.Entry) ([]proof.Entry, error) {
	var e proof.Entry
	var amount, moment int64
	q := s.q(ctx).Raw("SELECT id, batch_id, from_id, to_id, amount, at, entry_key, kind, cause, note FROM payment_entries WHERE id > ? ORDER BY id LIMIT ?", after, proofPage)
	into := []any{&e.ID, &e.Batch, &e.From, &e.To, &amount, &moment, &e.Key, &e.Kind, &e.Cause, &e.Note}
	err := each(ctx, q, into, func() error {
		e.Amount, e.At = money.Fen(amount), at(moment)
		out = append(out, e)
		return nil
	})
	return out, err
}

// batches reads the batches after one, up to another, or all that are left.
func (s proofSource) batches(ctx context.Context, after, through int64, all bool, out []proof.Batch) ([]proof.Batch, error) {
	var b proof.Batch
	var moment int64
	q := s.q(ctx).Raw("SELECT id, entries, digest, at FROM payment_batches WHERE id > ? AND id <= ? ORDER BY id", after, through)
	if all {
		q = s.q(ctx).Raw("SELECT id, entries, digest, at FROM payment_batches WHERE id > ? ORDER BY id", after)
	}
	err := each(ctx, q, []any{&b.ID, &b.Entries, &b.Digest, &moment}, func() error {
		b.At = at(moment)
		out = append(out, b)
		return nil
	})
	return out, err
}

// WalkLines implements proof.Source.
func (s proofSource) WalkLines(ctx context.Context, fn func(*proof.Line) error) error {
	var r bookedRow
	var a, b proof.Cut
	var topUp money.Fen
	q := s.q(ctx).Raw(`SELECT b.network, b.account, b.line_no, b.seq, b.user_id, b.pending, b.available, b.margin, b.mark,
		COALESCE(p.user1, 0), COALESCE(p.pending1, 0), COALESCE(p.available1, 0), COALESCE(p.user2, 0), COALESCE(p.pending2, 0), COALESCE(p.available2, 0), COALESCE(p.topup, 0)
		FROM payment_booked b LEFT JOIN payment_parts p ON p.network = b.network AND p.account = b.account AND p.line_no = b.line_no`)
	into := []any{
		&r.Network, &r.Account, &r.LineNo, &r.Seq, &r.UserID, &r.Pending, &r.Available, &r.Margin, &r.Mark,
		&a.User, &a.Pending, &a.Available, &b.User, &b.Pending, &b.Available, &topUp,
	}
	return each(ctx, q, into, func() error {
		return fn(&proof.Line{
			Key: order.Key{Network: r.Network, Account: r.Account, ID: r.LineNo}, User: r.UserID,
			Pending: money.Fen(r.Pending), Available: money.Fen(r.Available), Margin: money.Fen(r.Margin),
			Cuts: [2]proof.Cut{a, b}, TopUp: topUp, Intact: r.Mark == "" || r.Mark == r.mark(),
		})
	})
}

// WalkWithdrawals implements proof.Source.
func (s proofSource) WalkWithdrawals(ctx context.Context, fn func(*proof.Withdrawal) error) error {
	var r withdrawalRow
	var number sql.NullString
	q := s.q(ctx).Raw("SELECT id, user_id, amount, state, payer, number, rev, mark FROM payment_withdrawals ORDER BY id")
	into := []any{&r.ID, &r.UserID, &r.Amount, &r.State, &r.Payer, &number, &r.Rev, &r.Mark}
	return each(ctx, q, into, func() error {
		return fn(&proof.Withdrawal{
			ID: r.ID, User: r.UserID, Amount: money.Fen(r.Amount), State: withdraw.State(r.State), Payer: r.Payer,
			Intact: r.Mark == "" || r.Mark == withdrawalMark(r.State, r.Payer, number.String, r.Rev),
		})
	})
}

// Seals implements proof.Source.
func (s proofSource) Seals(ctx context.Context) ([]proof.Seal, error) {
	rows, err := find[sealRow](s.q(ctx).Order("id"))
	out := make([]proof.Seal, len(rows))
	for i, r := range rows {
		out[i] = r.seal()
	}
	return out, err
}

type sealStore struct{ db *DB }

// Seals returns the store of seals.
func (db *DB) Seals() proof.SealStore { return sealStore{db} }

// LastSeal implements proof.SealStore.
func (s sealStore) LastSeal(ctx context.Context) (proof.Seal, error) {
	r, err := first[sealRow](s.db.reader(ctx).Order("id DESC"))
	if fault.Is(err, fault.NotFound) {
		return proof.Seal{}, nil
	}
	return r.seal(), err
}

// Batches implements proof.SealStore.
func (s sealStore) Batches(ctx context.Context, after int64, count int) ([]proof.Batch, error) {
	rows, err := find[batchRow](s.db.reader(ctx).Where("id > ?", after).Order("id").Limit(count))
	out := make([]proof.Batch, len(rows))
	for i, r := range rows {
		out[i] = r.batch()
	}
	return slices.Clip(out), err
}

// AddSeal implements proof.SealStore.
func (s sealStore) AddSeal(ctx context.Context, seal proof.Seal) error {
	return s.db.inTx(ctx, paymentTarget, "seal", func(t *tx) error {
		return insert(t.g, []sealRow{{seal.ID, seal.Day, seal.LastBatch, seal.Batches, seal.Entries, seal.Prev, seal.Hash, ms(seal.At)}})
	})
}
