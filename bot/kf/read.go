package kf

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"fanli/bot/kf/platform"
	"fanli/bot/mail"
	"fanli/core/fault"
	"fanli/core/lock"
)

// How processes agree on which of them reads, and how one goes on after a failure.
const (
	leaseLength = 30 * time.Second       // after which one that died is succeeded
	leaseRenew  = 10 * time.Second       // how old a lease may be when the next page is asked for
	leaseRetry  = 300 * time.Millisecond // how often one asks that has been told of something
	limitedWait = time.Minute            // after WeCom has said that it is asked too often
	dropTime    = 300 * time.Millisecond // for giving a lease back
)

// readPace is how far apart readings begin that callbacks ask for. A callback comes with
// every message: whoever floods us must not have us call WeCom more often than it bears,
// for all who write.
const readPace = 25 * time.Millisecond

// backOff is how long to wait after a failure that was not the first by so many.
func backOff(before int) time.Duration {
	steps := [...]time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}
	return steps[min(before, len(steps)-1)]
}

// stuckMax is how many pages in a row may lead nowhere.
const stuckMax = 3

// oldMax is how old a message may be to be answered by an account that nobody has read
// before: a bot that is switched on does not answer yesterday's questions.
const oldMax = 10 * time.Minute

// A mark is how far was read, as it is kept.
type mark struct {
	Cursor string    `json:"cursor"`
	At     time.Time `json:"at"` // when it was looked at last
}

// markName is where it is kept.
func (c *Channel) markName() string { return "kf/" + c.opts.OpenKfID + "/cursor" }

// read reads messages until ctx ends: at first, when a callback says so, and every now and
// then.
func (c *Channel) read(ctx context.Context) {
	c.wake()
	failed := 0
	wait := c.opts.Every
	var began time.Time
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-c.hinted:
			asked = true
		case <-c.opts.After(wait):
		}
		if asked && !c.pace(ctx, began) {
			return
		}
		began = c.opts.Now()
		err := c.round(ctx, asked)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failed, wait = 0, c.opts.Every
			continue
		case fault.Is(err, fault.Conflict): // another one reads: after that it is our turn
			wait = leaseRetry
		case fault.Is(err, fault.Limited):
			wait = limitedWait
		default:
			wait = backOff(failed)
			failed++
		}
		if !fault.Is(err, fault.Conflict) {
			c.opts.Count("read", "failed")
			c.log.Warn("messages could not be read; trying again", "wait", wait, "error", err)
		}
		if c.sleep(ctx, wait) {
			c.wake()
		}
		wait = c.opts.Every
	}
}

// pace waits until a reading may begin after the one before, and reports whether ctx is
// still alive then. What is told of meanwhile is read with it.
func (c *Channel) pace(ctx context.Context, before time.Time) bool {
	wait := readPace - c.opts.Now().Sub(before)
	if wait <= 0 {
		return true
	}
	if !c.sleep(ctx, min(wait, readPace)) {
		return false
	}
	select {
	case <-c.hinted:
	default:
	}
	return true
}

// sleep waits and reports whether ctx is still alive then.
func (c *Channel) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-c.opts.After(d):
		return true
	}
}

// A reading is one time that messages are read.
type reading struct {
	*Channel
	lease lock.Lease
	taken time.Time // when it was
	from  mark
	fresh bool   // nobody has ever read here
	token string // of a callback
	stuck int
}

// round reads all that there is. Where nobody has asked for it and another process has
// just read, it does nothing. It fails with fault.Conflict while another one reads.
func (c *Channel) round(ctx context.Context, asked bool) error {
	r := &reading{Channel: c}
	if err := r.hold(ctx); err != nil {
		if !asked && fault.Is(err, fault.Conflict) {
			return nil
		}
		return err
	}
	defer r.leave(ctx)
	if err := r.begin(ctx); err != nil {
		return err
	}
	if !asked && c.opts.Now().Sub(r.from.At) < c.opts.Every/2 {
		return nil
	}
	for {
		more, err := r.page(ctx)
		if err != nil || !more {
			return err
		}
		if err := r.hold(ctx); err != nil {
			return err
		}
	}
}

// leaseName names the right to read.
func (r *reading) leaseName() string { return "kf/read/" + r.opts.OpenKfID }

// hold takes the lease, or renews it once it is old enough.
func (r *reading) hold(ctx context.Context) error {
	now := r.opts.Now()
	if r.opts.Leases == nil || !r.taken.IsZero() && now.Sub(r.taken) < leaseRenew {
		return nil
	}
	l, err := r.opts.Leases.Take(ctx, r.leaseName(), r.opts.Holder, leaseLength)
	if err == nil && !r.taken.IsZero() && l.Token != r.lease.Token {
		return fault.New(fault.Conflict, lock.Lost) // another one has read meanwhile
	}
	if err == nil {
		r.lease, r.taken = l, now
	}
	return fault.In("kf.lease", err)
}

