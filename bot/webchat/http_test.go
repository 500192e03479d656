package webchat_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/webchat"
)

// header sends a header with every request.
type header struct {
	to          http.RoundTripper
	name, value string
}

func (h header) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h.name, h.value)
	return h.to.RoundTrip(r)
}

// carry takes the cookies of one server to another.
func carry(t *testing.T, jar http.CookieJar, from, to *house) http.CookieJar {
	t.Helper()
	a, err := url.Parse(from.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := url.Parse(to.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	out.SetCookies(b, jar.Cookies(a))
	return out
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

const good = `{"id":"aaaaaaaa1","text":"查券"}`

func TestSameOriginIsTaken(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	for i, headers := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", h.srv.URL}, nil} {
		if status, p, _ := v.send(fmt.Sprintf(`{"id":"aaaaaaaa%d","text":"x"}`, i), headers...); status != http.StatusAccepted {
			t.Errorf("%v: status %d, %+v", headers, status, p)
		}
	}
}

// A text at the limit is taken, whatever way it is written in JSON.
func TestLongestText(t *testing.T) {
	t.Parallel()
	v := open(t, &memory{}, echo, nil).visitor()
	for i, one := range []string{"长", `\u957f`, `\ud83d\ude00`} {
		if status, p, _ := v.send(fmt.Sprintf(`{"id":"aaaaaaaa%d","text":"%s"}`, i, strings.Repeat(one, 4000))); status != http.StatusAccepted {
			t.Errorf("4000 × %s: status %d, %+v", one, status, p)
		}
	}
}

func TestNoSession(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	v.http.Jar = nil
	if status, p, _ := v.send(good); status != http.StatusUnauthorized || p.Error.Code != "session" {
		t.Errorf("posting without a session: status %d, %+v", status, p)
	}
	for name, cookie := range map[string]string{"none": "", "odd": "fanli_session=../../x", "short": "fanli_session=00"} {
		v.http.Transport = header{h.srv.Client().Transport, "Cookie", cookie}
		res := v.get("/api/events")
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("a stream with cookie %s: status %d", name, res.StatusCode)
		}
	}
}

func TestOddPosition(t *testing.T) {
	t.Parallel()
	v := open(t, &memory{}, echo, nil).visitor()
	for _, after := range []string{"x", "-1", "1e9", "99999999999999999999"} {
		res := v.get("/api/events?after=" + after)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("after=%s: status %d, want 400", after, res.StatusCode)
		}
	}
}

// One session is limited, another is not touched by it, and time heals.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	v := h.visitor()
	taken, limited := 0, 0
	for i := range 30 {
		status, p, head := v.send(fmt.Sprintf(`{"id":"aaaaaaaa%d","text":"x"}`, i))
		switch {
		case status == http.StatusAccepted:
			taken++
		case status == http.StatusTooManyRequests && p.Error.Code == "limited" && head.Get("Retry-After") != "":
			limited++
		default:
			t.Errorf("status %d, %+v", status, p)
		}
	}
	if taken != 12 || limited != 18 {
		t.Errorf("%d taken and %d limited of 30, want 12 and 18", taken, limited)
	}
	h.visitor().post("aaaaaaaa1", "别人")
	h.clock.advance(3 * time.Second)
	v.post("bbbbbbbb1", "后来")
}

// Messages wait for their turn, but not without end.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := open(t, &memory{}, func(context.Context, bot.Message) bot.Reply {
		<-release
		return bot.Reply{}
	}, nil)
	defer close(release)
	v := h.visitor()
	taken := 0
	for i := range 40 {
		h.clock.advance(time.Minute)
		if status, _, _ := v.send(fmt.Sprintf(`{"id":"aaaaaaaa%d","text":"x"}`, i)); status == http.StatusAccepted {
			taken++
		}
	}
	if taken != 16 {
		t.Errorf("%d messages wait, want 16", taken)
	}
}

func TestNotRunningIsSaid(t *testing.T) {
	t.Parallel()
	v := open(t, &memory{}, nil, nil).visitor()
	status, p, head := v.send(good)
	if status != http.StatusServiceUnavailable || p.Error.Code != "down" || head.Get("Retry-After") == "" {
		t.Errorf("status %d, %+v, retry after %q", status, p, head.Get("Retry-After"))
	}
}

