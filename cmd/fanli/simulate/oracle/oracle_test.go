package oracle_test

import (
	"reflect"
	"testing"
	"time"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/money"
)

var now = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)

// rules are 70 % and 5 % for level 1, of 90 % of the commission, at most ¥9.
func rules() *oracle.Rules {
	return &oracle.Rules{
		Base: 7000, Fee: 1000, Levels: map[int]money.Bps{1: 500}, Cap: 900, Minimum: 5, HoldDays: map[string]int{"": 0, "slow": 10},
	}
}

func link(user int64, level int, tag string, ago time.Duration) oracle.Link {
	return oracle.Link{User: user, Level: level, Network: "jd", Item: "kettle", Tag: tag, Rules: rules(), At: now.Add(-ago)}
}

func line(id, tag string, s oracle.State, commission money.Fen) oracle.Line {
	return oracle.Line{
		Network: "jd", ID: id, Order: "o" + id, Item: "kettle", Tag: tag, State: s, Commission: commission, Created: now.Add(-time.Hour),
		SettledAt: now.Add(-time.Minute),
	}
}

func TestWhatALineBrings(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	disputed := line("1", "a", oracle.Settled, 1000)
	disputed.Disputed = true
	tests := []struct {
		name   string
		line   oracle.Line
		links  []oracle.Link
		claims []int64
		want   oracle.Share
	}{
		{"base and level, of what the fee leaves", line("1", "a", oracle.Settled, 1000), []oracle.Link{link(7, 1, "a", day)}, nil, oracle.Share{User: 7, Rebate: 675, Margin: 325, Ready: true}},
		{"rounded down", line("1", "a", oracle.Settled, 19), []oracle.Link{link(7, 0, "a", day)}, nil, oracle.Share{User: 7, Rebate: 12, Margin: 7, Ready: true}},
		{"at most the cap", line("1", "a", oracle.Settled, 9999), []oracle.Link{link(7, 0, "a", day)}, nil, oracle.Share{User: 7, Rebate: 900, Margin: 9099, Ready: true}},
		{"below the minimum", line("1", "a", oracle.Settled, 7), []oracle.Link{link(7, 0, "a", day)}, nil, oracle.Share{User: 7, Margin: 7, Ready: true}},
		{"waits for settlement", line("1", "a", oracle.Earning, 1000), []oracle.Link{link(7, 0, "a", day)}, nil, oracle.Share{User: 7, Rebate: 630, Margin: 370}},
		{"waits for a dispute", disputed, []oracle.Link{link(7, 0, "a", day)}, nil, oracle.Share{User: 7, Rebate: 630, Margin: 370}},
		{"unpaid", line("1", "a", oracle.Unpaid, 1000), []oracle.Link{link(7, 0, "a", day)}, nil, oracle.Share{}},
		{"gone", line("1", "a", oracle.Gone, 1000), []oracle.Link{link(7, 0, "a", day)}, nil, oracle.Share{}},
		{"another's tag", line("1", "b", oracle.Settled, 1000), []oracle.Link{link(7, 0, "a", 2*time.Hour)}, nil, oracle.Share{Margin: 1000}},
		{"no tag, one who fits", line("1", "", oracle.Settled, 1000), []oracle.Link{link(7, 0, "a", 2*time.Hour)}, nil, oracle.Share{User: 7, Rebate: 630, Margin: 370, Ready: true}},
		{"no tag, too long ago", line("1", "", oracle.Settled, 1000), []oracle.Link{link(7, 0, "a", 2*day)}, nil, oracle.Share{Margin: 1000}},
		{"too long ago, but claimed", line("1", "", oracle.Settled, 1000), []oracle.Link{link(7, 0, "a", 2*day)}, []int64{8, 7}, oracle.Share{User: 7, Rebate: 630, Margin: 370, Ready: true}},
		{"two fit, one claims", line("1", "", oracle.Settled, 1000), []oracle.Link{link(7, 0, "a", 2*time.Hour), link(8, 1, "b", 2*time.Hour)}, []int64{8}, oracle.Share{User: 8, Rebate: 675, Margin: 325, Ready: true}},
		{"two fit, both claim", line("1", "", oracle.Settled, 1000), []oracle.Link{link(7, 0, "a", 2*time.Hour), link(8, 1, "b", 2*time.Hour)}, []int64{8, 7}, oracle.Share{Margin: 1000}},
		{"a claim alone", line("1", "", oracle.Settled, 1000), nil, []int64{8}, oracle.Share{Margin: 1000}},
		{"asked after the order", line("1", "", oracle.Settled, 1000), []oracle.Link{link(7, 0, "a", 0)}, []int64{7}, oracle.Share{Margin: 1000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			truth := oracle.Truth{Now: now, Links: tt.links, Lines: []oracle.Line{tt.line}}
			for _, u := range tt.claims {
				truth.Claims = append(truth.Claims, oracle.Claim{User: u, Network: "jd", Order: "o1"})
			}
			if got := oracle.Judge(truth).Lines["jd/1"]; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestWhereMoneyIs(t *testing.T) {
	t.Parallel()
	got := oracle.Judge(oracle.Truth{
		Now:   now,
		Links: []oracle.Link{link(7, 0, "a", time.Hour), link(8, 0, "b", time.Hour)},
		Lines: []oracle.Line{
			line("1", "a", oracle.Settled, 1000), line("2", "a", oracle.Earning, 100), line("3", "b", oracle.Settled, 1000), line("4", "c", oracle.Earning, 50),
		},
		Payments: []oracle.Payment{{User: 7, Payer: "bank", Amount: 700}, {User: 8, Payer: "bank", Amount: 200}},
		Waiting:  []oracle.Request{{User: 8, Amount: 130}},
	})
	want := map[int64]oracle.Wallet{
		7: {Pending: 63, Paid: 700, Debt: 70},
		8: {Available: 300, Reserved: 130, Paid: 200},
	}
	if !reflect.DeepEqual(got.Wallets, want) {
		t.Errorf("got %+v, want %+v", got.Wallets, want)
	}
	if got.Networks["jd"] != 2150 || got.Payers["bank"] != 900 || got.Margin != 370+37+370+50 {
		t.Errorf("%+v", got)
	}
}

func TestAHoldIsByNetwork(t *testing.T) {
	t.Parallel()
	l := link(7, 0, "a", time.Hour)
	l.Network = "slow"
	x := line("1", "a", oracle.Settled, 1000)
	x.Network = "slow"
	truth := oracle.Truth{Now: now, Links: []oracle.Link{l}, Lines: []oracle.Line{x}}
	if s := oracle.Judge(truth).Lines["slow/1"]; s.Ready || s.Rebate != 630 {
		t.Errorf("%+v", s)
	}
	truth.Now = now.AddDate(0, 0, 10)
	if s := oracle.Judge(truth).Lines["slow/1"]; !s.Ready {
		t.Errorf("%+v", s)
	}
}
