package bot

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// openLook is how many of a person's latest withdrawals are looked at for one
// that is on its way.
const openLook = 10

// withdraw proposes to pay out what args says, or all. Nothing moves before the
// proposal is confirmed.
func (t *turn) withdraw(ctx context.Context, args string) (Reply, error) {
	amount, ok := readAmount(args)
	if !ok {
		return t.say("withdraw.bad_amount"), nil
	}
	return t.propose(ctx, amount)
}

// readAmount reads "20", "¥20.5", "20元", and nothing or "全部" as 0: all.
func readAmount(s string) (amount money.Fen, ok bool) {
	switch s = fold(s); s {
	case "", "全部", "全提", "所有", "all":
		return 0, true
	}
	s = strings.TrimSpace(strings.TrimLeft(s, "¥￥$"))
	for _, unit := range []string{"元", "块", "块钱", "rmb", "yuan", "cny"} {
		s = strings.TrimSuffix(s, unit)
	}
	amount, err := money.ParseYuan(strings.TrimSpace(s), money.Exact)
	return amount, err == nil && amount > 0
}

// propose shows what would be paid, to whom and when, and waits for the word.
// amount 0 means all that can be withdrawn at once.
func (t *turn) propose(ctx context.Context, amount money.Fen) (Reply, error) {
	t.state.Confirm = nil
	have, err := t.bot.Money.Wallet(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Wallet", err)
	}
	ws, err := t.bot.Withdrawals.OfUser(ctx, t.user.ID, 0, openLook)
	if err != nil {
		return Reply{}, fault.In("bot.Withdrawals", err)
	}
	if asked := amount; asked == 0 {
		amount = min(have.Available, t.bot.manner().Limits.Maximum)
	}
	var reason string
	switch {
	case have.Debt > 0:
		reason = "withdraw.debt"
	case open(ws):
		reason = "withdraw.open"
	case amount > have.Available:
		reason = "withdraw.insufficient"
	case amount < t.bot.manner().Limits.Minimum || amount == 0:
		reason = "withdraw.below_minimum"
	case amount > t.bot.manner().Limits.Maximum:
		reason = "withdraw.above_maximum"
	}
	if reason != "" {
		r := t.refuse(reason)
		if reason == "withdraw.insufficient" || reason == "withdraw.below_minimum" {
			r.Text += t.T("withdraw.have", "available", have.Available.Yuan(), "pending", have.Pending.Yuan())
		}
		return r, nil
	}
	p, err := t.bot.Users.Payee(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Payee", err)
	}
	if p.IsZero() {
		return t.askPayee(&amount), nil
	}
	return t.proposal(amount, p), nil
}

// refuse says why nothing can be withdrawn, and where to look.
func (t *turn) refuse(reason string) Reply {
	text, _ := t.sentence(reason)
	r := Reply{Text: text}
	switch reason {
	case "withdraw.debt":
		r.Buttons = []Button{t.next("statement"), t.next("balance")}
	case "withdraw.open":
		r.Buttons = []Button{t.next("withdrawals"), t.next("cancelwithdrawal")}
	case "withdraw.no_payee":
		r.Buttons = []Button{t.next("payee")}
	case "merge.withdrawal":
		r.Buttons = []Button{t.next("withdrawals"), t.next("link")}
	case "merge.under_way":
		r.Buttons = []Button{t.next("orders")}
	default:
		r.Buttons = []Button{t.next("balance")}
	}
	return r
}

// proposal shows a withdrawal with the code that confirms it.
func (t *turn) proposal(amount money.Fen, p user.Payee) Reply {
	c := t.expect(confirm{Amount: amount, Payee: printOf(p)})
	card := Card{Title: t.T("withdraw.title"), Rows: []Row{
		{Label: t.T("withdraw.amount"), Value: amount.Yuan(), Strong: true},
		{Label: t.T("withdraw.payee"), Value: t.payeeWords(p)},
		{Label: t.T("withdraw.arrives"), Value: t.arrival(t.reviewed(amount, p))},
	}, Notes: []string{t.T("confirm.how", "word", t.confirmAction(c), "minutes", count(int(confirmTTL/time.Minute)))}}
	return Reply{Cards: []Card{card}, Buttons: t.confirmButtons(c)}
}

// reviewed foretells whether a person will look at the withdrawal first.
func (t *turn) reviewed(amount money.Fen, p user.Payee) bool {
	l := t.bot.manner().Limits
	return amount > l.Auto || l.Cooling > 0 && t.now.Sub(p.Changed) < l.Cooling // an account that was given just now is younger than this turn
}

func (t *turn) arrival(reviewed bool) string {
	switch {
	case reviewed:
		return t.T("withdraw.arrives_reviewed")
	case t.bot.PaidWithin > 0:
		return t.T("withdraw.arrives_within", "span", t.span(t.bot.PaidWithin))
	default:
		return t.T("withdraw.arrives_soon")
	}
}

func (t *turn) payeeWords(p user.Payee) string {
	return t.T("payee.method."+p.Method) + " " + p.Masked()
}

// printOf is equal for a payee that has not changed.
func printOf(p user.Payee) string { return p.String() + " " + p.Changed.UTC().Format(time.RFC3339Nano) }

func open(ws []withdraw.Withdrawal) bool {
	for _, w := range ws {
		if !w.State.Final() {
			return true
		}
	}
	return false
}

// expect makes c wait for its code.
func (t *turn) expect(c confirm) *confirm {
	b := t.bot.random(10)
	c.Code = fmt.Sprintf("%04d", (int(b[0])<<8|int(b[1]))%10_000)
	c.Nonce = hex.EncodeToString(b[2:])
	c.Until = t.now.Add(confirmTTL)
	t.state.Confirm, t.asks = &c, true
	return &c
}

