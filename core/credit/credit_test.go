package credit_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/audit"
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

// books is a credit.Store in memory.
type books struct {
	*ledgertest.Memory
	booked  map[order.Key]credit.Booked
	handled map[string]bool
	said    []event.Event
	stopped []control.Switch // that are on
	spent   map[string]money.Fen
	acts    []audit.Act
	firsts  map[int64]string
	points  map[int64]int64 // accounts that are merged, and into which
}

func open() *books {
	return &books{ledgertest.New(), map[order.Key]credit.Booked{}, map[string]bool{}, nil, nil, map[string]money.Fen{}, nil, map[int64]string{}, map[int64]int64{}}
}

func (b *books) InTx(_ context.Context, fn func(credit.Tx) error) error {
	spent := maps.Clone(b.spent)
	err := fn(b)
	if err != nil {
		b.spent = spent
	}
	return err
}

func (b *books) Emit(e event.Event) error { b.said = append(b.said, e); return nil }
func (b *books) Act(a audit.Act) error    { b.acts = append(b.acts, a); return a.Check() }
func (b *books) Handled(id string) (bool, error) {
	before := b.handled[id]
	b.handled[id] = true
	return before, nil
}

func (b *books) Roots([]int64) (map[int64]int64, error) { return maps.Clone(b.points), nil }

func (b *books) Kin(account int64) ([]int64, error) {
	root := account
	if to, ok := b.points[account]; ok {
		root = to
	}
	kin := []int64{root}
	for from, to := range b.points {
		if to == root {
			kin = append(kin, from)
		}
	}
	return kin, nil
}

func (b *books) Spent(budget, span string) (money.Fen, error) { return b.spent[budget+" "+span], nil }

func (b *books) Came(users []int64) (bool, error) {
	return slices.ContainsFunc(users, func(user int64) bool { return b.firsts[user] != "" }), nil
}

func (b *books) Booked([]order.Key) (map[order.Key]credit.Booked, error) {
	return maps.Clone(b.booked), nil
}
func (b *books) Spend(budget, span string, amount, limit money.Fen) (bool, error) {
	used := b.spent[budget+" "+span] + amount
	if limit != 0 && used > limit {
		return false, nil
	}
	b.spent[budget+" "+span] = used
	return true, nil
}

func (b *books) Used(_ context.Context, budget string, spans []string) (map[string]money.Fen, error) {
	out := map[string]money.Fen{}
	for _, span := range spans {
		out[span] = b.spent[budget+" "+span]
	}
	return out, nil
}

func (b *books) First(_ context.Context, user int64) (string, error) {
	if cause, ok := b.firsts[user]; ok {
		return cause, nil
	}
	return "", fault.New(fault.NotFound, "")
}

func (b *books) PutFirst(user int64, cause string, _ time.Time) error {
	if _, ok := b.firsts[user]; !ok {
		b.firsts[user] = cause
	}
	return nil
}

func (b *books) PutBooked(bs []credit.Booked) error {
	for _, x := range bs {
		b.booked[x.Key] = x
	}
	return nil
}

// Switches returns those that are on, which are only asked for by name.
func (b *books) Switches(scopes ...control.Scope) (out []control.Switch, err error) {
	for _, s := range b.stopped {
		if slices.Contains(scopes, s.Scope) {
			out = append(out, s)
		}
	}
	return out, nil
}

