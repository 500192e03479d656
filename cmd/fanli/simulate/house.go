package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanli/adapters/bus"
	"fanli/adapters/store"
	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/audit"
	"fanli/core/collect"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/lock"
	"fanli/core/money"
	"fanli/core/notify"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/jobs"
)

// This file is all that the simulator knows of how fanli is put together. What
// changes there changes here and nowhere else.

// Limits of withdrawals in every world.
const (
	withdrawMin  money.Fen = 100
	withdrawMax  money.Fen = 30_000
	withdrawAuto money.Fen = 4_000
	cooling                = 24 * time.Hour
)

// jobRunsMax bounds how often one job is run in a row.
const jobRunsMax = 1_000

// A house is one life of the process: the services over the database, and what
// they remember.
type house struct {
	users   *user.Directory
	merger  *credit.Merger
	rebates *rebate.Clerk
	orders  *order.Book
	cashier *credit.Cashier
	purser  *credit.Treasurer
	payouts *withdraw.Desk
	office  *notify.Office
	purse   credit.Purse
	dues    *collect.Desk
	links   link.Store
	db      *store.DB
	bus     *bus.Local
	jobs    []jobs.Job // in the order in which news goes its way
	news    []jobs.Job // those that do not ask networks
	told    int        // how many there are up to the one that tells of links
	fence   int64
}

