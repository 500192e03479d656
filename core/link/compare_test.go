package link_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/alike"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
	"fanli/core/money"
)

// shop is a network that notes what is searched for.
type shop struct {
	*linktest.Memory
	mu    sync.Mutex
	asked []string
}

func (s *shop) Search(ctx context.Context, words string, page, count int) ([]link.Offer, error) {
	s.mu.Lock()
	s.asked = append(s.asked, words)
	s.mu.Unlock()
	return s.Memory.Search(ctx, words, page, count)
}

func (s *shop) searches() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.asked = nil }()
	return strings.Join(s.asked, "|")
}

// street is a desk over shops with goods of real titles; of them "title @ yuan coupon".
func street(t *testing.T, shelves map[string][]string) (*counter, map[string]*shop) {
	t.Helper()
	c := newCounter(t, 0)
	c.Networks = nil
	shops := map[string]*shop{}
	for _, name := range []string{link.Taobao, link.JD, link.PDD} {
		m := market.New(c.now, 0, 1)
		for i, line := range shelves[name] {
			title, sum, _ := strings.Cut(line, " @ ")
			var price, coupon int64
			if _, err := fmt.Sscan(sum, &price, &coupon); err != nil {
				t.Fatal(err)
			}
			m.Stock(market.Goods{ID: fmt.Sprint(name, i), Title: title, Price: money.Fen(price * 100), Coupon: money.Fen(coupon * 100), Rate: 1000})
		}
		shops[name] = &shop{Memory: linktest.NewMemory(name, m, c.now)}
		c.Networks = append(c.Networks, shops[name])
	}
	return c, shops
}

func flasks() map[string][]string {
	return map[string][]string{
		link.Taobao: {"Thermos/膳魔师 不锈钢焖烧罐 500毫升 @ 199 30", "膳魔师 焖烧罐 500ml 二手 @ 50 0", "膳魔师 焖烧罐 300ml @ 99 0"},
		link.JD:     {"膳魔师焖烧罐 500ml 不锈钢 @ 189 10", "膳魔师焖烧罐 不锈钢 @ 179 0", "膳魔师不锈钢焖烧罐 0.5L @ 180 0", "焖烧罐 500ml @ 20 0"},
		link.PDD:    {"膳魔师焖烧罐 450ml @ 139 9", "焖烧罐 收纳包 适用膳魔师 @ 15 0", "膳魔师焖烧罐 350ml @ 120 0"},
	}
}

// rows writes what a comparison shows.
func rows(all []link.Compared) (out string) {
	for _, r := range all {
		mark := string(r.Alike.Verdict)
		if r.Basis {
			mark = "basis"
		}
		out += fmt.Sprintf("%s %s %s; ", r.Quote.Offer.Item, r.Quote.Net().Yuan(), mark)
	}
	return strings.TrimSuffix(out, "; ")
}

func TestCompareShowsTheSameGoodsByNetPrice(t *testing.T) {
	t.Parallel()
	known := link.Offer{Network: link.JD, Item: "jd0", Title: "膳魔师焖烧罐 500ml 不锈钢", Price: 189_00, Final: 179_00, Commission: 17_90}
	for name, tt := range map[string]struct {
		of                  link.Basis
		want, similar, jobs string
	}{
		"behind a link": {
			link.Basis{Ref: item(link.JD, "jd0")},
			"taobao0 ¥157.17 same; jd0 ¥166.47 basis; jd1 ¥166.47 likely; jd2 ¥167.40 same", "pdd2 ¥111.60 similar; pdd0 ¥120.90 similar",
			"膳魔师 焖烧罐 不锈钢|膳魔师 焖烧罐",
		},
		"that is known": {
			link.Basis{Offer: known},
			"taobao0 ¥157.17 same; jd0 ¥166.47 basis; jd1 ¥166.47 likely; jd2 ¥167.40 same", "pdd2 ¥111.60 similar; pdd0 ¥120.90 similar",
			"膳魔师 焖烧罐 不锈钢|膳魔师 焖烧罐",
		},
		"of words": {
			link.Basis{Words: "膳魔师 焖烧罐 500ml"},
			"taobao0 ¥157.17 same; jd0 ¥166.47 basis", "taobao2 ¥92.07 similar; pdd2 ¥111.60 similar",
			"膳魔师 焖烧罐 500ml|膳魔师 焖烧罐",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, shops := street(t, flasks())
			got, err := c.Compare(t.Context(), 42, tt.of)
			if err != nil || rows(got.Rows) != tt.want || rows(got.Similar) != tt.similar {
				t.Errorf("got %v\n%s\n%s\nwant\n%s\n%s", err, rows(got.Rows), rows(got.Similar), tt.want, tt.similar)
			}
			if fmt.Sprint(got.Asked) != "[taobao jd pdd]" || len(got.Away) > 0 {
				t.Errorf("asked were %v, away %v", got.Asked, got.Away)
			}
			for _, s := range shops {
				if asked := s.searches(); asked != tt.jobs && asked != strings.Split(tt.jobs, "|")[0] {
					t.Errorf("%s was asked for %q, want at most %q", s.Name(), asked, tt.jobs)
				}
			}
			if len(c.shelf.links) > 0 || len(c.shelf.said) > 0 {
				t.Errorf("links were made: %v", c.shelf.links)
			}
		})
	}
}

