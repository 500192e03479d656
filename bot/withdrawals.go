package bot

import (
	"context"
	"strconv"
	"strings"

	"fanli/core/fault"
	"fanli/core/withdraw"
)

// withdrawals lists the latest withdrawals with what became of them.
func (t *turn) withdrawals(ctx context.Context, _ string) (Reply, error) {
	ws, err := t.bot.Withdrawals.OfUser(ctx, t.user.ID, 0, pageSize)
	if err != nil {
		return Reply{}, fault.In("bot.Withdrawals", err)
	}
	if len(ws) == 0 {
		return Reply{Text: t.T("withdrawals.none"), Buttons: []Button{t.next("balance")}}, nil
	}
	var b strings.Builder
	b.WriteString(t.T("withdrawals.head"))
	for _, w := range ws {
		b.WriteString("\n" + t.withdrawalLine(w))
	}
	r := Reply{Text: b.String(), Buttons: []Button{t.next("balance")}}
	if _, ok := cancellable(ws, 0); ok {
		r.Buttons = append(r.Buttons, t.next("cancelwithdrawal"))
	}
	return r, nil
}

// withdrawalLine says in one line what a withdrawal is and how far it has come.
func (t *turn) withdrawalLine(w withdraw.Withdrawal) string {
	s := t.T("withdrawals.line", "id", strconv.FormatInt(w.ID, 10), "amount", w.Amount.Yuan(),
		"state", t.T("withdrawal.state."+string(w.State)), "at", t.moment(w.Changed), "payee", t.payeeWords(w.Payee))
	if text := t.because(w.Reason); text != "" {
		s += "\n   " + text
	}
	if w.State == withdraw.Confirming && t.bot.ConfirmURL != nil {
		s += "\n   " + t.bot.ConfirmURL(w)
	}
	return s
}

// because puts the reason of a withdrawal into words. Staff may have written a
// sentence of their own instead of a key.
func (v voice) because(reason string) string {
	if text, ok := v.reason(reason); ok {
		return text
	}
	if reason == "" || isKey(reason) {
		return ""
	}
	return clean(reason, reasonRunesMax)
}

// reasonRunesMax bounds a sentence that staff wrote.
const reasonRunesMax = 120

// isKey reports whether s is a stable key rather than a sentence.
func isKey(s string) bool {
	return strings.Contains(s, ".") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") == ""
}

// cancellable finds the withdrawal with an id, or the newest, that can still be
// cancelled.
func cancellable(ws []withdraw.Withdrawal, id int64) (withdraw.Withdrawal, bool) {
	for _, w := range ws {
		switch w.State {
		case withdraw.Requested, withdraw.Reviewing, withdraw.Approved, withdraw.Confirming:
			if id == 0 || w.ID == id {
				return w, true
			}
		default:
		}
	}
	return withdraw.Withdrawal{}, false
}

// cancelWithdrawal proposes to take a withdrawal back.
func (t *turn) cancelWithdrawal(ctx context.Context, args string) (Reply, error) {
	var id int64
	if args != "" {
		n, err := strconv.ParseInt(strings.TrimLeft(args, "# "), 10, 64)
		if err != nil || n <= 0 {
			return Reply{Text: t.T("cancelw.bad_number"), Buttons: []Button{t.next("withdrawals")}}, nil //nolint:nilerr // the person is told
		}
		id = n
	}
	ws, err := t.bot.Withdrawals.OfUser(ctx, t.user.ID, 0, openLook)
	if err != nil {
		return Reply{}, fault.In("bot.Withdrawals", err)
	}
	w, ok := cancellable(ws, id)
	if !ok {
		return Reply{Text: t.T("cancelw.none"), Buttons: []Button{t.next("withdrawals")}}, nil
	}
	c := t.expect(confirm{Cancel: w.ID, Amount: w.Amount})
	r := Reply{Text: t.T("cancelw.ask", "id", strconv.FormatInt(w.ID, 10), "amount", w.Amount.Yuan()) + "\n" +
		t.T("confirm.code", "word", t.confirmAction(c)), Buttons: t.confirmButtons(c)}
	r.Buttons[0].Label = t.T("button.confirm_cancel")
	return r, nil
}

// doCancel takes back the withdrawal that was shown.
func (t *turn) doCancel(ctx context.Context, c *confirm) (Reply, error) {
	w, err := t.bot.Withdrawals.Cancel(ctx, t.user.ID, c.Cancel)
	switch {
	case fault.ReasonOf(err) == "withdraw.cancelling":
		c.Done = true
		text, _ := t.sentence("withdraw.cancelling")
		return Reply{Text: text, Buttons: []Button{t.next("withdrawals")}}, nil
	case fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound):
		t.state.Confirm = nil
		return Reply{Text: t.T("cancelw.late"), Buttons: []Button{t.next("withdrawals")}}, nil
	case err != nil:
		c.Unsure = true
		return Reply{Text: t.T("confirm.unclear", "trace", t.trace(ctx, err)), Buttons: t.confirmButtons(c)}, nil
	}
	c.Done = true
	return Reply{Text: t.T("cancelw.done", "id", strconv.FormatInt(w.ID, 10), "amount", w.Amount.Yuan()),
		Buttons: []Button{t.next("balance")}}, nil
}
