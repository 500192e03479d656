package taobao

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/order"
)

// The names of the scenes; watermarks are stored under them.
const (
	SceneModified = "modified" // all orders, by their last change
	SceneCreated  = "created"  // all orders, by their creation: a second net
	SceneChannel  = "channel"  // orders with a relation id, by their last change
	SceneMember   = "member"   // orders with a special id, by their last change
	SceneRefund   = "refund"   // after-sale suits, by their last change

	// The streams of what was settled; nobody follows them.
	SceneSettled        = "settled"         // orders, by their settlement
	SceneSettledRefunds = "settled-refunds" // after-sale suits, by the settlement of their orders
)

const (
	// windowMax and windowPromotionMax are a minute less than the platform
	// allows, because we ask from a second earlier; see edge.
	windowMax          = 3*time.Hour - time.Minute
	windowPromotionMax = 20*time.Minute - time.Minute

	// edge is how much earlier than the window we ask from. The documentation
	// does not say whether the first and the last second count, so we ask for
	// both and drop the rows that are not in the window.
	edge = time.Second

	// sceneDelay is how late a row may become visible: some minutes after its
	// own time, as far as anybody has seen.
	sceneDelay = 10 * time.Minute

	// sceneKeeps is how far back the platform answers: 90 days, less an hour
	// that a slow catch-up may take.
	sceneKeeps = 90*24*time.Hour - time.Hour

	// pagesMax is the last page that can be asked for; the platform's limit.
	pagesMax = 100

	// roundsMax bounds how often the rows that changed while we were paging are
	// read again; see place.
	roundsMax = 4

	// changeMargin is how far the round that reads those rows reaches into the
	// future, clockSkew how far two clocks may be apart.
	changeMargin = 3 * time.Minute
	clockSkew    = time.Minute
)

// The columns by which a window finds rows.
const (
	byCreation   = 1
	bySettlement = 3
	byChange     = 4
)

// A stream is a scene and how it is asked for.
type stream struct {
	order.Scene
	orderScene int // the platform's: 1 all, 2 channel, 3 member
	column     int
}

// window is the longest window that may be asked for now.
func (c *Client) window() time.Duration {
	now := c.now()
	for _, p := range c.promotions {
		// A window is asked for around its own time or up to a delay later, and
		// nobody knows which of the two counts.
		if now.After(p[0].Add(-windowMax)) && now.Before(p[1].Add(windowMax)) {
			return windowPromotionMax
		}
	}
	return windowMax
}

// streams returns the streams that the configuration wants.
func (c *Client) streams() []stream {
	window := c.window()
	scene := func(name string, orderScene, column int) stream {
		return stream{order.Scene{
			Name: name, Window: window, Delay: sceneDelay, Keeps: sceneKeeps, Mends: column != byCreation,
		}, orderScene, column}
	}
	out := []stream{scene(SceneModified, 1, byChange), scene(SceneCreated, 1, byCreation)}
	if c.cfg.ChannelOrders {
		out = append(out, scene(SceneChannel, 2, byChange))
	}
	if c.cfg.MemberOrders {
		out = append(out, scene(SceneMember, 3, byChange))
	}
	if c.cfg.Refunds {
		out = append(out, scene(SceneRefund, 1, refundByChange))
	}
	return out
}

// settledStreams returns the streams of what was settled.
func (c *Client) settledStreams() []stream {
	scene := func(name string, column int) stream {
		return stream{order.Scene{Name: name, Window: c.window(), Delay: sceneDelay, Keeps: sceneKeeps}, 1, column}
	}
	out := []stream{scene(SceneSettled, bySettlement)}
	if c.cfg.Refunds {
		out = append(out, scene(SceneSettledRefunds, refundBySettlement))
	}
	return out
}

// Settled returns the orders by their settlement and, where suits are read, the
// suits by that of their orders: an order row does not know what was given back
// after it was settled.
func (c *Client) Settled(from, to, _ time.Time) []order.Stretch {
	var out []order.Stretch
	for _, s := range c.settledStreams() {
		out = append(out, order.Stretch{Scene: s.Scene, From: from, To: to})
	}
	return out
}

// Scenes returns the streams; their windows are shorter in promotions.
func (c *Client) Scenes() []order.Scene {
	var out []order.Scene
	for _, s := range c.streams() {
		out = append(out, s.Scene)
	}
	return out
}

// Pull returns one page of w. A window that does not fit one page is read to
// its end and then once more from the moment its first page was read, so that
// rows which changed meanwhile, and so left the window, are returned too.
func (c *Client) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	const op = "taobao.Pull"
	for _, s := range append(c.streams(), c.settledStreams()...) {
		if s.Name != w.Scene {
			continue
		}
		if w.To.Sub(w.From) > s.Window {
			return order.Page{}, fault.In(op, fault.New(fault.Invalid, reasonTooLong))
		}
		p, err := startOf(w, cursor, c.now())
		if err != nil {
			return order.Page{}, fault.In(op, err)
		}
		page, err := c.pull(ctx, s, w, p)
		return page, fault.In(op, err)
	}
	return order.Page{}, fault.In(op, fault.Newf(fault.Invalid, reasonScene, "scene %q", short(w.Scene)))
}

