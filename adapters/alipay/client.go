package alipay

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/smartwalle/alipay/v3"
	"github.com/smartwalle/nsign"

	"fanli/core/fault"
)

// answerBytesMax limits what is read of an answer: a page of the account log, the
// longest, has some 1 MB.
const answerBytesMax = 8 << 20

// timeForm is how the gateway writes times, in Beijing's.
const timeForm = "2006-01-02 15:04:05"

// beijing is the zone of every time at Alipay. China has no summer time since
// 1991, so that no time zone database is needed.
var beijing = time.FixedZone("CST", 8*60*60)

// result is what every answer begins with. Texts for people are left out: they
// are not ours, and not to be decided on.
type result struct {
	Code    string `json:"code"`
	SubCode string `json:"sub_code"`
}

// library returns the SDK's client, in the mode in which it trusts nothing but
// the certificate that it is given.
func (c *Client) library() (*alipay.Client, error) {
	const production = false
	signer := clocked{nsign.New(
		nsign.WithMethod(nsign.NewRSAMethod(crypto.SHA256, c.keys.private, nil)), nsign.WithEncoder(alipay.Encoder{}),
	), c.now}
	sdk, err := alipay.NewWithSigner(c.cfg.AppID, signer, production,
		alipay.WithSandboxGateway(c.cfg.Gateway), alipay.WithHTTPClient(c.http), alipay.WithTimeLocation(beijing))
	if err != nil {
		return nil, err
	}
	return sdk, errors.Join(
		sdk.LoadAppCertPublicKey(c.cfg.AppCert), sdk.LoadAlipayCertPublicKey(c.cfg.AlipayCert), sdk.LoadAliPayRootCert(c.cfg.RootCert),
	)
}

// clocked signs with our time: the SDK takes the machine's, which tests and the
// sandbox cannot move, and writes it into the values just before they are signed.
type clocked struct {
	nsign.Signer
	now func() time.Time
}

// SignValues sets the time and signs.
func (s clocked) SignValues(values url.Values, opts ...nsign.SignOption) ([]byte, error) {
	if values.Has("timestamp") {
		values.Set("timestamp", s.now().In(beijing).Format(timeForm))
	}
	return s.Signer.SignValues(values, opts...)
}

// call asks the gateway and decodes its answer if that is signed. Whatever it
// fails with, nothing is known about what was asked for.
func (c *Client) call(ctx context.Context, q *alipay.Payload, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	err := c.sdk.Request(ctx, q, into)
	if err == nil {
		return nil
	}
	var said *alipay.Error
	var net *url.Error
	switch {
	case errors.As(err, &said): // without a signature; it may also be nil, so it must not be printed
		hint := ""
		if said != nil && setupForm.MatchString(said.SubCode) {
			hint = "; it calls itself " + said.SubCode
		}
		return fault.Newf(fault.Unavailable, reasonUnclear, "an answer without a signature%s", hint)
	case errors.As(err, &net): // its address is left out
		return fault.Newf(fault.Unavailable, reasonUnclear, "no answer: %w", net.Err)
	default: // the texts of these errors have nothing of the answer but single letters
		return fault.Newf(fault.Unavailable, reasonUnclear, "no answer that can be trusted: %w", err)
	}
}

// bounded returns a copy of client that ends: in time, in size, and without
// following redirects, which would carry a signed request elsewhere.
func bounded(client *http.Client, timeout time.Duration) *http.Client {
	own := http.Client{}
	if client != nil {
		own = *client
	}
	if own.Timeout == 0 || own.Timeout > timeout {
		own.Timeout = timeout
	}
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = limited{own.Transport}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// limited ends long answers.
type limited struct{ next http.RoundTripper }

// RoundTrip answers as next does, with a body that ends.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, answerBytesMax), res.Body}
	return res, nil
}

// setupForm is that of codes about a request's envelope: isv.invalid-signature.
var setupForm = regexp.MustCompile(`^(isv|isp|aop)\.[a-z-]{1,48}$`)

var wordForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// word returns a code for a log, if it is one.
func word(s string) string {
	if s == "" || wordForm.MatchString(s) {
		return s
	}
	return "(no code)"
}
