package main

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"fanli/adapters/taobao"
	"fanli/bot"
	"fanli/configs"
	"fanli/core/desk"
	"fanli/core/market"
	"fanli/core/order"
	"fanli/core/user"
)

var authorizePage = regexp.MustCompile(`href="(http[^"]*authorize[^"]*)"`)

// allow opens an address of the chat, and answers the shop's page.
func (s *shopfront) allow(address, answer string) (status int, body string) {
	s.t.Helper()
	_, page := s.request(http.MethodGet, address)
	to := authorizePage.FindStringSubmatch(page)
	if to == nil {
		s.t.Fatalf("the page leads nowhere:\n%s", page)
	}
	return s.request(http.MethodGet, html.UnescapeString(to[1])+"&answer="+answer)
}

// binding returns the address at which somebody binds their account.
func (s *shopfront) binding(who string) string {
	s.t.Helper()
	r := s.app.bot.Handle(s.t.Context(), bot.Message{From: user.Identity{Channel: "test", External: who}, Chat: who, Text: "绑定淘宝", Locale: "zh"})
	if len(r.Buttons) == 0 || r.Buttons[0].URL == "" {
		s.t.Fatalf("no address in %+v", r)
	}
	return r.Buttons[0].URL
}

// The whole way over the real wires: the chat, our page, the shop's, an order that knows
// whose it is, and somebody else who wants the same account.
func TestSomebodyBindsTheirTaobaoAccount(t *testing.T) {
	t.Parallel()
	s := openShopfront(t, func(c *configs.Config) {
		base, _, _ := strings.Cut(c.Networks.Taobao.Endpoint, "/fake/")
		c.Networks.Taobao.Member = taobao.MemberConfig{InviteCode: "SANDBOX", URL: base, Authorize: base + "/fake/taobao/authorize"}
	})
	ctx := t.Context()
	if status, body := s.allow(s.binding("ann"), "refuse"); status != http.StatusOK || !strings.Contains(body, `data-state="refused"`) {
		t.Errorf("who refuses reads %d\n%s", status, body)
	}
	address := s.binding("ann")
	if status, body := s.allow(address, "allow"); status != http.StatusOK || !strings.Contains(body, `data-state="done"`) {
		t.Fatalf("who allows it reads %d\n%s", status, body)
	}
	if status, body := s.allow(address, "allow"); status != http.StatusConflict || !strings.Contains(body, `data-state="spent"`) {
		t.Errorf("the same address again reads %d\n%s", status, body)
	}
	shop, _ := s.world.Shop("taobao")
	l, err := shop.Order(market.Click{Item: shop.Market.Shelf()[0].ID, Slot: s.app.cfg.Networks.Taobao.AdzoneIDs[0]}, 1)
	if err == nil {
		err = shop.Market.Pay(l.ID)
	}
	if err == nil {
		err = s.world.Advance(time.Minute)
	}
	if err == nil {
		err = s.app.settleDown(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	ann, err := s.app.users.Find(ctx, user.Identity{Channel: "test", External: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	ls, err := s.app.orders.OfUser(ctx, ann.ID, 0, 10)
	if err != nil || len(ls) != 1 || ls[0].Step != order.ByMember || ls[0].Row().Order != l.Order {
		t.Errorf("her orders are %+v, %v", ls, err)
	}
	if status, body := s.allow(s.binding("bob"), "allow"); status != http.StatusConflict || !strings.Contains(body, `data-state="taken"`) {
		t.Errorf("who wants the same account reads %d\n%s", status, body)
	}
	s.staffSee(ann)
}

// staffSee wants staff to be told of the contest, and to see what Ann has bound.
func (s *shopfront) staffSee(ann user.User) {
	s.t.Helper()
	station := s.app.house.stations[orderTarget]
	told, err := station.Do(s.t.Context(), desk.Act{Name: desk.AlertsAct})
	if err != nil || len(told.Items) != 1 || told.Items[0].Fields[0].Text != string(desk.MemberTaken) {
		s.t.Errorf("staff are told %+v, %v", told, err)
	}
	seen, err := station.Do(s.t.Context(), desk.Act{Name: "user", Staff: 1, Role: desk.Support, Args: []string{"1"}})
	if err != nil || ann.ID != 1 || len(seen.Items) == 0 || seen.Items[0].Title != desk.LMember || !strings.Contains(seen.Items[0].ID, "****") {
		s.t.Errorf("staff see of user %d %+v, %v", ann.ID, seen, err)
	}
}

func TestBindingIsOfferedWhereItIsConfigured(t *testing.T) {
	t.Parallel()
	var c configs.Config
	if bindsTaobao(c) {
		t.Error("it is offered without anything")
	}
	c.Networks.Taobao.Member = taobao.MemberConfig{InviteCode: "X", URL: "https://fanli.example"}
	if bindsTaobao(c) {
		t.Error("it is offered without a network")
	}
	c.Networks.Taobao.AppKey = "1"
	if off := strings.Join(commandsOff(c), " "); !bindsTaobao(c) || strings.Contains(off, "bindtaobao") {
		t.Errorf("it is not offered: %s", off)
	}
}
