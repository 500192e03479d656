package wechat_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanli/bot"
	"fanli/bot/wechat"
	"fanli/bot/wechat/platform"
	"fanli/bot/wechat/wechatfake"
)

// forms is a platform whose template messages end as status, before or after their number
// is known here.
type forms struct {
	wechat.Platform
	fake   *wechatfake.Server
	status string
	early  bool
	dies   int // calls after which the process does
}

func (f *forms) SendTemplate(ctx context.Context, openid string, _ platform.Notice) (int64, error) {
	end := func() {
		f.fake.Event(context.WithoutCancel(ctx), openid, "TEMPLATESENDJOBFINISH", "MsgID", "200163840", "Status", f.status)
	}
	if !f.early {
		go func() {
			time.Sleep(time.Second)
			end()
		}()
	} else if end(); f.dies > 0 {
		f.dies--
		return 0, errors.New("the process dies")
	}
	return 200163840, nil
}

// TestTemplatesThatDoNotArrive: what a template message was to say is told with the next
// answer, once, if WeChat says that it has not arrived; and not if it has.
func TestTemplatesThatDoNotArrive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, status string
		early        bool
		dies         int
		more         int // words
		want         int
	}{
		{"blocked", "failed:user block", false, 0, 0, 1},
		{"failed", "failed: system failed", false, 0, 0, 1},
		{"failed before it is kept", "failed: system failed", true, 0, 0, 1},
		{"failed, and the process dies", "failed: system failed", true, 1, 0, 1},
		{"a long one", "failed:user block", false, 0, 400, 1},
		{"arrived", "success", false, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ends := &forms{status: tt.status, early: tt.early, dies: tt.dies}
				w := open(t, wechatfake.Config{}, func(o *wechat.Options) {
					o.Forms = map[string]platform.Template{"rebate.ready": {ID: "T1", Fields: map[string]string{"thing1": "{title}"}}}
					ends.Platform, o.Platform = o.Platform, ends
				})
				ends.fake = w.fake
				w.run(t, echo)
				synctest.Wait()
				ctx := t.Context()
				w.fake.Say(ctx, ann, "hello")
				for range 5 { // all that is allowed
					if err := w.channel.Send(ctx, identityOf(ann), bot.Reply{Text: "news"}); err != nil {
						t.Fatal(err)
					}
				}
				n := bot.Notice{Kind: "rebate.ready", Title: "kettle", Reply: bot.Reply{Text: "¥2.80 is yours" + strings.Repeat(", really", tt.more) + "."}}
				for range tt.dies {
					if err := w.channel.Notice(ctx, identityOf(ann), "k1", n); err == nil {
						t.Error("it lives")
					}
				}
				if err := w.channel.Notice(ctx, identityOf(ann), "k1", n); err != nil {
					t.Fatal(err)
				}
				before := len(w.fake.Lines(ann))
				time.Sleep(time.Minute)
				for range 3 {
					w.fake.Say(ctx, ann, "x")
				}
				told := strings.Join(w.fake.Lines(ann)[before:], "\n")
				if strings.Count(told, "¥2.80 is yours") != tt.want || strings.Count(told, "really") != tt.more*tt.want {
					t.Errorf("ann is told %q, want it %d times", told, tt.want)
				}
			})
		})
	}
}
