package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fanli/core/link"
	"fanli/core/money"
	"fanli/core/order"
)

// An OrderStore is an order.Store under test.
type OrderStore struct {
	Store order.Store
	Heard Heard
	Now   func() time.Time // the store's clock: claims end by it
}

// Orders checks every promise of order.Store.
func Orders(t *testing.T, open func(t *testing.T) OrderStore) {
	t.Helper()
	run(t, open,
		transactions(func(s OrderStore) atomic[order.Tx] { return emitting(s.Store.InTx, s.Heard) }),
		emits(func(s OrderStore) (func(context.Context, func(order.Tx) error) error, Heard) {
			return s.Store.InTx, s.Heard
		}),
		handles(func(s OrderStore) func(context.Context, func(order.Tx) error) error { return s.Store.InTx }),
		[]check[OrderStore]{
			{"LineComesBack", lineComesBack},
			{"LineWithOnlyARefundComesBack", refundComesBack},
			{"PutUpdatesInPlace", putUpdates},
			{"LinesTakesAnyNumberOfKeys", manyKeys},
			{"LinesOfOneNumber", linesOfNumber},
			{"LinesOfATransactionAreSeenInIt", linesSeenWithin},
			{"UnownedCarryTheTagOrTheItem", unowned},
			{"DueAreReceivedLinesWhoseDateHasCome", due},
			{"LinesOfAUserNewestFirst", linesOfUser},
			{"RawRowsAreKeptInOrder", rawRows},
			{"BadRowIsQuarantinedOnce", badRows},
			{"CountsCount", counts},
			{"PageIsAppliedOnce", appliedOnce},
			{"PageAppliedAtOnceIsAppliedOnce", appliedAtOnce},
		},
		ladderChecks(), progressChecks())
}

// key names a line of the main account at JD.
func key(id string) order.Key { return order.Key{Network: link.JD, Account: "main", ID: id} }

// revision returns a paid order row with all that a row can have.
func revision(id string) order.Revision {
	at := start()
	return order.Revision{
		Key: key(id), Aspect: order.Whole, Order: "order-" + id, Item: "item-" + id, Title: "保温杯 500ml", Shop: "旗舰店",
		Image: "https://i.example/1.jpg", Category: "厨具", Quantity: 2, State: order.Paid, Price: 8900, Estimated: 445,
		Created: at, PaidAt: at.Add(time.Minute), Clicked: at.Add(-time.Minute), Modified: at.Add(2 * time.Minute),
		Tag: "tag-" + id, Slot: "slot", Raw: []byte(`{"id":"` + id + `"}`),
	}
}

// register returns a register of r with its hash, as a store writes and reads it.
func register(t *testing.T, r order.Revision) *order.Register {
	t.Helper()
	r.Raw = nil
	b, err := order.Register{Revision: r}.MarshalText()
	must(t, err)
	g := &order.Register{}
	must(t, g.UnmarshalText(b))
	return g
}

// line returns a line that is nobody's, as r describes it.
func line(t *testing.T, r order.Revision) *order.Line {
	t.Helper()
	return &order.Line{
		Key: r.Key, Rev: 1, Whole: register(t, r), Seen: start(),
		Facts: order.Facts{State: r.State, Why: r.Why, Commission: r.Estimated, Price: r.Price, SettledAt: r.SettledAt},
	}
}

// paid returns a line that is nobody's.
func paid(t *testing.T, id string) *order.Line { return line(t, revision(id)) }

func inOrders(t *testing.T, s OrderStore, fn func(tx order.Tx) error) {
	t.Helper()
	must(t, s.Store.InTx(t.Context(), fn))
}

func putLines(t *testing.T, s OrderStore, ls ...*order.Line) {
	t.Helper()
	inOrders(t, s, func(tx order.Tx) error { return tx.Put(ls) })
}

// ids returns the lines' own ids, which name them in a test's messages.
func ids(ls []order.Line) []string {
	out := make([]string, len(ls))
	for i, l := range ls {
		out[i] = l.Key.ID
	}
	return out
}

// known returns what the store has of keys.
func known(t *testing.T, s OrderStore, keys ...order.Key) (got map[order.Key]order.Line) {
	t.Helper()
	inOrders(t, s, func(tx order.Tx) (err error) {
		got, err = tx.Lines(keys)
		return err
	})
	return got
}

