package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanli/adapters/sandbox"
	"fanli/adapters/store"
	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/reconcile"
)

// settled makes an order that lost its mark go through to its settlement.
func (s *shopfront) settled(network, item string) string {
	s.t.Helper()
	l, err := s.world.Stray(network, item)
	if err == nil {
		err = errors.Join(s.world.Do(network, l.ID, sandbox.Receive, 0), s.world.Do(network, l.ID, sandbox.Settle, 0))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return l.ID
}

// noon is a time with little before it in its month: some networks are asked from the
// beginning of the month before on.
func noon() time.Time { return time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC) }

// later lets time pass and all jobs run.
func (s *shopfront) later(d time.Duration) {
	s.t.Helper()
	if err := errors.Join(s.world.Advance(d), s.app.settleDown(s.t.Context())); err != nil {
		s.t.Fatal(err)
	}
}

// reconciled runs a comparison as its command does, and returns what it says.
func (s *shopfront) reconciled(c comparing, subject reconcile.Subject, name, period string, ask func(*comparing, stdio) (asker, error), open bool) string {
	s.t.Helper()
	var out bytes.Buffer
	std := stdio{out: &out, err: &out}
	var a asker
	var err error
	if ask != nil {
		a, err = ask(&c, std)
	}
	if err == nil {
		err = c.run(s.t.Context(), std, s.app.reconciliation(), subject, name, period, a)
	}
	var exit exitError
	if got := errors.As(err, &exit) && exit.code == exitUnsound; err != nil && !got || got != open {
		s.t.Errorf("%s: %v, want it open: %t\n%s", subject, err, open, out.String())
	}
	return out.String()
}

// accounts are the balances of the ledger.
func (s *shopfront) accounts() map[ledger.Account]money.Fen {
	s.t.Helper()
	all, err := s.app.db.Ledger().Accounts(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *shopfront) wantSaid(text string, parts ...string) {
	s.t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			s.t.Errorf("%q is not in\n%s", p, text)
		}
	}
}

// A told story of one network.
type askedNet struct {
	s                          *shopfront
	network, item              string
	same, other, missing, keep string
}

// begin settles two lines, and has a third in our book that the network does not know.
func (n *askedNet) begin(t *testing.T) {
	shop, _ := n.s.world.Shop(n.network)
	n.item, n.keep = shop.Market.Shelf()[0].ID, filepath.Join(t.TempDir(), "said.csv")
	n.same, n.other = n.s.settled(n.network, n.item), n.s.settled(n.network, n.item)
	now := n.s.world.Now()
	ghost, err := n.s.app.orders.Apply(t.Context(), order.Page{Revisions: []order.Revision{{
		Key: order.Key{Network: n.network, Account: "main", ID: "9-ghost"}, Aspect: order.Whole, Order: "9", Item: n.item, State: order.Settled,
		Price: 10000, Actual: 500, ActualKnown: true, Created: now, SettledAt: now, Modified: now,
	}}}, nil)
	if err != nil || ghost != 1 {
		t.Fatalf("%d, %v", ghost, err)
	}
}

// goesOn gives something of a line back, and settles another one, unseen by us.
func (n *askedNet) goesOn(t *testing.T) {
	if err := n.s.world.Do(n.network, n.other, sandbox.Refund, 100); err != nil {
		t.Fatal(err)
	}
	n.missing = n.s.settled(n.network, n.item)
}

// compare asks, or reads what was kept, and wants parts to be said.
func (n *askedNet) compare(c comparing, parts ...string) {
	c.account = "main"
	ask := func(c *comparing, std stdio) (asker, error) { return c.askNetwork(std, n.s.app, n.network) }
	if c.file != "" {
		ask = nil
	}
	day := n.s.world.Now().In(n.s.app.cfg.Location()).Format(time.DateOnly)
	got := n.s.reconciled(c, reconcile.OfNetwork(n.network, "main"), n.network, day, ask, true)
	n.s.wantSaid(got, append(parts, "missing-there 9-ghost")...)
}

