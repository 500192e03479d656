package credit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// A party is a treasurer who gives bonuses, and whom they told of dry budgets.
type party struct {
	*credit.Treasurer
	t       *testing.T
	books   *books
	at      time.Time
	dried   []credit.Dried
	inviter map[int64]int64
	asked   []time.Time
	n       int
}

// throw opens a party: 42 was invited by 7, 43 by 7 and 44 by nobody.
func throw(t *testing.T) *party {
	t.Helper()
	p := &party{t: t, books: open(), at: now, inviter: map[int64]int64{42: 7, 43: 7}}
	p.Treasurer = &credit.Treasurer{
		Store: p.books, Now: func() time.Time { return p.at },
		Budgets:    map[string]credit.Budget{"friends": {Day: 1400}, "fest": {Total: 1000}},
		Invitation: credit.Invitation{Inviter: 500, Invited: 200, Budget: "friends"},
		Inviter: func(_ context.Context, user int64, at time.Time) (int64, error) {
			p.asked = append(p.asked, at)
			return p.inviter[user], nil
		},
		Alarm: func(_ context.Context, d credit.Dried) { p.dried = append(p.dried, d) },
	}
	return p
}

// line is a rebate of a user that is available.
func line(id string, user int64, bonuses ...rebate.BonusDue) rebate.ChangedRebate {
	return rebate.ChangedRebate{
		Key: key(id), Seq: 1, User: user, Stage: rebate.Available, Amount: 280, Order: "N" + id, State: order.Settled,
		Placed: now.Add(-time.Hour), Bonuses: bonuses,
	}
}

func (p *party) try(rs ...rebate.ChangedRebate) error {
	p.t.Helper()
	p.n++
	e, err := event.New(fmt.Sprint("rebate/", p.n), event.RebateChanged, now, rebate.Changed{Rebates: rs})
	if err != nil {
		p.t.Fatal(err)
	}
	return p.RebateChanged(p.t.Context(), e)
}

func (p *party) hear(rs ...rebate.ChangedRebate) {
	p.t.Helper()
	if err := p.try(rs...); err != nil {
		p.t.Fatal(err)
	}
}

// wantHave compares what users have available.
func (p *party) wantHave(want map[int64]money.Fen) {
	p.t.Helper()
	for id, n := range want {
		if got := p.books.Sums[ledger.User(id, ledger.Available)]; got != n {
			p.t.Errorf("user %d has %s, want %s", id, got, n)
		}
	}
	if rep, err := ledger.Audit(p.t.Context(), ledgertest.Reader{Memory: p.books.Memory}); err != nil || !rep.OK() {
		p.t.Errorf("%+v %v", rep, err)
	}
}

func TestTheFirstOrderOfSomebodyInvitedBringsBothABonusOnce(t *testing.T) {
	t.Parallel()
	p := throw(t)
	for range 2 {
		p.hear(line("1", 42))
	}
	p.hear(line("2", 42), line("3", 42))
	p.wantHave(map[int64]money.Fen{7: 500, 42: 200})
	if len(p.books.Book) != 2 || p.books.firsts[42] != "jd/main/1" || !p.asked[0].Equal(now.Add(-time.Hour)) || len(p.asked) != 1 {
		t.Errorf("%+v, firsts %v, asked at %v", p.books.Book, p.books.firsts, p.asked)
	}
	for i, want := range []ledger.Entry{
		{Key: "bonus/invitation/42/inviter", Kind: ledger.Invite, Cause: "invitation/42"},
		{Key: "bonus/invitation/42/invited", Kind: ledger.Invite, Cause: "invitation/42", Note: "N1"},
	} {
		if e := p.books.Book[i]; e.Key != want.Key || e.Kind != want.Kind || e.Cause != want.Cause || e.Note != want.Note || e.From != ledger.Marketing {
			t.Errorf("entry %d is %+v", i, e)
		}
	}
	var said []string
	for _, e := range p.books.said {
		var g credit.Given
		if err := e.Decode(&g); err != nil || e.Name != event.BonusGiven {
			t.Errorf("%s: %v", e.Name, err)
		}
		said = append(said, fmt.Sprint(g))
	}
	if fmt.Sprint(said) != "[{7 invite 5.00 inviter} {42 invite 2.00 invited}]" {
		t.Errorf("said is %v", said)
	}
	if got, err := (credit.Purse{Ledger: ledgertest.Reader{Memory: p.books.Memory}}).Bonuses(t.Context(), 42, key("1"), "N1"); err != nil || len(got) != 1 || got[0].Amount != 200 {
		t.Errorf("of the line it is said %+v, %v", got, err)
	}
	for _, other := range []struct {
		user   int64
		number string
	}{{42, "N2"}, {42, ""}, {7, "N1"}} {
		if got, err := (credit.Purse{Ledger: ledgertest.Reader{Memory: p.books.Memory}}).Bonuses(t.Context(), other.user, key("1"), other.number); err != nil || len(got) != 0 {
			t.Errorf("%+v: %+v, %v", other, got, err)
		}
	}
}

