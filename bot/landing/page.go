package landing

import (
	"crypto/rand"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	qrcode "github.com/skip2/go-qrcode"

	"fanli/bot/webpage"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// codeSize is the size of a code in pixels.
const codeSize = 280

// codeBytesMax is the longest text of which a code is drawn: a longer one has dots
// too small for a phone.
const codeBytesMax = 600

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A view is what the page shows.
type view struct {
	Nonce string
	W     words
	Langs []words
	State string // "offer", "gone" or "later"

	Title, Shop, Image   string
	Price, Coupon, Final string
	CouponEnds, Until    string
	Copy, CopyLabel      string
	How, Copied          string
	Open, OpenLabel      string
	Code                 template.URL // a picture
	CodeHow              string
}

// ServeHTTP answers GET and HEAD of a page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	secure(w.Header(), nonce)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	v := view{Nonce: nonce, Langs: all(), W: choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))}
	status := p.fill(r, &v)
	if err := webpage.Write(w, pageTemplate, v, v.W.Tag, status); err != nil {
		p.o.Log.Error("the page of a link", "error", err)
	}
}

// secure says what a browser may do with the page.
func secure(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", "default-src 'none'; img-src data: https:; style-src 'nonce-"+nonce+"'; script-src 'nonce-"+nonce+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
}

// fill finds what the page shows, and the status to answer with.
func (p *Page) fill(r *http.Request, v *view) int {
	id, ok := p.names.read(strings.TrimPrefix(r.URL.Path, Path), p.o.Now())
	if !ok {
		v.State = "gone"
		return http.StatusNotFound
	}
	l, err := p.o.Lookup.Link(r.Context(), id)
	switch {
	case fault.Is(err, fault.NotFound):
		v.State = "gone"
		return http.StatusNotFound
	case err != nil:
		p.o.Log.Warn("a link cannot be looked up for its page", "link", id, "error", err)
		v.State = "later"
		return http.StatusServiceUnavailable
	}
	v.State = "offer"
	p.offer(v, l)
	p.ways(v, l, strings.Contains(r.UserAgent(), "MicroMessenger"))
	return http.StatusOK
}

// offer shows goods and prices, as far as they are known.
func (p *Page) offer(v *view, l link.Link) {
	o := l.Offer
	v.Title, v.Shop = l.Title, o.Shop
	if u, err := url.Parse(o.Image); err == nil && u.Scheme == "https" {
		v.Image = o.Image
	}
	v.Price = yuan(o.Price)
	if c := o.Coupon; c.Amount > 0 {
		v.Coupon, v.Final = "−"+c.Amount.Yuan(), yuan(o.Final)
		if c.Threshold > 0 {
			v.Coupon += fmt.Sprintf(" (%s%s)", v.W.Over, c.Threshold.Yuan())
		}
		v.CouponEnds = p.moment(c.Ends)
	}
	v.Until = p.moment(l.Made.Expires)
}

// ways are how one gets to the shop from here.
func (p *Page) ways(v *view, l link.Link, inWechat bool) {
	shop := v.W.shop(l.Network)
	shut := inWechat && p.blocked(l.Network)
	target := ""
	if u, err := url.Parse(l.Made.URL); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		target = l.Made.URL
	}
	switch {
	case l.Made.Token != "":
		v.Copy, v.CopyLabel, v.How = l.Made.Token, v.W.CopyWords, fmt.Sprintf(v.W.HowWords, shop)
	case shut:
		v.Copy, v.CopyLabel, v.How = target, v.W.CopyLink, v.W.HowBrowser
	default:
		v.Copy, v.CopyLabel, v.How = target, v.W.CopyLink, fmt.Sprintf(v.W.HowLink, shop)
	}
	v.Copied = fmt.Sprintf(v.W.Copied, shop)
	if target == "" {
		return
	}
	if !shut {
		v.Open, v.OpenLabel = target, fmt.Sprintf(v.W.Open, shop)
	}
	if len(target) > codeBytesMax {
		return
	}
	if png, err := qrcode.Encode(target, qrcode.Medium, codeSize); err == nil { // without it the page still does its work
		v.Code = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)) //nolint:gosec // a picture that we have drawn
		v.CodeHow = fmt.Sprintf(v.W.Code, shop)
	}
}

// yuan is a price, or "" where it is not known.
func yuan(f money.Fen) string {
	if f <= 0 {
		return ""
	}
	return f.Yuan()
}

// moment is a time as people read it, or "".
func (p *Page) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.o.Zone).Format("2006-01-02 15:04")
}
