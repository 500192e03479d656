package credit_test

import (
	"fmt"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/rebate"
)

// TestACapIsAPersons: 42 and 43 are parts of 41, and 44 is somebody else. What their
// accounts had before they were linked counts, each fen of the cap is given, and each
// account counts its own.
func TestACapIsAPersons(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.Invitation, p.Budgets["fest"] = credit.Invitation{}, credit.Budget{Total: 100_000}
	due := rebate.BonusDue{Name: "开业", Amount: 150, Budget: "fest", UserCap: 500}
	p.hear(line("1", 42, due), line("2", 43, due), line("3", 44, due))
	p.books.points[42], p.books.points[43] = 41, 41
	p.hear(line("4", 43, due))
	p.hear(line("5", 41, due)) // of which there are 50 left
	p.hear(line("6", 42, due), line("7", 43, due))
	p.hear(line("8", 44, due))
	p.wantHave(map[int64]money.Fen{41: 200, 42: 150, 43: 150, 44: 300})
	for user, want := range map[int64]money.Fen{41: 50, 42: 150, 43: 300, 44: 300} {
		if got := p.books.spent[fmt.Sprintf("user/%d/开业 total", user)]; got != want {
			t.Errorf("user %d has used %s of the cap, want %s", user, got, want)
		}
	}
	delete(p.books.points, 42) // who had 150 by themselves
	p.hear(line("9", 42, due), line("10", 42, due), line("11", 42, due))
	p.wantHave(map[int64]money.Fen{42: 500})
	if got := p.books.spent["fest total"]; got != 1150 || len(p.books.said) != 9 {
		t.Errorf("the budget has given %s, and %d times it was said", got, len(p.books.said))
	}
}

// TestACapOfWhatNoPersonMayHave: more than the cap is promised for one line.
func TestACapOfWhatNoPersonMayHave(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.Budgets["fest"] = credit.Budget{Total: 399}
	p.hear(line("1", 44, rebate.BonusDue{Name: "big", Amount: 300_00, Budget: "fest", UserCap: 400}))
	p.wantHave(map[int64]money.Fen{44: 0})
	if fmt.Sprint(p.dried) != "[{fest total}]" {
		t.Errorf("told was %v", p.dried)
	}
	p.Budgets["fest"] = credit.Budget{Total: 400}
	p.hear(line("2", 44, rebate.BonusDue{Name: "big", Amount: 300_00, Budget: "fest", UserCap: 400}))
	p.wantHave(map[int64]money.Fen{44: 400})
}

// TestAFirstOrderIsAPersons: half of what it brings may come with one account's and the
// other half with the other one's, but no half comes twice.
func TestAFirstOrderIsAPersons(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		alone bool // 42's first order comes before the accounts are linked
		half  bool // the budget then has not enough for both halves
		lone  bool // 42 had come without a friend
		want  map[int64]money.Fen
	}{
		{"they came as the other one", true, false, false, map[int64]money.Fen{7: 500, 42: 200, 40: 0}},
		{"they came as the other one, whom nobody had brought", true, false, true, map[int64]money.Fen{7: 0, 42: 0, 40: 0}},
		{"half of it is missing", true, true, false, map[int64]money.Fen{7: 500, 42: 0, 40: 200}},
		{"nobody has come", false, false, false, map[int64]money.Fen{7: 500, 42: 0, 40: 200}},
	} {
		p := throw(t)
		p.inviter[40] = 7
		if tt.lone {
			delete(p.inviter, 42)
		}
		if tt.half {
			p.Budgets["friends"] = credit.Budget{Day: 699}
		}
		if tt.alone {
			p.hear(line("1", 42))
		}
		p.books.points[42] = 40
		p.at = now.AddDate(0, 0, 1)
		p.hear(line("2", 40))
		p.hear(line("3", 42), line("4", 40))
		for id, want := range tt.want {
			if got := p.books.Sums[ledger.User(id, ledger.Available)]; got != want {
				t.Errorf("%s: user %d has %s, want %s", tt.name, id, got, want)
			}
		}
		if p.books.firsts[40] != "jd/main/2" {
			t.Errorf("%s: the firsts are %v", tt.name, p.books.firsts)
		}
	}
}

// TestNobodyIsTheirOwnFriend, also not where they were somebody else's when they ordered.
func TestNobodyIsTheirOwnFriend(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.books.points[42] = 7
	p.hear(line("1", 42))
	p.wantHave(map[int64]money.Fen{7: 0, 42: 0})
	if p.books.firsts[42] == "" {
		t.Error("the first order does not count")
	}
	delete(p.books.points, 42)
	p.hear(line("2", 42), line("3", 43)) // 43 is a friend
	p.wantHave(map[int64]money.Fen{7: 500, 42: 0, 43: 200})
}

// TestAPersonComesOnceADay through whichever account.
func TestAPersonComesOnceADay(t *testing.T) {
	t.Parallel()
	b, at := open(), now
	c := treasurer(b, &at)
	c.Budgets["checkin"] = credit.Budget{Total: 1000}
	come := func(user int64, want money.Fen) {
		t.Helper()
		if got, err := c.Come(t.Context(), user); got != want || err != nil {
			t.Errorf("user %d, %s: %s, %v, want %s", user, at.Format(time.DateOnly), got, err, want)
		}
	}
	come(42, 5)
	b.points[42] = 41
	come(41, 0)
	at = at.AddDate(0, 0, 1)
	come(41, 5)
	come(42, 0)
	delete(b.points, 42)
	come(42, 5)
	come(42, 0)
}
