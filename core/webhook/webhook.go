// Package webhook tells integrators' programs what happens to their users.
//
// A [Hook] is an address of an integrator. Of each event that it wants, it gets one
// [Delivery]: a message whose body is made when the event is heard and never
// changes. A delivery is posted, signed as https://www.standardwebhooks.com has it,
// until the other side says 2xx, with longer and longer waits, and is dead after
// [triesMax]. Every [Try] is kept for a while.
//
// # Guarantees
//
//   - The delivery is written in the transaction that records that the event was
//     heard. There is one for each hook and event.
//   - Delivery is at least once, under the same id: receivers leave out ids that they
//     know. No order is promised; ids, revisions and times in the data decide.
//   - A body names users and orders by number, and money in fen. What people bought,
//     where their money goes and who they are is not in it.
//   - A hook of a client hears of that client's users only.
//   - Whoever does not answer holds up nobody else, and is left alone for longer and
//     longer; after [offAfter] without one success, or at once where the address says
//     that it is gone, the hook is off until staff resumes it. What is heard meanwhile
//     waits.
//   - Secrets are shown once, when they are made. A new one signs beside the old one
//     for [overlap].
package webhook

import (
	"context"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"fanli/core/endpoint"
	"fanli/core/event"
	"fanli/core/fault"
)

// Test is the event of a delivery that staff asks for to see whether an address
// answers. Every hook takes it.
const Test event.Name = "webhook.test"

// Events returns what hooks can want.
func Events() []event.Name {
	return []event.Name{event.OrderChanged, event.RebateChanged, event.WithdrawalChanged, event.ClaimChanged}
}

// A Hook is an address that is told.
type Hook struct {
	ID     int64
	Name   string // unique
	Client string // of the API, whose users it hears of; "": of all users
	URL    string
	Events []event.Name
	State  State
	Why    string // it is off; "" otherwise
	Made   time.Time

	Secret    Secret
	OldSecret Secret    // signs, too, until OldUntil
	OldUntil  time.Time // zero: there is none

	Fails   int       // one after the other
	Failing time.Time // since; zero: it is well
	Rest    time.Time // it is left alone until then
}

// State says whether a hook is posted to.
type State string

// The states of a hook. Only an active one is posted to.
const (
	Active State = "active"
	Paused State = "paused" // by staff
	Off    State = "off"    // by itself: see Why
)

// hooksMax bounds the hooks of an installation, and the other constants their texts.
const (
	hooksMax = 100
	urlMax   = 500
)

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// LogValue keeps address and secrets out of structured logs.
func (h Hook) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("id", h.ID), slog.String("name", h.Name), slog.String("state", string(h.State)))
}

// Host is where the address leads. The path may be a secret of the integrator's.
func (h Hook) Host() string {
	if u, err := url.Parse(h.URL); err == nil {
		return u.Host
	}
	return ""
}

// validate fails with fault.Invalid for a hook that makes no sense.
func (h Hook) validate(allowPrivate bool) error {
	bad := func(text string) error { return fault.Newf(fault.Invalid, "webhook.bad", "%s", text) }
	switch {
	case !nameForm.MatchString(h.Name):
		return bad("a name is at most 40 small letters, digits and dashes")
	case h.Client != "" && !nameForm.MatchString(h.Client):
		return bad("a client is at most 40 small letters, digits and dashes")
	case len(h.URL) > urlMax || !endpoint.Safe(h.URL):
		return bad("the address is not an https address (http only on loopback) of at most 500 characters without user, ? and #")
	case !allowPrivate && strings.HasPrefix(h.URL, "http:"):
		return bad("the address is of this machine: that needs webhooks.allow_private")
	case len(h.Events) == 0:
		return bad("it wants no events")
	}
	for i, n := range h.Events {
		if !slices.Contains(Events(), n) || slices.Contains(h.Events[:i], n) {
			return bad("it wants " + string(n) + ", which is twice there or no event that is told")
		}
	}
	return nil
}

