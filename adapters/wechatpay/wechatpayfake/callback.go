package wechatpayfake

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// The kinds of callbacks that [Fake.Callback] makes.
const (
	True          = ""              // as WeChat would
	Contradictory = "contradictory" // genuine, and says the opposite of the book
	ForgedCall    = "forged"        // signed by somebody else
	Replayed      = "replayed"      // genuine, signed an hour ago
	Probe         = "probe"         // WeChat's test whether signatures are checked
	Tampered      = "tampered"      // genuine, with another body
	BadNonce      = "bad_nonce"     // genuine, with a nonce of a wrong length
	TwoNames      = "two_names"     // genuine, with a name twice inside
	NoResource    = "no_resource"   // genuine, without what it is about
	OtherEvent    = "other_event"   // genuine, about something else
	OtherMerchant = "other_merchant"
	OtherKey      = "other_key" // genuine, encrypted with another APIv3 key
)

// Callback makes a callback about a bill, in one of the kinds above. It fails with
// fault.NotFound for a number that is not in the book.
func (f *Fake) Callback(number, kind string) (withdraw.Callback, error) {
	b, ok := f.Bill(number)
	if !ok {
		return withdraw.Callback{}, fault.Newf(fault.NotFound, "", "no bill %q", number)
	}
	return f.callback(b, kind), nil
}

func (f *Fake) callback(b Bill, kind string) withdraw.Callback {
	signer, event, mchid, nonce := f, "MCHTRANSFER.BILL.FINISHED", f.cfg.MchID, newNonce()[:nonceLen]
	key := f.cfg.Platform
	switch kind {
	case Contradictory:
		if b.State == Success {
			b.State, b.FailReason = Fail, "OVERDUE_CLOSE"
		} else {
			b.State, b.FailReason = Success, ""
		}
	case ForgedCall:
		key = f.other
	case Replayed:
		then := f.cfg.Now().Add(-time.Hour)
		signer = &Fake{cfg: f.cfg, cert: f.cert}
		signer.cfg.Now = func() time.Time { return then }
	case BadNonce:
		nonce = nonce[:nonceLen-1]
	case OtherEvent:
		event = "REFUND.SUCCESS"
	case OtherMerchant:
		mchid = "1" + mchid
	case OtherKey:
		signer = &Fake{cfg: f.cfg, cert: f.cert}
		signer.cfg.APIv3Key = strings.Repeat("k", len(f.cfg.APIv3Key))
	}
	inner := mustJSON(map[string]any{
		"out_bill_no": b.Number, "transfer_bill_no": b.BillNo, "state": b.State, "mch_id": mchid, "transfer_amount": b.Amount,
		"openid": b.OpenID, "fail_reason": b.FailReason, "create_time": stamp(b.Created), "update_time": stamp(b.Updated),
	})
	if kind == TwoNames {
		inner = []byte(`{"Out_Bill_No":"W404",` + string(inner[1:]))
	}
	resource := signer.seal(inner, "mch_payment", nonce)
	resource.Original = "mch_payment"
	outer := map[string]any{
		"id": "EV-" + newNonce(), "create_time": stamp(f.cfg.Now()), "event_type": event,
		"resource_type": "encrypt-resource", "summary": "商家转账单据终态通知", "resource": resource,
	}
	if kind == NoResource {
		delete(outer, "resource")
	}
	c := withdraw.Callback{Header: http.Header{}, Body: mustJSON(outer)}
	signer.sign(c.Header, key, c.Body)
	switch kind {
	case Probe:
		c.Header.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+strconv.Itoa(len(c.Body)))
	case Tampered:
		c.Body = append([]byte(" "), c.Body...)
	}
	return c
}

// callBack delivers a final state to who asked for it.
func (f *Fake) callBack(b Bill) {
	if f.cfg.CallBack == nil || b.NotifyURL == "" || !b.final() {
		return
	}
	f.cfg.CallBack(b.NotifyURL, f.callback(b, True))
	if f.failing() == ToldTwice {
		f.cfg.CallBack(b.NotifyURL, f.callback(b, True))
	}
}
