package bot

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"fanli/bot/locale"
	"fanli/core/cache"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/lock"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// textBytesMax bounds a message. The longest one of a chat network, 4096
// characters of three bytes, fits; more is answered without being read.
const textBytesMax = 16 << 10

// queueMax bounds how many messages of one person wait for the one before them.
const queueMax = 16

// A Bot answers people. Its fields are set before the first message, and what may
// change later does by Change; those that
// are called optional may stay empty. It is safe for concurrent use, and answers
// the messages of one person one after the other.
type Bot struct {
	Users       Users
	Links       Links
	Orders      Orders
	Rebates     Rebates
	Money       Money
	Withdrawals Withdrawals
	Memory      Memory

	// Invites knows who brought whom; optional.
	Invites Invites
	// Linking links accounts of one person; optional.
	Linking Linking
	// Gifts gives bonuses; optional.
	Gifts Gifts
	// Autopays knows who wants automatic withdrawals; optional.
	Autopays Autopays
	// Memberships sells levels; optional.
	Memberships Memberships
	// CheckIn is what Gifts gives for coming; optional.
	CheckIn Daily

	// Limits are those of package withdraw, so that people hear of them before
	// they run into them. Package withdraw decides.
	Limits withdraw.Limits
	// PaidWithin is how long an approved withdrawal usually takes; optional.
	PaidWithin time.Duration
	// Networks are those that are on, in the order in which people hear of them;
	// optional.
	Networks []string
	// Activities are pages without goods that people can go to; optional.
	Activities []Activity
	// SearchText makes a text that is nothing else a search.
	SearchText bool
	// Contact is where people reach a person of the operator's: a page (https://) or
	// words such as a number; optional.
	Contact string
	// Off are the commands, by name, that are switched off: help leaves them out;
	// optional.
	Off []string
	// ShopURL is the sandbox's shop, where everything can be tried; optional.
	ShopURL string
	// ConfirmURL returns the page on which the payee of a withdrawal confirms it;
	// optional.
	ConfirmURL func(w withdraw.Withdrawal) string
	// Landing returns the address of our own page for a link, for channels that do
	// not open the shop's; "" where there is none; optional.
	Landing func(l link.Link) string
	// MemberURL returns where somebody binds their Taobao account, once, and until when;
	// optional: it is not offered then.
	MemberURL func(user int64) (url string, until time.Time)
	// OwnPayee returns the account to which money can be sent to somebody by WeChat Pay
	// because they write with it; optional.
	OwnPayee func(from user.Identity) (account string, ok bool)
	// Switches says what staff has stopped; optional.
	Switches Switches
	// Ladder says what is left out while something is away; optional.
	Ladder Ladder
	// Waiting keeps links that wait for their network; optional: nobody waits then.
	Waiting link.Waitlist
	// Staff is where members of staff speak; optional.
	Staff *Staff
	// InvitePicture returns the picture that somebody's friends scan to come, with the
	// word that PrivateURL would take; none where the channel has none. Optional.
	InvitePicture func(ctx context.Context, of user.Identity, word string) (Picture, bool)
	// PrivateURL returns what opens a private chat on a channel, where the person
	// then says "/start" with the given word; "" for none. Optional.
	PrivateURL func(channel, word string) string

	// Leases keep other processes from answering the same person at the same time;
	// optional, for one process that talks with people. Holder names this one.
	Leases lock.Leases
	Holder string
	// Flood bounds how fast a person may write; optional.
	Flood cache.Limits
	// Trace names what is being done, so that a failure is found under the same id
	// in logs and traces: "" where nothing does; optional.
	Trace func(ctx context.Context) string
	// Failed hears of every failure that people were told of with an id; optional.
	Failed func(ctx context.Context, err error)

	Log  *slog.Logger
	Now  func() time.Time
	Zone *time.Location // of the times that people read; optional, Beijing's
	Rand io.Reader      // of trace ids and confirmation codes; optional, crypto/rand

	flights singleflight.Group
	queue   queue
	holds   atomic.Int64 // so that two holds of this process are told apart
	changed atomic.Pointer[Manner]
}

