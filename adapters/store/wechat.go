package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/fault"
)

// What is kept of the people who write in WeChat: a part of what the bot remembers. Their
// ids are kept as identities are; what people were offered and sent is sealed.

// A WechatBook is what packages bot/wechat and bot/kf keep, each of its own people.
type WechatBook struct {
	db *DB
	in string // before ids: whose people they are
}

// WechatBook returns that of the official account.
func (db *DB) WechatBook() *WechatBook { return &WechatBook{db: db} }

// KfBook returns that of WeCom's customer service.
func (db *DB) KfBook() *WechatBook { return &WechatBook{db: db, in: "kf/"} }

type wechatFollowerRow struct {
	Openid string `gorm:"primaryKey"`
	State  []byte
	Rev    int64
}

func (wechatFollowerRow) TableName() string { return "bot_wechat_followers" }

type wechatParkedRow struct {
	ID      int64 `gorm:"primaryKey"`
	Openid  string
	ParkKey string
	Body    []byte
	Told    string
	At      int64
}

func (wechatParkedRow) TableName() string { return "bot_wechat_parked" }

type wechatWayRow struct {
	MessageID string `gorm:"primaryKey"`
	Way       string
	At        int64
}

func (wechatWayRow) TableName() string { return "bot_wechat_ways" }

func (b *WechatBook) write(ctx context.Context, fn func(g *gorm.DB) error) error {
	return b.db.inTx(ctx, botTarget, "wechat", func(t *tx) error { return fn(t.g) })
}

// Each sealed text is bound to its person.
func wechatOwner(openid string) string  { return "wechat/" + openid }
func wechatNotice(openid string) string { return "wechat/notice/" + openid }

