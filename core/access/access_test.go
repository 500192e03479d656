package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fanli/core/access"
	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
)

// A memory is a store without a database.
type memory struct {
	keys   []access.Key
	hashes []string
	events []event.Event
	fails  error
	uses   int
}

func (m *memory) InTx(_ context.Context, fn func(access.Tx) error) error { return fn(m) }
func (m *memory) Emit(e event.Event) error                               { m.events = append(m.events, e); return m.fails }
func (m *memory) ByName(_ context.Context, name string) (access.Key, string, error) {
	for i, k := range m.keys {
		if k.Name == name {
			return k, m.hashes[i], m.fails
		}
	}
	return access.Key{}, "", errors.Join(m.fails, fault.New(fault.NotFound, ""))
}
func (m *memory) Keys(context.Context, int) ([]access.Key, error) { return m.keys, nil }
func (m *memory) Insert(k access.Key, hash string) (int64, error) {
	k.ID = int64(len(m.keys) + 1)
	m.keys, m.hashes = append(m.keys, k), append(m.hashes, hash)
	return k.ID, nil
}
func (m *memory) Key(id int64) (access.Key, error) {
	if id < 1 || int(id) > len(m.keys) {
		return access.Key{}, fault.New(fault.NotFound, "")
	}
	return m.keys[id-1], nil
}
func (m *memory) Revoke(id int64, at time.Time) error { m.keys[id-1].Revoked = at; return nil }
func (m *memory) Use(id int64, at time.Time) error    { m.uses++; m.keys[id-1].Used = at; return nil }

// A house is a keeper with a clock.
type house struct {
	*access.Keeper
	m  *memory
	at time.Time
}

func newHouse() *house {
	h := &house{m: &memory{}, at: time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)}
	h.Keeper = &access.Keeper{Store: h.m, Hash: func(s string) string { return "hash of " + s }, Now: func() time.Time { return h.at }}
	return h
}

var (
	somewhere = netip.MustParseAddr("192.0.2.7")
	order     = access.Order{By: "wang", Reason: "acme signed"}
)

func simple() access.Key {
	return access.Key{Client: "acme", Scopes: []access.Scope{access.WalletRead, access.UsersAct}}
}

func (h *house) make(t *testing.T, k access.Key) (access.Key, string) {
	t.Helper()
	made, text, err := h.Make(t.Context(), k, order)
	if err != nil {
		t.Fatal(err)
	}
	return made, text
}

func wantFault(t *testing.T, what string, err error, code fault.Code, reason string) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
		t.Errorf("%s: %v, want %q %q", what, err, code, reason)
	}
}

func TestAKeyOpensUntilItEnds(t *testing.T) {
	t.Parallel()
	h := newHouse()
	k := simple()
	k.Ends = h.at.Add(time.Hour)
	k, text := h.make(t, k)
	if len(text) != len("fk_12345678_")+40 || !strings.HasPrefix(text, "fk_"+k.Name+"_") || strings.Contains(h.m.hashes[0], "fk_") {
		t.Errorf("the key is %q", text)
	}
	got, err := h.Open(t.Context(), text, somewhere)
	if err != nil || got.ID != k.ID || got.Channel() != "api/acme" || !got.Has(access.WalletRead) || got.Has(access.LinksWrite) {
		t.Errorf("it opens %+v, %v", got, err)
	}
	for _, wrong := range []string{
		"", "fk", "fk_", "fk__", text[:len(text)-1], text + "a", strings.ToUpper(text), "xx" + text[2:], "fk_" + k.Name, " " + text,
		strings.Replace(text, k.Name, "aaaaaaaa", 1), text[:len(text)-40] + strings.Repeat("a", 40),
	} {
		_, err := h.Open(t.Context(), wrong, somewhere)
		wantFault(t, wrong, err, fault.Denied, "access.key")
	}
	h.at = k.Ends.Add(-time.Millisecond)
	if _, err := h.Open(t.Context(), text, somewhere); err != nil {
		t.Error(err)
	}
	h.at = k.Ends
	_, err = h.Open(t.Context(), text, somewhere)
	wantFault(t, "at its end", err, fault.Denied, "access.key")
}

