package guard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"fanli/core/fault"
)

// LineOptions say what a [Line] lets through. A zero field means its default.
type LineOptions struct {
	Concurrent int           `yaml:"concurrent"` // calls under way at once; default 64
	Queue      int           `yaml:"queue"`      // calls that wait for one of them to end; default 128
	Wait       time.Duration `yaml:"wait"`       // how long they wait at most; default 500ms
	Timeout    time.Duration `yaml:"timeout"`    // of one call, with its retries; default 3s
	Failures   int           `yaml:"failures"`   // in a row, after which nobody calls; default 5
	Rest       time.Duration `yaml:"rest"`       // how long, before it is tried again; default 5s
}

// Over returns o with what it does not say taken from base, and from the defaults.
func (o LineOptions) Over(base LineOptions) LineOptions {
	return LineOptions{
		Concurrent: cmp.Or(o.Concurrent, base.Concurrent, 64), Queue: cmp.Or(o.Queue, base.Queue, 128),
		Wait: cmp.Or(o.Wait, base.Wait, 500*time.Millisecond), Timeout: cmp.Or(o.Timeout, base.Timeout, 3*time.Second),
		Failures: cmp.Or(o.Failures, base.Failures, 5), Rest: cmp.Or(o.Rest, base.Rest, 5*time.Second),
	}
}

// Validate returns all mistakes at once, each with the name of its key.
func (o LineOptions) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.Concurrent >= 0, "concurrent: %d is below 0", o.Concurrent)
	check(o.Queue >= 0, "queue: %d is below 0", o.Queue)
	check(o.Wait >= 0 && o.Wait <= time.Minute, "wait: %s is not between 0 and 1m", o.Wait)
	check(o.Timeout >= 0 && o.Timeout <= time.Minute, "timeout: %s is not between 0 and 1m", o.Timeout)
	check(o.Failures >= 0, "failures: %d is below 0", o.Failures)
	check(o.Rest >= 0 && o.Rest <= time.Hour, "rest: %s is not between 0 and 1h", o.Rest)
	return errors.Join(errs...)
}

// A Line is the way to one thing that we depend on: a breaker, a bounded number of
// calls under way, a short queue before it, and a deadline. It repeats nothing. It is
// safe for concurrent use.
type Line struct {
	health *health
	name   string
	o      LineOptions
	seats  *seats
}

// NewLine returns a line with o over the defaults. failed says which errors mean that
// the other side is not well; what it answered is none.
func NewLine(name string, o LineOptions, failed func(error) bool) *Line {
	o = o.Over(LineOptions{})
	failures := func() int { return o.Failures }
	return &Line{
		name: name, o: o, seats: newSeats(o.Concurrent, o.Queue, o.Wait),
		health: newHealth(name, "calls", o.Rest, failures, failed, time.Now, nil),
	}
}

// Do makes call, with a deadline. It fails with fault.Unavailable and fault.Down while the
// other side rests, and with fault.Limited and fault.Busy if no seat becomes free; call was
// not made then. Other errors are those of call.
func (l *Line) Do(ctx context.Context, call func(context.Context) error) error {
	if l.health.resting() {
		return l.refuse(fault.Unavailable, fault.Down, gobreaker.ErrOpenState)
	}
	leave, err := l.seats.take(ctx)
	if err != nil {
		return l.refuse(fault.Limited, fault.Busy, err)
	}
	defer leave()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	rests, err := l.health.pass(func() error {
		ctx, cancel := context.WithTimeout(ctx, l.o.Timeout)
		defer cancel()
		began := time.Now()
		err := call(ctx)
		if err != nil && errors.Is(context.Cause(ctx), context.Canceled) { // whoever asked has gone
			err = withdrawn{err}
		}
		l.health.learn(err, began)
		return err
	})
	if rests {
		return l.refuse(fault.Unavailable, fault.Down, err)
	}
	return err
}

// Refused reports whether an error is that of a call which was not made: the other side
// rests, or there was no seat.
func Refused(err error) bool {
	var e *fault.Error
	return errors.As(err, &e) && (errors.Is(e.Err, gobreaker.ErrOpenState) || errors.Is(e.Err, gobreaker.ErrTooManyRequests) || e.Reason == fault.Busy)
}

func (l *Line) refuse(code fault.Code, reason string, cause error) error {
	l.health.refused()
	return &fault.Error{Code: code, Reason: reason, Op: "guard." + l.name, Err: cause}
}

// Status returns how the line is.
func (l *Line) Status() Status { return l.health.status() }

// Well reports whether calls are let through as ever.
func (l *Line) Well() bool { return l.health.breaker.State() == gobreaker.StateClosed }

// Resting reports whether no call is let through.
func (l *Line) Resting() bool { return l.health.resting() }
