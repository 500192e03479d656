package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fanli/core/logtest"
	"fanli/core/servertest"
)

// browserPatience is how long a busy machine may take for the whole story.
const browserPatience = 6 * time.Minute

// needAll is set by `make test`: then nothing may be skipped.
func needAll() bool { return os.Getenv("FANLI_NEED_ALL") != "" }

// A tab is one page in a real browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
}

// openBrowser starts a headless browser, or skips the test where there is none.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	path := servertest.Need(t, "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.ExecPath(path),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.WindowSize(1100, 900))
	whole, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(whole, browserPatience)
	t.Cleanup(cancel)
	return ctx
}

// newTab opens another page of the same browser.
func newTab(parent context.Context, t *testing.T, base, path string) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(parent)
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx, base: base}
	b.visit(path)
	return b
}

func (b *tab) visit(path string) {
	b.t.Helper()
	url := path
	if strings.HasPrefix(path, "/") {
		url = b.base + path
	}
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatalf("visit %s: %v", path, err)
	}
}

// text waits until the page shows all of these texts.
func (b *tab) text(want ...string) {
	b.t.Helper()
	var conditions []string
	for _, w := range want {
		conditions = append(conditions, fmt.Sprintf("document.body.innerText.includes(%q)", w))
	}
	b.until(strings.Join(conditions, " && "))
}

func (b *tab) until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience/3)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](condition))
	for err != nil && ctx.Err() == nil { // the page went away under the question, because a form was sent
		_, err = chromedp.Run(ctx, chromedp.Poll[bool](condition))
	}
	if err != nil {
		shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.shot("failed")
		b.t.Fatalf("%s does not come true: %v\n%s", condition, err, shown)
	}
}

// click presses the last button or link whose text begins with label, as a
// person finds it: by what it says.
func (b *tab) click(label string) {
	b.t.Helper()
	const find = `(() => { const all = [...document.querySelectorAll('button, a, summary')].filter(e => e.innerText.trim().startsWith(%q) && !e.disabled);
		const e = all.at(-1); if (!e) return false; e.click(); return true })()`
	b.until(fmt.Sprintf(find, label))
}

// clickFirst is click for the first one.
func (b *tab) clickFirst(label string) {
	b.t.Helper()
	const find = `(() => { const e = [...document.querySelectorAll('button, a')].find(e => e.innerText.trim().startsWith(%q) && !e.disabled);
		if (!e) return false; e.click(); return true })()`
	b.until(fmt.Sprintf(find, label))
}

// write types a message into the chat and sends it with Enter.
func (b *tab) write(text string) {
	b.t.Helper()
	err := chromedp.Do(b.ctx,
		chromedp.Focus("#text"),
		chromedp.SendKeys("#text", text+"\r"),
	)
	if err != nil {
		b.t.Fatalf("write %q: %v", text, err)
	}
}

// value evaluates an expression.
func (b *tab) value(expression string) string {
	b.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return s
}

// shot keeps a picture of the page as an artefact.
func (b *tab) shot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("no picture %s: %v", name, err)
		return
	}
	dir := filepath.Join("..", "..", "artifacts")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// noRescan has nobody look for late orders: where the clock is moved by a month, that
// is a request for each of its hours.
const noRescan = "FANLI_SYNC_RESCAN=false"

// startServe runs `fanli serve` in this process, in an environment, and returns its
// address.
func startServe(t *testing.T, environment ...string) (base string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	lookup := func(name string) (string, bool) {
		for _, e := range environment {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v, true
			}
		}
		return "", false
	}
	logtest.Environment(environment)
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		args := []string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}
		code := run(ctx, args, stdio{strings.NewReader(""), w, logtest.Tee(io.Discard, logtest.Process(environment, args)), lookup})
		_ = w.Close()
		done <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != exitOK {
			t.Errorf("serve ended with %d", code)
		}
	})
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "open "); ok {
			go func() { _, _ = io.Copy(io.Discard, r) }()
			return strings.TrimSpace(url)
		}
	}
	t.Fatal("serve never says where it is")
	return ""
}

// TestBrowserStory is what a newcomer does in the first five minutes, in a real
// browser: paste, card, buy, notice, settle, withdraw, refund, debt.
func TestBrowserStory(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("skipped under the race detector, which has the same story without a browser: stage 2 plays it")
	}
	browser := openBrowser(t)
	base := startServe(t)
	chat := newTab(browser, t, base, "/")
	chat.until(`document.getElementById('state').dataset.state === 'online'`)
	chat.shot("1-hello")

	chat.write("【京东】https://u.jd.com/YO58R3Q「飞利浦电动牙刷」点击链接直接打开")
	chat.text("券后价", "¥169.00", "预计返利", "打开链接")
	chat.shot("2-card")
	link := chat.value(`[...document.querySelectorAll('.card a')].at(-1).href`)

	shop := newTab(browser, t, base, link)
	shop.text("飞利浦电动牙刷", "你从返利链接进来")
	shop.shot("3-shop")
	shop.click("领券购买")
	shop.text("已付款")

	chat.text("看到你的京东订单了")
	control := newTab(browser, t, base, "/control")
	control.text("飞利浦电动牙刷")
	control.clickFirst("确认收货")
	control.until(`[...document.querySelectorAll('button')].some(e => e.innerText.trim().startsWith('联盟结算'))`)
	chat.text("已收货")
	control.shot("4-control")
	control.clickFirst("联盟结算")
	// JD binds itself to a day; the world's clock is moved beyond it.
	control.until(`!([...document.querySelectorAll('button')].some(e => e.innerText.trim().startsWith('联盟结算')))`)
	control.click("到下个结算日")
	chat.text("可以提现了")

	chat.write("提现")
	chat.text("支付宝")
	chat.write("13800000000")
	chat.write("张三") // before the answer is there
	chat.text("138****0000")
	chat.click("确认提现")
	chat.text("已到账")
	chat.until(`![...document.querySelectorAll('button')].some(e => e.innerText.trim().startsWith('确认提现'))`)
	chat.shot("5-paid")

	control.visit("/control")
	control.click("退款")
	chat.text("记为欠款")
	chat.write("余额")
	chat.text("欠款")
	chat.shot("6-debt")
	if strings.Contains(chat.value("document.body.innerText"), "13800000000 ") {
		t.Error("the account is shown in full")
	}
}
