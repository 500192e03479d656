// Package desk is what staff ask for and do, whoever asks: the chat group, the web
// console, the command line.
//
// An [Act] is one thing that a member of staff wants. It is carried out by the
// target that owns what it is about, at its [Station]; a [Front] is where staff
// speak: it knows who they are and what they may do, asks the stations, and keeps
// what waits for a confirmation. What is said back is an [Answer]: data, which
// others put into words.
//
// # Guarantees
//
//   - Nobody does what their [Role] has no [Right] for. The front refuses it, and so
//     does the station.
//   - What changes anything is said first, before and after, and done only after a
//     code that is bound to the person, the place, the act and its words, and that
//     dies after [CodeLife] or three wrong ones.
//   - What needs four eyes needs two members of staff. A member with several
//     identities is one member.
//   - The same confirmation twice has one effect and one answer.
//   - The last owner cannot be removed, nor become something else.
//   - Answers hold no payout account that is not masked, and no identity of a person
//     on a channel.
//
// # Not here
//
// What acts do to money, orders and rules is decided by their own packages, which
// also record it with package audit.
package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
)

// A Role is what a member of staff is there for.
type Role string

// The roles.
const (
	Owner    Role = "owner"
	Finance  Role = "finance"
	Support  Role = "support"
	Operator Role = "operator"
	Auditor  Role = "auditor"
)

// Roles returns all roles, the mightiest first.
func Roles() []Role { return []Role{Owner, Finance, Support, Operator, Auditor} }

// A Right is one thing that roles may or may not do.
type Right string

// The rights.
const (
	Look   Right = "look"   // how everything is
	People Right = "people" // who users are, and where their money is
	Orders Right = "orders" // whose orders are, and why
	Assign Right = "assign" // say whose an order is
	Money  Right = "money"  // decide about withdrawals
	Rules  Right = "rules"  // try and change how commissions are shared
	Feeds  Right = "feeds"  // follow networks, pause them
	Proofs Right = "proofs" // prove the books, read what staff did
	Stop   Right = "stop"   // stop parts of the system
	Crew   Right = "crew"   // say who is staff
	Face   Right = "face"   // say what people see of us: menus
)

// rights says what each role may do. Owners may do everything.
func rights() map[Role][]Right {
	return map[Role][]Right{
		Owner:    {Look, People, Orders, Assign, Money, Rules, Feeds, Proofs, Stop, Crew, Face},
		Finance:  {Look, People, Orders, Assign, Money, Rules, Proofs},
		Support:  {Look, People, Orders, Assign},
		Operator: {Look, Feeds},
		Auditor:  {Look, People, Orders, Proofs},
	}
}

// May reports whether a role has a right.
func (r Role) May(what Right) bool { return slices.Contains(rights()[r], what) }

// The targets that carry out acts.
const (
	botTarget     = "bot"
	userTarget    = "user"
	orderTarget   = "order"
	rebateTarget  = "rebate"
	paymentTarget = "payment"
)

// A Spec says of an act who may do it, and what it takes.
type Spec struct {
	Name    string   // the command's, too
	Targets []string // who carries it out; several answer one after the other
	Right   Right
	Changes bool // it is confirmed by a code
	Args    int  // how many words it needs; the rest is the reason
	Reason  bool // it needs one
}

