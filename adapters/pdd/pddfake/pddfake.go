// Package pddfake is a 多多进宝 in this process: the gateway of the open platform
// and the pages behind its links, over a market's book. Tests and the sandbox
// point the real client at it.
//
// It checks what the platform checks, in the platform's order: method, client,
// timestamp, signature, authorisation (备案) of the pid, sizes of pages and
// windows. Its answers have the odd shapes of the real ones: numbers as strings,
// nulls, an error with status 200. Amounts are what the book says: the market
// should keep no fee, since the platform shows none.
//
// It is written from the documentation and shares no code with the client, so
// that one checks the other.
package pddfake

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fanli/core/market"
)

// The ways in which the gateway can be told to fail.
const (
	Stall   = "stall"   // takes the request and never answers
	Limited = "limited" // 52101
	Down    = "down"    // status 500
	Garbage = "garbage" // status 200 and no document
	Denied  = "denied"  // 20031
)

// Config says whose platform it is.
type Config struct {
	ClientID     string   // of the only application
	ClientSecret string   // of the application
	PIDs         []string // the promotion positions of the account, all authorised at first; not empty

	// BaseURL is where this server is reached, without a trailing slash; made
	// links begin with it.
	BaseURL string

	Now func() time.Time // must be the clock of the market and of the client

	// Land answers a browser that follows an affiliate link. nil answers a plain
	// page with the title.
	Land func(w http.ResponseWriter, r *http.Request, c market.Click)
}

// A Server is the platform. It is an http.Handler and safe for concurrent use.
type Server struct {
	cfg    Config
	market *market.Market
	mux    *http.ServeMux

	mu         sync.Mutex
	made       map[string]market.Click // by the code of the short link
	authorised map[string]bool         // pids
	mode       string
	healthy    chan struct{} // closed when a stall ends
	broken     bool          // the next page of orders has a row that cannot be read
	between    func()
}

// New returns a platform over m.
func New(cfg Config, m *market.Market) *Server {
	cfg.PIDs = slices.Clone(cfg.PIDs)
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	s := &Server{
		cfg: cfg, market: m, mux: http.NewServeMux(),
		made: map[string]market.Click{}, authorised: map[string]bool{}, healthy: make(chan struct{}),
	}
	for _, pid := range cfg.PIDs {
		s.authorised[pid] = true
	}
	s.mux.HandleFunc("/api/router", s.gateway)
	s.mux.HandleFunc("GET /authority", s.authority)
	s.mux.HandleFunc("GET /duo_coupon_landing.html", s.landing)
	s.mux.HandleFunc("GET /{code}", s.short)
	return s
}

// ServeHTTP serves the gateway at /api/router, and the pages behind links.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Fail makes every call of the gateway fail in one of the modes, until it is
// called with "".
func (s *Server) Fail(mode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == Stall && mode != Stall {
		close(s.healthy)
		s.healthy = make(chan struct{})
	}
	s.mode = mode
}

// Break adds one row that cannot be read to the next page of orders that is
// answered.
func (s *Server) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
}

// Between makes f run after every page of orders that was composed, before it is
// sent; nil ends that. Rows that f changes have moved when the next page is asked
// for.
func (s *Server) Between(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = f
}

// Revoke takes the authorisation (备案) from pid, until somebody visits its
// authorisation link.
func (s *Server) Revoke(pid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.authorised, pid)
}

// Click returns what is behind an affiliate link that this server made. Its Tag is
// custom_parameters, byte by byte as they were given; Slot is the pid.
func (s *Server) Click(made string) (market.Click, bool) {
	return s.click(made)
}

// failing returns the mode and the end of a stall.
func (s *Server) failing() (mode string, healthy <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode, s.healthy
}
