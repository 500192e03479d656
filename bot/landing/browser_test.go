package landing_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fanli/core/servertest"
)

// browserPatience is how long a busy machine may take for the whole look.
const browserPatience = 60 * time.Second

// phone opens a page as WeChat's browser on a phone does, or skips the test where
// there is no browser.
func phone(t *testing.T, url string) context.Context {
	t.Helper()
	path := servertest.Need(t, "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.ExecPath(path), chromedp.UserAgent(wechat),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	whole, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	page, closePage := chromedp.NewContext(whole)
	t.Cleanup(func() {
		_ = chromedp.Cancel(page)
		closePage()
		cancel()
	})
	ctx, stop := context.WithTimeout(page, browserPatience)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateScale(2)), chromedp.Navigate(url)); err != nil {
		if os.Getenv("FANLI_NEED_ALL") != "" {
			t.Fatalf("the browser does not start: %v", err)
		}
		t.Skipf("skipped: the browser does not start: %v", err)
	}
	return ctx
}

// On a phone, in a browser that copies only what is selected: as WeChat's does.
func TestCopyOnAPhone(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.shelf.links[cup] = withoutPicture(s.shelf.links[cup])
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	ctx := phone(t, srv.URL+s.address(t, cup)+"?lang=zh-CN")
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`Object.defineProperty(navigator, 'clipboard', {value: undefined});
		document.addEventListener('copy', () => { const w = document.getElementById('words'); window.copied = w.value.substring(w.selectionStart, w.selectionEnd) })`),
		chromedp.Click(`#copy`)); err != nil {
		t.Fatal(err)
	}
	for _, condition := range []string{
		`window.copied === '￥CZ0001 abc￥'`,
		`document.getElementById('said').textContent === '已复制，打开淘宝 App 就会弹出'`,
		`document.documentElement.scrollWidth <= 360`,
		`[...document.querySelectorAll('button, nav a')].every(e => e.getBoundingClientRect().height >= 44)`,
		`document.querySelectorAll('a.do').length === 0`,
	} {
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition)); err != nil {
			state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
			t.Fatalf("%s does not come true: %v\n%s", condition, err, state)
		}
	}
	shot(ctx, t)
}

// shot keeps a picture of the page as an artefact.
func shot(ctx context.Context, t *testing.T) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Logf("no picture: %v", err)
		return
	}
	dir := filepath.Join("..", "..", "artifacts")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "landing.png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
