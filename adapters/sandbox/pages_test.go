package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"fanli/adapters/alipay/alipayfake"
	"fanli/adapters/sandbox"
	"fanli/core/market"
)

// get fetches a page, following redirects.
func (st *stage) get(t *testing.T, path string) (status int, kind, body string) {
	t.Helper()
	return st.do(t, http.MethodGet, path, "", "")
}

// form posts a form as a browser does from a page of ours, and returns where it
// ends.
func (st *stage) form(t *testing.T, path string, fields url.Values) (end *url.URL, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, st.srv.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := st.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Request.URL, string(b)
}

func (st *stage) do(t *testing.T, method, path, kind, body string, headers ...string) (int, string, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, st.srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	res, err := st.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Content-Type"), string(b)
}

// hidden returns the value of a hidden field.
func hidden(t *testing.T, page, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the page has no field %q", name)
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// A shopper opens the bot's link in a browser, buys, and sees the order; what the
// link carries comes with the order and is on no page.
func TestBuyingInABrowser(t *testing.T) {
	t.Parallel()
	for network, text := range map[string]string{
		"taobao": "￥CZ0005AbCdE￥", "jd": "https://item.jd.com/100012043983.html", "pdd": "https://mobile.yangkeduo.com/goods.html?goods_id=445566778803",
	} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			st := open(t, "")
			made := st.made(t, network, text)
			status, _, page := st.get(t, strings.TrimPrefix(made, st.srv.URL))
			if status != http.StatusOK || !strings.Contains(page, "返利链接") {
				t.Fatalf("the link opens status %d", status)
			}
			if strings.Contains(page, "tagofme1") {
				t.Error("the shopper sees the tag")
			}
			s, _ := st.Shop(network)
			_, c, _ := st.Click(made)
			end, page := st.form(t, "/shop/"+network+"/"+c.Item, url.Values{"via": {hidden(t, page, "via")}, "quantity": {"2"}})
			lines := s.Market.Lines(nil)
			if len(lines) != 1 || lines[0].Click != c || lines[0].State != market.Paid || lines[0].Quantity != 2 {
				t.Fatalf("the book has %+v", lines)
			}
			if !strings.HasSuffix(end.Path, "/shop/orders/"+network+"/"+lines[0].ID) || !strings.Contains(page, lines[0].Order) {
				t.Errorf("the shopper ends at %s without the order number", end)
			}
			if strings.Contains(page, "tagofme1") {
				t.Error("the order page shows the tag")
			}
			st.form(t, "/shop/orders/"+network+"/"+lines[0].ID+"/receive", nil)
			st.form(t, "/shop/orders/"+network+"/"+lines[0].ID+"/settle", nil) // not the shopper's to do
			if l, _ := s.Market.Line(lines[0].ID); l.State != market.Received {
				t.Errorf("the line is %s, want received", l.State)
			}
		})
	}
}

// Who buys without a link gets an order that no network hears of.
func TestBuyingDirectly(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	_, page := st.form(t, "/shop/jd/100012043983", url.Values{"quantity": {"1"}})
	if !strings.Contains(page, "没有经过返利链接") {
		t.Error("the page does not say that there will be no rebate")
	}
	if _, all := st.Orders(1); all != 0 {
		t.Errorf("the network heard of %d orders", all)
	}
	_, page = st.form(t, "/shop/jd/100012043983", url.Values{"via": {"http://127.0.0.1:1/go/jd/nothing"}})
	if !strings.Contains(page, "已经失效") {
		t.Error("a dead link is not called dead")
	}
	end, _ := st.form(t, "/shop/jd/100012043983", url.Values{"quantity": {"1000"}})
	if end.Query().Get("did") != "sandbox.quantity" {
		t.Errorf("a thousand pieces end at %s", end)
	}
}