// A Manner is what of a bot may change while it talks: each is what the field of
// the same name is at first.
type Manner struct {
	Limits      withdraw.Limits
	SearchText  bool
	Contact     string
	Off         []string
	Memberships Memberships
	CheckIn     Daily
}

// Change makes m count from now on. It may be called while the bot talks.
func (b *Bot) Change(m Manner) { b.changed.Store(&m) }

// manner is the one that counts now.
func (b *Bot) manner() Manner {
	if m := b.changed.Load(); m != nil {
		return *m
	}
	return Manner{b.Limits, b.SearchText, b.Contact, b.Off, b.Memberships, b.CheckIn}
}

// beijing is where the shops are, and most shoppers. It has no summer time.
var beijing = time.FixedZone("UTC+8", 8*60*60)

var _ Handler = (*Bot)(nil).Handle

// Handle answers a message. The same message, by its ID, is answered once; if it
// comes again, also while it is being answered, and to another process, the answer is
// the same.
func (b *Bot) Handle(ctx context.Context, m Message) Reply {
	if m.ID == "" {
		return b.once(ctx, m)
	}
	r, _, _ := b.flights.Do(m.From.Channel+"\n"+m.ID, func() (any, error) { return b.once(ctx, m), nil })
	return r.(Reply)
}

// once answers a message unless it was answered before.
func (b *Bot) once(ctx context.Context, m Message) Reply {
	if r, ok := b.before(ctx, m); ok {
		return r
	}
	if m.Edits != "" && !b.looksAgain(ctx, m) {
		return Reply{}
	}
	if r, ok := b.refuse(ctx, m); ok {
		return b.keep(ctx, m, r)
	}
	leave, err := b.enter(ctx, m)
	if err != nil {
		return b.keep(ctx, m, b.turn(m).fail(ctx, err))
	}
	defer leave()
	if b.Leases != nil { // another process may have answered it while we waited
		if r, ok := b.before(ctx, m); ok {
			return r
		}
	}
	return b.keep(ctx, m, b.answer(ctx, m))
}

// before returns the answer that was kept for a message, or why it cannot be known:
// answering anew could do it twice.
func (b *Bot) before(ctx context.Context, m Message) (r Reply, ok bool) {
	if m.ID == "" {
		return Reply{}, false
	}
	kept, ok, err := b.Memory.Answer(ctx, m.From.Channel, m.ID)
	if err == nil && !ok {
		return Reply{}, false
	}
	if err == nil {
		err = json.Unmarshal(kept, &r)
	}
	if err != nil {
		return b.turn(m).fail(ctx, fault.In("bot.Answer", err)), true
	}
	return r, true
}

// keep keeps the answer to a message.
func (b *Bot) keep(ctx context.Context, m Message, r Reply) Reply {
	if m.ID == "" || r.empty() || ctx.Err() != nil { // an answer that was cut short is no answer
		return r
	}
	kept, err := json.Marshal(r)
	if err == nil {
		err = b.Memory.KeepAnswer(ctx, m.From.Channel, m.ID, kept, b.Now())
	}
	if err == nil && m.Edits != "" && !r.Nothing {
		err = b.Memory.KeepAnswer(ctx, m.From.Channel, m.Edits+editedMark, kept, b.Now())
	}
	if err != nil {
		b.log(ctx, slog.LevelError, b.traceID(ctx), fault.In("bot.KeepAnswer", err))
	}
	return r
}

// refuse says what is answered without being read.
func (b *Bot) refuse(ctx context.Context, m Message) (Reply, bool) {
	t := b.turn(m)
	switch {
	case len(m.Text) > textBytesMax && m.Group:
		return Reply{}, true
	case len(m.Text) > textBytesMax:
		return t.say("message.too_long"), true
	case m.Group && !t.concerned():
		return Reply{}, true
	}
	if wait, ok := b.tooFast(ctx, m); ok {
		return t.say("message.too_fast", "seconds", count(wait)), true
	}
	return Reply{}, false
}

