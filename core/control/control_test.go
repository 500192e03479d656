package control_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/withdraw/withdrawtest"
)

func TestScopes(t *testing.T) {
	t.Parallel()
	for scope, ok := range map[control.Scope]bool{
		control.Payouts: true, control.Credits: true, control.ReadOnly: true, control.Network("jd"): true, control.Payer("wechatpay"): true,
		control.Degrade("search-off"): true, control.Keep("search-off"): true, "keep/": false, "degrade": false,
		"": false, "all": false, "network": false, "network/": false, "payer/a b": false, "payer/A": false, "shop/jd": false, "payouts/x": false,
	} {
		if err := scope.Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", scope, err)
		}
	}
}

// TestASwitchSaysWhoAndWhy: it is refused without, and who turned it first stays.
func TestASwitchSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)
	store := withdrawtest.New()
	b := control.Board{Store: store.Control(), Now: func() time.Time { return at }}
	on := control.Switch{Scope: control.Payouts, On: true, By: "cli", Why: "the bank is down", Text: "tomorrow"}
	for name, change := range map[string]func(s *control.Switch){
		"nobody":   func(s *control.Switch) { s.By = "" },
		"no why":   func(s *control.Switch) { s.Why = " " },
		"too much": func(s *control.Switch) { s.Text = strings.Repeat("x", 1000) },
		"no scope": func(s *control.Switch) { s.Scope = "x" },
	} {
		s := on
		change(&s)
		if err := b.Set(t.Context(), s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Set(t.Context(), on); err != nil {
		t.Fatal(err)
	}
	first := at
	at = at.Add(time.Hour)
	other := on
	other.By = "telegram:12"
	if err := b.Set(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	all, err := b.List(t.Context())
	on.Since = first
	if err != nil || len(all) != 1 || all[0] != on {
		t.Errorf("the switches are %+v, %v", all, err)
	}
	err = b.Check(t.Context(), control.Credits, control.Payouts)
	var stopped *control.StoppedError
	if !errors.As(err, &stopped) || stopped.Switch != on || fault.ReasonOf(err) != control.Stopped || !fault.Retryable(err) {
		t.Errorf("Check: %v", err)
	}
	if err := b.Check(t.Context(), control.Credits, control.Payer("payouts")); err != nil {
		t.Errorf("another scope is stopped, too: %v", err)
	}
	off := on
	off.On = false
	for range 2 {
		if err := b.Set(t.Context(), off); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Check(t.Context(), control.Payouts); err != nil {
		t.Errorf("after it was turned off: %v", err)
	}
	if acts := store.Acts(); len(acts) != 2 || acts[0].What != "switch.on" || acts[1].What != "switch.off" || acts[0].On != "switch/payouts" {
		t.Errorf("recorded is %+v", acts)
	}
}