// openDB opens the database of a world.
func openDB(ctx context.Context, w *world, path string) (*store.DB, error) {
	db, err := store.Open(ctx, store.Config{Path: path, Model: w.opt.model, DSN: w.dsn, SealKey: make([]byte, 32), Now: w.now, Hook: w.crash.point})
	if err != nil {
		return nil, err
	}
	if _, err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// newHouse starts a process over db.
func newHouse(ctx context.Context, w *world, db *store.DB) (*house, error) {
	w.fence++
	h := &house{db: db, links: countedLinks{db.Links(), &w.tally}, bus: &bus.Local{}, fence: w.fence}
	h.users = &user.Directory{Store: db.Users(), Now: w.now}
	if w.kin != nil {
		h.users.Merges = db.Merges()
	}
	h.merger = &credit.Merger{Store: countedMerges{db.Moved(), w}, Now: w.now}
	level := func(ctx context.Context, id int64) (int, error) {
		if w.kin != nil || w.trade != nil {
			n, _, err := h.users.Level(ctx, id)
			return n, err
		}
		u, err := h.users.User(ctx, id)
		return u.Level, err
	}
	h.purser = h.treasurer(w)
	h.rebates = &rebate.Clerk{
		Store: countedRebates{db.Rebates(), &w.tally}, Level: level, Inviters: h.inviters(w), Dry: h.purser.Dry, Now: w.now,
	}
	h.orders = &order.Book{Store: countedOrders{db.Orders(), w}, Now: w.now}
	h.cashier = &credit.Cashier{Store: countedCredits{db.Credits(), w}, Now: w.now, Zone: beijing}
	h.purse = credit.Purse{Ledger: db.Ledger()}
	h.office = &notify.Office{Store: db.Messages(), Sender: w, Now: w.now}
	h.payouts = &withdraw.Desk{
		Store: countedWithdrawals{db.Withdrawals(), &w.tally}, Payers: map[string]withdraw.Payer{"": w.payer()}, Payee: h.users.Payee, Now: w.now, Prefix: "S",
		Limits: withdraw.Limits{Minimum: withdrawMin, Maximum: withdrawMax, Auto: withdrawAuto, Cooling: cooling},
	}
	if w.trade != nil {
		h.dues = &collect.Desk{
			Store: countedCharges{db.Charges(), &w.tally}, Collectors: []collect.Collector{w.collector()}, Prefix: "S", Lasts: w.trade.lasts, Now: w.now,
		}
	}
	h.hear(w)
	h.plan(w)
	return h, h.enact(ctx, w.rules)
}

// hear says who hears what, as in the real process.
func (h *house) hear(w *world) {
	h.bus.Hear(event.LinkMade, "order", h.orders.LinkMade)
	h.bus.Hear(event.OrderChanged, "rebate", h.rebates.OrderChanged)
	h.bus.Hear(event.RebateChanged, "payment", w.losing(h.cashier.RebateChanged))
	h.bus.Hear(event.StaffActed, "payment", (&audit.Keeper{Store: h.db.ActStore()}).StaffActed)
	if w.kin != nil {
		h.bus.Hear(event.MergeAnswered, "user", w.unruly(h.users.MergeAnswered))
		h.bus.Hear(event.MergeChanged, "payment", w.unruly(h.merger.MergeChanged))
		h.bus.Hear(event.MergeChanged, "order", w.unruly(h.orders.MergeChanged))
	}
	if w.trade != nil {
		h.bus.Hear(event.ChargeChanged, "user", w.selling(h.users.ChargeChanged))
		h.bus.Hear(event.ChargeChanged, "world", w.toldOf)
	}
	if w.tells {
		h.bus.Hear(event.ChargeChanged, "notification", h.office.ChargeChanged)
		h.bus.Hear(event.MembershipChanged, "notification", h.office.MembershipChanged)
		h.bus.Hear(event.MergeChanged, "notification", h.office.MergeChanged)
		h.bus.Hear(event.LedgerPosted, "notification", h.office.LedgerPosted)
		h.bus.Hear(event.WithdrawalChanged, "notification", h.office.WithdrawalChanged)
		h.bus.Hear(event.ClaimChanged, "notification", h.office.ClaimChanged)
	}
}

// plan lists the jobs. They are run one after the other by the virtual clock, in
// an order in which news goes its whole way in one round.
func (h *house) plan(w *world) {
	relay := func(names ...string) {
		for _, name := range names {
			for _, o := range h.db.Outboxes() {
				if o.Name() == name {
					h.jobs = append(h.jobs, &jobs.Relay{Outbox: o, Bus: h.bus, Now: w.now})
				}
			}
		}
	}
	if w.trade != nil {
		h.jobs = append(h.jobs, jobs.Func{As: "user/memberships", Do: h.users.EndMemberships})
	}
	h.told = len(h.jobs) + 1
	relay("bot", "user")
	for _, n := range w.nets {
		for _, p := range jobs.Plans(n.feed(), h.orders, w.rungs(), "", 0, w.now) {
			h.jobs = append(h.jobs, p.Job)
		}
	}
	h.jobs = append(h.jobs,
		jobs.Func{As: "order/settle-due", Do: h.orders.SettleDue},
		jobs.Func{As: "order/claims", Do: h.orders.ReviewClaims},
		jobs.Func{As: "rebate/release-due", Do: h.rebates.ReleaseDue})
	relay("order", "rebate", "payment")
	h.jobs = append(h.jobs, jobs.Func{As: "payment/payouts", Do: h.payouts.Run})
	if w.trade != nil {
		h.jobs = append(h.jobs, jobs.Func{As: "payment/charges", Do: h.dues.Run})
	}
	relay("payment")
	if w.trade != nil {
		relay("user")
	}
	if w.tells {
		h.jobs = append(h.jobs, jobs.Func{As: "notification/deliver", Do: h.office.Deliver})
	}
	for _, j := range h.jobs {
		if _, of := j.(*jobs.Sync); !of {
			h.news = append(h.news, j)
		}
	}
}

// work runs every job until it has nothing left to do, and returns the first error
// that is not the outside's.
func (h *house) work(ctx context.Context, w *world) error { return h.run(ctx, w, h.jobs) }

// pass runs the jobs that do not ask networks.
func (h *house) pass(ctx context.Context, w *world) error { return h.run(ctx, w, h.news) }

// carry runs one job only: it tells of links.
func (h *house) carry(ctx context.Context, w *world) error {
	return h.run(ctx, w, h.jobs[h.told-1:h.told])
}

func (h *house) run(ctx context.Context, w *world, js []jobs.Job) error {
	for _, j := range js {
		for range jobRunsMax {
			rep, err := j.Run(ctx, lock.Lease{Name: j.Name(), Token: h.fence})
			if w.crash.dead {
				return errCrash
			}
			if err != nil && !fault.Retryable(err) {
				return fmt.Errorf("job %s: %w", j.Name(), err)
			}
			if err != nil || rep.Done == 0 {
				break
			}
		}
	}
	return nil
}

// waiting returns how many events wait or were given up.
func (h *house) waiting(ctx context.Context) (n int64, err error) {
	for _, o := range h.db.Outboxes() {
		depth, _, err := o.Depth(ctx)
		if err != nil {
			return 0, err
		}
		dead, err := o.Dead(ctx, 0, 1)
		if err != nil {
			return 0, err
		}
		n += depth + int64(len(dead))
	}
	return n, nil
}

// enact puts rules in force.
func (h *house) enact(ctx context.Context, r *oracle.Rules) error {
	_, err := h.rebates.Enact(ctx, rebate.Rules{
		Base: r.Base, Fee: r.Fee, Levels: r.Levels, Networks: r.Networks, Categories: r.Categories,
		Cap: r.Cap, Minimum: r.Minimum, HoldDays: r.HoldDays, Referral: rebate.Referral{First: r.First, Second: r.Second},
		Budgets: []string{giftFund}, List: gifts(r.Gift),
	})
	return err
}

// gifts is the rule that adds a gift to a line.
func gifts(n money.Fen) []rebate.Rule {
	if n == 0 {
		return nil
	}
	return []rebate.Rule{{Name: "gift", Mode: rebate.Add, Give: rebate.Give{Fixed: n}, Budget: giftFund}}
}

// beijing is where the days of budgets begin.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// treasurer gives away what the world's budgets hold.
func (h *house) treasurer(w *world) *credit.Treasurer {
	t := &credit.Treasurer{
		Store: countedCredits{h.db.Credits(), w}, Budgets: map[string]credit.Budget{}, CheckIn: checkInBrings, CheckInBudget: checkInFund,
		Zone: beijing, Now: w.now,
	}
	for name, l := range w.funds {
		t.Budgets[name] = credit.Budget{Day: l.Day, Month: l.Month, Total: l.Total}
	}
	return t
}

// inviters returns who had brought a user, with what is planted.
func (h *house) inviters(w *world) func(context.Context, int64, time.Time) (rebate.Inviters, error) {
	return func(ctx context.Context, id int64, at time.Time) (rebate.Inviters, error) {
		if w.opt.Plant == LateFriend {
			at = w.now()
		}
		in, err := h.users.Inviters(ctx, id, at)
		return rebate.Inviters(in), err
	}
}

// bind lets a user enter the code of another.
func (h *house) bind(ctx context.Context, id, inviter int64) error {
	code, err := h.users.Code(ctx, inviter)
	if err != nil {
		return err
	}
	return h.users.Bind(ctx, id, code)
}

// come lets a user check in.
func (h *house) come(ctx context.Context, id int64) error {
	_, err := h.purser.Come(ctx, id)
	return err
}

// welcome gives a user what a campaign gives to everybody once.
func (h *house) welcome(ctx context.Context, id int64) error {
	_, err := h.purser.Give(ctx, credit.Gift{Key: fmt.Sprintf("bonus/welcome/%d", id), User: id, Amount: welcomeBrings, Budget: welcomeFund})
	return err
}

// join makes a user of a level.
func (h *house) join(ctx context.Context, name string, level int, at time.Time) (id int64, err error) {
	i := user.Identity{Channel: "sim", External: name}
	u, err := h.db.Users().ByIdentity(ctx, i)
	if err == nil {
		return u.ID, nil
	}
	err = h.db.Users().InTx(ctx, func(tx user.Tx) (err error) {
		id, err = tx.Insert(user.User{Level: level, Locale: "zh", Joined: at}, i)
		return err
	})
	return id, err
}

// link stores tagged links, as link.Desk does it but with the tags of the seed and
// many at once.
func (h *house) link(ctx context.Context, wishes []oracle.Link, offer func(oracle.Link) link.Offer) error {
	made := make([]link.Link, len(wishes))
	for i, wish := range wishes {
		o := offer(wish)
		p, err := h.rebates.Promise(ctx, wish.User, o)
		if err != nil {
			return err
		}
		terms, err := rebate.ParseTerms(p.Terms)
		if err != nil {
			return err
		}
		wishes[i].Dry = len(terms.Dry) > 0
		made[i] = link.Link{
			User: wish.User, Network: wish.Network, Item: wish.Item, Title: o.Title, Mark: link.Mark{Tag: wish.Tag, Slot: wish.Slot},
			Made: link.Made{URL: "https://" + wish.Network + ".test/" + wish.Tag}, Offer: o, Promise: p, At: wish.At,
		}
	}
	return h.links.InTx(ctx, func(tx link.Tx) error {
		for _, l := range made {
			id, err := tx.Insert(l)
			if err != nil {
				return err
			}
			e, err := event.New("link/"+l.Mark.Tag, event.LinkMade, l.At, link.LinkMade{
				Link: id, User: l.User, Network: l.Network, Item: l.Item, Tag: l.Mark.Tag, Slot: l.Mark.Slot, Promise: l.Promise, At: l.At,
			})
			if err != nil {
				return err
			}
			if err := tx.Emit(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// heard takes what a payer says without being asked, as the page for that does.
func (h *house) heard(ctx context.Context, c withdraw.Callback) error {
	number, err := h.payouts.PayerNamed(bankName).(withdraw.Hearer).Hear(ctx, c)
	if err != nil {
		return err
	}
	return h.payouts.Heard(ctx, bankName, number)
}

// incidents returns how often a payer has contradicted what was final.
func (h *house) incidents(ctx context.Context) (int, error) {
	is, err := h.payouts.Incidents(ctx, 1_000)
	return len(is), err
}

// ask asks somebody for money, or the operator.
func (h *house) ask(ctx context.Context, c oracle.Charge, key, what string) (collect.Due, error) {
	r := collect.Request{Key: key, Purpose: collect.Membership, User: c.User, What: what, Amount: c.Asked, Subject: "模拟"}
	if c.User == 0 {
		r.Purpose, r.Staff = collect.TopUp, "staff"
	}
	return h.dues.Ask(ctx, r)
}

// lapsed returns since when a charge cannot be paid any more, as its page says; zero if it
// can, or could.
func (h *house) lapsed(ctx context.Context, number string) (time.Time, error) {
	d, err := h.dues.Store.ByNumber(ctx, number)
	if err != nil || d.Stage != collect.Lapsed {
		return time.Time{}, err
	}
	return d.Changed, nil
}

// giveBack lets staff give the money of a charge back.
func (h *house) giveBack(ctx context.Context, number string) error {
	d, err := h.dues.Store.ByNumber(ctx, number)
	if err == nil {
		_, err = h.dues.Refund(ctx, d.ID, "staff", "charge.goodwill")
	}
	return err
}

// rang takes what a collector says without being asked, as the page for that does.
func (h *house) rang(ctx context.Context, c withdraw.Callback) error {
	number, err := h.dues.CollectorNamed(tillName).Hear(ctx, c)
	if err != nil {
		return err
	}
	return h.dues.Heard(ctx, tillName, number)
}

// level is what a user is told of their level.
func (h *house) level(ctx context.Context, id int64) (int, error) {
	level, _, err := h.users.Level(ctx, id)
	return level, err
}

// payee tells where a user wants money sent.
func (h *house) payee(ctx context.Context, id int64, account string) error {
	return h.users.SetPayee(ctx, id, user.Payee{Method: "alipay", Account: account, Name: "模拟"})
}

// decide lets staff approve or refuse a withdrawal.
func (h *house) decide(ctx context.Context, id int64, approve bool) (err error) {
	if approve {
		_, err = h.payouts.Approve(ctx, id, "staff")
	} else {
		_, err = h.payouts.Refuse(ctx, id, "staff", "refused.other")
	}
	return err
}

// A withdrawal is what the simulator needs to know of one.
type withdrawal struct {
	id     int64
	user   int64
	amount money.Fen
	review bool // waits for staff
}

// open returns the withdrawals that are not final, oldest first.
func (h *house) open(ctx context.Context) ([]withdrawal, error) {
	ws, err := h.payouts.Waiting(ctx, 10_000)
	out := make([]withdrawal, len(ws))
	for i, w := range ws {
		out[i] = withdrawal{w.ID, w.User, w.Amount, w.State == withdraw.Reviewing || w.State == withdraw.Requested}
	}
	return out, err
}

// claim lets a user say that an order is theirs.
func (h *house) claim(ctx context.Context, id int64, number string) (int64, error) {
	c, err := h.orders.Claim(ctx, id, number)
	return c.ID, err
}

// prove lets a user say what they know of an order.
func (h *house) prove(ctx context.Context, id, claim int64, paid money.Fen, day string) error {
	_, err := h.orders.Prove(ctx, id, claim, order.Proof{Paid: paid, Day: day})
	return err
}

// A contest is what the simulator needs to know of a claim that waits for staff.
type contest struct {
	id, user       int64
	network, order string
}

// contested returns the claims that wait for staff.
func (h *house) contested(ctx context.Context) (out []contest, err error) {
	cs, err := h.orders.Staffed(ctx, 1_000)
	for _, c := range cs {
		out = append(out, contest{c.ID, c.User, c.Network, c.Order})
	}
	return out, err
}

// award lets staff decide a claim, with what is planted.
func (h *house) award(ctx context.Context, w *world, claim int64, grant bool) error {
	if grant && w.opt.Plant == Unheeded {
		return nil
	}
	_, err := h.orders.DecideClaim(ctx, claim, grant, "staff", "claim.looked")
	return err
}

// audit proves the book alone.
func (h *house) audit(ctx context.Context) (rep ledger.AuditReport, err error) {
	err = h.db.Snapshot(ctx, func(r ledger.Reader) error {
		rep, err = ledger.Audit(ctx, r)
		return err
	})
	return rep, err
}
