package sandbox

import (
	"fanli/core/link"
	"fanli/core/market"
	"fanli/core/money"
)

// shelf is what a shop of the sandbox sells. Prices, coupons and rates are as one
// meets them; nothing of it exists.
func shelf(network string) []market.Goods {
	switch network {
	case link.Taobao:
		return taobaoShelf()
	case link.JD:
		return jdShelf()
	case link.PDD:
		return pddShelf()
	default:
		return nil
	}
}

// goods makes one article with a picture. Amounts are in fen, the rate in basis
// points; aliases are what the shop's app shares: see shares.
func goods(picture, id, title, shop, category string, price, coupon, from money.Fen, rate money.Bps, aliases ...string) market.Goods {
	return market.Goods{
		ID: id, Title: title, Shop: shop, Category: category, Price: price, Coupon: coupon, CouponFrom: from, Rate: rate,
		Image: pictureHost + picture + ".svg", Aliases: aliases,
	}
}

func taobaoShelf() []market.Goods {
	return []market.Goods{
		goods("tissue", "678901234501", "清风原木金装抽纸 3层120抽 24包整箱装", "清风旗舰店", "家居", 5990, 1000, 4900, 1200, "CZ0001AbCdE", "h1AbCdEfG"),
		goods("bedding", "678901234502", "南极人纯棉四件套 全棉床单被套 1.8米床", "南极人家纺旗舰店", "家纺", 19900, 3000, 15900, 2000, "CZ0002AbCdE", "h2AbCdEfG"),
		goods("nuts", "678901234503", "三只松鼠每日坚果 混合坚果礼盒 750g 30包", "三只松鼠旗舰店", "食品", 9980, 2000, 8900, 1500, "CZ0003AbCdE", "h3AbCdEfG"),
		goods("earbuds", "678901234504", "蓝牙耳机 主动降噪 入耳式 长续航 升级款", "漫步者官方旗舰店", "数码", 26900, 3000, 19900, 800, "CZ0004AbCdE", "h4AbCdEfG"),
		goods("serum", "678901234505", "珀莱雅早C晚A精华套装 抗皱紧致", "珀莱雅官方旗舰店", "美妆", 39900, 5000, 29900, 2500, "CZ0005AbCdE", "h5AbCdEfG"),
		goods("towel", "678901234506", "全棉时代纯棉柔巾 干湿两用 100抽6包", "全棉时代旗舰店", "母婴", 8980, 0, 0, 1000, "CZ0006AbCdE", "h6AbCdEfG"),
		goods("sneaker", "678901234507", "回力帆布鞋 男女同款 经典小白鞋", "回力旗舰店", "鞋", 8900, 1000, 7900, 1800, "CZ0007AbCdE", "h7AbCdEfG"),
		goods("pen", "678901234508", "晨光中性笔 0.5mm 黑色 学生考试 30支", "晨光文具旗舰店", "文具", 2590, 300, 1900, 900, "CZ0008AbCdE", "h8AbCdEfG"),
		goods("wok", "678901234509", "苏泊尔不粘炒锅 32cm 电磁炉燃气通用", "苏泊尔官方旗舰店", "厨具", 16900, 2000, 12900, 1100, "CZ0009AbCdE", "h9AbCdEfG"),
		goods("coffee", "678901234510", "瑞幸同款挂耳咖啡 意式拼配 20片", "永璞旗舰店", "食品", 6900, 1000, 5900, 1600, "CZ0010AbCdE", "haAbCdEfG"),
		goods("mouse", "678901234511", "无线静音鼠标 可充电 办公家用", "罗技旗舰店", "数码", 7900, 500, 5900, 700, "CZ0011AbCdE", "hbAbCdEfG"),
		goods("detergent", "678901234513", "蓝月亮薰衣草香洗衣液 3kg*2瓶装", "蓝月亮旗舰店", "家居", 8490, 2000, 6900, 900, "CZ0013AbCdE", "hdAbCdEfG"),
		unlisted(goods("bracelet", "678901234512", "老庙黄金足金手链 计价黄金 不参加推广", "老庙黄金旗舰店", "珠宝", 458000, 0, 0, 0, "CZ0012AbCdE", "hcAbCdEfG")),
	}
}

