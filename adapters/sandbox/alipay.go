package sandbox

import (
	"context"
	"net/http"
	"strings"
	"time"

	"fanli/adapters/alipay/alipayfake"
	"fanli/core/fault"
	"fanli/core/money"
)

// alipayApp is our application at the world's Alipay.
const alipayApp = "2021000000000001"

// tellTimeout bounds one callback.
const tellTimeout = 5 * time.Second

// openAlipay opens the world's Alipay, which pays out and takes money.
func (w *World) openAlipay() (err error) {
	if w.opts.Keys == nil {
		if w.opts.Keys, err = alipayfake.NewKeys(w.opts.Now()); err != nil {
			return err
		}
	}
	w.pay = alipayfake.New(alipayfake.Config{App: alipayApp, Keys: w.opts.Keys, Now: w.Now, Codes: w.opts.BaseURL + "/shop/pay/"})
	w.pay.OnNotice(func(form string) { tell(w.opts.Notify, form) })
	w.pay.OnMessage(func(form string) { tell(w.opts.Tell, form) })
	return nil
}

// Pay is the world's Alipay.
func (w *World) Pay() *alipayfake.Fake { return w.pay }

// Alipay returns the keys, the application and the address with which a merchant
// calls the world's Alipay, and where that tells of charges.
func (w *World) Alipay() (k *alipayfake.Keys, app, gateway, notify string) {
	return w.opts.Keys, alipayApp, w.opts.BaseURL + "/fake/alipay/gateway.do", w.opts.Notify
}

// tell posts a form to whoever waits for it, as Alipay does. If that gets lost, the
// number is asked about all the same.
func tell(address, form string) {
	if address == "" {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if res, err := http.DefaultClient.Do(req); err == nil { //nolint:gosec // the address is an option of the process
			_ = res.Body.Close()
		}
	}()
}

// chargeWords say how far a charge has come.
func chargeWords(t alipayfake.Trade, now time.Time) (zh, en string, open bool) {
	left := t.Amount
	for _, r := range t.Refunds {
		left -= r
	}
	switch {
	case t.State == alipayfake.TradePaid:
		return "已付款", "paid", false
	case left < t.Amount:
		return "已退款", "refunded", false
	case t.State == alipayfake.TradeClosed || !now.Before(t.Expires):
		return "已失效", "not valid any more", false
	default:
		return "待付款", "to be paid", true
	}
}

// chargePage is what a phone shows that has scanned a code.
func (w *World) chargePage(rw http.ResponseWriter, r *http.Request) {
	t, ok := w.pay.Coded(r.PathValue("code"))
	if !ok {
		w.missing(rw)
		return
	}
	_ = w.pay.Open(t.Number) // what cannot be opened any more is shown as it is
	t, _ = w.pay.Coded(r.PathValue("code"))
	zh, en, open := chargeWords(t, w.Now())
	w.render(rw, http.StatusOK, "charge.html", map[string]any{
		"At": "shop", "Notice": said(r), "Charge": t, "Code": r.PathValue("code"), "Zh": zh, "En": en, "Open": open,
	})
}

// payForm pays a charge.
func (w *World) payForm(rw http.ResponseWriter, r *http.Request) {
	t, ok := w.pay.Coded(r.PathValue("code"))
	if !ok {
		w.missing(rw)
		return
	}
	err := w.pay.Pay(t.Number)
	if err != nil {
		err = fault.New(fault.CodeOf(err), "sandbox.charge_over")
	}
	back(rw, r, "/shop/pay/"+r.PathValue("code"), "charged", err, "")
}

// Charged is what the world's Alipay has got for us and not given back.
func (w *World) Charged() (sum money.Fen) {
	for _, t := range w.pay.Trades() {
		sum += w.pay.Balance(t.Number)
	}
	return sum
}
