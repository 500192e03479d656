package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gorm.io/gorm"

	"fanli/core/link"
)

type waitingRow struct {
	ID       int64 `gorm:"primaryKey"`
	UserID   int64
	RefKey   string // of what was pasted: a network's own texts are longer than a key may be
	Channel  string
	External string
	Chat     string
	Ref      string
	At       int64
	UntilAt  int64
	NextAt   int64
	Tries    int
}

func (waitingRow) TableName() string { return "bot_waiting" }

func (r waitingRow) waiting() (link.Waiting, error) {
	w := link.Waiting{
		ID: r.ID, User: r.UserID, Channel: r.Channel, External: r.External, Chat: r.Chat,
		At: at(r.At), Until: at(r.UntilAt), NextAt: at(r.NextAt), Tries: r.Tries,
	}
	return w, parse(r.Ref, &w.Ref)
}

// Waiting returns the links that wait for their network.
func (db *DB) Waiting() link.Waitlist { return waitlist{db} }

type waitlist struct{ db *DB }

func (s waitlist) write(ctx context.Context, fn func(g *gorm.DB) error) error {
	return s.db.inTx(ctx, botTarget, "waiting", func(t *tx) error { return fn(t.g) })
}

// Wait implements link.Waitlist.
func (s waitlist) Wait(ctx context.Context, w link.Waiting, perUser, all int) (kept bool, err error) {
	ref, err := text(w.Ref)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256([]byte(w.Ref.Key()))
	row := waitingRow{
		0, w.User, hex.EncodeToString(sum[:]), w.Channel, w.External, w.Chat, ref, ms(w.At), ms(w.Until), ms(w.NextAt), w.Tries,
	}
	err = s.write(ctx, func(g *gorm.DB) error {
		theirs, err := find[waitingRow](g.Where("user_id = ?", w.User))
		if err != nil {
			return err
		}
		kept = false
		for _, t := range theirs {
			kept = kept || t.RefKey == row.RefKey
		}
		if kept || len(theirs) >= perUser {
			return nil
		}
		var count int64
		if err := g.Model(&waitingRow{}).Count(&count).Error; err != nil || count >= int64(all) {
			return classify("store.Wait", err)
		}
		kept = true
		return insert(g, []waitingRow{row})
	})
	return kept && err == nil, err
}

// Due implements link.Waitlist.
func (s waitlist) Due(ctx context.Context, now time.Time, count int) (out []link.Waiting, err error) {
	rows, err := find[waitingRow](s.db.reader(ctx).Where("next_at <= ? OR until_at <= ?", ms(now), ms(now)).Order("id").Limit(count))
	for _, r := range rows {
		w, err := r.waiting()
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, err
}

// PutOff implements link.Waitlist.
func (s waitlist) PutOff(ctx context.Context, id int64, next time.Time) error {
	return s.write(ctx, func(g *gorm.DB) error {
		return classify("store.PutOff", g.Model(&waitingRow{}).Where("id = ?", id).
			Updates(map[string]any{"next_at": ms(next), "tries": gorm.Expr("tries + 1")}).Error)
	})
}

// Done implements link.Waitlist.
func (s waitlist) Done(ctx context.Context, id int64) error {
	return s.write(ctx, func(g *gorm.DB) error {
		return classify("store.Done", g.Where("id = ?", id).Delete(&waitingRow{}).Error)
	})
}
