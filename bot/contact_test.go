package bot_test

import (
	"strings"
	"testing"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/user"
)

// TestSupportLeadsToAPerson: to what the operator says, and to appeals in any case.
func TestSupportLeadsToAPerson(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ contact, text, has, first string }{
		{"", "客服", "发申诉就有人看", "找回"},
		{"", "人工", "申诉", "找回"},
		{"微信 fanli-help，9-18 点", "客服", "可以这样联系我们：微信 fanli-help，9-18 点\n", "找回"},
		{"https://fanli.example.com/help", "转人工", "申诉", "https://fanli.example.com/help"},
	} {
		f := bottest.New(t)
		f.Bot.Contact = tt.contact
		f.Handle(t.Context(), says("", "余额"))
		r := f.Handle(t.Context(), says("", tt.text))
		bottest.Check(t, r)
		wantHas(t, r.Text, tt.has, "申诉")
		if b := r.Buttons[0]; b.Action+b.URL != tt.first {
			t.Errorf("with the contact %q the first button of %s is %+v", tt.contact, tt.text, b)
		}
	}
}

// TestUnsubscribeSaysHowHere: every channel ends notices in its own way.
func TestUnsubscribeSaysHowHere(t *testing.T) {
	t.Parallel()
	for channel, want := range map[string]string{
		"telegram": "屏蔽我", "wechat": "取消关注", "kf": "48 小时", "web": "关掉这个网页", "terminal": "离开这里",
	} {
		for _, text := range []string{"退订", "TD", "td"} {
			r := bottest.New(t).Handle(t.Context(), bot.Message{From: user.Identity{Channel: channel, External: "ann"}, Chat: "ann", Text: text})
			bottest.Check(t, r)
			wantHas(t, r.Text, want, "余额和返利都还在")
		}
	}
}

// TestBareBindingAsksWhich: 绑定 is about an account for money or one on another channel.
func TestBareBindingAsksWhich(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	r := f.Handle(t.Context(), says("", "绑定"))
	bottest.Check(t, r)
	if len(r.Buttons) != 2 || r.Buttons[0].Action != "收款" || r.Buttons[1].Action != "关联" {
		t.Errorf("绑定 is answered with\n%s", bot.RenderText(r))
	}
	f.Bot.Linking = nil
	if got := bot.RenderText(f.Handle(t.Context(), says("", "绑定"))); strings.Contains(got, "关联") {
		t.Errorf("where accounts cannot be linked, 绑定 is answered with\n%s", got)
	}
}

// TestHelpLeavesOutWhatIsOff: what would only say that it is off is not in the help, but
// still says so.
func TestHelpLeavesOutWhatIsOff(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	wantHas(t, f.Handle(t.Context(), says("", "帮助")).Text, "\n会员", "\n签到")
	f.Bot.Change(bot.Manner{Limits: f.Bot.Limits, Off: []string{"checkin"}})
	if got := f.Handle(t.Context(), says("", "帮助")).Text; strings.Contains(got, "\n会员") || strings.Contains(got, "\n签到") {
		t.Errorf("the help has what is off:\n%s", got)
	}
	wantHas(t, bot.RenderText(f.Handle(t.Context(), says("", "会员"))), "没有会员")
	for _, c := range bot.Commands("zh", "level", "checkin") {
		if c.Name == "level" || c.Name == "checkin" {
			t.Errorf("%s is listed though it is off", c.Name)
		}
	}
}
