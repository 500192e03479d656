package order

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanli/core/audit"
	"fanli/core/fault"
)

// A Member is an account that a person has at a network, bound to them here because
// they have allowed it there: the network's rows name it as the buyer of what is bought
// with it. It is one person's until staff say otherwise; of two accounts of ours that are linked it is
// what either has, as long as they are.
type Member struct {
	Network string
	Tag     string // as it stands in rows
	User    int64
	At      time.Time
}

// Masked shows enough of the account for its owner to know it again.
func (m Member) Masked() string { return masked(m.Tag) }

// maskedLen is how much of a tag is shown at each end, where most of it stays hidden.
const maskedLen = 2

func masked(tag string) string {
	id := []rune(tag[strings.LastIndexByte(tag, '/')+1:])
	if len(id) < 4*maskedLen {
		return "****"
	}
	return string(id[:maskedLen]) + "****" + string(id[len(id)-maskedLen:])
}

// A Contest is that somebody wanted to bind an account that is somebody else's.
type Contest struct {
	ID      int64
	Network string
	Tag     string
	User    int64 // who wanted it
	Owner   int64 // who has it
	At      time.Time
}

// Masked is that of the account.
func (c Contest) Masked() string { return masked(c.Tag) }

// Members returns a person's bound accounts, oldest first.
func (b *Book) Members(ctx context.Context, user int64) ([]Member, error) {
	ms, err := b.Store.Members(ctx, user)
	return ms, fault.In("order.Members", err)
}

// BindMember binds an account at a network, named as rows name it, to a user, and looks
// again at its orders that are nobody's. The same again changes nothing and is returned.
// It fails with fault.Conflict and "member.taken" if it is another person's: it stays
// theirs, and staff are told. Whoever calls it has the network's word that the account
// is the user's.
func (b *Book) BindMember(ctx context.Context, network, tag string, user int64) (m Member, err error) {
	if network == "" || tag == "" || user <= 0 {
		return m, fault.Newf(fault.Invalid, "member.malformed", "network %q, user %d", network, user)
	}
	said := Member{network, tag, user, b.Now()}
	for again := true; again && err == nil; {
		m, again, err = b.bind(ctx, said)
	}
	return m, fault.In("order.BindMember", err)
}

// bind does one batch of lines. again reports whether there may be more.
func (b *Book) bind(ctx context.Context, said Member) (m Member, again bool, err error) {
	theirs := false
	err = b.Store.InTx(ctx, func(tx Tx) (err error) {
		again = false
		if m, err = tx.PutMember(said); err != nil {
			return err
		}
		if theirs, err = same(tx, m.User, said.User); err != nil {
			return err
		}
		if !theirs {
			return tx.PutContest(Contest{Network: said.Network, Tag: said.Tag, User: said.User, Owner: m.User, At: said.At})
		}
		open, err := tx.Unowned(said.Network, said.Tag, "", rerunMax)
		if err != nil {
			return err
		}
		if err := b.rerun(tx, open); err != nil {
			return err
		}
		again = len(open) == rerunMax && slices.ContainsFunc(open, func(l Line) bool { return l.User != 0 })
		return nil
	})
	if err == nil && !theirs {
		return Member{}, false, fault.New(fault.Conflict, "member.taken")
	}
	return m, again, err
}

