package simulate

import (
	"context"
	"net/http"
	"time"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// tillName is the collector's.
const tillName = "till"

// How long the till may take.
const (
	tillAway   = 20 * time.Hour // it is not there
	tillDenies = 10 * time.Hour // it says that nothing will come, where something has
	tillSlow   = 5 * time.Hour  // a refund is under way
	tillTakes  = 20 * time.Hour // after a charge has lapsed; we ask a last time after a day
)

// A slip is a row of the till's own book.
type slip struct {
	collect.Charge
	state   collect.State
	came    money.Fen
	at      time.Time
	late    bool      // it came although whoever paid knew that it was too late
	denied  time.Time // until when the till denies that it came
	refund  string    // number of the refund that was taken
	back    money.Fen // what was given back
	returns time.Time // when
}

// A till takes money, and keeps a book of its own. A number is paid once and given back
// once, however often it is asked; what it says may be missing, old, or wrong.
type till struct {
	w     *world
	lazy  bool // it knows a charge once somebody has opened its code
	slips map[string]*slip
	away  time.Time
	rings []ring // that are still to come
}

var _ collect.Collector = (*till)(nil)

// Name implements collect.Collector.
func (t *till) Name() string { return tillName }

// find finds a slip; one that nobody has paid in time is closed.
func (t *till) find(number string) *slip {
	s := t.slips[number]
	if s != nil && s.free() && !t.w.now().Before(s.Expires) {
		s.state = collect.Closed
	}
	return s
}

// free reports whether somebody may pay it, if it is not too late.
func (s *slip) free() bool { return s.state == collect.Open || s.state == collect.Absent }

// call is a request: the process may die before it and after it, and both ways may lose
// it. do is what the till does.
func (t *till) call(name string, do func() error) error {
	w := t.w
	if err := w.crash.point("till." + name); err != nil {
		return err
	}
	if w.ill.strikes(Till, 0.1) {
		t.away = w.now().Add(w.ill.upTo(tillAway))
	}
	if w.ill.has(Till) && w.now().Before(t.away) || w.ill.strikes(Till, 1) {
		return fault.New(fault.Unavailable, "") // the request was lost
	}
	err := do()
	if dead := w.crash.point("till." + name + ".done"); dead != nil {
		return dead
	}
	if w.ill.strikes(Till, 1.6) {
		return fault.New(fault.Unavailable, "") // the answer was lost
	}
	return err
}

// Create implements collect.Collector.
func (t *till) Create(_ context.Context, c collect.Charge) (code string, err error) {
	err = t.call("create", func() error {
		s := t.find(c.Number)
		switch {
		case s == nil:
			s = &slip{Charge: c, state: collect.Open}
			if t.lazy {
				s.state = collect.Absent
			}
			t.slips[c.Number] = s
			if t.w.ill.strikes(Callback, 2) { // somebody who has seen the code says that it is paid
				t.rings = append(t.rings, ring{c.Number, true, t.w.now().Add(t.w.ill.upTo(callSoon))})
			}
			t.w.note("the till is asked for %d under %s until %d", c.Amount, c.Number, c.Expires.Unix())
		case s.Amount != c.Amount:
			t.w.wrong("the till was asked for %s under %s, and before for %s", c.Amount, c.Number, s.Amount)
			return fault.New(fault.Conflict, "")
		case !s.free():
			return fault.New(fault.Conflict, "")
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return "till://" + c.Number, nil
}

// say is what the till says of a slip now.
func (t *till) say(s *slip) collect.Collection {
	switch {
	case s == nil:
		return collect.Collection{State: collect.Absent}
	case s.state == collect.Paid && t.w.ill.has(Till) && t.w.now().Before(s.denied),
		s.state == collect.Paid && s.back == s.came && t.lazy:
		return collect.Collection{State: collect.Closed}
	case s.state == collect.Paid:
		return collect.Collection{State: collect.Paid, Amount: s.came, Receipt: "T" + s.Number}
	default:
		return collect.Collection{State: s.state}
	}
}

// Query implements collect.Collector. It may say what has not been true for a while.
func (t *till) Query(_ context.Context, number string) (c collect.Collection, err error) {
	err = t.call("query", func() error {
		s := t.find(number)
		switch c = t.say(s); {
		case c.State == collect.Paid && t.w.ill.strikes(Till, 0.5):
			c = collect.Collection{State: collect.Open}
		case c.State != collect.Closed && t.w.ill.strikes(Till, 0.5):
			c = collect.Collection{State: collect.Absent}
		}
		return nil
	})
	if err != nil {
		return collect.Collection{}, err
	}
	return c, nil
}

// Close implements collect.Collector.
func (t *till) Close(_ context.Context, number string) (c collect.Collection, err error) {
	err = t.call("close", func() error {
		s := t.find(number)
		if s != nil && s.state == collect.Open {
			s.state = collect.Closed
			t.w.note("the till closes %s", number)
		}
		c = t.say(s)
		return nil
	})
	if err != nil {
		return collect.Collection{}, err
	}
	return c, nil
}

// Refund implements collect.Collector.
func (t *till) Refund(_ context.Context, r collect.Refund) (st collect.RefundState, err error) {
	err = t.call("refund", func() error {
		w, s := t.w, t.find(r.Charge)
		switch {
		case s == nil || s.state != collect.Paid || r.Amount > s.came:
			return fault.New(fault.Invalid, "")
		case s.refund != "" && (s.refund != r.Number || s.back != r.Amount):
			w.wrong("the till is to give back %s of %s as %s, and gave %s as %s", r.Amount, r.Charge, r.Number, s.back, s.refund)
			return fault.New(fault.Conflict, "")
		case s.refund != "":
		case w.ill.strikes(Till, 0.5):
			return fault.New(fault.Insufficient, "") // not taken
		case w.ill.strikes(Till, 0.5):
			st = collect.Unreturned
			return nil
		default:
			s.refund, s.back, s.returns = r.Number, r.Amount, w.now()
			if w.ill.strikes(Till, 2) {
				s.returns = s.returns.Add(w.ill.upTo(tillSlow))
			}
			w.note("the till gives back %d of %s at %d", s.back, s.Number, s.returns.Unix())
			t.announce(s)
		}
		st = t.returned(s)
		return nil
	})
	if err != nil {
		return "", err
	}
	return st, nil
}

func (t *till) returned(s *slip) collect.RefundState {
	switch {
	case s == nil || s.refund == "":
		return collect.Unreturned
	case t.w.now().Before(s.returns):
		return collect.Returning
	default:
		return collect.Returned
	}
}

// QueryRefund implements collect.Collector.
func (t *till) QueryRefund(_ context.Context, charge, _ string) (st collect.RefundState, amount money.Fen, err error) {
	err = t.call("returned", func() error {
		s := t.find(charge)
		if st = t.returned(s); st == collect.Returned {
			amount = s.back
		}
		return nil
	})
	if err != nil {
		return "", 0, err
	}
	return st, amount, nil
}

// take lets somebody pay. lapsed is when they were told that it is too late, zero if
// they were not: their money may come all the same, for a while.
func (t *till) take(s *slip, amount money.Fen, lapsed time.Time) bool {
	w := t.w
	late := !lapsed.IsZero()
	if s == nil || s.state == collect.Paid || !late && !s.free() || late && (!w.early() || !w.now().Before(lapsed.Add(tillTakes))) {
		return false
	}
	s.state, s.came, s.at, s.late = collect.Paid, amount, w.now(), late
	if !late && amount == s.Amount && w.early() && w.ill.strikes(Till, 0.7) {
		s.denied = w.now().Add(w.ill.upTo(tillDenies))
	}
	t.announce(s)
	return true
}

// A ring is what the till says of a charge without being asked, or what somebody says
// who is not the till.
type ring struct {
	number string
	forged bool
	at     time.Time
}

// callback writes a ring as it is received.
func (r ring) callback() withdraw.Callback {
	return call{number: r.number, forged: r.forged}.callback()
}

// Hear implements withdraw.Hearer.
func (t *till) Hear(_ context.Context, c withdraw.Callback) (string, error) { return signed(c) }

// Answer implements withdraw.Hearer.
func (t *till) Answer(error) (status int, contentType, body string) { return http.StatusOK, "", "" }

// announce plans the rings about a slip: one, soon. Where calls go wrong they are lost,
// late, come again, or are not the till's.
func (t *till) announce(s *slip) {
	ill := t.w.ill
	add := func(number string, forged bool, within time.Duration) {
		t.rings = append(t.rings, ring{number, forged, t.w.now().Add(ill.upTo(within))})
	}
	switch {
	case ill.strikes(Callback, 1): // lost
	case ill.strikes(Callback, 1):
		add(s.Number, false, callLate)
	default:
		add(s.Number, false, callSoon)
	}
	if ill.strikes(Callback, 2) { // again
		add(s.Number, false, callLate)
	}
	if ill.strikes(Callback, 2) {
		add(s.Number, true, callSoon)
	}
	if ill.strikes(Callback, 1) {
		add(s.Number+"9", false, callSoon)
	}
}

// rung delivers the rings whose time has come, in any order.
func (w *world) rung(ctx context.Context) {
	for _, r := range due(w, &w.till.rings, func(r ring) time.Time { return r.at }) {
		var err error
		_ = w.try(ctx, func() error { // what is wrong is kept
			err = w.house.rang(ctx, r.callback())
			switch {
			case fault.Is(err, fault.Denied) && r.forged, fault.Is(err, fault.NotFound) && w.till.slips[r.number] == nil:
				return nil
			case err == nil && r.forged && w.opt.Plant == Sound:
				w.wrong("a forged call about %s was taken", r.number)
			}
			return err
		})
		w.note("call about %s, forged=%v: %v", r.number, r.forged, err == nil)
	}
}
