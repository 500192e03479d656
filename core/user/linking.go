package user

import (
	"context"
	"slices"
	"strings"
	"time"

	"fanli/core/fault"
)

// Limits of codes that link two accounts.
const (
	linkCodeTTL = 10 * time.Minute
	guessesMax  = 5         // wrong codes of one user
	guessesTTL  = time.Hour // from the first of them
)

// A LinkCode is what a person reads on one channel and writes on another.
type LinkCode struct {
	Code  string
	Until time.Time
}

// A Side is what a person sees of one of the accounts before they are linked.
type Side struct {
	User     int64
	Joined   time.Time
	Level    int
	Channels []string // without who they are there
	Invited  bool     // somebody had brought them
	Payee    string   // masked; "" for none
}

// A Preview is what linking would do.
type Preview struct {
	Mine     Side // of who gave the code
	Theirs   Side // of who had made it
	Survivor int64
}

// Absorbed returns the account that would become a part of the other one.
func (p Preview) Absorbed() int64 { return max(p.Mine.User, p.Theirs.User) }

// MakeLinkCode makes a code with which another account can be linked to a user's. Only
// the newest counts, once, for ten minutes.
func (d *Directory) MakeLinkCode(ctx context.Context, user int64) (LinkCode, error) {
	const op = "user.MakeLinkCode"
	user, err := d.root(ctx, user)
	if err != nil {
		return LinkCode{}, fault.In(op, err)
	}
	c := LinkCode{newCode(d.Rand), d.Now().Add(linkCodeTTL)}
	err = d.Merges.InTx(ctx, func(tx MergeTx) error {
		busy, err := tx.Busy(user)
		if err == nil && busy {
			err = fault.New(fault.Conflict, reasonMergeBusy)
		}
		if err != nil {
			return err
		}
		return tx.PutLinkCode(user, c.Code, c.Until)
	})
	return c, fault.In(op, err)
}

// PreviewLink says what linking user with the maker of code would do, and does nothing.
// It fails with fault.NotFound and "merge.no_such_code" for a code that nobody has made,
// that was used, or is too old; with fault.Limited and "merge.guesses" after too many
// wrong ones; with fault.Conflict and "merge.same" for one's own, and with
// fault.Conflict and "merge.under_way" while either is being linked; with fault.Denied
// and "merge.client" if one of them belongs to a client of the API.
func (d *Directory) PreviewLink(ctx context.Context, user int64, code string) (p Preview, err error) {
	const op = "user.PreviewLink"
	if user, err = d.root(ctx, user); err != nil {
		return p, fault.In(op, err)
	}
	all, err := d.members(ctx, user)
	if err != nil {
		return p, fault.In(op, err)
	}
	var other int64
	var refused error
	err = d.Merges.InTx(ctx, func(tx MergeTx) error {
		other, refused, err = d.redeem(tx, all, code)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return p, fault.In(op, err)
	}
	if p.Mine, err = d.side(ctx, user); err == nil {
		p.Theirs, err = d.side(ctx, other)
	}
	p.Survivor = min(user, other)
	return p, fault.In(op, err)
}

// Link begins to link user with the maker of code, who must be the one of the preview.
// The code is used with it. Where both are linked, or are being linked, it returns that
// merge. It fails as [Directory.PreviewLink] does.
func (d *Directory) Link(ctx context.Context, user, other int64, code string) (m Merge, err error) {
	const op = "user.Link"
	if user, err = d.root(ctx, user); err != nil {
		return m, fault.In(op, err)
	}
	m, err = d.LastMerge(ctx, user)
	switch {
	case err == nil && m.of(user) && m.of(other) && m.Stage != MergeReturned:
		return m, nil
	case err != nil && !fault.Is(err, fault.NotFound):
		return m, fault.In(op, err)
	}
	for _, u := range []int64{user, other} {
		if _, err := d.side(ctx, u); err != nil {
			return m, fault.In(op, err)
		}
	}
	all, err := d.members(ctx, user)
	if err != nil {
		return m, fault.In(op, err)
	}
	var refused error
	err = d.Merges.InTx(ctx, func(tx MergeTx) error {
		var maker int64
		if maker, refused, err = d.redeem(tx, all, code); err != nil || refused != nil {
			return err
		}
		if maker != other {
			refused = fault.New(fault.NotFound, reasonNoCode)
			return nil
		}
		if m, err = d.begin(tx, user, other); err != nil {
			return err
		}
		return tx.DropLinkCode(other)
	})
	if err == nil {
		err = refused
	}
	return m, fault.In(op, err)
}

// of reports whether an account is one of the two.
func (m Merge) of(user int64) bool { return user == m.Absorbed || user == m.Survivor }

// reasonNoCode says nothing of why a code is not worth anything.
const reasonNoCode = "merge.no_such_code"

// redeem returns who has made a code, or why it counts for nothing; a wrong one is
// counted in the transaction. Those of all accounts of the person who gives it, of whom
// the first one is known now, count together.
func (d *Directory) redeem(tx MergeTx, all []member, code string) (maker int64, refused, err error) {
	now, user := d.Now(), all[0].id
	var wrong, n int
	var since time.Time
	for _, m := range slices.Backward(all) { // user's own is the last
		if n, since, err = tx.Guesses(m.id); err != nil {
			return 0, nil, err
		}
		if now.After(since.Add(guessesTTL)) {
			n, since = 0, now
		}
		wrong += n
	}
	if wrong >= guessesMax {
		return 0, fault.New(fault.Limited, "merge.guesses"), nil
	}
	maker, until, err := tx.LinkCode(strings.ToUpper(strings.TrimSpace(code)))
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && now.After(until):
		return 0, fault.New(fault.NotFound, reasonNoCode), tx.SetGuesses(user, n+1, since)
	case err != nil:
		return 0, nil, err
	case maker == user:
		return 0, fault.New(fault.Conflict, "merge.same"), nil
	}
	busy, err := tx.Busy(user, maker)
	if err == nil && busy {
		refused = fault.New(fault.Conflict, reasonMergeBusy)
	}
	return maker, refused, err
}

// side describes one account. It fails for one that may not be linked: what belongs to
// a client of the API is seen by that client.
func (d *Directory) side(ctx context.Context, user int64) (s Side, err error) {
	u, err := d.Store.User(ctx, user)
	if err != nil {
		return s, err
	}
	s = Side{User: user, Joined: u.Joined}
	ids, err := d.Identities(ctx, user)
	if err != nil {
		return s, err
	}
	for _, i := range ids {
		if _, ok := ClientOf(i.Channel); ok {
			return s, fault.New(fault.Denied, "merge.client")
		}
		s.Channels = append(s.Channels, i.Channel)
	}
	if s.Level, _, err = d.Level(ctx, user); err != nil {
		return s, err
	}
	p, err := d.Payee(ctx, user)
	if err != nil {
		return s, err
	}
	if !p.IsZero() {
		s.Payee = p.String()
	}
	in, err := d.Inviters(ctx, user, d.Now())
	s.Invited = in[0] != 0
	return s, err
}
