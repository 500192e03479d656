package link_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/link/linktest"
	"fanli/core/market"
	"fanli/core/money"
)

var deskStart = time.Date(2026, 1, 15, 4, 0, 0, 0, time.UTC)

// shelf is a link.Store in memory.
type shelf struct {
	mu    sync.Mutex
	links []link.Link
	said  []event.Event
	again bool // every transaction is run a second time, as after a deadlock
	down  error
}

type shelfTx struct{ *shelf }

func (s *shelf) InTx(ctx context.Context, fn func(link.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil || ctx.Err() != nil {
		return errors.Join(s.down, ctx.Err())
	}
	links, said := slices.Clone(s.links), slices.Clone(s.said)
	undo := func() { s.links, s.said = slices.Clone(links), slices.Clone(said) }
	if s.again {
		if err := fn(shelfTx{s}); err == nil {
			undo()
		}
	}
	err := fn(shelfTx{s})
	if err != nil {
		undo()
	}
	return err
}

func (s *shelf) Link(_ context.Context, id int64) (link.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.links, func(l link.Link) bool { return l.ID == id }); i >= 0 {
		return s.links[i], s.down
	}
	return link.Link{}, errors.Join(s.down, fault.New(fault.NotFound, ""))
}

func (s *shelf) Recent(_ context.Context, user int64, network, item string, since time.Time) (link.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range slices.Backward(s.links) {
		if l.User == user && l.Network == network && l.Item == item && !l.At.Before(since) {
			return l, s.down
		}
	}
	return link.Link{}, errors.Join(s.down, fault.New(fault.NotFound, ""))
}

func (t shelfTx) Emit(e event.Event) error { t.said = append(t.said, e); return nil }

func (t shelfTx) SlotUsers(network, item string, since time.Time) (uses []link.SlotUse, err error) {
	for _, l := range t.links {
		if l.Network == network && l.Item == item && l.Mark.Slot != "" && !l.At.Before(since) {
			uses = append(uses, link.SlotUse{Slot: l.Mark.Slot, User: l.User, At: l.At})
		}
	}
	return uses, nil
}

// Insert takes no link that has an id, as a database would not number it.
func (t shelfTx) Insert(l link.Link) (int64, error) {
	if l.ID != 0 {
		return 0, fault.Newf(fault.Internal, "", "a new link has the id %d", l.ID)
	}
	if slices.ContainsFunc(t.links, func(o link.Link) bool { return o.Mark.Tag == l.Mark.Tag }) {
		return 0, fault.New(fault.Conflict, "")
	}
	l.ID = int64(len(t.links) + 1)
	t.links = append(t.links, l)
	return l.ID, nil
}

// rules promise a share of the commission, under terms that tests change. Like a
// database they answer nobody whose time is over.
type rules struct {
	mu    sync.Mutex
	terms string
	share money.Bps
}

func (r *rules) Promise(ctx context.Context, user int64, o link.Offer) (link.Promise, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return link.Promise{Rules: 1, Share: r.share, Rebate: o.Commission.Share(r.share), Terms: fmt.Sprintf("%s for %d", r.terms, user)}, ctx.Err()
}

// net counts what a network is asked.
type net struct {
	*linktest.Memory
	mu            sync.Mutex
	offers, links int
	marks         []link.Mark
	during        func() // called while a link is being made
}

func (n *net) Offer(ctx context.Context, r link.Ref) (link.Offer, error) {
	n.mu.Lock()
	n.offers++
	n.mu.Unlock()
	return n.Memory.Offer(ctx, r)
}

func (n *net) Link(ctx context.Context, o link.Offer, m link.Mark) (link.Made, error) {
	n.mu.Lock()
	n.links++
	n.marks = append(n.marks, m)
	during := n.during
	n.mu.Unlock()
	if during != nil {
		during()
	}
	return n.Memory.Link(ctx, o, m)
}

// pooled is a network with a pool of slots.
type pooled struct {
	*net
	slots []string
}

func (p pooled) Slots() []string { return p.slots }

// counter is a desk over two networks, with a clock that only the test moves.
type counter struct {
	*link.Desk
	t       *testing.T
	mu      sync.Mutex
	at      time.Time
	shelf   *shelf
	rules   *rules
	jd, pdd *net
	books   map[string]*market.Market
}

