package sandbox

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanli/adapters/alipay/alipayfake"
	"fanli/core/fault"
	"fanli/core/money"
)

// alipayApp is our application at the world's Alipay.
const alipayApp = "2021000000000001"

// tellTimeout bounds one callback.
const tellTimeout = 5 * time.Second

// A till is the world's Alipay. Its keys take a moment, so it is opened when it is
// first asked for.
type till struct {
	mu   sync.Mutex
	fake *alipayfake.Fake
	keys *alipayfake.Keys
	book []byte // what was kept of it before it was opened
}

// Alipay opens the world's Alipay and returns it with the keys, the application and
// the address by which it is called.
func (w *World) Alipay() (f *alipayfake.Fake, k *alipayfake.Keys, app, gateway string, err error) {
	gateway = w.opts.BaseURL + "/fake/alipay/gateway.do"
	w.till.mu.Lock()
	defer w.till.mu.Unlock()
	if w.till.fake == nil {
		if k, err = alipayfake.NewKeys(w.Now()); err != nil {
			return nil, nil, "", "", err
		}
		f = alipayfake.New(alipayfake.Config{App: alipayApp, Keys: k, Now: w.Now, Codes: w.opts.BaseURL + "/shop/pay/"})
		if w.till.book != nil {
			if err := f.Restore(w.till.book); err != nil {
				return nil, nil, "", "", err
			}
		}
		f.OnChange(w.ring)
		f.OnNotice(w.tell)
		w.till.fake, w.till.keys = f, k
	}
	return w.till.fake, w.till.keys, alipayApp, gateway, nil
}

// Notify is where the world's Alipay tells of charges.
func (w *World) Notify() string { return w.opts.Notify }

// opened returns the world's Alipay, nil before it is opened.
func (w *World) opened() *alipayfake.Fake {
	w.till.mu.Lock()
	defer w.till.mu.Unlock()
	return w.till.fake
}

// snapshot is what is to be kept of it.
func (t *till) snapshot() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fake == nil {
		return t.book
	}
	return t.fake.Snapshot()
}

// tell posts a notice to whoever waits for it, as Alipay does. If that gets lost,
// the charge is asked about all the same.
func (w *World) tell(form string) {
	if w.opts.Notify == "" {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.opts.Notify, strings.NewReader(form))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if res, err := http.DefaultClient.Do(req); err == nil { //nolint:gosec // the address is an option of the process
			_ = res.Body.Close()
		}
	}()
}

// gateway answers calls of the world's Alipay.
func (w *World) gateway(rw http.ResponseWriter, r *http.Request) {
	f := w.opened()
	if f == nil {
		http.NotFound(rw, r)
		return
	}
	f.ServeHTTP(rw, r)
}

// charge finds what a code asks for.
func (w *World) charge(r *http.Request) (f *alipayfake.Fake, t alipayfake.Trade, ok bool) {
	if f = w.opened(); f == nil {
		return nil, t, false
	}
	t, ok = f.Coded(r.PathValue("code"))
	return f, t, ok
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
	f, t, ok := w.charge(r)
	if !ok {
		w.missing(rw)
		return
	}
	_ = f.Open(t.Number) // what cannot be opened any more is shown as it is
	t, _ = f.Coded(r.PathValue("code"))
	zh, en, open := chargeWords(t, w.Now())
	w.render(rw, http.StatusOK, "charge.html", map[string]any{
		"At": "shop", "Notice": said(r), "Charge": t, "Code": r.PathValue("code"), "Zh": zh, "En": en, "Open": open,
	})
}

// payForm pays a charge.
func (w *World) payForm(rw http.ResponseWriter, r *http.Request) {
	f, t, ok := w.charge(r)
	if !ok {
		w.missing(rw)
		return
	}
	err := f.Pay(t.Number)
	if err != nil {
		err = fault.New(fault.CodeOf(err), "sandbox.charge_over")
	}
	back(rw, r, "/shop/pay/"+r.PathValue("code"), "charged", err, "")
}

// Charged is what the world's Alipay has got for us and not given back.
func (w *World) Charged() (sum money.Fen) {
	if f := w.opened(); f != nil {
		for _, t := range f.Trades() {
			sum += f.Balance(t.Number)
		}
	}
	return sum
}
