package rebate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

func TestWhatIfComputesTheLastDaysAndChangesNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	for i := range 30 {
		o.hear(line(fmt.Sprint(i), 1, settled(0), brings(money.Fen(100*(i+1)))))
	}
	o.hear(line("old", 1, func(l *order.ChangedLine) { l.CreatedAt = start.AddDate(0, 0, -40) }), line("nobody", 1, nobodys))
	before, said := fmt.Sprint(o.drawer.rebates), len(o.drawer.said)
	r := someRules()
	r.Base, r.Referral = 8000, rebate.Referral{First: 1000}
	r.Networks = nil
	f, err := o.WhatIf(t.Context(), r, start.AddDate(0, 0, -30))
	if err != nil {
		t.Fatal(err)
	}
	jd := f.Networks["jd"]
	const all = 46500 // 1 + … + 30 yuan
	if len(f.Networks) != 1 || jd.Lines != 30 || jd.Differ != 30 || jd.Commission != all || jd.Now.Users != all*54/100 || jd.Then.Users != all*72/100 {
		t.Errorf("%+v", f.Networks)
	}
	if jd.Now.House+jd.Now.Users != all || jd.Then.House+jd.Then.Users+jd.Then.Inviters != all {
		t.Errorf("the parts do not add up: %+v", jd)
	}
	if len(f.Changes) != 10 || f.Changes[0].Key.ID != "29" || f.Changes[9].Key.ID != "20" || f.Changes[0].Now != 1620 || f.Changes[0].Then != 2160 ||
		!strings.Contains(f.Changes[0].Why, "base 80%") {
		t.Errorf("%+v", f.Changes)
	}
	if fmt.Sprint(o.drawer.rebates) != before || len(o.drawer.said) != said || len(o.drawer.rules) != 1 {
		t.Error("trying rules has changed something")
	}
	same, err := o.WhatIf(t.Context(), someRules(), start.AddDate(0, 0, -30))
	if err != nil || same.Networks["jd"].Differ != 0 || len(same.Changes) != 0 {
		t.Errorf("the rules in force would change %+v, %v", same, err)
	}
	if _, err := o.WhatIf(t.Context(), rebate.Rules{Base: 10_001}, start); err == nil {
		t.Error("rules with mistakes are tried")
	}
}

func TestVersionsAreComparedLineByLine(t *testing.T) {
	t.Parallel()
	a, b := someRules(), rich()
	if got := rebate.Compare(a, someRules()); len(got) != 0 {
		t.Error(got)
	}
	text := strings.Join(rebate.Compare(a, b), "\n")
	for _, want := range []string{
		"- base 70% of the commission", "+ base 50% of the commission", "- network jd adds -10%", "- hold pdd: 15 days",
		"+ 2. phones: base ¥5.00 when categories [手机], price from ¥1000.00, budget marketing",
		"+ 4. books: base of the commission 10% from ¥0.00, 30% from ¥100.00, 60% from ¥500.00 when categories [图书]",
		"+ 6. item: add 1% of the price when items [sku1], at least ¥0.10, at most ¥2.00, in steps of ¥0.10, budget marketing",
		"+ 7. 618: add 5% of the commission when from 2026-06-18T04:00:00Z, until 2026-06-20T04:00:00Z, at most ¥1.00",
		"- at most anything for one line", "+ at most ¥30.00 for one line",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(text, "fee 10%") || t.Failed() {
		t.Error(text)
	}
}

// TestAForecastSaysWhoGetsWhat adds up a settled line, a paid one, and one that a
// budget pays for.
func TestAForecastSaysWhoGetsWhat(t *testing.T) {
	t.Parallel()
	o := busy(t)
	dear := func(l *order.ChangedLine) { l.Price = 100_00 }
	p, err := o.Promise(t.Context(), 42, link.Offer{Network: "jd", Commission: 1000, Final: 100_00})
	if err != nil {
		t.Fatal(err)
	}
	promised := func(l *order.ChangedLine) { l.Promise = p }
	o.hear(line("3", 1, dear, promised), line("4", 1, dear, promised), line("5", 1, settled(0)))
	asked := 0
	o.Inviters = func(context.Context, int64, time.Time) (rebate.Inviters, error) {
		asked++
		return rebate.Inviters{8, 9}, nil
	}
	r := rebate.Rules{Base: 5000, Referral: rebate.Referral{Second: 2000}}
	f, err := o.WhatIf(t.Context(), r, start.AddDate(0, 0, -30))
	want := rebate.Outcome{
		Lines: 5, Differ: 5, Commission: 5000,
		Now:  rebate.Division{Users: 3*600 + 2*1100, Inviters: 2 * (80 + 40), Budgets: 2 * 100, House: 400 + 2*280},
		Then: rebate.Division{Users: 5 * 500, Inviters: 2 * 100, House: 3*500 + 2*400},
	}
	if err != nil || f.Networks["jd"] != want {
		t.Errorf("got %+v, %v; want %+v", f.Networks["jd"], err, want)
	}
	if asked != 2 {
		t.Errorf("it was asked %d times who had invited, for two settled lines", asked)
	}
	r.Referral = rebate.Referral{}
	if _, err := o.WhatIf(t.Context(), r, start.AddDate(0, 0, -30)); err != nil || asked != 2 {
		t.Errorf("it was asked %d times who had invited, %v, where inviters get nothing", asked-2, err)
	}
}

// TestTheGreatestDifferencesStandFirst, whether they give more or less.
func TestTheGreatestDifferencesStandFirst(t *testing.T) {
	t.Parallel()
	o := open(t)
	network := func(name string) func(*order.ChangedLine) { return func(l *order.ChangedLine) { l.Key.Network = name } }
	o.hear(line("1", 1, brings(10_000)), line("2", 1, brings(900), network("x")), line("3", 1, brings(1000)), line("4", 1, brings(1000), network("y")), line("5", 1, brings(100)))
	r := someRules()
	r.Networks = map[string]money.Bps{"jd": -900, "x": -3000, "y": 2000}
	f, err := o.WhatIf(t.Context(), r, start.AddDate(0, 0, -30))
	var got []string
	for _, d := range f.Changes {
		got = append(got, fmt.Sprintf("%s %d to %d", d.Key.ID, d.Now, d.Then))
	}
	if text := strings.Join(got, ", "); err != nil || text != "2 567 to 324, 4 630 to 810, 1 5400 to 5490, 3 540 to 549" {
		t.Errorf("%s, %v", text, err)
	}
}

// many is a store that walks over many rebates, in order.
type many struct {
	*drawer
	users []int64
}

func (m many) Walk(_ context.Context, _ time.Time, fn func(rebate.Rebate) error) error {
	for _, u := range m.users {
		if err := fn(rebate.Rebate{Key: key("1"), User: u, Line: line("1", 1)}); err != nil {
			return err
		}
	}
	return nil
}

// TestAForecastRemembersSomeLevels: asking for each line would take long, and
// remembering them all would take memory for all users.
func TestAForecastRemembersSomeLevels(t *testing.T) {
	t.Parallel()
	o := open(t)
	var users []int64
	for u := range int64(10_000) {
		users = append(users, u+1)
	}
	users = append(users, 1, 10_000, 10_001, 10_001, 2, 2) // known, known, one too many, known, forgotten, known
	o.Store, o.asked = many{o.drawer, users}, 0
	if _, err := o.WhatIf(t.Context(), someRules(), start.AddDate(0, 0, -1)); err != nil || o.asked != 10_002 {
		t.Errorf("it was asked for %d levels, %v", o.asked, err)
	}
}
