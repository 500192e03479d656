package store

import (
	"fanli/core/money"
	"fanli/core/order"
)

type lineRow struct {
	ID         int64 `gorm:"primaryKey"`
	Network    string
	Account    string
	LineNo     string
	Rev        int64
	OrderNo    string
	RootNo     string // as it was placed, before the network split it
	Item       string
	Tag        string
	SettlesOn  int64
	State      string
	Why        string
	Commission int64
	Price      int64
	Refunded   int64
	Disputed   bool
	SettledAt  int64
	Whole      string
	Back       string
	UserID     int64
	LinkID     int64
	Step       string
	Evidence   string
	Promise    string
	SeenAt     int64
}

func (lineRow) TableName() string { return "order_lines" }

// lineChanges are the columns that may change after first sight.
func lineChanges() []string {
	return []string{
		"rev", "order_no", "root_no", "item", "tag", "settles_on", "state", "why", "commission", "price", "refunded", "disputed",
		"settled_at", "whole", "back", "user_id", "link_id", "step", "evidence", "promise",
	}
}

func newLineRow(l *order.Line) (r lineRow, err error) {
	whole := l.Row()
	r = lineRow{
		ID: l.ID, Network: l.Key.Network, Account: l.Key.Account, LineNo: l.Key.ID, Rev: l.Rev,
		OrderNo: whole.Order, RootNo: whole.Root(), Item: whole.Item, Tag: whole.Tag, SettlesOn: ms(whole.SettlesOn),
		State: string(l.State), Why: l.Why, Commission: int64(l.Commission), Price: int64(l.Price),
		Refunded: int64(l.Refunded), Disputed: l.Disputed, SettledAt: ms(l.SettledAt),
		UserID: l.User, LinkID: l.Link, Step: string(l.Step), Evidence: l.Evidence, SeenAt: ms(l.Seen),
	}
	if r.Whole, err = registerText(l.Whole); err != nil {
		return r, err
	}
	if r.Back, err = registerText(l.Back); err != nil {
		return r, err
	}
	r.Promise, err = promiseText(l.Promise)
	return r, err
}

func (r lineRow) line() (order.Line, error) {
	l := order.Line{
		ID: r.ID, Key: order.Key{Network: r.Network, Account: r.Account, ID: r.LineNo}, Rev: r.Rev,
		Facts: order.Facts{
			State: order.State(r.State), Why: r.Why, Commission: money.Fen(r.Commission), Price: money.Fen(r.Price),
			Refunded: money.Fen(r.Refunded), Disputed: r.Disputed, SettledAt: at(r.SettledAt),
		},
		User: r.UserID, Link: r.LinkID, Step: order.Step(r.Step), Evidence: r.Evidence, Seen: at(r.SeenAt),
	}
	var err error
	if l.Whole, err = parseRegister(r.Whole); err != nil {
		return l, err
	}
	if l.Back, err = parseRegister(r.Back); err != nil {
		return l, err
	}
	return l, parse(r.Promise, &l.Promise)
}

// lines turns rows into lines.
func lines(rows []lineRow) ([]order.Line, error) {
	out := make([]order.Line, len(rows))
	for i, r := range rows {
		l, err := r.line()
		if err != nil {
			return nil, err
		}
		out[i] = l
	}
	return out, nil
}

// registerText writes a register; "" is none.
func registerText(g *order.Register) (string, error) {
	if g == nil {
		return "", nil
	}
	b, err := g.MarshalText()
	return string(b), classify("store.order_lines", err)
}

// parseRegister reads what registerText wrote.
func parseRegister(s string) (*order.Register, error) {
	if s == "" {
		return nil, nil
	}
	g := &order.Register{}
	if err := g.UnmarshalText([]byte(s)); err != nil {
		return nil, classify("store.order_lines", err)
	}
	return g, nil
}
