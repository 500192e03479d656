package jd

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
)

// The methods that make links. Which of them is ours depends on the account.
const (
	methodChat   = "jd.union.open.promotion.bysubunionid.get" // chat accounts
	methodSite   = "jd.union.open.promotion.common.get"       // web sites and apps
	methodVendor = "jd.union.open.promotion.byunionid.get"    // tool vendors, for a promoter
)

// shortLife is how long a u.jd.com link lives. Long links do not end.
const shortLife = 60 * 24 * time.Hour

// chainShort asks for a short link.
const chainShort = 2

// tagForm is what JD takes as subUnionId.
var tagForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// promotion is what a link is made from.
type promotion struct {
	MaterialID string `json:"materialId"`
	SubUnionID string `json:"subUnionId,omitempty"`
	PositionID int64  `json:"positionId,omitempty"`
	CouponURL  string `json:"couponUrl,omitempty"`
	SiteID     string `json:"siteId,omitempty"`
	UnionID    int64  `json:"unionId,omitempty"`
	Key        string `json:"key,omitempty"`
	ChainType  int    `json:"chainType,omitempty"`
	Command    int    `json:"command,omitempty"`
	SceneID    int    `json:"sceneId,omitempty"`
}

// promoted is a link as JD made it; absent members are empty.
type promoted struct {
	Short        text `json:"shortURL"`
	Long         text `json:"clickURL"`
	Command      text `json:"jCommand"`
	ShortCommand text `json:"jShortCommand"`
}

// best is the link to hand out.
func (p promoted) best() string {
	if p.Short != "" {
		return string(p.Short)
	}
	return string(p.Long)
}

// Link makes a link to o whose orders come back with m. If JD does not take the
// offer's coupon (it may have run out since, or the account may not make links
// with coupons), the link leads to the goods alone, where coupons can be taken
// as well.
func (c *Client) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	req, err := c.wish(o, m)
	if err != nil {
		return link.Made{}, err
	}
	p, err := c.promote(ctx, req)
	if req.CouponURL != "" && refusedWith(err, codeNoCouponLink, codeCouponBad, codeCouponPast, codeCouponOther) {
		req.CouponURL = ""
		p, err = c.promote(ctx, req)
	}
	if refusedWith(err, codeMaterialForm, codeMaterial) {
		if req.MaterialID, err = c.union(ctx, req.MaterialID, err); err == nil {
			p, err = c.promote(ctx, req)
		}
	}
	if err != nil {
		return link.Made{}, err
	}
	return c.handed(p), nil
}

// handed is what people get of a link.
func (c *Client) handed(p promoted) link.Made {
	made := link.Made{URL: p.best(), Token: string(p.ShortCommand)}
	if made.Token == "" {
		made.Token = string(p.Command)
	}
	if p.Short != "" {
		made.Expires = c.now().Add(shortLife)
	}
	return made
}

// wish says what link is wanted.
func (c *Client) wish(o link.Offer, m link.Mark) (promotion, error) {
	req := promotion{MaterialID: o.Material, SubUnionID: m.Tag, CouponURL: o.Coupon.URL, SceneID: sceneUnion}
	if _, ok := page(o.Material); !ok || o.Network != Name {
		return req, fault.Newf(fault.Invalid, reasonUnreadable, "jd: not an offer of ours")
	}
	return c.marked(req, m)
}

// marked puts the mark on a wish, in the way in which the account gets it back.
func (c *Client) marked(req promotion, m link.Mark) (promotion, error) {
	if !tagForm.MatchString(m.Tag) {
		return req, fault.Newf(fault.Invalid, "", "jd: tag %.40q", m.Tag)
	}
	if m.Slot != "" {
		id, err := strconv.ParseInt(m.Slot, 10, 64)
		if err != nil || id <= 0 {
			return req, fault.Newf(fault.Invalid, "", "jd: slot %.40q is not a position", m.Slot)
		}
		req.PositionID = id
	}
	if m.Slot == "" && len(c.cfg.PositionIDs) > 0 && !c.cfg.SubUnionID {
		return req, fault.Newf(fault.Invalid, "", "jd: without a slot, the order of tag %s would come back without a mark", m.Tag)
	}
	if !slices.Contains(c.cfg.SceneIDs, sceneUnion) {
		req.SceneID = sceneMainSite
	}
	return req, nil
}

// promote makes a link by the method that the account has.
func (c *Client) promote(ctx context.Context, req promotion) (promoted, error) {
	method := methodChat
	switch {
	case c.cfg.UnionID != 0:
		method, req.UnionID, req.Key = methodVendor, c.cfg.UnionID, c.cfg.AuthKey
	case c.cfg.SiteID != 0:
		method, req.SiteID = methodSite, strconv.FormatInt(c.cfg.SiteID, 10)
	}
	if method != methodSite {
		req.ChainType = chainShort
	}
	if c.cfg.Command {
		req.Command = 1
	}
	a, err := c.call(ctx, method, map[string]promotion{"promotionCodeReq": req})
	if err != nil {
		return promoted{}, err
	}
	p, err := readPromoted(a.data)
	if err != nil {
		return promoted{}, c.garbled(method, err)
	}
	if u, err := url.Parse(p.best()); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return promoted{}, fault.Newf(fault.Unavailable, "", "%s: no link in the answer", method)
	}
	return p, nil
}

// readPromoted reads the data, which may stand in a wrapper.
func readPromoted(data json.RawMessage) (p promoted, err error) {
	raws, err := list(bytes.TrimSpace(data))
	if err != nil || len(raws) == 0 {
		return p, err
	}
	err = json.Unmarshal(raws[0], &p)
	return p, err
}

// union replaces a page that is named by a sku by the one that is named by the
// goods' itemId: accounts of media have had to use that since 2024. It returns
// refused where there is none.
func (c *Client) union(ctx context.Context, material string, refused error) (string, error) {
	t, err := aimAt(material)
	if err != nil || t.sku == "" {
		return "", refused
	}
	n, err := strconv.ParseInt(t.sku, 10, 64)
	if err != nil {
		return "", refused
	}
	item, err := c.itemID(ctx, n)
	if err != nil {
		return "", refused
	}
	return "https://jingfen.jd.com/detail/" + item + ".html", nil
}
