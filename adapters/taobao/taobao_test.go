package taobao_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanli/adapters/taobao"
	"fanli/adapters/taobao/taobaofake"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
	"fanli/core/money"
	"fanli/core/order/feedtest"
)

const (
	secret  = "s3cr3t-0123456789abcdef"
	session = "61012345678901234567890"
	fee     = 1000 // the platform's tenth
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a client with the platform that it talks to.
type world struct {
	*taobao.Client
	clock  *clock
	market *market.Market
	fake   *taobaofake.Server
	server *httptest.Server
}

// open starts a world. The options change what the client and the platform are
// told.
func open(t *testing.T, options ...func(*taobao.Config, *taobaofake.Config)) *world {
	t.Helper()
	w := &world{clock: &clock{t: time.Date(2026, 1, 15, 10, 20, 30, 0, time.UTC)}}
	w.market = market.New(w.clock.Now, fee, 345678901234)
	w.market.Stock(
		market.Goods{
			ID: "712345678901", Title: "示例抽纸整箱", Shop: "示例旗舰店", Image: "https://img.alicdn.com/demo.jpg", Category: "家居",
			Price: 12900, Coupon: 8000, CouponFrom: 12900, Rate: 600,
			Aliases: []string{"Vh3mK9xQ2Lp", "https://m.tb.cn/h.AbCdEf1", "https://s.click.taobao.com/AbCdEfg"},
		},
		market.Goods{
			ID: "652874751412", Title: "示例手机壳", Shop: "另一家店", Image: "https://img.alicdn.com/demo2.jpg", Category: "数码",
			Price: 1990, Rate: 1550, Aliases: []string{"uEx7dUlWj4E"},
		},
		market.Goods{ID: "600000000001", Title: "不在联盟的东西", Price: 5000, Rate: 500, Unlisted: true, Aliases: []string{"G9nM7WuQy1J"}},
	)
	cfg := taobao.Config{
		AppKey: "30000001", AppSecret: secret, SiteID: "222222222", AdzoneIDs: []string{"333333331", "333333332", "333333333", "333333334"},
		MainSite: true, PageSize: 40, ServiceFee: fee, Refunds: true,
	}
	fcfg := taobaofake.Config{
		AppKey: "30000001", AppSecret: secret, Session: session, PubID: "111111111", SiteID: "222222222", Adzones: cfg.AdzoneIDs,
		Now: w.clock.Now, MainSite: true,
	}
	for _, o := range options {
		o(&cfg, &fcfg)
	}
	w.fake = taobaofake.New(fcfg, w.market)
	w.server = httptest.NewServer(w.fake)
	t.Cleanup(w.server.Close)
	if cfg.Endpoint == "" {
		cfg.Endpoint = w.server.URL + "/router/rest"
	}
	var err error
	if w.Client, err = taobao.New(cfg, w.server.Client(), w.clock.Now); err != nil {
		t.Fatal(err)
	}
	return w
}

// buy places an order in an adzone and pays it.
func (w *world) buy(t *testing.T, item, tag string) market.Line {
	t.Helper()
	l, err := w.market.Buy(market.Click{Item: item, Tag: tag, Slot: "333333332"}, 1, taobaofake.NumberFor)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// must fails the test if the book refuses a change.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantFault judges an error's code and reason.
func wantFault(t *testing.T, err error, code fault.Code, reason string) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
		t.Errorf("error %v is %q %q, want %q %q", err, fault.CodeOf(err), fault.ReasonOf(err), code, reason)
	}
}

// variants are the ways in which the platform may be set up; the promises hold
// in each.
func variants() map[string]func(*taobao.Config, *taobaofake.Config) {
	return map[string]func(*taobao.Config, *taobaofake.Config){
		"Plain": func(*taobao.Config, *taobaofake.Config) {},
		"Session": func(c *taobao.Config, _ *taobaofake.Config) {
			c.Session, c.SignMethod = session, taobao.MD5
		},
		"Odd": func(c *taobao.Config, f *taobaofake.Config) {
			c.SignMethod = taobao.HMAC
			f.Loose, f.Bare, f.ListMaterial = true, true, true
		},
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for name, option := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) linktest.Subject {
				t.Helper()
				w := open(t, option)
				return w.subject([]link.Ref{
					{Network: link.Taobao, Kind: link.Item, ID: "712345678901"},
					{Network: link.Taobao, Kind: link.Item, ID: "652874751412", Title: "示例手机壳"},
					{Network: link.Taobao, Kind: link.Token, Token: "uEx7dUlWj4E"},
					{Network: link.Taobao, Kind: link.Short, URL: "https://m.tb.cn/h.AbCdEf1"},
					{Network: link.Taobao, Kind: link.Short, Token: "Vh3mK9xQ2Lp", URL: "https://e.tb.cn/h.AbCdEf1GhIjKlMn?tk=Vh3mK9xQ2Lp"},
					{Network: link.Taobao, Kind: link.Coupon, ID: "712345678901", URL: "https://uland.taobao.com/coupon/edetail?activityId=1&itemId=712345678901"},
					{Network: link.Taobao, Kind: link.Click, URL: "https://s.click.taobao.com/AbCdEfg"},
				})
			})
		})
	}
}

