package collecttest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanli/core/collect"
	"fanli/core/fault"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// A Till is a collector without a wire, for tests of what stands on one. It passes
// [Run].
type Till struct {
	Now func() time.Time
	// Lazy knows a charge only once somebody has opened its code.
	Lazy bool
	// Slow leaves refunds under way until Settle.
	Slow bool
	// Calls counts the calls that had an effect or an answer, by name.
	Calls map[string]int

	mu      sync.Mutex
	way     string
	charges map[string]*slip
}

// A slip is one charge in a till.
type slip struct {
	collect.Charge
	state   collect.State
	came    money.Fen
	refunds map[string]money.Fen
	pending map[string]bool
}

var (
	_ collect.Collector = (*Till)(nil)
	_ Provider          = (*Till)(nil)
)

// NewTill returns an empty till.
func NewTill(now func() time.Time) *Till {
	return &Till{Now: now, Calls: map[string]int{}, charges: map[string]*slip{}}
}

// Name returns "till".
func (t *Till) Name() string { return "till" }

// find finds a charge, closed if nobody paid it in time. The lock is held.
func (t *Till) find(number string) *slip {
	s := t.charges[number]
	if s != nil && (s.state == collect.Open || s.state == collect.Absent) && !t.Now().Before(s.Expires) {
		s.state = collect.Closed
	}
	return s
}

func (s *slip) left() money.Fen {
	sum := s.came
	for _, r := range s.refunds {
		sum -= r
	}
	return sum
}

// Open makes somebody open a code.
func (t *Till) Open(number string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.find(number)
	if s == nil || s.state != collect.Absent && s.state != collect.Open {
		return fault.New(fault.NotFound, "")
	}
	s.state = collect.Open
	return nil
}

// Pay makes somebody pay what a charge asks for.
func (t *Till) Pay(number string) error {
	t.mu.Lock()
	amount := money.Fen(0)
	if s := t.charges[number]; s != nil {
		amount = s.Amount
	}
	t.mu.Unlock()
	return t.PayOther(number, amount)
}

// PayOther makes somebody pay another amount, which no honest collector allows.
func (t *Till) PayOther(number string, amount money.Fen) error {
	if err := t.Open(number); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.charges[number]
	s.state, s.came = collect.Paid, amount
	return nil
}

// PayLate makes money come for a charge whatever has become of it.
func (t *Till) PayLate(number string, amount money.Fen) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.charges[number]
	s.state, s.came = collect.Paid, amount
}

// Settle ends the refunds that are under way.
func (t *Till) Settle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.charges {
		clear(s.pending)
	}
}

// Balance returns what is there under a number.
func (t *Till) Balance(number string) money.Fen {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.find(number); s != nil {
		return s.left()
	}
	return 0
}

// Notice returns a callback about a charge.
func (t *Till) Notice(number string) withdraw.Callback {
	return withdraw.Callback{Header: http.Header{}, Body: []byte("till:" + number + ":signed")}
}

// Fail makes the road fail.
func (t *Till) Fail(way string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch way {
	case "", LostRequest, LostAnswer, Stall:
		t.way = way
		return true
	default:
		return false
	}
}

// call runs what a request does, unless the road loses it.
func (t *Till) call(ctx context.Context, name string, do func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.way == Stall:
		return fault.Wrap(fault.Unavailable, "till", context.DeadlineExceeded)
	case t.way == LostRequest, ctx.Err() != nil:
		return fault.New(fault.Unavailable, "")
	}
	t.Calls[name]++
	err := do()
	if t.way == LostAnswer {
		return fault.New(fault.Unavailable, "")
	}
	return err
}

// Create asks for a charge.
func (t *Till) Create(ctx context.Context, c collect.Charge) (code string, err error) {
	err = t.call(ctx, "Create", func() error {
		s := t.find(c.Number)
		switch {
		case s == nil || t.Lazy && s.state == collect.Absent:
			s = &slip{Charge: c, state: collect.Open, refunds: map[string]money.Fen{}, pending: map[string]bool{}}
			if t.Lazy {
				s.state = collect.Absent
			}
			t.charges[c.Number] = s
		case s.state == collect.Paid || s.state == collect.Closed || s.Amount != c.Amount:
			return fault.New(fault.Conflict, "")
		}
		code = "till://" + c.Number
		return nil
	})
	if err != nil {
		code = ""
	}
	return code, err
}

func (s *slip) says() collect.Collection {
	switch {
	case s == nil:
		return collect.Collection{State: collect.Absent}
	case s.state == collect.Paid && s.left() > 0:
		return collect.Collection{State: collect.Paid, Amount: s.came, Receipt: "T" + s.Number}
	case s.state == collect.Paid:
		return collect.Collection{State: collect.Closed}
	default:
		return collect.Collection{State: s.state}
	}
}

// Query asks what became of a charge.
func (t *Till) Query(ctx context.Context, number string) (o collect.Collection, err error) {
	err = t.call(ctx, "Query", func() error { o = t.find(number).says(); return nil })
	if err != nil {
		o = collect.Collection{}
	}
	return o, err
}

// Close ends a charge that nobody has paid.
func (t *Till) Close(ctx context.Context, number string) (o collect.Collection, err error) {
	err = t.call(ctx, "Close", func() error {
		s := t.find(number)
		if s != nil && s.state == collect.Open {
			s.state = collect.Closed
		}
		o = s.says()
		return nil
	})
	if err != nil {
		o = collect.Collection{}
	}
	return o, err
}

// Refund gives money back.
func (t *Till) Refund(ctx context.Context, r collect.Refund) (st collect.RefundState, err error) {
	err = t.call(ctx, "Refund", func() error {
		s := t.find(r.Charge)
		if s == nil {
			return fault.New(fault.Invalid, "")
		}
		before, again := s.refunds[r.Number]
		switch {
		case again && before != r.Amount:
			return fault.New(fault.Conflict, "")
		case !again && (s.state != collect.Paid || r.Amount > s.left()):
			return fault.New(fault.Invalid, "")
		case !again:
			s.refunds[r.Number], s.pending[r.Number] = r.Amount, t.Slow
		}
		st = s.refund(r.Number)
		return nil
	})
	if err != nil {
		st = ""
	}
	return st, err
}

func (s *slip) refund(number string) collect.RefundState {
	switch _, ok := s.refunds[number]; {
	case !ok:
		return collect.Unreturned
	case s.pending[number]:
		return collect.Returning
	default:
		return collect.Returned
	}
}

// QueryRefund asks what became of a refund.
func (t *Till) QueryRefund(ctx context.Context, charge, number string) (st collect.RefundState, amount money.Fen, err error) {
	err = t.call(ctx, "QueryRefund", func() error {
		st = collect.Unreturned
		if s := t.find(charge); s != nil {
			if st = s.refund(number); st == collect.Returned {
				amount = s.refunds[number]
			}
		}
		return nil
	})
	if err != nil {
		st, amount = "", 0
	}
	return st, amount, err
}

// Hear believes what Notice makes.
func (t *Till) Hear(_ context.Context, c withdraw.Callback) (string, error) {
	parts := strings.Split(string(c.Body), ":")
	if len(parts) != 3 || parts[0] != "till" || parts[2] != "signed" || t.charges[parts[1]] == nil {
		return "", fault.New(fault.Denied, "")
	}
	return parts[1], nil
}

// Answer is what a till understands.
func (t *Till) Answer(err error) (status int, contentType, body string) {
	if err != nil {
		return http.StatusInternalServerError, "", ""
	}
	return http.StatusOK, "", ""
}
