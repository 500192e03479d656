package wechatpay_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// From the request to the confirmation: what the page needs comes back with the
// answer, survives a restart of ours, and costs WeChat one request more then.
func TestPackageSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode, func(c *wechatpay.Config) { c.NameFrom = "0.30" })
	sent := mustSend(t, w, payment())
	if sent.Verdict != withdraw.Waiting || sent.Confirm == "" || sent.Receipt == "" {
		t.Fatalf("Send says %+v", sent)
	}
	const creates = "POST /fake/wechatpay/v3/fund-app/mch-transfer/transfer-bills"
	sent.Amount = 1234 // which an answer to a query says, too
	o, err := w.Query(t.Context(), "F7")
	if err != nil || o != sent || w.count(creates) != 1 {
		t.Errorf("Query says %+v, %v after %d creations; want what Send said", o, err, w.count(creates))
	}
	again, err := wechatpay.New(w.cfg, nil, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if o, err := again.Query(t.Context(), "F7"); err != nil || o != sent {
			t.Errorf("after a restart Query says %+v, %v; want %+v", o, err, sent)
		}
	}
	if n := w.count(creates); n != 2 {
		t.Errorf("%d creations, want the first and one to get the package again", n)
	}
	if b, _ := w.fake.Bill("F7"); b.Name != "张三" || b.OpenID != openid || b.Amount != 1234 {
		t.Errorf("the bill is %+v", b)
	}
}

// A bill that waits still waits when the configuration has changed so that its
// request cannot be repeated; it is neither dead nor somebody's fault.
func TestPackageThatCannotBeFetchedAgain(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	mustSend(t, w, payment())
	cfg := w.cfg
	cfg.Scene = "1000"
	again, err := wechatpay.New(cfg, nil, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	o, err := again.Query(t.Context(), "F7")
	wantOutcome(t, "Query", o, err, withdraw.Unclear, "payout.unclear")
}

// Every state of a bill, and what we make of it.
func TestStates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		mode   string
		moves  []string
		want   withdraw.Verdict
		reason string
	}{
		{"funds are being locked", wechatpayfake.Holds, nil, withdraw.Busy, ""},
		{"waits", "", nil, withdraw.Waiting, ""},
		{"is being transferred", "", []string{wechatpayfake.Transfer}, withdraw.Busy, ""},
		{"has left", "", []string{wechatpayfake.Transfer, wechatpayfake.Success}, withdraw.Done, ""},
		{"is being called back", "", []string{wechatpayfake.Canceling}, withdraw.Busy, ""},
		{"is called back", "", []string{wechatpayfake.Canceling, wechatpayfake.Cancelled}, withdraw.Dead, "payout.wechat_called_back"},
		{"nobody confirmed", "", []string{wechatpayfake.Fail + "/OVERDUE_CLOSE"}, withdraw.Dead, "payout.wechat_expired"},
		{"a frozen account", "", []string{wechatpayfake.Fail + "/ACCOUNT_FROZEN"}, withdraw.Dead, "payout.wechat_account"},
		{"another name", "", []string{wechatpayfake.Fail + "/NAME_NOT_CORRECT"}, withdraw.Dead, "payout.wechat_name"},
		{"no real name", "", []string{wechatpayfake.Fail + "/REAL_NAME_CHECK_FAIL"}, withdraw.Dead, "payout.wechat_real_name"},
		{"enough for today", "", []string{wechatpayfake.Fail + "/DAY_RECEIVED_QUOTA_EXCEED"}, withdraw.Dead, "payout.wechat_limit"},
		{"a risk", "", []string{wechatpayfake.Fail + "/TRANSFER_RISK"}, withdraw.Dead, "payout.wechat_risk"},
		{"a reason of next year", "", []string{wechatpayfake.Fail + "/SOLAR_FLARE"}, withdraw.Dead, "payout.refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, wechatpay.PublicKeyMode)
			w.fake.Mode(tt.mode)
			mustSend(t, w, payment())
			for _, m := range tt.moves {
				state, why, _ := strings.Cut(m, "/")
				if err := w.fake.Move("F7", state, why); err != nil {
					t.Fatal(err)
				}
			}
			o, err := w.Query(t.Context(), "F7")
			wantOutcome(t, "Query", o, err, tt.want, tt.reason)
			o, err = w.Send(t.Context(), payment())
			wantOutcome(t, "Send again", o, err, tt.want, tt.reason)
		})
	}
}