func lineComesBack(t *testing.T, s OrderStore) {
	r := revision("1")
	r.State, r.ActualKnown, r.Actual, r.Disputed = order.Settled, true, 400, true
	r.ReceivedAt, r.SettledAt, r.SettlesOn = start().Add(time.Hour), start().Add(2*time.Hour), start().Add(3*time.Hour)
	back := revision("1")
	back.Aspect, back.Refunded, back.Claimed = order.Return, 100, 5
	l := line(t, r)
	l.Back = register(t, back)
	l.Facts = order.Facts{State: order.Settled, Commission: 395, Price: 8900, Refunded: 100, Disputed: true, SettledAt: r.SettledAt}
	l.User, l.Link, l.Step, l.Evidence = 7, 70, order.ByTag, "tag tag-1 is on link 70"
	l.Promise = link.Promise{Rules: 3, Share: 7000, Rebate: 276, Terms: `{"rules":3}`}
	putLines(t, s, l)
	if l.ID <= 0 {
		t.Errorf("id %d is not above zero", l.ID)
	}
	want(t, "Lines", known(t, s, l.Key), map[order.Key]order.Line{l.Key: *l})
	want(t, "Lines of nobody's keys", len(known(t, s, key("2"), order.Key{Network: link.JD, Account: "other", ID: "1"})), 0)
}

func refundComesBack(t *testing.T, s OrderStore) {
	back := revision("1")
	back.Aspect, back.Refunded = order.Return, 100
	l := &order.Line{Key: back.Key, Rev: 1, Back: register(t, back), Facts: order.Facts{State: order.Unpaid, Refunded: 100}, Seen: start()}
	putLines(t, s, l)
	want(t, "Lines", known(t, s, l.Key), map[order.Key]order.Line{l.Key: *l})
	got, err := s.Store.ByNumber(t.Context(), "")
	must(t, err)
	want(t, "number of lines without an order number that are shown for one", len(got), 0)
}

func putUpdates(t *testing.T, s OrderStore) {
	a, b := paid(t, "1"), paid(t, "2")
	putLines(t, s, a, b)
	if b.ID <= a.ID {
		t.Errorf("ids %d and %d are not in the order of first sight", a.ID, b.ID)
	}
	r := revision("other")
	r.Key, r.State, r.Why, r.SettlesOn, r.Modified = a.Key, order.Invalid, "order.cancelled", start().AddDate(0, 0, 7), start().Add(time.Hour)
	back := revision("1")
	back.Aspect, back.Refunded = order.Return, 100
	changed := *a
	changed.Rev, changed.Whole, changed.Back = 2, register(t, r), register(t, back)
	changed.Facts = order.Facts{State: order.Invalid, Why: r.Why, Commission: 1, Price: 2, Refunded: 3, Disputed: true, SettledAt: start()}
	changed.User, changed.Link, changed.Step, changed.Evidence = 7, 70, order.ByItem, "link 70 fits"
	changed.Promise = link.Promise{Rules: 3, Share: 7000, Rebate: 276, Terms: `{"rules":3}`}
	c := paid(t, "3")
	putLines(t, s, &changed, c) // known and new ones together
	want(t, "id of the known line", changed.ID, a.ID)
	want(t, "Lines", known(t, s, a.Key, b.Key, c.Key), map[order.Key]order.Line{a.Key: changed, b.Key: *b, c.Key: *c})
	for number, n := range map[string]int{"order-1": 0, "order-other": 1} {
		got, err := s.Store.ByNumber(t.Context(), number)
		must(t, err)
		want(t, "number of lines of "+number, len(got), n)
	}
}

func manyKeys(t *testing.T, s OrderStore) {
	const n = 1200
	var ls []*order.Line
	var keys []order.Key
	for i := range n {
		r := revision(fmt.Sprint(i))
		if i%3 == 0 {
			r.Key.Account = "second"
		}
		ls, keys = append(ls, line(t, r)), append(keys, r.Key, r.Key) // asked for twice
	}
	putLines(t, s, ls...)
	got := known(t, s, keys...)
	want(t, "number of lines", len(got), n)
	seen := map[int64]bool{}
	for _, l := range ls {
		if seen[l.ID] {
			t.Fatalf("two lines have the id %d", l.ID)
		}
		seen[l.ID] = true
		if g := got[l.Key]; g.ID != l.ID || g.Row().Order != l.Row().Order {
			t.Fatalf("line %v came back as %+v", l.Key, g)
		}
	}
	inOrders(t, s, func(tx order.Tx) error { return errors.Join(tx.Put(nil), tx.Keep(nil), tx.Quarantine(nil, start())) })
	want(t, "number of lines of no keys", len(known(t, s)), 0)
}

