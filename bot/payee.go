package bot

import (
	"cmp"
	"context"
	"strings"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/user"
)

// payee shows where a person's money goes, and takes a new account: all at once,
// or asking for one thing after the other.
func (t *turn) payee(ctx context.Context, args string) (Reply, error) {
	words := strings.Fields(args)
	if len(words) > 0 && isWechat(words[0]) {
		return t.ownPayee(ctx, strings.Join(words[1:], " "))
	}
	if len(words) > 1 && isMethod(words[0]) {
		words = words[1:]
	}
	switch {
	case len(words) > 1:
		t.wait(ask{Step: askAccount})
		if r, err := t.takeAccount(words[0]); err != nil || t.state.Ask.Step != askName {
			return r, err
		}
		return t.takeName(ctx, strings.Join(words[1:], " "))
	case len(words) == 1 && plausible(words[0]):
		t.wait(ask{Step: askAccount})
		return t.takeAccount(words[0])
	case len(words) == 1:
		return t.askPayee(nil), nil
	}
	p, err := t.bot.Users.Payee(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Payee", err)
	}
	if p.IsZero() {
		return t.askPayee(nil), nil
	}
	r := t.say("payee.is", "payee", t.payeeWords(p), "date", t.date(p.Changed))
	r.Buttons = []Button{t.next("payee", t.T("payee.change"))}
	return r, nil
}

func isMethod(s string) bool {
	s = fold(s)
	return s == "支付宝" || s == "alipay"
}

func isWechat(s string) bool {
	switch fold(s) {
	case "微信", "微信支付", "wechat", "wechatpay":
		return true
	default:
		return false
	}
}

// ownPayee makes the account with which a person writes their payout account, where
// money can be sent to it: nobody need type what we know.
func (t *turn) ownPayee(ctx context.Context, name string) (Reply, error) {
	account, ok := "", false
	if t.bot.OwnPayee != nil {
		account, ok = t.bot.OwnPayee(t.m.From)
	}
	if !ok {
		r := t.askPayee(nil)
		r.Text = t.T("payee.wechat_off")
		return r, nil
	}
	t.wait(ask{Step: askName, Account: account, Method: "wechat"})
	if name != "" {
		return t.takeName(ctx, name)
	}
	return Reply{Text: t.T("payee.ask_name_wechat"), Buttons: []Button{t.next("cancel")}}, nil
}

// askPayee asks for an account; amount is a withdrawal that waits for it, nil for
// none.
func (t *turn) askPayee(amount *money.Fen) Reply {
	t.wait(ask{Step: askAccount, Amount: amount})
	text := t.T("payee.ask_account")
	if amount != nil {
		text = t.T("payee.ask_account_first")
	}
	return Reply{Text: text, Buttons: []Button{t.next("cancel")}}
}

// takeAccount is the answer to the question for an account.
func (t *turn) takeAccount(s string) (Reply, error) {
	s = strings.ReplaceAll(s, " ", "")
	probe := user.Payee{Method: "alipay", Account: s, Name: "某"} // the name comes next
	if probe.Validate() != nil || !plausible(s) {
		return t.wrong(t.T("reason.payee.account")), nil //nolint:nilerr // the person is told
	}
	t.wait(ask{Step: askName, Account: s, Amount: t.state.Ask.Amount})
	return Reply{Text: t.T("payee.ask_name", "account", user.Payee{Account: s}.Masked()), Buttons: []Button{t.next("cancel")}}, nil
}

// plausible reports whether s looks like what Alipay knows people by: a mail
// address, or the digits of a telephone. It catches what was typed in the wrong
// place; whether there is such an account only Alipay knows.
func plausible(s string) bool {
	if name, host, ok := strings.Cut(s, "@"); ok {
		return name != "" && strings.Contains(strings.Trim(host, "."), ".")
	}
	const digitsMin, digitsMax = 7, 16
	digits := strings.Trim(strings.ReplaceAll(s, "-", ""), "+")
	return len(digits) >= digitsMin && len(digits) <= digitsMax && strings.Trim(digits, "0123456789") == ""
}

// takeName is the answer to the question for a name, and stores the account.
func (t *turn) takeName(ctx context.Context, s string) (Reply, error) {
	a := *t.state.Ask
	p := user.Payee{Method: cmp.Or(a.Method, "alipay"), Account: a.Account, Name: s}
	err := p.Validate()
	if err == nil {
		err = t.bot.Users.SetPayee(ctx, t.user.ID, p)
	}
	if fault.Is(err, fault.Invalid) {
		return t.wrong(t.T("reason.payee.name")), nil
	}
	if err != nil {
		return Reply{}, fault.In("bot.SetPayee", err)
	}
	t.state.Ask, t.asks = nil, false
	r := t.say("payee.set", "payee", t.payeeWords(p))
	if t.bot.manner().Limits.Cooling > 0 {
		r.Text += "\n" + t.T("payee.cooling", "span", t.span(t.bot.manner().Limits.Cooling))
	}
	if a.Amount == nil {
		r.Buttons = []Button{t.next("withdraw"), t.next("payee")}
		return r, nil
	}
	text := r.Text
	r, err = t.propose(ctx, *a.Amount)
	if err == nil {
		r.Text = strings.TrimSpace(text + "\n" + r.Text)
	}
	return r, err
}
