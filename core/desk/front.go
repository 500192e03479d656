package desk

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

// How long a confirmation can be given.
const (
	// CodeLife is how long a code counts.
	CodeLife = 2 * time.Minute
	// secondLife is how long an act waits for a second member.
	secondLife = 24 * time.Hour
	// repeatLife is how long a code that was given gets the same answer again.
	repeatLife = 10 * time.Minute
	// codeTriesMax is how many wrong codes end what waits.
	codeTriesMax = 3
)

// A Stage is how far a pending act has come.
type Stage string

// The stages.
const (
	Asked   Stage = "asked"   // waits for its code
	Half    Stage = "half"    // one member has confirmed; another one has to
	Doing   Stage = "doing"   // confirmed; whether it was done is not known here
	Done    Stage = "done"    // done; Result says what came of it
	Dropped Stage = "dropped" // given up
)

// A Pending is an act that waits for confirmation.
type Pending struct {
	ID      int64
	Key     string // of what asked for it: the same question again is the same pending
	Place   string // where: a code counts nowhere else
	Act     Act    // Staff and Role are those of who confirms next, or did
	Preview Answer
	Code    string
	Four    bool
	First   int64 // who confirmed first, where two have to
	Stage   Stage
	Tries   int
	Result  Answer
	Rev     int64 // counts the changes, from 1
	Until   time.Time
}

// A PendingStore keeps what waits. Implementations pass storetest.Pendings.
type PendingStore interface {
	// AddPending stores p, or returns the one that has its key.
	AddPending(ctx context.Context, p Pending) (Pending, error)
	// Pending returns one, or fault.NotFound.
	Pending(ctx context.Context, id int64) (Pending, error)
	// PendingsOf returns what a member was asked to confirm in a place, newest
	// first, that ended after since, at most count.
	PendingsOf(ctx context.Context, staff int64, place string, since time.Time, count int) ([]Pending, error)
	// SwapPending stores p if its stored revision still is rev.
	SwapPending(ctx context.Context, p Pending, rev int64) (ok bool, err error)
}

// A Front is where staff speak. It is safe for concurrent use.
type Front struct {
	Stations map[string]Service // by target
	Pendings PendingStore
	Now      func() time.Time
	Code     func() string // four digits that nobody can guess
}

// Who returns which member an identity is, or fault.NotFound.
func (f *Front) Who(ctx context.Context, i user.Identity) (Member, error) {
	return who(ctx, f.at(userTarget), i)
}

// who asks a station which member an identity is.
func who(ctx context.Context, s Service, i user.Identity) (m Member, err error) {
	a, err := s.Do(ctx, Act{Name: WhoAct, Args: []string{i.Channel, i.External}})
	if err != nil {
		return Member{}, err
	}
	return m, json.Unmarshal(a.Data, &m)
}

func (f *Front) at(target string) Service { return stationOf(f.Stations, target) }

func stationOf(stations map[string]Service, target string) Service {
	if s := stations[target]; s != nil {
		return s
	}
	return nowhere{}
}

// IsStaff reports whether one of identities is a member's.
func IsStaff(ctx context.Context, stations map[string]Service, identities []user.Identity, member int64) (bool, error) {
	for _, i := range identities {
		m, err := who(ctx, stationOf(stations, userTarget), i)
		switch {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return false, err
		case m.ID == member:
			return true, nil
		}
	}
	return false, nil
}

// nowhere stands for a target that nobody runs.
type nowhere struct{}

func (nowhere) Do(context.Context, Act) (Answer, error) {
	return Answer{}, fault.New(fault.Unavailable, fault.Down)
}

// Parse makes an act of what a member wrote behind a command. It fails with
// fault.Denied and "desk.denied" without the right, and with fault.Invalid and
// "desk.usage" or "desk.reason" if words are missing.
func Parse(m Member, name, words string) (Act, Spec, error) {
	spec, ok := SpecOf(name)
	if !ok {
		return Act{}, spec, fault.Newf(fault.NotFound, "desk.no_act", "no act %q", name)
	}
	a := Act{Name: name, Staff: m.ID, Role: m.Role}
	if !m.Role.May(spec.Right) {
		return a, spec, fault.New(fault.Denied, "desk.denied")
	}
	fields := strings.Fields(words)
	if len(fields) < spec.Args {
		return a, spec, fault.New(fault.Invalid, "desk.usage")
	}
	a.Args = fields
	if spec.Changes {
		a.Args, a.Reason = fields[:spec.Args], strings.Join(fields[spec.Args:], " ")
	}
	if spec.Reason && a.Reason == "" {
		return a, spec, fault.New(fault.Invalid, "desk.reason")
	}
	return a, spec, nil
}

