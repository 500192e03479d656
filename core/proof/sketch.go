package proof

import (
	"hash/maphash"

	"fanli/core/collect"
	"fanli/core/ledger"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// A sketch finds out whether two long lists of amounts say the same about every
// name, in a fixed amount of memory: what the entries give to a name goes in
// with plus, what is booked for it with minus, each amount times a random number
// that belongs to the name. If both lists agree, every bucket is zero. If they
// do not, a bucket is zero all the same once in some 2^40 times, and the numbers
// are others in every run.
type sketch struct {
	seed    maphash.Seed
	buckets []uint64
	persons map[int64]int64 // of accounts that were ever merged: one of them
}

// sketchBits is the size of a sketch: with more buckets, fewer names have to be
// looked at when one differs.
const sketchBits = 16

func newSketch() *sketch {
	return &sketch{seed: maphash.MakeSeed(), buckets: make([]uint64, 1<<sketchBits)}
}

// cause returns the number that belongs to a cause.
func (s *sketch) cause(c string) uint64 { return maphash.String(s.seed, c) }

// bucket returns where a cause is counted.
func bucket(cause uint64) int { return int(cause >> (64 - sketchBits)) }

// add counts an amount for a part of a cause.
func (s *sketch) add(cause uint64, part uint64, amount money.Fen) {
	s.buckets[bucket(cause)] += mix(cause^mix(part)) * uint64(amount)
}

// first returns the first bucket that is not zero, and how many there are.
func (s *sketch) first() (at, count int) {
	at = -1
	for i, b := range s.buckets {
		if b != 0 {
			if at < 0 {
				at = i
			}
			count++
		}
	}
	return at, count
}

// mix spreads a number over all bits (the finisher of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// What a part of a cause is about.
const (
	partPending uint64 = iota + 1
	partAvailable
	partMargin
	partTopUp
	partReserve
	partRelease
	partPayout
	partCollected
	partRefunded
	partMerged
)

// partNames say in words what a part is.
var partNames = map[uint64]string{
	partPending: "pending", partAvailable: "available or debt", partMargin: "margin of the house", partTopUp: "added by a budget",
	partReserve: "reserved", partRelease: "released", partPayout: "paid out", partCollected: "collected", partRefunded: "given back",
	partMerged: "moved between two users",
}

// A demand is what a cause must have moved in all, in one part.
type demand struct {
	part   uint64
	user   int64
	payer  string // or a collector, with the account of the house
	amount money.Fen
}

// one says of two users that they have been one person. What is booked for one of them
// may have been moved for the other.
func (s *sketch) one(a, b int64) {
	if s.persons == nil {
		s.persons = map[int64]int64{}
	}
	if a, b = s.person(a), s.person(b); a != b {
		s.persons[max(a, b)] = min(a, b)
	}
}

// person returns the one that stands for a user.
func (s *sketch) person(user int64) int64 {
	for {
		to, ok := s.persons[user]
		if !ok {
			return user
		}
		user = to
	}
}

// of returns the number of a part.
func (s *sketch) of(d demand) uint64 {
	d.user = s.person(d.user)
	n := d.part<<56 ^ uint64(d.user)
	if d.payer != "" {
		n ^= maphash.String(s.seed, d.payer)
	}
	return n
}

// lineDemands are what a line must have moved. Available and debt are one: what
// is not there any more is taken from the user's debt instead.
func lineDemands(l *Line) [8]demand {
	first, second := l.Cuts[0], l.Cuts[1]
	return [8]demand{
		{part: partPending, user: l.User, amount: l.Pending},
		{part: partAvailable, user: l.User, amount: l.Available},
		{part: partMargin, amount: l.Margin},
		{part: partTopUp, amount: l.TopUp},
		{part: partPending, user: first.User, amount: first.Pending},
		{part: partAvailable, user: first.User, amount: first.Available},
		{part: partPending, user: second.User, amount: second.Pending},
		{part: partAvailable, user: second.User, amount: second.Available},
	}
}

// withdrawalDemands are what a withdrawal must have moved.
func withdrawalDemands(w *Withdrawal) (ds [2]demand) {
	ds[0] = demand{part: partReserve, user: w.User, amount: w.Amount}
	switch w.State {
	case withdraw.Paid:
		ds[1] = demand{part: partPayout, user: w.User, payer: w.Payer, amount: w.Amount}
	case withdraw.Failed, withdraw.Refused, withdraw.Cancelled:
		ds[1] = demand{part: partRelease, user: w.User, amount: w.Amount}
	case withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Sending, withdraw.Confirming, withdraw.Unknown:
	default:
	}
	return ds
}

// chargeDemands are what a charge must have moved.
func chargeDemands(c *Charge) (ds [2]demand) {
	through := way(c.Collector, c.Account)
	if c.Stage.Taken() {
		ds[0] = demand{part: partCollected, payer: through, amount: c.Paid}
	}
	if c.Stage == collect.Refunded {
		ds[1] = demand{part: partRefunded, payer: through, amount: c.Paid}
	}
	return ds
}

// mergeDemands are what a merge must have moved.
func mergeDemands(m *Merge) (ds []demand) {
	move := func(from, to ledger.Account, amount money.Fen) {
		ds = append(ds, demand{part: partMerged, payer: passage(from, to), amount: amount})
	}
	a := func(p ledger.Pocket) ledger.Account { return ledger.User(m.Absorbed, p) }
	s := func(p ledger.Pocket) ledger.Account { return ledger.User(m.Survivor, p) }
	if m.There {
		move(a(ledger.Pending), s(ledger.Pending), m.Pending)
		move(a(ledger.Available), s(ledger.Available), m.Available)
		move(s(ledger.Debt), a(ledger.Debt), m.Debt)
	}
	if m.Back {
		move(s(ledger.Pending), a(ledger.Pending), m.BackPending)
		move(s(ledger.Debt), s(ledger.Available), m.Repaid)
		move(s(ledger.Available), a(ledger.Available), max(m.BackNet, 0))
		move(a(ledger.Debt), s(ledger.Available), max(-m.BackNet, 0))
	}
	return ds
}

// passage names the way of an entry between two users.
func passage(from, to ledger.Account) string { return string(from) + " to " + string(to) }

// way names a collector and the account that its money went to.
func way(collector string, account ledger.Account) string {
	return collector + " and " + string(account)
}

// moved are the demands that an entry meets, and how many there are.
func moved(kind ledger.Kind, from, to *holder, amount money.Fen) (ds [2]demand, n int) {
	switch kind {
	case ledger.Bonus:
		switch ledger.ClassNetwork {
		case to.class:
			ds[0], n = demand{part: partTopUp, amount: amount}, 1
		case from.class:
			ds[0], n = demand{part: partTopUp, amount: -amount}, 1
		default: // a gift, which no line demands
		}
	case ledger.Invite, ledger.Campaign: // gifts, which no line demands
	case ledger.Fee: // by the bill, which no charge knows
	case ledger.Earn, ledger.Adjust, ledger.Settle, ledger.Revoke, ledger.Claw, ledger.Keep, ledger.Refer:
		for _, side := range [2]struct {
			h *holder
			n money.Fen
		}{{from, -amount}, {to, amount}} {
			switch side.h.class {
			case ledger.ClassPending:
				ds[n] = demand{part: partPending, user: side.h.user, amount: side.n}
			case ledger.ClassAvailable, ledger.ClassDebt:
				ds[n] = demand{part: partAvailable, user: side.h.user, amount: side.n}
			case ledger.ClassMargin:
				ds[n] = demand{part: partMargin, amount: side.n}
			default:
				continue
			}
			n++
		}
	case ledger.Reserve:
		ds[0], n = demand{part: partReserve, user: from.user, amount: amount}, 1
	case ledger.Release:
		ds[0], n = demand{part: partRelease, user: from.user, amount: amount}, 1
	case ledger.Payout:
		ds[0], n = demand{part: partPayout, user: from.user, payer: to.short(), amount: amount}, 1
	case ledger.Collect:
		ds[0], n = demand{part: partCollected, payer: way(from.short(), to.account()), amount: amount}, 1
	case ledger.Merge:
		ds[0], n = demand{part: partMerged, payer: passage(from.account(), to.account()), amount: amount}, 1
	case ledger.Refund:
		ds[0], n = demand{part: partRefunded, payer: way(to.short(), from.account()), amount: amount}, 1
	default:
	}
	return ds, n
}
