// Package access knows who may ask from outside, and for what: the API keys that
// staff give to integrators and to single users.
//
// # Guarantees
//
//   - A key is shown once, when it is made. What is kept of it is a keyed hash, so
//     that neither a copy of the database nor a log has a key.
//   - A key that was revoked or has ended opens nothing from that moment on.
//   - Who made and who revoked a key is an act of staff, said in the transaction of
//     the act.
//   - A key of a client acts for users of that client only, one of a user for that
//     user only. See [Key.Channel].
package access

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
)

// A Scope is one thing that may be done.
type Scope string

// The scopes.
const (
	LinksWrite       Scope = "links:write"
	OrdersRead       Scope = "orders:read"
	WalletRead       Scope = "wallet:read"
	WithdrawalsRead  Scope = "withdrawals:read"
	WithdrawalsWrite Scope = "withdrawals:write"
	ClaimsRead       Scope = "claims:read"
	ClaimsWrite      Scope = "claims:write"
	PayeeRead        Scope = "payee:read"
	PayeeWrite       Scope = "payee:write"
	UsersWrite       Scope = "users:write" // make users of the client
	UsersAct         Scope = "users:act"   // act for users of the client
)

// Scopes returns all scopes, in the order in which people read them.
func Scopes() []Scope {
	return []Scope{
		LinksWrite, OrdersRead, WalletRead, WithdrawalsRead, WithdrawalsWrite, ClaimsRead, ClaimsWrite, PayeeRead, PayeeWrite, UsersWrite, UsersAct,
	}
}

// Limits of a key's texts.
const (
	clientMax    = 40
	addressesMax = 20
	actorMax     = 100
	reasonMax    = 500
)

// A Key lets somebody in.
type Key struct {
	ID        int64
	Client    string // whose it is: letters, digits and dashes
	Name      string // begins the key, and finds it
	User      int64  // the only user it acts for; 0: the client's
	Scopes    []Scope
	Addresses []netip.Prefix // from where it may be used; none: from anywhere
	Made      time.Time
	Ends      time.Time // zero: never
	Revoked   time.Time // zero: it was not
	Used      time.Time // about when it was last used; zero: never
}

// Channel is where the users of the client have their identities.
func (k Key) Channel() string { return "api/" + k.Client }

// Has reports whether the key has a scope.
func (k Key) Has(s Scope) bool { return slices.Contains(k.Scopes, s) }

// From reports whether the key may be used from an address.
func (k Key) From(a netip.Addr) bool {
	a = a.Unmap()
	return len(k.Addresses) == 0 || slices.ContainsFunc(k.Addresses, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Validate fails with fault.Invalid for a key that makes no sense.
func (k Key) Validate() error {
	word := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	switch {
	case k.Client == "" || len(k.Client) > clientMax || strings.ContainsFunc(k.Client, word):
		return fault.Newf(fault.Invalid, "access.client", "%q is not at most %d small letters, digits and dashes", k.Client, clientMax)
	case k.User < 0:
		return fault.Newf(fault.Invalid, "access.user", "%d is no user", k.User)
	case len(k.Scopes) == 0:
		return fault.Newf(fault.Invalid, "access.scopes", "a key without scopes opens nothing")
	case len(k.Addresses) > addressesMax:
		return fault.Newf(fault.Invalid, "access.addresses", "%d are more than %d addresses", len(k.Addresses), addressesMax)
	case k.User != 0 && (k.Has(UsersAct) || k.Has(UsersWrite)):
		return fault.Newf(fault.Invalid, "access.scopes", "a key of one user has nothing to do with others")
	case !k.Ends.IsZero() && !k.Ends.After(k.Made):
		return fault.Newf(fault.Invalid, "access.ends", "it would have ended already")
	}
	for i, s := range k.Scopes {
		if !slices.Contains(Scopes(), s) {
			return fault.Newf(fault.Invalid, "access.scopes", "%q is not one of %v", s, Scopes())
		}
		if slices.Contains(k.Scopes[:i], s) {
			return fault.Newf(fault.Invalid, "access.scopes", "%q is there twice", s)
		}
	}
	for _, a := range k.Addresses {
		if !a.IsValid() {
			return fault.Newf(fault.Invalid, "access.addresses", "an address such as 192.0.2.7 or 192.0.2.0/24 is needed")
		}
	}
	return nil
}

// A Store keeps keys. Implementations pass storetest.Keys.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// ByName returns a key and the hash of its secret, or fault.NotFound.
	ByName(ctx context.Context, name string) (k Key, hash string, err error)
	// Keys returns all keys, newest first, at most count.
	Keys(ctx context.Context, count int) ([]Key, error)
}

// A Tx is what a transaction on keys can do.
type Tx interface {
	event.Emitter
	// Insert stores a new key with the hash of its secret and returns its id. It
	// fails with fault.Conflict for a name that is there.
	Insert(k Key, hash string) (int64, error)
	// Key returns one, locked, or fault.NotFound.
	Key(id int64) (Key, error)
	// Revoke notes when a key was revoked; the first time counts.
	Revoke(id int64, at time.Time) error
	// Use notes when a key was used.
	Use(id int64, at time.Time) error
}
