package bottest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// orderStore is an order.Store that keeps what conversations need: lines, links
// and claims. Raw rows and feed positions are not read by anybody here.
type orderStore struct{ inbox }

type orderTx struct{ *tx }

func (s orderStore) InTx(_ context.Context, fn func(order.Tx) error) error {
	return s.run(func(t *tx) error { return fn(orderTx{t}) })
}

func (s orderStore) OfUser(_ context.Context, id, before int64, count int) ([]order.Line, error) {
	return read(s.store, func() ([]order.Line, error) {
		var out []order.Line
		for _, l := range s.lines {
			if s.owners.root(l.User) == id && (before == 0 || l.ID < before) {
				out = append(out, l)
			}
		}
		slices.SortFunc(out, func(a, b order.Line) int { return cmp.Compare(b.ID, a.ID) })
		return s.owned(out[:min(count, len(out))]), nil
	})
}

func (s orderStore) ByNumber(_ context.Context, number string) ([]order.Line, error) {
	return read(s.store, func() ([]order.Line, error) {
		return s.owned(s.where(func(l order.Line) bool { return named(l, number) })), nil
	})
}

func (s orderStore) History(context.Context, order.Key) ([]order.Past, error) { return nil, nil }

func (s orderStore) Progress(_ context.Context, at order.Place) (order.Progress, error) {
	return order.Progress{Place: at}, nil
}

func (s orderStore) Places(context.Context) ([]order.Progress, error) { return nil, nil }

func (s orderStore) Claims(_ context.Context, user, before int64, count int) ([]order.Claim, error) {
	return read(s.store, func() ([]order.Claim, error) {
		cs := s.claimsWhere(func(c order.Claim) bool { return c.User == user && (before == 0 || c.ID < before) })
		slices.Reverse(cs)
		return cs[:min(count, len(cs))], nil
	})
}

func (s orderStore) DueClaims(_ context.Context, now time.Time, count int) ([]order.Claim, error) {
	return read(s.store, func() ([]order.Claim, error) {
		cs := s.claimsWhere(func(c order.Claim) bool {
			return (c.State.Open() || c.State.Staffed()) && !c.Next.After(now)
		})
		return cs[:min(count, len(cs))], nil
	})
}

func (s orderStore) StaffedClaims(_ context.Context, count int) ([]order.Claim, error) {
	return read(s.store, func() ([]order.Claim, error) {
		cs := s.claimsWhere(func(c order.Claim) bool { return c.State.Staffed() })
		return cs[:min(count, len(cs))], nil
	})
}

func (s *store) claimsWhere(keep func(order.Claim) bool) []order.Claim {
	var out []order.Claim
	for _, c := range s.claims {
		if keep(c) {
			out = append(out, c)
		}
	}
	return out
}

func (s orderStore) Counts(context.Context) (order.Counts, error) { return order.Counts{}, nil }

func (s *store) where(keep func(order.Line) bool) []order.Line {
	var out []order.Line
	for _, l := range s.lines {
		if keep(l) {
			out = append(out, l)
		}
	}
	return out
}

func (t orderTx) Lines(keys []order.Key) (map[order.Key]order.Line, error) {
	out := map[order.Key]order.Line{}
	for _, l := range t.where(func(l order.Line) bool { return slices.Contains(keys, l.Key) }) {
		out[l.Key] = l
	}
	return out, nil
}

// named reports whether a line is of an order number, or was split from it.
func named(l order.Line, number string) bool {
	return l.Row().Order == number || l.Row().Root() == number
}

func (t orderTx) ByOrder(network, number string) ([]order.Line, error) {
	return t.where(func(l order.Line) bool { return l.Key.Network == network && named(l, number) }), nil
}

func (t orderTx) Unowned(network, tag, item string, count int) ([]order.Line, error) {
	out := t.where(func(l order.Line) bool {
		return l.User == 0 && l.Key.Network == network && (l.Row().Tag == tag || l.Row().Item == item)
	})
	return out[:min(count, len(out))], nil
}

func (t orderTx) Wanted(account int64, count int) ([]order.Line, error) {
	out := t.where(func(l order.Line) bool {
		return l.User == 0 && slices.ContainsFunc(t.ways, func(w order.Way) bool {
			return w.User == account && w.Network == l.Key.Network && w.Item == l.Row().Item
		})
	})
	return out[:min(count, len(out))], nil
}

