// Package wechat is the channel to a WeChat official account (公众号).
//
// It is written from the platform's documentation and from what other bots have learnt
// the hard way. WeChat pushes messages to our callback and shows what we answer within
// five seconds; whatever comes later is a customer message, of which people may be sent
// few, or none at all. Crypto and the shapes of answers are silenceper/wechat's, its
// server is not: it takes plain text where something must be encrypted, knows no
// freshness and no replay, and answers in safe mode with an encrypted nothing.
//
// # Guarantees
//
//   - A callback that is forged, not of now, repeated later than callback.Redelivery or
//     with another body, too large, not the XML that WeChat writes or for somebody else is
//     refused, counted by its reason, and does nothing. Where the account is not in plain
//     mode, nothing that is not encrypted is read.
//   - A message is answered once, however often and to however many processes it is
//     delivered, and each delivery gets the same answer.
//   - A delivery is answered within Options.Budget, of which the platform's five seconds
//     leave a second: with the answer, or, where a customer message is allowed, with
//     "success" after the message is kept for an answer that is sent later; once.
//   - Where none is allowed, the last delivery says that "1" will show the answer, and
//     so it does, also after a crash: the message is kept before, and "1" means it and no
//     other. Who writes something else is told the answer with that of the next message.
//   - People are sent no more than the platform allows. What is not allowed waits, and
//     is told with the next answer. It counts as told once an answer was written that the
//     platform did not ask for again; what is in doubt is told with the next answer, too:
//     it may be seen twice, and is not lost. So is what a template message was to say
//     that has not arrived, as the platform says later.
//   - An answer that no delivery could be answered with is sent as a customer message or,
//     where none is allowed, told with the next answer.
//   - Whoever floods us costs others nothing: at most openMax messages of a person are
//     being answered in a process and rateMax begin in a second. What is more is
//     acknowledged and left, before anything is kept, and the person is told so.
//   - Where there is something to copy, and enough messages are allowed, it comes as one of
//     its own after the answer, at most once.
//   - A right that the platform refuses is not used for DowngradeFor, in all processes.
//   - Of one person's invitation there is one code at a time, of which the platform is
//     asked once in three weeks; without it the invitation is a text.
//   - No callback can make the process end. Openids, texts, tokens and keys are in no
//     error and in no log line.
//
// # Limits
//
// In plain mode the signature does not cover the message: whoever sees one request can
// write anything for anybody until its five minutes are over, once. Use safe mode.
//
// # Not here
//
// The menu, codes, tags, access tokens: package platform. Which words are said is
// decided in package bot.
package wechat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"fanli/bot"
	"fanli/bot/callback"
	"fanli/bot/wechat/platform"
	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/user"
)

// Name is the channel's name in identities, whose external ids are openids.
const Name = "wechat"

// DefaultBudget is how long a delivery waits for the answer. The platform waits five
// seconds, of which the network takes its part; and to keep a message that is answered
// later takes a moment where the database is busy: that must be over after four.
const DefaultBudget = 3500 * time.Millisecond

// How the end of Run goes.
const (
	stopGrace = 1200 * time.Millisecond // what is being answered may still be answered
	stopRest  = 300 * time.Millisecond  // and then it must let go
)

// Options are what a channel works with.
type Options struct {
	AppID   string
	Token   string // of the callback
	AESKey  string // of the callback: 43 characters; "" only in plain mode
	Account string // the account's own id, gh_…; "" takes the first one that is seen
	Mode    Mode
	Profile Profile

	Platform Platform // what sends; nil where the account may only answer
	Book     Book
	Mail     Mail        // keeps messages that are answered later, and what follows; nil: none is
	Marks    Marks       // optional: refusals are then known to this process only
	Cache    cache.Cache // lets processes know each other's requests; optional

	// Forms say by the kind of notice how it is told where no message may be sent.
	Forms map[string]platform.Template
	// MenuLinks writes choices as links that send them, which WeChat does not document.
	MenuLinks bool
	// Count counts what happens: refused/reason, answered/way, downgrade/right,
	// notice/way, heard/type, code/outcome; optional.
	Count func(what, how string)

	Budget time.Duration // 0 means DefaultBudget
	Log    *slog.Logger
	Now    func() time.Time
	After  func(d time.Duration) <-chan time.Time // nil means time.After
}

// Mail keeps what is done later, durably, for all processes.
type Mail interface {
	// Keep keeps a message whose answer is sent when it is there. A second one with its
	// ID is none.
	Keep(ctx context.Context, m bot.Message, at time.Time) error
	// Post sends a person something, once for each key, and not before a time.
	Post(ctx context.Context, key string, to user.Identity, r bot.Reply, from time.Time) error
}

