package taobao

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/money"
)

// The methods for goods and links. The first three have a variant for service
// providers; see serviceMethod.
const (
	methodConvert = "general.link.convert"
	methodSearch  = "material.optional.upgrade"
	methodDetails = "taobao.tbk.item.info.upgrade.get"
	methodToken   = "taobao.tbk.tpwd.create" //nolint:gosec // makes 口令, not credentials
)

// materialBytesMax bounds what we send on of a pasted link: the longest
// alliance links have some 700 bytes.
const materialBytesMax = 4096

// sceneMainSite is the business scene of pasted main-site links and numeric ids.
const sceneMainSite = "2"

// materialItem is the material type of goods; the others are shops and pages.
const materialItem = "1"

var (
	numericID = regexp.MustCompile(`^[0-9]{5,14}$`)
	itemID    = regexp.MustCompile(`^[A-Za-z0-9]{1,64}(-[A-Za-z0-9]{1,64})?$`)
	tokenBody = regexp.MustCompile(`^[A-Za-z0-9]{8,14}$`)
)

// SameItem returns the part of an item id that is equal in every answer and
// order about the same goods: what stands after the dash, or all of it.
func SameItem(id string) string {
	if i := strings.LastIndexByte(id, '-'); i >= 0 {
		return id[i+1:]
	}
	return id
}

// A subject is what the platform is asked about: goods by id, or a pasted thing
// that it has to open.
type subject struct {
	item     string
	material string
	title    string
}

// subjectOf reads what a ref says in the form that the platform can open. Codes
// are stronger than short links, which it may fail to resolve.
func subjectOf(ref link.Ref) (subject, error) {
	s := subject{title: ref.Title}
	switch {
	case (ref.Kind == link.Item || ref.Kind == link.Coupon) && itemID.MatchString(ref.ID):
		s.item = ref.ID
	case (ref.Kind == link.Token || ref.Kind == link.Short) && tokenBody.MatchString(ref.Token):
		s.material = "￥" + ref.Token + "￥"
	case ref.Kind == link.Token || ref.URL == "" || len(ref.URL) > materialBytesMax:
	case ref.Kind == link.Item || ref.Kind == link.Short || ref.Kind == link.Coupon || ref.Kind == link.Click:
		s.material = ref.URL
	}
	if s.item == "" && s.material == "" {
		return s, fault.Newf(fault.Invalid, reasonKind, "a ref of kind %q", ref.Kind)
	}
	return s, nil
}

// Offer says what Taobao offers for ref now. It makes one call for an item id,
// two for anything that has to be opened first.
func (c *Client) Offer(ctx context.Context, ref link.Ref) (link.Offer, error) {
	const op = "taobao.Offer"
	s, err := subjectOf(ref)
	if err != nil {
		return link.Offer{}, fault.In(op, err)
	}
	var o link.Offer
	if c.cfg.Convert == ConvertSearch {
		o, err = c.offerBySearch(ctx, s)
	} else {
		o, err = c.offerByConversion(ctx, s)
	}
	if err != nil {
		return link.Offer{}, fault.In(op, err)
	}
	o.Source = ref
	return o, nil
}

func (c *Client) offerByConversion(ctx context.Context, s subject) (link.Offer, error) {
	var coupon link.CouponOffer
	id := s.item
	if id == "" {
		e, err := c.convert(ctx, c.cfg.AdzoneIDs[0], s)
		if err != nil {
			return link.Offer{}, err
		}
		id = e.item()
		if kind := text(e.Link.MaterialType); kind != "" && kind != materialItem || !itemID.MatchString(id) {
			return link.Offer{}, fault.Newf(fault.Invalid, reasonPage, "material of type %q", short(kind))
		}
		if coupon, err = e.Coupon.offer(); err != nil {
			return link.Offer{}, fault.Wrap(fault.Unavailable, methodConvert, err)
		}
	}
	o, err := c.details(ctx, id)
	if err != nil {
		return o, err
	}
	o.Material = o.Item
	if coupon.Amount > 0 {
		o.Coupon = coupon
	}
	return o, nil
}

// details asks for goods by id. Goods that are not in the programme are absent
// from the answer.
func (c *Client) details(ctx context.Context, id string) (link.Offer, error) {
	p := map[string]string{"item_id": id, "relation_id": c.cfg.RelationID}
	c.setScene(p, id)
	var a struct {
		Results list `json:"results"`
	}
	if err := c.call(ctx, methodDetails, p, &a); err != nil {
		return link.Offer{}, err
	}
	for _, raw := range a.Results {
		var g goods
		if err := json.Unmarshal(raw, &g); err != nil {
			return link.Offer{}, fault.Wrap(fault.Unavailable, methodDetails, err)
		}
		if in := text(g.InputID); in != "" && in != id {
			continue
		}
		o, err := c.offer(g)
		return o, fault.Wrap(fault.Unavailable, methodDetails, err)
	}
	return link.Offer{}, fault.New(fault.NotFound, reasonNotFound)
}

