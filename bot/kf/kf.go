// Package kf is the channel to WeCom's customer service (微信客服): people write to it in
// WeChat, without following anything, and a company answers.
//
// WeCom pushes no messages. A callback says that there are some; they are read, from where
// reading ended the last time, by whoever of all processes comes first. Messages are kept
// and answers delivered by package mail. Calls are package platform's, guards of callbacks
// package callback's.
//
// # Guarantees
//
//   - A message is answered, once, however often it is told of and however many processes
//     read: how far it was read is kept after what was read is, and under a lease.
//   - A callback that is lost delays a message by Options.Every at most.
//   - A callback that is forged, not of now, repeated later than callback.Redelivery, too
//     large, not the XML that WeCom writes or for somebody else is refused, counted by its
//     reason, and does nothing. One that is repeated before has us read, and find nothing.
//   - People are sent no more than WeCom allows: five messages within 48 hours of their
//     last one. What is not allowed waits, and is told with the next answer. So does what
//     WeCom has taken, and later says that it could not deliver.
//   - A message is sent with a key of its own, so that nobody sees it twice.
//   - While a person of ours leads the conversation, the bot is silent.
//   - No callback and no message can make the process end. Ids of people, texts, tokens and
//     keys are in no error and in no log line.
//
// # Limits
//
// WeCom keeps messages for three days: who is away for longer misses some. Which number it
// gives to a key that was used before is not documented; a refusal of a repeated message
// counts as that.
//
// # Not here
//
// Voice, and pictures and files of people; passing the conversation on to a person of ours, which WeCom's
// own rules do. Which words are said is decided in package bot.
package kf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"fanli/bot"
	"fanli/bot/callback"
	"fanli/bot/kf/platform"
	"fanli/bot/mail"
	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/lock"
	"fanli/core/user"
)

// Name is the channel's name in identities, whose external ids are WeCom's of customers.
const Name = "kf"

// Options are what a channel works with.
type Options struct {
	CorpID   string
	Token    string // of the callback
	AESKey   string // of the callback: 43 characters
	OpenKfID string
	Every    time.Duration // how often messages are looked for of which no callback has told

	Platform Platform
	Book     Book
	Mail     *mail.Engine // keeps what comes and goes; the channel registers with it
	Marks    Marks        // keeps how far was read
	Leases   lock.Leases  // lets one process read at a time; nil where there is no other
	Holder   string       // names this process there
	Cache    cache.Cache  // of callbacks and pictures that were seen; optional
	// Fetch fetches a picture; which addresses may be asked is for it to say. nil: answers
	// have none.
	Fetch func(ctx context.Context, address string) ([]byte, error)

	// Count counts what happens: refused/reason, heard/type, notice/way, read/how;
	// optional.
	Count func(what, how string)

	Log   *slog.Logger
	Now   func() time.Time
	After func(d time.Duration) <-chan time.Time // nil means time.After
}

// Marks keeps small texts across restarts, for all processes.
type Marks interface {
	// Mark returns what was kept under name, "" for nothing.
	Mark(ctx context.Context, name string) (string, error)
	// SetMark keeps value under name. token is that of the lease under which it is set,
	// 0 for none; it fails with fault.Conflict if a later one has set it.
	SetMark(ctx context.Context, name, value string, token int64) error
}

// A Platform is what the channel calls: a platform.Client. The reasons of its errors are
// that package's.
type Platform interface {
	Sync(ctx context.Context, cursor, token string) (platform.Page, error)
	Post(ctx context.Context, customer, key string, p platform.Part) error
	PostCard(ctx context.Context, customer, key string, c platform.Card, media string) error
	Upload(ctx context.Context, name string, image []byte) (media string, err error)
	Greet(ctx context.Context, code, key string, p platform.Part) error
}

// A Channel is one account of customer service. Make it with New. It is an http.Handler
// for WeCom's callbacks.
type Channel struct {
	opts Options
	log  *slog.Logger

	seen    callback.Memory
	hint    atomic.Pointer[hint]
	hinted  chan struct{} // holds one when there is something to read
	running atomic.Bool
}

var (
	_ bot.Channel  = (*Channel)(nil)
	_ mail.Carrier = (*Channel)(nil)
)

// New returns the channel of an account, and registers it with its mail. It makes no call.
// It fails with fault.Invalid if something is missing.
func New(o Options) (*Channel, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Count == nil {
		o.Count = func(string, string) {}
	}
	c := &Channel{opts: o, log: o.Log.With("channel", Name), hinted: make(chan struct{}, 1)}
	var errs []error
	bad := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New(text))
		}
	}
	bad(o.CorpID == "", "corp_id: is missing")
	bad(o.OpenKfID == "", "open_kfid: is missing")
	bad(o.Token == "", "token: is missing")
	bad(!c.keys().Sound(), "encoding_aes_key: must have 43 characters, as the console shows it")
	bad(o.Every <= 0, "poll: must be a time")
	bad(o.Platform == nil || o.Book == nil || o.Mail == nil || o.Marks == nil || o.Now == nil, "a platform, a book, a mail, marks and a clock are needed")
	if err := errors.Join(errs...); err != nil {
		return nil, fault.Wrap(fault.Invalid, "kf.New", err)
	}
	o.Mail.Register(c)
	return c, nil
}

// Name implements bot.Channel.
func (*Channel) Name() string { return Name }

// Run implements bot.Channel. It fails with fault.Conflict if it is running already.
func (c *Channel) Run(ctx context.Context, handle bot.Handler) error {
	if !c.running.CompareAndSwap(false, true) {
		return fault.Wrap(fault.Conflict, "kf.Run", errors.New("it is running already"))
	}
	defer c.running.Store(false)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.read(ctx)
	}()
	err := c.opts.Mail.Serve(ctx, Name, c.service(handle))
	stop()
	<-ended
	return fault.In("kf.Run", err)
}

// keys are what the company and we share.
func (c *Channel) keys() callback.Keys {
	return callback.Keys{Token: c.opts.Token, AESKey: c.opts.AESKey, Receiver: c.opts.CorpID}
}

// identity is a person on this channel.
func identity(customer string) user.Identity { return user.Identity{Channel: Name, External: customer} }

// String names the channel and tells no secret.
func (o Options) String() string { return fmt.Sprintf("kf %s/%s", o.CorpID, o.OpenKfID) }

// GoString is String.
func (o Options) GoString() string { return o.String() }
