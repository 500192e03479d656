package binding

import (
	"context"
	"crypto/rand"
	_ "embed" // the page
	"html/template"
	"net/http"
	"strings"
	"time"

	"fanli/bot/webpage"
	"fanli/core/fault"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// The states of a page.
const (
	stateAsk     = "ask"     // explains, and leads to the shop
	stateDone    = "done"    // bound
	stateTaken   = "taken"   // it is somebody else's
	stateRefused = "refused" // by the person, at the shop
	stateSpent   = "spent"   // this address was used
	stateStale   = "stale"   // what the shop sent along is not good any more
	stateGone    = "gone"    // no address of ours, or it has ended
	stateLater   = "later"   // something is away
)

// A view is what the page shows.
type view struct {
	Nonce  string
	W      words
	Langs  []words
	State  string
	Says   said
	Go     string // the shop's page
	Inside bool   // in WeChat, which does not open the shop's
	Masked string // the account
}

// askMax bounds what is asked of the shop and of the book for one page.
const askMax = 20 * time.Second

// ServeHTTP answers GET of a page, and of what the shop sends people back to.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	secure(w.Header(), nonce)
	back := r.URL.Path == BackPath
	if r.Method != http.MethodGet && (back || r.Method != http.MethodHead) { // to look at the latter's answer is to bind
		w.Header().Set("Allow", "GET")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	v := view{Nonce: nonce, W: choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))}
	var status int
	if back {
		// Phones leave a page while they change apps: what was begun is finished.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), askMax)
		defer cancel()
		status = p.back(ctx, r, &v)
	} else {
		v.Langs = all()
		status = p.ask(r, &v)
	}
	v.Says = v.W.Says[v.State]
	if err := webpage.Write(w, pageTemplate, v, v.W.Tag, status); err != nil {
		p.o.Log.Error("the page of bindings", "error", err)
	}
}

// secure says what a browser may do with the page. Its address is a secret for a while.
func secure(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// ask fills in the page that leads to the shop, and returns the status.
func (p *Page) ask(r *http.Request, v *view) int {
	t, ok := readTicket(p.o.Key, purposePage, strings.TrimPrefix(r.URL.Path, Path), p.o.Now())
	if !ok {
		v.State = stateGone
		return http.StatusNotFound
	}
	v.State, v.Inside = stateAsk, strings.Contains(r.UserAgent(), "MicroMessenger")
	v.Go = p.o.Shop.AuthorizeURL(p.o.Base+BackPath, t.sign(p.o.Key, purposeState))
	return http.StatusOK
}

// back takes what the shop sends people back with, and returns the status.
func (p *Page) back(ctx context.Context, r *http.Request, v *view) int {
	q := r.URL.Query()
	t, ok := readTicket(p.o.Key, purposeState, q.Get("state"), p.o.Now())
	switch {
	case !ok:
		v.State = stateGone
		return http.StatusNotFound
	case q.Get("error") != "":
		v.State = stateRefused
		return http.StatusOK
	case q.Get("code") == "":
		v.State = stateStale
		return http.StatusBadRequest
	}
	masked, err := p.bind(ctx, t, q.Get("code"))
	switch {
	case err == nil:
		v.State, v.Masked = stateDone, masked
		return http.StatusOK
	case fault.ReasonOf(err) == "member.spent":
		v.State = stateSpent
		return http.StatusConflict
	case fault.ReasonOf(err) == "member.taken":
		v.State = stateTaken
		p.o.Log.Warn("an account that is somebody else's was not bound", "user", t.user)
		return http.StatusConflict
	case fault.Is(err, fault.Invalid):
		v.State = stateStale
		return http.StatusBadRequest
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Limited):
		p.o.Log.Warn("an account is not bound", "user", t.user, "error", err)
	default:
		p.o.Log.Error("accounts cannot be bound", "user", t.user, "error", err, "try", "look at networks.taobao.member and at the rights of the application")
	}
	v.State = stateLater
	return http.StatusServiceUnavailable
}

// bind uses the ticket up, asks the shop who it is, and binds that to the ticket's user.
func (p *Page) bind(ctx context.Context, t ticket, code string) (masked string, err error) {
	if err := p.o.Book.SpendTicket(ctx, t.name(), t.until); err != nil {
		return "", err
	}
	tag, err := p.o.Shop.Member(ctx, code)
	if err != nil {
		return "", err
	}
	m, err := p.o.Book.BindMember(ctx, p.o.Network, tag, t.user)
	return m.Masked(), err
}
