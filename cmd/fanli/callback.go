package main

import (
	"context"
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

// callback takes what a payer tells.
func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, callbackPath)
	hearer, ok := a.payouts.PayerNamed(name).(withdraw.Hearer)
	if !ok {
		http.NotFound(w, r)
		return
	}
	a.hint(w, r, hearer, name, a.payouts.Heard, payoutsJob)
}

// charged takes what a collector tells of a charge.
func (a *app) charged(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, chargePath)
	c := a.dues.CollectorNamed(name)
	if c == nil {
		http.NotFound(w, r)
		return
	}
	a.hint(w, r, c, name, a.dues.Heard, chargesJob)
}

// hint takes what somebody outside tells about a number of ours. It decides
// nothing: once whoever speaks has proved it, note makes that number be asked
// about, which job does.
func (a *app) hint(w http.ResponseWriter, r *http.Request, h withdraw.Hearer, name string, note func(ctx context.Context, name, number string) error, job string) {
	if r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	number, err := heard(r, h)
	if err == nil {
		err = note(r.Context(), name, number)
	}
	if err == nil {
		a.runner.Wake(job)
	} else {
		a.log.Warn("a callback was not taken", "from", name, "path", r.URL.Path, "error", err)
	}
	status, kind, body := h.Answer(err)
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) //nolint:gosec // fixed words, with nothing of the request in them
}

// heard reads a callback and returns the number that it is about.
func heard(r *http.Request, h withdraw.Hearer) (string, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, callbackBytesMax))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", fault.Wrap(fault.Invalid, "callback", err)
	case err != nil:
		return "", fault.Wrap(fault.Unavailable, "callback", err)
	}
	return h.Hear(r.Context(), withdraw.Callback{Header: r.Header, Body: body})
}
