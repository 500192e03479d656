package main

import (
	"fanli/bot"
	"fanli/configs"
	"fanli/core/link"
	"fanli/core/money"
)

// checkInOf is what a configuration gives for coming.
func checkInOf(c configs.Config) bot.Daily {
	return bot.Daily{Amount: money.Fen(c.Rebate.CheckIn.Amount), Budget: c.Rebate.CheckIn.Budget}
}

// activitiesOf are the pages to which a configuration leads people.
func activitiesOf(c configs.Config) (out []bot.Activity) {
	for _, a := range c.Activities {
		out = append(out, bot.Activity{
			Kind: bot.ActivityKind(a.Kind), Page: link.Page{Network: a.Network, Name: a.Name, Address: a.URL}, English: a.NameEN,
		})
	}
	return out
}

// withPages returns cfg with pages that the networks of the sandbox know.
func withPages(cfg configs.Config) configs.Config {
	if len(cfg.Activities) > 0 {
		return cfg
	}
	cfg.Activities = []configs.Activity{
		{Name: "京东外卖红包", NameEN: "JD takeaway", Kind: string(bot.Food), Network: link.JD, URL: "https://pro.m.jd.com/mall/active/takeaway/index.html"},
		{Name: "淘宝闪购", NameEN: "Taobao takeaway", Kind: string(bot.Food), Network: link.Taobao, URL: "https://pages.tmall.com/wow/takeaway"},
		{Name: "拼多多百亿补贴", NameEN: "Pinduoduo subsidies", Kind: string(bot.Venue), Network: link.PDD, URL: "5"},
		{Name: "京东大促会场", NameEN: "JD sale", Kind: string(bot.Venue), Network: link.JD, URL: "https://pro.m.jd.com/mall/active/sale/index.html"},
	}
	return cfg
}
