package sandbox

import (
	"net/http"
	"net/url"
	"regexp"

	"fanli/core/market"
	"fanli/core/money"
)

// An article is goods as the shop shows them.
type article struct {
	market.Goods
	Network string
	Final   money.Fen
	Coupon  bool
	Shares  []Share
	Href    string // of its page
}

func (s *Shop) article(g market.Goods) article {
	return article{Goods: g, Network: s.Name, Final: g.Final(), Coupon: g.Final() < g.Price, Shares: s.Shares(g), Href: "/shop/" + url.PathEscape(s.Name) + "/" + url.PathEscape(g.ID)}
}

// A window is a shop with what it sells.
type window struct {
	*Shop
	English string
	Goods   []article
}

// english are the names of the shops for who does not read Chinese.
var english = map[string]string{"taobao": "Taobao", "jd": "JD", "pdd": "Pinduoduo"}

// windows are all shops. Who came to one by a link to no goods has it still at each item.
func (w *World) windows(via string) (all []window) {
	from, _, _ := w.Click(via)
	for _, s := range w.shops {
		v := window{Shop: s, English: english[s.Name]}
		for _, g := range s.Market.Shelf() {
			a := s.article(g)
			if s == from {
				a.Href += "?via=" + url.QueryEscape(via)
			}
			v.Goods = append(v.Goods, a)
		}
		all = append(all, v)
	}
	return all
}

func (w *World) shopPage(rw http.ResponseWriter, r *http.Request) {
	w.render(rw, http.StatusOK, "shop.html", map[string]any{"Shops": w.windows(r.URL.Query().Get("via")), "Notice": said(r), "At": "shop"})
}

var numberForm = regexp.MustCompile(`^[0-9-]{8,40}$`)

// itemPage shows goods, and lets people buy them. By what link they came is in
// "via" and nowhere to be seen.
func (w *World) itemPage(rw http.ResponseWriter, r *http.Request) {
	s, ok := w.Shop(r.PathValue("network"))
	if !ok {
		w.missing(rw)
		return
	}
	g, ok := s.Market.Goods(r.PathValue("item"))
	if !ok {
		w.missing(rw)
		return
	}
	via := r.URL.Query().Get("via")
	from, _, marked := w.Click(via)
	bought := r.URL.Query().Get("bought")
	if !numberForm.MatchString(bought) {
		bought = ""
	}
	w.render(rw, http.StatusOK, "item.html", map[string]any{
		"Shop": s, "English": english[s.Name], "Goods": s.article(g), "Via": via, "Marked": marked && from == s,
		"Bought": bought, "Notice": said(r), "At": "shop", "Quantities": []int{1, 2, 3, 4, 5},
	})
}

// buyForm orders and pays.
func (w *World) buyForm(rw http.ResponseWriter, r *http.Request) {
	network, item, via := r.PathValue("network"), r.PathValue("item"), r.PostFormValue("via")
	page := "/shop/" + url.PathEscape(network) + "/" + url.PathEscape(item)
	s, ok := w.Shop(network)
	if !ok {
		w.missing(rw)
		return
	}
	n, err := quantity(r.PostFormValue("quantity"))
	if err == nil && via == "" {
		if _, ok := s.Market.Goods(item); !ok {
			w.missing(rw)
			return
		}
		http.Redirect(rw, r, page+"?bought="+w.organic(s)+"#bought", http.StatusSeeOther)
		return
	}
	if via != "" {
		page += "?via=" + url.QueryEscape(via)
	}
	var line market.Line
	if err == nil {
		network, line, err = w.BuyItem(via, item, n)
	}
	if err == nil {
		page = "/shop/orders/" + network + "/" + url.PathEscape(line.ID)
	}
	back(rw, r, page, "paid", err, "")
}

// orderPage shows the shopper an order of theirs.
func (w *World) orderPage(rw http.ResponseWriter, r *http.Request) {
	s, ok := w.Shop(r.PathValue("network"))
	if !ok {
		w.missing(rw)
		return
	}
	l, ok := s.Market.Line(r.PathValue("line"))
	if !ok {
		w.missing(rw)
		return
	}
	w.render(rw, http.StatusOK, "receipt.html", map[string]any{
		"Shop": s, "English": english[s.Name], "Order": w.view(Order{s.Name, l}), "Notice": said(r), "At": "shop",
	})
}

// shopDeed is what a shopper can do to an order without anybody's help.
func (w *World) shopDeed(rw http.ResponseWriter, r *http.Request) {
	network, line, d := r.PathValue("network"), r.PathValue("line"), Deed(r.PathValue("deed"))
	if d != Pay && d != Receive && d != Refund && d != Cancel {
		w.missing(rw)
		return
	}
	err := w.Do(network, line, d, 0)
	back(rw, r, "/shop/orders/"+url.PathEscape(network)+"/"+url.PathEscape(line), "done", err, "")
}
