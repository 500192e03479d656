package simulate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/ledger"
	"fanli/core/market"
	"fanli/core/money"
)

// A difference is one thing that is not as it has to be.
type difference struct {
	text   string
	traces []string // what its story is found by
}

// A book is what our ledger says, by what the oracle speaks of.
type book struct {
	accounts map[ledger.Account]money.Fen
	users    map[string]map[int64]money.Fen // by line: what it has brought whom
	margin   map[string]money.Fen           // by line
	paid     map[int64]money.Fen
	entries  []ledger.Entry // only when the story is recorded
}

// truth is the final truth of the outside.
func (w *world) truth() oracle.Truth {
	t := oracle.Truth{
		Now: w.at, Links: w.links, Claims: w.claim, Invitations: w.said, Bonuses: w.asked, Budgets: w.funds,
		Decisions: w.words, Levels: map[int64]int{}, Rules: w.rules, Unions: w.unions, Charges: w.charges(),
	}
	for _, p := range w.users {
		t.Levels[p.id] = p.level
	}
	for _, n := range w.nets {
		for _, l := range n.market.Lines(nil) {
			t.Lines = append(t.Lines, w.line(n, l))
		}
	}
	for _, p := range w.bank.paid() {
		t.Payments = append(t.Payments, oracle.Payment{User: w.persons[p.account], Payer: bankName, Amount: p.amount})
	}
	return t
}

// line is a line as the oracle understands it.
func (w *world) line(n *net, l market.Line) oracle.Line {
	o := oracle.Line{
		Network: n.name, ID: l.ID, Order: l.Order, Parent: l.Parent, Item: l.Click.Item, Category: l.Goods.Category, Tag: l.Click.Tag, Slot: l.Click.Slot,
		Price: l.Price, Refunded: l.Refunded, Commission: l.Commission,
		Disputed: n.disputed[l.ID], Created: second(l.Created), SettledAt: second(l.SettledAt),
	}
	switch l.State {
	case market.Created:
		o.State = oracle.Unpaid
	case market.Paid:
		o.State = oracle.Earning
	case market.Received:
		o.State = oracle.Earning
		if on := second(l.ReceivedAt).Add(bindsAfter); n.binds && !w.at.Before(on) {
			o.State, o.SettledAt = oracle.Settled, on
		}
	case market.Settled:
		o.State = oracle.Settled
	case market.Invalid, market.Replaced:
		o.State, o.Split = oracle.Gone, l.State == market.Replaced
	}
	return o
}

// read adds up our ledger and enters it in the log of the replay.
func (w *world) read(ctx context.Context) (b book, err error) {
	b = book{users: map[string]map[int64]money.Fen{}, margin: map[string]money.Fen{}, paid: map[int64]money.Fen{}}
	err = w.db.Snapshot(ctx, func(r ledger.Reader) error {
		if b.accounts, err = r.Accounts(ctx); err != nil {
			return err
		}
		return r.Walk(ctx, func(e ledger.Entry) error {
			b.enter(e)
			_, _ = fmt.Fprintf(w.hash, "%d %s %s %s %s %d %s\n", e.At.UnixMilli(), e.Kind, e.From, e.To, e.Key, e.Amount, e.Cause)
			if w.record {
				b.entries = append(b.entries, e)
			}
			return nil
		})
	})
	return b, err
}

func (b *book) enter(e ledger.Entry) {
	if e.Kind == ledger.Payout {
		u, _, _ := e.From.Owner()
		b.paid[u] += e.Amount
		return
	}
	line, of := strings.CutPrefix(e.Cause, "withdrawal/")
	if of {
		return
	}
	for _, side := range []struct {
		a ledger.Account
		n money.Fen
	}{{e.From, -e.Amount}, {e.To, e.Amount}} {
		if side.a == ledger.Margin {
			b.margin[line] += side.n
		}
		if u, _, ok := side.a.Owner(); ok {
			if b.users[line] == nil {
				b.users[line] = map[int64]money.Fen{}
			}
			b.users[line][u] += side.n
		}
	}
}

// prove holds our books against the oracle's and returns what differs: lines
// first, because they explain the rest.
func (w *world) prove(ctx context.Context) (ds []difference, b book) {
	add := func(format string, args ...any) { ds = append(ds, difference{fmt.Sprintf(format, args...), nil}) }
	for _, text := range w.wrongs {
		add("%s", text)
	}
	rep, err := w.house.audit(ctx)
	if err != nil || !rep.OK() {
		add("the book is not sound: sum %s, %v, %v", rep.Sum, rep.Faults, err)
	}
	if faults := w.audit(ctx); len(faults) > 0 {
		add("the audit is not clean: %v", faults)
	}
	if b, err = w.read(ctx); err != nil {
		add("the book cannot be read: %v", err)
		return ds, b
	}
	t := w.truth()
	t.Waiting, ds = w.waits(ctx, ds)
	want := oracle.Judge(t)
	ds = append(ds, b.lines(w, t, want)...)
	ds = append(ds, b.wallets(w, want)...)
	for _, n := range w.nets {
		if got, owed := -b.accounts[ledger.Network(n.name)], want.Networks[n.name]; got != owed {
			add("%s owes %s by the oracle, %s by our book", n.name, owed, got)
		}
	}
	if got, out := b.accounts[ledger.Payer(bankName)], want.Payers[bankName]; got != out {
		add("the bank has sent %s, our book says %s", out, got)
	}
	if got := -b.accounts[ledger.Marketing]; got != want.Given {
		add("budgets have given %s by the oracle, %s by our book", want.Given, got)
	}
	ds = append(ds, w.tills(ctx, b, want)...)
	if got := b.accounts[ledger.Margin]; got != want.Margin {
		add("the house keeps %s by the oracle, %s by our book", want.Margin, got)
	}
	return ds, b
}

