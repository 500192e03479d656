package user

import (
	"context"
	"slices"
	"time"

	"fanli/core/fault"
)

// A Topic is a group of notices that people can turn off. What is told of security and of
// money that went wrong belongs to none, and cannot be turned off.
type Topic string

// The topics.
const (
	TopicOrders  Topic = "orders"  // orders and what they bring
	TopicMoney   Topic = "money"   // withdrawals that go well, and automatic ones
	TopicClaims  Topic = "claims"  // answers to claims and appeals
	TopicFriends Topic = "friends" // parts of friends' orders, and bonuses
	TopicMember  Topic = "member"  // memberships that begin and end
)

// Topics returns all topics, in the order in which they are shown.
func Topics() []Topic {
	return []Topic{TopicOrders, TopicMoney, TopicClaims, TopicFriends, TopicMember}
}

// Quiet are the hours of the day in which somebody wants no notices, in minutes since
// midnight, From inclusive, To exclusive. They may go over midnight. The zero Quiet is none.
type Quiet struct {
	From int
	To   int
}

// dayMinutes is a day.
const dayMinutes = 24 * 60

// IsZero reports whether there are no quiet hours.
func (q Quiet) IsZero() bool { return q == Quiet{} }

// Validate refuses hours that no day has, or that are a whole one, with fault.Invalid.
func (q Quiet) Validate() error {
	in := func(m int) bool { return m >= 0 && m < dayMinutes }
	if !q.IsZero() && (!in(q.From) || !in(q.To) || q.From == q.To) {
		return fault.New(fault.Invalid, "notices.quiet")
	}
	return nil
}

// Until returns when the quiet hours end in which now is, by the clock of now's zone; in
// is false outside of them.
func (q Quiet) Until(now time.Time) (end time.Time, in bool) {
	m := now.Hour()*60 + now.Minute()
	day := now.Day()
	switch {
	case q.From < q.To:
		in = q.From <= m && m < q.To
	case q.From > q.To:
		in = m >= q.From || m < q.To
		if m >= q.From {
			day++
		}
	}
	if !in {
		return time.Time{}, false
	}
	return time.Date(now.Year(), now.Month(), day, q.To/60, q.To%60, 0, 0, now.Location()), true
}

// Notices is what somebody wants to be told unasked, and when. The zero value is everything,
// at once.
type Notices struct {
	Off   []Topic // in the order of Topics
	Quiet Quiet
}

// Wants reports whether notices of a topic are wanted; those of none always are.
func (n Notices) Wants(t Topic) bool { return t == "" || !slices.Contains(n.Off, t) }

// A NoticesChange says what becomes different; the rest stays.
type NoticesChange struct {
	Off   []Topic
	On    []Topic
	Quiet *Quiet // nil: as it is; the zero Quiet: no quiet hours any more
}

// Validate refuses topics that there are not, and hours as [Quiet.Validate] does, with
// fault.Invalid.
func (c NoticesChange) Validate() error {
	for _, t := range slices.Concat(c.Off, c.On) {
		if !slices.Contains(Topics(), t) {
			return fault.New(fault.Invalid, "notices.topic")
		}
	}
	if c.Quiet == nil {
		return nil
	}
	return c.Quiet.Validate()
}

// of is n with the change.
func (c NoticesChange) of(n Notices) Notices {
	var off []Topic
	for _, t := range Topics() {
		if (!n.Wants(t) || slices.Contains(c.Off, t)) && !slices.Contains(c.On, t) {
			off = append(off, t)
		}
	}
	n.Off = off
	if c.Quiet != nil {
		n.Quiet = *c.Quiet
	}
	return n
}

// Notices returns what a person wants to be told: the older account's wish or, if it has
// never said, that of the account that was linked. It is never cached.
func (d *Directory) Notices(ctx context.Context, user int64) (Notices, error) {
	all, err := d.members(ctx, user)
	if err != nil {
		return Notices{}, fault.In("user.Notices", err)
	}
	n, err := wishOf(all, func(id int64) (Notices, error) { return d.Store.Notices(ctx, id) })
	return n, fault.In("user.Notices", err)
}

// wishOf returns the first wish that an account of a person has.
func wishOf(all []member, get func(id int64) (Notices, error)) (Notices, error) {
	for _, m := range all {
		n, err := get(m.id)
		if !fault.Is(err, fault.NotFound) {
			return n, err
		}
	}
	return Notices{}, nil
}

// ChangeNotices changes what a person wants to be told, and returns all of it. It counts
// from now on, also for what was written before and is not told yet. What an account that
// was linked had said is kept for it, in case that they are taken apart again. It fails with
// fault.Invalid for what [NoticesChange.Validate] refuses.
func (d *Directory) ChangeNotices(ctx context.Context, user int64, c NoticesChange) (n Notices, err error) {
	const op = "user.ChangeNotices"
	if err := c.Validate(); err != nil {
		return n, fault.In(op, err)
	}
	all, err := d.members(ctx, user)
	if err != nil {
		return n, fault.In(op, err)
	}
	err = d.Store.InTx(ctx, func(tx Tx) error {
		was, err := wishOf(all, tx.Notices)
		if err != nil {
			return err
		}
		n = c.of(was)
		return tx.SetNotices(all[0].id, n)
	})
	return n, fault.In(op, err)
}