// Each network is asked, over its own wire, what it has settled: one line is
// different there, one is missing here, one is missing there. What it said can be
// accepted from the file that was kept.
func TestNetworksAreAskedWhatTheyHaveSettled(t *testing.T) {
	t.Parallel()
	s := openShopfrontAt(t, noon, nil)
	var all []*askedNet
	for _, network := range []string{"taobao", "jd", "pdd"} {
		n := &askedNet{s: s, network: network}
		n.begin(t)
		all = append(all, n)
	}
	s.later(20 * time.Minute)
	for _, n := range all {
		n.goesOn(t)
	}
	if err := s.world.Advance(20 * time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		n.compare(comparing{}, "missing-here  "+n.missing, "differs       "+n.other, "matched              1", "3 rows")
	}
	if err := s.app.settleDown(t.Context()); err != nil { // following brings what was missing here
		t.Fatal(err)
	}
	for _, n := range all {
		n.compare(comparing{keep: n.keep}, "matched              3")
		if b, err := os.ReadFile(n.keep); err != nil || !strings.Contains(string(b), n.same) {
			t.Errorf("%v, %s", err, b)
		}
		n.compare(comparing{file: n.keep, accept: true}, "matched              3", "entered in the ledger: ")
		if b := s.accounts()[ledger.Network(n.network)]; b != -500 {
			t.Errorf("what is left open at %s is %s; want that of the line that it does not know", n.network, b)
		}
	}
	if rep, err := s.app.prove(t.Context()); err != nil || !rep.OK() {
		t.Errorf("%+v, %v", rep, err)
	}
}

