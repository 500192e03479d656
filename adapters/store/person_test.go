package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// kin are two accounts of one person, in a world where everything is bounded.
type kin struct {
	*testing.T
	db             *store.DB
	id             int64
	elder, younger int64
	rev            int64
	lines          int
	gifts          *credit.Treasurer
	book           *order.Book
	users          *user.Directory
	desk           *withdraw.Desk
}

func kinOf(t *testing.T, db *store.DB, id int64) *kin {
	t.Helper()
	k := &kin{
		T: t, db: db, id: id, elder: 100*id + 7, younger: 100*id + 8,
		book: &order.Book{Store: db.Orders(), Now: now}, users: &user.Directory{Store: db.Users(), Merges: db.Merges(), Now: now},
		gifts: &credit.Treasurer{
			Store: db.Credits(), Now: now, CheckIn: 5, CheckInBudget: "m", Budgets: map[string]credit.Budget{"m": {Total: 1_000_00}},
			Inviter: func(context.Context, int64, time.Time) (int64, error) { return 0, nil },
		},
		desk: &withdraw.Desk{
			Store: db.Withdrawals(), Now: now, Limits: withdraw.Limits{Minimum: 100, Maximum: 100_00, Auto: 100_00, UserCount: 1},
			Payee: func(context.Context, int64) (user.Payee, error) {
				return user.Payee{Method: "alipay", Account: fmt.Sprint("account-", id), Name: "安"}, nil
			},
		},
	}
	for _, account := range []int64{k.elder, k.younger} {
		must(t, db.Credits().InTx(t.Context(), func(tx credit.Tx) error {
			j, err := ledger.Open(tx, start)
			must(t, err)
			must(t, j.Move(ledger.Entry{
				Key: fmt.Sprint("in/", account), Kind: ledger.Manual, From: ledger.Bank, To: ledger.User(account, ledger.Available), Amount: 10_00, Cause: "staff/x",
			}))
			return j.Post()
		}))
	}
	return k
}

// link makes one person of the two in all targets, or two again.
func (k *kin) link(linked bool) {
	k.Helper()
	k.rev += 2
	say := func(stage user.MergeStage, hear event.Handler) {
		e, err := event.New(fmt.Sprintf("merge/%d/%d-%s", k.id, k.rev, stage), event.MergeChanged, now(), user.MergeChanged{
			ID: k.id, Rev: k.rev, Absorbed: k.younger, Survivor: k.elder, Stage: stage, At: now(),
		})
		must(k, err)
		must(k, hear(k.Context(), e))
	}
	merger := &credit.Merger{Store: k.db.Moved(), Now: now}
	if linked {
		say(user.MergeBegun, merger.MergeChanged)
		say(user.MergeMoved, k.book.MergeChanged)
	} else {
		say(user.MergeUndoing, merger.MergeChanged)
		say(user.MergeReturned, k.book.MergeChanged)
	}
	must(k, k.db.Merges().InTx(k.Context(), func(tx user.MergeTx) error {
		m := user.Merge{Absorbed: k.younger, Survivor: k.elder, Stage: user.MergeDone, Rev: 1, At: now(), Changed: now()}
		if linked {
			_, err := tx.InsertMerge(m)
			return err
		}
		last, err := k.db.Merges().Newest(k.Context(), k.elder)
		must(k, err)
		m.ID, m.Stage, m.Rev = last.ID, user.MergeUndone, 2
		_, err = tx.SwapMerge(m, 1)
		return err
	}))
}

// bonuses says what an order through an account brings beside its rebate, to both.
func (k *kin) bonuses(account int64, due ...rebate.BonusDue) string {
	k.Helper()
	sum := func() (n money.Fen) {
		for _, a := range []int64{k.elder, k.younger} {
			w, err := credit.Purse{Ledger: k.db.Ledger()}.Wallet(k.Context(), a)
			must(k, err)
			n += w.Available
		}
		return n
	}
	before := sum()
	k.lines++
	e, err := event.New(fmt.Sprintf("rebate/%d/%d", k.id, k.lines), event.RebateChanged, now(), rebate.Changed{Rebates: []rebate.ChangedRebate{{
		Key: order.Key{Network: "jd", Account: "main", ID: fmt.Sprintf("%d-%d", k.id, k.lines)}, Seq: 1, User: account, Stage: rebate.Available, Amount: 1,
		Placed: start, Bonuses: due,
	}}})
	must(k, err)
	for range 2 {
		must(k, k.gifts.RebateChanged(k.Context(), e))
	}
	return (sum() - before).String()
}

// withdrawn is that an account has been paid under a key.
func (k *kin) withdrawn(account int64, key string) {
	k.Helper()
	must(k, k.db.Withdrawals().InTx(k.Context(), func(tx withdraw.Tx) error {
		_, err := tx.Insert(withdraw.Withdrawal{Key: key, User: account, Amount: 100, State: withdraw.Paid, Rev: 1, At: now(), Changed: now()})
		return err
	}))
}

// said is what somebody reads: the reason of a refusal, or that it was done.
func said(err error) string {
	if err == nil {
		return "done"
	}
	return fault.ReasonOf(err)
}

