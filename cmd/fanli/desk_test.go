package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanli/adapters/manual"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// TestABatchGoesOutAndComesBack: a person takes a file, pays, and gives back what
// came of it.
func TestABatchGoesOutAndComesBack(t *testing.T) {
	t.Parallel()
	dir, amount := withBooks(t)
	files := t.TempDir()
	out, in := filepath.Join(files, "out.csv"), filepath.Join(files, "in.csv")
	staff(t, dir, "batch", "--out", out).want(t, exitOK, "nothing waits to be paid by hand")
	staff(t, dir, "approve", "1").want(t, exitOK)
	sendByHand(t, dir)
	staff(t, dir, "batch").want(t, exitUsage, "--out")
	staff(t, dir, "batch", "--out", out, "--batch", "b1").want(t, exitOK, "batch b1: 1 payments", amount.Yuan(), "sha256 ")
	staff(t, dir, "batch", "--out", out, "--batch", "b1").want(t, exitFailed, "is there already")
	staff(t, dir, "batch", "--out", out+"2", "--batch", "b2").want(t, exitOK, "nothing waits")
	staff(t, dir, "batch", "--out", out+"3", "--batch", "b1").want(t, exitOK, "batch b1: 1 payments")
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(out + "3")
	if err != nil || string(again) != string(first) || !strings.Contains(string(first), "FW1,13800000000,") {
		t.Errorf("the same batch is another file, %v:\n%s\n%s", err, first, again)
	}
	if st, err := os.Stat(out); err != nil || st.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the file: %v, %v", st.Mode(), err)
	}
	write := func(text string) {
		if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("number,amount,result\nFW1,0.01,成功\n")
	staff(t, dir, "results", "--in", in, "--batch", "b1").want(t, exitUnsound, "0 settled now", "FW1: the amount is another one")
	write("number,amount,result\nFW1," + amount.String() + ",成功\n")
	staff(t, dir, "results", "--in", in, "--batch", "b1").want(t, exitOK, "1 lines, 1 settled now")
	staff(t, dir, "results", "--in", in).want(t, exitOK, "1 lines, 0 settled now")
	write("number,amount,result\nFW1," + amount.String() + ",失败\n")
	staff(t, dir, "results", "--in", in).want(t, exitUnsound, "it has ended otherwise here")
	staff(t, dir, "incidents").want(t, exitOK, "1  paid here, dead there")
	if got := pocket(t, dir, ledger.Payer(manual.Name)); got != amount {
		t.Errorf("the book says that %s of %s left", got, amount)
	}
	cli(t, "", nil, "audit", "--data", dir).want(t, exitOK, "the books are sound")
}

func TestSwitchesFromTheCommandLine(t *testing.T) {
	t.Parallel()
	dir, _ := withBooks(t)
	turn := func(args ...string) result {
		return cli(t, "", nil, append(append([]string{"switch"}, args...), "--data", dir)...)
	}
	turn("list").want(t, exitOK, "nothing is stopped")
	turn("on", "everything", "--why", "x").want(t, exitUsage, "payer/NAME")
	turn("on", "payouts").want(t, exitUsage, "--why")
	turn("on", "payouts", "--why", "the bank is down", "--text", "明天恢复", "--as", "wang").want(t, exitOK, "payouts", "stopped by cli:wang", "the bank is down", "明天恢复")
	staff(t, dir, "approve", "1").want(t, exitOK)
	sendByHand(t, dir)
	staff(t, dir).want(t, exitOK, "1  approved")
	turn("off", "payouts", "--why", "it is back").want(t, exitOK, "nothing is stopped")
}

func TestTwoPeopleFromTheCommandLine(t *testing.T) {
	t.Parallel()
	dir, _ := withBooks(t)
	config := filepath.Join(t.TempDir(), "fanli.yaml")
	if err := os.WriteFile(config, []byte("withdraw: {four_eyes: 1.00}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	approve := func(as string) result { return staff(t, dir, "approve", "1", "--as", as, "--config", config) }
	approve("wang").want(t, exitFailed, "the first approval is recorded")
	approve("wang").want(t, exitFailed, "cli:wang has approved it already")
	staff(t, dir).want(t, exitOK, "1  reviewing", "approved by cli:wang")
	approve("li").want(t, exitOK)
	staff(t, dir).want(t, exitOK, "1  approved")
}

// TestClaimsWithoutLinksAreSeenWhenMoneyLeaves: the risk of a withdrawal knows the
// user's orders, and says so where they could not be looked at.
func TestClaimsWithoutLinksAreSeenWhenMoneyLeaves(t *testing.T) {
	t.Parallel()
	w := newLittle(t).mustOpen()
	ctx := t.Context()
	u, _, err := w.app.users.Resolve(ctx, identityOf("ann"), "zh")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		number := fmt.Sprint(310000002001 + i)
		l, err := w.markets[link.JD].Buy(market.Click{Item: "100012043970"}, 1, func(int64) (string, string) { return number, "jd-" + number })
		if err == nil {
			err = w.markets[link.JD].Pay(l.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.advance(time.Minute)
		w.mustSettle()
		c, err := w.app.orders.Claim(ctx, u.ID, number)
		if err == nil {
			_, err = w.app.orders.DecideClaim(ctx, c.ID, true, actorCLI, "the receipt fits")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	signs := func() string {
		f, err := w.app.facts(ctx, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		f.Before, f.Sum, f.Amount = 1, 100, 100
		return fmt.Sprint(withdraw.Assess(f))
	}
	if got := signs(); !strings.Contains(got, "{risk.claims 25}") || strings.Contains(got, "unseen") {
		t.Errorf("three orders that were claimed without a link are judged %s", got)
	}
	w.app.ask.orders = noOrders{}
	if got := signs(); !strings.Contains(got, "{risk.orders_unseen 25}") {
		t.Errorf("orders that nobody can look at are judged %s", got)
	}
}

// noOrders is away.
type noOrders struct{ order.Service }

func (noOrders) OfUser(context.Context, int64, int64, int) ([]order.Line, error) {
	return nil, fault.New(fault.Unavailable, "order.away")
}
