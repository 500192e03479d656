package pddfake_test

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanli/adapters/pdd/pddfake"
	"fanli/core/market"
)

const (
	pid    = "8000001_160000001"
	secret = "s3cret"
	base   = "http://shop.test"
)

var now = time.Unix(1768451696, 0)

func open(t *testing.T, land func(http.ResponseWriter, *http.Request, market.Click)) (*pddfake.Server, *market.Market) {
	t.Helper()
	m := market.New(func() time.Time { return now }, 0, 0)
	m.Stock(
		market.Goods{ID: "445566778", Title: "手机壳 <b>", Price: 1990, Coupon: 500, Rate: 2000, Aliases: []string{"sKvbBwgP"}},
		market.Goods{ID: "404", Title: "不推广", Price: 100, Rate: 100, Unlisted: true},
	)
	return pddfake.New(pddfake.Config{
		ClientID: "app", ClientSecret: secret, PIDs: []string{pid}, BaseURL: base, Land: land, Now: func() time.Time { return now },
	}, m), m
}

// signed returns a complete call.
func signed(method string, params map[string]string) map[string]string {
	p := map[string]string{"type": method, "client_id": "app", "timestamp": strconv.FormatInt(now.Unix(), 10), "data_type": "JSON"}
	maps.Copy(p, params)
	text := secret
	for _, k := range slices.Sorted(maps.Keys(p)) {
		text += k + p[k]
	}
	p["sign"] = fmt.Sprintf("%X", md5.Sum([]byte(text+secret)))
	return p
}

// post sends a form and returns the document.
func post(t *testing.T, s http.Handler, p map[string]string) map[string]map[string]any {
	t.Helper()
	form := url.Values{}
	for k, v := range p {
		form.Set(k, v)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/router", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return answered(t, s, r)
}

func answered(t *testing.T, s http.Handler, r *http.Request) map[string]map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var doc map[string]map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 {
		t.Fatalf("status %d, %q: %v", w.Code, w.Body, err)
	}
	return doc
}

// code returns the error_code of a document, 0 for none.
func code(doc map[string]map[string]any) int {
	n, _ := doc["error_response"]["error_code"].(float64)
	return int(n)
}

