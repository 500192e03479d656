package market_test

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/fault"
	"fanli/core/market"
	"fanli/core/money"
)

var start = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

// A shop is a market with a clock that only the test moves.
type shop struct {
	*market.Market
	at time.Time
}

func open(fee money.Bps, goods ...market.Goods) *shop {
	s := &shop{at: start}
	s.Market = market.New(func() time.Time { return s.at }, fee, 1000)
	s.Stock(goods...)
	return s
}

// kettle costs ¥89.00, ¥79.00 after its coupon, and brings 5 %.
func kettle() market.Goods {
	return market.Goods{ID: "1", Title: "水壶", Price: 8900, Coupon: 1000, CouponFrom: 5000, Rate: 500, Aliases: []string{"short", "口令"}}
}

func number(n int64) (order, line string) { return fmt.Sprint("o", n), fmt.Sprint("l", n) }

type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// line returns a line that must be there.
func (s *shop) line(t fataler, id string) market.Line {
	t.Helper()
	l, ok := s.Line(id)
	if !ok {
		t.Fatalf("no line %s", id)
	}
	return l
}

// buy buys and pays.
func (s *shop) buy(t fataler, quantity int) market.Line {
	t.Helper()
	l, err := s.Buy(market.Click{Item: "1", Tag: "t", Slot: "s"}, quantity, number)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Pay(l.ID); err != nil {
		t.Fatal(err)
	}
	return s.line(t, l.ID)
}

