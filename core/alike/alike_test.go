package alike_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fanli/core/alike"
)

// TestPairs compares titles as shops write them. Verdicts are the same whichever title
// comes first.
func TestPairs(t *testing.T) {
	t.Parallel()
	const same, likely, similar, different = alike.Same, alike.Likely, alike.Similar, alike.Different
	for _, tt := range []struct {
		a, b string
		want alike.Verdict
		why  string // the first reason
	}{
		// The same goods, written otherwise.
		{"美的电热水壶 1.7L 家用保温", "美的 家用保温电热水壶 1.7L", same, "brand"},
		{"美的电热水壶 1.7L 家用保温", "Midea/美的 电热水壶家用 1700ml 保温", same, "brand"},
		{"蓝月亮洗衣液 薰衣草香 3kg×2瓶", "蓝月亮 薰衣草香洗衣液 3公斤*2瓶装", same, "brand"},
		{"蓝月亮洗衣液 薰衣草香 3kg×2瓶", "【官方旗舰店】藍月亮洗衣液３KGx2 薰衣草香 包邮", same, "brand"},
		{"维达抽纸 超韧 3层100抽 24包", "维达 超韧抽纸 100抽*24包 三层", same, "brand"},
		{"Apple iPhone 15 128GB 黑色 5G手机", "苹果 iPhone15 128G 黑色 双卡双待手机", same, "brand"},
		{"Apple iPhone 15 (A3092) 128GB 黑色", "iPhone 15 128G 黑色", same, "brand"},
		{"索尼 WH-1000XM5 头戴式降噪耳机", "Sony 1000XM5 无线降噪头戴式耳机", same, "brand"},
		{"罗技K380 蓝牙键盘 无线", "Logitech 罗技 K380 无线蓝牙键盘", same, "brand"},
		{"爱他美卓萃奶粉 3段 900g", "Aptamil爱他美 卓萃 三段 奶粉 0.9kg", same, "brand"},
		{"金龙鱼 长粒香大米 10kg", "金龙鱼大米 长粒香 20斤", same, "brand"},
		{"南孚电池 5号 12粒", "南孚 5号电池 12粒装", same, "brand"},
		{"适用于 iPhone 15 手机壳 液态硅胶", "液态硅胶手机壳 适用苹果 iPhone15", same, "brand"},
		{"三只松鼠每日坚果 混合坚果礼盒 750g 30包", "三只松鼠 混合坚果 每日坚果礼盒 750克30袋", same, "brand"},
		{"农夫山泉 饮用天然水 550ml*12瓶", "农夫山泉天然水 550ML×12 饮用水", same, "brand"},
		{"飞利浦电动牙刷 HX6806 含3支刷头", "飞利浦 HX6806 声波电动牙刷", same, "brand"},

		{"Apple/苹果 iPhone 15 Pro Max (A3108) 256GB 支持移动联通电信5G 双卡双待手机", "苹果15promax 256g 5G全网通手机", same, "brand"},
		{"小米14 12GB+256GB 黑色 5G手机", "Xiaomi 14 12+256G 黑色 手机", same, "brand"},
		{"帮宝适一级帮拉拉裤L48片", "帮宝适 一级帮 拉拉裤 L 48片", same, "brand"},

		// Something is not said.
		{"iPhone 15 128G 黑色 手机", "iPhone 15 128G 蓝色 手机", likely, "colour_differs"},
		{"Apple iPhone 15 手机", "Apple iPhone 15 128GB 手机", likely, "amount_unsaid"},
		{"美的电热水壶 1.7L", "美的电热水壶 家用", likely, "amount_unsaid"},
		{"316不锈钢保温杯 500ml 膳魔师", "膳魔师 不锈钢保温杯 500ml", likely, "model_unsaid"},
		{"罗技 无线静音鼠标 M330", "无线静音鼠标 M330 办公", likely, "brand_unsaid"},
		{"回力帆布鞋 男女同款 经典小白鞋", "回力 经典小白鞋 帆布鞋", likely, "brand"},
		{"海飞丝洗发水 500ml", "海飞丝 洗发水 500g", likely, "amount_unsaid"},

		// Numbers that differ.
		{"膳魔师保温杯 500ml", "膳魔师保温杯 450ml", similar, "amount_differs"},
		{"维达湿巾 80抽 2包", "维达湿巾 80抽 3包", similar, "count_differs"},
		{"农夫山泉 550ml*12瓶", "农夫山泉 550ml*24瓶", similar, "count_differs"},
		{"农夫山泉 550ml", "农夫山泉 550ml*12瓶", similar, "count_unsaid"},
		{"金龙鱼大米 5kg", "金龙鱼大米 5斤", similar, "amount_differs"},
		{"iPhone 15 128G 手机", "iPhone 15 256G 手机", similar, "amount_differs"},
		{"小米手机 8+128GB", "小米手机 12GB+256GB", similar, "amount_differs"},
		{"爱他美卓萃奶粉 2段 900g", "爱他美卓萃奶粉 3段 900g", similar, "amount_differs"},
		{"南孚电池 5号 12粒", "南孚电池 7号 12粒", similar, "amount_differs"},
		{"清风抽纸 三包装", "清风抽纸 两包装", similar, "count_differs"},
		{"晨光中性笔 0.5mm 30支", "晨光中性笔 0.38mm 30支", similar, "amount_differs"},

		{"帮宝适一级帮拉拉裤L48片", "帮宝适 一级帮 拉拉裤 XL 48片", similar, "amount_differs"},
		{"优衣库 男装 T恤 XL", "优衣库 男装 T恤 L", similar, "amount_differs"},

		// Models and variants that differ.
		{"Apple iPhone 15 128GB", "Apple iPhone 15 Pro 128GB", similar, "variant_differs"},
		{"iPhone 15 Pro Max 256G", "iPhone15Pro 256G", similar, "variant_differs"},
		{"iPhone 14 128G", "iPhone 15 128G", similar, "model_differs"},
		{"索尼 WH-1000XM4 降噪耳机", "索尼 WH-1000XM5 降噪耳机", similar, "model_differs"},
		{"华硕 RTX 4060 显卡", "华硕 RTX4060Ti 显卡", similar, "model_differs"},
		{"不锈钢保温杯 316 500ml", "不锈钢保温杯 304 500ml", similar, "model_differs"},
		{"五常大米 2023新米 10斤", "五常大米 2024新米 10斤", similar, "model_differs"},
		{"迷你保温杯 200ml", "保温杯 200ml", similar, "variant_differs"},

		// Other goods, however alike they sound.
		{"Apple iPhone 15 128GB", "适用于 iPhone 15 手机壳", different, "kind_differs"},
		{"iPhone 15 手机壳", "iPhone 15 钢化膜", different, "kind_differs"},
		{"膳魔师保温杯 500ml", "保温杯刷 适用膳魔师", different, "kind_differs"},
		{"膳魔师保温杯 500ml", "虎牌保温杯 500ml", different, "brand_differs"},
		{"小米手环 智能运动", "华为手环 智能运动", different, "brand_differs"},
		{"Apple iPhone 15 128GB 二手", "Apple iPhone 15 128GB", different, "kind_differs"},
		{"蓝月亮洗衣液 3kg 瓶装", "蓝月亮洗衣液 3kg 补充装", different, "kind_differs"},
		{"美的电热水壶 1.7L", "美的电风扇 落地扇", different, "name_differs"},
		{"儿童水彩笔 48色", "男士纯棉短袖T恤 3件装", different, "name_differs"},
		{"", "美的电热水壶 1.7L", different, "name_differs"},
	} {
		a, b := alike.Read(tt.a), alike.Read(tt.b)
		got := alike.Compare(a, b)
		if got.Verdict != tt.want || len(got.Because) == 0 || string(got.Because[0]) != tt.why {
			t.Errorf("%q\n%q\nare %s for %v, want %s for %s", tt.a, tt.b, got.Verdict, got.Because, tt.want, tt.why)
		}
		if back := alike.Compare(b, a); back.Verdict != got.Verdict || !slices.Equal(back.Because, got.Because) {
			t.Errorf("%q\n%q\nthe other way round they are %s for %v", tt.a, tt.b, back.Verdict, back.Because)
		}
	}
}

