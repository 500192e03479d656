package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// How long a person's dialogue is remembered.
const (
	askTTL     = 5 * time.Minute  // a question waits for its answer
	askGrace   = 30 * time.Minute // a late answer is recognised as one, and not taken
	listTTL    = 5 * time.Minute  // digits and paging refer to the list shown last
	confirmTTL = 2 * time.Minute  // a confirmation can be given
	lastTTL    = time.Hour        // the last answer can be repeated
)

// How often a person may answer wrongly before a dialogue ends.
const (
	askTriesMax     = 3
	confirmTriesMax = 3
)

// A state is what a person's dialogue remembers between two messages.
type state struct {
	Ask     *ask     `json:"ask,omitempty"`
	Confirm *confirm `json:"confirm,omitempty"`
	List    *list    `json:"list,omitempty"`
	Last    *last    `json:"last,omitempty"`
	Offered *offered `json:"offered,omitempty"`
}

// A step is the question that waits for an answer.
type step string

const (
	askAccount step = "account" // of the payee
	askName    step = "name"    // of the payee
	askNumber  step = "number"  // of an order to claim
	askWords   step = "words"   // to search for
	askCompare step = "compare" // words or goods to compare
	askPaid    step = "paid"    // for an order that is claimed
	askDay     step = "day"     // on which it was placed
)

// An ask is a question that waits for an answer in one chat.
type ask struct {
	Chat    string     `json:"chat"`
	Step    step       `json:"step"`
	Account string     `json:"account,omitempty"` // while the name is asked for
	Method  string     `json:"method,omitempty"`  // of the account; "" for Alipay
	Amount  *money.Fen `json:"amount,omitempty"`  // a withdrawal that goes on afterwards; 0: all
	Claim   int64      `json:"claim,omitempty"`   // that the facts are about
	Tries   int        `json:"tries,omitempty"`
	Until   time.Time  `json:"until"`
}

// A confirm is a move of money that waits for a person's word. It is bound to
// the amount and the account that were shown; of accounts that are linked, to the one
// that was.
type confirm struct {
	Code   string    `json:"code"`             // what the person sends
	Nonce  string    `json:"nonce"`            // makes the key of the request
	Cancel int64     `json:"cancel,omitempty"` // the withdrawal to cancel; 0: a new one
	Amount money.Fen `json:"amount"`
	Payee  string    `json:"payee,omitempty"` // masked, with the time of its last change
	Link   string    `json:"link,omitempty"`  // the code by which accounts are linked
	Other  int64     `json:"other,omitempty"` // with whom
	Unlink int64     `json:"unlink,omitempty"`
	Tries  int       `json:"tries,omitempty"`
	Done   bool      `json:"done,omitempty"`
	Unsure bool      `json:"unsure,omitempty"` // it was given, and there was no answer
	Until  time.Time `json:"until"`
}

// A list is what digits and paging refer to.
type list struct {
	Chat   string       `json:"chat"`
	Kind   listKind     `json:"kind"`
	Words  string       `json:"words,omitempty"`  // searched for
	Page   int          `json:"page"`             // from 1
	Starts []int64      `json:"starts,omitempty"` // what each page so far starts after
	Next   int64        `json:"next,omitempty"`   // what the next page starts after
	More   bool         `json:"more,omitempty"`   // there is a next page
	Orders []orderRef   `json:"orders,omitempty"`
	Quotes []link.Quote `json:"quotes,omitempty"` // of a whole batch
	Until  time.Time    `json:"until"`

	Comparison *link.Comparison `json:"comparison,omitempty"` // whose rows the digits are
}

// quotes are the goods that digits stand for.
func (l *list) quotes() []link.Quote {
	if l.Comparison == nil {
		return l.Quotes
	}
	var out []link.Quote
	for _, c := range slices.Concat(l.Comparison.Rows, l.Comparison.Similar) {
		out = append(out, c.Quote)
	}
	return out
}

// An offered is the offer that a chat was answered with last.
type offered struct {
	Chat  string     `json:"chat"`
	Offer link.Offer `json:"offer"`
	Until time.Time  `json:"until"`
}

type listKind string

const (
	listOrders    listKind = "orders"
	listSearch    listKind = "search"
	listStatement listKind = "statement"
	listCompare   listKind = "compare"
	listDeals     listKind = "deals"
	listWishes    listKind = "wishes" // what people are told unasked
)

// A last is the answer that can be repeated in its chat.
type last struct {
	Chat  string    `json:"chat"`
	Reply Reply     `json:"reply"`
	Retry string    `json:"retry,omitempty"` // what to look up again, because it had not worked
	Until time.Time `json:"until"`
}

// recall loads the state of a user's dialogue. One that cannot be read, from
// another version perhaps, is forgotten.
func (t *turn) recall(ctx context.Context) error {
	b, rev, err := t.bot.Memory.Dialogue(ctx, t.user.ID)
	if err != nil {
		return fault.In("bot.Dialogue", err)
	}
	t.stored, t.rev = b, rev
	if len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, &t.state); err != nil {
		t.state = state{}
		t.bot.log(ctx, slog.LevelWarn, t.bot.traceID(ctx), fault.Wrap(fault.Internal, "bot.Dialogue", err))
	}
	return nil
}

// moved reports whether an error means that the dialogue has gone on meanwhile: the
// person has also written elsewhere.
func moved(err error) bool {
	var m movedError
	return errors.As(err, &m)
}

// A movedError is that of a state that was stored by somebody else first.
type movedError struct{ error }

// Unwrap returns what the memory said.
func (m movedError) Unwrap() error { return m.error }

// remember stores the state if it has changed. It fails with fault.Conflict if
// somebody else has changed it meanwhile.
func (t *turn) remember(ctx context.Context) error {
	var b []byte
	if t.state != (state{}) {
		var err error
		if b, err = json.Marshal(t.state); err != nil {
			return fault.In("bot.SetDialogue", err)
		}
	}
	if bytes.Equal(b, t.stored) {
		return nil
	}
	err := fault.In("bot.SetDialogue", t.bot.Memory.SetDialogue(ctx, t.user.ID, t.rev, b))
	if fault.Is(err, fault.Conflict) {
		return movedError{err}
	}
	return err
}
