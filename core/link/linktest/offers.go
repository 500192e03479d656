package linktest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/market"
)

func offerTells(t *testing.T, s Subject) {
	for _, ref := range s.Known {
		t.Run(string(ref.Kind), func(t *testing.T) {
			o := s.offer(t, ref)
			s.wantOffer(t, o, s.goods(t, ref))
			if o.Source != ref {
				t.Errorf("Source = %+v, want what was asked: %+v", o.Source, ref)
			}
		})
	}
}

// wantOffer compares o with the goods as the book has them.
func (s Subject) wantOffer(t *testing.T, o link.Offer, g market.Goods) {
	t.Helper()
	if o.Network != s.Network.Name() {
		t.Errorf("Network = %q, want %q", o.Network, s.Network.Name())
	}
	if o.Item == "" || o.ItemKey() == "" {
		t.Error("the offer does not say of which item it is")
	}
	if o.Title != g.Title {
		t.Errorf("Title = %q, want %q", o.Title, g.Title)
	}
	if o.Price != g.Price || o.Final != g.Final() {
		t.Errorf("Price, Final = %s, %s, want %s, %s", o.Price, o.Final, g.Price, g.Final())
	}
	switch {
	case g.Coupon == 0 && o.Coupon.Amount != 0:
		t.Errorf("Coupon.Amount = %s for goods without a coupon", o.Coupon.Amount)
	case g.Final() < g.Price && (o.Coupon.Amount != g.Coupon || o.Coupon.Threshold != g.CouponFrom):
		t.Errorf("Coupon = %s from %s, want %s from %s", o.Coupon.Amount, o.Coupon.Threshold, g.Coupon, g.CouponFrom)
	}
	if o.Rate != g.Rate {
		t.Errorf("Rate = %s, want %s", o.Rate, g.Rate)
	}
	// A network rounds its own fee; a fen of difference is not ours to judge.
	if d := o.Commission - s.owed(g); d < -1 || d > 1 {
		t.Errorf("Commission = %s, want what the network will owe: %s", o.Commission, s.owed(g))
	}
	if o.At.IsZero() {
		t.Error("At is not set")
	}
	if o.Image != "" && !strings.HasPrefix(o.Image, "https://") {
		t.Errorf("Image = %q, want an https address", o.Image)
	}
}

func offerIsStable(t *testing.T, s Subject) {
	keys := map[string]string{} // goods by ItemKey
	for _, ref := range s.Known {
		g, a, b := s.goods(t, ref), s.offer(t, ref), s.offer(t, ref)
		if a.ItemKey() != b.ItemKey() {
			t.Errorf("ItemKey of %s = %q, then %q", ref.Key(), a.ItemKey(), b.ItemKey())
		}
		if id, ok := keys[a.ItemKey()]; ok && id != g.ID {
			t.Errorf("goods %s and %s share the ItemKey %q", id, g.ID, a.ItemKey())
		}
		keys[a.ItemKey()] = g.ID
	}
}

func unlistedIsNotFound(t *testing.T, s Subject) {
	_, err := s.Network.Offer(t.Context(), s.Unlisted)
	s.wantCode(t, "Offer of unlisted goods", err, fault.NotFound)
}

func foreignIsInvalid(t *testing.T, s Subject) {
	_, err := s.Network.Offer(t.Context(), s.Foreign)
	s.wantCode(t, "Offer of "+string(s.Foreign.Kind), err, fault.Invalid)
}

// wantClick follows made and compares what is behind it.
func (s Subject) wantClick(t *testing.T, made link.Made, m link.Mark, g market.Goods) market.Click {
	t.Helper()
	c, ok := s.Click(made)
	if !ok {
		t.Fatalf("the network knows nothing of the link %q", made.URL)
	}
	if tagged, slotted := c.Tag == m.Tag, m.Slot != "" && c.Slot == m.Slot; !tagged && !slotted {
		t.Errorf("click = %+v, want the tag or the slot of %+v", c, m)
	}
	if behind, ok := s.Market.Goods(c.Item); !ok || behind.ID != g.ID {
		t.Errorf("click leads to %q, want goods %q", c.Item, g.ID)
	}
	return c
}

func linkCarriesMark(t *testing.T, s Subject) {
	for i, ref := range s.Known {
		t.Run(string(ref.Kind), func(t *testing.T) {
			o, m := s.offer(t, ref), s.mark(i)
			made, err := s.Network.Link(t.Context(), o, m)
			if err != nil {
				t.Fatalf("Link: %v", err)
			}
			wantLink(t, made)
			s.wantClick(t, made, m, s.goods(t, ref))
		})
	}
}

func linksDiffer(t *testing.T, s Subject) {
	p, pooled := s.Network.(link.Pooled)
	if pooled && len(p.Slots()) < 2 {
		t.Fatal("give the subject a pool of two slots or more")
	}
	ref := s.Known[0]
	o, g := s.offer(t, ref), s.goods(t, ref)
	var clicks [2]market.Click
	for i := range clicks {
		made, err := s.Network.Link(t.Context(), o, s.mark(i))
		if err != nil {
			t.Fatalf("Link: %v", err)
		}
		clicks[i] = s.wantClick(t, made, s.mark(i), g)
	}
	if clicks[0] == clicks[1] {
		t.Errorf("two marks came to the same click %+v", clicks[0])
	}
}

func linkAgain(t *testing.T, s Subject) {
	ref := s.Known[0]
	o, m, g := s.offer(t, ref), s.mark(3), s.goods(t, ref)
	var clicks [2]market.Click
	for i := range clicks {
		made, err := s.Network.Link(t.Context(), o, m)
		if err != nil {
			t.Fatalf("Link, time %d: %v", i+1, err)
		}
		clicks[i] = s.wantClick(t, made, m, g)
	}
	if clicks[0] != clicks[1] {
		t.Errorf("the same mark came to %+v, then to %+v", clicks[0], clicks[1])
	}
}

func slotsAreFixed(t *testing.T, s Subject) {
	p, ok := s.Network.(link.Pooled)
	if !ok {
		t.Skip("the network has no pool")
	}
	a, b := p.Slots(), p.Slots()
	if len(a) == 0 || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("Slots() = %q, then %q, want the same pool, not empty", a, b)
	}
	seen := map[string]bool{}
	for _, slot := range a {
		if slot == "" || seen[slot] {
			t.Errorf("slot %q is empty or there twice", slot)
		}
		seen[slot] = true
	}
}

func manyAtOnce(t *testing.T, s Subject) {
	const callers = 12
	type result struct {
		made link.Made
		err  error
	}
	results := make([]result, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			o, err := s.Network.Offer(t.Context(), s.Known[i%len(s.Known)])
			if err != nil {
				results[i].err = err
				return
			}
			results[i].made, results[i].err = s.Network.Link(t.Context(), o, s.mark(i))
		})
	}
	wg.Wait()
	for i, r := range results {
		if r.err != nil {
			t.Errorf("caller %d: %v", i, r.err)
			continue
		}
		s.wantClick(t, r.made, s.mark(i), s.goods(t, s.Known[i%len(s.Known)]))
	}
}
