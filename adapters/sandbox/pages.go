package sandbox

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

//go:embed assets
var assets embed.FS

// pictureHost is where the pictures of goods are by what the networks say. Nobody
// can reach it; [World.Picture] says where they really are.
const pictureHost = "https://img.sandbox.invalid/"

// formBytesMax limits what is read of a form.
const formBytesMax = 8 << 10

// policy lets the pages load what is ours, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Picture returns where a browser that looks at this process finds a picture: a
// path for those of the sandbox's goods, the same address for all others.
func (w *World) Picture(address string) string {
	if name, ok := strings.CutPrefix(address, pictureHost); ok {
		return "/shop/pictures/" + name
	}
	return address
}

// pages are the templates and what the pages load.
type pages struct {
	all     *template.Template
	version string
	files   map[string][]byte
}

func (w *World) loadPages() error {
	t, err := template.New("pages").Funcs(template.FuncMap{
		"yuan":    money.Fen.Yuan,
		"short":   func(f money.Fen) string { return strings.TrimSuffix(f.String(), ".00") },
		"picture": w.Picture,
		"day":     func(t time.Time) string { return t.In(beijing).Format("2006-01-02 15:04") },
		"two":     func(zh, en string) [2]string { return [2]string{zh, en} },
	}).ParseFS(assets, "assets/*.html")
	if err != nil {
		return err
	}
	p := &pages{all: t, files: map[string][]byte{}}
	all := sha256.New()
	for _, pattern := range []string{"assets/*.css", "assets/*.js", "assets/art/*.svg"} {
		names, err := fs.Glob(assets, pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			b, err := assets.ReadFile(name)
			if err != nil {
				return err
			}
			p.files[path.Base(name)] = b
			all.Write([]byte(name))
			all.Write(b)
		}
	}
	p.version = hex.EncodeToString(all.Sum(nil)[:8])
	w.pages = p
	return nil
}

// pageRoutes adds the shop, the control page and its API.
func (w *World) pageRoutes(mux *http.ServeMux) {
	own := http.NewServeMux()
	own.HandleFunc("GET /shop", w.shopPage)
	own.HandleFunc("GET /shop/{$}", w.shopPage)
	own.HandleFunc("GET /shop/{network}/{item}", w.itemPage)
	own.HandleFunc("POST /shop/{network}/{item}", w.buyForm)
	own.HandleFunc("GET /shop/orders/{network}/{line}", w.orderPage)
	own.HandleFunc("POST /shop/orders/{network}/{line}/{deed}", w.shopDeed)
	own.HandleFunc("GET /shop/pay/{code}", w.chargePage)
	own.HandleFunc("POST /shop/pay/{code}", w.payForm)
	own.HandleFunc("GET /shop/pictures/{name}", w.picture)
	own.HandleFunc("GET /shop/assets/{version}/{name}", w.asset)
	own.HandleFunc("GET /control", w.controlPage)
	own.HandleFunc("POST /control/clock", w.clockForm)
	own.HandleFunc("POST /control/stray", w.strayForm)
	own.HandleFunc("POST /control/networks/{network}", w.networkForm)
	own.HandleFunc("POST /control/payer", w.payerForm)
	own.HandleFunc("POST /control/payments/{number}/{fate}", w.paymentForm)
	own.HandleFunc("POST /control/orders/{network}/{line}/{deed}", w.deedForm)
	w.apiRoutes(own)
	mux.Handle("/shop", w.guarded(own))
	mux.Handle("/shop/", w.guarded(own))
	mux.Handle("/control", w.guarded(own))
	mux.Handle("/control/", w.guarded(own))
}

// guarded keeps other web sites out: nothing is changed for a page of another
// origin, and nothing is said to a browser that was led here under another name.
func (w *World) guarded(h http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		head := rw.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		if !w.knownHost(r.Host) {
			http.Error(rw, "这个地址不属于沙盒。请用启动时打印的地址打开。\nThis address is not the sandbox's. Open the one that was printed at the start.", http.StatusMisdirectedRequest)
			return
		}
		if err := protection.Check(r); err != nil {
			http.Error(rw, "这个操作不是从沙盒的页面发出的，已被拦下。\nThis did not come from a page of the sandbox and was stopped.", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, formBytesMax)
		h.ServeHTTP(rw, r)
	})
}