func TestControlPage(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	_, page := st.form(t, "/control/stray", url.Values{"network": {"jd"}, "item": {"100012043983"}})
	s, _ := st.Shop("jd")
	l := s.Market.Lines(nil)[0]
	if !strings.Contains(page, l.Order) || !strings.Contains(page, "无主订单已经生成") {
		t.Error("the page does not show the new order")
	}
	st.form(t, "/control/orders/jd/"+l.ID+"/refund", url.Values{"amount": {"1.50"}})
	st.form(t, "/control/orders/jd/"+l.ID+"/receive", nil)
	st.form(t, "/control/orders/jd/"+l.ID+"/settle", nil)
	if got, _ := s.Market.Line(l.ID); got.State != market.Settled || got.Refunded != 150 {
		t.Errorf("the line is %s with %s given back", got.State, got.Refunded)
	}
	for amount, did := range map[string]string{"zwölf": "money.unreadable", "99999": "market.refund_amount", "-1": "market.refund_amount", "0": "market.refund_amount", "1.505": "money.unreadable"} {
		end, _ := st.form(t, "/control/orders/jd/"+l.ID+"/refund", url.Values{"amount": {amount}})
		if end.Query().Get("did") != did {
			t.Errorf("refund of %q: %s, want %s", amount, end.Query().Get("did"), did)
		}
	}
	before := st.Now()
	st.form(t, "/control/clock", url.Values{"by": {"168h"}})
	if got := st.Now().Sub(before); got.Hours() != 168 {
		t.Errorf("the clock moved by %s", got)
	}
	for _, by := range []string{"", "-1h", "0s", "100000h", "week"} {
		if end, _ := st.form(t, "/control/clock", url.Values{"by": {by}}); end.Query().Get("did") != "sandbox.odd" {
			t.Errorf("moving the clock by %q: %s", by, end.Query().Get("did"))
		}
	}
	st.form(t, "/control/networks/pdd", url.Values{"mode": {"down"}})
	if p, _ := st.Shop("pdd"); st.Mode(p) != "down" {
		t.Error("the network is not down")
	}
	if _, _, page := st.get(t, "/control"); !strings.Contains(page, `<option value="down" selected>`) {
		t.Error("the page does not show that the network is down")
	}
}

func TestControlOfThePayer(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	st.form(t, "/control/payer", url.Values{"mode": {alipayfake.Holds}, "way": {""}})
	st.payer(t).send(t, "W1")
	st.payer(t).send(t, "W2")
	_, page := st.form(t, "/control/payments/W1/paid", nil)
	st.form(t, "/control/payments/W2/failed", nil)
	if len(st.World.Pay().Paid("W1")) != 1 || len(st.World.Pay().Paid("W2")) != 0 {
		t.Errorf("the book has %+v", st.World.Pay().Transfers())
	}
	if strings.Contains(page, "13800138000") || strings.Contains(page, "张三") {
		t.Error("the page shows whom the money went to")
	}
	end, _ := st.form(t, "/control/payments/W1/failed", nil)
	if end.Query().Get("did") != "sandbox.final" {
		t.Errorf("deciding twice: %s", end.Query().Get("did"))
	}
	st.form(t, "/control/payments/W1/returned", nil)
	if ts := st.World.Pay().Transfers(); ts[1].Number != "W1" || ts[1].State != alipayfake.Refund {
		t.Errorf("after the money came back the book has %+v", ts)
	}
	for _, odd := range []url.Values{{"mode": {"odd"}}, {"way": {"odd"}}} {
		if end, _ := st.form(t, "/control/payer", odd); end.Query().Get("did") != "sandbox.odd" {
			t.Errorf("%v: %s", odd, end.Query().Get("did"))
		}
	}
	if mode, way := st.World.Pay().Now(); mode != alipayfake.Holds || way != "" {
		t.Errorf("the payer is in mode %q, failing by %q", mode, way)
	}
}

// Another web site can neither change the world nor be shown it under a name of
// its own.
func TestOtherSitesAreKeptOut(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	const form, asJSON = "application/x-www-form-urlencoded", "application/json"
	tests := []struct {
		name, method, path, kind, body string
		headers                        []string
		status                         int
	}{
		{"a form of another site", "POST", "/control/clock", form, "by=1h", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a form of another port", "POST", "/control/clock", form, "by=1h", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a purchase from another origin", "POST", "/shop/jd/100012043983", form, "", []string{"Origin", "https://evil.example"}, 403},
		{"the API from another origin", "POST", "/control/api/clock", asJSON, `{"by":"1h"}`, []string{"Origin", "https://evil.example"}, 403},
		{"the API as a form can call it", "POST", "/control/api/clock", "text/plain", `{"by":"1h"}`, nil, 400},
		{"a name that was made to lead here", "GET", "/control", "", "", []string{"Host", "evil.example"}, 421},
		{"localhost", "GET", "/control", "", "", []string{"Host", "localhost:8080"}, 200},
		{"an address", "GET", "/control", "", "", []string{"Host", "[::1]:8080"}, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if status, _, body := st.do(t, tt.method, tt.path, tt.kind, tt.body, tt.headers...); status != tt.status {
				t.Errorf("status %d, want %d: %s", status, tt.status, body)
			}
		})
	}
	if got := st.Now(); !got.Equal(start) {
		t.Errorf("the clock was moved to %s", got)
	}
}

