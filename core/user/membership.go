package user

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
)

// A Grant is a level that a user has for a while, because of one payment. A user's
// level is the highest of their own and of the grants that are in force: it falls
// back by itself when the last one ends.
type Grant struct {
	Cause   string // unique: "charge/7"
	User    int64
	Level   int
	From    time.Time
	Until   time.Time
	Revoked bool // the payment was given back
	Told    bool // that it has ended
}

// inForce reports whether the grant counts at a time.
func (g Grant) inForce(at time.Time) bool {
	return !g.Revoked && !at.Before(g.From) && at.Before(g.Until)
}

// MembershipChanged is the content of membership.changed.
type MembershipChanged struct {
	User  int64     `json:"user"`
	Level int       `json:"level"` // from now on
	Until time.Time `json:"until"` // zero for good
	Days  int       `json:"days"`  // bought just now; 0 if something ended
}

// charged is what this package needs of charge.changed.
type charged struct {
	ID      int64     `json:"id"`
	Purpose string    `json:"purpose"`
	User    int64     `json:"user"`
	What    string    `json:"what"`
	Stage   string    `json:"stage"`
	At      time.Time `json:"at"`
}

// Limits of what is on sale.
const (
	levelMax = 99
	daysMax  = 3660
)

// What says what a membership is, for whoever asks for its price.
func What(level, days int) string { return "level/" + strconv.Itoa(level) + "/" + strconv.Itoa(days) }

// parseWhat reads What.
func parseWhat(s string) (level, days int, err error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || parts[0] != "level" {
		return 0, 0, fault.Newf(fault.Invalid, "", "%q is no membership", s)
	}
	level, err = strconv.Atoi(parts[1])
	if err == nil {
		days, err = strconv.Atoi(parts[2])
	}
	if err != nil || level < 1 || level > levelMax || days < 1 || days > daysMax {
		return 0, 0, fault.Newf(fault.Invalid, "", "%q is no membership", s)
	}
	return level, days, nil
}

// ChargeChanged hears charge.changed: a membership that was paid for begins, or goes
// on after the one of the same level that runs; one that is given back ends.
func (d *Directory) ChargeChanged(ctx context.Context, e event.Event) error {
	const op = "user.ChargeChanged"
	var c charged
	if err := e.Decode(&c); err != nil {
		return fault.Wrap(fault.Invalid, op, err)
	}
	received, back := c.Stage == "received", c.Stage == "refunding"
	if c.Purpose != "membership" || !received && !back {
		return nil
	}
	level, days, err := parseWhat(c.What)
	if err != nil {
		return fault.In(op, err)
	}
	g := Grant{Cause: "charge/" + strconv.FormatInt(c.ID, 10), User: c.User, Level: level, From: c.At, Until: c.At, Revoked: back}
	return d.Store.InTx(ctx, func(tx Tx) error {
		if before, err := tx.Handled(e.ID); err != nil || before {
			return err
		}
		gs, err := tx.Grants(c.User)
		if err != nil {
			return err
		}
		if received {
			g.From = follows(gs, g)
			g.Until = g.From.AddDate(0, 0, days)
		}
		if g, err = tx.Grant(g); err != nil { // what came first of the two news counts with what it says
			return err
		}
		if received && g.Revoked || back && !runs(gs, g.Cause) {
			return nil
		}
		if back {
			days = 0
		}
		return d.tell(tx, e.ID, append(without(gs, g.Cause), g), c.User, days)
	})
}

// follows says when a grant begins: now, or when the last of its level ends.
func follows(gs []Grant, g Grant) time.Time {
	from := g.From
	for _, o := range gs {
		if o.Level == g.Level && !o.Revoked && o.Until.After(from) {
			from = o.Until
		}
	}
	return from
}

// runs reports whether a grant with a cause was there and not revoked.
func runs(gs []Grant, cause string) bool {
	return slices.ContainsFunc(gs, func(g Grant) bool { return g.Cause == cause && !g.Revoked })
}

func without(gs []Grant, cause string) (out []Grant) {
	for _, g := range gs {
		if g.Cause != cause {
			out = append(out, g)
		}
	}
	return out
}

// tell says which level somebody has from now on.
func (d *Directory) tell(tx Tx, id string, gs []Grant, user int64, days int) error {
	own, err := tx.Level(user)
	if err != nil {
		return err
	}
	level, until := levelOf(own, gs, d.Now())
	e, err := event.New("membership/"+id, event.MembershipChanged, d.Now(), MembershipChanged{user, level, until, days})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// levelOf returns the level that somebody has, and until when at least.
func levelOf(own int, gs []Grant, now time.Time) (level int, until time.Time) {
	level = own
	for _, g := range gs {
		if g.inForce(now) && g.Level > level {
			level = g.Level
		}
	}
	if level == own {
		return level, time.Time{}
	}
	for _, g := range gs { // several follow each other
		if g.Level == level && !g.Revoked && g.Until.After(now) && g.Until.After(until) {
			until = g.Until
		}
	}
	return level, until
}

// Level returns the level that a user has now and until when; a zero time for good. It
// is the highest of all accounts of the person.
func (d *Directory) Level(ctx context.Context, user int64) (level int, until time.Time, err error) {
	own := 0
	gs, err := of(ctx, d, user, func(ctx context.Context, id int64) ([]Grant, error) {
		u, err := d.Store.User(ctx, id)
		if err != nil {
			return nil, err
		}
		own = max(own, u.Level)
		return d.Store.Grants(ctx, id)
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	level, until = levelOf(own, gs, d.Now())
	return level, until, nil
}

// endsMax bounds how many memberships one run tells of.
const endsMax = 100

// EndMemberships tells of memberships that have ended, one bounded batch, and
// returns how many. The level itself does not wait for it.
func (d *Directory) EndMemberships(ctx context.Context) (n int, err error) {
	ended, err := d.Store.Ended(ctx, d.Now(), endsMax)
	if err != nil {
		return 0, err
	}
	for _, g := range ended {
		err := d.Store.InTx(ctx, func(tx Tx) error {
			fresh, err := tx.TellEnd(g.Cause)
			if err != nil || !fresh {
				return err
			}
			gs, err := tx.Grants(g.User)
			if err != nil {
				return err
			}
			for _, o := range gs {
				if o.Level >= g.Level && o.inForce(d.Now()) { // nothing has ended for them
					return nil
				}
			}
			return d.tell(tx, g.Cause+"/ended", gs, g.User, 0)
		})
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
