package taobao_test

import (
	"maps"
	"testing"

	"fanli/adapters/taobao"
)

// The first vector is the platform's own published example; the others were
// computed by an independent script.
func TestSign(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, secret string
		params       map[string]string
		want         map[string]string
	}{
		{
			name: "Published", secret: "helloworld",
			params: map[string]string{
				"method": "taobao.item.seller.get", "app_key": "12345678", "session": "test",
				"timestamp": "2016-01-01 12:00:00", "format": "json", "v": "2.0",
				"fields": "num_iid,title,nick,price,num", "num_iid": "11223344",
			},
			want: map[string]string{
				taobao.MD5:    "66987CB115214E59E6EC978214934FB8",
				taobao.HMAC:   "D56D7858309C31B6251083A874D48273",
				taobao.SHA256: "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8",
			},
		},
		{
			name: "Orders", secret: "0123456789abcdef0123456789abcdef",
			params: map[string]string{
				"method": "taobao.tbk.order.details.get", "app_key": "30000001", "timestamp": "2026-01-15 10:20:30",
				"format": "json", "v": "2.0", "start_time": "2026-01-15 10:00:00", "end_time": "2026-01-15 10:20:00",
				"order_scene": "1", "query_type": "4", "page_no": "1", "page_size": "100",
			},
			want: map[string]string{
				taobao.MD5:    "04674376C16BB9267FF305728E9C0B82",
				taobao.HMAC:   "290524B0FCC6B342FECDA4E684E5F85A",
				taobao.SHA256: "688DA79D4B6F2B5DEA9F86DA7B8AF2CD2C8214451DB060E5B7B468B0CD6018FA",
			},
		},
		{
			name: "ChineseAndJSON", secret: "0123456789abcdef0123456789abcdef",
			params: map[string]string{
				"method": "taobao.tbk.dg.general.link.convert", "app_key": "30000001", "timestamp": "2026-01-15 10:20:30",
				"format": "json", "v": "2.0", "simplify": "true", "adzone_id": "333333333",
				"material_dto": `[{"material_url":"￥CZ0001 AbCdEfGhIjK￥"}]`,
			},
			want: map[string]string{
				taobao.MD5:    "E7F05F6BD98F92E83CB039397D5267C7",
				taobao.SHA256: "3F14046245D43456A2B74078B23A17B54894B0BD21D3399030E3244D475D3401",
			},
		},
	}
	for _, tt := range tests {
		for method, want := range tt.want {
			t.Run(tt.name+"/"+method, func(t *testing.T) {
				t.Parallel()
				p := maps.Clone(tt.params)
				p["sign_method"] = method
				p["sign"], p["empty"] = "OLD", ""
				if got := taobao.Sign(p, tt.secret, method); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}
