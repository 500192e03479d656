package mail

import (
	"context"
	"sync"
	"time"

	"fanli/core/fault"
	"fanli/core/post"
)

// A job is one letter or parcel that was claimed.
type job struct {
	chat  string
	quiet bool
	do    func(ctx context.Context)
}

// A pump has one side of a channel worked on: as many chats at once as it has room for,
// one thing of each.
type pump struct {
	*Engine
	side    post.Side
	channel string
	room    int
	take    func(ctx context.Context, c post.Claim) ([]job, error)

	rung chan struct{} // holds one when somebody has rung

	mu      sync.Mutex
	busy    map[string]job // by chat
	workers sync.WaitGroup
}

func newPump(e *Engine, s post.Side, channel string, room int, take func(context.Context, post.Claim) ([]job, error)) *pump {
	return &pump{Engine: e, side: s, channel: channel, room: room, take: take, rung: make(chan struct{}, 1), busy: map[string]job{}}
}

// ring has the pump look at once.
func (p *pump) ring() {
	select {
	case p.rung <- struct{}{}:
	default: // somebody has rung already
	}
}

// run claims until ctx ends; what is claimed is done in work.
func (p *pump) run(ctx, work context.Context, holder string) {
	for ctx.Err() == nil {
		pause, err := p.round(ctx, work, holder)
		if err != nil && ctx.Err() == nil {
			p.Log.Error("what is due could not be looked up", "channel", p.channel, "side", string(p.side), "error", err)
		}
		if pause == 0 {
			continue
		}
		t := time.NewTimer(pause)
		select {
		case <-p.rung:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// round begins what is due and there is room for. It returns for how long nothing will
// be due, as far as is known here.
func (p *pump) round(ctx, work context.Context, holder string) (time.Duration, error) {
	look := lookEvery
	if p.Alone || p.Bell != nil {
		look = lookRarely
	}
	free, quiet := p.free()
	if free == 0 {
		return look, nil // whoever ends rings
	}
	next, err := p.Store.Next(ctx, p.side, p.channel)
	now := p.Now()
	switch {
	case err != nil || next.IsZero():
		return look, err
	case next.After(now):
		return min(next.Sub(now), look), nil
	}
	jobs, err := p.take(ctx, post.Claim{Holder: holder, Now: now, Until: now.Add(leaseLength), Count: free, Quiet: quiet})
	for _, j := range jobs {
		p.begin(work, j)
	}
	if len(jobs) == 0 { // another process was faster
		return lookEvery, err
	}
	return 0, err
}

// free says how many chats there is room for, and for how many of those for which nobody
// waits: they have half of it.
func (p *pump) free() (all, quiet int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all, quiet = p.room-len(p.busy), p.room/2
	for _, j := range p.busy {
		if j.quiet {
			quiet--
		}
	}
	return all, quiet
}

// idle reports whether there is room.
func (p *pump) idle() bool {
	free, _ := p.free()
	return free > 0
}

// begin has a worker do a job. A chat of which one is being done here, because its lease
// could not be renewed in time, is left to that one.
func (p *pump) begin(work context.Context, j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, busy := p.busy[j.chat]; busy {
		return
	}
	p.busy[j.chat] = j
	p.workers.Go(func() {
		defer p.ring()
		defer func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.busy, j.chat)
		}()
		j.do(work)
	})
}

// How often and how long storing an outcome is tried, beside a lease that goes on.
const storePause = 500 * time.Millisecond

// persist stores an outcome, again until it works or work ends: what is not stored is
// done again later, by whoever takes over. That it was taken over already is no error.
func (p *pump) persist(work context.Context, store func(ctx context.Context) error) error {
	for {
		err := store(context.WithoutCancel(work))
		switch {
		case err == nil, fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
			return nil
		case !fault.Retryable(err) && !fault.Is(err, fault.Unknown), work.Err() != nil, !sleep(work, storePause):
			return err
		}
		p.Log.Warn("an outcome could not be kept; trying again", "channel", p.channel, "side", string(p.side), "error", err)
	}
}
