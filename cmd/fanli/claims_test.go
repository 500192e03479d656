package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanli/core/audit"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/order"
)

// Two people claim what a stranger bought; the list shows what each said beside
// what is so, and the decision moves the money.
func TestClaimsAreDecidedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newLittle(t).mustOpen()
	ctx := t.Context()
	l, err := w.markets[link.JD].Buy(market.Click{Item: "100012043970"}, 1, func(int64) (string, string) { return "310000002001", "jd-1" })
	if err == nil {
		err = w.markets[link.JD].Pay(l.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.advance(time.Minute)
	w.mustSettle()
	day := w.now().Format("2006-01-02")
	for i, who := range []string{"ann", "bob"} {
		u, _, err := w.app.users.Resolve(ctx, identityOf(who), "zh")
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.app.orders.Claim(ctx, u.ID, "310000002001")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.app.orders.Prove(ctx, u.ID, c.ID, order.Proof{Paid: l.Price, Day: day}); err != nil {
			t.Fatalf("claim %d: %v", i, err)
		}
	}
	w.mustSettle()
	var out strings.Builder
	std := stdio{out: &out}
	if err := w.app.listClaims(ctx, std); err != nil {
		t.Fatal(err)
	}
	said := "says: paid " + l.Price.Yuan() + " on " + day
	if strings.Count(out.String(), "contested") != 2 || strings.Count(out.String(), said) != 2 {
		t.Errorf("the list is\n%s", out.String())
	}
	cs, err := w.app.orders.Staffed(ctx, 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.app.orders.DecideClaim(ctx, cs[0].ID, true, actorCLI, "the receipt fits"); err != nil {
		t.Fatal(err)
	}
	w.mustSettle()
	wallet, err := w.app.purse.Wallet(ctx, cs[0].User)
	if err != nil || wallet.Pending == 0 {
		t.Errorf("the claimant has %+v, %v", wallet, err)
	}
	out.Reset()
	if err := w.app.listClaims(ctx, std); err != nil || out.String() != "nothing waits\n" {
		t.Errorf("%v\n%s", err, out.String())
	}
	acts, err := w.app.db.Acts().Acts(ctx, audit.Filter{What: "claim.granted", Count: 10})
	if err != nil || len(acts) != 1 || acts[0].Actor != actorCLI || acts[0].Reason != "the receipt fits" || acts[0].On != fmt.Sprintf("claim/%d", cs[0].ID) {
		t.Errorf("the record of acts has %+v, %v", acts, err)
	}
	w.wantSound()
}
