package store

import (
	"context"

	"fanli/core/user"
)

type codeRow struct {
	Code   string `gorm:"primaryKey"`
	UserID int64
}

func (codeRow) TableName() string { return "user_codes" }

type referralRow struct {
	UserID    int64 `gorm:"primaryKey;autoIncrement:false"`
	InviterID int64
	At        int64
}

func (referralRow) TableName() string { return "user_referrals" }

// Code implements user.Store.
func (s userStore) Code(ctx context.Context, id int64) (string, error) {
	r, err := first[codeRow](s.db.reader(ctx).Where("user_id = ?", id))
	return r.Code, err
}

// ByCode implements user.Store.
func (s userStore) ByCode(ctx context.Context, code string) (int64, error) {
	r, err := first[codeRow](s.db.reader(ctx).Where("code = ?", code))
	return r.UserID, err
}

// Invitation implements user.Store.
func (s userStore) Invitation(ctx context.Context, id int64) (user.Invitation, error) {
	r, err := first[referralRow](s.db.reader(ctx).Where("user_id = ?", id))
	return user.Invitation{User: r.UserID, Inviter: r.InviterID, At: at(r.At)}, err
}

// Invited implements user.Store.
func (s userStore) Invited(ctx context.Context, id int64) (int, error) {
	var n int64
	err := s.db.reader(ctx).Model(&referralRow{}).Where("inviter_id = ?", id).Count(&n).Error
	return int(n), classify(op[referralRow](), err)
}

// SetCode implements user.Tx.
func (t userTx) SetCode(id int64, code string) error { return insert(t.g, []codeRow{{code, id}}) }

// Bind implements user.Tx.
func (t userTx) Bind(i user.Invitation) error {
	return insert(t.g, []referralRow{{i.User, i.Inviter, ms(i.At)}})
}
