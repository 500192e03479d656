package bot_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/user"
)

// secretive does not say what people want.
type secretive struct{ bot.Users }

func (secretive) Notices(context.Context, int64) (user.Notices, error) {
	return user.Notices{}, errors.New("no")
}

// TestWhatWasNotShownIsNotTurned: a digit means only what is on the screen.
func TestWhatWasNotShownIsNotTurned(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	users := f.Bot.Users
	f.Bot.Users = secretive{users}
	traceID(t, f.Handle(t.Context(), says("", "通知")).Text)
	f.Handle(t.Context(), says("", "1"))
	if n, err := users.Notices(t.Context(), 1); err != nil || len(n.Off) != 0 {
		t.Errorf("%+v, %v", n, err)
	}
}

// TestWishesAreNotChangedWhileNothingMayBe, but shown.
func TestWishesAreNotChangedWhileNothingMayBe(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	if err := f.World().Directives["switch"]("on", "readonly"); err != nil {
		t.Fatal(err)
	}
	wantHas(t, f.Handle(t.Context(), says("", "通知")).Text, "订单和返利　开", "免打扰：没有设置")
	for _, text := range []string{"通知 关", "退订", "免打扰 22-8", "2"} {
		if r := f.Handle(t.Context(), says("", text)); len(r.Text) == 0 {
			t.Errorf("%s is not answered", text)
		}
	}
	if n, err := f.Bot.Users.Notices(t.Context(), 1); err != nil || len(n.Off) != 0 || !n.Quiet.IsZero() {
		t.Errorf("%+v, %v", n, err)
	}
}

// TestWhatPeopleWriteOfNotices is understood in the forms in which they write it.
func TestWhatPeopleWriteOfNotices(t *testing.T) {
	t.Parallel()
	all := fmt.Sprint(user.Topics())
	for text, want := range map[string]string{
		"通知 关": all + " {0 0}", "消息设置 订单 关": "[orders] {0 0}", "通知 关闭 提现、好友": "[money friends] {0 0}", "通知：关 全部": all + " {0 0}",
		"通知 停 會員、獎勵": "[friends member] {0 0}", "免打擾 開": "[] {1320 480}", "notify off everything": all + " {0 0}", "notify OFF Claims, orders": "[orders claims] {0 0}", "停止推送": all + " {0 0}",
		"免打扰": "[] {0 0}", "免打扰 开": "[] {1320 480}", "免打扰23:30～7点半": "[] {0 0}", "免打扰 23:30～7点半": "[] {1410 450}", "通知 22:00 - 24:00": "[] {1320 0}",
		"/quiet 0-6": "[] {0 360}", "quiet hours 1:15 to 2": "[] {75 120}", "通知 关 订单 免打扰": "[orders] {0 0}", "通知 免打扰 8-8": "[] {0 0}",
		"免打扰 22:60-8": "[] {0 0}", "免打扰 24:30-8": "[] {0 0}", "通知 关 天气": "[] {0 0}", "免打扰 晚上": "[] {0 0}", "通知 0-24": "[] {0 0}",
	} {
		f := bottest.New(t)
		r := f.Handle(t.Context(), says("", text))
		bottest.Check(t, r)
		n, err := f.Bot.Users.Notices(t.Context(), 1)
		if got := fmt.Sprint(n.Off, n.Quiet); err != nil || got != want {
			t.Errorf("%q makes %s, %v, want %s: %s", text, got, err, want, r.Text)
		}
	}
}
