package main

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"fanli/adapters/manual"
	"fanli/configs"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/reconcile"
	"fanli/core/withdraw"
)

// legends are the tales that are told with crashes: the loop with a return after
// the payout; people who invite, check in and claim; and the money's ways out and
// in, with staff.
func legends() []legend {
	return []legend{
		{name: "loop", steps: (*tale).steps, calls: 1, facts: 12},
		{name: "people", steps: (*tale).people, tune: generous, facts: 10},
		{name: "desk", steps: (*tale).desk, tune: generous, equip: byHand, calls: 1, facts: 20},
		{name: "kin", steps: (*tale).kin, tune: generous, equip: codesByHour, facts: 7},
	}
}

// generous gives inviters a part, and everybody something for coming.
func generous(c *configs.Config) {
	r := &c.Rebate
	r.Referral.First, r.Referral.Second = 1000, 500
	r.Budgets = map[string]configs.Budget{"fun": {}}
	r.CheckIn.Amount, r.CheckIn.Budget, r.WriteOff = 50, "fun", 10_000
}

// byHand makes a person the payer, from the day on which that is so.
func byHand(w *little, a *app) {
	if w.byHand {
		a.payouts.Payers = map[string]withdraw.Payer{"": manual.Payer{}}
		a.payouts.Retired = []withdraw.Payer{&hooked{w.bank, w}}
	}
}

// jobs lets time pass, once, and then everything happen that is due.
func (s *tale) jobs(after time.Duration) func() error {
	move := once(func() error { s.w.advance(after); return nil })
	return func() error {
		if err := move(); err != nil {
			return err
		}
		return s.w.settle()
	}
}

// jobsAt lets it become a time after the begin of the tale.
func (s *tale) jobsAt(after time.Duration) func() error {
	at := s.w.now().Add(after)
	return func() error {
		s.w.advance(max(0, at.Sub(s.w.now())))
		return s.w.settle()
	}
}

// untilTold lets minutes pass until somebody was told something.
func (s *tale) untilTold(who, what string) func() error {
	told := func() bool {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		return slices.ContainsFunc(s.w.told, func(t string) bool { return strings.HasPrefix(t, who) && strings.Contains(t, what) })
	}
	return func() error {
		for range 60 {
			if told() {
				return nil
			}
			s.w.advance(time.Minute)
			if err := s.w.settle(); err != nil {
				return err
			}
		}
		return fmt.Errorf("%s was never told %q", who, what)
	}
}

// asks says something and keeps what the answer has that is needed later.
func (s *tale) asks(who, id, text string, keep func(reply string)) func() error {
	return func() error {
		r := s.w.say(who, id, text)
		if err := s.answered(r); err != nil {
			return err
		}
		for _, b := range r.Buttons {
			if b.Copy != "" {
				keep(b.Copy)
			}
		}
		return nil
	}
}

// staff does what a command does, which staff gives again if there is no answer.
func (s *tale) staff(do func() error) func() error {
	return func() error {
		if err := do(); err != nil {
			return err
		}
		return s.w.point("answered")
	}
}

// settles receives and settles a line, once.
func (s *tale) settles(network, name string) func() error {
	m := s.w.markets[network]
	return once(func() error { return errors.Join(m.Receive(s.lines[name]), m.Settle(s.lines[name])) })
}

// stray buys what nobody has asked for.
func (s *tale) stray(name, number string) func() error {
	m := s.w.markets[link.JD]
	return once(func() error {
		l, err := m.Buy(market.Click{Item: "100012043970"}, 1, func(n int64) (string, string) { return number, fmt.Sprint("jd-", n) })
		if err == nil {
			err = m.Pay(l.ID)
		}
		s.lines[name] = l.ID
		return err
	})
}

