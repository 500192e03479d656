package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"fanli/core/fault"
)

// The log of the web chats, a part of what the bot remembers.

type chatRow struct {
	Seq    int64 `gorm:"primaryKey"`
	Chat   string
	Body   []byte
	At     int64
	Asked  *string // the message that this is, or answers; nil for neither
	Answer bool
}

func (chatRow) TableName() string { return "bot_chats" }

// Append adds to the log of a chat and returns the place of what was added: places
// grow, over all chats, and who has seen one has seen all before it. asked is the id of
// the message that it is or, with answer, that it answers. Each is there once: a second
// one is not fresh, and the place is that of the first. "" is for neither.
func (m *Recall) Append(ctx context.Context, chat, asked string, answer bool, body []byte, now time.Time) (seq int64, fresh bool, err error) {
	err = m.write(ctx, func(g *gorm.DB) error {
		row := chatRow{Chat: chat, Body: []byte(m.db.vault.seal(body, "chat/"+chat)), At: ms(now), Answer: answer}
		if asked != "" {
			row.Asked = &asked
			old, err := first[chatRow](g.Select("seq").Where("chat = ? AND asked = ? AND answer = ?", chat, asked, answer))
			if err == nil {
				seq, fresh = old.Seq, false
				return nil
			}
			if !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		rows := []chatRow{row}
		err := insert(g, rows)
		seq, fresh = rows[0].Seq, true
		return err
	})
	return seq, fresh && err == nil, err
}

// Since returns at most count of what was added to a chat after a place, oldest
// first.
func (m *Recall) Since(ctx context.Context, chat string, after int64, count int) (seqs []int64, bodies [][]byte, err error) {
	rows, err := find[chatRow](m.db.reader(ctx).Where("chat = ? AND seq > ?", chat, after).Order("seq").Limit(count))
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		body, err := m.db.vault.open(string(r.Body), "chat/"+chat)
		if err != nil {
			return nil, nil, err
		}
		seqs, bodies = append(seqs, r.Seq), append(bodies, body)
	}
	return seqs, bodies, nil
}

// End returns the place of what was added last to any chat, 0 for nothing.
func (m *Recall) End(ctx context.Context) (seq int64, err error) {
	rows, err := find[chatRow](m.db.reader(ctx).Select("seq").Where("seq > ?", 0).Order("seq DESC").Limit(1))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].Seq, nil
}

// News returns the chats to which something was added after a place, and the place up
// to which it has looked, which is at most count entries further.
func (m *Recall) News(ctx context.Context, after int64, count int) (chats []string, last int64, err error) {
	rows, err := find[chatRow](m.db.reader(ctx).Select("seq", "chat").Where("seq > ?", after).Order("seq").Limit(count))
	if err != nil {
		return nil, after, err
	}
	last = after
	for _, r := range rows {
		last = r.Seq
		if !slices.Contains(chats, r.Chat) {
			chats = append(chats, r.Chat)
		}
	}
	return chats, last, nil
}

// Unanswered returns at most count messages without an answer that were sent in a
// span of time, until not included, oldest first: of one chat, or of all for "".
func (m *Recall) Unanswered(ctx context.Context, chat string, from, until time.Time, count int) (chats, asked []string, err error) {
	q := m.db.reader(ctx).Select("seq", "chat", "asked").Where("at >= ? AND at < ? AND asked IS NOT NULL AND answer = ?", ms(from), ms(until), false)
	if chat != "" {
		q = q.Where("chat = ?", chat)
	}
	q = q.Where("NOT EXISTS (SELECT 1 FROM bot_chats a WHERE a.chat = bot_chats.chat AND a.asked = bot_chats.asked AND a.answer = ?)", true)
	rows, err := find[chatRow](q.Order("seq").Limit(count))
	for _, r := range rows {
		chats, asked = append(chats, r.Chat), append(asked, *r.Asked)
	}
	return chats, asked, err
}
