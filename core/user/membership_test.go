package user_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

func (p *people) grantsOf(id int64) (out []user.Grant) {
	for _, g := range p.grants {
		if g.User == id {
			out = append(out, g)
		}
	}
	return out
}

func (p *people) Grants(_ context.Context, id int64) ([]user.Grant, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.grantsOf(id), nil
}

func (p *people) Ended(_ context.Context, now time.Time, count int) (out []user.Grant, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.grants {
		if !g.Told && !g.Revoked && !g.Until.After(now) && len(out) < count {
			out = append(out, g)
		}
	}
	return out, nil
}

func (t tx) Handled(id string) (bool, error) {
	before := t.heard[id]
	t.heard[id] = true
	return before, nil
}

func (t tx) Level(id int64) (int, error)           { return t.users[id].Level, nil }
func (t tx) Grants(id int64) ([]user.Grant, error) { return t.grantsOf(id), nil }

func (t tx) Grant(g user.Grant) (user.Grant, error) {
	for i, o := range t.grants {
		if o.Cause == g.Cause {
			t.grants[i].Revoked = o.Revoked || g.Revoked
			return t.grants[i], nil
		}
	}
	t.grants = append(t.grants, g)
	return g, nil
}

func (t tx) TellEnd(cause string) (bool, error) {
	i := slices.IndexFunc(t.grants, func(g user.Grant) bool { return g.Cause == cause && !g.Told })
	if i >= 0 {
		t.grants[i].Told = true
	}
	return i >= 0, nil
}

// A club is a directory with a clock and a member, ann.
type club struct {
	*user.Directory
	t   *testing.T
	p   *people
	now time.Time
	ann int64
	rev int
}

func openClub(t *testing.T) *club {
	t.Helper()
	c := &club{t: t, p: newPeople(), now: start}
	c.p.again = true
	c.Directory = &user.Directory{Store: c.p, Now: func() time.Time { return c.now }}
	u, _, err := c.Resolve(t.Context(), user.Identity{Channel: "web", External: "ann"}, "zh")
	if err != nil {
		t.Fatal(err)
	}
	c.ann, c.p.said = u.ID, nil
	return c
}

