package rebate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fanli/core/audit"
	"fanli/core/fault"
)

// An Edition is what is known of a version of the rules beside what they say.
type Edition struct {
	Version int64
	Before  int64  // the version that it replaced; 0: none, or from before this was kept
	Staff   bool   // a person enacted it; otherwise it came from the configuration
	By      string // who; "" for the configuration
	Reason  string
	At      time.Time
}

// Bounds of an edition's texts, in bytes.
const (
	byMax     = 100
	reasonMax = 500
)

// Enact makes the configuration's rules those in force, unless they are already,
// and returns the version in force. Once staff have enacted rules, those count:
// the configuration was only their seed, and Enact leaves them alone. It fails
// with fault.Invalid for rules with mistakes.
func (c *Clerk) Enact(ctx context.Context, r Rules) (version int64, err error) {
	if err := r.Validate(); err != nil {
		return 0, fault.Wrap(fault.Invalid, "rebate.Enact", err)
	}
	err = c.Store.InTx(ctx, func(tx Tx) error {
		last, err := tx.Edition()
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil {
			old, _, err := tx.Rules(last.Version)
			if err != nil {
				return err
			}
			if last.Staff || Same(old, r) {
				version = last.Version
				return nil
			}
		}
		version, err = tx.AddRules(r, Edition{Before: last.Version, At: c.Now()})
		return err
	})
	return version, err
}

// Set makes r the rules in force, for everybody who makes a link from now on.
// expect is the version that whoever decided this has seen: if another one is in
// force by now, it fails with fault.Conflict.
func (c *Clerk) Set(ctx context.Context, r Rules, expect int64, by, reason string) (version int64, err error) {
	switch err := r.Validate(); {
	case err != nil:
		return 0, fault.Wrap(fault.Invalid, "rebate.Set", err)
	case by == "" || len(by) > byMax:
		return 0, fault.New(fault.Invalid, "rules.by")
	case reason == "" || len(reason) > reasonMax:
		return 0, fault.New(fault.Invalid, "rules.reason")
	}
	err = c.Store.InTx(ctx, func(tx Tx) error {
		last, err := tx.Edition()
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if last.Version != expect {
			return fault.Newf(fault.Conflict, "rules.changed", "version %d is in force, not %d", last.Version, expect)
		}
		now := c.Now()
		if version, err = tx.AddRules(r, Edition{Before: last.Version, Staff: true, By: by, Reason: reason, At: now}); err != nil {
			return err
		}
		name := func(v int64) string { return fmt.Sprintf("rules/%d", v) }
		e, err := audit.Say(fmt.Sprintf("act/rules/%d", version), now, audit.Act{
			Actor: by, What: "rules.set", On: name(version), Reason: reason, Before: name(last.Version), After: name(version),
		})
		if err != nil {
			return err
		}
		return tx.Emit(e)
	})
	return version, err
}

// Rollback enacts what an earlier version said, as a new version: history is not
// rewritten. Errors as Set, and fault.NotFound for a version that is not there.
func (c *Clerk) Rollback(ctx context.Context, to, expect int64, by, reason string) (version int64, err error) {
	if to <= 0 {
		return 0, fault.New(fault.NotFound, "rules.no_such")
	}
	r, _, err := c.Store.Rules(ctx, to)
	if err != nil {
		return 0, err
	}
	return c.Set(ctx, r, expect, by, reason)
}

// Same reports whether two versions say the same.
func Same(a, b Rules) bool { return a.text() == b.text() }

// text is what a version says, as it is kept.
func (r Rules) text() string {
	b, err := json.Marshal(r)
	if err != nil { // plain data
		panic(err)
	}
	return string(b)
}
