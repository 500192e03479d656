package alipay_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/adapters/alipay"
	"fanli/adapters/alipay/alipayfake"
	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

func TestCollector(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, func(t *testing.T) collecttest.Subject {
		c, fake := open(t, func(c *alipay.Config) { c.NotifyURL = "https://fanli.example/alipay" })
		return collecttest.Subject{Collector: c.Collector(), Provider: fake, Now: clock()}
	})
}

var charge = collect.Charge{Number: "C7", Amount: 2000, Subject: "会员", Expires: clock().Add(time.Hour)}

// Nobody pays after a charge has expired, whether its code was opened or not.
func TestChargeExpires(t *testing.T) {
	t.Parallel()
	for _, opened := range []bool{true, false} {
		_, fake := open(t)
		now := clock()
		fake.SetNow(func() time.Time { return now })
		late, err := alipay.New(keys(t).Client(app, serve(t, fake)), nil, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := late.Collector().Create(t.Context(), charge); err != nil {
			t.Fatal(err)
		}
		want := collect.Absent
		if opened {
			if err := fake.Open(charge.Number); err != nil {
				t.Fatal(err)
			}
			want = collect.Closed
		}
		now = now.Add(time.Hour)
		if err := fake.Pay(charge.Number); err == nil {
			t.Errorf("opened %t: it was paid after all", opened)
		}
		if got, err := late.Collector().Query(t.Context(), charge.Number); err != nil || got.State != want {
			t.Errorf("opened %t: Query = %+v, %v; want %s", opened, got, err, want)
		}
	}
}

// What answers about charges mean, each signed.
func TestAnswersAboutCharges(t *testing.T) {
	t.Parallel()
	ok := func(more ...string) map[string]string {
		m := map[string]string{"code": "10000", "out_trade_no": "C7"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	no := func(code, sub string) map[string]string { return map[string]string{"code": code, "sub_code": sub} }
	tests := []struct {
		name string
		says map[string]string
		want collect.State
		code fault.Code
	}{
		{"paid", ok("trade_status", "TRADE_SUCCESS", "total_amount", "20.00"), collect.Paid, ""},
		{"finished", ok("trade_status", "TRADE_FINISHED", "total_amount", "20.00"), collect.Paid, ""},
		{"waiting", ok("trade_status", "WAIT_BUYER_PAY", "total_amount", "20.00"), collect.Open, ""},
		{"closed", ok("trade_status", "TRADE_CLOSED", "total_amount", "20.00"), collect.Closed, ""},
		{"unknown", no("40004", "ACQ.TRADE_NOT_EXIST"), collect.Absent, ""},
		{"unknown, with another code", no("20000", "ACQ.TRADE_NOT_EXIST"), "", fault.Unavailable},
		{"paid without an amount", ok("trade_status", "TRADE_SUCCESS"), "", fault.Unavailable},
		{"paid with half a fen", ok("trade_status", "TRADE_SUCCESS", "total_amount", "20.005"), "", fault.Unavailable},
		{"another number", ok("out_trade_no", "C8", "trade_status", "TRADE_SUCCESS", "total_amount", "20.00"), "", fault.Unavailable},
		{"a new state", ok("trade_status", "TRADE_PENDING"), "", fault.Unavailable},
		{"broken", no("40004", "ACQ.SYSTEM_ERROR"), "", fault.Unavailable},
		{"too often", no("40005", ""), "", fault.Limited},
		{"no right", no("40004", "ACQ.ACCESS_FORBIDDEN"), "", fault.Denied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, says(t, "alipay_trade_query_response", tt.says)).Collector()
			got, err := c.Query(t.Context(), "C7")
			if got.State != tt.want || fault.CodeOf(err) != tt.code {
				t.Errorf("Query = %+v, %v; want %q, %q", got, err, tt.want, tt.code)
			}
		})
	}
}

// A notice about a charge is no message about a transfer, nor the other way
// round, although Alipay has signed both.
func TestCallbacksAreNotMixedUp(t *testing.T) {
	t.Parallel()
	c, fake := open(t)
	if _, err := c.Collector().Create(t.Context(), charge); err != nil {
		t.Fatal(err)
	}
	var notices []string
	fake.OnNotice(func(form string) { notices = append(notices, form) })
	if err := fake.Pay(charge.Number); err != nil {
		t.Fatal(err)
	}
	if len(notices) != 1 {
		t.Fatalf("%d notices", len(notices))
	}
	if number, err := hear(t, c.Collector(), notices[0]); err != nil || number != charge.Number {
		t.Errorf("Hear = %q, %v", number, err)
	}
	if number, err := hear(t, c, notices[0]); err == nil {
		t.Errorf("a transfer was heard of: %q", number)
	}
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	if number, err := hear(t, c.Collector(), fake.Message(payment.Number, false)); err == nil {
		t.Errorf("a charge was heard of: %q", number)
	}
	for name, change := range map[string]func(url.Values){
		"an old one":                    func(f url.Values) { f.Set("notify_time", "2026-11-01 12:00:00") },
		"one without a time":            func(f url.Values) { f.Del("notify_time") },
		"one for somebody else":         func(f url.Values) { f.Set("app_id", "2021000000000002") },
		"one of another kind":           func(f url.Values) { f.Set("notify_type", "dut_user_sign") },
		"one with a number not of ours": func(f url.Values) { f.Set("out_trade_no", "C-7") },
	} {
		form, err := url.ParseQuery(notices[0])
		if err != nil {
			t.Fatal(err)
		}
		change(form)
		if number, err := hear(t, c.Collector(), fake.Sign(form).Encode()); err == nil {
			t.Errorf("%s was heard: %q", name, number)
		}
	}
	var _ withdraw.Hearer = c.Collector()
	again := alipayfake.New(alipayfake.Config{App: app, Keys: keys(t), Now: clock})
	if err := again.Restore(fake.Snapshot()); err != nil || again.Balance(charge.Number) != 2000 {
		t.Errorf("%v; %s are there after a restart", err, again.Balance(charge.Number))
	}
}

// The log of a day has what was paid and given back on it, without fees and
// transfers.
func TestCollectorsBill(t *testing.T) {
	t.Parallel()
	_, fake := open(t)
	now := clock()
	fake.SetNow(func() time.Time { return now })
	c, err := alipay.New(keys(t).Client(app, serve(t, fake)), nil, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	k := c.Collector()
	for _, n := range []string{"C7", "C8"} {
		one := charge
		one.Number = n
		if _, err := k.Create(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := fake.Pay(n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Refund(t.Context(), collect.Refund{Charge: "C7", Number: "C7R", Amount: charge.Amount}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Bill(t.Context(), now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("on the same day: %v", err)
	}
	now = now.Add(24 * time.Hour)
	lines, err := k.Bill(t.Context(), clock())
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprint(l.Charge, " ", l.Amount, " ", l.Fee, " ", l.Back, " ", l.At.Equal(clock())))
	}
	if want := "C7 20.00 0.01 false true; C7 20.00 0.00 true true; C8 20.00 0.01 false true"; err != nil || strings.Join(got, "; ") != want {
		t.Errorf("\n got %s, %v\nwant %s", strings.Join(got, "; "), err, want)
	}
}