// charge is an event about a charge of ann's.
func (c *club) charge(id int, stage, what string) event.Event {
	c.t.Helper()
	c.rev++
	e, err := event.New(fmt.Sprintf("charge/%d/%s", id, stage), event.ChargeChanged, c.now, map[string]any{
		"id": id, "purpose": "membership", "user": c.ann, "what": what, "stage": stage, "at": c.now,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

func (c *club) hear(es ...event.Event) {
	c.t.Helper()
	for _, e := range es {
		if err := c.ChargeChanged(c.t.Context(), e); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *club) want(what string, level, days int) {
	c.t.Helper()
	got, until, err := c.Level(c.t.Context(), c.ann)
	left := 0
	if !until.IsZero() {
		left = int(until.Sub(start).Hours() / 24)
	}
	if err != nil || got != level || left != days {
		c.t.Errorf("%s: level %d until day %d, %v; want %d until day %d", what, got, left, err, level, days)
	}
}

// told returns what was said, as level and days bought.
func (c *club) told() (out [][2]int) {
	for _, e := range c.p.said {
		var m user.MembershipChanged
		if err := e.Decode(&m); err != nil {
			c.t.Fatal(err)
		}
		out = append(out, [2]int{m.Level, m.Days})
	}
	c.p.said = nil
	return out
}

func (c *club) wantTold(what string, want ...[2]int) {
	c.t.Helper()
	if got := c.told(); !slices.Equal(got, want) {
		c.t.Errorf("%s: told %v, want %v", what, got, want)
	}
}

func (c *club) pass(days int) {
	c.t.Helper()
	c.now = c.now.AddDate(0, 0, days)
	for range 2 {
		if _, err := c.EndMemberships(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestAMembershipBeginsAndEnds(t *testing.T) {
	t.Parallel()
	c := openClub(t)
	c.want("at first", 0, 0)
	paid := c.charge(1, "received", user.What(1, 30))
	c.hear(paid, paid)
	c.want("paid", 1, 30)
	c.wantTold("paid", [2]int{1, 30})
	c.pass(29)
	c.want("a day before the end", 1, 30)
	c.now = c.now.AddDate(0, 0, 1).Add(-time.Nanosecond)
	c.want("at the last moment", 1, 30)
	c.now = c.now.Add(time.Nanosecond)
	c.want("over", 0, 0)
	c.pass(0)
	c.wantTold("over", [2]int{0, 0})
}

// Whoever pays again gets all the days, one after the other.
func TestAMembershipGoesOn(t *testing.T) {
	t.Parallel()
	c := openClub(t)
	c.hear(c.charge(1, "received", user.What(1, 30)), c.charge(2, "received", user.What(1, 10)))
	c.want("paid twice", 1, 40)
	c.wantTold("paid twice", [2]int{1, 30}, [2]int{1, 10})
	c.pass(35)
	c.want("in the second", 1, 40)
	c.wantTold("between the two")
	c.pass(5)
	c.want("over", 0, 0)
	c.wantTold("over", [2]int{0, 0})
}

// A higher level counts while it runs; the lower one is there after it.
func TestAHigherMembership(t *testing.T) {
	t.Parallel()
	c := openClub(t)
	c.hear(c.charge(1, "received", user.What(1, 30)), c.charge(2, "received", user.What(2, 7)))
	c.want("both", 2, 7)
	c.told()
	c.pass(7)
	c.want("the lower one", 1, 30)
	c.wantTold("the higher one is over", [2]int{1, 0})
	c.pass(23)
	c.want("none", 0, 0)
	c.wantTold("both are over", [2]int{0, 0})
}

// Somebody's own level does not end, and a lower membership does not lower it.
func TestAnOwnLevelStays(t *testing.T) {
	t.Parallel()
	c := openClub(t)
	u := c.p.users[c.ann]
	u.Level = 2
	c.p.users[c.ann] = u
	c.hear(c.charge(1, "received", user.What(1, 30)))
	c.want("a lower one", 2, 0)
	c.hear(c.charge(2, "received", user.What(3, 30)))
	c.want("a higher one", 3, 30)
	c.pass(30)
	c.want("after it", 2, 0)
}

// What is given back ends at once, in whichever order that is heard.
func TestAMembershipIsGivenBack(t *testing.T) {
	t.Parallel()
	c := openClub(t)
	paid, back := c.charge(1, "received", user.What(1, 30)), c.charge(1, "refunding", user.What(1, 30))
	c.hear(paid, back, c.charge(1, "refunded", user.What(1, 30)), paid)
	c.want("in order", 0, 0)
	c.wantTold("in order", [2]int{1, 30}, [2]int{0, 0})

	c = openClub(t)
	c.hear(c.charge(1, "refunding", user.What(1, 30)), c.charge(1, "received", user.What(1, 30)))
	c.want("the other way round", 0, 0)
	c.wantTold("the other way round")
	c.pass(60)
	c.wantTold("the end of what never was")
}

func TestOtherChargesAreNoMemberships(t *testing.T) {
	t.Parallel()
	c := openClub(t)
	c.hear(c.charge(1, "asked", user.What(1, 30)), c.charge(2, "held", user.What(1, 30)), c.charge(3, "lapsed", user.What(1, 30)))
	e, err := event.New("charge/4/2", event.ChargeChanged, c.now, map[string]any{"id": 4, "purpose": "topup", "stage": "received"})
	if err != nil {
		t.Fatal(err)
	}
	c.hear(e)
	c.want("none of them", 0, 0)
	c.wantTold("none of them")
	for _, what := range []string{"", "level/1", "level/0/30", "level/1/0", "level/100/30", "level/1/3661", "level/x/1", "gold/1/30", "level/1/30/1"} {
		if err := c.ChargeChanged(t.Context(), c.charge(9, "received", what)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", what, err)
		}
	}
}
