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

func TestWhoseALineIs(t *testing.T) {
	t.Parallel()
	through := func(user int64, tag, slot string, ago time.Duration) oracle.Link {
		l := link(user, 0, tag, ago)
		l.Slot = slot
		return l
	}
	at := func(slot string) oracle.Line {
		l := line("1", "", oracle.Earning, 1000)
		l.Slot = slot
		return l
	}
	mug := line("2", "", oracle.Earning, 1000)
	mug.Item, mug.Order = "mug", "o1"
	two := []oracle.Link{through(7, "a", "s", 2*time.Hour), through(8, "b", "t", 3*time.Hour)}
	other := *rules()
	other.Base = 1000
	tests := []struct {
		name  string
		truth oracle.Truth
		line  string
		want  oracle.Share
	}{
		{"the position decides between two", oracle.Truth{Links: two, Lines: []oracle.Line{at("t")}}, "1", oracle.Share{User: 8, Rebate: 630, Margin: 370}},
		{"nobody has that position", oracle.Truth{Links: two, Lines: []oracle.Line{at("u")}}, "1", oracle.Share{Margin: 1000}},
		{"of two through one position nobody", oracle.Truth{Links: append(two, through(9, "c", "t", time.Hour)), Lines: []oracle.Line{at("t")}}, "1", oracle.Share{Margin: 1000}},
		{"what came along is the order's buyer's, at their level", oracle.Truth{Links: two, Lines: []oracle.Line{at("t"), mug}, Rules: rules(), Levels: map[int64]int{8: 1}}, "2", oracle.Share{User: 8, Rebate: 675, Margin: 325}},
		{"what came along with nobody's is nobody's", oracle.Truth{Links: two, Lines: []oracle.Line{at(""), mug}, Rules: rules()}, "2", oracle.Share{Margin: 1000}},
		{"but a claim finds both", oracle.Truth{Links: two, Lines: []oracle.Line{at(""), mug}, Rules: rules(), Claims: []oracle.Claim{{User: 7, Network: "jd", Order: "o1"}}}, "2", oracle.Share{User: 7, Rebate: 630, Margin: 370}},
		{"staff takes it from who fits, under other rules", oracle.Truth{Links: two, Lines: []oracle.Line{at("t")}, Decisions: []oracle.Decision{{User: 9, Network: "jd", Order: "o1", Rules: &other}}}, "1", oracle.Share{User: 9, Rebate: 90, Margin: 910}},
		{"staff agrees with who fits", oracle.Truth{Links: two, Lines: []oracle.Line{at("t")}, Decisions: []oracle.Decision{{User: 8, Network: "jd", Order: "o1", Rules: &other}}}, "1", oracle.Share{User: 8, Rebate: 630, Margin: 370}},
		{"a tag is stronger than staff", oracle.Truth{Links: two, Lines: []oracle.Line{line("1", "a", oracle.Earning, 1000)}, Decisions: []oracle.Decision{{User: 8, Network: "jd", Order: "o1", Rules: &other}}}, "1", oracle.Share{User: 7, Rebate: 630, Margin: 370}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.truth.Now = now
			if got := oracle.Judge(tt.truth).Lines["jd/"+tt.line]; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// What is said of an order is said of its parts, and of theirs; what is said of a part is
// said of nothing else.
func TestWhoseAPartIs(t *testing.T) {
	t.Parallel()
	part := func(id, of, item string, split bool) oracle.Line {
		l := line(id, "", oracle.Earning, 1000)
		if l.Parent, l.Item, l.Split = of, item, split; split {
			l.State = oracle.Gone
		}
		return l
	}
	whole, a, b, deep := part("1", "", "kettle", true), part("2", "o1", "kettle", false), part("3", "o1", "kettle", true), part("4", "o3", "kettle", false)
	lines := []oracle.Line{whole, a, b, deep}
	old := []oracle.Link{link(7, 0, "a", 48*time.Hour)}
	claim := func(user int64, number string) oracle.Claim {
		return oracle.Claim{User: user, Network: "jd", Order: number}
	}
	word := func(user int64, number string) oracle.Decision {
		return oracle.Decision{User: user, Network: "jd", Order: number, Rules: rules()}
	}
	tests := []struct {
		name  string
		truth oracle.Truth
		want  [2]int64 // whose a and deep are
	}{
		{"nothing is known", oracle.Truth{}, [2]int64{}},
		{"the whole was bought through a link", oracle.Truth{Links: []oracle.Link{link(7, 0, "a", 2*time.Hour)}}, [2]int64{7, 7}},
		{"the whole is claimed", oracle.Truth{Links: old, Claims: []oracle.Claim{claim(7, "o1")}}, [2]int64{7, 7}},
		{"a part is claimed", oracle.Truth{Links: old, Claims: []oracle.Claim{claim(7, "o2")}}, [2]int64{7, 7}},
		{"by who never asked for it", oracle.Truth{Claims: []oracle.Claim{claim(7, "o1")}}, [2]int64{}},
		{"staff gives the whole", oracle.Truth{Decisions: []oracle.Decision{word(9, "o1")}}, [2]int64{9, 9}},
		{"staff gives a part", oracle.Truth{Decisions: []oracle.Decision{word(9, "o2")}}, [2]int64{9, 0}},
		{"staff gives a part that was split", oracle.Truth{Decisions: []oracle.Decision{word(9, "o3")}}, [2]int64{0, 9}},
		{"staff gives the whole, then takes a part", oracle.Truth{Decisions: []oracle.Decision{word(9, "o1"), word(8, "o4")}}, [2]int64{9, 8}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.truth.Now, tt.truth.Lines, tt.truth.Rules = now, lines, rules()
			books := oracle.Judge(tt.truth)
			if got := [2]int64{books.Lines["jd/2"].User, books.Lines["jd/4"].User}; got != tt.want {
				t.Errorf("they are %v's, want %v", got, tt.want)
			}
		})
	}
}

func TestWhatInvitersGet(t *testing.T) {
	t.Parallel()
	l := link(7, 0, "a", 2*time.Hour)
	l.Rules.First, l.Rules.Second = 2000, 1000
	brought := func(user, inviter int64, ago time.Duration) oracle.Invitation {
		return oracle.Invitation{User: user, Inviter: inviter, At: now.Add(-ago)}
	}
	tests := []struct {
		name  string
		said  []oracle.Invitation
		state oracle.State
		brings,
		margin money.Fen
		want [2]oracle.Cut
	}{
		{"two levels and no third", []oracle.Invitation{brought(7, 5, 9*time.Hour), brought(5, 3, 9*time.Hour), brought(3, 1, 9*time.Hour)}, oracle.Settled, 1000, 289, [2]oracle.Cut{{User: 5, Amount: 54}, {User: 3, Amount: 27}}},
		{"not before it is settled", []oracle.Invitation{brought(7, 5, 9*time.Hour)}, oracle.Earning, 1000, 370, [2]oracle.Cut{}},
		{"not of an order before the invitation", []oracle.Invitation{brought(7, 5, 0)}, oracle.Settled, 1000, 370, [2]oracle.Cut{}},
		{"the second was brought too late", []oracle.Invitation{brought(7, 5, 9*time.Hour), brought(5, 3, 0)}, oracle.Settled, 1000, 316, [2]oracle.Cut{{User: 5, Amount: 54}}},
		{"the first word counts", []oracle.Invitation{brought(7, 5, 9*time.Hour), brought(7, 4, 8*time.Hour)}, oracle.Settled, 1000, 316, [2]oracle.Cut{{User: 5, Amount: 54}}},
		{"nobody is brought by a younger one, or themselves", []oracle.Invitation{brought(7, 9, 9*time.Hour), brought(7, 7, 9*time.Hour), brought(7, 6, 9*time.Hour)}, oracle.Settled, 1000, 316, [2]oracle.Cut{{User: 6, Amount: 54}}},
		{"what rounding takes goes to who lost more", []oracle.Invitation{brought(7, 5, 9*time.Hour), brought(5, 3, 9*time.Hour)}, oracle.Settled, 25, 7, [2]oracle.Cut{{User: 5, Amount: 1}, {User: 3, Amount: 1}}},
		{"of what brings its buyer nothing they get nothing", []oracle.Invitation{brought(7, 5, 9*time.Hour)}, oracle.Settled, 7, 7, [2]oracle.Cut{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := oracle.Judge(oracle.Truth{Now: now, Links: []oracle.Link{l}, Lines: []oracle.Line{line("1", "a", tt.state, tt.brings)}, Invitations: tt.said})
			if s := got.Lines["jd/1"]; s.Cuts != tt.want || s.Margin != tt.margin {
				t.Errorf("%+v", s)
			}
			if w := got.Wallets[5]; tt.want[0].User == 5 && w.Available != tt.want[0].Amount || got.Networks["jd"] != tt.brings {
				t.Errorf("%+v, the network owes %d", w, got.Networks["jd"])
			}
		})
	}
}

func TestWhatBudgetsPay(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 15, 59, 0, 0, time.UTC) } // a minute before Beijing's midnight
	comes := func(user int64, at time.Time) oracle.Bonus {
		return oracle.Bonus{User: user, Budget: "checkin", Amount: 30, Daily: true, At: at}
	}
	got := oracle.Judge(oracle.Truth{
		Now:     now,
		Budgets: map[string]oracle.Limit{"checkin": {Day: 70, Month: 160}, "welcome": {Total: 300}},
		Bonuses: []oracle.Bonus{
			comes(7, day(1)), comes(7, day(1)), comes(8, day(1)), comes(9, day(1)), // twice; and one too many
			comes(7, day(1).Add(time.Minute)), comes(8, day(2)), comes(9, day(3)), comes(9, day(4)), // the next day; and the month is over
			{User: 7, Budget: "welcome", Amount: 200, At: day(1)}, {User: 7, Budget: "welcome", Amount: 200, At: day(9)}, {User: 8, Budget: "welcome", Amount: 200, At: day(9)},
		},
		Payments: []oracle.Payment{{User: 8, Payer: "bank", Amount: 70}},
	})
	want := map[int64]oracle.Wallet{7: {Available: 260}, 8: {Paid: 70, Debt: 10}, 9: {Available: 30}}
	if !reflect.DeepEqual(got.Wallets, want) || got.Given != 350 {
		t.Errorf("%+v, given %d", got.Wallets, got.Given)
	}

	l := link(7, 0, "a", 2*time.Hour)
	l.Rules.Gift, l.Rules.Cap = 300, 0
	x := line("1", "a", oracle.Settled, 1000)
	x.Price, x.Refunded = 9000, 4500
	truth := oracle.Truth{Now: now, Links: []oracle.Link{l}, Lines: []oracle.Line{x}}
	if s := oracle.Judge(truth).Lines["jd/1"]; s != (oracle.Share{User: 7, Rebate: 780, Margin: 220, Ready: true}) {
		t.Errorf("a gift that the commission covers: %+v", s)
	}
	truth.Lines[0].Commission = 100
	b := oracle.Judge(truth)
	if s := b.Lines["jd/1"]; s != (oracle.Share{User: 7, Rebate: 213, Gift: 123, Margin: 10, Ready: true}) || b.Given != 123 || b.Networks["jd"] != 100 {
		t.Errorf("a gift that it does not cover: %+v, %+v", s, b)
	}
	truth.Links[0].Dry = true
	if s := oracle.Judge(truth).Lines["jd/1"]; s.Rebate != 63 {
		t.Errorf("a gift that nobody was promised: %+v", s)
	}
}
