package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fanli/core/audit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/user"
)

// A Member is one person of staff, on however many channels.
type Member struct {
	ID         int64           `json:"id"`
	Name       string          `json:"name"` // what colleagues call them
	Role       Role            `json:"role"`
	Identities []user.Identity `json:"identities,omitempty"`
	Since      time.Time       `json:"since"`
}

// A StaffStore keeps who is staff. Implementations pass storetest.Staff.
type StaffStore interface {
	// InStaffTx runs fn in one transaction; fn may be run again after a deadlock.
	InStaffTx(ctx context.Context, fn func(StaffTx) error) error
	// Staff returns all members, by number, with their identities.
	Staff(ctx context.Context) ([]Member, error)
	// StaffBy returns whose identity it is, or fault.NotFound.
	StaffBy(ctx context.Context, i user.Identity) (Member, error)
}

// A StaffTx is what a transaction on staff can do.
type StaffTx interface {
	event.Emitter
	// Staff returns all members, locked: two that are changed at the same time are
	// changed one after the other.
	Staff() ([]Member, error)
	// PutStaff stores a member in the place of the one with its number, with ID 0 as
	// a new one, and returns the number. Numbers are never used again. It fails with
	// fault.Conflict for an identity that somebody else has.
	PutStaff(m Member) (int64, error)
	// DropStaff removes a member with their identities.
	DropStaff(id int64) error
}

// nameMax bounds the name of a member, in characters.
const nameMax = 40

// A Roster is the service that knows who is staff. It is safe for concurrent use.
type Roster struct {
	Store StaffStore
	Now   func() time.Time
}

// Of returns which member an identity is, or fault.NotFound.
func (r *Roster) Of(ctx context.Context, i user.Identity) (Member, error) {
	return r.Store.StaffBy(ctx, i)
}

// Add makes somebody a member, or changes what a member is: whoever has the identity
// already gets the role and the name. A name that a member has already adds the
// identity to that member: one person has one vote. The last owner keeps their role
// ("desk.last_owner").
func (r *Roster) Add(ctx context.Context, i user.Identity, role Role, name, actor string) (m Member, same bool, err error) {
	name = strings.TrimSpace(name)
	switch {
	case !slices.Contains(Roles(), role):
		return m, false, fault.New(fault.Invalid, "desk.no_role")
	case i.Channel == "" || i.External == "":
		return m, false, fault.New(fault.Invalid, "desk.no_identity")
	case name == "" || utf8.RuneCountInString(name) > nameMax || strings.ContainsAny(name, "<>\n"):
		return m, false, fault.New(fault.Invalid, "desk.no_name")
	}
	err = r.Store.InStaffTx(ctx, func(tx StaffTx) error {
		all, err := tx.Staff()
		if err != nil {
			return err
		}
		old, before := find(all, i, name)
		m, same = old, before == string(role) && old.Name == name && slices.Contains(old.Identities, i)
		if same {
			return nil
		}
		if old.Role == Owner && role != Owner && owners(all) == 1 {
			return fault.New(fault.Conflict, "desk.last_owner")
		}
		m.Name, m.Role = name, role
		if !slices.Contains(m.Identities, i) {
			m.Identities = append(slices.Clone(m.Identities), i)
		}
		if m.ID == 0 {
			m.Since = r.Now()
		}
		if m.ID, err = tx.PutStaff(m); err != nil {
			return err
		}
		why := ""
		if before == string(role) {
			why = "known on " + i.Channel + ", as " + name
		}
		return r.say(tx, "staff.add", m.ID, actor, why, before, string(role))
	})
	return m, same, err
}

// find returns the member with an identity, else the one with a name.
func find(all []Member, i user.Identity, name string) (m Member, role string) {
	at := slices.IndexFunc(all, func(m Member) bool { return slices.Contains(m.Identities, i) })
	if at < 0 {
		at = slices.IndexFunc(all, func(m Member) bool { return m.Name == name })
	}
	if at < 0 {
		return Member{}, ""
	}
	return all[at], string(all[at].Role)
}

// Remove ends somebody's being staff. It fails with fault.NotFound for nobody, and with
// fault.Conflict and "desk.last_owner" for the last owner.
func (r *Roster) Remove(ctx context.Context, id int64, actor, reason string) (m Member, err error) {
	err = r.Store.InStaffTx(ctx, func(tx StaffTx) error {
		all, err := tx.Staff()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(m Member) bool { return m.ID == id })
		if at < 0 {
			return fault.New(fault.NotFound, "desk.no_member")
		}
		if m = all[at]; m.Role == Owner && owners(all) == 1 {
			return fault.New(fault.Conflict, "desk.last_owner")
		}
		if err := tx.DropStaff(id); err != nil {
			return err
		}
		return r.say(tx, "staff.remove", id, actor, reason, string(m.Role), "")
	})
	return m, err
}

