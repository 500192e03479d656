package bottest

import (
	"context"
	"slices"
	"time"

	"fanli/bot"
	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/event"
	fen "fanli/core/money"
	"fanli/core/user"
)

// Grants implements user.Store.
func (s userStore) Grants(_ context.Context, id int64) ([]user.Grant, error) {
	return read(s.store, func() ([]user.Grant, error) { return s.grantsOf(id), nil })
}

func (s *store) grantsOf(id int64) (out []user.Grant) {
	for _, g := range s.grants {
		if g.User == id {
			out = append(out, g)
		}
	}
	return out
}

// Ended implements user.Store.
func (s userStore) Ended(_ context.Context, now time.Time, count int) ([]user.Grant, error) {
	return read(s.store, func() (out []user.Grant, err error) {
		for _, g := range s.grants {
			if !g.Told && !g.Revoked && !g.Until.After(now) && len(out) < count {
				out = append(out, g)
			}
		}
		return out, nil
	})
}

// Level implements user.Tx.
func (t userTx) Level(id int64) (int, error) { return t.users[id].Level, nil }

// Grants implements user.Tx.
func (t userTx) Grants(id int64) ([]user.Grant, error) { return t.grantsOf(id), nil }

func (t userTx) grant(cause string) int {
	return slices.IndexFunc(t.grants, func(g user.Grant) bool { return g.Cause == cause })
}

// Grant implements user.Tx.
func (t userTx) Grant(g user.Grant) (user.Grant, error) {
	i := t.grant(g.Cause)
	if i < 0 {
		t.grants = append(t.grants, g)
		return g, nil
	}
	t.grants[i].Revoked = t.grants[i].Revoked || g.Revoked
	return t.grants[i], nil
}

// TellEnd implements user.Tx.
func (t userTx) TellEnd(cause string) (bool, error) {
	i := t.grant(cause)
	if i < 0 || t.grants[i].Told {
		return false, nil
	}
	t.grants[i].Told = true
	return true, nil
}

// A counter sells memberships at a till.
type counter struct {
	desk  *collect.Desk
	till  *collecttest.Till
	mem   *collecttest.Memory
	users *user.Directory
	heard int
}

func newCounter(now func() time.Time, users *user.Directory) *counter {
	c := &counter{till: collecttest.NewTill(now), mem: collecttest.NewMemory(), users: users}
	c.desk = &collect.Desk{Store: c.mem, Collectors: []collect.Collector{c.till}, Prefix: "T", Lasts: 30 * time.Minute, Now: now}
	return c
}

// Offers implements bot.Memberships.
func (c *counter) Offers() []bot.Membership {
	return []bot.Membership{{Level: 1, Days: 30, Price: 9_90}, {Level: 1, Days: 365, Price: 99_00}, {Level: 2, Days: 30, Price: 29_90}}
}

// Level implements bot.Memberships.
func (c *counter) Level(ctx context.Context, id int64) (int, time.Time, error) {
	return c.users.Level(ctx, id)
}

// Buy implements bot.Memberships.
func (c *counter) Buy(ctx context.Context, id int64, m bot.Membership, key string) (bot.Payable, error) {
	d, err := c.desk.Ask(ctx, collect.Request{
		Key: key, Purpose: collect.Membership, User: id, What: user.What(m.Level, m.Days), Amount: m.Price, Subject: "会员",
	})
	return bot.Payable{Link: "https://fanli.example/pay/code/" + d.Number, Until: d.Expires}, err
}

// news returns what was said since the last call.
func (c *counter) news() []event.Event {
	all := c.mem.Heard()
	fresh := all[c.heard:]
	c.heard = len(all)
	return fresh
}

// atTill pays the newest charge, or gives it back.
func (f *Fake) atTill(args ...string) error {
	ctx := context.Background()
	ds, err := f.till.desk.Store.Newest(ctx, 1)
	if err != nil || len(ds) == 0 || len(args) == 0 {
		return errUsage
	}
	d := ds[0]
	switch {
	case args[0] == "back":
		_, err = f.till.desk.Refund(ctx, d.ID, "cli", "goodwill")
	case len(args) == 2:
		amount, perr := fen.ParseYuan(args[1], fen.Exact)
		if perr != nil {
			return perr
		}
		err = f.till.till.PayOther(d.Number, amount)
	default:
		err = f.till.till.Pay(d.Number)
	}
	if err == nil && d.Stage.Open() {
		err = f.till.desk.Heard(ctx, "till", d.Number)
	}
	if err == nil {
		_, err = f.till.desk.Run(ctx)
	}
	return f.after(err)
}
