package collect

import (
	"context"
	"time"

	"fanli/core/money"
)

// A Biller is a collector that can be asked for its bill of a day: what people have
// paid, and what was given back. It fails with fault.Unavailable while the bill is
// not complete. The day is that of its date at the collector.
type Biller interface {
	Bill(ctx context.Context, day time.Time) ([]BillLine, error)
}

// A BillLine is one movement in a collector's bill, before the collector's fee.
type BillLine struct {
	Charge  string // its number
	Refund  string // number of the refund; "" for a payment, and where the bill does not say
	Receipt string // the collector's own number
	Amount  money.Fen
	Fee     money.Fen // that the collector has kept, or has given back with a refund; never below zero
	HasFee  bool      // the bill says it
	Back    bool      // it was given back
	At      time.Time
}