// people is a tale of three who bring each other, check in, and find orders that
// nobody's link has led to: one on ice, one that two of them want.
func (s *tale) people() []stepOf {
	today := func(who, id string) func() error { return s.says(who, id, "2026-01-15") }
	code := func(text string) { s.last["code"] = text }
	come := func(who, id string) func() error {
		return func() error { return s.says(who, id, "开始 "+s.last["code"])() }
	}
	const first, second = "310000002001", "310000002002"
	price := money.Fen(4500).Yuan()[len("¥"):]
	return []stepOf{
		{"ann", s.asks("ann", "p1", "邀请", code)},
		{"bob", come("bob", "p2")},
		{"bob invites", s.asks("bob", "p3", "邀请", code)},
		{"eve", come("eve", "p4")},
		{"check in", s.says("eve", "p5", "签到")},
		{"kettle", s.buys("eve", "p6", link.JD, 1, "kettle")},
		{"strays", func() error { return errors.Join(s.stray("ice", first)(), s.stray("both", second)()) }},
		{"seen", s.jobs(time.Hour)},
		{"kettle settled", s.settles(link.JD, "kettle")},
		{"claim", s.says("bob", "p7", "找回 "+first)},
		{"paid", s.says("bob", "p8", price)},
		{"on", today("bob", "p9")},
		{"contest", s.says("ann", "p10", "找回 "+second)},
		{"ann paid", s.says("ann", "p11", price)},
		{"ann on", today("ann", "p12")},
		{"rival", s.jobs(time.Hour)},
		{"eve claims", s.says("eve", "p13", "找回 "+second)},
		{"eve paid", s.says("eve", "p14", price)},
		{"eve on", today("eve", "p15")},
		{"contested", s.jobs(time.Hour)},
		{"decided", s.staff(s.decides)},
		{"thawed", s.jobs(80 * time.Hour)},
		{"all settled", func() error { return errors.Join(s.settles(link.JD, "ice")(), s.settles(link.JD, "both")()) }},
		{"parts", s.jobs(time.Hour)},
	}
}

// decides grants the first of two claims.
func (s *tale) decides() error {
	a := s.w.app
	cs, err := a.orders.Claims(s.w.t.Context(), 1, 0, 9)
	if err != nil || len(cs) != 1 {
		return fmt.Errorf("%d claims, %w", len(cs), err)
	}
	_, err = a.orders.DecideClaim(s.w.t.Context(), cs[0].ID, true, actorCLI, "the receipt fits")
	return err
}

// desk is a tale of ways out and in: a payment that its payee confirms, two in a
// batch by hand of which one comes back, the networks' money, a day's seals, a
// month that is closed, goods returned after all that, and a debt given up.
func (s *tale) desk() []stepOf {
	w := s.w
	jd := w.markets[link.JD]
	withdraws := func(who, id string) []stepOf {
		return []stepOf{
			{who + " withdraws", func() error { s.ask = w.say(who, id, "提现"); return s.answered(s.ask) }},
			{who + " confirms", func() error { return s.answered(w.say(who, id+"c", confirmation(s.ask))) }},
		}
	}
	steps := []stepOf{
		{"kettle", s.buys("ann", "d1", link.JD, 1, "kettle")},
		{"seen", s.jobs(time.Hour)},
		{"settled", s.settles(link.JD, "kettle")},
		{"available", s.jobs(time.Hour)},
		{"payee", s.says("ann", "d2", "收款 13800000000 张三")},
		{"wary", once(func() error { w.bank.waits = true; return nil })},
	}
	steps = append(steps, withdraws("ann", "d3")...)
	steps = append(steps, []stepOf{
		{"confirming", s.jobs(time.Minute)},
		{"told to tap", s.untilTold("ann", "确认这一步")},
		{"tapped", once(func() error { w.bank.tap(); return nil })},
		{"paid", s.jobsAt(5 * time.Hour)},
		{"fan", s.buys("ann", "d4", link.JD, 3, "fan")},
		{"cup", s.buys("bob", "d5", link.JD, 2, "cup")},
		{"both seen", s.jobs(time.Hour)},
		{"both settled", func() error { return errors.Join(s.settles(link.JD, "fan")(), s.settles(link.JD, "cup")()) }},
		{"both available", s.jobs(time.Hour)},
		{"by hand", once(func() error { w.byHand = true; byHand(w, w.app); return nil })},
		{"bob's payee", s.says("bob", "d6", "收款 13900000000 李四")},
	}...)
	steps = append(steps, withdraws("ann", "d7")...)
	steps = append(steps, withdraws("bob", "d8")...)
	return append(steps, []stepOf{
		{"given to a person", s.jobs(time.Minute)},
		{"batch", s.staff(func() error { _, err := w.app.payouts.Batch(w.t.Context(), manual.Name, "b1", actorCLI); return err })},
		{"results", s.staff(s.results)},
		{"told", s.jobs(time.Hour)},
		{"night", s.jobs(30 * time.Hour)},
		{"sealed", s.staff(func() error { _, err := w.app.sealDays(w.t.Context()); return err })},
		{"network's money", s.staff(s.accepts)},
		{"bank's bill", s.staff(s.bill)},
		{"next month", s.jobs(20 * 24 * time.Hour)},
		{"closed", s.staff(s.closes)},
		{"returned", once(func() error {
			l, _ := jd.Line(s.lines["kettle"])
			return jd.Refund(l.ID, l.Price)
		})},
		{"debt", s.jobs(time.Hour)},
		{"forgiven", s.staff(func() error {
			_, err := w.app.treasurer.Forgive(w.t.Context(), credit.Forgiveness{Key: "forgive/1", User: 1, Amount: 1, By: actorCLI, Reason: "a gift"})
			return err
		})},
		{"end of it", s.jobs(time.Hour)},
	}...)
}

