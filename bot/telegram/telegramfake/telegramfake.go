// Package telegramfake is a Telegram Bot API server with one bot, in this
// process.
//
// It speaks the wire protocol of the official server as a client sees it: every
// way of passing parameters, the queue of updates with its offsets and parked
// polls, the limits of texts and buttons, the parsers of HTML and Markdown, and failures with
// the server's own words. Beside the protocol it has controls for a test that
// plays the people: [Server.Say], [Server.Press], [Server.Wait], [Server.Fail].
//
// # Guarantees
//
//   - An update stays in the queue until a poll confirms it with a higher
//     offset, or until it is a day old: one that was not confirmed is handed out
//     again, also to a new process.
//   - What people see ([Sent.Text]) is what is left after entities are parsed;
//     what the server would refuse is refused here.
//   - A webhook gets the updates of one chat in order, one at a time, and those of
//     several chats at the same time, with the server's own ladder of tries.
//   - Nothing here sleeps. Polls park on timers and deliveries wait on
//     [Config.After], so that a test in a synctest bubble, connected by
//     [Server.Client] and [Wire], waits for nothing. Who has set a webhook calls
//     [Server.Close] in the end.
//
// # Not here
//
// Certificates, channels, inline mode, payments, and files other than photos.
package telegramfake

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// DefaultToken is the token of a bot that is configured without one. It is the
// example of the Bot API's documentation.
const DefaultToken = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" //nolint:gosec // an example, and public

// Config says which bot a server has.
type Config struct {
	Token       string           // as BotFather gives it; empty means DefaultToken
	Username    string           // without "@"; empty means "fanli_bot"
	ReadsGroups bool             // privacy mode is off: the bot sees all messages of its groups
	Flood       bool             // limits how fast the bot may send, as the real server does
	Local       bool             // a server of one's own: webhooks may be http, and on any port
	Now         func() time.Time // dates and ages; nil means time.Now

	// After is the clock on which deliveries to a webhook wait; nil means time.After.
	After func(time.Duration) <-chan time.Time
	// HookClient makes the deliveries; nil means one of its own.
	HookClient *http.Client
}

// A Server is a Bot API server. Make one with New; its methods may be called
// concurrently.
type Server struct {
	cfg Config
	me  user

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever something changed

	queue   []queued
	newest  map[int64]queued // by lane
	next    int64            // the id of the next update
	allowed []string
	polled  polled
	lost    time.Time // when a poll lost against another one last
	parked  *poll
	revoked bool

	hook       *hook // nil: updates are polled
	hookSet    time.Time
	deliveries []Delivery
	delivering sync.WaitGroup
	life       context.Context // of all deliveries
	stop       context.CancelFunc

	people   map[int64]*person
	groups   map[int64]*group
	chats    map[int64]*room
	queries  map[string]*query
	lastID   int64 // of queries and files
	menus    map[string][]Command
	about    map[string]string // texts about the bot, by method and language
	buttons  map[int64]string  // menu buttons by chat, 0 for all
	photos   map[string]photo  // by file id
	faults   map[string][]Fault
	calls    []Call
	flooding flood
}

// New returns a server that nobody has written to.
func New(cfg Config) *Server {
	if cfg.Token == "" {
		cfg.Token = DefaultToken
	}
	if cfg.Username == "" {
		cfg.Username = "fanli_bot"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = time.After
	}
	if cfg.HookClient == nil {
		cfg.HookClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	s := &Server{
		cfg:     cfg,
		me:      user{ID: botID(cfg.Token), IsBot: true, FirstName: "fanli", Username: cfg.Username},
		changed: make(chan struct{}),
		next:    firstUpdate,
		newest:  map[int64]queued{},
		people:  map[int64]*person{},
		groups:  map[int64]*group{},
		chats:   map[int64]*room{},
		queries: map[string]*query{},
		menus:   map[string][]Command{},
		faults:  map[string][]Fault{},
		about:   map[string]string{},
		buttons: map[int64]string{},
		photos:  map[string]photo{},
		lastID:  firstQuery,
	}
	s.photos[inboundPhoto] = photo{size: photoSize{FileID: inboundPhoto, UniqueID: "AQADnbYxG", Width: 320, Height: 320}}
	s.life, s.stop = context.WithCancel(context.Background())
	return s
}

// Token returns the bot's token.
func (s *Server) Token() string { return s.cfg.Token }

// BotID returns the bot's user id.
func (s *Server) BotID() int64 { return s.me.ID }

// Username returns the bot's name without "@".
func (s *Server) Username() string { return s.me.Username }

// Revoke makes the token worthless, as BotFather's /revoke does.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = true
	s.unpark(&failure{code: http.StatusUnauthorized, text: "Unauthorized"})
}

// Restore takes a Revoke back, as Telegram does that has refused a token by mistake.
func (s *Server) Restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = false
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, ok := strings.CutPrefix(r.URL.Path, "/file"); ok {
		s.serveFile(w, path)
		return
	}
	token, name, ok := route(r.URL.Path)
	if !ok {
		fail(w, &failure{code: http.StatusNotFound, text: "Not Found"})
		return
	}
	p, files, err := parameters(r)
	if err != nil {
		fail(w, refuse("can't parse the request: %v", err))
		return
	}
	s.mu.Lock()
	f := s.admit(token)
	fault, failing := s.fault(name)
	s.calls = append(s.calls, Call{Method: name, Params: p, At: s.cfg.Now()})
	s.announce()
	s.mu.Unlock()
	switch {
	case f != nil:
		fail(w, f)
	case failing && !fault.Late:
		fault.answer(w, r)
	default:
		result, f := s.run(r.Context(), name, p, files)
		if failing {
			fault.answer(w, r)
			return
		}
		answer(w, result, f)
	}
}

// route takes a path apart.
func route(path string) (token, method string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/bot")
	if !ok {
		return "", "", false
	}
	token, method, ok = strings.Cut(rest, "/")
	return token, strings.ToLower(strings.TrimSuffix(method, "/")), ok && token != ""
}

// admit says what is wrong with a token; nil for nothing.
func (s *Server) admit(token string) *failure {
	switch {
	case botID(token) == 0:
		return &failure{code: http.StatusUnauthorized, text: "Unauthorized: invalid token specified"}
	case token != s.cfg.Token || s.revoked:
		return &failure{code: http.StatusUnauthorized, text: "Unauthorized"}
	default:
		return nil
	}
}

// announce wakes everybody who waits for a change.
func (s *Server) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}
