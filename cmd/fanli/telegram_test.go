package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanli/bot/telegram"
	"fanli/bot/telegram/telegramfake"
)

// telegramPatience is how long a busy machine may take for one step.
const telegramPatience = 2 * time.Minute

// A phone is one person with Telegram.
type phone struct {
	t    *testing.T
	fake *telegramfake.Server
	me   int64
	seen int64 // the id of the message that was read last: others may be deleted
}

// says sends a message and waits for an answer that contains want.
func (p *phone) says(text, want string) telegramfake.Sent {
	p.t.Helper()
	p.fake.Say(p.me, text)
	return p.hears(want)
}

// hears waits until something new contains want.
func (p *phone) hears(want string) telegramfake.Sent {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), telegramPatience)
	defer cancel()
	var found telegramfake.Sent
	all, err := p.fake.WaitFor(ctx, p.me, func(all []telegramfake.Sent) bool {
		for _, s := range all {
			if s.ID > p.seen && strings.Contains(s.Text, want) {
				found = s
				return true
			}
		}
		return false
	})
	if err != nil {
		for _, s := range all {
			p.t.Logf("told: %s", s.Text)
		}
		p.t.Fatalf("%q is never said: %v", want, err)
	}
	p.seen = found.ID
	return found
}

// A gate leads from a known address to a server that is started later, as a proxy does.
type gate struct {
	to atomic.Pointer[httputil.ReverseProxy]
}

// ServeHTTP hands a request on.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p := g.to.Load(); p != nil {
		p.ServeHTTP(w, r)
		return
	}
	w.WriteHeader(http.StatusBadGateway)
}

func (g *gate) open(t *testing.T, base string) {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	g.to.Store(httputil.NewSingleHostReverseProxy(to))
}

// TestTelegramStory is the whole loop through Telegram, by long polling and by webhook,
// against a platform that checks what the real one checks.
func TestTelegramStory(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{telegram.Polling, telegram.Webhook} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			tellStory(t, mode)
		})
	}
}

func tellStory(t *testing.T, mode string) {
	const token = "123456:AAexampleexampleexampleexampleexamp"
	fake := telegramfake.New(telegramfake.Config{Token: token, Username: "fanli_bot", Local: true})
	front := &gate{}
	platform, site := httptest.NewServer(fake), httptest.NewServer(front)
	t.Cleanup(func() { fake.Close(); site.Close(); platform.Close() })
	base := startServe(t, noRescan, "FANLI_TELEGRAM_TOKEN="+token, "FANLI_TELEGRAM_ENDPOINT="+platform.URL, "FANLI_TELEGRAM_MODE="+mode,
		"FANLI_TELEGRAM_WEBHOOK_URL="+site.URL+telegram.HookPath)
	front.open(t, base)
	world := &controlPage{t: t, base: base}
	p := &phone{t: t, fake: fake, me: 4242}

	p.says("/start", "返利")
	card := p.says("【京东】https://u.jd.com/YO58R3Q「飞利浦电动牙刷」点击链接直接打开", "预计返利")
	made := ""
	for _, b := range card.Flat() {
		if strings.HasPrefix(b.URL, base) {
			made = b.URL
		}
	}
	line := world.buy(made)
	p.hears("看到你的京东订单了")
	world.do(line, "receive")
	p.hears("已收货")
	world.do(line, "settle")
	world.clock("settlement")
	p.hears("可以提现了")
	p.says("收款 13800000000 张三", "138****0000")
	ask := p.says("提现", "请核对")
	fake.Press(p.me, p.me, ask.ID, 0)
	p.hears("已受理提现")
	p.hears("已到账")
	world.do(line, "refund")
	p.hears("欠款")
	p.says("/balance", "欠款")
	if hooked := fake.Hook().URL != ""; hooked != (mode == telegram.Webhook) || hooked != (len(fake.Deliveries()) > 0) {
		t.Errorf("in mode %s the webhook is %+v", mode, fake.Hook())
	}
}

// A controlPage is the sandbox's control page, for programs.
type controlPage struct {
	t    *testing.T
	base string
}

// post asks for something and returns the line that the answer names.
func (c *controlPage) post(path, body string) (line string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+"/control/api/"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %s: %s %s, %v", path, body, resp.Status, text, err)
	}
	var out struct {
		Network string `json:"network"`
		Line    string `json:"line"`
	}
	if err := json.Unmarshal(text, &out); err != nil {
		c.t.Fatal(err)
	}
	return out.Network + "/" + out.Line
}

func (c *controlPage) buy(made string) string { return c.post("orders", `{"url":"`+made+`"}`) }
func (c *controlPage) do(line, deed string)   { c.post("orders/"+line+"/"+deed, "") }
func (c *controlPage) clock(by string)        { c.post("clock", `{"by":"`+by+`"}`) }