// A bounded is something of which one person gets only so much. alone uses up what the
// younger account may have; more tries to get more through an account.
var bounded = []struct {
	name                string
	alone               func(k *kin)
	more                func(k *kin, account int64) string
	two, linked, parted string // more of the elder, who is a stranger; who is the same person; who was
}{
	{
		"the cap of a campaign", func(k *kin) { k.bonuses(k.younger, fest()); k.bonuses(k.younger, fest()) },
		func(k *kin, account int64) string { return k.bonuses(account, fest()) }, "3.00", "0.00", "3.00",
	}, {
		"what is left of the cap of a campaign", func(k *kin) { k.bonuses(k.younger, fest()) },
		func(k *kin, account int64) string { return k.bonuses(account, fest()) }, "3.00", "1.00", "3.00",
	}, {
		"a check-in a day", func(k *kin) { _, err := k.gifts.Come(k.Context(), k.younger); must(k, err) },
		func(k *kin, account int64) string {
			n, err := k.gifts.Come(k.Context(), account)
			must(k, err)
			return n.String()
		}, "0.05", "0.00", "0.05",
	}, {
		"the bonus for the first order", func(k *kin) { k.invited(1); k.bonuses(k.younger) },
		func(k *kin, account int64) string { return k.bonuses(account) }, "0.70", "0.00", "0.00", // it came meanwhile
	}, {
		"a friend who is oneself", func(k *kin) { k.invited(k.elder) },
		func(k *kin, _ int64) string { return k.bonuses(k.younger) }, "1.20", "0.00", "0.00",
	}, {
		"withdrawals a day", func(k *kin) { k.withdrawn(k.younger, fmt.Sprint("by hand/", k.id)) },
		func(k *kin, account int64) string {
			w, err := k.desk.Request(k.Context(), account, 100, fmt.Sprintf("%d/%d", k.id, k.rev))
			if err == nil {
				_, err = k.desk.Cancel(k.Context(), account, w.ID)
			}
			return said(err)
		}, "done", "withdraw.day_count", "done",
	}, {
		"automatic withdrawals a day", func(k *kin) {
			k.desk.Limits.UserCount = 0
			k.withdrawn(k.younger, fmt.Sprintf("auto/%d/%s", k.younger, now().Format(time.DateOnly)))
		},
		func(k *kin, account int64) string {
			_, err := k.desk.SetAutopay(k.Context(), account, true, 100)
			must(k, err)
			_, err = k.desk.RunAutopay(k.Context())
			must(k, err)
			ws, err := k.db.Withdrawals().OfUser(k.Context(), account, 0, 1)
			must(k, err)
			return fmt.Sprint(len(ws) > 0 && ws[0].User == account)
		}, "true", "false", "true",
	}, {
		"claims of a day", func(k *kin) { k.claims(5) },
		func(k *kin, account int64) string {
			_, err := k.book.Claim(k.Context(), account, k.number(int(9+k.rev)))
			return said(err)
		}, "done", "claim.too_fast", "done",
	}, {
		"guesses at what an order cost", func(k *kin) {
			k.claims(1)
			for range 3 {
				must(k, k.guess(k.younger))
			}
		}, func(k *kin, account int64) string { return said(k.guess(account)) }, "done", "claim.proofs", "done",
	}, {
		"guesses at codes that link", func(k *kin) {
			for range 5 {
				_, err := k.users.PreviewLink(k.Context(), k.younger, "AAAA2222")
				if said(err) != "merge.no_such_code" {
					k.Error(err)
				}
			}
		}, func(k *kin, account int64) string {
			_, err := k.users.PreviewLink(k.Context(), account, "AAAA2222")
			return said(err)
		}, "merge.no_such_code", "merge.guesses", "merge.no_such_code",
	},
}

// fest is a campaign that gives one person 4.00 in all.
func fest() rebate.BonusDue {
	return rebate.BonusDue{Name: "fest", Amount: 3_00, Budget: "m", UserCap: 4_00}
}

// invited says that both were brought by somebody, which brings that one 0.50 and them 0.70.
func (k *kin) invited(by int64) {
	k.gifts.Invitation = credit.Invitation{Inviter: 50, Invited: 70, Budget: "m"}
	k.gifts.Inviter = func(context.Context, int64, time.Time) (int64, error) { return by, nil }
}

func (k *kin) number(n int) string { return fmt.Sprintf("40%07d%02d654321", k.id, n) }

// claims lets the younger account claim so many orders.
func (k *kin) claims(count int) {
	for n := range count {
		_, err := k.book.Claim(k.Context(), k.younger, k.number(n))
		must(k, err)
	}
}

// guess says as an account what the first order that was claimed has cost.
func (k *kin) guess(account int64) error {
	c, err := k.book.Claim(k.Context(), account, k.number(0))
	if err == nil {
		_, err = k.book.Prove(k.Context(), account, c.ID, order.Proof{Paid: 100, Day: "2026-11-11"})
	}
	return err
}

// TestOnePersonGetsNoMoreByLinking holds everything that is bounded for one person
// against people who have used it up through one account: a stranger gets it, their own
// other account does not, and once they are taken apart again the other one has what it
// would have had, and no more.
func TestOnePersonGetsNoMoreByLinking(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, here store.Config) {
		here.Now = now
		db := open(t, here)
		for i, tt := range bounded {
			try := func(when, want string, k *kin) {
				t.Helper()
				if got := tt.more(k, k.elder); got != want {
					t.Errorf("%s, %s: got %q, want %q", tt.name, when, got, want)
				}
			}
			strangers := kinOf(t, db, int64(2*i+1))
			tt.alone(strangers)
			try("as two people", tt.two, strangers)
			k := kinOf(t, db, int64(2*i+2))
			tt.alone(k)
			k.link(true)
			try("as one person", tt.linked, k)
			k.link(false)
			try("as two again", tt.parted, k)
		}
	})
}
