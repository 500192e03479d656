package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/fault"
	"fanli/core/post"
)

type letterRow struct {
	Seq      int64 `gorm:"primaryKey"`
	Channel  string
	LetterID string
	Chat     string
	Payload  []byte // sealed: people write their payout accounts
	At       int64
	State    string
	Live     bool
	Tries    int
	Reason   string
	EndedAt  int64
}

func (letterRow) TableName() string { return "bot_letters" }

type parcelRow struct {
	Seq       int64 `gorm:"primaryKey"`
	ParcelKey string
	Channel   string
	Chat      string
	External  string
	Body      []byte // sealed: answers repeat them
	Quiet     bool
	At        int64
	ExpiresAt int64
	State     string
	Live      bool
	Parts     int
	Doubt     bool
	Note      string
	Tries     int
	Reason    string
	EndedAt   int64
}

func (parcelRow) TableName() string { return "bot_parcels" }

// A laneRow is one side of a chat. DueAt is 0 where nothing waits.
type laneRow struct {
	Side    string `gorm:"primaryKey"`
	Channel string `gorm:"primaryKey"`
	Chat    string `gorm:"primaryKey"`
	DueAt   int64
	Turns   int64
	Quiet   bool
	Parked  bool
	Warned  bool
	Holder  string
	UntilAt int64
}

func (laneRow) TableName() string { return "bot_lanes" }

// PostOffice returns what keeps letters and parcels.
func (db *DB) PostOffice() *PostOffice { return &PostOffice{db} }

// A PostOffice keeps letters and parcels, and shows them to operators.
type PostOffice struct{ db *DB }

var (
	_ post.Store = (*PostOffice)(nil)
	_ post.Desk  = (*PostOffice)(nil)
)

func (s *PostOffice) write(ctx context.Context, fn func(g *gorm.DB) error) error {
	return s.db.inTx(ctx, botTarget, "post", func(t *tx) error { return classify("store.post", fn(t.g)) })
}

// Receive implements post.Store.
func (s *PostOffice) Receive(ctx context.Context, l post.Letter, most int) (r post.Receipt, err error) {
	row := letterRow{
		Channel: l.Channel, LetterID: l.ID, Chat: l.Chat, Payload: []byte(s.db.vault.seal(l.Payload, letterOwner(l.Channel, l.ID))),
		At: ms(l.At), State: string(post.Waiting), Live: true,
	}
	err = s.write(ctx, func(g *gorm.DB) error {
		var n int64
		err := g.Model(&letterRow{}).Where("channel = ? AND letter_id = ?", l.Channel, l.ID).Count(&n).Error
		if r = post.Known; err != nil || n > 0 {
			return err
		}
		waiting, err := find[letterRow](g.Select("seq").Where("channel = ? AND chat = ? AND live = ?", l.Channel, l.Chat, true).Limit(most))
		if r = post.Full; err != nil || len(waiting) >= most {
			return err
		}
		r = post.Fresh
		if err := insert(g, []letterRow{row}); err != nil {
			return err
		}
		if err := due(g, post.In, l.Channel, l.Chat, ms(l.At), false); err != nil {
			return err
		}
		return g.Model(&laneRow{}).Where("side = ? AND channel = ? AND chat = ? AND parked = ?", string(post.Out), l.Channel, l.Chat, true).
			Updates(map[string]any{"parked": false, "due_at": ms(l.At)}).Error
	})
	return r, err
}

// due makes a lane due, unless it is already or waits for something. It is quiet as long
// as everything is that waits in it.
func due(g *gorm.DB, side post.Side, channel, chat string, now int64, quiet bool) error {
	l, err := lane(g, side, channel, chat)
	change := map[string]any{"due_at": now, "turns": 0, "quiet": quiet}
	switch {
	case fault.Is(err, fault.NotFound):
		return insert(g, []laneRow{{Side: string(side), Channel: channel, Chat: chat, DueAt: now, Quiet: quiet}})
	case err != nil || l.DueAt != 0 && (quiet || !l.Quiet):
		return err
	case l.DueAt != 0:
		change = map[string]any{"quiet": false}
	}
	return ofLane(g, side, channel, chat).Updates(change).Error
}

func lane(g *gorm.DB, side post.Side, channel, chat string) (laneRow, error) {
	return first[laneRow](g.Where("side = ? AND channel = ? AND chat = ?", string(side), channel, chat))
}

func ofLane(g *gorm.DB, side post.Side, channel, chat string) *gorm.DB {
	return g.Model(&laneRow{}).Where("side = ? AND channel = ? AND chat = ?", string(side), channel, chat)
}

