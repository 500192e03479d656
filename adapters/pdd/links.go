package pdd

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
)

// wordsRunesMax limits the words of a search; longer titles find nothing more.
const wordsRunesMax = 100

// links is the network's side of a client.
type links struct{ *Client }

// pooled is links of an account with a pool of slots.
type pooled struct{ links }

// Slots returns the pool in the order of the configuration.
func (p pooled) Slots() []string { return slices.Clone(p.cfg.PIDs) }

// Name returns "pdd".
func (links) Name() string { return Name }

// Offer finds the goods behind ref.
func (l links) Offer(ctx context.Context, ref link.Ref) (link.Offer, error) {
	o, err := l.find(ctx, ref)
	if err != nil {
		return link.Offer{}, absent(err)
	}
	o.Source = ref
	return o, nil
}

func (l links) find(ctx context.Context, ref link.Ref) (link.Offer, error) {
	switch ref.Kind {
	case link.Item:
		switch {
		case digits(ref.ID):
			return l.byID(ctx, ref.ID)
		case strings.Contains(ref.ID, "_"), ref.ID != "" && ref.URL == "": // a goods_sign
			return l.bySign(ctx, ref.ID)
		}
		return l.byURL(ctx, ref.URL) // an opaque code of the app's share link
	case link.Short:
		if ref.URL == "" && ref.ID != "" {
			return l.byURL(ctx, "https://p.pinduoduo.com/"+url.PathEscape(ref.ID))
		}
		return l.byURL(ctx, ref.URL)
	case link.Click, link.Coupon, link.Other:
		return l.byURL(ctx, ref.URL)
	default:
		return link.Offer{}, fault.Newf(fault.Invalid, "", "cannot open a %s", ref.Kind)
	}
}

// byID finds goods by the number in their link: the link as words finds just
// them. An account for which it does not may still convert the link.
func (l links) byID(ctx context.Context, id string) (link.Offer, error) {
	u := "https://mobile.yangkeduo.com/goods.html?goods_id=" + id
	o, err := l.only(ctx, map[string]string{"keyword": u}, func(g goods) bool {
		return g.ID == "" || string(g.ID) == id
	})
	if fault.Is(absent(err), fault.NotFound) {
		return l.byURL(ctx, u)
	}
	return o, err
}

func (l links) bySign(ctx context.Context, sign string) (link.Offer, error) {
	return l.only(ctx, map[string]string{"goods_sign_list": list(sign)}, func(g goods) bool { return g.Sign == sign })
}

// byURL makes a link of ours out of any link, and finds what is behind it.
func (l links) byURL(ctx context.Context, u string) (link.Offer, error) {
	if u == "" {
		return link.Offer{}, fault.Newf(fault.Invalid, "", "there is no link to open")
	}
	var made struct {
		Short       string `json:"short_url"`
		MobileShort string `json:"mobile_short_url"`
		URL         string `json:"url"`
	}
	err := l.call(ctx, "pdd.ddk.goods.zs.unit.url.gen", map[string]string{
		"pid": l.cfg.PID, "custom_parameters": l.custom(""), "source_url": u,
	}, "goods_zs_unit_generate_response", &made)
	if err != nil {
		return link.Offer{}, err
	}
	own := firstOf(made.Short, made.MobileShort, made.URL)
	if own == "" {
		return link.Offer{}, fault.Newf(fault.NotFound, "", "the link has no goods")
	}
	return l.only(ctx, map[string]string{"keyword": own}, func(goods) bool { return true })
}

// only searches for one thing. What finds several things, or another, has found
// nothing: an offer is never a guess.
func (l links) only(ctx context.Context, query map[string]string, fits func(goods) bool) (link.Offer, error) {
	query["page"], query["page_size"] = "1", strconv.Itoa(pageRowsMin)
	found, err := l.search(ctx, query)
	if err != nil {
		return link.Offer{}, err
	}
	if len(found) != 1 || !fits(found[0]) {
		return link.Offer{}, fault.Newf(fault.NotFound, "", "found %d goods", len(found))
	}
	return found[0].offer(l.now())
}

