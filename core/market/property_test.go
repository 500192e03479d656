package market_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanli/core/market"
	"fanli/core/money"
)

// TestWhateverHappensTheBookIsSound lets anything happen to a few lines and looks
// at the whole book after every step.
func TestWhateverHappensTheBookIsSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := open(1000, kettle(), market.Goods{ID: "2", Title: "杯", Price: 1999, Rate: 1200})
		heard := 0
		var last []byte
		s.OnChange(func(b []byte) { heard, last = heard+1, b })
		seq := int64(0)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			s.at = s.at.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			before, count := s.Save(), heard
			err := s.anything(t)
			if err != nil && !bytes.Equal(s.Save(), before) {
				t.Fatalf("what was refused has changed the book: %v", err)
			}
			if (err == nil) != (heard > count) || err == nil && !bytes.Equal(last, s.Save()) {
				t.Fatalf("of a step that ends with %v was heard %d times", err, heard-count)
			}
			seq = s.sound(t, seq)
		}
		s.reload(t)
	})
}

// anything lets one thing happen.
func (s *shop) anything(t *rapid.T) error {
	lines := s.Lines(nil)
	if len(lines) == 0 || rapid.IntRange(0, 3).Draw(t, "buy") == 0 {
		_, err := s.Buy(market.Click{Item: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "item")}, rapid.IntRange(0, 5).Draw(t, "quantity"), number)
		return err
	}
	l := rapid.SampledFrom(lines).Draw(t, "line")
	switch rapid.IntRange(0, 7).Draw(t, "step") {
	case 0:
		return s.Pay(l.ID)
	case 1:
		return s.Receive(l.ID)
	case 2:
		return s.Settle(l.ID)
	case 3:
		return s.Cancel(l.ID)
	case 4:
		return s.Refund(l.ID, money.Fen(rapid.Int64Range(-1, int64(l.Price)+1).Draw(t, "amount")))
	case 5:
		return s.Reprice(l.ID, money.Bps(rapid.Int64Range(0, 10_000).Draw(t, "rate")))
	case 6:
		return s.Split(l.ID, rapid.SliceOfN(rapid.IntRange(0, 3), 1, 3).Draw(t, "parts"), number)
	default:
		return s.Violate(l.ID)
	}
}

// sound judges every line and returns the highest Seq.
func (s *shop) sound(t *rapid.T, seq int64) int64 {
	lines := s.Lines(nil)
	top := seq
	seen := map[int64]bool{}
	for i, l := range lines {
		var returned money.Fen
		for _, r := range l.Returns {
			returned += r.Amount
		}
		left := l.Price - l.Refunded
		if left < 0 || l.Refunded < 0 || returned > l.Refunded || l.Quantity < 1 || l.Commission < 0 || l.Commission > left {
			t.Fatalf("line %+v", l)
		}
		if (l.State == market.Invalid || l.State == market.Replaced) && l.Commission != 0 || (l.State == market.Invalid) != (l.Why != "") {
			t.Fatalf("line %+v", l)
		}
		if l.Modified.After(s.at) || l.Modified.Before(l.Created) || seen[l.Seq] {
			t.Fatalf("line %+v", l)
		}
		if i > 0 && (l.Modified.Before(lines[i-1].Modified) || l.Modified.Equal(lines[i-1].Modified) && l.Seq < lines[i-1].Seq) {
			t.Fatalf("%s stands after %s", l.ID, lines[i-1].ID)
		}
		seen[l.Seq] = true
		top = max(top, l.Seq)
	}
	return top
}

// reload saves the book and loads it into another market, which goes on like this
// one.
func (s *shop) reload(t *rapid.T) {
	o := open(1000)
	o.at = s.at
	if err := o.Load(s.Save()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(o.Save(), s.Save()) {
		t.Fatalf("%s became %s", s.Save(), o.Save())
	}
	for _, m := range []*shop{s, o} {
		l := m.buy(t, 4)
		if err := m.Split(l.ID, []int{1, 3}, number); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(o.Save(), s.Save()) {
		t.Fatal("they go on differently")
	}
}
