package withdraw

import (
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// Limits say what may be withdrawn. Days begin in Zone.
type Limits struct {
	Minimum money.Fen     // the least that is sent
	Maximum money.Fen     // the most in one withdrawal
	Auto    money.Fen     // up to this much is approved without a person; 0: never
	Cooling time.Duration // after a change of the payout account a person decides

	UserCount int                  // how many withdrawals a user may ask for in a day; 0: any number
	UserDay   money.Fen            // the most that a user may ask for in a day; 0: any sum
	PayeeDay  money.Fen            // the most to one payout account in a day, whoever asks; 0: any sum
	HouseDay  money.Fen            // the most that leaves us in a day: a fuse; 0: any sum
	FourEyes  money.Fen            // above this two different people approve; 0: one is enough
	OnePerson bool                 // a payout account that several users have is looked at by a person
	Risk      int                  // from so many points on a person decides; 0: points are only shown
	Payers    map[string]money.Fen // the least that a payer sends, by its name

	Zone *time.Location // nil: UTC
}

// day returns when the day of now began.
func (l Limits) day(now time.Time) time.Time {
	zone := l.Zone
	if zone == nil {
		zone = time.UTC
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// payerMinimum is the least that can go to a method.
func (d *Desk) payerMinimum(method string) money.Fen {
	if p := d.payer(method); p != nil {
		return d.limits().Payers[p.Name()]
	}
	return 0
}

// budget refuses what is too much for a day.
func (d *Desk) budget(tx Tx, w Withdrawal) error {
	l, today := d.limits(), d.limits().day(w.At)
	n, sum, err := tx.Spent(Query{User: w.User, Asked: today})
	switch {
	case err != nil:
		return err
	case l.UserCount > 0 && n >= l.UserCount:
		return fault.New(fault.Limited, "withdraw.day_count")
	case l.UserDay > 0 && sum+w.Amount > l.UserDay:
		return fault.New(fault.Limited, "withdraw.day_amount")
	case l.PayeeDay == 0:
		return nil
	}
	_, sum, err = tx.Spent(Query{Payee: w.Payee, Asked: today})
	if err == nil && sum+w.Amount > l.PayeeDay {
		err = fault.New(fault.Limited, "withdraw.payee_day")
	}
	return err
}

// review decides whether a person has to look. What is said of a shared account
// tells nobody whose it is besides.
func (d *Desk) review(tx Tx, w *Withdrawal, f Facts) error {
	if err := d.complete(tx, *w, &f); err != nil {
		return err
	}
	signs := Assess(f)
	w.Risk, w.Signs = sum(signs)
	switch {
	case w.Amount > d.limits().Auto:
		w.State, w.Reason = Reviewing, "review.amount"
	case d.limits().Cooling > 0 && w.At.Sub(w.Payee.Changed) < d.limits().Cooling: // an account may be younger than the moment, where a clock stands still
		w.State, w.Reason = Reviewing, "review.payee_changed"
	case f.Shared > 0 && d.limits().OnePerson:
		w.State, w.Reason = Reviewing, "review.shared_payee"
	case d.limits().Risk > 0 && w.Risk >= d.limits().Risk:
		w.State, w.Reason = Reviewing, "review.risk"
	default:
		w.State, w.Actor = Approved, "auto"
	}
	return nil
}

// complete adds to what is known of a user what their withdrawals say.
func (d *Desk) complete(tx Tx, w Withdrawal, f *Facts) error {
	n, paid, err := tx.Spent(Query{User: w.User})
	if err != nil {
		return err
	}
	shared, err := tx.Sharing(w.Payee, w.User)
	f.Amount, f.Payee, f.Now = w.Amount, w.Payee.Changed, w.At
	f.Before, f.Sum, f.Shared = n, paid, max(f.Shared, shared)
	return err
}

// Facts are what the risk of a withdrawal is judged by. What is not known is zero
// and counts for nothing.
type Facts struct {
	Joined    time.Time // when the user came
	Shared    int       // how many other users have the same payout account
	Earned    money.Fen // all rebates of the user
	Returned  money.Fen // what was taken back of them after it could be withdrawn
	Claims    int       // orders of the user
	Unclicked int       // those of them that were claimed without a link of ours before
	Unseen    bool      // nobody could say what orders the user has

	// What the desk adds.
	Now    time.Time
	Amount money.Fen // now asked for
	Payee  time.Time // when the payout account was changed
	Before int       // withdrawals before this one
	Sum    money.Fen // and their sum
}

// A Sign is one reason to look closely.
type Sign struct {
	Reason string // stable key, for staff
	Points int
}

// Bounds of what is unusual.
const (
	youngAge      = 3 * 24 * time.Hour // of an account
	freshAge      = 7 * 24 * time.Hour // of a payout account
	returnsBps    = money.Bps(3000)    // of what was earned comes back
	unclickedMin  = 3                  // claims without a link
	largerThanAvg = 3                  // times the average
)

// Assess judges the risk of a withdrawal: the reasons, each with its points. It
// depends on nothing but the facts.
func Assess(f Facts) (out []Sign) {
	add := func(is bool, reason string, points int) {
		if is {
			out = append(out, Sign{reason, points})
		}
	}
	add(!f.Joined.IsZero() && f.Now.Sub(f.Joined) < youngAge, "risk.new_user", 20)
	add(f.Before == 0, "risk.first", 10)
	add(f.Earned > 0 && f.Returned > f.Earned.Share(returnsBps), "risk.returns", 30)
	add(f.Shared > 0, "risk.shared_payee", 40)
	add(f.Before > 0 && f.Amount/largerThanAvg > f.Sum/money.Fen(f.Before), "risk.amount", 20)
	add(!f.Payee.IsZero() && f.Now.Sub(f.Payee) < freshAge, "risk.payee_changed", 15)
	add(f.Unclicked >= unclickedMin && 2*f.Unclicked > f.Claims, "risk.claims", 25)
	add(f.Unseen, "risk.orders_unseen", 25) // as much as the worst that they could say
	return out
}

// sum adds the points up and joins the reasons.
func sum(signs []Sign) (points int, reasons string) {
	keys := make([]string, len(signs))
	for i, s := range signs {
		points += s.Points
		keys[i] = s.Reason
	}
	return points, strings.Join(keys, ",")
}
