package rebate_test

import (
	"fmt"
	"strings"
	"testing"

	"fanli/core/audit"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/rebate"
)

func TestRulesThatAreInForceKeepTheirVersion(t *testing.T) {
	t.Parallel()
	o := open(t)
	steps := []struct {
		name    string
		change  func(r *rebate.Rules)
		version int64
	}{
		{"the same", func(*rebate.Rules) {}, 1},
		{"an empty map for none", func(r *rebate.Rules) { r.Categories = map[string]money.Bps{} }, 1},
		{"another base", func(r *rebate.Rules) { r.Base = 6000 }, 2},
		{"the first ones again", func(*rebate.Rules) {}, 3},
		{"another level", func(r *rebate.Rules) { r.Levels = map[int]money.Bps{1: 500, 2: 700} }, 4},
		{"another hold", func(r *rebate.Rules) { r.HoldDays = map[string]int{"": 7, "pdd": 16} }, 5},
		{"another cap", func(r *rebate.Rules) { r.Cap = 1 }, 6},
		{"another minimum", func(r *rebate.Rules) { r.Minimum = 1 }, 7},
		{"another fee", func(r *rebate.Rules) { r.Fee = 0 }, 8},
		{"another network", func(r *rebate.Rules) { r.Networks = nil }, 9},
		{"another category", func(r *rebate.Rules) { r.Categories = map[string]money.Bps{"厨具": 100} }, 10},
	}
	for _, s := range steps {
		r := someRules()
		s.change(&r)
		for range 2 {
			if v, err := o.Enact(t.Context(), r); v != s.version || err != nil {
				t.Errorf("%s: version %d, %v, want %d", s.name, v, err, s.version)
			}
		}
	}
	if v, err := o.Enact(t.Context(), rebate.Rules{Base: 10_001}); !fault.Is(err, fault.Invalid) || v != 0 || len(o.drawer.rules) != 10 {
		t.Errorf("rules with mistakes: version %d, %v", v, err)
	}
}

func TestTheOrderOfMapsIsNoChange(t *testing.T) {
	t.Parallel()
	o := open(t)
	big := func(backwards bool) rebate.Rules {
		r := rebate.Rules{Base: 5000, Levels: map[int]money.Bps{}, Networks: map[string]money.Bps{}, HoldDays: map[string]int{}}
		for i := range 50 {
			if backwards {
				i = 49 - i
			}
			r.Levels[i], r.Networks[fmt.Sprint("n", i)], r.HoldDays[fmt.Sprint("n", i)] = money.Bps(i), money.Bps(i), i
		}
		return r
	}
	for i := range 20 {
		if v, err := o.Enact(t.Context(), big(i%2 == 0)); v != 2 || err != nil {
			t.Fatalf("the same rules become version %d, %v", v, err)
		}
	}
}

func TestWhoChangesRulesIsWrittenDown(t *testing.T) {
	t.Parallel()
	o := open(t)
	other := someRules()
	other.Base = 6000
	bad := []struct {
		name             string
		rules            rebate.Rules
		expect           int64
		by, reason, want string
	}{
		{"nobody", other, 1, "", "why", "rules.by"},
		{"no reason", other, 1, "ann", "", "rules.reason"},
		{"another version was seen", other, 7, "ann", "why", "rules.changed"},
		{"a name that is too long", other, 1, strings.Repeat("n", 101), "why", "rules.by"},
		{"a reason that is too long", other, 1, "ann", strings.Repeat("w", 501), "rules.reason"},
		{"mistakes", rebate.Rules{Base: 10_001}, 1, "ann", "why", ""},
	}
	for _, b := range bad {
		if v, err := o.Set(t.Context(), b.rules, b.expect, b.by, b.reason); err == nil || fault.ReasonOf(err) != b.want || v != 0 {
			t.Errorf("%s: %d, %v", b.name, v, err)
		}
	}
	if v, err := o.Set(t.Context(), other, 1, "ann", "double eleven is over"); v != 2 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	if v, err := o.Enact(t.Context(), someRules()); v != 2 || err != nil {
		t.Errorf("a restart with the old configuration makes version %d, %v", v, err)
	}
	if v, err := o.Rollback(t.Context(), 1, 2, "bob", "too low"); v != 3 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	if r, _, err := o.Store.Rules(t.Context(), 0); err != nil || !rebate.Same(r, someRules()) {
		t.Errorf("after going back the rules are %+v, %v", r, err)
	}
	for _, to := range []int64{9, 0, -1} {
		if v, err := o.Rollback(t.Context(), to, 3, "bob", "too low"); !fault.Is(err, fault.NotFound) || v != 0 {
			t.Errorf("one can go back to version %d, which never was: %v", to, err)
		}
	}
	got, err := o.Store.Editions(t.Context(), 0, 10)
	want := []rebate.Edition{
		{Version: 3, Before: 2, Staff: true, By: "bob", Reason: "too low", At: start},
		{Version: 2, Before: 1, Staff: true, By: "ann", Reason: "double eleven is over", At: start}, {Version: 1, At: start},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("history is %+v, %v", got, err)
	}
	var acts []string
	for _, e := range o.drawer.said {
		var a audit.Acted
		if err := e.Decode(&a); err != nil {
			t.Fatal(err)
		}
		acts = append(acts, fmt.Sprint(e.Name, " ", e.ID, ": ", a.Actor, " ", a.What, " ", a.On, " from ", a.Before, " to ", a.After, ", ", a.Reason))
	}
	if text := strings.Join(acts, "\n"); text != "staff.acted act/rules/2: ann rules.set rules/2 from rules/1 to rules/2, double eleven is over\n"+
		"staff.acted act/rules/3: bob rules.set rules/3 from rules/2 to rules/3, too low" {
		t.Errorf("the record of acts has\n%s", text)
	}
}

func TestANameAndAReasonMayBeLong(t *testing.T) {
	t.Parallel()
	o := open(t)
	other := someRules()
	other.Base = 6000
	if v, err := o.Set(t.Context(), other, 1, strings.Repeat("n", 100), strings.Repeat("w", 500)); v != 2 || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
}
