// Package user knows the people: by which channel they write, what language
// they read, which level they have reached and where their money should go.
//
// # Guarantees
//
//   - An identity on a channel belongs to exactly one user, also when its first
//     two messages arrive at the same time.
//   - A payout account is kept sealed and is shown masked.
//   - A membership counts from its payment to its end, to the second, and not after
//     its money was given back, in whichever order that is heard.
//   - Who brought a user is set once. Nobody is their own inviter, not by way of
//     others either.
//   - What somebody wants to be told counts from the moment in which they say it.
//   - Two accounts become one person's by a code that is read on one channel and
//     written on another ([Merge]). Nothing is rewritten: the younger account points to
//     the older one, and whoever asks about either is told about the person. So it can
//     be undone within [UndoWindow]. See docs/identity.md.
package user

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fanli/core/event"
	"fanli/core/fault"
)

// A User is one person.
type User struct {
	ID     int64
	Level  int    // their own, 0 for everybody at first; memberships are not in it
	Locale string // "zh" or "en"
	Joined time.Time
}

// An Identity is how a channel knows a person.
type Identity struct {
	Channel  string // "telegram", "web", "terminal"
	External string // the channel's own id of the person
}

// A Payee is where a user's money goes. It is personal data: it is stored
// sealed, and only String may reach logs.
type Payee struct {
	Method  string    `json:"method"` // "alipay", "wechat"
	Account string    `json:"account"`
	Name    string    `json:"name"`
	Changed time.Time `json:"changed"`
}

// String masks the account and the name: "alipay 138****0000 (*三)".
func (p Payee) String() string { return p.Method + " " + p.Masked() }

// Format keeps every verb of package fmt from printing the account.
func (p Payee) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue keeps structured logs from printing the account, in any format.
func (p Payee) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Masked shows enough of the account for its owner to know it again.
func (p Payee) Masked() string {
	s := mask([]rune(p.Account))
	switch n := []rune(p.Name); len(n) {
	case 0:
	case 1:
		s += " (*)"
	default:
		s += " (*" + string(n[len(n)-1:]) + ")"
	}
	return s
}

// mask hides four characters or more, or else all but the first.
func mask(r []rune) string {
	if at := strings.IndexRune(string(r), '@'); at > 0 {
		s := string(r)
		return mask([]rune(s[:at])) + s[at:]
	}
	switch {
	case len(r) >= 11:
		return string(r[:3]) + "****" + string(r[len(r)-4:])
	case len(r) >= 8:
		return string(r[:2]) + "****" + string(r[len(r)-2:])
	case len(r) > 1:
		return string(r[:1]) + "****"
	default:
		return "****"
	}
}

// Same reports whether two payees are one account, whoever wrote it and how.
func (p Payee) Same(o Payee) bool { return p.Key() == o.Key() }

// Key is equal for the same account: without what people write differently. It is
// as personal as the account itself; what is stored of it is keyed and hashed.
func (p Payee) Key() string {
	account := strings.ToLower(p.Account)
	if !strings.Contains(account, "@") {
		account = strings.NewReplacer("-", "", " ", "", "+86", "").Replace(account)
	}
	return p.Method + "\x00" + account
}

// IsZero reports whether there is no payee.
func (p Payee) IsZero() bool { return p.Account == "" }

// Limits of a payee's texts, in characters.
const (
	accountMin = 5
	accountMax = 64
	nameMax    = 32
)

// Validate refuses what no provider could pay to, with fault.Invalid.
func (p Payee) Validate() error {
	switch {
	case p.Method != "alipay" && p.Method != "wechat":
		return fault.New(fault.Invalid, "payee.method")
	case len(p.Account) < accountMin || len(p.Account) > accountMax || strings.ContainsFunc(p.Account, notInAccount):
		return fault.New(fault.Invalid, "payee.account")
	case strings.TrimSpace(p.Name) == "" || utf8.RuneCountInString(p.Name) > nameMax || strings.ContainsFunc(p.Name, notInName):
		return fault.New(fault.Invalid, "payee.name")
	default:
		return nil
	}
}

// notInAccount refuses what is not plain ASCII: what is copied from a page may
// bring along characters that nobody sees.
func notInAccount(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>\"'", r) }

func notInName(r rune) bool {
	return r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune("<>\"'0123456789", r)
}