func TestPagesThatAreNot(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	for _, path := range []string{
		"/shop/amazon/1", "/shop/jd/nothing", "/shop/orders/jd/nothing", "/shop/orders/amazon/1", "/shop/pictures/sandbox.css",
		"/shop/pictures/nothing.svg", "/shop/assets/0/sandbox.css", "/control/nothing", "/go/jd/nothing",
	} {
		if status, _, _ := st.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, status)
		}
	}
}

// Pages load what they name, and nothing that their policy forbids.
func TestPagesAreWhole(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	if _, err := st.Stray("jd", "100012043983"); err != nil {
		t.Fatal(err)
	}
	sources := regexp.MustCompile(`(?:src|href)="(/shop/(?:assets|pictures)/[^"]+)"`)
	for _, path := range []string{"/shop", "/control", "/shop/jd/100012043983"} {
		status, kind, page := st.get(t, path)
		if status != http.StatusOK || !strings.HasPrefix(kind, "text/html") {
			t.Fatalf("%s: status %d, %s", path, status, kind)
		}
		found := sources.FindAllStringSubmatch(page, -1)
		if len(found) < 3 {
			t.Errorf("%s names only %d files", path, len(found))
		}
		for _, m := range found {
			if status, kind, _ := st.get(t, m[1]); status != http.StatusOK || kind == "" {
				t.Errorf("%s loads %s: status %d, %q", path, m[1], status, kind)
			}
		}
		for _, odd := range []string{" style=", "<style", " onclick", "http://", "https://cdn"} {
			if strings.Contains(strings.ReplaceAll(page, "http://www.w3.org", ""), odd) {
				t.Errorf("%s has %q", path, odd)
			}
		}
	}
}

func TestAPI(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	call := func(path, body string) (int, map[string]any) {
		t.Helper()
		status, _, text := st.do(t, http.MethodPost, "/control/api/"+path, "application/json", body)
		var out map[string]any
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatalf("%s: status %d with %q", path, status, text)
		}
		return status, out
	}
	made := st.made(t, "jd", "https://item.jd.com/100012043983.html")
	status, order := call("orders", `{"url":"`+made+`","quantity":1}`)
	if status != http.StatusOK || order["state"] != "paid" || order["network"] != "jd" {
		t.Fatalf("buying: %d, %v", status, order)
	}
	path := "orders/jd/" + order["line"].(string) + "/"
	for _, d := range []sandbox.Deed{sandbox.Receive, sandbox.Settle} {
		if status, out := call(path+string(d), ``); status != http.StatusOK {
			t.Errorf("%s: %d, %v", d, status, out)
		}
	}
	if status, out := call(path+"refund", `{"amount":"1.50"}`); status != http.StatusOK || out["refunded"] != 150.0 {
		t.Errorf("refund: %d, %v", status, out)
	}
	tests := []struct {
		path, body string
		status     int
	}{
		{"clock", `{"by":"24h"}`, 200},
		{"clock", `{"by":"settlement"}`, 200},
		{"clock", `{"by":"-24h"}`, 400},
		{"clock", `{"to":"yesterday"}`, 400},
		{"clock", `{"by":"1h"}{"by":"1h"}`, 400},
		{"clock", `by=1h`, 400},
		{"strays", `{"network":"pdd","item":"445566778801"}`, 200},
		{"strays", `{"network":"pdd","item":"nothing"}`, 404},
		{"orders", `{"url":"https://item.jd.com/1.html"}`, 404},
		{"orders/jd/nothing/pay", ``, 404},
		{path + "cancel", ``, 409},
		{path + "refund", `{"amount":"a lot"}`, 400},
		{path + "explode", ``, 409},
		{"networks/jd", `{"mode":"limited"}`, 200},
		{"networks/jd", `{"mode":"odd"}`, 400},
		{"payer", `{"mode":"holds","way":"late"}`, 200},
		{"payer", `{"mode":"odd"}`, 400},
		{"payments/W404/paid", ``, 404},
		{"payments/W404/lost", ``, 400},
	}
	for _, tt := range tests {
		if status, out := call(tt.path, tt.body); status != tt.status || (status != http.StatusOK) != (out["error"] != nil) {
			t.Errorf("%s %s: %d, want %d: %v", tt.path, tt.body, status, tt.status, out)
		}
	}
	_, _, text := st.get(t, "/control/api/world")
	var world struct {
		Orders   []map[string]any
		Networks map[string]string
		Payer    map[string]string
	}
	if err := json.Unmarshal([]byte(text), &world); err != nil {
		t.Fatal(err)
	}
	if len(world.Orders) != 2 || world.Networks["jd"] != "limited" || world.Payer["mode"] != "holds" || world.Payer["way"] != "late" {
		t.Errorf("the world is %s", text)
	}
}
