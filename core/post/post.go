// Package post keeps what people send us and what they are sent until both are
// seen to: letters come in, parcels go out, each in the order of its chat.
//
// What is in them is the business of package bot, which reads letters, packs parcels
// and has channels carry them.
//
// # Guarantees
//
//   - A letter is kept once, by the id that its channel gave it, before the channel is
//     told that it has arrived. A parcel is kept once, by its key.
//   - That a letter is answered and what is answered are one transaction.
//   - Of several processes one at a time works on one side of a chat. Another takes
//     over when its time has passed; whoever was taken over can store nothing any more.
//   - A chat gets one turn and then goes behind all others that wait.
package post

import (
	"context"
	"time"

	"fanli/core/event"
)

// A Letter is what a person has sent.
type Letter struct {
	Seq     int64
	Channel string
	ID      string // unique on the channel
	Chat    string // letters of a chat are answered one after the other
	Payload []byte // as the channel understands it
	At      time.Time
	Tries   int
}

// A Parcel is what a person is sent: an answer or a notice.
type Parcel struct {
	Seq      int64
	Key      string // unique
	Channel  string
	Chat     string // parcels of a chat arrive one after the other
	External string // the person, by the channel's own id; "" for whoever is in the chat
	Body     []byte // as package bot understands it
	Quiet    bool   // nobody waits for it
	At       time.Time
	Expires  time.Time // then nobody wants it any more

	State  State
	Parts  int    // of its messages, so many have arrived
	Doubt  bool   // and the next one may have
	Note   string // what its channel must remember of those parts
	Tries  int
	Reason string // why the last try came to nothing
}

// A State says what has become of a letter or a parcel.
type State string

// The states. A letter waits until it is done or given up; a parcel waits, is sent once
// or more often, and ends as one of the last five.
const (
	Waiting State = "waiting"
	Sending State = "sending"  // somebody has begun
	Done    State = "done"     // the letter is answered
	Sent    State = "sent"     // the parcel has arrived
	Moved   State = "moved"    // it could not, and another took its place
	Gone    State = "gone"     // nobody can be reached there
	GivenUp State = "given_up" // it cannot arrive, or not be read
	Unknown State = "unknown"  // it may have arrived, and another try would show it twice
)

// States returns all states in that order.
func States() []State { return []State{Waiting, Sending, Done, Sent, Moved, Gone, GivenUp, Unknown} }

// Open reports whether something is still to be done.
func (s State) Open() bool { return s == Waiting || s == Sending }

// Dead reports whether it came to nothing, so that a person should look.
func (s State) Dead() bool { return s == GivenUp || s == Unknown }

// A Side is one of the two directions. Each chat has its own line on each.
type Side string

// Abandoned is the reason of what was given up because nobody served its channel.
const Abandoned = "mail.abandoned"

// The sides.
const (
	In  Side = "in"  // letters
	Out Side = "out" // parcels
)

// A Receipt says what became of a letter that arrived.
type Receipt string

// The receipts.
const (
	Fresh Receipt = "fresh" // it is kept
	Known Receipt = "known" // it was kept before
	Full  Receipt = "full"  // too many of its chat wait: it is not kept
)