// wants reports whether a hook is told of events with a name.
func (h Hook) wants(n event.Name) bool { return slices.Contains(h.Events, n) }

// secrets returns those that sign now, the newest first.
func (h Hook) secrets(now time.Time) []Secret {
	if h.OldSecret != "" && now.Before(h.OldUntil) {
		return []Secret{h.Secret, h.OldSecret}
	}
	return []Secret{h.Secret}
}

// A Delivery is one message to one hook.
type Delivery struct {
	ID      int64
	Hook    int64
	Event   string // id of the event; unique for its hook
	Message string // the id that receivers see; unique
	Name    event.Name
	At      time.Time // heard
	Body    []byte
	Stage   Stage
	Tries   int
	Next    time.Time // not before then
}

// Stage says how far a delivery has come.
type Stage string

// The stages of a delivery.
const (
	Waiting   Stage = "waiting"
	Delivered Stage = "delivered"
	Dead      Stage = "dead" // tried until nobody could hope any more; staff may retry it
)

// A Try is one time that a delivery was posted.
type Try struct {
	Delivery int64
	At       time.Time
	Status   int // of the answer; 0: there was none
	Took     time.Duration
	Reason   Reason // it failed; "" otherwise
	Excerpt  string // of the answer
}

// Reason says why a try failed.
type Reason string

// The reasons.
const (
	BadStatus   Reason = "status"      // an answer that is not 2xx
	Redirected  Reason = "redirect"    // 3xx: redirects are not followed
	Gone        Reason = "gone"        // 410
	TimedOut    Reason = "timeout"     // no answer in time
	Forbidden   Reason = "address"     // it leads to a private address
	Untrusted   Reason = "certificate" // the other side does not prove who it is
	Unreachable Reason = "unreachable" // anything else without an answer
)

// A Member is a user of a client of the API.
type Member struct {
	User     int64
	Client   string
	External string // the client's own id of the user
}

// A Store keeps hooks and deliveries. Secrets are sealed in it. Implementations pass
// storetest.Webhooks.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// Hooks returns all, by id.
	Hooks(ctx context.Context) ([]Hook, error)
	// Due returns waiting deliveries of a hook whose time has come, those first whose
	// time came first.
	Due(ctx context.Context, hook int64, now time.Time, count int) ([]Delivery, error)
	// Newest returns deliveries of a hook, newest first.
	Newest(ctx context.Context, hook int64, count int) ([]Delivery, error)
	// Tries returns those of a delivery, newest first.
	Tries(ctx context.Context, delivery int64, count int) ([]Try, error)
}

// A Tx is what a transaction can do.
type Tx interface {
	event.Inbox
	event.Emitter
	// Hooks returns all, by id.
	Hooks() ([]Hook, error)
	// Insert stores a new hook and returns its ID, which no hook had before. It fails
	// with fault.Conflict if there is one with its name.
	Insert(h Hook) (id int64, err error)
	// Update stores a hook that is there, but for its ID, Name and Made.
	Update(h Hook) error
	// Remove forgets a hook with its deliveries and their tries.
	Remove(id int64) error
	// Members returns which of the users are a client's.
	Members(users []int64) (map[int64]Member, error)
	// AddMember stores whose a user is; the first word on it counts.
	AddMember(m Member) error
	// Add stores a delivery, unless there is one of its hook and event, and returns its
	// ID: 0 if there was one.
	Add(d Delivery) (id int64, err error)
	// Delivery returns one. It fails with fault.NotFound if there is none.
	Delivery(id int64) (Delivery, error)
	// Swap stores stage, tries and next of a delivery that has been tried as often as
	// given and is in the given stage; otherwise it returns false.
	Swap(d Delivery, was Stage, tries int) (bool, error)
	// Note stores a try.
	Note(t Try) error
	// Prune forgets deliveries heard before a time, with their tries, oldest first and
	// at most count, and returns how many they were.
	Prune(before time.Time, count int) (int, error)
}
