package sandbox

import (
	"slices"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
)

// A Deed is something that can happen to an order.
type Deed string

// The deeds.
const (
	Pay     Deed = "pay"     // the buyer pays
	Receive Deed = "receive" // the buyer has the goods
	Settle  Deed = "settle"  // the shop settles with the network
	Refund  Deed = "refund"  // money goes back to the buyer, in part or all of it
	Cancel  Deed = "cancel"  // the order is closed before the goods came
	Violate Deed = "violate" // the network finds it against its rules
	Split   Deed = "split"   // the warehouse sends it in two orders
)

// Deeds returns what can happen to a line now, the usual next step first.
func Deeds(l market.Line) []Deed {
	switch l.State {
	case market.Created:
		return []Deed{Pay, Cancel}
	case market.Paid:
		d := []Deed{Receive, Refund, Cancel, Violate}
		if l.Quantity > 1 {
			d = append(d, Split)
		}
		return d
	case market.Received:
		return []Deed{Settle, Refund, Violate}
	case market.Settled:
		if l.Refunded < l.Price {
			return []Deed{Refund, Violate}
		}
		return []Deed{Violate}
	case market.Invalid, market.Replaced:
	}
	return nil
}

// Do makes a deed happen. amount is for Refund; 0 means all that is left. It fails
// with fault.NotFound for an order that does not exist, with fault.Conflict where
// the deed is not among [Deeds], and with fault.Invalid for a wrong amount.
func (w *World) Do(network, line string, d Deed, amount money.Fen) error {
	s, ok := w.Shop(network)
	if !ok {
		return fault.New(fault.NotFound, "sandbox.no_shop")
	}
	l, ok := s.Market.Line(line)
	if !ok {
		return fault.New(fault.NotFound, "market.no_line")
	}
	if !slices.Contains(Deeds(l), d) {
		return fault.Newf(fault.Conflict, "market.wrong_state", "line %s is %s: %s cannot happen", line, l.State, d)
	}
	if err := s.do(l, d, amount); err != nil {
		return err
	}
	w.Save()
	return nil
}

func (s *Shop) do(l market.Line, d Deed, amount money.Fen) error {
	switch d {
	case Pay:
		return s.Market.Pay(l.ID)
	case Receive:
		return s.Market.Receive(l.ID)
	case Settle:
		return s.Market.Settle(l.ID)
	case Refund:
		if amount == 0 {
			amount = l.Price - l.Refunded
		}
		return s.Market.Refund(l.ID, amount)
	case Cancel:
		return s.Market.Cancel(l.ID)
	case Violate:
		return s.Market.Violate(l.ID)
	case Split:
		return s.Split(l.ID, []int{1, l.Quantity - 1})
	default:
		return fault.Newf(fault.Invalid, "sandbox.no_deed", "deed %q", d)
	}
}

// strayAdzone is an adzone of the account that is not in the pool: who buys
// through it is nobody that fanli knows.
const strayAdzone = "333333399"

// Stray places and pays an order that came through our account but lost its mark
// on the way, as happens with links that are passed on: only its buyer can say
// whose it is.
func (w *World) Stray(network, item string) (market.Line, error) {
	s, ok := w.Shop(network)
	if !ok {
		return market.Line{}, fault.New(fault.NotFound, "sandbox.no_shop")
	}
	c := market.Click{Item: item}
	switch network {
	case link.Taobao:
		c.Slot = strayAdzone
	case link.PDD:
		c.Slot = pddPID
	}
	l, err := s.Order(c, 1)
	if err != nil {
		return l, err
	}
	if err := w.Do(network, l.ID, Pay, 0); err != nil {
		return l, err
	}
	l, _ = s.Market.Line(l.ID)
	return l, nil
}

// organicFrom is where the numbers of orders begin that no network hears of. They
// are made of the time and are far above those that the markets count.
const organicFrom = 500_000_000

// organic returns a number for an order that did not come through a link of ours.
// The shop would keep it; the affiliate network never hears of it, so no book
// does either.
func (w *World) organic(s *Shop) string {
	number, _ := s.number(organicFrom + w.Now().Unix()%400_000_000)
	return number
}

// settlementDay is the day of the month on which networks pay.
const settlementDay = 21

// beijing is the zone in which the world's days begin.
var beijing = time.FixedZone("CST", 8*60*60)

// UntilSettlement is how long it is to ten in the morning of the next 21st,
// Beijing time.
func (w *World) UntilSettlement() time.Duration {
	now := w.Now().In(beijing)
	next := time.Date(now.Year(), now.Month(), settlementDay, 10, 0, 0, 0, beijing)
	if !next.After(now) {
		next = next.AddDate(0, 1, 0)
	}
	return next.Sub(now)
}

// An Order is a line of any network.
type Order struct {
	Network string
	Line    market.Line
}

// Orders returns the newest count lines of all networks, newest first, and how
// many there are.
func (w *World) Orders(count int) (orders []Order, all int) {
	for _, s := range w.shops {
		for _, l := range s.Market.Lines(nil) {
			orders = append(orders, Order{s.Name, l})
		}
	}
	slices.SortStableFunc(orders, func(a, b Order) int {
		if c := b.Line.Created.Compare(a.Line.Created); c != 0 {
			return c
		}
		return int(b.Line.Seq - a.Line.Seq)
	})
	all = len(orders)
	return orders[:min(count, all)], all
}

// quantityMax is how many pieces the shop sells at once.
const quantityMax = 20

// quantity reads how many pieces somebody wants; nothing means one.
func quantity(text string) (int, error) {
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > quantityMax {
		return 0, fault.New(fault.Invalid, "sandbox.quantity")
	}
	return n, nil
}
