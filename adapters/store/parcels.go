package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/post"
)

// Post implements post.Store.
func (s *PostOffice) Post(ctx context.Context, now time.Time, ps []post.Parcel) error {
	return s.write(ctx, func(g *gorm.DB) error { return s.post(g, now, ps) })
}

func (s *PostOffice) post(g *gorm.DB, now time.Time, ps []post.Parcel) error {
	for _, p := range ps {
		row := parcelRow{
			ParcelKey: p.Key, Channel: p.Channel, Chat: p.Chat, External: p.External, Body: []byte(s.db.vault.seal(p.Body, parcelOwner(p.Key))),
			Quiet: p.Quiet, At: ms(p.At), ExpiresAt: ms(p.Expires), State: string(post.Waiting), Live: true,
		}
		var n int64
		if err := g.Model(&parcelRow{}).Where("parcel_key = ?", p.Key).Count(&n).Error; err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if err := insert(g, []parcelRow{row}); err != nil {
			return err
		}
		if err := due(g, post.Out, p.Channel, p.Chat, ms(now), p.Quiet); err != nil {
			return err
		}
	}
	return nil
}

// Begin implements post.Store.
func (s *PostOffice) Begin(ctx context.Context, holder string, p post.Parcel) error {
	return s.write(ctx, func(g *gorm.DB) error {
		if _, err := s.held(g, holder, post.Out, p.Channel, p.Chat); err != nil {
			return err
		}
		return missing(g.Model(&parcelRow{}).Where("seq = ? AND live = ?", p.Seq, true).
			Updates(map[string]any{"parts": p.Parts, "note": p.Note, "doubt": p.Doubt}))
	})
}

// Settle implements post.Store.
func (s *PostOffice) Settle(ctx context.Context, holder string, p post.Parcel, o post.Outcome) error {
	change := map[string]any{
		"state": string(p.State), "live": p.State.Open(), "parts": p.Parts, "doubt": p.Doubt, "note": p.Note, "tries": p.Tries, "reason": p.Reason,
	}
	if !p.State.Open() {
		change["ended_at"] = ms(o.Now)
	}
	if !p.State.Open() && !p.State.Dead() { // nobody will read it here
		change["body"] = []byte{}
	}
	leaves := o.Line != "" && p.State.Open()
	if leaves {
		change["chat"], change["expires_at"] = o.Line, ms(p.Expires)
	}
	return s.write(ctx, func(g *gorm.DB) error {
		l, err := s.held(g, holder, post.Out, p.Channel, p.Chat)
		if err != nil {
			return err
		}
		if err := missing(g.Model(&parcelRow{}).Where("seq = ? AND live = ?", p.Seq, true).Updates(change)); err != nil {
			return err
		}
		next := ms(o.Next)
		if !p.State.Open() || leaves {
			n, err := some[parcelRow](g, p.Channel, p.Chat)
			if err != nil {
				return err
			}
			next = n * ms(o.Now)
		}
		loud, err := find[parcelRow](g.Select("seq").Where("channel = ? AND chat = ? AND live = ? AND quiet = ?", p.Channel, p.Chat, true, false).Limit(1))
		if err != nil {
			return err
		}
		l.Quiet, l.Parked = len(loud) == 0, o.Parked && p.State.Open()
		if err := s.free(g, l, next); err != nil {
			return err
		}
		if leaves {
			if err := due(g, post.Out, p.Channel, o.Line, ms(o.Now), p.Quiet); err != nil {
				return err
			}
		}
		return s.post(g, o.Now, o.Instead)
	})
}

// Note implements post.Store.
func (s *PostOffice) Note(ctx context.Context, key string) (string, error) {
	rows, err := find[parcelRow](s.db.reader(ctx).Select("note").Where("parcel_key = ?", key).Limit(1))
	if err != nil || len(rows) == 0 {
		return "", classify("store.post", err)
	}
	return rows[0].Note, nil
}

// Sweep implements post.Store. Lanes in which nothing waits are forgotten, too.
func (s *PostOffice) Sweep(ctx context.Context, now, done, dead time.Time, count int) (n int, err error) {
	err = s.write(ctx, func(g *gorm.DB) error {
		over := map[string]any{"state": string(post.GivenUp), "live": false, "reason": post.Abandoned, "ended_at": ms(now)}
		if err := g.Model(&letterRow{}).Where("live = ? AND at < ?", true, ms(done)).Updates(over).Error; err != nil {
			return err
		}
		if err := g.Model(&parcelRow{}).Where("live = ? AND expires_at < ?", true, ms(done)).Updates(over).Error; err != nil {
			return err
		}
		letters, err := sweep[letterRow](g, done, dead, count)
		if err != nil {
			return err
		}
		parcels, err := sweep[parcelRow](g, done, dead, count)
		if err != nil {
			return err
		}
		n = letters + parcels
		return g.Where("due_at = 0 AND holder = ''").Delete(&laneRow{}).Error
	})
	return n, err
}

// sweep deletes at most count rows that ended before done, or before dead where they
// came to nothing.
func sweep[R row](g *gorm.DB, done, dead time.Time, count int) (int, error) {
	var seqs []int64
	var r R
	for _, of := range []struct {
		states []string
		before time.Time
	}{{good(), done}, {deadStates(), dead}} {
		var some []int64
		err := g.Table(r.TableName()).Where("live = ? AND state IN ? AND ended_at < ?", false, of.states, ms(of.before)).
			Order("ended_at").Limit(min(count, inMax)-len(seqs)).Pluck("seq", &some).Error
		if seqs = append(seqs, some...); err != nil {
			return 0, classify("store.Sweep", err)
		}
	}
	if len(seqs) == 0 {
		return 0, nil
	}
	return len(seqs), g.Where("seq IN ?", padded(g, seqs)).Delete(&r).Error
}

func good() []string {
	return []string{string(post.Done), string(post.Sent), string(post.Moved), string(post.Gone)}
}
func deadStates() []string { return []string{string(post.GivenUp), string(post.Unknown)} }
