package user

import (
	"context"
	"crypto/rand"
	"io"
	"slices"
	"strings"
	"time"

	"fanli/core/fault"
)

// An Invitation is who brought a user, and since when that counts. It is set once
// and never changes.
type Invitation struct {
	User    int64
	Inviter int64
	At      time.Time
}

// codeLen is the length of an invitation code: long enough that nobody meets a
// stranger's by a slip of the hand.
const codeLen = 8

// codeLetters can be read aloud: no I, L, O and U, and no 0 and 1.
const codeLetters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeTries bounds how often a code is drawn that somebody has already.
const codeTries = 5

// Code returns a user's invitation code, making one at the first call.
func (d *Directory) Code(ctx context.Context, user int64) (code string, err error) {
	if user, err = d.root(ctx, user); err != nil {
		return "", err
	}
	for range codeTries {
		code, err = d.Store.Code(ctx, user)
		if !fault.Is(err, fault.NotFound) {
			return code, err
		}
		err = d.Store.InTx(ctx, func(tx Tx) error { return tx.SetCode(user, newCode(rand.Reader)) })
		if err != nil && !fault.Is(err, fault.Conflict) { // somebody has it, or a second message of theirs was faster
			return "", err
		}
	}
	return code, err
}

func newCode(from io.Reader) string {
	if from == nil {
		from = rand.Reader
	}
	b := make([]byte, codeLen)
	if _, err := io.ReadFull(from, b); err != nil {
		panic("user: no random numbers: " + err.Error()) // crypto/rand never fails
	}
	for i := range b {
		b[i] = codeLetters[int(b[i])%len(codeLetters)]
	}
	return string(b)
}

// Bind says that the owner of code brought user. It fails with fault.NotFound for
// a code that nobody has, with fault.Conflict if the user was brought by somebody
// before, and with fault.Denied for a code of their own or of somebody who came
// after them. Since everybody is brought by an earlier one, nobody is brought by
// themselves in a roundabout way.
func (d *Directory) Bind(ctx context.Context, user int64, code string) error {
	user, err := d.root(ctx, user)
	if err != nil {
		return err
	}
	inviter, err := d.Store.ByCode(ctx, strings.ToUpper(strings.TrimSpace(code)))
	switch {
	case fault.Is(err, fault.NotFound):
		return fault.New(fault.NotFound, "invite.no_such_code")
	case err != nil:
		return err
	}
	if inviter, err = d.root(ctx, inviter); err != nil {
		return err
	}
	switch {
	case inviter == user:
		return fault.New(fault.Denied, "invite.own")
	case inviter > user:
		return fault.New(fault.Denied, "invite.older")
	}
	err = d.Store.InTx(ctx, func(tx Tx) error { return tx.Bind(Invitation{user, inviter, d.Now()}) })
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, "invite.bound")
	}
	return err
}

// Inviters returns who had brought a user at a time, and who had brought that one
// by then; 0 for nobody. There is no third, here or anywhere. Nobody has brought
// themselves, and nobody is both: from the moment on at which two accounts were one
// person's they count as one here.
func (d *Directory) Inviters(ctx context.Context, user int64, at time.Time) (out [2]int64, err error) {
	person, err := d.rootAt(ctx, user, at)
	if err != nil {
		return out, err
	}
	seen := []int64{person}
	for i := range out {
		in, err := d.Store.Invitation(ctx, user)
		if fault.Is(err, fault.NotFound) || err == nil && in.At.After(at) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		who, err := d.rootAt(ctx, in.Inviter, at)
		if err != nil || slices.Contains(seen, who) {
			return out, err
		}
		seen = append(seen, who)
		out[i], user = in.Inviter, in.Inviter
	}
	return out, nil
}

// rootAt returns the account that an account was a part of at a time.
func (d *Directory) rootAt(ctx context.Context, user int64, at time.Time) (int64, error) {
	for d.Merges != nil {
		to, err := d.Merges.SurvivorOf(ctx, user)
		if err != nil || to == 0 {
			return user, err
		}
		ms, err := d.Merges.AbsorbedBy(ctx, to)
		if err != nil {
			return user, err
		}
		for _, m := range ms {
			if m.Absorbed == user && m.At.After(at) {
				return user, nil
			}
		}
		user = to
	}
	return user, nil
}

// Invited returns how many people a user has brought.
func (d *Directory) Invited(ctx context.Context, user int64) (int, error) {
	ns, err := of(ctx, d, user, func(ctx context.Context, id int64) ([]int, error) {
		n, err := d.Store.Invited(ctx, id)
		return []int{n}, err
	})
	sum := 0
	for _, n := range ns {
		sum += n
	}
	return sum, err
}
