package jdfake_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/adapters/jd"
	"fanli/adapters/jd/jdfake"
	"fanli/core/market"
)

const (
	appKey    = "0123456789abcdef0123456789abcdef"
	appSecret = "fedcba9876543210fedcba9876543210"
	kettle    = "100012043978"
	tea       = "5089253"
	unlisted  = "1963486"
)

const (
	rowQuery = "jd.union.open.order.row.query"
	chatLink = "jd.union.open.promotion.bysubunionid.get"
	siteLink = "jd.union.open.promotion.common.get"
	goods    = "jd.union.open.goods.query"
)

// now is the time of the signature vectors.
var now = time.Date(2026, 1, 15, 4, 34, 56, 0, time.UTC)

func open(cfg jdfake.Config) (*jdfake.Server, *market.Market) {
	m := market.New(func() time.Time { return now }, 1000, 0)
	m.Stock(
		market.Goods{ID: kettle, Title: "电热水壶", Price: 6900, Coupon: 1500, CouponFrom: 5900, Rate: 500, Aliases: []string{"YO58R3K"}},
		market.Goods{ID: tea, Title: "龙井", Price: 10000, Rate: 200},
		market.Goods{ID: unlisted, Title: "不在推广", Price: 10000, Rate: 200, Unlisted: true},
	)
	cfg.AppKey, cfg.AppSecret, cfg.Now = appKey, appSecret, func() time.Time { return now }
	return jdfake.New(cfg, m), m
}

// signed returns a call with its signature.
func signed(method, params string) url.Values {
	form := url.Values{
		"app_key": {appKey}, "format": {"json"}, "method": {method}, "sign_method": {"md5"},
		"timestamp": {"2026-01-15 12:34:56"}, "v": {"1.0"}, "360buy_param_json": {params},
	}
	return resign(form)
}

func resign(form url.Values) url.Values {
	flat := map[string]string{}
	for k := range form {
		flat[k] = form.Get(k)
	}
	form.Set("sign", jd.Sign(appSecret, flat))
	return form
}

// ask sends a call in one of the ways that the platform takes.
func ask(t *testing.T, s http.Handler, how string, form url.Values) string {
	t.Helper()
	query, body, method := "", form.Encode(), http.MethodPost
	switch how {
	case "get":
		query, body, method = "?"+form.Encode(), "", http.MethodGet
	case "mixed":
		params := url.Values{"360buy_param_json": form["360buy_param_json"]}
		form.Del("360buy_param_json")
		query, body = "?"+form.Encode(), params.Encode()
	case "query":
		query, body = "?"+form.Encode(), ""
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "/routerjson"+query, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return w.Body.String()
}

// inner returns the inner document of an answer in the platform's own form.
func inner(t *testing.T, method, body string) map[string]any {
	t.Helper()
	var outer map[string]map[string]string
	if err := json.Unmarshal([]byte(body), &outer); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	last := method[strings.LastIndexByte(method, '.')+1:]
	doc := outer[strings.ReplaceAll(method, ".", "_")+"_responce"][last+"Result"] //nolint:misspell // the platform's spelling
	var in map[string]any
	if err := json.Unmarshal([]byte(doc), &in); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return in
}

// TestVectors sends calls whose signatures were computed apart from this program,
// in every way in which parameters may be sent.
func TestVectors(t *testing.T) {
	t.Parallel()
	tests := []struct{ method, params, sign string }{
		{
			chatLink, `{"promotionCodeReq":{"materialId":"https://item.jd.com/100012043978.html","subUnionId":"tg_10001","positionId":3000000001,"chainType":3,"sceneId":1}}`,
			"CF422360602A1673097A73B6417B2874",
		},
		{
			rowQuery, `{"orderReq":{"pageIndex":1,"pageSize":200,"type":3,"startTime":"2026-01-15 11:00:00","endTime":"2026-01-15 12:00:00","fields":"goodsInfo"}}`,
			"55D892AF923D6AFB7E928406E91A5CA8",
		},
		{goods, `{"goodsReqDTO":{"keyword":"蓝牙耳机","pageIndex":1,"pageSize":2,"sceneId":1}}`, "18D23C5DE8D35B32D072E2758EC47BAC"},
	}
	s, _ := open(jdfake.Config{})
	for _, tt := range tests {
		for _, how := range []string{"post", "get", "mixed", "query"} {
			form := signed(tt.method, tt.params)
			form.Set("sign", tt.sign)
			if body := ask(t, s, how, form); strings.Contains(body, "error_response") {
				t.Errorf("%s by %s: %s", tt.method, how, body)
			}
		}
	}
}

func TestGatewayChecksInOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(form url.Values)
		want   string
	}{
		{"NoMethod", func(f url.Values) { f.Del("method"); f.Del("sign") }, "14"},
		{"UnknownMethod", func(f url.Values) { f.Set("method", "jd.union.open.x"); f.Del("sign") }, "15"},
		{"AppKey", func(f url.Values) { f.Set("app_key", "other"); f.Del("sign") }, "22"},
		{"Token", func(f url.Values) { f.Set("access_token", "other"); f.Del("sign") }, "19"},
		{"NoSign", func(f url.Values) { f.Del("sign"); f.Del("timestamp") }, "11"},
		{"WrongSign", func(f url.Values) { f.Set("sign", strings.ToLower(f.Get("sign"))); f.Del("timestamp") }, "12"},
		{"ChangedParam", func(f url.Values) { f.Set("360buy_param_json", "{}") }, "12"},
		{"AddedParam", func(f url.Values) { f.Set("extra", "1") }, "12"},
		{"NoTimestamp", func(f url.Values) { f.Del("timestamp"); f.Del("v"); resign(f) }, "7"},
		{"OldTimestamp", func(f url.Values) { f.Set("timestamp", "2026-01-15 12:28:55"); f.Del("v"); resign(f) }, "8"},
		{"TimestampInUTC", func(f url.Values) { f.Set("timestamp", "2026-01-15 04:34:56"); resign(f) }, "8"},
		{"OddTimestamp", func(f url.Values) { f.Set("timestamp", "now"); resign(f) }, "8"},
		{"NoVersion", func(f url.Values) { f.Del("v"); resign(f) }, "4"},
		{"Version", func(f url.Values) { f.Set("v", "2.0"); resign(f) }, "5"},
		{"TimestampWithZone", func(f url.Values) { f.Set("timestamp", "2026-01-15 12:34:56.000+0800"); resign(f) }, ""},
		{"TimestampJustInTime", func(f url.Values) { f.Set("timestamp", "2026-01-15 12:28:56"); resign(f) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			token := ""
			if tt.name == "Token" {
				token = "token"
			}
			s, _ := open(jdfake.Config{AccessToken: token})
			form := signed(goods, `{"goodsReqDTO":{"sceneId":1,"keyword":"龙井"}}`)
			tt.change(form)
			var doc struct {
				Error struct {
					Code string `json:"code"`
					Zh   string `json:"zh_desc"`
				} `json:"error_response"`
			}
			body := ask(t, s, "post", form)
			if err := json.Unmarshal([]byte(body), &doc); err != nil || doc.Error.Code != tt.want || (doc.Error.Zh == "") != (tt.want == "") {
				t.Errorf("answer %s (%v), want code %q", body, err, tt.want)
			}
		})
	}
}

