// Package confirm is the page on which payees confirm in WeChat what they are
// paid. WeChat Pay lets no money go to a person who has not pressed its button,
// and the button can only be shown by a page inside WeChat.
//
// # Guarantees
//
//   - The page is reached by a link that we have signed and that ends: guessing or
//     changing one shows nothing, and all that is wrong with links looks alike.
//   - Nothing here changes anything. What the page hands to WeChat cannot send
//     money to anybody but the payee.
//   - The page never says that money has arrived because WeChat's button said so;
//     it asks our server, which asks WeChat.
//   - A page that waits tells what is paid and a masked payee, to whoever holds the
//     link; it loads nothing from elsewhere, is not kept by caches and cannot be
//     framed.
package confirm

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // the page
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// Path begins the path of every page.
const Path = "/pay/confirm/"

// State is what the page says about a payment.
type State string

// The states.
const (
	Open State = "open" // waits for its payee
	Busy State = "busy" // not ready yet, or on its way
	Paid State = "paid" // has arrived
	Over State = "over" // will not come any more: expired, called back or failed
)

// A Confirmation is one payment as its payee sees it.
type Confirmation struct {
	State   State
	Amount  money.Fen
	Payee   string    // masked
	Until   time.Time // when an open one is closed; zero: not known
	MchID   string    // Open: the three things that WeChat's page of confirmation
	AppID   string    // is opened with
	Package string
}

// A Lookup finds payments.
type Lookup interface {
	// Lookup returns the payment of a withdrawal. It fails with fault.NotFound for
	// one that there is not or that was never meant to be confirmed. With whole
	// false, the state is enough, and it may be an old one.
	Lookup(ctx context.Context, withdrawal int64, whole bool) (Confirmation, error)
}

// Options are what a Page needs.
type Options struct {
	Key    []byte // signs links; 32 bytes at least
	Lookup Lookup
	Now    func() time.Time
	Zone   *time.Location // of the times that people read
	Log    *slog.Logger
}

// A Page serves the pages. It is safe for concurrent use.
type Page struct {
	o    Options
	html *template.Template
}

// keyLenMin is the least length of a key, in bytes.
const keyLenMin = 32

//go:embed page.html
var pageHTML string

// New returns a Page.
func New(o Options) (*Page, error) {
	if len(o.Key) < keyLenMin || o.Lookup == nil || o.Now == nil || o.Zone == nil || o.Log == nil {
		return nil, fault.Wrap(fault.Invalid, "confirm.New", errors.New("an option is missing"))
	}
	t, err := template.New("page").Parse(pageHTML)
	return &Page{o, t}, fault.Wrap(fault.Internal, "confirm.New", err)
}

// Link returns the path of the page for a withdrawal, good until a time.
func (p *Page) Link(withdrawal int64, until time.Time) string {
	return Path + token(p.o.Key, withdrawal, until)
}

// ServeHTTP answers GET and HEAD of a page, and of its state under /state.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	secure(w.Header(), nonce)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	rest, _ := strings.CutPrefix(r.URL.Path, Path)
	rest, stateOnly := strings.CutSuffix(rest, "/state")
	v := view{Nonce: nonce, W: language(r.Header.Get("Accept-Language"))}
	c, status := p.find(r.Context(), rest, !stateOnly)
	if stateOnly {
		p.state(w, c, status)
		return
	}
	v.fill(c, status, p.o.Zone)
	v.Inside = strings.Contains(r.UserAgent(), "MicroMessenger")
	var page bytes.Buffer
	if err := p.html.Execute(&page, v); err != nil {
		p.o.Log.Error("the page of confirmation", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.W.Tag)
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the other side has gone: nobody to tell
}

// find returns the payment that a token names, and the status to answer with.
func (p *Page) find(ctx context.Context, text string, whole bool) (Confirmation, int) {
	id, ok := read(p.o.Key, text, p.o.Now())
	if !ok {
		return Confirmation{}, http.StatusNotFound
	}
	c, err := p.o.Lookup.Lookup(ctx, id, whole)
	switch {
	case fault.Is(err, fault.NotFound):
		return Confirmation{}, http.StatusNotFound
	case err != nil:
		p.o.Log.Warn("a payment to confirm cannot be looked up", "withdrawal", id, "error", err)
		return Confirmation{}, http.StatusServiceUnavailable
	case c.State == Open && whole && (c.Package == "" || c.MchID == "" || c.AppID == ""): // nothing to open WeChat's page with
		c.State = Busy
	}
	return c, http.StatusOK
}

// state answers what became of the payment.
func (p *Page) state(w http.ResponseWriter, c Confirmation, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]State{"state": c.State}) // the other side has gone: nobody to tell
}

// secure sets the headers that keep a page to itself. The link is in its address,
// so no referrer leaves.
func secure(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+
		"'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// A view is what the template shows.
type view struct {
	Nonce  string
	W      words
	Is     string // "open", "busy", "paid", "over", "gone" or "later"
	Inside bool   // in WeChat
	Amount string
	Payee  string
	Until  string
	Wechat wechat
}

// wechat is what WeChat's button takes.
type wechat struct {
	MchID   string `json:"mchId"`
	AppID   string `json:"appId"`
	Package string `json:"package"`
}

func (v *view) fill(c Confirmation, status int, zone *time.Location) {
	switch status {
	case http.StatusOK:
		v.Is, v.Amount, v.Payee = string(c.State), c.Amount.Yuan(), c.Payee
	case http.StatusNotFound:
		v.Is = "gone"
	default:
		v.Is = "later"
	}
	if c.State == Open {
		v.Wechat = wechat{c.MchID, c.AppID, c.Package}
		if !c.Until.IsZero() {
			v.Until = c.Until.In(zone).Format("01-02 15:04")
		}
	}
}
