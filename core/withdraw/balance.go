package withdraw

import (
	"context"
	"errors"
	"sync"

	"fanli/core/fault"
	"fanli/core/money"
)

// A Balancer says how much of our money it has. Only some payers can.
type Balancer interface {
	Balance(ctx context.Context) (money.Fen, error)
}

// A Watch tells staff when our money at a payer runs low: once when it falls below
// its floor, and again only after it was above. It is safe for concurrent use.
type Watch struct {
	Payers func() []Payer
	Floors map[string]money.Fen // by payer; one that is not here is not asked
	Low    func(ctx context.Context, payer string, balance, floor money.Fen)
	Told   func(payer string, balance, floor money.Fen) // hears of every balance; optional

	mu  sync.Mutex
	low map[string]bool
}

// Run asks the payers, and returns how many were asked and the errors of those that
// could not be.
func (w *Watch) Run(ctx context.Context) (n int, err error) {
	var errs []error
	for _, p := range w.Payers() {
		floor := w.Floors[p.Name()]
		b, ok := p.(Balancer)
		if floor <= 0 || !ok {
			continue
		}
		cctx, cancel := context.WithTimeout(ctx, sendTimeout)
		balance, err := b.Balance(cctx)
		cancel()
		if err != nil {
			errs = append(errs, fault.In("withdraw.Balance", err))
			continue
		}
		n++
		if w.Told != nil {
			w.Told(p.Name(), balance, floor)
		}
		if w.falls(p.Name(), balance < floor) {
			w.Low(ctx, p.Name(), balance, floor)
		}
	}
	return n, errors.Join(errs...)
}

// falls remembers whether a payer is low, and reports whether that is news.
func (w *Watch) falls(payer string, low bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.low == nil {
		w.low = map[string]bool{}
	}
	news := low && !w.low[payer]
	w.low[payer] = low
	return news
}
