package store

import (
	"context"
	"strconv"

	"fanli/core/fault"
	"fanli/core/user"
)

type userRow struct {
	ID       int64 `gorm:"primaryKey"`
	Level    int
	Locale   string
	JoinedAt int64
}

func (userRow) TableName() string { return "users" }

func (r userRow) user() user.User {
	return user.User{ID: r.ID, Level: r.Level, Locale: r.Locale, Joined: at(r.JoinedAt)}
}

type identityRow struct {
	Channel  string `gorm:"primaryKey"`
	External string `gorm:"primaryKey"`
	UserID   int64
	UsedAt   int64
}

func (identityRow) TableName() string { return "user_identities" }

type payeeRow struct {
	UserID int64 `gorm:"primaryKey;autoIncrement:false"`
	Sealed string
	Print  string
}

func (payeeRow) TableName() string { return "user_payees" }

// payeeOwner is what a user's payout account is bound to.
func payeeOwner(id int64) string { return "user/" + strconv.FormatInt(id, 10) }

type userStore struct{ db *DB }

// InTx implements user.Store.
func (s userStore) InTx(ctx context.Context, fn func(user.Tx) error) error {
	return s.db.inTx(ctx, userTarget, "user", func(t *tx) error { return fn(userTx{t}) })
}

// User implements user.Store.
func (s userStore) User(ctx context.Context, id int64) (user.User, error) {
	r, err := first[userRow](s.db.reader(ctx).Where("id = ?", id))
	return r.user(), err
}

// ByIdentity implements user.Store.
func (s userStore) ByIdentity(ctx context.Context, i user.Identity) (user.User, error) {
	r, err := first[identityRow](s.db.reader(ctx).Where("channel = ? AND external = ?", i.Channel, i.External))
	if err != nil {
		return user.User{}, err
	}
	return s.User(ctx, r.UserID)
}

// Identities implements user.Store.
func (s userStore) Identities(ctx context.Context, id int64) ([]user.Identity, error) {
	rows, err := find[identityRow](s.db.reader(ctx).Where("user_id = ?", id).Order("used_at DESC, channel, external"))
	var out []user.Identity
	for _, r := range rows {
		out = append(out, user.Identity{Channel: r.Channel, External: r.External})
	}
	return out, err
}

// Payee implements user.Store.
func (s userStore) Payee(ctx context.Context, id int64) (user.Payee, error) {
	r, err := first[payeeRow](s.db.reader(ctx).Where("user_id = ?", id))
	switch {
	case fault.Is(err, fault.NotFound):
		return user.Payee{}, nil
	case err != nil:
		return user.Payee{}, err
	default:
		return s.db.vault.openPayee(r.Sealed, payeeOwner(id))
	}
}

// Sharing implements user.Store.
func (s userStore) Sharing(ctx context.Context, id int64) (int, error) {
	r, err := first[payeeRow](s.db.reader(ctx).Where("user_id = ?", id))
	if fault.Is(err, fault.NotFound) || err == nil && r.Print == "" {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var n int64
	err = s.db.reader(ctx).Model(&payeeRow{}).Where("print = ? AND user_id <> ?", r.Print, id).Count(&n).Error
	return int(n), classify("store.Sharing", err)
}

type userTx struct{ *tx }

// Insert implements user.Tx.
func (t userTx) Insert(u user.User, i user.Identity) (int64, error) {
	rows := []userRow{{ID: u.ID, Level: u.Level, Locale: u.Locale, JoinedAt: ms(u.Joined)}}
	if err := insert(t.g, rows); err != nil {
		return 0, err
	}
	id := rows[0].ID
	return id, insert(t.g, []identityRow{{i.Channel, i.External, id, ms(u.Joined)}})
}

// SetLocale implements user.Tx.
func (t userTx) SetLocale(id int64, locale string) error {
	r := t.g.Model(&userRow{}).Where("id = ?", id).Update("locale", locale)
	return changedOne[userRow](r)
}

// SetPayee implements user.Tx.
func (t userTx) SetPayee(id int64, p user.Payee) error {
	if _, err := first[userRow](locked(t.g).Where("id = ?", id)); err != nil {
		return err
	}
	sealed, err := t.db.vault.sealPayee(p, payeeOwner(id))
	if err != nil {
		return err
	}
	return insert(t.g, []payeeRow{{id, sealed, t.db.vault.print(p)}}, upsert([]string{"user_id"}, "sealed", "print"))
}