func TestMethodsRefuse(t *testing.T) {
	t.Parallel()
	orders := func(s string) string { return `{"orderReq":{"pageIndex":1,"pageSize":200,"type":3,` + s + `}}` }
	const hour = `"startTime":"2026-01-15 11:00:00","endTime":"2026-01-15 12:00:00"`
	link := func(s string) string { return `{"promotionCodeReq":{` + s + `}}` }
	const page = `"materialId":"https://item.jd.com/100012043978.html"`
	tests := []struct {
		name, method, params string
		cfg                  jdfake.Config
		want                 int
	}{
		{"NoRight", rowQuery, orders(hour), jdfake.Config{Refused: []string{rowQuery}}, 403},
		{"OrdersFine", rowQuery, orders(hour), jdfake.Config{}, 200},
		{"OrdersByNumber", rowQuery, `{"orderReq":{"orderId":300000000001}}`, jdfake.Config{}, 200},
		{"OrdersNoJSON", rowQuery, `{`, jdfake.Config{}, 2002400},
		{"OrdersTooLong", rowQuery, orders(`"startTime":"2026-01-15 11:00:00","endTime":"2026-01-15 12:00:01"`), jdfake.Config{}, 2002453},
		{"OrdersBackward", rowQuery, orders(`"startTime":"2026-01-15 11:00:00","endTime":"2026-01-15 10:00:00"`), jdfake.Config{}, 2002400},
		{"OrdersByHour", rowQuery, orders(`"startTime":"2026011511","endTime":"2026011512"`), jdfake.Config{}, 2002400},
		{"OrdersPageTooLarge", rowQuery, `{"orderReq":{"pageIndex":1,"pageSize":201,"type":3,` + hour + `}}`, jdfake.Config{}, 2002400},
		{"OrdersPageZero", rowQuery, `{"orderReq":{"pageSize":200,"type":3,` + hour + `}}`, jdfake.Config{}, 2002400},
		{"OrdersOfNoKind", rowQuery, `{"orderReq":{"pageIndex":1,"pageSize":200,"type":4,` + hour + `}}`, jdfake.Config{}, 2002400},
		{"OrdersOfTwoAccounts", rowQuery, orders(`"childUnionId":1,"key":"k",` + hour), jdfake.Config{}, 2002400},
		{"LinkFine", chatLink, link(page), jdfake.Config{}, 200},
		{"LinkToActivity", chatLink, link(`"materialId":"https://pro.m.jd.com/mall/active/x/index.html"`), jdfake.Config{}, 200},
		{"LinkToBareItemID", chatLink, link(`"materialId":"` + jdfake.ItemID(kettle) + `"`), jdfake.Config{}, 200},
		{"LinkWithoutMaterial", chatLink, link(`"subUnionId":"a"`), jdfake.Config{}, 2001212},
		{"LinkToWords", chatLink, link(`"materialId":"电热水壶"`), jdfake.Config{}, 2001101},
		{"LinkToBareNumber", chatLink, link(`"materialId":"100012043978"`), jdfake.Config{}, 2001101},
		{"LinkToNumber", chatLink, link(page), jdfake.Config{NoNumeric: true}, 2001101},
		{"LinkElsewhere", chatLink, link(`"materialId":"https://item.jd.com.evil.com/100012043978.html"`), jdfake.Config{}, 2001102},
		{"LinkToUnknown", chatLink, link(`"materialId":"https://item.jd.com/7.html"`), jdfake.Config{}, 2001102},
		{"LinkToHome", chatLink, link(`"materialId":"https://www.jd.com/"`), jdfake.Config{}, 2001105},
		{"LinkToUnlisted", chatLink, link(`"materialId":"https://item.jd.com/1963486.html"`), jdfake.Config{}, 2001104},
		{"LinkTag", chatLink, link(page + `,"subUnionId":"a b"`), jdfake.Config{}, 2001208},
		{"LinkTagAndPid", chatLink, link(page + `,"subUnionId":"a","pid":"1_2_3"`), jdfake.Config{}, 2001214},
		{"LinkPid", chatLink, link(page + `,"pid":"1_2"`), jdfake.Config{}, 2001213},
		{"LinkCoupon", chatLink, link(page + `,"couponUrl":"https://coupon.jd.com/x"`), jdfake.Config{}, 2001905},
		{"LinkCouponFine", chatLink, link(page + `,"couponUrl":"` + jdfake.CouponURL(kettle) + `"`), jdfake.Config{}, 200},
		{"LinkCouponOfOther", chatLink, link(`"materialId":"https://item.jd.com/5089253.html","couponUrl":"` + jdfake.CouponURL(kettle) + `"`), jdfake.Config{}, 2001917},
		{"LinkCouponGone", chatLink, link(`"materialId":"https://item.jd.com/5089253.html","couponUrl":"` + jdfake.CouponURL(tea) + `"`), jdfake.Config{}, 2001906},
		{"LinkCouponNoRight", chatLink, link(page + `,"couponUrl":"x"`), jdfake.Config{NoCoupons: true}, 2001701},
		{"SiteLinkWithoutSite", siteLink, link(page), jdfake.Config{}, 2001610},
		{"VendorLinkWithoutUnion", "jd.union.open.promotion.byunionid.get", link(page), jdfake.Config{}, 2001201},
		{"GoodsNoScene", goods, `{"goodsReqDTO":{"keyword":"壶"}}`, jdfake.Config{}, 401},
		{"GoodsMainSite", goods, `{"goodsReqDTO":{"keyword":"壶","sceneId":2}}`, jdfake.Config{NoMainSite: true}, 403},
		{"GoodsSkuOfUnion", goods, `{"goodsReqDTO":{"skuIds":[100012043978],"sceneId":1}}`, jdfake.Config{}, 401},
		{"GoodsPageTooLarge", goods, `{"goodsReqDTO":{"keyword":"壶","sceneId":1,"pageSize":31}}`, jdfake.Config{}, 202},
		{"GoodsNone", goods, `{"goodsReqDTO":{"keyword":"冰箱","sceneId":1}}`, jdfake.Config{}, 201},
		{"GoodsUnlisted", goods, `{"goodsReqDTO":{"skuIds":[1963486],"sceneId":2}}`, jdfake.Config{}, 201},
		{"GoodsItemLinkOfUnion", goods, `{"goodsReqDTO":{"keyword":"https://item.jd.com/100012043978.html","sceneId":1}}`, jdfake.Config{}, 201},
		{"GoodsShortOfUnion", goods, `{"goodsReqDTO":{"keyword":"https://u.jd.com/YO58R3K","sceneId":1}}`, jdfake.Config{}, 200},
		{"DetailsTooMany", "jd.union.open.goods.bigfield.query", `{"goodsReq":{"skuIds":[1,2,3,4,5,6,7,8,9,10,11],"sceneId":2}}`, jdfake.Config{}, 1002011},
		{"DetailsNone", "jd.union.open.goods.bigfield.query", `{"goodsReq":{"skuIds":[1],"sceneId":2}}`, jdfake.Config{}, 1002016},
		{"CouponsNone", "jd.union.open.coupon.query", `{}`, jdfake.Config{}, 2006400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(tt.cfg)
			in := inner(t, tt.method, ask(t, s, "post", signed(tt.method, tt.params)))
			if fmt.Sprint(in["code"]) != fmt.Sprint(float64(tt.want)) {
				t.Errorf("inner answer %v, want code %d", in, tt.want)
			}
		})
	}
}

