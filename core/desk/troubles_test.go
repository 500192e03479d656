package desk_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/collect"
	"fanli/core/control"
	"fanli/core/desk"
	"fanli/core/post"
	"fanli/core/reconcile"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// Whatever waits for a person is an alert, and in the to-do list too.
func TestWhatStationsAlarmAbout(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 4, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	charges := func(context.Context, int, ...collect.Stage) ([]collect.Due, error) {
		return []collect.Due{
			{ID: 3, Stage: collect.Held, Paid: 100, Changed: now}, {ID: 2, Stage: collect.Refunding, Changed: now.Add(-time.Hour)},
			{ID: 1, Stage: collect.Refunding, Changed: now.Add(-25 * time.Hour)},
		}, nil
	}
	bills := func(_ context.Context, month string) (out []reconcile.Summary, _ error) {
		open, sound := map[reconcile.Kind]int64{reconcile.Differs: 2}, map[reconcile.Kind]int64{reconcile.Matched: 9}
		for s, counts := range map[reconcile.Subject]map[reconcile.Kind]int64{"payer/alipay": open, "network/jd/main": open, "collector/till": sound} {
			out = append(out, reconcile.Summary{Subject: s, Period: month + "-01", Counts: counts})
		}
		return out, nil
	}
	closed := func(context.Context) ([]reconcile.Month, error) { return []reconcile.Month{{Name: "2026-10"}}, nil }
	for name, tt := range map[string]struct {
		handlers map[string]desk.Handler
		want     string
	}{
		"bot": {desk.Channels{
			Depths: func(context.Context) ([]post.Depth, error) {
				return []post.Depth{{Channel: "telegram", Side: post.Out, Dead: 2}, {Channel: "wechat", Side: post.In, Waiting: 5}}, nil
			},
			Troubles: func(context.Context) ([]desk.Trouble, error) {
				return []desk.Trouble{{Key: "hook/telegram", What: desk.HookSick, Of: desk.LHook, ID: "telegram"}, {Key: "token/telegram", What: desk.TokenBad, Of: desk.LChannel, ID: "telegram"}}, nil
			},
		}.Handlers(), "mail_dead mail/telegram/out, hook_sick hook/telegram, token_bad token/telegram"},
		"user": {desk.Register{People: &user.Directory{Merges: stuck{}}, Roster: &desk.Roster{}, Now: clock, Zone: time.UTC}.Handlers(), "merge_stuck merge/4"},
		"payment": {desk.Payment{
			Payouts: &withdraw.Desk{Store: nobodyWaits{}, Now: clock}, Board: &control.Board{Store: noSwitch{}}, Charges: charges, Bills: bills, Closed: closed, Now: clock, Zone: time.UTC,
		}.Handlers(), "charge_held charge/3/held, charge_held charge/1/refunding, bill_differs bill/payer/alipay/2026-11-01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := tt.handlers[desk.AlertsAct](t.Context(), desk.Act{})
			var got []string
			for _, i := range a.Items {
				got = append(got, fmt.Sprintf("%s %s", i.Fields[0].Text, i.Fields[0].Was))
			}
			if s := strings.Join(got, ", "); err != nil || s != tt.want {
				t.Errorf("%s, %v; want %s", s, err, tt.want)
			}
			todo, err := tt.handlers["todo"](t.Context(), desk.Act{})
			if err != nil || len(todo.Items) != len(a.Items) || todo.Items[0].Fields[0].Label == "alert" {
				t.Errorf("to do are %+v, %v", todo.Items, err)
			}
		})
	}
}

// stuck has one merge that has not moved since the beginning of time.
type stuck struct{ user.MergeStore }

func (stuck) StuckMerges(_ context.Context, since time.Time, _ int) ([]user.Merge, error) {
	return []user.Merge{{ID: 4, Stage: user.MergeMoved, Changed: since}}, nil
}

type noSwitch struct{ control.Store }

func (noSwitch) Switches(context.Context) ([]control.Switch, error) { return nil, nil }

type nobodyWaits struct{ withdraw.Store }

func (nobodyWaits) InState(context.Context, time.Time, int, ...withdraw.State) ([]withdraw.Withdrawal, error) {
	return nil, nil
}
