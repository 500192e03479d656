package platform_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanli/bot/kf/kffake"
	"fanli/bot/kf/platform"
	"fanli/core/fault"
	"fanli/core/logtest"
)

var ann = kffake.Customer("Ann", 1)

func client(t *testing.T, to http.Handler) *platform.Client {
	t.Helper()
	c, err := platform.New(platform.Config{CorpID: kffake.DefaultCorpID, Secret: kffake.DefaultSecret, OpenKfID: kffake.DefaultOpenKfID},
		platform.Options{HTTP: kffake.Local(to), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRefusals: what WeCom says no to has a code and a reason, and tells no secret; a token
// that is refused is replaced once.
func TestRefusals(t *testing.T) {
	t.Parallel()
	text := platform.Part{Text: "hello"}
	for name, tt := range map[string]struct {
		fault  kffake.Fault
		before func(ctx context.Context, f *kffake.Server)
		code   fault.Code
		reason string
		calls  int // of send_msg
	}{
		"well":                  {code: "", calls: 1},
		"a token that is gone":  {before: func(_ context.Context, f *kffake.Server) { f.DropTokens() }, calls: 2},
		"a token that is over":  {before: func(_ context.Context, f *kffake.Server) { f.ExpireTokens() }, calls: 2},
		"the quota":             {before: func(_ context.Context, f *kffake.Server) { f.Spend(ann) }, code: fault.Denied, reason: platform.QuotaUsed, calls: 1},
		"the session":           {before: func(ctx context.Context, f *kffake.Server) { f.Lead(ctx, ann, "hi") }, code: fault.Denied, reason: platform.SessionClosed, calls: 1},
		"too often":             {fault: kffake.Fault{Code: 45009, Text: "api freq out of limit"}, code: fault.Limited, reason: platform.TooOften, calls: 1},
		"no right":              {fault: kffake.Fault{Code: 48002, Text: "api forbidden"}, code: fault.Denied, reason: platform.NoRight, calls: 1},
		"a number nobody knows": {fault: kffake.Fault{Code: 99999, Text: "new"}, code: fault.Internal, calls: 1},
		"a page of a proxy":     {fault: kffake.Fault{Status: 502, Body: "<html>"}, code: fault.Unavailable, calls: 1},
		"a broken connection":   {fault: kffake.Fault{HangUp: true}, code: fault.Unavailable, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := kffake.New(kffake.Config{})
			c := client(t, f)
			f.Say(t.Context(), ann, "hello")
			if _, err := c.Sync(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
			if tt.before != nil {
				tt.before(t.Context(), f)
			}
			if tt.fault != (kffake.Fault{}) {
				f.Fail("/cgi-bin/kf/send_msg", 1, tt.fault)
			}
			err := c.Post(t.Context(), ann, "k1", text)
			if fault.CodeOf(err) != tt.code || fault.ReasonOf(err) != tt.reason {
				t.Errorf("%v, code %q, reason %q", err, fault.CodeOf(err), fault.ReasonOf(err))
			}
			if n := len(f.Calls("/cgi-bin/kf/send_msg")); n != tt.calls && tt.fault.Status == 0 && !tt.fault.HangUp {
				t.Errorf("%d calls", n)
			}
			for _, said := range []string{fmt.Sprint(err), fmt.Sprintf("%+v %#v", c, c)} {
				if strings.Contains(said, kffake.DefaultSecret) || strings.Contains(said, "access_token=") {
					t.Errorf("a secret is told: %s", said)
				}
			}
		})
	}
}

// TestMenuBecomesMenu: lines that can be tapped come as WeCom takes them, and a key counts
// once.
func TestMenuBecomesMenu(t *testing.T) {
	t.Parallel()
	f := kffake.New(kffake.Config{})
	c := client(t, f)
	f.Say(t.Context(), ann, "hello")
	p := platform.Part{Text: "1 < 2 & 返利", Items: []platform.Item{{Label: "余额", Action: "balance"}, {Label: "页", URL: "https://example.com/?a=1&b=2"}}}
	if err := c.Post(t.Context(), ann, "k1", p); err != nil {
		t.Fatal(err)
	}
	f.Tap(t.Context(), ann, "余额")
	if page, err := c.Sync(t.Context(), "", ""); err != nil || page.Messages[1].Text.Said() != "balance" {
		t.Errorf("a tap says %+v, %v", page, err)
	}
	if err := c.Post(t.Context(), ann, "k1", p); !fault.Is(err, fault.Invalid) {
		t.Errorf("with a key that was used: %v", err)
	}
	if got := f.Lines(ann); len(got) != 1 || got[0] != "1 < 2 & 返利\n[余额]\n[页 → https://example.com/?a=1&b=2]" {
		t.Errorf("told %q", got)
	}
}

// TestOddMessages: one message that nobody can read keeps none behind it.
func TestOddMessages(t *testing.T) {
	t.Parallel()
	const page = `{"errcode":0,"errmsg":"ok","next_cursor":"c1","has_more":1,"msg_list":[
		{"msgid":"m1","send_time":"soon"}, 7, {"send_time":1},
		{"msgid":"m2","send_time":1700000000,"origin":3,"external_userid":"wm1","open_kfid":"wk1","msgtype":"text","text":{"content":"x","menu_id":"y"},"new":[1]}]}`
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cgi-bin/gettoken" {
			_, _ = w.Write([]byte(`{"errcode":0,"errmsg":"ok","access_token":"t","expires_in":7200}`))
			return
		}
		_, _ = w.Write([]byte(page))
	}))
	p, err := c.Sync(t.Context(), "", "")
	if err != nil || p.Odd != 3 || len(p.Messages) != 1 || p.Messages[0].Text.Said() != "x" || !p.More || p.Next != "c1" {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestCustomers: whom the fake makes up is found where it is logged.
func TestCustomers(t *testing.T) {
	t.Parallel()
	if got := logtest.Find("level=INFO msg=answered to=" + ann); got != "an id of a customer of WeCom" {
		t.Errorf("in a line with %s is found %q", ann, got)
	}
}
