package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lowPort is the port that was tried last. Ports below 32768 are not given to those
// who want any, and servers' are below 20000.
var lowPort = func() *atomic.Int64 {
	p := new(atomic.Int64)
	p.Store(20_000 + time.Now().UnixNano()%12_000)
	return p
}()

// comeBack is how soon a process that ended by itself is started again, as an init
// system would.
const comeBack = 200 * time.Millisecond

// A node is one process of a cluster. Whenever it has ended somebody starts it again,
// on the same addresses.
type node struct {
	t      *testing.T
	name   string // "rebate/1"
	env    []string
	args   []string
	listen string

	mu     sync.Mutex
	p      *process      // the newest
	waits  time.Duration // before the next start, when it was killed
	killed int           // how often we killed one that ran
	fell   int           // how often it ended by itself
	why    []string      // what is wrong with how it ended
	left   bool          // it is not started again
	away   chan struct{} // not before it is closed; nil: as soon as may be
}

// start starts the process, and whoever starts it again.
func (n *node) start() {
	p := n.launch()
	go func() {
		for p != nil {
			<-p.ended
			p = n.again(p)
		}
	}()
}

// launch starts the process; nil when it must not be started any more.
func (n *node) launch() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.left {
		return nil
	}
	n.p = launch(n.t, n.env, n.args...)
	return n.p
}

// again starts a process for one that has ended.
func (n *node) again(p *process) *process {
	n.mu.Lock()
	left, pause, away := n.left, n.waits, n.away
	n.waits = -1
	if text := p.log.String(); strings.Contains(text, "panic:") || strings.Contains(text, "fatal error:") {
		n.why = append(n.why, text)
	}
	if !left && pause < 0 {
		n.fell++
		pause = comeBack
	}
	n.mu.Unlock()
	if left {
		return nil
	}
	time.Sleep(pause) // it is away
	if away != nil {
		<-away
	}
	return n.launch()
}

// hold kills the process and lets nobody start it again until back is called, which
// may be done twice.
func (n *node) hold(ctx context.Context) (back func(), err error) {
	away := make(chan struct{})
	n.mu.Lock()
	n.away = away
	n.mu.Unlock()
	back = sync.OnceFunc(func() {
		n.mu.Lock()
		n.away = nil
		n.mu.Unlock()
		close(away)
	})
	return back, n.kill(ctx, 0)
}

// kill ends the process as a loss of power does, as soon as there is one. It is
// started again after a pause.
func (n *node) kill(ctx context.Context, pause time.Duration) error {
	for {
		n.mu.Lock()
		p := n.p
		select {
		case <-p.ended:
		default:
			n.waits = pause
			n.killed++
			n.mu.Unlock()
			p.kill()
			return nil
		}
		n.mu.Unlock()
		if err := breathe(ctx); err != nil {
			return fmt.Errorf("%s is not started again: %w", n.name, err)
		}
	}
}

// breathe is between two looks at other processes.
func breathe(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Millisecond):
		return nil
	}
}

// serves waits until the process does.
func (n *node) serves(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		n.mu.Lock()
		p := n.p
		n.mu.Unlock()
		if _, err := p.ready(ctx); err == nil {
			return nil
		}
		if err := breathe(ctx); err != nil {
			return fmt.Errorf("%s does not serve: %w\n%s", n.name, err, p.log)
		}
	}
}

// leave lets the node end for good, and returns its process.
func (n *node) leave() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left = true
	return n.p
}

// said is what the newest process has said last.
func (n *node) said() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.p == nil {
		return ""
	}
	return n.p.log.String()
}

// wrong is what no kill excuses.
func (n *node) wrong() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, text := range n.why {
		errs = append(errs, fmt.Errorf("%s, before it ended:\n%s", n.name, text))
	}
	return errors.Join(errs...)
}