// Warn implements post.Store.
func (s *PostOffice) Warn(ctx context.Context, p post.Parcel) (warned bool, err error) {
	err = s.write(ctx, func(g *gorm.DB) error {
		r := ofLane(g, post.In, p.Channel, p.Chat).Where("warned = ?", false).Update("warned", true)
		warned = r.RowsAffected > 0
		if r.Error != nil || !warned {
			return r.Error
		}
		return s.post(g, p.At, []post.Parcel{p})
	})
	return warned && err == nil, err
}

// claim gives a holder the lanes that are due, those that had fewer turns first where
// several became due at once.
func (s *PostOffice) claim(g *gorm.DB, side post.Side, channel string, c post.Claim) ([]laneRow, error) {
	waiting := func(quiet bool, count int) ([]laneRow, error) {
		if count <= 0 {
			return nil, nil
		}
		return find[laneRow](locked(g).Where("side = ? AND channel = ? AND quiet = ? AND due_at > 0 AND due_at <= ? AND until_at <= ?",
			string(side), channel, quiet, ms(c.Now), ms(c.Now)).Order("due_at, turns, chat").Limit(count))
	}
	lanes, err := waiting(false, c.Count)
	if err != nil {
		return nil, err
	}
	quiet, err := waiting(true, min(c.Count-len(lanes), c.Quiet))
	lanes = append(lanes, quiet...)
	for _, l := range lanes {
		if err == nil {
			err = ofLane(g, side, channel, l.Chat).Updates(map[string]any{"holder": c.Holder, "until_at": ms(c.Until), "parked": false}).Error
		}
	}
	return lanes, err
}

// ClaimLetters implements post.Store.
func (s *PostOffice) ClaimLetters(ctx context.Context, channel string, c post.Claim) (out []post.Letter, err error) {
	err = s.write(ctx, func(g *gorm.DB) error {
		out = nil
		lanes, err := s.claim(g, post.In, channel, c)
		for _, l := range lanes {
			r, err := first[letterRow](g.Where("channel = ? AND chat = ? AND live = ?", channel, l.Chat, true).Order("seq"))
			if fault.Is(err, fault.NotFound) { // an operator has discarded it
				err = s.free(g, l, 0)
			} else if err == nil {
				var letter post.Letter
				letter, err = s.letter(r)
				out = append(out, letter)
			}
			if err != nil {
				return err
			}
		}
		return err
	})
	return out, err
}

func (s *PostOffice) letter(r letterRow) (post.Letter, error) {
	payload, err := s.db.vault.open(string(r.Payload), letterOwner(r.Channel, r.LetterID))
	return post.Letter{Seq: r.Seq, Channel: r.Channel, ID: r.LetterID, Chat: r.Chat, Payload: payload, At: at(r.At), Tries: r.Tries}, err
}

func letterOwner(channel, id string) string { return "letter/" + channel + "/" + id }

// ClaimParcels implements post.Store.
func (s *PostOffice) ClaimParcels(ctx context.Context, channel string, c post.Claim) (out []post.Parcel, err error) {
	err = s.write(ctx, func(g *gorm.DB) error {
		out = nil
		lanes, err := s.claim(g, post.Out, channel, c)
		for _, l := range lanes {
			r, err := first[parcelRow](g.Where("channel = ? AND chat = ? AND live = ?", channel, l.Chat, true).Order("seq"))
			if fault.Is(err, fault.NotFound) {
				err = s.free(g, l, 0)
			} else if err == nil {
				var p post.Parcel
				if p, err = s.parcel(r); err == nil {
					p.State = post.Sending
					out = append(out, p)
					err = g.Model(&parcelRow{}).Where("seq = ?", r.Seq).Update("state", string(post.Sending)).Error
				}
			}
			if err != nil {
				return err
			}
		}
		return err
	})
	return out, err
}

func (s *PostOffice) parcel(r parcelRow) (post.Parcel, error) {
	body, err := s.db.vault.open(string(r.Body), parcelOwner(r.ParcelKey))
	return post.Parcel{
		Seq: r.Seq, Key: r.ParcelKey, Channel: r.Channel, Chat: r.Chat, External: r.External, Body: body, Quiet: r.Quiet, At: at(r.At),
		Expires: at(r.ExpiresAt), State: post.State(r.State), Parts: r.Parts, Doubt: r.Doubt, Note: r.Note, Tries: r.Tries, Reason: r.Reason,
	}, err
}

func parcelOwner(key string) string { return "parcel/" + key }

// free ends the claim of a lane, which is due at a time again; 0 where nothing waits.
func (s *PostOffice) free(g *gorm.DB, l laneRow, dueAt int64) error {
	change := map[string]any{"holder": "", "until_at": 0, "due_at": dueAt, "turns": l.Turns + 1, "quiet": l.Quiet, "parked": l.Parked, "warned": l.Warned}
	if dueAt == 0 {
		change["turns"], change["parked"], change["warned"] = 0, false, false
	}
	return ofLane(g, post.Side(l.Side), l.Channel, l.Chat).Updates(change).Error
}

