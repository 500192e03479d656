package wechat_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot/wechat/wechatfake"
)

// TestWhoseAnswerComesLaterSeesUsTyping, where the account may; it costs no message, and
// without it everything goes on.
func TestWhoseAnswerComesLaterSeesUsTyping(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		profile wechatfake.Profile
		fails   bool
		typing  bool
		lines   int
	}{
		{"Service", wechatfake.Service, false, true, 1},
		{"Personal", wechatfake.Personal, false, false, 1}, // "1" shows it
		{"Refused", wechatfake.Service, true, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, _, _ := twins(t, 20*time.Second)
				w := open(t, wechatfake.Config{Profile: tt.profile}, nil)
				if tt.fails {
					w.fake.Fail("/cgi-bin/message/custom/typing", 1, wechatfake.Fault{Code: 48001})
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { _ = w.channel.Run(ctx, a.Handle) }()
				w.fake.Say(ctx, ann, kettle)
				time.Sleep(time.Second)
				if got := w.fake.Typing(ann); got != tt.typing {
					t.Errorf("while she waits she sees us typing: %v", got)
				}
				left, _ := w.fake.Left(ann)
				time.Sleep(time.Minute)
				if got, _ := w.fake.Left(ann); w.fake.Typing(ann) || tt.typing && left-got != 1 {
					t.Errorf("after the answer she sees us typing: %v, and of %d messages %d are left", w.fake.Typing(ann), left, got)
				}
				if got := w.fake.Lines(ann); len(got) != tt.lines {
					t.Errorf("ann reads %q", got)
				}
			})
		})
	}
}
