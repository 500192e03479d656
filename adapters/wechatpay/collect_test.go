package wechatpay_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/core/collect"
	"fanli/core/collect/collecttest"
	"fanli/core/fault"
)

const collectNotify = "https://pay.example.com/pay/charge/wechatpay"

func collecting(c *wechatpay.Config) { c.CollectNotifyURL = collectNotify }

func TestCollector(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{wechatpay.PublicKeyMode, wechatpay.CertificateMode} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			collecttest.Run(t, func(t *testing.T) collecttest.Subject {
				w := open(t, mode, collecting)
				return collecttest.Subject{Collector: w.Collector(), Provider: w.fake, Now: clock()}
			})
		})
	}
}

var charge = collect.Charge{Number: "C7", Amount: 2000, Subject: "会员", Expires: clock().Add(time.Hour)}

// Nobody pays after a charge has expired, and WeChat says so.
func TestChargeExpires(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode, collecting)
	if _, err := w.Collector().Create(t.Context(), charge); err != nil {
		t.Fatal(err)
	}
	w.sleep(time.Hour)
	if err := w.fake.Pay(charge.Number); err == nil {
		t.Error("it was paid after all")
	}
	if got, err := w.Collector().Query(t.Context(), charge.Number); err != nil || got.State != collect.Closed {
		t.Errorf("Query = %+v, %v", got, err)
	}
}

// A refund that has not arrived is neither made nor lost; one that WeChat has
// closed may be asked for again.
func TestRefundTakesTime(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode, collecting)
	k := w.Collector()
	if _, err := k.Create(t.Context(), charge); err != nil {
		t.Fatal(err)
	}
	if err := w.fake.Pay(charge.Number); err != nil {
		t.Fatal(err)
	}
	w.fake.Mode(wechatpayfake.Holds)
	r := collect.Refund{Charge: charge.Number, Number: "R7", Amount: 2000}
	if st, err := k.Refund(t.Context(), r); err != nil || st != collect.Returning {
		t.Fatalf("Refund = %s, %v", st, err)
	}
	for _, tt := range []struct {
		status string
		want   collect.RefundState
	}{{"PROCESSING", collect.Returning}, {"ABNORMAL", collect.Returning}, {"CLOSED", collect.Unreturned}, {"SUCCESS", collect.Returned}} {
		if err := w.fake.Arrive(charge.Number, r.Number, tt.status); err != nil {
			t.Fatal(err)
		}
		if st, _, err := k.QueryRefund(t.Context(), charge.Number, r.Number); err != nil || st != tt.want {
			t.Errorf("%s: QueryRefund = %s, %v; want %s", tt.status, st, err, tt.want)
		}
	}
	if number, err := k.Hear(t.Context(), w.fake.Notice(charge.Number)); err != nil || number != charge.Number {
		t.Errorf("the callback about the refund: %q, %v", number, err)
	}
	if _, _, err := k.QueryRefund(t.Context(), "C8", r.Number); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a refund of another charge: %v", err)
	}
}

// What refunds say that WeChat refuses for want of money.
func TestRefundWithoutMoney(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode, collecting)
	if _, err := w.Collector().Create(t.Context(), charge); err != nil {
		t.Fatal(err)
	}
	if err := w.fake.Pay(charge.Number); err != nil {
		t.Fatal(err)
	}
	w.fake.Fail(wechatpayfake.Short)
	if _, err := w.Collector().Refund(t.Context(), collect.Refund{Charge: charge.Number, Number: "R7", Amount: 1}); !fault.Is(err, fault.Insufficient) {
		t.Errorf("Refund: %v", err)
	}
}

// A callback about a charge is none about a bill, nor the other way round, although
// WeChat has signed both.
func TestCallbacksAreNotMixedUp(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode, collecting)
	if _, err := w.Collector().Create(t.Context(), charge); err != nil {
		t.Fatal(err)
	}
	if err := w.fake.Pay(charge.Number); err != nil {
		t.Fatal(err)
	}
	if len(w.heard) != 1 {
		t.Fatalf("%d callbacks", len(w.heard))
	}
	if number, err := w.Collector().Hear(t.Context(), w.heard[0]); err != nil || number != charge.Number {
		t.Errorf("Hear = %q, %v", number, err)
	}
	if number, err := w.Hear(t.Context(), w.heard[0]); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bill was heard of: %q, %v", number, err)
	}
	mustSend(t, w, payment())
	cb, err := w.fake.Callback(payment().Number, wechatpayfake.True)
	if err != nil {
		t.Fatal(err)
	}
	if number, err := w.Collector().Hear(t.Context(), cb); !fault.Is(err, fault.Invalid) {
		t.Errorf("a charge was heard of: %q, %v", number, err)
	}
	w.sleep(time.Hour)
	if number, err := w.Collector().Hear(t.Context(), w.heard[0]); !fault.Is(err, fault.Denied) {
		t.Errorf("an old one was heard: %q, %v", number, err)
	}
}

