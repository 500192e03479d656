// Package audit keeps the record of what staff have done.
//
// An [Act] says who did what to what, why, and what it was before and after. It
// is written in the transaction of what it records: there is no act without its
// record and no record of an act that did not happen.
//
// # Guarantees
//
//   - Acts are numbered from 1 without gaps, never changed and never deleted.
//   - Every act holds the hash of itself and of the act before, so that whoever
//     remembers one hash can prove that nothing up to it was changed, and a
//     change of one act shows in it and a removal in the next: see [Chain].
//   - Acts hold no personal data: staff and users are named by number, payout
//     accounts and names of people do not occur.
//
// # Not here
//
// Who may do what is decided before an act is recorded. What the system does by
// itself is not an act; money that moves is told by package ledger.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"fanli/core/fault"
)

// An Act is one thing that staff did.
type Act struct {
	ID     int64     // from 1, without gaps; set by the store
	At     time.Time // in whole milliseconds; the store sets it where it is zero
	Actor  string    // who: "cli", "telegram:12", "staff:3"
	Role   string    // as what: "operator", "finance"; may be empty
	What   string    // a stable key: "withdrawal.approve"
	On     string    // what it was done to: "withdrawal/7", "rule/12"
	Reason string    // in the words of the actor; may be empty
	Before string    // what it was; may be empty
	After  string    // what it became; may be empty
	Trace  string    // of the request that asked for it; may be empty
	Hash   string    // of this act and the one before, in hex; set by the store
}

// textMax bounds each text of an act, in bytes: an act is read by people.
const textMax = 4000

// Check fails with fault.Invalid for an act that says too little or too much.
func (a Act) Check() error {
	if a.Actor == "" || a.What == "" || a.On == "" {
		return fault.Newf(fault.Invalid, "audit.bad_act", "act %q on %q by %q", a.What, a.On, a.Actor)
	}
	for _, s := range []string{a.Actor, a.Role, a.What, a.On, a.Trace} {
		if len(s) > 191 {
			return fault.Newf(fault.Invalid, "audit.bad_act", "act %q has a name of %d bytes", a.What, len(s))
		}
	}
	for _, s := range []string{a.Reason, a.Before, a.After} {
		if len(s) > textMax {
			return fault.Newf(fault.Invalid, "audit.bad_act", "act %q has a text of %d bytes", a.What, len(s))
		}
	}
	return nil
}

// A Recorder is a transaction in which an act can be recorded. It should be the
// last thing that a transaction does: the chain has one end, for which all acts
// wait.
type Recorder interface {
	// Act records a. Its ID and Hash are given by the store.
	Act(a Act) error
}

// A Filter chooses acts; what is empty chooses all.
type Filter struct {
	Actor string
	What  string
	On    string
	From  time.Time // at this time or later
	Until time.Time // before this time
	Count int       // at most; must be above zero
}

// A Reader answers questions about acts.
type Reader interface {
	// Acts returns the acts that f chooses, newest first.
	Acts(ctx context.Context, f Filter) ([]Act, error)
	// WalkActs calls fn for every act, oldest first, in constant memory.
	WalkActs(ctx context.Context, fn func(Act) error) error
	// ActsEnd returns the number and the hash of the newest act as the store
	// remembers them apart from the acts: 0 and "" before the first.
	ActsEnd(ctx context.Context) (id int64, hash string, err error)
}

// Sum returns the hash of an act that follows the one whose hash is before ("" for
// the first). Each field goes in with its length, so that no two acts look alike.
func (a Act) Sum(before string) string {
	b := make([]byte, 0, 256)
	b = append(b, "fanli act 1\n"...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(a.At.UnixMilli()))
	for _, s := range []string{before, a.Actor, a.Role, a.What, a.On, a.Reason, a.Before, a.After, a.Trace} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// A Chain checks acts, fed to it oldest first.
type Chain struct {
	Count int64
	Head  string // hash of the last one
}

// Next says what is wrong with the act that comes next, or "".
func (c *Chain) Next(a Act) string {
	was := *c
	c.Count, c.Head = a.ID, a.Hash
	switch {
	case a.ID != was.Count+1:
		return fmt.Sprintf("act %d follows act %d: acts are missing or were renumbered", a.ID, was.Count)
	case a.Sum(was.Head) != a.Hash:
		return fmt.Sprintf("act %d (%s on %s by %s) does not have the hash of what it says: it or the act before it was changed", a.ID, a.What, a.On, a.Actor)
	default:
		return ""
	}
}

// Verify walks all acts and returns how many there are and the first difference,
// in words; "" if there is none.
func Verify(ctx context.Context, r Reader) (count int64, difference string, err error) {
	var c Chain
	err = r.WalkActs(ctx, func(a Act) error {
		count++
		if d := c.Next(a); d != "" && difference == "" {
			difference = d
		}
		return nil
	})
	if err != nil {
		return count, difference, err
	}
	id, hash, err := r.ActsEnd(ctx)
	if err == nil && difference == "" && (id != c.Count || hash != c.Head) {
		difference = fmt.Sprintf("the newest act is %d, but the store remembers the end at act %d: acts were cut off or the end was changed", c.Count, id)
	}
	return count, difference, err
}
