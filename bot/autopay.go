package bot

import (
	"context"
	"encoding/json"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/notify"
	"fanli/core/user"
	"fanli/core/withdraw"
)

// Autopays knows what people want to happen without asking.
type Autopays interface {
	Autopay(ctx context.Context, user int64) (withdraw.Autopay, error)
	SetAutopay(ctx context.Context, user int64, on bool, threshold money.Fen) (withdraw.Autopay, error)
}

// autopay shows whether a person's money is withdrawn by itself, and turns that on
// or off. It needs no confirmation: the words say all that will happen, and the
// money can only go to the person's own account.
func (t *turn) autopay(ctx context.Context, args string) (Reply, error) {
	if t.bot.Autopays == nil {
		return t.say("autopay.none"), nil
	}
	on, threshold, ok := readAutopay(args)
	if !ok {
		return t.autopayHelp(t.say("autopay.bad")), nil
	}
	var a withdraw.Autopay
	var err error
	if args == "" {
		a, err = t.bot.Autopays.Autopay(ctx, t.user.ID)
	} else {
		a, err = t.bot.Autopays.SetAutopay(ctx, t.user.ID, on, threshold)
	}
	switch fault.ReasonOf(err) {
	case "withdraw.below_minimum":
		return t.autopayHelp(t.say("autopay.too_low", "min", t.bot.manner().Limits.Minimum.Yuan())), nil
	case "withdraw.above_maximum":
		return t.autopayHelp(t.say("autopay.too_high", "max", t.bot.manner().Limits.Maximum.Yuan())), nil
	}
	if err != nil {
		return Reply{}, fault.In("bot.Autopay", err)
	}
	if !a.On {
		return t.autopayHelp(t.say("autopay.off")), nil
	}
	p, err := t.bot.Users.Payee(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Payee", err)
	}
	return t.autopayOn(a, p), nil
}

// readAutopay reads "", "开", "关" and an amount.
func readAutopay(s string) (on bool, threshold money.Fen, ok bool) {
	switch fold(s) {
	case "":
		return false, 0, true
	case "开", "打开", "开启", "on":
		return true, 0, true
	case "关", "关闭", "停", "off":
		return false, 0, true
	}
	threshold, ok = readAmount(s)
	return true, threshold, ok && threshold > 0
}

// autopayOn says what will happen.
func (t *turn) autopayOn(a withdraw.Autopay, p user.Payee) Reply {
	off := t.next("autopay", t.T("autopay.word_off"))
	if p.IsZero() {
		r := t.say("autopay.on_unbound", "amount", a.Threshold.Yuan())
		r.Buttons = []Button{t.next("payee"), off}
		return r
	}
	r := t.say("autopay.on", "amount", a.Threshold.Yuan(), "payee", t.payeeWords(p))
	r.Buttons = []Button{off, t.next("balance")}
	return r
}

// autopayHelp says how it is turned on.
func (t *turn) autopayHelp(r Reply) Reply {
	word := commandWord(t.words.Tag(), "autopay")
	r.Text += "\n" + t.T("autopay.how", "word", word)
	r.Buttons = []Button{t.next("autopay", t.T("autopay.word_on")), t.next("balance")}
	return r
}

// autopayMade tells of a withdrawal that nobody asked for by hand.
func (v voice) autopayMade(id string, c withdraw.Changed) Reply {
	r := v.say("notice.autopay.made", "id", id, "amount", c.Amount.Yuan(), "payee", c.Payee)
	if text := v.because(c.Reason); text != "" {
		r.Text += "\n" + text
	}
	r.Buttons = []Button{v.next("withdrawals"), v.next("cancelwithdrawal")}
	return r
}

// autopayHeld tells why nothing was asked for.
func (b *Bot) autopayHeld(v voice, m notify.Message) (Reply, error) {
	var h withdraw.Held
	if err := json.Unmarshal(m.Data, &h); err != nil {
		return Reply{}, fault.Wrap(fault.Invalid, "bot.Render", err)
	}
	if h.Reason == "withdraw.no_payee" {
		r := v.say("notice.autopay.unbound", "amount", h.Threshold.Yuan(), "word", commandWord(v.words.Tag(), "payee"))
		r.Buttons = []Button{v.next("payee"), v.next("autopay", v.T("autopay.word_off"))}
		return r, nil
	}
	why, _ := v.reason(h.Reason, "min", b.manner().Limits.Minimum.Yuan(), "max", b.manner().Limits.Maximum.Yuan())
	r := v.say("notice.autopay.held", "why", why)
	r.Buttons = []Button{v.next("autopay"), v.next("balance")}
	return r, nil
}