func TestFinal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                string
		price, coupon, from money.Fen
		want                money.Fen
	}{
		{"no coupon", 8900, 0, 0, 8900},
		{"a coupon", 8900, 1000, 5000, 7900},
		{"from exactly its price", 5000, 1000, 5000, 4000},
		{"not below its price", 4999, 1000, 5000, 4999},
		{"never for nothing", 1000, 1000, 0, 1000},
	}
	for _, tt := range tests {
		if got := (market.Goods{Price: tt.price, Coupon: tt.coupon, CouponFrom: tt.from}).Final(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestGoodsAreFoundByIDAndAlias(t *testing.T) {
	t.Parallel()
	s := open(0, kettle(), market.Goods{ID: "2", Title: "杯", Price: 100})
	for id, want := range map[string]bool{"1": true, "short": true, "口令": true, "2": true, "": false, "no": false} {
		if _, ok := s.Goods(id); ok != want {
			t.Errorf("goods %q are there: %v", id, ok)
		}
	}
	changed := kettle()
	changed.Price = 9900
	s.Stock(changed)
	if shelf := s.Shelf(); len(shelf) != 2 || shelf[0].Price != 9900 || s.String() != "2 goods, 0 lines" {
		t.Errorf("%s: %+v", s, shelf)
	}
}

func TestALineRemembersWhatWasBought(t *testing.T) {
	t.Parallel()
	s := open(1000, kettle())
	l := s.buy(t, 3)
	want := market.Line{
		ID: "l1001", Order: "o1001", Click: market.Click{Item: "1", Tag: "t", Slot: "s"}, Goods: kettle(), Quantity: 3, State: market.Paid,
		Price: 3 * 7900, Rate: 500, Created: start, PaidAt: start, Modified: start, Seq: 2,
		Commission: 1066, // 5 % of 237.00 is 11.85; 90 % of that is 10.665
	}
	if fmt.Sprintf("%+v", l) != fmt.Sprintf("%+v", want) {
		t.Errorf("got\n%+v, want\n%+v", l, want)
	}
	dearer := kettle()
	dearer.Price, dearer.Rate = 99_900, 100
	s.Stock(dearer)
	if again := s.line(t, l.ID); again.Price != l.Price || again.Commission != l.Commission {
		t.Errorf("it costs %s when the goods become dearer", again.Price)
	}
}

func TestWhatCannotBeBoughtIsNot(t *testing.T) {
	t.Parallel()
	s := open(0, kettle())
	for _, tt := range []struct {
		item     string
		quantity int
	}{{"2", 1}, {"", 1}, {"1", 0}, {"1", -1}, {"1", 1001}} {
		if l, err := s.Buy(market.Click{Item: tt.item}, tt.quantity, number); !fault.Is(err, fault.NotFound) {
			t.Errorf("%d of %q: %+v, %v", tt.quantity, tt.item, l, err)
		}
	}
	if len(s.Lines(nil)) != 0 {
		t.Error("a line is there")
	}
}

// steps are all that can happen to a line.
func (s *shop) steps() map[string]func(id string) error {
	return map[string]func(id string) error{
		"pay": s.Pay, "receive": s.Receive, "settle": s.Settle, "cancel": s.Cancel, "violate": s.Violate,
		"refund":  func(id string) error { return s.Refund(id, 100) },
		"reprice": func(id string) error { return s.Reprice(id, 300) },
		"split":   func(id string) error { return s.Split(id, []int{1, 1}, number) },
	}
}

func TestEveryStepFromEveryState(t *testing.T) {
	t.Parallel()
	reach := map[market.State][]string{
		market.Created: {}, market.Paid: {"pay"}, market.Received: {"pay", "receive"}, market.Settled: {"pay", "receive", "settle"},
		market.Invalid: {"cancel"}, market.Replaced: {"pay", "split"},
	}
	legal := map[string]map[market.State]market.State{
		"pay":     {market.Created: market.Paid},
		"receive": {market.Paid: market.Received},
		"settle":  {market.Received: market.Settled},
		"cancel":  {market.Created: market.Invalid, market.Paid: market.Invalid},
		"refund":  {market.Paid: market.Paid, market.Received: market.Received, market.Settled: market.Settled},
		"violate": {market.Created: market.Invalid, market.Paid: market.Invalid, market.Received: market.Invalid, market.Settled: market.Invalid},
		"reprice": {market.Created: market.Created, market.Paid: market.Paid, market.Received: market.Received, market.Settled: market.Settled},
		"split":   {market.Paid: market.Replaced},
	}
	for from, way := range reach {
		for step, ends := range legal {
			t.Run(step+" "+string(from), func(t *testing.T) {
				t.Parallel()
				s := open(1000, kettle())
				l, err := s.Buy(market.Click{Item: "1"}, 2, number)
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range way {
					if err := s.steps()[w](l.ID); err != nil {
						t.Fatal(err)
					}
				}
				before := s.Save()
				s.at = s.at.Add(time.Minute)
				err = s.steps()[step](l.ID)
				to, ok := ends[from]
				if !ok {
					if !fault.Is(err, fault.Conflict) || !bytes.Equal(s.Save(), before) {
						t.Errorf("it is illegal, and gives %v; the book has changed: %v", err, !bytes.Equal(s.Save(), before))
					}
					return
				}
				if got := s.line(t, l.ID); err != nil || got.State != to || !got.Modified.Equal(s.at) {
					t.Errorf("got %s, changed at %s, %v; want %s", got.State, got.Modified, err, to)
				}
			})
		}
	}
}

func TestALineThatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	s := open(0, kettle())
	for name, step := range s.steps() {
		if err := step("no"); fault.CodeOf(err) != fault.NotFound && (name != "split" || fault.CodeOf(err) != fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	t.Run("all before settlement makes it invalid", func(t *testing.T) {
		t.Parallel()
		s := open(0, kettle())
		l := s.buy(t, 1)
		for _, amount := range []money.Fen{7000, 900} {
			if err := s.Refund(l.ID, amount); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.line(t, l.ID); got.State != market.Invalid || got.Why != "refunded" || got.Refunded != 7900 || got.Commission != 0 || len(got.Returns) != 0 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("all after settlement leaves it settled and owing nothing", func(t *testing.T) {
		t.Parallel()
		s := open(0, kettle())
		l := s.buy(t, 1)
		if err := s.Refund(l.ID, 900); err != nil {
			t.Fatal(err)
		}
		for _, step := range []func(string) error{s.Receive, s.Settle} {
			if err := step(l.ID); err != nil {
				t.Fatal(err)
			}
		}
		for _, amount := range []money.Fen{3000, 4000} {
			s.at = s.at.Add(time.Hour)
			if err := s.Refund(l.ID, amount); err != nil {
				t.Fatal(err)
			}
		}
		got := s.line(t, l.ID)
		want := []market.Return{{At: start.Add(time.Hour), Amount: 3000}, {At: start.Add(2 * time.Hour), Amount: 4000}}
		if got.State != market.Settled || got.Refunded != 7900 || got.Commission != 0 || !slices.Equal(got.Returns, want) || !got.RefundedAt.Equal(s.at) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("what cannot be given back changes nothing", func(t *testing.T) {
		t.Parallel()
		s := open(0, kettle())
		l := s.buy(t, 1)
		if err := s.Refund(l.ID, 7000); err != nil {
			t.Fatal(err)
		}
		before := s.Save()
		s.at = s.at.Add(time.Hour)
		for _, amount := range []money.Fen{901, 0, -1, 1 << 60} {
			if err := s.Refund(l.ID, amount); fault.ReasonOf(err) != "market.refund_amount" || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", amount, err)
			}
		}
		if !bytes.Equal(s.Save(), before) {
			t.Error("the book has changed")
		}
	})
}

func TestASplitThatDoesNotAddUpIsRefused(t *testing.T) {
	t.Parallel()
	for _, parts := range [][]int{{3}, {1, 1}, {2, 2}, {}, {0, 3}, {-1, 4}, {3, 0}} {
		s := open(0, kettle())
		l := s.buy(t, 3)
		before := s.Save()
		if err := s.Split(l.ID, parts, number); !fault.Is(err, fault.Conflict) || !bytes.Equal(s.Save(), before) {
			t.Errorf("three pieces into %v: %v", parts, err)
		}
	}
}

func TestASplitKeepsEveryFen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := kettle()
		g.Price, g.Coupon = money.Fen(rapid.Int64Range(1, 10_000).Draw(t, "price")), 0
		s := open(money.Bps(rapid.Int64Range(0, 3000).Draw(t, "fee")), g)
		parts := rapid.SliceOfN(rapid.IntRange(1, 9), 2, 6).Draw(t, "parts")
		quantity := 0
		for _, p := range parts {
			quantity += p
		}
		l := s.buy(t, quantity)
		for range rapid.IntRange(0, 2).Draw(t, "refunds") {
			left := int64(s.line(t, l.ID).Price - s.line(t, l.ID).Refunded)
			if left > 1 {
				if err := s.Refund(l.ID, money.Fen(rapid.Int64Range(1, left-1).Draw(t, "refund"))); err != nil {
					t.Fatal(err)
				}
			}
		}
		l = s.line(t, l.ID)
		if err := s.Split(l.ID, parts, number); err != nil {
			t.Fatal(err)
		}
		children := s.Lines(func(c market.Line) bool { return c.Parent == l.Order })
		var price, refunded, commission money.Fen
		pieces := 0
		for _, c := range children {
			price, refunded, commission, pieces = price+c.Price, refunded+c.Refunded, commission+c.Commission, pieces+c.Quantity
			if c.Refunded > c.Price || c.Price < 0 || c.Refunded < 0 || c.State != market.Paid || c.Click != l.Click || c.ID == l.ID {
				t.Fatalf("child %+v", c)
			}
		}
		if len(children) != len(parts) || price != l.Price || refunded != l.Refunded || pieces != quantity {
			t.Fatalf("%d children of %s cost %s, %s of %s came back, %d of %d pieces", len(children), l.Price, price, refunded, l.Refunded, pieces, quantity)
		}
		if commission > l.Commission || commission < l.Commission-money.Fen(len(parts)) {
			t.Fatalf("a commission of %s became %s", l.Commission, commission)
		}
		if p := s.line(t, l.ID); p.State != market.Replaced || p.Commission != 0 {
			t.Fatalf("the parent is %+v", p)
		}
	})
}

func TestCommissionIsBothRatesOfWhatTheBuyerStillPays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fee := rapid.Int64Range(0, 10_000).Draw(t, "fee")
		rate := rapid.Int64Range(0, 10_000).Draw(t, "rate")
		g := kettle()
		g.Price, g.Coupon, g.Rate = money.Fen(rapid.Int64Range(2, 1_000_000).Draw(t, "price")), 0, money.Bps(rate)
		s := open(money.Bps(fee), g)
		l := s.buy(t, 1)
		back := rapid.Int64Range(0, int64(g.Price)-1).Draw(t, "back")
		if back > 0 {
			if err := s.Refund(l.ID, money.Fen(back)); err != nil {
				t.Fatal(err)
			}
		}
		left := int64(g.Price) - back
		got := s.line(t, l.ID).Commission
		if want := money.Fen(left * rate * (10_000 - fee) / 100_000_000); got != want { // at most 10^14: it fits
			t.Fatalf("%d at %d less %d is %s, want %s", left, rate, fee, got, want)
		}
		if got < 0 || int64(got) > left {
			t.Fatalf("a commission of %s of %d", got, left)
		}
	})
}

func TestWhatIsNoBookIsNotLoaded(t *testing.T) {
	t.Parallel()
	s := open(0, kettle())
	s.buy(t, 1)
	before := s.Save()
	for _, text := range []string{"", "{", "[]", `{"lines":[]}`, `{"lines":{"l1":null}}`, `{"goods":"x"}`} {
		if err := s.Load([]byte(text)); !fault.Is(err, fault.Invalid) || !bytes.Equal(s.Save(), before) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := s.Load([]byte(`{}`)); err != nil || len(s.Lines(nil)) != 0 {
		t.Errorf("an empty book: %v", err)
	}
	s.Stock(kettle())
	s.buy(t, 1)
}

func TestManyBuyersAtOnceGetOrdersOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := open(0, kettle())
	const buyers = 50
	ids := make([]string, buyers)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			l, err := s.Buy(market.Click{Item: "1"}, 1, number)
			if err == nil {
				err = s.Pay(l.ID)
			}
			if err != nil {
				t.Error(err)
			}
			ids[i] = l.ID
			s.Lines(nil)
		})
	}
	all.Wait()
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != buyers || len(s.Lines(func(l market.Line) bool { return l.State == market.Paid })) != buyers {
		t.Errorf("%d buyers have %d orders", buyers, n)
	}
}

func TestALineThatIsReadIsACopy(t *testing.T) {
	t.Parallel()
	s := open(0, kettle())
	l := s.buy(t, 1)
	for _, step := range []func(string) error{s.Receive, s.Settle} {
		if err := step(l.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Refund(l.ID, 1); err != nil {
		t.Fatal(err)
	}
	early := s.line(t, l.ID)
	if err := s.Refund(l.ID, 2); err != nil {
		t.Fatal(err)
	}
	if len(early.Returns) != 1 || early.Returns[0].Amount != 1 || early.Refunded != 1 {
		t.Errorf("what was read has become %+v", early)
	}
	if s.Fee() != 0 {
		t.Errorf("the fee is %s", s.Fee())
	}
}
