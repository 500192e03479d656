package wechatpay

import (
	"context"
	"net/http"
	"slices"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// callbackBytesMax bounds a callback; a true one has some 1,200 bytes.
const callbackBytesMax = 64 << 10

// eventFinished is the only callback of the product.
const eventFinished = "MCHTRANSFER.BILL.FINISHED"

// notification is the envelope of a callback.
type notification struct {
	EventType    string `json:"event_type"`
	ResourceType string `json:"resource_type"`
	Resource     sealed `json:"resource"`
}

// Hear returns the number of the bill that a callback is about. It believes a
// signature for five minutes; whoever repeats a callback within them repeats a
// hint.
func (c *Client) Hear(ctx context.Context, cb withdraw.Callback) (string, error) {
	const op = "wechatpay.Hear"
	var b bill
	if err := c.heard(ctx, cb, &b, eventFinished); err != nil {
		return "", fault.In(op, err)
	}
	if b.MchID != c.cfg.MchID || !numberForm.MatchString(b.OutBillNo) {
		return "", fault.Newf(fault.Denied, "", "%s: about a bill that is not ours", op)
	}
	return b.OutBillNo, nil
}

// heard reads what a callback about one of events says. It fails with fault.Denied
// if WeChat did not make it now, and with fault.Invalid if it is about something
// else.
func (c *Client) heard(ctx context.Context, cb withdraw.Callback, into any, events ...string) error {
	if len(cb.Body) > callbackBytesMax {
		return fault.Newf(fault.Denied, "", "more than %d bytes", callbackBytesMax)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if err := c.verify(ctx, cb.Header, cb.Body); err != nil {
		return err
	}
	var n notification
	if err := unmarshal(cb.Body, &n); err != nil {
		return fault.Wrap(fault.Denied, "", err)
	}
	if !slices.Contains(events, n.EventType) || n.ResourceType != "encrypt-resource" {
		return fault.Newf(fault.Invalid, "", "about something else")
	}
	text, err := n.Resource.open(c.cfg.APIv3Key)
	if err != nil {
		return err
	}
	return fault.Wrap(fault.Denied, "", unmarshal(text, into))
}

// Answer is what WeChat understands: nothing at all for a callback that was
// taken, and a failure, after which it comes again, for any other.
func (c *Client) Answer(err error) (status int, contentType, body string) {
	if err == nil {
		return http.StatusNoContent, "", ""
	}
	status = http.StatusInternalServerError
	switch fault.CodeOf(err) {
	case fault.Denied:
		status = http.StatusUnauthorized
	case fault.Invalid:
		status = http.StatusBadRequest
	case fault.Unavailable, fault.Limited:
		status = http.StatusServiceUnavailable
	default: // ours to mend
	}
	return status, "application/json", `{"code":"FAIL","message":"not taken"}`
}
