package bot_test

import (
	"strings"
	"testing"

	"fanli/bot"
	"fanli/bot/bottest"
)

// TestNamesOfGoodsAreSearchedFor sends words that people shop for, many of them one
// character away from a command: each is searched for, and none is taken for a command.
func TestNamesOfGoodsAreSearchedFor(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Handle(t.Context(), says("", "余额"))
	for _, word := range strings.Fields(`苹果 水果 沙发 面包 书包 香水 坚果 芒果 糖果 提子 菜刀 挎包 钱夹 背包 提琴 墨水 口红 耳机 牛奶 纸巾
		拖鞋 余粮 单反 定妆 账簿 语音 会计 帮宝适 邀请函 收款机 收款码 签到本 会员卡 订单本 新手机 支付码 关键帧 洗衣机 保温杯 电热水壶
		沐浴露 菜单本 教具 明信片 奶粉 麦片 拉杆箱 充电宝 mallet sink quilt suit lamp starch wallets border rack kettle lever`) {
		r := f.Handle(t.Context(), says("", word))
		bottest.Check(t, r)
		if got := bot.RenderText(r); !strings.HasPrefix(got, "没找到“"+word+"”") && !strings.HasPrefix(got, "找到这些“"+word+"”") {
			t.Errorf("%s is answered with\n%s", word, got)
		}
		for _, b := range r.Buttons {
			if b.Action == "重发" || b.Action == "明细" || b.Action == "余额" && word != "余粮" && word != "wallets" {
				t.Errorf("%s leads to %q", word, b.Action)
			}
		}
	}
}

// TestSlipsAreUnderstood sends what people type when they mean a command.
func TestSlipsAreUnderstood(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Handle(t.Context(), says("", "余额"))
	for _, tt := range []struct{ typed, meant string }{
		{"体现", "提现"}, {"提线", "提现"}, {"提显", "提现"}, {"体现100", "提现 100"}, {"体现 20", "提现 20"}, {"提现50", "提现 50"},
		{"余而", "余额"}, {"余鹅", "余额"}, {"鱼额", "余额"}, {"定单", "订单"}, {"帮住", "帮助"}, {"名细", "明细"}, {"帐单", "明细"}, {"查卷", "查券"},
		{"优惠劵", "查券"}, {"要请", "邀请"}, {"千到", "签到"}, {"关连", "关联"}, {"支付保", "收款"}, {"申述", "申诉"}, {"客付", "客服"},
		{"提现状", "提现状态"}, {"自动题现", "自动提现"}, {"取肖提现", "取消提现"}, {"收款帐户号", ""}, {"收款帐户", "收款"}, {"到帐了吗", "提现状态"}, {"我的反利", "余额"},
		{"ballance", "余额"}, {"blance", "余额"}, {"withdrwa", "提现"}, {"withdraww", "提现"}, {"ordrs", "订单"}, {"statementt", "明细"}, {"hlep", "帮助"},
		{"copon", "查券"}, {"cupon", "查券"}, {"cpn", ""}, {"coupn", "查券"},
	} {
		r := f.Handle(t.Context(), says("", tt.typed))
		if tt.meant == "" { // too far from it to be sure
			if strings.HasPrefix(r.Text, "你是想发") {
				t.Errorf("%s is answered with\n%s", tt.typed, bot.RenderText(r))
			}
			continue
		}
		if len(r.Buttons) != 1 || r.Buttons[0].Action != tt.meant || r.Text != "你是想发“"+tt.meant+"”吗？" {
			t.Errorf("%s is answered with\n%s\nwant a question for %s", tt.typed, bot.RenderText(r), tt.meant)
		}
	}
}

// TestWhatMayBeASlip: where nothing is found, or nothing is searched for, what may be a
// command is offered; what repeats the last answer never is.
func TestWhatMayBeASlip(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Handle(t.Context(), says("", "余额"))
	r := f.Handle(t.Context(), says("", "提岸"))
	if want := "没找到“提岸”。换个说法，或直接发商品链接给我。\n你是想发“提现”吗？"; r.Text != want || len(r.Buttons) != 2 || r.Buttons[0].Action != "提现" || !r.Nothing {
		t.Errorf("a word that is not found is answered with\n%s", bot.RenderText(r))
	}
	f.Bot.Change(bot.Manner{Limits: f.Bot.Limits})
	for typed, want := range map[string]string{"提岸": "你是想发“提现”吗？", "体现": "你是想发“提现”吗？", "苹果": "没看懂", "沙发": "没看懂", "没收道": "没看懂"} {
		if got := bot.RenderText(f.Handle(t.Context(), says("", typed))); !strings.Contains(got, want) || strings.Contains(got, "重发") {
			t.Errorf("where nothing is searched for, %s is answered with\n%s", typed, got)
		}
	}
}
