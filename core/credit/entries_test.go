package credit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
)

// entries says what stands in the book from the nth entry on, one a line.
func (b *books) entries(n int) string {
	var out []string
	for _, e := range b.Book[n:] {
		out = append(out, fmt.Sprintf("%s %d %s > %s", e.Kind, e.Amount, e.From, e.To))
	}
	return strings.Join(out, "\n")
}

func wantLines(t *testing.T, what, got string, want ...string) {
	t.Helper()
	if w := strings.Join(want, "\n"); got != w {
		t.Errorf("%s:\n%s\nwant\n%s", what, got, w)
	}
}

// TestALineIsBookedByDifference says for each way in which a rebate can change
// which entries follow it, and what its user is told.
func TestALineIsBookedByDifference(t *testing.T) {
	t.Parallel()
	const network, pending, available = "network/jd", "user/42/pending", "user/42/available"
	line := func(stage rebate.Stage, amount money.Fen) rebate.ChangedRebate { return at(0, 42, stage, amount, 0) }
	tests := []struct {
		name     string
		was, now rebate.ChangedRebate
		told     string // before and where, now
		entries  []string
	}{
		{"nothing becomes pending", line(rebate.Nothing, 0), line(rebate.Pending, 170), "0 nothing 170", []string{"earn 170 " + network + " > " + pending}},
		{"nothing becomes available", line(rebate.Nothing, 0), line(rebate.Available, 170), "0 nothing 170", []string{"earn 170 " + network + " > " + available}},
		{"it settles", line(rebate.Pending, 170), line(rebate.Available, 170), "170 pending 170", []string{"settle 170 " + pending + " > " + available}},
		{
			"it settles and is worth more", line(rebate.Pending, 170), line(rebate.Available, 180), "170 pending 180",
			[]string{"settle 170 " + pending + " > " + available, "adjust 10 " + network + " > " + available},
		},
		{
			"it settles and is worth less", line(rebate.Pending, 170), line(rebate.Available, 150), "170 pending 150",
			[]string{"settle 150 " + pending + " > " + available, "adjust 20 " + pending + " > " + network},
		},
		{
			"it waits again", line(rebate.Available, 170), line(rebate.Pending, 150), "170 available 150",
			[]string{"adjust 150 " + network + " > " + pending, "adjust 170 " + available + " > " + network},
		},
		{"what is pending grows", line(rebate.Pending, 170), line(rebate.Pending, 180), "170 pending 180", []string{"adjust 10 " + network + " > " + pending}},
		{"what is available grows", line(rebate.Available, 170), line(rebate.Available, 171), "170 available 171", []string{"adjust 1 " + network + " > " + available}},
		{"what is pending shrinks", line(rebate.Pending, 170), line(rebate.Pending, 1), "170 pending 1", []string{"adjust 169 " + pending + " > " + network}},
		{"what is available shrinks", line(rebate.Available, 170), line(rebate.Available, 1), "170 available 1", []string{"adjust 169 " + available + " > " + network}},
		{"what is pending goes", line(rebate.Pending, 170), line(rebate.Nothing, 0), "170 pending 0", []string{"revoke 170 " + pending + " > " + network}},
		{"what is available goes", line(rebate.Available, 170), line(rebate.Nothing, 0), "170 available 0", []string{"revoke 170 " + available + " > " + network}},
		{"only its title changes", line(rebate.Available, 170), line(rebate.Available, 170), "170 available 170", nil},
		{
			"it is somebody else's", at(0, 43, rebate.Pending, 99, 0), line(rebate.Pending, 170), "0 nothing 170",
			[]string{"revoke 99 user/43/pending > " + network, "earn 170 " + network + " > " + pending},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open()
			tt.was.Seq, tt.now.Seq = 1, 2
			hear(t, b, tt.was)
			n := len(b.Book)
			c := hear(t, b, tt.now).Changes[0]
			wantLines(t, "entries", b.entries(n), tt.entries...)
			if got := fmt.Sprintf("%d %s %d", c.Before, c.Was, c.Now); got != tt.told {
				t.Errorf("the user is told %q, want %q", got, tt.told)
			}
			for i, e := range b.Book[n:] {
				if want := fmt.Sprintf("rebate/jd/main/1/seq2/%d-%s", i+1, e.Kind); e.Key != want {
					t.Errorf("entry %d has the key %s, want %s", i, e.Key, want)
				}
			}
		})
	}
}

