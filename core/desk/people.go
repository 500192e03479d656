package desk

import (
	"context"
	"slices"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

// A Register is the part of the user target's station that knows people.
type Register struct {
	People *user.Directory
	Roster *Roster
	// Joined returns how many have joined from one time until another.
	Joined func(ctx context.Context, from, until time.Time) (int64, error)
	Now    func() time.Time
	Zone   *time.Location
}

// Handlers are its acts.
func (r Register) Handlers() map[string]Handler {
	out := r.Roster.handlers()
	out["user"], out["report"], out["todo"], out[AlertsAct] = r.user, r.report, r.todo, r.alerts
	return out
}

// stuckMax bounds the merges that are looked at: more of them have one cause.
const stuckMax = 50

// stuck are the merges that do not get on.
func (r Register) stuck(ctx context.Context) ([]user.Merge, error) {
	if r.People.Merges == nil {
		return nil, nil
	}
	return r.People.Merges.StuckMerges(ctx, r.Now().Add(-user.MergeStuckAfter), stuckMax)
}

func mergeItem(m user.Merge) Item {
	return Item{Title: LMerge, ID: strconv.FormatInt(m.ID, 10), Wrong: true, Fields: []Field{
		text(LState, string(m.Stage)), moment(LSince, m.Changed),
	}}
}

func (r Register) todo(ctx context.Context, _ Act) (out Answer, err error) {
	ms, err := r.stuck(ctx)
	for _, m := range ms[:min(len(ms), listMax)] {
		out.Items = append(out.Items, mergeItem(m))
	}
	out.More = len(ms) - len(out.Items)
	return out, err
}

// alerts are the merges that do not get on.
func (r Register) alerts(ctx context.Context, _ Act) (out Answer, err error) {
	ms, err := r.stuck(ctx)
	for _, m := range ms {
		out.Items = append(out.Items, alertItem("merge/"+strconv.FormatInt(m.ID, 10), MergeStuck, mergeItem(m)))
	}
	return out, err
}

func (r Register) user(ctx context.Context, a Act) (out Answer, err error) {
	id, err := number(a.arg(0))
	if err != nil {
		return out, err
	}
	u, err := r.People.User(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return out, fault.New(fault.NotFound, "desk.no_user")
	}
	if err != nil {
		return out, err
	}
	level, _, err := r.People.Level(ctx, id)
	if err != nil {
		return out, err
	}
	invited, err := r.People.Invited(ctx, id)
	if err != nil {
		return out, err
	}
	payee, err := r.People.Payee(ctx, id)
	if err != nil {
		return out, err
	}
	ids, err := r.People.Identities(ctx, id)
	i := Item{Title: LUser, ID: strconv.FormatInt(id, 10), Fields: []Field{
		moment(LJoined, u.Joined), count(LLevel, int64(level)), count(LInvited, int64(invited)),
	}}
	var channels []string
	for _, x := range ids {
		if !slices.Contains(channels, x.Channel) {
			channels = append(channels, x.Channel)
			i.Fields = append(i.Fields, text(LChannel, x.Channel))
		}
	}
	if !payee.IsZero() {
		i.Fields = append(i.Fields, text(LPayee, payee.String()))
	}
	out.Items = []Item{i}
	return out, err
}

func (r Register) report(ctx context.Context, a Act) (out Answer, err error) {
	from, until, err := Day(a.arg(0), r.Now(), r.Zone)
	if err != nil || r.Joined == nil {
		return out, err
	}
	n, err := r.Joined(ctx, from, until)
	out.Items = []Item{{Title: LUsers, Fields: []Field{count(LJoined, n)}}}
	return out, err
}
