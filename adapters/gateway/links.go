package gateway

import (
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"fanli/core/control"
	"fanli/core/fault"
	"fanli/core/link"
)

// Bounds of what is looked up for one request.
const (
	textRunesMax = 4000
	refsMax      = 5
)

// makeLinks answers a text as the chat does: by the same recognition and the same
// desk.
func (a *API) makeLinks(c *call) (any, error) {
	text := c.body.(*LinkRequest).Text
	if strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > textRunesMax {
		return nil, refuse(http.StatusUnprocessableEntity, "api.text", "text")
	}
	refs := slices.DeleteFunc(link.Recognise(text), link.Ref.Bare)
	if len(refs) == 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "api.nothing_found", "text")
	}
	refs = refs[:min(len(refs), refsMax)]
	scopes := []control.Scope{control.ReadOnly}
	for _, r := range refs {
		if r.Network != "" {
			scopes = append(scopes, control.Network(r.Network))
		}
	}
	if err := a.o.Switches.Check(c.ctx(), scopes...); err != nil {
		return nil, err
	}
	links, errs := make([]link.Link, len(refs)), make([]error, len(refs))
	var all sync.WaitGroup
	for i, ref := range refs {
		all.Go(func() { links[i], errs[i] = a.makeLink(c, ref) })
	}
	all.Wait()
	if !slices.ContainsFunc(errs, func(err error) bool { return err == nil }) {
		return nil, errs[0]
	}
	out := Links{Results: []LinkResult{}}
	seen := map[string]bool{}
	for i, l := range links {
		if errs[i] != nil {
			p, _ := a.describe(c.r, errs[i])
			out.Results = append(out.Results, LinkResult{Problem: &p})
			continue
		}
		if goods := l.Network + "/" + l.Item; !seen[goods] {
			seen[goods] = true
			out.Results = append(out.Results, LinkResult{Link: a.linkView(c, l)})
		}
	}
	return out, nil
}

// makeLink makes one link, and survives whatever happens on the way: nobody else
// watches over the goroutine that it runs in.
func (a *API) makeLink(c *call, ref link.Ref) (l link.Link, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, "", "panic: %v\n%s", p, debug.Stack())
		}
	}()
	if ref.Kind == link.Other {
		return l, fault.New(fault.Invalid, "link.kind_unsupported")
	}
	l, err = a.o.Links.Make(c.ctx(), c.user, ref)
	switch reason := fault.ReasonOf(err); {
	case reason == "link.network_off":
		return l, refuse(http.StatusNotFound, "api.network_off", "text")
	case reason == "" && fault.Is(err, fault.NotFound):
		return l, fault.New(fault.NotFound, "offer.not_in_programme")
	default:
		return l, err
	}
}

func (a *API) linkView(c *call, l link.Link) *Link {
	o := l.Offer
	out := &Link{
		ID: l.ID, Network: l.Network, Item: l.Item, Title: o.Title, Shop: o.Shop, Image: o.Image, Price: o.Price, Final: o.Final,
		Rebate: l.Promise.Rebate, Net: link.Quote{Offer: o, Promise: l.Promise}.Net(), URL: l.Made.URL, Token: l.Made.Token,
		Expires: moment(l.Made.Expires), At: moment(l.At),
	}
	if o.Coupon.Amount > 0 {
		out.Coupon = &Coupon{o.Coupon.Amount, o.Coupon.Threshold, moment(o.Coupon.Starts), moment(o.Coupon.Ends)}
	}
	for _, key := range o.Caveats {
		if a.o.Caveat == nil {
			break
		}
		if text, ok := a.o.Caveat(languageOf(c.r), key); ok {
			out.Notes = append(out.Notes, text)
		}
	}
	return out
}
