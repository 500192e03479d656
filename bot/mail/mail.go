// Package mail is how channels receive and send: a durable inbox for what people write
// and one outbox for everything that they are told.
//
// A channel registers what carries its messages and serves its letters:
//
//	e.Register(carrier)                                // when it is made
//	receipt, err := e.Receive(ctx, mail.Letter{…})     // in its webhook or poll; then it confirms
//	err := e.Serve(ctx, name, mail.Service{Answer: …}) // in Run, until ctx ends
//
// Answer reads a letter, asks the bot.Handler and returns the parcels that answer it.
// Carry sends a parcel. The channel keeps no queue, no retry and no place of its own.
//
// # Guarantees
//
//   - A letter for which Receive has returned nil is answered, also after a crash, by
//     whatever process; the same id is never answered twice. Only Full is not kept:
//     more than BacklogMax letters of the chat wait, and the person is told so once.
//   - Letters of a chat are answered one after the other, in order of arrival; chats do
//     not wait for each other, and each gets one turn before another gets its second.
//   - That a letter is answered and its answer's parcels are one transaction.
//   - Parcels of a chat arrive in order of posting, answers and notices alike. One that
//     must wait has the whole chat wait, and nobody else.
//   - A notice that its person has turned off is not carried, whenever they did so; in
//     their quiet hours it is held, in its order, beside the line of its chat: nothing else
//     waits with it. What is about security or money that went wrong is carried at any time.
//   - A parcel ends as sent, moved, gone, given up or unknown, never silently. What came to
//     nothing stays until an operator has seen it (fanli deliveries) or DeadKeep.
//   - A message of a parcel that has arrived is not sent again, neither by a new try nor
//     after a restart. The one that was under way when a process died is repeated, and
//     its carrier is told so: with a key or an edit people see it once.
//   - What people and the bot wrote is sealed at rest, is forgotten once it has been
//     seen to, and is in no log line and no error.
//
// docs/delivery.md has the states, the waits and the limits as tables.
package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"fanli/bot"
	"fanli/core/fault"
	"fanli/core/post"
	"fanli/core/user"
)

// A Letter is what a person has sent. Its ID tells it from all others of its channel;
// its Chat is the line in which it waits. What is in the Payload only its channel knows.
type Letter = post.Letter

// A Receipt says what became of a letter.
type Receipt = post.Receipt

// The receipts. A channel confirms a letter to its platform with any of them.
const (
	Fresh = post.Fresh // it will be answered
	Known = post.Known // it came before
	Full  = post.Full  // too many of its chat wait: it was dropped
)

// A Parcel is something to tell a person: one reply, which may be several messages of
// the platform.
type Parcel struct {
	Key     string // unique; a second one with the same key is ignored
	Channel string
	Chat    string        // the line in which it waits
	To      user.Identity // a person; the zero Identity for whoever is in the chat
	Reply   bot.Reply
	Data    json.RawMessage // what its channel wants to know when it carries it
	At      time.Time       // the zero time means now
	Expires time.Time       // then nobody wants it any more; the zero time for the usual limit
	Quiet   bool            // nobody waits for it: answers of other chats go first
	Notice  *bot.Notice     // of which it is the delivery; its Reply and To are left out

	Tries int // before this one
}

// A Carrier sends the parcels of one channel.
type Carrier interface {
	// Name is the channel's.
	Name() string
	// Carry sends a parcel, each message of it by progress.Do, and returns nil when all
	// have arrived. It is called for one parcel of a chat at a time. It does not wait
	// for a limit of the platform but returns fault.Limited (fault.After says for how
	// long), so that it keeps nobody else's place. What its error means:
	//
	//   - Limited: the chat waits for as long as fault.RetryAfter says.
	//   - Unavailable, Denied, Conflict, Internal: it is tried again, after longer and
	//     longer waits, until the parcel expires.
	//   - reason Parked: the person must write first; they have until it expires.
	//   - NotFound: nobody can be reached there. A notice goes to the person's other
	//     channels; anything else ends as gone.
	//   - Invalid, Insufficient: it is given up.
	//   - Unknown: it may have arrived and must not be repeated. It ends as that.
	//
	// Where repeating is better than losing, a message of which nobody knows whether it
	// arrived is Unavailable, and the next try is told so.
	Carry(ctx context.Context, p Parcel, progress *Progress) error
}

// A Homing carrier knows the chat in which a person is told notices. For others it is
// the external id of their identity.
type Homing interface {
	Home(to user.Identity) (chat string)
}

// A Service is what a channel does with its letters.
type Service struct {
	// Answer answers a letter; without parcels, there is nothing to say. It may be called
	// again for a letter after a crash or an error, and answers the same then, as
	// bot.Bot does for the same Message.ID. The keys of its parcels are made of that id.
	// With fault.Invalid the letter is given up; after other errors it is tried again.
	// An answer that was cut short by the end of ctx is an error.
	Answer func(ctx context.Context, l Letter) ([]Parcel, error)
	// Wait returns what a person is told whose letter takes longer than WaitAfter to be
	// answered; false for nothing; optional. It is carried before the answer, which can
	// take the place of its message: Progress.NoteOf its key. Whatever happens, it is
	// posted once for a letter, and not after the letter's answer.
	Wait func(l Letter) (Parcel, bool)
	// Sorry returns what a person is told whose letter is given up; false for nothing;
	// optional. Once somebody was told to wait it should take the place of that.
	Sorry func(l Letter) (Parcel, bool)
	// Warn returns what a person is told of whom too many letters wait (bot.TooMany);
	// false for nothing; optional.
	Warn func(l Letter) (Parcel, bool)
}