// TestClick: every link leads back to what it was made of, also after its server
// was replaced by another that got its links.
func TestClick(t *testing.T) {
	t.Parallel()
	s, m := open(jdfake.Config{BaseURL: "http://127.0.0.1:8080/jd/"})
	in := inner(t, chatLink, ask(t, s, "post", signed(chatLink,
		`{"promotionCodeReq":{"materialId":"https://item.jd.com/100012043978.html","subUnionId":"tg_1","positionId":3000000001,"chainType":3}}`)))
	data, ok := in["data"].(map[string]any)
	if !ok {
		t.Fatalf("answer %v", in)
	}
	want := market.Click{Item: kettle, Tag: "tg_1", Slot: "3000000001"}
	next := jdfake.New(jdfake.Config{BaseURL: "http://127.0.0.1:8080/jd"}, m)
	if err := next.Load(s.Save()); err != nil {
		t.Fatal(err)
	}
	if err := next.Load([]byte("{")); err == nil {
		t.Error("half a document was loaded")
	}
	for _, name := range []string{"shortURL", "clickURL"} {
		link, _ := data[name].(string)
		if !strings.HasPrefix(link, "http://127.0.0.1:8080/jd/") {
			t.Errorf("%s = %q", name, link)
		}
		for who, server := range map[string]*jdfake.Server{"same": s, "next": next} {
			if c, ok := server.Click(link); !ok || c != want {
				t.Errorf("%s at the %s server leads to %+v, %v", name, who, c, ok)
			}
		}
	}
	for _, link := range []string{"", "http://127.0.0.1:8080/jd/nothing", "http://127.0.0.1:8080/jd/jdc?p=%21", "http://127.0.0.1:8080/jd/jdc?p=e30x", "%"} {
		if c, ok := s.Click(link); ok {
			t.Errorf("%q leads to %+v", link, c)
		}
	}
}

