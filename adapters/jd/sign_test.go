package jd_test

import (
	"net/url"
	"testing"

	"fanli/adapters/jd"
	"fanli/core/link"
)

// TestSign has vectors that were computed apart from this program, by the rule in
// the platform's documentation.
func TestSign(t *testing.T) {
	t.Parallel()
	const keyword = `{"goodsReqDTO":{"keyword":"蓝牙耳机","pageIndex":1,"pageSize":2,"sceneId":1}}`
	tests := []struct {
		name, method, param, value, want string
	}{
		{
			"Promotion", "jd.union.open.promotion.bysubunionid.get", "360buy_param_json",
			`{"promotionCodeReq":{"materialId":"https://item.jd.com/100012043978.html","subUnionId":"tg_10001","positionId":3000000001,"chainType":3,"sceneId":1}}`,
			"CF422360602A1673097A73B6417B2874",
		},
		{
			"Orders", "jd.union.open.order.row.query", "360buy_param_json",
			`{"orderReq":{"pageIndex":1,"pageSize":200,"type":3,"startTime":"2026-01-15 11:00:00","endTime":"2026-01-15 12:00:00","fields":"goodsInfo"}}`,
			"55D892AF923D6AFB7E928406E91A5CA8",
		},
		{"Chinese", "jd.union.open.goods.query", "360buy_param_json", keyword, "18D23C5DE8D35B32D072E2758EC47BAC"},
		{"OldGateway", "jd.union.open.goods.query", "param_json", keyword, "FC5D3AECD8ACD32D3062793A12C5D387"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			params := map[string]string{
				"app_key": appKey, "format": "json", "method": tt.method, "sign_method": "md5",
				"timestamp": "2026-01-15 12:34:56", "v": "1.0", tt.param: tt.value,
			}
			if got := jd.Sign(appSecret, params); got != tt.want {
				t.Errorf("Sign = %s, want %s", got, tt.want)
			}
			params["sign"] = "is not signed itself"
			if got := jd.Sign(appSecret, params); got != tt.want {
				t.Errorf("Sign with a signature = %s, want %s", got, tt.want)
			}
		})
	}
}

// TestWhatIsSent looks at one call as it goes out.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	var sent url.Values
	c := stubbed(t, jd.Config{SubUnionID: true}, func(form url.Values) (int, string) {
		sent = form
		return 200, ""
	})
	o := link.Offer{
		Network: "jd", Material: "https://jingfen.jd.com/detail/y84p6pobjclPUGaTWkuGPUGVieiJ84_3yuxuQBhb1pRF8f6RY.html",
		Coupon: link.CouponOffer{Amount: 1500, URL: "http://coupon.m.jd.com/coupons/show.action?linkKey=AA&to=https%3a%2f%2fitem.jd.com%2F1.html&x=<é>"},
	}
	if _, err := c.Link(t.Context(), o, link.Mark{Tag: "tg_10001", Slot: "3000000001"}); err == nil {
		t.Fatal("an empty answer was taken")
	}
	want := map[string]string{
		"method": "jd.union.open.promotion.bysubunionid.get", "app_key": appKey, "access_token": token, "format": "json", "v": "1.0", "sign_method": "md5",
		"timestamp": "2026-01-15 20:34:56", // Beijing
		"360buy_param_json": `{"promotionCodeReq":{"materialId":"https://jingfen.jd.com/detail/y84p6pobjclPUGaTWkuGPUGVieiJ84_3yuxuQBhb1pRF8f6RY.html",` +
			`"subUnionId":"tg_10001","positionId":3000000001,` +
			`"couponUrl":"http://coupon.m.jd.com/coupons/show.action?linkKey=AA&to=https%3a%2f%2fitem.jd.com%2F1.html&x=<é>","chainType":2,"sceneId":1}}`,
	}
	for name, value := range want {
		if sent.Get(name) != value {
			t.Errorf("%s = %s\nwant %s", name, sent.Get(name), value)
		}
	}
	if got := jd.Sign(appSecret, want); sent.Get("sign") != got {
		t.Errorf("sign = %s, want %s: the very bytes that are sent are signed", sent.Get("sign"), got)
	}
	if len(sent) != len(want)+1 {
		t.Errorf("sent %d parameters, want %d and the signature: %v", len(sent), len(want), sent)
	}
}
