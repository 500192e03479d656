package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fanli/core/fault"
)

// A Class says how much a request matters when there are too many.
type Class int

// The classes, the most important first.
const (
	Always Class = iota // health, and what payers tell us: never sent away
	Money               // the ledger, withdrawals, codes and pages to pay
	Orders              // links, orders, talking
	Rest                // searching, landing pages, the rest
	classes
)

// DoorOptions say how many requests are answered at once. A zero field means its
// default.
type DoorOptions struct {
	Concurrent int           `yaml:"concurrent"` // requests that are answered at once; default 256
	Queue      int           `yaml:"queue"`      // requests that wait, over all classes; default 512
	Wait       time.Duration `yaml:"wait"`       // how long one waits at most; default 1s
}

// Validate returns all mistakes at once, each with the name of its key.
func (o DoorOptions) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.Concurrent >= doorMin || o.Concurrent == 0, "concurrent: %d is not %d or more", o.Concurrent, doorMin)
	check(o.Queue >= 0, "queue: %d is below 0", o.Queue)
	check(o.Wait >= 0 && o.Wait <= time.Minute, "wait: %s is not between 0 and 1m", o.Wait)
	return errors.Join(errs...)
}

// doorMin is the least that each class can still have a part of.
const doorMin = 4

// A Door lets requests in, no more than can be answered at once. Where it is narrow
// what matters more goes first, and what matters less is sent away: money may use all
// places, orders leave a tenth of them free and the rest four tenths. It is safe for
// concurrent use.
type Door struct {
	o DoorOptions

	mu      sync.Mutex
	inside  int
	waiting [classes][]chan struct{}
	queued  int
	shed    [classes]int64
}

// NewDoor returns an open door.
func NewDoor(o DoorOptions) *Door {
	if o.Concurrent == 0 {
		o.Concurrent = 256
	}
	if o.Queue == 0 {
		o.Queue = 512
	}
	if o.Wait == 0 {
		o.Wait = time.Second
	}
	return &Door{o: o}
}

// room is how many may be inside when one of a class comes in.
func (d *Door) room(c Class) int {
	switch c {
	case Always, Money, classes:
		return d.o.Concurrent
	case Orders:
		return d.o.Concurrent * 9 / 10
	case Rest:
		return d.o.Concurrent * 6 / 10
	default:
		return 0
	}
}

// Enter lets a request in; call leave when it is answered. It fails with
// fault.Limited and fault.Busy if there is no place in time.
func (d *Door) Enter(ctx context.Context, c Class) (leave func(), err error) {
	d.mu.Lock()
	if c == Always {
		d.inside++ // counted, so that others make room
		d.mu.Unlock()
		return d.leave, nil
	}
	if d.inside < d.room(c) && d.ahead(c) == 0 {
		d.inside++
		d.mu.Unlock()
		return d.leave, nil
	}
	if d.queued >= d.o.Queue {
		d.shed[c]++
		d.mu.Unlock()
		return nil, &fault.Error{Code: fault.Limited, Reason: fault.Busy, Op: "guard.Enter", Err: errFull}
	}
	turn := make(chan struct{})
	d.waiting[c] = append(d.waiting[c], turn)
	d.queued++
	d.mu.Unlock()
	patience := time.NewTimer(d.o.Wait)
	defer patience.Stop()
	select {
	case <-turn:
		return d.leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-patience.C:
		err = context.DeadlineExceeded
	}
	if d.gone(c, turn) {
		return d.leave, nil // its turn came at the same moment
	}
	return nil, &fault.Error{Code: fault.Limited, Reason: fault.Busy, Op: "guard.Enter", Err: err}
}

// ahead is how many wait that matter as much or more.
func (d *Door) ahead(c Class) (n int) {
	for k := Money; k <= c; k++ {
		n += len(d.waiting[k])
	}
	return n
}

// gone takes out one that waits no longer. It reports whether it has been let in.
func (d *Door) gone(c Class, turn chan struct{}) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, w := range d.waiting[c] {
		if w == turn {
			d.waiting[c] = append(d.waiting[c][:i], d.waiting[c][i+1:]...)
			d.queued--
			d.shed[c]++
			return false
		}
	}
	return true
}

// leave lets in who waits and matters most.
func (d *Door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside--
	for c := Money; c < classes; c++ {
		for len(d.waiting[c]) > 0 && d.inside < d.room(c) {
			turn := d.waiting[c][0]
			d.waiting[c] = d.waiting[c][1:]
			d.queued--
			d.inside++
			close(turn)
		}
	}
}

// Load is how full it is, in percent; those who wait count.
func (d *Door) Load() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return min((d.inside+d.queued)*100/d.o.Concurrent, 100)
}

// Shed says how many of a class were sent away.
func (d *Door) Shed(c Class) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shed[c]
}