// newCounter opens a counter; PDD has so many slots.
func newCounter(t *testing.T, slots int) *counter {
	t.Helper()
	c := &counter{t: t, at: deskStart, shelf: &shelf{}, rules: &rules{terms: "v1", share: 7000}, books: map[string]*market.Market{}}
	network := func(name string, goods int) *net {
		m := market.New(c.now, 1000, 1)
		for i := range goods {
			m.Stock(market.Goods{ID: fmt.Sprint(name, i), Title: fmt.Sprint("水壶 ", name, i), Price: money.Fen(8900 + 100*i), Rate: 1000})
		}
		m.Stock(market.Goods{ID: "secret", Title: "水壶", Price: 100, Unlisted: true})
		c.books[name] = m
		return &net{Memory: linktest.NewMemory(name, m, c.now)}
	}
	c.jd, c.pdd = network(link.JD, 5), network(link.PDD, 3)
	pool := pooled{net: c.pdd}
	for i := range slots {
		pool.slots = append(pool.slots, fmt.Sprintf("p%02d", i))
	}
	c.Desk = &link.Desk{
		Networks: []link.Network{c.jd, pool}, Promises: c.rules, Store: c.shelf, Now: c.now, Deadline: 5 * time.Second,
	}
	return c
}

func (c *counter) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *counter) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func item(network, id string) link.Ref { return link.Ref{Network: network, Kind: link.Item, ID: id} }

func (c *counter) make(user int64, ref link.Ref) link.Link {
	c.t.Helper()
	l, err := c.Make(c.t.Context(), user, ref)
	if err != nil {
		c.t.Fatal(err)
	}
	return l
}

func TestALinkIsStoredAndSaidBeforeItIsShown(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 3)
	c.shelf.again = true
	l := c.make(42, item(link.PDD, "pdd1"))
	if len(c.shelf.links) != 1 || fmt.Sprintf("%+v", c.shelf.links[0]) != fmt.Sprintf("%+v", l) || l.ID != 1 {
		t.Fatalf("shown is\n%+v, stored are\n%+v", l, c.shelf.links)
	}
	if l.User != 42 || l.Network != link.PDD || l.Item != "pdd1" || l.Title != "水壶 pdd1" || l.Promise.Rebate != 567 || !l.At.Equal(deskStart) {
		t.Errorf("%+v", l)
	}
	click, ok := c.pdd.Click(l.Made)
	if !ok || click.Tag != l.Mark.Tag || click.Slot != l.Mark.Slot || click.Item != "pdd1" || !slices.Contains([]string{"p00", "p01", "p02"}, click.Slot) {
		t.Errorf("behind %s is %+v; the mark is %+v", l.Made.URL, click, l.Mark)
	}
	if len(c.shelf.said) != 1 {
		t.Fatalf("%d events", len(c.shelf.said))
	}
	e := c.shelf.said[0]
	want := fmt.Sprintf(`{"link":1,"user":42,"network":"pdd","item":"pdd1","tag":%q,"slot":%q,`+
		`"promise":{"rules":1,"share":7000,"rebate":567,"terms":"v1 for 42"},"at":"2026-01-15T04:00:00Z"}`, l.Mark.Tag, l.Mark.Slot)
	if e.ID != "link/"+l.Mark.Tag || e.Name != event.LinkMade || string(e.Data) != want || !e.At.Equal(deskStart) {
		t.Errorf("said is %s %s\n%s, want\n%s", e.ID, e.Name, e.Data, want)
	}
}

func TestATagIsUniqueAndPlain(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 0)
	plain := regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
	seen := map[string]bool{}
	for user := range int64(1000) {
		l := c.make(user, item(link.JD, "jd0"))
		if !plain.MatchString(l.Mark.Tag) || len(l.Mark.Tag) < 16 || seen[l.Mark.Tag] || l.Mark.Slot != "" {
			t.Fatalf("user %d has mark %+v", user, l.Mark)
		}
		seen[l.Mark.Tag] = true
	}
}

func TestAskingAgainSoonGivesTheSameLink(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(c *counter)
		user   int64
		item   string
		same   bool
	}{
		{"at once", func(*counter) {}, 42, "jd0", true},
		{"half an hour later", func(c *counter) { c.advance(30 * time.Minute) }, 42, "jd0", true},
		{"after more than that", func(c *counter) { c.advance(30*time.Minute + time.Second) }, 42, "jd0", false},
		{"another user", func(*counter) {}, 43, "jd0", false},
		{"another item", func(*counter) {}, 42, "jd1", false},
		{"under other terms", func(c *counter) { c.rules.terms = "v2" }, 42, "jd0", false},
		{"at another price", func(c *counter) {
			c.books[link.JD].Stock(market.Goods{ID: "jd0", Title: "水壶", Price: 5000, Rate: 1000})
		}, 42, "jd0", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCounter(t, 0)
			first := c.make(42, item(link.JD, "jd0"))
			tt.change(c)
			again := c.make(tt.user, item(link.JD, tt.item))
			if same := again.ID == first.ID && again.Made == first.Made && again.Mark == first.Mark; same != tt.same {
				t.Errorf("first %+v, then %+v", first, again)
			}
			want := map[bool]int{true: 1, false: 2}[tt.same]
			if c.jd.links != want || len(c.shelf.links) != want || len(c.shelf.said) != want {
				t.Errorf("the network made %d links, %d are stored, %d were said", c.jd.links, len(c.shelf.links), len(c.shelf.said))
			}
			if again.Promise.Rebate != again.Offer.Commission.Share(7000) {
				t.Errorf("the shopper sees a rebate of %s for a commission of %s", again.Promise.Rebate, again.Offer.Commission)
			}
			if stored := c.shelf.links[0]; stored.Promise != first.Promise {
				t.Errorf("the first promise has become %+v", stored.Promise)
			}
		})
	}
}