// TestTheHousesPartsAreBookedByDifference: what the house keeps and what a budget
// adds go up and down, and what stays makes no entry.
func TestTheHousesPartsAreBookedByDifference(t *testing.T) {
	t.Parallel()
	b := open()
	for i, step := range []struct {
		margin, topUp money.Fen
		want          []string
	}{
		{50, 30, []string{"earn 100 network/jd > user/42/available", "bonus 30 house/marketing > network/jd", "keep 50 network/jd > house/margin"}},
		{50, 30, nil},
		{60, 45, []string{"bonus 15 house/marketing > network/jd", "keep 10 network/jd > house/margin"}},
		{41, 26, []string{"bonus 19 network/jd > house/marketing", "keep 19 house/margin > network/jd"}},
		{0, 0, []string{"bonus 26 network/jd > house/marketing", "keep 41 house/margin > network/jd"}},
	} {
		r := at(int64(i+1), 42, rebate.Available, 100, step.margin)
		r.TopUp, r.Budget = step.topUp, "m"
		n := len(b.Book)
		hear(t, b, r)
		wantLines(t, fmt.Sprint("step ", i), b.entries(n), step.want...)
		if got := b.spent["m total"]; got != step.topUp {
			t.Errorf("step %d: %d are spent of the budget, want %d", i, got, step.topUp)
		}
	}
}

// TestALineOfMoreThanItsUserIsRemembered: who checks the books later has to know
// that a line once had parts of others, also when they have gone.
func TestALineOfMoreThanItsUserIsRemembered(t *testing.T) {
	t.Parallel()
	plain := at(1, 42, rebate.Available, 100, 50)
	topped, cut := plain, plain
	topped.TopUp, topped.Budget = 30, "m"
	cut.Cuts[1] = rebate.Cut{User: 8, Amount: 5}
	for _, tt := range []struct {
		name string
		r    rebate.ChangedRebate
		want bool
	}{{"nobody else's", plain, false}, {"with a budget's part", topped, true}, {"with an inviter's part", cut, true}} {
		b := open()
		hear(t, b, tt.r)
		if got := b.booked[tt.r.Key].Shared; got != tt.want {
			t.Errorf("%s: shared is %v", tt.name, got)
		}
		plain.Seq = 2
		hear(t, b, plain)
		if got := b.booked[tt.r.Key].Shared; got != tt.want {
			t.Errorf("%s, afterwards alone: shared is %v", tt.name, got)
		}
	}
}

// TestInvitersPartsAreBookedByDifference: of the first, the second, both, and of
// others than before.
func TestInvitersPartsAreBookedByDifference(t *testing.T) {
	t.Parallel()
	b := open()
	for i, step := range []struct {
		cuts [2]rebate.Cut
		want []string
	}{
		{[2]rebate.Cut{{}, {User: 9, Amount: 8}}, []string{"refer 8 network/jd > user/9/available"}},
		{[2]rebate.Cut{{User: 8, Amount: 15}, {User: 9, Amount: 8}}, []string{"refer 15 network/jd > user/8/available"}},
		{[2]rebate.Cut{{User: 8, Amount: 16}, {User: 9, Amount: 7}}, []string{"adjust 1 network/jd > user/8/available", "adjust 1 user/9/available > network/jd"}},
		{
			[2]rebate.Cut{{User: 9, Amount: 16}, {User: 7, Amount: 7}},
			[]string{
				"revoke 16 user/8/available > network/jd", "refer 16 network/jd > user/9/available",
				"revoke 7 user/9/available > network/jd", "refer 7 network/jd > user/7/available",
			},
		},
		{[2]rebate.Cut{{}, {User: 7, Amount: 7}}, []string{"revoke 16 user/9/available > network/jd"}},
		{[2]rebate.Cut{}, []string{"revoke 7 user/7/available > network/jd"}},
	} {
		r := at(int64(i+2), 42, rebate.Available, 100, 0)
		r.Cuts = step.cuts
		if i == 0 {
			hear(t, b, at(1, 42, rebate.Available, 100, 0))
		}
		n := len(b.Book)
		hear(t, b, r)
		wantLines(t, fmt.Sprint("step ", i), b.entries(n), step.want...)
		for _, e := range b.Book[n:] {
			if e.Note != "" {
				t.Errorf("step %d: an inviter reads %q", i, e.Note)
			}
		}
	}
}

