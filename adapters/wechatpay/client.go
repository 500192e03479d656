package wechatpay

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"

	"fanli/core/fault"
)

// answerBytesMax limits what is read of an answer: a true one has some 1,000
// bytes, certificates some 10,000.
const answerBytesMax = 256 << 10

// window is how far a signature's time may be from ours.
const window = consts.FiveMinute * time.Second

// authScheme names the way in which we sign.
const authScheme = "WECHATPAY2-SHA256-RSA2048"

// A request is one call.
type request struct {
	method, path string
	body         []byte
	serial       string // of the key with which something in body is encrypted; "" for nothing
	trust        bool   // the caller checks the answer itself
}

// A reply is what WeChat said. That of a status of 2xx is signed.
type reply struct {
	status int
	body   []byte
	header http.Header
}

// code returns the error code of a reply, or "".
func (r reply) code() string {
	var e struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(r.body, &e) != nil {
		return ""
	}
	return e.Code
}

// bill reads what a signed reply says about number.
func (r reply) bill(number, mchid string) (b bill, err error) {
	if err := unmarshal(r.body, &b); err != nil {
		return b, fault.Newf(fault.Unavailable, "payout.unclear", "status %d with an unreadable document: %w", r.status, err)
	}
	if b.OutBillNo != number || b.MchID != "" && b.MchID != mchid {
		return bill{}, fault.Newf(fault.Unavailable, "payout.unclear", "the answer is about another bill")
	}
	return b, nil
}

// call sends a signed request. It returns an answer of status 2xx only if that is
// signed, and another one only if it is not signed wrongly.
func (c *Client) call(ctx context.Context, q request) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if q.serial == "" && !q.trust {
		serial, err := c.serial(ctx)
		if err != nil {
			return reply{}, err
		}
		q.serial = serial
	}
	a, err := c.exchange(ctx, q)
	if err != nil || q.trust {
		return a, err
	}
	unsigned := a.header.Get(consts.WechatPaySignature) == ""
	if a.status/100 != 2 && unsigned {
		return a, nil
	}
	if err := c.verify(ctx, a.header, a.body); err != nil {
		return reply{}, fault.Newf(fault.Unavailable, "payout.unclear", "status %d without a valid signature: %w", a.status, err)
	}
	return a, nil
}

// exchange sends a signed request and reads its answer.
func (c *Client) exchange(ctx context.Context, q request) (a reply, err error) {
	req, err := http.NewRequestWithContext(ctx, q.method, c.cfg.Endpoint+q.path, bytes.NewReader(q.body))
	if err != nil {
		return a, fault.Newf(fault.Invalid, "", "the endpoint makes no request")
	}
	auth, err := c.authorization(ctx, q.method, req.URL.RequestURI(), strconv.FormatInt(c.now().Unix(), 10), rand.Text(), q.body)
	if err != nil {
		return a, err
	}
	req.Header.Set(consts.Authorization, auth)
	req.Header.Set(consts.Accept, consts.ApplicationJSON)
	req.Header.Set(consts.ContentType, consts.ApplicationJSON)
	req.Header.Set(consts.UserAgent, "fanli")
	if q.serial != "" {
		req.Header.Set(consts.WechatPaySerial, q.serial)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return a, fault.Newf(fault.Unavailable, "payout.unclear", "no answer: %w", bare(err))
	}
	defer func() { _ = res.Body.Close() }()
	most := int64(answerBytesMax)
	if q.trust {
		most = billBytesMax
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return a, fault.Newf(fault.Unavailable, "payout.unclear", "half an answer: %w", bare(err))
	}
	if int64(len(raw)) > most {
		return a, fault.Newf(fault.Unavailable, "payout.unclear", "an answer of more than %d bytes", most)
	}
	return reply{res.StatusCode, raw, res.Header}, nil
}

// authorization is the header that signs a request.
func (c *Client) authorization(ctx context.Context, method, uri, at, nonce string, body []byte) (string, error) {
	s, err := c.signer.Sign(ctx, method+"\n"+uri+"\n"+at+"\n"+nonce+"\n"+string(body)+"\n")
	if err != nil {
		return "", fault.Newf(fault.Internal, "", "the request cannot be signed")
	}
	return fmt.Sprintf(`%s mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		authScheme, s.MchID, nonce, at, s.CertificateSerialNo, s.Signature), nil
}

// probe begins the signatures by which WeChat tests whether we check them.
const probe = "WECHATPAY/SIGNTEST/"

// verify judges the signature of an answer or of a callback. It fails with
// fault.Denied, and with fault.Unavailable where the key cannot be fetched.
func (c *Client) verify(ctx context.Context, h http.Header, body []byte) error {
	at, nonce := h.Get(consts.WechatPayTimestamp), h.Get(consts.WechatPayNonce)
	signature, serial := h.Get(consts.WechatPaySignature), h.Get(consts.WechatPaySerial)
	seconds, err := strconv.ParseInt(at, 10, 64)
	switch {
	case strings.HasPrefix(signature, probe):
		return fault.Newf(fault.Denied, "", "a probe with a wrong signature")
	case signature == "" || nonce == "" || serial == "" || err != nil:
		return fault.Newf(fault.Denied, "", "the headers of a signature are missing")
	case c.now().Sub(time.Unix(seconds, 0)).Abs() > window:
		return fault.Newf(fault.Denied, "", "signed more than %s from now", window)
	}
	v, err := c.verifier(ctx, serial)
	if err != nil {
		return err
	}
	if err := v.Verify(ctx, serial, at+"\n"+nonce+"\n"+string(body)+"\n", signature); err != nil {
		return fault.Newf(fault.Denied, "", "the signature is wrong")
	}
	return nil
}

// bare takes the address, which has the number of the withdrawal in it, off an
// error of the HTTP client.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