// held returns the lane of a chat if it is holder's still.
func (s *PostOffice) held(g *gorm.DB, holder string, side post.Side, channel, chat string) (laneRow, error) {
	l, err := lane(locked(g), side, channel, chat)
	if err == nil && l.Holder != holder || fault.Is(err, fault.NotFound) {
		return l, fault.New(fault.Conflict, "post.taken_over")
	}
	return l, err
}

// Renew implements post.Store.
func (s *PostOffice) Renew(ctx context.Context, holder string, until time.Time) error {
	return s.write(ctx, func(g *gorm.DB) error {
		return g.Model(&laneRow{}).Where("holder = ? AND until_at < ?", holder, ms(until)).Update("until_at", ms(until)).Error
	})
}

// Release implements post.Store.
func (s *PostOffice) Release(ctx context.Context, holder string, side post.Side, channel, chat string) error {
	return s.write(ctx, func(g *gorm.DB) error {
		r := ofLane(g, side, channel, chat).Where("holder = ?", holder).Updates(map[string]any{"holder": "", "until_at": 0})
		if r.Error != nil || r.RowsAffected == 0 || side == post.In {
			return r.Error
		}
		return g.Model(&parcelRow{}).Where("channel = ? AND chat = ? AND live = ?", channel, chat, true).Update("state", string(post.Waiting)).Error
	})
}

// Inherit implements post.Store.
func (s *PostOffice) Inherit(ctx context.Context) error {
	return s.write(ctx, func(g *gorm.DB) error {
		return g.Model(&laneRow{}).Where("holder > ''").Updates(map[string]any{"holder": "", "until_at": 0}).Error
	})
}

// Answer implements post.Store.
func (s *PostOffice) Answer(ctx context.Context, holder string, l post.Letter, now time.Time, ps []post.Parcel) error {
	return s.write(ctx, func(g *gorm.DB) error {
		if err := s.post(g, now, ps); err != nil {
			return err
		}
		return s.endLetter(g, holder, l, now, map[string]any{"state": string(post.Done), "live": false, "payload": []byte{}, "ended_at": ms(now)}, 0)
	})
}

// Meanwhile implements post.Store.
func (s *PostOffice) Meanwhile(ctx context.Context, holder string, l post.Letter, now time.Time, p post.Parcel) error {
	return s.write(ctx, func(g *gorm.DB) error {
		if err := s.post(g, now, []post.Parcel{p}); err != nil { // lanes in the order of Answer
			return err
		}
		if _, err := s.held(g, holder, post.In, l.Channel, l.Chat); err != nil {
			return err
		}
		_, err := first[letterRow](g.Select("seq").Where("seq = ? AND live = ?", l.Seq, true))
		return err
	})
}

// PutOff implements post.Store.
func (s *PostOffice) PutOff(ctx context.Context, holder string, l post.Letter, now, next time.Time, reason string) error {
	change := map[string]any{"tries": l.Tries, "reason": reason}
	if next.IsZero() {
		change["state"], change["live"], change["ended_at"] = string(post.GivenUp), false, ms(now)
	}
	return s.write(ctx, func(g *gorm.DB) error { return s.endLetter(g, holder, l, now, change, ms(next)) })
}

// endLetter changes a letter that was claimed and ends the claim. Its chat goes on at
// next, or at once for 0.
func (s *PostOffice) endLetter(g *gorm.DB, holder string, l post.Letter, now time.Time, change map[string]any, next int64) error {
	lane, err := s.held(g, holder, post.In, l.Channel, l.Chat)
	if err != nil {
		return err
	}
	if err := missing(g.Model(&letterRow{}).Where("seq = ? AND live = ?", l.Seq, true).Updates(change)); err != nil {
		return err
	}
	if next == 0 {
		n, err := some[letterRow](g, l.Channel, l.Chat)
		if err != nil {
			return err
		}
		next = n * ms(now)
	}
	return s.free(g, lane, next)
}

// some returns 1 if something of a chat waits, else 0.
func some[R row](g *gorm.DB, channel, chat string) (int64, error) {
	rows, err := find[R](g.Select("seq").Where("channel = ? AND chat = ? AND live = ?", channel, chat, true).Limit(1))
	return int64(len(rows)), err
}

// Next implements post.Store.
func (s *PostOffice) Next(ctx context.Context, side post.Side, channel string) (time.Time, error) {
	var d struct{ Next *int64 }
	err := s.db.reader(ctx).Model(&laneRow{}).Where("side = ? AND channel = ? AND due_at > 0", string(side), channel).
		Select("MIN(CASE WHEN until_at > due_at THEN until_at ELSE due_at END) AS next").Find(&d).Error
	if err != nil || d.Next == nil {
		return time.Time{}, classify("store.post", err)
	}
	return at(*d.Next), nil
}
