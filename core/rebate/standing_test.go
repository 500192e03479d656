package rebate_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"fanli/core/money"
	"fanli/core/rebate"
)

// TestStanding tells three people what the rules say to them: which share, whether goods
// may have another one, and which campaigns are for them.
func TestStanding(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.levels[7] = 1
	o.Dry = func(_ context.Context, budget string) (bool, error) { return budget == "empty", nil }
	week := rebate.When{From: start, Until: start.AddDate(0, 0, 7)}
	forLevel, forOne, forShop, over := week, week, week, week
	forLevel.LevelFrom, forOne.Users, forShop.Shops, forShop.Networks = 1, []int64{8}, []string{"自营"}, []string{"pdd"}
	over.From, over.Until = start.AddDate(0, 0, -7), start
	r := someRules()
	r.Cap, r.Budgets = 30_00, []string{"empty", "full"}
	r.List = []rebate.Rule{
		{Name: "level", Mode: rebate.Add, When: forLevel, Give: rebate.Give{Commission: 300}},
		{Name: "one", Mode: rebate.Bonus, When: forOne, Give: rebate.Give{Fixed: 100}, Budget: "full", UserCap: 200},
		{Name: "shop", Mode: rebate.Add, When: forShop, Give: rebate.Give{Fixed: 100}, Budget: "empty", Cap: 100},
		{Name: "less", Mode: rebate.Add, When: week, Give: rebate.Give{Commission: -100}},
		{Name: "over", Mode: rebate.Add, When: over, Give: rebate.Give{Commission: 100}},
		{Name: "always", Mode: rebate.Add, When: rebate.When{Networks: []string{"jd"}, PriceFrom: 100_00}, Give: rebate.Give{Commission: 100}},
	}
	o.at = start.Add(time.Hour)
	if _, err := o.Set(t.Context(), r, 1, "bob", "a week"); err != nil {
		t.Fatal(err)
	}
	rates := func(jd, pdd money.Bps) []rebate.Rate {
		return []rebate.Rate{
			{Network: "jd", Share: jd, HoldDays: 7, Varies: true, Levels: []rebate.LevelShare{{Level: 0, Share: 5900}, {Level: 1, Share: 6700}}},
			{Network: "pdd", Share: pdd, HoldDays: 15, Varies: true, Levels: []rebate.LevelShare{{Level: 0, Share: 6900}, {Level: 1, Share: 7700}}},
		}
	}
	ends := start.AddDate(0, 0, 7)
	level := rebate.Campaign{Name: "level", Mode: rebate.Add, Give: rebate.Give{Commission: 300}, Until: ends}
	one := rebate.Campaign{Name: "one", Mode: rebate.Bonus, Give: rebate.Give{Fixed: 100}, UserCap: 200, Until: ends, Budget: "full"}
	shop := rebate.Campaign{Name: "shop", Mode: rebate.Add, Give: rebate.Give{Fixed: 100}, Cap: 100, Networks: []string{"pdd"}, Some: true, Until: ends, Budget: "empty", Dry: true}
	for user, want := range map[int64]rebate.Standing{
		7: {Level: 1, Networks: rates(6700, 7700), Campaigns: []rebate.Campaign{level, shop}},
		8: {Networks: rates(5900, 6900), Campaigns: []rebate.Campaign{one, shop}},
		9: {Networks: rates(5900, 6900), Campaigns: []rebate.Campaign{shop}},
	} {
		want.Version, want.Since, want.Fee, want.Cap = 2, o.at, 1000, 30_00
		got, err := o.Standing(t.Context(), user, []string{"jd", "pdd"})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("user %d: %v\n%+v, want\n%+v", user, err, got, want)
		}
	}
	o.at = ends
	if got, err := o.Standing(t.Context(), 7, nil); err != nil || len(got.Networks)+len(got.Campaigns) != 0 {
		t.Errorf("when it is over: %+v, %v", got, err)
	}
}

// TestWhoseShareMayVary: only what may change somebody's share with the goods says so.
func TestWhoseShareMayVary(t *testing.T) {
	t.Parallel()
	add := func(w rebate.When) rebate.Rule {
		return rebate.Rule{Name: "rule", Mode: rebate.Add, When: w, Give: rebate.Give{Commission: 100}}
	}
	tiers := func(w rebate.When) rebate.Rule {
		r := add(w)
		r.Name, r.Mode, r.Give = "tiers", rebate.Base, rebate.Give{Tiers: []rebate.Tier{{From: 0, Share: 5000}, {From: 100_00, Share: 6000}}}
		return r
	}
	bonus := add(rebate.When{Shops: []string{"自营"}, From: start, Until: start.AddDate(0, 0, 7)})
	bonus.Mode, bonus.Give, bonus.Budget = rebate.Bonus, rebate.Give{Fixed: 100}, "full"
	for _, tt := range []struct {
		name   string
		rules  []rebate.Rule
		by     map[string]money.Bps // by category
		varies bool
	}{
		{"nothing", nil, nil, false},
		{"categories of the simple section", nil, map[string]money.Bps{"手机": 500}, true},
		{"a rule for everything", []rebate.Rule{add(rebate.When{})}, nil, false},
		{"a category", []rebate.Rule{add(rebate.When{Categories: []string{"手机"}})}, nil, true},
		{"a shop", []rebate.Rule{add(rebate.When{Shops: []string{"自营"}})}, nil, true},
		{"an item", []rebate.Rule{add(rebate.When{Items: []string{"1"}})}, nil, true},
		{"a price and above", []rebate.Rule{add(rebate.When{PriceFrom: 1})}, nil, true},
		{"a price and below", []rebate.Rule{add(rebate.When{PriceUntil: 1})}, nil, true},
		{"tiers", []rebate.Rule{tiers(rebate.When{})}, nil, true},
		{"a shop, for somebody else", []rebate.Rule{add(rebate.When{Shops: []string{"自营"}, Users: []int64{8}})}, nil, false},
		{"tiers, at another network", []rebate.Rule{tiers(rebate.When{Networks: []string{"pdd"}})}, nil, false},
		{"a campaign of a shop, which is beside the share", []rebate.Rule{bonus}, nil, false},
		{"tiers, and a rule for everything", []rebate.Rule{tiers(rebate.When{}), add(rebate.When{})}, nil, true},
	} {
		o := open(t)
		r := someRules()
		r.Categories, r.List, r.Budgets = tt.by, tt.rules, []string{"full"}
		if _, err := o.Set(t.Context(), r, 1, "bob", tt.name); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		got, err := o.Standing(t.Context(), 7, []string{"jd"})
		if err != nil || got.Networks[0].Varies != tt.varies {
			t.Errorf("%s: %+v, %v", tt.name, got.Networks, err)
		}
	}
}

// TestSinceWhenTheRulesAre is not known of versions that nobody has signed.
func TestSinceWhenTheRulesAre(t *testing.T) {
	t.Parallel()
	o := open(t)
	for name, acts := range map[string][]rebate.Edition{"no version is signed": nil, "only an older one is": {{Version: 0, At: start}}} {
		o.drawer.acts = acts
		if got, err := o.Standing(t.Context(), 7, nil); err != nil || got.Version != 1 || !got.Since.IsZero() {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
