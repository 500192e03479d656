package main

import (
	"errors"
	"fmt"

	"fanli/adapters/alipay"
	"fanli/adapters/guard"
	"fanli/adapters/jd"
	"fanli/adapters/manual"
	"fanli/adapters/pdd"
	"fanli/adapters/taobao"
	"fanli/adapters/wechatpay"
	"fanli/configs"
	"fanli/core/link"
	"fanli/core/order"
	"fanli/core/withdraw"
)

// networks makes the affiliate networks that are configured, each behind its guard,
// of which made hears. This is the whole list: what is not here is not in the binary.
func networks(cfg configs.Config, s surroundings, made func(network string, g *guard.Guard)) (ns []link.Network, fs []order.Feed, err error) {
	if s.stands != nil {
		return s.stands.networks, s.stands.feeds, nil
	}
	add := func(n link.Network, f order.Feed) {
		g := guard.New(f.Network()+"/"+f.Account(), guarded(cfg, s.obs))
		made(n.Name(), g)
		ns = append(ns, g.Network(n))
		fs = append(fs, g.Feed(f))
	}
	var errs []error
	if c := cfg.Networks.Taobao; c.AppKey != "" {
		n, err := taobao.New(c, s.client("taobao"), s.now)
		if err == nil {
			add(n, n)
		}
		errs = append(errs, err)
	}
	if c := cfg.Networks.JD; c.AppKey != "" {
		n, err := jd.New(c, s.client("jd"), s.now)
		if err == nil {
			add(n.Links(), n)
		}
		errs = append(errs, err)
	}
	if c := cfg.Networks.PDD; c.ClientID != "" {
		n, err := pdd.New(c, s.client("pdd"), s.now)
		if err == nil {
			add(n.Links(), n.Orders())
		}
		errs = append(errs, err)
	}
	return ns, fs, errors.Join(errs...)
}

// payer makes the payer that is configured.
func payer(cfg configs.Config, s surroundings) (p withdraw.Payer, err error) {
	if s.stands != nil {
		return s.stands.payer, nil
	}
	switch cfg.Payer {
	case manual.Name:
		p = manual.Payer{}
	case alipay.Name:
		p, err = alipay.New(cfg.Alipay, s.client(alipay.Name), s.now)
	case wechatpay.Name:
		p, err = wechatpay.New(cfg.Wechatpay, s.client(wechatpay.Name), s.now)
	default:
		err = fmt.Errorf("payer: there is none called %q", cfg.Payer)
	}
	return p, err
}
