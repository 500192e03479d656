package wechatpay_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// What callbacks are believed, and only as a hint.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind string
		want fault.Code
	}{
		{wechatpayfake.True, ""},
		{wechatpayfake.Contradictory, ""}, // genuine: whoever heard it asks, and is told the truth
		{wechatpayfake.ForgedCall, fault.Denied},
		{wechatpayfake.Replayed, fault.Denied},
		{wechatpayfake.Probe, fault.Denied},
		{wechatpayfake.Tampered, fault.Denied},
		{wechatpayfake.BadNonce, fault.Denied},
		{wechatpayfake.TwoNames, fault.Denied},
		{wechatpayfake.NoResource, fault.Denied},
		{wechatpayfake.OtherKey, fault.Denied},
		{wechatpayfake.OtherMerchant, fault.Denied},
		{wechatpayfake.OtherEvent, fault.Invalid},
	}
	for _, mode := range []string{wechatpay.PublicKeyMode, wechatpay.CertificateMode} {
		for _, tt := range tests {
			t.Run(mode+"/"+tt.kind, func(t *testing.T) {
				t.Parallel()
				w := open(t, mode)
				mustSend(t, w, payment())
				if err := w.fake.Confirm("F7"); err != nil {
					t.Fatal(err)
				}
				cb, err := w.fake.Callback("F7", tt.kind)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // a second delivery is answered as the first
					number, err := w.Hear(t.Context(), cb)
					if fault.CodeOf(err) != tt.want || (number == "F7") != (tt.want == "") {
						t.Errorf("Hear says %q, %v; want %q", number, err, tt.want)
					}
					wantSilent(t, err)
				}
				o, err := w.Query(t.Context(), "F7")
				wantOutcome(t, "Query afterwards", o, err, withdraw.Done, "")
			})
		}
	}
}

// wantSilent judges that an error tells neither a secret nor what a callback said.
func wantSilent(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{apiv3Key, openid, "F7", "PRIVATE"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells %q", secret)
		}
	}
}

// A callback may overtake the answer of the request that it is about.
func TestCallbackBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	w.fake.Fail(wechatpayfake.Early)
	o := mustSend(t, w, payment())
	if o.Verdict != withdraw.Done || len(w.heard) != 1 {
		t.Fatalf("Send says %s, %d callbacks", o.Verdict, len(w.heard))
	}
	if number, err := w.Hear(t.Context(), w.heard[0]); err != nil || number != "F7" {
		t.Errorf("Hear says %q, %v", number, err)
	}
}

// An answer that comes too late leaves a bill behind, and a bill that is told of twice
// is one.
func TestSlowAndToldTwice(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	w.fake.Fail(wechatpayfake.Slow)
	for left := false; !left; _, left = w.fake.Bill("F7") { // a busy machine may send nothing in time
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if o, err := w.Send(ctx, payment()); err == nil && o.Verdict != withdraw.Unclear {
			t.Errorf("Send without an answer says %+v", o)
		}
		cancel()
	}
	w.fake.Fail(wechatpayfake.ToldTwice)
	o, err := w.Query(t.Context(), "F7")
	if err != nil || o.Verdict != withdraw.Waiting {
		t.Fatalf("Query afterwards says %+v, %v", o, err)
	}
	if err := w.fake.Confirm("F7"); err != nil {
		t.Fatal(err)
	}
	if len(w.heard) != 2 {
		t.Fatalf("%d callbacks, want two", len(w.heard))
	}
	for _, c := range w.heard {
		if number, err := w.Hear(t.Context(), c); err != nil || number != "F7" {
			t.Errorf("Hear says %q, %v", number, err)
		}
	}
}

// WeChat calls back whenever a bill has ended, whichever way.
func TestEveryEndIsCalledBack(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world) error{
		"confirmed": func(w *world) error { return w.fake.Confirm("F7") },
		"expired":   func(w *world) error { return w.fake.Expire("F7") },
		"cancelled": func(w *world) error { _, err := w.Cancel(t.Context(), "F7"); return err },
	} {
		w := open(t, wechatpay.PublicKeyMode)
		mustSend(t, w, payment())
		if err := end(w); err != nil {
			t.Fatal(err)
		}
		if len(w.heard) != 1 {
			t.Errorf("%s: %d callbacks, want one", name, len(w.heard))
			continue
		}
		if number, err := w.Hear(t.Context(), w.heard[0]); err != nil || number != "F7" {
			t.Errorf("%s: Hear says %q, %v", name, number, err)
		}
	}
}

// The edges of a callback: sizes and headers.
func TestCallbackEnvelope(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	mustSend(t, w, payment())
	cb, err := w.fake.Callback("F7", wechatpayfake.True)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{"Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"} {
		c := withdraw.Callback{Header: cb.Header.Clone(), Body: cb.Body}
		c.Header.Del(header)
		if number, err := w.Hear(t.Context(), c); !fault.Is(err, fault.Denied) {
			t.Errorf("without %s: %q, %v", header, number, err)
		}
	}
	cb.Body = append(cb.Body, make([]byte, 64<<10)...)
	if number, err := w.Hear(t.Context(), cb); !fault.Is(err, fault.Denied) {
		t.Errorf("a long one: %q, %v", number, err)
	}
}

func TestAnswersToCallbacks(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	if status, kind, body := w.Answer(nil); status != http.StatusNoContent || kind != "" || body != "" {
		t.Errorf("taken: %d %q %q", status, kind, body)
	}
	for _, tt := range []struct {
		err  error
		want int
	}{
		{fault.New(fault.Denied, ""), http.StatusUnauthorized},
		{fault.New(fault.Invalid, ""), http.StatusBadRequest},
		{fault.New(fault.Unavailable, ""), http.StatusServiceUnavailable},
		{errors.New("the database is away: " + apiv3Key), http.StatusInternalServerError},
	} {
		status, kind, body := w.Answer(tt.err)
		if status != tt.want || kind != "application/json" || !strings.HasPrefix(body, `{"code":"FAIL"`) || strings.Contains(body, apiv3Key) {
			t.Errorf("%v: %d %q %q, want %d", tt.err, status, kind, body, tt.want)
		}
	}
}
