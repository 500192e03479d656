package rebate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/rebate"
)

// for1 is a rule for those with an inviter, or without.
func for1(inviter string, share money.Bps) rebate.Rule {
	return rebate.Rule{Name: "for " + inviter, Mode: rebate.Add, When: rebate.When{Inviter: inviter}, Give: rebate.Give{Commission: share}}
}

func TestARuleForThoseWithoutAnInviter(t *testing.T) {
	t.Parallel()
	o := open(t)
	rules := rebate.Rules{Base: 5000, List: []rebate.Rule{for1("none", 1000), for1("some", 2000)}}
	if _, err := o.Enact(t.Context(), rules); err != nil {
		t.Fatal(err)
	}
	asked := 0
	o.Inviters = func(_ context.Context, user int64, at time.Time) (rebate.Inviters, error) {
		if asked++; !at.Equal(o.Now()) {
			t.Errorf("asked as of %s", at)
		}
		return rebate.Inviters{user - 42}, nil
	}
	for user, want := range map[int64]money.Fen{42: 600, 43: 700} {
		p, err := o.Promise(t.Context(), user, link.Offer{Network: "pdd", Commission: 1000, Final: 8900})
		if err != nil || p.Rebate != want {
			t.Errorf("user %d is promised %s, %v, want %s", user, p.Rebate, err, want)
		}
	}
	down := errors.New("nobody answers")
	o.Inviters = func(context.Context, int64, time.Time) (rebate.Inviters, error) { return rebate.Inviters{}, down }
	if _, err := o.Promise(t.Context(), 42, link.Offer{Commission: 1000}); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	o.Inviters = nil // nobody knows: no rule that asks counts
	if p, err := o.Promise(t.Context(), 42, link.Offer{Commission: 1000}); err != nil || p.Rebate != 500 {
		t.Errorf("promised are %s, %v", p.Rebate, err)
	}
	o.hear(line("1", 1))
	o.want("1", "pending 500 of 42, margin 500, seq 1") // it came without a link
}

func TestNobodyIsAskedForInvitersInVain(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.Inviters = func(context.Context, int64, time.Time) (rebate.Inviters, error) {
		t.Error("asked")
		return rebate.Inviters{}, nil
	}
	if _, err := o.Promise(t.Context(), 42, link.Offer{Commission: 1000}); err != nil {
		t.Fatal(err)
	}
}

func TestRulesForInvitersExcludeEachOther(t *testing.T) {
	t.Parallel()
	fits := rebate.Rules{Base: 5000, List: []rebate.Rule{for1("none", 5000), for1("some", 5000)}}
	if err := fits.Validate(); err != nil {
		t.Error(err)
	}
	both := fits
	both.List = append(both.List, rebate.Rule{Name: "all", Mode: rebate.Add, Give: rebate.Give{Commission: 1}})
	if err := both.Validate(); err == nil || !strings.Contains(err.Error(), "100.01%") {
		t.Errorf("got %v", err)
	}
	if err := (rebate.Rules{List: []rebate.Rule{for1("many", 1)}}).Validate(); err == nil || !strings.Contains(err.Error(), "rules.0.when.inviter") {
		t.Errorf("got %v", err)
	}
	basis := rebate.Rule{Name: "a", Mode: rebate.Base, When: rebate.When{Inviter: "none"}, Give: rebate.Give{Commission: 1}}
	after := rebate.Rule{Name: "b", Mode: rebate.Base, Give: rebate.Give{Commission: 2}}
	if err := (rebate.Rules{List: []rebate.Rule{basis, after}}).Validate(); err != nil { // the first is not for everything
		t.Error(err)
	}
	if got := for1("none", 1000).String(); got != "for none: add 10% of the commission when inviter none" {
		t.Errorf("got %q", got)
	}
}