func TestWhoGetsNothingForAnInvitation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(p *party, r *rebate.ChangedRebate)
		first  bool // the order counts as the first all the same
	}{
		"Nobody'sFriend": {func(_ *party, r *rebate.ChangedRebate) { r.User = 44 }, true},
		"TheirOwnFriend": {func(p *party, r *rebate.ChangedRebate) { p.inviter[42] = 42 }, true},
		"Kin": {func(p *party, _ *rebate.ChangedRebate) {
			p.Kin = func(context.Context, int64, int64) (bool, error) { return true, nil }
		}, true},
		"NoneConfigured":  {func(p *party, _ *rebate.ChangedRebate) { p.Invitation.Inviter, p.Invitation.Invited = 0, 0 }, true},
		"NobodyToAsk":     {func(p *party, _ *rebate.ChangedRebate) { p.Inviter = nil }, true},
		"NotSettledYet":   {func(_ *party, r *rebate.ChangedRebate) { r.Stage = rebate.Pending }, false},
		"GivenBackBefore": {func(_ *party, r *rebate.ChangedRebate) { r.Stage, r.Amount = rebate.Nothing, 0 }, false},
		"BringsNothing":   {func(_ *party, r *rebate.ChangedRebate) { r.Amount = 0 }, false},
		"NobodysOrder":    {func(_ *party, r *rebate.ChangedRebate) { r.User = 0 }, false},
		"CameBefore":      {func(p *party, _ *rebate.ChangedRebate) { p.books.firsts[42] = "before" }, true},
		"AnOlderStateOfTheLine": {func(p *party, r *rebate.ChangedRebate) {
			p.books.booked[r.Key] = credit.Booked{Key: r.Key, Seq: 2, User: 42}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := throw(t)
			r := line("1", 42)
			tt.change(p, &r)
			p.hear(r)
			if _, first := p.books.firsts[r.User]; first != tt.first || len(p.books.Book) != 0 {
				t.Errorf("first is %v, entries %+v", first, p.books.Book)
			}
		})
	}
}

func TestOneSideOfAnInvitation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		is   credit.Invitation
		want map[int64]money.Fen
	}{
		{credit.Invitation{Inviter: 500, Budget: "friends"}, map[int64]money.Fen{7: 500, 42: 0}},
		{credit.Invitation{Invited: 200, Budget: "friends"}, map[int64]money.Fen{7: 0, 42: 200}},
		{credit.Invitation{Inviter: 300, Invited: 300, Budget: "friends"}, map[int64]money.Fen{7: 300, 42: 300}},
	} {
		p := throw(t)
		p.Invitation = tt.is
		if i, err := p.Promised(t.Context()); err != nil || i != tt.is {
			t.Errorf("promised are %+v, %v, want %+v", i, err, tt.is)
		}
		p.Kin = func(_ context.Context, a, b int64) (bool, error) { return a != 7 || b != 42, nil }
		r := line("1", 42)
		p.books.booked[r.Key] = credit.Booked{Key: r.Key, Seq: 1} // the cashier was there already
		p.hear(r)
		p.wantHave(tt.want)
	}
}

