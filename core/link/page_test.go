package link_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
)

// hall is a network that makes links to pages, as often as it is asked.
type hall struct {
	link.Network
	marks []link.Mark
	fail  error
}

func (h *hall) Promote(_ context.Context, p link.Page, m link.Mark) (link.Made, error) {
	if h.fail != nil {
		return link.Made{}, h.fail
	}
	h.marks = append(h.marks, m)
	return link.Made{URL: "https://hall.test/" + p.Address + "/" + m.Tag}, nil
}

// TestPromote makes links to pages: tagged, kept before they are shown, the same one for a
// while, and without a promise.
func TestPromote(t *testing.T) {
	t.Parallel()
	now := deskStart
	clock := func() time.Time { return now }
	h := &hall{Network: linktest.NewMemory("hall", market.New(clock, 0, 0), clock)}
	plain := linktest.NewMemory("plain", market.New(clock, 0, 0), clock)
	store, stopped := &shelf{again: true}, error(nil)
	d := &link.Desk{
		Networks: []link.Network{h, plain}, Promises: &rules{}, Store: store, Now: clock, Deadline: time.Minute,
		Stopped: func(context.Context, string) error { return stopped },
	}
	sale := link.Page{Network: "hall", Name: "会场", Address: "sale"}
	promote := func(user int64, p link.Page) (link.Link, error) { return d.Promote(t.Context(), user, p) }
	one, err := promote(7, sale)
	if err != nil || one.ID != 1 || one.User != 7 || one.Title != "会场" || one.Promise != (link.Promise{}) || len(store.links) != 1 ||
		!strings.HasPrefix(one.Item, "page/") || one.Made.URL != "https://hall.test/sale/"+one.Mark.Tag || one.Offer.Source.Kind != link.Activity {
		t.Fatalf("%+v, %v", one, err)
	}
	if len(store.said) != 1 || store.said[0].Name != event.LinkMade {
		t.Errorf("said %+v", store.said)
	}
	if again, err := promote(7, sale); err != nil || again.ID != one.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	food := sale
	food.Address = "food"
	for what, other := range map[string]func() (link.Link, error){
		"another page":   func() (link.Link, error) { return promote(7, food) },
		"another person": func() (link.Link, error) { return promote(8, sale) },
		"later":          func() (link.Link, error) { now = now.Add(time.Hour); return promote(9, sale) },
	} {
		if l, err := other(); err != nil || l.ID == one.ID || l.Mark.Tag == one.Mark.Tag {
			t.Errorf("%s: %+v, %v", what, l, err)
		}
	}
	if len(h.marks) != 4 {
		t.Errorf("the network was asked %d times", len(h.marks))
	}
	if _, err := promote(7, link.Page{Network: "plain", Address: "sale"}); fault.ReasonOf(err) != link.NoPages {
		t.Errorf("a network without pages: %v", err)
	}
	if _, err := promote(7, link.Page{Network: "off"}); fault.ReasonOf(err) != "link.network_off" {
		t.Errorf("a network that is off: %v", err)
	}
	h.fail = fault.New(fault.Unavailable, "")
	if _, err := promote(10, sale); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a network that is down: %v", err)
	}
	stopped = fault.New(fault.Denied, "stopped")
	if _, err := promote(10, sale); fault.ReasonOf(err) != "stopped" || len(store.links) != 4 {
		t.Errorf("a network that is stopped: %v, %d links", err, len(store.links))
	}
}
