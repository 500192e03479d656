package bottest

import (
	"context"
	"slices"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/user"
)

// setMembers lets people bind Taobao accounts from now on, or binds one: "members on",
// "members bind 2345678901 ann".
func (f *Fake) setMembers(args ...string) error {
	switch {
	case slices.Equal(args, []string{"on"}):
		f.Bot.MemberURL = func(id int64) (string, time.Time) {
			return "https://fanli.example/bind/taobao/" + strconv.FormatInt(id, 10), f.Clock.Now().Add(10 * time.Minute)
		}
		return nil
	case len(args) != 3 || args[0] != "bind":
		return errUsage
	}
	ctx := context.Background()
	u, err := f.users.Find(ctx, user.Identity{Channel: channel, External: args[2]})
	if err != nil {
		return err
	}
	_, err = f.book.BindMember(ctx, link.Taobao, "member/"+args[1], u.ID)
	if fault.ReasonOf(err) == "member.taken" { // staff are told
		err = nil
	}
	return f.after(err)
}

func (s orderStore) Members(_ context.Context, user int64) ([]order.Member, error) {
	return read(s.store, func() (out []order.Member, err error) {
		for _, m := range s.bound {
			if s.owners.root(m.User) == user {
				m.User = user
				out = append(out, m)
			}
		}
		return out, nil
	})
}

func (s orderStore) Contests(context.Context, time.Time, int) ([]order.Contest, error) {
	return read(s.store, func() ([]order.Contest, error) { return s.rivals, nil })
}

func (t orderTx) PutMember(m order.Member) (order.Member, error) {
	for _, o := range t.bound {
		if o.Network == m.Network && o.Tag == m.Tag {
			return o, nil
		}
	}
	t.bound = append(t.bound, m)
	return m, nil
}

func (t orderTx) DropMember(network, tag string) (bool, error) {
	n := len(t.bound)
	t.bound = slices.DeleteFunc(t.bound, func(m order.Member) bool { return m.Network == network && m.Tag == tag })
	return len(t.bound) < n, nil
}

func (t orderTx) PutContest(c order.Contest) error {
	t.rivals = append(t.rivals, c)
	return nil
}

func (t orderTx) SpendTicket(ticket string, _, _ time.Time) (bool, error) {
	fresh := !t.used[ticket]
	t.used[ticket] = true
	return fresh, nil
}