// UnbindMembers takes a person's bound accounts from them, for staff, whose act is
// recorded, and returns how many there were: whoever allows it at the network can bind
// them anew. Lines stay whose they are.
func (b *Book) UnbindMembers(ctx context.Context, user int64, actor, reason string) (n int, err error) {
	const op = "order.UnbindMembers"
	if actor == "" || strings.TrimSpace(reason) == "" {
		return 0, fault.Newf(fault.Invalid, "member.reason", "who and why are needed")
	}
	ms, err := b.Store.Members(ctx, user)
	if err != nil {
		return 0, fault.In(op, err)
	}
	return n, fault.In(op, b.Store.InTx(ctx, func(tx Tx) error {
		n = 0
		for _, m := range ms {
			was, err := tx.DropMember(m.Network, m.Tag)
			if err != nil {
				return err
			}
			if !was {
				continue
			}
			n++
			now := b.Now()
			e, err := audit.Say(fmt.Sprintf("act/member/%s/%s/%d", m.Network, m.Tag, now.UnixMilli()), now, audit.Act{
				Actor: actor, What: "member.unbind", On: "user/" + strconv.FormatInt(user, 10), Reason: reason,
				Before: m.Network + " " + m.Masked(), After: "nobody",
			})
			if err != nil {
				return err
			}
			if err := tx.Emit(e); err != nil {
				return err
			}
		}
		return nil
	}))
}

// ticketMax is the longest that a ticket may be good for.
const ticketMax = 24 * time.Hour

// SpendTicket uses up a ticket, which is good until a time and for one use. It fails
// with fault.Conflict and "member.spent" for one that was used before, and with
// fault.Invalid and "member.ended" for one that has ended.
func (b *Book) SpendTicket(ctx context.Context, ticket string, until time.Time) error {
	now := b.Now()
	if ticket == "" || !until.After(now) || until.After(now.Add(ticketMax)) {
		return fault.New(fault.Invalid, "member.ended")
	}
	return fault.In("order.SpendTicket", b.Store.InTx(ctx, func(tx Tx) error {
		fresh, err := tx.SpendTicket(ticket, until, now)
		if err == nil && !fresh {
			err = fault.New(fault.Conflict, "member.spent")
		}
		return err
	}))
}

// byMember gives a line to whom its buyer's account is bound. That is stronger than a
// place and a time, which say who has asked and not who has bought, whoever's link it
// was; and weaker than what was decided of the same order before, by people or by their
// claims, and of the order that it was split from. A tag that is bound to nobody is
// another promoter's, or a forged one.
func byMember(r Revision, w Ways) (v verdict, ok bool) {
	user, bound := w.Members[r.Tag]
	if !bound {
		return verdict{}, false
	}
	if v, ok := bySplit(r, w); ok {
		return v, true
	}
	buyer := fmt.Sprintf("account %s at %s, which bought it, is bound to user %d", masked(r.Tag), r.Key.Network, user)
	said := w.decided(r)
	switch {
	case len(said) > 1:
		return verdict{}, false
	case len(said) == 1 && w.person(said[0]) != w.person(user):
		way, _ := asked(said[0], r, w)
		return verdict{said[0], way, ByKin, fmt.Sprintf("order %s was decided to be theirs; %s, which does not change that", r.Root(), buyer)}, true
	}
	way, _ := asked(user, r, w)
	if o, other := w.other(r, user); other {
		buyer += fmt.Sprintf("; link %d of user %d fits item, slot and time, which says who asked and not who bought", o.Link, o.User)
	}
	return verdict{user, way, ByMember, buyer}, true
}

// decided returns one account of each person to whom people, or their claims, have given
// what r's order number names.
func (w Ways) decided(r Revision) []int64 {
	users := slices.Clone(w.Decided[r.Root()])
	if r.Parent != "" {
		users = append(users, w.Decided[r.Order]...)
	}
	return w.persons(users)
}

// other returns the newest way of somebody else that fits a line.
func (w Ways) other(r Revision, user int64) (o Way, ok bool) {
	for _, way := range candidates(r, w.ByItem[r.Item]) {
		if (r.Slot == "" || way.Slot == r.Slot) && w.person(way.User) != w.person(user) {
			o, ok = way, true
		}
	}
	return o, ok
}

// tagged reports whether a tag of the line says whose it is, which nobody's word can
// change: the tag of a link, or one that is not ours. That of a buyer's account yields
// to people.
func (l *Line) tagged() bool { return l.Row().Tag != "" && (l.User == 0 || l.Step == ByTag) }
