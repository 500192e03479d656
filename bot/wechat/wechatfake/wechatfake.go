// Package wechatfake is WeChat's platform for official accounts, with one account, in
// this process: what pushes messages to our callback, what answers our calls, and the
// followers who read.
//
// Its crypto is its own, so that it can disagree with ours. Beside the wire it has
// controls for a test that plays the followers: [Server.Say], [Server.Click],
// [Server.Scan], [Server.Seen], [Server.Forge], [Server.Fail].
//
// # Guarantees
//
//   - A push is what the platform sends: in the account's mode, with a fresh timestamp,
//     nonce and random bytes, and its nodes in any order. It comes again, as the same
//     message, after five seconds without an answer, and after an error: signed anew or,
//     with Config.Alike, to the letter. Nobody has written down which WeChat does.
//   - What a follower sees is what the platform would show: an answer that it could not
//     read is the notice that the service is out of order, and is kept with the reason.
//   - Calls are refused as the platform refuses: rights by the kind of account, tokens,
//     quotas by follower, limits of bytes; always with status 200 and a number.
//   - Nothing here sleeps but on Config.After, so that a test in a synctest bubble,
//     connected by [Local], waits for nothing.
//
// # Not here
//
// Payments, web authorisation, material that is kept for ever, mass sending, and the
// content of templates: any template id exists.
package wechatfake

import (
	"net/http"
	"sync"
	"time"

	"fanli/bot/tencent/tencentfake"
)

// What an account has that is configured without it.
const (
	DefaultAppID   = "wx5a1f0c2d3e4b6978"
	DefaultSecret  = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" //nolint:gosec // of an account that there is not
	DefaultToken   = "fakecallbacktoken"
	DefaultAESKey  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"
	DefaultAccount = "gh_5a1f0c2d3e4b"
)

// A Mode says how messages travel.
type Mode string

// The modes.
const (
	Plain      Mode = "plain"      // 明文模式
	Compatible Mode = "compatible" // 兼容模式
	Safe       Mode = "safe"       // 安全模式
)

// The platform's patience.
const (
	patience     = 5 * time.Second
	triesDefault = 3
)

// Config says which account a server has. Empty fields mean the defaults.
type Config struct {
	AppID     string
	AppSecret string
	Token     string // of the callback
	AESKey    string // of the callback, 43 characters
	Account   string // the account's own id, gh_…
	Mode      Mode   // empty means Safe
	Profile   Profile
	Callback  string       // where messages are pushed to; see also Connect
	Client    *http.Client // that pushes; nil means one of its own
	Tries     int          // how often a message is delivered at most; 0 means 3
	Alike     bool         // a message that is delivered again is the same request, to the letter
	AllowedIP string       // the only address that may ask for tokens; empty: all may
	Base      string       // where this server is reached, for addresses that it hands out; empty means the platform's own

	Now   func() time.Time                       // nil means time.Now
	After func(d time.Duration) <-chan time.Time // nil means time.After
}

// A Server is the platform. Make one with New; its methods may be called concurrently.
type Server struct {
	cfg   Config
	crypt tencentfake.Crypter

	mu        sync.Mutex
	mode      Mode
	profile   Profile
	callback  string
	client    *http.Client
	people    map[string]*follower
	lastMsg   int64
	lastID    int64
	tokens    tokens
	menus     menus
	tags      []tag
	codes     map[string]*code
	media     map[string]medium
	faults    tencentfake.Faults
	calls     []Call
	finished  map[string]int64 // template messages by client_msg_id
	following sync.WaitGroup   // pushes that nobody waits for
}

// New returns a server whose account nobody follows.
func New(cfg Config) *Server {
	text := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	text(&cfg.AppID, DefaultAppID)
	text(&cfg.AppSecret, DefaultSecret)
	text(&cfg.Token, DefaultToken)
	text(&cfg.AESKey, DefaultAESKey)
	text(&cfg.Account, DefaultAccount)
	text((*string)(&cfg.Mode), string(Safe))
	text((*string)(&cfg.Profile), string(Service))
	text(&cfg.Base, "https://mp.weixin.qq.com")
	if cfg.Tries == 0 {
		cfg.Tries = triesDefault
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = time.After
	}
	s := &Server{
		cfg: cfg, crypt: tencentfake.NewCrypter(cfg.Token, cfg.AppID, cfg.AESKey), mode: cfg.Mode, profile: cfg.Profile,
		people: map[string]*follower{}, lastMsg: firstMsg, lastID: firstID, codes: map[string]*code{}, media: map[string]medium{},
		finished: map[string]int64{},
	}
	s.Connect(cfg.Callback, cfg.Client)
	return s
}

// Where numbers begin: as long as the platform's.
const (
	firstMsg int64 = 24_500_000_000_000_000
	firstID  int64 = 200_163_836
)

// Connect makes messages go to a callback. A client of nil is one that follows no
// redirects, as the platform follows none.
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

// SetMode changes how messages travel, as the console does.
func (s *Server) SetMode(m Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
}

// SetProfile changes what the account may do, as when its verification runs out.
func (s *Server) SetProfile(p Profile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.profile = p
}

// AppID is the account's id, as the console shows it.
func (s *Server) AppID() string { return s.cfg.AppID }

// Secret is the account's secret for the API.
func (s *Server) Secret() string { return s.cfg.AppSecret }

// Token is the callback's token.
func (s *Server) Token() string { return s.cfg.Token }

// AESKey is the callback's key.
func (s *Server) AESKey() string { return s.cfg.AESKey }

// Account is the account's own id.
func (s *Server) Account() string { return s.cfg.Account }

// Settle waits for the pushes that nobody waits for: what became of notices.
func (s *Server) Settle() { s.following.Wait() }
