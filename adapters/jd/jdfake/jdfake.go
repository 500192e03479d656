// Package jdfake is a JD Union inside this process: an http.Handler that speaks
// the open platform's protocol over a [market.Market]. The tests of package jd
// and the sandbox use it, so the real client is what runs in both.
//
// It checks what the platform checks, in its order (method, application,
// signature, time, version, rights, then the parameters of the method), and
// answers in its manner: with status 200 whatever happens, under the root as the
// platform misspells it, with JSON inside a string. It has its own implementation
// of the signature, so that a mistake in the client's is seen.
//
// It is not a shop: it makes links and says what is behind them ([Server.Click]),
// and who buys through them does that in the market.
package jdfake

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/money"
)

// The ways in which [Server.Fail] makes the server fail.
const (
	Stall   = "stall"   // takes the request and never answers
	Limited = "limited" // says that there were too many calls
	Down    = "down"    // answers with status 502 and a page
	Garbage = "garbage" // answers with status 200 and something that is not JSON
	Denied  = "denied"  // refuses the credentials
)

// Config is one account at the platform, with the peculiarities it can have.
type Config struct {
	AppKey, AppSecret string
	AccessToken       string // demanded if not empty

	BaseURL    string           // of the links made; empty means https://u.jd.com
	Now        func() time.Time // the clock of the market and of the client; nil means the machine's
	ClockSlack time.Duration    // how far a caller's clock may be off; 0 means six minutes
	FinalRate  money.Bps        // what a promoter gets of a commission, as the market has it; 0 means 90 %
	Delay      time.Duration    // rows become visible this long after their change

	NoTags      bool     // not on the list of those who see subUnionId in rows
	NoSku       bool     // goods and rows come without a numeric sku
	NoMainSite  bool     // scene 2 of the goods API is refused
	NoNumeric   bool     // links are not made from numeric skus
	NoCoupons   bool     // links are not made with coupons
	RotateItems bool     // an itemId changes with every answer
	Refused     []string // methods that the account may not call

	PageMax int // rows a page of orders; 0 means 200
	RowsMax int // rows in a window; 0 means 10,000

	Shape Shape // of the answers
}

// Server is the platform as one account sees it. It is safe for concurrent use.
type Server struct {
	cfg    Config
	market *market.Market

	mu      sync.Mutex
	fail    string
	healed  chan struct{} // closed when a failure is over
	broken  bool
	between func()
	links   map[string]market.Click
	left    map[string]int64 // coupons left, by goods
	calls   map[string]int
	turn    int // counts answers: rotates itemIds
}

var _ http.Handler = (*Server)(nil)

// New returns the platform over a book.
func New(cfg Config, m *market.Market) *Server {
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://u.jd.com"
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.ClockSlack == 0 {
		cfg.ClockSlack = 6 * time.Minute
	}
	if cfg.FinalRate == 0 {
		cfg.FinalRate = 9000
	}
	if cfg.PageMax == 0 {
		cfg.PageMax = 200
	}
	if cfg.RowsMax == 0 {
		cfg.RowsMax = 10_000
	}
	return &Server{
		cfg: cfg, market: m, healed: make(chan struct{}),
		links: map[string]market.Click{}, left: map[string]int64{}, calls: map[string]int{},
	}
}

// Fail makes every call fail in one of the modes until it is called with "".
func (s *Server) Fail(mode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = mode
	close(s.healed) // lets go of calls that stall
	s.healed = make(chan struct{})
}

// Broken adds a row that cannot be read to the next page that has rows.
func (s *Server) Broken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
}

// BetweenPages calls f after every page of orders that is composed, before it is
// sent, until it is called with nil.
func (s *Server) BetweenPages(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = f
}

// CouponsLeft says how many coupons of goods are left; a thousand are until then.
func (s *Server) CouponsLeft(goods string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[goods] = n
}

// Calls says how often a method was called with a right signature.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Click returns what a link of this platform carries.
func (s *Server) Click(link string) (market.Click, bool) {
	u, err := url.Parse(link)
	if err != nil {
		return market.Click{}, false
	}
	if p := u.Query().Get("p"); strings.HasSuffix(u.Path, longPath) && p != "" {
		return s.openLong(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.links[lastPart(u.Path)]
	return c, ok
}

// Save returns the short links that were made, for Load after a restart. Long
// links carry everything themselves.
func (s *Server) Save() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := json.Marshal(s.links)
	if err != nil { // plain texts
		panic(err)
	}
	return b
}

// Load adds the short links that Save gave out.
func (s *Server) Load(b []byte) error {
	var links map[string]market.Click
	if err := json.Unmarshal(b, &links); err != nil {
		return fault.Wrap(fault.Invalid, "jdfake.Load", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.links, links)
	return nil
}

// NumberFor makes the nth order number, of twelve digits, and the number of its
// only line.
func NumberFor(n int64) (order, line string) {
	order = strconv.FormatInt(300_000_000_000+n, 10)
	return order, order + "0001"
}

// next counts answers.
func (s *Server) next() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	return s.turn
}
