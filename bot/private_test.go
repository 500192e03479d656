package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/core/user"
)

// inGroup is a message of ann's where others read along.
func inGroup(id, text string) bot.Message {
	m := says(id, text)
	m.Chat, m.Group = "group", true
	return m
}

// TestWhatIsPrivateIsReopenedInPrivate follows the way from a group to the answer.
func TestWhatIsPrivateIsReopenedInPrivate(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.PrivateURL = func(_, word string) string { return "https://t.example/bot?start=" + word }
	for _, tt := range []struct{ asked, want string }{
		{"余额", "你的返利"}, {"/orders", "订单"}, {"订单 2100000001", "没有找到属于你的这笔订单"}, {"提现 20", "才能提现"},
		{"收款 13800000000 张三", "请发你的支付宝账号"}, // nobody's account comes out of a link
		{"确认 1234", "返利"},                  // nor does a confirmation
	} {
		r := f.Handle(t.Context(), inGroup("", tt.asked))
		if len(r.Buttons) != 1 || r.Buttons[0].URL == "" {
			t.Fatalf("%s in a group: %+v", tt.asked, r)
		}
		_, word, _ := strings.Cut(r.Buttons[0].URL, "?start=")
		if len(word) > 64 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			t.Errorf("%s: the word is %q", tt.asked, word)
		}
		got := bot.RenderText(f.Handle(t.Context(), says("", "/start "+word)))
		if !strings.Contains(got, tt.want) || strings.Contains(got, "138****0000") {
			t.Errorf("%s, reopened with %q, is answered\n%s", tt.asked, word, got)
		}
	}
	for _, word := range []string{"p_confirm_MTIzNA", "p_nothing", "p_", "p_payee_MTM4MDAwMDAwMDAg5byg5LiJ", "r_"} {
		if got := bot.RenderText(f.Handle(t.Context(), says("", "/start "+word))); strings.Contains(got, "****") {
			t.Errorf("%s is answered\n%s", word, got)
		}
	}
}

// TestInvitationIsALink has a friend come by the link of an invitation.
func TestInvitationIsALink(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	f.Bot.PrivateURL = func(_, word string) string { return "https://t.example/bot?start=" + word }
	_, word, ok := strings.Cut(bot.RenderText(f.Handle(t.Context(), says("", "邀请"))), "?start=")
	word, _, _ = strings.Cut(word, "\n")
	if !ok || !strings.HasPrefix(word, "r_") {
		t.Fatalf("the word is %q", word)
	}
	f.Clock.Move(time.Hour)
	friend := says("", "/start "+word)
	friend.From.External, friend.Chat = "bob", "bob"
	wantHas(t, bot.RenderText(f.Handle(t.Context(), friend)), "已经记在邀请你的朋友名下")
}

// TestInvitationHasAPicture shows what friends scan, on channels that have it.
func TestInvitationHasAPicture(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	asked := ""
	f.Bot.InvitePicture = func(_ context.Context, of user.Identity, word string) (bot.Picture, bool) {
		asked = word
		return bot.Picture{URL: "https://t.example/code", Until: f.Clock.Now().Add(30 * 24 * time.Hour)}, of.External == says("", "").From.External
	}
	r := f.Handle(t.Context(), says("", "邀请"))
	if len(r.Cards) != 1 || r.Cards[0].Image != "https://t.example/code" || r.Cards[0].Buttons[0].URL != r.Cards[0].Image {
		t.Fatalf("shown %+v", r)
	}
	if code, ok := strings.CutPrefix(asked, "r_"); !ok || !strings.Contains(r.Text, code) {
		t.Errorf("the word is %q, and the text\n%s", asked, r.Text)
	}
	friend := says("", "邀请")
	friend.From.External, friend.Chat = "bob", "bob"
	if r := f.Handle(t.Context(), friend); len(r.Cards) != 0 || r.Text == "" {
		t.Errorf("without a picture: %+v", r)
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	edit := func(f *bottest.Fake, id, of, text string) bot.Reply {
		m := says(id, text)
		m.Edits = of
		return f.Handle(t.Context(), m)
	}
	f := bottest.New(t)
	f.Handle(t.Context(), says("1", "看看这个 https://www.example.com/1"))
	if r := edit(f, "1/e1", "1", "again nothing@example.com"); r.Text == "" || !r.Nothing {
		t.Errorf("an edit of nothing to nothing is answered %+v", r)
	}
	if r := edit(f, "1/e2", "1", kettle); len(r.Cards) != 1 {
		t.Errorf("an edit of nothing to a link is answered %+v", r)
	}
	if r := edit(f, "1/e2", "1", kettle); len(r.Cards) != 1 {
		t.Errorf("the same edit again is answered %+v", r)
	}
	for name, r := range map[string]bot.Reply{
		"of what has led to something": edit(f, "1/e3", "1", kettle+"?x"),
		"of what nobody answered":      edit(f, "7/e1", "7", kettle),
	} {
		if r.Text != "" || len(r.Cards) > 0 {
			t.Errorf("an edit %s is answered %+v", name, r)
		}
	}
	f.Handle(t.Context(), says("2", "余额"))
	if r := edit(f, "2/e1", "2", kettle); r.Text != "" || len(r.Cards) > 0 {
		t.Errorf("an edit of an answered command is answered %+v", r)
	}
}

func TestButtonsAreSpent(t *testing.T) {
	t.Parallel()
	f := bottest.New(t)
	if err := f.World().Directives["earn"]("robot"); err != nil {
		t.Fatal(err)
	}
	f.Handle(t.Context(), says("", "收款 13812340000 张三"))
	confirm := func(text string) bot.Message { return says("", text) }
	asked := f.Handle(t.Context(), says("", "提现"))
	if len(asked.Buttons) == 0 {
		t.Fatalf("asked %+v", asked)
	}
	word := asked.Buttons[0].Action
	for _, tt := range []struct {
		text  string
		spent bool
	}{
		{"确认 x", true}, {"余额", false}, {word, true}, {word, true}, {"取消", true},
	} {
		if r := f.Handle(t.Context(), confirm(tt.text)); r.Spent != tt.spent {
			t.Errorf("%s: spent is %v, want %v: %+v", tt.text, r.Spent, tt.spent, r)
		}
	}
}

func TestLateButtons(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		action string
		life   time.Duration
		hint   string
		says   string
	}{
		{"更多", 5 * time.Minute, "zh-hans", "已过期，请发 /订单，或重新搜索"},
		{"previous", 5 * time.Minute, "en", "Expired – please send /orders, or search again"},
		{"3", 5 * time.Minute, "", "已过期，请发 /订单，或重新搜索"},
		{"确认 1234", 2 * time.Minute, "", "已过期，请发 /提现"},
		{"订单 123", 0, "", "已过期，请发 /订单"},
		{"whatever", 0, "en", "This button has expired. Please send your message again."},
	} {
		if got := bot.ButtonLife(tt.action); got != tt.life {
			t.Errorf("%q lives for %v, want %v", tt.action, got, tt.life)
		}
		if got := bot.LatePress(tt.action, tt.hint); got != tt.says {
			t.Errorf("%q says %q, want %q", tt.action, got, tt.says)
		}
	}
}
