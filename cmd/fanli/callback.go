package main

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// callbackPath is below which payers call back: /pay/callback/alipay.
const callbackPath = "/pay/callback/"

// callbackBytesMax bounds what a payer sends.
const callbackBytesMax = 64 << 10

// callback takes what a payer tells. It is a hint and decides nothing: once the
// payer has proved that it speaks, it is asked about that payment.
func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, callbackPath)
	hearer, ok := a.payouts.PayerNamed(name).(withdraw.Hearer)
	if !ok || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	err := a.heard(r, name, hearer)
	if err != nil {
		a.log.Warn("a callback was not taken", "payer", name, "error", err)
	}
	status, kind, body := hearer.Answer(err)
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) //nolint:gosec // fixed words of the payer, with nothing of the request in them
}

func (a *app) heard(r *http.Request, name string, hearer withdraw.Hearer) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, callbackBytesMax))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.Wrap(fault.Invalid, "callback", err)
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, "callback", err)
	}
	number, err := hearer.Hear(r.Context(), withdraw.Callback{Header: r.Header, Body: body})
	if err != nil {
		return err
	}
	if err = a.payouts.Heard(r.Context(), name, number); err == nil {
		a.runner.Wake("payment/payouts")
	}
	return err
}
