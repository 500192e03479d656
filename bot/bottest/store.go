package bottest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"fanli/core/audit"
	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/desk"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A store keeps everything in memory for as long as a conversation lasts. One
// transaction runs at a time; events leave it when it has ended well. What a
// failed transaction wrote stays: core decides before it writes.
type store struct {
	mu     sync.Mutex
	outbox []event.Event

	users      map[int64]user.User
	identities []identity
	payees     map[int64]user.Payee
	codes      map[int64]string
	inviters   map[int64]user.Invitation
	grants     []user.Grant
	wishes     map[int64]user.Notices

	links []link.Link

	lines  []order.Line
	ways   []order.Way
	claims []order.Claim
	bound  []order.Member
	rivals []order.Contest
	used   map[string]bool // tickets

	rules   []rebate.Rules
	acts    []rebate.Edition
	rebates map[order.Key]rebate.Rebate

	entries  []ledger.Entry
	balances map[ledger.Account]money
	booked   map[order.Key]booked
	spent    map[string]money
	firsts   map[int64]string

	withdrawals []withdraw.Withdrawal
	autopays    map[int64]withdraw.Autopay
	cuts        map[int64]cuts
	messages    []message
	switches    map[control.Scope]control.Switch

	members  []desk.Member
	pendings []desk.Pending
	told     []desk.Told
	deeds    []audit.Act // of staff
	now      func() time.Time
	money    pointers // of payment
	owners   pointers // of order
	moved    map[int64]credit.Moved
	merged   map[int64]order.Merged

	answers   map[string][]byte
	dialogues map[int64]dialogue
}

type identity struct {
	user.Identity
	user int64
}

type message struct {
	notify.Message
	next time.Time
	why  string
}

func newStore() *store {
	return &store{
		users: map[int64]user.User{}, payees: map[int64]user.Payee{}, codes: map[int64]string{}, spent: map[string]money{}, inviters: map[int64]user.Invitation{}, rebates: map[order.Key]rebate.Rebate{},
		balances: map[ledger.Account]money{}, booked: map[order.Key]booked{},
		wishes: map[int64]user.Notices{}, firsts: map[int64]string{}, cuts: map[int64]cuts{},
		autopays: map[int64]withdraw.Autopay{},
		money:    pointers{}, owners: pointers{}, used: map[string]bool{}, moved: map[int64]credit.Moved{}, merged: map[int64]order.Merged{},
		answers: map[string][]byte{}, dialogues: map[int64]dialogue{},
	}
}

// A tx is a transaction under way. The Tx of every capability is a type of its
// own over it.
type tx struct {
	*store
	events []event.Event
	seen   map[string]bool // what the inbox has handled
}

// Emit writes to the outbox.
func (t *tx) Emit(e event.Event) error {
	t.events = append(t.events, e)
	return nil
}

// Handled records that an event was handled.
func (t *tx) Handled(id string) (before bool, err error) {
	before = t.seen[id]
	t.seen[id] = true
	return before, nil
}

// An inbox is what one hearer has handled.
type inbox struct {
	*store
	seen map[string]bool
}

func (b inbox) run(fn func(*tx) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &tx{store: b.store, seen: b.seen}
	if err := fn(t); err != nil {
		return err
	}
	b.outbox = append(b.outbox, t.events...)
	return nil
}

