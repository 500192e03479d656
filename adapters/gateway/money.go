package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"fanli/core/control"
	"fanli/core/credit"
	"fanli/core/ledger"
	"fanli/core/withdraw"
)

func (a *API) wallet(c *call) (any, error) {
	w, err := a.o.Wallets.Wallet(c.ctx(), c.user)
	if err != nil {
		return nil, err
	}
	paid, err := a.o.Wallets.Paid(c.ctx(), c.user)
	return Wallet{Pending: w.Pending, Available: w.Available, Reserved: w.Reserved, Paid: paid, Debt: w.Debt}, err
}

func (a *API) statement(c *call) (any, error) {
	es, err := a.o.Wallets.Statement(c.ctx(), c.user, c.before, c.count+1)
	if err != nil {
		return nil, err
	}
	out := Statement{Items: []Entry{}}
	if len(es) > c.count {
		es = es[:c.count]
		out.Next = cursor(es[c.count-1].ID)
	}
	for _, e := range es {
		out.Items = append(out.Items, entryView(c.user, e))
	}
	return out, nil
}

// entryView shows an entry. Of its cause only a withdrawal is shown: the others name
// orders, which may be a friend's.
func entryView(user int64, e ledger.Entry) Entry {
	out := Entry{ID: e.ID, Kind: string(e.Kind), Amount: e.Amount, Effect: credit.Effect(user, e), Note: e.Note, At: moment(e.At)}
	out.From, out.To = pocket(user, e.From), pocket(user, e.To)
	if id, ok := strings.CutPrefix(e.Cause, "withdrawal/"); ok {
		out.Withdrawal, _ = strconv.ParseInt(id, 10, 64) // 0 for none
	}
	return out
}

func pocket(user int64, a ledger.Account) string {
	if u, p, ok := a.Owner(); ok && u == user {
		return string(p)
	}
	return ""
}

func (a *API) withdrawals(c *call) (any, error) {
	ws, err := a.o.Payouts.OfUser(c.ctx(), c.user, c.before, c.count+1)
	out := Withdrawals{Items: []Withdrawal{}}
	if len(ws) > c.count {
		ws = ws[:c.count]
		out.Next = cursor(ws[c.count-1].ID)
	}
	for _, w := range ws {
		out.Items = append(out.Items, a.withdrawalView(w))
	}
	return out, err
}

// withdraw asks for money. The key that the client gives is made the request's own, so
// that no two clients or users share one.
func (a *API) withdraw(c *call) (any, error) {
	q := c.body.(*WithdrawalRequest)
	if q.All == (q.Amount != 0) || q.Amount < 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "api.amount", "amount_fen")
	}
	key := fmt.Sprintf("%s/%d/%s", c.caller.channel, c.user, c.key)
	w, err := a.o.Payouts.Request(c.ctx(), c.user, q.Amount, key)
	if err != nil {
		return nil, err
	}
	if !q.All && w.Amount != q.Amount {
		return nil, refuse(http.StatusConflict, "api.idempotency_reused", "Idempotency-Key")
	}
	c.status = http.StatusCreated
	return a.withdrawalView(w), nil
}

func (a *API) cancelWithdrawal(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	if err := a.o.Switches.Check(c.ctx(), control.ReadOnly); err != nil {
		return nil, err
	}
	w, err := a.o.Payouts.Cancel(c.ctx(), c.user, id)
	return a.withdrawalView(w), none(err, "withdraw.none")
}

func (a *API) withdrawalView(w withdraw.Withdrawal) Withdrawal {
	out := Withdrawal{
		ID: w.ID, Amount: w.Amount, State: string(w.State), Reason: w.Reason, Payee: w.Payee.Masked(), At: moment(w.At), Changed: moment(w.Changed),
	}
	if a.o.ConfirmURL != nil && w.State == withdraw.Confirming {
		out.Confirm = a.o.ConfirmURL(w)
	}
	return out
}