// TestAnInvitersPartPaysTheirDebtFirst, as their own rebates do.
func TestAnInvitersPartPaysTheirDebtFirst(t *testing.T) {
	t.Parallel()
	b := indebted(t) // user 42 owes 170
	r := at(1, 43, rebate.Available, 500, 0)
	r.Key, r.Cuts[0] = key("2"), rebate.Cut{User: 42, Amount: 60}
	n := len(b.Book)
	hear(t, b, r)
	wantLines(t, "entries", b.entries(n),
		"earn 500 network/jd > user/43/available", "refer 60 network/jd > user/42/available", "repay 60 user/42/available > user/42/debt")
	if got := wallet(b, 42); got != "0 pending, 0 available, 0 reserved, 110 debt" {
		t.Error(got)
	}
}

// counting notes which balances are read, and when.
type counting struct {
	*books
	asked [][]ledger.Account
}

func (c *counting) Balances(as []ledger.Account) (map[ledger.Account]money.Fen, error) {
	c.asked = append(c.asked, slices.Clone(as))
	return c.books.Balances(as)
}

// TestABatchReadsItsBalancesAtOnce: all that the batch touches, each once, in one
// reading, whoever has a part now or had one before.
func TestABatchReadsItsBalancesAtOnce(t *testing.T) {
	t.Parallel()
	pockets := func(users ...int64) (out []ledger.Account) {
		for _, u := range users {
			out = append(out, ledger.User(u, ledger.Pending), ledger.User(u, ledger.Available), ledger.User(u, ledger.Debt))
		}
		return out
	}
	plain := at(1, 42, rebate.Pending, 100, 50)
	topped := plain
	topped.TopUp, topped.Budget = 30, "m"
	gone := topped
	gone.TopUp, gone.User = 0, 43
	first, second := plain, plain
	first.Cuts = [2]rebate.Cut{{User: 8, Amount: 5}, {User: 42, Amount: 5}}
	second.Cuts = [2]rebate.Cut{{User: 7, Amount: 5}, {}}
	nobodys := at(1, 0, rebate.Nothing, 0, 100)
	house := []ledger.Account{ledger.Network("jd"), ledger.Margin}
	for _, tt := range []struct {
		name  string
		heard []rebate.ChangedRebate // the last is that of the batch
		want  []ledger.Account
	}{
		{"nobody's line", []rebate.ChangedRebate{nobodys}, house},
		{"a line", []rebate.ChangedRebate{plain}, append(house[:2:2], pockets(42)...)},
		{"with a budget's part", []rebate.ChangedRebate{topped}, append(house[:2:2], append([]ledger.Account{ledger.Marketing}, pockets(42)...)...)},
		{"that went, with its user", []rebate.ChangedRebate{topped, gone}, append(house[:2:2], append([]ledger.Account{ledger.Marketing}, pockets(43, 42)...)...)},
		{"with other inviters", []rebate.ChangedRebate{first, second}, append(house[:2:2], pockets(42, 7, 8)...)},
	} {
		c := &counting{books: open()}
		for i, r := range tt.heard {
			r.Seq, c.asked = int64(i+1), nil
			tell(t, c, fmt.Sprint("batch/", i), r)
		}
		if fmt.Sprint(c.asked) != fmt.Sprint([][]ledger.Account{tt.want}) {
			t.Errorf("%s: read is %v, want %v at once", tt.name, c.asked, tt.want)
		}
	}
}