func TestARevokedKeyOpensNothing(t *testing.T) {
	t.Parallel()
	h := newHouse()
	k, text := h.make(t, simple())
	for range 2 {
		got, err := h.Revoke(t.Context(), k.ID, order)
		if err != nil || !got.Revoked.Equal(newHouse().at) {
			t.Errorf("revoked %+v, %v", got, err)
		}
		h.at = h.at.Add(time.Hour)
	}
	_, err := h.Open(t.Context(), text, somewhere)
	wantFault(t, "Open", err, fault.Denied, "access.key")
	_, err = h.Revoke(t.Context(), 99, order)
	wantFault(t, "Revoke of none", err, fault.NotFound, "access.none")
	var said []string
	for _, e := range h.m.events {
		var a audit.Acted
		if err := json.Unmarshal(e.Data, &a); err != nil {
			t.Fatal(err)
		}
		said = append(said, e.ID+": "+a.Actor+" "+a.What+" "+a.On+" "+a.Reason+" "+a.Before+">"+a.After)
		if strings.Contains(string(e.Data), strings.Split(text, "_")[2]) {
			t.Error("the record has the secret")
		}
	}
	if got, want := strings.Join(said, "\n"), "key.make/1: wang key.make key/1/acme acme signed >wallet:read users:act\n"+
		"key.revoke/1: wang key.revoke key/1/acme acme signed open>revoked"; got != want {
		t.Errorf("the record says\n%s\nwant\n%s", got, want)
	}
}

func TestAddressesBind(t *testing.T) {
	t.Parallel()
	h := newHouse()
	k := simple()
	k.Addresses = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")}
	_, text := h.make(t, k)
	for a, ok := range map[string]bool{"192.0.2.255": true, "::ffff:192.0.2.9": true, "192.0.3.1": false, "2001:db8::1": true, "2001:db8::2": false} {
		_, err := h.Open(t.Context(), text, netip.MustParseAddr(a))
		if ok && err != nil {
			t.Errorf("%s: %v", a, err)
		}
		if !ok {
			wantFault(t, a, err, fault.Denied, "access.address")
		}
	}
}

func TestUseIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	h := newHouse()
	_, text := h.make(t, simple())
	for range 121 { // two minutes and the first
		if _, err := h.Open(t.Context(), text, somewhere); err != nil {
			t.Fatal(err)
		}
		h.at = h.at.Add(time.Second)
	}
	if h.m.uses != 3 {
		t.Errorf("it was noted %d times", h.m.uses)
	}
}

func TestKeysThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse()
	for reason, spoil := range map[string]func(k *access.Key, o *access.Order){
		"access.client":    func(k *access.Key, _ *access.Order) { k.Client = "Acme Inc" },
		"access.user":      func(k *access.Key, _ *access.Order) { k.User = -1 },
		"access.scopes":    func(k *access.Key, _ *access.Order) { k.Scopes = nil },
		"access.addresses": func(k *access.Key, _ *access.Order) { k.Addresses = make([]netip.Prefix, 1) },
		"access.ends":      func(k *access.Key, _ *access.Order) { k.Ends = h.at },
		"access.by":        func(_ *access.Key, o *access.Order) { o.By = "" },
		"access.reason":    func(_ *access.Key, o *access.Order) { o.Reason = strings.Repeat("x", 501) },
	} {
		k, o := simple(), order
		spoil(&k, &o)
		_, _, err := h.Make(t.Context(), k, o)
		wantFault(t, reason, err, fault.Invalid, reason)
	}
	for _, scopes := range [][]access.Scope{{"all"}, {access.WalletRead, access.WalletRead}} {
		k := simple()
		k.Scopes = scopes
		_, _, err := h.Make(t.Context(), k, order)
		wantFault(t, "scopes", err, fault.Invalid, "access.scopes")
	}
	k := simple()
	k.User = 7
	_, _, err := h.Make(t.Context(), k, order)
	wantFault(t, "a user's key that acts for others", err, fault.Invalid, "access.scopes")
	_, err = h.Revoke(t.Context(), 1, access.Order{})
	wantFault(t, "Revoke by nobody", err, fault.Invalid, "access.by")
	if len(h.m.keys) != 0 {
		t.Errorf("there are %v", h.m.keys)
	}
}

// What the store says goes on; a key is not told apart from a database that is down.
func TestAStoreThatFailsOpensNothing(t *testing.T) {
	t.Parallel()
	h := newHouse()
	_, text := h.make(t, simple())
	h.m.fails = fault.New(fault.Unavailable, "")
	_, err := h.Open(t.Context(), text, somewhere)
	wantFault(t, "Open", err, fault.Unavailable, "")
}
