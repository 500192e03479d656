package telegram

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fanli/core/fault"
)

// How the processes of one bot know of how many they are.
const (
	seatsMax   = 8                // more processes than that count as one more
	seatLength = 20 * time.Second // after which one that died is not counted any more
	seatBeat   = 3 * time.Second  // how often each looks
)

// shareOut has this process send its share of what Telegram bears, until ctx ends: each of
// several processes holds a seat, which is a lease, and counts those that are held. For
// seatBeat after one more has come they may be too fast; then Telegram says so, and what it
// refuses waits.
func (c *Channel) shareOut(ctx context.Context, me int64) {
	if c.leases == nil {
		return
	}
	seats, seat := "telegram/seat/"+strconv.FormatInt(me, 10)+"/", ""
	for {
		seat = c.sit(ctx, seats, seat)
		held, err := c.leases.Held(ctx)
		if err == nil {
			n := 0
			for _, h := range held {
				if strings.HasPrefix(h.Name, seats) {
					n++
				}
			}
			if seat == "" {
				n++
			}
			c.pace.share(n)
		}
		if !sleep(ctx, seatBeat) {
			break
		}
	}
	if seat != "" {
		c.drop(ctx, seat)
	}
}

// sit keeps a seat, or takes the first that is free; "" for none.
func (c *Channel) sit(ctx context.Context, seats, seat string) string {
	if seat != "" {
		_, err := c.leases.Take(ctx, seat, c.holder, seatLength)
		if !fault.Is(err, fault.Conflict) { // where nobody answers, nobody takes it either
			return seat
		}
	}
	for i := range seatsMax {
		seat = seats + strconv.Itoa(i)
		_, err := c.leases.Take(ctx, seat, c.holder, seatLength)
		switch {
		case err == nil:
			return seat
		case !fault.Is(err, fault.Conflict):
			return ""
		}
	}
	return ""
}
