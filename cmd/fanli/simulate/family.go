package simulate

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"fanli/cmd/fanli/simulate/oracle"
	"fanli/core/event"
	"fanli/core/link"
	"fanli/core/proof"
	"fanli/core/user"
)

// familyMax bounds the accounts of one person.
const familyMax = 3

// sagaMax is in how many rounds of the jobs a merge has to end, lost news included, and
// resumeEvery after how many of them somebody says again what it waits for.
const (
	sagaMax     = 200
	resumeEvery = 3
)

// A family is one person outside, who has several accounts, as from several channels.
// Those who will part again never ask for the same goods through two of them, and have
// friends through the oldest alone: whose an order is that came meanwhile, and who earns
// from it, would depend on when we hear of it.
type family struct {
	members []*person // oldest first
	parts   bool      // they will want to undo it
}

// drawFamilies draws whether people have several accounts in this world. What happens
// to them has chance of its own: other worlds do not change with it.
func drawFamilies(seed uint64) *rand.Rand {
	if r := rand.New(rand.NewPCG(seed, 4)); r.IntN(3) == 0 {
		return r
	}
	return nil
}

// adopt draws whether somebody new is somebody who is there already.
func (w *world) adopt(p *person) {
	if w.kin == nil || len(w.users) == 0 || w.kin.IntN(5) < 2 {
		return
	}
	q := w.users[w.kin.IntN(len(w.users))]
	if q.family == nil {
		q.family = &family{members: []*person{q}, parts: w.kin.IntN(3) == 0}
	}
	if len(q.family.members) == familyMax {
		return
	}
	p.family = q.family
	p.family.members = append(p.family.members, p)
	if w.fixed { // goods that nobody had asked for come at the level of the day on which we hear of them
		p.level = q.level
	}
}

// as is the account under which somebody is known now.
func (w *world) as(p *person) *person {
	for p.into != nil {
		p = p.into
	}
	return p
}

// level is a person's: the highest of all their accounts', memberships among them.
func (w *world) level(p *person) int {
	level, accounts := p.level, []int64{p.id}
	if p.family != nil {
		for _, m := range p.family.members {
			if w.as(m) == p {
				level, accounts = max(level, m.level), append(accounts, m.id)
			}
		}
	}
	if !p.buys {
		return level
	}
	return oracle.Level(w.charges(), accounts, level, w.at)
}

// hides reports whether an account is kept from friends and from others' orders.
func (p *person) hides() bool { return p.family != nil && p.family.parts && p != p.family.members[0] }

// goods are those that somebody asks for through this account, rather than others of
// three: those who will part, and everybody on Taobao, whose confirmed digits decide
// between two who fit, have not asked for the same through another one.
func (p *person) goods(n *net, of int) int {
	if p.family == nil || !p.family.parts && n.name != link.Taobao {
		return of
	}
	return of - of%familyMax + slices.Index(p.family.members, p)
}

// person finds a user.
func (w *world) person(id int64) *person {
	for _, p := range w.users {
		if p.id == id {
			return p
		}
	}
	return &person{id: id}
}

// twice reports whether somebody but this user, of the same family, has asked for goods.
func (w *world) twice(id int64, network, item string) bool {
	f := w.person(id).family
	return f != nil && slices.ContainsFunc(w.links, func(l oracle.Link) bool {
		return l.Network == network && l.Item == item && l.User != id && w.person(l.User).family == f
	})
}

// familiar reports whether somebody with several accounts has asked for goods.
func (w *world) familiar(network, item string) bool {
	return slices.ContainsFunc(w.links, func(l oracle.Link) bool {
		return l.Network == network && l.Item == item && w.person(l.User).family != nil
	})
}

// families lets somebody link two of their accounts, or take that back.
func (w *world) families(ctx context.Context) {
	if w.kin == nil || w.kin.IntN(2) == 0 {
		return
	}
	f := w.users[w.kin.IntN(len(w.users))].family
	if f == nil {
		return
	}
	var roots []*person
	for _, m := range f.members {
		if m.into == nil {
			roots = append(roots, m)
		}
	}
	if parting := f.parts && len(roots) < len(f.members) && w.kin.IntN(2) == 0; parting {
		w.part(ctx, w.as(f.members[w.kin.IntN(len(f.members))]))
		return
	}
	if len(roots) < 2 {
		return
	}
	w.kin.Shuffle(len(roots), func(i, j int) { roots[i], roots[j] = roots[j], roots[i] })
	w.unite(ctx, roots[0], roots[1])
}