// TestAComparisonIsBounded: of shops that have hundreds of the same, a few of each are
// shown, and what is compared is always among them.
func TestAComparisonIsBounded(t *testing.T) {
	t.Parallel()
	shelves := map[string][]string{}
	for _, name := range []string{link.Taobao, link.JD, link.PDD} {
		for i := range 100 {
			shelves[name] = append(shelves[name], fmt.Sprintf("膳魔师 焖烧罐 500ml @ %d 0", 100+i), fmt.Sprintf("膳魔师 焖烧罐 %dml @ 50 0", 600+i))
		}
	}
	c, _ := street(t, shelves)
	got, err := c.Compare(t.Context(), 42, link.Basis{Ref: item(link.JD, "jd198")})
	basis := slices.ContainsFunc(got.Rows, func(r link.Compared) bool { return r.Basis && r.Quote.Offer.Item == "jd198" })
	if err != nil || len(got.Rows) != 7 || len(got.Similar) != 2 || !basis {
		t.Errorf("%v: %s and %s", err, rows(got.Rows), rows(got.Similar))
	}
	for _, r := range got.Similar {
		if !slices.Contains(r.Alike.Because, alike.AmountDiffers) {
			t.Errorf("%s is similar for %v", r.Quote.Offer.Title, r.Alike.Because)
		}
	}
}

func TestWhoDoesNotAnswerIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, shops := street(t, flasks())
		before := time.Now()
		shops[link.PDD].Fail(linktest.Stall)
		c.Stopped = func(_ context.Context, network string) error {
			if network == link.Taobao {
				return fault.New(fault.Denied, "control.stopped")
			}
			return nil
		}
		got, err := c.Compare(t.Context(), 42, link.Basis{Words: "膳魔师焖烧罐"})
		if err != nil || fmt.Sprint(got.Asked, got.Away) != "[jd] [taobao pdd]" || len(got.Rows) == 0 {
			t.Errorf("%v: asked %v, away %v\n%s", err, got.Asked, got.Away, rows(got.Rows))
		}
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		if asked := shops[link.Taobao].searches(); asked != "" {
			t.Errorf("what is stopped was asked for %q", asked)
		}
		shops[link.JD].Fail(linktest.Down)
		if got, err := c.Compare(t.Context(), 42, link.Basis{Words: "膳魔师焖烧罐"}); err == nil {
			t.Errorf("nobody answers, and it says %+v", got)
		}
		known := link.Offer{Network: link.JD, Item: "jd0", Title: "膳魔师焖烧罐 500ml", Price: 1_00, Final: 1_00}
		got, err = c.Compare(t.Context(), 42, link.Basis{Offer: known})
		if err != nil || rows(got.Rows) != "jd0 ¥1.00 basis" || fmt.Sprint(got.Asked, got.Away) != "[jd] [taobao pdd]" {
			t.Errorf("%v: %s, asked %v, away %v", err, rows(got.Rows), got.Asked, got.Away)
		}
		if _, err := c.Compare(t.Context(), 42, link.Basis{Ref: item(link.JD, "jd0")}); !fault.Retryable(err) {
			t.Errorf("without its offer: %v", err)
		}
	})
}

func TestThereIsNothingToCompare(t *testing.T) {
	t.Parallel()
	c, _ := street(t, flasks())
	for _, words := range []string{"火箭 发动机", "膳魔师焖烧罐 二手 2L"} {
		if got, err := c.Compare(t.Context(), 42, link.Basis{Words: words}); err != nil || len(got.Rows)+len(got.Similar) > 0 {
			t.Errorf("%q: %v, %s, %s", words, err, rows(got.Rows), rows(got.Similar))
		}
	}
	c.Networks = nil
	if _, err := c.Compare(t.Context(), 42, link.Basis{Words: "壶"}); fault.ReasonOf(err) != "link.no_search" {
		t.Errorf("without shops: %v", err)
	}
}
