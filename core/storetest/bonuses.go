package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/rebate"
)

func firstKept(t *testing.T, s CreditStore) {
	_, err := s.Store.First(t.Context(), 7)
	wantCode(t, "First of one who never bought", err, fault.NotFound)
	put := func(user int64, cause string) {
		t.Helper()
		must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) error { return tx.PutFirst(user, cause, start()) }))
	}
	put(7, "jd/main/1")
	put(7, "jd/main/2")
	put(8, "jd/main/3")
	for user, cause := range map[int64]string{7: "jd/main/1", 8: "jd/main/3"} {
		got, err := s.Store.First(t.Context(), user)
		must(t, err)
		want(t, "First", got, cause)
	}
	must(t, s.Store.InTx(t.Context(), func(tx credit.Tx) error {
		for _, tt := range []struct {
			of   []int64
			came bool
		}{{[]int64{7}, true}, {[]int64{9, 8}, true}, {[]int64{9, 10}, false}, {nil, false}} {
			came, err := tx.Came(tt.of)
			must(t, err)
			want(t, "Came", came, tt.came)
		}
		return nil
	}))
}

// bonusesAtOnce hears one piece of news in many processes at once.
func bonusesAtOnce(t *testing.T, s CreditStore) {
	due := rebate.BonusDue{Name: "fest", Amount: 150, Budget: "fest", UserCap: 400}
	var ch rebate.Changed
	for _, id := range []string{"1", "2", "3"} { // of one user: the cap is reached with the third
		ch.Rebates = append(ch.Rebates, rebate.ChangedRebate{Key: key(id), Seq: 1, User: 7, Stage: rebate.Available, Amount: 100, Bonuses: []rebate.BonusDue{due}})
	}
	e, err := event.New("rebate/1", event.RebateChanged, start(), ch)
	must(t, err)
	c := credit.Treasurer{
		Store: s.Store, Now: start, Budgets: map[string]credit.Budget{"fest": {Total: 10_000}, "friends": {Day: 700}},
		Invitation: credit.Invitation{Inviter: 500, Invited: 200, Budget: "friends"},
		Inviter:    func(context.Context, int64, time.Time) (int64, error) { return 3, nil },
	}
	_, errs := together(atOnce, func(int) (struct{}, error) { return struct{}{}, c.RebateChanged(t.Context(), e) })
	for _, err := range errs {
		if err != nil && !fault.Is(err, fault.Unavailable) { // it is heard again
			t.Error(err)
		}
	}
	must(t, errors.Join(c.RebateChanged(t.Context(), e)))
	wantWallet(t, s.Reader, 3, credit.Wallet{Available: 500})
	wantWallet(t, s.Reader, 7, credit.Wallet{Available: 200 + 400})
	used, err := s.Store.Used(t.Context(), "fest", []string{"total"})
	must(t, err)
	want(t, "spent", used["total"], due.UserCap)
	want(t, "number of events", len(s.Heard(t)), 5)
}