// TestNothingIsEnteredWhileCreditsAreStopped, and nothing is forgotten: the same
// news is entered once afterwards.
func TestNothingIsEnteredWhileCreditsAreStopped(t *testing.T) {
	t.Parallel()
	b := open()
	b.stopped = []control.Switch{{Scope: control.Credits, On: true}, {Scope: control.Payouts, On: true}}
	c := credit.Cashier{Store: b, Now: func() time.Time { return now }}
	r := rebate.ChangedRebate{Key: key("1"), Seq: 1, User: 7, Stage: rebate.Pending, Amount: 100}
	e, err := event.New("rebate/1", event.RebateChanged, now, rebate.Changed{Rebates: []rebate.ChangedRebate{r}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RebateChanged(t.Context(), e); fault.ReasonOf(err) != control.Stopped || !fault.Retryable(err) {
		t.Errorf("got %v", err)
	}
	if len(b.Book) != 0 || b.handled[e.ID] {
		t.Errorf("%d entries while credits are stopped", len(b.Book))
	}
	b.stopped = b.stopped[1:] // payouts do not stop credits
	for range 2 {
		if err := c.RebateChanged(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.Book) == 0 || b.booked[r.Key].Pending != 100 {
		t.Errorf("booked is %+v", b.booked[r.Key])
	}
}

var now = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

func key(id string) order.Key { return order.Key{Network: "jd", Account: "main", ID: id} }

// hear lets the cashier hear one rebate.
func hear(t interface{ Fatal(...any) }, b *books, rs ...rebate.ChangedRebate) credit.Posted {
	c := credit.Cashier{Store: b, Now: func() time.Time { return now }}
	e, err := event.New(fmt.Sprintf("rebate/%v/%d", rs[0].Key, rs[0].Seq), event.RebateChanged, now, rebate.Changed{Rebates: rs})
	if err != nil {
		t.Fatal(err)
	}
	n := len(b.said)
	if err := c.RebateChanged(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	var p credit.Posted
	if len(b.said) > n {
		if err := b.said[n].Decode(&p); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func wallet(b *books, user int64) string {
	w, _ := credit.Purse{Ledger: ledgertest.Reader{Memory: b.Memory}}.Wallet(context.Background(), user)
	return fmt.Sprintf("%d pending, %d available, %d reserved, %d debt", w.Pending, w.Available, w.Reserved, w.Debt)
}

func at(seq int64, user int64, stage rebate.Stage, amount, margin money.Fen) rebate.ChangedRebate {
	return rebate.ChangedRebate{Key: key("1"), Seq: seq, User: user, Stage: stage, Amount: amount, Margin: margin, Title: "水壶", State: order.Paid}
}

// spend moves what is available out of the house.
func spend(t *testing.T, b *books, user int64, amount money.Fen) {
	t.Helper()
	j, err := ledger.Open(b, now)
	if err != nil {
		t.Fatal(err)
	}
	for i, leg := range [][2]ledger.Account{
		{ledger.User(user, ledger.Available), ledger.User(user, ledger.Reserved)},
		{ledger.User(user, ledger.Reserved), ledger.Payer("manual")},
	} {
		if err := j.Move(ledger.Entry{Key: fmt.Sprint("w", i, len(b.Book)), Kind: ledger.Manual, From: leg[0], To: leg[1], Amount: amount, Cause: "withdrawal/1"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Post(); err != nil {
		t.Fatal(err)
	}
}

func TestARebateGoesItsWay(t *testing.T) {
	t.Parallel()
	b := open()
	p := hear(t, b, at(1, 42, rebate.Pending, 170, 73))
	if got := wallet(b, 42); got != "170 pending, 0 available, 0 reserved, 0 debt" {
		t.Error(got)
	}
	if c := p.Changes[0]; c.Before != 0 || c.Now != 170 {
		t.Errorf("%+v", c)
	}
	hear(t, b, at(2, 42, rebate.Available, 170, 73))
	if got := wallet(b, 42); got != "0 pending, 170 available, 0 reserved, 0 debt" {
		t.Error(got)
	}
	if len(b.Book) != 3 {
		t.Errorf("earning, the house's part and settling are %d entries", len(b.Book))
	}
	if b.Sums[ledger.Network("jd")] != -243 || b.Sums[ledger.Margin] != 73 {
		t.Errorf("the network owes %s, the house has %s", b.Sums[ledger.Network("jd")], b.Sums[ledger.Margin])
	}
}

func TestNewsThatComesTwiceOrLatePostsNothing(t *testing.T) {
	t.Parallel()
	b := open()
	hear(t, b, at(2, 42, rebate.Available, 170, 73))
	n := len(b.Book)
	hear(t, b, at(2, 42, rebate.Available, 170, 73))
	b.handled = map[string]bool{} // even if the inbox forgot
	hear(t, b, at(2, 42, rebate.Available, 170, 73))
	hear(t, b, at(1, 42, rebate.Pending, 99, 1))
	if len(b.Book) != n {
		t.Errorf("%d entries became %d", n, len(b.Book))
	}
}

func TestARefundIsTakenWhereTheMoneyIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		stage rebate.Stage
		spent money.Fen
		left  money.Fen
		want  string
		debt  money.Fen
	}{
		{"pending shrinks", rebate.Pending, 0, 100, "100 pending, 0 available, 0 reserved, 0 debt", 0},
		{"pending goes", rebate.Pending, 0, 0, "0 pending, 0 available, 0 reserved, 0 debt", 0},
		{"available is debited", rebate.Available, 0, 100, "0 pending, 100 available, 0 reserved, 0 debt", 0},
		{"paid out becomes debt", rebate.Available, 170, 0, "0 pending, 0 available, 0 reserved, 170 debt", 170},
		{"partly paid out, partly debt", rebate.Available, 150, 0, "0 pending, 0 available, 0 reserved, 150 debt", 150},
		{"a part of it after payout", rebate.Available, 170, 120, "0 pending, 0 available, 0 reserved, 50 debt", 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open()
			hear(t, b, at(1, 42, tt.stage, 170, 73))
			if tt.spent > 0 {
				spend(t, b, 42, tt.spent)
			}
			stage := tt.stage
			if tt.left == 0 {
				stage = rebate.Nothing
			}
			p := hear(t, b, at(2, 42, stage, tt.left, tt.left*73/170))
			if got := wallet(b, 42); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if p.Changes[0].Debt != tt.debt {
				t.Errorf("the user is told of a debt of %s", p.Changes[0].Debt)
			}
		})
	}
}

func TestTheNextRebatePaysTheDebtFirst(t *testing.T) {
	t.Parallel()
	b := open()
	hear(t, b, at(1, 42, rebate.Available, 170, 73))
	spend(t, b, 42, 170)
	hear(t, b, at(2, 42, rebate.Nothing, 0, 0))
	next := at(1, 42, rebate.Pending, 200, 0)
	next.Key = key("2")
	hear(t, b, next)
	if got := wallet(b, 42); got != "200 pending, 0 available, 0 reserved, 170 debt" {
		t.Error("pending money pays no debt:", got)
	}
	next.Seq, next.Stage = 2, rebate.Available
	p := hear(t, b, next)
	if got := wallet(b, 42); got != "0 pending, 30 available, 0 reserved, 0 debt" || p.Changes[0].Repaid != 170 {
		t.Error(got, p.Changes[0].Repaid)
	}
}

func TestALineThatIsSomebodyElsesMoves(t *testing.T) {
	t.Parallel()
	b := open()
	hear(t, b, at(1, 0, rebate.Nothing, 0, 243))
	if b.Sums[ledger.Margin] != 243 {
		t.Errorf("nobody's commission is not the house's: %s", b.Sums[ledger.Margin])
	}
	hear(t, b, at(2, 42, rebate.Available, 170, 73))
	hear(t, b, at(3, 43, rebate.Available, 180, 63))
	if got := wallet(b, 42); got != "0 pending, 0 available, 0 reserved, 0 debt" {
		t.Error(got)
	}
	if got := wallet(b, 43); got != "0 pending, 180 available, 0 reserved, 0 debt" {
		t.Error(got)
	}
}

func TestWhatIsBookedIsWhatTheNewestRebateSays(t *testing.T) {
	t.Parallel()
	stages := []rebate.Stage{rebate.Nothing, rebate.Pending, rebate.Available}
	rapid.Check(t, func(t *rapid.T) {
		b := open()
		want := map[order.Key]rebate.ChangedRebate{}
		for i := range rapid.IntRange(1, 25).Draw(t, "steps") {
			r := rebate.ChangedRebate{
				Key: key(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "line")), Seq: rapid.Int64Range(1, 9).Draw(t, "seq"),
				User: rapid.Int64Range(0, 2).Draw(t, "user"), Stage: rapid.SampledFrom(stages).Draw(t, "stage"),
				Margin: money.Fen(rapid.IntRange(0, 50).Draw(t, "margin")),
			}
			if r.User == 0 {
				r.Stage = rebate.Nothing
			}
			if r.Stage != rebate.Nothing {
				r.Amount = money.Fen(rapid.IntRange(1, 300).Draw(t, "amount"))
				r.TopUp = min(r.Amount, money.Fen(rapid.IntRange(0, 40).Draw(t, "topup")))
				for i := range r.Cuts {
					if u := rapid.Int64Range(0, 4).Draw(t, "inviter"); u != 0 && u != r.User {
						r.Cuts[i] = rebate.Cut{User: u, Amount: money.Fen(rapid.IntRange(1, 60).Draw(t, "cut"))}
					}
				}
			}
			if r.TopUp > 0 {
				r.Budget = "m"
			}
			b.handled = map[string]bool{}
			hear(t, b, r)
			if r.Seq > want[r.Key].Seq {
				want[r.Key] = r
			}
			if i%3 == 2 { // somebody spends what they have
				u := rapid.Int64Range(1, 4).Draw(t, "spender")
				have := b.Sums[ledger.User(u, ledger.Available)]
				j, _ := ledger.Open(b, now)
				if err := j.Move(ledger.Entry{Key: fmt.Sprint("s", i), Kind: ledger.Manual, From: ledger.User(u, ledger.Available), To: ledger.Payer("manual"), Amount: have, Cause: "withdrawal/1"}); err != nil {
					t.Fatal(err)
				}
				if err := j.Post(); err != nil {
					t.Fatal(err)
				}
			}
		}
		check(t, b, want)
	})
}

// check adds up, from the rebates alone, what everybody should have.
func check(t *rapid.T, b *books, want map[order.Key]rebate.ChangedRebate) {
	var network, margin, topUps money.Fen
	given := map[int64]money.Fen{}
	pending := map[int64]money.Fen{}
	for _, r := range want {
		network -= r.Amount + r.Margin + r.Cuts[0].Amount + r.Cuts[1].Amount - r.TopUp
		topUps += r.TopUp
		for _, c := range r.Cuts {
			given[c.User] += c.Amount
			if r.Stage == rebate.Pending {
				pending[c.User] += c.Amount
			}
		}
		margin += r.Margin
		given[r.User] += r.Amount
		if r.Stage == rebate.Pending {
			pending[r.User] += r.Amount
		}
	}
	if b.Sums[ledger.Network("jd")] != network || b.Sums[ledger.Margin] != margin {
		t.Fatalf("network %s, want %s; margin %s, want %s", b.Sums[ledger.Network("jd")], network, b.Sums[ledger.Margin], margin)
	}
	if b.Sums[ledger.Marketing] != -topUps || b.spent["m total"] != topUps {
		t.Fatalf("marketing is at %s and %s are spent, want %s", b.Sums[ledger.Marketing], b.spent["m total"], topUps)
	}
	paid := map[int64]money.Fen{}
	for _, e := range b.Book {
		if u, _, ok := e.From.Owner(); ok && e.To == ledger.Payer("manual") {
			paid[u] += e.Amount
		}
	}
	for u := int64(1); u <= 4; u++ {
		if got := b.Sums[ledger.User(u, ledger.Pending)]; got != pending[u] {
			t.Fatalf("user %d has %s pending, want %s", u, got, pending[u])
		}
		available, debt := b.Sums[ledger.User(u, ledger.Available)], b.Sums[ledger.User(u, ledger.Debt)]
		if available+debt != given[u]-pending[u]-paid[u] {
			t.Fatalf("user %d has %s available and %s debt; given %s, pending %s, paid %s", u, available, debt, given[u], pending[u], paid[u])
		}
		if available > 0 && debt < 0 {
			t.Fatalf("user %d has %s although %s are owed", u, available, debt)
		}
	}
	if rep, err := ledger.Audit(context.Background(), ledgertest.Reader{Memory: b.Memory}); err != nil || !rep.OK() {
		t.Fatalf("%+v %v", rep, err)
	}
}
