package alike

import "strings"

// A lexicon is words by their first character, folded as titles are.
type lexicon map[rune][][]rune

func newLexicon(words []string) lexicon {
	out := lexicon{}
	for _, w := range words {
		r := []rune(w)
		out[r[0]] = append(out[r[0]], r)
	}
	return out
}

// The tables, which nobody writes.
var (
	simplified = pairs("適适貓猫電电視视機机殼壳護护裝装紙纸盒盒瓶瓶軟软無无線线藍蓝紅红綠绿銀银黃黄鋼钢鏽锈溫温壺壶蘋苹華华為为榮荣聯联飛飞達达維维" +
		"風风優优潔洁膚肤髮发劑剂膠胶貼贴條条個个雙双塊块罐罐聽听張张層层號号孔孔兒儿嬰婴奶奶麥麦糧粮燈灯爐炉鍋锅鏡镜鞋鞋褲裤襪袜質质寶宝顏颜體体")

	makers, lines = readMakers()
	aliases       = newLexicon(keys(makers))

	conditions = newLexicon(strings.Fields("二手 翻新 官翻 样机 模型 模型机 小样 试用装 体验装 替换装 补充装 替换芯 补充液 空瓶 空盒"))
	tied       = newLexicon(strings.Fields("适用于 适用 兼容 适配 for"))
	given      = newLexicon(strings.Fields("含 送 赠 赠送 附"))
	small      = newLexicon(strings.Fields("迷你 青春版"))

	accessories = newLexicon(strings.Fields(`手机壳 保护壳 保护套 手机套 硅胶套 钢化膜 保护膜 贴膜 镜头膜 水凝膜 数据线 充电线 充电器 充电头 支架 表带
		滤芯 刷头 杯刷 杯套 杯盖 杯垫 键盘膜 收纳包 遥控器 贴纸 挂绳 墨盒 硒鼓 尘袋 边刷 密封圈 耳塞套 耳帽 耳机套 屏幕总成 后盖 卡托 车载架`))

	devices = newLexicon(strings.Fields(`手机 iphone ipad 平板 电脑 笔记本 固态 硬盘 ssd u盘 优盘 内存 内存卡 存储卡 tf卡 sd卡 显卡 主机 5g 全网通 gb tb
		macbook 华为 小米 红米 荣耀 oppo vivo 三星 kindle switch`))

	colours = newLexicon(strings.Fields("黑色 白色 红色 蓝色 绿色 粉色 紫色 金色 银色 灰色 黄色 棕色 橙色 米色 青色"))

	praise = newLexicon(strings.Fields(`官方旗舰店 旗舰店 专卖店 专营店 京东自营 自营 官方 正品 包邮 百亿补贴 国家补贴 限时 特价 秒杀 爆款 新款 新品 热卖 热销 同款 升级款
		plus会员 会员 正版 全新 原装 推荐 店长 工厂 直营 直发 顺丰 现货 速发 今日 到手 券后 立减 满减 优惠 活动 新客 专享 整箱装 整箱 组合装 大包装 家庭装 实惠装 囤货 官网 授权 行货 国行 大陆 全网通 双卡双待 new hot`))

	sizes = map[string]int64{"nb": 1, "xs": 2, "s": 3, "m": 4, "l": 5, "xl": 6, "xxl": 7, "xxxl": 8}

	measures = readUnits()
	unitEnds = ends(measures)
)

func pairs(s string) map[rune]rune {
	r := []rune(s)
	m := make(map[rune]rune, len(r)/2)
	for i := 0; i+1 < len(r); i += 2 {
		m[r[i]] = r[i+1]
	}
	return m
}

func keys(m map[string]string) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// readMakers returns the brands by all names that titles call them by, and which of the
// names are lines of goods, that also say what it is.
func readMakers() (of map[string]string, line map[string]bool) {
	of, line = map[string]string{}, map[string]bool{}
	for _, row := range strings.Split(knownBrands, "\n") {
		names := strings.Split(strings.TrimSpace(row), "|")
		for _, n := range names {
			name, isLine := strings.CutPrefix(n, "+")
			of[name], line[name] = strings.TrimPrefix(names[0], "+"), isLine
		}
	}
	return of, line
}

