package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/fault"
)

// usedEvery is how exactly the last use of a key is known: each note is a write.
const usedEvery = time.Minute

// A key looks like fk_NAME_SECRET, so that people and scanners of leaked secrets
// know it when they see it.
const (
	keyMark     = "fk"
	nameBytes   = 5  // 8 characters
	secretBytes = 25 // 40 characters, 200 bits
)

// letters are those of keys: no two of them look alike, none needs a shift key.
var letters = base32.NewEncoding("abcdefghjkmnpqrstvwxyz0123456789").WithPadding(base32.NoPadding)

// A Keeper makes keys, ends them, and knows them again. It is safe for concurrent
// use.
type Keeper struct {
	Store Store
	// Hash is a keyed hash: the key is not where the hashes are.
	Hash func(secret string) string
	Now  func() time.Time
	Rand io.Reader // optional, crypto/rand
}

// An Order is what staff says about a key: who decides, and why.
type Order struct {
	By, Reason string
}

// Validate fails with fault.Invalid for one that says too little.
func (o Order) Validate() error {
	switch {
	case o.By == "" || len(o.By) > actorMax:
		return fault.New(fault.Invalid, "access.by")
	case o.Reason == "" || len(o.Reason) > reasonMax:
		return fault.New(fault.Invalid, "access.reason")
	default:
		return nil
	}
}

// Make makes a key and returns its text, which nobody can show again. It fails with
// fault.Invalid for one that makes no sense.
func (k *Keeper) Make(ctx context.Context, key Key, o Order) (made Key, text string, err error) {
	key.ID, key.Made, key.Revoked, key.Used = 0, k.Now(), time.Time{}, time.Time{}
	if err := key.Validate(); err != nil {
		return Key{}, "", err
	}
	if err := o.Validate(); err != nil {
		return Key{}, "", err
	}
	secret := k.draw(secretBytes)
	key.Name = k.draw(nameBytes)
	err = k.Store.InTx(ctx, func(tx Tx) (err error) {
		if key.ID, err = tx.Insert(key, k.Hash(secret)); err != nil {
			return err
		}
		return k.say(tx, key, "key.make", o, "", strings.Trim(fmt.Sprint(key.Scopes), "[]"))
	})
	return key, keyMark + "_" + key.Name + "_" + secret, fault.In("access.Make", err)
}

// Revoke ends a key, now and for ever. To end one that has ended changes nothing. It
// fails with fault.NotFound and "access.none" for one that does not exist.
func (k *Keeper) Revoke(ctx context.Context, id int64, o Order) (key Key, err error) {
	if err := o.Validate(); err != nil {
		return Key{}, err
	}
	err = k.Store.InTx(ctx, func(tx Tx) (err error) {
		key, err = tx.Key(id)
		switch {
		case fault.Is(err, fault.NotFound):
			return fault.New(fault.NotFound, "access.none")
		case err != nil || !key.Revoked.IsZero():
			return err
		}
		key.Revoked = k.Now()
		if err := tx.Revoke(id, key.Revoked); err != nil {
			return err
		}
		return k.say(tx, key, "key.revoke", o, "open", "revoked")
	})
	return key, fault.In("access.Revoke", err)
}

// say tells the record of acts.
func (k *Keeper) say(tx Tx, key Key, what string, o Order, before, after string) error {
	on := fmt.Sprintf("key/%d/%s", key.ID, key.Client)
	e, err := audit.Say(fmt.Sprintf("%s/%d", what, key.ID), k.Now(), audit.Act{
		Actor: o.By, What: what, On: on, Reason: o.Reason, Before: before, After: after,
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// List returns the keys, newest first.
func (k *Keeper) List(ctx context.Context, count int) ([]Key, error) { return k.Store.Keys(ctx, count) }

// Open returns the key with a text, for a request from an address. It fails with
// fault.Denied: "access.key" for a text that opens nothing, whether it never did,
// was revoked or has ended, and "access.address" where it may not be used from.
func (k *Keeper) Open(ctx context.Context, text string, from netip.Addr) (Key, error) {
	closed := fault.New(fault.Denied, "access.key")
	name, secret, ok := cutKey(text)
	if !ok {
		return Key{}, closed
	}
	key, hash, err := k.Store.ByName(ctx, name)
	switch {
	case fault.Is(err, fault.NotFound):
		hash = "" // compared all the same, so that time does not tell which names there are
	case err != nil:
		return Key{}, fault.In("access.Open", err)
	}
	now := k.Now()
	if subtle.ConstantTimeCompare([]byte(k.Hash(secret)), []byte(hash)) != 1 || !key.Revoked.IsZero() || !key.Ends.IsZero() && !now.Before(key.Ends) {
		return Key{}, closed
	}
	if !key.From(from) {
		return Key{}, fault.New(fault.Denied, "access.address")
	}
	if now.Sub(key.Used) >= usedEvery {
		key.Used = now
		err = k.Store.InTx(ctx, func(tx Tx) error { return tx.Use(key.ID, now) })
	}
	return key, fault.In("access.Open", err)
}

// cutKey takes a key apart.
func cutKey(text string) (name, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, keyMark+"_")
	if !ok {
		return "", "", false
	}
	name, secret, ok = strings.Cut(rest, "_")
	return name, secret, ok && len(name) == letters.EncodedLen(nameBytes) && len(secret) == letters.EncodedLen(secretBytes)
}

// draw returns letters that nobody can guess.
func (k *Keeper) draw(bytes int) string {
	r := k.Rand
	if r == nil {
		r = rand.Reader
	}
	b := make([]byte, bytes)
	if _, err := io.ReadFull(r, b); err != nil {
		panic(err) // crypto/rand never fails
	}
	return letters.EncodeToString(b)
}
