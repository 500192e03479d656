package link_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/link/linktest"
)

// items are what quotes are about, in order.
func items(qs []link.Quote) (out []string) {
	for _, q := range qs {
		out = append(out, q.Offer.Item)
	}
	return out
}

func TestSearchTakesTheNetworksInTurn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		words string
		count int
		want  string
	}{
		{"one of each, then the rest", "水壶", 10, "[jd0 pdd0 jd1 pdd1 jd2 pdd2 jd3 jd4]"},
		{"an equal part of each", "水壶", 5, "[jd0 pdd0 jd1 pdd1]"},
		{"one of each at least", "水壶", 1, "[jd0 pdd0]"},
		{"what only one has", "pdd", 10, "[pdd0 pdd1 pdd2]"},
		{"what nobody has is no error", "火箭", 10, "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCounter(t, 0)
			qs, err := c.Search(t.Context(), 42, tt.words, 1, tt.count)
			if err != nil || fmt.Sprint(items(qs)) != tt.want {
				t.Errorf("got %v, %v, want %s", items(qs), err, tt.want)
			}
			for _, q := range qs {
				if q.Promise.Rebate != q.Offer.Commission.Share(7000) || q.Promise.Terms != "v1 for 42" {
					t.Errorf("%s is promised %+v", q.Offer.Item, q.Promise)
				}
			}
		})
	}
}

func TestPageAfterPageShowsEverything(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 0)
	var all []string
	for page := 1; ; page++ {
		qs, err := c.Search(t.Context(), 42, "水壶", page, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(qs) == 0 {
			break
		}
		all = append(all, items(qs)...)
	}
	slices.Sort(all)
	if fmt.Sprint(all) != "[jd0 jd1 jd2 jd3 jd4 pdd0 pdd1 pdd2]" {
		t.Errorf("all pages show %v", all)
	}
}

func TestSearchLeavesOutWhatFails(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{linktest.Limited, linktest.Down, linktest.Denied} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := newCounter(t, 0)
			c.jd.Fail(mode)
			qs, err := c.Search(t.Context(), 42, "水壶", 1, 10)
			if err != nil || fmt.Sprint(items(qs)) != "[pdd0 pdd1 pdd2]" {
				t.Errorf("got %v, %v", items(qs), err)
			}
			c.pdd.Fail(mode)
			qs, err = c.Search(t.Context(), 42, "水壶", 1, 10)
			if err == nil || len(qs) != 0 || fault.ReasonOf(err) == "link.no_search" {
				t.Errorf("where nobody answers: %v, %v", items(qs), err)
			}
		})
	}
}

func TestSearchLeavesOutANetworkThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, 0)
		c.jd.Fail(linktest.Stall)
		before := time.Now()
		qs, err := c.Search(t.Context(), 42, "水壶", 1, 10)
		if err != nil || fmt.Sprint(items(qs)) != "[pdd0 pdd1 pdd2]" {
			t.Errorf("got %v, %v", items(qs), err)
		}
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// deaf is a network that finds nothing by words.
type deaf struct{ link.Network }

func TestSearchNeedsSomebodyWhoCan(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 0)
	c.Networks = []link.Network{deaf{c.jd}}
	if _, err := c.Search(t.Context(), 42, "水壶", 1, 10); !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != "link.no_search" {
		t.Errorf("got %v", err)
	}
	c.Networks = []link.Network{deaf{c.jd}, c.pdd}
	if qs, err := c.Search(t.Context(), 42, "水壶", 1, 10); err != nil || len(qs) != 3 {
		t.Errorf("got %v, %v", items(qs), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Search(ctx, 42, "水壶", 1, 10); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a shopper who has gone: %v", err)
	}
}
