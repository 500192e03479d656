package configs

import (
	"net/url"
	"time"

	"fanli/core/endpoint"
	"fanli/core/money"
)

// Collect says how people pay us, and what for.
type Collect struct {
	Collector   string        `yaml:"collector"`
	Lasts       time.Duration `yaml:"lasts"`
	PageURL     string        `yaml:"page_url"`
	Memberships []Membership  `yaml:"memberships"`
}

// A Membership is a level that is on sale.
type Membership struct {
	Level int  `yaml:"level"`
	Days  int  `yaml:"days"`
	Price Yuan `yaml:"price"`
}

// What makes no sense in a sale is refused by name.
const (
	lastsMin       = 5 * time.Minute
	lastsMax       = 2 * time.Hour // longer than that WeChat's codes do not live
	membershipsMax = 6             // as many buttons fit under an answer
	priceMax       = Yuan(50_000_00)
)

func (c Config) checkCollect(k *checker) {
	o := c.Collect
	switch o.Collector {
	case "":
	case "alipay":
		if !c.Sandbox() && c.Payer != "alipay" {
			k.part("alipay", c.Alipay.Validate())
		}
	case "wechatpay":
		if !c.Sandbox() && c.Payer != "wechatpay" {
			k.part("wechatpay", c.Wechatpay.Validate())
		}
		if c.Wechatpay.CollectNotifyURL == "" {
			k.bad("wechatpay.collect_notify_url", "WeChat takes no charge without it")
		}
		if o.PageURL == "" {
			k.bad("collect.page_url", "WeChat's codes are scanned from a page of ours: say where people reach it")
		}
	default:
		k.bad("collect.collector", "%q is not alipay or wechatpay", o.Collector)
	}
	if o.PageURL != "" && !endpoint.Safe(o.PageURL) {
		k.bad("collect.page_url", "must be the https address (http only on loopback) where people reach this server, without user and query")
	}
	if u, err := url.Parse(o.PageURL); err == nil && u.Path != "" && u.Path != "/" {
		k.bad("collect.page_url", "must have no path")
	}
	if o.Lasts < lastsMin || o.Lasts > lastsMax {
		k.bad("collect.lasts", "%v is not between %v and %v", o.Lasts, lastsMin, lastsMax)
	}
	if len(o.Memberships) > membershipsMax {
		k.bad("collect.memberships", "more than %d", membershipsMax)
	}
	for _, m := range o.Memberships {
		if m.Level < 1 || m.Level > 99 || m.Days < 1 || m.Days > 3660 || m.Price < 1 || m.Price > priceMax {
			k.bad("collect.memberships", "level %d for %d days at %s: level is 1 to 99, days 1 to 3660, price 0.01 to %s",
				m.Level, m.Days, money.Fen(m.Price), money.Fen(priceMax))
		}
	}
}