// TestNetworkBySearch keeps the promises without any method that is open to
// invited developers only.
func TestNetworkBySearch(t *testing.T) {
	t.Parallel()
	linktest.Run(t, func(t *testing.T) linktest.Subject {
		t.Helper()
		w := open(t, func(c *taobao.Config, f *taobaofake.Config) {
			c.Convert = taobao.ConvertSearch
			f.Forbidden = []string{"taobao.tbk.dg.general.link.convert", "taobao.tbk.item.info.upgrade.get"}
		})
		return w.subject([]link.Ref{
			{Network: link.Taobao, Kind: link.Item, ID: "712345678901"},
			{Network: link.Taobao, Kind: link.Token, Token: "uEx7dUlWj4E", Title: "示例手机壳"},
		})
	})
}

// subject describes the world to the suite. A made link counts only if its 口令
// leads to the same place.
func (w *world) subject(known []link.Ref) linktest.Subject {
	return linktest.Subject{
		Network: w.Client, Market: w.market, Known: known, Words: "示例",
		Unlisted: link.Ref{Network: link.Taobao, Kind: link.Item, ID: "600000000001", Title: "不在联盟的东西"},
		Foreign:  link.Ref{Network: link.Taobao, Kind: link.Activity, URL: "https://ai.taobao.com/demo"},
		Click: func(made link.Made) (market.Click, bool) {
			byURL, ok1 := w.fake.Click(made.URL)
			byToken, ok2 := w.fake.ClickToken(made.Token)
			return byURL, ok1 && ok2 && byURL == byToken
		},
		Fail: w.fake.Fail, Secret: secret,
	}
}

func TestFeed(t *testing.T) {
	t.Parallel()
	for name, option := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if underRace && name != "Plain" {
				t.Skip("skipped under the race detector, which sees the same goroutines in every shape: stage 2 runs it")
			}
			feedtest.Run(t, func(t *testing.T) feedtest.Subject {
				t.Helper()
				w := open(t, option)
				return feedtest.Subject{
					Feed: w.Client, Market: w.market, Now: w.clock.Now, Advance: w.clock.Advance,
					Buy: func(item, tag, slot string, quantity int) (market.Line, error) {
						return w.market.Buy(market.Click{Item: item, Tag: tag, Slot: slot}, quantity, taobaofake.NumberFor)
					},
					Slot: "333333333", Fail: w.fake.Fail, PageShift: w.fake.BetweenPages, Broken: w.fake.Broken, Secret: secret,
				}
			})
		})
	}
}

func TestConfigTellsAllMistakes(t *testing.T) {
	t.Parallel()
	bad := taobao.Config{
		Endpoint: "ftp://x", AppKey: "no", Session: "x", Account: "a b", SiteID: "", AdzoneIDs: []string{"1", "1", "mm_1_2_3"},
		RelationID: "x", Convert: "magic", SignMethod: "rsa", PageSize: 101, ServiceFee: money.Whole,
		PromotionWindows: []taobao.Period{{From: "2026-11-12", To: "2026-11-11"}, {From: "soon", To: "2026-11-11"}},
	}
	_, err := taobao.New(bad, nil, time.Now)
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("New: %v, want invalid", err)
	}
	for _, key := range []string{
		"endpoint", "app_key", "app_secret", "account", "site_id", "adzone_ids: \"1\" twice", `got "mm_1_2_3"`, "relation_id",
		"convert", "sign_method", "page_size", "service_fee", "promotion_windows[0]", "promotion_windows[1]",
	} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("the error does not name %s: %v", key, err)
		}
	}
	if err := (taobao.Config{AppKey: "1", AppSecret: "x", AdzoneIDs: []string{"1"}}).Validate(); err != nil {
		t.Errorf("the shortest configuration is refused: %v", err)
	}
}

func TestConfigKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	c := taobao.Config{AppKey: "1", AppSecret: secret, Session: session}
	for _, s := range []string{c.String(), c.GoString(), c.LogValue().String()} {
		if strings.Contains(s, secret) || strings.Contains(s, session) {
			t.Errorf("%q tells a secret", s)
		}
	}
}

// A gateway that quotes what it was sent, and one that sends the caller away.
func TestSecretsStayHere(t *testing.T) {
	t.Parallel()
	w := open(t, func(c *taobao.Config, _ *taobaofake.Config) { c.Session = session })
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	t.Cleanup(other.Close)
	for name, h := range map[string]http.HandlerFunc{
		"Quotes": func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte(`{"error_response":{"code":27,"msg":"Invalid Session ` + session + `","sub_msg":"` + secret + `"}}`))
		},
		"Redirects": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, other.URL, http.StatusTemporaryRedirect)
		},
	} {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		c, err := taobao.New(taobao.Config{
			Endpoint: s.URL, AppKey: "1", AppSecret: secret, Session: session, SiteID: "1", AdzoneIDs: w.Slots(),
		}, s.Client(), w.clock.Now)
		must(t, err)
		_, err = c.Search(t.Context(), "x", 1, 1)
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), session) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if elsewhere != 0 {
		t.Error("a redirect was followed with a signed request")
	}
}

func TestSessionCallsTheServiceVariants(t *testing.T) {
	t.Parallel()
	w := open(t, func(c *taobao.Config, _ *taobaofake.Config) { c.Session = session })
	_, err := w.Search(t.Context(), "示例", 1, 5)
	must(t, err)
	if w.fake.Calls("taobao.tbk.sc.material.optional.upgrade") != 1 || w.fake.Calls("taobao.tbk.dg.material.optional.upgrade") != 0 {
		t.Error("the publisher's variant was called with a session")
	}
}

func TestSlotsAreThePool(t *testing.T) {
	t.Parallel()
	w := open(t)
	slots := w.Slots()
	slots[0] = "changed by a caller"
	if !slices.Equal(w.Slots(), []string{"333333331", "333333332", "333333333", "333333334"}) {
		t.Errorf("Slots() = %v", w.Slots())
	}
	_, err := w.Link(t.Context(), link.Offer{Item: "712345678901"}, link.Mark{Slot: "999"})
	wantFault(t, err, fault.Invalid, "link.unknown_slot")
}

// What people paste, down to the 口令 that we gave them before.
func TestPastedTextIsOpened(t *testing.T) {
	t.Parallel()
	w := open(t)
	open := func(text string) link.Offer {
		t.Helper()
		refs := link.Recognise(text)
		if len(refs) != 1 {
			t.Fatalf("%q is %d things", text, len(refs))
		}
		o, err := w.Offer(t.Context(), refs[0])
		must(t, err)
		return o
	}
	first := open("【淘宝】https://m.tb.cn/h.AbCdEf1?tk=Vh3mK9xQ2Lp「示例抽纸整箱」\n点击链接直接打开")
	for _, text := range []string{
		"￥CZ0001 Vh3mK9xQ2Lp￥", "https://detail.tmall.com/item.htm?id=712345678901&skuId=1", "https://s.click.taobao.com/AbCdEfg", first.Item,
	} {
		if o := open(text); o.ItemKey() != first.ItemKey() {
			t.Errorf("%q is %q, want %q", text, o.ItemKey(), first.ItemKey())
		}
	}
	made, err := w.Link(t.Context(), first, link.Mark{Slot: "333333331"})
	must(t, err)
	for _, text := range []string{made.URL, made.Token} {
		if o := open(text); o.ItemKey() != first.ItemKey() {
			t.Errorf("our own %q is %q, want %q", text, o.ItemKey(), first.ItemKey())
		}
	}
	for text, reason := range map[string]string{"￥Zz3mK9xQ2Lp￥": "link.token_expired", "￥G9nM7WuQy1J￥": "offer.not_in_programme"} {
		_, err := w.Offer(t.Context(), link.Recognise(text)[0])
		wantFault(t, err, fault.NotFound, reason)
	}
}
