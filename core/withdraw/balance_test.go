package withdraw_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// A vault is a payer that says how much it has.
type vault struct {
	withdraw.Payer
	name    string
	balance money.Fen
	err     error
	asked   int
}

func (v *vault) Name() string { return v.name }

func (v *vault) Balance(context.Context) (money.Fen, error) {
	v.asked++
	return v.balance, v.err
}

// mute is a payer that does not say.
type mute struct{ withdraw.Payer }

func (mute) Name() string { return "mute" }

func TestStaffHearsOnceThatMoneyRunsLow(t *testing.T) {
	t.Parallel()
	a, b, free := &vault{name: "a", balance: 100}, &vault{name: "b", balance: 500}, &vault{name: "free"}
	var said, told []string
	w := &withdraw.Watch{
		Told: func(payer string, balance, floor money.Fen) {
			told = append(told, fmt.Sprintf("%s %d %d", payer, balance, floor))
		},
		Payers: func() []withdraw.Payer { return []withdraw.Payer{free, mute{}, a, b} },
		Floors: map[string]money.Fen{"a": 100, "b": 100, "mute": 100},
		Low: func(_ context.Context, payer string, balance, floor money.Fen) {
			said = append(said, fmt.Sprintf("%s %d<%d", payer, balance, floor))
		},
	}
	for i, step := range []struct {
		balance money.Fen
		err     error
		want    []string
	}{
		{100, nil, nil}, // at the floor
		{99, nil, []string{"a 99<100"}},
		{5, nil, nil}, // they know
		{0, errors.New("no answer"), nil},
		{50, nil, nil},
		{200, nil, nil},
		{1, nil, []string{"a 1<100"}}, // once more
	} {
		said, a.balance, a.err = nil, step.balance, step.err
		n, err := w.Run(t.Context())
		if want := 2; step.err == nil && (n != want || err != nil) || step.err != nil && (n != 1 || !fault.Is(err, fault.Internal)) {
			t.Errorf("step %d: %d asked, %v", i, n, err)
		}
		if !slices.Equal(said, step.want) {
			t.Errorf("step %d: said %v, want %v", i, said, step.want)
		}
	}
	if len(told) != 13 || told[0] != "a 100 100" || told[1] != "b 500 100" || told[12] != "b 500 100" {
		t.Errorf("told %v", told)
	}
	if free.asked > 0 {
		t.Error("a payer without a floor was asked")
	}
}
