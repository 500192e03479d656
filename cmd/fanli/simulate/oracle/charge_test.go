package oracle_test

import (
	"testing"
	"time"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/money"
)

// bought is a membership of level 1 for two days that user 7 has paid and knows of.
func bought(change func(*oracle.Charge)) oracle.Charge {
	c := oracle.Charge{
		Number: "C1", User: 7, Till: "till", Asked: 500, Level: 1, Days: 2, Paid: 500, At: now.Add(-2 * time.Hour), Told: now.Add(-time.Hour),
	}
	change(&c)
	return c
}

func TestWhereWhatPeoplePayIs(t *testing.T) {
	t.Parallel()
	type sums struct{ till, bank, membership, suspense, given money.Fen }
	never := time.Time{}
	tests := []struct {
		name   string
		change func(*oracle.Charge)
		want   sums
		wrong  bool
	}{
		{"paid", func(*oracle.Charge) {}, sums{till: 500, membership: 500}, false},
		{"nobody paid", func(c *oracle.Charge) { c.Paid, c.Told = 0, never }, sums{}, false},
		{"given back", func(c *oracle.Charge) { c.Returned, c.Back = now, 500 }, sums{}, false},
		{"not given back, as staff said", func(c *oracle.Charge) { c.Returned = now }, sums{}, true},
		{"given back twice", func(c *oracle.Charge) { c.Returned, c.Back = now, 1000 }, sums{}, true},
		{"given back, and nobody said so", func(c *oracle.Charge) { c.Back = 500 }, sums{till: 500, membership: 500}, true},
		{"too late", func(c *oracle.Charge) { c.Late, c.Told, c.Back = true, never, 500 }, sums{}, false},
		{"too late, and kept", func(c *oracle.Charge) { c.Late, c.Told = true, never }, sums{}, true},
		{"another amount", func(c *oracle.Charge) { c.Paid, c.Told = 499, never }, sums{till: 499, suspense: 499}, false},
		{"another amount, too late", func(c *oracle.Charge) { c.Paid, c.Told, c.Late = 499, never, true }, sums{till: 499, suspense: 499}, false},
		{"another amount, taken for the right one", func(c *oracle.Charge) { c.Paid = 499 }, sums{till: 499, suspense: 499}, true},
		{"nobody was told", func(c *oracle.Charge) { c.Told = never }, sums{till: 500, membership: 500}, true},
		{"told before it came", func(c *oracle.Charge) { c.Told = c.At.Add(-1) }, sums{till: 500, membership: 500}, true},
		{"denied, and given back", func(c *oracle.Charge) { c.Denied, c.Told, c.Back = true, never, 500 }, sums{}, false},
		{"denied, and kept", func(c *oracle.Charge) { c.Denied = true }, sums{till: 500, membership: 500}, false},
		{"the operator's", func(c *oracle.Charge) { c.User = 0 }, sums{bank: 500, given: -500}, false},
		{"the operator's, another amount", func(c *oracle.Charge) { c.User, c.Paid, c.Told = 0, 600, never }, sums{bank: 600, suspense: 600}, false},
	}
	for _, tt := range tests {
		b := oracle.Judge(oracle.Truth{Now: now, Charges: []oracle.Charge{bought(tt.change)}})
		got := sums{b.Tills["till"], b.Bank, b.Membership, b.Suspense, b.Given}
		if got != tt.want || (len(b.Wrong) > 0) != tt.wrong {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, b.Wrong, tt.want)
		}
	}
}

func TestHowLongALevelLasts(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	told := now
	cs := []oracle.Charge{
		bought(func(c *oracle.Charge) { c.Told = told }),
		bought(func(c *oracle.Charge) { c.Told = told.Add(day) }), // follows the first: days 3 and 4
		bought(func(c *oracle.Charge) { c.Told, c.Level, c.Days = told.Add(day), 2, 1 }),
		bought(func(c *oracle.Charge) { c.Told, c.Returned, c.Level = told, told.Add(time.Hour), 3 }),
		bought(func(c *oracle.Charge) { c.Told, c.Level = time.Time{}, 4 }), // nobody paid
		bought(func(c *oracle.Charge) { c.Told, c.User, c.Level = told, 8, 5 }),
	}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{-time.Second, 0}, {0, 3}, {time.Hour, 1}, {day, 2}, {2*day - 1, 2}, {2 * day, 1}, {4*day - 1, 1}, {4 * day, 0}} {
		if got := oracle.Level(cs, []int64{7}, 0, told.Add(tt.after)); got != tt.want {
			t.Errorf("after %s it is %d, want %d", tt.after, got, tt.want)
		}
	}
	if got := oracle.Level(cs, []int64{7, 8}, 0, told); got != 5 {
		t.Errorf("a person's is %d", got)
	}
	if got := oracle.Level(cs, []int64{7}, 9, told); got != 9 {
		t.Errorf("beside a level of one's own it is %d", got)
	}
}
