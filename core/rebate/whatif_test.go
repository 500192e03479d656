package rebate_test

import (
	"fmt"
	"strings"
	"testing"

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
