package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/adapters/manual"
	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/configs"
	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
	"fanli/core/logtest"
	"fanli/core/money"
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
	around := surroundings{log: logtest.New(nil), now: now, http: http.DefaultClient, holder: "test"}
	a, err := newApp(t.Context(), cfg, around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	s := &server{app: a}
	if a.pay == nil {
		t.Fatal("there is no page")
	}
	return s, fake
}

// From the link to the money, as a payee sees it.
func TestPayeeConfirmsOnThePage(t *testing.T) {
	t.Parallel()
	s, fake := confirmServer(t)
	ctx := t.Context()
	give(t, s.app, 1, 1234)
	w, err := s.app.payouts.Request(ctx, 1, 1234, "k")
	if err == nil {
		w, err = s.app.payouts.Approve(ctx, w.ID, "cli")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.app.payouts.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if w, err = s.app.db.Withdrawals().Withdrawal(ctx, w.ID); err != nil || w.State != withdraw.Confirming || w.Confirm == "" {
		t.Fatal(w, err)
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
	wantPage(`"package":"` + w.Confirm + `"`)
	if err := fake.Confirm(w.Number); err != nil {
		t.Fatal(err)
	}
	wantCallback(t, s, wechatpay.Name, withdraw.Callback{}, http.StatusUnauthorized) // anybody can say that
	wantPage(`"package":"` + w.Confirm + `"`)
	c, err := fake.Callback(w.Number, "")
	if err != nil {
		t.Fatal(err)
	}
	wantCallback(t, s, "nobody", c, http.StatusNotFound)
	wantCallback(t, s, wechatpay.Name, c, http.StatusNoContent)
	if _, err := s.app.payouts.Run(ctx); err != nil {
		t.Fatal(err)
	}
	wantPage("已到账")
	wantCallback(t, s, wechatpay.Name, c, http.StatusNoContent) // it may come again
}

// wantCallback lets a payer call back.
func wantCallback(t *testing.T, s *server, payer string, c withdraw.Callback, status int) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, callbackPath+payer, bytes.NewReader(c.Body))
	r.Header = c.Header
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	if rec.Code != status {
		t.Errorf("a callback of %s is answered %d %s, want %d", payer, rec.Code, rec.Body, status)
	}
}

// give makes money available to a user who is paid through WeChat.
func give(t *testing.T, a *app, id int64, amount money.Fen) {
	t.Helper()
	u, _, err := a.users.Resolve(t.Context(), user.Identity{Channel: "web", External: fmt.Sprint(id)}, "zh")
	if err != nil || u.ID != id {
		t.Fatal(u, err)
	}
	if err := a.users.SetPayee(t.Context(), id, user.Payee{Method: "wechat", Account: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", Name: "张三"}); err != nil {
		t.Fatal(err)
	}
	err = a.db.Credits().InTx(t.Context(), func(tx credit.Tx) error {
		j, err := ledger.Open(tx, a.now())
		if err != nil {
			return err
		}
		err = j.Move(ledger.Entry{Key: "manual/1", Kind: ledger.Manual, From: ledger.Marketing, To: ledger.User(id, ledger.Available), Amount: amount, Cause: "manual/1"})
		if err != nil {
			return err
		}
		return j.Post()
	})
	if err != nil {
		t.Fatal(err)
	}
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
	s.app.cfg.Payer, s.app.cfg.Payers = manual.Name, nil
	if p, err := s.app.confirmPage(); p != nil || err != nil {
		t.Errorf("a page for a payer that needs none: %v, %v", p, err)
	}
}
