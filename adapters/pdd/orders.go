package pdd

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// The scenes. Their names are stored with watermarks.
const (
	SceneUpdate = "update" // rows by the time of their last change
	ScenePay    = "pay"    // rows by the time of payment, to look again whether anything was missed
)

// The platform's limits for order lists.
const (
	window      = 24 * time.Hour      // longest window
	keeps       = 90 * 24 * time.Hour // how far back it answers
	pageMax     = 10_000              // highest page number
	cursorBytes = 200                 // longest cursor that we accept back
)

// delay is how late an order may show: minutes after its payment, as observed.
const delay = 10 * time.Minute

// beijing is the zone of the one method that takes times as text.
var beijing = time.FixedZone("CST", 8*60*60)

// orders is the feed's side of a client.
type orders struct{ *Client }

// Network returns "pdd".
func (orders) Network() string { return Name }

// Account returns our name for the account.
func (o orders) Account() string { return o.cfg.Account }

// Scenes returns the stream of changes and the stream of payments.
func (orders) Scenes() []order.Scene {
	return []order.Scene{
		{Name: SceneUpdate, Window: window, Delay: delay, Keeps: keeps, Mends: true},
		{Name: ScenePay, Window: window, Delay: delay, Keeps: keeps},
	}
}

// Settled returns all changes from the beginning on: an order's last change is not
// before its settlement, by which there is no list.
func (orders) Settled(from, _, now time.Time) []order.Stretch {
	return []order.Stretch{{Scene: order.Scene{Name: SceneUpdate, Window: window, Delay: delay, Keeps: keeps, Mends: true}, From: from, To: now}}
}

// Pull returns one page of w.
func (o orders) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	if w.To.Sub(w.From) > window {
		return order.Page{}, fault.Newf(fault.Invalid, "feed.window_too_long", "%s is longer than %s", w.To.Sub(w.From), window)
	}
	if !w.From.Before(w.To) || len(cursor) > cursorBytes {
		return order.Page{}, fault.Newf(fault.Invalid, "", "window %s to %s, cursor of %d bytes", w.From, w.To, len(cursor))
	}
	var p order.Page
	var err error
	switch w.Scene {
	case SceneUpdate:
		p, err = o.pullUpdated(ctx, w, cursor)
	case ScenePay:
		p, err = o.pullPaid(ctx, w, cursor)
	default:
		return order.Page{}, fault.Newf(fault.Invalid, "", "there is no scene %.40q", w.Scene)
	}
	return p, err
}

// An orderList is a page of orders as it comes.
type orderList struct {
	Orders []json.RawMessage `json:"order_list"`
	Total  money.Number      `json:"total_count"`
	Last   money.Number      `json:"last_order_id"`
}

// pullUpdated reads pages from the last to the first: an order that changes while
// we read leaves the window, and the rows behind it move forward, onto pages that
// are still to be read. The cursor is the number of the page.
func (o orders) pullUpdated(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	page := 1
	if cursor != "" {
		n, err := strconv.Atoi(cursor)
		if err != nil || n < 1 || n > pageMax {
			return order.Page{}, fault.Newf(fault.Invalid, "", "cursor %q", cursor)
		}
		page = n
	}
	l, err := o.updated(ctx, w, page)
	if err != nil {
		return order.Page{}, err
	}
	if cursor == "" {
		if page, err = o.pages(l); err != nil {
			return order.Page{}, err
		}
		if page > 1 {
			if l, err = o.updated(ctx, w, page); err != nil {
				return order.Page{}, err
			}
		}
	}
	p := o.page(l, func(r order.Revision) bool { return r.Modified.Before(w.To) })
	if page > 1 {
		p.Next = strconv.Itoa(page - 1)
	}
	return p, nil
}

// pages returns how many pages there are, from the first page; at least one.
func (o orders) pages(first orderList) (int, error) {
	var r reader
	total := r.integer(first.Total)
	size := int64(o.cfg.PageSize)
	switch n := int64(len(first.Orders)); {
	case r.err != nil || total < 0, first.Total == "" && n >= size:
		return 0, fault.Newf(fault.Unavailable, "", "total_count is %.40q", string(first.Total))
	case total > size*pageMax:
		return 0, fault.Newf(fault.Invalid, "feed.window_too_full", "%d orders", total)
	}
	return int(max(1, (total+size-1)/size)), nil
}

// updated asks for one page of changes. The end is inclusive or not, nobody says;
// we ask up to To and leave out what has changed at To itself.
func (o orders) updated(ctx context.Context, w order.Window, page int) (orderList, error) {
	var l orderList
	err := o.call(ctx, "pdd.ddk.order.list.increment.get", map[string]string{
		"start_update_time": strconv.FormatInt(w.From.Unix(), 10),
		"end_update_time":   strconv.FormatInt(ceil(w.To).Unix(), 10),
		"page":              strconv.Itoa(page),
		"page_size":         strconv.Itoa(o.cfg.PageSize),
		"return_count":      "true",
	}, "order_list_get_response", &l)
	return l, err
}

// pullPaid reads orders by the time of payment. They do not move; the cursor is
// the platform's own, and the last page is empty.
func (o orders) pullPaid(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	params := map[string]string{
		"start_time": w.From.In(beijing).Format(time.DateTime),
		"end_time":   ceil(w.To).In(beijing).Format(time.DateTime),
		"page_size":  strconv.Itoa(o.cfg.PageSize),
	}
	if cursor != "" {
		params["last_order_id"] = cursor
	}
	var l orderList
	if err := o.call(ctx, "pdd.ddk.order.list.range.get", params, "order_list_get_response", &l); err != nil {
		return order.Page{}, err
	}
	p := o.page(l, func(r order.Revision) bool { return r.PaidAt.Before(w.To) })
	last := string(l.Last)
	switch {
	case len(l.Orders) == 0, last == "", last == cursor:
	case len(last) > cursorBytes:
		return order.Page{}, fault.Newf(fault.Unavailable, "", "last_order_id has %d bytes", len(last))
	default:
		p.Next = last
	}
	return p, nil
}