// knownBrands has one brand a line, with all its names; a name behind a + is a line of
// goods.
const knownBrands = `apple|苹果|+iphone|+ipad|+airpods|+macbook
huawei|华为
xiaomi|小米
redmi|红米
honor|荣耀
samsung|三星
oppo
vivo
realme|真我
oneplus|一加
lenovo|联想|+thinkpad
dell|戴尔
asus|华硕
logitech|罗技
razer|雷蛇
sony|索尼
bose
jbl
漫步者|edifier
anker|安克
绿联|ugreen
倍思|baseus
品胜|pisen
罗马仕|romoss
公牛
闪迪|sandisk
金士顿|kingston
西部数据|wd
nintendo|任天堂
kindle
佳能|canon
尼康|nikon
大疆|dji
美的|midea
海尔|haier
格力|gree
奥克斯|aux
海信|hisense
tcl
创维|skyworth
西门子|siemens
松下|panasonic
飞利浦|philips
博朗|braun
欧乐b|oral-b
戴森|dyson
科沃斯|ecovacs
追觅|dreame
九阳|joyoung
苏泊尔|supor
小熊
飞科|flyco
膳魔师|thermos
虎牌
象印|zojirushi
乐扣乐扣|locknlock
哈尔斯|haers
富光
希诺
得力|deli
晨光文具|晨光|m&g
乐高|lego
nike|耐克
adidas|阿迪达斯
puma|彪马
newbalance|新百伦
李宁|li-ning
安踏|anta
特步
鸿星尔克
匹克
回力|warrior
斯凯奇|skechers
优衣库|uniqlo
南极人
恒源祥
波司登
北极绒
全棉时代|purcotton
水星家纺
罗莱
loreal|欧莱雅
lancome|兰蔻
雅诗兰黛|esteelauder
skii|sk-ii
olay|玉兰油
nivea|妮维雅
珀莱雅|proya
自然堂
百雀羚
薇诺娜
完美日记
资生堂|shiseido
多芬|dove
海飞丝
潘婷|pantene
清扬|clear
舒肤佳|safeguard
高露洁|colgate
佳洁士|crest
云南白药
好来|黑人牙膏
蓝月亮
立白
奥妙|omo
汰渍|tide
超能
威露士
滴露|dettol
维达|vinda
清风
洁柔
心相印
舒洁|kleenex
帮宝适|pampers
好奇|huggies
花王|kao
大王|goo.n
爱他美|aptamil
飞鹤
惠氏
美赞臣
蒙牛
特仑苏
伊利
金典
安慕希
光明
认养一头牛
可口可乐|coca-cola
百事可乐|百事|pepsi
农夫山泉
怡宝
元气森林
康师傅
统一
三只松鼠
良品铺子
百草味
六个核桃
旺旺
乐事|lay's
奥利奥|oreo
雀巢|nestle
星巴克|starbucks
瑞幸
永璞
隅田川
茅台
五粮液
金龙鱼
鲁花
福临门
海天
李锦记
十月稻田
南孚
杜蕾斯|durex
冈本|okamoto`

// readUnits returns the units by how titles write them.
func readUnits() map[string]unit {
	out := map[string]unit{}
	add := func(m measure, factor int64, names string) {
		for _, n := range strings.Fields(names) {
			out[n] = unit{measure: m, factor: factor}
		}
	}
	add(volume, 1, "ml 毫升")
	add(volume, 10, "cl 厘升")
	add(volume, 1000, "l 升")
	add(weight, 1, "mg 毫克")
	add(weight, gram, "g 克")
	add(weight, 1000*gram, "kg 千克 公斤")
	add(weight, 500*gram, "斤")
	add(weight, 50*gram, "两")
	add(storage, 1, "mb")
	add(storage, 1024, "gb")
	add(storage, 1024*1024, "tb t")
	add("mm", 1, "mm 毫米")
	add("mm", 10, "cm 厘米 公分")
	add("mm", 1000, "m 米")
	add(inches, 1, "寸 英寸 吋 inch")
	add("w", 1, "w 瓦")
	add("w", 1000, "kw 千瓦")
	add("v", 1, "v 伏")
	add("mah", 1, "mah 毫安 毫安时")
	add("hz", 1, "hz 赫兹")
	for _, n := range strings.Fields("段 号 抽 张 片 粒 层 代 码 色 度 孔 键 匹 倍 % 克拉 格 位") {
		out[n] = unit{measure: measure(n), factor: 1}
	}
	for _, same := range strings.Fields("包袋 瓶 盒 支枝 只个枚颗 件 条根 卷 箱 桶 套 罐听 双对 块 提 本册 杯 筒 把 组 连") {
		names := []rune(same)
		for _, n := range names {
			out[string(n)] = unit{pack: string(names[0])}
		}
	}
	out["pcs"] = unit{pack: "只"}
	return out
}

// ends are the characters with which units end.
func ends(units map[string]unit) set[rune] {
	out := set[rune]{}
	for w := range units {
		r := []rune(w)
		out[r[len(r)-1]] = true
	}
	return out
}
