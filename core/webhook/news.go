package webhook

import (
	"encoding/json"
	"regexp"
	"time"

	"fanli/core/credit"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// A body is what is posted.
type body struct {
	ID    string     `json:"id"`
	Event event.Name `json:"event"`
	At    time.Time  `json:"at"` // when it became true
	Data  data       `json:"data"`
}

type data struct {
	Items []any `json:"items"`
}

// who is whose the news is. The words are those of the API.
type who struct {
	User     int64  `json:"user"`
	External string `json:"external_id,omitempty"` // of a client's hook
}

func (w *who) whose() *who { return w }

// An item is news of one user.
type item interface{ whose() *who }

// An orderItem is what an order line is now. The greatest rev is the newest.
type orderItem struct {
	who
	ID       int64     `json:"id"`
	Rev      int64     `json:"rev"`
	Network  string    `json:"network"`
	Number   string    `json:"number"`
	Line     string    `json:"line"` // the network's number of the line
	State    string    `json:"state"`
	Why      string    `json:"why,omitempty"`
	Price    money.Fen `json:"price_fen"`
	Refunded money.Fen `json:"refunded_fen"`
	Disputed bool      `json:"disputed"`
	Created  time.Time `json:"created_at,omitzero"`
	Settled  time.Time `json:"settled_at,omitzero"`
}

// A rebateItem is what an order line brings its user now. The greatest seq is the
// newest.
type rebateItem struct {
	who
	Seq     int64     `json:"seq"`
	Network string    `json:"network"`
	Number  string    `json:"number"`
	Line    string    `json:"line"`
	Stage   string    `json:"stage"`
	Was     string    `json:"was"`
	Amount  money.Fen `json:"amount_fen"`
	Before  money.Fen `json:"before_fen"`
	Debt    money.Fen `json:"debt_fen"` // became debt with this
	Due     time.Time `json:"due_at,omitzero"`
}

// A withdrawalItem is what a withdrawal has become.
type withdrawalItem struct {
	who
	ID        int64     `json:"id"`
	Amount    money.Fen `json:"amount_fen"`
	State     string    `json:"state"`
	Was       string    `json:"was,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Automatic bool      `json:"automatic"`
}

// A claimItem is what a claim has become.
type claimItem struct {
	who
	ID      int64     `json:"id"`
	Network string    `json:"network"`
	Number  string    `json:"number"`
	State   string    `json:"state"`
	Note    string    `json:"note,omitempty"` // a stable key; words of staff stay here
	Final   bool      `json:"final"`
	Until   time.Time `json:"until,omitzero"`
}

// stable is the form of keys that name a reason. What has another form are words of
// a person and may be about one.
var stable = regexp.MustCompile(`^[a-z]+(\.[a-z_]+)+$`)

func key(s string) string {
	if stable.MatchString(s) {
		return s
	}
	return ""
}

func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// news returns what receivers are told of an event, and under which name. Money of a
// rebate moves when it is in the ledger, so ledger.posted is what they know as
// rebate.changed.
func news(e event.Event) (name event.Name, items []item, err error) {
	switch e.Name {
	case event.OrderChanged:
		items, err = orders(e)
	case event.LedgerPosted:
		items, err = rebates(e)
		return event.RebateChanged, items, fault.Wrap(fault.Invalid, "webhook.news", err)
	case event.WithdrawalChanged:
		items, err = withdrawals(e)
	case event.ClaimChanged:
		items, err = claims(e)
	default:
	}
	return e.Name, items, fault.Wrap(fault.Invalid, "webhook.news", err)
}

func orders(e event.Event) (out []item, err error) {
	var c order.Changed
	err = e.Decode(&c)
	for _, l := range c.Lines {
		if l.User == 0 {
			continue // nobody's, so far
		}
		out = append(out, &orderItem{
			who: who{User: l.User}, ID: l.Line, Rev: l.Rev, Network: l.Key.Network, Number: l.Order, Line: l.Key.ID,
			State: string(l.State), Why: key(l.Why), Price: l.Price, Refunded: l.Refunded, Disputed: l.Disputed,
			Created: moment(l.CreatedAt), Settled: moment(l.SettledAt),
		})
	}
	return out, err
}

func rebates(e event.Event) (out []item, err error) {
	var p credit.Posted
	err = e.Decode(&p)
	for _, c := range p.Changes {
		if c.User == 0 || c.Now == c.Before && c.Stage == c.Was && c.Debt == 0 {
			continue // only the order behind it changed
		}
		out = append(out, &rebateItem{
			who: who{User: c.User}, Seq: c.Seq, Network: c.Key.Network, Number: c.Order, Line: c.Key.ID,
			Stage: string(c.Stage), Was: string(c.Was), Amount: c.Now, Before: c.Before, Debt: c.Debt, Due: moment(c.Due),
		})
	}
	return out, err
}

func withdrawals(e event.Event) ([]item, error) {
	var c withdraw.Changed
	err := e.Decode(&c)
	return []item{&withdrawalItem{
		who: who{User: c.User}, ID: c.ID, Amount: c.Amount, State: string(c.State), Was: string(c.Was), Reason: key(c.Reason), Automatic: c.Auto,
	}}, err
}

func claims(e event.Event) ([]item, error) {
	var c order.ClaimChanged
	err := e.Decode(&c)
	return []item{&claimItem{
		who: who{User: c.User}, ID: c.ID, Network: c.Network, Number: c.Order, State: string(c.State), Note: key(c.Note),
		Final: c.Final, Until: moment(c.Until),
	}}, err
}

// write makes the body for a hook: the news of its users. It is nil where there is
// none.
func write(h Hook, id string, name event.Name, at time.Time, items []item, members map[int64]Member) ([]byte, error) {
	b := body{ID: id, Event: name, At: moment(at), Data: data{Items: []any{}}}
	for _, i := range items {
		w := i.whose()
		w.External = ""
		if h.Client != "" {
			m, ok := members[w.User]
			if !ok || m.Client != h.Client {
				continue
			}
			w.External = m.External
		}
		b.Data.Items = append(b.Data.Items, i)
	}
	if len(b.Data.Items) == 0 && name != Test {
		return nil, nil
	}
	out, err := json.Marshal(b)
	return out, fault.Wrap(fault.Internal, "webhook.write", err)
}
