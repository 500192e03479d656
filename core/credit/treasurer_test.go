package credit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/ledger/ledgertest"
	"fanli/core/money"
	"fanli/core/rebate"
)

// treasurer returns one whose clock is what at points to.
func treasurer(b *books, at *time.Time) *credit.Treasurer {
	return &credit.Treasurer{
		Store: b, Now: func() time.Time { return *at }, Zone: time.FixedZone("UTC+8", 8*60*60), CheckIn: 5, CheckInBudget: "checkin", Forgiven: 100,
		Budgets: map[string]credit.Budget{"checkin": {Day: 10, Month: 20}, "campaign": {Total: 1000}},
	}
}

func TestACheckInBringsSomethingOnceADay(t *testing.T) {
	t.Parallel()
	b, at := open(), time.Date(2026, 11, 27, 15, 59, 0, 0, time.UTC) // a minute before midnight in Beijing
	c := treasurer(b, &at)
	steps := []struct {
		name   string
		user   int64
		later  time.Duration
		want   money.Fen
		reason string
	}{
		{"the first", 42, 0, 5, ""},
		{"again", 42, 0, 0, ""},
		{"somebody else", 43, 0, 5, ""},
		{"the day's budget is used up", 44, 0, 0, "bonus.used_up"},
		{"the next day", 42, time.Minute, 5, ""},
		{"who got nothing yesterday", 44, 0, 5, ""},
		{"the month's budget is used up", 42, 24 * time.Hour, 0, "bonus.used_up"},
		{"the next month", 42, 5 * 24 * time.Hour, 5, ""},
	}
	for _, s := range steps {
		at = at.Add(s.later)
		if got, err := c.Come(t.Context(), s.user); got != s.want || fault.ReasonOf(err) != s.reason || (err == nil) != (s.reason == "") {
			t.Errorf("%s: %d, %v", s.name, got, err)
		}
	}
	if b.Sums[ledger.Marketing] != -25 || b.Sums[ledger.User(42, ledger.Available)] != 15 {
		t.Errorf("marketing is at %d, user 42 has %d", b.Sums[ledger.Marketing], b.Sums[ledger.User(42, ledger.Available)])
	}
	if e := b.Book[0]; e.Key != "bonus/checkin/42/2026-11-27" || e.Kind != ledger.Bonus {
		t.Errorf("the first entry is %+v", e)
	}
	c.CheckIn = 0
	if _, err := c.Come(t.Context(), 42); fault.ReasonOf(err) != "bonus.no_checkin" {
		t.Errorf("where there are none: %v", err)
	}
	if rep, err := ledger.Audit(t.Context(), ledgertest.Reader{Memory: b.Memory}); err != nil || !rep.OK() {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestAGiftIsGivenOnceAndBounded(t *testing.T) {
	t.Parallel()
	b, at := open(), now
	c := treasurer(b, &at)
	gift := credit.Gift{Key: "bonus/618/42", User: 42, Amount: 600, Budget: "campaign", Note: "618"}
	for i := range 2 {
		if given, err := c.Give(t.Context(), gift); given != (i == 0) || err != nil {
			t.Errorf("time %d: %v, %v", i, given, err)
		}
	}
	tests := []struct {
		name   string
		change func(*credit.Gift)
		code   fault.Code
	}{
		{"the same key for another sum", func(g *credit.Gift) { g.Amount = 1 }, fault.Conflict},
		{"more than is left", func(g *credit.Gift) { g.Key, g.Amount = "x", 401 }, fault.Limited},
		{"no such budget", func(g *credit.Gift) { g.Key, g.Budget = "x", "other" }, fault.Invalid},
		{"nobody", func(g *credit.Gift) { g.Key, g.User = "x", 0 }, fault.Invalid},
		{"nothing", func(g *credit.Gift) { g.Key, g.Amount = "x", 0 }, fault.Invalid},
		{"a slip of the hand", func(g *credit.Gift) { g.Key, g.Amount = "x", 200_01 }, fault.Invalid},
		{"no key", func(g *credit.Gift) { g.Key = "" }, fault.Invalid},
		{"the same key for somebody else", func(g *credit.Gift) { g.User = 43 }, fault.Conflict},
	}
	for _, tt := range tests {
		g := gift
		tt.change(&g)
		if given, err := c.Give(t.Context(), g); given || !fault.Is(err, tt.code) {
			t.Errorf("%s: %v, %v", tt.name, given, err)
		}
	}
	if len(b.Book) != 1 || b.spent["campaign total"] != 600 {
		t.Errorf("%d entries, %d spent", len(b.Book), b.spent["campaign total"])
	}
	for _, tt := range []struct {
		name string
		dry  bool
	}{{"campaign", false}, {"nobody's", true}} {
		if dry, err := c.Dry(t.Context(), tt.name); dry != tt.dry || err != nil {
			t.Errorf("%s is dry: %v, %v", tt.name, dry, err)
		}
	}
	gift.Key, gift.Amount = "bonus/618/43", 400
	if given, err := c.Give(t.Context(), gift); !given || err != nil {
		t.Error(err)
	}
	if dry, err := c.Dry(t.Context(), "campaign"); !dry || err != nil {
		t.Errorf("%v, %v", dry, err)
	}
}

// TestTheLargestGift is one of ¥200: a fen more is a slip of the hand.
func TestTheLargestGift(t *testing.T) {
	t.Parallel()
	b, at := open(), now
	c := treasurer(b, &at)
	c.Budgets = map[string]credit.Budget{"campaign": {Total: 1000_00}}
	g := credit.Gift{Key: "g", User: 42, Amount: 200_00, Budget: "campaign"}
	if given, err := c.Give(t.Context(), g); !given || err != nil {
		t.Errorf("%v, %v", given, err)
	}
}

// TestAKeyOfAnotherKindIsRefused: the entry of a rebate and one of a gift may agree
// in all but what they are.
func TestAKeyOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	b, at := open(), now
	hear(t, b, rebate.ChangedRebate{Key: key("1"), Seq: 1, User: 42, Stage: rebate.Available, Amount: 170})
	c := treasurer(b, &at)
	given, err := c.Give(t.Context(), credit.Gift{Key: b.Book[0].Key, User: 42, Amount: 170, Budget: "campaign"})
	if given || !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != "ledger.key_reused" {
		t.Errorf("%v, %v", given, err)
	}
	if len(b.Book) != 1 {
		t.Errorf("%d entries", len(b.Book))
	}
}

// indebted returns books in which user 42 owes 170.
func indebted(t *testing.T) *books {
	t.Helper()
	b := open()
	hear(t, b, at(1, 42, rebate.Available, 170, 73))
	spend(t, b, 42, 170)
	hear(t, b, at(2, 42, rebate.Nothing, 0, 0))
	return b
}

func TestAGiftPaysADebtFirst(t *testing.T) {
	t.Parallel()
	b, at := indebted(t), now
	c := treasurer(b, &at)
	if _, err := c.Give(t.Context(), credit.Gift{Key: "g", User: 42, Amount: 200, Budget: "campaign"}); err != nil {
		t.Fatal(err)
	}
	if got := wallet(b, 42); got != "0 pending, 30 available, 0 reserved, 0 debt" {
		t.Error(got)
	}
	b = indebted(t)
	c = treasurer(b, &at)
	if _, err := c.Give(t.Context(), credit.Gift{Key: "g", User: 42, Amount: 60, Budget: "campaign"}); err != nil {
		t.Fatal(err)
	}
	if got := wallet(b, 42); got != "0 pending, 0 available, 0 reserved, 110 debt" {
		t.Error("a gift that is less than the debt:", got)
	}
}

func TestADebtIsWrittenOffWithinAMonthsLimit(t *testing.T) {
	t.Parallel()
	b, at := indebted(t), now
	c := treasurer(b, &at)
	f := credit.Forgiveness{Key: "forgive/42/1", User: 42, Amount: 60, By: "ann", Reason: "network's mistake"}
	steps := []struct {
		name  string
		later int
		key   string
		n     money.Fen
		done  bool
		code  fault.Code
		left  money.Fen
	}{
		{"a part", 0, "forgive/42/1", 60, true, "", 110},
		{"again", 0, "forgive/42/1", 60, false, "", 110},
		{"the same key for another sum", 0, "forgive/42/1", 61, false, fault.Conflict, 110},
		{"more than is owed", 0, "forgive/42/2", 111, false, fault.Insufficient, 110},
		{"above the month's limit", 0, "forgive/42/2", 41, false, fault.Limited, 110},
		{"up to the limit", 0, "forgive/42/2", 40, true, "", 70},
		{"next month", 1, "forgive/42/3", 70, true, "", 0},
		{"nothing", 1, "forgive/42/4", 0, false, fault.Invalid, 0},
	}
	for _, s := range steps {
		at = now.AddDate(0, s.later, 0)
		g := f
		g.Key, g.Amount = s.key, s.n
		done, err := c.Forgive(t.Context(), g)
		if done != s.done || s.code == "" && err != nil || s.code != "" && !fault.Is(err, s.code) {
			t.Errorf("%s: %v, %v", s.name, done, err)
		}
		if s.code == fault.Insufficient && !strings.Contains(fmt.Sprint(err), "owes 1.10") {
			t.Errorf("%s: staff does not read how much is owed: %v", s.name, err)
		}
		if got := -b.Sums[ledger.User(42, ledger.Debt)]; got != s.left {
			t.Errorf("%s: %d are left, want %d", s.name, got, s.left)
		}
	}
	if b.Sums[ledger.WrittenOff] != -170 {
		t.Errorf("written off are %d", -b.Sums[ledger.WrittenOff])
	}
	if len(b.acts) != 3 || b.acts[0].What != "debt.forgive" || b.acts[0].On != "user/42" || b.acts[0].Actor != f.By || b.acts[1].Before != "¥1.10" || b.acts[1].After != "¥0.70" {
		t.Errorf("the record of acts is %+v", b.acts)
	}
}

// TestWhatIsWrittenOffIsWhole: who forgives says whom, how much, and why; and
// without a limit for the month nothing is written off.
func TestWhatIsWrittenOffIsWhole(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(c *credit.Treasurer, f *credit.Forgiveness)
		code   fault.Code
		reason string
	}{
		"no key":           {func(_ *credit.Treasurer, f *credit.Forgiveness) { f.Key = "" }, fault.Invalid, "debt.malformed"},
		"nobody":           {func(_ *credit.Treasurer, f *credit.Forgiveness) { f.User = 0 }, fault.Invalid, "debt.malformed"},
		"nothing":          {func(_ *credit.Treasurer, f *credit.Forgiveness) { f.Amount = 0 }, fault.Invalid, "debt.malformed"},
		"by nobody":        {func(_ *credit.Treasurer, f *credit.Forgiveness) { f.By = "" }, fault.Invalid, "debt.malformed"},
		"without a reason": {func(_ *credit.Treasurer, f *credit.Forgiveness) { f.Reason = "" }, fault.Invalid, "debt.malformed"},
		"no limit is none": {func(c *credit.Treasurer, _ *credit.Forgiveness) { c.Forgiven = 0 }, fault.Limited, "debt.limit"},
		"a fen too much":   {func(c *credit.Treasurer, _ *credit.Forgiveness) { c.Forgiven = 59 }, fault.Limited, "debt.limit"},
		"just enough":      {func(c *credit.Treasurer, _ *credit.Forgiveness) { c.Forgiven = 60 }, "", ""},
	} {
		b, at := indebted(t), now
		c := treasurer(b, &at)
		f := credit.Forgiveness{Key: "forgive/42/1", User: 42, Amount: 60, By: "ann", Reason: "network's mistake"}
		n := len(b.Book)
		tt.change(c, &f)
		done, err := c.Forgive(t.Context(), f)
		if done != (tt.code == "") || fault.CodeOf(err) != tt.code || fault.ReasonOf(err) != tt.reason {
			t.Errorf("%s: %v, %v", name, done, err)
		}
		if (len(b.Book) > n) != done || (len(b.acts) > 0) != done {
			t.Errorf("%s: %d entries and %d acts", name, len(b.Book)-n, len(b.acts))
		}
	}
}