// waits returns what waits for staff, and notes what else waits.
func (w *world) waits(ctx context.Context, ds []difference) ([]oracle.Request, []difference) {
	var out []oracle.Request
	open, err := w.house.open(ctx)
	for _, x := range open {
		if w.left[x.id] {
			out = append(out, oracle.Request{User: x.user, Amount: x.amount})
			continue
		}
		ds = append(ds, difference{fmt.Sprintf("withdrawal %d of %s has not ended", x.id, x.amount), []string{w.user(x.user)}})
	}
	if n, err := w.house.incidents(ctx); err != nil || n > 0 && !w.ill.on[Payer] {
		ds = append(ds, difference{fmt.Sprintf("%d contradictions of a payer that never contradicts itself, %v", n, err), nil})
	}
	n, err2 := w.house.waiting(ctx)
	if err != nil || err2 != nil || n > 0 {
		ds = append(ds, difference{fmt.Sprintf("%d events still wait; %v, %v", n, err, err2), nil})
	}
	return out, append(ds, w.untold(ctx)...)
}

// untold says which notices still wait, or came twice although the process never
// died.
func (w *world) untold(ctx context.Context) (ds []difference) {
	if !w.tells {
		return nil
	}
	ms, err := w.db.Messages().Waiting(ctx, w.at.AddDate(1, 0, 0), 1)
	if err != nil || len(ms) > 0 {
		ds = append(ds, difference{fmt.Sprintf("notices still wait: %v, %v", ms, err), nil})
	}
	for _, key := range slices.Sorted(maps.Keys(w.notices)) {
		if w.notices[key] > 1 && !w.ill.on[Crash] {
			ds = append(ds, difference{fmt.Sprintf("notice %s came %d times", key, w.notices[key]), nil})
		}
	}
	return ds
}

func (w *world) user(id int64) string { return fmt.Sprintf("user %d ", id) }

// lines compares what each line has brought.
func (b *book) lines(w *world, t oracle.Truth, want oracle.Books) (ds []difference) {
	for _, l := range t.Lines {
		key, s := l.Network+"/"+account+"/"+l.ID, want.Lines[l.Network+"/"+l.ID]
		got := map[int64]money.Fen{}
		for u, n := range b.users[key] {
			if got[w.ever(u)] += n; got[w.ever(u)] == 0 {
				delete(got, w.ever(u))
			}
		}
		due := map[int64]money.Fen{}
		for _, c := range []oracle.Cut{{User: s.User, Amount: s.Rebate}, s.Cuts[0], s.Cuts[1]} {
			if c.Amount != 0 {
				due[w.ever(c.User)] += c.Amount
			}
		}
		if maps.Equal(got, due) && b.margin[key] == s.Margin {
			continue
		}
		ds = append(ds, difference{
			fmt.Sprintf("line %s: users have %v of it and the house %d; it should be %v and %d (%+v)", key, got, b.margin[key], due, s.Margin, l),
			[]string{" " + l.ID + " ", " " + l.ID + ",", key, l.Order},
		})
	}
	return ds
}

// wallets compares where each user's money is.
func (b *book) wallets(w *world, want oracle.Books) (ds []difference) {
	ids := map[int64]bool{}
	for a := range b.accounts {
		if u, _, ok := a.Owner(); ok {
			ids[u] = true
		}
	}
	for u := range want.Wallets {
		ids[u] = true
	}
	paid := map[int64]money.Fen{}
	for u, n := range b.paid {
		paid[w.as(w.person(u)).id] += n
	}
	for _, u := range slices.Sorted(maps.Keys(ids)) {
		got := oracle.Wallet{
			Pending: b.accounts[ledger.User(u, ledger.Pending)], Available: b.accounts[ledger.User(u, ledger.Available)],
			Reserved: b.accounts[ledger.User(u, ledger.Reserved)], Debt: -b.accounts[ledger.User(u, ledger.Debt)], Paid: paid[u],
		}
		if got != want.Wallets[u] {
			ds = append(ds, difference{
				fmt.Sprintf("user %d has %+v; it should be %+v", u, got, want.Wallets[u]), []string{w.user(u), fmt.Sprintf("user/%d/", u), fmt.Sprintf(" sim-%d-", u)},
			})
		}
	}
	return ds
}

// moment is how stories write a time.
const moment = "2006-01-02 15:04:05"

// storyMax bounds how much of a story is printed.
const storyMax = 60

// tell is the story of a difference: what happened outside, and the entries.
func (w *world) tell(d difference, b book) []string {
	var out []string
	about := func(text string) bool {
		return slices.ContainsFunc(d.traces, func(t string) bool { return strings.Contains(text, t) })
	}
	for _, s := range w.story {
		if about(s + " ") {
			out = append(out, s)
		}
	}
	for _, e := range b.entries {
		text := fmt.Sprintf("%s entry %d: %s %s → %s %s (%s)", e.At.Format(moment), e.ID, e.Kind, e.From, e.To, e.Amount, e.Key)
		if about(text) {
			out = append(out, text)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(a[:len(moment)], b[:len(moment)]) })
	return out[max(0, len(out)-storyMax):]
}
