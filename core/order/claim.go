package order

import (
	"context"
	"time"

	"fanli/core/fault"
	"fanli/core/link"
)

// A ClaimState says what became of a claim.
type ClaimState string

// The states of a claim.
const (
	ClaimWaiting ClaimState = "waiting" // the order is not here yet, or the evidence is not enough yet
	ClaimGranted ClaimState = "granted"
)

// A Claim is a user's word that an order is theirs.
type Claim struct {
	ID      int64
	User    int64
	Network string
	Order   string
	State   ClaimState
	At      time.Time
	Until   time.Time // a waiting claim is looked at until then
}

// Limits of claims: they keep people from trying out numbers.
const (
	claimsPerDayMax = 10
	claimWait       = 30 * 24 * time.Hour
)

// Claim records that user says an order is theirs and returns what is known
// about it. The answer to a number that is somebody else's, that is not here
// yet, and that does not exist is the same: waiting. It fails with fault.Invalid
// for a number of no network and with fault.Limited for too many in a day.
func (b *Book) Claim(ctx context.Context, user int64, number string) (Claim, error) {
	var network string
	for _, r := range link.Recognise("订单 " + number) { // alone, some numbers could be goods
		if r.Kind == link.Order && r.Network != "" {
			network, number = r.Network, r.ID
			break
		}
	}
	if network == "" {
		return Claim{}, fault.New(fault.Invalid, "claim.not_a_number")
	}
	now := b.Now()
	said := Claim{User: user, Network: network, Order: number, State: ClaimWaiting, At: now, Until: now.Add(claimWait)}
	var c Claim
	err := b.Store.InTx(ctx, func(tx Tx) error {
		n, err := tx.CountClaims(user, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if n >= claimsPerDayMax {
			return fault.New(fault.Limited, "claim.too_many")
		}
		if c, err = tx.PutClaim(said); err != nil {
			return err
		}
		lines, err := tx.ByOrder(network, number)
		if err != nil {
			return err
		}
		if err := b.rerun(tx, lines); err != nil {
			return err
		}
		for _, l := range lines {
			if l.User == user {
				c.State = ClaimGranted
			}
		}
		return nil
	})
	return c, fault.In("order.Claim", err)
}
