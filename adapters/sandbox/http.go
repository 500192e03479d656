package sandbox

import (
	"net/http"
	"net/url"

	"fanli/core/market"
)

// routes says what is where:
//
//	/fake/taobao, /fake/jd   the networks' gateways
//	/go/pdd/api/router       Pinduoduo's: its gateway and its links share a host
//	/fake/alipay             who pays out and takes money
//	/go/…                    affiliate links, as a shopper's browser opens them
//	/shop, /control          pages for people; see pageRoutes
func (w *World) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, s := range w.shops {
		gateway := s.gateway
		if s.Name == "pdd" {
			mux.Handle("/go/pdd/api/router", gateway)
		} else {
			mux.Handle("/fake/"+s.Name+"/", gateway)
		}
		mux.HandleFunc("/go/"+s.Name+"/", w.open)
	}
	mux.Handle("/fake/alipay/", w.pay)
	w.pageRoutes(mux)
	return mux
}

// saving keeps what a request has changed or given out: a link that a shopper
// has must still open after a restart.
func (w *World) saving(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(rw, r)
		w.Save()
	})
}

// open answers a browser at an affiliate link: it leads into the shop,
// and the shop remembers by which link the shopper came.
func (w *World) open(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(rw, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	made := w.opts.BaseURL + r.URL.RequestURI()
	s, c, ok := w.Click(made)
	if !ok {
		http.NotFound(rw, r)
		return
	}
	http.Redirect(rw, r, w.landing(s, c, made), http.StatusFound) //nolint:gosec // a path of our own, escaped
}

// landing is where a click leads: to goods, or to all goods of the shop.
func (w *World) landing(s *Shop, c market.Click, made string) string {
	if c.Item == "" {
		return "/shop?via=" + url.QueryEscape(made) + "#" + s.Name
	}
	return "/shop/" + s.Name + "/" + c.Item + "?via=" + url.QueryEscape(made)
}

// Handler serves the world. It is mounted at the root of BaseURL and answers the
// paths /fake, /go, /shop and /control.
func (w *World) Handler() http.Handler { return w.saving(w.mux) }
