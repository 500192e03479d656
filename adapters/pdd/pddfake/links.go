package pddfake

import (
	"crypto/sha256"
	"encoding/json"
	"html"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fanli/core/fault"
	"fanli/core/market"
)

// nestingMax is how deep a link inside a link is followed.
const nestingMax = 3

// codeLength is the length of a short link's code.
const codeLength = 8

// convert is zs.unit.url.gen: any link becomes one of ours.
func (s *Server) convert(p params) (answer, *refusal) {
	if no := s.position(p["pid"], p["custom_parameters"]); no != nil {
		return answer{}, no
	}
	g, ok := s.behind(p["source_url"], 0)
	if !ok || g.Unlisted {
		return answer{}, &refusal{code: 50001, sub: 50010, text: "该链接不支持转链"} // sub_code is a number at times
	}
	u := s.urls(market.Click{Item: g.ID, Tag: p["custom_parameters"], Slot: p["pid"]})
	return answer{"goods_zs_unit_generate_response", map[string]any{
		"url": u.long, "short_url": u.short, "mobile_url": u.long, "mobile_short_url": u.short,
		"multi_group_url": u.long, "multi_group_short_url": u.short, "schema_url": nil, "weixin_short_link": nil,
	}}, nil
}

// generate is promotion.url.generate: a link to goods, with the caller's mark.
func (s *Server) generate(p params) (answer, *refusal) {
	authority := p["generate_authority_url"] == "true"
	if no := s.position(p["p_id"], p["custom_parameters"]); no != nil && (no.code != 50001 || !authority) {
		return answer{}, no
	}
	var signs []string
	if err := json.Unmarshal([]byte(p["goods_sign_list"]), &signs); err != nil || len(signs) != 1 {
		return answer{}, refuse(10000, "参数错误:goods_sign_list")
	}
	g, ok := s.bySign(signs[0])
	if !ok || g.Unlisted {
		return answer{}, refuse(50001, "该商品不在推广中")
	}
	u := s.urls(market.Click{Item: g.ID, Tag: p["custom_parameters"], Slot: p["p_id"]})
	item := map[string]any{"url": u.long, "mobile_url": u.long, "schema_url": nil, "weixin_code": nil, "we_app_info": nil}
	if p["generate_short_url"] == "true" {
		item["short_url"], item["mobile_short_url"] = u.short, u.short
	}
	return answer{"goods_promotion_url_generate_response", map[string]any{"goods_promotion_url_list": []any{item}}}, nil
}

// channels are the channel_types of pages that rp.prom.url.generate knows beside that of
// the authorisation.
var channels = []string{"0", "1", "2", "3", "5", "12", "14", "15", "16", "17", "23"}

// promotionPage is rp.prom.url.generate: the authorisation page, or one of Pinduoduo's
// own pages with the caller's mark.
func (s *Server) promotionPage(p params) (answer, *refusal) {
	var pids []string
	if err := json.Unmarshal([]byte(p["p_id_list"]), &pids); err != nil || len(pids) != 1 || !slices.Contains(s.cfg.PIDs, pids[0]) {
		return answer{}, refuse(10000, "参数错误:p_id_list")
	}
	if slices.Contains(channels, p["channel_type"]) {
		return s.channelPage(p, pids[0])
	}
	if p["channel_type"] != "10" {
		return answer{}, refuse(10000, "参数错误:channel_type")
	}
	u := s.cfg.BaseURL + "/authority?" + url.Values{"pid": {pids[0]}, "customParameters": {p["custom_parameters"]}}.Encode()
	return answer{"rp_promotion_url_generate_response", map[string]any{
		"url_list": []any{map[string]any{"url": u, "mobile_url": u, "we_app_info": nil}}, "resource_list": []any{},
	}}, nil
}

// channelPage links to a page on which all goods are.
func (s *Server) channelPage(p params, pid string) (answer, *refusal) {
	if no := s.position(pid, p["custom_parameters"]); no != nil {
		return answer{}, no
	}
	u := s.urls(market.Click{Tag: p["custom_parameters"], Slot: pid}).short
	item := map[string]any{"url": u, "mobile_url": u, "we_app_info": nil}
	if p["generate_short_url"] == "true" {
		item["short_url"], item["mobile_short_url"] = u, u
	}
	return answer{"rp_promotion_url_generate_response", map[string]any{"url_list": []any{item}, "resource_list": []any{}}}, nil
}

func (s *Server) authorityQuery(p params) (answer, *refusal) {
	bind := 1
	if no := s.position(p["pid"], p["custom_parameters"]); no != nil {
		if no.code != 50001 {
			return answer{}, no
		}
		bind = 0
	}
	return answer{"authority_query_response", map[string]any{"bind": bind}}, nil
}

