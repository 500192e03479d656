package pdd_test

import (
	"encoding/json"
	"testing"
	"time"

	"fanli/adapters/pdd"
	"fanli/adapters/pdd/pddfake"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/order/feedtest"
)

// TestLinks holds the network to its promises, in each way of tagging.
func TestLinks(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*pdd.Config){
		"BySID":         nil,
		"BySIDWithPool": func(c *pdd.Config) { c.PIDs = []string{pid2, pid} },
		"ByPID":         func(c *pdd.Config) { c.PIDs, c.Tagging = []string{pid2, pid}, pdd.TagByPID },
	}
	for name, change := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) linktest.Subject { return linkSubject(t, open(t, change)) })
		})
	}
}

func linkSubject(t *testing.T, w *world) linktest.Subject {
	return linktest.Subject{
		Network: w.client.Links(),
		Market:  w.market,
		Known: []link.Ref{
			{Network: pdd.Name, Kind: link.Item, ID: "445566778", URL: "https://mobile.yangkeduo.com/goods.html?goods_id=445566778"},
			{Network: pdd.Name, Kind: link.Item, ID: pddfake.Sign("445566778")},
			{Network: pdd.Name, Kind: link.Item, ID: "FuXUG9Y3SE", URL: "https://mobile.yangkeduo.com/goods2.html?ps=FuXUG9Y3SE"},
			{Network: pdd.Name, Kind: link.Item, URL: "https://mobile.yangkeduo.com/goods2.html?ps=FuXUG9Y3SE"},
			{Network: pdd.Name, Kind: link.Short, URL: "https://p.pinduoduo.com/sKvbBwgP"},
			{Network: pdd.Name, Kind: link.Click, ID: "9876543210123", URL: landing},
			{Network: pdd.Name, Kind: link.Other, URL: landing},
		},
		Unlisted: link.Ref{Network: pdd.Name, Kind: link.Item, ID: "404404404"},
		Foreign:  link.Ref{Network: pdd.Name, Kind: link.Token, Token: "AbC12345678"},
		Words:    "示例手机",
		Click:    func(made link.Made) (market.Click, bool) { return w.click(t, made) },
		Fail:     w.fake.Fail,
		Secret:   secret,
	}
}

// click follows a link and takes our tag out of custom_parameters.
func (w *world) click(t *testing.T, made link.Made) (market.Click, bool) {
	t.Helper()
	c, ok := w.fake.Click(made.URL)
	if !ok {
		return c, false
	}
	var custom struct{ UID, SID string }
	if err := json.Unmarshal([]byte(c.Tag), &custom); err != nil || custom.UID != "tg_10001" {
		t.Errorf("custom_parameters = %q: %v", c.Tag, err)
	}
	c.Tag = custom.SID
	return c, true
}

// TestOrders holds the feed to its promises.
func TestOrders(t *testing.T) {
	t.Parallel()
	feedtest.Run(t, func(t *testing.T) feedtest.Subject {
		w := open(t, nil)
		return feedtest.Subject{
			Feed: w.client.Orders(), Market: w.market, Now: w.clock.Now, Advance: w.clock.Advance,
			Buy: w.buy, Slot: pid, Number: w.fake.NumberFor,
			Fail: w.fake.Fail, PageShift: w.fake.Between, Broken: w.fake.Break, Secret: secret,
		}
	})
}

// TestOrderComesBackToItsLink buys through a made link and finds the link's item,
// tag and slot in the order.
func TestOrderComesBackToItsLink(t *testing.T) {
	t.Parallel()
	w := open(t, func(c *pdd.Config) { c.PIDs = []string{pid2} })
	n := w.client.Links()
	o, err := n.Offer(t.Context(), link.Ref{Kind: link.Item, ID: "445566778"})
	if err != nil {
		t.Fatal(err)
	}
	mark := link.Mark{Tag: "k7Qp2_Zx", Slot: pid2}
	made, err := n.Link(t.Context(), o, mark)
	if err != nil {
		t.Fatal(err)
	}
	click, _ := w.fake.Click(made.URL)
	line, err := w.buy(click.Item, click.Tag, click.Slot, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.market.Pay(line.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	revs, _, err := feedtest.All(t.Context(), w.client.Orders(), order.Window{Scene: pdd.SceneUpdate, From: start, To: w.clock.Now()})
	if err != nil || len(revs) != 1 {
		t.Fatalf("%d revisions, %v", len(revs), err)
	}
	if r := revs[0]; r.Item != o.ItemKey() || r.Tag != mark.Tag || r.Slot != mark.Slot {
		t.Errorf("order has item %q, tag %q, slot %q; want %q and %+v", r.Item, r.Tag, r.Slot, o.ItemKey(), mark)
	}
}

// TestEveryRecognisedFormIsOpened goes from what people paste to an offer.
func TestEveryRecognisedFormIsOpened(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	tests := []struct{ text, goods string }{
		{"【拼多多】我在拼多多发现个好东西 https://mobile.yangkeduo.com/goods.html?goods_id=445566778 快来一起看", "445566778"},
		{"https://mobile.yangkeduo.com/goods2.html?ps=FuXUG9Y3SE", "445566778"},
		{"http://p.pinduoduo.com/sKvbBwgP，便宜", "445566778"},
		{"https://mobile.yangkeduo.com/goods.html?goods_sign=" + pddfake.Sign("445566778"), "445566778"},
		{landing, "9876543210123"},
		{"https://mobile.yangkeduo.com/app.html?launch_url=duo_coupon_landing.html%3Fgoods_id%3D9876543210123", "9876543210123"},
		{"pinduoduo://com.xunmeng.pinduoduo/goods.html?goods_id=555000111", "555000111"},
	}
	for _, tt := range tests {
		refs := link.Recognise(tt.text)
		if len(refs) != 1 {
			t.Errorf("%s: recognised as %+v", tt.text, refs)
			continue
		}
		o, err := w.client.Links().Offer(t.Context(), refs[0])
		if err != nil || o.Item != pddfake.Sign(tt.goods) {
			t.Errorf("%s: offer of %q, %v; want goods %s", tt.text, o.Item, err, tt.goods)
		}
	}
}
