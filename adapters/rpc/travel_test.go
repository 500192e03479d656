package rpc_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"fanli/adapters/rpc"
	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// fill gives every field below v a value of its own.
func fill(v reflect.Value, n *int64) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_000 + *n).UTC()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.String:
		v.SetString("文 " + time.Duration(*n).String())
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(*n)
	}
}

func filled[T any](from int64) (out T) {
	fill(reflect.ValueOf(&out).Elem(), &from)
	return out
}

// house answers with everything, and keeps what it was asked.
type house struct {
	credit.Wallets
	credit.Gifts
	withdraw.Service
	asked []any
}

func (h *house) Bonuses(_ context.Context, user int64, line order.Key, number string) ([]ledger.Entry, error) {
	h.asked = []any{user, line, number}
	return []ledger.Entry{filled[ledger.Entry](1), filled[ledger.Entry](100)}, nil
}

func (h *house) Promised(context.Context) (credit.Invitation, error) {
	return filled[credit.Invitation](1), nil
}

func (h *house) Autopay(_ context.Context, user int64) (withdraw.Autopay, error) {
	h.asked = []any{user}
	return filled[withdraw.Autopay](1), nil
}

func (h *house) SetAutopay(_ context.Context, user int64, on bool, threshold money.Fen) (withdraw.Autopay, error) {
	h.asked = []any{user, on, threshold}
	return filled[withdraw.Autopay](50), nil
}

func (h *house) Ask(_ context.Context, r collect.Request) (collect.Due, error) {
	h.asked = []any{r}
	return filled[collect.Due](1), nil
}

func (p *people) Level(_ context.Context, user int64) (int, time.Time, error) {
	return int(user), filled[time.Time](7), nil
}

// What suites of core do not look at travels whole, too: a field that is new and was
// forgotten arrives empty.
func TestEveryFieldTravels(t *testing.T) {
	t.Parallel()
	h := &house{}
	m := rpc.Payment(dial(t, options(), start(t, options(), rpc.PaymentServer(rpc.Money{Wallets: h, Gifts: h, Payouts: h, Charges: h})).addr))
	same := func(what string, got, want any, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", what, got, err, want)
		}
	}
	line := filled[order.Key](5)
	es, err := m.Wallets.Bonuses(t.Context(), 7, line, "number")
	same("bonuses", es, []ledger.Entry{filled[ledger.Entry](1), filled[ledger.Entry](100)}, err)
	same("asked", h.asked, []any{int64(7), line, "number"}, nil)
	i, err := m.Gifts.Promised(t.Context())
	same("invitation", i, filled[credit.Invitation](1), err)
	a, err := m.Payouts.Autopay(t.Context(), 7)
	same("autopay", a, filled[withdraw.Autopay](1), err)
	a, err = m.Payouts.SetAutopay(t.Context(), 7, true, 1234)
	same("autopay", a, filled[withdraw.Autopay](50), err)
	same("asked", h.asked, []any{int64(7), true, money.Fen(1234)}, nil)
	q := filled[collect.Request](3)
	d, err := m.Charges.Ask(t.Context(), q)
	same("charge", d, filled[collect.Due](1), err)
	same("asked", h.asked, []any{q}, nil)

	u := rpc.Users(dial(t, options(), start(t, options(), rpc.UserServer(&people{})).addr))
	level, until, err := u.Level(t.Context(), 3)
	same("level", []any{level, until}, []any{3, filled[time.Time](7)}, err)
}