func TestNumbersAreOfJDsForm(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range int64(100) {
		order, line := jdfake.NumberFor(n)
		if len(order) != 12 || strings.Trim(order, "0123456789") != "" || !strings.HasPrefix(line, order) || seen[order] || seen[line] {
			t.Errorf("number %d: order %q, line %q", n, order, line)
		}
		seen[order], seen[line] = true, true
	}
}

// TestOldRowsAreGone: the platform answers for 90 days.
func TestOldRowsAreGone(t *testing.T) {
	t.Parallel()
	at := now.Add(-91 * 24 * time.Hour)
	clock := func() time.Time { return at }
	m := market.New(clock, 1000, 0)
	m.Stock(market.Goods{ID: tea, Title: "龙井", Price: 10000, Rate: 200})
	s := jdfake.New(jdfake.Config{AppKey: appKey, AppSecret: appSecret, Now: func() time.Time { return now }}, m)
	for _, want := range []int{0, 1} {
		if _, err := m.Buy(market.Click{Item: tea}, 1, jdfake.NumberFor); err != nil {
			t.Fatal(err)
		}
		start := at.In(time.FixedZone("CST", 8*60*60))
		params := fmt.Sprintf(`{"orderReq":{"pageIndex":1,"pageSize":200,"type":1,"startTime":"%s","endTime":"%s"}}`,
			start.Format("2006-01-02 15:04:05"), start.Add(time.Minute).Format("2006-01-02 15:04:05"))
		in := inner(t, rowQuery, ask(t, s, "post", signed(rowQuery, params)))
		if rows, ok := in["data"].([]any); !ok || len(rows) != want {
			t.Errorf("%s ago: %v, want %d rows", now.Sub(at), in, want)
		}
		at = now.Add(-89 * 24 * time.Hour)
	}
}

func TestOtherRequestsAreNotAnswered(t *testing.T) {
	t.Parallel()
	s, _ := open(jdfake.Config{})
	for target, want := range map[string]int{"/": http.StatusNotFound, "/routerjson?%": http.StatusBadRequest} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", target, w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/routerjson", nil))
	if w.Code != http.StatusBadRequest {
		t.Errorf("PUT: status %d", w.Code)
	}
}
