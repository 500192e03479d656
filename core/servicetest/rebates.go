package servicetest

import (
	"reflect"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
)

// A RebateWorld is a rebate.Service under test, with the store behind it and that
// of the users whose levels it asks for. Nothing is used up.
type RebateWorld struct {
	Clock
	Service rebate.Service
	Store   rebate.Store
	Users   user.Store
}

// Rebates checks every promise of rebate.Service.
func Rebates(t *testing.T, open func(t *testing.T) RebateWorld) {
	t.Helper()
	run(t, open,
		story[RebateWorld]{"PromiseDependsOnAllThatRulesLookAt", promiseDepends},
		story[RebateWorld]{"RebatesAreToldToTheLastField", rebatesTold},
		story[RebateWorld]{"StandingIsTold", standingTold},
		story[RebateWorld]{"Failures", rebateFailures},
	)
}

// enact puts rules in force that look at all that rules can look at.
func (w RebateWorld) enact(t *testing.T, u user.User) (r rebate.Rules, version int64) {
	t.Helper()
	add := func(name string, when rebate.When, bps money.Bps) rebate.Rule {
		return rebate.Rule{Name: name, Mode: rebate.Add, When: when, Give: rebate.Give{Commission: bps}}
	}
	r = rebate.Rules{
		Base: 5000, Fee: 600, Levels: map[int]money.Bps{u.Level: 100}, Networks: map[string]money.Bps{link.JD: 200},
		Categories: map[string]money.Bps{"厨具": 300}, Referral: rebate.Referral{First: 500, Second: 200},
		List: []rebate.Rule{
			add("商店", rebate.When{Shops: []string{"旗舰店"}}, 400), add("item", rebate.When{Items: []string{"same"}}, 500),
			add("user", rebate.When{Users: []int64{u.ID}}, 600),
			add("campaign", rebate.When{From: w.Now(), Until: w.Now().Add(time.Hour)}, 700),
			add("dear", rebate.When{PriceFrom: 8000}, 800), add("alone", rebate.When{Inviter: rebate.InviterNone}, 50),
		},
	}
	must(t, r.Validate())
	must(t, w.Store.InTx(t.Context(), func(tx rebate.Tx) error {
		last, err := tx.Edition()
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		version, err = tx.AddRules(r, rebate.Edition{Before: last.Version, Staff: true, By: "test", Reason: "test", At: w.Now()})
		return err
	}))
	return r, version
}

func promiseDepends(t *testing.T, w RebateWorld) {
	ctx, u := t.Context(), putUser(t, w.Users, w.Now(), "a")
	rules, version := w.enact(t, u)
	s := rebate.Subject{
		Level: u.Level, Network: link.JD, Category: "厨具", Shop: "旗舰店", Item: "same", User: u.ID, At: w.Now(), Price: 8900,
		Inviter: rebate.InviterNone,
	}
	full(t, s)
	// Each of these changes what is promised, so that each is known to arrive.
	for i := range reflect.TypeFor[rebate.Subject]().NumField() {
		less := s
		reflect.ValueOf(&less).Elem().Field(i).SetZero()
		if a, b := rules.Terms(version, s), rules.Terms(version, less); a.String() == b.String() {
			t.Errorf("the rules do not look at %s", reflect.TypeFor[rebate.Subject]().Field(i).Name)
		}
	}
	for _, o := range []link.Offer{
		{Network: link.JD, Item: "changing", SameItem: "same", Category: "厨具", Shop: "旗舰店", Final: 8900, Commission: 1200},
		{Network: link.JD, Item: "same", Category: "厨具", Shop: "旗舰店", Final: 8900, Commission: 1200},
		{},
	} {
		s.Network, s.Category, s.Shop, s.Item, s.Price = o.Network, o.Category, o.Shop, o.ItemKey(), o.Final
		terms := rules.Terms(version, s)
		p := link.Promise{
			Rules: version, Share: terms.Share, Rebate: terms.Of(rebate.Sale{Commission: o.Commission, Price: o.Final}).Rebate, Terms: terms.String(),
		}
		if o.Commission > 0 {
			full(t, p)
		}
		got, err := w.Service.Promise(ctx, u.ID, o)
		must(t, err)
		want(t, "Promise", got, p)
	}
	full(t, rules.Referral)
	got, err := w.Service.Referral(ctx)
	must(t, err)
	want(t, "Referral", got, rules.Referral)
}

