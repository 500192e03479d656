package pdd_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanli/adapters/pdd"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// answering returns a client of a platform that always answers the same.
func answering(t *testing.T, status int, body string) *pdd.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return clientOf(t, server.URL, server.Client())
}

func clientOf(t *testing.T, endpoint string, hc *http.Client) *pdd.Client {
	t.Helper()
	cfg := pdd.Config{Endpoint: endpoint, ClientID: clientID, ClientSecret: secret, PID: pid, UID: "tg_10001"}
	c, err := pdd.New(cfg, hc, func() time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// file returns an answer from testdata.
func file(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lastHour is a window of the update scene.
func lastHour() order.Window {
	return order.Window{Scene: pdd.SceneUpdate, From: start.Add(-2 * time.Hour), To: start}
}

func TestOrderRow(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	base := order.Revision{
		Key:    order.Key{Network: "pdd", Account: "main", ID: "260115-401069834933833"},
		Aspect: order.Whole, Order: "260115-401069834933833", Title: "示例手机壳", Quantity: 1,
		Price: 1490, Estimated: 298, Slot: pid, Created: at(1768448000), PaidAt: at(1768448030),
	}
	sample := base
	sample.Item, sample.Shop, sample.Image = "E9b2pVmVvzZK_JQdDsPhPw_JexampleAB", "示例店", "https://img.pddpic.com/x.jpg"
	sample.State, sample.Tag, sample.Modified = order.Paid, "a1", at(1768448031)
	texts := base
	texts.Item, texts.State, texts.Tag, texts.Disputed = "445566778", order.Received, "user_1", true
	texts.ReceivedAt, texts.Modified = at(1768448040), at(1768448050)
	for name, want := range map[string]order.Revision{"orders_sample.json": sample, "orders_strings.json": texts} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := file(t, name)
			p, err := answering(t, 200, body).Orders().Pull(t.Context(), lastHour(), "")
			if err != nil || len(p.Revisions) != 1 || len(p.Bad) != 0 {
				t.Fatalf("Pull = %+v, %v; want one revision", p, err)
			}
			got := p.Revisions[0]
			if !strings.Contains(body, string(got.Raw)) || len(got.Raw) == 0 {
				t.Errorf("Raw = %q is not the row as received", got.Raw)
			}
			got.Raw = nil
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

func TestBadRowsAreSetAside(t *testing.T) {
	t.Parallel()
	p, err := answering(t, 200, file(t, "orders_bad_rows.json")).Orders().Pull(t.Context(), lastHour(), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Bad) != 8 || len(p.Revisions) != 1 {
		t.Fatalf("%d bad and %d good rows, want 8 and 1", len(p.Bad), len(p.Revisions))
	}
	for i, b := range p.Bad {
		if fault.CodeOf(b.Err) != fault.Invalid || len(b.Raw) == 0 {
			t.Errorf("bad row %d: %s, %v", i, b.Raw, b.Err)
		}
		if want := fmt.Sprintf("260115-%015d", i+1); i < 5 && b.Key.ID != want {
			t.Errorf("bad row %d is of line %q, want %q", i, b.Key.ID, want)
		}
	}
}

// TestACommissionThatIsNotSaidIsNotNothing: a row without one is set aside, unless
// nothing is owed anyway. Refunds come in no feed of their own: what shrinks is in
// the row.
func TestACommissionThatIsNotSaidIsNotNothing(t *testing.T) {
	t.Parallel()
	for status, good := range map[int]bool{-1: true, 4: true, 8: true, 10: true, 0: false, 1: false, 2: false, 3: false, 5: false} {
		for _, fee := range []string{"", `,"promotion_amount":null`, `,"promotion_amount":0`} {
			body := fmt.Sprintf(`{"order_list_get_response":{"total_count":1,"order_list":[{"order_sn":"260115-000000000000001",`+
				`"order_status":%d,"order_amount":1490,"order_modify_at":1768448031%s}]}}`, status, fee)
			p, err := answering(t, 200, body).Orders().Pull(t.Context(), lastHour(), "")
			if err != nil {
				t.Fatal(err)
			}
			if want := good || strings.HasSuffix(fee, ":0"); (len(p.Revisions) == 1) != want || len(p.Revisions)+len(p.Bad) != 1 {
				t.Errorf("status %d%s: %d good and %d bad rows", status, fee, len(p.Revisions), len(p.Bad))
			}
			for _, r := range p.Revisions {
				if r.Aspect != order.Whole || r.Unsaid {
					t.Errorf("status %d%s: %+v", status, fee, r)
				}
			}
		}
	}
}

func TestFailedOrderSaysWhy(t *testing.T) {
	t.Parallel()
	tests := []struct{ status, reason, want string }{
		{"4", `"订单退款"`, "order.refunded"},
		{"4", `"订单取消"`, "order.cancelled"},
		{"4", `"佣金比例异常"`, "order.ineligible"},
		{"4", `null`, "order.ineligible"},
		{"8", `"退款"`, "order.no_rate"},
		{"10", `"违规推广"`, "order.violation"},
	}
	for _, tt := range tests {
		body := `{"order_list_get_response":{"total_count":1,"order_list":[{"order_sn":"1","order_status":` + tt.status +
			`,"fail_reason":` + tt.reason + `,"order_modify_at":1768448031}]}}`
		p, err := answering(t, 200, body).Orders().Pull(t.Context(), lastHour(), "")
		if err != nil || len(p.Revisions) != 1 {
			t.Fatalf("status %s: %+v, %v", tt.status, p, err)
		}
		if r := p.Revisions[0]; r.State != order.Invalid || r.Why != tt.want {
			t.Errorf("status %s because %s = %s, %s; want %s", tt.status, tt.reason, r.State, r.Why, tt.want)
		}
	}
}

func TestOffersFromAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file   string
		final  int64
		caveat bool
		code   fault.Code
	}{
		{file: "search_coupon_valid.json", final: 1490},
		{file: "search_coupon_ended.json", final: 1990, caveat: true},
		{file: "search_coupon_gone.json", final: 1990},
		{file: "search_rate_odd.json", code: fault.Unavailable},
		{file: "search_two_goods.json", code: fault.NotFound},
		{file: "search_other_goods.json", code: fault.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(searching(t, file(t, tt.file)))
			t.Cleanup(server.Close)
			o, err := clientOf(t, server.URL, server.Client()).Links().Offer(t.Context(), link.Ref{Kind: link.Item, ID: "445566778"})
			if fault.CodeOf(err) != tt.code {
				t.Fatalf("err = %v, want code %q", err, tt.code)
			}
			if int64(o.Final) != tt.final || len(o.Caveats) > 0 != tt.caveat {
				t.Errorf("Final = %d, Caveats = %v; want %d, %t", o.Final, o.Caveats, tt.final, tt.caveat)
			}
		})
	}
}

// searching answers searches with body and converts no link.
func searching(t *testing.T, body string) http.HandlerFunc {
	refusal := file(t, "error_number_sub_code.json")
	return func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("type") != "pdd.ddk.goods.search" {
			_, _ = fmt.Fprint(w, refusal)
			return
		}
		_, _ = fmt.Fprint(w, body)
	}
}

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	code := func(n int) string {
		return fmt.Sprintf(`{"error_response":{"error_msg":"m %s","sub_msg":"","sub_code":null,"error_code":%d,"request_id":"1"}}`, secret, n)
	}
	tests := []struct {
		name   string
		status int
		body   string
		offer  fault.Code
		pull   fault.Code
	}{
		{"number sub_code", 200, file(t, "error_number_sub_code.json"), fault.NotFound, fault.Internal},
		{"not authorised", 200, file(t, "error_not_authorised.json"), fault.Denied, fault.Denied},
		{"null sub_code", 200, file(t, "error_null_sub_code.json"), fault.Denied, fault.Denied},
		{"limited", 200, code(52101), fault.Limited, fault.Limited},
		{"quota", 200, code(70036), fault.Limited, fault.Limited},
		{"too frequent", 200, code(70031), fault.Limited, fault.Limited},
		{"system", 200, code(50000), fault.Unavailable, fault.Unavailable},
		{"signature", 200, code(20004), fault.Denied, fault.Denied},
		{"address", 200, code(20005), fault.Denied, fault.Denied},
		{"parameter", 200, code(10000), fault.Invalid, fault.Invalid},
		{"unknown code", 200, code(99999), fault.Internal, fault.Internal},
		{"bad gateway", 502, "<html>", fault.Unavailable, fault.Unavailable},
		{"gateway limits", 429, "", fault.Limited, fault.Limited},
		{"gateway forbids", 403, "", fault.Denied, fault.Denied},
		{"empty", 200, "", fault.Unavailable, fault.Unavailable},
		{"array", 200, "[]", fault.Unavailable, fault.Unavailable},
		{"other root", 200, `{"x_response":{}}`, fault.Unavailable, fault.Unavailable},
		{"odd list", 200, `{"order_list_get_response":{"order_list":7},"goods_search_response":{"goods_list":7}}`, fault.Unavailable, fault.Unavailable},
		{"odd error", 200, `{"error_response":7}`, fault.Internal, fault.Internal},
		{"too long", 200, `{"x":"` + strings.Repeat("x", 9<<20) + `"}`, fault.Unavailable, fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := answering(t, tt.status, tt.body)
			_, err := c.Links().Offer(t.Context(), link.Ref{Kind: link.Item, ID: "E9a_Ja"})
			wantCode(t, "Offer", err, tt.offer)
			_, err = c.Orders().Pull(t.Context(), lastHour(), "")
			wantCode(t, "Pull", err, tt.pull)
		})
	}
}

