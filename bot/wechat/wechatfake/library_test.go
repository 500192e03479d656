package wechatfake_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/credential"
	"github.com/silenceper/wechat/v2/officialaccount/basic"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	oacontext "github.com/silenceper/wechat/v2/officialaccount/context"
	"github.com/silenceper/wechat/v2/officialaccount/customerservice"
	"github.com/silenceper/wechat/v2/officialaccount/material"
	"github.com/silenceper/wechat/v2/officialaccount/menu"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/officialaccount/user"
	"github.com/silenceper/wechat/v2/util"

	"fanli/bot/wechat/wechatfake"
)

// TestTheLibraryCalls makes the calls of the Go library, which knows nothing of the fake.
// Its client is a global, which is why this is the one test that sets it.
func TestTheLibraryCalls(t *testing.T) {
	s := wechatfake.New(wechatfake.Config{})
	s.Say(t.Context(), "o1", "hello")
	old := util.DefaultHTTPClient
	util.DefaultHTTPClient = wechatfake.Local(s)
	t.Cleanup(func() { util.DefaultHTTPClient = old })
	memory := cache.NewMemory()
	ctx := &oacontext.Context{
		Config:            &config.Config{AppID: s.AppID(), AppSecret: s.Secret(), Token: s.Token(), EncodingAESKey: s.AESKey(), Cache: memory},
		AccessTokenHandle: credential.NewStableAccessToken(s.AppID(), s.Secret(), credential.CacheKeyOfficialAccountPrefix, memory),
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	must("text", message.NewMessageManager(ctx).Send(message.NewCustomerTextMessage("o1", "返利 <b>")))
	must("typing", customerservice.NewCustomerServiceManager(ctx).SendTypingStatus("o1", customerservice.Typing))
	id, err := message.NewTemplate(ctx).Send(&message.TemplateMessage{
		ToUser: "o1", TemplateID: "TM", Data: map[string]*message.TemplateDataItem{"thing1": {Value: "x"}},
	})
	must("template", err)
	m := menu.NewMenu(ctx)
	must("menu", m.SetMenu([]*menu.Button{menu.NewSubButton("我的", []*menu.Button{menu.NewClickButton("余额", "余额")})}))
	got, err := m.GetMenu()
	must("menu again", err)
	tried, err := m.MenuTryMatch("o1")
	must("menu of o1", err)
	people := user.NewUser(ctx)
	tag, err := people.CreateTag("员工")
	must("tag", err)
	must("tagging", people.BatchTag([]string{"o1"}, tag.ID))
	info, err := people.GetUserInfo("o1")
	must("user", err)
	ticket, err := basic.NewBasic(ctx).GetQRTicket(basic.NewTmpQrRequest(time.Hour, "r_1"))
	must("code", err)
	media, err := material.NewMaterial(ctx).MediaUploadFromReader(material.MediaTypeImage, "a.png", bytes.NewReader([]byte("\x89PNG\r\n\x1a\nx")))
	must("file", err)
	must("no menu", m.DeleteMenu())
	if t.Failed() {
		return
	}
	if id == 0 || len(got.Menu.Button) != 1 || len(tried) != 1 || ticket.URL == "" || media.MediaID == "" || len(info.TagIDList) != 1 || info.Subscribe != 1 {
		t.Errorf("got %d, %+v, %+v, %+v, %+v, %+v", id, got, tried, ticket, media, info)
	}
	if got := strings.Join(s.Lines("o1"), " "); got != "该公众号提供的服务出现故障，请稍后再试 返利 <b> (TM) thing1=x" { // nobody answered the hello
		t.Errorf("o1 sees %q", got)
	}
	_, err = m.GetMenu()
	if err == nil || !strings.Contains(err.Error(), "46003") {
		t.Errorf("without a menu: %v", err)
	}
}