func linesOfNumber(t *testing.T, s OrderStore) {
	for _, id := range []string{"1", "2", "3"} {
		r := revision(id)
		r.Order = map[bool]string{true: "same", false: "different"}[id != "2"]
		putLines(t, s, line(t, r))
	}
	far := revision("4")
	far.Order, far.Key.Network = "same", link.PDD
	putLines(t, s, line(t, far))
	var got []order.Line
	inOrders(t, s, func(tx order.Tx) (err error) {
		got, err = tx.ByOrder(link.JD, "same")
		return err
	})
	want(t, "ByOrder", ids(got), []string{"1", "3"})
	got, err := s.Store.ByNumber(t.Context(), "same")
	must(t, err)
	want(t, "ByNumber", ids(got), []string{"1", "3", "4"})
	for id, number := range map[string]string{"5": "part-1", "6": "part-2"} {
		r := revision(id)
		r.Order, r.Parent = number, "same"
		putLines(t, s, line(t, r))
	}
	for number, all := range map[string][]string{"same": {"1", "3", "4", "5", "6"}, "part-1": {"5"}, "part-2": {"6"}} {
		got, err = s.Store.ByNumber(t.Context(), number)
		must(t, err)
		found := ids(got)
		slices.Sort(found)
		want(t, "ByNumber "+number+", with what was split from it", found, all)
	}
}

func linesSeenWithin(t *testing.T, s OrderStore) {
	inOrders(t, s, func(tx order.Tx) error {
		_, err := tx.Ways(link.JD, nil, nil, []string{"order-1"}, nil, start())
		must(t, err)
		before, err := tx.ByOrder(link.JD, "order-1")
		must(t, err)
		want(t, "lines before Put", ids(before), []string{})
		must(t, tx.Put([]*order.Line{paid(t, "1")}))
		after, err := tx.ByOrder(link.JD, "order-1")
		want(t, "lines after Put", ids(after), []string{"1"})
		return err
	})
}

func unowned(t *testing.T, s OrderStore) {
	add := func(id, tag, item string, owner int64, network string) {
		r := revision(id)
		r.Tag, r.Item, r.Key.Network = tag, item, network
		l := line(t, r)
		l.User = owner
		putLines(t, s, l)
	}
	add("tagged", "tag", "other", 0, link.JD)
	add("item", "", "item", 0, link.JD)
	add("both", "tag", "item", 0, link.JD)
	add("owned", "tag", "item", 7, link.JD)
	add("elsewhere", "tag", "item", 0, link.PDD)
	add("neither", "", "", 0, link.JD)
	for _, tt := range []struct {
		tag, item string
		count     int
		want      int
	}{{"tag", "item", 10, 3}, {"tag", "", 10, 2}, {"", "item", 10, 2}, {"", "", 10, 0}, {"no", "no", 10, 0}, {"tag", "item", 2, 2}} {
		inOrders(t, s, func(tx order.Tx) error {
			got, err := tx.Unowned(link.JD, tt.tag, tt.item, tt.count)
			want(t, fmt.Sprintf("number of Unowned(%q, %q, %d)", tt.tag, tt.item, tt.count), len(got), tt.want)
			seen := map[string]bool{}
			for _, l := range got {
				if l.User != 0 || l.Key.Network != link.JD || seen[l.Key.ID] || (l.Row().Tag != tt.tag && l.Row().Item != tt.item) {
					t.Errorf("Unowned(%q, %q) returned %s", tt.tag, tt.item, l.Key.ID)
				}
				seen[l.Key.ID] = true
			}
			return err
		})
	}
}

func due(t *testing.T, s OrderStore) {
	add := func(id string, state order.State, on time.Time) {
		r := revision(id)
		r.State, r.SettlesOn = state, on
		putLines(t, s, line(t, r))
	}
	add("later", order.Received, start().Add(time.Hour+time.Millisecond))
	add("now", order.Received, start().Add(time.Hour))
	add("earlier", order.Received, start())
	add("undated", order.Received, time.Time{})
	add("settled", order.Settled, start())
	add("paid", order.Paid, start())
	for count, n := range map[int][]string{10: {"earlier", "now"}, 1: {"earlier"}} {
		inOrders(t, s, func(tx order.Tx) error {
			got, err := tx.Due(start().Add(time.Hour), count)
			want(t, "Due", ids(got), n)
			return err
		})
	}
}

