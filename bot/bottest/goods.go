package bottest

import (
	"fanli/core/link"
	"fanli/core/market"
	fen "fanli/core/money"
)

type fenBps = fen.Bps

// goods are on a network's shelf. The last alias is what directives call them.
func goods(network string) []market.Goods {
	switch network {
	case link.Taobao:
		return []market.Goods{
			{ID: "612345678901", Title: "316不锈钢保温杯 500ml 保温杯男女", Shop: "杯子旗舰店", Price: 89_00, Coupon: 20_00, CouponFrom: 80_00,
				Rate: 1_500, Aliases: []string{"AbCd12345xY", "https://m.tb.cn/h.abcdef?tk=AbCd12345xY", "thermos"}},
			{ID: "612345678902", Title: "竹纤维毛巾 三条装", Shop: "日用小店", Price: 19_90, Rate: 800, Aliases: []string{"towel"}},
			{ID: "612345678903", Title: "孤品古董花瓶", Shop: "旧物", Price: 880_00, Rate: 500, Unlisted: true, Aliases: []string{"vase"}},
			{ID: "612345678904", Title: "Thermos/膳魔师 不锈钢焖烧罐 500毫升", Shop: "膳魔师旗舰店", Price: 199_00, Coupon: 30_00, CouponFrom: 150_00, Rate: 1_000, Aliases: []string{"flask"}},
		}
	case link.JD:
		return []market.Goods{
			{ID: "100012043978", Title: "美的电热水壶 1.7L 家用保温", Shop: "美的京东自营旗舰店", Image: "https://img.example/kettle.jpg",
				Price: 99_00, Coupon: 10_00, CouponFrom: 50_00, Rate: 500, Aliases: []string{"kettle"}},
			{ID: "100012043979", Title: "扫地机器人 保温杯套装", Shop: "数码专营", Price: 2999_00, Rate: 1_000, Aliases: []string{"robot"}},
			{ID: "100012043980", Title: "<b>特价</b> \u202e保温杯* [点我](http://x.example) 保温杯", Shop: "<script>alert(1)</script>", Price: 10_00, Rate: 1_000, Aliases: []string{"hostile"}},
			{ID: "100012043981", Title: "一分钱贴纸", Shop: "文具", Price: 9, Rate: 100, Aliases: []string{"sticker"}},
			{ID: "100012043982", Title: "膳魔师焖烧罐 500ml 不锈钢", Shop: "膳魔师京东自营旗舰店", Price: 189_00, Coupon: 10_00, CouponFrom: 100_00, Rate: 300, Aliases: []string{"flaskjd"}},
			{ID: "100012043983", Title: "膳魔师焖烧罐 不锈钢", Shop: "生活专营", Price: 179_00, Rate: 100, Aliases: []string{"flaskplain"}},
		}
	default:
		return []market.Goods{
			{ID: "123456789", Title: "百亿补贴 保温杯 大容量", Shop: "工厂店", Price: 29_90, Coupon: 5_00, Rate: 2_000, Aliases: []string{"cup"}},
			{ID: "123456790", Title: "儿童保温杯 带吸管", Shop: "工厂店", Price: 39_90, Rate: 2_000, Aliases: []string{"straw"}},
			{ID: "123456791", Title: "保温杯刷 三支", Shop: "工厂店", Price: 6_90, Rate: 2_000, Aliases: []string{"brush"}},
			{ID: "123456792", Title: "保温杯套 织带", Shop: "工厂店", Price: 8_90, Rate: 2_000, Aliases: []string{"sleeve"}},
			{ID: "123456793", Title: "迷你保温杯 200ml", Shop: "工厂店", Price: 25_90, Rate: 2_000, Aliases: []string{"mini"}},
			{ID: "123456794", Title: "膳魔师焖烧罐 450ml 不锈钢", Shop: "工厂店", Price: 139_00, Coupon: 9_00, Rate: 1_000, Aliases: []string{"flasksmall"}},
			{ID: "123456795", Title: "焖烧罐 收纳包 适用膳魔师", Shop: "工厂店", Price: 15_90, Rate: 1_000, Aliases: []string{"flaskbag"}},
		}
	}
}
