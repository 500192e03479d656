package fakepay_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/adapters/fakepay"
	"fanli/adapters/fakepay/fakepayfake"
	"fanli/core/fault"
	"fanli/core/user"
	"fanli/core/withdraw"
	"fanli/core/withdraw/payertest"
)

const (
	merchant = "m1"
	secret   = "s3cret-of-the-merchant"
)

func clock() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// open returns a client and the provider that it talks to, under a prefix as in
// the sandbox.
func open(t *testing.T) (*fakepay.Client, *fakepayfake.Fake, string) {
	t.Helper()
	fake := fakepayfake.New(fakepayfake.Config{Merchant: merchant, Secret: secret, Now: clock})
	srv := httptest.NewServer(http.StripPrefix("/fake/pay", fake))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	c, err := fakepay.New(fakepay.Config{Endpoint: srv.URL + "/fake/pay", Merchant: merchant, Secret: secret}, srv.Client(), clock)
	if err != nil {
		t.Fatal(err)
	}
	return c, fake, srv.URL + "/fake/pay"
}

func TestPayer(t *testing.T) {
	t.Parallel()
	payertest.Run(t, func(t *testing.T) payertest.Subject {
		c, fake, _ := open(t)
		return payertest.Subject{Payer: c, Provider: fake, Secret: secret}
	})
}

var payment = withdraw.Payment{Number: "W7", Amount: 1234, Payee: user.Payee{Method: "alipay", Account: "13800138000", Name: "张三"}}

// Each refusal of the provider keeps the money where it is: it is an error, so
// the outcome is unclear, and its code says what an operator can do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	_, _, endpoint := open(t)
	tests := []struct {
		name string
		cfg  fakepay.Config
		now  func() time.Time
		p    withdraw.Payment
		want fault.Code
	}{
		{"another secret", fakepay.Config{Merchant: merchant, Secret: "x"}, clock, payment, fault.Unavailable},
		{"another merchant", fakepay.Config{Merchant: "m2", Secret: secret}, clock, payment, fault.Denied},
		{"a clock that is an hour off", fakepay.Config{Merchant: merchant, Secret: secret}, func() time.Time { return clock().Add(time.Hour) }, payment, fault.Denied},
		{"a number with a dash", fakepay.Config{Merchant: merchant, Secret: secret}, clock, withdraw.Payment{Number: "W-7", Amount: 1, Payee: payment.Payee}, fault.Invalid},
		{"no amount", fakepay.Config{Merchant: merchant, Secret: secret}, clock, withdraw.Payment{Number: "W8", Payee: payment.Payee}, fault.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.cfg.Endpoint = endpoint
			c, err := fakepay.New(tt.cfg, nil, tt.now)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Send(t.Context(), tt.p)
			if got := fault.CodeOf(err); got != tt.want {
				t.Errorf("Send = %q, want %q: %v", got, tt.want, err)
			}
		})
	}
}

// A number that was used for somebody else is a defect of ours, and an operator is
// told so.
func TestReusedNumberIsSaid(t *testing.T) {
	t.Parallel()
	c, _, _ := open(t)
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(p *withdraw.Payment){
		"another amount":  func(p *withdraw.Payment) { p.Amount++ },
		"another account": func(p *withdraw.Payment) { p.Payee.Account = "13900139000" },
	} {
		p := payment
		change(&p)
		_, err := c.Send(t.Context(), p)
		if !fault.Is(err, fault.Conflict) || fault.ReasonOf(err) != "payout.number_reused" {
			t.Errorf("%s: %v, want a conflict about the number", name, err)
		}
	}
}

// An answer belongs to its question: one that was recorded earlier is not
// believed, although its signature is right.
func TestAnswerCannotBeReplayed(t *testing.T) {
	t.Parallel()
	_, fake, _ := open(t)
	var recorded *httptest.ResponseRecorder
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if recorded == nil {
			recorded = httptest.NewRecorder()
			fake.ServeHTTP(recorded, r)
		}
		for k, v := range recorded.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	}))
	t.Cleanup(srv.Close)
	c, err := fakepay.New(fakepay.Config{Endpoint: srv.URL, Merchant: merchant, Secret: secret}, srv.Client(), clock)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.Query(t.Context(), "W7"); err != nil || o.Verdict != withdraw.Absent {
		t.Fatalf("the first answer: %v, %v; want absent", o, err)
	}
	if o, err := c.Query(t.Context(), "W7"); err == nil {
		t.Errorf("the recorded answer is believed: %v", o)
	}
}

func TestSignIsUnambiguous(t *testing.T) {
	t.Parallel()
	if fakepay.Sign("k", "ab", "c") == fakepay.Sign("k", "a", "bc") {
		t.Error("two lists of parts sign alike")
	}
	// Computed with openssl: printf '1:a2:bc' | openssl dgst -sha256 -hmac k
	const want = "9648b42f945f9c87214503220f8f78114bd98d4ad1dbcaa153a0c02ac04e97d4"
	if got := fakepay.Sign("k", "a", "bc"); got != want {
		t.Errorf("Sign = %q, want %q", got, want)
	}
}

func TestValidateSaysEverythingAtOnce(t *testing.T) {
	t.Parallel()
	err := fakepay.Config{Endpoint: "ftp://x"}.Validate()
	for _, key := range []string{"endpoint", "merchant", "secret"} {
		if err == nil || !strings.Contains(err.Error(), key+":") {
			t.Errorf("Validate does not name %s: %v", key, err)
		}
	}
	if s := (fakepay.Config{Secret: secret}).String(); strings.Contains(s, secret) {
		t.Errorf("String tells the secret: %s", s)
	}
}

// The provider's book survives a restart, with its switches and its memory of
// numbers.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	c, fake, _ := open(t)
	fake.Mode(fakepayfake.Holds)
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	again := fakepayfake.New(fakepayfake.Config{Merchant: merchant, Secret: secret, Now: clock})
	if err := again.Restore(fake.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Snapshot(), fake.Snapshot()) {
		t.Errorf("restored book\n%s\nwant\n%s", again.Snapshot(), fake.Snapshot())
	}
	if err := again.Decide(payment.Number, true); err != nil {
		t.Fatal(err)
	}
	if err := again.Decide(payment.Number, false); !fault.Is(err, fault.Conflict) {
		t.Errorf("deciding twice: %v, want conflict", err)
	}
	if err := again.Decide("W404", true); !fault.Is(err, fault.NotFound) {
		t.Errorf("deciding nothing: %v, want not found", err)
	}
	if err := again.Restore([]byte("{")); !fault.Is(err, fault.Invalid) {
		t.Errorf("restoring half a book: %v, want invalid", err)
	}
}

// OnChange is called for what must be kept, and only then may the book be read
// from it.
func TestOnChange(t *testing.T) {
	t.Parallel()
	c, fake, _ := open(t)
	changes := make(chan int, 16)
	fake.OnChange(func() { changes <- len(fake.Payments()) })
	if _, err := c.Send(t.Context(), payment); err != nil {
		t.Fatal(err)
	}
	if got := <-changes; got != 1 {
		t.Errorf("heard of a book of %s payments, want 1", strconv.Itoa(got))
	}
	if fake.Fail("no such way") {
		t.Error("Fail takes a way that it does not know")
	}
}