func TestALinkThatEndsSoonIsNotGivenAgain(t *testing.T) {
	t.Parallel()
	for left, same := range map[time.Duration]bool{30 * time.Minute: false, 31 * time.Minute: true} {
		c := newCounter(t, 0)
		first := c.make(42, item(link.JD, "jd0"))
		c.shelf.links[0].Made.Expires = deskStart.Add(left)
		if again := c.make(42, item(link.JD, "jd0")); (again.ID == first.ID) != same {
			t.Errorf("a link that lives for %s is given again: %v", left, !same)
		}
	}
}

func TestAQuoteMakesItsLinkWithoutAskingAgain(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 3)
	q, err := c.Quote(t.Context(), 42, item(link.PDD, "pdd2"))
	if err != nil || q.Offer.Final != 9100 || q.Promise.Rebate != 573 || q.Net() != 9100-573 {
		t.Fatalf("%+v, %v", q, err)
	}
	if len(c.shelf.links) != 0 || c.pdd.links != 0 {
		t.Error("a question makes a link")
	}
	c.rules.terms, c.rules.share = "v2", 100 // what was promised counts
	l, err := c.MakeFor(t.Context(), 42, q)
	if err != nil || l.Promise != q.Promise || c.pdd.offers != 1 || c.pdd.links != 1 {
		t.Errorf("%+v, %v; asked %d times", l.Promise, err, c.pdd.offers)
	}
}

func TestRefusalsAreTheNetworks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		ref    link.Ref
		mode   string
		code   fault.Code
		reason string
	}{
		{"a network that is off", item(link.Taobao, "1"), "", fault.NotFound, "link.network_off"},
		{"goods outside the programme", item(link.JD, "secret"), "", fault.NotFound, ""},
		{"a kind that it cannot open", link.Ref{Network: link.JD, Kind: link.Activity, URL: "https://x"}, "", fault.Invalid, ""},
		{"too many questions", item(link.JD, "jd0"), linktest.Limited, fault.Limited, ""},
		{"no answer", item(link.JD, "jd0"), linktest.Down, fault.Unavailable, ""},
		{"bad credentials", item(link.JD, "jd0"), linktest.Denied, fault.Denied, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCounter(t, 0)
			c.jd.Fail(tt.mode)
			_, quote := c.Quote(t.Context(), 42, tt.ref)
			_, made := c.Make(t.Context(), 42, tt.ref)
			for _, err := range []error{quote, made} {
				if fault.CodeOf(err) != tt.code || fault.ReasonOf(err) != tt.reason {
					t.Errorf("got %v, want %s %q", err, tt.code, tt.reason)
				}
			}
			if len(c.shelf.links)+len(c.shelf.said) != 0 {
				t.Error("a link is there")
			}
		})
	}
}

func TestWhatCannotBeStoredIsNotShown(t *testing.T) {
	t.Parallel()
	c := newCounter(t, 0)
	c.shelf.down = fault.New(fault.Unavailable, "db.busy")
	if l, err := c.Make(t.Context(), 42, item(link.JD, "jd0")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestAStalledNetworkStallsNoLongerThanTheDeadline(t *testing.T) {
	t.Parallel()
	calls := map[string]func(c *counter, q link.Quote) error{
		"Quote": func(c *counter, _ link.Quote) error {
			_, err := c.Quote(c.t.Context(), 42, item(link.JD, "jd0"))
			return err
		},
		"Make": func(c *counter, _ link.Quote) error {
			_, err := c.Make(c.t.Context(), 42, item(link.JD, "jd0"))
			return err
		},
		"MakeFor": func(c *counter, q link.Quote) error { _, err := c.MakeFor(c.t.Context(), 42, q); return err },
		"Search": func(c *counter, _ link.Quote) error {
			c.Networks = c.Networks[:1]
			_, err := c.Search(c.t.Context(), 42, "水壶", 1, 10)
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCounter(t, 0)
				q, err := c.Quote(t.Context(), 42, item(link.JD, "jd0"))
				if err != nil {
					t.Fatal(err)
				}
				c.jd.Fail(linktest.Stall)
				before := time.Now()
				err = call(c, q)
				if took := time.Since(before); took != 5*time.Second || !fault.Is(err, fault.Unavailable) {
					t.Errorf("after %s: %v", took, err)
				}
			})
		})
	}
}
