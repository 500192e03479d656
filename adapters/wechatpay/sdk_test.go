package wechatpay_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay"
	"fanli/adapters/wechatpay/wechatpayfake"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// The SDK's defects that this package stands around, one test each.

// The SDK returns an answer of another status than 2xx before it looks at the
// signature. What such an answer says about the bill is not believed.
func TestErrorBodiesEndNothing(t *testing.T) {
	t.Parallel()
	w := open(t, wechatpay.PublicKeyMode)
	mustSend(t, w, payment())
	w.fake.Fail(wechatpayfake.Lying)
	other := payment()
	other.Number = "F8"
	for name, call := range map[string]func() (withdraw.Outcome, error){
		"Query":  func() (withdraw.Outcome, error) { return w.Query(t.Context(), "F7") },
		"Cancel": func() (withdraw.Outcome, error) { return w.Cancel(t.Context(), "F7") },
		"Send":   func() (withdraw.Outcome, error) { return w.Send(t.Context(), other) },
	} {
		o, err := call()
		wantOutcome(t, name, o, err, withdraw.Unclear, "payout.unclear")
	}
}

// answering returns a client of a server that answers everything in one way.
func answering(t *testing.T, change func(*wechatpay.Config), h http.HandlerFunc) *wechatpay.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	cfg := config(wechatpay.PublicKeyMode)
	cfg.Endpoint = srv.URL
	change(&cfg)
	c, err := wechatpay.New(cfg, nil, clock)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func as(*wechatpay.Config) {}

// Neither does it look at a signature that such an answer has.
func TestErrorBodiesMayNotBeSignedWrongly(t *testing.T) {
	t.Parallel()
	c := answering(t, as, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Wechatpay-Signature", "Zm9yZ2Vk")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"code":"NOT_FOUND"}`))
	})
	if o, err := c.Query(t.Context(), "F7"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Query says %+v, %v", o, err)
	}
}

// It puts body and headers of such answers into the text of its error.
func TestErrorsShowNoBodies(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError} {
		c := answering(t, as, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Echo", openid)
			w.Header().Set("Wechatpay-Signature", "x")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"code":"` + openid + `","message":"` + openid + `"}`))
		})
		if _, err := c.Send(t.Context(), payment()); err == nil || strings.Contains(err.Error(), openid) {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

// It reads bodies of any size.
func TestAnswersHaveAnEnd(t *testing.T) {
	t.Parallel()
	c := answering(t, as, func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			_, _ = w.Write(make([]byte, 16<<10))
		}
	})
	if o, err := c.Query(t.Context(), "F7"); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "more than") {
		t.Errorf("Query says %+v, %v", o, err)
	}
}

// It waits for half a minute, whatever its caller can bear.
func TestOwnTimeout(t *testing.T) {
	t.Parallel()
	c := answering(t, func(c *wechatpay.Config) { c.Timeout = 20 * time.Millisecond }, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if o, err := c.Query(t.Context(), "F7"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Query says %+v, %v", o, err)
	}
}

// It follows redirects, away from the path that was signed.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	c := answering(t, as, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/elsewhere") {
			t.Error("the redirect was followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	o, err := c.Send(t.Context(), payment())
	wantOutcome(t, "Send", o, err, withdraw.Unclear, "payout.unclear")
}

// It reads the wall clock; a genuine answer counts for five minutes of ours.
func TestOldAnswersAreNotBelieved(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ago  time.Duration
		want bool
	}{{0, true}, {5 * time.Minute, true}, {5*time.Minute + time.Second, false}, {-6 * time.Minute, false}} {
		w := open(t, wechatpay.PublicKeyMode)
		mustSend(t, w, payment())
		rec := record(t, w, "F7")
		w.sleep(tt.ago)
		o, err := clientAt(t, w, rec).Query(t.Context(), "F7")
		if got := err == nil && o.Verdict == withdraw.Done; got != tt.want {
			t.Errorf("an answer %s old: %+v, %v; believed should be %v", tt.ago, o, err, tt.want)
		}
	}
}

// record returns what WeChat answers now about a bill that is paid.
func record(t *testing.T, w *world, number string) *httptest.ResponseRecorder {
	t.Helper()
	if err := w.fake.Confirm(number); err != nil {
		t.Fatal(err)
	}
	uri := "/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/" + number
	auth, err := w.Authorization(t.Context(), http.MethodGet, uri, "1795348800", "n", "")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, uri, nil)
	r.Header.Set("Authorization", auth)
	rec := httptest.NewRecorder()
	w.fake.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	return rec
}

// clientAt returns a client on the world's clock that gets a recorded answer.
func clientAt(t *testing.T, w *world, rec *httptest.ResponseRecorder) *wechatpay.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		for k, v := range rec.Header() {
			rw.Header()[k] = v
		}
		_, _ = rw.Write(rec.Body.Bytes())
	}))
	t.Cleanup(srv.Close)
	cfg := w.cfg
	cfg.Endpoint = srv.URL
	c, err := wechatpay.New(cfg, nil, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
