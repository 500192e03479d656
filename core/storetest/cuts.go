package storetest

import (
	"errors"
	"testing"
	"time"

	"fanli/core/notify"
)

// cutsAddUp tells a day of an inviter.
func cutsAddUp(t *testing.T, s notify.Store) {
	at := func(m int) time.Time { return start().Add(time.Duration(m) * time.Minute) }
	add := func(cs ...notify.Cuts) {
		t.Helper()
		must(t, s.InTx(t.Context(), func(tx notify.Tx) error { return tx.AddCuts(cs) }))
	}
	take := func(now, since, told time.Time, count int, expected ...notify.Cuts) {
		t.Helper()
		var got []notify.Cuts
		must(t, s.InTx(t.Context(), func(tx notify.Tx) (err error) {
			got, err = tx.TakeCuts(now, since, told, count)
			return err
		}))
		want(t, "TakeCuts", got, expected)
	}
	add()
	take(at(0), at(0), at(0), 10)
	add(notify.Cuts{User: 7, Given: 10, Lines: 1, Since: at(1)}, notify.Cuts{User: 8, Given: 3, Lines: 2, Since: at(2)})
	add(notify.Cuts{User: 7, Given: 5, Taken: 4, Debt: 2, Lines: 1, Since: at(3)})
	take(at(9), at(0), at(9), 10)
	seven := notify.Cuts{User: 7, Given: 15, Taken: 4, Debt: 2, Lines: 2, Since: at(1)}
	sevens := func(tx notify.Tx) error {
		got, err := tx.TakeCuts(at(4), at(1), at(4), 10)
		want(t, "TakeCuts", got, []notify.Cuts{seven})
		return errors.Join(err, errNo)
	}
	if err := s.InTx(t.Context(), sevens); !errors.Is(err, errNo) { // it is rolled back
		t.Error(err)
	}
	take(at(10), at(9), at(10), 1, seven)
	take(at(10), at(9), at(10), 1, notify.Cuts{User: 8, Given: 3, Lines: 2, Since: at(2)})
	take(at(10), at(9), at(10), 1)
	add(notify.Cuts{User: 7, Taken: 1, Since: at(11)})
	take(at(12), at(12), at(9), 10) // they were told at 10
	take(at(12), at(12), at(10), 10, notify.Cuts{User: 7, Taken: 1, Since: at(11)})
}
