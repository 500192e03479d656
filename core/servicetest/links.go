package servicetest

import (
	"testing"

	"fanli/core/fault"
	"fanli/core/link"
)

// A LinkWorld is a link.Service under test that only carries questions on.
type LinkWorld struct {
	Clock
	Service link.Service
	// Answer says what the other end answers from now on.
	Answer func(l link.Link, err error)
	// Asked returns what has come to the other end last.
	Asked func() (user int64, ref link.Ref)
}

// Links checks that a link.Service that carries questions on does so to the last
// field.
func Links(t *testing.T, open func(t *testing.T) LinkWorld) {
	t.Helper()
	run(t, open, story[LinkWorld]{"LinksAreToldToTheLastField", linksTold})
}

// someLink returns a link with all that one can have.
func someLink(w Clock) link.Link {
	now := w.Now()
	ref := link.Ref{Network: link.JD, Kind: link.Item, ID: "1", Token: "￥abc￥", URL: "https://item.jd.com/1.html", Title: "保温杯 ☕"}
	return link.Link{
		ID: 9, User: 7, Network: link.JD, Item: "same", Title: "保温杯 ☕", Mark: link.Mark{Tag: "ftag", Slot: "slot"},
		Made: link.Made{URL: "https://u.jd.com/x", Token: "￥def￥", Expires: now.AddDate(0, 0, 30)},
		Offer: link.Offer{
			Network: link.JD, Item: "1", SameItem: "same", Title: "保温杯 ☕", Shop: "旗舰店", Image: "https://img.example/1.png", Category: "厨具",
			Price: 9900, Coupon: link.CouponOffer{Amount: 1000, Threshold: 5000, Starts: now.AddDate(0, 0, -1), Ends: now.AddDate(0, 0, 1), Left: 3, URL: "https://coupon.example/?a=b&c"},
			Final: 8900, Rate: 1500, Commission: 1200, Source: ref, Material: "material", Caveats: []string{"offer.plus_rate_lower"}, At: now,
		},
		Promise: link.Promise{Rules: 2, Share: 7500, Rebate: 810, Terms: "terms"}, At: now,
	}
}

func linksTold(t *testing.T, w LinkWorld) {
	ctx, l := t.Context(), someLink(w.Clock)
	full(t, l)
	for _, answer := range []link.Link{l, {ID: 1, User: 7}} {
		w.Answer(answer, nil)
		got, err := w.Service.Make(ctx, 7, l.Offer.Source)
		must(t, err)
		want(t, "Make", got, answer)
		user, ref := w.Asked()
		want(t, "who asked", user, int64(7))
		want(t, "what was asked", ref, l.Offer.Source)
	}
	for _, f := range []failure{
		{"gone", nil, fault.NotFound, "offer.off_shelf"}, {"off", nil, fault.NotFound, "link.network_off"}, {"busy", nil, fault.Limited, "link.busy"},
	} {
		w.Answer(link.Link{}, fault.New(f.code, f.reason))
		f.err = errOf(w.Service.Make(ctx, 7, l.Offer.Source))
		wantFailures(t, f)
	}
}
