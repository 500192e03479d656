package confirm_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanli/adapters/wechatpay/confirm"
	"fanli/core/fault"
	"fanli/core/logtest"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// desk knows one payment.
type desk struct {
	c     confirm.Confirmation
	err   error
	asked []int64
}

func (d *desk) Lookup(_ context.Context, id int64, _ bool) (confirm.Confirmation, error) {
	d.asked = append(d.asked, id)
	if id != 7 && d.err == nil {
		return confirm.Confirmation{}, fault.New(fault.NotFound, "")
	}
	return d.c, d.err
}

func waiting() confirm.Confirmation {
	return confirm.Confirmation{
		State: confirm.Open, Amount: 1234, Payee: "oUpF****S6o (*三)", Until: noon().Add(20 * time.Hour),
		MchID: "1900001109", AppID: "wxf636efh567hg4356", Package: `aff</script>"dda==`,
	}
}

// key signs the links of these tests.
var key = []byte(strings.Repeat("k", 32))

func page(t *testing.T, d *desk) *confirm.Page {
	t.Helper()
	p, err := confirm.New(confirm.Options{Key: key, Lookup: d, Now: noon, Zone: time.FixedZone("", 8*3600), Log: logtest.New(nil)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	wechatAgent = "Mozilla/5.0 (iPhone) MicroMessenger/8.0.54"
	otherAgent  = "Mozilla/5.0 (X11) Firefox/140"
)

func get(p *confirm.Page, method, path, agent, language string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func wantPage(t *testing.T, what string, w *httptest.ResponseRecorder, status int, with, without []string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("%s: status %d, want %d", what, w.Code, status)
	}
	for _, s := range with {
		if !strings.Contains(w.Body.String(), s) {
			t.Errorf("%s does not have %q:\n%s", what, s, w.Body)
		}
	}
	for _, s := range without {
		if strings.Contains(w.Body.String(), s) {
			t.Errorf("%s has %q", what, s)
		}
	}
}

// Inside WeChat the page opens WeChat's own; what it opens it with cannot break
// out of the script.
func TestInsideWechat(t *testing.T) {
	t.Parallel()
	d := &desk{c: waiting()}
	p := page(t, d)
	link := p.Link(7, noon().Add(time.Hour))
	w := get(p, http.MethodGet, link, wechatAgent, "zh-CN,zh;q=0.9,en;q=0.8")
	wantPage(t, "the page", w, http.StatusOK, []string{
		"¥12.34", "oUpF****S6o (*三)", "11-23 16:00", "去微信确认收款", `"requestMerchantTransfer"`,
		`"mchId":"1900001109"`, `"appId":"wxf636efh567hg4356"`, `"package":"aff\u003c/script\u003e\"dda=="`,
	}, []string{"aff</script>", "http://", "https://", "请在微信里打开"})
	if strings.Count(w.Body.String(), "</script>") != 1 {
		t.Error("the script ends twice")
	}
	wantPage(t, "in English", get(p, http.MethodGet, link, wechatAgent, "en-GB,zh;q=0.5"), http.StatusOK, []string{"Confirm in WeChat", `lang="en"`}, []string{"确认"})
	wantPage(t, "in neither", get(p, http.MethodGet, link, wechatAgent, "fr"), http.StatusOK, []string{"去微信确认收款"}, nil)
}

func TestOutsideOfWechat(t *testing.T) {
	t.Parallel()
	p := page(t, &desk{c: waiting()})
	w := get(p, http.MethodGet, p.Link(7, noon().Add(time.Hour)), otherAgent, "zh")
	wantPage(t, "the page", w, http.StatusOK, []string{"¥12.34", "请在微信里打开"}, []string{"<script", "aff", "1900001109"})
}

// What the page says in every other state, and that it hands nothing out then.
func TestStates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(d *desk)
		status int
		says   string
		state  string
	}{
		{"waits", func(*desk) {}, 200, "等你确认", "open"},
		{"paid", func(d *desk) { d.c.State = confirm.Paid }, 200, "已到账", "paid"},
		{"on its way", func(d *desk) { d.c.State = confirm.Busy }, 200, "正在处理", "busy"},
		{"over", func(d *desk) { d.c.State = confirm.Over }, 200, "这笔不用确认了", "over"},
		{"cannot be looked up", func(d *desk) { d.err = errors.New("the database is away") }, 503, "现在查不到", ""},
		{"is not known", func(d *desk) { d.err = fault.New(fault.NotFound, "") }, 404, "这个链接打不开了", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := &desk{c: waiting()}
			tt.change(d)
			p := page(t, d)
			link := p.Link(7, noon().Add(time.Hour))
			without := []string{"requestMerchantTransfer", "1900001109", "database"}
			if tt.state == "open" {
				without = nil
			}
			wantPage(t, "the page", get(p, http.MethodGet, link, wechatAgent, "zh"), tt.status, []string{tt.says}, without)
			w := get(p, http.MethodGet, link+"/state", wechatAgent, "zh")
			wantPage(t, "the state", w, tt.status, []string{`{"state":"` + tt.state + `"}`}, []string{"aff", "1900001109", "12.34", "oUpF"})
		})
	}
}