// enter waits until nobody else answers the same person.
func (b *Bot) enter(ctx context.Context, m Message) (leave func(), err error) {
	person := m.From.Channel + "\n" + m.From.External
	here, err := b.queue.enter(ctx, person)
	if err != nil || b.Leases == nil {
		return here, err
	}
	elsewhere, err := b.hold(ctx, person)
	if err != nil {
		here()
		return nil, err
	}
	return func() { elsewhere(); here() }, nil
}

// turnsMax is how often a message is looked at whose person's dialogue goes on
// elsewhere meanwhile.
const turnsMax = 4

// answer answers a message, whatever happens.
func (b *Bot) answer(ctx context.Context, m Message) (r Reply) {
	t := b.turn(m)
	defer func() {
		if p := recover(); p != nil {
			r = t.fail(ctx, fault.Newf(fault.Internal, "", "panic: %v\n%s", p, debug.Stack()))
		}
	}()
	for try := 1; ; try++ {
		r, err := t.take(ctx)
		if err == nil {
			return r
		}
		if !moved(err) || try == turnsMax {
			return t.fail(ctx, err)
		}
		t = b.turn(m) // from where it is now, as after a crash
	}
}

// turn starts the answer to one message.
func (b *Bot) turn(m Message) *turn {
	return &turn{voice: b.voice(locale.Match(m.Locale)), bot: b, m: m, text: m.Text}
}

func (b *Bot) voice(tag string) voice {
	zone := b.Zone
	if zone == nil {
		zone = beijing
	}
	return voice{words: locale.For(tag), zone: zone, now: b.Now()}
}

// readable writes ids that can be read aloud: no I, L, O and U.
var readable = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// random returns n bytes that nobody can guess.
func (b *Bot) random(n int) []byte {
	from := b.Rand
	if from == nil {
		from = rand.Reader
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(from, buf); err != nil {
		panic(fmt.Sprintf("bot: no random numbers: %v", err)) // becomes a failed answer
	}
	return buf
}

// traceID names one failure, for people and in the log.
func (b *Bot) traceID(ctx context.Context) string {
	if b.Trace != nil {
		if id := b.Trace(ctx); id != "" {
			return id
		}
	}
	return readable.EncodeToString(b.random(5))
}

// log writes what really happened. Errors carry no personal data, and nothing
// else of the message is logged.
func (b *Bot) log(ctx context.Context, level slog.Level, id string, err error) {
	op := ""
	var e *fault.Error
	if errors.As(err, &e) {
		op = e.Op
	}
	b.Log.LogAttrs(ctx, level, "message not answered as wanted",
		slog.String("id", id), slog.String("op", op), slog.String("code", string(fault.CodeOf(err))), slog.Any("error", err))
}

// A queue lets in one at a time under each name.
type queue struct {
	mu    sync.Mutex
	lines map[string]*line
}

type line struct {
	turn  chan struct{} // holds one while somebody is in
	count int           // in and waiting
}

// enter waits for its turn. It fails with fault.Limited if too many wait.
func (q *queue) enter(ctx context.Context, name string) (leave func(), err error) {
	q.mu.Lock()
	l := q.lines[name]
	if l == nil {
		l = &line{turn: make(chan struct{}, 1)}
		if q.lines == nil {
			q.lines = map[string]*line{}
		}
		q.lines[name] = l
	}
	if l.count > queueMax {
		q.mu.Unlock()
		return nil, fault.New(fault.Limited, "message.too_many")
	}
	l.count++
	q.mu.Unlock()
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; q.drop(name, l) }, nil
	case <-ctx.Done():
		q.drop(name, l)
		return nil, ctx.Err()
	}
}

func (q *queue) drop(name string, l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.count--; l.count == 0 {
		delete(q.lines, name)
	}
}
