package bot

import (
	"context"
	"fmt"
	"strings"

	"fanli/core/credit"
	"fanli/core/fault"
	"fanli/core/ledger"
)

// balance says where a person's money is.
func (t *turn) balance(ctx context.Context, _ string) (Reply, error) {
	w, err := t.bot.Money.Wallet(ctx, t.user.ID)
	if err != nil {
		return Reply{}, fault.In("bot.Wallet", err)
	}
	c := Card{Title: t.T("balance.title"), Rows: []Row{
		{Label: t.T("pocket.available"), Value: w.Available.Yuan(), Strong: true},
		{Label: t.T("pocket.pending"), Value: w.Pending.Yuan()},
	}}
	if w.Reserved > 0 {
		c.Rows = append(c.Rows, Row{Label: t.T("pocket.reserved"), Value: w.Reserved.Yuan()})
	}
	if w.Debt > 0 {
		c.Rows = append(c.Rows, Row{Label: t.T("pocket.debt"), Value: w.Debt.Yuan()})
		c.Notes = append(c.Notes, t.T("balance.debt"))
	}
	if w.Pending > 0 {
		c.Notes = append(c.Notes, t.T("balance.pending"))
	}
	if w.Reserved > 0 {
		c.Notes = append(c.Notes, t.T("balance.reserved"))
	}
	r := Reply{Cards: []Card{c}}
	switch {
	case w == credit.Wallet{}:
		r.Cards[0].Notes = []string{t.T("balance.empty")}
		r.Buttons = []Button{t.next("guide")}
	case w.Reserved > 0:
		r.Buttons = []Button{t.next("withdrawals"), t.next("statement")}
	case w.Debt == 0 && w.Available >= t.bot.manner().Limits.Minimum && w.Available > 0:
		r.Buttons = []Button{t.next("withdraw"), t.next("statement")}
	default:
		if w.Debt == 0 && w.Available > 0 {
			r.Cards[0].Notes = append(r.Cards[0].Notes, t.T("balance.minimum", "min", t.bot.manner().Limits.Minimum.Yuan()))
		}
		r.Buttons = []Button{t.next("orders"), t.next("statement")}
	}
	return r, nil
}

// statement lists what moved a person's money, newest first.
func (t *turn) statement(ctx context.Context, _ string) (Reply, error) {
	return t.statementPage(ctx, []int64{0})
}

// statementPage lists the entries after the last of starts.
func (t *turn) statementPage(ctx context.Context, starts []int64) (Reply, error) {
	es, err := t.bot.Money.Statement(ctx, t.user.ID, starts[len(starts)-1], pageSize+1)
	if err != nil {
		return Reply{}, fault.In("bot.Statement", err)
	}
	if len(es) == 0 {
		return Reply{Text: t.T("statement.none"), Buttons: []Button{t.next("guide")}}, nil
	}
	l := list{Kind: listStatement, Page: len(starts), Starts: starts}
	if l.More = len(es) > pageSize; l.More {
		es = es[:pageSize]
		l.Next = es[pageSize-1].ID
	}
	var b strings.Builder
	b.WriteString(t.T("statement.head"))
	for _, e := range es {
		b.WriteString("\n" + t.entry(e))
	}
	r := Reply{Text: b.String(), Buttons: t.show(l)}
	if len(r.Buttons) == 0 {
		r.Buttons = []Button{t.next("balance")}
	}
	return r, nil
}

// entry is one line of the statement. What an entry does to the person's money is
// credit's to say; one that only changes its place has no sign.
func (t *turn) entry(e ledger.Entry) string {
	amount := signed(credit.Effect(t.user.ID, e))
	if credit.Effect(t.user.ID, e) == 0 {
		amount = e.Amount.Yuan()
	}
	cause := clean(e.Note, listTitleRunesMax)
	if id, ok := strings.CutPrefix(e.Cause, "withdrawal/"); ok {
		cause = "#" + id
	}
	return strings.TrimRight(fmt.Sprintf("%s  %s  %s  %s", t.moment(e.At), amount, t.T("entry."+string(e.Kind)), cause), " ")
}