// Ask carries out what only looks. What changes something is told as it would be, and
// waits for its code: p is set then. key names the question, so that the same one
// again is answered by the same code.
func (f *Front) Ask(ctx context.Context, m Member, place, key, name, words string) (a Answer, p *Pending, err error) {
	act, spec, err := Parse(m, name, words)
	if err != nil {
		return Answer{}, nil, err
	}
	if !spec.Changes {
		a, err = f.do(ctx, spec, act)
		return a, nil, err
	}
	act.Dry = true
	if name == "assign" { // orders know no people
		known := Act{Name: "user", Args: act.Args[1:], Staff: act.Staff, Role: act.Role}
		if _, err := f.at(userTarget).Do(ctx, known); err != nil {
			return Answer{}, nil, err
		}
	}
	if a, err = f.do(ctx, spec, act); err != nil {
		return Answer{}, nil, err
	}
	act.Dry, act.Key = false, "desk/"+key
	kept, err := f.Pendings.AddPending(ctx, Pending{
		Key: act.Key, Place: place, Act: act, Preview: a, Code: f.Code(), Four: a.Four, Stage: Asked, Rev: 1, Until: f.Now().Add(CodeLife),
	})
	return kept.Preview, &kept, err
}

// do asks the stations. Where several answer, one that is away is told of and keeps
// the others from nothing.
func (f *Front) do(ctx context.Context, spec Spec, act Act) (out Answer, err error) {
	for _, t := range spec.Targets {
		one, err := f.at(t).Do(ctx, act)
		if err == nil {
			act.Data = one.Data
			out.add(one)
			continue
		}
		if len(spec.Targets) == 1 || !fault.Retryable(err) {
			return Answer{}, err
		}
		out.Items = append(out.Items, Item{Title: LTarget, ID: t, Wrong: true, Fields: []Field{word(LState, string(WAway))}})
	}
	return out, nil
}

// Confirm takes a code. p is what it was for. It fails with fault.NotFound and
// "desk.nothing_waits", with fault.Denied and "desk.wrong_code", with fault.Limited and
// "desk.too_many_codes" for the last wrong one, and as the act does.
func (f *Front) Confirm(ctx context.Context, m Member, place, code string) (a Answer, p Pending, err error) {
	now := f.Now()
	all, err := f.Pendings.PendingsOf(ctx, m.ID, place, now.Add(-repeatLife), 10)
	if err != nil {
		return Answer{}, p, err
	}
	var open *Pending
	for i := range all {
		q := all[i]
		live := !now.After(q.Until)
		if q.Code == code && code != "" && (live || q.Stage == Done || q.Stage == Doing) {
			return f.confirmed(ctx, m, q)
		}
		if open == nil && q.Stage == Asked && live {
			open = &q
		}
	}
	if open == nil {
		return Answer{}, p, fault.New(fault.NotFound, "desk.nothing_waits")
	}
	rev := open.Rev
	open.Tries, open.Rev = open.Tries+1, rev+1
	reason := fault.New(fault.Denied, "desk.wrong_code")
	if open.Tries >= codeTriesMax {
		open.Stage, reason = Dropped, fault.New(fault.Limited, "desk.too_many_codes")
	}
	if err := f.swap(ctx, open, rev); err != nil {
		return Answer{}, *open, err
	}
	return Answer{}, *open, reason
}

