package link

import "bytes"

// A form is a kind of page, by which its links are read.
type form uint8

const (
	unread   form = iota
	tbItem        // an item page: id=, or the id in the path
	tbScreen      // a page of the mobile app: an item if it has an id, else an activity
	tbShort       // a link made by sharing
	tbClick
	tbCoupon
	tbUland // the alliance's coupon pages and others
	tbPage  // an activity
	tbSite  // any other page of Taobao
	tbShop  // a host of a shop, or another page of Tmall
	tbApp
	jdItem
	jdShort
	jdClick
	jdCoupon
	jdPage
	jdSite
	jdApp
	jdJSON // the parameters of JD's app links
	pddShort
	pddSite
	pddApp
	vipShort
	vipSite
	vipApp
	anySite // a shop whose links are not read further
)

// A place is whose a host is and what its pages are.
type place struct {
	shop shop
	form form
}

// The host of Pinduoduo's pages, and what a page without a host and a slash
// follows. Nothing writes to them.
var (
	pddHost   = []byte("mobile.yangkeduo.com")
	pddFolder = []byte("mobile.yangkeduo.com/")
)

// places are the hosts that are known by their whole name.
var places = map[string]place{
	"item.taobao.com":          {shopTaobao, tbItem},
	"detail.tmall.com":         {shopTaobao, tbItem},
	"detail.m.tmall.com":       {shopTaobao, tbItem},
	"detail.tmall.hk":          {shopTaobao, tbItem},
	"detail.m.tmall.hk":        {shopTaobao, tbItem},
	"chaoshi.detail.tmall.com": {shopTaobao, tbItem},
	"world.taobao.com":         {shopTaobao, tbItem},
	"a.m.taobao.com":           {shopTaobao, tbItem},
	"traveldetail.fliggy.com":  {shopTaobao, tbItem},
	"detail.liangxinyao.com":   {shopTaobao, tbItem},
	"h5.m.taobao.com":          {shopTaobao, tbScreen},
	"new.m.taobao.com":         {shopTaobao, tbScreen},
	"main.m.taobao.com":        {shopTaobao, tbScreen},
	"market.m.taobao.com":      {shopTaobao, tbScreen},
	"m.tb.cn":                  {shopTaobao, tbShort},
	"e.tb.cn":                  {shopTaobao, tbShort},
	"s.tb.cn":                  {shopTaobao, tbShort},
	"c.tb.cn":                  {shopTaobao, tbShort},
	"s.click.taobao.com":       {shopTaobao, tbClick},
	"s.click.tmall.com":        {shopTaobao, tbClick},
	"uland.taobao.com":         {shopTaobao, tbUland},
	"taoquan.taobao.com":       {shopTaobao, tbCoupon},
	"shop.m.taobao.com":        {shopTaobao, tbShop},
	"ai.taobao.com":            {shopTaobao, tbPage},
	"temai.taobao.com":         {shopTaobao, tbPage},
	"mo.m.taobao.com":          {shopTaobao, tbPage},
	"2.taobao.com":             {shopXianyu, anySite},

	"item.jd.com":        {shopJD, jdItem},
	"item.jd.hk":         {shopJD, jdItem},
	"cps.item.jd.com":    {shopJD, jdItem},
	"npcitem.jd.hk":      {shopJD, jdItem},
	"item.m.jd.com":      {shopJD, jdItem},
	"mitem.jd.hk":        {shopJD, jdItem},
	"wqsitem.jd.com":     {shopJD, jdItem},
	"wqitem.jd.com":      {shopJD, jdItem},
	"jingfen.jd.com":     {shopJD, jdItem},
	"u.jd.com":           {shopJD, jdShort},
	"3.cn":               {shopJD, jdShort},
	"3.jd.com":           {shopJD, jdShort},
	"3.jd.hk":            {shopJD, jdShort},
	"union-click.jd.com": {shopJD, jdClick},
	"coupon.jd.com":      {shopJD, jdCoupon},
	"coupon.m.jd.com":    {shopJD, jdCoupon},
	"pro.m.jd.com":       {shopJD, jdPage},
	"pro.jd.com":         {shopJD, jdPage},
	"prodev.m.jd.com":    {shopJD, jdPage},
	"prodev.jd.com":      {shopJD, jdPage},
	"h5.m.jd.com":        {shopJD, jdPage},
	"u.jr.jd.com":        {shopJD, jdPage},
	"mall.jd.com":        {shopJD, jdPage},
	"shop.m.jd.com":      {shopJD, jdPage},

	"p.pinduoduo.com": {shopPDD, pddShort},
	"p.yangkeduo.com": {shopPDD, pddShort},

	"t.vip.com":           {shopVip, vipShort},
	"click.union.vip.com": {shopVip, vipShort},
}

// placeOfDomain returns whose a domain is, the last two labels of a host in lower
// case, and how its hosts are read that are not known by their whole name. It is a
// switch and not a table because it turns most links of a text away.
func placeOfDomain(domain []byte) place {
	switch string(domain) {
	case "taobao.com":
		return place{shopTaobao, tbSite}
	case "tmall.com", "tmall.hk":
		return place{shopTaobao, tbShop}
	case "tb.cn", "fliggy.com", "liangxinyao.com":
		return place{shopTaobao, unread}
	case "goofish.com":
		return place{shopXianyu, anySite}
	case "jd.com", "jd.hk":
		return place{shopJD, jdSite}
	case "3.cn":
		return place{shopJD, unread}
	case "yangkeduo.com", "pinduoduo.com":
		return place{shopPDD, pddSite}
	case "vip.com":
		return place{shopVip, vipSite}
	case "douyin.com", "jinritemai.com":
		return place{shopDouyin, anySite}
	case "meituan.com", "dpurl.cn":
		return place{shopMeituan, anySite}
	case "suning.com":
		return place{shopSuning, anySite}
	case "kaola.com":
		return place{shopKaola, anySite}
	}
	return place{}
}

// placeOf returns whose name is, a host in lower case whose last two labels start
// at domain, and the host without the number of a list item before it ("1.m.tb.cn").
// It is false for a host of nobody, or of a page that is not read.
func placeOf(name []byte, domain int) (at place, host []byte, ok bool) {
	rest := placeOfDomain(name[domain:])
	if rest.shop == shopNone {
		return rest, name, false
	}
	if at, ok = places[string(name)]; ok {
		return at, name, true
	}
	if dot := bytes.IndexByte(name, '.'); dot == 1 || dot == 2 {
		at, ok = places[string(name[dot+1:])]
		if ok && class[name[0]]&class[name[dot-1]]&digit != 0 {
			return at, name[dot+1:], true
		}
	}
	return rest, name, rest.form != unread
}
