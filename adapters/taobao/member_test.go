package taobao_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanli/adapters/taobao"
	"fanli/adapters/taobao/taobaofake"
	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/order/feedtest"
)

const (
	invite = "X7K9PQ"
	back   = "https://fanli.example/bind/taobao/back"
)

func withMembers(c *taobao.Config, f *taobaofake.Config) {
	c.Member = taobao.MemberConfig{InviteCode: invite, URL: "https://fanli.example"}
	c.MemberOrders = true
	f.InviteCode, f.Callback = invite, back
}

func TestAMemberIsNamedByTheirOrders(t *testing.T) {
	t.Parallel()
	w := open(t, withMembers)
	buy := func(buyer string) string {
		l, err := w.market.Buy(market.Click{Item: "712345678901", Slot: "333333331", Buyer: buyer}, 1, taobaofake.NumberFor)
		must(t, err)
		must(t, w.market.Pay(l.ID))
		w.clock.Advance(time.Minute)
		return l.ID
	}
	before := buy("ann")
	tag, err := w.Member(t.Context(), w.fake.Grant("ann"))
	must(t, err)
	if want := "member/" + taobaofake.Special("ann"); tag != want {
		t.Errorf("the tag is %q, want %q", tag, want)
	}
	again, err := w.Member(t.Context(), w.fake.Grant("ann"))
	must(t, err)
	bob, err := w.Member(t.Context(), w.fake.Grant("bob"))
	must(t, err)
	if again != tag || bob == tag {
		t.Errorf("Ann is %q and then %q, Bob is %q", tag, again, bob)
	}
	want := map[string]string{before: "", buy("ann"): tag, buy("bob"): bob, buy("carl"): ""}
	for scene, count := range map[string]int{taobao.SceneModified: 4, taobao.SceneMember: 2} {
		revs, _, err := feedtest.All(t.Context(), w.Client, w.since(scene, time.Hour))
		must(t, err)
		if len(revs) != count {
			t.Errorf("%s: %d rows, want %d", scene, len(revs), count)
		}
		for _, r := range revs {
			if r.Tag != want[r.Key.ID] {
				t.Errorf("%s: line %s has the tag %q, want %q", scene, r.Key.ID, r.Tag, want[r.Key.ID])
			}
		}
	}
}

// What is wrong says so, and never the code, the token or our secret.
func TestNoMember(t *testing.T) {
	t.Parallel()
	wrongInvite := func(_ *taobao.Config, f *taobaofake.Config) { f.InviteCode = "other" }
	noRight := func(_ *taobao.Config, f *taobaofake.Config) {
		f.Forbidden = []string{"taobao.tbk.sc.publisher.info.save"}
	}
	for _, tt := range []struct {
		name   string
		change func(*taobao.Config, *taobaofake.Config)
		spoil  func(w *world, code string) string
		code   fault.Code
		reason string
	}{
		{"a code that was used", nil, func(w *world, code string) string {
			_, err := w.Member(t.Context(), code)
			must(t, err)
			return code
		}, fault.Invalid, "member.code"},
		{"a code that has expired", nil, func(w *world, code string) string {
			w.clock.Advance(11 * time.Minute)
			return code
		}, fault.Invalid, "member.code"},
		{"a code that was made up", nil, func(*world, string) string { return "made-up" }, fault.Invalid, "member.code"},
		{"another invite code", wrongInvite, nil, fault.Denied, ""},
		{"no permission", noRight, nil, fault.Denied, ""},
		{"too many calls", nil, func(w *world, code string) string { w.fake.Fail("limited"); return code }, fault.Limited, ""},
		{"the platform is down", nil, func(w *world, code string) string { w.fake.Fail("down"); return code }, fault.Unavailable, ""},
		{"no document", nil, func(w *world, code string) string { w.fake.Fail("garbage"); return code }, fault.Unavailable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			options := []func(*taobao.Config, *taobaofake.Config){withMembers}
			if tt.change != nil {
				options = append(options, tt.change)
			}
			w := open(t, options...)
			code := w.fake.Grant("ann")
			if tt.spoil != nil {
				code = tt.spoil(w, code)
			}
			_, err := w.Member(t.Context(), code)
			if fault.CodeOf(err) != tt.code || fault.ReasonOf(err) != tt.reason {
				t.Errorf("%v, want %s %q", err, tt.code, tt.reason)
			}
			for _, hidden := range []string{code, "6200", secret} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error shows %q: %v", hidden, err)
				}
			}
		})
	}
}

// The page sends people back to our address only, with what they have answered.
func TestThePlatformAsksTheShopper(t *testing.T) {
	t.Parallel()
	w := open(t, withMembers, func(c *taobao.Config, _ *taobaofake.Config) { c.Member.Authorize = "https://oauth.example/authorize" })
	page := w.AuthorizeURL(back, "state-1")
	u, err := url.Parse(page)
	must(t, err)
	if u.Host != "oauth.example" || u.Query().Get("redirect_uri") != back || u.Query().Get("state") != "state-1" || u.Query().Get("client_id") != "30000001" {
		t.Errorf("the page is %s", page)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(query string) (status int, to *url.URL) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/authorize?"+query, http.NoBody)
		must(t, err)
		resp, err := client.Do(req)
		must(t, err)
		must(t, resp.Body.Close())
		to, _ = resp.Location()
		return resp.StatusCode, to
	}
	if status, _ := ask(u.RawQuery); status != http.StatusOK {
		t.Errorf("the page has status %d", status)
	}
	status, to := ask(u.RawQuery + "&answer=allow&buyer=ann")
	if status != http.StatusFound || !strings.HasPrefix(to.String(), back+"?") || to.Query().Get("state") != "state-1" {
		t.Fatalf("who allows it is sent to %v", to)
	}
	tag, err := w.Member(t.Context(), to.Query().Get("code"))
	must(t, err)
	if tag != "member/"+taobaofake.Special("ann") {
		t.Errorf("the member is %s", tag)
	}
	if _, to = ask(u.RawQuery + "&answer=refuse"); to.Query().Get("error") != "access_denied" || to.Query().Get("code") != "" {
		t.Errorf("who refuses is sent to %v", to)
	}
	if status, _ = ask(strings.Replace(u.RawQuery, "fanli.example", "evil.example", 1)); status != http.StatusBadRequest {
		t.Errorf("another address has status %d", status)
	}
}

func TestMemberConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		c    taobao.MemberConfig
		want string
	}{
		{taobao.MemberConfig{}, ""},
		{taobao.MemberConfig{InviteCode: invite, URL: "https://fanli.example"}, ""},
		{taobao.MemberConfig{InviteCode: invite}, "member.invite_code"},
		{taobao.MemberConfig{URL: "https://fanli.example"}, "member.invite_code"},
		{taobao.MemberConfig{InviteCode: invite, URL: "http://fanli.example"}, "member.url"},
		{taobao.MemberConfig{Authorize: "ftp://x"}, "member.authorize"},
	} {
		err := taobao.Config{AppKey: "1", AppSecret: "s", AdzoneIDs: []string{"1"}, Member: tt.c}.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.c, err, tt.want)
		}
	}
}