// Specs is the table of acts. Whoever adds one adds a handler at its station and a
// row in the bot's table of commands.
func Specs() []Spec {
	all := []string{paymentTarget, orderTarget, rebateTarget, userTarget, botTarget}
	return []Spec{
		{Name: "astatus", Targets: all, Right: Look},
		{Name: "todo", Targets: []string{paymentTarget, orderTarget, userTarget, botTarget}, Right: Look},
		{Name: "report", Targets: []string{userTarget, orderTarget, paymentTarget}, Right: Look},
		{Name: "user", Targets: []string{userTarget, paymentTarget, orderTarget}, Right: People, Args: 1},
		{Name: "aorder", Targets: []string{orderTarget, rebateTarget}, Right: Orders, Args: 1},
		{Name: "unmatched", Targets: []string{orderTarget}, Right: Orders},
		{Name: "assign", Targets: []string{orderTarget}, Right: Assign, Changes: true, Args: 2, Reason: true},
		{Name: "payouts", Targets: []string{paymentTarget}, Right: Money},
		{Name: "approve", Targets: []string{paymentTarget}, Right: Money, Changes: true, Args: 1},
		{Name: "reject", Targets: []string{paymentTarget}, Right: Money, Changes: true, Args: 1, Reason: true},
		{Name: "arules", Targets: []string{rebateTarget}, Right: Look},
		{Name: "whatif", Targets: []string{rebateTarget}, Right: Rules, Args: 1},
		{Name: "rollback", Targets: []string{rebateTarget}, Right: Rules, Changes: true, Args: 1, Reason: true},
		{Name: "sync", Targets: []string{orderTarget}, Right: Feeds},
		{Name: "gaps", Targets: []string{orderTarget}, Right: Look},
		{Name: "pause", Targets: []string{paymentTarget}, Right: Feeds, Changes: true, Args: 1, Reason: true},
		{Name: "resume", Targets: []string{paymentTarget}, Right: Feeds, Changes: true, Args: 1, Reason: true},
		{Name: "switches", Targets: []string{paymentTarget}, Right: Look},
		{Name: "kill", Targets: []string{paymentTarget}, Right: Stop, Changes: true, Args: 1, Reason: true},
		{Name: "revive", Targets: []string{paymentTarget}, Right: Stop, Changes: true, Args: 1, Reason: true},
		{Name: "wxmenu", Targets: []string{botTarget}, Right: Face},
		{Name: "wxpublish", Targets: []string{botTarget}, Right: Face, Changes: true, Reason: true},
		{Name: "prove", Targets: []string{paymentTarget}, Right: Proofs},
		{Name: "audit", Targets: []string{paymentTarget}, Right: Proofs},
		{Name: "staff", Targets: []string{userTarget}, Right: Look},
		{Name: "staffadd", Targets: []string{userTarget}, Right: Crew, Changes: true, Args: 3},
		{Name: "staffremove", Targets: []string{userTarget}, Right: Crew, Changes: true, Args: 1, Reason: true},
	}
}

// The acts that no person asks for by name.
const (
	WhoAct    = "who"    // which member an identity is
	AlertsAct = "alerts" // what staff should be told unasked
)

// SpecOf returns the row of an act.
func SpecOf(name string) (Spec, bool) {
	all := Specs()
	i := slices.IndexFunc(all, func(s Spec) bool { return s.Name == name })
	if i < 0 {
		return Spec{}, false
	}
	return all[i], true
}

// An Act is one thing that a member of staff wants.
type Act struct {
	Name   string   `json:"name"`
	Args   []string `json:"args,omitempty"`
	Reason string   `json:"reason,omitempty"`
	Staff  int64    `json:"staff,omitempty"` // who; 0: the system itself
	Role   Role     `json:"role,omitempty"`
	Key    string   `json:"key,omitempty"` // the same act again has the same one
	Dry    bool     `json:"dry,omitempty"` // say what would happen, and do nothing

	// Data is what the target before this one has said for programs, where several
	// answer one after the other.
	Data json.RawMessage `json:"data,omitempty"`
}

// Actor is how the member is recorded: "staff:3".
func (a Act) Actor() string { return fmt.Sprintf("staff:%d", a.Staff) }

// arg returns a word of the act, "" if it has fewer.
func (a Act) arg(i int) string {
	if i >= len(a.Args) {
		return ""
	}
	return a.Args[i]
}

// A Service carries out acts. A [Station] is one; where it is in another process, so
// is a client of it.
type Service interface {
	// Do carries out an act, or says what it would do. It fails with
	// fault.Denied and "desk.denied" for a role that has no right to it, and as the
	// act does.
	Do(ctx context.Context, a Act) (Answer, error)
}

// An Answer is what staff are told, as data.
type Answer struct {
	Items  []Item          `json:"items,omitempty"`
	Four   bool            `json:"four,omitempty"`   // Dry: a second member has to confirm
	Second bool            `json:"second,omitempty"` // it waits for somebody else's word
	Same   bool            `json:"same,omitempty"`   // nothing has changed: it was so before
	More   int             `json:"more,omitempty"`   // items that are left out
	Data   json.RawMessage `json:"data,omitempty"`   // for programs
}