// What people have paid is held against the collector's bill, asked for over its
// wire, until nothing is left in its account; top-ups are entered once.
func TestCollectorsBillIsAskedFor(t *testing.T) {
	t.Parallel()
	s := openShopfrontAt(t, noon, nil)
	pay := func(text, id string) collect.Due {
		s.request("POST", s.say(id, text).Cards[0].Buttons[0].URL)
		dues, err := s.app.dues.Store.Newest(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		s.until(dues[0].ID, collect.Received)
		return dues[0]
	}
	first := pay("会员 1", "1")
	second := pay("会员 2", "2")
	top, err := s.app.dues.Ask(t.Context(), collect.Request{Key: "topup/1", Purpose: collect.TopUp, Amount: 500_00, Subject: "充值"})
	if err != nil {
		t.Fatal(err)
	}
	s.request("POST", top.Code)
	s.until(top.ID, collect.Received)
	if _, err := s.app.dues.Refund(t.Context(), second.ID, "cli", "goodwill"); err != nil {
		t.Fatal(err)
	}
	s.until(second.ID, collect.Refunded)
	// In the collector's console, somebody gives back what we believe to be ours.
	day := s.world.Now().In(s.app.cfg.Location()).Format(time.DateOnly)
	if _, err := s.app.dues.Collectors[0].Refund(t.Context(), collect.Refund{Charge: first.Number, Number: collect.RefundNumber(first.Number), Amount: first.Amount}); err != nil {
		t.Fatal(err)
	}
	if err := s.world.Advance(24 * time.Hour); err != nil {
		t.Fatal(err)
	}

	ask := func(*comparing, stdio) (asker, error) {
		return askCollector(s.app.dues.CollectorNamed("alipay").(collect.Biller)), nil
	}
	subject := reconcile.OfCollector("alipay")
	c := comparing{trade: true, accept: true}
	got := s.reconciled(c, subject, "alipay", day, ask, true)
	s.wantSaid(got, "differs       "+collect.RefundNumber(first.Number), "sum: they have -9.90, we have 0.00 (-9.90)", "matched              4", "entered in the ledger: 9.90")
	before := s.accounts()
	if before[ledger.Collector("alipay")] != 0 || before[ledger.Bank] != -509_87 || before[ledger.Fees] != -3 { // it keeps a fen of each
		t.Errorf("%v", before)
	}
	s.wantSaid(s.reconciled(c, subject, "alipay", day, ask, true), "entered in the ledger: 0.00")
	if after := s.accounts(); !maps.Equal(before, after) {
		t.Errorf("accepting again: %v, was %v", after, before)
	}
	month, err := reconcile.ParsePeriod(day[:len("2006-01")], s.app.cfg.Location())
	if err != nil {
		t.Fatal(err)
	}
	standings, err := s.app.reconciliation().Stand(t.Context(), month)
	if err != nil || len(standings) != 1 || standings[0].Subject != subject || standings[0].Count != 4 || standings[0].Open != 0 || standings[0].Strays != 1 {
		t.Errorf("%+v, %v", standings, err)
	}
	if _, err := s.app.reconciliation().Close(t.Context(), month, "cli", ""); err == nil {
		t.Error("the month was closed although the bill has a refund that we know nothing of")
	}
	if rep, err := s.app.prove(t.Context()); err != nil || !rep.OK() {
		t.Errorf("%+v, %v", rep, err)
	}
}

// A wechatTill is a till that is called as WeChat Pay.
type wechatTill struct{ *collecttest.Till }

func (wechatTill) Name() string { return "wechatpay" }

// tradeBill writes a trade bill as WeChat's console gives it out.
func tradeBill(t *testing.T, dir string, rows []string) string {
	t.Helper()
	path := filepath.Join(dir, "trades.csv")
	text := "\ufeff交易时间,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款状态,手续费,订单金额,申请退款金额\n" + strings.Join(rows, "") +
		"总交易单数,应结订单总金额,退款总金额\n`1,`9.90,`9.90\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReconcileCollector holds a file against charges and refunds until the
// collector's account is at zero and the month can be closed.
func TestReconcileCollector(t *testing.T) {
	t.Parallel()
	dir := memoryDir(t)
	at := monthOf(t, settledMonth+"-03").From.Add(9 * time.Hour)
	const charges = 40
	paid := func(i int) string {
		return fmt.Sprintf("`%s-03 09:00:00,`42,`FC%d,`SUCCESS,`9.90,`,`,`0.00,`,`0.06,`9.90,`0.00\n", settledMonth, i)
	}
	back := func(i int) string {
		return fmt.Sprintf("`%s-03 09:00:00,`42,`FC%d,`REFUND,`0.00,`503,`FC%dR,`9.90,`SUCCESS,`-0.06,`0.00,`9.90\n", settledMonth, i, i)
	}
	inBooks(t, dir, func(db *store.DB) {
		till := wechatTill{collecttest.NewTill(func() time.Time { return at })}
		desk := &collect.Desk{Store: db.Charges(), Collectors: []collect.Collector{till}, Prefix: "F", Lasts: time.Hour, Now: func() time.Time { return at }}
		for i := range charges {
			d, err := desk.Ask(t.Context(), collect.Request{Key: fmt.Sprint(i), Purpose: collect.Membership, User: int64(i + 1), What: "level/1/30", Amount: 990, Subject: "会员"})
			if err == nil {
				err = till.Pay(d.Number)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(time.Minute)
		run := func() {
			if n, err := desk.Run(t.Context()); n == 0 || err != nil {
				t.Fatal(n, err)
			}
		}
		run()
		for _, id := range []int64{1, 2, 3} {
			if _, err := desk.Refund(t.Context(), id, "ann", "goodwill"); err != nil {
				t.Fatal(err)
			}
		}
		run()
	})
	var sound, odd []string
	for i := range charges {
		n := i + 1
		sound = append(sound, paid(n))
		switch n {
		case 2: // given back here, and not there
			odd = append(odd, paid(n))
			sound = append(sound, back(n))
			continue
		case 10:
			odd = append(odd, strings.ReplaceAll(paid(n), "9.90", "9.91"))
			continue
		case 11: // missing there
			continue
		case 12: // unknown here
			odd = append(odd, strings.ReplaceAll(paid(n), "FC12,", "FX12,"), paid(n))
			continue
		case 13:
			odd = append(odd, paid(n), back(n)) // given back there, and not here
			continue
		case 14:
			odd = append(odd, strings.ReplaceAll(paid(n), "SUCCESS", "USERPAYING"))
			continue
		}
		odd = append(odd, paid(n))
		if n <= 3 {
			odd, sound = append(odd, back(n)), append(sound, back(n))
		}
	}
	args := []string{"reconcile", "collector", "wechatpay", settledMonth + "-03", "--data", dir, "--accept", "--file"}
	r := cli(t, "", nil, append(args, tradeBill(t, dir, odd))...)
	r.want(t, exitUnsound, "missing-there FC2R", "they have 9.91, we have 9.90 (+0.01)", "missing-there FC11", "missing-here  FX12", "differs       FC13R", "missing-there FC14",
		`the state "USERPAYING" is not known`, "matched             39")
	cli(t, "", nil, "close", settledMonth, "--data", dir).want(t, exitFailed, "differences")
	cli(t, "", nil, append(args, tradeBill(t, dir, sound))...).want(t, exitOK, "matched             43")
	if b := balances(t, dir); b[ledger.Collector("wechatpay")] != "0.00" || b[ledger.Bank] != "-364.08" || b[ledger.Fees] != "-2.22" { // 0.06 of each that stayed
		t.Errorf("collector %s, bank %s, fees %s", b[ledger.Collector("wechatpay")], b[ledger.Bank], b[ledger.Fees])
	}
	cli(t, "", nil, "close", settledMonth, "--data", dir).want(t, exitOK, "collector/wechatpay", "open differences: 0")
	cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "the books are sound")
}
