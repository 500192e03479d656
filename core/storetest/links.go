package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
)

// A LinkStore is a link.Store under test.
type LinkStore struct {
	Store link.Store
	Heard Heard
}

// Links checks every promise of link.Store.
func Links(t *testing.T, open func(t *testing.T) LinkStore) {
	t.Helper()
	run(t, open,
		transactions(func(s LinkStore) atomic[link.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s LinkStore) (func(context.Context, func(link.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		[]check[LinkStore]{
			{"LinkComesBack", linkComesBack},
			{"RecentIsTheNewest", recentIsNewest},
			{"RecentIsOfThisUserNetworkAndItem", recentIsOfThis},
			{"KnownTagIsConflict", knownTag},
			{"SlotUsersTellTheLatestUseLast", slotUsers},
			{"UsersAtOnceDoNotShareASlot", slotsApart},
		})
}

// made returns a link of a user, with all that a link can have.
func made(userID int64, item, tag string, at time.Time) link.Link {
	return link.Link{
		User: userID, Network: link.PDD, Item: item, Title: "保温杯 500ml", Mark: link.Mark{Tag: tag, Slot: "slot1"},
		Made: link.Made{URL: "https://p.example/" + tag + "?a=1&b=%25", Token: "￥" + tag + "￥", Expires: at.Add(24 * time.Hour)},
		Offer: link.Offer{
			Network: link.PDD, Item: item + "x", SameItem: item, Title: "保温杯 500ml", Shop: "旗舰店", Price: 8900, Final: 7900,
			Coupon: link.CouponOffer{Amount: 1000, Threshold: 5000, Starts: at, Ends: at.Add(time.Hour), Left: 7, URL: "https://c.example/?e=a+b"},
			Rate:   500, Commission: 395, Source: link.Ref{Network: link.PDD, Kind: link.Item, ID: item}, Material: "m",
			Caveats: []string{"offer.e_card_excluded"}, At: at,
		},
		Promise: link.Promise{Rules: 3, Share: 7000, Rebate: 276, Terms: `{"rules":3}`}, At: at,
	}
}

func insertLink(t *testing.T, s link.Store, l *link.Link) error {
	t.Helper()
	return s.InTx(t.Context(), func(tx link.Tx) (err error) {
		l.ID, err = tx.Insert(*l)
		return err
	})
}

func linkComesBack(t *testing.T, s LinkStore) {
	l := made(7, "item", "tag1", start().Add(1234*time.Millisecond))
	must(t, insertLink(t, s.Store, &l))
	if l.ID <= 0 {
		t.Errorf("id %d is not above zero", l.ID)
	}
	got, err := s.Store.Recent(t.Context(), 7, link.PDD, "item", start())
	must(t, err)
	want(t, "Recent", got, l)
	bare := link.Link{User: 8, Network: link.JD, Item: "item", Mark: link.Mark{Tag: "tag2"}, At: start()}
	must(t, insertLink(t, s.Store, &bare))
	got, err = s.Store.Recent(t.Context(), 8, link.JD, "item", start())
	must(t, err)
	want(t, "Recent, of a link with hardly anything", got, bare)
	got, err = s.Store.Link(t.Context(), l.ID)
	must(t, err)
	want(t, "Link", got, l)
	_, err = s.Store.Link(t.Context(), bare.ID+1)
	wantCode(t, "Link that there is not", err, fault.NotFound)
}

func recentIsNewest(t *testing.T, s LinkStore) {
	for i := range 3 {
		l := made(7, "item", fmt.Sprint("tag", i), start().Add(time.Duration(i)*time.Minute))
		must(t, insertLink(t, s.Store, &l))
	}
	for since, code := range map[time.Duration]fault.Code{0: "", 2 * time.Minute: "", 2*time.Minute + time.Millisecond: fault.NotFound} {
		got, err := s.Store.Recent(t.Context(), 7, link.PDD, "item", start().Add(since))
		wantCode(t, "Recent since "+since.String(), err, code)
		if err == nil {
			want(t, "tag", got.Mark.Tag, "tag2")
		}
	}
}

func recentIsOfThis(t *testing.T, s LinkStore) {
	l := made(7, "item", "tag", start())
	must(t, insertLink(t, s.Store, &l))
	for _, other := range []link.Link{
		{User: 8, Network: link.PDD, Item: "item"}, {User: 7, Network: link.JD, Item: "item"}, {User: 7, Network: link.PDD, Item: "Item"},
	} {
		_, err := s.Store.Recent(t.Context(), other.User, other.Network, other.Item, start().Add(-time.Hour))
		wantCode(t, fmt.Sprintf("Recent of %d %s %s", other.User, other.Network, other.Item), err, fault.NotFound)
	}
}

func knownTag(t *testing.T, s LinkStore) {
	l := made(7, "item", "tag", start())
	must(t, insertLink(t, s.Store, &l))
	again := made(8, "other", "tag", start())
	again.Network = link.JD
	wantCode(t, "Insert with a known tag", insertLink(t, s.Store, &again), fault.Conflict)
}

func slotUsers(t *testing.T, s LinkStore) {
	for i, use := range []struct {
		user int64
		slot string
		at   time.Duration
		item string
	}{
		{1, "a", 0, "item"}, // too long ago
		{1, "a", 10, "item"}, {2, "b", 20, "item"}, {1, "a", 30, "item"}, {3, "a", 15, "item"},
		{4, "c", 25, "other"}, {5, "", 25, "item"},
	} {
		l := made(use.user, use.item, fmt.Sprint("tag", i), start().Add(use.at*time.Minute))
		l.Mark.Slot = use.slot
		must(t, insertLink(t, s.Store, &l))
	}
	var got []link.SlotUse
	must(t, s.Store.InTx(t.Context(), func(tx link.Tx) (err error) {
		got, err = tx.SlotUsers(link.PDD, "item", start().Add(10*time.Minute))
		return err
	}))
	want(t, "SlotUsers", got, []link.SlotUse{
		{Slot: "a", User: 3, At: start().Add(15 * time.Minute)},
		{Slot: "b", User: 2, At: start().Add(20 * time.Minute)},
		{Slot: "a", User: 1, At: start().Add(30 * time.Minute)},
	})
}

// A poolNet is a network that only knows slots.
type poolNet struct{ slots []string }

func (poolNet) Name() string      { return link.PDD }
func (n poolNet) Slots() []string { return n.slots }
func (poolNet) Offer(_ context.Context, r link.Ref) (link.Offer, error) {
	return link.Offer{Network: link.PDD, Item: r.ID, Final: 100, Commission: 10}, nil
}

func (poolNet) Link(_ context.Context, _ link.Offer, m link.Mark) (link.Made, error) {
	return link.Made{URL: "https://p.example/" + m.Tag}, nil
}

// noPromise promises nothing.
type noPromise struct{}

func (noPromise) Promise(context.Context, int64, link.Offer) (link.Promise, error) {
	return link.Promise{}, nil
}

func slotsApart(t *testing.T, s LinkStore) {
	slots := []string{"a", "b", "c"} // as many as a Desk tries, so that it always succeeds
	d := link.Desk{
		Networks: []link.Network{poolNet{slots}}, Promises: noPromise{}, Store: s.Store, Now: start, Deadline: time.Minute,
	}
	links, errs := together(len(slots), func(i int) (link.Link, error) {
		return d.Make(t.Context(), int64(i+1), link.Ref{Network: link.PDD, Kind: link.Item, ID: "item"})
	})
	must(t, errors.Join(errs...))
	owner := map[string]int64{}
	for _, l := range links {
		if other := owner[l.Mark.Slot]; other != 0 {
			t.Errorf("users %d and %d share slot %s although there are free ones", other, l.User, l.Mark.Slot)
		}
		owner[l.Mark.Slot] = l.User
	}
	want(t, "number of events", len(s.Heard(t)), len(slots))
}