// Follower returns what is kept of a person and its revision; nil and 0 for nothing.
func (b *WechatBook) Follower(ctx context.Context, openid string) (state []byte, rev int64, err error) {
	openid = b.in + openid
	r, err := first[wechatFollowerRow](b.db.reader(ctx).Where("openid = ?", openid))
	if fault.Is(err, fault.NotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	state, err = b.db.vault.open(string(r.State), wechatOwner(openid))
	return state, r.Rev, err
}

// SetFollower keeps what follows revision rev. It fails with fault.Conflict if that is
// not the newest.
func (b *WechatBook) SetFollower(ctx context.Context, openid string, rev int64, state []byte) error {
	openid = b.in + openid
	next := wechatFollowerRow{openid, []byte(b.db.vault.seal(state, wechatOwner(openid))), rev + 1}
	return b.write(ctx, func(g *gorm.DB) error {
		if rev == 0 {
			return insert(g, []wechatFollowerRow{next})
		}
		r := g.Model(&wechatFollowerRow{}).Where("openid = ? AND rev = ?", openid, rev).Updates(map[string]any{"state": next.State, "rev": next.Rev})
		if r.Error == nil && r.RowsAffected == 0 {
			return fault.Newf(fault.Conflict, "follower.moved", "it is not at revision %d any more", rev)
		}
		return classify("store.SetFollower", r.Error)
	})
}

// Park keeps a notice until its person writes, once for each key.
func (b *WechatBook) Park(ctx context.Context, openid, key string, body []byte, now time.Time) error {
	return b.park(ctx, openid, key, "", body, now)
}

func (b *WechatBook) park(ctx context.Context, openid, key, told string, body []byte, now time.Time) error {
	openid = b.in + openid
	row := wechatParkedRow{0, openid, key, []byte(b.db.vault.seal(body, wechatNotice(openid))), told, ms(now)}
	return b.write(ctx, func(g *gorm.DB) error { return insert(g, []wechatParkedRow{row}, ignore()) })
}

// sent stands where the message does with whose answer a notice went, for what was sent
// without one. No message has such an id.
const sent = "-"

// Sent keeps what is being sent under a key, once for each.
func (b *WechatBook) Sent(ctx context.Context, openid, key string, body []byte, now time.Time) error {
	return b.park(ctx, openid, key, sent, body, now)
}

// Unsent lets wait what was sent under a key, and reports whether there is any.
func (b *WechatBook) Unsent(ctx context.Context, openid, key string) (found bool, err error) {
	err = b.write(ctx, func(g *gorm.DB) error {
		r := g.Model(&wechatParkedRow{}).Where("park_key = ? AND openid = ? AND told = ?", key, b.in+openid, sent).Update("told", "")
		found = r.RowsAffected > 0
		return classify("store.Unsent", r.Error)
	})
	return found, err
}

// Tell returns the notices that go with the answer to a message, of which it is certain
// that it arrives: those that went before, or else the oldest that wait; and how many
// more wait.
func (b *WechatBook) Tell(ctx context.Context, openid, message string, count int) (ids []int64, bodies [][]byte, waiting int, err error) {
	openid = b.in + openid
	// Nearly nobody has any: that costs a look and no transaction.
	some, err := find[wechatParkedRow](b.db.reader(ctx).Select("id").Where("openid = ? AND told IN ?", openid, []string{"", message}).Limit(1))
	if err != nil || len(some) == 0 {
		return nil, nil, 0, err
	}
	var rows []wechatParkedRow
	err = b.write(ctx, func(g *gorm.DB) error {
		var all int64
		if err := g.Model(&wechatParkedRow{}).Where("openid = ? AND told = ?", openid, "").Count(&all).Error; err != nil {
			return classify("store.Tell", err)
		}
		waiting = int(all)
		if rows, err = find[wechatParkedRow](g.Where("openid = ? AND told = ?", openid, message).Order("id")); err != nil || len(rows) > 0 {
			return err
		}
		if rows, err = find[wechatParkedRow](g.Where("openid = ? AND told = ?", openid, "").Order("id").Limit(count)); err != nil {
			return err
		}
		waiting -= len(rows)
		return classify("store.Tell", g.Model(&wechatParkedRow{}).Where("id IN ?", idsOfParked(rows)).Update("told", message).Error)
	})
	if err != nil {
		return nil, nil, 0, err
	}
	bodies, err = b.bodies(openid, rows)
	return idsOfParked(rows), bodies, waiting, err
}

// Before the id of a message: what its answer told may not have been seen.
const (
	unwritten = "?" // nobody has said that it was written
	doubtful  = "!" // it was written, and asked for again
)

// TellWith is Tell for answers of which nobody knows whether they arrive: what went with
// another message goes again, unless Told was called for that, and that alone. What is
// asked for after it was told has not arrived.
func (b *WechatBook) TellWith(ctx context.Context, openid, message string, count int) (ids []int64, bodies [][]byte, waiting int, err error) {
	openid = b.in + openid
	mine := []string{message, unwritten + message, doubtful + message}
	free := func(g *gorm.DB) *gorm.DB {
		return g.Where("openid = ?", openid).Where(g.Session(&gorm.Session{NewDB: true}).
			Where("told = ?", "").Or("told LIKE ?", unwritten+"%").Or("told LIKE ?", doubtful+"%")).Where("told NOT IN ?", mine)
	}
	own := func(g *gorm.DB) *gorm.DB { return g.Where("openid = ? AND told IN ?", openid, mine) }
	// Nearly nobody has any: that costs a look and no transaction.
	for _, these := range []func(*gorm.DB) *gorm.DB{own, free} {
		some, err := find[wechatParkedRow](these(b.db.reader(ctx).Select("id")).Limit(1))
		if err != nil {
			return nil, nil, 0, err
		}
		waiting += len(some)
	}
	if waiting == 0 {
		return nil, nil, 0, nil
	}
	var rows []wechatParkedRow
	err = b.write(ctx, func(g *gorm.DB) error {
		var all int64
		if err := free(g.Model(&wechatParkedRow{})).Count(&all).Error; err != nil {
			return classify("store.Tell", err)
		}
		waiting = int(all)
		if rows, err = find[wechatParkedRow](own(g).Order("id")); err != nil {
			return err
		}
		if len(rows) > 0 {
			return retell(g, openid, message, doubtful+message)
		}
		if rows, err = find[wechatParkedRow](free(g).Order("id").Limit(count)); err != nil {
			return err
		}
		waiting -= len(rows)
		return classify("store.Tell", g.Model(&wechatParkedRow{}).Where("id IN ?", idsOfParked(rows)).Update("told", unwritten+message).Error)
	})
	if err != nil {
		return nil, nil, 0, err
	}
	bodies, err = b.bodies(openid, rows)
	return idsOfParked(rows), bodies, waiting, err
}

// Told says that the answer to a message was written, with what it told.
func (b *WechatBook) Told(ctx context.Context, openid, message string) error {
	return b.write(ctx, func(g *gorm.DB) error { return retell(g, b.in+openid, unwritten+message, message) })
}

// retell changes with what notices went.
func retell(g *gorm.DB, openid, from, to string) error {
	return classify("store.Told", g.Model(&wechatParkedRow{}).Where("openid = ? AND told = ?", openid, from).Update("told", to).Error)
}

func idsOfParked(rows []wechatParkedRow) []int64 {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

// bodies opens what notices say.
func (b *WechatBook) bodies(openid string, rows []wechatParkedRow) (bodies [][]byte, err error) {
	for _, r := range rows {
		body, err := b.db.vault.open(string(r.Body), wechatNotice(openid))
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// Untell lets notices wait again.
func (b *WechatBook) Untell(ctx context.Context, ids []int64) error {
	return b.write(ctx, func(g *gorm.DB) error {
		return classify("store.Untell", g.Model(&wechatParkedRow{}).Where("id IN ?", ids).Update("told", "").Error)
	})
}

// Decide says which way the answer to a message goes: as who asks first wants.
func (b *WechatBook) Decide(ctx context.Context, message, way string, now time.Time) (decided string, err error) {
	old, err := first[wechatWayRow](b.db.reader(ctx).Where("message_id = ?", message))
	if err == nil || !fault.Is(err, fault.NotFound) {
		return old.Way, err
	}
	err = b.write(ctx, func(g *gorm.DB) error {
		if err := insert(g, []wechatWayRow{{message, way, ms(now)}}, ignore()); err != nil {
			return err
		}
		r, err := first[wechatWayRow](g.Where("message_id = ?", message))
		decided = r.Way
		return err
	})
	return decided, err
}

// Sweep forgets which way answers went before a time, and what was told or waited in
// vain: at most count of each.
func (b *WechatBook) Sweep(ctx context.Context, ways, told, waiting time.Time, count int) (int, error) {
	n := 0
	err := b.write(ctx, func(g *gorm.DB) error {
		old, err := find[wechatWayRow](g.Select("message_id").Where("at < ?", ms(ways)).Order("at").Limit(count))
		if err != nil {
			return err
		}
		ids := make([]string, len(old))
		for i, r := range old {
			ids[i] = r.MessageID
		}
		rows, err := find[wechatParkedRow](g.Select("id").
			Where("at < ? OR at < ? AND told <> ? AND told NOT LIKE ? AND told NOT LIKE ?", ms(waiting), ms(told), "", unwritten+"%", doubtful+"%").
			Order("at").Limit(count))
		if err != nil {
			return err
		}
		parked := idsOfParked(rows)
		if n = len(ids) + len(parked); n == 0 {
			return nil
		}
		if err := g.Where("message_id IN ?", ids).Delete(&wechatWayRow{}).Error; err != nil {
			return classify("store.Sweep", err)
		}
		return classify("store.Sweep", g.Where("id IN ?", parked).Delete(&wechatParkedRow{}).Error)
	})
	return n, err
}
