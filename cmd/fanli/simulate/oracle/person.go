package oracle

import (
	"slices"
	"time"
)

// A Union is somebody's word, given on two channels, that two accounts are theirs.
type Union struct {
	Accounts [2]int64
	At       time.Time
	Until    time.Time // when they took it back; zero: it holds
}

// people says which accounts are one person's. Such a person is called by their oldest
// account, which has the smallest number.
type people []Union

// root is who an account is in the end.
func (p people) root(account int64) int64 { return p.who(account, time.Time{}) }

// who is whose an account was at a time, by those words that hold in the end; at no time
// it is whose it is for good.
func (p people) who(account int64, at time.Time) int64 {
	for i := 0; i < len(p); i++ {
		u := p[i]
		older, younger := min(u.Accounts[0], u.Accounts[1]), max(u.Accounts[0], u.Accounts[1])
		if account == younger && u.Until.IsZero() && (at.IsZero() || !u.At.After(at)) {
			account, i = older, -1
		}
	}
	return account
}

// accounts are all accounts that were one person's with an account at a time, also those
// that were taken apart later. What happened at the moment at which they asked to be linked
// was before: linking takes time.
func (p people) accounts(account int64, at time.Time) []int64 {
	all := []int64{account}
	for i := 0; i < len(all); i++ {
		for _, u := range p {
			holds := u.At.Before(at) && (u.Until.IsZero() || u.Until.After(at))
			if !holds || !slices.Contains(u.Accounts[:], all[i]) {
				continue
			}
			for _, a := range u.Accounts {
				if !slices.Contains(all, a) {
					all = append(all, a)
				}
			}
		}
	}
	return all
}

// lent is the link of a person's for those of their accounts that have none: what was
// asked for as somebody else was asked for by them.
func (p people) lent(links map[int64]Link, account int64) (newest Link, ok bool) {
	if own, has := links[account]; has || len(p) == 0 {
		return own, has
	}
	for _, l := range links {
		if p.root(l.User) == p.root(account) && (!ok || l.nth > newest.nth) {
			newest, ok = l, true
		}
	}
	return newest, ok
}

// one leaves of each person the newest of their accounts' links, by who that is.
func (p people) one(links map[int64]Link) map[int64]Link {
	out := map[int64]Link{}
	for _, l := range links {
		who := p.root(l.User)
		if had, ok := out[who]; !ok || l.nth > had.nth {
			out[who] = l
		}
	}
	return out
}
