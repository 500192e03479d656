package main

import (
	"testing"
	"time"

	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
)

// A story is the same for one process and for several: somebody buys at three
// networks, gets the money, and gives one thing back.
type story struct {
	t     *testing.T
	out   *outside
	books *books
	me    *caller
	lines map[string]market.Line
}

// calm waits until a condition of the books holds.
func (a *story) calm(what string, holds func(accounts map[ledger.Account]money.Fen) bool) {
	a.t.Helper()
	from := time.Now()
	for {
		accounts, err := a.books.db.Ledger().Accounts(a.t.Context())
		if err == nil && a.books.unsettled(a.t, a.out) == "" && holds(accounts) {
			return
		}
		if time.Since(from) > patience {
			a.t.Fatalf("%s: %v, %v; %s", what, accounts, err, a.books.unsettled(a.t, a.out))
		}
		time.Sleep(20 * time.Millisecond) // other processes are at work
	}
}

// allIn is what the buyer has in one.
func allIn(accounts map[ledger.Account]money.Fen, kind ledger.Pocket) (sum money.Fen) {
	for name, n := range accounts {
		if _, k, ok := name.Owner(); ok && k == kind {
			sum += n
		}
	}
	return sum
}

// tell plays it.
func (a *story) tell() {
	a.t.Helper()
	a.me.mustAsk(a.t, "你好")
	a.me.mustAsk(a.t, "收款 13800000001 张三")
	a.lines = map[string]market.Line{}
	var all money.Fen
	for _, n := range []struct{ network, text string }{
		{link.JD, "看看这个 https://item.jd.com/100012043978.html 怎么样"},
		{link.Taobao, "https://item.taobao.com/item.htm?id=678901234502"},
		{link.PDD, "https://mobile.yangkeduo.com/goods.html?goods_id=445566778803"},
	} {
		_, l, err := a.out.world.Buy(shopLink(a.me.mustAsk(a.t, n.text)), 1)
		if err != nil {
			a.t.Fatal(err)
		}
		a.lines[n.network] = l
		all += l.Commission.Share(7000)
		a.calm("bought at "+n.network, func(m map[ledger.Account]money.Fen) bool { return allIn(m, ledger.Pending) == all })
	}
	var settled money.Fen
	for _, network := range []string{link.JD, link.Taobao, link.PDD} {
		shop, _ := a.out.world.Shop(network)
		id := a.lines[network].ID
		if err := shop.Market.Receive(id); err != nil {
			a.t.Fatal(err)
		}
		if err := shop.Market.Settle(id); err != nil {
			a.t.Fatal(err)
		}
		settled += a.lines[network].Commission.Share(7000)
		a.calm("settled at "+network, func(m map[ledger.Account]money.Fen) bool { return allIn(m, ledger.Available) == settled })
	}
	word := confirmation(a.me.mustAsk(a.t, "提现"))
	if word == "" {
		a.t.Fatal("there is nothing to confirm")
	}
	a.me.mustAsk(a.t, word)
	a.calm("paid out", func(m map[ledger.Account]money.Fen) bool {
		return allIn(m, ledger.Available)+allIn(m, ledger.Reserved) == 0
	})
	shop, _ := a.out.world.Shop(link.JD)
	jd := a.lines[link.JD]
	if err := shop.Market.Refund(jd.ID, jd.Price); err != nil {
		a.t.Fatal(err)
	}
	owes := jd.Commission.Share(7000)
	a.calm("given back", func(m map[ledger.Account]money.Fen) bool { return allIn(m, ledger.Debt) == -owes })
	a.me.mustAsk(a.t, "余额")
}