// A payment that waits but has nothing to open WeChat's page with is not ready.
func TestWithoutPackage(t *testing.T) {
	t.Parallel()
	d := &desk{c: waiting()}
	d.c.Package = ""
	p := page(t, d)
	w := get(p, http.MethodGet, p.Link(7, noon().Add(time.Hour)), wechatAgent, "zh")
	wantPage(t, "the page", w, http.StatusOK, []string{"正在处理"}, []string{"<script"})
}

// Whatever is wrong with a link, the same page says so, and nobody is asked.
func TestWrongLinks(t *testing.T) {
	t.Parallel()
	d := &desk{c: waiting()}
	p := page(t, d)
	good := strings.TrimPrefix(p.Link(7, noon().Add(time.Hour)), confirm.Path)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{
		"expired":         strings.TrimPrefix(p.Link(7, noon()), confirm.Path),
		"nothing":         "",
		"a number":        "7",
		"shorter":         good[:len(good)-4],
		"longer":          good + "AAAA",
		"with a padding":  good + "=",
		"a page below":    good + "/x",
		"of another key":  strings.TrimPrefix(other(t).Link(7, noon().Add(time.Hour)), confirm.Path),
		"a line in it":    good[:10] + "%0A" + good[10:],
		"another alphabe": strings.Repeat("+", len(good)),
	}
	for i := range raw { // every byte counts
		changed := append([]byte{}, raw...)
		changed[i] ^= 1
		links["changed at "+string(rune('A'+i))] = base64.RawURLEncoding.EncodeToString(changed)
	}
	var first string
	nonce := regexp.MustCompile(`nonce="[A-Z0-9]+"`)
	for name, link := range links {
		w := get(p, http.MethodGet, confirm.Path+link, wechatAgent, "zh")
		wantPage(t, name, w, http.StatusNotFound, []string{"这个链接打不开了"}, nil)
		if body := nonce.ReplaceAllString(w.Body.String(), ""); first == "" {
			first = body
		} else if body != first {
			t.Errorf("%s looks different from the others", name)
		}
		if w := get(p, http.MethodGet, confirm.Path+link+"/state", wechatAgent, "zh"); w.Code != http.StatusNotFound {
			t.Errorf("%s: the state has status %d", name, w.Code)
		}
	}
	if len(d.asked) != 0 {
		t.Errorf("asked about %v", d.asked)
	}
	wantPage(t, "the good one", get(p, http.MethodGet, confirm.Path+good, wechatAgent, "zh"), http.StatusOK, nil, nil)
	wantPage(t, "of a withdrawal that there is not", get(p, http.MethodGet, p.Link(8, noon().Add(time.Hour)), wechatAgent, "zh"), http.StatusNotFound, nil, nil)
}

func other(t *testing.T) *confirm.Page {
	t.Helper()
	p, err := confirm.New(confirm.Options{Key: []byte(strings.Repeat("x", 32)), Lookup: &desk{}, Now: noon, Zone: time.UTC, Log: logtest.New(nil)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every answer keeps itself to itself, and no request changes anything.
func TestHeaders(t *testing.T) {
	t.Parallel()
	d := &desk{c: waiting()}
	p := page(t, d)
	link := p.Link(7, noon().Add(time.Hour))
	nonces := map[string]bool{}
	for _, path := range []string{link, link + "/state", confirm.Path + "x"} {
		h := get(p, http.MethodGet, path, wechatAgent, "zh").Header()
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy is %q", path, csp)
			}
		}
		nonces[csp] = true
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
	if len(nonces) != 3 {
		t.Error("a nonce was used twice")
	}
	d.asked = nil
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if w := get(p, method, link, wechatAgent, "zh"); w.Code != http.StatusMethodNotAllowed || len(d.asked) != 0 {
			t.Errorf("%s: status %d, asked about %v", method, w.Code, d.asked)
		}
	}
}

// A key that can be guessed is refused.
func TestOptions(t *testing.T) {
	t.Parallel()
	if p, err := confirm.New(confirm.Options{Key: key[:31], Lookup: &desk{}, Now: noon, Zone: time.UTC, Log: logtest.New(nil)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short key makes %v, %v", p, err)
	}
}
