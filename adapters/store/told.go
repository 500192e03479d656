package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"fanli/core/desk"
	"fanli/core/fault"
	"fanli/core/post"
)

// An alertRow is something that a sink of staff was told of. Rows from before 0012 have
// only when.
type alertRow struct {
	AlertKey string `gorm:"primaryKey"`
	Sink     string `gorm:"primaryKey"`
	ToldAt   int64
	What     string
	Station  string
	Title    string
	About    string
	FirstAt  int64
	GoneAt   int64
	Rev      int64
}

func (alertRow) TableName() string { return "bot_alerts" }

// Told implements desk.AlertStore.
func (s deskStore) Told(ctx context.Context, sink string) ([]desk.Told, error) {
	rows, err := find[alertRow](s.db.reader(ctx).Where("sink = ?", sink).Order("alert_key"))
	out := make([]desk.Told, len(rows))
	for i, r := range rows {
		out[i] = desk.Told{
			Key: r.AlertKey, Sink: r.Sink, What: desk.Stable(r.What), Station: r.Station, Title: desk.Label(r.Title), ID: r.About,
			First: at(r.FirstAt), Last: at(r.ToldAt), Gone: at(r.GoneAt), Rev: r.Rev,
		}
	}
	return out, err
}

// Tell implements desk.AlertStore.
func (s deskStore) Tell(ctx context.Context, now time.Time, turns []desk.Turn, ps []post.Parcel) error {
	return s.write(ctx, func(g *gorm.DB) error {
		for _, t := range turns {
			if err := turnAlert(g, t); err != nil {
				return err
			}
		}
		return classify("store.Tell", s.db.PostOffice().post(g, now, ps))
	})
}

// turnAlert changes one row from the revision that was read.
func turnAlert(g *gorm.DB, t desk.Turn) error {
	row := alertRow{
		AlertKey: t.Key, Sink: t.Sink, ToldAt: ms(t.Last), What: string(t.What), Station: t.Station, Title: string(t.Title), About: t.ID,
		FirstAt: ms(t.First), GoneAt: ms(t.Gone), Rev: t.Rev + 1,
	}
	if t.Rev == 0 {
		return insert(g, []alertRow{row})
	}
	q := g.Model(&alertRow{}).Where("alert_key = ? AND sink = ? AND rev = ?", t.Key, t.Sink, t.Rev)
	if t.Over {
		q = q.Delete(&alertRow{})
	} else {
		q = q.Updates(map[string]any{
			"told_at": row.ToldAt, "what": row.What, "station": row.Station, "title": row.Title, "about": row.About,
			"first_at": row.FirstAt, "gone_at": row.GoneAt, "rev": row.Rev,
		})
	}
	if q.Error == nil && q.RowsAffected == 0 {
		return fault.New(fault.Conflict, "desk.told")
	}
	return classify("store.Tell", q.Error)
}
