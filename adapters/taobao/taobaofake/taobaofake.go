// Package taobaofake is a Taobao union gateway in this process: an http.Handler
// over a [market.Market], for tests and for the sandbox.
//
// It speaks the platform's wire protocol: parameters from query and body
// together, signatures really computed, times in Beijing time within ten
// minutes, status 200 for everything, lists in named wrappers that simplify
// takes away, {} for empty ones, absent values left out or "--", slashes
// escaped, new-style item ids whose prefix changes with every answer, windows
// and cursors as in the order methods, and a refund feed for what comes back
// after settlement while the order row keeps its income.
//
// What the documentation leaves open is decided here: checks are made in the
// order of check, pages are sorted by the column that the window asks for and
// then by number, and both ends of a window count.
//
// # Not here
//
// Uploads, shops and event pages, curated lists, punishments, and whatever
// else the client does not call.
package taobaofake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/market"
)

// Config is the account that the gateway serves. Now is required; what else is
// empty has a default.
type Config struct {
	AppKey    string
	AppSecret string
	Session   string   // what the sc methods accept; "" accepts none
	PubID     string   // the PID is mm_<PubID>_<SiteID>_<adzone>
	SiteID    string   //
	Adzones   []string // the third parts that exist; empty: any number does
	BaseURL   string   // of the links that are made; empty: "https://s.click.taobao.com"
	Now       func() time.Time

	InviteCode string // of members; "" lets nobody become one
	Callback   string // where OAuth may send people back to

	MainSite     bool          // the app may ask about numeric ids and main-site links (scene 2)
	Forbidden    []string      // methods that the app may not call
	Window       time.Duration // longest order window; 0: three hours
	Delay        time.Duration // rows become visible this long after they change
	StrictCursor bool          // a later page without a cursor fails; else it is the first page again
	ListMaterial bool          // material_dto must be the list that is documented
	Bare         bool          // conversions come without 口令
	Loose        bool          // every other row has its numbers as texts and its texts as numbers
}

// The ways to fail, for [Server.Fail].
const (
	stall   = "stall"
	limited = "limited"
	down    = "down"
	garbage = "garbage"
	denied  = "denied"
)

// skewMax is how far a caller's clock may be off.
const skewMax = 10 * time.Minute

// windowMax is the longest order window outside promotions.
const windowMax = 3 * time.Hour

// formBytesMax limits what is read of a request.
const formBytesMax = 1 << 20

// beijing is the platform's time zone.
var beijing = time.FixedZone("CST", 8*60*60)

// A Server is the gateway. It is safe for concurrent use.
type Server struct {
	cfg    Config
	market *market.Market

	mu      sync.Mutex
	mode    string
	broken  bool
	between func()
	calls   map[string]int
	random  uint64                  // counts what has to look random
	codes   map[string]market.Click // short links and 口令 that were given out
	suits   []suit                  // scripted; see Dispute
	grants  map[string]*grant       // of OAuth, by code and by token
	members map[string]time.Time    // buyers who are members, since when
}

// New returns a gateway over m.
func New(cfg Config, m *market.Market) *Server {
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://s.click.taobao.com"
	}
	if cfg.Window == 0 {
		cfg.Window = windowMax
	}
	return &Server{cfg: cfg, market: m, calls: map[string]int{}, codes: map[string]market.Click{}, grants: map[string]*grant{}, members: map[string]time.Time{}}
}

// Fail makes every call fail in a way until it is called with "": "stall" never
// answers, "limited" answers that there were too many calls, "down" with a
// server error and no document, "garbage" with something that is no document,
// "denied" refuses the credentials.
func (s *Server) Fail(mode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = mode
}

// Broken makes the next page of rows contain one that cannot be read.
func (s *Server) Broken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
}

// BetweenPages makes the gateway call f after every page of rows that it has
// composed and before it is sent, until it is called with nil.
func (s *Server) BetweenPages(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = f
}

// Promotion makes order windows longer than d fail, as the platform does in its
// promotions.
func (s *Server) Promotion(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Window = d
}

// Calls says how often a method was called.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// ServeHTTP answers one call, at any path but that of OAuth's page, [AuthorizePath].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, AuthorizePath) {
		s.authorize(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, formBytesMax)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	mode := s.mode
	s.calls[r.Form.Get("method")]++
	s.mu.Unlock()
	switch mode {
	case stall:
		<-r.Context().Done()
		return
	case down:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><h1>502 Bad Gateway</h1></html>"))
		return
	case garbage:
		_, _ = w.Write([]byte(`{"tbk_order_details_get_resp`))
		return
	}
	c := call{s: s, form: r.Form, method: r.Form.Get("method"), requestID: "15r" + s.draw(10)}
	c.write(w, mode)
}

// A call is one request on its way.
type call struct {
	s         *Server
	form      url.Values
	method    string
	requestID string
}

// A refusal is an error answer; the zero value is none.
type refusal struct {
	code             int
	msg, sub, subMsg string
}

// A method answers one API method.
type method struct {
	name    string
	session bool // a service provider's variant
	run     func(c *call) (object, refusal)
}

func methods() []method {
	return []method{
		{"taobao.tbk.dg.material.optional.upgrade", false, (*call).search},
		{"taobao.tbk.sc.material.optional.upgrade", true, (*call).search},
		{"taobao.tbk.item.info.upgrade.get", false, (*call).details},
		{"taobao.tbk.dg.general.link.convert", false, (*call).convert},
		{"taobao.tbk.sc.general.link.convert", true, (*call).convert},
		{"taobao.tbk.tpwd.create", false, (*call).createToken},
		{"taobao.tbk.order.details.get", false, (*call).orders},
		{"taobao.tbk.sc.order.details.get", true, (*call).orders},
		{"taobao.tbk.order.refund.get", false, (*call).refunds},
		{"taobao.top.auth.token.create", false, (*call).createAccess},
		{"taobao.tbk.sc.publisher.info.save", false, (*call).savePublisher}, // a session of its own kind
	}
}

// write answers the call in the form that it asks for.
func (c *call) write(w http.ResponseWriter, mode string) {
	payload, no := c.answer(mode)
	simplify := c.form.Get("simplify") == "true"
	if c.form.Get("format") != "json" {
		w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
		_, _ = w.Write(c.xml(payload, no))
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_, _ = w.Write(c.json(payload, no, simplify))
}

func (c *call) answer(mode string) (object, refusal) {
	switch mode {
	case limited:
		return nil, refusal{
			7, "App Call Limited", "accesscontrol.limited-by-api-access-count",
			"This ban will last for 1 more seconds",
		}
	case denied:
		return nil, refusal{29, "Invalid app Key", "isv.appkey-not-exists", ""}
	}
	m, no := c.check()
	if no.code != 0 {
		return nil, no
	}
	return m.run(c)
}

// find returns the method that the call names.
func (c *call) find() (method, bool) {
	all := methods()
	i := slices.IndexFunc(all, func(m method) bool { return m.name == c.method })
	if i < 0 {
		return method{}, false
	}
	return all[i], true
}