func TestGatewayChecksInOrder(t *testing.T) {
	t.Parallel()
	s, _ := open(t, nil)
	const search, list = "pdd.ddk.goods.search", "pdd.ddk.order.list.increment.get"
	stamp := strconv.FormatInt(now.Unix(), 10)
	window := func(hours int) map[string]string {
		return map[string]string{"start_update_time": strconv.FormatInt(now.Add(-time.Duration(hours)*time.Hour).Unix(), 10), "end_update_time": stamp}
	}
	with := func(p map[string]string, k, v string) map[string]string {
		q := maps.Clone(p)
		q[k] = v
		return q
	}
	good := map[string]string{"keyword": "手机壳", "pid": pid}
	tests := []struct {
		name string
		call map[string]string
		want int
	}{
		{"good", signed(search, good), 0},
		{"method", signed("pdd.ddk.nothing", good), 10017},
		{"client", signed(search, with(good, "client_id", "other")), 10016},
		{"no timestamp", signed(search, with(good, "timestamp", "")), 10001},
		{"old timestamp", signed(search, with(good, "timestamp", "1768451095")), 10001},
		{"timestamp in time", signed(search, with(good, "timestamp", "1768451096")), 0},
		{"data_type", signed(search, with(good, "data_type", "json")), 10001},
		{"changed after signing", with(signed(search, good), "keyword", "x"), 20004},
		{"access_token is not signed", with(signed(search, good), "access_token", "x"), 0},
		{"foreign pid", signed(search, with(good, "pid", "1_1")), 10000},
		{"small page", signed(search, with(good, "page_size", "9")), 10000},
		{"long parameters", signed(search, with(good, "custom_parameters", strings.Repeat("x", 65))), 10000},
		{"window of a day", signed(list, window(24)), 0},
		{"window too long", signed(list, window(25)), 10000},
		{"large page", signed(list, with(window(1), "page_size", "101")), 10000},
		{"page zero", signed(list, with(window(1), "page", "0")), 10000},
		{"no window", signed(list, nil), 10000},
		{"too long ago", signed(list, map[string]string{"start_update_time": "1748451696", "end_update_time": "1748451697"}), 10000},
	}
	for _, tt := range tests {
		if got := code(post(t, s, tt.call)); got != tt.want {
			t.Errorf("%s: error_code %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestParametersComeAnyWay(t *testing.T) {
	t.Parallel()
	s, _ := open(t, nil)
	p := signed("pdd.ddk.goods.search", map[string]string{"keyword": "手机壳", "pid": pid, "page": "1", "with_coupon": "true"})
	q := url.Values{}
	doc := map[string]any{}
	for k, v := range p {
		q.Set(k, v)
		doc[k] = v
	}
	doc["page"], doc["with_coupon"] = 1, true // numbers and booleans are signed as their text
	body, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/router", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	if got := answered(t, s, r); code(got) != 0 {
		t.Errorf("JSON body: %v", got)
	}
	if got := answered(t, s, httptest.NewRequest(http.MethodPost, "/api/router?"+q.Encode(), nil)); code(got) != 0 {
		t.Errorf("query: %v", got)
	}
}

func TestUnauthorisedPid(t *testing.T) {
	t.Parallel()
	s, _ := open(t, nil)
	s.Revoke(pid)
	call := signed("pdd.ddk.goods.search", map[string]string{"keyword": "手机壳", "pid": pid})
	doc := post(t, s, call)
	if code(doc) != 50001 || doc["error_response"]["sub_code"] != "60001" {
		t.Errorf("revoked: %v", doc)
	}
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/authority?pid="+pid, nil))
	if doc := post(t, s, call); code(doc) != 0 {
		t.Errorf("authorised: %v", doc)
	}
}

// link makes an affiliate link to goods.
func link(t *testing.T, s *pddfake.Server, custom string) (short, long string) {
	t.Helper()
	doc := post(t, s, signed("pdd.ddk.goods.promotion.url.generate", map[string]string{
		"p_id": pid, "goods_sign_list": `["` + pddfake.Sign("445566778") + `"]`, "custom_parameters": custom, "generate_short_url": "true",
	}))
	list, ok := doc["goods_promotion_url_generate_response"]["goods_promotion_url_list"].([]any)
	if !ok || len(list) != 1 {
		t.Fatalf("no link: %v", doc)
	}
	item, _ := list[0].(map[string]any)
	short, _ = item["short_url"].(string)
	long, _ = item["url"].(string)
	return short, long
}

func TestLinksLeadToTheirClick(t *testing.T) {
	t.Parallel()
	var landed []market.Click
	s, m := open(t, func(_ http.ResponseWriter, _ *http.Request, c market.Click) { landed = append(landed, c) })
	want := market.Click{Item: "445566778", Tag: `{"uid":"u","sid":"Ab_1"}`, Slot: pid}
	short, long := link(t, s, want.Tag)
	if again, _ := link(t, s, want.Tag); again != short || len(short) != len(base)+9 {
		t.Errorf("short links %q and %q, want one of 8 characters", short, again)
	}
	for _, u := range []string{short, long} {
		if c, ok := s.Click(u); !ok || c != want {
			t.Errorf("Click(%q) = %+v, %t", u, c, ok)
		}
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, strings.TrimPrefix(u, base), nil))
	}
	if len(landed) != 2 || landed[0] != want || landed[1] != want {
		t.Errorf("browsers landed at %+v", landed)
	}
	for _, u := range []string{base + "/nothing1", "http://elsewhere.test/" + short[len(base)+1:], ""} {
		if c, ok := s.Click(u); ok {
			t.Errorf("Click(%q) = %+v", u, c)
		}
	}
	restarted := pddfake.New(pddfake.Config{PIDs: []string{pid}, BaseURL: base + "/", Now: time.Now}, m)
	if err := restarted.Load(s.Save()); err != nil {
		t.Fatal(err)
	}
	if c, ok := restarted.Click(short); !ok || c != want {
		t.Errorf("after a restart Click = %+v, %t", c, ok)
	}
	if err := restarted.Load([]byte("x")); err == nil {
		t.Error("Load of rubbish succeeds")
	}
}

func TestPlainLandingPageEscapes(t *testing.T) {
	t.Parallel()
	s, _ := open(t, nil)
	short, _ := link(t, s, "x")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, strings.TrimPrefix(short, base), nil))
	body, _ := io.ReadAll(w.Body)
	if !strings.Contains(string(body), "手机壳 &lt;b&gt;") {
		t.Errorf("page = %s", body)
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/unknown1", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("unknown link: status %d", w.Code)
	}
}

// TestLinksOfTheShop converts every form in which people share goods.
func TestLinksOfTheShop(t *testing.T) {
	t.Parallel()
	s, _ := open(t, nil)
	_, long := link(t, s, "other")
	tests := []struct {
		source string
		ok     bool
	}{
		{"https://mobile.yangkeduo.com/goods2.html?_wvx=10&goods_id=445566778&_wv=1", true},
		{"https://mobile.yangkeduo.com/goods.html?goods_sign=" + pddfake.Sign("445566778"), true},
		{"https://p.pinduoduo.com/sKvbBwgP", true},
		{"https://mobile.yangkeduo.com/app.html?launch_url=duo_coupon_landing.html%3Fgoods_id%3D445566778", true},
		{"pinduoduo://com.xunmeng.pinduoduo/goods.html?goods_id=445566778", true},
		{long, true},
		{"https://mobile.yangkeduo.com/goods.html?goods_id=404", false},
		{"https://mobile.yangkeduo.com/promotion_op.html?type=1", false},
		{"https://p.pinduoduo.com/", false},
		{"%", false},
	}
	for _, tt := range tests {
		doc := post(t, s, signed("pdd.ddk.goods.zs.unit.url.gen", map[string]string{"pid": pid, "source_url": tt.source}))
		if ok := code(doc) == 0; ok != tt.ok {
			t.Errorf("convert %q: %v", tt.source, doc)
		}
	}
}

func TestNumbersHaveTheRightShape(t *testing.T) {
	t.Parallel()
	s, _ := open(t, nil)
	order, line := s.NumberFor(33_833)
	if order != line || order != "260115-401069834933833" {
		t.Errorf("NumberFor = %s, %s", order, line)
	}
}
