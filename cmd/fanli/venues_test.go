package main

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fanli/adapters/store"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/link"
	"fanli/core/logtest"
	"fanli/core/user"
)

// TestOrdersThroughPagesAreTheirs goes to every page of the sandbox by its own link and
// buys something there: where links carry a tag the order is the shopper's by itself, and
// where they do not the shopper has read that it has to be claimed.
func TestOrdersThroughPagesAreTheirs(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg, err := configs.Load("", lookupIn(nil))
	if err != nil {
		t.Fatal(err)
	}
	st, err := openStage(ctx, "", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.close() })
	cfg = inSandbox(cfg, st.world)
	cfg.Sync.Rescan = false
	a, err := newApp(ctx, cfg, surroundings{log: logtest.New(nil), now: st.world.Now, http: &http.Client{}, holder: "test", path: store.Memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	p := &player{app: a, stage: st, out: io.Discard, me: user.Identity{Channel: "demo", External: "shopper"}}
	a.tell.Channels = []bot.Channel{p}
	theirs := 0
	for _, c := range []struct{ say, network string }{{"外卖 1", link.JD}, {"外卖 2", link.Taobao}, {"活动 1", link.PDD}} {
		p.say(ctx, c.say)
		i := slices.IndexFunc(p.buttons(), func(b bot.Button) bool { return b.URL != "" })
		if i < 0 {
			t.Errorf("%s: no link under %q", c.say, bot.RenderText(p.last))
			continue
		}
		told, made := bot.RenderText(p.last), p.buttons()[i].URL
		market, err := p.market(c.network)
		if err != nil {
			t.Fatal(err)
		}
		item := market.Shelf()[0]
		if err := p.happens(ctx, "", time.Minute, func() error {
			_, _, err := st.world.BuyItem(made, item.ID, 1)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(told, "找回 订单号") {
			theirs++
		} else if c.network != link.Taobao {
			t.Errorf("%s: %q", c.say, told)
		}
		p.say(ctx, "订单")
		if shown := bot.RenderText(p.last); strings.Count(shown, "已付款") != theirs || strings.Count(shown, "待结算") != theirs {
			t.Errorf("after %s they see\n%s", c.say, shown)
		}
	}
	if theirs != 2 {
		t.Errorf("%d pages tell whose an order is", theirs)
	}
}
