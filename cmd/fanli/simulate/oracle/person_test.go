package oracle_test

import (
	"reflect"
	"testing"
	"time"

	"fanli/cmd/fanli/simulate/oracle"
)

// unions are that 5 and 8 are one since two days, 3 and 5 since an hour, and that 4 and 9
// were one for a day.
func unions() []oracle.Union {
	return []oracle.Union{
		{Accounts: [2]int64{5, 8}, At: now.Add(-48 * time.Hour)},
		{Accounts: [2]int64{5, 3}, At: now.Add(-time.Hour)},
		{Accounts: [2]int64{9, 4}, At: now.Add(-48 * time.Hour), Until: now.Add(-24 * time.Hour)},
	}
}

func TestWhatIsAPersons(t *testing.T) {
	t.Parallel()
	got := oracle.Judge(oracle.Truth{
		Now: now, Unions: unions(),
		Links:    []oracle.Link{link(8, 0, "a", time.Hour), link(9, 0, "b", time.Hour)},
		Lines:    []oracle.Line{line("1", "a", oracle.Settled, 1000), line("2", "b", oracle.Settled, 1000)},
		Bonuses:  []oracle.Bonus{{User: 5, Budget: "welcome", Amount: 70, At: now}},
		Payments: []oracle.Payment{{User: 5, Payer: "bank", Amount: 100}, {User: 8, Payer: "bank", Amount: 200}, {User: 4, Payer: "bank", Amount: 10}},
		Waiting:  []oracle.Request{{User: 3, Amount: 150}},
	})
	want := map[int64]oracle.Wallet{
		3: {Available: 250, Reserved: 150, Paid: 300}, // 630 and 70
		4: {Paid: 10, Debt: 10},                       // what was the other one's is theirs again
		9: {Available: 630},
	}
	if !reflect.DeepEqual(got.Wallets, want) {
		t.Errorf("got %+v, want %+v", got.Wallets, want)
	}
}

func TestAPersonsAccountsDoNotContradictEachOther(t *testing.T) {
	t.Parallel()
	cheap := func(l oracle.Link) oracle.Link {
		l.Rules.Base = 1000
		return l
	}
	old, young := link(5, 0, "a", 3*time.Hour), cheap(link(8, 0, "b", 2*time.Hour))
	days := func(l oracle.Link, n int) oracle.Link {
		l.At = now.AddDate(0, 0, -n)
		return l
	}
	claim := func(user int64) oracle.Claim { return oracle.Claim{User: user, Network: "jd", Order: "o1"} }
	tests := []struct {
		name   string
		links  []oracle.Link
		claims []oracle.Claim
		want   oracle.Share
	}{
		{"both fit: the newest link", []oracle.Link{old, young}, nil, oracle.Share{User: 8, Rebate: 90, Margin: 910, Ready: true}},
		{"they have parted", []oracle.Link{link(4, 0, "a", 2*time.Hour), link(9, 0, "b", 2*time.Hour)}, nil, oracle.Share{Margin: 1000}},
		{"both claim: the first word, by its own link", []oracle.Link{days(old, 4), days(young, 3)}, []oracle.Claim{claim(5), claim(8)}, oracle.Share{User: 5, Rebate: 630, Margin: 370, Ready: true}},
		{"one has asked, the other one claims", []oracle.Link{days(young, 3)}, []oracle.Claim{claim(3)}, oracle.Share{User: 3, Rebate: 90, Margin: 910, Ready: true}},
		{"and somebody else claims", []oracle.Link{days(old, 4), days(young, 3), days(link(7, 0, "c", 0), 3)}, []oracle.Claim{claim(5), claim(8), claim(7)}, oracle.Share{Margin: 1000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := line("1", "", oracle.Settled, 1000)
			got := oracle.Judge(oracle.Truth{Now: now, Unions: unions(), Links: tt.links, Claims: tt.claims, Lines: []oracle.Line{x}})
			if s := got.Lines["jd/1"]; s != tt.want {
				t.Errorf("got %+v, want %+v", s, tt.want)
			}
		})
	}
}

func TestNobodyEarnsFromThemselves(t *testing.T) {
	t.Parallel()
	brought := func(user, inviter int64) oracle.Invitation {
		return oracle.Invitation{User: user, Inviter: inviter, At: now.AddDate(0, 0, -9)}
	}
	tests := []struct {
		name  string
		said  []oracle.Invitation
		buyer int64
		ago   time.Duration // of the order
		want  [2]oracle.Cut
	}{
		{"before they were linked", []oracle.Invitation{brought(8, 5), brought(5, 2)}, 8, 50 * time.Hour, [2]oracle.Cut{{User: 5, Amount: 54}, {User: 2, Amount: 27}}},
		{"since then", []oracle.Invitation{brought(8, 5), brought(5, 2)}, 8, 2 * time.Hour, [2]oracle.Cut{}},
		{"in a roundabout way", []oracle.Invitation{brought(8, 6), brought(6, 5)}, 8, 2 * time.Hour, [2]oracle.Cut{{User: 6, Amount: 54}}},
		{"nor twice", []oracle.Invitation{brought(9, 8), brought(8, 5)}, 9, 2 * time.Hour, [2]oracle.Cut{{User: 8, Amount: 54}}},
		{"those who parted are two", []oracle.Invitation{brought(9, 4)}, 9, 30 * time.Hour, [2]oracle.Cut{{User: 4, Amount: 54}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, x := link(tt.buyer, 0, "a", 0), line("1", "a", oracle.Settled, 1000)
			l.Rules.First, l.Rules.Second, x.Created = 2000, 1000, now.Add(-tt.ago)
			got := oracle.Judge(oracle.Truth{Now: now, Unions: unions(), Invitations: tt.said, Links: []oracle.Link{l}, Lines: []oracle.Line{x}})
			if s := got.Lines["jd/1"]; s.Cuts != tt.want {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestSomebodyComesOnceADay, through whichever of their accounts, as long as they are theirs.
func TestSomebodyComesOnceADay(t *testing.T) {
	t.Parallel()
	comes := func(user int64, ago time.Duration) oracle.Bonus {
		return oracle.Bonus{User: user, Budget: "checkin", Amount: 30, Daily: true, At: now.Add(-ago)}
	}
	got := oracle.Judge(oracle.Truth{
		Now: now, Unions: unions(), Budgets: map[string]oracle.Limit{"checkin": {Total: 1000}},
		Bonuses: []oracle.Bonus{
			comes(8, 72*time.Hour), comes(5, 72*time.Hour), // as two people
			comes(9, 47*time.Hour), comes(4, 47*time.Hour), // who are one for a day
			comes(8, 24*time.Hour), comes(5, 24*time.Hour), comes(3, 24*time.Hour), // and 3 is not one of them yet
			comes(9, 0), comes(4, 0),
			comes(3, 0), comes(8, 0), comes(5, 0),
		},
	})
	want := map[int64]oracle.Wallet{3: {Available: 150}, 4: {Available: 30}, 9: {Available: 60}}
	if !reflect.DeepEqual(got.Wallets, want) {
		t.Errorf("got %+v, want %+v", got.Wallets, want)
	}
}