// A bill moves only as WeChat's do, so that the stories above are possible ones.
func TestFakeKeepsTheOrderOfStates(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	mustSend(t, w, payment())
	if err := w.fake.Move("F7", wechatpayfake.Success, ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("paid without a confirmation: %v", err)
	}
	if err := w.fake.Confirm("F7"); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func() error{func() error { return w.fake.Expire("F7") }, func() error { return w.fake.Move("F7", wechatpayfake.Canceling, "") }} {
		if err := f(); !fault.Is(err, fault.Conflict) {
			t.Errorf("a paid bill moves on: %v", err)
		}
	}
	if err := w.fake.Confirm("F404"); !fault.Is(err, fault.NotFound) {
		t.Errorf("confirming nothing: %v", err)
	}
	if left := w.fake.Paid("F7"); !slices.Equal(left, []money.Fen{1234}) {
		t.Errorf("%v left", left)
	}
}

// What we refuse ourselves never reaches WeChat; only what was always so is dead.
func TestRefusedByOurselves(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	tests := []struct {
		name   string
		change func(p *withdraw.Payment)
		want   withdraw.Verdict
		reason string
	}{
		{"an Alipay account", func(p *withdraw.Payment) { p.Payee.Method = "alipay" }, withdraw.Dead, "payout.wechat_method"},
		{"too little", func(p *withdraw.Payment) { p.Amount = 9 }, withdraw.Barred, "payout.wechat_amount"},
		{"too much", func(p *withdraw.Payment) { p.Amount = 3000_01 }, withdraw.Barred, "payout.wechat_amount"},
		{"a number with a dash", func(p *withdraw.Payment) { p.Number = "F-7" }, withdraw.Barred, "payout.wechat_barred"},
		{"a number of 33", func(p *withdraw.Payment) { p.Number = strings.Repeat("7", 33) }, withdraw.Barred, "payout.wechat_barred"},
	}
	for _, tt := range tests {
		p := payment()
		tt.change(&p)
		o, err := w.Send(t.Context(), p)
		wantOutcome(t, tt.name, o, err, tt.want, tt.reason)
	}
	for name, call := range map[string]func() (withdraw.Outcome, error){
		"Query":  func() (withdraw.Outcome, error) { return w.Query(t.Context(), "F7/../F8") },
		"Cancel": func() (withdraw.Outcome, error) { return w.Cancel(t.Context(), "F7?") },
	} {
		o, err := call()
		wantOutcome(t, name, o, err, withdraw.Barred, "payout.wechat_barred")
	}
	if len(w.calls) != 0 {
		t.Errorf("WeChat was asked: %v", w.calls)
	}
}

// The name goes along encrypted from the amount on that the merchant sets, and
// never below.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{wechatpay.PublicKeyMode, wechatpay.CertificateMode} {
		w := open(t, mode)
		for i, tt := range []struct {
			amount money.Fen
			name   string
		}{{10, ""}, {199_999, ""}, {200_000, "张三"}} {
			p := payment()
			p.Number, p.Amount = fmt.Sprintf("F%d", i), tt.amount
			mustSend(t, w, p)
			if b, ok := w.fake.Bill(p.Number); !ok || b.Name != tt.name {
				t.Errorf("%s: %s is sent with the name %q, want %q", mode, tt.amount, b.Name, tt.name)
			}
		}
	}
}

// The answers of status 4xx and 5xx, by code. None ends a payment.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status      int
		code        string
		send, query withdraw.Verdict
	}{
		{403, "NOT_ENOUGH", withdraw.Short, withdraw.Unclear},
		{429, "RATELIMIT_EXCEEDED", withdraw.Short, withdraw.Unclear},
		{400, "FREQUENCY_LIMIT_EXCEED", withdraw.Short, withdraw.Unclear},
		{403, "NO_AUTH", withdraw.Barred, withdraw.Barred},
		{400, "PARAM_ERROR", withdraw.Barred, withdraw.Barred},
		{401, "SIGN_ERROR", withdraw.Barred, withdraw.Barred},
		{400, "INVALID_REQUEST", withdraw.Barred, withdraw.Barred},
		{400, "USER_ERROR", withdraw.Barred, withdraw.Unclear},
		{404, "NOT_FOUND", withdraw.Unclear, withdraw.Absent},
		{404, "", withdraw.Unclear, withdraw.Unclear},
		{400, "SOLAR_FLARE", withdraw.Unclear, withdraw.Unclear},
		{500, "SYSTEM_ERROR", withdraw.Unclear, withdraw.Unclear},
		{503, "NOT_ENOUGH", withdraw.Unclear, withdraw.Unclear},
		{500, "NOT_FOUND", withdraw.Unclear, withdraw.Unclear},
		{302, "NOT_FOUND", withdraw.Unclear, withdraw.Unclear},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, tt.code), func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_ = json.NewEncoder(w).Encode(map[string]string{"code": tt.code, "message": "x", "state": "FAIL", "out_bill_no": "F7", "fail_reason": "OVERDUE_CLOSE"})
			}))
			t.Cleanup(srv.Close)
			cfg := config(wechatpay.PublicKeyMode)
			cfg.Endpoint = srv.URL
			c, err := wechatpay.New(cfg, nil, clock)
			if err != nil {
				t.Fatal(err)
			}
			if o, err := c.Send(t.Context(), payment()); err != nil || o.Verdict != tt.send {
				t.Errorf("Send says %+v, %v; want %s", o, err, tt.send)
			}
			if o, err := c.Query(t.Context(), "F7"); err != nil || o.Verdict != tt.query {
				t.Errorf("Query says %+v, %v; want %s", o, err, tt.query)
			}
			if o, err := c.Cancel(t.Context(), "F7"); err != nil || o.Verdict == withdraw.Done || o.Verdict == withdraw.Dead {
				t.Errorf("Cancel says %+v, %v", o, err)
			}
		})
	}
}

