package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"fanli/core/event"
	"fanli/core/webhook"
)

type hookRow struct {
	ID        int64 `gorm:"primaryKey"`
	Name      string
	Client    string
	URL       string `gorm:"column:url"`
	Wants     string // names with spaces between them
	State     string
	Why       string
	MadeAt    int64
	Sealed    string
	OldSealed string
	OldUntil  int64
	Fails     int
	FailingAt int64
	RestUntil int64
}

func (hookRow) TableName() string { return "notification_hooks" }

// hookOwner is to what a hook's secrets are bound.
func hookOwner(name string) string { return "webhook/" + name }

func newHookRow(v *vault, h webhook.Hook) hookRow {
	wants := make([]string, len(h.Events))
	for i, n := range h.Events {
		wants[i] = string(n)
	}
	r := hookRow{
		ID: h.ID, Name: h.Name, Client: h.Client, URL: h.URL, Wants: strings.Join(wants, " "), State: string(h.State), Why: h.Why,
		MadeAt: ms(h.Made), Sealed: v.seal([]byte(h.Secret), hookOwner(h.Name)), OldUntil: ms(h.OldUntil), Fails: h.Fails,
		FailingAt: ms(h.Failing), RestUntil: ms(h.Rest),
	}
	if h.OldSecret != "" {
		r.OldSealed = v.seal([]byte(h.OldSecret), hookOwner(h.Name))
	}
	return r
}

func (r hookRow) hook(v *vault) (webhook.Hook, error) {
	h := webhook.Hook{
		ID: r.ID, Name: r.Name, Client: r.Client, URL: r.URL, State: webhook.State(r.State), Why: r.Why, Made: at(r.MadeAt),
		OldUntil: at(r.OldUntil), Fails: r.Fails, Failing: at(r.FailingAt), Rest: at(r.RestUntil),
	}
	for n := range strings.FieldsSeq(r.Wants) {
		h.Events = append(h.Events, event.Name(n))
	}
	secret, err := v.open(r.Sealed, hookOwner(r.Name))
	if err != nil {
		return webhook.Hook{}, err
	}
	h.Secret = webhook.Secret(secret)
	if r.OldSealed != "" {
		if secret, err = v.open(r.OldSealed, hookOwner(r.Name)); err != nil {
			return webhook.Hook{}, err
		}
		h.OldSecret = webhook.Secret(secret)
	}
	return h, nil
}