func (t orderTx) Alike(network, suffix string, count int) ([]order.Line, error) {
	out := t.where(func(l order.Line) bool {
		return l.User == 0 && l.Key.Network == network && strings.HasSuffix(l.Row().Order, suffix)
	})
	return out[:min(count, len(out))], nil
}

func (t orderTx) Due(now time.Time, count int) ([]order.Line, error) {
	out := t.where(func(l order.Line) bool {
		on := l.Row().SettlesOn
		return l.State == order.Received && !on.IsZero() && !on.After(now)
	})
	return out[:min(count, len(out))], nil
}

func (t orderTx) Put(lines []*order.Line) error {
	for _, l := range lines {
		if l.ID == 0 {
			l.ID = int64(len(t.lines) + 1)
			t.lines = append(t.lines, *l)
		} else {
			t.lines[l.ID-1] = *l
		}
	}
	return nil
}

func (t orderTx) Keep([]order.Past) error { return nil }

func (t orderTx) Quarantine([]order.Bad, time.Time) error { return nil }

func (t orderTx) AddWay(w order.Way) error {
	if !slices.ContainsFunc(t.ways, func(o order.Way) bool { return o.Link == w.Link }) {
		t.ways = append(t.ways, w)
	}
	return nil
}

func (t orderTx) Ways(network string, tags, items, orders, _ []string, since time.Time) (order.Ways, error) {
	w := order.Ways{
		ByTag: map[string]order.Way{}, Kin: map[string][]int64{}, Word: map[string][]int64{}, ByItem: map[string][]order.Way{},
		Suffixes: map[string][]int64{}, Claims: map[string][]order.Claim{},
	}
	for _, way := range t.ways {
		if way.Network != network || way.At.Before(since) {
			continue
		}
		if slices.Contains(tags, way.Tag) {
			w.ByTag[way.Tag] = way
		}
		if slices.Contains(items, way.Item) {
			w.ByItem[way.Item] = append(w.ByItem[way.Item], way)
		}
	}
	for _, l := range t.where(func(l order.Line) bool { return l.User != 0 && slices.Contains(orders, l.Row().Root()) }) {
		r := l.Row()
		w.Relate(r, l.User, l.Step)
	}
	w.Members = map[string]int64{}
	for _, m := range t.bound {
		if m.Network == network && slices.Contains(tags, m.Tag) {
			w.Members[m.Tag] = m.User
		}
	}
	for _, c := range t.claims {
		if c.Network == network && c.State.Open() && slices.Contains(orders, c.Order) {
			w.Claims[c.Order] = append(w.Claims[c.Order], c)
		}
	}
	return w, nil
}

func (t orderTx) AddSuffix(string, string, int64) error { return nil }

func (t orderTx) PutClaim(c order.Claim) (order.Claim, error) {
	for _, o := range t.claims {
		if o.User == c.User && o.Network == c.Network && o.Order == c.Order {
			return o, nil
		}
	}
	c.ID = int64(len(t.claims) + 1)
	t.claims = append(t.claims, c)
	return c, nil
}

func (t orderTx) Claim(id int64) (order.Claim, error) {
	if id < 1 || id > int64(len(t.claims)) {
		return order.Claim{}, fault.New(fault.NotFound, "")
	}
	return t.claims[id-1], nil
}

func (t orderTx) ClaimsOf(network, number string) ([]order.Claim, error) {
	return t.claimsWhere(func(c order.Claim) bool { return c.Network == network && c.Order == number }), nil
}

func (t orderTx) SwapClaim(c order.Claim, rev int64) (bool, error) {
	if t.claims[c.ID-1].Rev != rev {
		return false, nil
	}
	t.claims[c.ID-1] = c
	return true, nil
}

func (t orderTx) CountClaims(id int64, since time.Time) (n int, last time.Time, err error) {
	for _, c := range t.claims {
		if c.User == id && c.At.After(since) {
			n, last = n+1, c.At
		}
	}
	return n, last, nil
}

func (t orderTx) SetProgress(order.Progress) error { return nil }

// numbers makes order and line numbers in the form of each network.
func numbers(network string) func(n int64) (number, line string) {
	return func(n int64) (string, string) {
		number := map[string]string{
			link.Taobao: "29483710556" + digits(n, 8),
			link.PDD:    "260301-" + digits(n, 15),
		}[network]
		if number == "" {
			number = "31" + digits(n, 10)
		}
		return number, number + "-1"
	}
}

func digits(n int64, width int) string {
	b := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b)
}