// A Store keeps letters and parcels. Implementations pass storetest.Posts.
//
// What is claimed belongs to its holder until the given time, and longer after Renew.
// The methods that end a claim fail with fault.Conflict, and change nothing, if the
// chat's line has passed to another holder.
type Store interface {
	// Receive keeps a letter unless it is known or most letters of its chat wait. A
	// fresh one wakes the parcels of its chat that wait for the person to write.
	Receive(ctx context.Context, l Letter, most int) (Receipt, error)
	// Warn keeps p, unless the person was warned since letters of the chat have begun
	// to wait, and says whether it did.
	Warn(ctx context.Context, p Parcel) (bool, error)
	// ClaimLetters gives holder the oldest letter of at most count chats of a channel
	// that nobody works on, those first that have waited longest for their turn; among
	// parcels those first for which somebody waits.
	ClaimLetters(ctx context.Context, channel string, c Claim) ([]Letter, error)
	// ClaimParcels does the same for parcels, whose state becomes Sending.
	ClaimParcels(ctx context.Context, channel string, c Claim) ([]Parcel, error)
	// Renew keeps everything that holder has until a later time.
	Renew(ctx context.Context, holder string, until time.Time) error
	// Release gives back what holder has claimed of a chat, as if it had not.
	Release(ctx context.Context, holder string, s Side, channel, chat string) error
	// Inherit gives back whatever anybody has claimed. Only who works alone may.
	Inherit(ctx context.Context) error

	// Answer ends a letter and keeps the parcels that answer it.
	Answer(ctx context.Context, holder string, l Letter, now time.Time, ps []Parcel) error
	// Meanwhile keeps a parcel that is told while holder answers a letter that it has
	// claimed. It fails with fault.Conflict if the letter is somebody else's by now, and
	// with fault.NotFound if it is answered.
	Meanwhile(ctx context.Context, holder string, l Letter, now time.Time, p Parcel) error
	// PutOff has a letter wait until next: Tries of it are stored. With the zero time it
	// is given up.
	PutOff(ctx context.Context, holder string, l Letter, now, next time.Time, reason string) error

	// Post keeps parcels; those whose key is known are left out.
	Post(ctx context.Context, now time.Time, ps []Parcel) error
	// Begin stores Parts, Note and Doubt of a parcel that holder has claimed.
	Begin(ctx context.Context, holder string, p Parcel) error
	// Settle stores what has become of a parcel that holder has claimed. One that waits
	// does so until next, and the chat with it. Parked, the chat also goes on when the
	// person writes. One that goes into another Line is due there at once, and the chat goes
	// on; when it expires is stored, too. What takes its place is kept in the same transaction.
	Settle(ctx context.Context, holder string, p Parcel, o Outcome) error

	// Note returns what was kept as Note of the parcel with a key; "" for one that is not
	// known.
	Note(ctx context.Context, key string) (string, error)

	// Next returns when the next chat of a channel's side will be due, or what is
	// claimed of it free again; the zero time for never.
	Next(ctx context.Context, s Side, channel string) (time.Time, error)
	// Sweep forgets what ended before done, or before dead where it came to nothing: at
	// most count of each side. What nobody has seen to although it came, or expired, before
	// done is given up: its channel is off. It returns how many are forgotten.
	Sweep(ctx context.Context, now, done, dead time.Time, count int) (int, error)
}

// A Claim says who claims how many chats, from when until when.
type Claim struct {
	Holder     string
	Now, Until time.Time
	Count      int
	Quiet      int // so many of them, at most, for which only quiet parcels wait
}

// An Outcome says how a try to deliver a parcel ended.
type Outcome struct {
	Now     time.Time
	Next    time.Time // for a parcel that waits
	Parked  bool      // it need not wait that long if the person writes
	Line    string    // the chat in whose line it waits from now on, in its old place; "" for its own
	Instead []Parcel  // that take its place
}

// A Desk shows operators what is in a Store. What they do is said as act in the same
// transaction; the zero Event says nothing.
type Desk interface {
	// Items returns what a filter asks for, oldest first.
	Items(ctx context.Context, f Filter) ([]Item, error)
	// Item returns one; fault.NotFound if there is none.
	Item(ctx context.Context, s Side, seq int64) (Item, error)
	// Read returns what is in a letter or a parcel; nothing once that has been seen to.
	Read(ctx context.Context, s Side, seq int64, act event.Event) ([]byte, error)
	// Retry lets one that is dead wait again, as if it were new. It fails with
	// fault.NotFound if there is none.
	Retry(ctx context.Context, s Side, seq int64, now, expires time.Time, act event.Event) error
	// Discard forgets one that is dead. It fails with fault.NotFound if there is none.
	Discard(ctx context.Context, s Side, seq int64, act event.Event) error
	// Depths returns how much waits and is dead on each channel's sides.
	Depths(ctx context.Context) ([]Depth, error)
}

// A Filter chooses items.
type Filter struct {
	Side    Side
	Channel string // "" for all
	Dead    bool   // else those that are not seen to
	After   int64  // only above this number
	Count   int
}

// An Item is what operators see of a letter or a parcel: nothing that anybody wrote.
type Item struct {
	Side    Side
	Seq     int64
	Key     string // a letter's id
	Channel string
	State   State
	Reason  string
	Tries   int
	Parts   int
	Doubt   bool
	At      time.Time
	Expires time.Time
	Ended   time.Time
}

// A Depth is how much there is on one side of a channel.
type Depth struct {
	Channel string
	Side    Side
	Waiting int64
	Oldest  time.Time // of those that wait
	Dead    int64
}
