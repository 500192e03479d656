package taobao_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanli/adapters/taobao"
	"fanli/core/fault"
	"fanli/core/link"
)

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	orders := func(c *taobao.Client) error {
		_, err := c.Pull(t.Context(), morning(taobao.SceneModified), "")
		return err
	}
	suits := func(c *taobao.Client) error {
		_, err := c.Pull(t.Context(), morning(taobao.SceneRefund), "")
		return err
	}
	offer := func(c *taobao.Client) error {
		_, err := c.Offer(t.Context(), link.Ref{Kind: link.Item, ID: "a-b"})
		return err
	}
	tests := []struct {
		call      func(*taobao.Client) error
		code, sub string
		want      fault.Code
		reason    string
	}{
		{offer, "4", "", fault.Limited, ""},
		{offer, "7", "accesscontrol.limited-by-app-access-count", fault.Limited, ""},
		{offer, "8", "", fault.Limited, ""},
		{offer, "10", "", fault.Unavailable, ""},
		{offer, "11", "isv.permission-api-package-limit", fault.Denied, ""},
		{offer, "12", "", fault.Denied, ""},
		{offer, "15", "", fault.Unavailable, ""},
		{offer, "15", "isp.pid-check-error", fault.Unavailable, ""},
		{offer, "15", "isv.me_param_not_correct", fault.Invalid, ""},
		{offer, "15", "isv.item-not-exist", fault.NotFound, "offer.not_in_programme"},
		{offer, "15", "50001", fault.NotFound, "offer.not_in_programme"},
		{offer, "50", "50001", fault.NotFound, "offer.not_in_programme"},
		{offer, "15", "50002", fault.Limited, ""},
		{offer, "15", "40001", fault.Unavailable, ""},
		{offer, "15", "2", fault.Denied, ""},
		{offer, "15", "1911", fault.Denied, ""},
		{offer, "15", "35", fault.Invalid, "link.kind_unsupported"},
		{offer, "15", "20011", fault.NotFound, "link.token_expired"},
		{offer, "15", "invalid-sessionkey", fault.Denied, ""},
		{offer, "15", "987654", fault.Internal, ""},
		{offer, "21", "", fault.Internal, ""},
		{offer, "25", "isv.sign-check-failure", fault.Denied, ""},
		{offer, "27", "invalid-sessionkey", fault.Denied, ""},
		{offer, "29", "isv.appkey-not-exists", fault.Denied, ""},
		{offer, "31", "", fault.Internal, ""},
		{offer, "40", "isv.missing-parameter:item_id", fault.Internal, ""},
		{offer, "41", "isv.invalid-parameter:item_id", fault.Invalid, ""},
		{offer, "41", "", fault.Invalid, ""},
		{offer, "42", "", fault.Denied, ""},
		{offer, "777", "", fault.Internal, ""},
		{offer, "777", "isp.unknown", fault.Unavailable, ""},
		{orders, "15", "1001", fault.Internal, ""},
		{orders, "15", "1008", fault.Unavailable, ""},
		{orders, "15", "2004", fault.Invalid, "feed.window_too_old"},
		{orders, "15", "2007", fault.Invalid, "feed.window_too_long"},
		{orders, "50", "2007", fault.Invalid, "feed.window_too_long"},
		{orders, "15", "3000", fault.Limited, ""},
		{orders, "15", "9100", fault.Limited, ""},
		{orders, "15", "3001", fault.Unavailable, ""},
		{orders, "15", "isp.pubrpt-service-unavailable", fault.Unavailable, ""},
		{suits, "15", "2007", fault.Invalid, "feed.window_too_long"},
		{suits, "11", "", fault.Denied, ""},
	}
	for _, tt := range tests {
		t.Run(tt.code+"/"+tt.sub, func(t *testing.T) {
			t.Parallel()
			body := fmt.Sprintf(`{"error_response":{"code":%s,"msg":"m","sub_code":%q,"sub_msg":"s","request_id":"15rabc"}}`, tt.code, tt.sub)
			err := tt.call(canned{details: body, refunds: body, itemInfo: body}.client(t))
			wantFault(t, err, tt.want, tt.reason)
			if !strings.Contains(err.Error(), "15rabc") {
				t.Errorf("the error does not tell the request: %v", err)
			}
		})
	}
}

