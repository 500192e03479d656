// Package fault is how fanli says that something did not work.
//
// An [Error] carries a [Code], which tells a caller what it can do, and a
// Reason, which is the stable key of the sentence a user reads. The cause is
// for operators and goes to the log only. Codes are a closed set and append
// only, because they travel between processes.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Code says what a caller can do about an error.
type Code string

// The codes. An error without a code is Internal: a person should look at it.
const (
	Internal     Code = "internal"     // a defect, or something nobody has classified yet
	Invalid      Code = "invalid"      // the request itself is wrong; repeating it will not help
	NotFound     Code = "not_found"    // what was asked for does not exist; an answer, not a failure
	Conflict     Code = "conflict"     // somebody else was faster, or the same key was used for something else
	Denied       Code = "denied"       // not allowed, or credentials refused
	Insufficient Code = "insufficient" // not enough money
	Limited      Code = "limited"      // too many requests; later will do
	Unavailable  Code = "unavailable"  // the other side does not answer; later may do
	Unknown      Code = "unknown"      // it may or may not have happened: ask, do not repeat blindly
)

// An Error is one failed operation.
type Error struct {
	Code   Code   // what the caller can do; empty means Internal
	Reason string // stable key of the user's text, as "withdraw.below_minimum"; may be empty
	Op     string // what was being done, as "ledger.Post"; may be empty
	Err    error  // the cause, for operators only; may be nil
}

// Error returns the text for operators.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Reason != "" {
		s = e.Reason
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error with a code and the key of the user's text.
func New(code Code, reason string) *Error { return &Error{Code: code, Reason: reason} }

// Newf is New with a cause made from a format, for operators.
func Newf(code Code, reason, format string, args ...any) *Error {
	return &Error{Code: code, Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Wrap gives err a code and says what was being done. It returns nil for nil.
func Wrap(code Code, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Op: op, Err: err}
}

// In says what was being done and keeps code and reason of err. It returns nil
// for nil.
func In(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: CodeOf(err), Reason: ReasonOf(err), Op: op, Err: err}
}

// CodeOf returns the code of the outermost Error in err, Unavailable for an
// exceeded deadline or a cancellation, and Internal for anything else. It
// returns "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		if e.Code == "" {
			return Internal
		}
		return e.Code
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unavailable
	}
	return Internal
}

// ReasonOf returns the key of the user's text, or "" when there is none.
func ReasonOf(err error) string {
	var e *Error
	for errors.As(err, &e) {
		if e.Reason != "" {
			return e.Reason
		}
		err = e.Err
	}
	return ""
}

// Is reports whether err has the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }

// Retryable reports whether asking again later may help.
func Retryable(err error) bool {
	switch CodeOf(err) {
	case Limited, Unavailable:
		return true
	default:
		return false
	}
}

// A patient error says how long whoever refused wants to be left alone.
type patient struct {
	error
	wait time.Duration
}

// RetryAfter implements what RetryAfter looks for.
func (p patient) RetryAfter() time.Duration { return p.wait }

// Unwrap returns the error itself.
func (p patient) Unwrap() error { return p.error }

// After says that whoever refused wants to be left alone for d, as a Retry-After does.
// It returns nil for nil.
func After(err error, d time.Duration) error {
	if err == nil || d <= 0 {
		return err
	}
	return patient{err, d}
}

// RetryAfter returns for how long whoever refused wants to be left alone; 0 if that was
// not said. Errors of others say it by a method of the same name.
func RetryAfter(err error) time.Duration {
	var p interface{ RetryAfter() time.Duration }
	if errors.As(err, &p) {
		return p.RetryAfter()
	}
	return 0
}

// The reasons of calls to another part of this installation that came to nothing.
const (
	Down = "target.down" // it does not answer
	Busy = "target.busy" // it has too much to do
)

// Away reports whether err only says that another part of this installation is away
// or busy: nothing is wrong with what was asked, however often that fails.
func Away(err error) bool {
	r := ReasonOf(err)
	return r == Down || r == Busy
}
