package kf_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot/kf"
	"fanli/bot/kf/kffake"
	"fanli/core/fault"
)

// TestForgedCallbacks: what is not WeCom's is refused, counted and does nothing; what is,
// has messages read.
func TestForgedCallbacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, forged)
}

func forged(t *testing.T) {
	t.Helper()
	want := map[string]string{
		"signature": "signature", "no signature": "query", "query twice": "query", "corp": "app", "inner corp": "differs", "truncated": "undecoded",
		"padding": "undecoded", "stale": "stale", "future": "stale", "replayed": "replayed", "reused": "replayed", "unencrypted": "plain", "plain": "plain", "DTD": "dtd",
		"duplicate": "duplicate", "second root": "root", "deep": "deep", "oversized": "too_large", "not XML": "malformed", "empty": "malformed", "nothing inside": "differs",
	}
	w := open(t, kffake.Config{}, nil)
	for _, how := range kffake.Forgeries() {
		before := w.counts.of("refused/" + want[how])
		d := w.fake.Forge(t.Context(), how)
		if d.Status < 400 || d.Body != "" || w.counts.of("refused/"+want[how]) != before+1 {
			t.Errorf("%s: answered %d %q, and %d are refused for %q", how, d.Status, d.Body, w.counts.of("refused/"+want[how]), want[how])
		}
	}
	if n := w.counts.of("heard/hint"); n != 2 { // what was replayed and reused had been right before
		t.Errorf("%d hints are taken", n)
	}
	if err := w.fake.Check(t.Context()); err != nil {
		t.Errorf("the console's test: %v", err)
	}
	for _, secret := range []string{w.fake.Token(), w.fake.AESKey()} {
		if strings.Contains(w.logs.String(), secret) {
			t.Error("the log tells a secret")
		}
	}
	odd := httptest.NewRecorder()
	w.channel.ServeHTTP(odd, httptest.NewRequest(http.MethodPut, "/wecom?timestamp=1&nonce=2&msg_signature=3", nil))
	if odd.Code != http.StatusMethodNotAllowed {
		t.Errorf("PUT is answered %d", odd.Code)
	}
}

// TestOptions: what is missing is said, without a secret.
func TestOptions(t *testing.T) {
	t.Parallel()
	_, err := kf.New(kf.Options{AESKey: "made0up", Every: -time.Second})
	if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "made0up") {
		t.Fatalf("%v", err)
	}
	for _, what := range []string{"corp_id", "open_kfid", "token", "encoding_aes_key", "poll", "a platform"} {
		if !strings.Contains(err.Error(), what) {
			t.Errorf("%q is not missed: %v", what, err)
		}
	}
}