// knownHost reports whether a browser may call us by a name: an address, this
// machine, or what BaseURL says. Any other name was made to lead here.
func (w *World) knownHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	base, err := url.Parse(w.opts.BaseURL)
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil || err == nil && strings.EqualFold(host, base.Hostname())
}

// render writes a page.
func (w *World) render(rw http.ResponseWriter, status int, name string, data map[string]any) {
	data["Version"], data["Now"], data["Ahead"] = w.pages.version, w.Now(), w.clock.ahead()
	var b bytes.Buffer
	if err := w.pages.all.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(rw, "这一页画不出来。\nThis page could not be drawn.", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(b.Bytes())
}

// missing says that there is no such page.
func (w *World) missing(rw http.ResponseWriter) {
	w.render(rw, http.StatusNotFound, "missing.html", map[string]any{})
}

// kinds are the media types of assets; a machine's own table may be odd.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// asset serves what pages load, under a folder that is named after the content.
func (w *World) asset(rw http.ResponseWriter, r *http.Request) {
	b, ok := w.pages.files[r.PathValue("name")]
	if !ok || r.PathValue("version") != w.pages.version {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", kinds[path.Ext(r.PathValue("name"))])
	rw.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = rw.Write(b)
}

// picture serves the picture of goods.
func (w *World) picture(rw http.ResponseWriter, r *http.Request) {
	b, ok := w.pages.files[r.PathValue("name")]
	if !ok || path.Ext(r.PathValue("name")) != ".svg" {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", kinds[".svg"])
	rw.Header().Set("Cache-Control", "public, max-age=3600")
	rw.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	_, _ = rw.Write(b)
}

// A notice is one line about what was just done.
type notice struct {
	Zh, En string
	Bad    bool
}

// notices are all of them, by the word that stands in the address.
var notices = map[string]notice{
	"paid":                 {"付款成功，订单已经生成。", "Paid. The order is placed.", false},
	"done":                 {"好了。", "Done.", false},
	"clock":                {"时间已经往前走了。", "Time has moved on.", false},
	"stray":                {"无主订单已经生成。把订单号发给机器人，就能找回它。", "The stray order is placed. Send its number to the bot to claim it.", false},
	"network":              {"联盟的状态已经切换。", "The network has changed.", false},
	"payer":                {"付款方的设置已经切换。", "The payer has changed.", false},
	"market.wrong_state":   {"这个订单现在不能这样做，它可能刚刚变了。", "The order cannot do that now. It may just have changed.", true},
	"market.refund_amount": {"退款金额不对：要大于 0，也不能超过还没退的部分。", "The amount is wrong: above 0, and not above what is left.", true},
	"money.unreadable":     {"没看懂这个金额，请写成 12.34 这样。", "The amount could not be read. Write it like 12.34.", true},
	"market.no_line":       {"没有找到这个订单。", "There is no such order.", true},
	"market.no_goods":      {"没有找到这件商品。", "There are no such goods.", true},
	"sandbox.no_link":      {"这个推广链接已经失效，请让机器人再给一个。", "The link is not valid any more. Ask the bot for another.", true},
	"sandbox.quantity":     {"数量不对，请选 1 到 20。", "The quantity is wrong. Choose 1 to 20.", true},
	"sandbox.final":        {"这笔打款已经有结果了。", "This payment is final.", true},
	"charged":              {"付款成功，机器人马上告诉你。", "Paid. The bot will tell you at once.", false},
	"sandbox.charge_over":  {"这笔已经付过或失效了。", "This was paid before, or is not valid any more.", true},
	"sandbox.odd":          {"没有做成，请再试一次。", "That did not work. Please try again.", true},
}

// said returns the notice that an address asks for.
func said(r *http.Request) *notice {
	n, ok := notices[r.URL.Query().Get("did")]
	if !ok {
		return nil
	}
	return &n
}

// back sends a browser from a form to a page with a notice: what was done, or
// what err says.
func back(rw http.ResponseWriter, r *http.Request, page, did string, err error, anchor string) {
	if err != nil {
		did = fault.ReasonOf(err)
		if _, ok := notices[did]; !ok {
			did = "sandbox.odd"
		}
	}
	sign := "?"
	if strings.Contains(page, "?") {
		sign = "&"
	}
	if anchor != "" {
		anchor = "#" + anchor
	}
	http.Redirect(rw, r, page+sign+"did="+url.QueryEscape(did)+anchor, http.StatusSeeOther) //nolint:gosec // a path of our own, escaped
}