// unite lets somebody link two accounts by a code.
func (w *world) unite(ctx context.Context, here, there *person) {
	var m user.Merge
	err := w.try(ctx, func() error {
		c, err := w.house.users.MakeLinkCode(ctx, there.id)
		if err == nil {
			m, err = w.house.users.Link(ctx, here.id, there.id, c.Code)
		}
		if m.ID != 0 && m.Stage.UnderWay() { // it began before we died
			err = nil
		}
		return err
	})
	if m.ID == 0 { // a code cannot be made while a merge is under way
		m, err = w.house.users.LastMerge(ctx, here.id)
	}
	at := w.at
	w.note("user %d and user %d link their accounts: %v", here.id, there.id, err == nil)
	if err != nil {
		w.wrong("accounts %d and %d cannot be linked: %v", here.id, there.id, err)
		return
	}
	m = w.saga(ctx, m.ID)
	w.note("merge %d of user %d into user %d is %s, %q", m.ID, m.Absorbed, m.Survivor, m.Stage, m.Reason)
	if m.Stage != user.MergeDone {
		return
	}
	w.tally.Merges++
	w.person(m.Absorbed).into = w.person(m.Survivor)
	w.unions = append(w.unions, oracle.Union{Accounts: [2]int64{here.id, there.id}, At: at})
}

// part lets somebody undo their newest merge.
func (w *world) part(ctx context.Context, p *person) {
	var m user.Merge
	err := w.try(ctx, func() (err error) { m, err = w.house.users.Unlink(ctx, p.id); return err })
	w.note("user %d wants two accounts again: %v", p.id, err == nil)
	if err != nil { // too late, or there is nothing to undo
		return
	}
	m = w.saga(ctx, m.ID)
	w.note("merge %d of user %d into user %d is %s, %q", m.ID, m.Absorbed, m.Survivor, m.Stage, m.Reason)
	if m.Stage != user.MergeUndone {
		return
	}
	w.tally.Merges++
	w.person(m.Absorbed).into = nil
	for i := range w.unions {
		u := &w.unions[i]
		if slices.Contains(u.Accounts[:], m.Absorbed) && slices.Contains(u.Accounts[:], m.Survivor) && u.Until.IsZero() {
			u.Until = w.at
		}
	}
}

// saga lets the jobs run until a merge has ended. News of it may get lost: somebody says
// it again then.
func (w *world) saga(ctx context.Context, id int64) (m user.Merge) {
	for i := range sagaMax {
		w.at = w.at.Add(time.Second)
		if i%resumeEvery == 0 { // networks are not asked each second
			w.work(ctx)
		} else {
			_ = w.try(ctx, func() error { return w.house.pass(ctx, w) }) // what is wrong is kept
		}
		var err error
		m, err = w.db.Merges().Merge(ctx, id)
		if err == nil && !m.Stage.UnderWay() {
			return m
		}
		if i%resumeEvery == resumeEvery-1 {
			err = w.try(ctx, func() error { _, err := w.house.users.ResumeMerge(ctx, id, "staff", "stuck"); return err })
			w.note("merge %d is %s; said again: %v", id, m.Stage, err == nil)
		}
	}
	w.wrong("merge %d has not ended: %s", id, m.Stage)
	return m
}

// unruly is a hearer to whom news of merges comes twice, late, or not at all.
func (w *world) unruly(hear event.Handler) event.Handler {
	var old []event.Event
	return func(ctx context.Context, e event.Event) error {
		if w.ill.strikes(Lost, 1) { // given up by the relay
			return nil
		}
		if err := hear(ctx, e); err != nil {
			return err
		}
		old = append(old, e)
		if w.ill.strikes(Duplicate, 3) {
			if err := hear(ctx, e); err != nil {
				return err
			}
		}
		if !w.ill.strikes(Reorder, 3) {
			return nil
		}
		return hear(ctx, old[w.ill.rng.IntN(len(old))])
	}
}

// ever is who an account is or was for a while, also by way of others: a line's entries
// may be of any of them.
func (w *world) ever(account int64) int64 {
	all := []int64{account}
	for i := 0; i < len(all); i++ {
		for _, u := range w.unions {
			if !slices.Contains(u.Accounts[:], all[i]) {
				continue
			}
			for _, a := range u.Accounts {
				if !slices.Contains(all, a) {
					all = append(all, a)
				}
			}
		}
	}
	return slices.Min(all)
}

// audit is the whole of `fanli audit` where accounts were merged: it holds the entries of
// each merge against what the merge has kept. What is planted may show there, too.
func (w *world) audit(ctx context.Context) (faults []string) {
	if w.kin == nil || w.opt.Plant != Sound {
		return nil
	}
	err := w.db.Prove(ctx, func(src proof.Source) error {
		r, err := (&proof.Prover{}).Prove(ctx, src)
		faults = r.Faults
		return err
	})
	if err != nil {
		faults = append(faults, err.Error())
	}
	return faults
}
