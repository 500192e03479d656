package taobao

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
)

// searchCountMax is the most offers that one search may ask for; the platform's
// limit.
const searchCountMax = 100

// titleResultsMax is how many results are looked through for a title.
const titleResultsMax = 20

// Search finds goods by words, in the platform's order of relevance.
func (c *Client) Search(ctx context.Context, words string, page, count int) ([]link.Offer, error) {
	const op = "taobao.Search"
	found, err := c.search(ctx, map[string]string{"q": words}, c.cfg.AdzoneIDs[0], page, count)
	if err != nil {
		return nil, fault.In(op, err)
	}
	var offers []link.Offer
	for _, g := range found {
		o, err := c.offer(g)
		if err != nil || len(offers) == count { // an odd row does not hide the others
			continue
		}
		o.Material = o.Item
		if c.cfg.Convert == ConvertSearch {
			o.Material = o.Title
		}
		o.Source = link.Ref{Network: link.Taobao, Kind: link.Item, ID: o.Item, Title: o.Title}
		offers = append(offers, o)
	}
	return offers, nil
}

// search asks the material search; no result is no error.
func (c *Client) search(ctx context.Context, query map[string]string, adzone string, page, count int) ([]goods, error) {
	method := c.serviceMethod(methodSearch)
	p := c.mediaParams(adzone)
	for k, v := range query {
		p[k] = v
	}
	p["relation_id"] = c.cfg.RelationID
	p["page_no"] = strconv.Itoa(max(page, 1))
	p["page_size"] = strconv.Itoa(min(max(count, 1), searchCountMax))
	var a struct {
		Results list `json:"result_list"`
	}
	err := c.call(ctx, method, p, &a)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	var out []goods
	for _, raw := range a.Results {
		var g goods
		if json.Unmarshal(raw, &g) == nil {
			out = append(out, g)
		}
	}
	return out, err
}

// offerBySearch finds goods without the conversion methods: by the page of a
// numeric id, or by the title that came with what was pasted. A title counts
// only if exactly one result has it.
func (c *Client) offerBySearch(ctx context.Context, s subject) (link.Offer, error) {
	query := s.title
	byPage := c.cfg.MainSite && numericID.MatchString(s.item)
	if byPage {
		query = "https://item.taobao.com/item.htm?id=" + s.item
	}
	if query == "" {
		return link.Offer{}, fault.Newf(fault.Invalid, reasonKind, "search needs a title or a numeric id")
	}
	found, err := c.search(ctx, c.query(query), c.cfg.AdzoneIDs[0], 1, titleResultsMax)
	if err != nil {
		return link.Offer{}, err
	}
	if !byPage {
		found = slices.DeleteFunc(found, func(g goods) bool {
			return strings.TrimSpace(string(g.Basic.Title)) != strings.TrimSpace(s.title)
		})
	}
	if len(found) != 1 {
		return link.Offer{}, fault.Newf(fault.NotFound, reasonNotFound, "%d results", len(found))
	}
	o, err := c.offer(found[0])
	o.Material = query
	return o, fault.Wrap(fault.Unavailable, methodSearch, err)
}

// query is a search for one thing, which is withheld without the scene where the
// app may name it.
func (c *Client) query(q string) map[string]string {
	p := map[string]string{"q": q}
	c.setScene(p, "")
	return p
}

// find searches for o again in another adzone: the links of a search belong to
// the adzone that it names.
func (c *Client) find(ctx context.Context, o link.Offer, adzone string) (goods, error) {
	found, err := c.search(ctx, c.query(o.Material), adzone, 1, searchCountMax)
	if err != nil {
		return goods{}, err
	}
	for _, g := range found {
		if SameItem(text(g.ItemID)) == o.ItemKey() {
			return g, nil
		}
	}
	return goods{}, fault.New(fault.NotFound, reasonNotFound)
}
