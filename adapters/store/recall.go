package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"gorm.io/gorm"

	"fanli/core/cache"
	"fanli/core/fault"
)

// A Recall is what the bot remembers across restarts: its answers, the state of
// its dialogues, how far its channels have read, and what was said in the web
// chat. People write their payout accounts into chats and dialogues, so both are
// sealed.
//
// With a cache some of it is read from there. The database is the truth all the same:
// an answer never changes once it is kept, and the state of a dialogue counts only
// with the revision that the database names.
type Recall struct {
	db    *DB
	cache cache.Cache // nil for none
}

// Cached returns m with a cache before it. What is in it is sealed.
func (m *Recall) Cached(c cache.Cache) *Recall { return &Recall{m.db, c} }

// How long the cache keeps what the bot remembers.
const (
	answerTTL   = 10 * time.Minute // channels repeat a message within minutes
	dialogueTTL = time.Hour
)

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
	Rev    int64
}

func (dialogueRow) TableName() string { return "bot_dialogues" }

type markRow struct {
	Name  string `gorm:"primaryKey"`
	Value string
	Token int64
}

func (markRow) TableName() string { return "bot_marks" }

func (m *Recall) write(ctx context.Context, fn func(g *gorm.DB) error) error {
	return m.db.inTx(ctx, botTarget, "memory", func(t *tx) error { return fn(t.g) })
}

// Answer returns the answer that was kept for a message.
func (m *Recall) Answer(ctx context.Context, channel, id string) (answer []byte, ok bool, err error) {
	owner := answerOwner(channel, id)
	if answer, ok := m.look(ctx, owner); ok {
		return answer, true, nil
	}
	r, err := first[answerRow](m.db.reader(ctx).Where("channel = ? AND message_id = ?", channel, id))
	if fault.Is(err, fault.NotFound) {
		return nil, false, nil
	}
	if err == nil {
		m.put(ctx, owner, r.Answer, answerTTL)
	}
	return r.Answer, err == nil, err
}

// answerOwner binds a sealed answer to its message.
func answerOwner(channel, id string) string { return "answer/" + channel + "/" + id }

// KeepAnswer keeps it. A second one for the same message is ignored.
func (m *Recall) KeepAnswer(ctx context.Context, channel, id string, answer []byte, now time.Time) error {
	fresh := false
	err := m.write(ctx, func(g *gorm.DB) error {
		if m.cache != nil { // which must not hear of a second one
			_, err := first[answerRow](g.Where("channel = ? AND message_id = ?", channel, id))
			if fresh = fault.Is(err, fault.NotFound); err != nil && !fresh {
				return err
			}
		}
		return insert(g, []answerRow{{channel, id, blob(answer), ms(now)}}, ignore())
	})
	if err == nil && fresh {
		m.put(ctx, answerOwner(channel, id), answer, answerTTL)
	}
	return err
}

// look finds something sealed in the cache. What cannot be opened is not there.
func (m *Recall) look(ctx context.Context, owner string) ([]byte, bool) {
	if m.cache == nil {
		return nil, false
	}
	sealed, ok := m.cache.Get(ctx, cacheKey(owner))
	if !ok {
		return nil, false
	}
	plain, err := m.db.vault.open(string(sealed), owner)
	return plain, err == nil
}

// put seals something into the cache.
func (m *Recall) put(ctx context.Context, owner string, plain []byte, ttl time.Duration) {
	if m.cache != nil {
		m.cache.Set(ctx, cacheKey(owner), []byte(m.db.vault.seal(plain, owner)), ttl)
	}
}

// cacheKey names what belongs to owner without saying who that is. The number is that
// of the form of what is kept.
func cacheKey(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return "memory/1/" + hex.EncodeToString(sum[:16])
}

// Dialogue returns the state of a user's dialogue, nil for none, and its revision, 0
// as long as there never was one.
func (m *Recall) Dialogue(ctx context.Context, user int64) (state []byte, rev int64, err error) {
	q := m.db.reader(ctx).Where("user_id = ?", user)
	if m.cache != nil { // the state may be long, and is read only where it is not known
		r, err := first[dialogueRow](q.Session(&gorm.Session{}).Select("rev"))
		if fault.Is(err, fault.NotFound) {
			return nil, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if state, ok := m.look(ctx, dialogueAt(user, r.Rev)); ok {
			return ended(state), r.Rev, nil
		}
	}
	r, err := first[dialogueRow](q)
	if fault.Is(err, fault.NotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if state, err = m.db.vault.open(string(r.State), dialogueOwner(user)); err != nil {
		return nil, 0, err
	}
	m.put(ctx, dialogueAt(user, r.Rev), state, dialogueTTL)
	return ended(state), r.Rev, nil
}

// ended is nil for the state of a dialogue that has ended.
func ended(state []byte) []byte {
	if len(state) == 0 {
		return nil
	}
	return state
}

// dialogueOwner binds a sealed dialogue to its user.
func dialogueOwner(user int64) string { return "dialogue/" + strconv.FormatInt(user, 10) }

// dialogueAt binds it to its revision, too.
func dialogueAt(user, rev int64) string {
	return dialogueOwner(user) + "/" + strconv.FormatInt(rev, 10)
}

// SetDialogue keeps the state that follows revision rev; nil ends the dialogue, whose
// row stays, so that no revision comes twice. It fails with fault.Conflict if the
// dialogue is not at rev any more.
func (m *Recall) SetDialogue(ctx context.Context, user, rev int64, state []byte) error {
	err := m.write(ctx, func(g *gorm.DB) error {
		next := dialogueRow{user, []byte(m.db.vault.seal(state, dialogueOwner(user))), rev + 1}
		if rev == 0 {
			return insert(g, []dialogueRow{next})
		}
		r := g.Model(&dialogueRow{}).Where("user_id = ? AND rev = ?", user, rev).Updates(map[string]any{"state": next.State, "rev": next.Rev})
		if r.Error == nil && r.RowsAffected == 0 {
			return fault.Newf(fault.Conflict, "dialogue.moved", "it is not at revision %d any more", rev)
		}
		return classify("store.SetDialogue", r.Error)
	})
	if err == nil {
		m.put(ctx, dialogueAt(user, rev+1), state, dialogueTTL)
	}
	return err
}

// Mark returns how far something has been read, "" if it was never set.
func (m *Recall) Mark(ctx context.Context, name string) (string, error) {
	r, err := first[markRow](m.db.reader(ctx).Where("name = ?", name))
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return r.Value, err
}

// SetMark keeps it. token is that of the lease under which it is set: it fails with
// fault.Conflict where somebody with a later one has set it. 0 is for whoever needs no
// lease.
func (m *Recall) SetMark(ctx context.Context, name, value string, token int64) error {
	return m.write(ctx, func(g *gorm.DB) error {
		old, err := first[markRow](locked(g).Where("name = ?", name))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if token > 0 && token < old.Token {
			return fault.Newf(fault.Conflict, "mark.fenced", "%s was set under token %d; this is %d", name, old.Token, token)
		}
		return insert(g, []markRow{{name, value, max(token, old.Token)}}, upsert([]string{"name"}, "value", "token"))
	})
}