// ceil rounds up to a whole second.
func ceil(t time.Time) time.Time {
	if s := t.Truncate(time.Second); s.Before(t) {
		return s.Add(time.Second)
	}
	return t
}

// page reads the rows of l for which keep is true, and sets aside those that
// cannot be read.
func (o orders) page(l orderList, keep func(order.Revision) bool) order.Page {
	var p order.Page
	for _, raw := range l.Orders {
		rev, err := o.revision(raw)
		switch {
		case err != nil:
			p.Bad = append(p.Bad, order.Bad{Key: rev.Key, Raw: bytes.Clone(raw), Err: err})
		case keep(rev):
			p.Revisions = append(p.Revisions, rev)
		}
	}
	return p
}

// A row is an order as it comes. Only what we use is read.
type row struct {
	SN        string       `json:"order_sn"`
	Sign      string       `json:"goods_sign"`
	GoodsID   money.Number `json:"goods_id"`
	Name      string       `json:"goods_name"`
	Thumbnail string       `json:"goods_thumbnail_url"`
	Category  string       `json:"goods_category_name"`
	Mall      string       `json:"mall_name"`
	Quantity  money.Number `json:"goods_quantity"`
	Amount    money.Number `json:"order_amount"`
	Promotion money.Number `json:"promotion_amount"`
	PID       string       `json:"p_id"`
	Custom    string       `json:"custom_parameters"`
	Status    money.Number `json:"order_status"`
	Reason    string       `json:"fail_reason"`
	Return    money.Number `json:"return_status"`
	Created   money.Number `json:"order_create_time"`
	Paid      money.Number `json:"order_pay_time"`
	Received  money.Number `json:"order_receive_time"`
	Settled   money.Number `json:"order_settle_time"`
	Modified  money.Number `json:"order_modify_at"`
}

// states says what an order_status means.
var states = map[money.Number]struct {
	state order.State
	why   string
}{
	"-1": {order.Unpaid, ""},
	"0":  {order.Paid, ""},
	"1":  {order.Paid, ""},     // the group is complete
	"2":  {order.Received, ""}, // receipt confirmed
	"3":  {order.Received, ""}, // audit passed: firm, and not yet paid to us
	"4":  {order.Invalid, "order.ineligible"},
	"5":  {order.Settled, ""},
	"8":  {order.Invalid, "order.no_rate"},
	"10": {order.Invalid, "order.violation"}, // punished, also after settlement
}

// revision reads a row. With an error it returns what is known of the key.
func (o orders) revision(raw json.RawMessage) (order.Revision, error) {
	rev := order.Revision{Key: order.Key{Network: Name, Account: o.cfg.Account}, Aspect: order.Whole}
	var w row
	if err := json.Unmarshal(raw, &w); err != nil {
		return rev, fault.Newf(fault.Invalid, "", "odd row: %s", o.clean(err.Error()))
	}
	rev.Key.ID, rev.Order = w.SN, w.SN
	var r reader
	quantity := r.integer(w.Quantity)
	rev.Price, rev.Estimated = r.fen(w.Amount), r.fen(w.Promotion)
	rev.Created, rev.PaidAt = r.time(w.Created), r.time(w.Paid)
	rev.ReceivedAt, rev.SettledAt = r.time(w.Received), r.time(w.Settled)
	rev.Modified = r.time(w.Modified)
	st, ok := states[w.Status]
	switch {
	case w.SN == "":
		r.fail("the row has no order_sn")
	case !ok:
		r.fail("unknown order_status %.40q", string(w.Status))
	case w.Promotion == "" && st.state != order.Unpaid && st.state != order.Invalid: // not said is not nothing
		r.fail("the row has no promotion_amount")
	case rev.Modified.IsZero():
		r.fail("the row has no order_modify_at")
	case quantity < 0 || quantity > math.MaxInt32:
		r.fail("goods_quantity %.40q", string(w.Quantity))
	}
	if r.err != nil {
		return rev, r.err
	}
	rev.State, rev.Why = st.state, why(st.why, w)
	rev.Item, rev.Title, rev.Shop = firstOf(w.Sign, string(w.GoodsID)), w.Name, w.Mall
	rev.Image, rev.Category, rev.Quantity = secure(w.Thumbnail), w.Category, int(quantity)
	rev.Tag, rev.Slot = tag(w.Custom), w.PID
	rev.Disputed = w.Return == "1"
	if st.state == order.Settled {
		rev.Actual, rev.ActualKnown = rev.Estimated, true
	}
	rev.Raw = bytes.Clone(raw)
	return rev, nil
}

// why makes the reason of a rejected order more exact where its text allows it.
// Nothing but the sentence for the user depends on it.
func why(key string, w row) string {
	if key != "order.ineligible" {
		return key
	}
	switch {
	case strings.Contains(w.Reason, "退"):
		return "order.refunded"
	case strings.Contains(w.Reason, "取消"), strings.Contains(w.Reason, "关闭"):
		return "order.cancelled"
	}
	return key
}

// tag returns our tag from custom_parameters: the sid, or all of it where an old
// link carries plain text.
func tag(custom string) string {
	var p struct {
		SID string `json:"sid"`
	}
	if err := json.Unmarshal([]byte(custom), &p); err != nil {
		p.SID = custom
	}
	if !tagForm.MatchString(p.SID) {
		return ""
	}
	return p.SID
}