func wantCode(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != want {
		t.Errorf("%s: %v, want code %q", what, err, want)
	}
	if err != nil && (strings.Contains(err.Error(), secret) || len(err.Error()) > 1000) {
		t.Errorf("%s: the error is long or tells the secret: %.2000s", what, err)
	}
}

func TestUnreachablePlatform(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	c := clientOf(t, server.URL+"/?key="+secret, server.Client())
	server.Close()
	_, err := c.Orders().Pull(t.Context(), lastHour(), "")
	wantCode(t, "Pull", err, fault.Unavailable)
}

func TestPageCounts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, total string
		code        fault.Code
		reason      string
	}{
		{"none", "0", "", ""},
		{"missing with few rows", "null", "", ""},
		{"not a number", `"many"`, fault.Unavailable, ""},
		{"negative", "-1", fault.Unavailable, ""},
		{"too many", "500001", fault.Invalid, "feed.window_too_full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := answering(t, 200, `{"order_list_get_response":{"order_list":[],"total_count":`+tt.total+`}}`)
			p, err := c.Orders().Pull(t.Context(), lastHour(), "")
			if fault.CodeOf(err) != tt.code || fault.ReasonOf(err) != tt.reason || p.Next != "" {
				t.Errorf("Pull = %+v, %v; want code %q because %q", p, err, tt.code, tt.reason)
			}
		})
	}
}

func TestPullRefusesOddQuestions(t *testing.T) {
	t.Parallel()
	c := answering(t, 200, `{"order_list_get_response":{"order_list":[],"total_count":0}}`)
	for name, q := range map[string]struct {
		w      order.Window
		cursor string
	}{
		"cursor is no number": {lastHour(), "x"},
		"page zero":           {lastHour(), "0"},
		"page beyond":         {lastHour(), "10001"},
		"long cursor":         {lastHour(), strings.Repeat("1", 300)},
		"window of nothing":   {order.Window{Scene: pdd.SceneUpdate, From: start, To: start}, ""},
	} {
		if _, err := c.Orders().Pull(t.Context(), q.w, q.cursor); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}
