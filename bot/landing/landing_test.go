package landing_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanli/bot/landing"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/logtest"
)

var start = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

// shelf holds links.
type shelf struct {
	links map[int64]link.Link
	down  error
}

func (s *shelf) Link(_ context.Context, id int64) (link.Link, error) {
	if s.down != nil {
		return link.Link{}, s.down
	}
	l, ok := s.links[id]
	if !ok {
		return link.Link{}, fault.New(fault.NotFound, "")
	}
	return l, nil
}

// site is a page with goods of three kinds.
type site struct {
	*landing.Page
	shelf *shelf
	now   time.Time
}

const (
	cup   = 1 // Taobao, with a 口令
	book  = 2 // JD, a link alone
	shirt = 3 // Taobao, without a 口令
)

func open(t *testing.T) *site {
	t.Helper()
	s := &site{now: start, shelf: &shelf{links: map[int64]link.Link{
		cup: {
			ID: cup, User: 4711, Network: "taobao", Title: `保温杯 <b>500ml</b>`, Made: link.Made{URL: "https://s.click.example/t?e=a%2Fb&x=1", Token: "￥CZ0001 abc￥"},
			Offer:   link.Offer{Shop: "杯子旗舰店", Image: "https://img.example/cup.jpg", Price: 8900, Final: 6900, Coupon: link.CouponOffer{Amount: 2000, Threshold: 5000, Ends: start.Add(48 * time.Hour)}},
			Promise: link.Promise{Rebate: 345},
		},
		book:  {ID: book, Network: "jd", Title: "Go 程序设计", Made: link.Made{URL: "https://u.jd.example/abc", Expires: start.Add(5 * time.Hour)}, Offer: link.Offer{Price: 5000, Image: "javascript:alert(1)"}},
		shirt: {ID: shirt, Network: "taobao", Title: "衬衫", Made: link.Made{URL: "https://s.click.example/u"}},
	}}}
	var err error
	s.Page, err = landing.New(landing.Options{
		Key: []byte(strings.Repeat("k", 32)), Base: "https://fanli.example/", TTL: 72 * time.Hour, Blocked: []string{"taobao"},
		Lookup: s.shelf, Now: func() time.Time { return s.now }, Zone: time.FixedZone("UTC+8", 8*60*60), Log: logtest.New(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// address returns where a link's page is.
func (s *site) address(t *testing.T, id int64) string {
	t.Helper()
	u, ok := strings.CutPrefix(s.URL(s.shelf.links[id]), "https://fanli.example")
	if !ok {
		t.Fatalf("the address is %q", s.URL(s.shelf.links[id]))
	}
	return u
}

const (
	wechat = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0.50(0x28003253) NetType/WIFI"
	chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
)

// withoutPicture keeps a browser from looking for one.
func withoutPicture(l link.Link) link.Link {
	l.Offer.Image = ""
	return l
}

// get asks for a page as a browser does.
func (s *site) get(t *testing.T, path, agent, language string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPageShowsTheWayThatWorks(t *testing.T) {
	t.Parallel()
	const openTaobao, openJD = `href="https://s.click.example/`, `href="https://u.jd.example/abc"`
	for name, c := range map[string]struct {
		link            int64
		agent, language string
		want, not       []string
	}{
		"口令 inside WeChat": {cup, wechat, "zh-CN,zh;q=0.9", []string{
			`<html lang="zh-CN">`, "保温杯 &lt;b&gt;500ml&lt;/b&gt;", "￥CZ0001 abc￥", "复制口令", "打开淘宝 App", "¥89.00", "¥69.00", "−¥20.00 (满¥50.00)", "2026-03-03 20:00", "https://img.example/cup.jpg", "data:image/png;base64,",
		}, []string{openTaobao, "3.45", "4711"}},
		"口令 in a browser":           {cup, chrome, "", []string{"￥CZ0001 abc￥", `href="https://s.click.example/t?e=a%2Fb&amp;x=1"`}, []string{"3.45"}},
		"no 口令 inside WeChat":       {shirt, wechat, "zh-TW", []string{`<html lang="zh-TW">`, "https://s.click.example/u", "在瀏覽器打開", "複製連結"}, []string{openTaobao, "¥"}},
		"a shop that WeChat opens":  {book, wechat, "en-GB,en;q=0.8", []string{`<html lang="en">`, openJD, "Open JD", "Copy the link", "This page ends at 2026-03-02 01:00"}, []string{"javascript:alert"}},
		"a language that we lack":   {book, chrome, "fr,de;q=0.5", []string{`<html lang="zh-CN">`}, nil},
		"traditional by region":     {book, chrome, "zh-HK", []string{`<html lang="zh-TW">`}, nil},
		"a language that is no one": {book, chrome, "%%%", []string{`<html lang="zh-CN">`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			r := s.get(t, s.address(t, c.link), c.agent, c.language)
			page := text(t, r)
			if r.StatusCode != http.StatusOK {
				t.Fatalf("status %d", r.StatusCode)
			}
			for _, w := range c.want {
				if !strings.Contains(page, w) {
					t.Errorf("%q is missing in\n%s", w, page)
				}
			}
			for _, w := range c.not {
				if strings.Contains(page, w) {
					t.Errorf("%q is shown in\n%s", w, page)
				}
			}
		})
	}
}

func TestLanguageIsChosenByHand(t *testing.T) {
	t.Parallel()
	s := open(t)
	page := text(t, s.get(t, s.address(t, cup)+"?lang=en", wechat, "zh-CN"))
	if !strings.Contains(page, `<html lang="en">`) || !strings.Contains(page, `aria-current="true">English`) {
		t.Errorf("asked for English, and got\n%s", page)
	}
}

func TestAddressesAreShortAndEnd(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.address(t, cup)
	if len(a) != len(landing.Path)+22 {
		t.Errorf("%q has %d characters", a, len(a))
	}
	short := s.address(t, book) // ends with its link, after five hours
	for after, want := range map[time.Duration][2]int{
		0:                             {http.StatusOK, http.StatusOK},
		5*time.Hour - 31*time.Second:  {http.StatusOK, http.StatusOK},
		5 * time.Hour:                 {http.StatusOK, http.StatusNotFound},
		72*time.Hour - 31*time.Second: {http.StatusOK, http.StatusNotFound},
		72 * time.Hour:                {http.StatusNotFound, http.StatusNotFound},
	} {
		s.now = start.Add(after)
		if got := [2]int{s.get(t, a, chrome, "").StatusCode, s.get(t, short, chrome, "").StatusCode}; got != want {
			t.Errorf("after %s: %v, want %v", after, got, want)
		}
	}
	s.now = start.Add(5 * time.Hour)
	if u := s.URL(s.shelf.links[book]); u != "" {
		t.Errorf("a link that has ended has the address %q", u)
	}
	if u := s.URL(link.Link{}); u != "" {
		t.Errorf("a link that is not stored has the address %q", u)
	}
}

func TestWhatIsWrongLooksAlike(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.address(t, cup)
	delete(s.shelf.links, shirt)
	other, err := landing.New(landing.Options{
		Key: []byte(strings.Repeat("x", 32)), Base: "https://fanli.example", TTL: time.Hour, Lookup: s.shelf, Now: func() time.Time { return s.now }, Zone: time.UTC, Log: logtest.New(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	stranger := strings.TrimPrefix(other.URL(s.shelf.links[cup]), "https://fanli.example")
	pages := map[string]bool{}
	for _, path := range []string{landing.Path, landing.Path + "1", a[:len(a)-1], a + "A", a + "/", a[:len(a)-2] + "zz", stranger, strings.ToUpper(a), landing.Path + "%0a" + a[len(landing.Path):]} {
		r := s.get(t, path, chrome, "")
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("%q: status %d", path, r.StatusCode)
		}
		pages[withoutNonce(text(t, r))] = true
	}
	if len(pages) != 1 {
		t.Errorf("%d different pages", len(pages))
	}
}

// withoutNonce leaves out what differs from page to page.
func withoutNonce(page string) string {
	_, rest, _ := strings.Cut(page, `nonce="`)
	nonce, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(page, nonce, "")
}

func TestPageIsKeptByNobodyAndFramedByNobody(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := s.get(t, s.address(t, cup), chrome, "")
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Robots-Tag": "noindex"} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	csp := r.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "script-src 'nonce-"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%q is missing in %q", want, csp)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.address(t, cup), nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.address(t, cup)
	s.shelf.down = fault.New(fault.Unavailable, "db.busy")
	r := s.get(t, a, wechat, "en")
	if page := text(t, r); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, "It can&#39;t be opened now") {
		t.Errorf("status %d\n%s", r.StatusCode, page)
	}
}

func TestWhatAPageNeeds(t *testing.T) {
	t.Parallel()
	good := landing.Options{
		Key: make([]byte, 32), Base: "https://fanli.example", TTL: time.Hour, Lookup: &shelf{}, Now: time.Now, Zone: time.UTC, Log: logtest.New(nil),
	}
	if _, err := landing.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*landing.Options){
		"a short key": func(o *landing.Options) { o.Key = o.Key[1:] }, "no lookup": func(o *landing.Options) { o.Lookup = nil },
		"a moment": func(o *landing.Options) { o.TTL = time.Minute }, "for ever": func(o *landing.Options) { o.TTL = 721 * time.Hour },
		"no address": func(o *landing.Options) { o.Base = "fanli" }, "no page's address": func(o *landing.Options) { o.Base = "ftp://fanli.example" },
	} {
		o := good
		spoil(&o)
		if _, err := landing.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("with %s: %v", name, err)
		}
	}
}
