// Package telegram is the channel to Telegram.
//
// It is written from the Bot API's documentation (https://core.telegram.org/bots/api,
// versions 7 to 10) and from what the open-source server does. It polls, for which no
// public address is needed, or has updates delivered to a webhook. Calls go through
// go-telegram-bot-api; its own update loop is not used, because it confirms updates
// before they are handled, cannot be stopped while it waits, and prints the token in its
// errors. What comes in and what goes out is kept and delivered by package mail.
//
// # Guarantees
//
//   - An update is confirmed, or a delivery answered with 200, only when it is kept. It is
//     handled once then, also after a crash and by whatever process, and answered once.
//   - Messages of one chat are handled one after the other, in order, and answered in
//     that order; chats do not wait for each other.
//   - Run outlives every failure of the network and of Telegram. A token that is refused
//     is tried again every tokenAgain; the log says so once, and TokenOf as long as it lasts.
//   - Run returns within two seconds of the end of its context, also while a poll is
//     parked. A message that is then being answered gets most of that time; one that is
//     not answered by then is answered by the next run.
//   - Who calls the webhook without its secret, with too much or with what is no update
//     learns nothing, is counted, and has no effect.
//   - Typing is shown as work on an answer begins. In a private chat, who waits longer is
//     told so, and the answer takes the place of that message, whichever process gives it.
//   - Notices make no sound at night; answers always do.
//   - Another page of a list takes the place of the one before, while nothing stands below.
//   - A press counts only if its button is on the message, the message was for the person
//     who pressed, and what the button refers to has not been forgotten. Every press is
//     acknowledged. Buttons that have moved money are taken away.
//   - Sending keeps below Telegram's limits, which processes that share leases share, and
//     waits as long as Telegram says. Nothing is dropped for that, and answers go before
//     notices.
//   - Who has blocked the bot is not called until they are back. A group that has become a
//     supergroup is followed.
//   - Of several processes that share leases one polls, or keeps the webhook as it should
//     be; all answer. Another takes over within leaseLength of its death; one that has
//     overslept its lease has stopped before, and how far it has read does not count
//     after its successor's.
//   - The token and the secret are in no error and in no log line; names and texts of
//     people are in none either.
//
// # Limits
//
// Telegram has no key by which it would know a message again. An answer that was on its
// way when the process died or the connection broke may be seen twice, unless it takes
// the place of a message. A message that says that the answer takes a while is then sent
// once and may stay.
//
// # Not here
//
// Channels and inline mode. Which words are said is decided in package bot.
package telegram

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"fanli/bot"
	"fanli/bot/mail"
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
	inGroups []Command
	admins   func() []Command // nil for none
	zh, en   About
	files    cache.Cache                                           // of ids of photos; nil for none
	fetch    func(ctx context.Context, url string) ([]byte, error) // photos; nil: we do not
	now      func() time.Time
	zone     *time.Location // in which it is night for people
	pace     *pace
	leases   lock.Leases // nil where no other process polls
	holder   string

	mail    *mail.Engine // nil: the channel polls, answers and sends by itself
	count   func(what string)
	hearing atomic.Pointer[reader] // nil while updates cannot be taken

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

// WithClock replaces the clock by which messages and limits are timed.
func WithClock(now func() time.Time) Option {
	return func(c *Channel) { c.now = now }
}

// WithZone says where people live: notices make no sound there at night. Without it they
// live in China.
func WithZone(zone *time.Location) Option {
	return func(c *Channel) { c.zone = zone }
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

// New returns the channel of the configured bot, whose messages go through post: a
// channel is registered there. It makes no call. It fails with fault.Invalid if the
// configuration or the menu is wrong.
func New(cfg Config, post *mail.Engine, marks Marks, log *slog.Logger, opts ...Option) (*Channel, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Channel{cfg: cfg.withDefaults(), marks: marks, mail: post, log: log.With("channel", Name), now: time.Now, zone: beijing}
	for _, o := range opts {
		o(c)
	}
	errs := []error{cfg.Validate(), c.zh.validate(), c.en.validate()}
	for _, command := range slices.Concat(c.commands, c.inGroups) {
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
	c.mail.Register(c)
	if c.count == nil {
		c.count = func(string) {}
	}
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

// Run implements bot.Channel. It fails with fault.Conflict if it is running already.
func (c *Channel) Run(ctx context.Context, handle bot.Handler) error {
	if !c.running.CompareAndSwap(false, true) {
		return fault.Wrap(fault.Conflict, "telegram.Run", errors.New("it is running already"))
	}
	defer c.running.Store(false)
	defer c.http.CloseIdleConnections()

	for refused := false; ; {
		me, err := c.meet(ctx)
		if err == nil {
			if refused {
				c.log.Info("Telegram takes the bot's token again")
			}
			refused = false
			c.noteToken(ctx, false)
			err = c.serve(ctx, me, handle)
		}
		switch {
		case ctx.Err() != nil:
			return nil // being stopped is the expected end
		case !fault.Is(err, fault.Denied):
			return fault.In("telegram.Run", err)
		case !refused:
			c.log.Error("nothing is received or sent: Telegram refuses the bot's token", "error", err, "tried again every", tokenAgain)
		}
		refused = true
		c.noteToken(ctx, true)
		if !sleep(ctx, tokenAgain) {
			return nil
		}
	}
}
