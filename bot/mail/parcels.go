package mail

import (
	"context"
	"runtime/debug"
	"time"

	"fanli/core/fault"
	"fanli/core/notify"
	"fanli/core/post"
	"fanli/core/user"
)

// carryTime bounds one try to deliver a parcel.
const carryTime = time.Minute

// triesMax bounds the tries of one parcel whose failures only time may heal, those that
// were limited not counted: with ladder that is longer than any parcel is wanted.
const triesMax = 80

// ladder returns how long to wait after a failure that was not the first by so many;
// after all steps, as long as after the last.
func ladder(before int) time.Duration {
	steps := [...]time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
	}
	return steps[min(before, len(steps)-1)]
}

// limitedWait is how long a chat waits that was limited and not told for how long;
// limitedMax the longest wish that is believed.
const (
	limitedWait = 3 * time.Second
	limitedMax  = time.Hour
)

// A verdict is what follows from a try.
type verdict struct {
	state  post.State
	wait   time.Duration // for a parcel that waits
	parked bool
	tries  int // with this one, where it counts
	reason string
	line   string        // into which it goes; "" for its own
	longer time.Duration // than it may wait as a rule
}

// judge says what follows from the error of a try.
func judge(p post.Parcel, err error, now time.Time) verdict {
	v := verdict{state: post.Waiting, tries: p.Tries + 1, reason: reasonOf(err)}
	switch code := fault.CodeOf(err); {
	case err == nil:
		return verdict{state: post.Sent, tries: p.Tries + 1}
	case fault.ReasonOf(err) == Parked:
		v.parked, v.wait = true, p.Expires.Sub(now)
	case code == fault.Limited:
		v.tries = p.Tries
		if v.wait = fault.RetryAfter(err); v.wait <= 0 {
			v.wait = limitedWait
		}
		v.wait = min(v.wait, limitedMax)
	case code == fault.NotFound:
		v.state = post.Gone
	case code == fault.Invalid, code == fault.Insufficient:
		v.state = post.GivenUp
	case code == fault.Unknown:
		v.state = post.Unknown
	case v.tries >= triesMax:
		v.state, v.reason = post.GivenUp, NoMore
	default:
		v.wait = max(ladder(p.Tries), min(fault.RetryAfter(err), limitedMax))
	}
	if v.state == post.Waiting && !now.Add(v.wait).Before(p.Expires) {
		v.wait = max(p.Expires.Sub(now), 0) // to be given up then
	}
	return v
}

// takeParcels claims parcels.
func (l *line) takeParcels(ctx context.Context, c post.Claim) ([]job, error) {
	ps, err := l.Store.ClaimParcels(ctx, l.carrier.Name(), c)
	jobs := make([]job, len(ps))
	for i, p := range ps {
		jobs[i] = job{p.Chat, p.Quiet, func(ctx context.Context) { l.deliver(ctx, c.Holder, p) }}
	}
	return jobs, fault.In("mail.ClaimParcels", err)
}

// deliver tries to deliver a parcel and stores what became of it.
func (l *line) deliver(work context.Context, holder string, p post.Parcel) {
	g := newProgress(l.Store, holder, p)
	v, instead, err := l.try(work, p, g)
	now := l.Now()
	p = g.p
	p.State, p.Tries, p.Reason = v.state, v.tries, v.reason
	out := post.Outcome{Now: now, Parked: v.parked, Line: v.line, Instead: instead}
	p.Expires = p.Expires.Add(v.longer)
	if v.state == post.Waiting {
		out.Next = now.Add(v.wait)
	}
	store := l.out.persist(work, func(ctx context.Context) error { return l.Store.Settle(ctx, holder, p, out) })
	if store != nil {
		l.Log.Error("a parcel is tried again later: its end could not be kept", "channel", p.Channel, "parcel", p.Seq, "error", store)
		l.give(holder, post.Out, p.Chat)
		return
	}
	l.say(p, v, err)
	l.wakeFor(work, instead)
	if v.line != "" {
		l.wake(work, post.Out, p.Channel)
	}
}

// try carries a parcel, unless it is a notice that its person does not want, or not now.
func (l *line) try(work context.Context, p post.Parcel, g *Progress) (verdict, []post.Parcel, error) {
	h, hours := l.held(work, p)
	if h != nil {
		return *h, nil, nil
	}
	err := l.carry(work, p, hours, g)
	now := l.Now()
	switch {
	case err != nil && work.Err() != nil: // being stopped counts as no try
		return verdict{state: post.Waiting, tries: p.Tries, reason: p.Reason}, nil, err
	case fault.Is(err, fault.NotFound):
		v, instead := l.elsewhere(work, g.p, err, now)
		return v, instead, err
	default:
		return judge(p, err, now), nil, err
	}
}

// carry calls the carrier, whatever happens there.
func (l *line) carry(ctx context.Context, k post.Parcel, hours user.Quiet, g *Progress) (err error) {
	if !l.Now().Before(k.Expires) {
		return fault.New(fault.Invalid, Expired)
	}
	p, err := unpack(k)
	if err != nil {
		return err
	}
	if p.Notice != nil {
		p.Notice.Hours = hours
	}
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, "", "panic: %v\n%s", p, debug.Stack())
		}
	}()
	return l.carrier.Carry(ctx, p, g)
}

// elsewhere finds out where a notice goes that cannot arrive. One of which a part has
// arrived goes nowhere.
func (l *line) elsewhere(ctx context.Context, k post.Parcel, failed error, now time.Time) (verdict, []post.Parcel) {
	p, err := unpack(k)
	if err != nil || p.Notice == nil || l.Elsewhere == nil || k.Parts > 0 {
		return judge(k, failed, now), nil
	}
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	next, err := l.Elsewhere(ctx, *p.Notice)
	moved := verdict{state: post.Moved, tries: k.Tries + 1, reason: reasonOf(failed)}
	switch {
	case err != nil && !fault.Is(err, fault.NotFound): // what is not known now may be later
		return judge(k, fault.Wrap(fault.Unavailable, "mail.Elsewhere", err), now), nil
	case err != nil:
		return judge(k, failed, now), nil
	case next == nil:
		return moved, nil
	}
	parcel, err := l.notice(*next)
	if err != nil {
		return judge(k, failed, now), nil
	}
	parcel.Expires = k.Expires
	kept, err := parcel.pack(now)
	if err != nil {
		return judge(k, failed, now), nil
	}
	return moved, []post.Parcel{kept}
}

// say says what became of a parcel.
func (l *line) say(p post.Parcel, v verdict, err error) {
	outcome := string(v.state)
	switch {
	case v.parked:
		outcome = "parked"
	case v.reason == Held:
		outcome = "held"
	case v.reason == notify.Off:
		outcome = "off"
	}
	l.count(p.Channel, post.Out, outcome)
	switch {
	case v.state.Dead():
		l.Log.Error("a reply did not arrive", "channel", p.Channel, "parcel", p.Seq, "tries", v.tries, "reason", v.reason, "error", err,
			"try", "fanli deliveries list")
	case fault.Is(err, fault.Limited): // as every platform has it all day
		l.Log.Debug("a reply waits for a limit", "channel", p.Channel, "parcel", p.Seq, "wait", v.wait)
	case err != nil:
		l.Log.Info("a reply waits", "channel", p.Channel, "parcel", p.Seq, "tries", v.tries, "wait", v.wait, "error", err)
	}
}
