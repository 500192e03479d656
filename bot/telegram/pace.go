package telegram

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"fanli/core/fault"
)

// How fast we send. Telegram bears about one message a second in a chat, twenty
// a minute in a group, and thirty a second in all; we stay below.
const (
	chatEvery   = time.Second
	chatBurst   = 3
	groupMinute = 20 // with the burst
	globalRate  = 25
	globalBurst = 5
	noticeRate  = 15 // of the 25, so that answers always find room

	paceChatsMax = 8192                   // chats that are remembered
	paceIdle     = 2 * time.Minute        // then a chat need not be remembered: its bucket is full
	hintEvery    = time.Second            // "typing" in one chat
	claimMax     = 250 * time.Millisecond // as long a turn is waited for
	slotKeep     = time.Minute            // as long a turn is kept for who does not come
	spreadWindow = 10 * time.Second       // two chats refused within it mean that all are
)

// pace lets messages go out as fast as Telegram bears.
type pace struct {
	now     func() time.Time
	global  *rate.Limiter
	notices *rate.Limiter

	mu      sync.Mutex
	among   int // processes that share all this
	chats   map[int64]*lane
	until   time.Time // nobody sends before
	refused int64     // the chat that was refused last
	at      time.Time // when
}

// lane is the pace of one chat.
type lane struct {
	limit *rate.Limiter
	until time.Time // nothing is sent before
	slot  time.Time // a turn that is kept; zero for none
	used  time.Time
	hint  time.Time // when it was shown last that we are typing
	last  int64     // the newest message that we have sent; 0 if that is not known
	group bool
}

func newPace(now func() time.Time) *pace {
	return &pace{
		now: now, among: 1, chats: map[int64]*lane{},
		global:  rate.NewLimiter(globalRate, globalBurst),
		notices: rate.NewLimiter(noticeRate, 1),
	}
}

// groupPace is the part of one of several processes of what a group bears in a minute.
func groupPace(among int) (limit rate.Limit, burst int) {
	burst = max(1, chatBurst/among)
	return rate.Every(time.Minute * time.Duration(among) / time.Duration(groupMinute-among*burst)), burst
}

// share leaves this process one part of several of what Telegram bears. A private chat's
// pace stays: whoever talks there is answered by one process at a time.
func (p *pace) share(among int) {
	among = min(max(among, 1), seatsMax+1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.among == among {
		return
	}
	p.among = among
	now := p.now()
	p.global.SetLimitAt(now, globalRate/rate.Limit(among))
	p.global.SetBurstAt(now, max(1, globalBurst/among))
	p.notices.SetLimitAt(now, noticeRate/rate.Limit(among))
	limit, burst := groupPace(among)
	for _, l := range p.chats {
		if l.group {
			l.limit.SetLimitAt(now, limit)
			l.limit.SetBurstAt(now, burst)
		}
	}
}

// wait waits for a chat's turn. Notices let answers go first. It fails with
// fault.Limited at once if the turn comes after ctx ends.
func (p *pace) wait(ctx context.Context, to target, notice bool) error {
	for {
		l, hold := p.lane(to)
		if hold <= 0 {
			return p.turn(ctx, l, notice)
		}
		if end, ok := ctx.Deadline(); ok && p.now().Add(hold).After(end) {
			return fault.Wrap(fault.Limited, "telegram.wait", context.DeadlineExceeded)
		}
		if !sleep(ctx, hold) {
			return fault.Wrap(fault.Unavailable, "telegram.wait", ctx.Err())
		}
	}
}

// turn takes a token of every bucket.
func (p *pace) turn(ctx context.Context, l *lane, notice bool) error {
	queue := []*rate.Limiter{l.limit, p.global}
	if notice {
		queue = []*rate.Limiter{l.limit, p.notices, p.global}
	}
	for _, b := range queue {
		if err := b.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return fault.Wrap(fault.Unavailable, "telegram.wait", ctx.Err())
			}
			return fault.Wrap(fault.Limited, "telegram.wait", err) // it says that it would take too long
		}
	}
	return nil
}

