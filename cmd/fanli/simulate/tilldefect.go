package simulate

import (
	"context"

	"fanli/core/collect"
	"fanli/core/event"
	"fanli/core/fault"
	"fanli/core/withdraw"
)

// collector is the till, or one behind a client with what is planted.
func (w *world) collector() collect.Collector {
	switch w.opt.Plant {
	case RingBelieved, SumUnread, BackBelieved:
		return &sloppy{w.till, map[string]bool{}}
	default:
		return w.till
	}
}

// sloppy is a client of the till that does not listen, in one way or another.
type sloppy struct {
	*till
	rang map[string]bool
}

func (s *sloppy) Hear(_ context.Context, c withdraw.Callback) (string, error) {
	number, err := signed(c)
	if s.w.opt.Plant == RingBelieved {
		number, err = unsigned(c), nil
		s.rang[number] = true
	}
	return number, err
}

func (s *sloppy) Query(ctx context.Context, number string) (collect.Collection, error) {
	c, err := s.till.Query(ctx, number)
	if p := s.slips[number]; p != nil && err == nil && (s.rang[number] || c.State == collect.Paid && s.w.opt.Plant == SumUnread) {
		c = collect.Collection{State: collect.Paid, Amount: p.Amount, Receipt: "T"}
	}
	return c, err
}

func (s *sloppy) Refund(ctx context.Context, r collect.Refund) (collect.RefundState, error) {
	st, err := s.till.Refund(ctx, r)
	if s.w.opt.Plant == BackBelieved && fault.Is(err, fault.Unavailable) {
		return collect.Returned, nil
	}
	return st, err
}

// selling is a hearer that gives levels, and does not take them back where that is
// planted.
func (w *world) selling(hear event.Handler) event.Handler {
	return func(ctx context.Context, e event.Event) error {
		var c collect.Changed
		if err := e.Decode(&c); err != nil {
			return err
		}
		if w.opt.Plant == LevelStays && c.Stage == collect.Refunding {
			return nil
		}
		return hear(ctx, e)
	}
}
