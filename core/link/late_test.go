package link_test

import (
	"context"
	"testing"

	"fanli/core/fault"
	"fanli/core/link"
)

// silent are rules that nobody can ask.
type silent struct{ err error }

func (s silent) Promise(context.Context, int64, link.Offer) (link.Promise, error) {
	return link.Promise{}, s.err
}

// TestALinkNeedsNoPromise: one that cannot be had now is made later, an answer that
// was given is not.
func TestALinkNeedsNoPromise(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 0)
	c.Later = func(_ context.Context, user int64, o link.Offer) (link.Promise, error) {
		return link.Promise{Terms: "later for " + o.Item}, nil
	}
	known := c.make(1, item(link.JD, "jd0"))
	c.Promises = silent{fault.New(fault.Unavailable, "target.down")}
	if again := c.make(1, item(link.JD, "jd0")); again.ID != known.ID || again.Promise != known.Promise {
		t.Errorf("what was promised, %+v, becomes %+v", known.Promise, again.Promise)
	}
	late := c.make(1, item(link.JD, "jd1"))
	if !late.Promise.Late() || late.Promise.Terms != "later for jd1" || late.ID == 0 {
		t.Errorf("%+v", late)
	}
	if again := c.make(1, item(link.JD, "jd1")); again.ID != late.ID {
		t.Error("asked twice there are two links")
	}
	if got, err := c.Search(t.Context(), 1, "水壶", 1, 4); err != nil || len(got) == 0 || !got[0].Promise.Late() {
		t.Errorf("a search finds %d, %v", len(got), err)
	}
	c.Promises = c.rules
	if now := c.make(1, item(link.JD, "jd1")); now.ID == late.ID || now.Promise.Late() {
		t.Errorf("with a promise the link is %+v", now)
	}
	for _, answer := range []fault.Code{fault.Invalid, fault.NotFound, fault.Internal} {
		c.Promises = silent{fault.New(answer, "x")}
		if _, err := c.Make(t.Context(), 2, item(link.JD, "jd1")); !fault.Is(err, answer) {
			t.Errorf("%s: %v", answer, err)
		}
	}
	c.Later, c.Promises = nil, silent{fault.New(fault.Unavailable, "target.down")}
	if _, err := c.Make(t.Context(), 2, item(link.JD, "jd1")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without Later: %v", err)
	}
}

// TestASearchAsksOnceForPromisesThatNobodyMakes: ten goods are not ten waits.
func TestASearchAsksOnceForPromisesThatNobodyMakes(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 0)
	asked := 0
	c.Later = func(_ context.Context, _ int64, o link.Offer) (link.Promise, error) {
		return link.Promise{Terms: "later for " + o.Item}, nil
	}
	c.Promises = counting{silent{fault.New(fault.Unavailable, fault.Down)}, &asked}
	got, err := c.Search(t.Context(), 1, "水壶", 1, 6)
	if err != nil || len(got) < 4 || asked != 1 {
		t.Errorf("%d found, %v, asked %d times", len(got), err, asked)
	}
	for _, q := range got {
		if q.Promise.Terms != "later for "+q.Offer.Item {
			t.Errorf("%s has %q", q.Offer.Item, q.Promise.Terms)
		}
	}
}

// counting counts how often rules are asked.
type counting struct {
	silent
	n *int
}

func (c counting) Promise(ctx context.Context, user int64, o link.Offer) (link.Promise, error) {
	*c.n++
	return c.silent.Promise(ctx, user, o)
}