// confirmed goes on with what was confirmed by its code.
func (f *Front) confirmed(ctx context.Context, m Member, p Pending) (Answer, Pending, error) {
	switch {
	case p.Stage == Done, p.Stage == Half && p.First == m.ID:
		return p.Result, p, nil
	case p.Stage == Dropped:
		return Answer{}, p, fault.New(fault.NotFound, "desk.nothing_waits")
	}
	spec, ok := SpecOf(p.Act.Name)
	if !ok || !m.Role.May(spec.Right) { // what they are may have changed meanwhile
		return Answer{}, p, fault.New(fault.Denied, "desk.denied")
	}
	p.Act.Role = m.Role
	rev := p.Rev
	p.Rev++
	if p.Four && p.First == 0 {
		p.Stage, p.First, p.Until = Half, m.ID, f.Now().Add(secondLife)
		p.Result = Answer{Items: p.Preview.Items, Second: true}
		return p.Result, p, f.swap(ctx, &p, rev)
	}
	p.Stage = Doing
	if err := f.swap(ctx, &p, rev); err != nil {
		return Answer{}, p, err
	}
	act := p.Act
	if p.First != 0 { // the record names both
		act.Reason = strings.TrimSpace(act.Reason + fmt.Sprintf(" (first: staff:%d)", p.First))
	}
	a, err := f.do(ctx, spec, act)
	rev = p.Rev
	p.Rev++
	switch {
	case err == nil:
		p.Stage, p.Result = Done, a
	case final(err):
		p.Stage = Dropped
	default: // the same code asks again, under the same key
		return Answer{}, p, err
	}
	if serr := f.swap(ctx, &p, rev); serr != nil && err == nil {
		err = serr
	}
	return a, p, err
}

// final reports whether asking again would not help.
func final(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Unknown, fault.Unavailable, fault.Internal:
		return false
	default:
		return true
	}
}

// Second gives a second member the code for what another one has confirmed. It fails
// with fault.Denied and "desk.same_person" for the first one.
func (f *Front) Second(ctx context.Context, m Member, place string, id int64) (p Pending, err error) {
	p, err = f.Pendings.Pending(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return p, fault.New(fault.NotFound, "desk.nothing_waits")
	}
	if err != nil {
		return p, err
	}
	spec, _ := SpecOf(p.Act.Name)
	again := p.Stage == Asked && p.First != 0
	switch {
	case !m.Role.May(spec.Right):
		return p, fault.New(fault.Denied, "desk.denied")
	case p.Place != place || p.Stage != Half && !again || p.Stage == Half && f.Now().After(p.Until):
		return p, fault.New(fault.NotFound, "desk.nothing_waits")
	case p.First == m.ID:
		return p, fault.New(fault.Denied, "desk.same_person")
	case again && p.Act.Staff == m.ID && !f.Now().After(p.Until):
		return p, nil // the same question again
	}
	rev := p.Rev
	p.Act.Staff, p.Act.Role, p.Stage, p.Code, p.Tries = m.ID, m.Role, Asked, f.Code(), 0
	p.Rev, p.Until = rev+1, f.Now().Add(CodeLife)
	return p, f.swap(ctx, &p, rev)
}

// Drop gives up what a member was asked to confirm in a place.
func (f *Front) Drop(ctx context.Context, m Member, place string) (dropped bool, err error) {
	all, err := f.Pendings.PendingsOf(ctx, m.ID, place, f.Now(), 10)
	for _, p := range all {
		if p.Stage != Asked {
			continue
		}
		rev := p.Rev
		p.Stage, p.Rev = Dropped, rev+1
		if err := f.swap(ctx, &p, rev); err != nil {
			return dropped, err
		}
		dropped = true
	}
	return dropped, err
}

func (f *Front) swap(ctx context.Context, p *Pending, rev int64) error {
	ok, err := f.Pendings.SwapPending(ctx, *p, rev)
	if err == nil && !ok {
		err = fault.Newf(fault.Conflict, "desk.moved", "pending act %d has moved on", p.ID)
	}
	return fault.In(fmt.Sprintf("desk.pending/%d", p.ID), err)
}

// Digits makes a code of four digits from random bytes.
func Digits(random io.Reader) string {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		panic(fmt.Sprintf("desk: no random numbers: %v", err)) // becomes a failed answer
	}
	return fmt.Sprintf("%04d", binary.BigEndian.Uint64(b[:])%10_000)
}
