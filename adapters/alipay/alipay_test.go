package alipay_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/alipay"
	"fanli/adapters/alipay/alipayfake"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

const app = "2021000000000001"

// 20:00 in Beijing.
func clock() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// shared makes one set of certificates for all tests: they take a moment.
var shared = sync.OnceValues(func() (*alipayfake.Keys, error) { return alipayfake.NewKeys(clock()) })

func keys(t *testing.T) *alipayfake.Keys {
	t.Helper()
	k, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// serve puts a handler on the wire and returns its address.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return srv.URL
}

// client makes a client of a gateway's address.
func client(t *testing.T, gateway string, with ...func(*alipay.Config)) *alipay.Client {
	t.Helper()
	cfg := keys(t).Client(app, gateway)
	for _, f := range with {
		f(&cfg)
	}
	c, err := alipay.New(cfg, nil, clock)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open returns a client and the gateway that it talks to.
func open(t *testing.T, with ...func(*alipay.Config)) (*alipay.Client, *alipayfake.Fake) {
	t.Helper()
	fake := alipayfake.New(alipayfake.Config{App: app, Keys: keys(t), Now: clock, PageMax: 3})
	return client(t, serve(t, http.StripPrefix("/fake", fake))+"/fake/gateway.do", with...), fake
}

var payment = withdraw.Payment{
	Number: "FW7", Amount: 1234, Payee: user.Payee{Method: "alipay", Account: "13800138000", Name: "张三"}, Note: "返利提现 FW7",
}

func TestPayer(t *testing.T) {
	t.Parallel()
	forms := map[string]func(*alipay.Config){
		"plain": func(*alipay.Config) {},
		"with a scene": func(c *alipay.Config) {
			c.SceneName, c.ShowAlias, c.Remark = "佣金报酬", true, "返利"
			c.SceneReport = []alipay.Report{{Type: "佣金报酬说明", Content: "购物返利 & <more>"}}
		},
		"by user id": func(c *alipay.Config) { c.IdentityType = "ALIPAY_USER_ID" },
	}
	for name, with := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := keys(t).Client(app, "").PrivateKey
			payertest.Run(t, func(t *testing.T) payertest.Subject {
				c, fake := open(t, with)
				return payertest.Subject{Payer: c, Provider: fake, Secret: strings.Split(secret, "\n")[1]}
			})
		})
	}
}

// What the payee reads, and whom it is for, arrives as it was asked for.
func TestTransferSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	c, fake := open(t, func(c *alipay.Config) { c.Title = "返利" })
	o, err := c.Send(t.Context(), payment)
	if err != nil || o.Verdict != withdraw.Done || o.Receipt == "" {
		t.Fatalf("Send = %+v, %v", o, err)
	}
	got := fake.Transfers()[0]
	want := alipayfake.Transfer{
		Number: "FW7", Amount: 1234, Kind: "ALIPAY_LOGON_ID", Identity: "13800138000", Name: "张三", Title: "返利", Remark: "返利提现 FW7",
		Order: o.Receipt, State: alipayfake.Success, At: clock(), Decided: clock(),
	}
	if got != want {
		t.Errorf("booked %+v\nwant %+v", got, want)
	}
	if o, err := c.Query(t.Context(), "FW7"); err != nil || o.Receipt != got.Order {
		t.Errorf("Query = %+v, %v", o, err)
	}
}

// What would be a defect of ours never reaches the gateway.
func TestOddPaymentsAreNotSent(t *testing.T) {
	t.Parallel()
	with := func(f func(p *withdraw.Payment)) withdraw.Payment { p := payment; f(&p); return p }
	tests := []struct {
		name string
		p    withdraw.Payment
		want withdraw.Verdict
	}{
		{"another method", with(func(p *withdraw.Payment) { p.Payee.Method = "wechat" }), withdraw.Barred},
		{"a number with a dash", with(func(p *withdraw.Payment) { p.Number = "FW-7" }), withdraw.Barred},
		{"no number", with(func(p *withdraw.Payment) { p.Number = "" }), withdraw.Barred},
		{"too little", with(func(p *withdraw.Payment) { p.Amount = 9 }), withdraw.Dead},
		{"the least", with(func(p *withdraw.Payment) { p.Amount = 10 }), withdraw.Done},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, fake := open(t)
			o, err := c.Send(t.Context(), tt.p)
			if err != nil || o.Verdict != tt.want {
				t.Errorf("Send = %+v, %v; want %s", o, err, tt.want)
			}
			if sent := len(fake.Calls()) > 0; sent != (tt.want == withdraw.Done) {
				t.Errorf("sent: %t", sent)
			}
		})
	}
}