// A Platform sends what is not an answer: a platform.Client. The reasons of its errors
// are that package's.
type Platform interface {
	SendText(ctx context.Context, openid, text string) error
	SendNews(ctx context.Context, openid string, a platform.Article) error
	SendTemplate(ctx context.Context, openid string, n platform.Notice) (int64, error)
	SendSubscription(ctx context.Context, openid string, n platform.Notice) error
	SendOnce(ctx context.Context, openid string, o platform.Once) error
	Typing(ctx context.Context, openid string, on bool) error
	QR(ctx context.Context, scene string, ttl time.Duration) (platform.Code, error)
	PictureURL(code platform.Code) string
}

// A Channel is one official account. Make it with New. It is an http.Handler for the
// platform's callbacks, and answers them while Run runs.
type Channel struct {
	opts Options
	log  *slog.Logger

	seen    callback.Memory
	refused refusedRights
	jobs    jobs
	coding  singleflight.Group
	gate    gate
	account atomic.Pointer[string]

	mu     sync.Mutex
	run    *running      // nil while Run does not run
	opened chan struct{} // closed once it does
}

// A running is what belongs to one call of Run.
type running struct {
	ctx    context.Context
	over   <-chan struct{} // closed when Run is to end
	handle bot.Handler
	work   sync.WaitGroup
}

var _ bot.Channel = (*Channel)(nil)

// New returns the channel of an account. It makes no call. It fails with fault.Invalid
// if something is missing.
func New(o Options) (*Channel, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Budget == 0 {
		o.Budget = DefaultBudget
	}
	if o.After == nil {
		o.After = time.After
	}
	c := &Channel{opts: o, log: o.Log.With("channel", Name), opened: make(chan struct{})}
	var errs []error
	bad := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New(text))
		}
	}
	bad(o.AppID == "", "app_id: is missing")
	bad(o.Token == "", "token: is missing")
	bad(o.Mode != Plain && o.Mode != Compatible && o.Mode != Safe, "mode: must be plain, compatible or safe")
	bad(o.Book == nil || o.Now == nil, "a book and a clock are needed")
	bad(o.Mode != Plain && !c.keys().Sound(), "encoding_aes_key: must have 43 characters, as the console shows it")
	if err := errors.Join(errs...); err != nil {
		return nil, fault.Wrap(fault.Invalid, "wechat.New", err)
	}
	return c, nil
}

// Name implements bot.Channel.
func (*Channel) Name() string { return Name }

// own reports whether a callback is for our account.
func (c *Channel) own(to string) bool {
	if c.opts.Account != "" {
		return to == c.opts.Account
	}
	if !strings.HasPrefix(to, "gh_") && c.opts.Mode == Plain {
		return false
	}
	c.account.CompareAndSwap(nil, &to)
	return *c.account.Load() == to
}

// Run implements bot.Channel. It fails with fault.Conflict if it is running already.
func (c *Channel) Run(ctx context.Context, handle bot.Handler) error {
	own, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	r := &running{ctx: own, over: ctx.Done(), handle: handle}
	c.mu.Lock()
	if c.run != nil {
		c.mu.Unlock()
		return fault.Wrap(fault.Conflict, "wechat.Run", errors.New("it is running already"))
	}
	c.run = r
	close(c.opened)
	c.mu.Unlock()

	served := make(chan struct{})
	go func() {
		defer close(served)
		c.serve(ctx, handle)
	}()
	<-ctx.Done()
	c.mu.Lock()
	c.run, c.opened = nil, make(chan struct{})
	c.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.work.Wait()
	}()
	if !waitFor(done, stopGrace) {
		cut()
		_ = waitFor(done, stopRest) // what does not let go is left behind
	}
	<-served
	return nil
}

// serve answers what was kept, and carries what was posted, where there is Mail for it.
func (c *Channel) serve(ctx context.Context, handle bot.Handler) {
	s, ok := c.opts.Mail.(interface {
		Serve(ctx context.Context, handle bot.Handler) error
	})
	if !ok {
		return
	}
	if err := s.Serve(ctx, handle); err != nil {
		c.log.Error("what is answered later is not answered here", "error", err)
	}
}

// waitFor waits until done is closed, at most for d, and reports whether it was.
func waitFor(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// begin enters a piece of work, which ends by calling end; nil while Run does not run.
func (c *Channel) begin() (r *running, opened <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != nil {
		c.run.work.Add(1)
	}
	return c.run, c.opened
}

// count counts something that happened.
func (c *Channel) count(what, how string) {
	if c.opts.Count != nil {
		c.opts.Count(what, how)
	}
}

// identity is a person on this channel.
func identity(openid string) user.Identity { return user.Identity{Channel: Name, External: openid} }

// String names the channel and tells no secret.
func (o Options) String() string { return fmt.Sprintf("wechat %s, %s, %s", o.AppID, o.Mode, o.Profile) }

// GoString is String.
func (o Options) GoString() string { return o.String() }
