package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"fanli/core/event"
	"fanli/core/post"
)

func (r letterRow) item() post.Item {
	return post.Item{
		Side: post.In, Seq: r.Seq, Key: r.LetterID, Channel: r.Channel, State: post.State(r.State), Reason: r.Reason, Tries: r.Tries,
		At: at(r.At), Ended: at(r.EndedAt),
	}
}

func (r parcelRow) item() post.Item {
	return post.Item{
		Side: post.Out, Seq: r.Seq, Key: r.ParcelKey, Channel: r.Channel, State: post.State(r.State), Reason: r.Reason, Tries: r.Tries,
		Parts: r.Parts, Doubt: r.Doubt, At: at(r.At), Expires: at(r.ExpiresAt), Ended: at(r.EndedAt),
	}
}

// An itemRow is a letterRow or a parcelRow.
type itemRow interface {
	row
	item() post.Item
}

// Items implements post.Desk.
func (s *PostOffice) Items(ctx context.Context, f post.Filter) ([]post.Item, error) {
	q := s.db.reader(ctx).Where("seq > ?", f.After).Order("seq").Limit(f.Count)
	if f.Dead {
		q = q.Where("live = ? AND state IN ?", false, deadStates())
	} else {
		q = q.Where("live = ?", true)
	}
	if f.Channel != "" {
		q = q.Where("channel = ?", f.Channel)
	}
	if f.Side == post.In {
		return items[letterRow](q.Omit("payload"))
	}
	return items[parcelRow](q.Omit("body"))
}

func items[R itemRow](q *gorm.DB) ([]post.Item, error) {
	rows, err := find[R](q)
	var out []post.Item
	for _, r := range rows {
		out = append(out, r.item())
	}
	return out, err
}

// Item implements post.Desk.
func (s *PostOffice) Item(ctx context.Context, side post.Side, seq int64) (post.Item, error) {
	q := s.db.reader(ctx).Where("seq = ?", seq)
	if side == post.In {
		r, err := first[letterRow](q)
		return r.item(), err
	}
	r, err := first[parcelRow](q)
	return r.item(), err
}

// act runs fn in a transaction in which something is said.
func (s *PostOffice) act(ctx context.Context, act event.Event, fn func(g *gorm.DB) error) error {
	return s.db.inTx(ctx, botTarget, "post", func(t *tx) error {
		if err := fn(t.g); err != nil {
			return classify("store.post", err)
		}
		if act.ID == "" {
			return nil
		}
		return t.Emit(act)
	})
}

// Read implements post.Desk.
func (s *PostOffice) Read(ctx context.Context, side post.Side, seq int64, act event.Event) (body []byte, err error) {
	err = s.act(ctx, act, func(g *gorm.DB) (err error) {
		body, err = s.body(g.Where("seq = ?", seq), side)
		return err
	})
	return body, err
}

func (s *PostOffice) body(q *gorm.DB, side post.Side) ([]byte, error) {
	var sealed, owner string
	if side == post.In {
		r, err := first[letterRow](q)
		if err != nil {
			return nil, err
		}
		sealed, owner = string(r.Payload), letterOwner(r.Channel, r.LetterID)
	} else {
		r, err := first[parcelRow](q)
		if err != nil {
			return nil, err
		}
		sealed, owner = string(r.Body), parcelOwner(r.ParcelKey)
	}
	if sealed == "" {
		return nil, nil
	}
	return s.db.vault.open(sealed, owner)
}

// Retry implements post.Desk.
func (s *PostOffice) Retry(ctx context.Context, side post.Side, seq int64, now, expires time.Time, act event.Event) error {
	return s.act(ctx, act, func(g *gorm.DB) error {
		change := map[string]any{"state": string(post.Waiting), "live": true, "tries": 0, "ended_at": 0}
		if side == post.In {
			r, err := first[letterRow](dead(g, seq))
			if err != nil {
				return err
			}
			if err := g.Model(&letterRow{}).Where("seq = ?", seq).Updates(change).Error; err != nil {
				return err
			}
			return due(g, side, r.Channel, r.Chat, ms(now), false)
		}
		r, err := first[parcelRow](dead(g, seq))
		if err != nil {
			return err
		}
		change["expires_at"] = ms(expires)
		if err := g.Model(&parcelRow{}).Where("seq = ?", seq).Updates(change).Error; err != nil {
			return err
		}
		return due(g, side, r.Channel, r.Chat, ms(now), false)
	})
}

// dead selects what is dead.
func dead(g *gorm.DB, seq int64) *gorm.DB {
	return g.Where("seq = ? AND live = ? AND state IN ?", seq, false, deadStates())
}

// Discard implements post.Desk.
func (s *PostOffice) Discard(ctx context.Context, side post.Side, seq int64, act event.Event) error {
	return s.act(ctx, act, func(g *gorm.DB) error {
		if side == post.In {
			return missing(dead(g, seq).Delete(&letterRow{}))
		}
		return missing(dead(g, seq).Delete(&parcelRow{}))
	})
}

// Depths implements post.Desk.
func (s *PostOffice) Depths(ctx context.Context) ([]post.Depth, error) {
	byKey := map[post.Depth]post.Depth{}
	for side, table := range map[post.Side]string{post.In: letterRow{}.TableName(), post.Out: parcelRow{}.TableName()} {
		for _, dead := range []bool{false, true} {
			var some []struct {
				Channel   string
				N, Oldest int64
			}
			q := s.db.reader(ctx).Table(table).Where("live = ?", !dead)
			if dead {
				q = q.Where("state IN ?", deadStates())
			}
			if err := q.Group("channel").Select("channel, COUNT(*) AS n, MIN(at) AS oldest").Find(&some).Error; err != nil {
				return nil, classify("store.Depths", err)
			}
			for _, r := range some {
				k := post.Depth{Channel: r.Channel, Side: side}
				d := byKey[k]
				if d.Channel, d.Side = r.Channel, side; dead {
					d.Dead = r.N
				} else {
					d.Waiting, d.Oldest = r.N, at(r.Oldest)
				}
				byKey[k] = d
			}
		}
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b post.Depth) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Side, b.Side))
	}), nil
}
