// Package control stops parts of the system, at once and for everybody.
//
// A [Switch] that is on stops what its [Scope] names. It says who turned it on,
// why, since when, and what users are told meanwhile.
//
// # Guarantees
//
//   - A switch is checked in the transaction that would act, so what is turned
//     on before that transaction begins is never acted upon.
//   - What a switch stops waits and goes on when it is turned off: nothing is
//     lost, and nothing is done twice.
//   - Whoever turns a switch is recorded in package audit.
//   - Where nobody can say what is stopped, money stays, and what moves none goes on
//     as far as is known: see [Careful].
//   - What is on its way already is not stopped by forgetting it: withdrawals
//     that were sent are asked about all the same.
package control

import (
	"context"
	"slices"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/fault"
)

// A Scope names what a switch stops.
type Scope string

// The scopes. A network and a payer have one each.
const (
	Payouts  Scope = "payouts"  // no withdrawal is taken or sent
	Credits  Scope = "credits"  // no rebate is entered in the ledger
	ReadOnly Scope = "readonly" // no command of a user changes anything
)

// Network is the scope of one network: no links of it, and its orders wait.
func Network(name string) Scope { return Scope("network/" + name) }

// Payer is the scope of one payer: nothing new is sent through it.
func Payer(name string) Scope { return Scope("payer/" + name) }

// Degrade is the scope of one rung of the ladder of degradation: it is on, whatever
// is measured.
func Degrade(rung string) Scope { return Scope("degrade/" + rung) }

// Keep is the opposite of Degrade: the rung stays off.
func Keep(rung string) Scope { return Scope("keep/" + rung) }

// Validate fails with fault.Invalid for what is no scope.
func (s Scope) Validate() error {
	if s == Payouts || s == Credits || s == ReadOnly {
		return nil
	}
	kind, name, _ := strings.Cut(string(s), "/")
	if slices.Contains([]string{"network", "payer", "degrade", "keep"}, kind) && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" {
		return nil
	}
	return fault.Newf(fault.Invalid, "control.scope", "%q is not payouts, credits, readonly, network/NAME, payer/NAME, degrade/RUNG or keep/RUNG", s)
}

// A Switch stops its scope while it is on.
type Switch struct {
	Scope Scope
	On    bool
	By    string // who turned it: "cli", "telegram:12", "auto"
	Why   string // for staff
	Text  string // what users are told; "" for the usual words
	Since time.Time
}

// textBytesMax bounds what is said about a switch.
const textBytesMax = 1000

// A Reader reads switches in a transaction.
type Reader interface {
	// Switches returns those of the scopes that are on, in the order of their
	// names.
	Switches(scopes ...Scope) ([]Switch, error)
}

// A Tx reads and turns switches in a transaction.
type Tx interface {
	audit.Recorder
	Reader
	// SetSwitch stores a switch in the place of the one with its scope.
	SetSwitch(s Switch) error
}

// A Store keeps switches.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Switches returns all that have ever been turned, by scope.
	Switches(ctx context.Context) ([]Switch, error)
}

// A StoppedError says that a switch stops what was tried. It comes with
// fault.Unavailable and the reason "control.stopped".
type StoppedError struct{ Switch Switch }

// Error names the scope, not the text.
func (e *StoppedError) Error() string { return "stopped by the switch " + string(e.Switch.Scope) }

// Stopped is the reason of everything that a switch stops.
const Stopped = "control.stopped"

// Check fails with fault.Unavailable and the reason Stopped while one of the
// scopes is on. The error wraps a StoppedError.
func Check(tx Reader, scopes ...Scope) error {
	on, err := tx.Switches(scopes...)
	if err != nil || len(on) == 0 {
		return err
	}
	return refusal(on[0])
}

func refusal(s Switch) error {
	return &fault.Error{Code: fault.Unavailable, Reason: Stopped, Op: "control.Check", Err: &StoppedError{s}}
}

// A Board is where staff turns switches. It is safe for concurrent use.
type Board struct {
	Store Store
	Now   func() time.Time
}

// Set turns a switch. Turning it to what it is already keeps who did so first,
// and since when. It fails with fault.Invalid without somebody and a reason.
func (b *Board) Set(ctx context.Context, s Switch) error {
	if err := s.Scope.Validate(); err != nil {
		return err
	}
	if s.By == "" || strings.TrimSpace(s.Why) == "" || len(s.Why)+len(s.Text) > textBytesMax {
		return fault.New(fault.Invalid, "control.why")
	}
	s.Since = b.Now()
	return b.Store.InTx(ctx, func(tx Tx) error {
		on, err := tx.Switches(s.Scope)
		if err != nil || len(on) > 0 == s.On {
			return err
		}
		if err := tx.SetSwitch(s); err != nil {
			return err
		}
		turned := map[bool]string{false: "off", true: "on"}
		return tx.Act(audit.Act{
			At: s.Since, Actor: s.By, What: "switch." + turned[s.On], On: "switch/" + string(s.Scope), Reason: s.Why,
			Before: turned[!s.On], After: turned[s.On],
		})
	})
}

// List returns all switches that have ever been turned, by scope.
func (b *Board) List(ctx context.Context) ([]Switch, error) { return b.Store.Switches(ctx) }

// Check is Check outside of a transaction, for what changes nothing in the
// payment target's tables.
func (b *Board) Check(ctx context.Context, scopes ...Scope) error {
	all, err := b.Store.Switches(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		for _, scope := range scopes {
			if s.On && s.Scope == scope {
				return refusal(s)
			}
		}
	}
	return nil
}