// results says what became of the batch: ann has her money, bob has not.
func (s *tale) results() error {
	ws, err := s.w.app.payouts.Batch(s.w.t.Context(), manual.Name, "b1", actorCLI)
	if err != nil || len(ws) != 2 {
		return fmt.Errorf("%d in the batch, %w", len(ws), err)
	}
	rs := []withdraw.Result{
		{Number: ws[0].Number, Amount: ws[0].Amount, Said: withdraw.Done},
		{Number: ws[1].Number, Amount: ws[1].Amount, Said: withdraw.Dead, Reason: "payout.no_such_account"},
	}
	_, diffs, err := s.w.app.payouts.Settle(s.w.t.Context(), manual.Name, "b1", rs, actorCLI)
	if err == nil && len(diffs) > 0 {
		err = fmt.Errorf("results differ: %+v", diffs)
	}
	return err
}

// january is the month of the tale.
func (s *tale) january() (*reconcile.Desk, reconcile.Period, error) {
	d := s.w.app.reconciliation()
	p, err := reconcile.ParsePeriod("2026-01", d.Zone)
	return d, p, err
}

// accepts takes the network's settlement. What it lists is what it owes.
func (s *tale) accepts() error {
	var rows []reconcile.Row
	var sum money.Fen
	for _, name := range []string{"cup", "fan", "kettle"} {
		l, _ := s.w.markets[link.JD].Line(s.lines[name])
		rows = append(rows, reconcile.Row{Number: len(rows) + 1, Key: l.ID, Sum: l.Commission})
		sum += l.Commission
	}
	s.w.received = map[string]money.Fen{link.JD: sum}
	return s.accept(reconcile.OfNetwork(link.JD, "main"), rows)
}

// bill takes the bank's bill.
func (s *tale) bill() error {
	var rows []reconcile.Row
	for number, amount := range s.w.bank.paid {
		rows = append(rows, reconcile.Row{Number: 1, Key: number, Sum: amount, State: string(withdraw.Paid)})
	}
	s.w.bank.billed = s.w.bank.sum()
	return s.accept(reconcile.OfPayer("bank"), rows)
}

func (s *tale) accept(of reconcile.Subject, rows []reconcile.Row) error {
	d, p, err := s.january()
	if err != nil {
		return err
	}
	var open []string
	_, _, err = d.Accept(s.w.t.Context(), of, p, actorCLI, func() iter.Seq2[reconcile.Row, error] {
		return func(yield func(reconcile.Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		}
	}, func(f reconcile.Finding) error {
		if f.Kind != reconcile.Matched {
			open = append(open, f.Key+": "+f.Words())
		}
		return nil
	})
	if err == nil && len(open) > 0 {
		err = fmt.Errorf("%s: %s", of, strings.Join(open, "; "))
	}
	return err
}

// closes closes the month; that it is closed already is what staff wanted. A
// process that died while it closed keeps the right to for a while, and staff waits.
func (s *tale) closes() error {
	d, p, err := s.january()
	if err != nil {
		return err
	}
	for range 5 {
		_, err = d.Close(s.w.t.Context(), p, actorCLI, "what is paid by hand has no bill")
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		months, lost := d.Store.Months(s.w.t.Context())
		if lost != nil {
			return lost
		}
		if slices.ContainsFunc(months, func(m reconcile.Month) bool { return m.Name == p.Name }) {
			return nil
		}
		s.w.advance(time.Minute)
	}
	return err
}
