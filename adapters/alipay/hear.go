package alipay

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// How old a callback may be. Alipay repeats one for some 25 hours, and it is not
// said that a repetition has a new time; as it decides nothing, an old one is
// worth a query at most.
const (
	callbackAgeMax  = 26 * time.Hour
	callbackSkewMax = 10 * time.Minute
)

// callbackBytesMax limits what is read of a callback: a true one has some 2 kB.
const callbackBytesMax = 64 << 10

// transferChanged is the message about a transfer that has ended.
const transferChanged = "alipay.fund.trans.order.changed"

// Hear returns the number of the transfer that a message is about. It believes a
// form only if our application and the one certificate that we know are named in
// it, if its signature is right, and if it is not too old. What it says about the
// transfer's state is not looked at.
func (c *Client) Hear(ctx context.Context, cb withdraw.Callback) (number string, err error) {
	const op = "alipay.Hear"
	form, err := c.heard(ctx, cb.Body)
	if err != nil {
		return "", fault.In(op, err)
	}
	if err := c.fresh(form.Get("utc_timestamp")); err != nil {
		return "", fault.In(op, err)
	}
	if m := form.Get("msg_method"); m != transferChanged {
		return "", fault.Newf(fault.Invalid, "", "%s: a message about something else: %s", op, word(m))
	}
	var said struct {
		Number  string `json:"out_biz_no"`
		Product string `json:"product_code"`
		Scene   string `json:"biz_scene"`
	}
	if err := strictly(form.Get("biz_content"), &said); err != nil {
		return "", fault.Newf(fault.Invalid, "", "%s: %w", op, err)
	}
	if !numberForm.MatchString(said.Number) || said.Product != productCode || said.Scene != bizScene {
		return "", fault.Newf(fault.Invalid, "", "%s: a message about no transfer of ours", op)
	}
	return said.Number, nil
}

// Answer is what Alipay understands. It repeats a message that was not answered
// with success.
func (c *Client) Answer(err error) (status int, contentType, body string) {
	body = "success"
	if err != nil {
		body = "fail"
	}
	return http.StatusOK, "text/plain; charset=utf-8", body
}

// heard returns the form of a callback if Alipay has signed it for our
// application, and fails with fault.Denied otherwise.
func (c *Client) heard(ctx context.Context, body []byte) (url.Values, error) {
	denied := func(why string) (url.Values, error) {
		return nil, fault.Newf(fault.Denied, "", "the callback %s", why)
	}
	if len(body) > callbackBytesMax {
		return denied("is too long")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return denied("is no form")
	}
	for _, values := range form {
		if len(values) != 1 { // which one is signed?
			return denied("has a field twice")
		}
	}
	// The serial number comes first: the SDK would look for a certificate that it
	// does not know.
	if sn := form.Get("alipay_cert_sn"); sn != "" && sn != c.keys.serial {
		return denied("names a certificate that we do not know")
	}
	switch {
	case form.Get("app_id") != c.cfg.AppID:
		return denied("is for another application")
	case form.Get("sign_type") != "RSA2":
		return denied("is not signed with RSA2")
	case !strings.EqualFold(form.Get("charset"), "utf-8"):
		return denied("is not in UTF-8")
	case !c.signed(ctx, form):
		return denied("has a wrong signature")
	}
	return form, nil
}

// signed reports whether Alipay has signed a form. Whether the serial number of
// the certificate is under the signature depends on who sends it; both cover all
// that is read here.
func (c *Client) signed(ctx context.Context, form url.Values) bool {
	signature, err := base64.StdEncoding.DecodeString(form.Get("sign"))
	if err != nil || len(signature) == 0 {
		return false
	}
	return verify(c.keys.verifier, SignedText(form, "sign", "sign_type"), signature) == nil || c.sdk.VerifySign(ctx, form) == nil
}

// fresh refuses a message whose time, in milliseconds, is not near ours.
func (c *Client) fresh(stamp string) error {
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fault.Newf(fault.Denied, "", "the callback has no time")
	}
	return c.near(time.UnixMilli(ms))
}

// near refuses a time that is not near ours.
func (c *Client) near(at time.Time) error {
	age := c.now().Sub(at)
	if age > callbackAgeMax || age < -callbackSkewMax {
		return fault.Newf(fault.Denied, "", "the callback is from another time: %s ago", age.Round(time.Second))
	}
	return nil
}

// strictly decodes one JSON object and nothing behind it.
func strictly(text string, into any) error {
	if !strings.HasPrefix(text, "{") {
		return errors.New("its content is no object")
	}
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(into); err != nil {
		return errors.New("its content cannot be read")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("its content has something behind it")
	}
	return nil
}