func linesOfUser(t *testing.T, s OrderStore) {
	for i := range 5 {
		l := paid(t, fmt.Sprint(i))
		l.User = 7
		if i == 2 {
			l.User = 8
		}
		putLines(t, s, l, paid(t, fmt.Sprint("nobody", i)))
	}
	first, err := s.Store.OfUser(t.Context(), 7, 0, 3)
	must(t, err)
	want(t, "first page", ids(first), []string{"4", "3", "1"})
	rest, err := s.Store.OfUser(t.Context(), 7, first[2].ID, 3)
	must(t, err)
	want(t, "second page", ids(rest), []string{"0"})
	none, err := s.Store.OfUser(t.Context(), 0, 0, 10)
	must(t, err)
	want(t, "lines of nobody", ids(none), []string{})
}

func rawRows(t *testing.T, s OrderStore) {
	rows := []order.Past{
		{Key: key("1"), Aspect: order.Whole, At: start(), Raw: []byte(`{"a":1}`)},
		{Key: key("1"), Aspect: order.Return, At: start(), Raw: []byte("\x00\xff")},
		{Key: key("1"), Aspect: order.Whole, At: start().Add(time.Second), Raw: []byte(`{"a":2}`)},
	}
	inOrders(t, s, func(tx order.Tx) error {
		return errors.Join(tx.Keep(rows[:2]), tx.Keep([]order.Past{{Key: key("2"), Aspect: order.Whole, At: start(), Raw: []byte("x")}, rows[2]}))
	})
	got, err := s.Store.History(t.Context(), key("1"))
	must(t, err)
	want(t, "History", got, rows)
	none, err := s.Store.History(t.Context(), key("3"))
	must(t, err)
	want(t, "length of the history of nothing", len(none), 0)
}

func badRows(t *testing.T, s OrderStore) {
	bad := func(id, raw string) order.Bad { return order.Bad{Key: key(id), Raw: []byte(raw), Err: errNo} }
	for _, page := range [][]order.Bad{
		{bad("1", "x"), bad("1", "y"), bad("", "x"), {Key: key("2"), Raw: []byte("x")}},
		{bad("1", "x"), bad("1", "x"), bad("", "x")}, // seen before
	} {
		inOrders(t, s, func(tx order.Tx) error { return tx.Quarantine(page, start()) })
	}
	c, err := s.Store.Counts(t.Context())
	must(t, err)
	want(t, "Counts", c, order.Counts{Quarantined: 4})
}

func counts(t *testing.T, s OrderStore) {
	c, err := s.Store.Counts(t.Context())
	must(t, err)
	want(t, "Counts of nothing", c, order.Counts{})
	mine := paid(t, "1")
	mine.User = 7
	putLines(t, s, mine, paid(t, "2"), paid(t, "3"))
	c, err = s.Store.Counts(t.Context())
	must(t, err)
	want(t, "Counts", c, order.Counts{Lines: 3, Unattributed: 2})
}

// ordersPage is a page of n rows.
func ordersPage(n int) order.Page {
	var p order.Page
	for i := range n {
		p.Revisions = append(p.Revisions, revision(fmt.Sprint(i)))
	}
	return p
}

func appliedOnce(t *testing.T, s OrderStore) {
	b := order.Book{Store: s.Store, Now: start}
	for i, n := range []int{30, 0, 0} {
		changed, err := b.Apply(t.Context(), ordersPage(30), nil)
		must(t, err)
		want(t, fmt.Sprintf("lines changed by application %d", i), changed, n)
	}
	want(t, "number of events", len(s.Heard(t)), 1)
	var commission money.Fen
	for _, l := range known(t, s, key("0"), key("29")) {
		want(t, "rev", l.Rev, int64(1))
		commission += l.Commission
	}
	want(t, "commission", commission, money.Fen(890))
}

func appliedAtOnce(t *testing.T, s OrderStore) {
	b := order.Book{Store: s.Store, Now: start}
	changed, errs := together(20, func(int) (int, error) { return b.Apply(t.Context(), ordersPage(30), nil) })
	must(t, errors.Join(errs...))
	sum := 0
	for _, n := range changed {
		sum += n
	}
	want(t, "lines changed by all", sum, 30)
	want(t, "number of events", len(s.Heard(t)), 1)
}
