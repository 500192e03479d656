package mail

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/post"
	"fanli/core/user"
)

// How processes that work on the same chats get on with each other.
const (
	leaseLength = 15 * time.Second       // after which a chat of one that died is taken over
	leaseBeat   = 3 * time.Second        // how often one that works says so
	lookEvery   = 500 * time.Millisecond // between two looks at what others have kept
	lookRarely  = 2 * time.Second        // the same where a bell rings, or nobody else is there
)

// How many chats of one channel are worked on at once.
const (
	answeringMax = 64
	carryingMax  = 32
)

// A Bell wakes other processes. It may fail to: they look by themselves, too.
type Bell interface {
	// Ring wakes who listens.
	Ring(ctx context.Context, text string)
	// Listen calls heard for each ring until ctx ends.
	Listen(ctx context.Context, heard func(text string))
}

// An Engine receives and delivers for the channels of one process. Its fields are set
// before the first call; those called optional may stay empty.
type Engine struct {
	Store  post.Store
	Holder string // names this process
	Now    func() time.Time
	Log    *slog.Logger

	// Alone says that no other process works in the store: what is claimed there was by
	// one that has died.
	Alone bool
	// Bell wakes the other processes; optional.
	Bell Bell
	// Elsewhere returns where a notice goes that cannot reach its person: the notice
	// to be delivered next, or nil if it has told them by itself. It fails with
	// fault.NotFound if nothing is left; optional.
	Elsewhere func(ctx context.Context, n bot.Notice) (*bot.Notice, error)
	// Wanted says how the person of a notice wants it, each time before it is carried;
	// optional: at once.
	Wanted func(ctx context.Context, n bot.Notice) (bot.Wish, error)
	// Count hears of every receipt of a letter and every end of a try; optional.
	Count func(channel string, s post.Side, outcome string)

	once  sync.Once
	mu    sync.Mutex
	lines map[string]*line // by channel
}

var _ bot.Outbox = (*Engine)(nil)

// Register makes a channel one whose messages are delivered here. What is posted for it
// waits until it is served.
func (e *Engine) Register(c Carrier) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lines == nil {
		e.lines = map[string]*line{}
	}
	e.lines[c.Name()] = newLine(e, c)
}

func (e *Engine) line(channel string) *line {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lines[channel]
}

// Takes implements bot.Outbox.
func (e *Engine) Takes(channel string) bool { return e.line(channel) != nil }

// Notice implements bot.Outbox: the notice counts as told once it is kept here. Until it
// has arrived it is the Engine's to deliver, on another channel if need be.
func (e *Engine) Notice(ctx context.Context, n bot.Notice) error {
	p, err := e.notice(n)
	if err != nil {
		return err
	}
	return e.Post(ctx, p)
}

// notice is the parcel of a notice. Each channel of one has a parcel of its own.
func (e *Engine) notice(n bot.Notice) (Parcel, error) {
	l := e.line(n.To.Channel)
	if l == nil {
		return Parcel{}, fault.Newf(fault.NotFound, "", "nothing is delivered on %q here", n.To.Channel)
	}
	key := "notice/" + n.Key
	if len(n.Tried) > 0 {
		key += "@" + strconv.Itoa(len(n.Tried)+1)
	}
	return Parcel{Key: key, Channel: n.To.Channel, Chat: l.home(n.To), To: n.To, Reply: n.Reply, Quiet: true, Notice: &n}, nil
}

// Post keeps parcels, in this order, and has them delivered. They are kept together or,
// where it fails, not at all.
func (e *Engine) Post(ctx context.Context, ps ...Parcel) error {
	now := e.Now()
	kept, err := packAll(ps, now)
	if err != nil {
		return err
	}
	if err := e.Store.Post(ctx, now, kept); err != nil {
		return fault.In("mail.Post", err)
	}
	e.wakeFor(ctx, kept)
	return nil
}

// Pack makes of a parcel what is kept, for who keeps it in the transaction that made it
// true; Wake has it delivered after that.
func (e *Engine) Pack(p Parcel) (post.Parcel, error) { return p.pack(e.Now()) }

// Wake has the parcels of a channel delivered that are due.
func (e *Engine) Wake(ctx context.Context, channel string) { e.wake(ctx, post.Out, channel) }

// wakeFor wakes whoever delivers parcels.
func (e *Engine) wakeFor(ctx context.Context, ps []post.Parcel) {
	for _, p := range ps {
		e.wake(ctx, post.Out, p.Channel)
	}
}

// wake wakes whoever works on a channel's side: this process and, where it does not or
// has no room, the others. So a letter is answered where it came in, as a rule, which
// channels need whose platform waits for the answer.
func (e *Engine) wake(ctx context.Context, s post.Side, channel string) {
	e.heard(string(s) + "/" + channel)
	if l := e.line(channel); e.Bell == nil || l != nil && l.serving.Load() && l.pump(s).idle() {
		return
	}
	e.Bell.Ring(ctx, string(s)+"/"+channel)
}

// heard wakes whoever works here on what a bell says.
func (e *Engine) heard(text string) {
	for _, s := range []post.Side{post.In, post.Out} {
		if channel, ok := cutSide(text, s); ok {
			if l := e.line(channel); l != nil {
				l.pump(s).ring()
			}
		}
	}
}

func cutSide(text string, s post.Side) (channel string, ok bool) {
	n := len(s) + 1
	if len(text) <= n || text[:n] != string(s)+"/" {
		return "", false
	}
	return text[n:], true
}

func (e *Engine) count(channel string, s post.Side, outcome string) {
	if e.Count != nil {
		e.Count(channel, s, outcome)
	}
}

