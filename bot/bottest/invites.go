package bottest

import (
	"context"
	"fmt"

	"fanli/core/fault"
	"fanli/core/user"
)

// Code implements user.Store.
func (s userStore) Code(_ context.Context, id int64) (string, error) {
	return read(s.store, func() (string, error) {
		if c, ok := s.codes[id]; ok {
			return c, nil
		}
		return "", fault.New(fault.NotFound, "")
	})
}

// ByCode implements user.Store.
func (s userStore) ByCode(_ context.Context, code string) (int64, error) {
	return read(s.store, func() (int64, error) {
		for id, c := range s.codes {
			if c == code {
				return id, nil
			}
		}
		return 0, fault.New(fault.NotFound, "")
	})
}

// Invitation implements user.Store.
func (s userStore) Invitation(_ context.Context, id int64) (user.Invitation, error) {
	return read(s.store, func() (user.Invitation, error) {
		if i, ok := s.inviters[id]; ok {
			return i, nil
		}
		return user.Invitation{}, fault.New(fault.NotFound, "")
	})
}

// Invited implements user.Store.
func (s userStore) Invited(_ context.Context, id int64) (int, error) {
	return read(s.store, func() (n int, err error) {
		for _, i := range s.inviters {
			if i.Inviter == id {
				n++
			}
		}
		return n, nil
	})
}

// SetCode gives everybody a code that a dialogue can foresee.
func (t userTx) SetCode(id int64, _ string) error {
	t.codes[id] = fmt.Sprintf("FRIEND%02d", id)
	return nil
}

// Bind implements user.Tx.
func (t userTx) Bind(i user.Invitation) error {
	if _, ok := t.inviters[i.User]; ok {
		return fault.New(fault.Conflict, "")
	}
	t.inviters[i.User] = i
	return nil
}