// TestADryBudgetGivesNothingAndIsToldOnce: the next order after it has money again
// is the first.
func TestADryBudgetGivesNothingAndIsToldOnce(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.inviter[44], p.inviter[45] = 7, 7
	p.hear(line("1", 42), line("2", 43)) // 1,400: all of the day's
	if i, err := p.Promised(t.Context()); err != nil || i != (credit.Invitation{}) {
		t.Errorf("promised are %+v, %v", i, err)
	}
	p.hear(line("3", 44))
	p.hear(line("4", 45))
	p.wantHave(map[int64]money.Fen{7: 1000, 44: 0, 45: 0})
	if fmt.Sprint(p.dried) != fmt.Sprintf("[{friends %s}]", now.Format(time.DateOnly)) {
		t.Errorf("told was %v", p.dried)
	}
	p.at = now.AddDate(0, 0, 1)
	if i, err := p.Promised(t.Context()); err != nil || i != p.Invitation {
		t.Errorf("promised are %+v, %v", i, err)
	}
	p.hear(line("5", 44))
	p.wantHave(map[int64]money.Fen{7: 1500, 44: 200, 45: 0})
	p.hear(line("6", 45))
	p.hear(line("7", 46))
	if len(p.dried) != 1 {
		t.Errorf("told was %v", p.dried)
	}
	p.Invitation = credit.Invitation{}
	if i, err := p.Promised(t.Context()); err != nil || i != (credit.Invitation{}) {
		t.Errorf("promised are %+v, %v", i, err)
	}
}

// TestHalfOfAnInvitation: what is missing comes with the next order, and nothing
// comes twice.
func TestHalfOfAnInvitation(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.Budgets["friends"] = credit.Budget{Day: 699}
	p.hear(line("1", 42))
	p.wantHave(map[int64]money.Fen{7: 500, 42: 0})
	p.at = now.AddDate(0, 0, 1)
	p.hear(line("2", 42))
	p.wantHave(map[int64]money.Fen{7: 500, 42: 200})
	if p.books.firsts[42] != "jd/main/2" {
		t.Errorf("the first is %v", p.books.firsts)
	}
}

// TestWhichLimitOfABudgetIsTold: the shortest span whose limit the gift would break.
func TestWhichLimitOfABudgetIsTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		b    credit.Budget
		want string
	}{
		{credit.Budget{Day: 499, Month: 499}, now.Format(time.DateOnly)},
		{credit.Budget{Day: 500, Month: 499}, now.Format("2006-01")},
		{credit.Budget{Total: 499}, "total"},
	} {
		p := throw(t)
		p.Budgets["friends"] = tt.b
		p.hear(line("1", 42))
		if fmt.Sprint(p.dried) != fmt.Sprintf("[{friends %s}]", tt.want) {
			t.Errorf("%+v: told was %v, want %s", tt.b, p.dried, tt.want)
		}
	}
}

// TestACapOfAUserSparesNoBudget: both count.
func TestACapOfAUserSparesNoBudget(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.Budgets["fest"] = credit.Budget{Total: 300}
	due := rebate.BonusDue{Name: "开业", Amount: 150, Budget: "fest", UserCap: 400}
	p.hear(line("1", 44, due))
	p.hear(line("2", 45, due))
	p.hear(line("3", 46, due))
	p.wantHave(map[int64]money.Fen{44: 150, 45: 150, 46: 0})
}