// read runs fn while nobody writes.
func read[T any](s *store, fn func() (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fn()
}

// userStore is a user.Store.
type userStore struct{ inbox }

type userTx struct{ *tx }

func (s userStore) InTx(_ context.Context, fn func(user.Tx) error) error {
	return s.run(func(t *tx) error { return fn(userTx{t}) })
}

func (s userStore) User(_ context.Context, id int64) (user.User, error) {
	return read(s.store, func() (user.User, error) {
		if u, ok := s.users[id]; ok {
			return u, nil
		}
		return user.User{}, fault.New(fault.NotFound, "")
	})
}

func (s userStore) ByIdentity(_ context.Context, i user.Identity) (user.User, error) {
	return read(s.store, func() (user.User, error) {
		for _, id := range s.identities {
			if id.Identity == i {
				return s.users[id.user], nil
			}
		}
		return user.User{}, fault.New(fault.NotFound, "")
	})
}

func (s userStore) Identities(_ context.Context, id int64) ([]user.Identity, error) {
	return read(s.store, func() (out []user.Identity, err error) {
		for _, i := range s.identities {
			if i.user == id {
				out = append(out, i.Identity)
			}
		}
		return out, nil
	})
}

func (s userStore) Payee(_ context.Context, id int64) (user.Payee, error) {
	return read(s.store, func() (user.Payee, error) { return s.payees[id], nil })
}

func (s userStore) Sharing(_ context.Context, id int64) (int, error) {
	return read(s.store, func() (n int, err error) {
		for other, p := range s.payees {
			if other != id && p.Same(s.payees[id]) {
				n++
			}
		}
		return n, nil
	})
}

func (t userTx) Insert(u user.User, i user.Identity) (int64, error) {
	if slices.ContainsFunc(t.identities, func(o identity) bool { return o.Identity == i }) {
		return 0, fault.New(fault.Conflict, "")
	}
	u.ID = int64(len(t.users) + 1)
	t.users[u.ID] = u
	t.identities = append(t.identities, identity{i, u.ID})
	return u.ID, nil
}

func (t userTx) SetLocale(id int64, locale string) error {
	u := t.users[id]
	u.Locale = locale
	t.users[id] = u
	return nil
}

func (t userTx) SetPayee(id int64, p user.Payee) error {
	t.payees[id] = p
	return nil
}

func (s userStore) Notices(_ context.Context, id int64) (user.Notices, error) {
	return read(s.store, func() (user.Notices, error) { return s.noticesOf(id) })
}

func (t userTx) Notices(id int64) (user.Notices, error) { return t.noticesOf(id) }

func (s *store) noticesOf(id int64) (user.Notices, error) {
	if n, ok := s.wishes[id]; ok {
		return n, nil
	}
	return user.Notices{}, fault.New(fault.NotFound, "")
}

func (t userTx) SetNotices(id int64, n user.Notices) error {
	t.wishes[id] = n
	return nil
}

// linkStore is a link.Store.
type linkStore struct{ inbox }

type linkTx struct{ *tx }

func (s linkStore) InTx(_ context.Context, fn func(link.Tx) error) error {
	return s.run(func(t *tx) error { return fn(linkTx{t}) })
}

func (s linkStore) Recent(_ context.Context, id int64, network, item string, since time.Time) (link.Link, error) {
	return read(s.store, func() (link.Link, error) {
		for _, l := range slices.Backward(s.links) {
			if l.User == id && l.Network == network && l.Item == item && l.At.After(since) {
				return l, nil
			}
		}
		return link.Link{}, fault.New(fault.NotFound, "")
	})
}

func (s linkStore) Link(_ context.Context, id int64) (link.Link, error) {
	return read(s.store, func() (link.Link, error) {
		if i := slices.IndexFunc(s.links, func(l link.Link) bool { return l.ID == id }); i >= 0 {
			return s.links[i], nil
		}
		return link.Link{}, fault.New(fault.NotFound, "")
	})
}

func (t linkTx) SlotUsers(network, item string, since time.Time) (out []link.SlotUse, err error) {
	for _, l := range t.links {
		if l.Network == network && l.Item == item && l.At.After(since) {
			out = append(out, link.SlotUse{Slot: l.Mark.Slot, User: l.User, At: l.At})
		}
	}
	return out, nil
}

func (t linkTx) Insert(l link.Link) (int64, error) {
	l.ID = int64(len(t.links) + 1)
	t.links = append(t.links, l)
	return l.ID, nil
}

// rebateStore is a rebate.Store.
type rebateStore struct{ inbox }

type rebateTx struct{ *tx }

func (s rebateStore) InTx(_ context.Context, fn func(rebate.Tx) error) error {
	return s.run(func(t *tx) error { return fn(rebateTx{t}) })
}

func (s rebateStore) Rebates(_ context.Context, keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	return read(s.store, func() (map[order.Key]rebate.Rebate, error) { return s.rebatesOf(keys), nil })
}

func (s rebateStore) Rules(_ context.Context, version int64) (rebate.Rules, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rulesAt(version)
}

func (s *store) rebatesOf(keys []order.Key) map[order.Key]rebate.Rebate {
	out := map[order.Key]rebate.Rebate{}
	for _, k := range keys {
		if r, ok := s.rebates[k]; ok {
			out[k] = r
		}
	}
	return out
}

func (s *store) rulesAt(version int64) (rebate.Rules, int64, error) {
	if version == 0 {
		version = int64(len(s.rules))
	}
	if version < 1 || version > int64(len(s.rules)) {
		return rebate.Rules{}, 0, fault.New(fault.NotFound, "")
	}
	return s.rules[version-1], version, nil
}

func (t rebateTx) Rebates(keys []order.Key) (map[order.Key]rebate.Rebate, error) {
	return t.rebatesOf(keys), nil
}

func (t rebateTx) Due(now time.Time, count int) (out []rebate.Rebate, err error) {
	for _, r := range t.rebates {
		if r.Stage == rebate.Pending && !r.Due.IsZero() && !r.Due.After(now) && len(out) < count {
			out = append(out, r)
		}
	}
	return out, nil
}

func (t rebateTx) Put(rs []rebate.Rebate) error {
	for _, r := range rs {
		t.rebates[r.Key] = r
	}
	return nil
}

func (t rebateTx) Rules(version int64) (rebate.Rules, int64, error) { return t.rulesAt(version) }

func (t rebateTx) AddRules(r rebate.Rules, a rebate.Edition) (int64, error) {
	t.rules = append(t.rules, r)
	a.Version = int64(len(t.rules))
	t.acts = append(t.acts, a)
	return a.Version, nil
}

func (t rebateTx) Edition() (rebate.Edition, error) {
	if len(t.acts) == 0 {
		return rebate.Edition{}, fault.New(fault.NotFound, "")
	}
	return t.acts[len(t.acts)-1], nil
}

func (s rebateStore) Editions(_ context.Context, before int64, count int) ([]rebate.Edition, error) {
	return read(s.store, func() (out []rebate.Edition, err error) {
		for _, a := range slices.Backward(s.acts) {
			if (before == 0 || a.Version < before) && len(out) < count {
				out = append(out, a)
			}
		}
		return out, nil
	})
}

func (s rebateStore) Walk(_ context.Context, _ time.Time, fn func(rebate.Rebate) error) error {
	s.mu.Lock()
	all := slices.SortedFunc(maps.Values(s.rebates), func(a, b rebate.Rebate) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	s.mu.Unlock() // fn may ask for more
	for _, r := range all {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}
