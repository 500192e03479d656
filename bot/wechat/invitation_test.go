package wechat_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"fanli/bot"
	"fanli/bot/bottest"
	"fanli/bot/wechat"
	"fanli/bot/wechat/wechatfake"
)

// TestInvitations has friends come by the code that an invitation shows, where the account
// may make one, and by nothing but the text where it may not.
func TestInvitations(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/invite.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, profile := range []wechatfake.Profile{wechatfake.Subscription, wechatfake.Service, wechatfake.Sandbox} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			golden(t, "testdata/invite_"+string(profile)+".txt", tell(t, string(script), profile, wechatfake.Safe))
		})
	}
}

// TestCodeOfAnInvitation: WeChat is asked once for a person's code, over all processes, as
// long as it lasts; and a refusal or a failure is only an invitation without a picture.
func TestCodeOfAnInvitation(t *testing.T) {
	t.Parallel()
	clock, ctx := bottest.NewClock(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)), t.Context()
	cfg := wechatfake.Config{Now: clock.Now}
	kept := marks{}
	set := func(o *wechat.Options) { o.Marks = kept }
	w := open(t, cfg, set)
	w.run(t, echo)
	w.fake.Follow(ctx, ann, "")
	want := func(what string, shown bool, calls int) (p bot.Picture) {
		t.Helper()
		p, ok := w.channel.InvitePicture(ctx, ann, "r_FRIEND01")
		if n := len(w.fake.Calls("/cgi-bin/qrcode/create")); ok != shown || n != calls {
			t.Errorf("%s: shown %v after %d calls, want %v after %d", what, ok, n, shown, calls)
		}
		return p
	}

	w.fake.Fail("/cgi-bin/qrcode/create", 1, wechatfake.Fault{Code: -1, Text: "system error"})
	want("WeChat is busy", false, 1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if p, ok := w.channel.InvitePicture(ctx, ann, "r_FRIEND01"); !ok || !p.Until.Equal(clock.Now().Add(30*24*time.Hour)) {
				t.Errorf("shown %+v, %v", p, ok)
			}
		})
	}
	all.Wait()
	first := want("again", true, 2)
	w.join(t, cfg, set)
	clock.Move(22 * 24 * time.Hour)
	if p := want("another process, later", true, 2); p != first {
		t.Errorf("shown %+v, before %+v", p, first)
	}
	clock.Move(2 * 24 * time.Hour)
	if p := want("it ends soon", true, 3); p == first {
		t.Error("the code that ends soon is shown")
	}
	for _, scene := range []string{"", "r_", "FRIEND01", "r_FRIEND01/x"} {
		if p, ok := w.channel.InvitePicture(ctx, ann, scene); ok {
			t.Errorf("scene %q is shown %+v", scene, p)
		}
	}

	clock.Move(24 * 24 * time.Hour)
	w.fake.SetProfile(wechatfake.Subscription) // as if it were not verified any more
	want("refused", false, 4)
	want("and not tried again", false, 4)
	if n := w.counts.of("downgrade/codes"); n != 1 {
		t.Errorf("the refusal was noticed %d times", n)
	}
	w.fake.SetProfile(wechatfake.Service)
	clock.Move(wechat.DowngradeFor + time.Minute)
	want("a day later", true, 5)
}