// Without an address for callbacks WeChat takes no charge, and we say so ourselves.
func TestChargesNeedAnAddress(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	if _, err := w.Collector().Create(t.Context(), charge); !fault.Is(err, fault.Denied) {
		t.Errorf("Create: %v", err)
	}
}

// What answers about charges mean.
func TestAnswersAboutCharges(t *testing.T) {
	t.Parallel()
	about := func(rest string) string { return `{"mchid":"` + mchid + `","out_trade_no":"C7",` + rest + `}` }
	const amount = `"transaction_id":"42","amount":{"total":2000,"currency":"CNY"}`
	tests := []struct {
		name   string
		status int
		body   string
		want   collect.State
		code   fault.Code
	}{
		{"paid", 200, about(`"trade_state":"SUCCESS",` + amount), collect.Paid, ""},
		{"given back", 200, about(`"trade_state":"REFUND",` + amount), collect.Paid, ""},
		{"waiting", 200, about(`"trade_state":"NOTPAY"`), collect.Open, ""},
		{"being paid", 200, about(`"trade_state":"USERPAYING"`), collect.Open, ""},
		{"could not be paid", 200, about(`"trade_state":"PAYERROR"`), collect.Open, ""},
		{"closed", 200, about(`"trade_state":"CLOSED"`), collect.Closed, ""},
		{"revoked", 200, about(`"trade_state":"REVOKED"`), collect.Closed, ""},
		{"a new state", 200, about(`"trade_state":"ACCEPT"`), "", fault.Unavailable},
		{"paid without an amount", 200, about(`"trade_state":"SUCCESS","transaction_id":"42"`), "", fault.Unavailable},
		{"paid in another currency", 200, about(`"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":2000,"currency":"HKD"}`), "", fault.Unavailable},
		{"paid with half a fen", 200, about(`"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":2000.5,"currency":"CNY"}`), "", fault.Unavailable},
		{"another number", 200, strings.Replace(about(`"trade_state":"NOTPAY"`), "C7", "C8", 1), "", fault.Unavailable},
		{"another merchant", 200, strings.Replace(about(`"trade_state":"NOTPAY"`), mchid, "1900001110", 1), "", fault.Unavailable},
		{"unknown", 404, `{"code":"ORDER_NOT_EXIST","message":"-"}`, collect.Absent, ""},
		{"unknown, of a server in trouble", 500, `{"code":"ORDER_NOT_EXIST","message":"-"}`, "", fault.Unavailable},
		{"too often", 429, `{"code":"FREQUENCY_LIMITED","message":"-"}`, "", fault.Limited},
		{"no right", 403, `{"code":"NO_AUTH","message":"-"}`, "", fault.Denied},
		{"something new", 403, `{"code":"WHO_KNOWS","message":"-"}`, "", fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, wechatpay.PublicKeyMode)
			srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				w.fake.Sign(rw.Header(), []byte(tt.body))
				rw.WriteHeader(tt.status)
				_, _ = rw.Write([]byte(tt.body))
			}))
			t.Cleanup(srv.Close)
			cfg := w.cfg
			cfg.Endpoint = srv.URL
			c, err := wechatpay.New(cfg, nil, w.clock)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Collector().Query(t.Context(), "C7")
			if got.State != tt.want || fault.CodeOf(err) != tt.code {
				t.Errorf("Query = %+v, %v; want %q, %q", got, err, tt.want, tt.code)
			}
		})
	}
}

// The trade bill of a day has what was paid and what was given back on it, refunds
// under numbers of their own.
func TestTradeBill(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode, collecting)
	k := w.Collector()
	for i, n := range []string{"C7", "C8", "C9"} {
		c := charge
		c.Number = n
		if _, err := k.Create(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			if err := w.fake.Pay(n); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := k.Refund(t.Context(), collect.Refund{Charge: "C7", Number: "C7R", Amount: charge.Amount}); err != nil {
		t.Fatal(err)
	}
	day := w.clock()
	if _, err := k.Bill(t.Context(), day); !fault.Is(err, fault.Unavailable) {
		t.Errorf("on the same day: %v", err)
	}
	w.sleep(24 * time.Hour)
	lines, err := k.Bill(t.Context(), day)
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprint(l.Charge, " ", l.Refund, " ", l.Amount, " ", l.Fee, " ", l.Back, " ", l.At.Equal(day)))
	}
	if want := "C7  20.00 0.12 false true; C7 C7R 20.00 0.12 true false; C8  20.00 0.12 false true"; err != nil || strings.Join(got, "; ") != want {
		t.Errorf("\n got %s, %v\nwant %s", strings.Join(got, "; "), err, want)
	}
	if lines, err := k.Bill(t.Context(), day.AddDate(0, 0, -1)); err != nil || len(lines) != 0 {
		t.Errorf("a day without any: %v, %v", lines, err)
	}
}
