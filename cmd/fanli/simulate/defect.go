package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanli/core/event"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// A Defect is a mistake that is planted in the process, to see that the simulator
// finds it. Each is one that no other check of the book would show: its entries
// balance, and its audit is clean.
type Defect string

// The defects.
const (
	Sound        Defect = ""
	TwiceBooked  Defect = "twice-booked"  // now and then a rebate is entered twice
	ClawDropped  Defect = "claw-dropped"  // what goes back to a network is sometimes forgotten
	SecondNumber Defect = "second-number" // a payout without an answer goes out under another number
	LostEvent    Defect = "lost-event"    // now and then an event is not heard
	Guess        Defect = "guess"         // where two users fit, the first one gets the order
	SlotUnread   Defect = "slot-unread"   // the position of a row is not read
	OrderUnread  Defect = "order-unread"  // the line's number is read for the order's where no tag is
	DigitsLost   Defect = "digits-lost"   // the buyer's digits that a claim confirms are not kept
	Unheeded     Defect = "unheeded"      // what staff says of a contested order changes nothing
	LateFriend   Defect = "late-friend"   // an inviter earns from orders before the invitation
	CutStays     Defect = "cut-stays"     // an inviter sometimes keeps what a refund takes
	Overdrawn    Defect = "overdrawn"     // a budget's limit is sometimes passed over
	MergeDeaf    Defect = "merge-deaf"    // what comes for an account after its merge sometimes goes there
	MergeHalf    Defect = "merge-half"    // a merge leaves behind what is available
	Hearsay      Defect = "hearsay"       // what a call says of a payment is believed, whoever made it
	RingBelieved Defect = "ring-believed" // a charge is paid as soon as somebody has called about it
	SumUnread    Defect = "sum-unread"    // how much was paid for a charge is not read
	BackBelieved Defect = "back-believed" // a refund without an answer counts as made
	LevelStays   Defect = "level-stays"   // a level stays when its money goes back
)

// Defects returns all that can be planted.
func Defects() []Defect {
	return []Defect{TwiceBooked, ClawDropped, SecondNumber, LostEvent, Guess, SlotUnread, OrderUnread, DigitsLost, Unheeded, LateFriend, CutStays, Overdrawn, MergeDeaf, MergeHalf, Hearsay, RingBelieved, SumUnread, BackBelieved, LevelStays}
}

// ParseDefect reads the name of a defect; "" is none.
func ParseDefect(s string) (Defect, error) {
	if d := Defect(s); d == Sound || slices.Contains(Defects(), d) {
		return d, nil
	}
	return Sound, fmt.Errorf("plant: there is no %q; there are %v", s, Defects())
}

// defectEvery is how many chances a planted mistake lets pass.
const defectEvery = 7

// slips reports whether the planted mistake happens now.
func (w *world) slips(d Defect) bool {
	if w.opt.Plant != d {
		return false
	}
	w.chances++
	return w.chances%defectEvery == 0
}

// Post posts, with what is planted.
func (t countedCreditTx) Post(es []ledger.Entry, b map[ledger.Account]money.Fen) error {
	t.n.Entries += int64(len(es))
	for i, e := range es {
		switch {
		case e.Kind == ledger.Earn && t.w.slips(TwiceBooked):
			e.Key += "/again"
			es = append(es, e)
			b[e.From] -= e.Amount
			b[e.To] += e.Amount
		case t.w.drops(e):
			es = append(es[:i:i], es[i+1:]...)
			b[e.From] += e.Amount
			b[e.To] -= e.Amount
			return t.Tx.Post(es, b)
		}
	}
	return t.Tx.Post(es, b)
}

// drops reports whether the planted mistake forgets an entry: one that gives back
// to a network. Those of inviters have no note.
func (w *world) drops(e ledger.Entry) bool {
	if e.Kind == ledger.Keep || e.Kind == ledger.Bonus || !strings.HasPrefix(string(e.To), "network/") {
		return false
	}
	return w.slips(ClawDropped) || e.Note == "" && w.slips(CutStays)
}

