package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/confirm"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// How long things last on the page on which payees confirm.
const (
	confirmWithin = 23 * time.Hour     // WeChat closes a bill after a day; what we promise is less
	linkFor       = 7 * 24 * time.Hour // a link shows what became of it for a while
)

// A confirmPage is where payees confirm in WeChat, with the address that they
// reach it under.
type confirmPage struct {
	*confirm.Page
	base string
}

// confirmPage returns the page, or nil where the payer needs none.
func (a *app) confirmPage() (*confirmPage, error) {
	if a.cfg.Payer != wechatpay.Name && !slices.Contains(slices.Collect(maps.Values(a.cfg.Payers)), wechatpay.Name) {
		return nil, nil
	}
	seal, err := a.sealKey(filepath.Dir(databasePath(a.cfg)))
	if err != nil {
		return nil, err
	}
	key := hmac.New(sha256.New, seal)
	key.Write([]byte("links to the page of confirmation"))
	page, err := confirm.New(confirm.Options{
		Key: key.Sum(nil), Lookup: confirmations{a}, Now: a.now, Zone: a.cfg.Location(), Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	return &confirmPage{page, strings.TrimSuffix(a.cfg.Wechatpay.PageURL, "/")}, nil
}

// link returns the address where the payee of w confirms it.
func (p *confirmPage) link(w withdraw.Withdrawal) string {
	return p.base + p.Link(w.ID, w.Changed.Add(linkFor))
}

// confirmations find withdrawals for the page.
type confirmations struct{ a *app }

// Lookup shows a withdrawal to its payee.
func (c confirmations) Lookup(ctx context.Context, id int64, whole bool) (out confirm.Confirmation, err error) {
	w, err := c.a.db.Withdrawals().Withdrawal(ctx, id)
	if err != nil {
		return out, err
	}
	if w.Payer != wechatpay.Name {
		return out, fault.Newf(fault.NotFound, "", "withdrawal %d is not confirmed by its payee", id)
	}
	out = confirm.Confirmation{
		State: confirm.Busy, Amount: w.Amount, Payee: w.Payee.Masked(), Until: w.Sent.Add(confirmWithin),
		MchID: c.a.cfg.Wechatpay.MchID, AppID: c.a.cfg.Wechatpay.AppID,
	}
	switch {
	case w.State == withdraw.Paid:
		out.State = confirm.Paid
	case w.State.Final():
		out.State = confirm.Over
	case w.State == withdraw.Confirming && whole:
		out.State, out.Package = confirm.Open, w.Confirm
	}
	return out, nil
}