// Receive keeps a letter. Once it has returned without an error, the channel may tell
// its platform that the letter has arrived.
func (e *Engine) Receive(ctx context.Context, l Letter) (Receipt, error) {
	line := e.line(l.Channel)
	if line == nil || l.ID == "" || l.Chat == "" || len(l.Chat) > keyBytesMax || len(l.Payload) > PayloadMax {
		return "", fault.New(fault.Invalid, "mail.letter")
	}
	l.ID, l.At = fit(l.ID), e.Now()
	ok, first := line.gate.enter(l.Chat, l.At)
	r, err := Full, error(nil)
	if ok {
		r, err = e.Store.Receive(ctx, l, BacklogMax)
		first = line.gate.leave(l.Chat, l.At, r == Full && err == nil)
	}
	if err != nil {
		return "", fault.In("mail.Receive", err)
	}
	e.count(l.Channel, post.In, string(r))
	if r == Fresh {
		e.wake(ctx, post.In, l.Channel)
		e.wake(ctx, post.Out, l.Channel) // what waited for the person to write
	}
	if first {
		if err := line.warn(ctx, l); err != nil {
			e.Log.Warn("somebody could not be told that too many messages wait", "channel", l.Channel, "error", err)
		}
	}
	return r, nil
}

// Serve answers the letters and delivers the parcels of a registered channel until ctx
// ends, and then gives what is under way a moment: it returns within two seconds.
func (e *Engine) Serve(ctx context.Context, channel string, s Service) error {
	l := e.line(channel)
	if l == nil {
		return fault.Newf(fault.Invalid, "mail.channel", "%q is not registered", channel)
	}
	l.service.Store(&s)
	e.inherit(ctx)
	run := e.begin()
	var all sync.WaitGroup
	if e.Bell != nil {
		all.Go(func() { e.Bell.Listen(ctx, e.heard) })
	}
	l.serving.Store(true)
	defer l.serving.Store(false)
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	all.Go(func() { e.beat(ctx, run) })
	for _, p := range []*pump{l.in, l.out} {
		all.Go(func() { p.run(ctx, work, run) })
	}
	<-ctx.Done()
	all.Wait()
	idle := l.idle()
	if !within(idle, stopGrace) {
		end()
		if !within(idle, stopAbort) {
			e.Log.Warn("something does not stop when its time is up; it is done again", "channel", channel)
		}
	}
	return nil
}

// Step does what Serve does, at once and in this goroutine: one thing of each chat of one
// side that is due now. It returns how many. It is for who has the clock in hand.
func (e *Engine) Step(ctx context.Context, s post.Side, channel string, service Service) (n int, err error) {
	l := e.line(channel)
	if l == nil {
		return 0, fault.Newf(fault.Invalid, "mail.channel", "%q is not registered", channel)
	}
	l.service.Store(&service)
	p, now := l.pump(s), e.Now()
	jobs, err := p.take(ctx, post.Claim{Holder: e.Holder, Now: now, Until: now.Add(leaseLength), Count: p.room, Quiet: p.room})
	for _, j := range jobs {
		j.do(ctx)
	}
	return len(jobs), err
}

// How the two seconds of stopping are spent.
const (
	stopGrace = 1200 * time.Millisecond // for what is under way
	stopAbort = 300 * time.Millisecond  // for it to notice that time is up
)

// begin returns a name for one run of this process: what an earlier one held is not
// held by this one.
func (e *Engine) begin() string { return e.Holder + "#" + rand.Text()[:8] }

// inherit frees what a process before this one held, once.
func (e *Engine) inherit(ctx context.Context) {
	if !e.Alone {
		return
	}
	e.once.Do(func() {
		if err := e.Store.Inherit(ctx); err != nil {
			e.Log.Warn("what the process before this one was working on waits until its lease has ended", "error", err)
		}
	})
}

// beat renews what a run holds until ctx ends.
func (e *Engine) beat(ctx context.Context, run string) {
	for sleep(ctx, leaseBeat) {
		if err := e.Store.Renew(ctx, run, e.Now().Add(leaseLength)); err != nil && ctx.Err() == nil {
			e.Log.Warn("chats cannot be kept; another process may take them over", "error", err)
		}
	}
}

// sleep waits for d and reports whether ctx is still alive then.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// A line is what an Engine knows of one channel.
type line struct {
	*Engine
	carrier Carrier
	service atomic.Pointer[Service]
	in, out *pump
	gate    gate
	serving atomic.Bool
}

func newLine(e *Engine, c Carrier) *line {
	l := &line{Engine: e, carrier: c}
	l.service.Store(&Service{})
	l.in = newPump(e, post.In, c.Name(), answeringMax, l.takeLetters)
	l.out = newPump(e, post.Out, c.Name(), carryingMax, l.takeParcels)
	return l
}

func (l *line) pump(s post.Side) *pump {
	if s == post.In {
		return l.in
	}
	return l.out
}

// idle is closed once nothing is under way.
func (l *line) idle() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		l.in.workers.Wait()
		l.out.workers.Wait()
		close(ended)
	}()
	return ended
}

// within reports whether something is closed within d.
func within(closed <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-closed:
		return true
	case <-t.C:
		return false
	}
}

// home is the chat in which somebody is told notices.
func (l *line) home(to user.Identity) string {
	if h, ok := l.carrier.(Homing); ok {
		return h.Home(to)
	}
	return to.External
}

// warn tells a person once that too many of their letters wait.
func (l *line) warn(ctx context.Context, letter Letter) error {
	s := l.service.Load()
	if s.Warn == nil {
		return nil
	}
	p, ok := s.Warn(letter)
	if !ok {
		return nil
	}
	kept, err := p.pack(l.Now())
	if err != nil {
		return err
	}
	warned, err := l.Store.Warn(ctx, kept)
	if warned {
		l.wakeFor(ctx, []post.Parcel{kept})
	}
	return err
}
