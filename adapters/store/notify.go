package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fanli/core/notify"
)

type messageRow struct {
	ID         int64 `gorm:"primaryKey"`
	MessageKey string
	UserID     int64
	Kind       string
	Data       []byte
	At         int64
	Tries      int
	State      string
	NextAt     int64
	Trace      string
	Urgent     bool // it belongs to no topic
	Held       bool
	Reason     string
}

func (messageRow) TableName() string { return "notification_messages" }

func (r messageRow) message() notify.Message {
	return notify.Message{
		ID: r.ID, Key: r.MessageKey, User: r.UserID, Kind: notify.Kind(r.Kind), Data: r.Data,
		At: at(r.At), Tries: r.Tries, State: notify.State(r.State), Held: r.Held,
	}
}

type messageStore struct{ db *DB }

// InTx implements notify.Store.
func (s messageStore) InTx(ctx context.Context, fn func(notify.Tx) error) error {
	return s.db.inTx(ctx, notificationTarget, "notify", func(t *tx) error { return fn(messageTx{t}) })
}

// Waiting implements notify.Store: the oldest undelivered message of each user, where it
// is due, and the oldest urgent one of those whose oldest one is held.
func (s messageStore) Waiting(ctx context.Context, now time.Time, count int) ([]notify.Message, error) {
	rows, err := find[messageRow](s.db.reader(ctx).
		Where("id IN (SELECT MIN(id) FROM notification_messages WHERE state = 'waiting' GROUP BY user_id)").
		Where("next_at <= ?", ms(now)).Order("id").Limit(count))
	if err != nil {
		return nil, err
	}
	urgent, err := find[messageRow](s.db.reader(ctx).
		Where(`id IN (SELECT MIN(id) FROM notification_messages WHERE state = 'waiting' AND urgent = ? AND user_id IN (
			SELECT user_id FROM notification_messages WHERE state = 'waiting' AND held = 1) GROUP BY user_id)`, true).
		Where("next_at <= ?", ms(now)).Order("id").Limit(count))
	rows = append(rows, urgent...)
	slices.SortFunc(rows, func(a, b messageRow) int { return cmp.Compare(a.ID, b.ID) })
	rows = slices.CompactFunc(rows, func(a, b messageRow) bool { return a.ID == b.ID })
	rows = rows[:min(count, len(rows))]
	out := make([]notify.Message, len(rows))
	for i, r := range rows {
		out[i] = r.message()
	}
	return out, err
}

// Mark implements notify.Store.
func (s messageStore) Mark(ctx context.Context, id int64, o notify.Outcome) error {
	return s.db.inTx(ctx, notificationTarget, "notify", func(t *tx) error {
		return changedOne[messageRow](t.g.Model(&messageRow{}).Where("id = ?", id).Updates(map[string]any{
			"state": string(o.State), "tries": o.Tries, "next_at": ms(o.Next), "held": o.Held, "reason": cut(o.Reason),
		}))
	})
}

// MessageTrace returns the trace in which a message was written; "" for none.
func (db *DB) MessageTrace(ctx context.Context, id int64) (string, error) {
	r, err := first[messageRow](db.reader(ctx).Select("trace").Where("id = ?", id))
	return r.Trace, err
}

type messageTx struct{ *tx }

// Write implements notify.Tx.
func (t messageTx) Write(ms []notify.Message) error {
	rows := make([]messageRow, len(ms))
	for i, m := range ms {
		rows[i] = newMessageRow(m)
		rows[i].Trace = cut(t.trace)
	}
	return insert(t.g, rows, ignore())
}

func newMessageRow(m notify.Message) messageRow {
	return messageRow{
		MessageKey: m.Key, UserID: m.User, Kind: string(m.Kind), Data: blob(m.Data), At: ms(m.At), Tries: m.Tries, State: string(m.State),
		Urgent: m.Topic() == "",
	}
}

// prefixesMax bounds the prefixes of one statement: each is a range of the index.
const prefixesMax = 50

// Keys implements notify.Tx. Keys are compared byte by byte, and "0" comes after "/".
func (t messageTx) Keys(prefixes []string) (keys []string, err error) {
	for part := range slices.Chunk(prefixes, prefixesMax) {
		where, args := make([]string, len(part)), make([]any, 0, 2*len(part))
		for i, p := range part {
			where[i] = "message_key >= ? AND message_key < ?"
			args = append(args, p, strings.TrimSuffix(p, "/")+"0")
		}
		var some []string
		err := t.g.Table(messageRow{}.TableName()).Where(strings.Join(where, " OR "), args...).Order("message_key").Pluck("message_key", &some).Error
		if err != nil {
			return nil, classify("store.Keys", err)
		}
		keys = append(keys, some...)
	}
	return keys, nil
}