// Search finds goods by words. The platform's smallest page is ten, so smaller
// ones are cut from it.
func (l links) Search(ctx context.Context, words string, page, count int) ([]link.Offer, error) {
	if page < 1 || count < 1 || count > pageRowsMax {
		return nil, fault.Newf(fault.Invalid, "", "page %d of %d", page, count)
	}
	if r := []rune(words); len(r) > wordsRunesMax {
		words = string(r[:wordsRunesMax])
	}
	per := (pageRowsMin + count - 1) / count // our pages per page of theirs
	found, err := l.search(ctx, map[string]string{
		"keyword": words, "page": strconv.Itoa((page-1)/per + 1), "page_size": strconv.Itoa(count * per),
	})
	if fault.Is(absent(err), fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	from := min((page-1)%per*count, len(found))
	var offers []link.Offer
	for _, g := range found[from:min(from+count, len(found))] {
		o, err := g.offer(l.now())
		if err != nil {
			continue // one odd row is not worth the others
		}
		offers = append(offers, o)
	}
	return offers, nil
}

func (l links) search(ctx context.Context, query map[string]string) ([]goods, error) {
	query["pid"], query["custom_parameters"] = l.cfg.PID, l.custom("")
	var page struct {
		List   []goods `json:"goods_list"`
		Search string  `json:"search_id"`
	}
	if err := l.call(ctx, "pdd.ddk.goods.search", query, "goods_search_response", &page); err != nil {
		return nil, err
	}
	for i := range page.List {
		page.List[i].Search = firstOf(page.List[i].Search, page.Search)
	}
	return page.List, nil
}

// Link makes a link whose orders carry m.
func (l links) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	made, err := l.generate(ctx, o, m)
	return made, absent(err)
}

func (l links) generate(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	if err := l.travels(m); err != nil {
		return link.Made{}, err
	}
	sign, search, _ := strings.Cut(o.Material, " ")
	if sign == "" {
		sign = o.Item
	}
	params := map[string]string{
		"p_id":                   firstOf(m.Slot, l.cfg.PID),
		"goods_sign_list":        list(sign),
		"custom_parameters":      l.custom(m.Tag),
		"generate_short_url":     "true",
		"generate_authority_url": "false",
	}
	if search != "" {
		params["search_id"] = search
	}
	var made struct {
		List madeLinks `json:"goods_promotion_url_list"`
	}
	err := l.call(ctx, "pdd.ddk.goods.promotion.url.generate", params, "goods_promotion_url_generate_response", &made)
	if err != nil {
		return link.Made{}, err
	}
	return made.List.first()
}

// madeLinks are the links that Pinduoduo has made, each in several forms.
type madeLinks []struct {
	MobileShort string `json:"mobile_short_url"`
	Short       string `json:"short_url"`
	Mobile      string `json:"mobile_url"`
	URL         string `json:"url"`
}

// first is the shortest form of the first link that there is.
func (m madeLinks) first() (link.Made, error) {
	for _, u := range m {
		if s := firstOf(u.MobileShort, u.Short, u.Mobile, u.URL); s != "" {
			return link.Made{URL: s}, nil
		}
	}
	return link.Made{}, fault.Newf(fault.NotFound, "", "no link was made")
}

// travels refuses a mark that would not come back with an order.
func (l links) travels(m link.Mark) error {
	if m.Slot != "" && m.Slot != l.cfg.PID && !slices.Contains(l.cfg.PIDs, m.Slot) {
		return fault.Newf(fault.Invalid, "", "slot %q is not ours", m.Slot)
	}
	if m.Tag != "" && !tagForm.MatchString(m.Tag) || m.Tag == "" && m.Slot == "" {
		return fault.Newf(fault.Invalid, "", "mark %q cannot travel", m.Tag)
	}
	return nil
}

// custom returns custom_parameters for a tag, or for none. The bytes matter: they
// are what was authorised and what comes back.
func (c *Client) custom(tag string) string {
	if tag == "" || c.cfg.Tagging == TagByPID {
		return `{"uid":"` + c.cfg.UID + `"}`
	}
	return `{"uid":"` + c.cfg.UID + `","sid":"` + tag + `"}`
}

// list is the JSON text of an array of one string.
func list(s string) string {
	b, err := json.Marshal([]string{s})
	if err != nil { // strings always marshal
		panic(err)
	}
	return string(b)
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
