package taobaofake_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/taobao/taobaofake"
	"fanli/core/market"
)

const key, secret = "30000001", "helloworld"

// shop is a fake with a book, asked by hand.
type shop struct {
	*taobaofake.Server
	market *market.Market
	now    time.Time
	url    string
}

func open(t *testing.T, cfg taobaofake.Config) *shop {
	t.Helper()
	s := &shop{now: time.Date(2026, 1, 15, 2, 20, 30, 0, time.UTC)}
	clock := func() time.Time { return s.now }
	s.market = market.New(clock, 1000, 1)
	s.market.Stock(
		market.Goods{ID: "712345678901", Title: "示例抽纸", Price: 1000, Coupon: 100, CouponFrom: 1000, Rate: 1000, Aliases: []string{"Vh3mK9xQ2Lp"}},
		market.Goods{ID: "712345678902", Title: "示例抽屉", Price: 2000, Rate: 1000},
	)
	cfg.AppKey, cfg.AppSecret, cfg.PubID, cfg.SiteID, cfg.Now = key, secret, "111", "222", clock
	cfg.Session, cfg.Adzones = "granted", []string{"333", "444"}
	s.Server = taobaofake.New(cfg, s.market)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// params are the parameters of a call that is right.
func (s *shop) params(method string, business ...string) url.Values {
	p := url.Values{
		"method": {method}, "app_key": {key}, "v": {"2.0"}, "format": {"json"}, "sign_method": {"md5"},
		"timestamp": {s.now.Add(8 * time.Hour).Format(time.DateTime)},
	}
	for i := 0; i+1 < len(business); i += 2 {
		p.Set(business[i], business[i+1])
	}
	return p
}

func sign(p url.Values) string {
	q := ""
	for _, k := range slices.Sorted(maps.Keys(p)) {
		if k != "sign" {
			q += k + p.Get(k)
		}
	}
	sum := md5.Sum([]byte(secret + q + secret))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// ask signs and sends a call: half of it in the query, half in the body.
func (s *shop) ask(t *testing.T, p url.Values) string {
	t.Helper()
	if !p.Has("sign") {
		p.Set("sign", sign(p))
	}
	query, body := url.Values{}, url.Values{}
	for i, k := range slices.Sorted(maps.Keys(p)) {
		if i%2 == 0 {
			query.Set(k, p.Get(k))
		} else {
			body.Set(k, p.Get(k))
		}
	}
	resp, err := http.PostForm(s.url+"/router/rest?"+query.Encode(), body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return string(b)
}

// wantError judges the code and sub code of an error answer.
func wantError(t *testing.T, body string, code int, sub string) {
	t.Helper()
	var a struct {
		Error struct {
			Code int    `json:"code"`
			Sub  string `json:"sub_code"`
			ID   string `json:"request_id"`
		} `json:"error_response"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Error.Code != code || a.Error.Sub != sub || !strings.HasPrefix(a.Error.ID, "15r") {
		t.Errorf("%v %s, want code %d %q", err, body, code, sub)
	}
}

const (
	orders  = "taobao.tbk.order.details.get"
	convert = "taobao.tbk.dg.general.link.convert"
)

func TestGatewayChecks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(p url.Values)
		code   int
		sub    string
	}{
		{"NoMethod", func(p url.Values) { p.Del("method") }, 21, ""},
		{"OtherMethod", func(p url.Values) { p.Set("method", "taobao.x") }, 22, "isv.invalid-method"},
		{"NoSign", func(p url.Values) { p.Set("sign", "") }, 24, ""},
		{"WrongSign", func(p url.Values) { p.Set("sign", strings.Repeat("0", 32)) }, 25, "isv.sign-check-failure"},
		{"OtherSignMethod", func(p url.Values) { p.Set("sign_method", "rsa") }, 25, "isv.sign-check-failure"},
		{"NoKey", func(p url.Values) { p.Del("app_key") }, 28, ""},
		{"WrongKey", func(p url.Values) { p.Set("app_key", "1") }, 29, "isv.appkey-not-exists"},
		{"NoTime", func(p url.Values) { p.Del("timestamp") }, 30, ""},
		{"OldTime", func(p url.Values) { p.Set("timestamp", "2026-01-15 10:09:00") }, 31, ""},
		{"NoVersion", func(p url.Values) { p.Del("v") }, 32, ""},
		{"OtherVersion", func(p url.Values) { p.Set("v", "3") }, 33, ""},
		{"NoSession", func(p url.Values) { p.Set("method", "taobao.tbk.sc.order.details.get") }, 26, ""},
		{"WrongSession", func(p url.Values) {
			p.Set("method", "taobao.tbk.sc.order.details.get")
			p.Set("session", "x")
		}, 27, "invalid-sessionkey"},
		{"Forbidden", func(p url.Values) { p.Set("method", convert) }, 11, "isv.permission-api-package-limit"},
		{"NoWindow", func(p url.Values) { p.Del("start_time") }, 40, "isv.missing-parameter:start_time"},
		{"TimeForm", func(p url.Values) { p.Set("start_time", "10:00") }, 15, "2000"},
		{"WindowBackwards", func(p url.Values) { p.Set("end_time", "2026-01-15 10:00:00") }, 15, "2001"},
		{"WindowAhead", func(p url.Values) {
			p.Set("start_time", "2026-01-15 10:30:00")
			p.Set("end_time", "2026-01-15 10:31:00")
		}, 15, "2002"},
		{"WindowOld", func(p url.Values) { p.Set("start_time", "2025-01-15 10:00:00") }, 15, "2004"},
		{"WindowLong", func(p url.Values) { p.Set("start_time", "2026-01-15 07:19:59") }, 15, "2007"},
		{"Page", func(p url.Values) { p.Set("page_no", "101") }, 41, "isv.invalid-parameter:page_no"},
		{"Cursor", func(p url.Values) {
			p.Set("page_no", "2")
			p.Set("position_index", "1_x|1_y")
		}, 15, "1008"},
		{"Jump", func(p url.Values) { p.Set("jump_type", "7") }, 15, "1005"},
		{"Status", func(p url.Values) { p.Set("tk_status", "1") }, 15, "1006"},
		{"Scene", func(p url.Values) { p.Set("order_scene", "4") }, 15, "1001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, taobaofake.Config{Forbidden: []string{convert}})
			p := s.params(orders, "start_time", "2026-01-15 10:00:00", "end_time", "2026-01-15 10:20:00")
			tt.change(p)
			wantError(t, s.ask(t, p), tt.code, tt.sub)
		})
	}
}

func TestShapesOfAnEmptyList(t *testing.T) {
	t.Parallel()
	s := open(t, taobaofake.Config{})
	p := s.params(orders, "start_time", "2026-01-15 10:00:00", "end_time", "2026-01-15 10:20:00")
	got := s.ask(t, p)
	if !strings.HasPrefix(got, `{"tbk_order_details_get_response":{"data":{`) || !strings.Contains(got, `"results":{}`) ||
		!strings.Contains(got, `"position_index":"1768442400_|1768443601_"`) {
		t.Errorf("as documented: %s", got)
	}
	p = s.params(orders, "start_time", "2026-01-15 10:00:00", "end_time", "2026-01-15 10:20:00", "simplify", "true")
	got = s.ask(t, p)
	if !strings.HasPrefix(got, `{"data":{`) || !strings.Contains(got, `"request_id":"15r`) {
		t.Errorf("simplified: %s", got)
	}
	p = s.params(orders, "start_time", "2026-01-15 10:00:00", "end_time", "2026-01-15 10:20:00")
	p.Del("format")
	if got = s.ask(t, p); !strings.HasPrefix(got, `<?xml`) || !strings.Contains(got, `<results></results>`) {
		t.Errorf("without a format: %s", got)
	}
	p.Set("sign", "0")
	if got = s.ask(t, p); !strings.Contains(got, `<error_response><code>25</code>`) {
		t.Errorf("an error without a format: %s", got)
	}
}

func TestOrderRow(t *testing.T) {
	t.Parallel()
	s := open(t, taobaofake.Config{})
	l, err := s.market.Buy(market.Click{Item: "712345678901", Slot: "333"}, 1, taobaofake.NumberFor)
	if err != nil || s.market.Pay(l.ID) != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Minute)
	window := []string{"start_time", "2026-01-15 10:00:00", "end_time", "2026-01-15 10:21:00", "query_type", "4"}
	got := s.ask(t, s.params(orders, window...))
	for _, part := range []string{
		`"results":{"publisher_order_dto":[{`, `"adzone_id":333,`, `"alipay_total_price":"9.00"`, `"pub_share_pre_fee":"0.90"`,
		`"alimama_share_fee":"0.09"`, `"pub_share_fee":"0"`, `"tb_deposit_time":"--"`, `"tk_create_time":"2026-01-15 10:20:30"`,
		`https:\/\/uland.taobao.com`, `"tk_status":12`, `"trade_id":"` + l.ID + `"`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	for _, absent := range []string{"relation_id", "pay_price", "tk_earning_time", "null"} {
		if strings.Contains(got, absent) {
			t.Errorf("%s in %s", absent, got)
		}
	}
	got = s.ask(t, s.params(orders, append(window, "simplify", "true")...))
	if !strings.Contains(got, `"results":[{`) {
		t.Errorf("simplified: %s", got)
	}
	// No row is settled, and nothing is a member's.
	for _, more := range [][]string{{"query_type", "3"}, {"order_scene", "3"}, {"order_scene", "2"}, {"tk_status", "3"}} {
		if got := s.ask(t, s.params(orders, append(slices.Clone(window), more...)...)); !strings.Contains(got, `"results":{}`) {
			t.Errorf("%v: %s", more, got)
		}
	}
}

func TestRowsBecomeVisibleLate(t *testing.T) {
	t.Parallel()
	s := open(t, taobaofake.Config{Delay: time.Minute})
	if _, err := s.market.Buy(market.Click{Item: "712345678901", Slot: "333"}, 1, taobaofake.NumberFor); err != nil {
		t.Fatal(err)
	}
	window := []string{"start_time", "2026-01-15 10:00:00", "end_time", "2026-01-15 10:21:00", "query_type", "4"}
	s.now = s.now.Add(59 * time.Second)
	if got := s.ask(t, s.params(orders, window...)); !strings.Contains(got, `"results":{}`) {
		t.Errorf("visible early: %s", got)
	}
	s.now = s.now.Add(time.Second)
	if got := s.ask(t, s.params(orders, window...)); strings.Contains(got, `"results":{}`) {
		t.Errorf("not visible: %s", got)
	}
}

func TestLaterPageWithoutCursor(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		s := open(t, taobaofake.Config{StrictCursor: strict})
		for range 3 {
			if _, err := s.market.Buy(market.Click{Item: "712345678901", Slot: "333"}, 1, taobaofake.NumberFor); err != nil {
				t.Fatal(err)
			}
		}
		s.now = s.now.Add(time.Minute)
		page := func(no string) string {
			return s.ask(t, s.params(orders, "start_time", "2026-01-15 10:00:00", "end_time", "2026-01-15 10:21:00", "page_no", no, "page_size", "1"))
		}
		first, second := page("1"), page("2")
		no, _ := taobaofake.NumberFor(2)
		switch {
		case !strings.Contains(first, no) || !strings.Contains(first, `"has_next":true`):
			t.Errorf("page 1: %s", first)
		case strict:
			wantError(t, second, 15, "1008")
		case !strings.Contains(second, no):
			t.Errorf("page 2 without a cursor is not page 1: %s", second)
		}
	}
}

func TestItemIDsChangeTheirPrefix(t *testing.T) {
	t.Parallel()
	s := open(t, taobaofake.Config{MainSite: true})
	var ids [2]string
	for i := range ids {
		var a struct {
			Response struct {
				Results struct {
					Details []struct {
						ID string `json:"item_id"`
					} `json:"tbk_item_detail"`
				} `json:"results"`
			} `json:"tbk_item_info_upgrade_get_response"`
		}
		body := s.ask(t, s.params("taobao.tbk.item.info.upgrade.get", "item_id", "712345678901", "biz_scene_id", "2"))
		if err := json.Unmarshal([]byte(body), &a); err != nil || len(a.Response.Results.Details) != 1 {
			t.Fatalf("%v %s", err, body)
		}
		ids[i] = a.Response.Results.Details[0].ID
	}
	a, suffixA, _ := strings.Cut(ids[0], "-")
	b, suffixB, _ := strings.Cut(ids[1], "-")
	if a == b || suffixA != suffixB || suffixA == "" {
		t.Errorf("ids %v, want another prefix and the same suffix", ids)
	}
	wantError(t, s.ask(t, s.params("taobao.tbk.item.info.upgrade.get", "item_id", "712345678901")), 15, "35")
}

func TestScenePermission(t *testing.T) {
	t.Parallel()
	s := open(t, taobaofake.Config{})
	wantError(t, s.ask(t, s.params(convert, "adzone_id", "333", "biz_scene_id", "2", "item_dto", "[]")), 15, "1911")
	wantError(t, s.ask(t, s.params(convert, "adzone_id", "9", "item_dto", "[]")), 15, "4")
	wantError(t, s.ask(t, s.params(convert, "adzone_id", "333")), 40, "isv.missing-parameter:material_dto")
	wantError(t, s.ask(t, s.params(convert, "adzone_id", "333", "material_dto", "x")), 41, "isv.invalid-parameter:material_dto")
}

// made converts a 口令 and returns the links of the answer.
func (s *shop) made(t *testing.T) map[string]any {
	t.Helper()
	body := s.ask(t, s.params(convert, "adzone_id", "444", "material_dto", `{"material_url":"￥Vh3mK9xQ2Lp￥"}`, "simplify", "true"))
	var a struct {
		Data struct {
			List []struct {
				Links map[string]any `json:"link_info_dto"`
			} `json:"material_url_list"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || len(a.Data.List) != 1 {
		t.Fatalf("%v %s", err, body)
	}
	return a.Data.List[0].Links
}

func TestMadeLinksLeadBack(t *testing.T) {
	t.Parallel()
	s := open(t, taobaofake.Config{BaseURL: "http://127.0.0.1:8080/tb"})
	links := s.made(t)
	// A restart forgets what was given out, the links work all the same.
	again := open(t, taobaofake.Config{BaseURL: "http://127.0.0.1:8080/tb"})
	want := market.Click{Item: "712345678901", Slot: "444"}
	for _, name := range []string{"cps_long_url", "cps_short_url", "coupon_long_url", "coupon_short_url"} {
		url, _ := links[name].(string)
		for _, server := range []*shop{s, again} {
			if c, ok := server.Click(url); !ok || c != want {
				t.Errorf("behind %s %q: %+v %v", name, url, c, ok)
			}
		}
	}
	for _, name := range []string{"cps_short_tpwd", "coupon_full_tpwd"} {
		token, _ := links[name].(string)
		for _, server := range []*shop{s, again} {
			if c, ok := server.ClickToken(token); !ok || c != want {
				t.Errorf("behind %s %q: %+v %v", name, token, c, ok)
			}
		}
	}
	long, _ := links["cps_long_url"].(string)
	for _, altered := range []string{long + "&sub=1", long + "x", strings.Replace(long, "8080", "8081", 1), "http://127.0.0.1:8080/tb/AAAAAAA", ""} {
		if c, ok := s.Click(altered); ok {
			t.Errorf("behind %q: %+v, want nothing", altered, c)
		}
		if altered != "" {
			body := s.ask(t, s.params("taobao.tbk.tpwd.create", "url", altered))
			if !strings.Contains(body, `"sub_code":"2`) {
				t.Errorf("a token of %q: %s", altered, body)
			}
		}
	}
	if _, ok := s.ClickToken("没有口令 AAAAAAAAAAA"); ok {
		t.Error("a token that nobody made leads somewhere")
	}
}

func TestBuyersShareTheirDigits(t *testing.T) {
	t.Parallel()
	tests := []struct{ suffix, want string }{
		{"123456", "4000000000007123456"},
		{"42", "4000000000007000042"},
		{"99123456", "4000000000007123456"},
	}
	for _, tt := range tests {
		order, line := taobaofake.Buyer(tt.suffix)(7)
		if order != tt.want || line != tt.want {
			t.Errorf("Buyer(%q)(7) = %s, %s, want %s", tt.suffix, order, line, tt.want)
		}
	}
	a, _ := taobaofake.NumberFor(1)
	b, _ := taobaofake.NumberFor(2)
	if a == b || len(a) != 19 || a[13:] != b[13:] {
		t.Errorf("NumberFor: %s, %s", a, b)
	}
}
