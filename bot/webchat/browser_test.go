package webchat_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fanli/bot"
	"fanli/core/servertest"
)

// browserPatience is how long a busy machine may take for one look at a page.
const browserPatience = 60 * time.Second

// browser opens a page in a real browser, or skips the test where there is none.
func browser(t *testing.T, url string) context.Context {
	t.Helper()
	path := servertest.Need(t, "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.ExecPath(path),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	whole, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	page, closePage := chromedp.NewContext(whole)
	t.Cleanup(func() {
		if err := chromedp.Cancel(page); err != nil {
			t.Logf("closing the browser: %v", err)
		}
		closePage()
		cancel()
	})
	if err := chromedp.Do(page, chromedp.Navigate(url)); err != nil {
		if os.Getenv("FANLI_NEED_ALL") != "" {
			t.Fatalf("the browser does not start: %v", err)
		}
		t.Skipf("skipped: the browser does not start: %v", err)
	}
	ctx, stop := context.WithTimeout(page, browserPatience)
	t.Cleanup(stop)
	return ctx
}

// look waits until a condition holds in the page.
func look(ctx context.Context, t *testing.T, condition string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition)); err != nil {
		state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
		t.Fatalf("%s does not come true: %v\n%s", condition, err, state)
	}
}

// act runs a script in the page.
func act(ctx context.Context, t *testing.T, script string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// write sends a text as a person would.
func write(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	act(ctx, t, `{const i = document.getElementById('text'); i.value = '`+text+`'; i.dispatchEvent(new Event('input')); document.getElementById('composer').requestSubmit()}`)
}

const evil = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`

// What the bot passes on from a shop is shown as text in every place where it can
// stand, and addresses that are no web pages are not offered.
func TestHostileContentStaysText(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, func(context.Context, bot.Message) bot.Reply {
		return bot.Reply{
			Text: evil,
			Cards: []bot.Card{{
				Title: evil, Image: "javascript:window.hacked=1", Notes: []string{evil},
				Rows:    []bot.Row{{Label: evil, Value: evil, Strong: true}},
				Buttons: []bot.Button{{Label: evil, URL: "javascript:window.hacked=1"}, {Label: evil, Copy: evil}, {Label: evil, URL: "https://shop.example/"}},
			}},
			Buttons: []bot.Button{{Label: evil, Action: "x"}, {Label: "data", URL: "data:text/html,x"}},
		}
	}, nil)
	ctx := browser(t, h.srv.URL)
	look(ctx, t, `document.getElementById('state').dataset.state === 'online'`)
	write(ctx, t, strings.ReplaceAll(evil, "</script>", "<\\/script>"))
	look(ctx, t, `document.querySelectorAll('#log .entry').length === 2 && document.querySelector('.card') !== null`)
	look(ctx, t, `document.querySelectorAll('#log img, #log script').length === 0 && window.hacked === undefined`)
	look(ctx, t, `document.querySelector('.card h3').textContent.startsWith('<img src=x')`)
	look(ctx, t, `document.querySelectorAll('#log a').length === 1 && document.querySelector('#log a').rel.includes('noopener')`)
}

// What is written while the server is away is kept, also over a reload, and sent
// once when it is back. What is pasted keeps the addresses behind its words.
func TestUnsentMessagesAreKept(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	ctx := browser(t, h.srv.URL)
	look(ctx, t, `document.getElementById('state').dataset.state === 'online'`)
	act(ctx, t, `window.realFetch = window.fetch; window.fetch = () => Promise.reject(new TypeError('offline'))`)
	write(ctx, t, "离线写的")
	look(ctx, t, `document.querySelector('.waiting .bubble').textContent === '离线写的'`)
	if err := chromedp.Do(ctx, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	look(ctx, t, `document.querySelectorAll('.waiting').length === 0 && document.querySelectorAll('#log .entry').length === 2`)
	look(ctx, t, `[...document.querySelectorAll('#log .bubble')].map((b) => b.textContent).join() === '离线写的,re: 离线写的'`)
	look(ctx, t, `Object.keys(localStorage).filter((k) => k.startsWith('fanli.unsent')).length === 0`)
	act(ctx, t, `{const d = new DataTransfer(); d.setData('text/plain', '看 这个水壶 https://a.example/');
		d.setData('text/html', '看 <a class="x" href="https://item.jd.com/1.html?a=1&amp;b=2">这个水壶</a> <a href="/x">x</a> <a href="javascript:1">y</a> <a href="https://a.example/">z</a>');
		document.getElementById('text').dispatchEvent(new ClipboardEvent('paste', {clipboardData: d, bubbles: true, cancelable: true}))}`)
	look(ctx, t, `document.getElementById('text').value === '看 这个水壶 https://a.example/\nhttps://item.jd.com/1.html?a=1&b=2'`)
}

// However long the conversation, the newest answer is in sight, and the list is all that
// can be scrolled: what only screen readers see makes the page no longer.
func TestTheNewestAnswerIsInSight(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	ctx := browser(t, h.srv.URL)
	look(ctx, t, `document.getElementById('state').dataset.state === 'online'`)
	for i := range 4 {
		write(ctx, t, strings.Repeat("长", 300)+strings.Repeat("!", i))
		look(ctx, t, fmt.Sprintf(`document.querySelectorAll('#log .entry').length === %d`, 2*i+2))
	}
	const list = `document.getElementById('scroll')`
	look(ctx, t, list+`.scrollHeight > 2 * `+list+`.clientHeight`)
	look(ctx, t, list+`.scrollHeight - `+list+`.scrollTop - `+list+`.clientHeight < 2`)
	look(ctx, t, `document.documentElement.scrollHeight <= document.documentElement.clientHeight`)
}

// The page can be read in English, and says so to assistive technology.
func TestLanguageSwitch(t *testing.T) {
	t.Parallel()
	h := open(t, &memory{}, echo, nil)
	ctx := browser(t, h.srv.URL)
	look(ctx, t, `document.documentElement.lang === 'zh-CN'`)
	act(ctx, t, `document.getElementById('language').click()`)
	look(ctx, t, `document.documentElement.lang === 'en' && !/[\u4e00-\u9fff]/.test(document.querySelector('.hello').textContent + document.getElementById('composer').textContent + document.getElementById('text').placeholder)`)
	look(ctx, t, `document.getElementById('log').getAttribute('role') === 'log' && document.getElementById('log').getAttribute('aria-live') === 'polite'`)
}