// A Store keeps users. Implementations pass storetest.Users.
type Store interface {
	// InTx runs fn in one transaction; fn may be run again after a deadlock.
	InTx(ctx context.Context, fn func(Tx) error) error
	// User returns one user or fault.NotFound.
	User(ctx context.Context, id int64) (User, error)
	// ByIdentity returns whose identity it is, or fault.NotFound.
	ByIdentity(ctx context.Context, i Identity) (User, error)
	// Identities returns all identities of a user, latest used first.
	Identities(ctx context.Context, user int64) ([]Identity, error)
	// Payee returns the payout account; a zero one if there is none.
	Payee(ctx context.Context, user int64) (Payee, error)
	// Sharing returns how many other users have the payout account of a user; 0
	// if the user has none.
	Sharing(ctx context.Context, user int64) (int, error)
	// Code returns a user's invitation code, or fault.NotFound.
	Code(ctx context.Context, user int64) (string, error)
	// ByCode returns whose invitation code it is, or fault.NotFound.
	ByCode(ctx context.Context, code string) (int64, error)
	// Invitation returns who brought a user, or fault.NotFound.
	Invitation(ctx context.Context, user int64) (Invitation, error)
	// Invited returns how many people a user has brought.
	Invited(ctx context.Context, user int64) (int, error)
	// Grants returns the levels that a user has got for a while, oldest first.
	Grants(ctx context.Context, user int64) ([]Grant, error)
	// Ended returns grants that have ended by now, were not revoked and not told
	// of.
	Ended(ctx context.Context, now time.Time, count int) ([]Grant, error)
	// Notices returns what a user has said they want to be told; fault.NotFound for one
	// who has never said.
	Notices(ctx context.Context, user int64) (Notices, error)
}

// A Tx is what a transaction on users can do.
type Tx interface {
	event.Emitter
	event.Inbox
	// Level returns the level of a user without grants.
	Level(user int64) (int, error)
	// Grants returns the grants of a user, oldest first.
	Grants(user int64) ([]Grant, error)
	// Grant stores a grant. If its cause has one, that keeps its times, is revoked
	// if either is, and is returned.
	Grant(g Grant) (Grant, error)
	// TellEnd notes that the end of a grant is told of; fresh is false if it was
	// noted before.
	TellEnd(cause string) (fresh bool, err error)
	// Insert stores a new user with one identity and returns its id. It fails
	// with fault.Conflict if the identity has a user already.
	Insert(u User, i Identity) (int64, error)
	SetLocale(user int64, locale string) error
	SetPayee(user int64, p Payee) error
	// Notices returns what Store's does.
	Notices(user int64) (Notices, error)
	// SetNotices stores what a user wants to be told, in place of what they said before.
	SetNotices(user int64, n Notices) error
	// SetCode stores an invitation code. It fails with fault.Conflict if somebody
	// has it or the user has one.
	SetCode(user int64, code string) error
	// Bind stores who brought a user. It fails with fault.Conflict if somebody
	// did before; an inviter who is not from before the user is refused with any
	// error.
	Bind(i Invitation) error
}

// Joined is the content of user.joined.
type Joined struct {
	User    int64  `json:"user"`
	Channel string `json:"channel"`
	// External is the client's own id of the user, where the channel is that of a
	// client of the API (see [ClientOf]): it is no personal data. Otherwise it is "".
	External string `json:"external,omitempty"`
}

// clientMark begins the channels of the API's clients.
const clientMark = "api/"

// ClientOf returns the client of the API whose channel it is; ok is false for the
// channels on which people talk.
func ClientOf(channel string) (client string, ok bool) { return strings.CutPrefix(channel, clientMark) }

// tokenMark begins the channels of those whose app asks with a token of an issuer.
const tokenMark = "oidc/"

// Program reports whether nobody talks on the identity's channel: a program asks there
// for its user.
func (i Identity) Program() bool {
	return strings.HasPrefix(i.Channel, clientMark) || strings.HasPrefix(i.Channel, tokenMark)
}

// newcomer is the news that somebody has joined.
func newcomer(id int64, i Identity) Joined {
	j := Joined{User: id, Channel: i.Channel}
	if _, ok := ClientOf(i.Channel); ok {
		j.External = i.External
	}
	return j
}

// A Directory is the service that knows users.
type Directory struct {
	Store Store
	// Merges knows which accounts are one person's; optional: none are then.
	Merges MergeStore
	// Rand makes codes that link accounts; optional, crypto/rand.
	Rand io.Reader
	Now  func() time.Time
}

// Resolve returns the user behind an identity, making one at first sight.
// joined reports whether it was made now.
func (d *Directory) Resolve(ctx context.Context, i Identity, locale string) (u User, joined bool, err error) {
	u, err = d.Find(ctx, i)
	if !fault.Is(err, fault.NotFound) {
		return u, false, err
	}
	u = User{Locale: locale, Joined: d.Now()}
	var id int64
	err = d.Store.InTx(ctx, func(tx Tx) (err error) {
		if id, err = tx.Insert(u, i); err != nil {
			return err
		}
		e, err := event.New("user/"+i.Channel+"/"+i.External+"/joined", event.UserJoined, u.Joined, newcomer(id, i))
		if err != nil {
			return err
		}
		return tx.Emit(e)
	})
	u.ID = id
	if fault.Is(err, fault.Conflict) { // the same person's other message was faster
		u, err = d.Find(ctx, i)
		return u, false, err
	}
	return u, err == nil, err
}