// A log that fails loses nothing: the page is told, and posting again works.
func TestFailingLogIsSaid(t *testing.T) {
	t.Parallel()
	log := &memory{}
	v := open(t, log, echo, nil).visitor()
	log.mu.Lock()
	log.failing = 1
	log.mu.Unlock()
	if status, p, _ := v.send(good); status != http.StatusServiceUnavailable || strings.Contains(p.Error.Zh+p.Error.En, "disk") {
		t.Errorf("status %d, %+v", status, p)
	}
	if !v.post("aaaaaaaa1", "查券").Fresh {
		t.Error("the message that was not kept is taken for known")
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("secure %t", secure), func(t *testing.T) {
			t.Parallel()
			asked := make(chan bot.Message, 2)
			h := open(t, &memory{}, func(_ context.Context, m bot.Message) bot.Reply {
				asked <- m
				return bot.Reply{}
			}, func(o *webchat.Options) { o.Secure = secure })
			res := h.visitor().get("/")
			_ = res.Body.Close()
			v := &visitor{h, h.srv.Client()}
			res = v.get("/")
			_ = res.Body.Close()
			c := res.Cookies()[0]
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || len(c.Value) != 32 || c.Path != "/" || c.MaxAge <= 0 {
				t.Errorf("the cookie is %+v", c)
			}
			if strings.HasPrefix(c.Name, "__Host-") != secure {
				t.Errorf("the cookie is called %q", c.Name)
			}
			if status, _, _ := v.send(good, "Cookie", c.Name+"="+c.Value); status != http.StatusAccepted {
				t.Fatalf("status %d", status)
			}
			if m := <-asked; strings.Contains(m.ID+m.Chat+m.From.External, c.Value) {
				t.Error("the cookie can be read from the identity")
			}
		})
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, func(o *webchat.Options) {
		o.Title, o.ShopURL = `<fan"li>`, "/shop"
		o.Examples = []webchat.Example{{Label: "</script><b>", Text: `"><img src=x>`}}
	})
	v := h.visitor()
	res := v.get("/")
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	html := string(b)
	for _, evil := range []string{`<fan"li>`, "</script><b>", "<img src=x>"} {
		if strings.Contains(html, evil) {
			t.Errorf("the page has %q as markup", evil)
		}
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := res.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if policy := res.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
		t.Errorf("the policy allows what is unsafe: %s", policy)
	}
	if strings.Contains(html, "<style") || strings.Contains(html, " style=") || strings.Contains(html, " onclick") {
		t.Error("the page has inline styles or handlers, which its policy forbids")
	}
	if !strings.Contains(html, `href="/shop"`) {
		t.Error("the shop is not linked")
	}
	for _, ref := range references(html) {
		res := v.get("/" + ref)
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || res.Header.Get("Content-Type") == "" {
			t.Errorf("%s: status %d, %v", ref, res.StatusCode, res.Header)
		}
	}
	for _, path := range []string{"/assets/0000000000000000/chat.js", "/assets/x/index.html", "/nothing"} {
		res := v.get(path)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, res.StatusCode)
		}
	}
}

// references returns the assets that a page names.
func references(html string) (refs []string) {
	for _, part := range strings.Split(html, `"assets/`)[1:] {
		ref, _, _ := strings.Cut(part, `"`)
		ref, _, _ = strings.Cut(ref, "#")
		refs = append(refs, "assets/"+ref)
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// Nothing that somebody wrote becomes markup: the scripts have no way to write
// any, so whatever a message holds is shown as it is.
func TestScriptsCannotWriteMarkup(t *testing.T) {
	t.Parallel()
	v := open(t, &memory{}, echo, nil).visitor()
	res := v.get("/")
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	base := ""
	for _, ref := range references(string(b)) {
		if strings.HasSuffix(ref, "/chat.js") {
			base = strings.TrimSuffix(ref, "chat.js")
		}
	}
	for _, name := range []string{"chat.js", "render.js", "outbox.js", "texts.js"} {
		res := v.get("/" + base + name)
		script, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v", name, res.StatusCode, err)
		}
		for _, way := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser", "srcdoc", "createContextualFragment", "setHTML", "://cdn"} {
			if strings.Contains(string(script), way) {
				t.Errorf("%s uses %s", name, way)
			}
		}
	}
}
