// Package bot talks with people. It understands a message, asks core, and
// chooses the words; it knows the roles of core and no vendor.
//
// # Guarantees
//
//   - The same message of a channel (by its ID) has one effect and always the
//     same answer, also after a restart.
//   - Money moves only after a confirmation that is bound to the user and the
//     amount and dies after two minutes, or because the person has turned
//     automatic withdrawals on. No other text can reach a withdrawal.
//   - A person always gets an answer: where something failed, one friendly line
//     and a trace id; what really happened goes to the log under that id.
package bot

import (
	"context"
	"time"

	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/rebate"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// A Message is what a person sent.
type Message struct {
	From   user.Identity // who, and on which channel
	Chat   string        // where to answer; the channel's own id
	ID     string        // unique on the channel; "" if it has none
	Text   string        // what they wrote, or the Action of a button they pressed
	Locale string        // a hint of the channel; "" for none
	Group  bool          // others read along: nothing personal may be said
	Via    string        // the code of who brought this person, where the channel knows; it counts for new ones and nothing is said of it

	// Edits is the ID of the message that this one is a later form of; "" for none. It
	// is looked at only if what was there before led to nothing.
	Edits string
}

// A Reply is what a person is told. Channels render it as they can; every part
// has a meaning without colour or picture. An empty one is not sent: nobody in a
// group spoke to us.
type Reply struct {
	Text    string   `json:"text,omitempty"` // paragraphs, separated by line feeds
	Cards   []Card   `json:"cards,omitempty"`
	Buttons []Button `json:"buttons,omitempty"` // at most two rows' worth: next steps

	// Keys are words that stay at hand below a chat, for channels that can show that: a
	// press says the word. Where they are shown, Buttons that send something may be left
	// out.
	Keys []string `json:"keys,omitempty"`

	Nothing bool `json:"nothing,omitempty"` // the message was understood as nothing: an edit of it is looked at
	Spent   bool `json:"spent,omitempty"`   // the buttons of which one was pressed are used up: channels that can take them away
	Turned  bool `json:"turned,omitempty"`  // it is another page of the list shown last: channels that can show it in that one's place
}

// A Card shows one product, order or sum.
type Card struct {
	Title   string   `json:"title"`
	Image   string   `json:"image,omitempty"` // https URL
	Rows    []Row    `json:"rows,omitempty"`
	Notes   []string `json:"notes,omitempty"` // caveats, one line each
	Buttons []Button `json:"buttons,omitempty"`
}

// A Row is a labelled value: "券后价  ¥69.00".
type Row struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Strong bool   `json:"strong,omitempty"` // the one that matters
}

// A Button does exactly one thing: it opens URL, copies Copy, or sends Action as
// if the person had typed it.
type Button struct {
	Label  string `json:"label"`
	Action string `json:"action,omitempty"` // at most 64 bytes
	URL    string `json:"url,omitempty"`
	Page   string `json:"page,omitempty"` // with URL: our page for the same, for channels that do not open URL
	Copy   string `json:"copy,omitempty"`
}

// A Channel is a chat network.
type Channel interface {
	// Name is short, lower case and never changes: it is stored with every
	// identity.
	Name() string
	// Run receives messages and answers each with what handle returns, until
	// ctx ends. It returns nil then.
	Run(ctx context.Context, handle Handler) error
	// Send tells a person something unasked. It fails with fault.NotFound if
	// the person cannot be reached on this channel at all.
	Send(ctx context.Context, to user.Identity, r Reply) error
}

// A Keeper is a channel that keeps what people were told and can therefore tell each
// thing once, whatever became of whoever had it told before.
type Keeper interface {
	// SendOnce is Send for what has a key: whatever was told somebody under it is not told
	// them again, and that is no error.
	SendOnce(ctx context.Context, to user.Identity, key string, r Reply) error
}

// A Handler answers a message.
type Handler func(ctx context.Context, m Message) Reply

