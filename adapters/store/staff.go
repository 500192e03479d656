package store

import (
	"context"

	"gorm.io/gorm"

	"fanli/core/desk"
	"fanli/core/fault"
	"fanli/core/user"
)

// Who is staff, in the user target.

type staffRow struct {
	ID      int64 `gorm:"primaryKey"`
	Name    string
	Role    string
	SinceAt int64
	Removed int
}

func (staffRow) TableName() string { return "user_staff" }

type staffIdentityRow struct {
	Channel  string `gorm:"primaryKey"`
	External string `gorm:"primaryKey"`
	StaffID  int64
}

func (staffIdentityRow) TableName() string { return "user_staff_identities" }

// Staff returns the store of staff.
func (db *DB) Staff() desk.StaffStore { return staffStore{db} }

type staffStore struct{ db *DB }

// InStaffTx implements desk.StaffStore.
func (s staffStore) InStaffTx(ctx context.Context, fn func(desk.StaffTx) error) error {
	return s.db.inTx(ctx, userTarget, "staff", func(t *tx) error { return fn(staffTx{t}) })
}

// Staff implements desk.StaffStore.
func (s staffStore) Staff(ctx context.Context) ([]desk.Member, error) {
	return staff(s.db.reader(ctx), s.db.reader(ctx))
}

// staff reads all members: who they are, and their identities.
func staff(who, how *gorm.DB) ([]desk.Member, error) {
	rows, err := find[staffRow](who.Where("removed = 0").Order("id"))
	if err != nil {
		return nil, err
	}
	ids, err := find[staffIdentityRow](how.Order("channel, external"))
	out := make([]desk.Member, len(rows))
	for i, r := range rows {
		out[i] = desk.Member{ID: r.ID, Name: r.Name, Role: desk.Role(r.Role), Since: at(r.SinceAt)}
		for _, x := range ids {
			if x.StaffID == r.ID {
				out[i].Identities = append(out[i].Identities, user.Identity{Channel: x.Channel, External: x.External})
			}
		}
	}
	return out, err
}

// StaffBy implements desk.StaffStore.
func (s staffStore) StaffBy(ctx context.Context, i user.Identity) (desk.Member, error) {
	x, err := first[staffIdentityRow](s.db.reader(ctx).Where("channel = ? AND external = ?", i.Channel, i.External))
	if err != nil {
		return desk.Member{}, err
	}
	r, err := first[staffRow](s.db.reader(ctx).Where("id = ? AND removed = 0", x.StaffID))
	return desk.Member{ID: r.ID, Name: r.Name, Role: desk.Role(r.Role), Since: at(r.SinceAt), Identities: []user.Identity{i}}, err
}

type staffTx struct{ *tx }

// Staff implements desk.StaffTx.
func (t staffTx) Staff() ([]desk.Member, error) { return staff(locked(t.g), locked(t.g)) }

// PutStaff implements desk.StaffTx.
func (t staffTx) PutStaff(m desk.Member) (int64, error) {
	rows := []staffRow{{ID: m.ID, Name: m.Name, Role: string(m.Role), SinceAt: ms(m.Since)}}
	if m.ID == 0 {
		if err := insert(t.g, rows); err != nil {
			return 0, err
		}
	} else {
		r := t.g.Model(&staffRow{}).Where("id = ?", m.ID).Updates(map[string]any{"name": m.Name, "role": string(m.Role)})
		if r.Error != nil {
			return 0, classify("store.PutStaff", r.Error)
		}
		if err := t.g.Where("staff_id = ?", m.ID).Delete(&staffIdentityRow{}).Error; err != nil {
			return 0, classify("store.PutStaff", err)
		}
	}
	id := rows[0].ID
	var ids []staffIdentityRow
	for _, i := range m.Identities {
		ids = append(ids, staffIdentityRow{i.Channel, i.External, id})
	}
	if len(ids) == 0 {
		return id, nil
	}
	return id, insert(t.g, ids)
}

// DropStaff implements desk.StaffTx.
func (t staffTx) DropStaff(id int64) error {
	r := t.g.Model(&staffRow{}).Where("id = ? AND removed = 0", id).Update("removed", 1)
	if r.Error == nil && r.RowsAffected == 0 {
		return fault.New(fault.NotFound, "")
	}
	if r.Error != nil {
		return classify("store.DropStaff", r.Error)
	}
	return classify("store.DropStaff", t.g.Where("staff_id = ?", id).Delete(&staffIdentityRow{}).Error)
}
