package registry

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"fanli/core/fault"
	"fanli/core/registry"
)

// Why a process has to be entered again.
var (
	errExpired = errors.New("the lease has ended")
	errRemoved = errors.New("somebody has removed the key")
)

// A membership is that of one process.
type membership struct {
	e    *Etcd
	key  string
	stop context.CancelFunc
	done chan struct{}
	late chan struct{} // what could not be written has to be

	putting sync.Mutex // so that what was true before is not written over what is

	mu    sync.Mutex
	p     registry.Process
	lease clientv3.LeaseID // 0 while it is not entered
}

var _ registry.Membership = (*membership)(nil)

// Join implements registry.Registry.
func (e *Etcd) Join(p registry.Process) registry.Membership {
	m := &membership{e: e, key: e.dir + p.ID, p: p, done: make(chan struct{}), late: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(e.ctx)
	m.stop = stop
	e.work.Go(func() {
		defer close(m.done)
		m.keep(ctx)
	})
	return m
}

// keep enters the process again and again, until ctx ends.
func (m *membership) keep(ctx context.Context) {
	var p pause
	for ctx.Err() == nil {
		err := m.hold(ctx, &p)
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, errExpired) && !errors.Is(err, errRemoved) {
			m.e.lost(err)
		}
		p.wait(ctx)
	}
}

// hold enters the process and returns when it is not entered any more, or may not
// be.
func (m *membership) hold(ctx context.Context, p *pause) error {
	c, err := m.e.reach()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asking, asked := context.WithTimeout(ctx, askMax)
	defer asked()
	lease, err := c.Grant(asking, int64(m.e.lease/time.Second))
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.lease = lease.ID
	m.mu.Unlock()
	revision, err := m.put(asking, c)
	if err != nil {
		return err
	}
	m.e.back()
	p.reset()
	alive, err := c.KeepAlive(ctx, lease.ID)
	if err != nil {
		return err
	}
	removed := c.Watch(ctx, m.key, clientv3.WithRev(revision+1), clientv3.WithFilterPut())
	for {
		select {
		case _, ok := <-alive:
			if !ok {
				return errExpired
			}
		case r, ok := <-removed:
			if !ok || r.Err() != nil || len(r.Events) > 0 {
				return errRemoved
			}
		case <-m.late: // the lease may have outlived an etcd that was away
			again, cancel := context.WithTimeout(ctx, askMax)
			_, err := m.put(again, c)
			cancel()
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// put writes what the process is.
func (m *membership) put(ctx context.Context, c *clientv3.Client) (revision int64, err error) {
	m.putting.Lock()
	defer m.putting.Unlock()
	m.mu.Lock()
	lease := m.lease
	text, err := json.Marshal(m.p)
	m.mu.Unlock()
	if err != nil {
		return 0, fault.Wrap(fault.Internal, "registry.process", err)
	}
	resp, err := c.Put(ctx, m.key, string(text), clientv3.WithLease(lease))
	if err != nil {
		return 0, err
	}
	return resp.Header.Revision, nil
}

// drain marks the process here, and reports whether that is to be written.
func (m *membership) drain() (entered bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p.Draining = true
	return m.lease != 0
}

// Drain implements registry.Membership.
func (m *membership) Drain(ctx context.Context) error {
	if !m.drain() {
		return nil // it will be entered as one that drains
	}
	c, err := m.e.reach()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, askMax)
		defer cancel()
		_, err = m.put(ctx, c)
	}
	if err != nil {
		select {
		case m.late <- struct{}{}:
		default:
		}
	}
	return fault.Wrap(fault.Unavailable, "registry.drain", err)
}

// Leave implements registry.Membership. Watchers take who says that it drains for
// gone at once when it vanishes.
func (m *membership) Leave(ctx context.Context) error {
	m.stop()
	<-m.done
	if !m.drain() {
		return nil
	}
	c, err := m.e.reach()
	if err != nil {
		return fault.Wrap(fault.Unavailable, "registry.leave", err)
	}
	ctx, cancel := context.WithTimeout(ctx, askMax)
	defer cancel()
	if _, err = m.put(ctx, c); err == nil {
		_, err = c.Revoke(ctx, m.lease)
	}
	if errors.Is(err, rpctypes.ErrLeaseNotFound) { // it has gone by itself
		return nil
	}
	return fault.Wrap(fault.Unavailable, "registry.leave", err)
}
