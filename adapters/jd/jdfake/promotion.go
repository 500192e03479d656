package jdfake

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"fanli/core/market"
)

// longPath is the path of links that carry everything themselves.
const longPath = "/jdc"

// The kinds of what a caller may name.
const (
	kindSku   = "sku"
	kindItem  = "item"
	kindUnion = "union" // a link of the union's
	kindShort = "short" // an ordinary short link
	kindHome  = "home"
	kindPage  = "page" // an activity: without goods, and allowed
)

// A spot is what was named.
type spot struct {
	kind  string
	goods market.Goods
}

var (
	numeric  = regexp.MustCompile(`^[0-9]{1,18}$`)
	stemmed  = regexp.MustCompile(`^[A-Za-z0-9]{16,}_[A-Za-z0-9]{16,}$`)
	skuPath  = regexp.MustCompile(`(?i)^/(?:product/|detail/)?([0-9]{1,18})(?:_[^/]*)?\.html$`)
	itemPath = regexp.MustCompile(`(?i)^/detail/([^/]+)\.html$`)
	tagForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{0,80}$`)
)

// open finds out what a material, an id or a link names. It is not ok for text.
func (s *Server) open(material string) (spot, bool) {
	switch {
	case numeric.MatchString(material):
		return s.byID(kindSku, material)
	case stemmed.MatchString(material):
		return s.byItem(material)
	}
	u, err := url.Parse(material)
	if err != nil || u.Host == "" {
		return spot{}, false
	}
	base, _ := url.Parse(s.cfg.BaseURL)
	host := strings.ToLower(u.Host)
	switch {
	case base != nil && host == base.Host || host == "u.jd.com" || host == "union-click.jd.com":
		return s.byLink(material, u)
	case host == "3.cn" || host == "3.jd.com":
		return s.byAlias(kindShort, material, u)
	case host != "jd.com" && !strings.HasSuffix(host, ".jd.com") && !strings.HasSuffix(host, ".jd.hk"):
		return spot{}, false
	case (host == "www.jd.com" || host == "jd.com" || host == "m.jd.com") && strings.Trim(u.Path, "/") == "":
		return spot{kind: kindHome}, true
	case strings.HasPrefix(host, "pro.m."):
		return spot{kind: kindPage}, true
	}
	if m := skuPath.FindStringSubmatch(u.Path); m != nil {
		return s.byID(kindSku, m[1])
	}
	if m := itemPath.FindStringSubmatch(u.Path); m != nil && host == "jingfen.jd.com" {
		return s.byItem(m[1])
	}
	return s.byAlias(kindShort, material, u)
}

func (s *Server) byID(kind, id string) (spot, bool) {
	g, ok := s.market.Goods(id)
	return spot{kind, g}, ok
}

// byItem finds goods by the first half of an itemId: the second may rotate.
func (s *Server) byItem(item string) (spot, bool) {
	stem, _, _ := strings.Cut(item, "_")
	for _, g := range s.market.Shelf() {
		if itemStem(g.ID) == stem {
			return spot{kindItem, g}, true
		}
	}
	return spot{}, false
}

// byLink opens a link of ours, else of another promoter.
func (s *Server) byLink(link string, u *url.URL) (spot, bool) {
	if c, ok := s.Click(link); ok {
		if c.Item == "" {
			return spot{kind: kindPage}, true
		}
		return s.byID(kindUnion, c.Item)
	}
	return s.byAlias(kindUnion, link, u)
}

// byAlias finds goods by a whole link, else by its last part.
func (s *Server) byAlias(kind, link string, u *url.URL) (spot, bool) {
	if at, ok := s.byID(kind, link); ok {
		return at, ok
	}
	return s.byID(kind, lastPart(u.Path))
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// promotionParams are the parameters of all three methods.
type promotionParams struct {
	Req struct {
		MaterialID string `json:"materialId"`
		SiteID     string `json:"siteId"`
		UnionID    int64  `json:"unionId"`
		Key        string `json:"key"`
		SubUnionID string `json:"subUnionId"`
		PositionID int64  `json:"positionId"`
		PID        string `json:"pid"`
		CouponURL  string `json:"couponUrl"`
		ChainType  int    `json:"chainType"`
		Command    int    `json:"command"`
		SceneID    int    `json:"sceneId"`
	} `json:"promotionCodeReq"`
}

func (s *Server) promotionChat(raw json.RawMessage) (reply, *refusal) {
	return s.promote(raw, func(promotionParams) *refusal { return nil })
}

func (s *Server) promotionSite(raw json.RawMessage) (reply, *refusal) {
	return s.promote(raw, func(p promotionParams) *refusal {
		if p.Req.SiteID == "" {
			return &refusal{2001610, "siteId不能为空"}
		}
		return nil
	})
}

func (s *Server) promotionVendor(raw json.RawMessage) (reply, *refusal) {
	return s.promote(raw, func(p promotionParams) *refusal {
		if p.Req.UnionID == 0 || p.Req.Key == "" {
			return &refusal{2001201, "unionId不正确"}
		}
		return nil
	})
}

// promote makes a link, after what the method demands of its own.
func (s *Server) promote(raw json.RawMessage, own func(promotionParams) *refusal) (reply, *refusal) {
	var p promotionParams
	if err := json.Unmarshal(raw, &p); err != nil || p.Req.MaterialID == "" {
		return reply{}, &refusal{2001212, "参数错误"}
	}
	if no := own(p); no != nil {
		return reply{}, no
	}
	q := p.Req
	switch {
	case !tagForm.MatchString(q.SubUnionID):
		return reply{}, &refusal{2001208, "subUnionId格式不正确"}
	case q.PID != "" && q.SubUnionID != "":
		return reply{}, &refusal{2001214, "pid和subUnionId不能同时传入"}
	case q.PID != "" && strings.Count(q.PID, "_") != 2:
		return reply{}, &refusal{2001213, "pid不正确"}
	}
	at, no := s.material(q.MaterialID)
	if no == nil && q.CouponURL != "" {
		no = s.takeCoupon(q.CouponURL, at)
	}
	if no != nil {
		return reply{}, no
	}
	c := market.Click{Item: at.goods.ID, Tag: q.SubUnionID}
	if q.PositionID > 0 {
		c.Slot = strconv.FormatInt(q.PositionID, 10)
	}
	data := map[string]any{}
	if q.SiteID != "" || q.ChainType == 1 || q.ChainType == 3 {
		data["clickURL"] = s.makeLong(c)
	}
	if q.SiteID == "" && q.ChainType != 1 {
		data["shortURL"] = s.makeShort(c)
	}
	if q.Command == 1 {
		data["jCommand"] = "6.0复制整段话 http://" + letters("long"+c.Item+c.Tag, 14) + "京口令内容#" + letters("jk"+c.Item+c.Tag, 13)
		data["jShortCommand"] = "￥" + letters("short"+c.Item+c.Tag, 14) + "￥"
	}
	return reply{data: data}, nil
}

// material judges what a link shall lead to.
func (s *Server) material(id string) (spot, *refusal) {
	if !strings.Contains(id, "://") && !stemmed.MatchString(id) {
		return spot{}, &refusal{2001101, "materialId格式不正确"}
	}
	at, ok := s.open(id)
	switch {
	case !ok:
		return spot{}, &refusal{2001102, "链接无法识别"}
	case at.kind == kindSku && s.cfg.NoNumeric:
		return spot{}, &refusal{2001101, "根据联盟政策要求，不允许数字id转链，请使用新商品id"}
	case at.kind == kindHome:
		return spot{}, &refusal{2001105, "不支持首页链接"}
	case at.goods.Unlisted:
		return spot{}, &refusal{2001104, "商品不在推广中"}
	}
	return at, nil
}

// takeCoupon judges a coupon that shall go with a link.
func (s *Server) takeCoupon(link string, at spot) *refusal {
	g, ok := s.couponGoods(link)
	switch {
	case s.cfg.NoCoupons:
		return &refusal{2001701, "无二合一转链权限"}
	case ok && g.ID != at.goods.ID:
		return &refusal{2001917, "优惠券与商品不匹配"}
	case !ok && at.goods.Coupon <= 0:
		return &refusal{2001906, "优惠券已过期"}
	case !ok:
		return &refusal{2001905, "优惠券无效"}
	}
	return nil
}

// makeShort makes a link of seven letters, the same for the same click.
func (s *Server) makeShort(c market.Click) string {
	code := letters(c.Item+"|"+c.Tag+"|"+c.Slot, 7)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[code] = c
	return s.cfg.BaseURL + "/" + code
}

// makeLong makes a link that carries the click itself.
func (s *Server) makeLong(c market.Click) string {
	b, _ := json.Marshal(c) // plain data
	base := s.cfg.BaseURL
	if base == "https://u.jd.com" {
		base = "https://union-click.jd.com"
	}
	return base + longPath + "?e=618%7Cpc%7C&p=" + base64.RawURLEncoding.EncodeToString(b)
}

// openLong reads what makeLong wrote.
func (s *Server) openLong(p string) (c market.Click, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(p)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return market.Click{}, false
	}
	return c, true
}