// First makes somebody owner while there is none: of a configuration that names them.
func (r *Roster) First(ctx context.Context, i user.Identity) error {
	all, err := r.Store.Staff(ctx)
	if err != nil || owners(all) > 0 {
		return err
	}
	_, _, err = r.Add(ctx, i, Owner, "owner", "configuration")
	return err
}

func owners(all []Member) (n int) {
	for _, m := range all {
		if m.Role == Owner {
			n++
		}
	}
	return n
}

// say records an act by way of an event: the record is another target's. Its id has
// the time, since the same member may become the same thing again.
func (r *Roster) say(tx StaffTx, what string, id int64, actor, reason, before, after string) error {
	now := r.Now()
	e, err := audit.Say(fmt.Sprintf("act/%s/%d/%d", what, id, now.UnixNano()), now, audit.Act{
		Actor: actor, What: what, On: fmt.Sprintf("staff/%d", id), Reason: reason, Before: before, After: after,
	})
	if err != nil {
		return err
	}
	return tx.Emit(e)
}

// ParseIdentity reads "telegram:12345".
func ParseIdentity(s string) (user.Identity, error) {
	channel, external, ok := strings.Cut(s, ":")
	if !ok || channel == "" || external == "" || strings.ContainsAny(s, " \n\t") {
		return user.Identity{}, fault.New(fault.Invalid, "desk.no_identity")
	}
	return user.Identity{Channel: strings.ToLower(channel), External: external}, nil
}

// handlers are the acts about staff themselves.
func (r *Roster) handlers() map[string]Handler {
	return map[string]Handler{WhoAct: r.who, "staff": r.list, "staffadd": r.add, "staffremove": r.remove}
}

func (r *Roster) who(ctx context.Context, a Act) (Answer, error) {
	m, err := r.Of(ctx, user.Identity{Channel: a.arg(0), External: a.arg(1)})
	if err != nil {
		return Answer{}, err
	}
	m.Identities = nil
	b, err := json.Marshal(m)
	return Answer{Data: b}, err
}

func (r *Roster) list(ctx context.Context, _ Act) (Answer, error) {
	all, err := r.Store.Staff(ctx)
	var out Answer
	for _, m := range all {
		out.Items = append(out.Items, m.item())
	}
	return out, err
}

func (m Member) item(more ...Field) Item {
	fields := append([]Field{text(LName, m.Name), word(LRole, string(m.Role))}, more...)
	for _, i := range m.Identities {
		fields = append(fields, text(LChannel, i.Channel))
	}
	return Item{Title: LStaff, ID: strconv.FormatInt(m.ID, 10), Fields: fields}
}

func (r *Roster) add(ctx context.Context, a Act) (Answer, error) {
	i, err := ParseIdentity(a.arg(0))
	if err != nil {
		return Answer{}, err
	}
	role, name := Role(strings.ToLower(a.arg(1))), a.arg(2)
	all, err := r.Store.Staff(ctx)
	if err != nil {
		return Answer{}, err
	}
	m, before := find(all, i, name)
	if a.Dry {
		if !slices.Contains(Roles(), role) {
			return Answer{}, fault.New(fault.Invalid, "desk.no_role")
		}
		m.Name = name
		return Answer{Items: []Item{{Title: LStaff, Fields: []Field{
			text(LName, name), change(LRole, before, string(role)), text(LChannel, i.Channel),
		}}}}, nil
	}
	m, same, err := r.Add(ctx, i, role, name, a.Actor())
	return Answer{Items: []Item{m.item(change(LRole, before, string(role)))}, Same: same}, err
}

func (r *Roster) remove(ctx context.Context, a Act) (Answer, error) {
	id, err := number(a.arg(0))
	if err != nil {
		return Answer{}, err
	}
	all, err := r.Store.Staff(ctx)
	if err != nil {
		return Answer{}, err
	}
	at := slices.IndexFunc(all, func(m Member) bool { return m.ID == id })
	switch {
	case at < 0 && !a.Dry: // it was done before
		return Answer{Same: true}, nil
	case at < 0:
		return Answer{}, fault.New(fault.NotFound, "desk.no_member")
	case all[at].Role == Owner && owners(all) == 1:
		return Answer{}, fault.New(fault.Conflict, "desk.last_owner")
	}
	if !a.Dry {
		if _, err := r.Remove(ctx, id, a.Actor(), a.Reason); err != nil {
			return Answer{}, err
		}
	}
	m := all[at]
	return Answer{Items: []Item{{Title: LStaff, ID: a.arg(0), Fields: []Field{text(LName, m.Name), change(LRole, string(m.Role), "")}}}}, nil
}

// number reads "7" and "#7".
func number(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "#"), 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.Invalid, "desk.no_number")
	}
	return n, nil
}