// Roots says into which accounts others are merged, with what is planted.
func (t countedCreditTx) Roots(accounts []int64) (map[int64]int64, error) {
	roots, err := t.Tx.Roots(accounts)
	if len(roots) > 0 && t.w.slips(MergeDeaf) {
		return nil, err
	}
	return roots, err
}

// Post posts what a merge moves, with what is planted.
func (t countedMergeTx) Post(es []ledger.Entry, b map[ledger.Account]money.Fen) error {
	t.n.Entries += int64(len(es))
	if t.w.opt.Plant == MergeHalf {
		es = slices.DeleteFunc(slices.Clone(es), func(e ledger.Entry) bool {
			half := e.Kind == ledger.Merge && strings.HasSuffix(e.Key, "/"+string(ledger.Available)) && !slices.ContainsFunc(es, func(o ledger.Entry) bool { return o.Kind == ledger.Repay })
			if half {
				b[e.From] += e.Amount
				b[e.To] -= e.Amount
			}
			return half
		})
	}
	return t.MergeTx.Post(es, b)
}

// AddSuffix keeps a buyer's digits, with what is planted.
func (t countedOrderTx) AddSuffix(network, suffix string, user int64) error {
	if t.w.opt.Plant == DigitsLost {
		return nil
	}
	return t.Tx.AddSuffix(network, suffix, user)
}

// Spend takes from a budget, with what is planted.
func (t countedCreditTx) Spend(budget, period string, amount, limit money.Fen) (bool, error) {
	if limit > 0 && t.w.slips(Overdrawn) {
		limit = 0
	}
	return t.Tx.Spend(budget, period, amount, limit)
}

// Ways finds what could explain lines, with what is planted.
func (t countedOrderTx) Ways(network string, tags, items, orders, suffixes []string, since time.Time) (order.Ways, error) {
	ways, err := t.Tx.Ways(network, tags, items, orders, suffixes, since)
	if t.w.opt.Plant == Guess {
		for item, ws := range ways.ByItem {
			ways.ByItem[item] = ws[:min(1, len(ws))]
		}
	}
	return ways, err
}

// losing is a hearer that loses an event now and then, where that is planted.
func (w *world) losing(hear event.Handler) event.Handler {
	return func(ctx context.Context, e event.Event) error {
		if w.slips(LostEvent) {
			return nil
		}
		return hear(ctx, e)
	}
}

// misread reads a row as a network's client might, with what is planted.
func (f *feed) misread(r *order.Revision) {
	switch {
	case f.w.opt.Plant == SlotUnread:
		r.Slot = ""
	case f.w.opt.Plant == OrderUnread && r.Tag == "":
		r.Order = r.Key.ID
	}
}

// payer is the bank, or one behind a client with what is planted.
func (w *world) payer() withdraw.Payer {
	switch w.opt.Plant {
	case SecondNumber:
		return &hasty{w.bank, map[string]int{}}
	case Hearsay:
		return &credulous{w.bank, map[string]withdraw.Verdict{}}
	default:
		return w.bank
	}
}

// credulous takes what it has heard for an answer.
type credulous struct {
	*bank
	said map[string]withdraw.Verdict
}

func (c *credulous) Hear(_ context.Context, cb withdraw.Callback) (string, error) {
	number, says, _ := strings.Cut(string(cb.Body), " ")
	c.said[number] = withdraw.Verdict(says)
	return number, nil
}

func (c *credulous) Query(ctx context.Context, number string) (withdraw.Outcome, error) {
	if v, ok := c.said[number]; ok {
		return withdraw.Outcome{Verdict: v, Reason: "payout.refused"}, nil
	}
	return c.bank.Query(ctx, number)
}

// hasty takes no answer for no payment.
type hasty struct {
	*bank
	tries map[string]int
}

func (h *hasty) Send(ctx context.Context, p withdraw.Payment) (withdraw.Outcome, error) {
	if n := h.tries[p.Number]; n > 0 {
		p.Number += fmt.Sprintf("B%d", n)
	}
	o, err := h.bank.Send(ctx, p)
	if err != nil {
		h.tries[p.Number]++
		p.Number += fmt.Sprintf("B%d", h.tries[p.Number])
		return h.bank.Send(ctx, p)
	}
	return o, err
}
