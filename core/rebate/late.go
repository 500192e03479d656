package rebate

import (
	"context"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// Asked is what a promise is made from that nobody could make when its link was:
// everything that the rules look at, as it was then. The version of the rules is
// the one that was in force at At. Only whether a budget is used up is asked when
// the promise is made, because nobody was told a sum before.
type Asked struct {
	At       time.Time `json:"at"`
	User     int64     `json:"user"`
	Level    int       `json:"level,omitempty"`
	Network  string    `json:"network"`
	Item     string    `json:"item"`
	Shop     string    `json:"shop,omitempty"`
	Category string    `json:"category,omitempty"`
	Price    money.Fen `json:"price,omitempty"`
}

// Later returns the promise of a link for o that is made now, while no [Service] can
// be asked: it says nothing yet, and is made when the first order comes.
func Later(user int64, level int, o link.Offer, at time.Time) link.Promise {
	return link.Promise{Terms: Terms{Asked: &Asked{
		At: at.UTC().Truncate(time.Millisecond), User: user, Level: level, Network: o.Network, Item: o.ItemKey(), Shop: o.Shop, Category: o.Category, Price: o.Final,
	}}.String()}
}

// lateTerms are the terms that were still to be made, by the text of their promise.
type lateTerms map[string]Terms

// text returns what a promise says once it is made.
func (m lateTerms) text(promise string) string {
	if t, ok := m[promise]; ok {
		return t.String()
	}
	return promise
}

// askedMark is in the text of all promises that are still to be made. Most are not,
// and reading them would cost as much as computing.
const askedMark = `"asked":`

// late makes the promises among lines that are still to be made. It asks others, and
// so it does before any transaction.
func (c *Clerk) late(ctx context.Context, lines []order.ChangedLine) (lateTerms, error) {
	var out lateTerms
	for _, l := range lines {
		text := l.Promise.Terms
		if _, ok := out[text]; ok || l.User == 0 || !strings.Contains(text, askedMark) {
			continue
		}
		t, err := ParseTerms(text)
		if err != nil {
			return nil, err
		}
		if t.Asked == nil || t.Rules != 0 {
			continue
		}
		if t, err = c.makeLate(ctx, *t.Asked); err != nil {
			return nil, fault.In("rebate.Late", err)
		}
		if out == nil {
			out = lateTerms{}
		}
		out[text] = t
	}
	return out, nil
}

// makeLate makes terms as they would have been made at a.At.
func (c *Clerk) makeLate(ctx context.Context, a Asked) (Terms, error) {
	version, err := c.inForce(ctx, a.At)
	if err != nil {
		return Terms{}, err
	}
	rules, version, err := c.Store.Rules(ctx, version)
	if err != nil {
		return Terms{}, err
	}
	t, err := c.make(ctx, rules, version, Subject{
		Level: a.Level, Network: a.Network, Category: a.Category, Shop: a.Shop, Item: a.Item, User: a.User, At: a.At, Price: a.Price,
	})
	t.Asked = &a
	return t, err
}

// editionsPage is how many versions are looked at at once.
const editionsPage = 50

// inForce returns the version of the rules that was in force at a time; the first
// one for a time before all, and 0, the newest, where nothing is known of versions.
func (c *Clerk) inForce(ctx context.Context, at time.Time) (version int64, err error) {
	for {
		es, err := c.Store.Editions(ctx, version, editionsPage)
		if err != nil || len(es) == 0 {
			return version, err
		}
		for _, e := range es {
			version = e.Version
			if !e.At.After(at) {
				return version, nil
			}
		}
	}
}