// leave gives the lease back, so that nobody need wait for its end.
func (r *reading) leave(ctx context.Context) {
	if r.opts.Leases == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
	defer cancel()
	if err := r.opts.Leases.Drop(ctx, r.leaseName(), r.opts.Holder); err != nil {
		r.log.Warn("the lease is not given back; it ends by itself", "error", err)
	}
}

// begin looks up how far was read.
func (r *reading) begin(ctx context.Context) error {
	text, err := r.opts.Marks.Mark(ctx, r.markName())
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fault.In("kf.Mark", err)
	}
	r.fresh = text == ""
	if text != "" && json.Unmarshal([]byte(text), &r.from) != nil {
		r.log.Error("how far was read cannot be read; beginning with the oldest")
	}
	if h := r.hint.Load(); h != nil && r.opts.Now().Before(h.until) {
		r.token = h.token
	}
	return nil
}

// page reads a page, keeps its messages, and then how far was read: a crash in between
// has the page come again, and what is in it is known.
func (r *reading) page(ctx context.Context) (more bool, err error) {
	p, err := r.sync(ctx)
	if err != nil {
		return false, err
	}
	for range p.Odd {
		r.opts.Count("heard", "odd")
	}
	for _, m := range p.Messages {
		if err := r.take(ctx, m, r.fresh); err != nil {
			return false, err
		}
	}
	moved := p.Next != "" && p.Next != r.from.Cursor
	if moved {
		r.from.Cursor = p.Next
	}
	r.from.At = r.opts.Now()
	b, err := json.Marshal(r.from)
	if err == nil {
		err = r.opts.Marks.SetMark(ctx, r.markName(), string(b), r.lease.Token)
	}
	if err != nil {
		return false, fault.In("kf.SetMark", err)
	}
	if r.stuck++; moved {
		r.stuck = 0
	}
	if p.More && r.stuck >= stuckMax {
		return false, fault.Wrap(fault.Unavailable, "kf.page", errors.New("there is said to be more, and it does not come"))
	}
	return p.More, nil
}

// sync asks for a page. A token that has run out is left out, and where WeCom does not
// know the cursor any more everything is read again that it still has.
func (r *reading) sync(ctx context.Context) (platform.Page, error) {
	p, err := r.opts.Platform.Sync(ctx, r.from.Cursor, r.token)
	if r.token != "" && fault.ReasonOf(err) == platform.BadSyncToken {
		r.token = ""
		p, err = r.opts.Platform.Sync(ctx, r.from.Cursor, "")
	}
	if r.from.Cursor != "" && fault.ReasonOf(err) == platform.BadMessage {
		r.log.Error("WeCom does not know how far was read; beginning with the oldest", "error", err)
		r.opts.Count("read", "again")
		r.from.Cursor = ""
		p, err = r.opts.Platform.Sync(ctx, "", r.token)
	}
	return p, err
}

// take does with a message what is to be done before it counts as read.
func (c *Channel) take(ctx context.Context, m platform.Message, fresh bool) error {
	sent := time.Unix(m.Sent, 0)
	switch who := m.From(); {
	case m.Account() != "" && m.Account() != c.opts.OpenKfID:
		c.opts.Count("heard", "other_account")
		return nil
	case !idForm.MatchString(m.ID) || !idForm.MatchString(who):
		c.opts.Count("heard", "odd") // as events that are of nobody
		return nil
	case fresh && c.opts.Now().Sub(sent) > oldMax:
		c.opts.Count("heard", "old")
		return nil
	case m.Origin == platform.FromStaff:
		c.opts.Count("heard", "staff")
		return c.led(ctx, who, sent)
	case m.Origin == platform.FromSystem && m.Event != nil:
		return c.event(ctx, m, sent)
	case m.Origin != platform.FromCustomer:
		c.opts.Count("heard", "odd")
		return nil
	}
	c.opts.Count("heard", kinOf(m.Type))
	return c.keep(ctx, m)
}

// keep has a message answered.
func (c *Channel) keep(ctx context.Context, m platform.Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fault.Wrap(fault.Invalid, "kf.keep", err)
	}
	_, err = c.opts.Mail.Receive(ctx, mail.Letter{Channel: Name, ID: m.ID, Chat: m.From(), Payload: b})
	if fault.Is(err, fault.Invalid) { // it will not be better the next time
		c.log.Error("a message cannot be kept", "bytes", len(b), "error", err)
		return nil
	}
	return err
}

// event does what an event says.
func (c *Channel) event(ctx context.Context, m platform.Message, sent time.Time) error {
	e, who := m.Event, m.From()
	switch e.Type {
	case platform.EnterSession:
		c.opts.Count("heard", e.Type)
		if e.Welcome == "" {
			return c.brought(ctx, who, e)
		}
		return c.keep(ctx, m)
	case platform.SendFailed:
		c.opts.Count("heard", e.Type)
		return c.undelivered(ctx, who, e)
	case platform.SessionStatus:
		c.opts.Count("heard", e.Type)
		if e.ChangeType == platform.SessionEnded {
			return c.left(ctx, who, sent)
		}
		return c.led(ctx, who, sent)
	default: // new ones come without anybody having done anything
		c.opts.Count("heard", "other_event")
		return nil
	}
}
