package bottest

import (
	"context"
	"maps"
	"slices"

	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/withdraw"
)

func (s withdrawStore) Autopay(_ context.Context, id int64) (withdraw.Autopay, error) {
	return read(s.store, func() (withdraw.Autopay, error) {
		a, ok := s.autopays[id]
		if !ok {
			return a, fault.New(fault.NotFound, "")
		}
		return a, nil
	})
}

func (s withdrawStore) DueAutopays(_ context.Context, day string, after int64, count int) ([]withdraw.Autopay, error) {
	return read(s.store, func() (out []withdraw.Autopay, err error) {
		for _, id := range slices.Sorted(maps.Keys(s.autopays)) {
			a := s.autopays[id]
			if id > after && len(out) < count && a.On && a.Day != day && s.balances[ledger.User(id, ledger.Available)] >= a.Threshold {
				out = append(out, a)
			}
		}
		return out, nil
	})
}

func (t withdrawTx) SwapAutopay(a withdraw.Autopay) (bool, error) {
	if t.autopays[a.User].Rev != a.Rev-1 {
		return false, nil
	}
	t.autopays[a.User] = a
	return true, nil
}

// autopay runs the job of automatic withdrawals.
func (f *Fake) autopay(...string) error {
	_, err := f.desk.RunAutopay(context.Background())
	return f.after(err)
}