func jdShelf() []market.Goods {
	return []market.Goods{
		goods("kettle", "100012043978", "美的电水壶 1.7L 316L不锈钢 双层防烫", "美的京东自营旗舰店", "家电", 9900, 1000, 8900, 500, "2porp-78", "YO58R3K"),
		goods("fridge", "100012043979", "海尔冰箱 520升 十字对开门 一级能效", "海尔京东自营旗舰店", "家电", 399900, 20000, 300000, 200, "2porp-79", "YO58R3L"),
		goods("milk", "100012043980", "爱他美卓萃奶粉 3段 900g", "爱他美京东自营旗舰店", "母婴", 37800, 3000, 30000, 300, "2porp-80", "YO58R3M"),
		goods("tissue", "100012043981", "维达抽纸 超韧 3层100抽 24包", "维达京东自营旗舰店", "家居", 5290, 500, 4900, 600, "2porp-81", "YO58R3N"),
		goods("band", "100012043982", "小米手环 智能运动 血氧监测 14天续航", "小米京东自营旗舰店", "数码", 24900, 2000, 20000, 400, "2porp-82", "YO58R3P"),
		goods("toothbrush", "100012043983", "飞利浦电动牙刷 声波震动 含3支刷头", "飞利浦京东自营旗舰店", "个护", 19900, 3000, 15900, 900, "2porp-83", "YO58R3Q"),
		goods("rice", "100012043984", "金龙鱼 长粒香大米 10kg", "金龙鱼京东自营旗舰店", "食品", 6990, 800, 5900, 350, "2porp-84", "YO58R3R"),
		goods("paper", "100012043985", "得力A4打印纸 70g 5包整箱 2500张", "得力京东自营旗舰店", "办公", 10900, 1000, 9900, 450, "2porp-85", "YO58R3S"),
		goods("detergent", "100012043986", "蓝月亮洗衣液 薰衣草香 3kg×2瓶", "蓝月亮京东自营旗舰店", "家居", 7990, 1500, 6900, 800, "2porp-86", "YO58R3T"),
		goods("sneaker", "100012043987", "安踏男子跑步鞋 轻便缓震", "安踏京东自营旗舰店", "鞋", 26900, 4000, 19900, 1000, "2porp-87", "YO58R3U"),
		goods("blender", "100012043988", "九阳豆浆机 破壁免滤 1.2L", "九阳京东自营旗舰店", "家电", 34900, 5000, 29900, 500, "2porp-88", "YO58R3V"),
		unlisted(goods("card", "100012043989", "京东E卡 500元 电子卡 不参加推广", "京东卡专营店", "卡券", 50000, 0, 0, 0, "2porp-89", "YO58R3W")),
	}
}

func pddShelf() []market.Goods {
	return []market.Goods{
		goods("case", "445566778801", "手机壳 液态硅胶 全包防摔 适用多机型", "数码配件工厂店", "数码", 1990, 500, 1900, 2000, "sKvbBwg1", "FuXUG9Y3SA"),
		goods("orange", "445566778802", "赣南脐橙 新鲜现摘 10斤大果", "果农直发", "水果", 3990, 400, 2900, 1500, "sKvbBwg2", "FuXUG9Y3SB"),
		goods("blanket", "445566778803", "加厚珊瑚绒毛毯 双人午睡毯 150×200cm", "暖家家纺", "家纺", 4580, 600, 3900, 2200, "sKvbBwg3", "FuXUG9Y3SC"),
		goods("crayons", "445566778804", "儿童水彩笔 可水洗 48色套装", "文具优选店", "文具", 2580, 300, 1900, 1800, "sKvbBwg4", "FuXUG9Y3SD"),
		goods("rice", "445566778805", "东北五常大米 2024新米 10斤真空装", "粮油旗舰店", "食品", 4990, 500, 3900, 1000, "sKvbBwg5", "FuXUG9Y3SE"),
		goods("racket", "445566778806", "家用电蚊拍 可充电式 强力灭蚊灯二合一", "家居百货专营", "家居", 2990, 400, 1900, 2500, "sKvbBwg6", "FuXUG9Y3SF"),
		goods("tshirt", "445566778807", "男士纯棉短袖T恤 3件装 宽松大码", "男装工厂店", "服装", 5990, 1000, 4900, 2000, "sKvbBwg7", "FuXUG9Y3SG"),
		goods("thermos", "445566778808", "不锈钢保温杯 大容量 1000ml 车载", "杯具旗舰店", "家居", 3690, 500, 2900, 1600, "sKvbBwg8", "FuXUG9Y3SH"),
		goods("cable", "445566778809", "USB-C 快充数据线 100W 2米 编织", "数码配件工厂店", "数码", 1290, 0, 0, 3000, "sKvbBwg9", "FuXUG9Y3SJ"),
		goods("cat", "445566778810", "猫砂 豆腐猫砂 除臭无尘 10公斤", "宠物生活馆", "宠物", 4290, 600, 3900, 1500, "sKvbBwga", "FuXUG9Y3SK"),
		goods("bags", "445566778811", "抽绳垃圾袋 加厚 家用 5卷100只", "家居百货专营", "家居", 1590, 300, 1290, 2800, "sKvbBwgb", "FuXUG9Y3SL"),
		goods("detergent", "445566778813", "蓝月亮 洗衣液 薰衣草香 3公斤×2瓶", "日化优选", "家居", 7590, 800, 6900, 1200, "sKvbBwgd", "FuXUG9Y3SN"),
		goods("detergent", "445566778814", "蓝月亮 洗衣液 薰衣草香 500g 瓶装", "日化优选", "家居", 1990, 300, 1900, 1500, "sKvbBwge", "FuXUG9Y3SP"),
		unlisted(goods("phone", "445566778812", "话费充值 100元 不参加推广", "官方充值", "充值", 9980, 0, 0, 0, "sKvbBwgc", "FuXUG9Y3SM")),
	}
}

// unlisted is sold, but not in the affiliate programme.
func unlisted(g market.Goods) market.Goods {
	g.Unlisted = true
	return g
}