func (t *turn) confirmAction(c *confirm) string {
	return commandWord(t.words.Tag(), "confirm") + " " + c.Code
}

func (t *turn) confirmButtons(c *confirm) []Button {
	return []Button{{Label: t.T("button.confirm", "amount", c.Amount.Yuan()), Action: t.confirmAction(c)}, t.next("cancel")}
}

// confirm is the only way to move money: it takes the code of what was proposed. Once a
// code is good for nothing more, neither are the buttons that have it.
func (t *turn) confirm(ctx context.Context, code string) (Reply, error) {
	r, err := t.decide(ctx, code)
	c := t.state.Confirm
	r.Spent = c == nil || c.Done || c.Code != code
	return r, err
}

// decide does what a code confirms.
func (t *turn) decide(ctx context.Context, code string) (Reply, error) {
	c := t.state.Confirm
	switch {
	case c == nil:
		r := t.say("confirm.nothing")
		r.Buttons = []Button{t.next("balance")}
		return r, nil
	case c.Done && code == c.Code:
		return t.repeated(ctx, c)
	case c.Done || t.now.After(c.Until):
		t.state.Confirm = nil
		r := t.say("confirm.expired")
		if c.Unsure {
			r = t.say("confirm.expired_unsure")
		}
		r.Buttons = []Button{t.next("withdrawals"), t.next(c.command())}
		if c.Link != "" || c.Unlink != 0 {
			r.Buttons = []Button{t.next(c.command())}
		}
		return r, nil
	case code == "":
		return Reply{Text: t.T("confirm.code", "word", t.confirmAction(c)), Buttons: t.buttonsOf(c)}, nil
	case code != c.Code:
		if c.Tries++; c.Tries >= confirmTriesMax {
			t.state.Confirm = nil
			r := t.say("confirm.enough")
			r.Buttons = []Button{t.next(c.command())}
			return r, nil
		}
		return Reply{Text: t.T("confirm.wrong"), Buttons: t.buttonsOf(c)}, nil
	case c.Link != "":
		return t.doLink(ctx, c)
	case c.Unlink != 0:
		return t.doUnlink(ctx, c)
	case c.Cancel != 0:
		return t.doCancel(ctx, c)
	default:
		return t.doWithdraw(ctx, c)
	}
}

// command is what makes a new proposal of the same sort.
func (c *confirm) command() string {
	switch {
	case c.Link != "":
		return "link"
	case c.Unlink != 0:
		return "unlink"
	case c.Cancel != 0:
		return "cancelwithdrawal"
	default:
		return "withdraw"
	}
}

// buttonsOf are the buttons that confirm what was proposed.
func (t *turn) buttonsOf(c *confirm) []Button {
	if c.Link != "" || c.Unlink != 0 {
		return t.linkButtons(c)
	}
	return t.confirmButtons(c)
}

// key names the request for ever: however often it is confirmed, it is one.
func (c *confirm) key(userID int64) string {
	return fmt.Sprintf("bot/%d/%s/%s", userID, c.Nonce, c.Amount)
}

// doWithdraw asks for exactly what was shown, to exactly whom.
func (t *turn) doWithdraw(ctx context.Context, c *confirm) (Reply, error) {
	p, err := t.bot.Users.Payee(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Payee", err)
	}
	if printOf(p) != c.Payee {
		r := t.proposal(c.Amount, p)
		r.Text = t.T("withdraw.payee_changed")
		return r, nil
	}
	w, err := t.bot.Withdrawals.Request(ctx, t.user.ID, c.Amount, c.key(t.user.ID))
	if expected(err) {
		t.state.Confirm = nil
		if text, ok := t.refusal(err); ok {
			r := t.refuse(fault.ReasonOf(err))
			r.Text = text
			return r, nil
		}
	}
	if text, ok := t.switchText(err); ok {
		return Reply{Text: text, Buttons: []Button{t.next("balance")}}, nil
	}
	if err != nil {
		c.Unsure = true
		return Reply{Text: t.T("confirm.unclear", "trace", t.trace(ctx, err)), Buttons: t.confirmButtons(c)}, nil
	}
	c.Done = true
	return t.accepted(w), nil
}

// accepted says that a withdrawal is on its way.
func (t *turn) accepted(w withdraw.Withdrawal) Reply {
	r := t.say("withdraw.accepted", "id", fmt.Sprint(w.ID), "amount", w.Amount.Yuan(),
		"payee", t.payeeWords(w.Payee), "arrives", t.arrival(w.State == withdraw.Reviewing))
	if text, ok := t.reason(w.Reason); ok {
		r.Text += "\n" + text
	}
	r.Buttons = []Button{t.next("withdrawals"), t.next("cancelwithdrawal")}
	return r
}

// repeated answers a confirmation that was given before.
func (t *turn) repeated(ctx context.Context, c *confirm) (Reply, error) {
	if c.Link != "" || c.Unlink != 0 {
		return t.say("confirm.repeated"), nil
	}
	ws, err := t.bot.Withdrawals.OfUser(ctx, t.user.ID, 0, openLook)
	if err != nil {
		return Reply{}, fault.In("bot.Withdrawals", err)
	}
	for _, w := range ws {
		if c.Cancel == 0 && w.Key == c.key(t.user.ID) || c.Cancel == w.ID {
			r := Reply{Text: t.T("confirm.repeated") + "\n" + t.withdrawalLine(w)}
			r.Buttons = []Button{t.next("withdrawals")}
			return r, nil
		}
	}
	r := t.say("confirm.repeated")
	r.Buttons = []Button{t.next("withdrawals")}
	return r, nil
}
