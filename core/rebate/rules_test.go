package rebate_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fanli/core/money"
	"fanli/core/rebate"
)

func TestTrace(t *testing.T) {
	t.Parallel()
	rules := rebate.Rules{
		Base: 7000, Fee: 1000, Levels: map[int]money.Bps{1: 500}, Networks: map[string]money.Bps{"jd": -1000},
		Categories: map[string]money.Bps{"手机": -2000}, Cap: 3000, Minimum: 10, HoldDays: map[string]int{"": 7, "jd": 15},
	}
	tests := []struct {
		name       string
		subject    rebate.Subject
		commission money.Fen
		want       money.Fen
		trace      string
	}{
		{"base", rebate.Subject{Network: "pdd"}, 1200, 756, "base 70% × ¥10.80 (commission ¥12.00 − fee 10%) = ¥7.56"},
		{"level", rebate.Subject{Level: 1, Network: "pdd"}, 1200, 810, "base 70% + level 1 5% = 75% × ¥10.80 (commission ¥12.00 − fee 10%) = ¥8.10"},
		{"network and category lower it", rebate.Subject{Network: "jd", Category: "手机"}, 1200, 432, "base 70% + network jd -10% + category 手机 -20% = 40% × ¥10.80 (commission ¥12.00 − fee 10%) = ¥4.32"},
		{"cap", rebate.Subject{Network: "pdd"}, 100_000, 3000, "at most ¥30.00"},
		{"minimum", rebate.Subject{Network: "pdd"}, 10, 0, "below ¥0.10: nothing"},
		{"no commission", rebate.Subject{Network: "pdd"}, 0, 0, "= ¥0.00"},
		{"a loss is nothing", rebate.Subject{Network: "pdd"}, -500, 0, "commission ¥0.00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := rules.Terms(3, tt.subject).Rebate(tt.commission)
			if tr.Rebate != tt.want || !strings.Contains(tr.String(), tt.trace) {
				t.Errorf("got %s by %q, want %s by %q", tr.Rebate, tr, tt.want, tt.trace)
			}
		})
	}
}

func TestFrozenTermsComputeTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bps := rapid.Custom(func(t *rapid.T) money.Bps { return money.Bps(rapid.Int64Range(-3000, 2000).Draw(t, "bps")) })
		rules := rebate.Rules{
			Base: money.Bps(rapid.Int64Range(0, 6_000).Draw(t, "base")), Fee: money.Bps(rapid.Int64Range(0, 10_000).Draw(t, "fee")),
			Levels: map[int]money.Bps{1: bps.Draw(t, "level")}, Networks: map[string]money.Bps{"jd": bps.Draw(t, "network")},
			Cap: money.Fen(rapid.Int64Range(0, 5000).Draw(t, "cap")),
		}
		if err := rules.Validate(); err != nil {
			t.Fatal(err)
		}
		terms := rules.Terms(1, rebate.Subject{Level: 1, Network: "jd"})
		frozen, err := rebate.ParseTerms(terms.String())
		if err != nil {
			t.Fatal(err)
		}
		commission := money.Fen(rapid.Int64Range(0, 1_000_000).Draw(t, "commission"))
		a, b := terms.Rebate(commission), frozen.Rebate(commission)
		if a.Rebate != b.Rebate {
			t.Fatalf("%s became %s", a.Rebate, b.Rebate)
		}
		if a.Rebate < 0 || a.Rebate > commission {
			t.Fatalf("a commission of %s brings %s", commission, a.Rebate)
		}
	})
}

func TestValidateNamesEveryMistake(t *testing.T) {
	t.Parallel()
	err := rebate.Rules{
		Base: 35000, Fee: -1, Levels: map[int]money.Bps{-1: 20000}, Networks: map[string]money.Bps{"jd": 10001},
		Categories: map[string]money.Bps{"x": -10001}, Cap: 10, Minimum: 20, HoldDays: map[string]int{"jd": 1000},
	}.Validate()
	if err == nil {
		t.Fatal("rules that pay 350 % are accepted")
	}
	for _, part := range []string{"base:", "fee:", "levels.-1:", "networks.jd:", "categories.x:", "minimum:", "hold_days.jd:"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not among the mistakes:\n%v", part, err)
		}
	}
	if err := (rebate.Rules{Base: 7000}).Validate(); err != nil {
		t.Error(err)
	}
}
