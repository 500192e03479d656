package platform_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"fanli/bot"
	"fanli/bot/wechat/platform"
	"fanli/bot/wechat/wechatfake"
	"fanli/core/fault"
)

// shape is the standard menu as it shall be: three columns of five.
const shape = `查券省钱
  怎么用 → 教程
  今日好价 → 今日
  外卖红包 → 外卖
  全网比价 → 比价
  大促会场 → 活动
我的返利
  我的订单 → 订单
  余额提现 → 余额
  找回订单 → 找回
  返利明细 → 明细
  我的资料 → 我的
帮助中心
  邀请有礼 → 邀请
  绑定淘宝 → 绑定淘宝
  通知设置 → 通知
  常见问题 → 规则
  联系客服 → 客服
`

// TestTheStandardMenu holds what people see against its shape and against the table: with
// all commands it is the shape; with those that there are each button says one of them, by
// a word that the table has, and WeChat's limits hold.
func TestTheStandardMenu(t *testing.T) {
	t.Parallel()
	if full := platform.Standard(bot.Commands("zh")); full.String() != shape {
		t.Errorf("with all commands it is\n%s", full)
	}
	for _, without := range [][]string{nil, {"food", "deals", "campaigns"}, {"guide", "checkin", "level"}} {
		commands := bot.Commands("zh", without...)
		known := map[string]bool{}
		for _, c := range commands {
			for _, w := range c.Words {
				known[w] = true
			}
		}
		m := platform.Standard(commands)
		if err := m.Check(); err != nil || len(m) != 3 {
			t.Errorf("without %v: %v\n%s", without, err, m)
		}
		for _, top := range m {
			if n := len(top.Sub); n > 5 || n < 3 || without == nil && n != 5 {
				t.Errorf("without %v: %s has %d buttons", without, top.Name, len(top.Sub))
			}
			if n := utf8.RuneCountInString(top.Name); n > 4 {
				t.Errorf("%s: WeChat shows four characters, not %d", top.Name, n)
			}
			for _, b := range top.Sub {
				if !known[b.Say] {
					t.Errorf("without %v: %s says %q, which is no command", without, b.Name, b.Say)
				}
				if n := utf8.RuneCountInString(b.Name); n > 7 {
					t.Errorf("%s: WeChat shows seven characters, not %d", b.Name, n)
				}
				if strings.Contains(shape, "  "+b.Name+" → ") && !strings.Contains(shape, "  "+b.Name+" → "+b.Say+"\n") {
					t.Errorf("%s says %q", b.Name, b.Say)
				}
			}
		}
	}
}

// TestMenuLimits holds our check against WeChat's: what it refuses we refuse before, and
// what is just allowed is taken.
func TestMenuLimits(t *testing.T) {
	t.Parallel()
	say := func(name string, n int) platform.Button {
		return platform.Button{Name: name, Say: strings.Repeat("k", n)}
	}
	view := func(n int) platform.Button {
		return platform.Button{Name: "a", URL: "https://x.cn/" + strings.Repeat("u", n-len("https://x.cn/"))}
	}
	below := func(subs ...platform.Button) platform.Menu { return platform.Menu{{Name: "top", Sub: subs}} }
	tests := []struct {
		name string
		m    platform.Menu
		ok   bool
	}{
		{"none", nil, false},
		{"three", platform.Menu{say("a", 1), say("b", 1), say("c", 1)}, true},
		{"four", platform.Menu{say("a", 1), say("b", 1), say("c", 1), say("d", 1)}, false},
		{"name of 16 bytes", platform.Menu{say(strings.Repeat("n", 16), 1)}, true},
		{"name of 17 bytes", platform.Menu{say(strings.Repeat("n", 17), 1)}, false},
		{"no name", platform.Menu{say("", 1)}, false},
		{"sub name of 60 bytes", below(say(strings.Repeat("返", 20), 1)), true},
		{"sub name of 61 bytes", below(say(strings.Repeat("返", 20)+"x", 1)), false},
		{"five below", below(say("a", 1), say("b", 1), say("c", 1), say("d", 1), say("e", 1)), true},
		{"six below", below(say("a", 1), say("b", 1), say("c", 1), say("d", 1), say("e", 1), say("f", 1)), false},
		{"two levels below", below(platform.Button{Name: "a", Sub: []platform.Button{say("b", 1)}}), false},
		{"key of 128 bytes", platform.Menu{say("a", 128)}, true},
		{"key of 129 bytes", platform.Menu{say("a", 129)}, false},
		{"address of 1024 bytes", platform.Menu{view(1024)}, true},
		{"address of 1025 bytes", platform.Menu{view(1025)}, false},
		{"no address", platform.Menu{{Name: "a", URL: "nowhere"}}, false},
		{"does nothing", platform.Menu{{Name: "a"}}, false},
	}
	for _, tt := range tests {
		a := open(t, wechatfake.Service, nil)
		err := a.SetMenu(t.Context(), tt.m)
		if ok := err == nil; ok != tt.ok || !ok && (!fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != platform.BadMenu || platform.CodeOf(err) != 0) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	hosts := platform.Menu{{Name: "a", Sub: []platform.Button{
		{Name: "1", URL: "https://1.cn"}, {Name: "2", URL: "https://2.cn"}, {Name: "3", URL: "https://3.cn"}, {Name: "4", URL: "https://4.cn"},
	}}}
	if err := hosts.Check(); !fault.Is(err, fault.Invalid) {
		t.Errorf("four domains: %v", err)
	}
}

// TestPublish publishes menus twice: who has a tag sees its own, and nothing piles up.
func TestPublish(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, wechatfake.Service, nil), t.Context()
	a.fake.Say(ctx, "o2", "hello")
	for round := range 3 {
		word := fmt.Sprint("办公", min(round, 1))
		all := platform.Menu{{Name: "我的返利", Sub: []platform.Button{{Name: "余额", Say: "余额"}, {Name: "官网", URL: "https://x.cn/a?b=<c>&d"}}}}
		if err := a.Publish(ctx, all, map[string]platform.Menu{"员工": {{Name: word, URL: "https://x.cn/console"}}}); err != nil {
			t.Fatal(err)
		}
		tag, err := a.TagNamed(ctx, "员工")
		if err == nil {
			err = a.Tag(ctx, tag, "o2")
		}
		if err != nil {
			t.Fatal(err)
		}
		is, err := a.Menu(ctx)
		if err != nil || is.Default.String() != all.String() || len(is.Conditional) != 1 || is.Conditional[0].Match.Tag != tag {
			t.Errorf("round %d: %v, %+v", round, err, is)
		}
		one, err := a.TryMenu(ctx, "o1")
		two, err2 := a.TryMenu(ctx, "o2")
		if err != nil || err2 != nil || one[0].Name != "我的返利" || two[0].Name != word {
			t.Errorf("round %d: o1 sees %v, o2 sees %v", round, one, two)
		}
	}
	if n := len(a.fake.Calls("/cgi-bin/menu/addconditional")); n != 2 {
		t.Errorf("the same menu was added again: %d", n)
	}
	if o := a.fake.Press(ctx, "o1", "余额"); len(o.Deliveries) != 1 {
		t.Errorf("it can't be pressed: %+v", o)
	}
	if err := a.DeleteMenu(ctx); err != nil {
		t.Error(err)
	}
	if _, err := a.Menu(ctx); !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != platform.NoMenu {
		t.Errorf("after it was deleted: %v", err)
	}
	if err := a.DeleteConditionalMenu(ctx, "1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("one that there is not: %v", err)
	}
}