func TestACampaignGivesForEachLineUpToACap(t *testing.T) {
	t.Parallel()
	p := throw(t)
	due := rebate.BonusDue{Name: "开业", Amount: 150, Budget: "fest", UserCap: 400}
	for _, s := range []struct {
		id   string
		user int64
		want money.Fen
	}{{"1", 44, 150}, {"1", 44, 150}, {"2", 44, 300}, {"3", 44, 400}, {"4", 44, 400}, {"5", 45, 150}} {
		p.hear(line(s.id, s.user, due))
		p.wantHave(map[int64]money.Fen{s.user: s.want})
	}
	if e := p.books.Book[0]; e.Key != "bonus/campaign/jd/main/1/开业" || e.Kind != ledger.Campaign || e.Cause != "jd/main/1" || e.Note != "开业" {
		t.Errorf("the first entry is %+v", e)
	}
	if got, err := (credit.Purse{Ledger: ledgertest.Reader{Memory: p.books.Memory}}).Bonuses(t.Context(), 44, key("3"), "N3"); err != nil || len(got) != 1 || got[0].Amount != 100 {
		t.Errorf("of the line it is said %+v, %v", got, err)
	}
	if len(p.dried) != 0 {
		t.Errorf("told was %v", p.dried)
	}
	var g credit.Given
	if err := p.books.said[0].Decode(&g); err != nil || g != (credit.Given{User: 44, Kind: ledger.Campaign, Amount: 150, Name: "开业"}) {
		t.Errorf("said is %+v, %v", g, err)
	}
}

func TestCampaignsHaveBudgetsOfTheirOwn(t *testing.T) {
	t.Parallel()
	p := throw(t)
	fest, gone := rebate.BonusDue{Name: "a", Amount: 600, Budget: "fest"}, rebate.BonusDue{Name: "b", Amount: 10, Budget: "gone"}
	p.hear(line("1", 44, fest, gone))
	p.hear(line("2", 44, fest, gone))
	p.wantHave(map[int64]money.Fen{44: 600})
	if fmt.Sprint(p.dried) != "[{gone total} {fest total}]" {
		t.Errorf("told was %v", p.dried)
	}
	p.Alarm = nil // telling nobody is no reason to fail
	p.hear(line("3", 44, rebate.BonusDue{Name: "c", Amount: 10, Budget: "other"}))
}

// TestABonusPaysADebtFirst, as any money that becomes available.
func TestABonusPaysADebtFirst(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.books = indebted(t) // 42 owes 170
	p.Store = p.books
	p.hear(line("9", 42, rebate.BonusDue{Name: "a", Amount: 200, Budget: "fest"}))
	if got := wallet(p.books, 42); got != "0 pending, 230 available, 0 reserved, 0 debt" { // 200 + 200 − 170
		t.Error(got)
	}
	if e := p.books.Book[len(p.books.Book)-2]; e.Kind != ledger.Repay && e.Kind != ledger.Campaign {
		t.Errorf("%+v", p.books.Book)
	}
}

// TestBonusesWaitForCredits, and for whoever could not be asked.
func TestBonusesWaitForCredits(t *testing.T) {
	t.Parallel()
	p := throw(t)
	p.books.stopped = []control.Switch{{Scope: control.Credits, On: true}}
	if err := p.try(line("1", 42)); fault.ReasonOf(err) != control.Stopped {
		t.Errorf("got %v", err)
	}
	p.books.stopped = nil
	down := errors.New("nobody answers")
	ask := p.Inviter
	p.Inviter = func(context.Context, int64, time.Time) (int64, error) { return 0, down }
	if err := p.try(line("1", 42)); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	p.Inviter = ask
	p.Kin = func(context.Context, int64, int64) (bool, error) { return false, down }
	if err := p.try(line("1", 42)); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	if len(p.books.Book)+len(p.books.firsts) != 0 {
		t.Errorf("%+v, %v", p.books.Book, p.books.firsts)
	}
	p.Kin = nil
	p.hear(line("1", 42))
	p.wantHave(map[int64]money.Fen{7: 500, 42: 200})
	if err := p.RebateChanged(t.Context(), event.Event{ID: "x", Data: []byte("{")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}