// What is not an answer of the platform at all.
func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		status     int
		want       fault.Code
	}{
		{"Page", "<html>login</html>", 200, fault.Unavailable},
		{"Empty", "", 200, fault.Unavailable},
		{"Cut", `{"data":{"results":[`, 200, fault.Unavailable},
		{"Array", `[]`, 200, fault.Unavailable},
		{"NoData", `{}`, 200, fault.Unavailable},
		{"NoDataUnderRoot", `{"tbk_order_details_get_response":{}}`, 200, fault.Unavailable},
		{"ListOfTheWrongKind", `{"data":{"results":7}}`, 200, fault.Unavailable},
		{"ErrorOfTheWrongKind", `{"error_response":7}`, 200, fault.Unavailable},
		{"Deep", strings.Repeat(`{"data":`, 20000), 200, fault.Unavailable},
		{"Huge", strings.Repeat(" ", 9<<20), 200, fault.Unavailable},
		{"TooMany", "", 429, fault.Limited},
		{"Error", "", 503, fault.Unavailable},
		{"Moved", "", 302, fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			t.Cleanup(s.Close)
			cfg := taobao.Config{Endpoint: s.URL, AppKey: "1", AppSecret: secret, AdzoneIDs: []string{"1"}}
			c, err := taobao.New(cfg, nil, (&clock{}).Now)
			must(t, err)
			_, err = c.Pull(t.Context(), morning(taobao.SceneModified), "")
			wantFault(t, err, tt.want, "")
		})
	}
}

// FuzzAnswer feeds anything to every decoder: nothing may panic, and what is not
// understood has a code. Fuzz it with -fuzzminimizetime=10x: timers make its
// coverage waver, and shrinking an input would take all the time.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"orders_paid", "orders_simplified", "orders_odd_rows", "refunds_two_suits", "convert_coupon", "details_coupon", "token"} {
		f.Add([]byte(file(f, name)))
	}
	f.Add([]byte(`{"error_response":{"code":7}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := string(body)
		c := canned{details: s, refunds: s, convert: s, itemInfo: s, tpwd: s, "taobao.tbk.dg.material.optional.upgrade": s}.client(t)
		ctx := t.Context()
		for _, scene := range []string{taobao.SceneModified, taobao.SceneCreated, taobao.SceneRefund} {
			p, err := c.Pull(ctx, morning(scene), "")
			for _, r := range p.Revisions {
				if r.Key.ID == "" || r.Price < 0 || r.Actual < 0 || r.Estimated < 0 || r.Claimed < 0 || r.Refunded < 0 || r.Modified.IsZero() {
					t.Errorf("an impossible revision: %+v", r)
				}
			}
			for _, b := range p.Bad {
				if b.Err == nil || len(b.Raw) == 0 {
					t.Errorf("a bad row without reason or text: %+v", b)
				}
			}
			if err != nil && fault.CodeOf(err) == "" {
				t.Errorf("no code: %v", err)
			}
		}
		for _, ref := range []link.Ref{{Kind: link.Item, ID: "a-b"}, {Kind: link.Token, Token: "AbCdEfGhIjK"}} {
			if o, err := c.Offer(ctx, ref); err == nil && (o.Price <= 0 || o.Item == "") {
				t.Errorf("an impossible offer: %+v", o)
			}
		}
		if m, err := c.Link(ctx, link.Offer{Item: "a-b"}, link.Mark{}); err == nil && (m.URL == "" || m.Token == "") {
			t.Errorf("an empty link: %+v", m)
		}
		_, _ = c.Search(ctx, "x", 1, 3) // must not panic
	})
}

// FuzzCursor goes on from anything: what is no cursor of ours is refused.
func FuzzCursor(f *testing.F) {
	f.Add(`{"from":1768442400,"to":1768442460,"page":2,"index":"1_a|2_b","start":1768442400,"round":0,"seen":"00"}`)
	f.Add("x")
	f.Fuzz(func(t *testing.T, cursor string) {
		c := canned{details: file(t, "orders_paid")}.client(t)
		p, err := c.Pull(t.Context(), morning(taobao.SceneModified), cursor)
		if code := fault.CodeOf(err); err != nil && code != fault.Invalid && code != fault.Unavailable {
			t.Errorf("cursor %q: %v", cursor, err)
		}
		if err != nil && (len(p.Revisions) > 0 || p.Next != "") {
			t.Errorf("cursor %q: a page beside an error", cursor)
		}
	})
}
