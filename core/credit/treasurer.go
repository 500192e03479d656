package credit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"fanli/core/audit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
)

// A Treasurer gives away the house's money: bonuses out of budgets, and debts that
// nobody will pay. It is safe for concurrent use.
type Treasurer struct {
	Store   Store
	Budgets map[string]Budget
	// CheckIn is what a check-in brings, once a day; 0: there are none.
	CheckIn money.Fen
	// CheckInBudget pays it.
	CheckInBudget string
	// Invitation is what invitations bring.
	Invitation Invitation
	// Inviter returns who had invited a user at a time, 0 for nobody.
	Inviter func(ctx context.Context, user int64, at time.Time) (int64, error)
	// Kin reports whether two users look like one person; optional.
	Kin func(ctx context.Context, a, b int64) (bool, error)
	// Alarm tells staff that a budget has run dry; optional.
	Alarm func(ctx context.Context, d Dried)
	// Forgiven bounds what is written off in a month.
	Forgiven money.Fen
	Zone     *time.Location // in which days begin; nil: UTC
	Now      func() time.Time

	changed atomic.Pointer[Terms]
}

// Terms are what of a treasurer may change while it is at work: each is what the
// field of the same name is at first.
type Terms struct {
	Budgets       map[string]Budget
	CheckIn       money.Fen
	CheckInBudget string
	Invitation    Invitation
	Forgiven      money.Fen
}

// Change makes n count from now on. It may be called while the treasurer is at work;
// nobody changes the map afterwards.
func (t *Treasurer) Change(n Terms) { t.changed.Store(&n) }

// terms are those that count now.
func (t *Treasurer) terms() Terms {
	if n := t.changed.Load(); n != nil {
		return *n
	}
	return Terms{t.Budgets, t.CheckIn, t.CheckInBudget, t.Invitation, t.Forgiven}
}

// A Gift is a bonus for a user.
type Gift struct {
	Key    string // a sentence that says what for: "bonus/checkin/42/2026-11-27"
	User   int64
	Amount money.Fen
	Budget string
	Note   string // for the statement; may be empty

	kind      ledger.Kind // "" is ledger.Bonus
	cause     string      // "" is the budget
	triggered bool        // nobody asked for it; the key alone says whether it was given

	account int64                      // whose person the limits below are of; 0: there are none
	same    func(account int64) string // the key of the same for another account: of one person's one is given
	came    bool                       // it is for a first order: nothing for whoever has had one
	inviter int64                      // nothing if it is the same person
	cap     money.Fen                  // the most that a person gets, counted by capped; 0: no cap
	capped  string
}

// entry is how the ledger knows it.
func (g Gift) entry() ledger.Entry {
	e := ledger.Entry{
		Key: g.Key, Kind: g.kind, From: ledger.Marketing, To: ledger.User(g.User, ledger.Available), Amount: g.Amount, Cause: g.cause, Note: g.Note,
	}
	if e.Kind == "" {
		e.Kind = ledger.Bonus
	}
	if e.Cause == "" {
		e.Cause = "budget/" + g.Budget
	}
	return e
}

// giftMax bounds one bonus.
const giftMax money.Fen = 200_00

// Give gives a bonus, and reports whether it did: the same key again gives
// nothing. It fails with fault.Limited if the budget has not enough left, and
// gives nothing then.
func (t *Treasurer) Give(ctx context.Context, g Gift) (given bool, err error) { return t.give(ctx, &g) }

// give is Give. It leaves in g whose it became, and how much it was, or would have been.
func (t *Treasurer) give(ctx context.Context, g *Gift) (given bool, err error) {
	b, ok := t.terms().Budgets[g.Budget]
	switch {
	case !ok:
		return false, fault.Newf(fault.Invalid, reasonNoBudget, "there is no budget %q", g.Budget)
	case g.Key == "" || g.User <= 0 || g.Amount <= 0 || g.Amount > giftMax:
		return false, fault.Newf(fault.Invalid, "bonus.malformed", "%s: %s for user %d", g.Key, g.Amount, g.User)
	}
	asked := *g
	err = t.Store.InTx(ctx, func(tx Tx) error {
		given, *g = false, asked
		roots, err := tx.Roots([]int64{g.User})
		if err != nil {
			return err
		}
		g.User = persons(roots).of(g.User)
		e, debt := g.entry(), ledger.User(g.User, ledger.Debt)
		j, err := ledger.Open(tx, t.Now(), e.From, e.To, debt)
		if err != nil {
			return err
		}
		known, err := tx.Entries([]string{g.Key})
		if err != nil {
			return err
		}
		if old, ok := known[g.Key]; ok && g.triggered {
			return nil
		} else if ok {
			return again(old, e)
		}
		if ok, err := g.fits(tx); err != nil || !ok {
			return err
		}
		if err := b.spend(tx, g.Budget, g.Amount, t.Now(), t.Zone); err != nil {
			return err
		}
		if err := j.Move(g.entry()); err != nil {
			return err
		}
		if err := repayGift(j, *g); err != nil {
			return err
		}
		if err := g.say(tx, t.Now()); err != nil {
			return err
		}
		given = true
		return j.Post()
	})
	return given && err == nil, err
}

// reasonNoBudget says that what pays a bonus is not configured.
const reasonNoBudget = "bonus.no_budget"