// claim takes a chat's turn if it is now or nearly so, and otherwise says with
// fault.Limited when it will be: the turn is then kept for the chat, so that whoever
// comes back in time need not line up again. Notices let answers go first.
func (p *pace) claim(ctx context.Context, to target, notice bool) error {
	wait := p.slot(to, notice)
	if wait > claimMax {
		return fault.After(fault.Newf(fault.Limited, "telegram.pace", "the chat has its turn in %v", wait), wait)
	}
	if wait > 0 && !sleep(ctx, wait) {
		return fault.Wrap(fault.Unavailable, "telegram.claim", ctx.Err())
	}
	return nil
}

// slot returns how long it is until a chat's turn. One that is here has been taken then.
func (p *pace) slot(to target, notice bool) time.Duration {
	l, hold := p.lane(to)
	if hold > 0 {
		return hold
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if due := l.slot; !due.IsZero() && now.Before(due.Add(slotKeep)) {
		if wait := due.Sub(now); wait > claimMax {
			return wait
		}
		l.slot = time.Time{}
		return max(due.Sub(now), 0)
	}
	l.slot = time.Time{}
	queue := []*rate.Limiter{l.limit, p.global}
	if notice {
		queue = []*rate.Limiter{l.limit, p.notices, p.global}
	}
	wait := time.Duration(0)
	for _, b := range queue {
		wait = max(wait, b.ReserveN(now, 1).DelayFrom(now))
	}
	if wait > claimMax {
		l.slot = now.Add(wait)
	}
	return wait
}

// mayHint reports whether a chat may be shown that we are typing: not while Telegram wants
// to be left alone, and not for each of many messages at once. It is none of the messages
// that are counted.
func (p *pace) mayHint(to target) bool {
	l, hold := p.lane(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if hold > 0 || !l.hint.IsZero() && now.Sub(l.hint) < hintEvery {
		return false
	}
	l.hint = now
	return true
}

// sent notes a message that was sent to a chat, or changed there.
func (p *pace) sent(to target, message int64) {
	l, _ := p.lane(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	l.last = max(l.last, message)
}

// last returns the newest message that was sent to a chat; 0 if that is not known.
func (p *pace) last(to target) int64 {
	l, _ := p.lane(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.last
}

// lane returns the pace of a chat and how long it must be silent.
func (p *pace) lane(to target) (*lane, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	l := p.laneOf(to, now)
	l.used = now
	until := l.until
	if p.until.After(until) {
		until = p.until
	}
	return l, until.Sub(now)
}

func (p *pace) laneOf(to target, now time.Time) *lane {
	if l := p.chats[to.chat]; l != nil {
		return l
	}
	if len(p.chats) >= paceChatsMax {
		p.forget(now)
	}
	limit, burst := rate.Every(chatEvery), chatBurst
	if to.group {
		limit, burst = groupPace(p.among)
	}
	l := &lane{limit: rate.NewLimiter(limit, burst), used: now, group: to.group}
	p.chats[to.chat] = l
	return l
}

// forget makes room: the idle go, and if there are none, anybody. That costs
// one message too many at worst.
func (p *pace) forget(now time.Time) {
	for id, l := range p.chats {
		if now.Sub(l.used) > paceIdle && l.until.Before(now) {
			delete(p.chats, id)
		}
	}
	for id := range p.chats {
		if len(p.chats) < paceChatsMax {
			return
		}
		delete(p.chats, id)
	}
}

// hold keeps a chat silent for as long as Telegram said; all chats, if another
// one was refused just before.
func (p *pace) hold(to target, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	l := p.laneOf(to, now)
	if until := now.Add(d); until.After(l.until) {
		l.until = until
	}
	if p.refused != to.chat && !p.at.IsZero() && now.Sub(p.at) < spreadWindow && l.until.After(p.until) {
		p.until = l.until
	}
	p.refused, p.at = to.chat, now
}