// Parked is the reason of an error of Carry that says that nothing can be delivered
// until the person writes.
const Parked = "mail.parked"

// Reasons for which parcels are given up here.
const (
	Expired = "mail.expired" // nobody could deliver it in time
	NoMore  = "mail.tries"   // it was tried too often
)

// The limits.
const (
	// BacklogMax bounds the letters of one chat that wait: somebody forwards a day's
	// finds at once.
	BacklogMax = 60
	// WaitAfter is how long people wait without being told so.
	WaitAfter = 1500 * time.Millisecond
	// PayloadMax bounds a letter.
	PayloadMax = 256 << 10
	// AnswerKeep is how long an answer may wait for delivery, NoticeKeep a notice.
	AnswerKeep = 24 * time.Hour
	NoticeKeep = 48 * time.Hour
	// DoneKeep is how long it is known what was received and posted, longer than any
	// platform repeats; DeadKeep how long operators can see to what came to nothing.
	DoneKeep = 7 * 24 * time.Hour
	DeadKeep = 30 * 24 * time.Hour

	keyBytesMax = 191 // of keys and ids in the store
)

// Answer is the parcel that answers a letter with a reply. Its Data and, where not
// everybody in the chat is meant, To are for the channel to add.
func Answer(l Letter, r bot.Reply) Parcel {
	return Parcel{Key: "re/" + l.Channel + "/" + l.ID, Channel: l.Channel, Chat: l.Chat, Reply: r}
}

// fit returns a key that fits in the store and is as unique as key.
func fit(key string) string {
	if len(key) <= keyBytesMax {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return key[:len("notice/")] + hex.EncodeToString(sum[:])
}

// A content is what is sealed of a parcel.
type content struct {
	Reply  bot.Reply       `json:"reply"`
	Data   json.RawMessage `json:"data,omitempty"`
	Notice *noticed        `json:"notice,omitempty"`
}

// noticed is what is kept of a notice beside its reply.
type noticed struct {
	Key   string          `json:"key"`
	User  int64           `json:"user"`
	Kind  string          `json:"kind,omitempty"`
	Topic user.Topic      `json:"topic,omitempty"`
	Title string          `json:"title,omitempty"`
	Tried []user.Identity `json:"tried,omitempty"`
}

// pack makes of a parcel what is kept.
func (p Parcel) pack(now time.Time) (post.Parcel, error) {
	c := content{Reply: p.Reply, Data: p.Data}
	keep := AnswerKeep
	if n := p.Notice; n != nil {
		c.Notice, keep = &noticed{n.Key, n.User, n.Kind, n.Topic, n.Title, n.Tried}, NoticeKeep
	}
	body, err := json.Marshal(c)
	if err != nil {
		return post.Parcel{}, fault.Wrap(fault.Invalid, "mail.pack", err)
	}
	if p.Key == "" || p.Channel == "" || p.Chat == "" || len(p.Chat) > keyBytesMax || len(p.To.External) > keyBytesMax {
		return post.Parcel{}, fault.New(fault.Invalid, "mail.address")
	}
	if p.At.IsZero() {
		p.At = now
	}
	if p.Expires.IsZero() {
		p.Expires = p.At.Add(keep)
	}
	return post.Parcel{
		Key: fit(p.Key), Channel: p.Channel, Chat: p.Chat, External: p.To.External, Body: body, Quiet: p.Quiet, At: p.At, Expires: p.Expires,
	}, nil
}

// packAll packs several.
func packAll(ps []Parcel, now time.Time) ([]post.Parcel, error) {
	out := make([]post.Parcel, len(ps))
	for i, p := range ps {
		var err error
		if out[i], err = p.pack(now); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unpack makes of what is kept a parcel again.
func unpack(k post.Parcel) (Parcel, error) {
	var c content
	if err := json.Unmarshal(k.Body, &c); err != nil {
		return Parcel{}, fault.New(fault.Invalid, "mail.unreadable") // without the cause: it may quote the text
	}
	p := Parcel{
		Key: k.Key, Channel: k.Channel, Chat: k.Chat, Reply: c.Reply, Data: c.Data, At: k.At, Expires: k.Expires, Quiet: k.Quiet, Tries: k.Tries,
	}
	if k.External != "" {
		p.To = user.Identity{Channel: k.Channel, External: k.External}
	}
	if c.Notice != nil {
		p.Notice = &bot.Notice{Key: c.Notice.Key, User: c.Notice.User, Kind: c.Notice.Kind, Topic: c.Notice.Topic, Title: c.Notice.Title, To: p.To, Reply: p.Reply, Tried: slices.Clone(c.Notice.Tried)}
	}
	return p, nil
}
