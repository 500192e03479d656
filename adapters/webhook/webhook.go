// Package webhook posts messages to integrators' addresses over HTTP.
//
// An address is chosen by somebody outside, so nothing of it is trusted: redirects
// are not followed, no proxy is asked, connections to private addresses are refused
// once a name has been looked up, at the moment of dialling, whatever it was before,
// and of an answer only a little is read.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"fanli/core/webhook"
)

// Bounds of a call.
const (
	connectTimeout  = 5 * time.Second
	answerBytesMax  = 4 << 10  // are read, so that the connection can be used again
	headerBytesMax  = 16 << 10 // of an answer
	excerptBytesMax = 400      // are looked at
	idleMax         = 30 * time.Second
)

// Options are what a Poster can be told.
type Options struct {
	// AllowPrivate lets it call private addresses, and this machine.
	AllowPrivate bool
	// Roots are believed about who a server is; nil for those of the system.
	Roots *x509.CertPool
}

// A Poster is a webhook.Poster over HTTP. It is safe for concurrent use.
type Poster struct{ client *http.Client }

var _ webhook.Poster = (*Poster)(nil)

// New returns a Poster.
func New(o Options) *Poster {
	d := &net.Dialer{Timeout: connectTimeout}
	if !o.AllowPrivate {
		d.Control = public
	}
	return &Poster{&http.Client{
		Transport: &http.Transport{
			DialContext: d.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
			TLSHandshakeTimeout: connectTimeout, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxResponseHeaderBytes: headerBytesMax, MaxIdleConnsPerHost: 1, IdleConnTimeout: idleMax,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Post implements webhook.Poster.
func (p *Poster) Post(ctx context.Context, m webhook.Post) webhook.Answer {
	start := time.Now()
	a := p.post(ctx, m)
	a.Took = time.Since(start)
	return a
}

func (p *Poster) post(ctx context.Context, m webhook.Post) webhook.Answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return webhook.Answer{Reason: webhook.Unreachable}
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "fanli-webhooks",
		webhook.HeaderID: m.ID, webhook.HeaderTimestamp: m.Timestamp, webhook.HeaderSignature: m.Signature,
	} {
		req.Header.Set(name, value)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return webhook.Answer{Reason: reason(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytesMax))
	if err != nil && ctx.Err() != nil { // the answer had begun, and did not end in time
		return webhook.Answer{Status: resp.StatusCode, Reason: webhook.TimedOut}
	}
	return webhook.Answer{Status: resp.StatusCode, Excerpt: excerpt(body), Later: later(resp.Header, time.Now())}
}

// later is how long an answer asks to be left alone: Retry-After, in seconds or as a
// moment. A moment is one of the other side's clock, which Date has; 0 for none, and
// for what is over or cannot be read.
func later(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(time.Duration(seconds)*time.Second, 0)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil {
		now = theirs
	}
	return max(until.Sub(now), 0)
}

// reason says why there is no answer. The error itself quotes the address.
func reason(err error) webhook.Reason {
	var private *privateError
	var unproven *tls.CertificateVerificationError
	var n net.Error
	switch {
	case errors.As(err, &private):
		return webhook.Forbidden
	case errors.As(err, &unproven):
		return webhook.Untrusted
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return webhook.TimedOut
	default:
		return webhook.Unreachable
	}
}

// excerpt is the beginning of an answer as one printable line.
func excerpt(b []byte) string {
	s := strings.ToValidUTF8(string(b[:min(len(b), excerptBytesMax)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s))
}

// A privateError says that an address is none that strangers may have us call.
type privateError struct{ address string }

func (e *privateError) Error() string { return fmt.Sprintf("%s is a private address", e.address) }

// public refuses connections to private addresses. It is asked after the name was
// looked up, for each address that is dialled.
func public(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !Public(ap.Addr()) {
		return &privateError{address}
	}
	return nil
}

// Public reports whether an address is of the internet at large: not of this machine,
// a private or special network, nor one in which such an address can be wrapped.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	for _, net := range special() {
		if net.Contains(a) {
			return false
		}
	}
	return true
}

// special are networks that count as global unicast and are not the internet at
// large: see the registries of IANA for special-purpose addresses.
func special() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"),
		netip.MustParsePrefix("fec0::/10"),
	}
}