// hooksOf returns the hooks that g selects, by id.
func hooksOf(v *vault, g *gorm.DB) ([]webhook.Hook, error) {
	rows, err := find[hookRow](g.Order("id"))
	if err != nil {
		return nil, err
	}
	out := make([]webhook.Hook, len(rows))
	for i, r := range rows {
		if out[i], err = r.hook(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type deliveryRow struct {
	ID        int64 `gorm:"primaryKey"`
	HookID    int64
	EventID   string
	MessageID string
	Name      string
	At        int64
	Body      []byte
	Stage     string
	Tries     int
	NextAt    int64
}

func (deliveryRow) TableName() string { return "notification_hook_deliveries" }

func (r deliveryRow) delivery() webhook.Delivery {
	return webhook.Delivery{
		ID: r.ID, Hook: r.HookID, Event: r.EventID, Message: r.MessageID, Name: event.Name(r.Name), At: at(r.At), Body: r.Body,
		Stage: webhook.Stage(r.Stage), Tries: r.Tries, Next: at(r.NextAt),
	}
}

func deliveries(g *gorm.DB) ([]webhook.Delivery, error) {
	rows, err := find[deliveryRow](g)
	out := make([]webhook.Delivery, len(rows))
	for i, r := range rows {
		out[i] = r.delivery()
	}
	return out, err
}

type tryRow struct {
	ID         int64 `gorm:"primaryKey"`
	DeliveryID int64
	At         int64
	Status     int
	Took       int64 // milliseconds
	Reason     string
	Excerpt    string
}

func (tryRow) TableName() string { return "notification_hook_tries" }

type memberRow struct {
	UserID     int64 `gorm:"primaryKey;autoIncrement:false"`
	Client     string
	ExternalID string
}

func (memberRow) TableName() string { return "notification_hook_users" }

// Webhooks returns the store of webhook.
func (db *DB) Webhooks() webhook.Store { return hookStore{db} }

type hookStore struct{ db *DB }

// InTx implements webhook.Store.
func (s hookStore) InTx(ctx context.Context, fn func(webhook.Tx) error) error {
	return s.db.inTx(ctx, notificationTarget, "webhook", func(t *tx) error { return fn(hookTx{t}) })
}

// Hooks implements webhook.Store.
func (s hookStore) Hooks(ctx context.Context) ([]webhook.Hook, error) {
	return hooksOf(s.db.vault, s.db.reader(ctx))
}

// Due implements webhook.Store.
func (s hookStore) Due(ctx context.Context, hook int64, now time.Time, count int) ([]webhook.Delivery, error) {
	return deliveries(s.db.reader(ctx).Where("hook_id = ? AND stage = ? AND next_at <= ?", hook, string(webhook.Waiting), ms(now)).
		Order("next_at, id").Limit(count))
}

// Newest implements webhook.Store.
func (s hookStore) Newest(ctx context.Context, hook int64, count int) ([]webhook.Delivery, error) {
	return deliveries(s.db.reader(ctx).Where("hook_id = ?", hook).Order("id DESC").Limit(count))
}

// Tries implements webhook.Store.
func (s hookStore) Tries(ctx context.Context, delivery int64, count int) ([]webhook.Try, error) {
	rows, err := find[tryRow](s.db.reader(ctx).Where("delivery_id = ?", delivery).Order("id DESC").Limit(count))
	out := make([]webhook.Try, len(rows))
	for i, r := range rows {
		out[i] = webhook.Try{
			Delivery: r.DeliveryID, At: at(r.At), Status: r.Status, Took: time.Duration(r.Took) * time.Millisecond,
			Reason: webhook.Reason(r.Reason), Excerpt: r.Excerpt,
		}
	}
	return out, err
}

type hookTx struct{ *tx }

// Hooks implements webhook.Tx.
func (t hookTx) Hooks() ([]webhook.Hook, error) { return hooksOf(t.db.vault, locked(t.g)) }

// Insert implements webhook.Tx.
func (t hookTx) Insert(h webhook.Hook) (int64, error) {
	rows := []hookRow{newHookRow(t.db.vault, h)}
	err := insert(t.g, rows)
	return rows[0].ID, err
}

// Update implements webhook.Tx.
func (t hookTx) Update(h webhook.Hook) error {
	r := newHookRow(t.db.vault, h)
	return changedOne[hookRow](t.g.Model(&hookRow{}).Where("id = ?", h.ID).Updates(map[string]any{
		"client": r.Client, "url": r.URL, "wants": r.Wants, "state": r.State, "why": r.Why, "sealed": r.Sealed,
		"old_sealed": r.OldSealed, "old_until": r.OldUntil, "fails": r.Fails, "failing_at": r.FailingAt, "rest_until": r.RestUntil,
	}))
}

// Remove implements webhook.Tx.
func (t hookTx) Remove(id int64) error {
	of := t.g.Model(&deliveryRow{}).Select("id").Where("hook_id = ?", id)
	if err := t.g.Where("delivery_id IN (?)", of).Delete(&tryRow{}).Error; err != nil {
		return classify(op[tryRow](), err)
	}
	if err := t.g.Where("hook_id = ?", id).Delete(&deliveryRow{}).Error; err != nil {
		return classify(op[deliveryRow](), err)
	}
	return changedOne[hookRow](t.g.Where("id = ?", id).Delete(&hookRow{}))
}

// Members implements webhook.Tx.
func (t hookTx) Members(users []int64) (map[int64]webhook.Member, error) {
	rows, err := findIn[memberRow](func() *gorm.DB { return t.g }, "user_id", users)
	out := make(map[int64]webhook.Member, len(rows))
	for _, r := range rows {
		out[r.UserID] = webhook.Member{User: r.UserID, Client: r.Client, External: r.ExternalID}
	}
	return out, err
}

// AddMember implements webhook.Tx.
func (t hookTx) AddMember(m webhook.Member) error {
	return insert(t.g, []memberRow{{m.User, m.Client, m.External}}, ignore())
}

// Add implements webhook.Tx.
func (t hookTx) Add(d webhook.Delivery) (int64, error) {
	rows, err := find[deliveryRow](t.g.Where("hook_id = ? AND event_id = ?", d.Hook, d.Event).Limit(1))
	if err != nil || len(rows) > 0 {
		return 0, err
	}
	rows = []deliveryRow{{
		HookID: d.Hook, EventID: d.Event, MessageID: d.Message, Name: string(d.Name), At: ms(d.At), Body: blob(d.Body),
		Stage: string(d.Stage), Tries: d.Tries, NextAt: ms(d.Next),
	}}
	err = insert(t.g, rows)
	return rows[0].ID, err
}

// Delivery implements webhook.Tx.
func (t hookTx) Delivery(id int64) (webhook.Delivery, error) {
	r, err := first[deliveryRow](locked(t.g).Where("id = ?", id))
	return r.delivery(), err
}

// Swap implements webhook.Tx.
func (t hookTx) Swap(d webhook.Delivery, was webhook.Stage, tries int) (bool, error) {
	g := t.g.Model(&deliveryRow{}).Where("id = ? AND stage = ? AND tries = ?", d.ID, string(was), tries).
		Updates(map[string]any{"stage": string(d.Stage), "tries": d.Tries, "next_at": ms(d.Next)})
	return g.RowsAffected == 1, classify(op[deliveryRow](), g.Error)
}

// Note implements webhook.Tx.
func (t hookTx) Note(y webhook.Try) error {
	return insert(t.g, []tryRow{{
		DeliveryID: y.Delivery, At: ms(y.At), Status: y.Status, Took: y.Took.Milliseconds(), Reason: string(y.Reason), Excerpt: y.Excerpt,
	}})
}

// Prune implements webhook.Tx.
func (t hookTx) Prune(before time.Time, count int) (int, error) {
	var ids []int64
	err := t.g.Model(&deliveryRow{}).Where("at < ?", ms(before)).Order("at").Limit(count).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return 0, classify(op[deliveryRow](), err)
	}
	if err := t.g.Where("delivery_id IN ?", ids).Delete(&tryRow{}).Error; err != nil {
		return 0, classify(op[tryRow](), err)
	}
	return len(ids), classify(op[deliveryRow](), t.g.Where("id IN ?", ids).Delete(&deliveryRow{}).Error)
}