func TestDebtorsAreListedWithTheOrdersBehindIt(t *testing.T) {
	t.Parallel()
	b, at := indebted(t), now
	for _, user := range []int64{9, 43, 8} { // 43 will have paid it
		r := rebate.ChangedRebate{Key: key(fmt.Sprint("of", user)), Seq: 1, User: user, Stage: rebate.Available, Amount: 100, Title: "茶"}
		hear(t, b, r)
		spend(t, b, user, 100)
		r.Seq, r.Stage, r.Amount = 2, rebate.Nothing, 0
		hear(t, b, r)
	}
	hear(t, b, rebate.ChangedRebate{Key: key("new"), Seq: 1, User: 43, Stage: rebate.Available, Amount: 100})
	c := treasurer(b, &at)
	var got []string
	err := c.Debtors(t.Context(), ledgertest.Reader{Memory: b.Memory}, func(d credit.Debtor) error {
		got = append(got, fmt.Sprint(d.User, " owes ", d.Owes))
		for _, e := range d.Origin {
			got = append(got, fmt.Sprint(e.Kind, " ", e.Amount, " ", e.Cause, " ", e.Note))
		}
		return nil
	})
	want := "[8 owes 1.00 claw 1.00 jd/main/of8 茶 9 owes 1.00 claw 1.00 jd/main/of9 茶 42 owes 1.70 claw 1.70 jd/main/1 水壶]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
}

func TestABudgetsLimitsMakeSense(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		b  credit.Budget
		ok bool
	}{
		{credit.Budget{Day: 1}, true}, {credit.Budget{}, false}, {credit.Budget{Month: -1}, false},
		{credit.Budget{Total: 1_000_000_00}, true}, {credit.Budget{Total: 1_000_000_01}, false},
	} {
		if err := tt.b.Validate(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.b, err)
		}
	}
}