// A merchant without money is short: later the same number is paid.
func TestShort(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	w.fake.Fail(wechatpayfake.Short)
	o, err := w.Send(t.Context(), payment())
	wantOutcome(t, "Send", o, err, withdraw.Short, "payout.wechat_short")
	w.fake.Fail("")
	if o := mustSend(t, w, payment()); o.Verdict != withdraw.Waiting {
		t.Errorf("later Send says %s", o.Verdict)
	}
}

// WeChat may take its time to call back.
func TestSlowCancel(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	mustSend(t, w, payment())
	w.fake.Fail(wechatpayfake.SlowCancel)
	o, err := w.Cancel(t.Context(), "F7")
	wantOutcome(t, "Cancel", o, err, withdraw.Busy, "")
	if err := w.fake.Move("F7", wechatpayfake.Cancelled, ""); err != nil {
		t.Fatal(err)
	}
	o, err = w.Cancel(t.Context(), "F7")
	wantOutcome(t, "Cancel again", o, err, withdraw.Dead, "payout.wechat_called_back")
}

// Certificates are fetched once, again after half a day, and kept when WeChat does
// not answer then. A serial number that a stranger invents makes one fetch a minute.
func TestCertificates(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.CertificateMode)
	const certs = "GET /fake/wechatpay/v3/certificates"
	wantFetched := func(when string, n int) {
		t.Helper()
		if got := w.count(certs); got != n {
			t.Errorf("%s: fetched %d times, want %d", when, got, n)
		}
	}
	mustSend(t, w, payment())
	_, _ = w.Query(t.Context(), "F7")
	wantFetched("at first", 1)
	w.sleep(12 * time.Hour)
	w.fake.Fail(wechatpayfake.Denied)
	_, _ = w.Query(t.Context(), "F7")
	w.fake.Fail("")
	if o, err := w.Query(t.Context(), "F7"); err != nil || o.Verdict != withdraw.Waiting {
		t.Errorf("with the old certificates: %v, %v", o, err)
	}
	wantFetched("half a day later, within a minute", 2)
	w.sleep(time.Minute)
	_, _ = w.Query(t.Context(), "F7")
	wantFetched("a minute later", 3)
	cb, err := w.fake.Callback("F7", wechatpayfake.True)
	if err != nil {
		t.Fatal(err)
	}
	cb.Header.Set("Wechatpay-Serial", "ABCDEF")
	for range 5 {
		if _, err := w.Hear(t.Context(), cb); !fault.Is(err, fault.Denied) {
			t.Errorf("Hear says %v", err)
		}
	}
	wantFetched("for an invented serial number, too soon", 3)
	w.sleep(time.Minute)
	for range 5 {
		_, _ = w.Hear(t.Context(), cb)
	}
	wantFetched("for an invented serial number", 4)
}

// Certificates that somebody else has made are not taken.
func TestForgedCertificates(t *testing.T) {
	t.Parallel()
	other, err := wechatpayfake.New(wechatpayfake.Config{
		MchID: mchid, AppID: appid, Serial: serial, Merchant: &merchantKey().PublicKey, APIv3Key: strings.Repeat("k", 32),
		Platform: strangerKey(), Stranger: platformKey(), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(other)
	t.Cleanup(srv.Close)
	cfg := config(wechatpay.CertificateMode)
	cfg.Endpoint = srv.URL
	c, err := wechatpay.New(cfg, nil, clock)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.Send(t.Context(), payment()); !fault.Is(err, fault.Denied) {
		t.Errorf("Send says %+v, %v", o, err)
	}
	if _, ok := other.Bill("F7"); ok {
		t.Error("somebody else was asked to pay")
	}
}