// repayGift pays a debt from what is available now.
func repayGift(j *ledger.Journal, g Gift) error {
	available, debt := ledger.User(g.User, ledger.Available), ledger.User(g.User, ledger.Debt)
	owed, err := j.Balance(debt)
	if err != nil {
		return err
	}
	have, err := j.Balance(available)
	if err != nil {
		return err
	}
	return j.Move(ledger.Entry{Key: g.Key + "/repay", Kind: ledger.Repay, From: available, To: debt, Amount: min(-owed, have), Cause: g.entry().Cause})
}

// Come enters a user's check-in of today and reports what it brought: 0 if they
// had come today already. It fails with fault.Limited if the budget is used up and
// with fault.NotFound if there are no check-ins.
func (t *Treasurer) Come(ctx context.Context, user int64) (money.Fen, error) {
	terms := t.terms()
	if terms.CheckIn <= 0 {
		return 0, fault.New(fault.NotFound, "bonus.no_checkin")
	}
	day := Budget{}.periods(t.Now(), t.Zone)[0].name
	key := func(account int64) string { return fmt.Sprintf("bonus/checkin/%d/%s", account, day) }
	given, err := t.Give(ctx, Gift{
		Key: key(user), User: user, Amount: terms.CheckIn, Budget: terms.CheckInBudget, Note: day, account: user, same: key,
	})
	if err != nil || !given {
		return 0, err
	}
	return terms.CheckIn, nil
}

// forgiveBudget counts what is written off.
const forgiveBudget = "written-off"

// A Forgiveness writes off a debt, or a part of it.
type Forgiveness struct {
	Key    string // a sentence: "forgive/42/2026-11-27/1200"
	User   int64
	Amount money.Fen
	By     string // of the staff
	Reason string // the user reads it in the statement
}

// Forgive writes off a debt and reports whether it did: the same key again does
// nothing. It fails with fault.Insufficient if the user owes less, and with
// fault.Limited if the month's limit is reached.
func (t *Treasurer) Forgive(ctx context.Context, f Forgiveness) (done bool, err error) {
	if f.Key == "" || f.User <= 0 || f.Amount <= 0 || f.By == "" || f.Reason == "" {
		return false, fault.Newf(fault.Invalid, "debt.malformed", "user, amount, who and why are needed")
	}
	debt := ledger.User(f.User, ledger.Debt)
	e := ledger.Entry{
		Key: f.Key, Kind: ledger.Forgive, From: ledger.WrittenOff, To: debt, Amount: f.Amount, Cause: "staff/" + f.By, Note: f.Reason,
	}
	err = t.Store.InTx(ctx, func(tx Tx) error {
		done = false
		j, err := ledger.Open(tx, t.Now(), ledger.WrittenOff, debt)
		if err != nil {
			return err
		}
		known, err := tx.Entries([]string{f.Key})
		if err != nil {
			return err
		}
		if old, ok := known[f.Key]; ok {
			return again(old, e)
		}
		owed, err := j.Balance(debt)
		if err != nil {
			return err
		}
		if -owed < f.Amount {
			return fault.Newf(fault.Insufficient, "debt.less", "user %d owes %s", f.User, -owed)
		}
		most := t.terms().Forgiven
		ok, err := tx.Spend(forgiveBudget, Budget{}.periods(t.Now(), t.Zone)[1].name, f.Amount, most)
		if err != nil {
			return err
		}
		if !ok || most <= 0 {
			return fault.Newf(fault.Limited, "debt.limit", "more than %s would be written off this month", most)
		}
		if err := j.Move(e); err != nil {
			return err
		}
		if err := j.Post(); err != nil {
			return err
		}
		done = true
		return tx.Act(audit.Act{
			Actor: f.By, What: "debt.forgive", On: fmt.Sprintf("user/%d", f.User), Reason: f.Reason, Before: (-owed).Yuan(), After: (-owed - f.Amount).Yuan(),
		})
	})
	return done && err == nil, err
}

// again refuses a key that was used for something else.
func again(old, e ledger.Entry) error {
	if old.Kind != e.Kind || old.To != e.To || old.Amount != e.Amount {
		return fault.Newf(fault.Conflict, "ledger.key_reused", "%s was %s to %s", e.Key, old.Amount, old.To)
	}
	return nil
}

// A Debtor is a user who owes the house something.
type Debtor struct {
	User   int64
	Owes   money.Fen
	Origin []ledger.Entry // the newest claw-backs, newest first
}

// originMax bounds how many entries are read to find a debt's origin.
const originMax = 200

// Debtors calls fn for everybody who is in debt, by number.
func (t *Treasurer) Debtors(ctx context.Context, r ledger.Reader, fn func(Debtor) error) error {
	all, err := r.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, d := range debtors(all) {
		es, err := r.Statement(ctx, d.User, 0, originMax)
		if err != nil {
			return err
		}
		for _, e := range es {
			if e.Kind == ledger.Claw {
				d.Origin = append(d.Origin, e)
			}
		}
		if err := fn(d); err != nil {
			return err
		}
	}
	return nil
}

func debtors(all map[ledger.Account]money.Fen) (out []Debtor) {
	for a, b := range all {
		if user, p, _ := a.Owner(); p == ledger.Debt && b < 0 {
			out = append(out, Debtor{User: user, Owes: -b})
		}
	}
	slices.SortFunc(out, func(a, b Debtor) int { return cmp.Compare(a.User, b.User) })
	return out
}
