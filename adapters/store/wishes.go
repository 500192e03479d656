package store

import (
	"context"
	"slices"
	"strings"

	"fanli/core/notify"
	"fanli/core/user"
)

type noticesRow struct {
	UserID    int64 `gorm:"primaryKey;autoIncrement:false"`
	Muted     string
	QuietFrom int
	QuietTo   int
}

func (noticesRow) TableName() string { return "user_notices" }

func (r noticesRow) notices() user.Notices {
	n := user.Notices{Quiet: user.Quiet{From: r.QuietFrom, To: r.QuietTo}}
	muted := strings.Split(r.Muted, ",")
	for _, t := range user.Topics() { // one of another version is none here
		if slices.Contains(muted, string(t)) {
			n.Off = append(n.Off, t)
		}
	}
	return n
}

// Notices implements user.Store.
func (s userStore) Notices(ctx context.Context, id int64) (user.Notices, error) {
	r, err := first[noticesRow](s.db.reader(ctx).Where("user_id = ?", id))
	return r.notices(), err
}

// Notices implements user.Tx.
func (t userTx) Notices(id int64) (user.Notices, error) {
	r, err := first[noticesRow](locked(t.g).Where("user_id = ?", id))
	return r.notices(), err
}

// SetNotices implements user.Tx.
func (t userTx) SetNotices(id int64, n user.Notices) error {
	if _, err := first[userRow](locked(t.g).Where("id = ?", id)); err != nil {
		return err
	}
	muted := make([]string, len(n.Off))
	for i, topic := range n.Off {
		muted[i] = string(topic)
	}
	row := noticesRow{id, strings.Join(muted, ","), n.Quiet.From, n.Quiet.To}
	return insert(t.g, []noticesRow{row}, upsert([]string{"user_id"}, "muted", "quiet_from", "quiet_to"))
}

// Told implements notify.Store. Keys are compared byte by byte, and "0" comes after "/".
func (s messageStore) Told(ctx context.Context, prefix string) (keys []string, err error) {
	err = s.db.reader(ctx).Table(messageRow{}.TableName()).
		Where("message_key >= ? AND message_key < ? AND state = ?", prefix, strings.TrimSuffix(prefix, "/")+"0", string(notify.Sent)).
		Order("message_key").Pluck("message_key", &keys).Error
	return keys, classify("store.Told", err)
}

// Untold implements notify.Store.
func (s messageStore) Untold(ctx context.Context, userID, before int64, count int) ([]notify.Untold, error) {
	q := s.db.reader(ctx).Where("state = 'given_up'").Order("id DESC").Limit(count)
	if userID != 0 {
		q = q.Where("user_id = ?", userID)
	}
	if before != 0 {
		q = q.Where("id < ?", before)
	}
	rows, err := find[messageRow](q)
	out := make([]notify.Untold, len(rows))
	for i, r := range rows {
		out[i] = notify.Untold{ID: r.ID, User: r.UserID, Kind: notify.Kind(r.Kind), At: at(r.At), Tries: r.Tries, Reason: r.Reason}
	}
	return out, err
}
