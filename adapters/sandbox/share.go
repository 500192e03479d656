package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"fanli/core/link"
	"fanli/core/market"
)

// A Share is a text that a shop's app, or its web page, gives out for goods.
type Share struct {
	Label   string // what kind it is
	English string
	Text    string
}

// Shares returns what people could paste for goods, the app's own text first. The
// networks open each of them.
func (s *Shop) Shares(g market.Goods) []Share {
	title, _, _ := strings.Cut(g.Title, " ")
	switch s.Name {
	case link.Taobao:
		token, code := g.Aliases[0], digest(g.ID, 15)
		return []Share{
			{"App 分享", "App share", "【淘宝】7天无理由退货 https://e.tb.cn/h." + code + "?tk=" + token + " HU926 「" + g.Title + "」\n点击链接直接打开 或者 淘宝搜索直接打开"},
			{"口令", "Share code", "￥" + token + "￥ " + title + " 复制打开手机淘宝"},
			{"网页链接", "Web link", "https://item.taobao.com/item.htm?id=" + g.ID},
		}
	case link.JD:
		return []Share{
			{"App 分享", "App share", "【京东】https://3.cn/" + g.Aliases[0] + "?jkl=@" + digest(g.ID, 12) + "@ CA8680 「" + g.Title + "」\n点击链接直接打开 或者复制文案打开京东"},
			{"网页链接", "Web link", "https://item.jd.com/" + g.ID + ".html"},
			{"别人的推广链接", "Another promoter’s link", "https://u.jd.com/" + g.Aliases[1]},
		}
	default:
		return []Share{
			{"App 分享", "App share", "【拼多多】我在拼多多发现个好东西 https://mobile.yangkeduo.com/goods2.html?ps=" + g.Aliases[1] + " 「" + title + "」快来一起看"},
			{"网页链接", "Web link", "https://mobile.yangkeduo.com/goods.html?goods_id=" + g.ID},
			{"别人的推广链接", "Another promoter’s link", "https://p.pinduoduo.com/" + g.Aliases[0]},
		}
	}
}

// digest makes n letters and digits that look like a code and depend on text.
func digest(text string, n int) string {
	sum := sha256.Sum256([]byte("share " + text))
	return hex.EncodeToString(sum[:])[:n]
}
