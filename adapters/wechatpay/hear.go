package wechatpay

import (
	"context"
	"net/http"

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
	if len(cb.Body) > callbackBytesMax {
		return "", fault.Newf(fault.Denied, "", "%s: more than %d bytes", op, callbackBytesMax)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if err := c.verify(ctx, cb.Header, cb.Body); err != nil {
		return "", fault.In(op, err)
	}
	var n notification
	if err := unmarshal(cb.Body, &n); err != nil {
		return "", fault.Wrap(fault.Denied, op, err)
	}
	if n.EventType != eventFinished || n.ResourceType != "encrypt-resource" {
		return "", fault.Newf(fault.Invalid, "", "%s: not about a bill", op)
	}
	text, err := n.Resource.open(c.cfg.APIv3Key)
	if err != nil {
		return "", fault.In(op, err)
	}
	var b bill
	if err := unmarshal(text, &b); err != nil {
		return "", fault.Wrap(fault.Denied, op, err)
	}
	if b.MchID != c.cfg.MchID || !numberForm.MatchString(b.OutBillNo) {
		return "", fault.Newf(fault.Denied, "", "%s: about a bill that is not ours", op)
	}
	return b.OutBillNo, nil
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
