package jd

import (
	"context"
	"encoding/json"
	"time"

	"fanli/core/fault"
	"fanli/core/order"
)

const methodOrders = "jd.union.open.order.row.query"

// The platform's limits on orders.
const (
	windowMax = time.Hour           // of one question
	keeps     = 90 * 24 * time.Hour // how far back there are answers
	rowsMax   = 10_000              // in one window
)

// lateMax is how late rows are held to become visible. JD promises nothing; ten
// minutes is what its clients go by, and re-scans find what comes later still.
const lateMax = 10 * time.Minute

// The kinds of time by which rows can be asked for.
const (
	byOrdered  = 1
	byFinished = 2
	byUpdated  = 3
)

// scenes are the streams, each with the kind of time it goes by. Only the stream
// of updates shows every change; the other two are for re-scans.
var scenes = []struct {
	order.Scene
	kind int
}{
	{order.Scene{Name: "update", Window: windowMax, Delay: lateMax, Keeps: keeps, Mends: true}, byUpdated},
	{order.Scene{Name: "order", Window: windowMax, Delay: lateMax, Keeps: keeps}, byOrdered},
	{order.Scene{Name: "finish", Window: windowMax, Delay: lateMax, Keeps: keeps}, byFinished},
}

// finished is where scenes has the stream of finished orders.
const finished = 2

// Scenes returns the streams of updates, of orders and of finished orders.
func (c *Client) Scenes() []order.Scene {
	all := make([]order.Scene, len(scenes))
	for i, s := range scenes {
		all[i] = s.Scene
	}
	return all
}

// Settled returns the finished orders of the month before and of the time up to to:
// JD pays on a day of the month after the one in which an order was finished, and
// answers for no other time that would say so.
func (c *Client) Settled(from, to, _ time.Time) []order.Stretch {
	y, m, _ := from.In(beijing).Date()
	return []order.Stretch{{Scene: scenes[finished].Scene, From: time.Date(y, m-1, 1, 0, 0, 0, 0, beijing), To: to}}
}

// orderReq is what order.row.query is asked.
type orderReq struct {
	PageIndex int    `json:"pageIndex"`
	PageSize  int    `json:"pageSize"`
	Type      int    `json:"type"`
	StartTime string `json:"startTime"`
	EndTime   string `json:"endTime"`
	Key       string `json:"key,omitempty"`
	Fields    string `json:"fields"`
}

// Pull returns one page of rows. See paging.go for what it does about rows that
// move while they are read.
func (c *Client) Pull(ctx context.Context, w order.Window, cursor string) (order.Page, error) {
	kind, mends := 0, false
	for _, s := range scenes {
		if s.Name == w.Scene {
			kind, mends = s.kind, s.Mends
		}
	}
	if kind == 0 {
		return order.Page{}, fault.Newf(fault.Invalid, "feed.unknown_scene", "jd: scene %.40q", w.Scene)
	}
	at, err := readPlace(cursor)
	if err != nil {
		return order.Page{}, err
	}
	start, end, err := bounds(w)
	if err != nil || !start.Before(end) {
		return order.Page{}, err
	}
	a, err := c.call(ctx, methodOrders, map[string]orderReq{"orderReq": {
		PageIndex: at.page, PageSize: c.cfg.PageSize, Type: kind,
		StartTime: start.Format(timeLayout), EndTime: end.Format(timeLayout),
		Key: c.cfg.AuthKey, Fields: "goodsInfo,categoryInfo",
	}})
	if err != nil {
		return order.Page{}, err
	}
	next, err := at.next(a.more, mends, c.pagesMax())
	if err != nil {
		return order.Page{}, err
	}
	p, err := c.readPage(a.data)
	p.Next = next
	return p, err
}

// bounds returns the window in the whole seconds in which JD counts. A stretch of
// a second at the end of a full hour that does not begin on a second is left to
// the window behind it, which begins with that second.
func bounds(w order.Window) (start, end time.Time, err error) {
	if w.To.Before(w.From) {
		return start, end, fault.Newf(fault.Invalid, "", "jd: the window ends before it begins")
	}
	if w.To.Sub(w.From) > windowMax {
		return start, end, fault.Newf(fault.Invalid, reasonTooLong, "jd: a window of %s", w.To.Sub(w.From))
	}
	start, end = w.From.In(beijing).Truncate(time.Second), w.To.In(beijing).Truncate(time.Second)
	if end.Before(w.To) {
		end = end.Add(time.Second)
	}
	if end.Sub(start) > windowMax {
		end = start.Add(windowMax)
	}
	return start, end, nil
}

// pagesMax is how many pages the fullest window has, with one to spare for rows
// that arrive meanwhile.
func (c *Client) pagesMax() int { return (rowsMax+c.cfg.PageSize-1)/c.cfg.PageSize + 1 }

// readPage reads the rows one by one: an odd one is put aside.
func (c *Client) readPage(data json.RawMessage) (order.Page, error) {
	raws, err := list(data)
	if err != nil {
		return order.Page{}, c.garbled(methodOrders, err)
	}
	var p order.Page
	for _, raw := range raws {
		rev, err := c.read(raw)
		if err != nil {
			p.Bad = append(p.Bad, order.Bad{Key: c.key(badID(raw)), Raw: raw, Err: fault.Wrap(fault.Invalid, "jd row", err)})
			continue
		}
		p.Revisions = append(p.Revisions, rev)
	}
	return p, nil
}

func (c *Client) key(id string) order.Key {
	return order.Key{Network: Name, Account: c.cfg.Account, ID: id}
}