// standingTold wants the rules in force to arrive as they are, to the last field.
func standingTold(t *testing.T, w RebateWorld) {
	ctx, u := t.Context(), putUser(t, w.Users, w.Now(), "a")
	r, version := w.enact(t, u)
	until := w.Now().Add(time.Hour)
	got, err := w.Service.Standing(ctx, u.ID, []string{link.JD, link.PDD})
	must(t, err)
	// The level's 100, the user's 600, the campaign's 700, JD's 200, and 50 without an inviter.
	rate := func(network string, share money.Bps) rebate.Rate {
		return rebate.Rate{Network: network, Share: share, Varies: true, Levels: []rebate.LevelShare{{Level: 0, Share: share - 100}, {Level: u.Level, Share: share}}}
	}
	want(t, "Standing", got, rebate.Standing{
		Version: version, Since: w.Now(), Level: u.Level, Fee: r.Fee, Networks: []rebate.Rate{rate(link.JD, 6650), rate(link.PDD, 6450)},
		Campaigns: []rebate.Campaign{{Name: "campaign", Mode: rebate.Add, Give: rebate.Give{Commission: 700}, Until: until}},
	})
	if _, err := w.Service.Standing(ctx, 999, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("Standing of nobody: %v", err)
	}
}

// someTerms returns terms with all that terms can have.
func someTerms() rebate.Terms {
	return rebate.Terms{
		Rules: 2, Share: 7500, Fee: 1000, Cap: 900, Minimum: 10, HoldDays: 7, Refer: rebate.Referral{First: 500, Second: 200},
		Settle: rebate.SettleEstimate, SettleBudget: "settle", Dry: []string{"春节"},
		Asked: &rebate.Asked{
			At: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), User: 7, Level: 1, Network: link.JD, Item: "same", Shop: "小店", Category: "厨具", Price: 8900,
		},
		Parts: []rebate.Part{{
			Kind: "rule", Name: "满减", Bps: 7000, First: true, Price: 100, Fixed: 50, Tiers: []rebate.Tier{{From: 1000, Share: 5000}},
			From: 500, Until: 100_000, Minimum: 1, Cap: 500, Round: 10, Budget: "spring",
			Rebate: 100, UserCap: 200,
		}, {Kind: "base", Bps: 500}},
		Bonuses: []rebate.Part{{
			Kind: "rule", Name: "双十一", Bps: 1, First: true, Price: 2, Fixed: 100, Tiers: []rebate.Tier{{From: 1000, Share: 5000}},
			From: 500, Until: 100_000, Minimum: 1, Cap: 500, Round: 10, Budget: "autumn", Rebate: 1000, UserCap: 500,
		}},
	}
}

// someRebate returns a rebate with all that one can have.
func someRebate(now time.Time, id string) rebate.Rebate {
	terms := someTerms()
	return rebate.Rebate{
		Key: key(id), Seq: 3, User: 7, Stage: rebate.Pending, Amount: 810, Cuts: [2]rebate.Cut{{User: 8, Amount: 30}, {User: 9, Amount: 1}},
		TopUp: 20, Margin: 389, Due: now.Add(time.Hour), Changed: now.Add(-time.Minute),
		Line: order.ChangedLine{
			Line: 70, Key: key(id), Rev: 4, Order: "order", Title: "保温杯 ☕", Category: "厨具", Item: "item", Shop: "旗舰店", State: order.Settled,
			Why: "order.violation", Price: 8900, Refunded: 100, Commission: 1200, Estimated: 1250, Disputed: true, User: 7,
			Promise:   link.Promise{Rules: 2, Share: 7500, Rebate: 810, Terms: terms.String()},
			CreatedAt: now.Add(-time.Hour), SettledAt: now.Add(-2 * time.Minute), SettlesOn: now.Add(2 * time.Hour),
		},
		Trace: rebate.Trace{
			Terms: terms, Commission: 1250, Base: 1080, Raw: 815, Capped: true, Small: true, Rebate: 810, Price: 8900, Refunded: 100,
			Yields: []money.Fen{50, 7}, Limited: true, Settled: 1200, TopUp: 20, Budget: "spring", Cuts: rebate.Cuts{30, 1},
		},
	}
}

func rebatesTold(t *testing.T, w RebateWorld) {
	ctx, one := t.Context(), someRebate(w.Now(), "1")
	bare := rebate.Rebate{Key: key("2"), Stage: rebate.Nothing, Line: order.ChangedLine{Key: key("2")}, Changed: w.Now()}
	full(t, one)
	must(t, w.Store.InTx(ctx, func(tx rebate.Tx) error { return tx.Put([]rebate.Rebate{one, bare}) }))
	got, err := w.Service.Of(ctx, []order.Key{one.Key, bare.Key, key("3")})
	must(t, err)
	want(t, "Of", got, map[order.Key]rebate.Rebate{one.Key: one, bare.Key: bare})
	for _, none := range [][]order.Key{nil, {key("3")}} {
		got, err = w.Service.Of(ctx, none)
		must(t, err)
		want(t, "number of rebates of no lines", len(got), 0)
	}
}

func rebateFailures(t *testing.T, w RebateWorld) {
	if _, err := w.Service.Promise(t.Context(), 999, link.Offer{Network: link.JD}); !fault.Is(err, fault.NotFound) {
		t.Errorf("Promise to nobody: %v", err)
	}
}
