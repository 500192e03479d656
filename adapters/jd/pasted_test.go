package jd_test

import (
	"net/url"
	"testing"

	"fanli/adapters/jd"
	"fanli/adapters/jd/jdfake"
	"fanli/core/link"
)

// TestPastedTexts takes what shoppers paste through recognition to the offer: the
// two halves agree on what a ref is.
func TestPastedTexts(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"ItemPage":     "https://item.jd.com/" + kettle + ".html",
		"InASentence":  "帮我查 item.m.jd.com/product/" + kettle + ".html?utm_source=iosapp&ad_od=share。谢谢",
		"LoudPage":     "HTTPS://ITEM.JD.COM/" + kettle + ".HTML",
		"PageWithTail": "https://wqsitem.jd.com/detail/" + kettle + "_0_0_item.html",
		"UnionPage":    "https://jingfen.jd.com/detail/" + jdfake.ItemID(kettle) + ".html",
		"Share":        "【京东】" + shareShort + "?jkl=@OFzLBAZcuinE@ CA8680 「海尔520升冰箱」\n点击链接直接打开 或者复制文案打开京东",
		"UnionShort":   "【京东】" + unionShort + "「爱他美奶粉」点击链接直接打开",
		"UnionLong":    otherClick,
		"CouponPage":   "领券 https://coupon.m.jd.com/coupons/show.action?key=1&to=" + url.QueryEscape("https://item.jd.com/"+kettle+".html"),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refs := link.Recognise(text)
			if len(refs) != 1 {
				t.Fatalf("%d refs: %+v", len(refs), refs)
			}
			for _, scenes := range [][]int{{1, 2}, {1}} {
				w := open(t, jd.Config{SceneIDs: scenes}, jdfake.Config{NoMainSite: len(scenes) == 1})
				if o := mustOffer(t, w.client, refs[0]); o.SameItem != kettle {
					t.Errorf("scenes %v: %+v is %s, want the kettle", scenes, refs[0], o.SameItem)
				}
			}
		})
	}
}
