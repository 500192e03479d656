package wechatfake_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"fanli/bot/wechat/wechatfake"
	"fanli/core/logtest"
)

// A caller calls the API as any client does.
type caller struct {
	t     *testing.T
	s     *wechatfake.Server
	now   *time.Time
	token string
}

// dial returns a caller with a token, and a callback that is silent.
func dial(t *testing.T, cfg wechatfake.Config) *caller {
	t.Helper()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	cfg.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	c := &caller{t: t, s: wechatfake.New(cfg), now: &now}
	c.s.Connect("http://callback/", wechatfake.Local(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	c.token, _ = c.stable(false)["access_token"].(string)
	return c
}

// call makes a call and returns what was answered, always with status 200.
func (c *caller) call(method, path, body string) map[string]any {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		c.t.Fatalf("%s: %d %s %q", path, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return out
}

// post is call with the token.
func (c *caller) post(path, body string) map[string]any {
	c.t.Helper()
	return c.call(http.MethodPost, path+"?access_token="+c.token, body)
}

func (c *caller) stable(force bool) map[string]any {
	c.t.Helper()
	b, _ := json.Marshal(map[string]any{"grant_type": "client_credential", "appid": c.s.AppID(), "secret": c.s.Secret(), "force_refresh": force})
	return c.call(http.MethodPost, "/cgi-bin/stable_token", string(b))
}

// code is the errcode of an answer.
func code(answer map[string]any) int {
	n, _ := answer["errcode"].(float64)
	return int(n)
}

const (
	custom = "/cgi-bin/message/custom/send"
	hello  = `{"touser":"o1","msgtype":"text","text":{"content":"x"}}`
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := dial(t, wechatfake.Config{})
	c.s.Say(t.Context(), "o1", "hello")
	get, post := http.MethodGet, http.MethodPost
	tests := []struct {
		method, path, body string
		want               int
	}{
		{post, custom, hello, 41001},
		{post, custom + "?access_token=x", hello, 40014},
		{post, custom + "?access_token=" + strings.Repeat("x", 100), hello, 40001},
		{get, custom + "?access_token=" + c.token, "", 43002},
		{post, custom + "?access_token=" + c.token, "", 44002},
		{post, custom + "?access_token=" + c.token, "{", 47001},
		{post, custom + "?access_token=" + c.token, `{"touser":"o1","msgtype":"text","text":{"content":"` + strings.Repeat("x", 2049) + `"}}`, 45002},
		{post, custom + "?access_token=" + c.token, `{"touser":"o1","msgtype":"text"}`, 40008},
		{post, custom + "?access_token=" + c.token, `{"touser":"o1","msgtype":"image","image":{"media_id":"x"}}`, 40007},
		{post, custom + "?access_token=" + c.token, `{"touser":"o1","msgtype":"news","news":{"articles":[]}}`, 45008},
		{get, "/cgi-bin/token?grant_type=client_credential&appid=wx1&secret=x", "", 40013},
		{get, "/cgi-bin/token?grant_type=client_credential&appid=" + c.s.AppID() + "&secret=x", "", 40125},
		{get, "/cgi-bin/token?appid=x", "", 40002},
		{get, "/cgi-bin/nothing?access_token=" + c.token, "", 40066},
		{post, "/cgi-bin/message/template/subscribe?access_token=" + c.token, `{"touser":"o1","template_id":"t","scene":"10001","title":"x"}`, 40097},
		{post, "/cgi-bin/message/template/subscribe?access_token=" + c.token, `{"touser":"o1","template_id":"t","scene":"1","title":"x"}`, 43101},
		{post, "/cgi-bin/message/custom/typing?access_token=" + c.token, `{"touser":"o1","command":"Sing"}`, 45080},
		{post, "/cgi-bin/qrcode/create?access_token=" + c.token, `{"expire_seconds":2592001,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"x"}}}`, 40096},
		{post, "/cgi-bin/qrcode/create?access_token=" + c.token, `{"action_name":"QR_LIMIT_SCENE","action_info":{"scene":{"scene_id":100001}}}`, 40053},
		{post, "/cgi-bin/menu/create?access_token=" + c.token, `{"button":[{"name":"12345678901234567","type":"click","key":"x"}]}`, 40018},
		{post, "/cgi-bin/menu/create?access_token=" + c.token, `{"button":[{"name":"x","sub_button":[{"name":"y","type":"click"}]}]}`, 40026},
		{post, "/cgi-bin/menu/addconditional?access_token=" + c.token, `{"button":[{"name":"x","type":"click","key":"x"}],"matchrule":{"tag_id":"2"}}`, 65303},
		{post, "/cgi-bin/tags/members/batchtagging?access_token=" + c.token, `{"openid_list":["o1"],"tagid":7}`, 45159},
		{post, "/cgi-bin/media/upload?type=image&access_token=" + c.token, "x", 41005},
		{post, "/cgi-bin/media/upload?type=song&access_token=" + c.token, "x", 40004},
	}
	for _, tt := range tests {
		got := c.call(tt.method, tt.path, tt.body)
		if code(got) != tt.want || !regexp.MustCompile(` rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$`).MatchString(got["errmsg"].(string)) {
			t.Errorf("%s %s %.60s: %v, want %d", tt.method, tt.path, tt.body, got, tt.want)
		}
	}
	only := dial(t, wechatfake.Config{AllowedIP: "203.0.113.1"})
	if got := only.stable(false); code(got) != 40164 || !strings.Contains(got["errmsg"].(string), "invalid ip 192.0.2.1") {
		t.Errorf("from an address that is not listed: %v", got)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	c := dial(t, wechatfake.Config{})
	works := func(token string) int {
		return code(c.call(http.MethodGet, "/cgi-bin/tags/get?access_token="+token, ""))
	}
	advance := func(d time.Duration) { *c.now = c.now.Add(d) }
	if again := c.stable(false); again["access_token"] != c.token || again["expires_in"] != float64(7200) {
		t.Errorf("the stable token changed: %v", again)
	}
	advance(2*time.Hour - 5*time.Minute)
	if at := c.stable(false); at["access_token"] != c.token || at["expires_in"] != float64(300) {
		t.Errorf("five minutes before its end it is %v", at["expires_in"])
	}
	advance(time.Second)
	newer, _ := c.stable(false)["access_token"].(string)
	if newer == c.token || works(newer) != 0 || works(c.token) != 0 {
		t.Error("in its last five minutes both count, the old and a new one")
	}
	forced, _ := c.stable(true)["access_token"].(string)
	if works(forced) != 0 || works(newer) != 42001 {
		t.Errorf("a forced one ends the other at once: %d, %d", works(forced), works(newer))
	}
	if got := c.stable(true); code(got) != 45011 {
		t.Errorf("forced again at once: %v", got)
	}
	for range 19 {
		advance(30 * time.Second)
		if got := c.stable(true); code(got) != 0 {
			t.Fatalf("forced after half a minute: %v", got)
		}
	}
	advance(30 * time.Second)
	if got := c.stable(true); code(got) != 45009 {
		t.Errorf("forced for the 21st time: %v", got)
	}
	plain := func() string {
		got := c.call(http.MethodGet, "/cgi-bin/token?grant_type=client_credential&appid="+c.s.AppID()+"&secret="+c.s.Secret(), "")
		return got["access_token"].(string)
	}
	one := plain()
	two := plain()
	advance(5*time.Minute - time.Second)
	if one == two || works(one) != 0 || works(two) != 0 {
		t.Error("an old plain token counts for five minutes")
	}
	advance(time.Second)
	if works(one) != 42001 || works(two) != 0 {
		t.Error("and not longer")
	}
}

func TestAllowances(t *testing.T) {
	t.Parallel()
	c, ctx := dial(t, wechatfake.Config{}), t.Context()
	send := func() (n, last int) {
		for ; n < 9; n++ {
			if last = code(c.post(custom, hello)); last != 0 {
				break
			}
		}
		return n, last
	}
	check := func(what string, wantN, wantLast int) {
		t.Helper()
		if n, last := send(); n != wantN || last != wantLast {
			t.Errorf("%s: %d messages, then %d, want %d, then %d", what, n, last, wantN, wantLast)
		}
	}
	check("nobody knows them", 0, 40003)
	c.s.Follow(ctx, "o1", "")
	check("after following", 3, 45047)
	*c.now = c.now.Add(time.Minute)
	check("a minute later", 0, 45015)
	c.s.Click(ctx, "o1", "x")
	c.s.Say(ctx, "o1", "x")
	check("a click and a message don't add up", 5, 45047)
	c.s.View(ctx, "o1", "https://x")
	check("a page allows nothing", 0, 45047)
	c.s.Say(ctx, "o1", "x")
	*c.now = c.now.Add(48 * time.Hour)
	c.token, _ = c.stable(false)["access_token"].(string)
	check("two days later", 0, 45015)
	c.s.Scan(ctx, "o1", "x")
	c.post(custom, `{"touser":"o1","msgtype":"msgmenu","msgmenu":{"head_content":"h","list":[{"id":"7","content":"余额"}]}}`)
	check("of three after a scan the menu was one", 2, 45047)
	if o := c.s.Tap(ctx, "o1", "7"); len(o.Deliveries) != 1 {
		t.Errorf("tapped: %+v", o)
	}
	check("a tap is a click", 3, 45047)
	c.s.Unfollow(ctx, "o1")
	check("gone", 0, 43004)
}

// TestProfiles holds each profile against one call of each kind.
func TestProfiles(t *testing.T) {
	t.Parallel()
	calls := []string{
		custom, "/cgi-bin/menu/create", "/cgi-bin/tags/create", "/cgi-bin/message/template/send", "/cgi-bin/message/template/subscribe",
		"/cgi-bin/message/subscribe/bizsend", "/cgi-bin/qrcode/create", "/cgi-bin/media/upload",
	}
	for profile, want := range map[wechatfake.Profile]string{
		wechatfake.Personal: "--------", wechatfake.Subscription: "+++-+--+", wechatfake.Service: "++++++++", wechatfake.Sandbox: "++++--++",
	} {
		c := dial(t, wechatfake.Config{Profile: profile})
		got := ""
		for _, path := range calls {
			got += map[bool]string{true: "-", false: "+"}[code(c.post(path, "{}")) == 48001]
		}
		if got != want {
			t.Errorf("%s may %s, want %s", profile, got, want)
		}
	}
}

func TestNoticesAreFollowed(t *testing.T) {
	t.Parallel()
	c := dial(t, wechatfake.Config{Mode: wechatfake.Safe})
	d := &developer{s: c.s, reply: func(*message.MixMessage) *message.Reply { return nil }}
	c.s.Connect("http://developer/", wechatfake.Local(d))
	c.s.Say(t.Context(), "o1", "hello")
	var want []string
	for _, blocks := range []bool{false, true} {
		c.s.Block("o1", blocks)
		got := c.post("/cgi-bin/message/template/send", `{"touser":"o1","template_id":"TM","miniprogram":{"appid":"","pagepath":""},"data":{"thing1":{"value":"x"}}}`)
		id, _ := got["msgid"].(float64)
		c.s.Settle()
		if m := d.last(); m.Event != "TEMPLATESENDJOBFINISH" || m.TemplateMsgID != int64(id) || id == 0 {
			t.Errorf("%v: heard %s %d of %v", blocks, m.Event, m.TemplateMsgID, id)
		}
		want = append(want, d.last().Status)
	}
	if !slices.Equal(want, []string{"success", "failed:user block"}) {
		t.Errorf("it became %q", want)
	}
	c.s.Block("o1", false)
	c.s.Subscribe(t.Context(), "o1", "SUB", true)
	for _, want := range []int{0, 43101} { // one consent is one notice
		if got := c.post("/cgi-bin/message/subscribe/bizsend", `{"touser":"o1","template_id":"SUB","data":{"thing1":{"value":"x"}}}`); code(got) != want {
			t.Errorf("got %v, want %d", got, want)
		}
	}
	c.s.Settle()
	if m := d.last(); m.Event != "subscribe_msg_sent_event" {
		t.Errorf("heard %s", m.Event)
	}
	c.s.Withdraw(t.Context(), "o1", "SUB")
	if m := d.last(); m.Event != "subscribe_msg_change_event" {
		t.Errorf("heard %s", m.Event)
	}
}

func TestCodesEnd(t *testing.T) {
	t.Parallel()
	c := dial(t, wechatfake.Config{})
	got := c.post("/cgi-bin/qrcode/create", `{"expire_seconds":60,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"r_1"}}}`)
	if _, ok := got["errmsg"]; ok || got["expire_seconds"] != float64(60) {
		t.Errorf("got %v", got)
	}
	if o := c.s.ScanCode(t.Context(), "o1", got["url"].(string)); len(o.Deliveries) != 1 {
		t.Errorf("scanned: %+v", o)
	}
	*c.now = c.now.Add(time.Minute)
	if o := c.s.ScanCode(t.Context(), "o1", got["url"].(string)); len(o.Deliveries) != 0 {
		t.Errorf("scanned when it had ended: %+v", o)
	}
	info := c.call(http.MethodGet, "/cgi-bin/user/info?openid=o1&access_token="+c.token, "")
	if info["qr_scene_str"] != "r_1" || info["nickname"] != "" || info["subscribe"] != float64(1) {
		t.Errorf("got %v", info)
	}
}

// TestControlOverHTTP plays a follower as tests in other languages do, over the network.
func TestControlOverHTTP(t *testing.T) {
	t.Parallel()
	s := wechatfake.New(wechatfake.Config{})
	at := httptest.NewServer(s)
	t.Cleanup(at.Close)
	callback := httptest.NewServer(&developer{s: s, reply: echo})
	t.Cleanup(callback.Close)
	ask := func(path, body string) string {
		t.Helper()
		resp, err := http.Post(at.URL+path, "application/json", bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, b)
		}
		return string(b)
	}
	ask("/control/connect", `{"url":"`+callback.URL+`"}`)
	for _, mode := range []string{"plain", "compatible", "safe"} {
		ask("/control/mode", `{"mode":"`+mode+`"}`)
		if got := ask("/control/check", "{}"); !strings.Contains(got, `"ok":true`) {
			t.Errorf("%s: %s", mode, got)
		}
		if got := ask("/control/say", `{"openid":"o1","text":"`+mode+`"}`); !strings.Contains(got, `"Verdict":"shown"`) {
			t.Errorf("%s: %s", mode, got)
		}
	}
	ask("/control/fail", `{"path":"/cgi-bin/stable_token","times":1,"fault":{"Code":-1,"Text":"system error"}}`)
	if got := ask("/cgi-bin/stable_token", "{}"); !strings.Contains(got, `"errcode":-1`) {
		t.Error(got)
	}
	if got := ask("/control/lines", `{"openid":"o1"}`); strings.TrimSpace(got) != `["you said plain","you said compatible","you said safe"]` {
		t.Error(got)
	}
}

// TestOpenIDs: whom the fake makes up is found where it is logged.
func TestOpenIDs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Ann", "Person"} {
		line := `level=INFO msg="an answer is late" to=` + wechatfake.OpenID(name, 7)
		if got := logtest.Find(line); got != "an openid of WeChat" {
			t.Errorf("in %s is found %q", line, got)
		}
	}
}