func (c *Client) pull(ctx context.Context, s stream, w order.Window, p place) (order.Page, error) {
	if p.Page > pagesMax {
		return order.Page{}, fault.New(fault.Invalid, reasonTooFull)
	}
	within := func(t time.Time) bool {
		return p.Round > 0 || !t.Before(w.From.Truncate(time.Second)) && t.Before(w.To)
	}
	var a answer
	var page order.Page
	var err error
	switch s.Name {
	case SceneRefund, SceneSettledRefunds:
		if s.Name == SceneSettledRefunds { // a suit has no settlement of its own; another's does no harm
			within = func(time.Time) bool { return true }
		}
		if a, err = c.refundPage(ctx, s.column, p); err == nil {
			page, err = c.returns(ctx, a.rows, within)
		}
	default:
		if a, err = c.orderPage(ctx, s, p); err == nil {
			page = c.lines(a.rows, s.column, within)
		}
	}
	if err != nil {
		return order.Page{}, err
	}
	if page.Next, err = p.after(a, s.Mends, c.now()); err != nil {
		return order.Page{}, err
	}
	return page, nil
}

// lines reads a page of order rows; those whose column is not within the window
// are dropped.
func (c *Client) lines(rows list, column int, within func(time.Time) bool) order.Page {
	var page order.Page
	for _, raw := range rows {
		r, err := c.revision(raw)
		at := r.Modified
		switch column {
		case byCreation:
			at = r.Created
		case bySettlement:
			at = r.SettledAt
		}
		switch {
		case err != nil:
			page.Bad = append(page.Bad, order.Bad{Key: r.Key, Raw: raw, Err: err})
		case within(at):
			page.Revisions = append(page.Revisions, r)
		}
	}
	return page
}

// An answer is one page as the platform sent it.
type answer struct {
	rows  list
	more  bool
	index string // position_index, to be echoed
}

// orderPage asks for one page of orders.
func (c *Client) orderPage(ctx context.Context, s stream, p place) (answer, error) {
	method := "taobao.tbk.order.details.get"
	if c.cfg.Session != "" {
		method = "taobao.tbk.sc.order.details.get"
	}
	params := map[string]string{
		"query_type": strconv.Itoa(s.column), "order_scene": strconv.Itoa(s.orderScene),
		"start_time": clock(p.from()), "end_time": clock(p.to()),
		"page_no": strconv.Itoa(p.Page), "page_size": strconv.Itoa(c.cfg.PageSize),
	}
	if p.Page > 1 {
		params["position_index"], params["jump_type"] = p.Index, "1"
	}
	var a struct {
		Data *struct {
			Results list         `json:"results"`
			More    money.Number `json:"has_next"`
			Index   money.Number `json:"position_index"`
		} `json:"data"`
	}
	if err := c.call(ctx, method, params, &a); err != nil {
		return answer{}, err
	}
	if a.Data == nil {
		return answer{}, fault.Newf(fault.Unavailable, "", "%s: no data in the answer", method)
	}
	return answer{a.Data.Results, a.Data.More == "true", string(a.Data.Index)}, nil
}

// A place is where reading a window stands; as JSON it is the cursor.
//
// A window is read in rounds. The first is the window itself. Rows that change
// while its pages are read get a new time of change and leave it. If it has more
// than one page, the next round therefore reads what has changed since the first
// page was asked for, up to a little into the future; a row that changes again
// during that round only moves towards its end.
type place struct {
	From  int64  `json:"from"` // seconds
	To    int64  `json:"to"`
	Page  int    `json:"page"`
	Index string `json:"index,omitempty"`
	Start int64  `json:"start"`          // when the round's first page was asked for
	Round int    `json:"round"`          // from 0
	Seen  string `json:"seen,omitempty"` // hash of the page before
}

func (p place) from() time.Time { return time.Unix(p.From, 0) }
func (p place) to() time.Time   { return time.Unix(p.To, 0) }

// startOf reads the cursor, or begins at the start of w.
func startOf(w order.Window, cursor string, now time.Time) (place, error) {
	p := place{From: w.From.Add(-edge).Unix(), To: w.To.Unix(), Page: 1, Start: now.Unix()}
	if cursor != "" {
		p = place{}
		if err := json.Unmarshal([]byte(cursor), &p); err != nil || p.Page < 1 || p.To <= p.From {
			return p, fault.Newf(fault.Invalid, reasonCursor, "%q", short(cursor))
		}
		return p, nil
	}
	if !w.To.After(w.From) {
		return p, fault.Newf(fault.Invalid, "", "window from %s to %s", w.From, w.To)
	}
	return p, nil
}

// after returns the cursor of the page that follows p, "" after the last.
func (p place) after(a answer, mends bool, now time.Time) (string, error) {
	sum := sha256.New()
	for _, r := range a.rows {
		sum.Write(r)
	}
	seen := hex.EncodeToString(sum.Sum(nil)[:8])
	if p.Page > 1 && seen == p.Seen {
		return "", fault.Newf(fault.Unavailable, "", "the platform repeats page %d", p.Page-1)
	}
	switch {
	case a.more:
		p.Page, p.Index, p.Seen = p.Page+1, a.index, seen
	case p.Page == 1 || !mends || now.Add(clockSkew).Before(p.to()):
		return "", nil // read in one moment, or nothing can have left
	case p.Round == roundsMax:
		return "", fault.Newf(fault.Unavailable, "", "rows change faster than they can be read")
	default:
		p = place{
			From: p.Start - int64(clockSkew/time.Second), To: now.Add(changeMargin).Unix(),
			Page: 1, Start: now.Unix(), Round: p.Round + 1,
		}
	}
	return jsonText(p), nil
}
