package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"fanli/core/access"
	"fanli/core/fault"
)

// The keys of the gateway target.

type keyRow struct {
	ID        int64
	Name      string
	Hash      string
	Client    string
	UserID    int64
	Scopes    string // with spaces between them
	Addresses string // likewise
	MadeAt    int64
	EndsAt    int64
	RevokedAt int64
	UsedAt    int64
}

func (keyRow) TableName() string { return "gateway_keys" }

func newKeyRow(k access.Key, hash string) keyRow {
	scopes, addresses := make([]string, len(k.Scopes)), make([]string, len(k.Addresses))
	for i, s := range k.Scopes {
		scopes[i] = string(s)
	}
	for i, a := range k.Addresses {
		addresses[i] = a.String()
	}
	return keyRow{
		k.ID, k.Name, hash, k.Client, k.User, strings.Join(scopes, " "), strings.Join(addresses, " "),
		ms(k.Made), ms(k.Ends), ms(k.Revoked), ms(k.Used),
	}
}

func (r keyRow) key() (access.Key, error) {
	k := access.Key{
		ID: r.ID, Client: r.Client, Name: r.Name, User: r.UserID, Made: at(r.MadeAt), Ends: at(r.EndsAt), Revoked: at(r.RevokedAt), Used: at(r.UsedAt),
	}
	for _, s := range strings.Fields(r.Scopes) {
		k.Scopes = append(k.Scopes, access.Scope(s))
	}
	for _, s := range strings.Fields(r.Addresses) {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return k, fault.Wrap(fault.Internal, "store.key", err) // an address that cannot be read must not mean all
		}
		k.Addresses = append(k.Addresses, p)
	}
	return k, nil
}

type keyStore struct{ db *DB }

// InTx implements access.Store.
func (s keyStore) InTx(ctx context.Context, fn func(access.Tx) error) error {
	return s.db.inTx(ctx, gatewayTarget, "access", func(t *tx) error { return fn(keyTx{t}) })
}

// ByName implements access.Store.
func (s keyStore) ByName(ctx context.Context, name string) (access.Key, string, error) {
	r, err := first[keyRow](s.db.reader(ctx).Where("name = ?", name))
	if err != nil {
		return access.Key{}, "", err
	}
	k, err := r.key()
	return k, r.Hash, err
}

// Keys implements access.Store.
func (s keyStore) Keys(ctx context.Context, count int) ([]access.Key, error) {
	rows, err := find[keyRow](s.db.reader(ctx).Order("id DESC").Limit(count))
	out := make([]access.Key, len(rows))
	for i, r := range rows {
		if err == nil {
			out[i], err = r.key()
		}
	}
	return out, err
}

type keyTx struct{ *tx }

// Insert implements access.Tx.
func (t keyTx) Insert(k access.Key, hash string) (int64, error) {
	rows := []keyRow{newKeyRow(k, hash)}
	err := insert(t.g, rows)
	return rows[0].ID, err
}

// Key implements access.Tx.
func (t keyTx) Key(id int64) (access.Key, error) {
	r, err := first[keyRow](locked(t.g).Where("id = ?", id))
	if err != nil {
		return access.Key{}, err
	}
	return r.key()
}

// Revoke implements access.Tx.
func (t keyTx) Revoke(id int64, when time.Time) error {
	r := t.g.Model(&keyRow{}).Where("id = ? AND revoked_at = 0", id).Update("revoked_at", ms(when))
	return classify(op[keyRow](), r.Error)
}

// Use implements access.Tx.
func (t keyTx) Use(id int64, when time.Time) error {
	r := t.g.Model(&keyRow{}).Where("id = ? AND used_at < ?", id, ms(when)).Update("used_at", ms(when))
	return classify(op[keyRow](), r.Error)
}

// Hash is a hash of a secret under a key that comes from the seal key: whoever has
// the database alone can try nothing. It changes with the seal key.
func (db *DB) Hash(secret string) string {
	key := hmac.New(sha256.New, db.cfg.SealKey)
	key.Write([]byte("fanli api keys"))
	h := hmac.New(sha256.New, key.Sum(nil))
	h.Write([]byte(secret))
	return hex.EncodeToString(h.Sum(nil))
}
