// Package webchat is the chat in the browser: one page, one stream, no keys.
//
// A visitor gets a random session cookie; the person behind it is known to the
// rest of fanli by a hash of it. What is said, in both directions, is appended to
// a durable log and streamed from there, so the log is the conversation and every
// tab is a view of it.
//
// # Guarantees
//
//   - A message that was accepted is answered, also after a crash: what has no
//     answer when its chat is next opened is handled again, and where there are other
//     processes one of them takes it over after takeOver.
//   - A message that is posted twice under one id, to whatever process, is shown and
//     answered once.
//   - What has a key is told once, in whichever process and how often it is told.
//   - The messages of a chat are answered in order, whichever processes took them.
//   - A page that was away shows everything that it missed, in the same order as
//     every other tab.
//   - Nothing that a person or a network wrote is ever read as markup or script.
//   - An address behind words that are pasted is sent with them.
//   - Another web site can neither read the chat nor write into it.
//
// # Not here
//
// Who the person is and what they may do: that is decided behind bot.Handler. A
// cookie is all that a visitor has; who clears it is a new person.
package webchat

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"time"

	"fanli/bot"
	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/user"
)

// Name is the channel's name in identities.
const Name = "web"

// defaultHeartbeat is how often a silent stream says that it lives: proxies close
// connections that are silent for a minute. It is also how often a stream looks
// for what another process has appended.
const defaultHeartbeat = 15 * time.Second

// A Log keeps what was said. Sequence numbers are above zero and grow within a
// chat.
type Log interface {
	// Append adds body to a chat for good and returns its number. asked is the id of
	// the message that it is or, with answer, that it answers, or the key of a notice;
	// each is added once, and a second one is not fresh. "" is for what may come again.
	Append(ctx context.Context, chat, asked string, answer bool, body []byte, at time.Time) (seq int64, fresh bool, err error)
	// Since returns the oldest count bodies of a chat whose numbers are above
	// after, with their numbers.
	Since(ctx context.Context, chat string, after int64, count int) (seqs []int64, bodies [][]byte, err error)
}

// An Example is something to try, offered on the first visit.
type Example struct {
	Label   string // what the button says
	English string // the same in English; "" means Label
	Text    string // what it sends
}

// Options say what a chat is made of. Log and Now are required.
type Options struct {
	Log        Log
	Now        func() time.Time
	Title      string                  // name of the service; "" means "fanli"
	Examples   []Example               // things to try
	ShopURL    string                  // where the sandbox's shop is; "" for none
	ControlURL string                  // where the sandbox's control page is; "" for none
	Image      func(url string) string // where the page finds a picture; nil means at its own address
	Secure     bool                    // the page is served over https only
	Heartbeat  time.Duration           // 0 means 15 s
	Others     *Others                 // where other processes serve the same chats
	Limits     cache.Limits            // counts messages for all of them; nil: each counts for itself
	Logger     *slog.Logger            // nil means none
}

// A Chat is the channel and the web pages that it speaks through. It is safe for
// concurrent use.
type Chat struct {
	opts  Options
	page  *page
	mux   http.Handler
	rooms *rooms
	desk  chan struct{} // a place for each message that is being answered
	done  chan struct{} // closed when Run ends

	mu     sync.Mutex
	ctx    context.Context // of Run; nil before
	handle bot.Handler
	closed bool
	work   sync.WaitGroup
}

var (
	_ bot.Channel  = (*Chat)(nil)
	_ bot.Keeper   = (*Chat)(nil)
	_ http.Handler = (*Chat)(nil)
)

// New returns a chat that answers from Run on. It fails if the page cannot be
// built, which is a defect, or if a required option is missing.
func New(o Options) (*Chat, error) {
	if o.Log == nil || o.Now == nil {
		return nil, fault.New(fault.Invalid, "webchat.options")
	}
	o.Title = cmp.Or(o.Title, "fanli")
	o.Heartbeat = cmp.Or(o.Heartbeat, defaultHeartbeat)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := newPage(o)
	if err != nil {
		return nil, fmt.Errorf("webchat: %w", err)
	}
	c := &Chat{
		opts: o, page: p, rooms: newRooms(),
		desk: make(chan struct{}, answeringMax), done: make(chan struct{}),
	}
	c.mux = c.routes()
	return c, nil
}

// Name returns "web".
func (c *Chat) Name() string { return Name }

// Run answers messages with handle until ctx ends; then it ends all streams and
// waits for the answers that are being made. It can be called once.
func (c *Chat) Run(ctx context.Context, handle bot.Handler) error {
	c.mu.Lock()
	if c.handle != nil {
		c.mu.Unlock()
		return fault.New(fault.Conflict, "webchat.running")
	}
	c.ctx, c.handle = ctx, handle
	if c.opts.Others != nil {
		c.work.Go(func() { c.followOthers(ctx) })
	}
	c.mu.Unlock()
	<-ctx.Done()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	close(c.done)
	c.work.Wait()
	return nil
}

// start runs f beside the caller if messages are being answered, and reports
// whether they are.
func (c *Chat) start(f func(ctx context.Context, handle bot.Handler)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil || c.closed {
		return false
	}
	ctx, handle := c.ctx, c.handle
	c.work.Go(func() { f(ctx, handle) })
	return true
}

// open reports whether messages are being answered.
func (c *Chat) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handle != nil && !c.closed
}

var chatForm = regexp.MustCompile(`^[a-z2-7]{26}$`)

// Send tells a person something unasked. They see it at once, or when they come
// back. It fails with fault.NotFound for an identity that is not ours.
func (c *Chat) Send(ctx context.Context, to user.Identity, r bot.Reply) error {
	return fault.In("webchat.Send", c.tell(ctx, to, entry{From: fromBot, Reply: &r}))
}

// SendOnce implements bot.Keeper: the log of a chat keeps what was told under which key.
func (c *Chat) SendOnce(ctx context.Context, to user.Identity, key string, r bot.Reply) error {
	return fault.In("webchat.SendOnce", c.tell(ctx, to, entry{From: fromBot, Reply: &r, key: noticeKey(key)}))
}

// noticeKey is a key by which the log knows a notice: bounded, and no id of a message.
func noticeKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "notice/" + hex.EncodeToString(sum[:16])
}

func (c *Chat) tell(ctx context.Context, to user.Identity, e entry) error {
	if to.Channel != Name || !chatForm.MatchString(to.External) {
		return fault.New(fault.NotFound, "webchat.nobody")
	}
	rm, err := c.rooms.enter(to.External)
	if err != nil {
		return err
	}
	defer c.rooms.leave(rm)
	rm.mu.Lock()
	defer rm.mu.Unlock()
	_, err = c.append(ctx, rm, e)
	return err
}
