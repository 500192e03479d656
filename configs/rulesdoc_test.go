package configs_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/configs"
	"fanli/core/money"
	"fanli/core/rebate"
)

// TestRulesDocument computes the examples of docs/rules.md.
func TestRulesDocument(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	running := load(t, "rebate:\n  budgets: {marketing: {month: 100}}\n", none)
	var rules rebate.Rules
	examples := 0
	blocks := strings.Split(string(doc), "```")
	for i := 1; i < len(blocks); i += 2 {
		kind, text, _ := strings.Cut(blocks[i], "\n")
		switch kind {
		case "yaml":
			if rules, err = running.LoadRules(file(t, text)); err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
		case "example":
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			for j := 0; j+1 < len(lines); j += 2 {
				example(t, rules, lines[j], strings.TrimSpace(lines[j+1]))
				examples++
			}
		}
	}
	if examples < 15 {
		t.Errorf("only %d examples were found", examples)
	}
}

// example computes one line, such as "network=jd commission=12.00 gives 8.40".
func example(t *testing.T, rules rebate.Rules, line, trace string) {
	t.Helper()
	asked, _, _ := strings.Cut(line, " gives ")
	var s rebate.Subject
	var sale rebate.Sale
	for _, pair := range strings.Fields(asked) {
		key, value, _ := strings.Cut(pair, "=")
		yuan := func(into *money.Fen) {
			n, err := money.ParseYuan(value, money.Exact)
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			*into = n
		}
		switch key {
		case "network":
			s.Network = value
		case "category":
			s.Category = value
		case "shop":
			s.Shop = value
		case "level":
			s.Level, _ = strconv.Atoi(value)
		case "at":
			s.At, _ = time.Parse(time.DateOnly, value)
		case "commission":
			yuan(&sale.Commission)
		case "estimated":
			yuan(&sale.Estimated)
		case "price":
			yuan(&sale.Price)
		case "refunded":
			yuan(&sale.Refunded)
		case "settled":
			sale.Settled = value == "yes"
		default:
			t.Errorf("%s: what is %s?", line, key)
		}
	}
	s.Price = sale.Price
	tr := rules.Terms(1, s).Of(sale)
	got := fmt.Sprintf("%s gives %s", asked, tr.Rebate)
	if rules.Referral != (rebate.Referral{}) {
		got += fmt.Sprintf(" first %s second %s", tr.Cuts[0], tr.Cuts[1])
	}
	if got != line || tr.String() != trace {
		t.Errorf("the document says\n%s\n  %s\nbut it is\n%s\n  %s", line, trace, got, tr)
	}
}

func TestRulesOfAConfigurationWithEveryForm(t *testing.T) {
	t.Parallel()
	c := load(t, `rebate:
  budgets: {m: {day: 5, month: 50, total: 500}}
  checkin: {amount: 0.05, budget: m}
  write_off: 200
  settle: lower
  referral: {first: 10%, second: 5%}
  rules:
    - name: all
      mode: add
      when: {networks: [jd], categories: [a], shops: [b], items: [c], users: [7], level_from: 1, level_to: 3, level_only: true, inviter: none, from: 2026-11-11, until: 2026-11-12 20:00, price_from: 1, price_until: 99.50}
      give: {tiers: [{from: 0, share: 1%}, {from: 50, share: 2%}]}
      minimum: 0.10
      cap: 5
      round: 0.10
      budget: m
`, none)
	r := c.Rebate.Rules()
	want := rebate.Rule{
		Name: "all", Mode: rebate.Add, Minimum: 10, Cap: 500, Round: 10, Budget: "m",
		When: rebate.When{
			Networks: []string{"jd"}, Categories: []string{"a"}, Shops: []string{"b"}, Items: []string{"c"}, Users: []int64{7}, LevelFrom: 1, LevelTo: 3, LevelOnly: true, Inviter: rebate.InviterNone,
			From: time.Date(2026, 11, 10, 16, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 12, 12, 0, 0, 0, time.UTC), PriceFrom: 100, PriceUntil: 9950,
		},
		Give: rebate.Give{Tiers: []rebate.Tier{{From: 0, Share: 100}, {From: 5000, Share: 200}}},
	}
	if len(r.List) != 1 || fmt.Sprint(r.List[0]) != fmt.Sprint(want) || r.Settle != rebate.SettleLower || r.Referral != (rebate.Referral{First: 1000, Second: 500}) {
		t.Errorf("got %+v", r)
	}
	if l := c.Rebate.Limits()["m"]; l.Day != 500 || l.Month != 5000 || l.Total != 50000 {
		t.Errorf("%+v", l)
	}
	for text, part := range map[string]string{
		"budgets: {m: {}}":                                      "rebate.budgets.m: ",
		"budgets: {m: {day: -1}}":                               "rebate.budgets.m: ",
		"checkin: {amount: 0.05}":                               "rebate.checkin.budget: there is no budget",
		"checkin: {amount: 11}":                                 "rebate.checkin.amount: ",
		"invitation: {inviter: 5}":                              "rebate.invitation.budget: there is no budget",
		"invitation: {inviter: -1}":                             "rebate.invitation.inviter: ",
		"invitation: {invited: 100.01}":                         "rebate.invitation.invited: ",
		"rules: [{name: x, mode: bonus, give: {fixed: 1}}]":     "a bonus needs from and until",
		"write_off: -1":                                         "rebate.write_off: ",
		"rules: [{name: x, mode: add, give: {prize: 1%}}]":      "there is no such key",
		"rules: [{name: x, mode: max, give: {commission: 1%}}]": "rebate.rules.0.mode",
		"referral: {third: 1%}":                                 "rebate.referral.third: there is no such key",
	} {
		_, err := configs.Load(file(t, "rebate:\n  "+text+"\n"), none)
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", text, err, part)
		}
	}
}