// The parts of core that the bot asks. In one process they are the services
// themselves; in a split they are clients.
type (
	// Users knows people.
	Users interface {
		Resolve(ctx context.Context, i user.Identity, locale string) (u user.User, joined bool, err error)
		User(ctx context.Context, id int64) (user.User, error)
		Identities(ctx context.Context, id int64) ([]user.Identity, error)
		Level(ctx context.Context, id int64) (level int, until time.Time, err error)
		SetLocale(ctx context.Context, id int64, locale string) error
		Payee(ctx context.Context, id int64) (user.Payee, error)
		SetPayee(ctx context.Context, id int64, p user.Payee) error
		Notices(ctx context.Context, id int64) (user.Notices, error)
		ChangeNotices(ctx context.Context, id int64, c user.NoticesChange) (user.Notices, error)
	}
	// Links finds offers and makes links.
	Links interface {
		Make(ctx context.Context, user int64, ref link.Ref) (link.Link, error)
		MakeFor(ctx context.Context, user int64, q link.Quote) (link.Link, error)
		Promote(ctx context.Context, user int64, p link.Page) (link.Link, error)
		Search(ctx context.Context, user int64, words string, page, count int) ([]link.Quote, error)
		Compare(ctx context.Context, user int64, b link.Basis) (link.Comparison, error)
		Deals(ctx context.Context, user int64, words string, page, count int) (link.Deals, error)
	}
	// Orders shows orders and takes claims.
	Orders interface {
		OfUser(ctx context.Context, user, before int64, count int) ([]order.Line, error)
		ByNumber(ctx context.Context, number string) ([]order.Line, error)
		Claim(ctx context.Context, user int64, number string) (order.Claim, error)
		Prove(ctx context.Context, user, claim int64, p order.Proof) (order.Claim, error)
		Appeal(ctx context.Context, user int64, number, words string) (order.Claim, error)
		Claims(ctx context.Context, user, before int64, count int) ([]order.Claim, error)
		Members(ctx context.Context, user int64) ([]order.Member, error)
	}
	// Rebates says what orders bring, and why.
	Rebates interface {
		Of(ctx context.Context, keys []order.Key) (map[order.Key]rebate.Rebate, error)
		Referral(ctx context.Context) (rebate.Referral, error)
		Standing(ctx context.Context, user int64, networks []string) (rebate.Standing, error)
	}
	// Money shows where a user's money is.
	Money interface {
		Wallet(ctx context.Context, user int64) (credit.Wallet, error)
		Paid(ctx context.Context, user int64) (money.Fen, error)
		Statement(ctx context.Context, user, before int64, count int) ([]ledger.Entry, error)
		Bonuses(ctx context.Context, user int64, line order.Key, number string) ([]ledger.Entry, error)
	}
	// Withdrawals pays out.
	Withdrawals interface {
		Request(ctx context.Context, user int64, amount money.Fen, key string) (withdraw.Withdrawal, error)
		OfUser(ctx context.Context, user, before int64, count int) ([]withdraw.Withdrawal, error)
		Cancel(ctx context.Context, user, id int64) (withdraw.Withdrawal, error)
	}
	// Switches says what is stopped.
	Switches interface {
		// Check fails with a control.StoppedError while one of the scopes is on.
		Check(ctx context.Context, scopes ...control.Scope) error
	}
	// Memory keeps what the bot must remember across restarts.
	Memory interface {
		// Answer returns the answer that was kept for a message.
		Answer(ctx context.Context, channel, id string) (answer []byte, ok bool, err error)
		// KeepAnswer keeps it. A second one for the same message is ignored.
		KeepAnswer(ctx context.Context, channel, id string, answer []byte, at time.Time) error
		// Dialogue returns the state of a user's dialogue, nil for none, and its
		// revision. While a person is asked for a payout account the state holds
		// it: what is kept on disk is sealed, as the account itself is.
		Dialogue(ctx context.Context, user int64) (state []byte, rev int64, err error)
		// SetDialogue keeps what follows revision rev; nil ends the dialogue. It
		// fails with fault.Conflict if the dialogue is not at rev any more.
		SetDialogue(ctx context.Context, user, rev int64, state []byte) error
	}
)
