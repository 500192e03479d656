package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/configs"
	"fanli/core/fault"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// wechatMerchant returns a merchant's configuration and the WeChat Pay that knows
// it.
func wechatMerchant(t *testing.T, now func() time.Time) (wechatpay.Config, *wechatpayfake.Fake) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := wechatpay.Config{
		MchID: "1900001109", AppID: "wxf636efh567hg4356", Serial: "444F4864EA9B34415DE7", APIv3Key: strings.Repeat("3", 32), Mode: wechatpay.CertificateMode,
		Key:   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		Scene: "1005", Reports: []wechatpay.Report{{Type: "岗位类型", Content: "推广员"}, {Type: "报酬说明", Content: "佣金"}}, PageURL: "https://pay.example.com",
	}
	fake, err := wechatpayfake.New(wechatpayfake.Config{MchID: c.MchID, AppID: c.AppID, Serial: c.Serial, Merchant: &key.PublicKey, APIv3Key: c.APIv3Key, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	c.Endpoint = srv.URL
	return c, fake
}

// confirmServer is a server whose payer is WeChat Pay, without channels.
func confirmServer(t *testing.T) (*server, *wechatpayfake.Fake) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	var fake *wechatpayfake.Fake
	cfg.Data, cfg.Payer = t.TempDir(), wechatpay.Name
	cfg.Wechatpay, fake = wechatMerchant(t, now)
	around := surroundings{log: slog.New(slog.DiscardHandler), now: now, http: http.DefaultClient, holder: "test"}
	a, err := newApp(t.Context(), cfg, around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	s := &server{app: a}
	if s.app.pay, err = a.confirmPage(); err != nil || s.app.pay == nil {
		t.Fatal(s.app.pay, err)
	}
	return s, fake
}

// From the link to the money, as a payee sees it.
func TestPayeeConfirmsOnThePage(t *testing.T) {
	t.Parallel()
	s, fake := confirmServer(t)
	w := withdraw.Withdrawal{
		Key: "k", User: 1, Amount: 1234, Payee: user.Payee{Method: "wechat", Account: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", Name: "张三"},
		State: withdraw.Sending, Payer: wechatpay.Name, Number: "F1", Rev: 3, At: s.app.now(), Changed: s.app.now(), NextAt: s.app.now(),
	}
	err := s.app.db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) (err error) {
		w.ID, err = tx.Insert(w)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	link := s.app.pay.link(w)
	path, ok := strings.CutPrefix(link, "https://pay.example.com/pay/confirm/")
	if !ok {
		t.Fatalf("the link is %s", link)
	}
	wantPage := func(says string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/pay/confirm/"+path, nil)
		r.Header.Set("User-Agent", "MicroMessenger/8.0")
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if body := rec.Body.String(); rec.Code != http.StatusOK || !strings.Contains(body, says) || strings.Contains(body, w.Payee.Account) {
			t.Errorf("status %d without %q, or with the account:\n%s", rec.Code, says, body)
		}
	}
	wantPage("正在处理") // not sent yet
	o, err := s.app.payouts.Payer.Send(t.Context(), withdraw.Payment{Number: w.Number, Amount: w.Amount, Payee: w.Payee, Note: "返利提现"})
	if err != nil || o.Verdict != withdraw.Waiting {
		t.Fatal(o, err)
	}
	wantPage(`"package":"` + o.Confirm + `"`)
	if err := fake.Confirm(w.Number); err != nil {
		t.Fatal(err)
	}
	wantPage("已到账")
}

// Withdrawals that somebody else pays are not shown, and without this payer there
// is no page.
func TestOnlyWhatIsConfirmedHasAPage(t *testing.T) {
	t.Parallel()
	s, _ := confirmServer(t)
	err := s.app.db.Withdrawals().InTx(t.Context(), func(tx withdraw.Tx) error {
		_, err := tx.Insert(withdraw.Withdrawal{
			Key: "k", User: 1, Amount: 1234, Payee: user.Payee{Method: "alipay", Account: "13800000000", Name: "张三"},
			State: withdraw.Sending, Payer: "manual", Number: "F1", Rev: 3, At: s.app.now(), Changed: s.app.now(), NextAt: s.app.now(),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{1, 2} {
		if c, err := (confirmations{s.app}).Lookup(t.Context(), id, true); !fault.Is(err, fault.NotFound) {
			t.Errorf("withdrawal %d: %+v, %v", id, c, err)
		}
	}
	s.app.cfg.Payer = "manual"
	if p, err := s.app.confirmPage(); p != nil || err != nil {
		t.Errorf("a page for a payer that needs none: %v, %v", p, err)
	}
}
