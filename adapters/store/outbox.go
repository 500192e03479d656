package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/event"
)

// errorRunesMax bounds what is kept of a hearer's error.
const errorRunesMax = 500

// An Outbox keeps the events of one target from the transaction that made them
// true until everybody has heard them. The relay reads it: Waiting, publish,
// Sent or Failed. An event that has been sent is gone.
type Outbox struct {
	db     *DB
	target target
	ready  chan struct{}
}

var _ event.Outbox = (*Outbox)(nil)

type outboxRow struct {
	Seq     int64 `gorm:"primaryKey"`
	EventID string
	Name    string
	At      int64
	Data    []byte
	Tries   int
	NextAt  int64
	Dead    bool
	Error   string
	Trace   string
}

// traceBytesMax bounds what is kept of a trace; a traceparent has 55 bytes.
const traceBytesMax = 191

// cut is a trace that fits; one that does not is none.
func cut(trace string) string {
	if len(trace) > traceBytesMax {
		return ""
	}
	return trace
}

func (r outboxRow) stored() event.Stored {
	return event.Stored{
		Event: event.Event{ID: r.EventID, Name: event.Name(r.Name), At: at(r.At), Data: r.Data, Trace: r.Trace},
		Seq:   r.Seq, Tries: r.Tries, NextAt: at(r.NextAt), Error: r.Error,
	}
}

// Name is the target's whose events these are.
func (o *Outbox) Name() string { return string(o.target) }

// Ready receives after a commit of this process has added events. It is a hint,
// so that the relay need not ask often; several commits may make one.
func (o *Outbox) Ready() <-chan struct{} { return o.ready }

func (o *Outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default: // one is waiting already
	}
}

// Waiting returns at most count events that are due, oldest first.
func (o *Outbox) Waiting(ctx context.Context, now time.Time, count int) ([]event.Stored, error) {
	return o.list(o.db.reader(ctx).Where("dead = 0 AND next_at <= ?", ms(now)), count)
}

// Dead returns at most count events that were given up, oldest first, starting
// after the one with seq after.
func (o *Outbox) Dead(ctx context.Context, after int64, count int) ([]event.Stored, error) {
	return o.list(o.db.reader(ctx).Where("dead = 1 AND seq > ?", after), count)
}

func (o *Outbox) list(g *gorm.DB, count int) ([]event.Stored, error) {
	var rows []outboxRow
	if err := g.Table(o.target.outbox()).Order("seq").Limit(count).Find(&rows).Error; err != nil {
		return nil, classify("store.outbox", err)
	}
	out := make([]event.Stored, len(rows))
	for i, r := range rows {
		out[i] = r.stored()
	}
	return out, nil
}

// Depth returns how many events wait, due or not, and since when the oldest one
// does.
func (o *Outbox) Depth(ctx context.Context) (count int64, oldest time.Time, err error) {
	var d struct{ N, Oldest int64 }
	err = o.db.reader(ctx).Table(o.target.outbox()).Where("dead = 0").
		Select("COUNT(*) AS n, COALESCE(MIN(at), 0) AS oldest").Find(&d).Error
	return d.N, at(d.Oldest), classify("store.outbox", err)
}

// Buried returns how many events were given up.
func (o *Outbox) Buried(ctx context.Context) (count int64, err error) {
	err = o.db.reader(ctx).Table(o.target.outbox()).Where("dead = 1").Count(&count).Error
	return count, classify("store.outbox", err)
}

// Sent forgets events that every hearer has for good. Forgetting one that is not
// there changes nothing.
func (o *Outbox) Sent(ctx context.Context, seqs []int64) error {
	return o.change(ctx, func(g *gorm.DB) error {
		for len(seqs) > 0 {
			n := min(len(seqs), inMax)
			if err := g.Where("seq IN ?", padded(g, seqs[:n])).Delete(&outboxRow{}).Error; err != nil {
				return err
			}
			seqs = seqs[n:]
		}
		return nil
	})
}

// Failed stores that publishing an event failed: it waits until next, or is dead
// until Retry.
func (o *Outbox) Failed(ctx context.Context, seq int64, cause string, next time.Time, dead bool) error {
	if r := []rune(cause); len(r) > errorRunesMax {
		cause = string(r[:errorRunesMax])
	}
	return o.change(ctx, func(g *gorm.DB) error {
		return g.Where("seq = ?", seq).Updates(map[string]any{
			"tries": gorm.Expr("tries + 1"), "next_at": ms(next), "dead": dead, "error": cause,
		}).Error
	})
}

// Bury keeps an event of another target, which this one cannot handle, among the
// dead ones: Retry then hands it to its hearers again. Burying it twice is burying it
// once.
func (o *Outbox) Bury(ctx context.Context, e event.Event, cause string) error {
	if r := []rune(cause); len(r) > errorRunesMax {
		cause = string(r[:errorRunesMax])
	}
	row := outboxRow{EventID: e.ID, Name: string(e.Name), At: ms(e.At), Data: []byte(e.Data), Tries: 1, Dead: true, Error: cause, Trace: cut(e.Trace)}
	return o.change(ctx, func(g *gorm.DB) error { return g.Clauses(ignore()).Create(&row).Error })
}

// Retry lets a dead event wait again, as if it were new, and says who did that.
func (o *Outbox) Retry(ctx context.Context, seq int64, act event.Event) error {
	err := o.decide(ctx, act, func(g *gorm.DB) *gorm.DB {
		return g.Where("seq = ? AND dead = 1", seq).Updates(map[string]any{"tries": 0, "next_at": 0, "dead": false})
	})
	if err == nil {
		o.wake()
	}
	return err
}

// Discard forgets a dead event that nobody will ever hear, and says who did that.
func (o *Outbox) Discard(ctx context.Context, seq int64, act event.Event) error {
	return o.decide(ctx, act, func(g *gorm.DB) *gorm.DB {
		return g.Where("seq = ? AND dead = 1", seq).Delete(&outboxRow{})
	})
}

// decide does what a person decided about an event, in the transaction of the act that
// says so.
func (o *Outbox) decide(ctx context.Context, act event.Event, do func(g *gorm.DB) *gorm.DB) error {
	return o.db.inTx(ctx, o.target, "outbox", func(t *tx) error {
		if err := missing(do(t.g.Table(o.target.outbox()))); err != nil {
			return classify("store.outbox", err)
		}
		return t.Emit(act)
	})
}

// missing says fault.NotFound where a statement met no row.
func missing(g *gorm.DB) error {
	if g.Error == nil && g.RowsAffected == 0 {
		return gorm.ErrRecordNotFound
	}
	return g.Error
}

func (o *Outbox) change(ctx context.Context, fn func(g *gorm.DB) error) error {
	return o.db.inTx(ctx, o.target, "outbox", func(t *tx) error {
		return classify("store.outbox", fn(t.g.Table(o.target.outbox())))
	})
}
