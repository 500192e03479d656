package pdd_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/adapters/pdd"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// The vectors were computed apart from this code.
func TestSign(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		params map[string]string
		want   string
	}{
		{"promotion url", map[string]string{
			"type": "pdd.ddk.goods.promotion.url.generate", "p_id": pid,
			"goods_sign_list":    `["E9b2pVmVvzZK_JQdDsPhPw_JexampleAB"]`,
			"custom_parameters":  `{"uid":"tg_10001","sid":"a1"}`,
			"generate_short_url": "true", "generate_authority_url": "false",
		}, "32BBAE177EBF5258766E0F0C18623DC6"},
		{"order list", map[string]string{
			"type": "pdd.ddk.order.list.increment.get", "start_update_time": "1768448096", "end_update_time": "1768451696",
			"page": "1", "page_size": "50", "return_count": "true",
		}, "9805A075868521F7220A2C976A62209C"},
		{"Chinese words", map[string]string{
			"type": "pdd.ddk.goods.search", "keyword": "手机壳", "pid": pid, "custom_parameters": `{"uid":"tg_10001"}`,
		}, "829BAB8E25B2B71B1230447770BA6F54"},
	}
	for _, tt := range tests {
		tt.params["client_id"], tt.params["timestamp"], tt.params["data_type"] = clientID, "1768451696", "JSON"
		tt.params["sign"] = "does not sign itself"
		if got := pdd.Sign(secret, tt.params); got != tt.want {
			t.Errorf("%s: Sign = %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestRequestsOnTheWire compares whole requests with the vectors: the same
// parameters, no more and no fewer.
func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	forms := make(chan url.Values, 2)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		forms <- form
	}))
	t.Cleanup(server.Close)
	c := clientOf(t, server.URL, server.Client())
	_, err := c.Links().Link(t.Context(), link.Offer{Item: "E9b2pVmVvzZK_JQdDsPhPw_JexampleAB"}, link.Mark{Tag: "a1"})
	wantCode(t, "Link", err, fault.Unavailable) // the answer is empty
	if got := (<-forms).Get("sign"); got != "32BBAE177EBF5258766E0F0C18623DC6" {
		t.Errorf("link is signed %s", got)
	}
	_, err = c.Orders().Pull(t.Context(), order.Window{Scene: pdd.SceneUpdate, From: start.Add(-time.Hour), To: start}, "")
	wantCode(t, "Pull", err, fault.Unavailable)
	if got := (<-forms).Get("sign"); got != "9805A075868521F7220A2C976A62209C" {
		t.Errorf("order list is signed %s", got)
	}
}

func TestConfigNamesAllMistakes(t *testing.T) {
	t.Parallel()
	good := pdd.Config{ClientID: "a", ClientSecret: "b", PID: pid}
	if err := good.Validate(); err != nil {
		t.Errorf("a small configuration: %v", err)
	}
	bad := pdd.Config{
		Endpoint: "gw-api.pinduoduo.com", ClientSecret: "", Account: "a/b", PID: "8000001", PIDs: []string{pid, "x", pid},
		UID: "much_too_long_for_it", Tagging: "colour", PageSize: 500,
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, key := range []string{"endpoint", "client_id", "client_secret", "account", "pid", "pids[1]", "pids[2]", "uid", "tagging", "page_size"} {
		if !strings.Contains(err.Error(), "pdd: "+key+": ") {
			t.Errorf("the mistake in %s is not named:\n%v", key, err)
		}
	}
	if _, newErr := pdd.New(bad, http.DefaultClient, time.Now); newErr == nil || newErr.Error() != err.Error() {
		t.Errorf("New = %v, want what Validate says", newErr)
	}
	alone := good
	alone.Tagging = pdd.TagByPID
	if err := alone.Validate(); err == nil || !strings.Contains(err.Error(), "needs pids") {
		t.Errorf("tagging by pid without a pool: %v", err)
	}
}

func TestPoolIsVisibleOnlyWhereThereIsOne(t *testing.T) {
	t.Parallel()
	if _, ok := open(t, nil).client.Links().(link.Pooled); ok {
		t.Error("an account without a pool is link.Pooled")
	}
	p, ok := open(t, func(c *pdd.Config) { c.PIDs = []string{pid2, pid} }).client.Links().(link.Pooled)
	if !ok || strings.Join(p.Slots(), " ") != pid2+" "+pid {
		t.Errorf("an account with a pool: %v", ok)
	}
}

func TestMarkThatCannotTravelIsRefused(t *testing.T) {
	t.Parallel()
	n := open(t, nil).client.Links()
	o, err := n.Offer(t.Context(), link.Ref{Kind: link.Item, ID: "445566778"})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]link.Mark{
		"quote":        {Tag: `a","uid":"b`},
		"long":         {Tag: strings.Repeat("a", 33)},
		"nothing":      {},
		"foreign slot": {Tag: "a", Slot: "9_9"},
	} {
		if _, err := n.Link(t.Context(), o, m); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if _, err := n.Link(t.Context(), o, link.Mark{Tag: strings.Repeat("a", 32)}); err != nil {
		t.Errorf("the longest tag: %v", err)
	}
}

// TestAuthorisation follows a pid from revoked to authorised.
func TestAuthorisation(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	ref := link.Ref{Kind: link.Item, ID: "445566778"}
	w.fake.Revoke(pid)
	_, err := w.client.Links().Offer(t.Context(), ref)
	wantCode(t, "Offer without authorisation", err, fault.Denied)
	if ok, err := w.client.Authorised(t.Context(), pid); ok || err != nil {
		t.Errorf("Authorised = %t, %v before the visit", ok, err)
	}
	page, err := w.client.AuthorityLink(t.Context(), pid)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if ok, err := w.client.Authorised(t.Context(), pid); !ok || err != nil {
		t.Errorf("Authorised = %t, %v after the visit", ok, err)
	}
	if _, err := w.client.Links().Offer(t.Context(), ref); err != nil {
		t.Errorf("Offer after the visit: %v", err)
	}
	if _, err := w.client.AuthorityLink(t.Context(), "9_9"); !fault.Is(err, fault.Invalid) {
		t.Errorf("AuthorityLink of a foreign pid: %v", err)
	}
}