// TestAQueryNamesTheGoods: what is searched for elsewhere is brand, model and kind, as
// the title spells them.
func TestAQueryNamesTheGoods(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"蓝月亮洗衣液 薰衣草香 3kg×2瓶":                        "[蓝月亮 洗衣液 薰衣草香|蓝月亮 洗衣液]",
		"Thermos/膳魔师 不锈钢焖烧罐 500毫升":                  "[膳魔师 不锈钢焖烧罐|膳魔师 焖烧罐]",
		"【官方旗舰店】Apple iPhone 15 Pro 128GB 黑色 手机":    "[Apple iPhone 15 Pro 手机]",
		"罗技K380 蓝牙键盘 无线":                            "[罗技 K380 蓝牙键盘|罗技 K380 牙键盘]",
		"适用于 iPhone 15 手机壳":                         "[iPhone 15 手机壳]",
		"<b>特价</b> 保温杯* [点我](http://x.example) 保温杯": "[保温杯 点我|保温杯]",
		"": "[]",
	} {
		if got := "[" + strings.Join(alike.Read(title).Queries(), "|") + "]"; got != want {
			t.Errorf("%q is searched for as %s, want %s", title, got, want)
		}
	}
}

// TestATitleIsAsItself: whatever a title says, it is not other goods than itself, and
// nothing that people write breaks the reading.
func TestATitleIsAsItself(t *testing.T) {
	t.Parallel()
	for _, title := range []string{
		"美的电热水壶 1.7L", "儿童保温杯 带吸管", "保温杯刷 三支", "USB-C 快充数据线 100W 2米 编织", "抽绳垃圾袋 加厚 家用 5卷100只",
		"x", "*12", "3.", "100-", "iphone15promax", "\u202e\ufeff壶水", "http://", "<", "送", "\xff\xfe水壶", "999999999999999999ml水",
	} {
		a := alike.Read(title)
		if got := alike.Compare(a, alike.Read(title)); len([]rune(title)) > 4 && got.Verdict == alike.Different && len(a.Queries()) > 0 {
			t.Errorf("%q and itself: %s", title, fmt.Sprint(got))
		}
	}
}
