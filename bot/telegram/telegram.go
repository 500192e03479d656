// Package telegram is the channel to Telegram.
//
// It is written from the Bot API's documentation (https://core.telegram.org/bots/api,
// versions 7 to 10) and from what the open-source server does. It polls: no
// public address is needed. Calls go through go-telegram-bot-api; its own update
// loop is not used, because it confirms updates before they are handled, cannot
// be stopped while it waits, and prints the token in its errors.
//
// # Guarantees
//
//   - An update is confirmed only after its message was handled and its answer
//     was delivered or finally refused. After a crash it comes again, with the
//     same [bot.Message.ID]; a restart goes on where the last one stopped.
//   - Messages of one chat are handled one after the other, in order; chats do
//     not wait for each other.
//   - Run outlives every failure of the network and of Telegram. Only refused
//     credentials end it before its context does.
//   - Run returns within two seconds of the end of its context, also while a
//     poll is parked. A message that is then being answered gets most of that
//     time; one that is not answered by then comes again.
//   - A press counts only if its button is on the message and the message was for
//     the person who pressed. Every press is acknowledged.
//   - Sending keeps below Telegram's limits and waits as long as Telegram says.
//   - Of several processes that share leases one polls. Another takes over within
//     leaseLength of its death; one that has overslept its lease has stopped before,
//     and how far it has read does not count after its successor's.
//   - The token is in no error and in no log line; names and texts of people are
//     in none either.
//
// # Limits
//
// Telegram hands out the hundred oldest unconfirmed updates only. If all of them
// are known and the oldest has been worked on for ten seconds, it is confirmed
// early, so that one slow chat does not hold up everybody; a crash at that moment
// loses it. A person with sixty unanswered messages is not listened to until one
// of them is answered.
//
// # Not here
//
// Webhooks, channels, inline mode, and edited messages, which are ignored. Which
// words are said is decided in package bot.
package telegram

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"fanli/bot"
	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/lock"
)

// Name is the channel's name in identities.
const Name = "telegram"

// Marks keeps small texts across restarts. The channel keeps in it how far it
// has read.
type Marks interface {
	// Mark returns what was kept under name, "" or fault.NotFound for nothing.
	Mark(ctx context.Context, name string) (string, error)
	// SetMark keeps value under name. token is that of the lease under which it is
	// set, 0 for none; it fails with fault.Conflict if a later one has set it.
	SetMark(ctx context.Context, name, value string, token int64) error
}

// A Channel is one Telegram bot. Make it with New. Send may be called at any
// time, also where Run is not running.
type Channel struct {
	cfg      Config
	marks    Marks
	log      *slog.Logger
	http     *http.Client
	commands []Command
	admins   func() []Command // nil for none
	zh, en   About
	files    cache.Cache                                           // of ids of photos; nil for none
	fetch    func(ctx context.Context, url string) ([]byte, error) // photos; nil: we do not
	now      func() time.Time
	pace     *pace
	leases   lock.Leases // nil where no other process polls
	holder   string

	running  atomic.Bool
	username atomic.Pointer[string]
}

var _ bot.Channel = (*Channel)(nil)

// An Option changes how a Channel works.
type Option func(*Channel)

// WithCommands sets the menu that people see in private chats.
func WithCommands(list ...Command) Option {
	return func(c *Channel) { c.commands = list }
}

// WithHTTPClient replaces the client of all calls. Its redirects are not
// followed and its time limit is not used.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Channel) {
		own := *h
		own.Timeout = 0
		c.http = &own
	}
}

// New returns the channel of the configured bot. It makes no call. It fails with
// fault.Invalid if the configuration or the menu is wrong.
func New(cfg Config, marks Marks, log *slog.Logger, opts ...Option) (*Channel, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Channel{cfg: cfg.withDefaults(), marks: marks, log: log.With("channel", Name), now: time.Now}
	for _, o := range opts {
		o(c)
	}
	errs := []error{cfg.Validate(), c.zh.validate(), c.en.validate()}
	for _, command := range c.commands {
		errs = append(errs, command.validate())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fault.Wrap(fault.Invalid, "telegram.New", err)
	}
	if c.http == nil {
		c.http = newClient(c.cfg.Proxy)
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.pace = newPace(c.now)
	return c, nil
}

// newClient returns a client that goes through a proxy, if there is one, or
// through that of the environment.
func newClient(proxy Secret) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = idleMax
	if u, err := url.Parse(string(proxy)); err == nil && proxy != "" {
		t.Proxy = http.ProxyURL(u)
	}
	return &http.Client{Transport: t}
}

// idleMax is how many connections wait for the next call: about as many as send
// at once when the global limit is used.
const idleMax = 16

// Name implements bot.Channel.
func (*Channel) Name() string { return Name }

// PrivateURL returns the address that opens a private chat with the bot, in which the
// person then says "/start" with a word, if there is one. It is "" as long as Run has not
// reached Telegram.
func (c *Channel) PrivateURL(word string) string {
	name := c.username.Load()
	switch {
	case name == nil || *name == "":
		return ""
	case word == "":
		return "https://t.me/" + *name
	default:
		return "https://t.me/" + *name + "?start=" + url.QueryEscape(word)
	}
}

// Run implements bot.Channel. It fails with fault.Denied if Telegram refuses the
// token and with fault.Conflict if it is running already.
func (c *Channel) Run(ctx context.Context, handle bot.Handler) error {
	if !c.running.CompareAndSwap(false, true) {
		return fault.Wrap(fault.Conflict, "telegram.Run", errors.New("it is running already"))
	}
	defer c.running.Store(false)
	defer c.http.CloseIdleConnections()

	me, err := c.meet(ctx)
	for err == nil && ctx.Err() == nil {
		err = c.poll(ctx, me, handle)
	}
	if ctx.Err() != nil {
		return nil // being stopped is the expected end
	}
	if err != nil {
		c.log.Error("the channel stops: Telegram refuses the bot's token", "error", err)
		return fmt.Errorf("telegram: %w", err)
	}
	return nil
}

// poll receives and answers while this process is the one that polls.
func (c *Channel) poll(ctx context.Context, me int64, handle bot.Handler) error {
	w, err := c.keepWatch(ctx, me)
	if err != nil {
		return err
	}
	defer w.end()
	s, err := c.open(w, me, handle)
	if err == nil {
		err = s.run(w.held)
	}
	if w.held.Err() != nil {
		return nil // being stopped is the expected end
	}
	return err
}