// Something that was lost in the gateway itself is found again by a query, and
// repeated without a second payment.
func TestGatewayThatStumbles(t *testing.T) {
	t.Parallel()
	for _, way := range []string{alipayfake.SystemError, alipayfake.Broken, alipayfake.Bare} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			c, fake := open(t)
			fake.Fail(way)
			if o, err := c.Send(t.Context(), payment); err == nil && o.Verdict != withdraw.Unclear {
				t.Errorf("Send = %+v, want unclear", o)
			}
			if way == alipayfake.Bare {
				fake.Fail("")
			}
			for name, call := range map[string]func() (withdraw.Outcome, error){
				"Query": func() (withdraw.Outcome, error) { return c.Query(t.Context(), payment.Number) },
				"Send":  func() (withdraw.Outcome, error) { return c.Send(t.Context(), payment) },
			} {
				if o, err := call(); err != nil || o.Verdict != withdraw.Done {
					t.Errorf("%s afterwards = %+v, %v; want done", name, o, err)
				}
			}
			if left := fake.Paid(payment.Number); len(left) != 1 {
				t.Errorf("%v left", left)
			}
		})
	}
}

// Money that came back after all is not called paid.
func TestReturnedIsDead(t *testing.T) {
	t.Parallel()
	c, fake := open(t)
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	if err := fake.Return(payment.Number); err != nil {
		t.Fatal(err)
	}
	if o, err := c.Query(t.Context(), payment.Number); err != nil || o.Verdict != withdraw.Dead || o.Reason != "payout.came_back" {
		t.Errorf("Query = %+v, %v", o, err)
	}
}

// An empty account is not the payee's fault: the same number is sent again later.
func TestShortThenTopUp(t *testing.T) {
	t.Parallel()
	c, fake := open(t, func(c *alipay.Config) { c.UserID = "2088000000000001" })
	fake.SetBalance(1000)
	if o, err := c.Send(t.Context(), payment); err != nil || o.Verdict != withdraw.Short {
		t.Fatalf("Send = %+v, %v", o, err)
	}
	if b, err := c.Balance(t.Context()); err != nil || b != 1000 {
		t.Errorf("Balance = %v, %v", b, err)
	}
	fake.SetBalance(2000)
	if o, err := c.Send(t.Context(), payment); err != nil || o.Verdict != withdraw.Done {
		t.Fatalf("Send = %+v, %v", o, err)
	}
	if b, err := c.Balance(t.Context()); err != nil || b != 766 {
		t.Errorf("Balance = %v, %v", b, err)
	}
	fake.Fail(alipayfake.Denied)
	if _, err := c.Balance(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a gateway that refuses us: %v", err)
	}
	without, _ := open(t)
	if _, err := without.Balance(t.Context()); !fault.Is(err, fault.Invalid) {
		t.Errorf("Balance without a user id: %v", err)
	}
}

// The log of a day has the day's transfers in both directions, over all pages,
// and nothing else.
func TestBill(t *testing.T) {
	t.Parallel()
	c, fake := open(t)
	for _, n := range []string{"FW1", "FW2", "FW3", "FW4"} {
		p := payment
		p.Number = n
		if _, err := c.Send(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := fake.Return("FW2"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Bill(t.Context(), clock()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the bill of a day that is not over: %v", err)
	}
	later, err := alipay.New(keys(t).Client(app, serve(t, fake)), nil, func() time.Time { return clock().Add(5*time.Hour + time.Minute) })
	if err != nil {
		t.Fatal(err)
	}
	// The gateway refuses a clock that is five hours off; its own has moved, too.
	fake.SetNow(func() time.Time { return clock().Add(5*time.Hour + time.Minute) })
	lines, err := later.Bill(t.Context(), clock())
	if err != nil {
		t.Fatal(err)
	}
	var out, back []string
	for _, l := range lines {
		if l.Amount != 1234 || l.Receipt == "" || !l.At.Equal(clock()) {
			t.Errorf("line %+v", l)
		}
		if l.Paid {
			out = append(out, l.Number)
		} else {
			back = append(back, l.Number)
		}
	}
	if strings.Join(out, " ") != "FW1 FW2 FW3 FW4" || strings.Join(back, " ") != "FW2" {
		t.Errorf("out %v, back %v", out, back)
	}
	if lines, err := later.Bill(t.Context(), clock().AddDate(0, 0, -1)); err != nil || len(lines) != 0 {
		t.Errorf("the day before: %v, %v", lines, err)
	}
	fake.Fail(alipayfake.Unsigned)
	if _, err := later.Bill(t.Context(), clock()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a bill without a signature: %v", err)
	}
}

// The gateway's book survives a restart.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	c, fake := open(t)
	fake.Mode(alipayfake.Holds)
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	again := alipayfake.New(alipayfake.Config{App: app, Keys: keys(t), Now: clock})
	if err := again.Restore(fake.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if err := again.Decide(payment.Number, true); err != nil {
		t.Fatal(err)
	}
	if left := again.Paid(payment.Number); len(left) != 1 || left[0] != money.Fen(1234) {
		t.Errorf("%v left", left)
	}
	if err := again.Decide(payment.Number, false); !fault.Is(err, fault.Conflict) {
		t.Errorf("deciding twice: %v", err)
	}
	if err := again.Decide("FW404", true); !fault.Is(err, fault.NotFound) {
		t.Errorf("deciding nothing: %v", err)
	}
	if err := again.Restore([]byte("{")); !fault.Is(err, fault.Invalid) {
		t.Errorf("restoring half a book: %v", err)
	}
	if fake.Fail("no such way") {
		t.Error("Fail takes a way that it does not know")
	}
}
