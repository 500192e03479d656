package sandbox_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"fanli/core/fault"
	"fanli/core/link"
)

// TestPagesLeadToAllGoods makes links to pages by the real adapters, opens them as a
// browser does, and buys something there: the order has the link's mark.
func TestPagesLeadToAllGoods(t *testing.T) {
	t.Parallel()
	st := open(t, "")
	nets := st.networks(t)
	client := *st.srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	get := func(path string) (status int, to, body string) {
		t.Helper()
		r, err := client.Get(path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, r.Header.Get("Location"), string(b)
	}
	for network, address := range map[string]string{
		"taobao": "https://pages.tmall.com/wow/sale", "jd": "https://pro.m.jd.com/mall/active/sale/index.html", "pdd": "5",
	} {
		m := link.Mark{Tag: "tgpage"}
		if network == "taobao" { // whose links carry no tag
			m.Slot = st.Endpoints()[network].Slots[0]
		}
		p, ok := nets[network].(link.Promoter)
		if !ok {
			t.Fatalf("%s makes no links to pages", network)
		}
		made, err := p.Promote(t.Context(), link.Page{Network: network, Name: "会场", Address: address}, m)
		if err != nil {
			t.Errorf("%s: %v", network, err)
			continue
		}
		status, to, _ := get(made.URL)
		if status != http.StatusFound || !strings.HasPrefix(to, "/shop?via=") || !strings.HasSuffix(to, "#"+network) {
			t.Errorf("%s: %s leads to %q (%d)", network, made.URL, to, status)
		}
		shop, _ := st.Shop(network)
		item := shop.Market.Shelf()[0].ID
		if _, _, body := get(st.srv.URL + to); !strings.Contains(body, `href="/shop/`+network+"/"+item+"?via=") || strings.Count(body, "?via=") != len(shop.Market.Shelf()) {
			t.Errorf("%s: the mark is lost on the page", network)
		}
		_, l, err := st.BuyItem(made.URL, item, 1)
		if err != nil || l.Goods.ID != item || network == "taobao" && l.Click.Slot != m.Slot || network != "taobao" && !strings.Contains(l.Click.Tag, m.Tag) {
			t.Errorf("%s: %v, bought %s by %+v", network, err, l.Goods.ID, l.Click)
		}
		if _, _, err := st.Buy(made.URL, 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: bought nothing in particular: %v", network, err)
		}
		for _, other := range []link.Page{{Network: network, Address: "https://example.com/"}, {Network: "other", Address: address}} {
			if made, err := p.Promote(t.Context(), other, m); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s promotes %+v: %+v, %v", network, other, made, err)
			}
		}
	}
}
