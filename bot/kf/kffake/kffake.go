// Package kffake is WeCom's customer service (微信客服), with one company and one account, in
// this process: what tells our callback that there is something to read, what answers our
// calls, and the customers who read.
//
// Beside the wire it has controls for a test that plays the customers: [Server.Say],
// [Server.Tap], [Server.Enter], [Server.Seen], [Server.Forge], [Server.Fail].
//
// # Guarantees
//
//   - A callback is what WeCom sends: encrypted for the company, with a fresh timestamp,
//     nonce and random bytes, and says only that there is something to read. It may be
//     lost, and come twice: [Server.SetHints].
//   - Messages are read by a cursor, in pages that may be empty, as long as they are younger
//     than three days.
//   - Calls are refused as WeCom refuses: tokens, five messages in 48 hours, keys of
//     messages that were used, conversations that others lead, limits of bytes; always with
//     status 200 and a number. Which number a key has that was used is not documented: here
//     it is 40058.
//   - Nothing here sleeps but on Config.After.
//
// # Not here
//
// Files but pictures, other accounts, who of the staff is there, and passing conversations on by calls.
package kffake

import (
	"context"
	"net/http"
	"sync"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// What a company has that is configured without it.
const (
	DefaultCorpID   = "ww5a1f0c2d3e4b6978"
	DefaultSecret   = "0f1e2d3c4b5a69788796a5b4c3d2e1f0a9b8c7d6e5f" //nolint:gosec // of a company that there is not
	DefaultToken    = "fakecallbacktoken"
	DefaultAESKey   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"
	DefaultOpenKfID = "wkFAKE0000000000000000000000001"
)

// Config says which account a server has. Empty fields mean the defaults.
type Config struct {
	CorpID   string
	Secret   string
	Token    string // of the callback
	AESKey   string // of the callback, 43 characters
	OpenKfID string
	Callback string       // where hints are pushed to; see also Connect
	Client   *http.Client // that pushes; nil means one of its own

	PageSize  int    // how many messages a page has; 0 means as many as are asked for
	Tokenless int    // how often messages may be read in a minute without a hint's token; 0: any number
	AllowedIP string // the only address that may call; empty: all may

	Now   func() time.Time                       // nil means time.Now
	After func(d time.Duration) <-chan time.Time // nil means time.After
}

// A Server is WeCom. Make one with New; its methods may be called concurrently.
type Server struct {
	cfg   Config
	crypt tencentfake.Crypter

	mu        sync.Mutex
	callback  string
	client    *http.Client
	hints     Hints
	tokens    map[string]time.Time // of calls, until when
	token     string               // the newest
	syncs     map[string]time.Time // tokens of hints, until when
	tokenless []time.Time
	empties   int // pages that are empty though there is more
	log       []entry
	people    map[string]*customer
	codes     map[string]code // of events that can be answered
	keys      map[string]bool // of messages that were sent
	calls     []Call
	media     map[string]bool // that was uploaded
	owed      bool            // a callback, of what a call has caused
	faults    tencentfake.Faults
}

// Hints says what becomes of callbacks.
type Hints int

// What becomes of callbacks.
const (
	Heard   Hints = iota // they arrive
	Lost                 // they don't
	Doubled              // they arrive twice
	Alike                // they arrive twice, to the letter
)

// New returns a server to whose account nobody has written.
func New(cfg Config) *Server {
	text := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	text(&cfg.CorpID, DefaultCorpID)
	text(&cfg.Secret, DefaultSecret)
	text(&cfg.Token, DefaultToken)
	text(&cfg.AESKey, DefaultAESKey)
	text(&cfg.OpenKfID, DefaultOpenKfID)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = time.After
	}
	s := &Server{
		cfg: cfg, crypt: tencentfake.NewCrypter(cfg.Token, cfg.CorpID, cfg.AESKey),
		tokens: map[string]time.Time{}, syncs: map[string]time.Time{}, people: map[string]*customer{}, codes: map[string]code{}, keys: map[string]bool{}, media: map[string]bool{},
	}
	s.Connect(cfg.Callback, cfg.Client)
	return s
}

// Connect makes hints go to a callback. A client of nil is one that follows no redirects.
func (s *Server) Connect(callback string, c *http.Client) {
	if c == nil {
		c = &http.Client{}
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callback, s.client = callback, &own
}

// Local returns a client whose requests are answered by a handler in this process.
func Local(to http.Handler) *http.Client { return tencentfake.Local(to) }

// A Fault is what happens to a call instead of the right answer.
type Fault = tencentfake.Fault

// Fail makes the next calls of a path fail, times times; "*" is any path.
func (s *Server) Fail(path string, times int, f Fault) { s.faults.Add(path, times, f) }

// Heal takes back all faults that have not happened yet.
func (s *Server) Heal() { s.faults.Heal() }

// SetHints says what becomes of callbacks from here on.
func (s *Server) SetHints(h Hints) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hints = h
}

// EmptyPages makes the next pages empty, though there is more.
func (s *Server) EmptyPages(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.empties = count
}

// Hint tells the callback that there is something to read.
func (s *Server) Hint(ctx context.Context) Delivery { return s.push(ctx) }

// CorpID is the company's id.
func (s *Server) CorpID() string { return s.cfg.CorpID }

// Secret is the secret for calls.
func (s *Server) Secret() string { return s.cfg.Secret }

// Token is the callback's token.
func (s *Server) Token() string { return s.cfg.Token }

// AESKey is the callback's key.
func (s *Server) AESKey() string { return s.cfg.AESKey }

// OpenKfID is the account's id.
func (s *Server) OpenKfID() string { return s.cfg.OpenKfID }
