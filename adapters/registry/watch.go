package registry

import (
	"context"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"fanli/core/registry"
)

// Watch implements registry.Registry.
func (e *Etcd) Watch(ctx context.Context, target string, hear func([]registry.Process)) {
	e.follow.Do(func() { e.work.Go(e.watch) })
	e.roll.Watch(ctx, target, hear)
}

// A book is who is known, and who is in doubt: they vanished without having said
// that they leave, and may be back in a moment.
type book struct {
	all   map[string]registry.Process
	doubt map[string]time.Time // until when they are known
}

// enter takes in what a process says of itself.
func (b *book) enter(p registry.Process) {
	b.all[p.ID] = p
	delete(b.doubt, p.ID)
}

// vanish takes in that a process is not entered any more.
func (b *book) vanish(id string, until time.Time) {
	p, ok := b.all[id]
	if !ok {
		return
	}
	if p.Draining {
		delete(b.all, id)
		delete(b.doubt, id)
		return
	}
	if _, already := b.doubt[id]; !already {
		b.doubt[id] = until
	}
}

// forget gives up those that were in doubt for long enough.
func (b *book) forget(now time.Time) {
	for id, until := range b.doubt {
		if !now.Before(until) {
			delete(b.all, id)
			delete(b.doubt, id)
		}
	}
}

// watch keeps the roll true until Close.
func (e *Etcd) watch() {
	b := &book{all: map[string]registry.Process{}, doubt: map[string]time.Time{}}
	var p pause
	for e.ctx.Err() == nil {
		revision, err := e.compare(b)
		if err != nil {
			e.lost(err)
		} else {
			e.back()
			p.reset()
			e.hear(b, revision)
		}
		p.wait(e.ctx)
	}
}

// compare holds the book against what the etcd has, and returns the revision at
// which it was true.
func (e *Etcd) compare(b *book) (revision int64, err error) {
	ps, revision, err := e.list(e.ctx)
	if err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for _, p := range ps {
		there[p.ID] = true
		b.enter(p)
	}
	now := time.Now()
	for id := range b.all {
		if !there[id] {
			b.vanish(id, now.Add(e.lease))
		}
	}
	b.forget(now)
	e.tell(b)
	return revision, nil
}

// tell enters the book in the roll.
func (e *Etcd) tell(b *book) {
	ps := make([]registry.Process, 0, len(b.all))
	for _, p := range b.all {
		ps = append(ps, p)
	}
	e.roll.Set(ps)
}

// compareEvery is how many leases pass until everything is compared again: an etcd
// that has lost its data tells nothing, for it counts anew, and nothing shows that.
const compareEvery = 3

// hear takes in what happens after a revision, for a while, or until the etcd cannot
// tell all of it because its history was compacted.
func (e *Etcd) hear(b *book, revision int64) {
	c, err := e.reach()
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(e.ctx))
	defer cancel()
	news := c.Watch(ctx, e.dir, clientv3.WithPrefix(), clientv3.WithRev(revision+1))
	again := time.NewTimer(compareEvery * e.lease)
	defer again.Stop()
	for {
		var soonest <-chan time.Time
		if at, ok := b.soonest(); ok {
			soonest = time.After(time.Until(at))
		}
		select {
		case r, ok := <-news:
			if !ok || r.Err() != nil {
				return
			}
			e.take(b, r.Events)
		case <-soonest:
			b.forget(time.Now())
			e.tell(b)
		case <-again.C:
			return
		}
	}
}

// soonest is when the next one is given up.
func (b *book) soonest() (at time.Time, ok bool) {
	for _, until := range b.doubt {
		if !ok || until.Before(at) {
			at, ok = until, true
		}
	}
	return at, ok
}

// take enters news in book and roll.
func (e *Etcd) take(b *book, news []*clientv3.Event) {
	for _, n := range news {
		key := string(n.Kv.Key)
		if n.Type == clientv3.EventTypeDelete {
			b.vanish(strings.TrimPrefix(key, e.dir), time.Now().Add(e.lease))
			continue
		}
		if p, ok := e.read(key, n.Kv.Value); ok {
			b.enter(p)
		}
	}
	e.tell(b)
}
