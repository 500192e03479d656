package notify

import (
	"context"
	"fmt"
	"time"

	"fanli/core/credit"
	"fanli/core/money"
)

// Cuts is what has happened to an inviter's parts of friends' orders since they
// were last told. It says nothing of who the friends are or what they bought.
type Cuts struct {
	User  int64     `json:"user"`
	Given money.Fen `json:"given"`          // came, together
	Taken money.Fen `json:"taken"`          // went back, together
	Debt  money.Fen `json:"debt,omitempty"` // of that, had been paid out already
	Lines int       `json:"lines"`          // of orders that brought something
	Since time.Time `json:"-"`              // of the first of it
}

// When inviters are told: a little after something has happened, so that what
// comes together is one message, and not twice within a day.
const (
	cutsWait  = 10 * time.Minute
	cutsPause = 24 * time.Hour
)

// cuts adds up what a batch has changed for inviters.
func cuts(cs []credit.CutChange, now time.Time) []Cuts {
	at := map[int64]int{}
	var out []Cuts
	for _, c := range cs {
		d := c.Now - c.Before
		if d == 0 {
			continue
		}
		i, ok := at[c.User]
		if !ok {
			i = len(out)
			at[c.User] = i
			out = append(out, Cuts{User: c.User, Since: now})
		}
		if out[i].Debt += c.Debt; d < 0 {
			out[i].Taken -= d
			continue
		}
		out[i].Given += d
		out[i].Lines++
	}
	return out
}

// TellCuts writes a message to each inviter to whom something has happened: one
// bounded batch. It returns how many were written.
func (o *Office) TellCuts(ctx context.Context) (n int, err error) {
	now := o.Now()
	err = o.Store.InTx(ctx, func(tx Tx) error {
		n = 0
		all, err := tx.TakeCuts(now, now.Add(-cutsWait), now.Add(-cutsPause), batchMax)
		if err != nil || len(all) == 0 {
			return err
		}
		ms := make([]Message, len(all))
		for i, c := range all {
			m, err := message(fmt.Sprintf("cuts/%d/%d", c.User, now.UnixMilli()), c.User, CutNews, c)
			if err != nil {
				return err
			}
			m.At = now
			ms[i] = m
		}
		n = len(ms)
		return tx.Write(ms)
	})
	return n, err
}
