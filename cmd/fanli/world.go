package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"fanli/adapters/alipay"
	"fanli/adapters/guard"
	"fanli/adapters/sandbox"
	"fanli/bot/webchat"
	"fanli/configs"
)

// In the sandbox nobody has to be spared, and nobody wants to wait.
const (
	sandboxEvery     = time.Second
	sandboxPerSecond = 2000
)

// inSandbox returns cfg with the networks and the payer of w in the place of real
// ones, and with the patience of a playground.
func inSandbox(cfg configs.Config, w *sandbox.World) configs.Config {
	at := w.Endpoints()
	t, j, p := at["taobao"], at["jd"], at["pdd"]
	cfg.Networks.Taobao.Endpoint, cfg.Networks.Taobao.AppKey, cfg.Networks.Taobao.AppSecret = t.URL, t.Key, t.Secret
	cfg.Networks.Taobao.SiteID, cfg.Networks.Taobao.AdzoneIDs = t.Site, t.Slots
	cfg.Networks.JD.Endpoint, cfg.Networks.JD.AppKey, cfg.Networks.JD.AppSecret = j.URL, j.Key, j.Secret
	cfg.Networks.PDD.Endpoint, cfg.Networks.PDD.ClientID, cfg.Networks.PDD.ClientSecret = p.URL, p.Key, p.Secret
	cfg.Networks.PDD.PID = p.Slots[0]
	cfg.Database.DSN = "" // play stays out of the database where money is
	cfg.Payer, cfg.Alipay = alipay.Name, withAlipay(cfg.Alipay, w)
	cfg.Guard = guard.Options{PerSecond: sandboxPerSecond, OfferTTL: time.Second, MissTTL: time.Second, Rest: 2 * time.Second, Now: w.Now}
	cfg.Resilience.Defaults.Rest, cfg.Resilience.Dependencies = cfg.Guard.Rest, nil // whoever plays with failures does not wait for long
	cfg.Sync.Every = min(cfg.Sync.Every, sandboxEvery)
	cfg.Rebate.HoldDays = nil
	cfg = withPages(cfg)
	cfg.Withdraw.Auto, cfg.Withdraw.Cooling = cfg.Withdraw.Maximum, 0
	return cfg
}

// withAlipay returns c as it must be to call the Alipay of w.
func withAlipay(c alipay.Config, w *sandbox.World) alipay.Config {
	keys, app, gateway, notify := w.Alipay()
	ours := keys.Client(app, gateway)
	c.Gateway, c.AppID, c.PrivateKey = ours.Gateway, ours.AppID, ours.PrivateKey
	c.AppCert, c.AlipayCert, c.RootCert, c.NotifyURL = ours.AppCert, ours.AlipayCert, ours.RootCert, notify
	return c
}

// withTill returns cfg with levels on sale that make a difference; the money goes
// to the Alipay of the sandbox.
func withTill(cfg configs.Config) configs.Config {
	cfg.Collect.Collector, cfg.Collect.PageURL = alipay.Name, ""
	if len(cfg.Collect.Memberships) == 0 {
		const month, year = 30, 365
		cfg.Collect.Memberships = []configs.Membership{{Level: 1, Days: month, Price: 9_90}, {Level: 2, Days: month, Price: 29_90}, {Level: 2, Days: year, Price: 299_00}}
	}
	if len(cfg.Rebate.Levels) == 0 {
		cfg.Rebate.Levels = map[int]configs.Percent{1: 5_00, 2: 10_00}
	}
	return cfg
}

// A stage is a sandbox world on a listener of its own, for commands without an
// address to open.
type stage struct {
	world  *sandbox.World
	server *http.Server
}

// openStage starts a world on a free port of this machine.
func openStage(ctx context.Context, dir string, still bool) (*stage, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w, err := sandbox.New(sandbox.Options{BaseURL: "http://" + ln.Addr().String(), Dir: dir, Still: still})
	if err != nil {
		_ = ln.Close()
		return nil, err
	}
	s := &stage{world: w, server: &http.Server{Handler: w.Handler(), ReadHeaderTimeout: 5 * time.Second}}
	go func() { _ = s.server.Serve(ln) }()
	return s, nil
}

func (s *stage) close() error { return s.server.Close() }

// localURL is where a listen address is reached from this machine.
func localURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return "http://" + host + ":" + port
}

// examples are messages that a visitor of the sandbox can try.
func examples(*sandbox.World) []webchat.Example {
	return []webchat.Example{
		{Label: "试试京东链接", English: "Try a JD link", Text: "【京东】https://3.cn/2porp-78?jkl=@OFzLBAZcuinE@ CA8680 「美的电水壶 1.7L」点击链接直接打开"},
		{Label: "试试淘宝口令", English: "Try a Taobao 口令", Text: "0.0 ￥CZ0001AbCdE￥ 清风原木金装抽纸 复制打开手机淘宝"},
		{Label: "试试拼多多链接", English: "Try a Pinduoduo link", Text: "https://mobile.yangkeduo.com/goods.html?goods_id=445566778803"},
		{Label: "搜耳机", English: "Search", Text: "搜 耳机"},
	}
}
