package servicetest

import (
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// An OrderWorld is an order.Service under test, with the store behind it.
type OrderWorld struct {
	Clock
	Service order.Service
	Store   order.Store
}

// Orders checks every promise of order.Service.
func Orders(t *testing.T, open func(t *testing.T) OrderWorld) {
	t.Helper()
	run(t, open,
		story[OrderWorld]{"LinesAreToldToTheLastField", linesTold},
		story[OrderWorld]{"ClaimsAreToldToTheLastField", claimsTold},
		story[OrderWorld]{"BoundAccountsAreToldToTheLastField", membersTold},
		story[OrderWorld]{"Failures", orderFailures},
	)
}

func key(id string) order.Key { return order.Key{Network: link.JD, Account: "main", ID: id} }

// revision returns a row with all that one can have.
func revision(now time.Time, id string, a order.Aspect) order.Revision {
	return order.Revision{
		Key: key(id), Aspect: a, Order: "300000000000" + id, Parent: "parent", Item: "item", Title: "保温杯 ☕", Shop: "旗舰店",
		Image: "https://i.example/1.jpg", Category: "厨具", Quantity: 2, State: order.Settled, Why: "order.cancelled",
		Price: 8900, Refunded: 100, Estimated: 445, Actual: 400, Claimed: 5, ActualKnown: true, Unsaid: true, Disputed: true,
		Tag: "tag", Slot: "slot", Clicked: now.Add(-7 * time.Minute), Created: now.Add(-6 * time.Minute), PaidAt: now.Add(-5 * time.Minute),
		ReceivedAt: now.Add(-4 * time.Minute), SettledAt: now.Add(-3 * time.Minute), SettlesOn: now.Add(-2 * time.Minute), Modified: now.Add(-time.Minute),
	}
}

// register returns a register of r, as a store reads it.
func register(t *testing.T, r order.Revision) *order.Register {
	t.Helper()
	b, err := order.Register{Revision: r}.MarshalText()
	must(t, err)
	g := &order.Register{}
	must(t, g.UnmarshalText(b))
	return g
}

// someLine returns a line with all that one can have.
func someLine(t *testing.T, now time.Time, id string) *order.Line {
	t.Helper()
	return &order.Line{
		Key: key(id), Rev: 3, Whole: register(t, revision(now, id, order.Whole)), Back: register(t, revision(now, id, order.Return)),
		Facts: order.Facts{
			State: order.Settled, Why: "order.violation", Commission: 395, Price: 8900, Refunded: 100, Disputed: true, SettledAt: now.Add(-3 * time.Minute),
		},
		User: 7, Link: 70, Step: order.ByTag, Evidence: "标识 tag is on link 70",
		Promise: link.Promise{Rules: 3, Share: 7000, Rebate: 276, Terms: `{"rules":3}`}, Seen: now.Add(-5 * time.Minute),
	}
}

func (w OrderWorld) in(t *testing.T, fn func(order.Tx) error) {
	t.Helper()
	must(t, w.Store.InTx(t.Context(), fn))
}

func linesTold(t *testing.T, w OrderWorld) {
	ctx := t.Context()
	bare := &order.Line{Key: key("2"), Rev: 1, Facts: order.Facts{State: order.Unpaid}, User: 7, Seen: w.Now()}
	bare.Back = register(t, order.Revision{Key: key("2"), Aspect: order.Return, Order: "3000000000002", Modified: w.Now()})
	ls := []*order.Line{someLine(t, w.Now(), "1"), bare, someLine(t, w.Now(), "3")}
	w.in(t, func(tx order.Tx) error { return tx.Put(ls) })
	full(t, *ls[0], "Whole.Revision.Raw", "Back.Revision.Raw") // raw rows stay with the order target

	got, err := w.Service.OfUser(ctx, 7, 0, 10)
	must(t, err)
	want(t, "OfUser", got, []order.Line{*ls[2], *ls[1], *ls[0]})
	got, err = w.Service.OfUser(ctx, 7, ls[2].ID, 1)
	must(t, err)
	want(t, "OfUser, the second page", got, []order.Line{*ls[1]})
	got, err = w.Service.ByNumber(ctx, ls[0].Row().Order)
	must(t, err)
	want(t, "ByNumber", got, []order.Line{*ls[0]})
	got, err = w.Service.OfUser(ctx, 8, 0, 10)
	must(t, err)
	want(t, "number of lines of nobody", len(got), 0)
	got, err = w.Service.ByNumber(ctx, "没有")
	must(t, err)
	want(t, "number of lines of no number", len(got), 0)
}

// someClaim returns a claim with all that one can have.
func someClaim(now time.Time) order.Claim {
	return order.Claim{
		User: 7, Network: link.JD, Order: number, State: order.ClaimRefused, Rev: 1, At: now.Add(-3 * time.Hour), Until: now.Add(time.Hour),
		Next: now.Add(2 * time.Hour), Proof: order.Proof{Paid: 8900, Day: "2026-01-14"}, Proofs: 2, Appeals: 1, Actor: "cli", Note: "不是您的订单",
	}
}

// number and other are order numbers as JD writes them.
const (
	number = "300000000001"
	other  = "300000000002"
)

func claimsTold(t *testing.T, w OrderWorld) {
	ctx, s := t.Context(), w.Service
	cs, err := s.Claims(ctx, 7, 0, 10)
	must(t, err)
	want(t, "number of claims of nobody", len(cs), 0)
	done := someClaim(w.Now())
	w.in(t, func(tx order.Tx) error {
		c, err := tx.PutClaim(done)
		done.ID = c.ID
		return err
	})
	full(t, done)

	c, err := s.Claim(ctx, 7, other)
	must(t, err)
	until := w.Now().Add(30 * 24 * time.Hour)
	said := order.Claim{ID: c.ID, User: 7, Network: link.JD, Order: other, State: order.ClaimWaiting, Rev: 1, At: w.Now(), Until: until, Next: until}
	want(t, "Claim", c, said)
	again, err := s.Claim(ctx, 7, other)
	must(t, err)
	want(t, "the same Claim", again, said)

	w.Advance(time.Second)
	said.Proof, said.Proofs, said.Next, said.Rev = order.Proof{Paid: 1234, Day: "2026-01-15"}, 1, w.Now(), 2
	c, err = s.Prove(ctx, 7, c.ID, said.Proof)
	must(t, err)
	want(t, "Prove", c, said)
	cs, err = s.Claims(ctx, 7, 0, 10)
	must(t, err)
	want(t, "Claims", cs, []order.Claim{said, done})
	cs, err = s.Claims(ctx, 7, 0, 1)
	must(t, err)
	want(t, "Claims, one", cs, []order.Claim{said})
	cs, err = s.Claims(ctx, 7, said.ID, 1)
	must(t, err)
	want(t, "Claims, the second page", cs, []order.Claim{done})

	w.in(t, func(tx order.Tx) error {
		said.State, said.Rev = order.ClaimExpired, 3
		_, err := tx.SwapClaim(said, 2)
		return err
	})
	words := strings.Repeat("是我买的！", 100) // more than is kept
	c, err = s.Appeal(ctx, 7, other, words)
	must(t, err)
	wait := w.Now().Add(7 * 24 * time.Hour)
	said.State, said.Rev, said.Appeals, said.Note, said.Until, said.Next = order.ClaimAppealed, 4, 1, words[:498], wait, wait
	want(t, "Appeal", c, said)
}

func orderFailures(t *testing.T, w OrderWorld) {
	ctx, s := t.Context(), w.Service
	c, err := s.Claim(ctx, 7, number)
	must(t, err)
	proof := order.Proof{Paid: 1, Day: "2026-01-15"}
	for range 3 {
		must(t, errOf(s.Prove(ctx, 7, c.ID, proof)))
	}
	wantFailures(t,
		failure{"Claim of words", errOf(s.Claim(ctx, 7, "你好")), fault.Invalid, "claim.not_a_number"},
		failure{"Prove nothing", errOf(s.Prove(ctx, 7, c.ID, order.Proof{})), fault.Invalid, "claim.proof"},
		failure{"Prove without a day", errOf(s.Prove(ctx, 7, c.ID, order.Proof{Paid: 1})), fault.Invalid, "claim.proof"},
		failure{"Prove another's", errOf(s.Prove(ctx, 8, c.ID, proof)), fault.NotFound, "claim.none"},
		failure{"Prove too often", errOf(s.Prove(ctx, 7, c.ID, proof)), fault.Limited, "claim.proofs"},
		failure{"Appeal words", errOf(s.Appeal(ctx, 7, "你好", "")), fault.Invalid, "claim.not_a_number"},
		failure{"Appeal another's", errOf(s.Appeal(ctx, 8, number, "")), fault.NotFound, "claim.none"},
		failure{"Appeal what is open", errOf(s.Appeal(ctx, 7, number, "")), fault.Denied, "claim.no_appeal"},
	)
	for _, n := range []string{"300000000003", "300000000004", "300000000005", "300000000006"} {
		must(t, errOf(s.Claim(ctx, 7, n)))
	}
	wantFailures(t, failure{"Claim too fast", errOf(s.Claim(ctx, 7, "300000000007")), fault.Limited, "claim.too_fast"})
}

func membersTold(t *testing.T, w OrderWorld) {
	ctx, s := t.Context(), w.Service
	ms, err := s.Members(ctx, 7)
	must(t, err)
	want(t, "number of accounts of nobody", len(ms), 0)
	bound := order.Member{Network: link.Taobao, Tag: "member/2345678901", User: 7, At: w.Now()}
	m, err := s.BindMember(ctx, link.Taobao, bound.Tag, 7)
	must(t, err)
	full(t, bound)
	want(t, "BindMember", m, bound)
	w.Advance(time.Second)
	m, err = s.BindMember(ctx, link.Taobao, bound.Tag, 7)
	must(t, err)
	want(t, "BindMember again", m, bound)
	ms, err = s.Members(ctx, 7)
	must(t, err)
	want(t, "Members", ms, []order.Member{bound})
	until := w.Now().Add(time.Minute)
	must(t, s.SpendTicket(ctx, "ticket", until))
	wantFailures(t,
		failure{"BindMember of another's", errOf(s.BindMember(ctx, link.Taobao, bound.Tag, 8)), fault.Conflict, "member.taken"},
		failure{"BindMember of nothing", errOf(s.BindMember(ctx, link.Taobao, "", 8)), fault.Invalid, "member.malformed"},
		failure{"SpendTicket twice", s.SpendTicket(ctx, "ticket", until), fault.Conflict, "member.spent"},
		failure{"SpendTicket that has ended", s.SpendTicket(ctx, "other", w.Now()), fault.Invalid, "member.ended"},
	)
}