// Find returns the user behind an identity, or fault.NotFound. It makes nobody.
func (d *Directory) Find(ctx context.Context, i Identity) (User, error) {
	u, err := d.Store.ByIdentity(ctx, i)
	if err != nil {
		return u, err
	}
	root, err := d.root(ctx, u.ID)
	if err != nil || root == u.ID {
		return u, err
	}
	return d.Store.User(ctx, root)
}

// User returns one user or fault.NotFound. Of an account that is a part of another one
// that other one is returned.
func (d *Directory) User(ctx context.Context, id int64) (User, error) {
	id, err := d.root(ctx, id)
	if err != nil {
		return User{}, err
	}
	return d.Store.User(ctx, id)
}

// Identities returns where a user can be reached, on each account latest used first.
func (d *Directory) Identities(ctx context.Context, user int64) ([]Identity, error) {
	return of(ctx, d, user, d.Store.Identities)
}

// SetLocale changes the language that a user reads. It fails with
// fault.Invalid for one we do not speak.
func (d *Directory) SetLocale(ctx context.Context, user int64, locale string) error {
	if locale != "zh" && locale != "en" {
		return fault.New(fault.Invalid, "user.locale")
	}
	user, err := d.root(ctx, user)
	if err != nil {
		return err
	}
	return d.Store.InTx(ctx, func(tx Tx) error { return tx.SetLocale(user, locale) })
}

// Payee returns the payout account; a zero one if there is none. Somebody who has none
// gets that of an account that was linked. It is as new as the last link with an account
// that had not the same: for the money of that one it is.
func (d *Directory) Payee(ctx context.Context, user int64) (Payee, error) {
	p, _, err := d.payee(ctx, user)
	return p, err
}

// payee returns a person's payout account, and which of their accounts has it.
func (d *Directory) payee(ctx context.Context, user int64) (p Payee, of int64, err error) {
	all, err := d.members(ctx, user)
	if err != nil {
		return p, 0, err
	}
	payees := make([]Payee, len(all))
	for i, m := range all {
		if payees[i], err = d.Store.Payee(ctx, m.id); err != nil {
			return p, 0, err
		}
	}
	its := slices.IndexFunc(payees, func(p Payee) bool { return !p.IsZero() })
	if its < 0 {
		return p, all[0].id, nil
	}
	p = payees[its]
	for i, m := range all {
		if m.at.After(p.Changed) && (i == its || !payees[i].Same(p)) {
			p.Changed = m.at
		}
	}
	return p, all[its].id, nil
}

// Sharing returns how many other users have the payout account of a user. It is
// for staff and for the desk: no user is told of others.
func (d *Directory) Sharing(ctx context.Context, user int64) (int, error) {
	p, owner, err := d.payee(ctx, user)
	if err != nil || p.IsZero() {
		return 0, err
	}
	n, err := d.Store.Sharing(ctx, owner)
	if err != nil || n == 0 {
		return 0, err
	}
	own, err := of(ctx, d, user, func(ctx context.Context, id int64) ([]int64, error) {
		o, err := d.Store.Payee(ctx, id)
		if err != nil || id == owner || !o.Same(p) {
			return nil, err
		}
		return []int64{id}, nil
	})
	return n - len(own), err
}

// SetPayee changes the payout account and stamps the time of the change.
func (d *Directory) SetPayee(ctx context.Context, user int64, p Payee) error {
	p.Account, p.Name, p.Changed = strings.TrimSpace(p.Account), strings.TrimSpace(p.Name), d.Now()
	if err := p.Validate(); err != nil {
		return err
	}
	user, err := d.root(ctx, user)
	if err != nil {
		return err
	}
	old, err := d.Payee(ctx, user)
	if err != nil {
		return err
	}
	is, err := d.Identities(ctx, user)
	if err != nil {
		return err
	}
	if !p.Changed.After(old.Changed) { // a clock that stands still or goes back
		p.Changed = old.Changed.Add(time.Millisecond)
	}
	news := !p.Same(old)
	return d.Store.InTx(ctx, func(tx Tx) error {
		if err := tx.SetPayee(user, p); err != nil || !news || old.IsZero() && len(is) < 2 {
			return err
		}
		e, err := event.New(fmt.Sprintf("payee/%d/%d", user, p.Changed.UnixMilli()), event.PayeeChanged, d.Now(), PayeeChanged{user, p.Method, p.Masked()})
		if err != nil {
			return err
		}
		return tx.Emit(e)
	})
}

// PayeeChanged is the content of payee.changed: a person's money goes elsewhere from now
// on. It is said where somebody else could have done that: of another account than
// before, or of the first one where a person has several channels.
type PayeeChanged struct {
	User   int64  `json:"user"`
	Method string `json:"method"`
	Payee  string `json:"payee"` // masked
}