// authority is the page on which a person authorises a pid.
func (s *Server) authority(w http.ResponseWriter, r *http.Request) {
	pid := r.URL.Query().Get("pid")
	if !slices.Contains(s.cfg.PIDs, pid) {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	s.authorised[pid] = true
	s.mu.Unlock()
	_, _ = io.WriteString(w, "备案成功")
}

// made are the two forms of an affiliate link.
type made struct{ short, long string }

// urls makes and remembers the links of a click; equal clicks have equal links.
func (s *Server) urls(c market.Click) made {
	sum := sha256.Sum256([]byte(c.Item + "\x00" + c.Tag + "\x00" + c.Slot))
	code := new(big.Int).SetBytes(sum[:]).Text(62)
	code = code[len(code)-codeLength:]
	s.mu.Lock()
	s.made[code] = c
	s.mu.Unlock()
	q := url.Values{"goods_sign": {Sign(c.Item)}, "pid": {c.Slot}, "customParameters": {c.Tag}, "cpsSign": {"CC_" + code}, "duoduo_type": {"2"}}
	if allDigits(c.Item) {
		q.Set("goods_id", c.Item)
	}
	return made{s.cfg.BaseURL + "/" + code, s.cfg.BaseURL + "/duo_coupon_landing.html?" + q.Encode()}
}

// Save returns the short links that were made, for Load after a restart.
func (s *Server) Save() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := json.Marshal(s.made)
	if err != nil { // plain strings
		panic(err)
	}
	return b
}

// Load adds short links that Save gave out.
func (s *Server) Load(b []byte) error {
	var m map[string]market.Click
	if err := json.Unmarshal(b, &m); err != nil {
		return fault.Wrap(fault.Invalid, "pddfake.Load", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.made, m)
	return nil
}

// click reads a link that we made, in either form.
func (s *Server) click(text string) (market.Click, bool) {
	rest, ours := strings.CutPrefix(text, s.cfg.BaseURL+"/")
	u, err := url.Parse(text)
	if !ours || err != nil {
		return market.Click{}, false
	}
	if strings.HasPrefix(rest, "duo_coupon_landing.html?") {
		return s.longClick(u.Query())
	}
	code, _, _ := strings.Cut(rest, "?")
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.made[code]
	return c, ok
}

// longClick reads the query of a landing page.
func (s *Server) longClick(q url.Values) (market.Click, bool) {
	g, ok := s.bySign(q.Get("goods_sign"))
	return market.Click{Item: g.ID, Tag: q.Get("customParameters"), Slot: q.Get("pid")}, ok
}

// behind finds the goods behind any link of the shop: a goods page, the app's
// share link, a promoter's short or long link, one link inside another.
func (s *Server) behind(text string, depth int) (market.Goods, bool) {
	if g, ok := s.market.Goods(text); ok {
		return g, true
	}
	if c, ok := s.click(text); ok {
		return s.market.Goods(c.Item)
	}
	u, err := url.Parse(text)
	if err != nil || depth > nestingMax {
		return market.Goods{}, false
	}
	q := u.Query()
	if g, ok := s.bySign(q.Get("goods_sign")); ok {
		return g, true
	}
	for _, key := range []string{q.Get("goods_id"), q.Get("ps"), strings.Trim(u.Path, "/")} {
		if g, ok := s.market.Goods(key); ok && key != "" {
			return g, true
		}
	}
	for _, key := range []string{"launch_url", "from", "url"} {
		if inner := q.Get(key); inner != "" {
			return s.behind(inner, depth+1)
		}
	}
	return market.Goods{}, false
}

// short answers a browser at a short link.
func (s *Server) short(w http.ResponseWriter, r *http.Request) {
	c, ok := s.click(s.cfg.BaseURL + "/" + r.PathValue("code"))
	s.land(w, r, c, ok)
}

// landing answers a browser at the long form.
func (s *Server) landing(w http.ResponseWriter, r *http.Request) {
	c, ok := s.longClick(r.URL.Query())
	s.land(w, r, c, ok)
}

func (s *Server) land(w http.ResponseWriter, r *http.Request, c market.Click, ok bool) {
	g, known := s.market.Goods(c.Item)
	switch {
	case !ok || !known:
		http.NotFound(w, r)
	case s.cfg.Land != nil:
		s.cfg.Land(w, r, c)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>"+html.EscapeString(g.Title)+"</title><h1>"+html.EscapeString(g.Title)+"</h1>")
	}
}