// tell lets a cashier over any store hear rebates.
func tell(t *testing.T, tx credit.Tx, id string, rs ...rebate.ChangedRebate) {
	t.Helper()
	c := credit.Cashier{Store: over{tx: tx}, Now: func() time.Time { return now }}
	if err := c.RebateChanged(t.Context(), news(t, id, rs...)); err != nil {
		t.Fatal(err)
	}
}

func news(t *testing.T, id string, rs ...rebate.ChangedRebate) event.Event {
	t.Helper()
	e, err := event.New(id, event.RebateChanged, now, rebate.Changed{Rebates: rs})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestOldNewsHoldsUpNoOther: in one batch are news that came before, newer ones of
// the same line, and ones of others.
func TestOldNewsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := open()
	hear(t, b, at(2, 42, rebate.Pending, 170, 0))
	other := at(1, 42, rebate.Pending, 30, 0)
	other.Key = key("2")
	p := hear(t, b, at(1, 42, rebate.Pending, 99, 0), other)
	if len(p.Changes) != 1 || p.Changes[0].Key != other.Key {
		t.Errorf("told is %+v", p.Changes)
	}
	if got := wallet(b, 42); got != "200 pending, 0 available, 0 reserved, 0 debt" {
		t.Error(got)
	}
	n := len(b.said)
	tell(t, b, "old news", at(2, 42, rebate.Pending, 99, 0)) // the same revision as is booked
	tell(t, b, "nobody's", at(3, 0, rebate.Nothing, 0, 0))
	if len(b.said) != n {
		t.Errorf("%d events of what changes nobody's money", len(b.said)-n)
	}
}

// TestABudgetPaysWhatIsPromised, whatever its limits, and gets back what is not
// paid in the end.
func TestABudgetPaysWhatIsPromised(t *testing.T) {
	t.Parallel()
	topped := func(line string, seq int64, budget string, topUp money.Fen) rebate.ChangedRebate {
		r := at(seq, 42, rebate.Available, 500, 0)
		r.Key, r.Budget, r.TopUp = key(line), budget, topUp
		return r
	}
	b := open()
	for i, step := range []struct {
		name  string
		heard []rebate.ChangedRebate
		want  [3]money.Fen // spent of budgets a, b and c
	}{
		{"several budgets", []rebate.ChangedRebate{topped("1", 1, "a", 10), topped("2", 1, "b", 20), topped("3", 1, "c", 40)}, [3]money.Fen{10, 20, 40}},
		{"one gives and one takes back", []rebate.ChangedRebate{topped("1", 2, "a", 15), topped("2", 2, "b", 5)}, [3]money.Fen{15, 5, 40}},
		{"both together are nothing, the next is not held up", []rebate.ChangedRebate{
			topped("4", 1, "a", 7), topped("1", 3, "a", 8), topped("3", 2, "c", 41),
		}, [3]money.Fen{15, 5, 41}},
		{"another budget pays", []rebate.ChangedRebate{topped("1", 4, "b", 9)}, [3]money.Fen{7, 14, 41}},
		{"whose it was is not said any more", []rebate.ChangedRebate{topped("1", 5, "", 0), topped("4", 2, "", 0)}, [3]money.Fen{0, 5, 41}},
	} {
		tell(t, b, fmt.Sprint("batch/", i), step.heard...)
		for _, span := range []string{"2026-01-15", "2026-01", "total"} {
			got := [3]money.Fen{b.spent["a "+span], b.spent["b "+span], b.spent["c "+span]}
			if got != step.want {
				t.Errorf("%s: spent of %s is %v, want %v", step.name, span, got, step.want)
			}
		}
	}
	if b.booked[order.Key{Network: "jd", Account: "main", ID: "1"}].Budget != "b" {
		t.Error("which budget it was is forgotten")
	}
}
