package webhook_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	poster "fanli/adapters/webhook"
	"fanli/core/webhook"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// long is more than any of these calls takes.
const long = 20 * time.Second

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// serve starts a receiver on this machine.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// TestOverTheWire posts to the documented receiver, by TLS.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 11, 4, 0, 0, 0, time.UTC)
	secret, next := webhook.NewSecret(), webhook.NewSecret()
	var got []string
	var fails atomic.Bool
	r := &Receiver{Secret: secret.Reveal(), Now: func() time.Time { return now }, Handle: func(body []byte) error {
		if fails.Load() {
			return errors.New("not now")
		}
		got = append(got, string(body))
		return nil
	}}
	s := httptest.NewTLSServer(r)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	p := poster.New(poster.Options{AllowPrivate: true, Roots: roots})
	post := func(id, body string, at time.Time, secrets ...webhook.Secret) int {
		t.Helper()
		timestamp, signature, err := webhook.Sign(secrets, id, at, []byte(body))
		must(t, err)
		return p.Post(within(t, long), webhook.Post{URL: s.URL + "/in", ID: id, Timestamp: timestamp, Signature: signature, Body: []byte(body)}).Status
	}
	for _, step := range []struct {
		name, id, body string
		at             time.Time
		secrets        []webhook.Secret
		want           int
	}{
		{"a message", "msg_1", `{"n":1}`, now, []webhook.Secret{secret}, 200},
		{"the same, tried again", "msg_1", `{"n":1}`, now.Add(time.Minute), []webhook.Secret{secret}, 200},
		{"replayed an hour later", "msg_1", `{"n":1}`, now.Add(-time.Hour), []webhook.Secret{secret}, 401},
		{"while the secret is changed", "msg_2", `{"n":2}`, now, []webhook.Secret{next, secret}, 200},
		{"by somebody else", "msg_3", `{"n":3}`, now, []webhook.Secret{next}, 401},
	} {
		if status := post(step.id, step.body, step.at, step.secrets...); status != step.want {
			t.Errorf("%s: %d, want %d", step.name, status, step.want)
		}
	}
	fails.Store(true)
	if status := post("msg_4", `{"n":4}`, now, secret); status != 503 {
		t.Errorf("what it cannot handle: %d", status)
	}
	fails.Store(false)
	if status := post("msg_4", `{"n":4}`, now, secret); status != 200 || strings.Join(got, "") != `{"n":1}{"n":2}{"n":4}` {
		t.Errorf("%d; handled are %v", status, got)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	inside := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside, http.StatusTemporaryRedirect)
	})
	a := poster.New(poster.Options{AllowPrivate: true}).Post(within(t, long), webhook.Post{URL: url})
	if a.Status != http.StatusTemporaryRedirect || a.Reason != "" || reached.Load() != 0 {
		t.Errorf("%+v; what it led to was reached %d times", a, reached.Load())
	}
}

func TestPrivateAddressesAreNotReached(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	url := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	p := poster.New(poster.Options{})
	for _, u := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1), strings.Replace(url, "127.0.0.1", "[::ffff:127.0.0.1]", 1), strings.Replace(url, "127.0.0.1", "0.0.0.0", 1)} {
		if a := p.Post(within(t, long), webhook.Post{URL: u}); a.Reason != webhook.Forbidden || a.Status != 0 {
			t.Errorf("%s: %+v", u, a)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("reached %d times", reached.Load())
	}
}

func TestWhyThereIsNoAnswer(t *testing.T) {
	t.Parallel()
	p := poster.New(poster.Options{AllowPrivate: true})
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("begins"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	strange := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(strange.Close)
	for _, tt := range []struct {
		name, url string
		timeout   time.Duration
		want      webhook.Reason
	}{
		{"it says nothing", silent, 100 * time.Millisecond, webhook.TimedOut},
		{"it does not end", slow, 500 * time.Millisecond, webhook.TimedOut},
		{"nobody listens", closed.URL, long, webhook.Unreachable},
		{"its certificate is its own", strange.URL, long, webhook.Untrusted},
		{"it has no name", "https://nobody.invalid", long, webhook.Unreachable},
		{"it is no address", "https://%zz", long, webhook.Unreachable},
	} {
		if a := p.Post(within(t, tt.timeout), webhook.Post{URL: tt.url}); a.Reason != tt.want {
			t.Errorf("%s: %+v, want %s", tt.name, a, tt.want)
		}
	}
}

func TestOfAnAnswerLittleIsKept(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(" a\n\x1b[31mb\xff好 " + strings.Repeat("x", 1<<20)))
	})
	a := poster.New(poster.Options{AllowPrivate: true}).Post(within(t, long), webhook.Post{URL: url})
	if a.Status != http.StatusTeapot || !strings.HasPrefix(a.Excerpt, "a  [31mb好 x") || len(a.Excerpt) > 400 || a.Reason != "" {
		t.Errorf("%+v", a)
	}
}

func TestWhatAnAnswerAsksFor(t *testing.T) {
	t.Parallel()
	theirs := time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC) // clocks differ
	var asks string
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", theirs.Format(http.TimeFormat))
		w.Header().Set("Retry-After", asks)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	p := poster.New(poster.Options{AllowPrivate: true})
	for text, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "0": 0, "": 0, "-5": 0, "1.5": 0, "soon": 0, "99999999999999999999": 0, "2147483647": 2147483647 * time.Second,
		theirs.Add(time.Hour).Format(http.TimeFormat): time.Hour, theirs.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		asks = text
		if a := p.Post(within(t, long), webhook.Post{URL: url}); a.Later != want || a.Status != http.StatusServiceUnavailable {
			t.Errorf("%q: %+v, want %v", text, a, want)
		}
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "223.5.5.5": true, "2400:3200::1": true, "2606:4700:4700::1111": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "fd00::1": false, "fc00::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "100.64.0.1": false, "100.127.255.255": false,
		"192.0.0.170": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false, "192.88.99.1": false,
		"224.0.0.1": false, "ff02::1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::10.0.0.1": false, "64:ff9b::a00:1": false, "64:ff9b:1::1": false,
		"2002:a00:1::": false, "2001:0:1::": false, "2001:db8::1": false, "100::1": false, "3fff::1": false, "5f00::1": false,
		"100.63.255.255": true, "172.32.0.1": true, "198.20.0.1": true, "2001:4860:4860::8888": true,
	} {
		if got := poster.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if poster.Public(netip.Addr{}) {
		t.Error("none is public")
	}
}
