package bot

import (
	"context"
	"regexp"
	"strings"
	"time"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/rebate"
)

// Invites knows who brought whom.
type Invites interface {
	// Code returns a user's invitation code.
	Code(ctx context.Context, user int64) (string, error)
	// Invited returns how many people a user has brought.
	Invited(ctx context.Context, user int64) (int, error)
	// Bind says that the owner of a code brought user.
	Bind(ctx context.Context, user int64, code string) error
}

// Gifts gives what does not come from an order.
type Gifts interface {
	// Come enters a check-in and returns what it brought; 0 for a second one on
	// the same day.
	Come(ctx context.Context, user int64) (money.Fen, error)
	// Promised returns what an invitation brings at the moment.
	Promised(ctx context.Context) (credit.Invitation, error)
	// Dry reports whether a budget is used up.
	Dry(ctx context.Context, budget string) (bool, error)
}

// codeForm is what an invitation code looks like.
var codeForm = regexp.MustCompile(`^[0-9A-Za-z]{8}$`)

// invite tells a person their code, and what it is good for.
func (t *turn) invite(ctx context.Context, _ string) (Reply, error) {
	if t.bot.Invites == nil {
		return t.say("invite.off"), nil
	}
	code, err := t.bot.Invites.Code(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Code", err)
	}
	n, err := t.bot.Invites.Invited(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Invited", err)
	}
	r := t.say("invite.text", "code", code, "n", count(n), "word", commandWord(t.words.Tag(), "start")+" "+code)
	if url := t.privateURL(invitedMark + code); url != "" {
		r.Text += "\n" + t.T("invite.link", "url", url)
	}
	r.Cards = t.picture(ctx, code)
	refer, err := t.bot.Rebates.Referral(ctx)
	if err != nil {
		return Reply{}, fault.In("bot.Referral", err)
	}
	if refer != (rebate.Referral{}) {
		r.Text += "\n" + t.T("invite.parts", "first", refer.First.String(), "second", refer.Second.String())
	}
	if t.bot.Gifts != nil {
		i, err := t.bot.Gifts.Promised(ctx)
		if err != nil {
			return Reply{}, fault.In("bot.Promised", err)
		}
		if i.Inviter > 0 {
			r.Text += "\n" + t.T("invite.bonus", "amount", i.Inviter.Yuan())
		}
		if i.Invited > 0 {
			r.Text += "\n" + t.T("invite.bonus_invited", "amount", i.Invited.Yuan())
		}
	}
	r.Buttons = []Button{{Label: t.T("button.code"), Copy: code}, t.next("balance")}
	return r, nil
}

// A Picture is one that is shown at an address until a time.
type Picture struct {
	URL   string
	Until time.Time
}

// picture shows what friends scan to come by a code, where the channel has that.
func (t *turn) picture(ctx context.Context, code string) []Card {
	if t.bot.InvitePicture == nil {
		return nil
	}
	p, ok := t.bot.InvitePicture(ctx, t.m.From, invitedMark+code)
	if !ok {
		return nil
	}
	return []Card{{
		Title: t.T("invite.picture"), Image: p.URL,
		Notes:   []string{t.T("invite.picture_how", "until", t.date(p.Until))},
		Buttons: []Button{{Label: t.T("button.picture"), URL: p.URL}},
	}}
}

// bind enters the code with which somebody came, and says what became of it.
func (t *turn) bind(ctx context.Context, code string) (string, error) {
	code = strings.TrimPrefix(code, invitedMark)
	if t.bot.Invites == nil || !codeForm.MatchString(code) { // channels send payloads of their own
		return "", nil
	}
	err := t.bot.Invites.Bind(ctx, t.user.ID, code)
	if err == nil {
		return t.T("invite.bound"), nil
	}
	if text, ok := t.refusal(err); ok {
		return text, nil
	}
	return "", fault.In("bot.Bind", err)
}

// credit says that the owner of a code brought this new person, without a word: whoever
// scans a friend's code has not asked anything.
func (t *turn) credit(ctx context.Context) {
	if t.bot.Invites == nil || !codeForm.MatchString(t.m.Via) {
		return
	}
	if err := t.bot.Invites.Bind(ctx, t.user.ID, t.m.Via); err != nil && !expected(err) {
		t.trace(ctx, fault.In("bot.Bind", err))
	}
}

// checkIn gives today's bonus.
func (t *turn) checkIn(ctx context.Context, _ string) (Reply, error) {
	if t.bot.Gifts == nil {
		return t.say("checkin.off"), nil
	}
	amount, err := t.bot.Gifts.Come(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Come", err)
	}
	r := t.say("checkin.again")
	if amount > 0 {
		r = t.say("checkin.done", "amount", amount.Yuan())
	}
	r.Buttons = []Button{t.next("balance")}
	return r, nil
}