// An Item is one thing that an answer is about.
type Item struct {
	Title  Label   `json:"title"`
	ID     string  `json:"id,omitempty"`
	Fields []Field `json:"fields,omitempty"`
	Steps  []Step  `json:"steps,omitempty"`
	Wrong  bool    `json:"wrong,omitempty"` // it needs attention
}

// A Step is what can be done next.
type Step struct {
	Name string   `json:"name"` // of an act
	Args []string `json:"args,omitempty"`
	Word string   `json:"word,omitempty"` // what tells it from its neighbours: a reason
}

// A Kind says how a value is written.
type Kind string

// The kinds.
const (
	Text   Kind = "text"   // as it is
	Word   Kind = "word"   // a stable key of core: a state, a reason, a role
	Amount Kind = "amount" // fen
	Count  Kind = "count"
	Moment Kind = "moment" // milliseconds since 1970
	Change Kind = "change" // Was became Text; both are words
)

// A Field is one labelled value.
type Field struct {
	Label Label  `json:"label"`
	Kind  Kind   `json:"kind"`
	Text  string `json:"text,omitempty"`
	Was   string `json:"was,omitempty"`
	N     int64  `json:"n,omitempty"`
}

func text(l Label, s string) Field         { return Field{Label: l, Kind: Text, Text: s} }
func word(l Label, s string) Field         { return Field{Label: l, Kind: Word, Text: s} }
func amount(l Label, f money.Fen) Field    { return Field{Label: l, Kind: Amount, N: int64(f)} }
func count(l Label, n int64) Field         { return Field{Label: l, Kind: Count, N: n} }
func moment(l Label, t time.Time) Field    { return Field{Label: l, Kind: Moment, N: t.UnixMilli()} }
func change(l Label, was, is string) Field { return Field{Label: l, Kind: Change, Was: was, Text: is} }

// A Handler carries out one act.
type Handler func(ctx context.Context, a Act) (Answer, error)

// A Station is where a target carries out acts. It is safe for concurrent use.
type Station struct{ handlers map[string][]Handler }

var _ Service = (*Station)(nil)

// NewStation returns the station of a target. Where several parts know an act by the
// same name, they answer one after the other.
func NewStation(parts ...map[string]Handler) *Station {
	s := &Station{handlers: map[string][]Handler{}}
	for _, p := range parts {
		for name, h := range p {
			s.handlers[name] = append(s.handlers[name], h)
		}
	}
	return s
}

// Do implements Service.
func (s *Station) Do(ctx context.Context, a Act) (Answer, error) {
	spec, ok := SpecOf(a.Name)
	inner := a.Staff == 0 && slices.Contains([]string{WhoAct, AlertsAct, "report"}, a.Name) // of the system itself
	switch {
	case !ok && !inner:
		return Answer{}, fault.Newf(fault.NotFound, "desk.no_act", "no act %q", a.Name)
	case ok && !inner && (a.Staff <= 0 || !a.Role.May(spec.Right)):
		return Answer{}, fault.New(fault.Denied, "desk.denied")
	case len(a.Args) < spec.Args:
		return Answer{}, fault.New(fault.Invalid, "desk.usage")
	case spec.Changes && !a.Dry && a.Key == "":
		return Answer{}, fault.New(fault.Invalid, "desk.usage")
	}
	var out Answer
	for _, h := range s.handlers[a.Name] {
		one, err := h(ctx, a)
		if err != nil {
			return Answer{}, fault.In("desk."+a.Name, err)
		}
		out.add(one)
	}
	return out, nil
}

// add puts what another part says behind what was said.
func (a *Answer) add(o Answer) {
	a.Items = append(a.Items, o.Items...)
	a.Four, a.Second, a.Same = a.Four || o.Four, a.Second || o.Second, a.Same || o.Same
	a.More += o.More
	if o.Data != nil {
		a.Data = o.Data
	}
}