// setScene marks a call about a pasted numeric id, where the app may ask so.
func (c *Client) setScene(p map[string]string, id string) {
	if c.cfg.MainSite && (id == "" || numericID.MatchString(id)) {
		p["biz_scene_id"] = sceneMainSite
	}
}

// Link makes a link to o in the adzone of m.Slot, and a 口令 for it.
func (c *Client) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	const op = "taobao.Link"
	slot := m.Slot
	if slot == "" {
		slot = c.cfg.AdzoneIDs[0]
	}
	if !slices.Contains(c.cfg.AdzoneIDs, slot) {
		return link.Made{}, fault.In(op, fault.Newf(fault.Invalid, reasonSlot, "slot %q is not in the pool", slot))
	}
	var made link.Made
	var long string // what a 口令 is made of
	if c.cfg.Convert == ConvertSearch {
		g, err := c.find(ctx, o, slot)
		if err != nil {
			return link.Made{}, fault.In(op, err)
		}
		made.URL = g.url()
		long = made.URL
	} else {
		id := o.Material
		if id == "" {
			id = o.Item
		}
		e, err := c.convert(ctx, slot, subject{item: id})
		if err != nil {
			return link.Made{}, fault.In(op, err)
		}
		made, long = e.made()
	}
	if made.URL == "" {
		return link.Made{}, fault.In(op, fault.Newf(fault.NotFound, reasonNotFound, "no link in the answer"))
	}
	if made.Token == "" {
		var err error
		if made.Token, err = c.token(ctx, long, o.Title); err != nil {
			return link.Made{}, fault.In(op, err)
		}
	}
	return made, nil
}

// token makes a 口令 of an alliance link. The long form is the one that every
// phone understands.
func (c *Client) token(ctx context.Context, url, title string) (string, error) {
	if len([]rune(title)) < 5 { // older gateways refuse shorter texts
		title = "淘宝好物推荐"
	}
	var a struct {
		Data struct {
			Simple money.Number `json:"password_simple"`
			Model  money.Number `json:"model"`
		} `json:"data"`
	}
	if err := c.call(ctx, methodToken, map[string]string{"url": url, "text": title}, &a); err != nil {
		return "", err
	}
	for _, t := range []money.Number{a.Data.Model, a.Data.Simple} {
		if t := text(t); t != "" {
			return t, nil
		}
	}
	return "", fault.Newf(fault.Unavailable, "", "%s: no token in the answer", methodToken)
}

// convert asks for the links of one subject in one adzone.
func (c *Client) convert(ctx context.Context, adzone string, s subject) (converted, error) {
	method := c.serviceMethod(methodConvert)
	p := c.mediaParams(adzone)
	p["relation_id"] = c.cfg.RelationID
	c.setScene(p, s.item)
	if s.item != "" {
		p["item_dto"] = jsonText([]map[string]string{{"item_id": s.item}})
		return c.converted(ctx, method, p)
	}
	p["material_dto"] = jsonText(map[string]string{"material_url": s.material})
	e, err := c.converted(ctx, method, p)
	var r refusal
	if errors.As(err, &r) && r.Code == "41" { // some gateways want the list that is documented
		p["material_dto"] = jsonText([]map[string]string{{"material_url": s.material}})
		return c.converted(ctx, method, p)
	}
	return e, err
}

// converted makes the call and returns its only element. An element can fail in
// an answer that succeeds.
func (c *Client) converted(ctx context.Context, method string, p map[string]string) (converted, error) {
	var a struct {
		Data struct {
			Materials list         `json:"material_url_list"`
			Items     list         `json:"item_url_list"`
			Error     money.Number `json:"biz_error_desc"`
			Message   string       `json:"result_msg"`
		} `json:"data"`
	}
	if err := c.call(ctx, method, p, &a); err != nil {
		return converted{}, err
	}
	if elements := append(a.Data.Items, a.Data.Materials...); len(elements) > 0 {
		var e converted
		if err := json.Unmarshal(elements[0], &e); err != nil {
			return e, fault.Wrap(fault.Unavailable, method, err)
		}
		if code := text(e.Code); code != "" && code != "0" && code != "200" {
			return e, c.redacted(refusal{Code: "15", SubCode: money.Number(code), SubMsg: e.Msg}.fault(method))
		}
		return e, nil
	}
	if code := text(a.Data.Error); code != "" && code != "0" {
		return converted{}, c.redacted(refusal{Code: "15", SubCode: money.Number(code), SubMsg: a.Data.Message}.fault(method))
	}
	return converted{}, fault.New(fault.NotFound, reasonNotFound)
}

// jsonText writes a parameter that is JSON. It is used for maps of text and
// numbers, which cannot fail.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
