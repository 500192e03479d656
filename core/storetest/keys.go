package storetest

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"fanli/core/access"
	"fanli/core/fault"
)

// A KeyStore is an access.Store under test.
type KeyStore struct {
	Store access.Store
	Heard Heard
}

// Keys checks every promise of access.Store.
func Keys(t *testing.T, open func(t *testing.T) KeyStore) {
	t.Helper()
	run(t, open,
		transactions(func(s KeyStore) atomic[access.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s KeyStore) (func(context.Context, func(access.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		[]check[KeyStore]{
			{"KeysComeBackToTheLastField", keysComeBack},
			{"NoKeyIsNotFound", noKey},
			{"ANameIsOneKeys", namesApart},
			{"ARevocationIsTheFirst", revokedOnce},
			{"UseMovesForwards", useMoves},
		})
}

func someKey(name string) access.Key {
	return access.Key{
		Client: "acme", Name: name, User: 7, Scopes: []access.Scope{access.WalletRead, access.OrdersRead},
		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::7/128")},
		Made:      start(), Ends: start().Add(time.Hour), Revoked: start().Add(time.Minute), Used: start().Add(time.Second),
	}
}

func (s KeyStore) insert(t *testing.T, k access.Key, hash string) access.Key {
	t.Helper()
	must(t, s.Store.InTx(t.Context(), func(tx access.Tx) (err error) {
		k.ID, err = tx.Insert(k, hash)
		return err
	}))
	return k
}

func keysComeBack(t *testing.T, s KeyStore) {
	a := s.insert(t, someKey("a"), "hash of a")
	b := s.insert(t, access.Key{Client: "b", Name: "b", Scopes: []access.Scope{access.LinksWrite}, Made: start()}, "hash of b")
	for _, k := range []access.Key{a, b} {
		got, hash, err := s.Store.ByName(t.Context(), k.Name)
		must(t, err)
		want(t, "ByName", got, k)
		want(t, "hash", hash, "hash of "+k.Name)
		must(t, s.Store.InTx(t.Context(), func(tx access.Tx) error {
			got, err := tx.Key(k.ID)
			want(t, "Key", got, k)
			return err
		}))
	}
	for count, all := range map[int][]access.Key{1: {b}, 5: {b, a}} {
		got, err := s.Store.Keys(t.Context(), count)
		must(t, err)
		want(t, "Keys", got, all)
	}
}

func noKey(t *testing.T, s KeyStore) {
	_, _, err := s.Store.ByName(t.Context(), "a")
	wantCode(t, "ByName", err, fault.NotFound)
	err = s.Store.InTx(t.Context(), func(tx access.Tx) error {
		_, err := tx.Key(1)
		return err
	})
	wantCode(t, "Key", err, fault.NotFound)
	all, err := s.Store.Keys(t.Context(), 5)
	must(t, err)
	want(t, "number of keys", len(all), 0)
}

func namesApart(t *testing.T, s KeyStore) {
	s.insert(t, someKey("a"), "x")
	err := s.Store.InTx(t.Context(), func(tx access.Tx) error {
		_, err := tx.Insert(someKey("a"), "y")
		return err
	})
	wantCode(t, "the same name", err, fault.Conflict)
}

func revokedOnce(t *testing.T, s KeyStore) {
	k := someKey("a")
	k.Revoked = time.Time{}
	k = s.insert(t, k, "x")
	for _, at := range []time.Time{start().Add(time.Hour), start().Add(2 * time.Hour)} {
		must(t, s.Store.InTx(t.Context(), func(tx access.Tx) error { return tx.Revoke(k.ID, at) }))
	}
	got, _, err := s.Store.ByName(t.Context(), "a")
	must(t, err)
	want(t, "revoked", got.Revoked, start().Add(time.Hour))
}

func useMoves(t *testing.T, s KeyStore) {
	k := s.insert(t, someKey("a"), "x")
	for _, at := range []time.Time{start().Add(time.Hour), start()} {
		must(t, s.Store.InTx(t.Context(), func(tx access.Tx) error { return tx.Use(k.ID, at) }))
	}
	got, _, err := s.Store.ByName(t.Context(), "a")
	must(t, err)
	want(t, "used", got.Used, start().Add(time.Hour))
}
