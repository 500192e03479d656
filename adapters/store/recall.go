package store

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"fanli/core/fault"
)

// A Recall is what the bot remembers across restarts: its answers, the state of
// its dialogues, how far its channels have read, and what was said in the web
// chat. People write their payout accounts into chats and dialogues, so both are
// sealed.
type Recall struct{ db *DB }

type answerRow struct {
	Channel   string `gorm:"primaryKey"`
	MessageID string `gorm:"primaryKey"`
	Answer    []byte
	At        int64
}

func (answerRow) TableName() string { return "bot_answers" }

type dialogueRow struct {
	UserID int64 `gorm:"primaryKey;autoIncrement:false"`
	State  []byte
}

func (dialogueRow) TableName() string { return "bot_dialogues" }

type markRow struct {
	Name  string `gorm:"primaryKey"`
	Value string
}

func (markRow) TableName() string { return "bot_marks" }

type chatRow struct {
	Seq  int64 `gorm:"primaryKey"`
	Chat string
	Body []byte
	At   int64
}

func (chatRow) TableName() string { return "bot_chats" }

func (m *Recall) write(ctx context.Context, fn func(g *gorm.DB) error) error {
	return m.db.inTx(ctx, botTarget, "memory", func(t *tx) error { return fn(t.g) })
}

// Answer returns the answer that was kept for a message.
func (m *Recall) Answer(ctx context.Context, channel, id string) (answer []byte, ok bool, err error) {
	r, err := first[answerRow](m.db.reader(ctx).Where("channel = ? AND message_id = ?", channel, id))
	if fault.Is(err, fault.NotFound) {
		return nil, false, nil
	}
	return r.Answer, err == nil, err
}

// KeepAnswer keeps it. A second one for the same message is ignored.
func (m *Recall) KeepAnswer(ctx context.Context, channel, id string, answer []byte, now time.Time) error {
	return m.write(ctx, func(g *gorm.DB) error {
		return insert(g, []answerRow{{channel, id, blob(answer), ms(now)}}, ignore())
	})
}

// Dialogue returns the state of a user's dialogue, nil for none.
func (m *Recall) Dialogue(ctx context.Context, user int64) ([]byte, error) {
	r, err := first[dialogueRow](m.db.reader(ctx).Where("user_id = ?", user))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return m.db.vault.open(string(r.State), dialogueOwner(user))
}

// dialogueOwner binds a sealed dialogue to its user.
func dialogueOwner(user int64) string { return "dialogue/" + strconv.FormatInt(user, 10) }

// SetDialogue keeps it; nil ends it.
func (m *Recall) SetDialogue(ctx context.Context, user int64, state []byte) error {
	return m.write(ctx, func(g *gorm.DB) error {
		if state == nil {
			return classify("store.SetDialogue", g.Where("user_id = ?", user).Delete(&dialogueRow{}).Error)
		}
		return insert(g, []dialogueRow{{user, []byte(m.db.vault.seal(state, dialogueOwner(user)))}}, upsert([]string{"user_id"}, "state"))
	})
}

// Mark returns how far something has been read, "" if it was never set.
func (m *Recall) Mark(ctx context.Context, name string) (string, error) {
	r, err := first[markRow](m.db.reader(ctx).Where("name = ?", name))
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return r.Value, err
}

// SetMark keeps it.
func (m *Recall) SetMark(ctx context.Context, name, value string) error {
	return m.write(ctx, func(g *gorm.DB) error {
		return insert(g, []markRow{{name, value}}, upsert([]string{"name"}, "value"))
	})
}

// Append adds to the log of a chat and returns the place of what was added:
// places grow, over all chats.
func (m *Recall) Append(ctx context.Context, chat string, body []byte, now time.Time) (seq int64, err error) {
	err = m.write(ctx, func(g *gorm.DB) error {
		rows := []chatRow{{0, chat, []byte(m.db.vault.seal(body, "chat/"+chat)), ms(now)}}
		err := insert(g, rows)
		seq = rows[0].Seq
		return err
	})
	return seq, err
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
